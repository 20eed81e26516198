"""Topics on their way to other processes: cut into shards of words, and no more of them than a visit needs.

Equation numbers refer to docs/math.md.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import psi

from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference.m_step import topics_from, word_ranges

ROWS_AT_ONCE = 2**12
SHARDS = 2  # of the words: with four, a pass would be ten tasks per part


class CorpusLayout(NamedTuple):
    """What the parts have in common, from the first pass to the last.

    Attributes
    ----------
    words : array of shape (U,)
        The columns of X that occur, the most frequent first: a row of the topics each.
    n_words : int
        V, the columns of X.
    eta : array of shape (1, 1), (V, 1) or (V, K)
        As in `Priors`; where it is learned, as it was at the start.
    """

    words: Int64s
    n_words: int
    eta: Doubles

    @property
    def shards(self) -> list[list[tuple[int, int]]]:
        """Rows of the topics in shards, each as the ranges that the M-step cuts them in."""
        ranges = word_ranges(len(self.words))
        if self.point_estimate or len(ranges) < SHARDS:  # point estimates need the sums of all words first
            return [ranges]
        cuts = [len(ranges) * i // SHARDS for i in range(SHARDS + 1)]
        return [ranges[first:last] for first, last in itertools.pairwise(cuts)]

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The first row of each shard, and the first beyond it."""
        return [(ranges[0][0], ranges[-1][1]) if ranges else (0, 0) for ranges in self.shards]

    @property
    def point_estimate(self) -> bool:
        return self.eta.size == 1 and float(self.eta[0, 0]) == 0.0

    def counts(self, dtype: DTypeLike) -> Counts:
        """A record of no documents over these words."""
        return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, dtype), self.words, self.n_words)


class CompactPriors(NamedTuple):
    """Priors as they travel.

    Attributes
    ----------
    alpha : array of shape (K,)
    eta : array of shape (1, 1) or (0, 0)
        η if it is one number; else it is that of the `Ground`.
    gain : float
        By how much the documents' term of the bound rose when they were learned.
    """

    alpha: Doubles
    eta: Doubles
    gain: float = 0.0

    def priors(self, ground: CorpusLayout) -> Priors:
        return Priors(self.alpha, self.eta if self.eta.size else ground.eta)


class ShardSums(NamedTuple):
    """What renewing a shard summed on its way, and what the visits before it reported; see `RowSums` and `Gathered`.

    Attributes
    ----------
    terms : array of shape (ranges, 3)
    totals : array of shape (ranges, K)
        Of the first fields one row, of the first shard, has it all.
    absent : array of shape (K,)
        Σ η over the words that do not occur.
    word, doc_topic, sweeps
        Of the documents that the shard's statistics are from.
    """

    terms: Doubles
    totals: Doubles
    absent: Doubles
    word: float = 0.0
    doc_topic: float = 0.0
    sweeps: int = 0


class ShardTopics(NamedTuple):
    """What a visit needs to know of a shard of the topics, in as few bytes as will do: without padding.

    Attributes
    ----------
    B : array of shape (rows, K) or None
        As in `Topics`; None where it underflows somewhere, which only λ can make good.
    log_scale : array of shape (rows,) or None
        As in `Topics`.
    lam : array of shape (rows, K) or None
        λ where B is None.
    sums : Sums
    point_estimate : bool
    offset : float
        As in `Topics`.
    """

    B: Floats | None
    log_scale: Doubles | None
    lam: Floats | None
    sums: ShardSums
    point_estimate: bool
    offset: float


def totals_of(sums: Sequence[ShardSums]) -> Doubles:
    """Λ_k, from the sums of all shards in order."""
    totals: Doubles = np.concatenate([each.totals for each in sums]).sum(axis=0) + sums[0].absent
    return totals


def topics_at(shards: Sequence[ShardTopics], rows: Int64s, workers: Workers) -> Topics:
    """The topics of some rows, rising, in memory of their own."""
    totals, first = totals_of([shard.sums for shard in shards]), shards[0]
    if not first.point_estimate:
        log_norm: Doubles = psi(totals + first.offset)
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
        exact = topics_from(known[at], totals, workers, point_estimate=False, offset=shard.offset)
        B[at], log_scale[at] = exact.B, exact.log_scale
    return _FromFields(known, B, log_scale, log_norm, first.point_estimate, first.offset)


class _FromFields(Topics):
    """Topics of which B arrived without λ; `rows` has λ where it came, is 0 elsewhere, and empty where it came nowhere."""

    __slots__ = ()

    def expected_log(self, words: Int32s | Int64s) -> Doubles:
        """E[log β], from its exponential: as exact as B, which is nowhere below the least normal number if λ did not come."""
        K = self.n_topics
        with np.errstate(divide="ignore"):
            log_b = np.log(self.B[words, :K].astype(np.float64))
        elog: Doubles = log_b + self.log_scale[words, None] - self.log_norm
        if len(self.rows):
            lam = self.rows[words, :K].astype(np.float64)
            came = lam[:, 0] > 0
            elog[came] = psi(lam[came] + self.offset) - self.log_norm
        return elog


def compact_priors(priors: Priors, gain: float = 0.0) -> CompactPriors:
    """Priors for the journey; an η of many values stays behind."""
    return CompactPriors(priors.alpha, priors.eta if priors.eta.size == 1 else np.zeros((0, 0)), gain)


def shard_sums_of(fields: ShardTopics) -> ShardSums:
    """What is said of a shard without its rows."""
    return fields.sums


def shard_topics_from(topics: Topics, sums: ShardSums) -> ShardTopics:
    """The fields of a shard, from its topics."""
    K = topics.n_topics
    B = np.ascontiguousarray(topics.B[:, :K])
    if not topics.point_estimate and B.min(initial=1) < np.finfo(B.dtype).tiny:
        return ShardTopics(None, None, np.ascontiguousarray(topics.rows[:, :K]), sums, False, topics.offset)
    return ShardTopics(B, topics.log_scale.copy(), None, sums, topics.point_estimate, topics.offset)


def _take(source: Floats, rows: Int64s, into: Floats) -> None:
    """Some rows, into ones padded as the compiled floor wants them."""
    K = source.shape[1]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        at = slice(start, start + ROWS_AT_ONCE)
        into[at, :K] = source[rows[at]]
