"""The one place that knows ldavi's private names: the E-step by itself, and the instruction set it runs on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from scipy import sparse

from ldavi import _documents, _estep
from ldavi._documents import visit_documents
from ldavi._mstep import topics_from
from ldavi._parallel import Workers
from ldavi._state import Counts, aligned_zeros, padded

NEVER = -1.0  # a tolerance that no sweep reaches: every document makes them all


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


@contextmanager
def dense_sweeps(dense: bool) -> Iterator[None]:
    """Whether every sweep is made to run over every topic."""
    before, _documents.DENSE_SWEEPS = _documents.DENSE_SWEEPS, dense
    try:
        yield
    finally:
        _documents.DENSE_SWEEPS = before


def bytes_of_topics(n_words: int, n_topics: int, dtype: type) -> int:
    """λ and B of a visit."""
    return 2 * n_words * padded(n_topics) * np.dtype(dtype).itemsize


class EStep:
    """γ of documents under fixed λ, a fixed number of sweeps from γ = 1, without statistics, on one thread.

    Parameters
    ----------
    X : sparse array of shape (D, V)
    lam : array of shape (V, K)
        λ, word-major.
    dense : bool
        Whether every sweep is made to run over every topic. Otherwise ldavi sweeps over the topics that carry mass only, so
        that `elements` counts more than it computes.
    """

    def __init__(
        self, X: sparse.csr_array, lam: np.ndarray, alpha: float, sweeps: int, dtype: type, *, dense: bool = False
    ) -> None:
        n_words, n_topics = lam.shape
        every = Counts(
            X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data.astype(dtype), np.arange(n_words), n_words
        )
        self.counts, words = every.compact()
        rows = aligned_zeros((len(words), padded(n_topics)), dtype)
        rows[:, :n_topics] = lam[words]
        self._workers = Workers(1)
        self._topics = topics_from(rows, lam.sum(axis=0, dtype=np.float64), self._workers, point_estimate=False)
        self._alpha, self._sweeps, self._dense = np.full(n_topics, alpha), sweeps, dense
        self.gamma = np.ones((X.shape[0], n_topics), dtype)
        self.elements = len(self.counts.indices) * n_topics * sweeps  # (word, topic, sweep)

    def __call__(self) -> None:
        self.gamma[:] = 1
        with dense_sweeps(self._dense):
            visit = visit_documents(
                self.counts, self._topics, self._alpha, self.gamma, max_sweeps=self._sweeps, tol=NEVER, workers=self._workers
            )
        assert (visit.n_sweeps == self._sweeps).all(), "a document made fewer sweeps than were counted"


def repeated(job: Callable[[], None], times: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(times):
            job()

    return repeat
