"""Tests of the count of long sentences, and that the pages for users have none."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "tools" / "readability.py"
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES += [page for folder in ("", "guide/", "about/", "math/") for page in sorted(ROOT.glob(f"docs/{folder}*.md"))]

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="needs the tools of a checkout")


def load():
    spec = importlib.util.spec_from_file_location("readability", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


readability = load() if PATH.exists() else None


def test_sentences_of_paragraphs_and_items_are_counted():
    text = "# Title\n\nOne sentence. Another of `code. With` a stop,\nover lines.\n\n* An item.\n* A second\n  item.\n"
    assert readability.sentences(text) == [
        "One sentence.",
        "Another of Name a stop, over lines.",
        "An item.",
        "A second item.",
    ]


def test_tables_code_and_formulas_are_not_counted():
    text = "| a | b |\n\n```python\ncode. Code.\n```\n\n$$ x. Y $$\n\nText.\n"
    assert readability.sentences(text) == ["Text."]


def test_abbreviations_end_no_sentence():
    assert len(readability.sentences("Found by Blei et al. (2003) and D. Newman. Then not.")) == 2


def test_a_sentence_of_more_than_thirty_words_is_long():
    assert readability.long_sentences("word " * 30 + "end.") == [("word " * 30 + "end.")]
    assert readability.long_sentences("word " * 29 + "end.") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_for_users_have_no_sentence_of_more_than_thirty_words(page):
    assert readability.long_sentences(page.read_text(encoding="utf-8")) == []
