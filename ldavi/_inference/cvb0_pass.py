"""Collapsed inference over many documents: who holds which count, and one pass over all of them. Equations (30) to (33).

    counts ── cut by non-zeros ──► blocks, in each of which the counts also stand in the order of their words
    for each block:
        1. documents: every thread visits ranges of them; each count is assigned anew, n_dk kept current, n_wk that of before
        2. words:     every thread owns ranges of them; n_wk takes over the new assignments

A count keeps a few topics with a share each, and masses are whole numbers: n_wk and n_k are exact, whatever was added and
taken away before. The blocks do not depend on the number of threads, so neither do the bits.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ldavi import _estep
from ldavi._core.random_bits import random_bits_24
from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s, Masses, UInt8s, UInt16s
from ldavi._estep import SHARES, SLOTS, VISIT_ROWS
from ldavi._inference import dirichlet_priors
from ldavi._inference.e_step import order_by_word

BLOCKS = 32  # of a pass: what a document does not see of the others is what the rest of its block did since
LEAST_COUNTS, MOST_COUNTS = 2**11, 2**17  # stored counts in a block
LARGEST = {np.dtype(np.float32): 2.0**30, np.dtype(np.float64): 2.0**52}  # mass of a word in one topic
MOST_TOPICS = 2**16
DRAW_ALL = 2.0  # as KEPT_ABOVE: no count is divided, each goes whole to a topic drawn
SAMPLING_SWEEPS = 6
ROWS_AT_ONCE = 2**12  # of n_wk
MIN_SHARE = 0.1  # share of a count; a topic that holds less is among those drawn from


@dataclass(frozen=True, slots=True)
class AssignmentBlock:
    """The documents [start, stop): their counts by word, and what topics these hold."""

    start: int
    stop: int
    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, rising
    position: Int32s  # (nnz,) place by word of each count by document
    mass: Masses  # (nnz,) by word: of one share
    topic: UInt16s  # (nnz, SLOTS) by word
    share: UInt8s  # (nnz, SLOTS) by word; all 0 before the first visit


@dataclass(slots=True)
class Assignments:
    """q(z) of every count, and its sums.

    Attributes
    ----------
    counts : Counts
    blocks : tuple of Block
    N : array of shape (U, Kp)
        n_wk in whole units of mass.
    totals : array of shape (Kp,)
        n_k, likewise.
    unit : float
        Units of mass in a token.
    """

    counts: Counts
    blocks: tuple[AssignmentBlock, ...]
    N: Masses
    totals: Doubles
    unit: float

    @property
    def units(self) -> float:
        """Mass of all counts together, weights included."""
        return float(SHARES * sum(block.mass.sum(dtype=np.float64) for block in self.blocks))

    def tokens(self, out: Floats) -> None:
        """n_wk in tokens, of shape (U, Kp)."""
        np.multiply(self.N, 1 / self.unit, out=out, casting="same_kind")


def uninitialised_assignments(counts: Counts, weight: Floats | None, n_topics: int) -> Assignments:
    """Counts that no topic holds yet: the first visit deals them out."""
    dtype = counts.values.dtype
    by_word = counts.values if weight is None else counts.values * np.repeat(weight, np.diff(counts.indptr))
    largest = np.bincount(counts.indices, by_word, minlength=1).max(initial=1.0)
    whole = weight is None and not np.any(counts.values % 1)
    # As fine as the largest word leaves room for; whole counts need no fraction of a token.
    scale = 2.0 ** np.floor(np.log2(LARGEST[dtype] / SHARES / largest))
    scale = min(scale, 1.0) if whole else scale
    mass_type = np.int32 if dtype == np.float32 else np.float64
    most = int(np.clip(len(counts.indices) // BLOCKS, LEAST_COUNTS, MOST_COUNTS))
    masses = np.maximum(np.rint(by_word * scale), 1).astype(mass_type)
    blocks = tuple(_cut_block(counts, masses, *edges) for edges in even_ranges(counts.indptr, 0, counts.n_docs, most))
    width = padded(n_topics)
    N = aligned_masses((len(counts.words), width), mass_type)
    return Assignments(counts, blocks, N, np.zeros(width), scale * SHARES)


def aligned_masses(shape: tuple[int, ...], dtype: DTypeLike) -> Masses:
    """Zeros of the type of masses, as `aligned_zeros` gives them."""
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
    """Priors and n_k as the compiled visit reads them: in shares and in units of mass, rows padded."""

    eta: Floats  # (1 or U, 1 or Kp)
    eta_totals: Doubles  # (K,)
    alpha: Floats  # (Kp,)
    alpha_total: float

    def of_totals(self, totals: Doubles) -> tuple[Floats, Floats]:
        """n_k + η_k and its inverse, 0 in the padding; each of shape (Kp,)."""
        K = len(self.eta_totals)
        sums, inverse = (
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
        )
        sums[:K] = totals[:K] + self.eta_totals
        inverse[:K] = 1 / sums[:K]
        return sums, inverse


def kernel_priors(state: Assignments, priors: Priors) -> KernelPriors:
    """The parts of a visit that last for a pass."""
    dtype, width, K = state.counts.values.dtype, state.N.shape[1], priors.n_topics
    rows = priors.eta_rows(state.counts.words)
    eta = np.zeros((len(rows), 1 if rows.shape[1] == 1 else width), dtype)
    eta[:, : rows.shape[1]] = rows * state.unit
    alpha = aligned_zeros((width,), dtype)
    alpha[:K] = priors.alpha * SHARES
    return KernelPriors(eta, priors.eta_totals(state.counts.n_words) * state.unit, alpha, float(priors.alpha.sum()))


def update_assignments(
    state: Assignments, priors: Priors, workers: Workers, *, seed: int, min_share: float = MIN_SHARE
) -> Doubles:
    """One pass: every count is assigned anew, `state` changes in place. Equations (31) to (33).

    Parameters
    ----------
    seed : int
        Of this pass: each count draws bits of its own from it and from its place.
    kept_above : float
        τ of (32).

    Returns
    -------
    log_predictive : array of shape (D,)
        Σ_w n_dw log p(w | what all other counts hold), of each document. Equation (34).
    """
    counts, width = state.counts, state.N.shape[1]
    field, log_predictive = kernel_priors(state, priors), np.zeros(counts.n_docs)
    most = max((len(block.position) for block in state.blocks), default=0)
    new = np.empty((most, SLOTS), np.uint16), np.empty((most, SLOTS), np.uint8)
    pieces = 1 if workers.n_threads == 1 else 4 * workers.n_threads
    for block in state.blocks:
        sums = field.of_totals(state.totals)

        def visit(edges: tuple[int, int], block: AssignmentBlock = block, sums: tuple[Floats, Floats] = sums) -> None:
            scratch = aligned_zeros((VISIT_ROWS * width,), counts.values.dtype)
            _estep.visit_collapsed(
                counts.indptr,
                counts.indices,
                counts.values,
                block.position,
                block.mass,
                state.N,
                field.eta,
                field.alpha,
                *sums,
                block.topic,
                block.share,
                *new,
                log_predictive,
                scratch,
                seed,
                priors.n_topics,
                field.alpha_total,
                min_share,
                block.start,
                0,
                *edges,
            )

        def reassign(edges: tuple[int, int], block: AssignmentBlock = block) -> Doubles:
            change = np.zeros(width)
            own = block.word_ptr, block.word_row, block.mass, block.topic, block.share
            _estep.reassign_words(*own, *new, state.N, change, *edges)
            return change

        per_call = len(block.position) // pieces + 1
        workers.run(visit, even_ranges(counts.indptr, block.start, block.stop, per_call))
        for change in workers.run(reassign, even_ranges(block.word_ptr, 0, len(block.word_row), per_call)):
            state.totals += change
    return log_predictive


def rounded_word_counts(state: Assignments, workers: Workers, *, seed: int) -> dirichlet_priors.GroupedCounts:
    """How many words each topic holds once, twice, …: n_wk rounded up or down at random, such that its mean stays.

    No sampling is needed: what tokens of a word have in common across documents is all in n_wk, unlike in n_dk.
    """

    def rounded(first: int) -> tuple[Int64s, Int64s, Int64s]:
        rows = state.N[first : first + ROWS_AT_ONCE]
        held = np.nonzero(rows)
        up_to = random_bits_24(seed, first * rows.shape[1], len(held[0])) / 2.0**24
        whole = np.floor(rows[held] / state.unit + up_to).astype(np.int64)
        return *np.unique(whole, return_counts=True), np.bincount(held[1], whole, minlength=rows.shape[1]).astype(
            np.int64
        )

    firsts = range(0, max(1, len(state.N)), ROWS_AT_ONCE)  # one at least, also where no word occurs
    values, times, totals = zip(*workers.run(rounded, firsts), strict=True)
    return dirichlet_priors.group_values(np.concatenate(values), np.concatenate(times), np.sum(totals, axis=0))


class TopicSample(NamedTuple):
    """Some documents, token by token, with a topic drawn for each."""

    documents: Int64s  # (docs,) which documents
    document: Int64s  # (tokens,) of each token, from 0
    word: Int64s  # (tokens,)
    topic: Int64s  # (tokens,)


def _topics_by_share(state: Assignments, at: Int64s, count: Int64s, seed: int) -> UInt16s:
    """A topic for each token of the counts `at`, in proportion to its count's shares; `count` says which one it is of."""
    topic, share = np.empty((len(at), SLOTS), np.uint16), np.empty((len(at), SLOTS), np.int64)
    for block in state.blocks:
        first, last = state.counts.indptr[[block.start, block.stop]]
        inside = slice(*np.searchsorted(at, [first, last]))
        place = block.position[at[inside] - first]
        topic[inside], share[inside] = block.topic[place], block.share[place]
    drawn = random_bits_24(seed, 0, len(count)) % np.uint64(SHARES)
    slot = (share.cumsum(axis=1)[count] <= drawn.astype(np.int64)[:, None]).sum(axis=1)
    picked: UInt16s = topic[count, np.minimum(slot, SLOTS - 1)]
    return picked


def sample_topics(state: Assignments, priors: Priors, *, first: int, step: int, seed: int) -> TopicSample:
    """Draw a topic for every token of every `step`-th document by Gibbs sampling, n_wk and n_k being what they are.

    The shares of a count would not do in place of draws: they say nothing of how the topics of a document's tokens go
    together, and priors learned from them come out too even. They are where the sampling starts.
    """
    counts, dtype, width = state.counts, state.counts.values.dtype, state.N.shape[1]
    documents = np.arange(first % step, counts.n_docs, step)
    lengths = np.diff(counts.indptr)[documents]
    at = np.arange(lengths.sum()) + np.repeat(counts.indptr[documents] - np.cumsum(lengths) + lengths, lengths)
    times = np.rint(counts.values[at]).astype(np.int64)
    word, document = (
        np.repeat(counts.indices[at], times),
        np.repeat(np.repeat(np.arange(len(documents)), lengths), times),
    )
    n_tokens = len(word)
    indptr = np.append(0, np.cumsum(np.bincount(document, minlength=len(documents)))).astype(np.int64)
    now = np.zeros((n_tokens, SLOTS), np.uint16), np.zeros((n_tokens, SLOTS), np.uint8)
    now[0][:, 0], now[1][:, 0] = _topics_by_share(state, at, np.repeat(np.arange(len(at)), times), seed), SHARES
    new = now[0].copy(), now[1].copy()
    field = kernel_priors(state, priors)
    sums = field.of_totals(state.totals)
    for sweep in range(SAMPLING_SWEEPS):
        _estep.visit_collapsed(
            indptr,
            word,
            np.ones(n_tokens, dtype),
            np.arange(n_tokens, dtype=np.int32),
            np.zeros(n_tokens, state.N.dtype),
            state.N,
            field.eta,
            field.alpha,
            *sums,
            *now,
            *new,
            np.zeros(len(documents)),
            aligned_zeros((VISIT_ROWS * width,), dtype),
            seed + sweep,
            priors.n_topics,
            field.alpha_total,
            DRAW_ALL,
            0,
            0,
            0,
            len(documents),
        )
        now, new = new, now
    return TopicSample(documents, document, word.astype(np.int64), now[0][:, 0].astype(np.int64))
