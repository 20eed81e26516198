"""The E-step over many documents: blocks, threads, statistics by words. Equations (11.1), (11.2).

    counts ── split into about equal numbers ──► blocks, each with its counts also in the order of their words
    for each wave of blocks:
        1. documents: each thread updates ranges of them; results are γ, the ratios r_dw and the factors e_dk
        2. words:     each thread owns ranges of them; S_w += B_w ∘ Σ_d r_dw e_dk
    documents whose weights underflowed are repeated in log space, in order

Symbols are those of docs/glossary.md. CVB0 has no E-step: see `cvb0_pass.update_assignments`.

The result of a document depends on that document alone, and each row of S has one writer and one order of summation.
Blocks do not depend on the number of threads, so the bits do not either. No thread needs a (K, V) array of its own.
"""

import itertools
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import _estep
from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Topics, aligned_zeros, padded
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import e_step_log_space

BLOCK_BYTES = 2**21  # of factors e_dk in a block: step 2 reads them at random, so they should fit in the L2 cache
BLOCK_COUNTS = 2**18  # maximum number of stored counts in a block
WAVE_BYTES = 2**25  # maximum size of the factors of a wave, if several threads work
CALL_WORK = 2**28  # entries of B that one compiled call reads: some tens of milliseconds, so that Ctrl-C is handled


class DocumentBlock(NamedTuple):
    """The documents [start, stop) of some counts, and the place of each count in the order of their words."""

    start: int
    stop: int
    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, ascending
    doc: Int32s  # (nnz,) document of each count, from 0 at `start`, by word
    position: Int32s  # (nnz,) place by word of each count by document


class Part(NamedTuple):
    """Some documents in blocks for the E-step.

    Attributes
    ----------
    documents : Documents
    blocks : tuple of DocumentBlock
    rows : array of shape (words,) or slice
        The rows of λ and of the statistics that belong to the words of the documents.
    """

    documents: Documents
    blocks: tuple[DocumentBlock, ...]
    rows: Int64s | slice


class EStepSettings(NamedTuple):
    """Settings of an E-step.

    Attributes
    ----------
    max_inner_iter : int
        Maximum number of inner iterations per document.
    tol : float
        A document has converged when Σ_k |Δγ_dk| ≤ tol · N_d. Equation (14.1).
    cold_start : bool
        Whether each document starts at γ_dk = α_k + N_d / K instead of at its present γ. Equation (15.1).
    extrapolate : bool
        Whether every other inner iteration extrapolates γ (Aitken): faster convergence, but the bound may fall in
        between. Equation (14.2).
    with_bound : bool
        Whether the terms of the bound are computed.
    """

    max_inner_iter: int
    tol: float
    cold_start: bool = True
    extrapolate: bool = True
    with_bound: bool = True


class EStepResult(NamedTuple):
    """What an E-step returns besides γ and S, which it changes in place.

    Attributes
    ----------
    n_inner_iter : array of shape (D,)
    bound : array of shape (D, 2) or None
        See `ldavi._inference.elbo.document_terms`.
    underflowed : float
        Σ S ψ(λ) over the entries of S whose B is 0, which only documents repeated in log space have. The M-step leaves
        them out when it replaces the expected logarithms of the old topics by those of the new ones.
    """

    n_inner_iter: Int32s
    bound: Doubles | None
    underflowed: float = 0.0


def cut_blocks(counts: Counts, n_topics: int) -> tuple[DocumentBlock, ...]:
    """Divide documents into blocks with about equal numbers of stored counts, and sort each block's counts by word."""
    per_doc = max(1.0, len(counts.indices) / max(1, counts.n_docs))
    max_docs = BLOCK_BYTES / (padded(n_topics) * counts.values.dtype.itemsize)
    max_counts = int(min(BLOCK_COUNTS, max(1.0, max_docs) * per_doc))
    return tuple(_cut_block(counts, *edges) for edges in even_ranges(counts.indptr, 0, counts.n_docs, max_counts))


def _cut_block(counts: Counts, start: int, stop: int) -> DocumentBlock:
    by_word = order_by_word(counts.documents(start, stop))
    return DocumentBlock(start, stop, by_word.word_ptr, by_word.word_row, by_word.doc, by_word.position)


class ByWord(NamedTuple):
    """The counts of some documents in the order of their words."""

    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, ascending
    doc: Int32s  # (nnz,) document of each count, by word
    position: Int32s  # (nnz,) place by word of each count by document
    origin: Int32s  # (nnz,) the count by document at each place by word: the inverse of `position`


def order_by_word(part: Counts) -> ByWord:
    """Sort counts by word, with documents in order within a word."""
    nnz = len(part.indices)
    shape = (part.n_docs, len(part.words))
    sorted_ = sparse.csr_array((np.arange(nnz, dtype=np.int32), part.indices, part.indptr), shape=shape).tocsc()
    position = np.empty(nnz, np.int32)
    position[sorted_.data] = np.arange(nnz, dtype=np.int32)
    present = np.flatnonzero(np.diff(sorted_.indptr))
    word_ptr = np.append(sorted_.indptr[present], nnz).astype(np.int64)
    return ByWord(word_ptr, present.astype(np.int32), sorted_.indices.astype(np.int32), position, sorted_.data)


def update_documents(
    counts: Counts, topics: Topics, alpha: Doubles, gamma: Floats, settings: EStepSettings, workers: Workers
) -> EStepResult:
    """Update γ in place until convergence or the maximum of inner iterations: the E-step without statistics."""
    step = _EStep(Documents(counts, None), topics, alpha, gamma, settings)
    workers.run(step.update, step.ranges(0, counts.n_docs, workers.n_threads))
    step.repeat_in_log_space(None)
    return EStepResult(step.n_inner_iter, step.bound)


def e_step(
    part: Part,
    topics: Topics,
    alpha: Doubles,
    gamma: Floats,
    sstats: Floats,
    settings: EStepSettings,
    workers: Workers,
) -> EStepResult:
    """Update γ in place, and add the statistics Σ_d ω_d n_dw φ_dwk of the last inner iteration to `sstats`.

    Parameters
    ----------
    part : Part
    topics : Topics
        Of the words that `part.documents` are numbered by.
    alpha : array of shape (K,) or (D, K)
    gamma : array of shape (D, K)
    sstats : array of shape (U, Kp)
    settings : EStepSettings
    workers : Workers
    """
    step = _EStep(part.documents, topics, alpha, gamma, settings)
    waves = _waves(part.blocks, topics.B.shape[1] * topics.B.itemsize, workers.n_threads)
    buffers = _buffers(waves, topics.B)
    for wave in waves:
        in_flight = list(zip(wave, buffers, strict=False))
        documents = [
            (edges, *block_and_buffer)
            for block_and_buffer in in_flight
            for edges in step.ranges(block_and_buffer[0].start, block_and_buffer[0].stop, workers.n_threads)
        ]
        workers.run(lambda job: step.update(*job), documents)
        words = _word_ranges(wave, len(topics.B), workers.n_threads)
        workers.run(lambda job: _accumulate(in_flight, topics.B, sstats, *job), words)  # noqa: B023  ends before the next
    underflowed = step.repeat_in_log_space(sstats)
    return EStepResult(step.n_inner_iter, step.bound, underflowed)


class Buffer(NamedTuple):
    """What step 1 computes for step 2, for one block."""

    factor: Floats  # (documents, Kp) ω_d e_dk
    ratio: Floats  # (nnz,) r_dw by word


def _waves(blocks: Sequence[DocumentBlock], row_bytes: int, n_threads: int) -> list[list[DocumentBlock]]:
    """Group blocks that are processed together: one by one for one thread, else as many as WAVE_BYTES allows."""
    waves: list[list[DocumentBlock]] = []
    n_bytes = 0
    for block in blocks:
        size = (block.stop - block.start) * row_bytes
        if not waves or n_threads == 1 or n_bytes + size > WAVE_BYTES:
            waves.append([])
            n_bytes = 0
        waves[-1].append(block)
        n_bytes += size
    return waves


def _buffers(waves: Sequence[Sequence[DocumentBlock]], like: Floats) -> list[Buffer]:
    """Return a buffer for each place in a wave, large enough for the block at that place in every wave."""
    places = itertools.zip_longest(*waves)
    return [
        Buffer(
            aligned_zeros((max(b.stop - b.start for b in blocks if b), like.shape[1]), like.dtype),
            np.empty(max(len(b.doc) for b in blocks if b), like.dtype),
        )
        for blocks in places
    ]


def _word_ranges(wave: Sequence[DocumentBlock], n_words: int, n_threads: int) -> list[tuple[int, int]]:
    """Return ranges of words with about equal numbers of the wave's counts; the ranges do not affect the result."""
    if n_threads == 1:
        return [(0, n_words)]
    n_counts = np.zeros(n_words + 1, np.int64)
    for block in wave:
        n_counts[block.word_row + 1] += np.diff(block.word_ptr)
    cumulative = np.cumsum(n_counts)
    return even_ranges(cumulative, 0, n_words, int(cumulative[-1]) // (4 * n_threads) + 1)


def _accumulate(
    in_flight: Sequence[tuple[DocumentBlock, Buffer]], B: Floats, sstats: Floats, first: int, last: int
) -> None:
    """Add the statistics of the words [first, last), block after block."""
    for block, buffer in in_flight:
        start, stop = np.searchsorted(block.word_row, [first, last])
        _estep.accumulate_words(
            word_ptr=block.word_ptr,
            word_row=block.word_row,
            doc=block.doc,
            ratio=buffer.ratio,
            doc_factor=buffer.factor,
            B=B,
            sstats=sstats,
            start=start,
            stop=stop,
        )


class _EStep:
    """The arrays that all compiled calls of one E-step share."""

    def __init__(
        self, documents: Documents, topics: Topics, alpha: Doubles, gamma: Floats, settings: EStepSettings
    ) -> None:
        counts = documents.counts
        self.counts, self.doc_weight, self.topics, self.settings = counts, documents.weight, topics, settings
        self.alpha, self.gamma, self.max_words = alpha, gamma, counts.longest
        self.topic_weight, self.per_thread = topics.topic_weight, threading.local()
        rows = np.atleast_2d(alpha)
        self.padded_alpha = np.empty((len(rows), topics.B.shape[1]), topics.B.dtype)
        self.padded_alpha[:] = rows.min(axis=1, keepdims=True)  # below every γ
        self.padded_alpha[:, : rows.shape[1]] = rows
        self.n_inner_iter = np.zeros(counts.n_docs, np.int32)
        self.bound = np.zeros((counts.n_docs, 2)) if settings.with_bound else None

    def ranges(self, start: int, stop: int, n_threads: int) -> list[tuple[int, int]]:
        """Return ranges of documents for one call each; they do not affect the result."""
        indptr = self.counts.indptr
        max_counts = CALL_WORK // (self.topics.B.shape[1] * self.settings.max_inner_iter)
        if n_threads > 1:
            max_counts = min(max_counts, int(indptr[stop] - indptr[start]) // (4 * n_threads))
        return even_ranges(indptr, start, stop, max(max_counts, 1))

    def scratch(self) -> NDArray[np.uint8]:
        """Return the scratch memory of the calling thread."""
        if not hasattr(self.per_thread, "scratch"):
            size = _estep.scratch_size(self.max_words, self.topics.B.shape[1])
            self.per_thread.scratch = aligned_zeros((size // 8,), np.float64).view(np.uint8)
        scratch: NDArray[np.uint8] = self.per_thread.scratch
        return scratch

    def update(self, edges: tuple[int, int], block: DocumentBlock | None = None, buffer: Buffer | None = None) -> None:
        """Run the compiled E-step of the documents [edges); a block and its buffer collect what step 2 needs."""
        counts, topics, settings = self.counts, self.topics, self.settings
        _estep.update_documents(
            indptr=counts.indptr,
            indices=counts.indices,
            counts=counts.values,
            B=topics.B,
            log_scale=topics.log_scale,
            topic_weight=self.topic_weight,
            alpha=self.padded_alpha,
            gamma=self.gamma,
            n_inner_iter=self.n_inner_iter,
            bound=self.bound,
            position=block.position if block else None,
            doc_weight=self.doc_weight,
            doc_factor=buffer.factor if buffer else None,
            ratio=buffer.ratio if buffer else None,
            scratch=self.scratch(),
            first_doc=block.start if block else 0,
            start=edges[0],
            stop=edges[1],
            max_words=self.max_words,
            max_inner_iter=settings.max_inner_iter,
            tol=settings.tol,
            cold_start=settings.cold_start,
            extrapolate=settings.extrapolate,
            digamma_offset=topics.digamma_offset,
        )

    def repeat_in_log_space(self, sstats: Floats | None) -> float:
        """Repeat, in order, the documents that the compiled loop marked because their weights underflowed.

        Returns Σ S ψ(λ) over the entries of S whose B is 0.
        """
        counts, topics, underflowed = self.counts, self.topics, 0.0
        for d in np.flatnonzero(self.n_inner_iter < 0):
            at = slice(counts.indptr[d], counts.indptr[d + 1])
            words, values = counts.indices[at], counts.values[at]
            alpha = self.alpha if self.alpha.ndim == 1 else self.alpha[d]
            cold_gamma = alpha + values.sum(dtype=np.float64) / len(alpha)
            elog_beta = topics.expected_log(words)
            result = e_step_log_space.update_document(
                values.astype(np.float64),
                elog_beta,
                alpha,
                cold_gamma if self.settings.cold_start else self.gamma[d].astype(np.float64),
                max_inner_iter=self.settings.max_inner_iter,
                tol=self.settings.tol,
                log_norm_min=float(topics.log_norm.min()),
                digamma_offset=topics.digamma_offset,
            )
            self.gamma[d], self.n_inner_iter[d] = result.gamma, result.n_inner_iter
            if self.bound is not None:
                self.bound[d] = result.bound
            if sstats is not None:
                weight = 1.0 if self.doc_weight is None else self.doc_weight[d]
                S = weight * values[:, None] * result.phi
                sstats[words, : topics.n_topics] += S
                lost = (topics.B[words, : topics.n_topics] == 0) & (S > 0)
                underflowed += float(S[lost] @ (elog_beta + topics.log_norm)[lost])
        return underflowed
