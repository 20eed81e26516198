"""Collapsed passes as pure functions, for documents in other processes (AD-LDA, Newman et al. 2009).

    part ──update_part──► assignments, and the change of n_wk ─┐  for each shard of the words:
    part ──update_part──► assignments, and the change ─────────┴─ merge ──► … ──updated_shard──► n_wk of the next pass

Each part reassigns its counts block by block. It sees its own changes of n_wk at once, and those of other parts after
the exchange. Changes are whole numbers, so their sums have the same bits in any order. Everything else is what `cvb0`
does, with the same functions: the same arguments give the same bits wherever they are called, and no argument is
changed, so a caller can repeat what was lost. Equation numbers refer to docs/math.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.spill_file import array_store
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s, Masses, UInt8s, UInt16s
from ldavi._inference import dirichlet_priors
from ldavi._inference.assignments import (
    MASS_TYPE,
    Assignments,
    BlockedDocuments,
    CorpusSums,
    CountBlock,
    MassScale,
    aligned_masses,
    in_blocks,
    sums_of_part,
)
from ldavi._inference.cvb0 import (
    AVERAGING,
    Cvb0Settings,
    add_pseudocounts,
    learned_alpha,
    learned_eta,
    learning_seed,
    sampled_topic_counts,
    smoothed_priors,
    update_average,
)
from ldavi._inference.cvb0_pass import RoundedCounts, rounded_rows, update_assignments
from ldavi._inference.packed_rows import PackedRows, add_rows, pack, slice_rows
from ldavi._inference.topic_shards import CompactPriors, CorpusLayout, compact_priors
from ldavi._inference.vb_distributed import PartArrays


class PartBlocks(NamedTuple):
    """The blocks of a part for collapsed passes, and the documents and counts of the corpus that precede it."""

    blocks: tuple[CountBlock, ...]
    first_doc: int
    first_count: int


class PartAssignment(NamedTuple):
    """The assignments of a part, of shape (nnz, SLOTS) as in `AssignedPart`."""

    topic: UInt16s
    share: UInt8s


class CountShard(NamedTuple):
    """n_wk of a shard of the words, in units of mass.

    Attributes
    ----------
    N : PackedRows
    totals : array of shape (K,)
        Σ_w n_wk over the shard.
    log_predictive : float
        Equation (18.7), of the updates of the pass so far; each shard has that of the whole corpus.
    """

    N: PackedRows
    totals: Doubles
    log_predictive: float = 0.0


class CountChange(NamedTuple):
    """A change of n_wk.

    Attributes
    ----------
    rows : array of shape (words,)
        Rows of n_wk, ascending.
    change : PackedRows
    log_predictive : float
        Of the updates.
    """

    rows: Int64s
    change: PackedRows
    log_predictive: float


class PartUpdate(NamedTuple):
    """A part after an update: assignments, which stay in place, and the change of n_wk, which is sent on."""

    assignment: PartAssignment
    change: CountChange


class CollapsedStep(NamedTuple):
    """Where a fit is: pass t of the phase, counted from 1, and the number of this exchange within the pass.

    Attributes
    ----------
    settings : Cvb0Settings
    scale : MassScale
    t : int
    exchange, n_exchanges : int
    n_threads : int
        Of one task.
    """

    settings: Cvb0Settings
    scale: MassScale
    t: int
    exchange: int
    n_exchanges: int
    n_threads: int


def part_sums(part: PartArrays, layout: CorpusLayout) -> CorpusSums:
    """Return the sums of a part, with the words numbered as those of the corpus."""
    sums, n_words = sums_of_part(part.documents), len(layout.words)
    by_word, word_counts = np.zeros(n_words), np.zeros(n_words, np.int64)
    by_word[part.rows], word_counts[part.rows] = sums.by_word, sums.word_counts
    return sums._replace(by_word=by_word, word_counts=word_counts)


def blocks_of_part(part: PartArrays, scale: MassScale, first_doc: int, first_count: int) -> PartBlocks:
    """Divide the documents of a part into blocks."""
    return PartBlocks(in_blocks(part.documents, scale).blocks, first_doc, first_count)


def initial_count_shards(
    lam: Floats | None, priors: Priors, layout: CorpusLayout, scale: MassScale, dtype: str
) -> list[CountShard]:
    """Return n_wk before the first pass by shards: pseudo-counts of given topics, equation (18.5), or zeros.

    Parameters
    ----------
    lam : array of shape (U, Kp) or None
        λ of the words that occur.
    """
    shape = len(layout.words), padded(priors.n_topics)
    corpus = _word_counts(aligned_masses(shape, MASS_TYPE[np.dtype(dtype)]), layout.counts(dtype), scale)
    if lam is not None:
        add_pseudocounts(corpus, lam, priors)
    return [_shard_of(corpus.N[first:last], priors.n_topics) for first, last in layout.edges]


def update_part(
    part: PartArrays,
    blocks: PartBlocks,
    assignment: PartAssignment | None,
    shards: Sequence[CountShard],
    priors: CompactPriors,
    layout: CorpusLayout,
    step: CollapsedStep,
) -> PartUpdate:
    """Reassign the counts of some blocks of a part, all in their turn. Equations (18.2) to (18.4).

    Parameters
    ----------
    assignment : PartAssignment or None
        None before the first pass.
    """
    chosen = _blocks_of_exchange(blocks.blocks, step)
    assignments = _assignments_at(part, blocks._replace(blocks=chosen), assignment, shards, step.scale)
    before, used = assignments.N.copy(), smoothed_priors(priors.priors(layout), step.settings, step.t)
    with Workers(step.n_threads) as workers:
        log_predictive = update_assignments(
            assignments, used, workers, seed=step.settings.seed_of(step.t), min_share=step.settings.min_share_of(step.t)
        )
    np.subtract(assignments.N, before, out=before)
    change = CountChange(part.rows, pack(before, len(priors.alpha)), log_predictive)
    return PartUpdate(PartAssignment(assignments.topic.load(0), assignments.share.load(0)), change)


def assignment_of(update: PartUpdate) -> PartAssignment:
    """Return the assignments of a part."""
    return update.assignment


def change_of_shard(update: PartUpdate, edges: tuple[int, int]) -> CountChange:
    """Return the change of the rows of a shard."""
    change = update.change
    first, last = np.searchsorted(change.rows, edges).tolist()
    return change._replace(rows=change.rows[first:last], change=slice_rows(change.change, slice(first, last)))


def merge_changes(left: CountChange, right: CountChange) -> CountChange:
    """Return the sum of two changes."""
    rows, K = np.union1d(left.rows, right.rows), left.change.n_columns
    largest = max((each.change.value.dtype for each in (left, right)), key=lambda dtype: dtype.itemsize)
    summed = np.zeros((len(rows), K), np.float64 if largest == np.float64 else np.int32)
    for each in (left, right):
        add_rows(summed, each.change, place=np.searchsorted(rows, each.rows))
    return CountChange(rows, pack(summed, K), left.log_predictive + right.log_predictive)


def updated_shard(
    roots: Sequence[CountChange], before: CountShard, edges: tuple[int, int], dtype: str, step: CollapsedStep
) -> CountShard:
    """Return n_wk of a shard after an exchange."""
    (first, last), K = edges, before.N.n_columns
    N = aligned_masses((last - first, padded(K)), MASS_TYPE[np.dtype(dtype)])
    add_rows(N, before.N)
    for root in roots:
        add_rows(N, root.change, place=root.rows - first)
    log_predictive = sum(root.log_predictive for root in roots) + (before.log_predictive if step.exchange else 0.0)
    return _shard_of(N, K)._replace(log_predictive=log_predictive)


def without_pseudocounts(after: CountShard, initial: CountShard, edges: tuple[int, int], dtype: str) -> CountShard:
    """Return n_wk of a shard after the first pass without the pseudo-counts that it started from."""
    (first, last), K = edges, after.N.n_columns
    N = aligned_masses((last - first, padded(K)), MASS_TYPE[np.dtype(dtype)])
    add_rows(N, initial.N)
    np.negative(N, out=N)
    add_rows(N, after.N)
    return _shard_of(N, K)._replace(log_predictive=after.log_predictive)


def averaged_shard(
    average: Floats | None, shard: CountShard, layout: CorpusLayout, dtype: str, step: CollapsedStep
) -> Floats:
    """Return the average of n_wk over passes, of shape (rows, Kp), in tokens; None before the first. (18.8)"""
    counts = _word_counts(_rows_of_shard(shard, dtype), layout.counts(dtype), step.scale)
    average = aligned_zeros(counts.N.shape, dtype) if average is None else average.copy()
    with Workers(step.n_threads) as workers:
        update_average(average, counts, (AVERAGING + 1) / (step.t + AVERAGING), workers)
    return average


def shard_lambda(average: Floats, priors: CompactPriors, layout: CorpusLayout, edges: tuple[int, int]) -> Floats:
    """Return λ = η + average of a shard."""
    lam, eta = average.copy(), priors.priors(layout).eta_rows(layout.words)
    lam[:, : len(priors.alpha)] += (eta if len(eta) == 1 else eta[slice(*edges)]).astype(lam.dtype)
    return lam


def sampled_counts(
    part: PartArrays,
    blocks: PartBlocks,
    assignment: PartAssignment,
    shards: Sequence[CountShard],
    priors: CompactPriors,
    layout: CorpusLayout,
    step: CollapsedStep,
) -> dirichlet_priors.GroupedCounts:
    """Return the counts of topics sampled for some documents of a part. Equation (19.5)."""
    assignments = _assignments_at(part, blocks, assignment, shards, step.scale)
    with Workers(step.n_threads) as workers:
        return sampled_topic_counts(assignments, priors.priors(layout), step.settings, step.t, workers)


def rounded_counts(
    shard: CountShard, layout: CorpusLayout, edges: tuple[int, int], dtype: str, step: CollapsedStep
) -> RoundedCounts:
    """Return n_wk of a shard rounded to integers."""
    counts = _word_counts(_rows_of_shard(shard, dtype), layout.counts(dtype), step.scale)
    with Workers(step.n_threads) as workers:
        return rounded_rows(counts, workers, seed=learning_seed(step.settings, step.t), first_row=edges[0])


def learn_priors(
    samples: Sequence[dirichlet_priors.GroupedCounts],
    shards: Sequence[RoundedCounts],
    priors: CompactPriors,
    layout: CorpusLayout,
    settings: Cvb0Settings,
) -> CompactPriors:
    """Return α and η of greater evidence; none of them is learned from an empty sequence. Equations (19.1), (19.3)."""
    alpha, eta = priors.alpha, priors.priors(layout).eta
    if samples:
        counts = samples[0]
        for other in samples[1:]:
            counts = dirichlet_priors.merge_counts(counts, other)
        alpha = learned_alpha(counts, alpha, settings)
    if shards:
        values, times = (np.concatenate(arrays) for arrays in list(zip(*shards, strict=True))[:2])
        totals = np.sum([shard.totals for shard in shards], axis=0)
        eta = learned_eta(dirichlet_priors.group_values(values, times, totals), eta, layout.n_words)
    return compact_priors(Priors(alpha, eta))


class CollapsedSummary(NamedTuple):
    """The log-likelihood of equation (18.7) in a pass, and the priors after it."""

    log_predictive: float
    priors: CompactPriors


def pass_summary(shard: CountShard, priors: CompactPriors) -> CollapsedSummary:
    """Return the summary of a pass from any of the shards."""
    return CollapsedSummary(shard.log_predictive, priors)


def _blocks_of_exchange(blocks: tuple[CountBlock, ...], step: CollapsedStep) -> tuple[CountBlock, ...]:
    n, number = step.n_exchanges, step.exchange
    return blocks[len(blocks) * number // n : len(blocks) * (number + 1) // n]


def _assignments_at(
    part: PartArrays,
    blocks: PartBlocks,
    assignment: PartAssignment | None,
    shards: Sequence[CountShard],
    scale: MassScale,
) -> Assignments:
    """Return the assignments of a part and n_wk of its words, in memory of their own."""
    documents, K = part.documents, len(shards[0].totals)
    topic = [] if assignment is None else [assignment.topic.copy()]
    share = [] if assignment is None else [assignment.share.copy()]
    N = aligned_masses((len(part.rows), padded(K)), MASS_TYPE[documents.dtype])
    first = 0
    for shard in shards:
        last = first + shard.N.n_rows
        start, stop = np.searchsorted(part.rows, [first, last]).tolist()
        add_rows(N[start:stop], shard.N, part.rows[start:stop] - first)
        first = last
    totals = np.zeros(padded(K))
    totals[:K] = sum(shard.totals for shard in shards)
    return Assignments(
        vocabulary=documents.counts,
        blocked=[BlockedDocuments(documents, blocks.blocks)],
        topic=array_store(in_memory=True, arrays=topic),
        share=array_store(in_memory=True, arrays=share),
        N=N,
        totals=totals,
        n_tokens=scale.n_tokens,
        unit=scale.unit,
        max_sampled=scale.max_sampled,
        first_doc=blocks.first_doc,
        first_count=blocks.first_count,
    )


def _word_counts(N: Masses, vocabulary: Counts, scale: MassScale) -> Assignments:
    """Return n_wk of some words as assignments without any parts."""
    return Assignments(
        vocabulary=vocabulary,
        blocked=[],
        topic=array_store(in_memory=True),
        share=array_store(in_memory=True),
        N=N,
        totals=np.zeros(N.shape[1]),
        n_tokens=scale.n_tokens,
        unit=scale.unit,
        max_sampled=scale.max_sampled,
    )


def _rows_of_shard(shard: CountShard, dtype: str) -> Masses:
    N = aligned_masses((shard.N.n_rows, padded(shard.N.n_columns)), MASS_TYPE[np.dtype(dtype)])
    add_rows(N, shard.N)
    return N


def _shard_of(N: Masses, n_topics: int) -> CountShard:
    return CountShard(pack(N, n_topics), N[:, :n_topics].sum(axis=0, dtype=np.float64))
