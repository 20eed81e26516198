"""Adapter of topica's `LDA`: its sparse and Warp samplers and its CVB0."""

from typing import Any

import numpy as np
import topica
from scipy import sparse

from benchmarks.adapters import in_column_order, token_lists


def prepare(X: sparse.csr_array) -> topica.Corpus:
    return topica.Corpus.from_documents(token_lists(X))


def train(
    data: topica.Corpus, n_topics: int, seed: int, iterations: int, alpha: float | None = None, **settings: Any
) -> topica.LDA:
    if alpha is not None:
        settings["alpha_sum"] = alpha * n_topics
    model = topica.LDA(n_topics, seed=seed, num_threads=1, **settings)
    model.fit(data, iters=iterations, progress=False)
    return model


def topics(model: topica.LDA, n_words: int) -> np.ndarray:
    """Return the topics; topica averages samples of counts that it does not expose, so `unseen` is omitted."""
    return in_column_order(np.asarray(model.topic_word), list(model.vocabulary), n_words)


def transform(model: topica.LDA, data: topica.Corpus) -> np.ndarray:
    return np.asarray(model.transform(data))
