"""One adapter per library, all with the same functions.

    prepare(X)                                 convert documents to the library's own format; not timed
    train(data, n_topics, seed, **settings)    fit a model on one thread; this is the timed call
    topics(model, n_words)                     return the topics, (K, n_words), not necessarily normalised
    transform(model, data)                     return topic proportions, (n, K), if the library can infer them

The trailing underscore distinguishes a module from the library that it imports.
"""

import importlib
import itertools
from types import ModuleType
from typing import Any

import numpy as np

LIBRARIES = ("ldavi_", "sklearn_", "gensim_", "tomotopy_", "topica_", "lda_")


def load(library: str) -> ModuleType:
    """Import the adapter of a library."""
    return importlib.import_module(f"benchmarks.adapters.{library}")


def fit(library: str, data: Any, n_words: int, n_topics: int, seed: int, **settings: Any) -> np.ndarray:
    """Fit a library to `data`, which its `prepare` returned, and return the topics, (K, V)."""
    adapter = load(library)
    return adapter.topics(adapter.train(data, n_topics, seed, **settings), n_words)


def in_column_order(
    rows: np.ndarray, vocabulary: list[str], n_words: int, *, unseen: np.ndarray | None = None
) -> np.ndarray:
    """Reorder topics from a library's own order of words to the order of X's columns.

    A library that takes text does not know the words that no training document contains. Every topic gives such a word
    the probability that the library's own smoothing gives a word without counts: `unseen`, (K,). By default, it is the
    smallest probability of the topic, which is that value if the topic has no counts of some word of the vocabulary.
    """
    missing = rows.min(axis=1) if unseen is None else unseen
    topics = np.repeat(np.asarray(missing, np.float64)[:, None], n_words, axis=1)
    topics[:, [int(word) for word in vocabulary]] = rows
    return topics


def token_lists(X: Any) -> list[list[str]]:
    """Return documents as lists of words for libraries that take text; a word is the index of its column."""
    names = np.array([str(column) for column in range(X.shape[1])], dtype=object)
    tokens = names[np.repeat(X.indices, X.data)]
    starts = np.concatenate([[0], np.cumsum(X.sum(axis=1))]).astype(int)
    return [tokens[first:last].tolist() for first, last in itertools.pairwise(starts)]
