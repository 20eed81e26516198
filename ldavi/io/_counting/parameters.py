"""Validation of the parameters of word counting."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ldavi.io._counting.stop_words import read_stop_words, stop_words_of
from ldavi.io._readers.vocabulary import read_vocabulary

WordArray = NDArray[np.object_]
StopWords = str | os.PathLike[str] | Collection[str] | None
Vocabulary = str | os.PathLike[str] | Iterable[str] | Mapping[str, int] | None


def check_texts(texts: Iterable[str]) -> Sequence[str]:
    """Return the texts as a list.

    Raises
    ------
    TypeError
        If `texts` is a single string, or contains anything but strings.
    """
    if isinstance(texts, (str, bytes)):
        raise TypeError("texts is a single string; pass a sequence of strings, one per document")
    documents: list[str] = list(texts)
    wrong = next((i for i, text in enumerate(documents) if not isinstance(text, str)), None)
    if wrong is not None:
        raise TypeError(
            f"texts[{wrong}] is of type {type(documents[wrong]).__name__}; expected str (use '' for a missing text)"
        )
    return documents


def check_ngram_range(ngram_range: tuple[int, int]) -> None:
    """Raise a ValueError unless 1 <= shortest <= longest."""
    if len(ngram_range) != 2 or not 1 <= ngram_range[0] <= ngram_range[1]:
        raise ValueError(f"ngram_range={ngram_range!r} must be (shortest, longest) with 1 <= shortest <= longest")


def check_document_frequency(name: str, value: Any) -> None:
    """Raise a ValueError unless the limit is a number of documents or a share of them."""
    is_number = isinstance(value, (int, np.integer)) and value >= 0 and not isinstance(value, bool)
    if not (is_number or (is_share(value) and 0 <= value <= 1)):
        raise ValueError(
            f"{name}={value!r} must be an int >= 0, a number of documents, or a float from 0 to 1, a share of them"
        )


def is_share(limit: Any) -> bool:
    """Return whether a limit on the document frequency is a share of the documents instead of a number."""
    return isinstance(limit, (float, np.floating))


def number_of_documents(limit: float, n_documents: int) -> float:
    """Convert a limit on the document frequency to a number of documents."""
    return float(limit * n_documents if is_share(limit) else limit)


def stop_word_set(stop_words: StopWords) -> frozenset[str]:
    """Return the stop words as a set, which is empty for None."""
    if stop_words is None:
        return frozenset()
    if isinstance(stop_words, os.PathLike):
        return frozenset(read_stop_words(stop_words))
    if isinstance(stop_words, str):
        return frozenset(ENGLISH_STOP_WORDS if stop_words == "english" else stop_words_of(stop_words))
    if not isinstance(stop_words, Collection):
        raise TypeError(f"stop_words is of type {type(stop_words).__name__}; expected 'english', a path or words")
    return frozenset(stop_words)


def vocabulary_array(vocabulary: Vocabulary) -> WordArray:
    """Return the words in the order of their columns; an empty array for None."""
    if vocabulary is None:
        return np.empty(0, dtype=object)
    if isinstance(vocabulary, (str, os.PathLike)):
        words = read_vocabulary(vocabulary).tolist()
    elif isinstance(vocabulary, Mapping):
        if sorted(vocabulary.values()) != [*range(len(vocabulary))]:
            raise ValueError("vocabulary maps words to columns; the columns must be 0, 1, …, each once")
        words = sorted(vocabulary, key=vocabulary.__getitem__)
    else:
        words = list(vocabulary)
    if not words:
        raise ValueError("vocabulary is empty; pass at least one word, or None to find the words in the texts")
    if len(set(words)) < len(words):
        repeated = next(word for i, word in enumerate(words) if word in words[:i])
        raise ValueError(f"vocabulary contains {repeated!r} twice; each word has one column")
    array = np.empty(len(words), dtype=object)
    array[:] = words
    return array
