"""Print the table of seconds and held-out perplexity of README.md and docs/benchmarks.md, from the results of Q9.

python -m benchmarks.summary              print the table
python -m benchmarks.summary --write      update the table in both pages

The first rows are fits with default settings, except for the number of topics.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- table: summary -->", "<!-- end -->"


class Row(NamedTuple):
    """A row: library, settings, and the name of the fit in the results of Q9."""

    library: str
    settings: str
    fit: str


RESULTS, PREFIX = ROOT / "benchmarks" / "results" / "Q9.json", "20ng K=100"
ROWS = (
    Row("ldavi", "defaults", "ldavi vb"),
    Row("scikit-learn", "defaults: 10 passes", "sklearn default"),
    Row("gensim", "defaults: 1 pass", "gensim default"),
    Row("ldavi", "`n_collapsed_iter=0`: VB alone", "ldavi vb alone"),
    Row("ldavi", '`inference="cvb0"`', "ldavi cvb0"),
    Row("scikit-learn", "50 passes, both priors 0.1", "sklearn batch 50"),
    Row("gensim", "10 passes", "gensim 10"),
    Row("gensim", "20 passes, learned priors", "gensim auto 20"),
    Row("topica", "Gibbs sampling, 1000 iterations", "topica sparse 1000"),
    Row("topica", "CVB0, 150 passes", "topica cvb0 150"),
)


def measured() -> dict[str, tuple[float, float]]:
    """Return the median seconds and perplexity of each fit of Q9."""
    cases: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["parts"]["Q9"]["cases"]
    found = {}
    for case in cases:
        prefix, _, fit = case["name"].partition(": ")
        if prefix == PREFIX and fit:
            found[fit] = case["value"], statistics.median(case["perplexity"][fit])
    return found


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| library | settings | seconds | held-out perplexity |", "|---|---|---|---|"]
    of_fits = measured()
    for row in ROWS:
        seconds, perplexity = of_fits[row.fit]
        lines.append(f"| {row.library} | {row.settings} | {seconds:.{1 if seconds < 10 else 0}f} | {perplexity:.0f} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """Return the text of a page with the table of the result files."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="update the table in README.md and docs/benchmarks.md")
    if not parser.parse_args().write:
        print(table())
        return
    for path in PAGES:
        path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
