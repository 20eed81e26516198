"""Tiny corpora and the plumbing between the public layout, (K, V) float64, and the records of the compiled floor."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._inference.e_step import EStepResult, cut_blocks, e_step
from ldavi._inference.m_step import topics_from

Array = npt.NDArray[Any]


def random_counts(seed: int, n_docs: int = 12, n_words: int = 30, mean: float = 1.0) -> Array:
    """Poisson counts, (D, V). Document 1 is empty, document 2 holds one word, the last column is zero."""
    X = np.random.default_rng(seed).poisson(mean, (n_docs, n_words)).astype(np.float64)
    X[:, -1] = 0
    if n_docs > 2:
        X[1] = 0
        X[2] = 0
        X[2, 0] = 3
    return X


def topical_counts(seed: int, n_docs: int = 20, n_words: int = 25, n_topics: int = 3, length: int = 30) -> Array:
    """Documents drawn from the model itself, (D, V)."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_words, 0.1), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.3), n_docs)
    return np.array([rng.multinomial(length, p / p.sum()) for p in theta @ beta], dtype=np.float64)


def staircase_counts(n_words: int = 40) -> Array:
    """Document i holds i different words, i = 0 .. 20: below, at and above every group of eight."""
    X = np.zeros((21, n_words))
    rng = np.random.default_rng(5)
    for i in range(len(X)):
        X[i, rng.choice(n_words - 1, i, replace=False)] = rng.integers(1, 9, i)
    return X


def random_lam(seed: int, n_topics: int, n_words: int) -> Array:
    """Topics to start from, (K, V), exact in float32."""
    lam = np.random.default_rng([seed, 1]).gamma(0.7, 2.0, (n_topics, n_words)) + 0.05
    return lam.astype(np.float32).astype(np.float64)


def random_alpha(seed: int, n_topics: int) -> Array:
    """An asymmetric prior, (K,), exact in float32."""
    return np.random.default_rng([seed, 2]).uniform(0.05, 1.0, n_topics).astype(np.float32).astype(np.float64)


def to_counts(X: Array, dtype: npt.DTypeLike = np.float64) -> Counts:
    """The record of a dense matrix, every column a word."""
    csr = sparse.csr_array(X)
    csr.sort_indices()
    indptr, indices = csr.indptr.astype(np.int64), csr.indices.astype(np.int32)
    return Counts(indptr, indices, csr.data.astype(dtype), np.arange(X.shape[1]), X.shape[1])


def word_major(lam: Array, dtype: npt.DTypeLike = np.float64) -> Array:
    """(K, V) to the padded (V, Kp)."""
    rows = aligned_zeros((lam.shape[1], padded(len(lam))), dtype)
    rows[:, : len(lam)] = lam.T
    return rows


def make_priors(alpha: Array, eta: npt.ArrayLike) -> Priors:
    """η as (), (V,) or (K, V) to its word-major form."""
    eta = np.asarray(eta, dtype=np.float64)
    return Priors(
        np.asarray(alpha, dtype=np.float64), np.ascontiguousarray(eta.T) if eta.ndim == 2 else eta.reshape(-1, 1)
    )


def make_topics(
    lam: Array, words: Array, dtype: npt.DTypeLike, workers: Workers, *, point_estimate: bool = False
) -> Topics:
    """Topics of some words of λ, (K, V); of expected counts for point estimates."""
    rows = np.ascontiguousarray(word_major(lam, dtype)[words])
    return topics_from(rows, lam.sum(axis=1), workers, point_estimate=point_estimate)


class EStep(NamedTuple):
    """What the compiled E-step gave, statistics as (K, V)."""

    gamma: Array
    sstats: Array
    visit: EStepResult
    counts: Counts
    topics: Topics
    rows: Array  # the statistics as the M-step wants them


def run_estep(
    X: Array,
    lam: Array,
    alpha: Array,
    gamma: Array,
    dtype: npt.DTypeLike,
    workers: Workers,
    *,
    max_inner_iter: int,
    tol: float = 0.0,
    weight: Array | None = None,
    point_estimate: bool = False,
) -> EStep:
    """The compiled E-step of a dense corpus, as the loops call it."""
    counts, words = to_counts(X, dtype).compact()
    topics = make_topics(lam, words, dtype, workers, point_estimate=point_estimate)
    gamma = np.array(gamma, dtype=dtype, order="C")
    rows = aligned_zeros(topics.B.shape, dtype)
    visit = e_step(
        counts,
        cut_blocks(counts, len(lam)),
        topics,
        alpha,
        gamma,
        rows,
        max_inner_iter=max_inner_iter,
        tol=tol,
        workers=workers,
        doc_weight=None if weight is None else weight.astype(dtype),
    )
    sstats = np.zeros(lam.shape)
    sstats[:, words] = rows[:, : len(lam)].T
    return EStep(gamma, sstats, visit, counts, topics, rows)
