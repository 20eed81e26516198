"""Texts that others have written (words, names, messages about them), made safe for terminals, CSV and line files."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from ldavi._core.csv_cells import csv_cell as csv_cell

# Control characters (ESC, BEL, C1), formats (directions of writing, zero widths), separators of lines, lone surrogates.
UNSAFE_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
ASCII_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
GENSIM_LINE = re.compile(r"\d{1,9}\t[^\t]+\t\d+", re.ASCII)


def visible(text: str, *, keep: str = "") -> str:
    """Return a text with a backslash escape for each character that a terminal would obey instead of showing it.

    Parameters
    ----------
    text : str
    keep : str, default=""
        Characters that stay as they are, such as the line ends of a message.
    """
    if text.isascii() and not ASCII_CONTROL.search(text):
        return text
    return "".join(
        _escape(letter) if letter not in keep and unicodedata.category(letter) in UNSAFE_CATEGORIES else letter
        for letter in text
    )


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def json_safe(text: str) -> str:
    """Return JSON with escapes of JSON for the same characters, so that its values do not change."""

    def escape(letter: str) -> str:
        units = letter.encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))

    is_unsafe = (letter != "\n" and unicodedata.category(letter) in UNSAFE_CATEGORIES for letter in text)
    return "".join(escape(letter) if unsafe else letter for letter, unsafe in zip(text, is_unsafe, strict=True))


def vocabulary_lines(words: Sequence[Any]) -> list[str]:
    """Return the lines of a vocabulary file, one for each word, which `ldavi.io.read_vocabulary` reads back.

    Raises
    ------
    ValueError
        If a word does not fit on a line.
    """
    texts = [str(word) for word in words]
    for column, word in enumerate(texts):
        is_encodable = not any(unicodedata.category(letter) == "Cs" for letter in word)
        if not word or "\n" in word or word.endswith("\r") or not is_encodable or (not column and word[0] == "\ufeff"):
            raise ValueError(
                f"word {column}, {word!r}, does not fit on a line of a vocabulary file: it is empty, has a line end, "
                "a lone surrogate or a byte order mark; count the documents with another --token-pattern"
            )
    tail = texts[1:] if texts and texts[0].strip().isdigit() else texts
    if tail and all(GENSIM_LINE.fullmatch(word) for word in tail):
        raise ValueError("all words look like lines of a gensim dictionary; count the documents with --token-pattern")
    return [f"{word}\n" for word in texts]
