"""ldavi."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from ldavi import LatentDirichletAllocation


def prepare(X: sparse.csr_array) -> sparse.csr_array:
    return X


def train(data: sparse.csr_array, n_topics: int, seed: int, **settings: Any) -> LatentDirichletAllocation:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some fits are stopped on purpose
        return LatentDirichletAllocation(n_topics, random_state=seed, **settings).fit(data)


def train_passes(data: sparse.csr_array, n_topics: int, seed: int, passes: int, **settings: Any) -> LatentDirichletAllocation:
    """The first passes of a fit that would make more: its warm-up is as long as if it were not stopped."""
    return train(data, n_topics, seed, tol=None, callbacks=lambda record: record.iteration >= passes, **settings)


def topics(model: LatentDirichletAllocation, n_words: int) -> np.ndarray:
    return model.topics_


def transform(model: LatentDirichletAllocation, data: sparse.csr_array) -> np.ndarray:
    return model.transform(data)
