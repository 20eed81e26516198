"""One adapter per library, all with the same few functions.

    prepare(X)                                 documents in the library's own form; never timed
    train(data, n_topics, seed, **settings)    the fitted model, on one thread; this is what is timed
    topics(model, n_words)                     (K, n_words), rows in any scale
    transform(model, data)                     topic proportions (n, K), where the library has a call for it

The trailing underscore of the modules' names keeps them apart from the libraries that they import.
"""

import importlib
import itertools
from types import ModuleType
from typing import Any

import numpy as np

LIBRARIES = ("ldavi_", "sklearn_", "gensim_", "tomotopy_", "topica_", "lda_")
UNSEEN = 1e-9  # probability of a word that a library dropped since it did not occur


def load(library: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.adapters.{library}")


def fit(library: str, data: Any, n_words: int, n_topics: int, seed: int, **settings: Any) -> np.ndarray:
    """Topics of `load(library).prepare(X)`."""
    adapter = load(library)
    return adapter.topics(adapter.train(data, n_topics, seed, **settings), n_words)


def placed(rows: np.ndarray, vocabulary: list[str], n_words: int) -> np.ndarray:
    """Topics over a library's own order of words, put in the order of X's columns."""
    topics = np.full((len(rows), n_words), UNSEEN)
    topics[:, [int(word) for word in vocabulary]] = rows
    return topics


def token_lists(X: Any) -> list[list[str]]:
    """Documents as lists of words, a word being the number of its column, for the libraries that take text."""
    names = np.array([str(column) for column in range(X.shape[1])], dtype=object)
    tokens = names[np.repeat(X.indices, X.data)]
    starts = np.concatenate([[0], np.cumsum(X.sum(axis=1))]).astype(int)
    return [tokens[first:last].tolist() for first, last in itertools.pairwise(starts)]
