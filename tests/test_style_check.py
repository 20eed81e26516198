"""Tests of the check for words and long lines, and that the texts of the repository pass it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "tools" / "style_check.py"

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="needs the tools of a checkout")


@pytest.fixture
def check():
    spec = importlib.util.spec_from_file_location("style_check", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_private_term_is_reported_with_its_line_and_what_to_write(check, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Documents\nstart afresh.\n", encoding="utf-8")
    assert check.problems(page) == [f'{page}:2: "afresh": write from scratch']


def test_a_long_line_of_prose_is_reported(check, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("word " * 30 + "\n", encoding="utf-8")
    assert len(check.problems(page)) == 1


def test_a_long_line_of_code_is_reported(check, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\n" + "word + " * 30 + "\n```\n", encoding="utf-8")
    assert len(check.problems(page)) == 1


@pytest.mark.parametrize(
    "line", ["| " + "cell | " * 30, "`afresh`", 'the setting "from noise"', "[text](" + "x" * 120 + ")"]
)
def test_tables_links_and_names_may_be_long_or_contain_a_term(check, tmp_path, line):
    page = tmp_path / "page.md"
    page.write_text(line + "\n", encoding="utf-8")
    assert check.problems(page) == []


def test_the_pages_of_the_documentation_pass(check, monkeypatch):
    monkeypatch.chdir(ROOT)
    pages = [*Path().glob("*.md"), *Path("docs").glob("*.md"), *Path("docs").glob("[a-z]*/*.md")]
    pages = [page for page in pages if page.parts[1:2] not in (("_build",), ("auto_examples",))]
    assert len(pages) > 30
    assert [message for page in pages for message in check.problems(page)] == []
