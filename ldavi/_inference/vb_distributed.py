"""Batch VB as pure functions, for documents in other processes: a part's E-step, sums of parts, the M-step of a shard.

    part ──local_step──► γ, and statistics of the part's words ─┐  for each shard of the words:
    part ──local_step──► γ, and statistics ─────────────────────┴─ merge ──► … ──m_step_shard──► topics of the next pass

These are pure functions of arrays: the same arguments give the same bits wherever they are called, and no argument is
changed, so a caller can repeat what was lost. A row of S is a sum over parts in a tree of fixed shape; everything
else is what `vb_batch` does, with the same functions. The words are divided into shards, whose topics can be computed
in different places at once. Equation numbers refer to docs/math.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import psi

from ldavi._core.chunks import chunks
from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import elbo
from ldavi._inference.dirichlet_priors import EtaStatistics
from ldavi._inference.e_step import DocumentBlock, EStepSettings, Part, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.m_step import (
    RowSums,
    TopicSums,
    absent_mass,
    point_step,
    posterior_rows,
    posterior_sums,
    topics_from,
)
from ldavi._inference.passes import PassSettings, column_sums, summed_terms
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
from ldavi._inference.vb_priors import (
    LogThetaSums,
    added_log_theta_sums,
    eta_statistics_if_learned,
    log_theta_sums,
    updated_priors,
)

ROWS_AT_ONCE = 2**12


class PartArrays(NamedTuple):
    """Some documents prepared for the E-step, as arrays alone, so that a scheduler can tell their size.

    Attributes
    ----------
    indptr, indices, values, tokens
        As in `Counts`, with words numbered by their position in `rows`.
    words : array of shape (words,)
        The column of X of each word.
    rows : array of shape (words,)
        The row of the topics of each word, ascending.
    weight : array of shape (D,) or None
    blocks : tuple of DocumentBlock
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


class LocalStepSettings(NamedTuple):
    """Settings of a part's E-step; `with_log_theta` requests the sufficient statistics for α."""

    e_step: EStepSettings
    with_log_theta: bool
    n_threads: int


class SufficientStatistics(NamedTuple):
    """What parts contribute to an M-step and to the bound.

    Attributes
    ----------
    rows : array of shape (words,)
        Rows of the topics, ascending.
    S : array of shape (words, K)
        Statistics of those rows. Equation (11.2).
    word, doc_topic : float
        Terms of the bound.
    n_inner_iter : int
        Summed over documents.
    log_theta : LogThetaSums or None
        Σ_d ω_d E[log θ_d] and Σ_d ω_d, if requested.
    """

    rows: Int64s
    S: Floats
    word: float
    doc_topic: float
    n_inner_iter: int
    log_theta: LogThetaSums | None


class PriorStatistics(NamedTuple):
    """What an update of the priors needs of a shard; None for a prior that is not learned.

    Attributes
    ----------
    log_theta : LogThetaSums or None
        Σ_d ω_d E[log θ_d] and Σ_d ω_d over all documents.
    eta : EtaStatistics or None
        Of the words of the shard.
    """

    log_theta: LogThetaSums | None
    eta: EtaStatistics | None


class PartResult(NamedTuple):
    """A part after its E-step: γ, of shape (D, K), which stays in place, and statistics, which are sent on."""

    gamma: Floats
    statistics: SufficientStatistics


class PassSummary(NamedTuple):
    """The bound of the topics after a pass, equation (12.2), the inner iterations summed over documents, the priors."""

    terms: ELBOTerms
    n_inner_iter: int
    priors: CompactPriors


class SummarySettings(NamedTuple):
    """How a pass went: whether priors were updated in it, its dtype, and its δ."""

    learned_priors: bool
    dtype: str
    digamma_offset: float


class ShardStep(NamedTuple):
    """Settings of the M-step of a shard: its number, δ of the next pass, threads."""

    shard: int
    digamma_offset: float
    n_threads: int


def prepare_part(
    counts: Counts, weight: Floats | None, layout: CorpusLayout, n_topics: int, dtype: DTypeLike
) -> PartArrays:
    """Prepare documents: words are renumbered by the rows of the topics, and counts are also sorted by word.

    Parameters
    ----------
    counts : Counts
        Of some documents, with a column of X for each word.
    """
    place = np.zeros(layout.n_words, np.int64)
    place[layout.words] = np.arange(len(layout.words))
    row_of_count = place[counts.words[counts.indices]]
    occurs = np.zeros(len(layout.words), bool)
    occurs[row_of_count] = True
    rows = np.flatnonzero(occurs)
    number = np.zeros(len(layout.words), np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    words, values = layout.words[rows], counts.values.astype(dtype, copy=False)
    own = Counts(counts.indptr, number[row_of_count], values, words, layout.n_words, counts.doc_tokens)
    blocks = cut_blocks(own, n_topics)
    return PartArrays(own.indptr, own.indices, values, own.doc_tokens, words, rows, weight, blocks, layout.n_words)


def initial_shards(
    lam: Floats, priors: Priors, layout: CorpusLayout, workers: Workers, *, digamma_offset: float
) -> list[ShardTopics]:
    """Return the topics to start from by shards, from λ, word-major of shape (U, Kp)."""
    absent = absent_mass(layout.counts(lam.dtype), priors)
    totals = column_sums(lam, priors)
    topics = topics_from(
        lam, totals + absent, workers, point_estimate=priors.point_estimate, digamma_offset=digamma_offset
    )
    shards = []
    for first, last in layout.edges:
        own_totals = totals[None, :] if first == 0 else np.zeros((0, len(totals)))
        at = slice(first, last)
        part = replace(topics, rows=topics.rows[at], B=topics.B[at], log_scale=topics.log_scale[at])
        shards.append(shard_topics_from(part, ShardSums(np.zeros((0, 3)), own_totals, absent)))
    return shards


def local_step(
    part: PartArrays,
    shards: Sequence[ShardTopics],
    priors: CompactPriors,
    gamma: Floats | None,
    settings: LocalStepSettings,
) -> PartResult:
    """Run the E-step of a part, from γ or from a cold start. Equations (9.7), (8.16), (11.2)."""
    documents, dtype, K = part.documents, part.values.dtype, len(priors.alpha)
    e_step_settings = settings.e_step._replace(cold_start=gamma is None, extrapolate=gamma is None)
    gamma = np.empty((documents.n_docs, K), dtype) if gamma is None else gamma.copy()
    with Workers(settings.n_threads) as workers:
        topics = topics_at(shards, part.rows, workers)
        sstats = aligned_zeros(topics.B.shape, dtype)
        prepared = Part(documents, part.blocks, slice(None))
        result = e_step(prepared, topics, priors.alpha, gamma, sstats, e_step_settings, workers)
    word, doc_topic = summed_terms(result, documents, Priors(priors.alpha, priors.eta), topics)
    log_theta = None
    if settings.with_log_theta:
        log_theta = log_theta_sums(documents, gamma)
    S, word = np.ascontiguousarray(sstats[:, :K]), word - result.underflowed
    n_inner_iter = int(result.n_inner_iter.sum())
    return PartResult(gamma, SufficientStatistics(part.rows, S, word, doc_topic, n_inner_iter, log_theta))


def statistics_of_shard(result: PartResult, edges: tuple[int, int]) -> SufficientStatistics:
    """Return the statistics of the rows of a shard."""
    statistics = result.statistics
    at = slice(*np.searchsorted(statistics.rows, edges))
    return statistics._replace(rows=statistics.rows[at], S=statistics.S[at])


def gamma_of(result: PartResult) -> Floats:
    """Return γ of a part."""
    return result.gamma


def merge(left: SufficientStatistics, right: SufficientStatistics) -> SufficientStatistics:
    """Return the sum of two statistics."""
    rows = np.union1d(left.rows, right.rows)
    S = np.zeros((len(rows), left.S.shape[1]), left.S.dtype)
    _add(S, rows, left)
    _add(S, rows, right)
    log_theta = added_log_theta_sums([left.log_theta, right.log_theta])
    word, doc_topic = left.word + right.word, left.doc_topic + right.doc_topic
    return SufficientStatistics(rows, S, word, doc_topic, left.n_inner_iter + right.n_inner_iter, log_theta)


def prior_statistics(
    roots: Sequence[SufficientStatistics],
    priors: CompactPriors,
    layout: CorpusLayout,
    settings: PassSettings,
    step: ShardStep,
) -> PriorStatistics:
    """Return what an update of the priors needs of a shard; every shard has the same sums over documents."""
    log_theta, eta = added_log_theta_sums(root.log_theta for root in roots), None
    if settings.learn_eta:
        with Workers(step.n_threads) as workers:
            S = summed_rows(roots, layout.edges[step.shard])
            eta = eta_statistics_if_learned(priors.priors(layout), settings, S, workers)
    return PriorStatistics(log_theta, eta)


def learn_priors(shards: Sequence[PriorStatistics], priors: CompactPriors, layout: CorpusLayout) -> CompactPriors:
    """Return priors that increase the bound, from the statistics of all shards. Equations (19.8), (19.9)."""
    of_shards = [shard.eta for shard in shards if shard.eta is not None]
    eta = EtaStatistics(*(np.concatenate(arrays) for arrays in zip(*of_shards, strict=True))) if of_shards else None
    return compact_priors(*updated_priors(priors.priors(layout), shards[0].log_theta, eta, layout.n_words))


def m_step_shard(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    priors: CompactPriors,
    layout: CorpusLayout,
    step: ShardStep,
) -> ShardTopics:
    """Run the M-step of a shard and return its topics for the next pass. Equations (9.9), (11.1).

    Parameters
    ----------
    roots : sequence of one or two SufficientStatistics
    before : ShardTopics
        The topics of the shard in the local steps.
    priors : CompactPriors
        Of the next pass.
    """
    topics, rows = _updated(roots, before, priors, layout, step)
    absent = absent_mass(layout.counts(topics.B.dtype), priors.priors(layout))
    word, doc_topic = sum(root.word for root in roots), sum(root.doc_topic for root in roots)
    sums = ShardSums(rows.terms, rows.totals, absent, word, doc_topic, sum(root.n_inner_iter for root in roots))
    return shard_topics_from(topics, sums)


def shard_lambda(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    priors: CompactPriors,
    layout: CorpusLayout,
    step: ShardStep,
) -> Floats:
    """Return λ of a shard, of shape (rows, Kp), as in `m_step_shard`; expected counts if β is a point estimate."""
    if layout.point_estimate:
        return summed_rows(roots, layout.edges[step.shard])
    return _updated(roots, before, priors, layout, step)[0].rows


def _updated(
    roots: Sequence[SufficientStatistics],
    before: ShardTopics,
    priors: CompactPriors,
    layout: CorpusLayout,
    step: ShardStep,
) -> tuple[Topics, RowSums]:
    sstats, ranges = summed_rows(roots, layout.edges[step.shard]), layout.shards[step.shard]
    K, offset = len(priors.alpha), step.digamma_offset
    with Workers(step.n_threads) as workers:
        topics = topics_at([before], np.arange(len(sstats)), workers)
        if layout.point_estimate:
            topics, sums = point_step(sstats, topics)
            return topics, RowSums(np.array([[sums.old, sums.new, 0.0]]), sums.totals[None, :])
        first, last = layout.edges[step.shard]
        eta = priors.priors(layout).eta_rows(layout.words)
        eta = np.ascontiguousarray(eta if len(eta) == 1 else eta[first:last], sstats.dtype)
        own = [(start - first, stop - first) for start, stop in ranges]
        rows = posterior_rows(sstats, topics, eta, own, workers, digamma_offset=offset)
    return Topics(sstats, topics.B, topics.log_scale, np.zeros(K), False, offset), rows


def summed_rows(roots: Sequence[SufficientStatistics], edges: tuple[int, int]) -> Floats:
    """Return S of the rows of a shard, aligned and padded."""
    first, last = edges
    K = roots[0].S.shape[1]
    sstats = aligned_zeros((last - first, padded(K)), roots[0].S.dtype)
    for root in roots:
        _add(sstats[:, :K], np.arange(first, last), root)
    return sstats


def pass_summary(
    before: Sequence[ShardSums],
    after: Sequence[ShardSums],
    priors: CompactPriors,
    layout: CorpusLayout,
    settings: SummarySettings,
) -> PassSummary:
    """Return the bound after a pass, from the sums of all shards. Equation (12.2).

    Parameters
    ----------
    before, after : sequence of ShardSums
        Of the topics of the local steps, and of those that they led to.
    priors : CompactPriors
        Of the next pass.
    """
    all_priors, counts = priors.priors(layout), layout.counts(settings.dtype)
    terms = RowSums(np.concatenate([each.terms for each in after]), np.concatenate([each.totals for each in after]))
    if all_priors.point_estimate:
        old, new, _ = terms.terms[0]
        sums = TopicSums(old, new, 0.0, terms.totals[0])
    else:
        eta = np.ascontiguousarray(all_priors.eta_rows(layout.words), settings.dtype)
        log_norm = psi(totals_of(before) + settings.digamma_offset)
        sums, _ = posterior_sums(terms, log_norm, eta, len(layout.words), after[0].absent, digamma_offset=0.0)
    doc_topic = after[0].doc_topic + (priors.gain if settings.learned_priors else 0.0)
    bound = elbo.after_m_step(after[0].word, doc_topic, sums, all_priors, counts)
    return PassSummary(bound, after[0].n_inner_iter, priors)


def _add(S: Floats, rows: Int64s, part: SufficientStatistics) -> None:
    """Add the rows of a part to those of S, whose numbers are `rows`, ascending."""
    if len(rows) == len(part.rows):
        S += part.S
        return
    place = np.searchsorted(rows, part.rows)
    for at in chunks(len(place), ROWS_AT_ONCE):
        S[place[at]] += part.S[at]
