"""Assignments of counts to topics in collapsed inference, and their sums. Equation (18.1).

    corpus ── one part in memory, a part per batch otherwise ──► parts
    part   ── split into about equal numbers of counts ──► blocks, each with its counts also in the order of their words

The responsibilities of a count are fixed-point numbers: it has SHARES shares, assigned to at most SLOTS topics. The
mass of a share is the count in whole units, so n_wk and n_k are exact after any number of additions and subtractions.
Between passes, the assignments of batches are on disk. Their blocks are made again in every pass: sorting takes a tenth
of the time of a pass, and the blocks would double the size of the file.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ldavi._core.documents import WHOLE_BATCHES, Documents, DocumentSource
from ldavi._core.records import Counts, aligned_zeros, padded
from ldavi._core.saved_arrays import checked_part
from ldavi._core.spill_file import ArrayStore, array_store
from ldavi._core.threads import even_ranges
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s, Masses, UInt8s, UInt16s
from ldavi._estep import SHARES, SLOTS
from ldavi._inference.e_step import order_by_word
from ldavi._inference.parts import Parts
from ldavi._inference.sparse_rows import SparseRows, empty_rows

BLOCKS = 32  # per pass; a document does not see the reassignments of the other documents of its block
MIN_COUNTS, MAX_COUNTS = 2**11, 2**17  # stored counts per block
LARGEST_MASS = {np.dtype(np.float32): 2.0**30, np.dtype(np.float64): 2.0**52}  # maximum mass of a word in one topic
LARGEST_TOTAL = 2.0**52  # maximum mass of all words: up to there, sums in double precision are exact in any order
MASS_TYPE: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float32): np.dtype(np.int32),
    np.dtype(np.float64): np.dtype(np.float64),
}
SPARSE_TOPICS = 768  # from so many topics on, rows of n_wk are sparse; a pass with fewer is faster if they are dense
TOKENS_PER_COUNT = 2**6  # of a document, on average: a longer one is thinned before its topics are sampled


class CountBlock(NamedTuple):
    """The documents [start, stop) of a part, and their counts by word."""

    start: int
    stop: int
    counts: slice  # the stored counts of these documents, among those of the part
    word_ptr: Int64s  # (words + 1,)
    word_row: Int32s  # (words,) local words that occur, ascending
    position: Int32s  # (nnz,) place by word of each count by document
    mass: Masses  # (nnz,) mass of one share, by word


class BlockedDocuments(NamedTuple):
    """The documents of a part, in blocks."""

    documents: Documents
    blocks: tuple[CountBlock, ...]


@dataclass(frozen=True, slots=True)
class AssignedPart:
    """Consecutive documents of a corpus, and the topics that their counts are assigned to.

    Attributes
    ----------
    number : int
    documents : Documents
    blocks : tuple of CountBlock
    topic, share : array of shape (nnz, SLOTS)
        By word within each block. All shares are 0 before the first pass.
    first_doc, first_count : int
        The documents and the stored counts of earlier parts.
    """

    number: int
    documents: Documents
    blocks: tuple[CountBlock, ...]
    topic: UInt16s
    share: UInt8s
    first_doc: int
    first_count: int


@dataclass(slots=True)
class Assignments:
    """q(z) of every count, part by part, and its sums.

    Attributes
    ----------
    vocabulary : Counts
        The words that occur; its counts may be missing.
    blocked : iterable of BlockedDocuments
    topic, share : ArrayStore
        The arrays of each part whose counts have been assigned.
    N : array of shape (U, Kp)
        n_wk in units of mass, whole numbers; of shape (0, Kp) while `sparse` has them.
    totals : array of shape (Kp,)
        n_k in units of mass.
    n_tokens : float
        Σ_d ω_d n_dw of all words; at least 1.
    unit : float
        Units of mass per token.
    max_sampled : float
        How many tokens of the corpus are sampled at most. Equation (19.2).
    word_counts : array of shape (U,) or None
        Stored counts of each word; None if n_wk is always dense.
    sparse : SparseRows or None
        n_wk of many topics.
    first_doc, first_count : int
        The documents and the stored counts of the corpus that precede the first part.
    """

    vocabulary: Counts
    blocked: Iterable[BlockedDocuments]
    topic: ArrayStore
    share: ArrayStore
    N: Masses
    totals: Doubles
    n_tokens: float
    unit: float
    max_sampled: float
    word_counts: Int64s | None = None
    sparse: SparseRows | None = None
    first_doc: int = 0
    first_count: int = 0

    @property
    def width(self) -> int:
        """Kp, the number of topics, padded."""
        return len(self.totals)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the computation."""
        return self.vocabulary.values.dtype

    @property
    def units(self) -> float:
        """Mass of all counts, weights included, before it is rounded to whole units."""
        return self.n_tokens * self.unit

    def parts(self) -> Iterator[AssignedPart]:
        """Yield all parts in order; changes of their arrays last if they are stored."""
        first_doc, first_count = self.first_doc, self.first_count
        for number, (documents, blocks) in enumerate(self.blocked):
            nnz = len(documents.counts.indices)
            topic = _stored_or_zeros("topic", self.topic, number, nnz, np.uint16)
            share = _stored_or_zeros("share", self.share, number, nnz, np.uint8)
            yield AssignedPart(number, documents, blocks, topic, share, first_doc, first_count)
            first_doc, first_count = first_doc + documents.n_docs, first_count + nnz

    def store(self, part: AssignedPart) -> None:
        """Store the assignments of a part."""
        self.topic.store(part.number, part.topic)
        self.share.store(part.number, part.share)

    def make_dense(self) -> None:
        """Store n_wk, which must be 0, as a dense array: where every word has mass in most topics."""
        if self.sparse is not None:
            self.N, self.sparse = aligned_masses((len(self.sparse), self.width), self.N.dtype), None

    def make_sparse(self) -> None:
        """Store n_wk as sparse rows if topics are many."""
        if self.width < SPARSE_TOPICS or self.sparse is not None or self.word_counts is None:
            return
        rows = empty_rows(self.word_counts, self.width, self.N.dtype)
        rows.set_rows(0, self.N)
        self.N, self.sparse = self.N[:0].copy(), rows

    def close(self) -> None:
        """Release the disk space of the assignments."""
        self.topic.close()
        self.share.close()


def _stored_or_zeros(name: str, store: ArrayStore, number: int, nnz: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return the array that was stored for a part, if there is one, and else zeros."""
    shape = nnz, SLOTS
    return checked_part(name, store.load(number), shape) if number < len(store) else np.zeros(shape, dtype)


def uninitialised_assignments(documents: DocumentSource, n_topics: int) -> Assignments:
    """Return assignments before the first pass, which no topic has a share of yet."""
    sums, in_memory, dtype = _corpus_sums(documents), isinstance(documents, Documents), documents.dtype
    scale, width, vocabulary = mass_scale(sums, dtype), padded(n_topics), documents.vocabulary
    is_sparse, dtype_of_masses = width >= SPARSE_TOPICS, MASS_TYPE[dtype]
    return Assignments(
        vocabulary,
        Parts(documents, WHOLE_BATCHES, lambda part: in_blocks(part, scale)),
        array_store(in_memory=in_memory),
        array_store(in_memory=in_memory),
        aligned_masses((0 if is_sparse else len(vocabulary.words), width), dtype_of_masses),
        np.zeros(width),
        scale.n_tokens,
        scale.unit,
        scale.max_sampled,
        sums.word_counts,
        empty_rows(sums.word_counts, width, dtype_of_masses) if is_sparse else None,
    )


def aligned_masses(shape: tuple[int, ...], dtype: DTypeLike) -> Masses:
    """Return aligned zeros in the dtype of masses."""
    return aligned_zeros(shape, dtype)  # type: ignore[return-value]  # int32 is laid out like any other


class CorpusSums(NamedTuple):
    """What the unit of mass, the blocks and the sample for α depend on.

    Attributes
    ----------
    n_counts : int
        Stored counts.
    n_tokens : float
        Σ_d ω_d n_dw of all words.
    by_word : array of shape (U,)
        Σ_d ω_d n_dw of each word.
    is_whole : bool
        Whether all counts are whole and no document has a weight.
    max_sampled : float
    word_counts : array of shape (U,)
        See `Assignments`.
    """

    n_counts: int
    n_tokens: float
    by_word: Doubles
    is_whole: bool
    max_sampled: float
    word_counts: Int64s


class MassScale(NamedTuple):
    """Units of mass and the size of blocks, which depend on the whole corpus.

    Attributes
    ----------
    per_share : float
        Units of mass of one share of a token.
    max_counts : int
        Stored counts of a block, about.
    n_tokens : float
        At least 1.
    max_sampled : float
        See `Assignments`.
    """

    per_share: float
    max_counts: int
    n_tokens: float
    max_sampled: float

    @property
    def unit(self) -> float:
        """Units of mass per token."""
        return self.per_share * SHARES


def _corpus_sums(documents: DocumentSource) -> CorpusSums:
    with closing(documents.parts(WHOLE_BATCHES)) as parts:
        n_words = len(documents.vocabulary.words)
        none = CorpusSums(0, 0.0, np.zeros(n_words), True, 0.0, np.zeros(n_words, np.int64))
        return reduce(added_sums, (sums_of_part(part) for part in parts), none)


def sums_of_part(part: Documents) -> CorpusSums:
    """Return the sums over the documents of a part."""
    counts, values = part.counts, _weighted_values(part)
    return CorpusSums(
        len(counts.indices),
        float(values.sum(dtype=np.float64)),
        np.bincount(counts.indices, values, minlength=len(counts.words)).astype(np.float64),
        part.weight is None and not np.any(counts.values % 1),
        float(max_sampled_tokens(counts).sum()),
        np.bincount(counts.indices, minlength=len(counts.words)),
    )


def added_sums(one: CorpusSums, other: CorpusSums) -> CorpusSums:
    """Return the sums over two parts, whose words have the same numbers."""
    return CorpusSums(
        one.n_counts + other.n_counts,
        one.n_tokens + other.n_tokens,
        one.by_word + other.by_word,
        one.is_whole and other.is_whole,
        one.max_sampled + other.max_sampled,
        one.word_counts + other.word_counts,
    )


def mass_scale(sums: CorpusSums, dtype: np.dtype[Any]) -> MassScale:
    """Return the finest unit of mass that words and their total leave room for; whole counts need no fraction of it."""
    n_tokens = max(sums.n_tokens, 1.0)
    room = min(LARGEST_MASS[dtype] / float(sums.by_word.max(initial=1.0)), LARGEST_TOTAL / n_tokens)
    scale = 2.0 ** np.floor(np.log2(room / SHARES))
    scale = min(scale, 1.0) if sums.is_whole else scale
    max_counts = int(np.clip(sums.n_counts // BLOCKS, MIN_COUNTS, MAX_COUNTS))
    return MassScale(scale, max_counts, n_tokens, sums.max_sampled)


def max_sampled_tokens(counts: Counts) -> Doubles:
    """Return how many tokens of each document are sampled at most, of shape (D,). Equation (19.2)."""
    limited: Doubles = np.minimum(counts.doc_tokens, TOKENS_PER_COUNT * np.diff(counts.indptr))
    return limited


def _weighted_values(documents: Documents) -> Floats:
    """Return ω_d n_dw of the stored counts."""
    counts, weight = documents
    return counts.values if weight is None else counts.values * np.repeat(weight, np.diff(counts.indptr))


def in_blocks(documents: Documents, scale: MassScale) -> BlockedDocuments:
    """Return a part in blocks."""
    counts = documents.counts
    masses = np.maximum(np.rint(_weighted_values(documents) * scale.per_share), 1).astype(MASS_TYPE[documents.dtype])
    ranges = even_ranges(counts.indptr, 0, counts.n_docs, scale.max_counts)
    return BlockedDocuments(documents, tuple(_cut_block(counts, masses, *edges) for edges in ranges))


def _cut_block(counts: Counts, masses: Masses, start: int, stop: int) -> CountBlock:
    by_word, at = order_by_word(counts.documents(start, stop)), slice(*counts.indptr[[start, stop]].tolist())
    return CountBlock(start, stop, at, by_word.word_ptr, by_word.word_row, by_word.position, masses[at][by_word.origin])
