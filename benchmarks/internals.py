"""Access to private functions of ldavi: the E-step by itself, instruction sets, the exact bound, a schedule."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ldavi import _estep
from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepSettings, Part, cut_blocks, e_step, update_documents
from ldavi._inference.fixed_topics import infer_documents
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, PassSettings
from ldavi._inference.vb_batch import BatchVB

NEVER = -1.0  # a tolerance that is never reached: every document does all its inner iterations
UNPRUNED = 4  # inner iterations of one E-step that are too few for active-set pruning to begin


def instruction_sets() -> list[str]:
    """Return the instruction sets that this build has and this machine supports, widest first."""
    return list(_estep.instruction_sets())


@contextmanager
def instruction_set(name: str) -> Iterator[None]:
    """Use an instruction set within a `with` block."""
    before = _estep.instruction_set()
    _estep.use_instruction_set(name)
    try:
        yield
    finally:
        _estep.use_instruction_set(before)


def bytes_of_topics(n_words: int, n_topics: int, dtype: type) -> int:
    """Return the size of λ and B of an E-step."""
    return 2 * n_words * padded(n_topics) * np.dtype(dtype).itemsize


def counts_of(X: sparse.csr_array, dtype: type) -> Counts:
    """Return the counts of a matrix, documents × words."""
    n_words = X.shape[1]
    return Counts(
        X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data.astype(dtype), np.arange(n_words), n_words
    )


def padded_rows(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Return word-major λ, (words, K), with the padding that the kernels require."""
    result = aligned_zeros((len(rows), padded(rows.shape[1])), dtype)
    result[:, : rows.shape[1]] = rows
    return result


class EStep:
    """A fixed number of inner iterations of all documents from γ = 1 with fixed λ, without statistics, in one thread.

    Parameters
    ----------
    X : sparse array of shape (D, V)
    lam : array of shape (V, K)
        λ, word-major.
    alpha : float
    n_inner_iter : int
        Inner iterations per document.
    dtype : type
    dense : bool
        Whether every inner iteration runs over all topics: the E-step is then repeated in parts too short for
        active-set pruning. Otherwise most inner iterations run over the active topics only, and `elements` counts more
        than is computed.
    """

    def __init__(
        self, X: sparse.csr_array, lam: np.ndarray, alpha: float, n_inner_iter: int, dtype: type, *, dense: bool = False
    ) -> None:
        n_topics = lam.shape[1]
        self.counts, words = counts_of(X, dtype).compact()
        rows = padded_rows(lam[words], dtype)
        self._workers = Workers(1)
        self._topics = topics_from(rows, lam.sum(axis=0, dtype=np.float64), self._workers, point_estimate=False)
        self._alpha, self._max_inner_iter, self._dense = np.full(n_topics, alpha), n_inner_iter, dense
        self.gamma = np.ones((X.shape[0], n_topics), dtype)
        self._part: Part | None = None
        self._sstats = aligned_zeros((0, 0), dtype)
        self.elements = len(self.counts.indices) * n_topics * n_inner_iter  # (word, topic, inner iteration)

    def __call__(self) -> None:
        n_inner_iter = sum(self._updates(with_bound=False))
        assert np.all(n_inner_iter == self._max_inner_iter), "a document did fewer inner iterations than were counted"

    def with_bound(self) -> None:
        """Do the same, and compute the sums that the bound needs of each document."""
        sum(self._updates(with_bound=True))

    def with_statistics(self) -> None:
        """Do the same, and compute the statistics of the last inner iteration."""
        if self._part is None:
            blocks = cut_blocks(self.counts, len(self._alpha))
            self._part = Part(Documents(self.counts, None), blocks, slice(None))
            self._sstats = aligned_zeros(self._topics.B.shape, self._topics.B.dtype)
        for settings in self._settings(with_bound=False):
            e_step(self._part, self._topics, self._alpha, self.gamma, self._sstats, settings, self._workers)

    def _updates(self, *, with_bound: bool) -> Iterator[np.ndarray]:
        """Update γ, and yield the inner iterations of each document in each E-step."""
        for settings in self._settings(with_bound=with_bound):
            result = update_documents(self.counts, self._topics, self._alpha, self.gamma, settings, self._workers)
            yield result.n_inner_iter

    def _settings(self, *, with_bound: bool) -> Iterator[EStepSettings]:
        """Set γ to 1 and yield the settings of each E-step."""
        self.gamma[:] = 1
        at_once = min(UNPRUNED, self._max_inner_iter) if self._dense else self._max_inner_iter
        for first in range(0, self._max_inner_iter, at_once):
            max_inner_iter = min(at_once, self._max_inner_iter - first)
            yield EStepSettings(max_inner_iter, NEVER, cold_start=False, extrapolate=False, with_bound=with_bound)


def elbo_per_token(
    X: sparse.csr_array, lam: np.ndarray, alpha: float, eta: float, *, max_inner_iter: int, tol: float
) -> float:
    """Return the exact bound per token at λ, of shape (K, V), in float64.

    Every γ converges from a cold start, in at most `max_inner_iter` inner iterations, and φ is optimal.
    """
    counts, words = counts_of(X, np.float64).compact()
    priors = Priors(np.full(len(lam), alpha), np.full((1, 1), eta))
    rows, workers = padded_rows(lam.T[words], np.float64), Workers(1)
    topics = topics_from(rows, lam.sum(axis=1, dtype=np.float64), workers, point_estimate=False)
    settings = EStepSettings(max_inner_iter, tol, extrapolate=False)
    documents = infer_documents(counts, topics, priors.alpha, settings, workers)
    total = documents.bound.sum() + elbo.topic_term(np.ascontiguousarray(lam.T, np.float64), priors)
    return float(total / counts.doc_tokens.sum())


class Schedule(NamedTuple):
    """The λ, (K, V), of a schedule at its highest bound, and the inner iterations per document until then."""

    lam: np.ndarray
    n_inner_iter: float


def sklearn_schedule(
    X: sparse.csr_array,
    n_topics: int,
    seed: int,
    *,
    alpha: float,
    eta: float,
    passes: int,
    max_inner_iter: int,
    tol: float,
) -> Schedule:
    """Run the batch schedule of scikit-learn with the kernels of ldavi: its random λ, and cold starts in every pass."""
    priors = Priors(np.full(n_topics, alpha), np.full((1, 1), eta))
    start = np.random.RandomState(seed).gamma(100.0, 0.01, (n_topics, X.shape[1]))
    phase = BatchVB(
        PassSettings(n_warmup=passes, warmup_inner_iter=max_inner_iter, monotone_inner_iter=0, tol=tol), passes
    )
    documents = phase.prepare(Documents(counts_of(X, np.float32), None))
    topics = PassResult(padded_rows(start.T, np.float32), np.arange(X.shape[1]), priors)
    highest, n_inner_iter, best = -np.inf, 0.0, Schedule(start, 0.0)
    for state, record in phase.passes(documents, phase.start(documents, priors, lambda: topics), Workers(1)):
        n_inner_iter += record.n_inner_iter
        if record.elbo > highest:
            highest = record.elbo
            best = Schedule(state.result.all_words(X.shape[1])[:, :n_topics].T.copy(), n_inner_iter)
    return best


def repeated(job: Callable[[], None], times: int) -> Callable[[], None]:
    """Return a function that calls `job` several times."""

    def repeat() -> None:
        for _ in range(times):
            job()

    return repeat
