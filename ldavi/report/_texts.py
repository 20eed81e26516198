"""Texts split into words of the vocabulary and the text between them."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

WORDS = r"\w+"

Piece = str | int
FindWord = Callable[[str], int | None]


def word_finder(names: Iterable[Any], vectorizer: Any = None) -> FindWord:
    """Return a function from a word of a text to its column, or to None if it is not in the vocabulary.

    With a scikit-learn vectorizer, words go through its analyzer, which applies its lower-casing, accent stripping and
    stemming; without one, words are looked up as they are and in lower case.
    """
    columns: Mapping[str, int] = {str(name): w for w, name in enumerate(names)}
    if vectorizer is None:
        return functools.cache(lambda word: columns.get(word, columns.get(word.lower())))
    analyze = vectorizer.build_analyzer()

    @functools.cache
    def find(word: str) -> int | None:
        return next((columns[term] for term in analyze(word) if term in columns), None)

    return find


def pieces(text: str, find: FindWord, topic_of: Mapping[int, tuple[int, int]]) -> list[Piece]:
    """Split a text into [between, word, topic, probability, between, word, …, between].

    `topic_of` maps a column to its most probable topic and the probability in tenths; other words are part of the text
    between.
    """
    found: list[Piece] = []
    end = 0
    for match in re.finditer(WORDS, text):
        word = match.group()
        column = find(word)
        if column is not None and column in topic_of:
            found += [text[end : match.start()], word, *topic_of[column]]
            end = match.end()
    return [*found, text[end:]]


def shortened(text: str, max_characters: int) -> str:
    """Truncate to `max_characters`, at a blank if there is one near the end, and append an ellipsis."""
    if len(text) <= max_characters:
        return text
    head = text[:max_characters]
    blank = head.rfind(" ", max_characters - 40)
    return (head[:blank] if blank > 0 else head) + " …"
