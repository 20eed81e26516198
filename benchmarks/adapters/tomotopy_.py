"""Adapter of tomotopy: collapsed Gibbs sampling."""

from typing import Any

import numpy as np
import tomotopy
from scipy import sparse

from benchmarks.adapters import in_column_order, token_lists


def prepare(X: sparse.csr_array) -> list[list[str]]:
    return token_lists(X)


def train(data: list[list[str]], n_topics: int, seed: int, iterations: int, **settings: Any) -> tomotopy.LDAModel:
    model = tomotopy.LDAModel(k=n_topics, seed=seed, **settings)
    for document in data:
        model.add_doc(document)
    model.train(iterations, workers=1)
    return model


def topics(model: tomotopy.LDAModel, n_words: int) -> np.ndarray:
    rows = np.stack([model.get_topic_word_dist(k) for k in range(model.k)])
    return in_column_order(rows, list(model.used_vocabs), n_words, unseen=unseen_probability(model))


def unseen_probability(model: tomotopy.LDAModel) -> np.ndarray:
    """Return η / (n_k + V η), the probability of a word without counts in each topic, on the scale of its rows."""
    return model.eta / (np.asarray(model.get_count_by_topics(), float) + len(model.used_vocabs) * model.eta)


def new_documents(model: tomotopy.LDAModel, data: list[list[str]]) -> list[Any]:
    """Return documents for one call of `infer`, which changes them."""
    return [model.make_doc(document) for document in data]


def infer(model: tomotopy.LDAModel, documents: list[Any], iterations: int = 100) -> np.ndarray:
    return np.array(model.infer(documents, iterations=iterations, workers=1)[0])


def transform(model: tomotopy.LDAModel, data: list[list[str]]) -> np.ndarray:
    return infer(model, new_documents(model, data))
