"""Tiny corpora, and conversions between the public layout, (K, V) in float64, and the records of the engines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._inference.e_step import EStepResult, EStepSettings, Part, cut_blocks, e_step
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, Phase
from ldavi._inference.trace import TraceRecord

Array = npt.NDArray[Any]


def random_counts(seed: int, n_docs: int = 12, n_words: int = 30, mean: float = 1.0) -> Array:
    """Return Poisson counts, (D, V). Document 1 is empty, document 2 has a single word, the last column is zero."""
    X = np.random.default_rng(seed).poisson(mean, (n_docs, n_words)).astype(np.float64)
    X[:, -1] = 0
    if n_docs > 2:
        X[1] = 0
        X[2] = 0
        X[2, 0] = 3
    return X


def topical_counts(seed: int, n_docs: int = 20, n_words: int = 25, n_topics: int = 3, length: int = 30) -> Array:
    """Return documents drawn from the LDA model, (D, V)."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_words, 0.1), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.3), n_docs)
    return np.array([rng.multinomial(length, p / p.sum()) for p in theta @ beta], dtype=np.float64)


def staircase_counts(n_words: int = 40) -> Array:
    """Return documents of 0 to 20 distinct words: fewer than, equal to and more than the lengths of SIMD vectors."""
    X = np.zeros((21, n_words))
    rng = np.random.default_rng(5)
    for i in range(len(X)):
        X[i, rng.choice(n_words - 1, i, replace=False)] = rng.integers(1, 9, i)
    return X


def random_lam(seed: int, n_topics: int, n_words: int) -> Array:
    """Return random λ to start from, (K, V), exact in float32."""
    lam = np.random.default_rng([seed, 1]).gamma(0.7, 2.0, (n_topics, n_words)) + 0.05
    return lam.astype(np.float32).astype(np.float64)


def random_alpha(seed: int, n_topics: int) -> Array:
    """Return an asymmetric α, (K,), exact in float32."""
    return np.random.default_rng([seed, 2]).uniform(0.05, 1.0, n_topics).astype(np.float32).astype(np.float64)


def to_counts(X: Array, dtype: npt.DTypeLike = np.float64) -> Counts:
    """Return the counts of a dense matrix, with every column as a word."""
    csr = sparse.csr_array(X)
    csr.sort_indices()
    indptr, indices = csr.indptr.astype(np.int64), csr.indices.astype(np.int32)
    return Counts(indptr, indices, csr.data.astype(dtype), np.arange(X.shape[1]), X.shape[1])


def word_major(lam: Array, dtype: npt.DTypeLike = np.float64) -> Array:
    """Return λ of shape (K, V) as a padded array of shape (V, Kp)."""
    rows = aligned_zeros((lam.shape[1], padded(len(lam))), dtype)
    rows[:, : len(lam)] = lam.T
    return rows


def make_priors(alpha: Array, eta: npt.ArrayLike) -> Priors:
    """Return priors from η of shape (), (V,) or (K, V), which becomes word-major."""
    eta = np.asarray(eta, dtype=np.float64)
    return Priors(
        np.asarray(alpha, dtype=np.float64), np.ascontiguousarray(eta.T) if eta.ndim == 2 else eta.reshape(-1, 1)
    )


def make_topics(
    lam: Array, words: Array, dtype: npt.DTypeLike, workers: Workers, *, point_estimate: bool = False
) -> Topics:
    """Return the topics of some words of λ, (K, V); of expected counts for point estimates."""
    rows = np.ascontiguousarray(word_major(lam, dtype)[words])
    return topics_from(rows, lam.sum(axis=1), workers, point_estimate=point_estimate)


class EStep(NamedTuple):
    """The result of the compiled E-step, with statistics as (K, V)."""

    gamma: Array
    sstats: Array
    result: EStepResult
    counts: Counts
    topics: Topics
    rows: Array  # the statistics as the M-step reads them


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
    """Run the compiled E-step on a dense corpus from the given γ, without extrapolation."""
    counts, words = to_counts(X, dtype).compact()
    topics = make_topics(lam, words, dtype, workers, point_estimate=point_estimate)
    gamma = np.array(gamma, dtype=dtype, order="C")
    rows = aligned_zeros(topics.B.shape, dtype)
    documents = Documents(counts, None if weight is None else weight.astype(dtype))
    settings = EStepSettings(max_inner_iter, tol, cold_start=False, extrapolate=False)
    part = Part(documents, cut_blocks(counts, len(lam)), slice(None))
    result = e_step(part, topics, alpha, gamma, rows, settings, workers)
    sstats = np.zeros(lam.shape)
    sstats[:, words] = rows[:, : len(lam)].T
    return EStep(gamma, sstats, result, counts, topics, rows)


class Pass(NamedTuple):
    """A pass of an engine: its result, with memory of its own, and its record."""

    result: PassResult
    record: TraceRecord


def passes_of(
    phase: Phase[Any, Any],
    documents: Documents,
    priors: Priors,
    lam: Array | None,
    workers: Workers,
    n_passes: int | None = None,
) -> list[Pass]:
    """Return the first passes of a phase from λ, (V, Kp); all of them if `n_passes` is None."""
    return list(itertools.islice(iterate_passes(phase, documents, priors, lam, workers), n_passes))


def iterate_passes(
    phase: Phase[Any, Any], documents: Documents, priors: Priors, lam: Array | None, workers: Workers
) -> Iterator[Pass]:
    """Yield the passes of a phase from λ, (V, Kp); λ may be None for a phase that reads no topics."""

    def initial() -> PassResult:
        assert lam is not None
        return PassResult(lam, np.arange(len(lam)), priors)

    prepared = phase.prepare(documents)
    with closing(phase.passes(prepared, phase.start(prepared, priors, initial), workers)) as passes:
        for state, record in passes:
            if record is not None:
                yield Pass(state.result._replace(lam=state.result.lam.copy()), record)


def lambda_of(result: PassResult, n_words: int) -> Array:
    """Return λ of all words as (K, V)."""
    return result.all_words(n_words)[:, : result.priors.n_topics].T.copy()
