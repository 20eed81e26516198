"""Adapter of gensim's `LdaModel`, without its periodic evaluation."""

import itertools
import logging
from typing import Any, NamedTuple

import numpy as np
from gensim.models import LdaModel
from scipy import sparse

logging.getLogger("gensim").setLevel(logging.ERROR)


class Bags(NamedTuple):
    """Documents as lists of (word, count), and a name for each word."""

    documents: list[list[tuple[int, int]]]
    names: dict[int, str]


def prepare(X: sparse.csr_array) -> Bags:
    pairs = list(zip(X.indices.tolist(), X.data.tolist(), strict=True))
    documents = [pairs[first:last] for first, last in itertools.pairwise(X.indptr)]
    return Bags(documents, {column: str(column) for column in range(X.shape[1])})


def train(data: Bags, n_topics: int, seed: int, **settings: Any) -> LdaModel:
    return LdaModel(data.documents, n_topics, data.names, random_state=seed, eval_every=None, **settings)


def topics(model: LdaModel, n_words: int) -> np.ndarray:
    return model.get_topics()


def transform(model: LdaModel, data: Bags) -> np.ndarray:
    gamma = model.inference(data.documents)[0]
    return gamma / gamma.sum(axis=1, keepdims=True)
