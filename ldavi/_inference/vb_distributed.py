"""The batch loop taken apart, for documents that live in other processes: a part's E-step, sums of parts, the M-step.

    part ──visit──► γ, and Gathered: S over the part's words ─┐  for each shard of the words:
    part ──visit──► γ, and Gathered ──────────────────────────┴─ merge ──► … ──renew──► its Fields for the next pass

Pure functions of arrays: the same arguments give the same bits wherever they are called, and nothing that is passed in
changes. So whoever calls them may call again what was lost. A word's row of S is a sum over parts in a tree of fixed
shape; all else is what `fit_batch` does, with its functions. The words are cut into shards, whose rows of topics can be
renewed in different places at once. Equation numbers refer to docs/math.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import psi

from ldavi._core.corpus import Documents
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import dirichlet_priors, elbo
from ldavi._inference.e_step import DocumentBlock, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.m_step import RowSums, TopicSums, point_step, posterior_rows, posterior_sums, topics_from
from ldavi._inference.topic_shards import (
    CompactPriors,
    CorpusLayout,
    ShardSums,
    ShardTopics,
    compact_priors,
    shard_topics_from,
    topics_at,
    totals_of,
)
from ldavi._inference.vb_batch import PassSettings, absent_mass, column_sums, raised_from_sums, summed_terms

ROWS_AT_ONCE = 2**12


class Part(NamedTuple):
    """Some documents, ready to be visited: arrays alone, so that whoever holds them can tell their size.

    Attributes
    ----------
    indptr, indices, values, tokens
        As in `Counts`, words numbered by their place in `rows`.
    words : array of shape (words,)
        The column of X behind each.
    rows : array of shape (words,)
        The row of the topics behind each, rising.
    weight : array of shape (D,) or None
    blocks : tuple of Block
    n_words : int
        V.
    """

    indptr: Int64s
    indices: Int32s
    values: Floats
    tokens: Doubles
    words: Int64s
    rows: Int64s
    weight: Floats | None
    blocks: tuple[DocumentBlock, ...]
    n_words: int

    @property
    def documents(self) -> Documents:
        counts = Counts(self.indptr, self.indices, self.values, self.words, self.n_words, self.tokens)
        return Documents(counts, self.weight)


class Step(NamedTuple):
    """How a visit goes: see `Plan`. `with_log_theta` asks for what α is learned from."""

    max_inner_iter: int
    tol: float
    with_log_theta: bool
    n_threads: int


class SufficientStatistics(NamedTuple):
    """What parts contribute to an M-step and to the bound.

    Attributes
    ----------
    rows : array of shape (words,)
        Rows of the topics, rising.
    S : array of shape (words, K)
        Statistics of those rows. Equation (15).
    word, doc_topic : float
        Terms of the bound.
    sweeps : int
    log_theta : array of shape (K,) or None
        Σ_d ω_d E[log θ_d], if it was asked for.
    """

    rows: Int64s
    S: Floats
    word: float
    doc_topic: float
    sweeps: int
    log_theta: Doubles | None


class PartResult(NamedTuple):
    """A part after its visit: γ, of shape (D, K), stays; what was gathered goes on."""

    gamma: Floats
    statistics: SufficientStatistics


class PassSummary(NamedTuple):
    """A pass in a few numbers: the bound of the topics that it ended with, equation (17), and sweeps over documents."""

    terms: ELBOTerms
    sweeps: int


def prepare_part(counts: Counts, weight: Floats | None, ground: CorpusLayout, n_topics: int, dtype: DTypeLike) -> Part:
    """Make documents ready: words renumbered by the rows of the topics, counts ordered by word as well.

    Parameters
    ----------
    counts : Counts
        Of some documents, a word being a column of X.
    """
    place = np.zeros(ground.n_words, np.int64)
    place[ground.words] = np.arange(len(ground.words))
    row_of_count = place[counts.words[counts.indices]]
    seen = np.zeros(len(ground.words), bool)
    seen[row_of_count] = True
    rows = np.flatnonzero(seen)
    number = np.zeros(len(ground.words), np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    words, values = ground.words[rows], counts.values.astype(dtype, copy=False)
    own = Counts(counts.indptr, number[row_of_count], values, words, ground.n_words, counts.doc_tokens)
    blocks = cut_blocks(own, n_topics)
    return Part(own.indptr, own.indices, values, own.doc_tokens, words, rows, weight, blocks, ground.n_words)


def first_fields(
    lam: Floats, priors: Priors, ground: CorpusLayout, workers: Workers, *, offset: float
) -> list[ShardTopics]:
    """The fields, by shards, of topics to start from: λ, word-major of shape (U, Kp)."""
    absent = absent_mass(ground.counts(lam.dtype), priors)
    totals = column_sums(lam, priors)
    topics = topics_from(lam, totals + absent, workers, point_estimate=priors.point_estimate, offset=offset)
    shards = []
    for first, last in ground.edges:
        own = totals[None, :] if first == 0 else np.zeros((0, len(totals)))
        at = slice(first, last)
        part = Topics(
            topics.rows[at], topics.B[at], topics.log_scale[at], topics.log_norm, topics.point_estimate, topics.offset
        )
        shards.append(shard_topics_from(part, ShardSums(np.zeros((0, 3)), own, absent)))
    return shards


def visit(
    part: Part, shards: Sequence[ShardTopics], hyper: CompactPriors, gamma: Floats | None, step: Step
) -> PartResult:
    """The E-step of a part, from γ or afresh. Equations (10), (11), (15)."""
    documents, dtype = part.documents, part.values.dtype
    cold_start, K = gamma is None, len(hyper.alpha)
    gamma = np.empty((documents.counts.n_docs, K), dtype) if gamma is None else gamma.copy()
    with Workers(step.n_threads) as workers:
        topics = topics_at(shards, part.rows, workers)
        sstats = aligned_zeros(topics.B.shape, dtype)
        seen = e_step(
            documents.counts,
            part.blocks,
            topics,
            hyper.alpha,
            gamma,
            sstats,
            max_inner_iter=step.max_inner_iter,
            tol=step.tol,
            workers=workers,
            doc_weight=part.weight,
            cold_start=cold_start,
            extrapolate=cold_start,
        )
    word, doc_topic = summed_terms(seen, documents, Priors(hyper.alpha, hyper.eta), topics)
    log_theta = None
    if step.with_log_theta:
        weight = None if part.weight is None else part.weight.astype(np.float64)
        log_theta = dirichlet_priors.expected_log_sums(gamma, weight)
    S = np.ascontiguousarray(sstats[:, :K])
    return PartResult(
        gamma, SufficientStatistics(part.rows, S, word, doc_topic, int(seen.n_inner_iter.sum()), log_theta)
    )


def statistics_of_shard(passed: PartResult, edges: tuple[int, int]) -> SufficientStatistics:
    """What goes on from a visit, of the rows of a shard."""
    whole = passed.statistics
    at = slice(*np.searchsorted(whole.rows, edges))
    return whole._replace(rows=whole.rows[at], S=whole.S[at])


def gamma_of(passed: PartResult) -> Floats:
    """What stays of a visit."""
    return passed.gamma


def merge(left: SufficientStatistics, right: SufficientStatistics) -> SufficientStatistics:
    """Two sums made one."""
    rows = np.union1d(left.rows, right.rows)
    S = np.zeros((len(rows), left.S.shape[1]), left.S.dtype)
    _add(S, rows, left)
    _add(S, rows, right)
    log_theta = None if left.log_theta is None or right.log_theta is None else left.log_theta + right.log_theta
    word, doc_topic = left.word + right.word, left.doc_topic + right.doc_topic
    return SufficientStatistics(rows, S, word, doc_topic, left.sweeps + right.sweeps, log_theta)


def learn(
    shards: Sequence[Sequence[SufficientStatistics]],
    hyper: CompactPriors,
    ground: CorpusLayout,
    plan: PassSettings,
    n_docs: float,
) -> CompactPriors:
    """Priors at which the bound is higher, from the statistics of all shards. Equations (37), (38).

    Parameters
    ----------
    shards : sequence of sequences of one or two Gathered
    n_docs : float
        Σ_d ω_d.
    """
    S = np.concatenate(
        [_summed(roots, edges)[:, : len(hyper.alpha)] for roots, edges in zip(shards, ground.edges, strict=True)]
    )
    sums = [root.log_theta for root in shards[0] if root.log_theta is not None]
    log_theta = np.sum(sums, axis=0) if sums else None
    priors, gain = raised_from_sums(hyper.priors(ground), plan, log_theta, n_docs, S, ground.n_words)
    return compact_priors(priors, gain)


def m_step_shard(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    hyper: CompactPriors,
    ground: CorpusLayout,
    shard: int,
    offset: float,
    n_threads: int,
) -> ShardTopics:
    """The M-step of a shard: its fields for the next pass. Equations (12), (14).

    Parameters
    ----------
    roots : sequence of one or two Gathered
    before : Fields
        The shard's, that the documents were visited with.
    hyper : Hyper
        The priors from now on.
    offset : float
        δ of the next pass.
    """
    topics, rows = _renewed(roots, before, hyper, ground, shard, offset, n_threads)
    absent = absent_mass(ground.counts(topics.B.dtype), hyper.priors(ground))
    word, doc_topic = sum(root.word for root in roots), sum(root.doc_topic for root in roots)
    sums = ShardSums(rows.terms, rows.totals, absent, word, doc_topic, sum(root.sweeps for root in roots))
    return shard_topics_from(topics, sums)


def lam_of(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    hyper: CompactPriors,
    ground: CorpusLayout,
    shard: int,
    n_threads: int,
) -> Floats:
    """λ of a shard, of shape (rows, Kp), as `renew` had it; expected counts where β is a point estimate."""
    if ground.point_estimate:
        return _summed(roots, ground.edges[shard])
    return _renewed(roots, before, hyper, ground, shard, 0.0, n_threads)[0].rows


def _renewed(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    hyper: CompactPriors,
    ground: CorpusLayout,
    shard: int,
    offset: float,
    n_threads: int,
) -> tuple[Topics, RowSums]:
    sstats, ranges = _summed(roots, ground.edges[shard]), ground.shards[shard]
    K = len(hyper.alpha)
    with Workers(n_threads) as workers:
        topics = topics_at([before], np.arange(len(sstats)), workers)
        if ground.point_estimate:
            topics, sums = point_step(sstats, topics)
            return topics, RowSums(np.array([[sums.old, sums.new, 0.0]]), sums.totals[None, :])
        first, last = ground.edges[shard]
        eta = hyper.priors(ground).eta_rows(ground.words)
        eta = np.ascontiguousarray(eta if len(eta) == 1 else eta[first:last], sstats.dtype)
        own = [(start - first, stop - first) for start, stop in ranges]
        rows = posterior_rows(sstats, topics, eta, own, workers, offset=offset)
    return Topics(sstats, topics.B, topics.log_scale, np.zeros(K), False, offset), rows


def _summed(roots: Sequence[SufficientStatistics], edges: tuple[int, int]) -> Floats:
    """S of the rows of a shard, aligned and padded."""
    first, last = edges
    K = roots[0].S.shape[1]
    sstats = aligned_zeros((last - first, padded(K)), roots[0].S.dtype)
    for root in roots:
        _add(sstats[:, :K], np.arange(first, last), root)
    return sstats


def report(
    before: Sequence[ShardSums],
    after: Sequence[ShardSums],
    hyper: CompactPriors,
    learned: bool,
    ground: CorpusLayout,
    dtype: str,
    offset: float,
) -> PassSummary:
    """The bound at the end of a pass, from the sums of all shards. Equation (17).

    Parameters
    ----------
    before, after : sequence of Sums
        Of the topics that documents were visited with, and of those that came of it.
    hyper : Hyper
        The priors from now on.
    learned : bool
        Whether they are of this pass.
    offset : float
        δ of this pass.
    """
    priors, counts = hyper.priors(ground), ground.counts(dtype)
    terms = RowSums(np.concatenate([each.terms for each in after]), np.concatenate([each.totals for each in after]))
    if priors.point_estimate:
        old, new, _ = terms.terms[0]
        sums = TopicSums(old, new, 0.0, terms.totals[0])
    else:
        eta = np.ascontiguousarray(priors.eta_rows(ground.words), dtype)
        log_norm = psi(totals_of(before) + offset)
        sums, _ = posterior_sums(terms, log_norm, eta, len(ground.words), after[0].absent, offset=0.0)
    doc_topic = after[0].doc_topic + (hyper.gain if learned else 0.0)
    return PassSummary(elbo.after_m_step(after[0].word, doc_topic, sums, priors, counts), after[0].sweeps)


def _add(S: Floats, rows: Int64s, part: SufficientStatistics) -> None:
    """Add a part's rows to those of S, which are `rows`, rising."""
    if len(rows) == len(part.rows):
        S += part.S
        return
    place = np.searchsorted(rows, part.rows)
    for start in range(0, len(place), ROWS_AT_ONCE):
        at = slice(start, start + ROWS_AT_ONCE)
        S[place[at]] += part.S[at]
