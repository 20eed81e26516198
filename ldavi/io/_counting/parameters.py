"""Parameters of counting, checked and in one form each."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ldavi.io._readers.vocabulary import read_vocabulary

Words = NDArray[np.object_]


def checked_texts(texts: Any) -> Sequence[str]:
    """Texts as a list.

    Raises
    ------
    TypeError
        If there is one string, or something else than strings.
    """
    if isinstance(texts, (str, bytes)):
        raise TypeError("texts is one string; pass a sequence of strings, a document each")
    documents: list[str] = list(texts)
    wrong = next((i for i, text in enumerate(documents) if not isinstance(text, str)), None)
    if wrong is not None:
        raise TypeError(
            f"text {wrong} is of type {type(documents[wrong]).__name__}; expected str (a missing text is '')"
        )
    return documents


def check_range(ngram_range: tuple[int, int]) -> None:
    """Refuse lengths of runs that are none."""
    if len(ngram_range) != 2 or not 1 <= ngram_range[0] <= ngram_range[1]:
        raise ValueError(f"ngram_range={ngram_range!r} must be (shortest, longest) with 1 <= shortest <= longest")


def check_share(name: str, value: Any) -> None:
    """Refuse what is neither a number of documents nor a share of them."""
    is_number = isinstance(value, (int, np.integer)) and value >= 0 and not isinstance(value, bool)
    is_share = isinstance(value, (float, np.floating)) and 0 <= value <= 1
    if not (is_number or is_share):
        raise ValueError(
            f"{name}={value!r} must be an int >= 0, a number of documents, or a float from 0 to 1, a share of them"
        )


def is_share(limit: Any) -> bool:
    """Whether a limit on the documents of a word is a share of them, and not a number."""
    return isinstance(limit, (float, np.floating))


def documents(limit: Any, n_documents: int) -> float:
    """A limit on the documents of a word as their number."""
    return float(limit * n_documents if is_share(limit) else limit)


def words_to_leave_out(stop_words: Any) -> frozenset[str]:
    """Stop words as a set; none for None."""
    if stop_words is None:
        return frozenset()
    if isinstance(stop_words, os.PathLike):
        return frozenset(read_vocabulary(stop_words).tolist())
    if isinstance(stop_words, str):
        if stop_words != "english":
            raise ValueError(
                f"stop_words={stop_words!r} must be 'english', a pathlib.Path, a collection of words or None"
            )
        return frozenset(ENGLISH_STOP_WORDS)
    if not isinstance(stop_words, Collection):
        raise TypeError(f"stop_words is of type {type(stop_words).__name__}; expected 'english', a path or words")
    return frozenset(stop_words)


def words_to_count(vocabulary: Any) -> Words:
    """The words in the order of their columns; none yet for None."""
    if vocabulary is None:
        return np.empty(0, dtype=object)
    if isinstance(vocabulary, (str, os.PathLike)):
        vocabulary = read_vocabulary(vocabulary)
    elif isinstance(vocabulary, Mapping):
        if sorted(vocabulary.values()) != [*range(len(vocabulary))]:
            raise ValueError("vocabulary maps words to columns; the columns must be 0, 1, … each once")
        vocabulary = sorted(vocabulary, key=vocabulary.__getitem__)
    words = list(vocabulary)
    if not words or len(set(words)) < len(words):
        repeated = next((word for i, word in enumerate(words) if word in words[:i]), None)
        raise ValueError(
            "vocabulary is empty" if not words else f"vocabulary holds {repeated!r} twice; each word has one column"
        )
    array = np.empty(len(words), dtype=object)
    array[:] = words
    return array
