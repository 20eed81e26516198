"""Assignments of counts to topics in collapsed inference, and one pass over all of them. Equations (30) to (33).

    counts ── split into about equal numbers ──► blocks, each with its counts also in the order of their words
    for each block:
        1. documents: each thread reassigns the counts of ranges of them, with current n_dk and fixed n_wk
        2. words:     each thread owns ranges of them and applies the new assignments to n_wk

The responsibilities of a count are fixed-point numbers: it has SHARES shares, assigned to at most SLOTS topics. The
mass of a share is the count in whole units, so n_wk and n_k are exact after any number of additions and subtractions.
Blocks do not depend on the number of threads, so the bits do not either.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ldavi import _estep
from ldavi._core.random_bits import pass_seed, random_bits_24
from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int16s, Int32s, Int64s, Masses, UInt8s, UInt16s
from ldavi._estep import SCRATCH_ROWS, SHARES, SLOTS
from ldavi._inference import dirichlet_priors
from ldavi._inference.e_step import order_by_word

BLOCKS = 32  # per pass; a document does not see the reassignments of the other documents of its block
MIN_COUNTS, MAX_COUNTS = 2**11, 2**17  # stored counts per block
LARGEST_MASS = {np.dtype(np.float32): 2.0**30, np.dtype(np.float64): 2.0**52}  # maximum mass of a word in one topic
LARGEST_TOTAL = 2.0**52  # maximum mass of all words: up to there, sums in double precision are exact in any order
MAX_TOPICS = 2**16
DRAW_ALL = 2.0  # as MIN_SHARE: each count is assigned as a whole to one sampled topic
SAMPLING_PASSES = 6
TOKENS_PER_COUNT = 2**6  # of a document, on average: a longer one is thinned before its topics are sampled
TOKENS_AT_ONCE = 2**13  # whose topics are sampled together, so that temporary arrays stay small
ROWS_AT_ONCE = 2**12  # of n_wk
MIN_SHARE = 0.1  # τ: topics with a smaller share of a count are represented by one that is sampled from them


@dataclass(frozen=True, slots=True)
class AssignmentBlock:
    """The documents [start, stop): their counts by word, and the topics that these are assigned to."""

    start: int
    stop: int
    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, ascending
    position: Int32s  # (nnz,) place by word of each count by document
    mass: Masses  # (nnz,) mass of one share, by word
    topic: UInt16s  # (nnz, SLOTS) by word
    share: UInt8s  # (nnz, SLOTS) by word; all 0 before the first pass


@dataclass(slots=True)
class Assignments:
    """q(z) of every count, and its sums.

    Attributes
    ----------
    counts : Counts
    blocks : tuple of AssignmentBlock
    N : array of shape (U, Kp)
        n_wk in units of mass, whole numbers.
    totals : array of shape (Kp,)
        n_k in units of mass.
    unit : float
        Units of mass per token.
    """

    counts: Counts
    blocks: tuple[AssignmentBlock, ...]
    N: Masses
    totals: Doubles
    unit: float

    @property
    def units(self) -> float:
        """Mass of all counts, weights included."""
        return float(SHARES * sum(block.mass.sum(dtype=np.float64) for block in self.blocks))

    def tokens(self, out: Floats) -> None:
        """n_wk in tokens, of shape (U, Kp)."""
        np.multiply(self.N, 1 / self.unit, out=out, casting="same_kind")


def uninitialised_assignments(counts: Counts, weight: Floats | None, n_topics: int) -> Assignments:
    """Return assignments before the first pass, which no topic has a share of yet."""
    dtype = counts.values.dtype
    by_word = counts.values if weight is None else counts.values * np.repeat(weight, np.diff(counts.indptr))
    largest = np.bincount(counts.indices, by_word, minlength=1).max(initial=1.0)
    whole = weight is None and not np.any(counts.values % 1)
    room = min(LARGEST_MASS[dtype] / largest, LARGEST_TOTAL / max(by_word.sum(dtype=np.float64), 1.0))
    # The finest unit that words and their total leave room for; integer counts need no fraction of a token.
    scale = 2.0 ** np.floor(np.log2(room / SHARES))
    scale = min(scale, 1.0) if whole else scale
    mass_type = np.int32 if dtype == np.float32 else np.float64
    max_counts = int(np.clip(len(counts.indices) // BLOCKS, MIN_COUNTS, MAX_COUNTS))
    masses = np.maximum(np.rint(by_word * scale), 1).astype(mass_type)
    blocks = tuple(
        _cut_block(counts, masses, *edges) for edges in even_ranges(counts.indptr, 0, counts.n_docs, max_counts)
    )
    width = padded(n_topics)
    N = aligned_masses((len(counts.words), width), mass_type)
    return Assignments(counts, blocks, N, np.zeros(width), scale * SHARES)


def aligned_masses(shape: tuple[int, ...], dtype: DTypeLike) -> Masses:
    """Return aligned zeros in the dtype of masses."""
    return aligned_zeros(shape, dtype)  # type: ignore[return-value]  # int32 is laid out like any other


def _cut_block(counts: Counts, masses: Masses, start: int, stop: int) -> AssignmentBlock:
    by_word = order_by_word(counts.documents(start, stop))
    nnz = len(by_word.position)
    return AssignmentBlock(
        start,
        stop,
        by_word.word_ptr,
        by_word.word_row,
        by_word.position,
        masses[counts.indptr[start] : counts.indptr[stop]][by_word.origin],
        np.zeros((nnz, SLOTS), np.uint16),
        np.zeros((nnz, SLOTS), np.uint8),
    )


@dataclass(frozen=True, slots=True)
class KernelPriors:
    """Priors as the compiled kernel reads them: α in shares, η in units of mass, rows padded."""

    eta: Floats  # (1 or U, 1 or Kp)
    eta_totals: Doubles  # (K,)
    alpha: Floats  # (Kp,)
    alpha_total: float

    def normalisers(self, totals: Doubles) -> tuple[Floats, Floats]:
        """Return n_k + Σ_w η_kw and its inverse, each of shape (Kp,) with zero padding."""
        K = len(self.eta_totals)
        sums, inverse = (
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
        )
        sums[:K] = totals[:K] + self.eta_totals
        inverse[:K] = 1 / sums[:K]
        return sums, inverse


def kernel_priors(assignments: Assignments, priors: Priors) -> KernelPriors:
    """Return the priors for the passes of the compiled kernel."""
    dtype, width, K = assignments.counts.values.dtype, assignments.N.shape[1], priors.n_topics
    rows = priors.eta_rows(assignments.counts.words)
    eta = np.zeros((len(rows), 1 if rows.shape[1] == 1 else width), dtype)
    eta[:, : rows.shape[1]] = rows * assignments.unit
    alpha = aligned_zeros((width,), dtype)
    alpha[:K] = priors.alpha * SHARES
    return KernelPriors(
        eta, priors.eta_totals(assignments.counts.n_words) * assignments.unit, alpha, float(priors.alpha.sum())
    )


def update_assignments(
    assignments: Assignments, priors: Priors, workers: Workers, *, seed: int, min_share: float = MIN_SHARE
) -> Doubles:
    """Reassign every count once; `assignments` changes in place. Equations (31) to (33).

    Parameters
    ----------
    seed : int
        Of this pass. The random bits of a count depend on it and on the position of the count.
    min_share : float
        τ of (32), at least 1 / `_estep.MAX_CANDIDATES`.

    Returns
    -------
    log_predictive : array of shape (D,)
        Σ_w n_dw log p(w | assignments of all other counts), of each document. Equation (34).
    """
    counts, width = assignments.counts, assignments.N.shape[1]
    kernel, log_predictive = kernel_priors(assignments, priors), np.zeros(counts.n_docs)
    max_counts = max((len(block.position) for block in assignments.blocks), default=0)
    new = np.empty((max_counts, SLOTS), np.uint16), np.empty((max_counts, SLOTS), np.uint8)
    pieces = 1 if workers.n_threads == 1 else 4 * workers.n_threads
    for block in assignments.blocks:
        sums = kernel.normalisers(assignments.totals)

        def update(edges: tuple[int, int], block: AssignmentBlock = block, sums: tuple[Floats, Floats] = sums) -> None:
            scratch = aligned_zeros((SCRATCH_ROWS * width,), counts.values.dtype)
            _estep.update_assignments(
                indptr=counts.indptr,
                indices=counts.indices,
                counts=counts.values,
                position=block.position,
                mass=block.mass,
                N=assignments.N,
                eta=kernel.eta,
                alpha=kernel.alpha,
                totals=sums[0],
                inverse=sums[1],
                topic=block.topic,
                share=block.share,
                new_topic=new[0],
                new_share=new[1],
                log_predictive=log_predictive,
                scratch=scratch,
                seed=seed,
                n_topics=priors.n_topics,
                alpha_total=kernel.alpha_total,
                min_share=min_share,
                first_doc=block.start,
                first_count=0,
                start=edges[0],
                stop=edges[1],
            )

        def apply(edges: tuple[int, int], block: AssignmentBlock = block) -> Doubles:
            change = np.zeros(width)
            _estep.apply_assignments(
                word_ptr=block.word_ptr,
                word_row=block.word_row,
                mass=block.mass,
                topic=block.topic,
                share=block.share,
                new_topic=new[0],
                new_share=new[1],
                N=assignments.N,
                change=change,
                start=edges[0],
                stop=edges[1],
            )
            return change

        per_call = len(block.position) // pieces + 1
        workers.run(update, even_ranges(counts.indptr, block.start, block.stop, per_call))
        for change in workers.run(apply, even_ranges(block.word_ptr, 0, len(block.word_row), per_call)):
            assignments.totals += change
    return log_predictive


def rounded_word_counts(assignments: Assignments, workers: Workers, *, seed: int) -> dirichlet_priors.GroupedCounts:
    """Return n_wk rounded to integers at random, with the same mean, as counts of how often each value occurs.

    The evidence for η depends on n_wk alone, so no topics are sampled.
    """

    def rounded(first: int) -> tuple[Doubles, Doubles, Doubles]:
        rows = assignments.N[first : first + ROWS_AT_ONCE]
        held = np.nonzero(rows)
        up_to = random_bits_24(seed, first * rows.shape[1], len(held[0])) / 2.0**24
        whole = np.floor(rows[held] / assignments.unit + up_to)  # in float64: counts may exceed every integer type
        values, times = np.unique(whole, return_counts=True)
        totals: Doubles = np.bincount(held[1], whole, minlength=rows.shape[1]).astype(np.float64)
        return values.astype(np.float64), times.astype(np.float64), totals

    firsts = range(0, max(1, len(assignments.N)), ROWS_AT_ONCE)  # at least one, even if no word occurs
    values, times, totals = zip(*workers.run(rounded, firsts), strict=True)
    return dirichlet_priors.group_values(np.concatenate(values), np.concatenate(times), np.sum(totals, axis=0))


class TopicSample(NamedTuple):
    """Some documents, token by token, with a sampled topic for each."""

    documents: Int64s  # (docs,) which documents
    document: Int64s  # (tokens,) of each token, from 0
    topic: Int64s  # (tokens,)


class SampledTokens(NamedTuple):
    """The tokens of some documents, by stored count."""

    at: Int64s  # (counts,) the position of each stored count
    times: Int64s  # (counts,) its tokens
    indptr: Int64s  # (docs + 1,) tokens before each document


def max_sampled_tokens(counts: Counts) -> Doubles:
    """Return how many tokens of each document are sampled at most, of shape (D,). Equation (53)."""
    limited: Doubles = np.minimum(counts.doc_tokens, TOKENS_PER_COUNT * np.diff(counts.indptr))
    return limited


def sampled_tokens(counts: Counts, documents: Int64s, seed: int) -> SampledTokens:
    """Return how many tokens of each stored count are sampled: n_dw, unless that is fractional or the document long.

    A document with more than TOKENS_PER_COUNT tokens per stored count is thinned to so many. Its tokens, and those of
    fractional counts, are the whole numbers that a document's cumulative counts pass, from a random first point.
    Equation (53).
    """
    lengths, limit = np.diff(counts.indptr)[documents], max_sampled_tokens(counts)[documents]
    starts = np.cumsum(lengths) - lengths  # of each document, in `at`
    at = np.arange(lengths.sum()) + np.repeat(counts.indptr[documents] - starts, lengths)
    rate = limit / np.maximum(counts.doc_tokens[documents], np.finfo(np.float64).tiny)
    reached = np.append(0.0, np.cumsum(counts.values[at] * np.repeat(rate, lengths)))
    points = ((random_bits_24(seed, 0, len(documents)) >> np.uint64(14)) + 0.5) / 2.0**10  # far from whole numbers
    offset = np.repeat(points - reached[starts], lengths)
    times = (np.floor(reached[1:] + offset) - np.floor(reached[:-1] + offset)).astype(np.int64)
    tokens = np.append(0, np.cumsum(times))
    return SampledTokens(at, times, tokens[np.append(starts, len(at))])


def sample_topics(assignments: Assignments, priors: Priors, *, first: int, step: int, seed: int) -> TopicSample:
    """Sample a topic for every sampled token of every `step`-th document by Gibbs sampling, with n_wk and n_k fixed.

    The shares of the counts are only the starting point: they ignore the dependence between the topics of a document's
    tokens, and an α learned from them would be too large.
    """
    counts, kernel = assignments.counts, kernel_priors(assignments, priors)
    documents = np.arange(first % step, counts.n_docs, step)
    tokens = sampled_tokens(counts, documents, pass_seed(seed, 1))
    by_document = np.append(0, np.cumsum(np.diff(counts.indptr)[documents]))
    topic, shares = _cumulative_shares(assignments, tokens.at)
    topics = [np.zeros(0, np.uint16)]
    for start, stop in even_ranges(tokens.indptr, 0, len(documents), TOKENS_AT_ONCE):
        part = slice(by_document[start], by_document[stop])
        count = np.repeat(np.arange(part.start, part.stop), tokens.times[part])
        n_before = int(tokens.indptr[start])
        drawn = (random_bits_24(seed, n_before, len(count)) % np.uint64(SHARES)).astype(np.int16)
        slot = (shares[count] <= drawn[:, None]).sum(axis=1)
        initial = topic[count, np.minimum(slot, SLOTS - 1)]
        indptr = tokens.indptr[start : stop + 1] - n_before
        words = counts.indices[tokens.at[count]]
        topics.append(_gibbs_topics(assignments, kernel, initial, words, indptr, seed=seed, first=n_before))
    document = np.repeat(np.arange(len(documents)), np.diff(tokens.indptr))
    return TopicSample(documents, document, np.concatenate(topics).astype(np.int64))


def _cumulative_shares(assignments: Assignments, at: Int64s) -> tuple[UInt16s, Int16s]:
    """Return the topics of the stored counts `at`, and the cumulative shares, of shape (counts, SLOTS)."""
    topic, share = np.empty((len(at), SLOTS), np.uint16), np.empty((len(at), SLOTS), np.int16)
    for block in assignments.blocks:
        first, last = assignments.counts.indptr[[block.start, block.stop]]
        inside = slice(*np.searchsorted(at, [first, last]))
        place = block.position[at[inside] - first]
        topic[inside], share[inside] = block.topic[place], block.share[place]
    return topic, share.cumsum(axis=1, dtype=np.int16)


def _gibbs_topics(
    assignments: Assignments,
    kernel: KernelPriors,
    initial: UInt16s,
    words: Int32s,
    indptr: Int64s,
    *,
    seed: int,
    first: int,
) -> UInt16s:
    """Return a topic for each token of some documents after Gibbs sampling; `first` is the first token's number."""
    n_tokens, dtype, width = len(words), assignments.counts.values.dtype, assignments.N.shape[1]
    now = np.zeros((n_tokens, SLOTS), np.uint16), np.zeros((n_tokens, SLOTS), np.uint8)
    now[0][:, 0], now[1][:, 0] = initial, SHARES
    new = now[0].copy(), now[1].copy()
    sums = kernel.normalisers(assignments.totals)
    for n_done in range(SAMPLING_PASSES):
        _estep.update_assignments(
            indptr=indptr,
            indices=words,
            counts=np.ones(n_tokens, dtype),
            position=np.arange(n_tokens, dtype=np.int32),
            mass=np.zeros(n_tokens, assignments.N.dtype),
            N=assignments.N,
            eta=kernel.eta,
            alpha=kernel.alpha,
            totals=sums[0],
            inverse=sums[1],
            topic=now[0],
            share=now[1],
            new_topic=new[0],
            new_share=new[1],
            log_predictive=np.zeros(len(indptr) - 1),
            scratch=aligned_zeros((SCRATCH_ROWS * width,), dtype),
            seed=seed + n_done,
            n_topics=len(kernel.eta_totals),
            alpha_total=kernel.alpha_total,
            min_share=DRAW_ALL,
            first_doc=0,
            first_count=first,
            start=0,
            stop=len(indptr) - 1,
        )
        now, new = new, now
    topics: UInt16s = now[0][:, 0].copy()
    return topics
