"""Adapter of the library `lda`: collapsed Gibbs sampling."""

import logging
from typing import Any

import lda
import numpy as np
from scipy import sparse

logging.getLogger("lda").setLevel(logging.ERROR)


def prepare(X: sparse.csr_array) -> sparse.csr_matrix:
    return sparse.csr_matrix(X.astype(np.int64))


def train(data: sparse.csr_matrix, n_topics: int, seed: int, **settings: Any) -> lda.LDA:
    return lda.LDA(n_topics, random_state=seed, **settings).fit(data)


def topics(model: lda.LDA, n_words: int) -> np.ndarray:
    return model.topic_word_


def transform(model: lda.LDA, data: sparse.csr_matrix) -> np.ndarray:
    return model.transform(data)
