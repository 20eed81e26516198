"""The E-step over many documents: blocks, threads, statistics by words. Equations (14), (15).

    counts ── cut by non-zeros ──► blocks, each with its counts also in the order of their words
    for each wave of blocks:
        1. documents: every thread visits ranges of them; out come γ, the ratios r_dw and the factors e_dk
        2. words:     every thread owns ranges of them; S_w += B_w ∘ Σ_d r_dw e_dk
    documents whose weights underflowed are done again in log space, in order

A document's result depends on it alone, and a word's row of S has one writer and one order of summation: the blocks do
not depend on the number of threads, so neither do the bits. No thread needs a (K, V) array of its own.
"""

import itertools
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import _estep
from ldavi._core.records import Counts, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import e_step_log_space

BLOCK_BYTES = 2**21  # of factors e_dk in a block, read at random in step 2: they should stay in the second-level cache
BLOCK_COUNTS = 2**18  # stored counts in a block, at most
WAVE_BYTES = 2**25  # of factors in flight when several threads work
DENSE_SWEEPS = False  # True: no topic is set aside between sweeps, for tests and benchmarks to compare with
GO_BEYOND = True  # False: sweeps and nothing else, likewise
CALL_WORK = 2**28  # entries of B read by one compiled call, at most: some tens of milliseconds, so that Ctrl-C is heard


class DocumentBlock(NamedTuple):
    """The documents [start, stop) of some counts, and where each count stands in the order of their words."""

    start: int
    stop: int
    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, rising
    doc: Int32s  # (nnz,) document of each count, from 0 at `start`, by word
    position: Int32s  # (nnz,) place by word of each count by document


class EStepResult(NamedTuple):
    """What a visit to documents returns besides γ and S, which it changes in place."""

    n_inner_iter: Int32s  # (D,)
    bound: Doubles | None  # (D, 2), see `ldavi._inference.elbo.document_terms`


def cut_blocks(counts: Counts, n_topics: int) -> tuple[DocumentBlock, ...]:
    """Cut documents into blocks of even non-zeros and order each block's counts by word."""
    per_doc = max(1.0, len(counts.indices) / max(1, counts.n_docs))
    fitting = BLOCK_BYTES / (padded(n_topics) * counts.values.dtype.itemsize)  # documents
    most = int(min(BLOCK_COUNTS, max(1.0, fitting) * per_doc))
    return tuple(_cut_block(counts, *edges) for edges in even_ranges(counts.indptr, 0, counts.n_docs, most))


def _cut_block(counts: Counts, start: int, stop: int) -> DocumentBlock:
    by_word = order_by_word(counts.documents(start, stop))
    return DocumentBlock(start, stop, by_word.word_ptr, by_word.word_row, by_word.doc, by_word.position)


class ByWord(NamedTuple):
    """The counts of some documents in the order of their words."""

    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, rising
    doc: Int32s  # (nnz,) document of each count, by word
    position: Int32s  # (nnz,) place by word of each count by document
    origin: Int32s  # (nnz,) which count by document stands in each place by word: the inverse of `position`


def order_by_word(part: Counts) -> ByWord:
    """Where each count stands once they are sorted by word, documents in order within a word."""
    nnz = len(part.indices)
    shape = (part.n_docs, len(part.words))
    sorted_ = sparse.csr_array((np.arange(nnz, dtype=np.int32), part.indices, part.indptr), shape=shape).tocsc()
    position = np.empty(nnz, np.int32)
    position[sorted_.data] = np.arange(nnz, dtype=np.int32)
    present = np.flatnonzero(np.diff(sorted_.indptr))
    word_ptr = np.append(sorted_.indptr[present], nnz).astype(np.int64)
    return ByWord(word_ptr, present.astype(np.int32), sorted_.indices.astype(np.int32), position, sorted_.data)


def update_documents(
    counts: Counts,
    topics: Topics,
    alpha: Doubles,
    gamma: Floats,
    *,
    max_inner_iter: int,
    tol: float,
    workers: Workers,
    cold_start: bool = False,
    with_bound: bool = False,
    extrapolate: bool = False,
) -> EStepResult:
    """Update γ in place until Σ|Δγ| ≤ tol·N_d or max_sweeps: the E-step without statistics.

    `afresh` starts each visit from γ_dk = α_k + N_d / K, every topic alike, instead of from `gamma`. Equation (26).
    `go_beyond` takes γ further than every other sweep takes it: sooner settled, and no promise that the bound rises on
    the way. Equation (43).
    """
    step = _Step(counts, topics, alpha, gamma, None, max_inner_iter, tol, cold_start, with_bound, extrapolate)
    workers.run(step.visit, step.ranges(0, counts.n_docs, workers.n_threads))
    step.finish_in_log_space(None)
    return EStepResult(step.n_inner_iter, step.bound)


def e_step(
    counts: Counts,
    blocks: Sequence[DocumentBlock],
    topics: Topics,
    alpha: Doubles,
    gamma: Floats,
    sstats: Floats,
    *,
    max_inner_iter: int,
    tol: float,
    workers: Workers,
    doc_weight: Floats | None = None,
    cold_start: bool = False,
    with_bound: bool = True,
    extrapolate: bool = False,
) -> EStepResult:
    """As `visit_documents`, and add the statistics of the last sweep's φ to `sstats`, of shape (U, Kp)."""
    step = _Step(counts, topics, alpha, gamma, doc_weight, max_inner_iter, tol, cold_start, with_bound, extrapolate)
    waves = _waves(blocks, topics.B.shape[1] * topics.B.itemsize, workers.n_threads)
    buffers = _buffers(waves, topics.B)
    for wave in waves:
        held = list(zip(wave, buffers, strict=False))
        documents = [
            (edges, *block_and_buffer)
            for block_and_buffer in held
            for edges in step.ranges(block_and_buffer[0].start, block_and_buffer[0].stop, workers.n_threads)
        ]
        workers.run(lambda job: step.visit(*job), documents)
        words = _word_ranges(wave, len(topics.B), workers.n_threads)
        workers.run(lambda job: _accumulate(held, topics.B, sstats, *job), words)  # noqa: B023  done before `held` changes
    step.finish_in_log_space(sstats)
    return EStepResult(step.n_inner_iter, step.bound)


class Buffer(NamedTuple):
    """What step 1 hands to step 2 for one block."""

    factor: Floats  # (documents, Kp) ω_d e_dk
    ratio: Floats  # (nnz,) r_dw by word


def _waves(blocks: Sequence[DocumentBlock], row_bytes: int, n_threads: int) -> list[list[DocumentBlock]]:
    """Blocks that are in flight together: one for one thread, else as many as WAVE_BYTES of factors allow."""
    waves: list[list[DocumentBlock]] = []
    held = 0
    for block in blocks:
        size = (block.stop - block.start) * row_bytes
        if not waves or n_threads == 1 or held + size > WAVE_BYTES:
            waves.append([])
            held = 0
        waves[-1].append(block)
        held += size
    return waves


def _buffers(waves: Sequence[Sequence[DocumentBlock]], like: Floats) -> list[Buffer]:
    """A buffer for each block of a wave, large enough for the block in that place of every wave."""
    places = itertools.zip_longest(*waves)
    return [
        Buffer(
            aligned_zeros((max(b.stop - b.start for b in blocks if b), like.shape[1]), like.dtype),
            np.empty(max(len(b.doc) for b in blocks if b), like.dtype),
        )
        for blocks in places
    ]


def _word_ranges(wave: Sequence[DocumentBlock], n_words: int, n_threads: int) -> list[tuple[int, int]]:
    """Ranges of words that hold about as many of the wave's counts each; where they lie changes no result."""
    if n_threads == 1:
        return [(0, n_words)]
    seen = np.zeros(n_words + 1, np.int64)
    for block in wave:
        seen[block.word_row + 1] += np.diff(block.word_ptr)
    cumulative = np.cumsum(seen)
    return even_ranges(cumulative, 0, n_words, int(cumulative[-1]) // (4 * n_threads) + 1)


def _accumulate(held: Sequence[tuple[DocumentBlock, Buffer]], B: Floats, sstats: Floats, first: int, last: int) -> None:
    """Add the statistics of the words [first, last), block after block."""
    for block, buffer in held:
        start, stop = np.searchsorted(block.word_row, [first, last])
        _estep.accumulate_words(
            block.word_ptr, block.word_row, block.doc, buffer.ratio, buffer.factor, B, sstats, start, stop
        )


class _Step:
    """The arrays that every call of one E-step shares."""

    def __init__(
        self,
        counts: Counts,
        topics: Topics,
        alpha: Doubles,
        gamma: Floats,
        doc_weight: Floats | None,
        max_inner_iter: int,
        tol: float,
        cold_start: bool,
        with_bound: bool,
        extrapolate: bool,
    ) -> None:
        self.counts, self.topics, self.alpha, self.gamma, self.doc_weight = counts, topics, alpha, gamma, doc_weight
        self.max_inner_iter, self.tol, self.cold_start, self.longest = max_inner_iter, tol, cold_start, counts.longest
        self.extrapolate = extrapolate and GO_BEYOND
        self.topic_weight, self.own = topics.topic_weight, threading.local()
        self.padded_alpha = np.full(topics.B.shape[1], alpha.min(), topics.B.dtype)  # below every γ
        self.padded_alpha[: len(alpha)] = alpha
        self.n_inner_iter = np.zeros(counts.n_docs, np.int32)
        self.bound = np.zeros((counts.n_docs, 2)) if with_bound else None

    def ranges(self, start: int, stop: int, n_threads: int) -> list[tuple[int, int]]:
        """Ranges of documents for one call each; where they lie changes no result."""
        indptr = self.counts.indptr
        most = CALL_WORK // (self.topics.B.shape[1] * self.max_inner_iter)
        if n_threads > 1:
            most = min(most, int(indptr[stop] - indptr[start]) // (4 * n_threads))
        return even_ranges(indptr, start, stop, max(most, 1))

    def scratch(self) -> NDArray[np.uint8]:
        """This thread's own."""
        if not hasattr(self.own, "scratch"):
            size = _estep.scratch_size(self.longest, self.topics.B.shape[1])
            self.own.scratch = aligned_zeros((size // 8,), np.float64).view(np.uint8)
        scratch: NDArray[np.uint8] = self.own.scratch
        return scratch

    def visit(self, edges: tuple[int, int], block: DocumentBlock | None = None, buffer: Buffer | None = None) -> None:
        counts, topics = self.counts, self.topics
        _estep.update_documents(
            counts.indptr,
            counts.indices,
            counts.values,
            topics.B,
            topics.log_scale,
            self.topic_weight,
            self.padded_alpha,
            self.gamma,
            self.n_inner_iter,
            self.bound,
            block.position if block else None,
            self.doc_weight,
            buffer.factor if buffer else None,
            buffer.ratio if buffer else None,
            self.scratch(),
            block.start if block else 0,
            *edges,
            self.longest,
            self.max_inner_iter,
            self.tol,
            self.cold_start,
            topics.offset,
            DENSE_SWEEPS,
            self.extrapolate,
        )

    def finish_in_log_space(self, sstats: Floats | None) -> None:
        """Visit again, in order, the documents that the compiled loop had to leave."""
        counts, topics = self.counts, self.topics
        for d in np.flatnonzero(self.n_inner_iter < 0):
            at = slice(counts.indptr[d], counts.indptr[d + 1])
            words, values = counts.indices[at], counts.values[at]
            visit = e_step_log_space.update_document(
                values.astype(np.float64),
                topics.expected_log(words),
                self.alpha,
                self.alpha + values.sum(dtype=np.float64) / len(self.alpha)
                if self.cold_start
                else self.gamma[d].astype(np.float64),
                max_inner_iter=self.max_inner_iter,
                tol=self.tol,
                log_norm_min=float(topics.log_norm.min()),
                offset=topics.offset,
            )
            self.gamma[d], self.n_inner_iter[d] = visit.gamma, visit.n_inner_iter
            if self.bound is not None:
                self.bound[d] = visit.bound
            if sstats is not None:
                weight = 1.0 if self.doc_weight is None else self.doc_weight[d]
                sstats[words, : topics.n_topics] += weight * values[:, None] * visit.phi
