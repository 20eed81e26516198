"""The one place that knows ldavi's private names: the E-step by itself, the instruction set it runs on, the exact bound."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ldavi import _estep
from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._inference import e_step, elbo
from ldavi._inference.e_step import update_documents
from ldavi._inference.fixed_topics import infer_documents
from ldavi._inference.m_step import topics_from
from ldavi._inference.vb_batch import Documents, PassSettings, all_words, fit_batch

NEVER = -1.0  # a tolerance that is never reached: every document does all its inner iterations
UNPRUNED = 4  # inner iterations of one E-step that are too few for active-set pruning to begin


def instruction_sets() -> list[str]:
    """Those that this build has and this machine runs, the widest first."""
    return list(_estep.instruction_sets())


@contextmanager
def instruction_set(name: str) -> Iterator[None]:
    before = _estep.instruction_set()
    _estep.use_instruction_set(name)
    try:
        yield
    finally:
        _estep.use_instruction_set(before)


def bytes_of_topics(n_words: int, n_topics: int, dtype: type) -> int:
    """λ and B of a visit."""
    return 2 * n_words * padded(n_topics) * np.dtype(dtype).itemsize


def counts_of(X: sparse.csr_array, dtype: type) -> Counts:
    n_words = X.shape[1]
    return Counts(
        X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data.astype(dtype), np.arange(n_words), n_words
    )


def padded_rows(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Word-major λ, (words, K), as the kernels read it."""
    result = aligned_zeros((len(rows), padded(rows.shape[1])), dtype)
    result[:, : rows.shape[1]] = rows
    return result


class EStep:
    """γ of documents under fixed λ, a fixed number of sweeps from γ = 1, without statistics, on one thread.

    Parameters
    ----------
    X : sparse array of shape (D, V)
    lam : array of shape (V, K)
        λ, word-major.
    dense : bool
        Whether every inner iteration runs over all topics: the E-step is then repeated in parts too short for active-set
        pruning. Otherwise most inner iterations run over the active topics only, and `elements` counts more than is computed.
    """

    def __init__(
        self, X: sparse.csr_array, lam: np.ndarray, alpha: float, sweeps: int, dtype: type, *, dense: bool = False
    ) -> None:
        n_topics = lam.shape[1]
        self.counts, words = counts_of(X, dtype).compact()
        rows = padded_rows(lam[words], dtype)
        self._workers = Workers(1)
        self._topics = topics_from(rows, lam.sum(axis=0, dtype=np.float64), self._workers, point_estimate=False)
        self._alpha, self._sweeps, self._dense = np.full(n_topics, alpha), sweeps, dense
        self.gamma = np.ones((X.shape[0], n_topics), dtype)
        self._blocks: tuple[e_step.DocumentBlock, ...] = ()
        self._sstats: np.ndarray | None = None
        self.elements = len(self.counts.indices) * n_topics * sweeps  # (word, topic, sweep)

    def __call__(self) -> None:
        n_sweeps = self._visited(visit_documents, ())
        assert (n_sweeps == self._sweeps).all(), "a document did fewer inner iterations than were counted"

    def with_bound(self) -> None:
        """The same, and what the bound needs of each document."""
        self._visited(update_documents, (), with_bound=True)

    def with_statistics(self) -> None:
        """The same, and the statistics of the last sweep."""
        if self._sstats is None:
            self._blocks = e_step.cut_blocks(self.counts, len(self._alpha))
            self._sstats = aligned_zeros(self._topics.B.shape, self._topics.B.dtype)
        self._visited(e_step.e_step, (self._sstats,), with_bound=False)

    def _visited(
        self, visit: Callable[..., _documents.Visit], sstats: tuple[np.ndarray, ...], **how: bool
    ) -> np.ndarray:
        """Inner iterations of each document."""
        self.gamma[:] = 1
        blocks = (self._blocks,) if sstats else ()
        at_once = min(UNPRUNED, self._sweeps) if self._dense else self._sweeps
        n_sweeps = np.zeros(len(self.gamma), np.int64)
        for first in range(0, self._sweeps, at_once):
            how_far = {"max_sweeps": min(at_once, self._sweeps - first), "tol": NEVER, "workers": self._workers}
            part = visit(self.counts, *blocks, self._topics, self._alpha, self.gamma, *sstats, **how_far, **how)
            n_sweeps += part.n_sweeps
        return n_sweeps


def elbo_per_token(X: sparse.csr_array, lam: np.ndarray, alpha: float, eta: float, *, sweeps: int, tol: float) -> float:
    """The exact bound at λ, of shape (K, V): every γ from a cold start until it settles, φ at its optimum, in float64."""
    counts, words = counts_of(X, np.float64).compact()
    priors = Priors(np.full(len(lam), alpha), np.full((1, 1), eta))
    rows, workers = padded_rows(lam.T[words], np.float64), Workers(1)
    topics = topics_from(rows, lam.sum(axis=1, dtype=np.float64), workers, point_estimate=False)
    documents = infer_documents(counts, topics, priors.alpha, max_inner_iter=sweeps, tol=tol, workers=workers)
    total = documents.bound.sum() + elbo.topic_term(np.ascontiguousarray(lam.T, np.float64), priors)
    return float(total / counts.doc_tokens.sum())


class Schedule(NamedTuple):
    """What a schedule of passes came to: λ, (K, V), where its bound was highest, and sweeps per document up to there."""

    lam: np.ndarray
    sweeps: float


def sklearn_schedule(
    X: sparse.csr_array, n_topics: int, seed: int, *, alpha: float, eta: float, passes: int, sweeps: int, tol: float
) -> Schedule:
    """scikit-learn's batch schedule by ldavi's kernels: its start, and each pass visits every document afresh."""
    priors = Priors(np.full(n_topics, alpha), np.full((1, 1), eta))
    start = np.random.RandomState(seed).gamma(100.0, 0.01, (n_topics, X.shape[1]))
    plan = PassSettings(warmup=passes, warmup_inner_iter=sweeps, monotone_inner_iter=0, tol=tol)
    documents = Documents(counts_of(X, np.float32), None)
    highest, made, best = -np.inf, 0.0, Schedule(start, 0.0)
    loop = fit_batch(documents, priors, padded_rows(start.T, np.float32), plan, Workers(1))
    for learned in itertools.islice(loop, passes):
        made += learned.record.sweeps
        if learned.record.elbo > highest:
            highest = learned.record.elbo
            best = Schedule(all_words(learned, X.shape[1])[:, :n_topics].T.copy(), made)
    return best


def repeated(job: Callable[[], None], times: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(times):
            job()

    return repeat
