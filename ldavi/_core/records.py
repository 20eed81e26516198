"""Records that all layers exchange: counts, priors, topics.

All are frozen; a new state is a new record. Arrays of topics are word-major, with a row per word, since the E-step
reads them by word: an array of shape (K, V) in the public interface has shape (U, Kp) here, where U is the number of
words that occur in the counts and Kp the number of topics, padded to whole vectors.
"""

import math
from dataclasses import InitVar, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.special import psi

from ldavi._core.prior_regression import Covariates, PriorRegression
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._estep import ALIGNMENT, PAD


def padded(n_topics: int) -> int:
    """Return Kp, the length of a row that holds n_topics entries."""
    return -(-n_topics // PAD) * PAD


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> Floats:
    """Return zeros whose first byte starts a cache line, so that no more rows than necessary cross one."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    buffer = np.zeros(size + ALIGNMENT, np.uint8)
    offset = -buffer.ctypes.data % ALIGNMENT
    return buffer[offset : offset + size].view(dtype).reshape(shape)


def aligned_copy(rows: Floats) -> Floats:
    """Return a copy in memory that is aligned as by `aligned_zeros`."""
    copied = aligned_zeros(rows.shape, rows.dtype)
    np.copyto(copied, rows)
    return copied


@dataclass(frozen=True, slots=True)
class Counts:
    """Documents × words as compressed rows; columns are renumbered to the words that occur, most frequent first.

    Attributes
    ----------
    indptr : array of shape (D + 1,)
    indices : array of shape (nnz,)
        Local word numbers, each at most once in a document, in any order.
    values : array of shape (nnz,)
        n_dw, all > 0.
    words : array of shape (U,)
        The column of X of each local word.
    n_words : int
        V, the columns of X.
    doc_tokens : array of shape (D,)
        N_d, each summed separately.
    """

    indptr: Int64s
    indices: Int32s
    values: Floats
    words: Int64s
    n_words: int
    known_tokens: InitVar[Doubles | None] = None
    doc_tokens: Doubles = field(init=False)

    def __post_init__(self, known_tokens: Doubles | None) -> None:
        object.__setattr__(self, "doc_tokens", self._row_sums() if known_tokens is None else known_tokens)

    def _row_sums(self) -> Doubles:
        sums = np.zeros(self.n_docs)
        filled = np.flatnonzero(np.diff(self.indptr))
        if len(filled):
            sums[filled] = np.add.reduceat(self.values, self.indptr[filled], dtype=np.float64)
        return sums

    @property
    def n_docs(self) -> int:
        return len(self.indptr) - 1

    @property
    def longest(self) -> int:
        """Stored counts of the longest document."""
        return int(np.diff(self.indptr).max(initial=0))

    def compact(self) -> tuple["Counts", Int64s]:
        """Return the same documents over the words that occur in them, most frequent first.

        Returns
        -------
        counts : Counts
        rows : array of shape (U,)
            The local number in `self` of each word of `counts`.
        """
        n_words = len(self.words)
        present: NDArray[np.signedinteger[Any]]
        few = len(self.indices) * 4 < n_words  # then a scan of the vocabulary would cost more
        if few:
            present, place, frequency = np.unique(self.indices, return_inverse=True, return_counts=True)
        else:
            present = np.flatnonzero(seen := np.bincount(self.indices, minlength=n_words))
            frequency = seen[present]
        order = np.argsort(-frequency, kind="stable")
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        if few:
            indices = rank[place]
        else:
            numbers = np.empty(n_words, np.int32)
            numbers[present] = rank
            indices = numbers[self.indices]
        rows = present[order].astype(np.int64)
        words = self.words[rows]
        return Counts(self.indptr, indices, self.values, words, self.n_words, self.doc_tokens), rows

    def documents(self, start: int, stop: int) -> "Counts":
        """Return the documents [start, stop) with the same numbers of words."""
        first, last = self.indptr[start], self.indptr[stop]
        indptr = self.indptr[start : stop + 1] - first
        tokens = self.doc_tokens[start:stop]
        return Counts(indptr, self.indices[first:last], self.values[first:last], self.words, self.n_words, tokens)


@dataclass(frozen=True, slots=True)
class Priors:
    """The Dirichlet priors α and η, η word-major.

    Attributes
    ----------
    alpha : array of shape (K,)
    eta : array of shape (1, 1), (V, 1) or (V, K)
        All > 0; or the single value 0, which means that β is a point estimate.
    regression : PriorRegression or None
        α as a function of the covariates of a document; `alpha` is then that of documents without covariates.
    """

    alpha: Doubles
    eta: Doubles
    regression: PriorRegression | None = None

    @property
    def n_topics(self) -> int:
        return len(self.alpha)

    def alpha_of(self, covariates: Covariates | None) -> Doubles:
        """Return α of documents: of shape (K,), or of shape (D, K) if it depends on their covariates."""
        if self.regression is None or covariates is None:
            return self.alpha
        return self.regression.alpha_of(covariates)

    def to_arrays(self) -> dict[str, Doubles]:
        """Return the priors as arrays; `ldavi._core.saved_arrays.checked_priors` reads them."""
        arrays = {"alpha": self.alpha, "eta": self.eta}
        return arrays if self.regression is None else {**arrays, "coef": self.regression.coef}

    @property
    def point_estimate(self) -> bool:
        """Whether β is a point estimate, equation (10.6), instead of a Dirichlet posterior."""
        return self.eta.size == 1 and float(self.eta[0, 0]) == 0.0

    def eta_rows(self, words: Int64s) -> Doubles:
        """Return η of the given columns of X, of shape (1, 1), (U, 1) or (U, K)."""
        return self.eta if self.eta.shape[0] == 1 else self.eta[words]

    def eta_totals(self, n_words: int) -> Doubles:
        """Return Σ_w η_kw over all words, of shape (K,)."""
        totals = self.eta.sum(axis=0) * (n_words if self.eta.shape[0] == 1 else 1)
        return np.broadcast_to(totals, (self.n_topics,)).copy()

    def eta_sums(self, words: Int64s) -> Doubles:
        """Return Σ_w η_kw over the given columns of X, of shape (K,)."""
        return Priors(self.alpha, self.eta_rows(words)).eta_totals(len(words))


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics in the form that the E-step reads. Equation (11.1).

    Attributes
    ----------
    rows : array of shape (U, Kp)
        λ; for point estimates β.
    B : array of shape (U, Kp)
        exp(E[log β]) without the factor of each topic, the row of each word divided by its maximum.
    log_scale : array of shape (U,)
        m_w, the logarithm of the maximum by which the row of each word was divided.
    log_norm : array of shape (K,)
        ψ(Λ_k) of E[log β_kw] = ψ(λ_kw) − ψ(Λ_k); 0 for point estimates.
    point_estimate : bool
    digamma_offset : float
        δ: ψ(· + δ) replaces ψ in B, in log_norm and in the factors of documents; 0 after the warm-up. See section 15.
    """

    rows: Floats
    B: Floats
    log_scale: Doubles
    log_norm: Doubles
    point_estimate: bool
    digamma_offset: float = 0.0

    @property
    def n_topics(self) -> int:
        return len(self.log_norm)

    @property
    def topic_weight(self) -> Floats:
        """Return v_k = exp(min ψ(Λ) − ψ(Λ_k)), of shape (Kp,), 0 in the padding."""
        weight = aligned_zeros((self.B.shape[1],), self.B.dtype)
        weight[: self.n_topics] = np.exp(self.log_norm.min() - self.log_norm)
        return weight

    def expected_log(self, words: Int32s | Int64s) -> Doubles:
        """Return E[log β] of the given local words, of shape (words, K); −∞ where a point estimate is 0."""
        rows = self.rows[words, : self.n_topics].astype(np.float64)
        with np.errstate(divide="ignore"):
            elog: Doubles = np.log(rows) if self.point_estimate else psi(rows + self.digamma_offset) - self.log_norm
        return elog
