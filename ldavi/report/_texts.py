"""Texts cut into what lies between words and the words that the model counted."""

import re
from collections.abc import Callable, Mapping
from typing import Any

WORDS = r"\w+"

Piece = str | int
FindWord = Callable[[str], int | None]


def word_finder(names: Any, vectorizer: Any = None) -> FindWord:
    """What tells the column of a word as it stands in a text, None where the model did not count it.

    A vectorizer (scikit-learn's) is asked through its own analyzer, so that its case folding, accents and stemming hold;
    without one, words are sought as they are and in lower case.
    """
    columns: Mapping[str, int] = {str(name): w for w, name in enumerate(names)}
    if vectorizer is None:
        return lambda word: columns.get(word, columns.get(word.lower()))
    analyze = vectorizer.build_analyzer()

    def find(word: str) -> int | None:
        return next((columns[term] for term in analyze(word) if term in columns), None)

    return find


def pieces(text: str, find: FindWord, topic_of: Mapping[int, tuple[int, int]]) -> list[Piece]:
    """A text as [between, word, topic, certainty, between, word, …, between].

    `topic_of` gives the likeliest topic of a column and its probability in tenths; a word without one stays in between.
    """
    found: list[Piece] = []
    memory: dict[str, int | None] = {}
    end = 0
    for match in re.finditer(WORDS, text):
        word = match.group()
        if word not in memory:
            memory[word] = find(word)
        column = memory[word]
        if column is not None and column in topic_of:
            found += [text[end : match.start()], word, *topic_of[column]]
            end = match.end()
    return [*found, text[end:]]


def shortened(text: str, most: int) -> str:
    """At most `most` characters, cut at a blank where there is one near the end, with an ellipsis."""
    if len(text) <= most:
        return text
    head = text[:most]
    blank = head.rfind(" ", most - 40)
    return (head[:blank] if blank > 0 else head) + " …"
