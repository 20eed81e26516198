"""Compute the cases of `benchmarks.same_bits` with the ldavi that is imported, and write their fields to a JSON file.

python -m benchmarks.same_bits_run write OUT.json --exchange DIR [--only WORD ...]  also write checkpoints and models
python -m benchmarks.same_bits_run read OUT.json --exchange DIR [--only WORD ...]   also resume from them and load them
"""

import argparse
import itertools
import json
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import same_bits_answers, same_bits_grid, same_bits_resume
from benchmarks.same_bits_fields import Fields
from benchmarks.same_bits_grid import Case, Compute


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "read"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    parser.add_argument("--exchange", type=Path, required=True)
    arguments = parser.parse_args()
    results = {name: computed(compute) for name, compute in selected(arguments.only)}
    exchanges = selected(arguments.only, same_bits_resume.exchanges(arguments.what))
    results |= {name: computed(compute, arguments.exchange) for name, compute in exchanges}
    arguments.out.write_text(json.dumps(results), encoding="utf-8")


def selected(words: list[str], cases: Iterable[Case] | None = None) -> Iterator[Case]:
    """Yield the cases, by default those of the grid, whose names contain every word."""
    if cases is None:
        cases = itertools.chain(same_bits_grid.cases(), same_bits_answers.cases(), same_bits_resume.cases())
    return ((name, compute) for name, compute in cases if all(word in name for word in words))


def computed(compute: Compute, exchange: Path | None = None) -> Fields:
    """Return a case's fields and the categories of its warnings, or the type of the exception that it raised."""
    with warnings.catch_warnings(record=True) as caught, tempfile.TemporaryDirectory() as directory:
        warnings.simplefilter("always")
        try:
            fields = compute(exchange or Path(directory))
        except Exception as error:
            return {"raises": type(error).__name__, "message": str(error)}
    categories = sorted({warning.category.__name__ for warning in caught})
    return fields | {"warnings": ", ".join(categories)}


if __name__ == "__main__":
    main()
