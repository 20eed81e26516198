"""The equations of docs/math.md: cited numbers exist, and so do the functions and the tests of its table."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MATH = (ROOT / "docs" / "math.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
TAGS = re.findall(r"\\tag\{(\w+)\}", MATH)
NUMBER = r"\(?([FMT]?\d+)\)?"
CITATION = re.compile(rf"[Ee]quations? {NUMBER}((?:(?:,| and| to|,? \(22\) for)+ \([FMT]?\d+\))*)")
SOURCES = [path for path in sorted((ROOT / "ldavi").rglob("*")) if path.suffix in (".py", ".pyx", ".h", ".c")]
SOURCES = [path for path in SOURCES if path.name not in ("_estep.c", "_sampling.c")] + [ROOT / "tests" / "reference.py"]
OF_PAPERS = {("_diversity.py", "32")}  # numbers of equations in a paper
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in MATH.split("## Equation, function, test")[1].splitlines()
    if line.startswith("| ") and not line.startswith("| equation")
]


def citations(path):
    text = re.sub(r"\s*\n[ \t]*[*#]?[ \t]*", " ", path.read_text(encoding="utf-8"))
    for match in CITATION.finditer(text):
        yield from re.findall(r"[FMT]?\d+", match[0])


def test_equations_have_different_numbers():
    assert len(TAGS) == len(set(TAGS))


@pytest.mark.skipif(len(SOURCES) == 1, reason="reads the sources, which are not next to these tests")
def test_every_equation_cited_in_the_code_exists():
    known = {*TAGS, *re.findall(r"\\tag\{(\w+)\}", METRICS)}
    cited = [(path.name, number) for path in SOURCES for number in citations(path)]
    assert len(cited) > 80  # else the pattern is wrong
    assert [pair for pair in cited if pair[1] not in known and pair not in OF_PAPERS] == []


def test_the_table_lists_every_equation():
    listed = [number for row in TABLE for number in row[0].split(", ")]
    assert set(TAGS) == set(listed)


@pytest.mark.parametrize("name", [name for row in TABLE for name in re.findall(r"`(_\w+(?:\.\w+)+)`", row[1])])
def test_a_function_of_the_table_exists(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(f"ldavi.{module}"), function))


@pytest.mark.parametrize("name", [name for row in TABLE for name in re.findall(r"`(test_\w+\.test_\w+)`", row[2])])
def test_a_test_of_the_table_exists(name):
    module, function = name.split(".")
    assert f"def {function}(" in (ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8")
