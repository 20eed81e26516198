"""Topics in shards of words, in the compact form that is sent to other processes.

Equation numbers refer to docs/math.md.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import psi

from ldavi._core.chunks import chunks
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference.m_step import topics_from, word_ranges

ROWS_AT_ONCE = 2**12
N_SHARDS = 2  # with four, a pass would consist of ten tasks per part


class CorpusLayout(NamedTuple):
    """The words of a corpus and their prior, which all parts share in every pass.

    Attributes
    ----------
    words : array of shape (U,)
        The columns of X that occur, most frequent first; each is a row of the topics.
    n_words : int
        V, the columns of X.
    eta : array of shape (1, 1), (V, 1) or (V, K)
        As in `Priors`; if it is learned, its first value.
    """

    words: Int64s
    n_words: int
    eta: Doubles

    @property
    def shards(self) -> list[list[tuple[int, int]]]:
        """The rows of the topics in shards, each as the ranges that an M-step divides them into."""
        ranges = word_ranges(len(self.words))
        if self.point_estimate or len(ranges) < N_SHARDS:  # point estimates need the sums of all words first
            return [ranges]
        cuts = [len(ranges) * i // N_SHARDS for i in range(N_SHARDS + 1)]
        return [ranges[first:last] for first, last in itertools.pairwise(cuts)]

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The first row of each shard and the first row after it."""
        return [(ranges[0][0], ranges[-1][1]) if ranges else (0, 0) for ranges in self.shards]

    @property
    def point_estimate(self) -> bool:
        return self.eta.size == 1 and float(self.eta[0, 0]) == 0.0

    def counts(self, dtype: DTypeLike) -> Counts:
        """Return counts of no documents over these words."""
        return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, dtype), self.words, self.n_words)


class CompactPriors(NamedTuple):
    """Priors in the form that is sent.

    Attributes
    ----------
    alpha : array of shape (K,)
    eta : array of shape (1, 1) or (0, 0)
        η if it is one number; otherwise that of the `CorpusLayout` is used.
    gain : float
        The increase of the document term of the bound when they were learned.
    """

    alpha: Doubles
    eta: Doubles
    gain: float = 0.0

    def priors(self, layout: CorpusLayout) -> Priors:
        return Priors(self.alpha, self.eta if self.eta.size else layout.eta)


class ShardSums(NamedTuple):
    """Sums of the M-step of a shard and of the local steps before it; see `RowSums` and `SufficientStatistics`.

    Attributes
    ----------
    terms : array of shape (ranges, 3)
    totals : array of shape (ranges, K)
        For initial topics, the first shard has the total of all shards in one row.
    absent : array of shape (K,)
        Σ η over the words that do not occur.
    word, doc_topic, n_inner_iter
        Summed over all documents.
    """

    terms: Doubles
    totals: Doubles
    absent: Doubles
    word: float = 0.0
    doc_topic: float = 0.0
    n_inner_iter: int = 0


class ShardTopics(NamedTuple):
    """The topics of a shard as a local step needs them, in few bytes: without padding.

    Attributes
    ----------
    B : array of shape (rows, K) or None
        As in `Topics`; None if it underflows somewhere, so that λ is needed.
    log_scale : array of shape (rows,) or None
        As in `Topics`.
    lam : array of shape (rows, K) or None
        λ if B is None.
    sums : ShardSums
    point_estimate : bool
    digamma_offset : float
        As in `Topics`.
    """

    B: Floats | None
    log_scale: Doubles | None
    lam: Floats | None
    sums: ShardSums
    point_estimate: bool
    digamma_offset: float


def totals_of(sums: Sequence[ShardSums]) -> Doubles:
    """Return Λ_k, from the sums of all shards in order."""
    totals: Doubles = np.concatenate([each.totals for each in sums]).sum(axis=0) + sums[0].absent
    return totals


def topics_at(shards: Sequence[ShardTopics], rows: Int64s, workers: Workers) -> Topics:
    """Return the topics of some rows, ascending, in memory of their own."""
    totals, first = totals_of([shard.sums for shard in shards]), shards[0]
    if not first.point_estimate:
        log_norm: Doubles = psi(totals + first.digamma_offset)
    else:
        log_norm = np.zeros(len(totals))
    dtype = next(array.dtype for array in (first.B, first.lam) if array is not None)
    B, log_scale = aligned_zeros((len(rows), padded(len(totals))), dtype), np.zeros(len(rows))
    known = aligned_zeros(B.shape if any(shard.B is None for shard in shards) else (0, B.shape[1]), dtype)
    begin = 0
    for shard in shards:
        array = shard.B if shard.B is not None else shard.lam
        assert array is not None
        at = slice(*np.searchsorted(rows, [begin, begin + len(array)]))
        own, begin = rows[at] - begin, begin + len(array)
        if shard.B is not None and shard.log_scale is not None:
            _take(shard.B, own, B[at])
            log_scale[at] = shard.log_scale[own]
            continue
        _take(array, own, known[at])
        exact = topics_from(known[at], totals, workers, point_estimate=False, digamma_offset=shard.digamma_offset)
        B[at], log_scale[at] = exact.B, exact.log_scale
    return _TopicsFromShards(known, B, log_scale, log_norm, first.point_estimate, first.digamma_offset)


class _TopicsFromShards(Topics):
    """Topics with B but without λ; `rows` has λ where it was sent, is 0 elsewhere, and empty if it was sent nowhere."""

    __slots__ = ()

    def expected_log(self, words: Int32s | Int64s) -> Doubles:
        """Return E[log β] from its exponential: as exact as B, which has no subnormal entries unless λ was sent."""
        K = self.n_topics
        with np.errstate(divide="ignore"):
            log_b = np.log(self.B[words, :K].astype(np.float64))
        elog: Doubles = log_b + self.log_scale[words, None] - self.log_norm
        if len(self.rows):
            lam = self.rows[words, :K].astype(np.float64)
            sent = lam[:, 0] > 0
            elog[sent] = psi(lam[sent] + self.digamma_offset) - self.log_norm
        return elog


def compact_priors(priors: Priors, gain: float = 0.0) -> CompactPriors:
    """Return priors in the form that is sent; an η with many values is part of the layout."""
    return CompactPriors(priors.alpha, priors.eta if priors.eta.size == 1 else np.zeros((0, 0)), gain)


def shard_sums_of(topics: ShardTopics) -> ShardSums:
    """Return the sums of a shard."""
    return topics.sums


def shard_topics_from(topics: Topics, sums: ShardSums) -> ShardTopics:
    """Return the topics of a shard in the form that is sent."""
    K = topics.n_topics
    B = np.ascontiguousarray(topics.B[:, :K])
    if not topics.point_estimate and B.min(initial=1) < np.finfo(B.dtype).tiny:
        return ShardTopics(None, None, np.ascontiguousarray(topics.rows[:, :K]), sums, False, topics.digamma_offset)
    return ShardTopics(B, topics.log_scale.copy(), None, sums, topics.point_estimate, topics.digamma_offset)


def _take(source: Floats, rows: Int64s, into: Floats) -> None:
    """Copy some rows into padded ones, as the compiled modules expect them."""
    K = source.shape[1]
    for at in chunks(len(rows), ROWS_AT_ONCE):
        into[at, :K] = source[rows[at]]
