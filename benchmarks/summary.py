"""Print the table of seconds and held-out perplexity of README.md and docs/benchmarks.md, from the result files.

python -m benchmarks.summary              print the table
python -m benchmarks.summary --write      update the table in both pages

The first rows are fits with default settings, except for the number of topics. Rows of cases that no result file
contains are left out.
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
    """A row: library, settings, and where the result file has it."""

    library: str
    settings: str
    part: str
    case: str
    fit: str


PREFIX = "20ng K=100"
ROWS = (
    Row("ldavi", "defaults", "Q9", f"{PREFIX}: ldavi vb", "ldavi vb"),
    Row("scikit-learn", "defaults: 10 passes", "Q9", f"{PREFIX}: sklearn default", "sklearn default"),
    Row("gensim", "defaults: 1 pass", "Q9", f"{PREFIX}: gensim default", "gensim default"),
    Row("ldavi", "`n_collapsed_iter=0`: VB alone", "Q3", f"{PREFIX}: ldavi vb", "ldavi vb"),
    Row("ldavi", '`inference="cvb0"`', "Q1", f"{PREFIX}: ldavi cvb0", "ldavi cvb0"),
    Row("scikit-learn", "50 passes, both priors 0.1", "Q3", f"{PREFIX}: sklearn batch 50", "sklearn batch 50"),
    Row("gensim", "10 passes", "S5", PREFIX, "gensim"),
    Row("gensim", "20 passes, learned priors", "Q3", f"{PREFIX}: gensim auto 20", "gensim auto 20"),
    Row("topica", "Gibbs sampling, 1000 iterations", "Q1", f"{PREFIX}: topica sparse 1000", "topica sparse 1000"),
    Row("topica", "CVB0, 150 passes", "Q1", f"{PREFIX}: topica cvb0 150", "topica cvb0 150"),
)


def find(row: Row) -> tuple[float, float] | None:
    """Return the median seconds and perplexity of a row, or None if no result file has them."""
    path = ROOT / "benchmarks" / "results" / f"{row.part}.json"
    if not path.exists():
        return None
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["parts"][row.part]["cases"]
    for case in cases:
        if case["name"] == row.case and row.fit in case["perplexity"]:
            seconds = case["medians"][row.fit] if "medians" in case else case["value"]
            return seconds, statistics.median(case["perplexity"][row.fit])
    return None


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| library | settings | seconds | held-out perplexity |", "|---|---|---|---|"]
    for row in ROWS:
        found = find(row)
        if found:
            seconds = f"{found[0]:.{1 if found[0] < 10 else 0}f}"
            lines.append(f"| {row.library} | {row.settings} | {seconds} | {found[1]:.0f} |")
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
