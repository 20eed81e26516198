"""The equations of docs/math.md and its pages: cited numbers exist, and so do the functions and tests of its table."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [DOCS / f"math/{name}.md" for name in re.findall(r"\nmath/(\w+)", (DOCS / "math.md").read_text("utf-8"))]
MATH = (DOCS / "math.md").read_text(encoding="utf-8")
TEXTS = [page.read_text(encoding="utf-8") for page in PAGES]
TAGS = [tag for text in TEXTS for tag in re.findall(r"\\tag\{([^}]*)\}", text)]
OTHERS = "".join((DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("metrics", "selection"))
KNOWN = {*TAGS, *re.findall(r"\\tag\{([MS]\d+)\}", OTHERS)}
NUMBER = r"\(?(?:[A-Z]?\d+\.\d+|[A-Z]?\d+)\)?(?![\w%])(?!\.\d)"
CITATION = re.compile(rf"(?:[Ee]quations?|[Ee]qs?\.) ({NUMBER}(?:(?:,| and| to|-|,? \([\d.]+\) for) ?{NUMBER})*)")
SOURCES = [path for path in sorted((ROOT / "ldavi").rglob("*")) if path.suffix in (".py", ".pyx", ".pxd", ".h", ".c")]
SOURCES = [path for path in SOURCES if path.name not in ("_estep.c", "_sampling.c")]
TESTS = [path for path in sorted((ROOT / "tests").glob("*.py")) if path.name != Path(__file__).name]
READERS = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.glob("gallery/*.py")), ROOT / "README.md"]
OF_PAPERS = {("_diversity.py", "32"), ("reference_metrics.py", "32"), ("test_inspection.py", "5")}  # of other texts
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in MATH.split("## Equation, function, test")[1].splitlines()
    if line.startswith("| ") and not line.startswith("| equation")
]


def citations(path):
    text = re.sub(r"\s*\n[ \t]*[*#]?[ \t]*", " ", path.read_text(encoding="utf-8"))
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)  # links of Markdown
    for match in CITATION.finditer(text):
        yield from re.findall(r"[A-Z]?\d+(?:\.\d+)?", match[1])


def unknown(paths):
    cited = [(path.name, number) for path in paths for number in citations(path)]
    return [pair for pair in cited if pair[1] not in KNOWN and pair not in OF_PAPERS], len(cited)


def test_equations_are_numbered_by_section_in_the_order_of_the_pages():
    sections, found = 0, []
    for text in TEXTS:
        for heading, tag in re.findall(r"^## (\d+)\. |\\tag\{([^}]*)\}", text, flags=re.MULTILINE):
            if heading:
                sections, number = sections + 1, 0
                assert int(heading) == sections
            else:
                number += 1
                found.append((tag, f"{sections}.{number}"))
    assert len(found) > 100
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_numbers_in_the_text_of_the_pages_exist():
    cited = [number for text in TEXTS for number in re.findall(r"(?<![\w}])\((\d+\.\d+)\)", text)]
    assert len(cited) > 150
    assert set(cited) <= set(TAGS)


@pytest.mark.skipif(not SOURCES, reason="reads the sources, which are not next to these tests")
def test_every_equation_cited_in_the_code_exists():
    missing, n_cited = unknown(SOURCES)
    assert n_cited > 150  # else the pattern is wrong
    assert missing == []


def test_every_equation_cited_in_tests_exists():
    missing, n_cited = unknown(TESTS)
    assert n_cited > 40
    assert missing == []


def test_every_equation_cited_in_the_documentation_exists():
    missing, n_cited = unknown([path for path in READERS if path.exists()])
    assert n_cited > 40
    assert missing == []


@pytest.mark.parametrize("name", ["reference.py", "reference_sampling.py"])
def test_numbers_in_the_docstrings_of_the_reference_implementation_exist(name):
    docstrings = re.findall(r'""".*?"""', (ROOT / "tests" / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    cited = [number for text in docstrings for number in re.findall(r"\((\d+(?:\.\d+)?)\)", text)]
    assert cited
    assert [number for number in cited if number not in KNOWN] == []


def test_no_symbol_of_the_table_of_notation_has_two_meanings():
    rows = MATH.split("## Notation")[1].split("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")]
    symbols = [symbol for row in cells for symbol in re.findall(r"\$[^$]+\$", row[-2])]
    assert len(symbols) > 100
    assert sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}) == []


def test_every_reference_is_cited():
    entries = MATH.split("## References")[1].split("\n## ")[0].split("\n* ")[1:]
    text = " ".join(" ".join(TEXTS).split())
    for entry in entries:
        name, year = re.match(r"(?:[A-Z]\. ?)+([\w-]+)", entry)[1], re.search(r"\((\d{4})\)", entry)[1]
        assert re.search(rf"{name}[^.()]*(?: et al\.)?[^.()]*[ (]{year}", text), entry


def test_the_table_lists_every_equation():
    listed = [number for row in TABLE for number in row[0].split(", ")]
    assert sorted(listed) == sorted(TAGS)


@pytest.mark.parametrize("name", [name for row in TABLE for name in re.findall(r"`(_\w+(?:\.\w+)+)`", row[1])])
def test_a_function_of_the_table_exists(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(f"ldavi.{module}"), function))


@pytest.mark.parametrize("name", [name for row in TABLE for name in re.findall(r"`(test_\w+\.test_\w+)`", row[2])])
def test_a_test_of_the_table_exists(name):
    module, function = name.split(".")
    assert f"def {function}(" in (ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8")
