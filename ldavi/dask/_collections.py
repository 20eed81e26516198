"""Dask collections as documents: lazy blocks, and functions that read a block on its worker."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._estimator import validation as check
from ldavi._inference.topic_shards import CorpusLayout
from ldavi._inference.vb_distributed import PartArrays, prepare_part

HOW_TO_COUNT = (
    "count their words first: texts.map_partitions(lambda part: [counter.transform(list(part))]) with a fitted "
    "ldavi.io.WordCounter makes a bag of sparse matrices (of a column: frame['text'].to_bag()). Dicts in a column "
    "have become texts unless dask.config.set({'dataframe.convert-string': False})"
)


class LazyBlocks(NamedTuple):
    """A collection of documents, divided into blocks.

    Attributes
    ----------
    blocks : list of Delayed
    n_docs : list of int or nan
        The number of documents of each block; NaN if the collection does not know it.
    n_words : int or None
        The number of columns, if the collection knows it.
    """

    blocks: list[Any]
    n_docs: list[float]
    n_words: int | None


class BlockSummary(NamedTuple):
    """Sizes of a block, from which a fit determines the sizes of the corpus; documents of weight 0 are left out.

    Attributes
    ----------
    n_docs : int
    tokens : float
        Σ ω_d N_d.
    total_weight : float
        Σ ω_d.
    dtype : str
    n_words : int
        The number of columns.
    grows : bool
        Whether other blocks may have more columns, because the items of the block have no width.
    words, frequency : array of shape (words,)
        The columns that occur, and the number of documents that contain each.
    is_normalised : bool
        Whether the rows look normalised.
    """

    n_docs: int
    tokens: float
    total_weight: float
    dtype: str
    n_words: int
    grows: bool
    words: Int64s
    frequency: Int64s
    is_normalised: bool


class CountsBlock(NamedTuple):
    """The counts of a block as arrays; `grows` as in `BlockSummary`."""

    data: Floats
    indices: Any
    indptr: Any
    n_words: int
    grows: bool

    @property
    def matrix(self) -> sparse.csr_array:
        return sparse.csr_array((self.data, self.indices, self.indptr), shape=(len(self.indptr) - 1, self.n_words))


def is_collection(X: Any) -> bool:
    """Return whether X is a Dask collection."""
    from dask.base import is_dask_collection

    return bool(is_dask_collection(X))


def lazy_blocks(X: Any) -> LazyBlocks:
    """Return the blocks of a Dask array, bag or Series.

    Raises
    ------
    TypeError
        If X is something else.
    ValueError
        If an array is not two-dimensional, or is divided between columns.
    """
    if not is_collection(X):
        msg = (
            f"X is a {type(X).__name__}; ldavi.dask learns from a Dask array, bag or Series. "
            "For documents in memory use ldavi.LatentDirichletAllocation"
        )
        raise TypeError(msg)
    if hasattr(X, "numblocks"):
        if X.ndim != 2:
            raise ValueError(f"X has {X.ndim} dimensions; it must have 2, documents × words")
        if X.numblocks[1] != 1:
            msg = f"X is divided into {X.numblocks[1]} chunks of columns; it must have one: use X.rechunk({{1: -1}})"
            raise ValueError(msg)
        width = X.shape[1]
        return LazyBlocks(list(X.to_delayed().ravel()), list(X.chunks[0]), None if np.isnan(width) else int(width))
    if getattr(X, "ndim", 1) != 1 or not hasattr(X, "to_delayed") or not hasattr(X, "npartitions"):
        msg = (
            f"X is a {type(X).__name__}; pass a Dask array, a bag, or one column of a DataFrame, as in frame['counts']"
        )
        raise TypeError(msg)
    blocks = list(X.to_delayed())
    return LazyBlocks(blocks, [float("nan")] * len(blocks), None)


def read_block(block: Any, number: int, dtype: DTypeLike | None) -> CountsBlock:
    """Return the checked counts of a block; error messages start with the number of the block."""
    try:
        matrix, grows = matrix_of(block)
        if 0 in matrix.shape:
            matrix = sparse.csr_array(matrix.shape, dtype=dtype or np.float32)
        else:
            matrix = check.check_counts(matrix, dtype=dtype, name="LatentDirichletAllocation")
    except (TypeError, ValueError) as error:
        raise type(error)(f"block {number} of X: {error}") from error
    return CountsBlock(matrix.data, matrix.indices, matrix.indptr, matrix.shape[1], grows)


def matrix_of(block: Any) -> tuple[Any, bool]:
    """Return the matrix of a block, documents × words, and whether other blocks may have more columns."""
    if not isinstance(block, list | tuple | Iterator) and not hasattr(block, "items"):
        return (block.tocsr() if hasattr(block, "tocsr") else block), False
    rows = list(block)
    if all(sparse.issparse(row) for row in rows) and rows:
        widths = {row.shape[-1] for row in rows}
        if len(widths) > 1:
            raise ValueError(f"its matrices have {sorted(widths)} columns; all must have the same")
        return sparse.vstack(
            [sparse.csr_array(row if row.ndim == 2 else row.reshape(1, -1)) for row in rows], "csr"
        ), False
    if all(isinstance(row, Mapping) for row in rows):
        return _from_mappings(rows), True
    first = next(row for row in rows if not isinstance(row, Mapping))
    if isinstance(first, str | bytes):
        raise TypeError(f"it holds texts, as {first[:20]!r}; {HOW_TO_COUNT}")
    raise TypeError(f"it holds a {type(first).__name__}; a document must be a sparse row or a dict {{column: count}}")


def _from_mappings(rows: Sequence[Mapping[Any, Any]]) -> sparse.csr_array:
    indptr = np.append(0, np.cumsum([len(row) for row in rows]))
    columns = np.array([column for row in rows for column in row])
    if len(columns) and (columns.dtype.kind not in "iu" or columns.min() < 0):
        raise ValueError(f"a document has the column {columns.min()}; columns are numbers from 0 on")
    counts = np.array([count for row in rows for count in row.values()])
    width = int(columns.max(initial=-1)) + 1
    return sparse.csr_array((counts, columns.astype(np.int64), indptr), shape=(len(rows), width))


def n_docs_of(block: CountsBlock) -> int:
    """Return the number of documents of a block."""
    return len(block.indptr) - 1


def summarise(block: CountsBlock, weight: Floats | None) -> BlockSummary:
    """Return the sizes of a block and the words in it."""
    matrix, weight = _with_weight(block, weight)
    tokens = np.asarray(matrix.sum(axis=1), np.float64)
    words, frequency = np.unique(matrix.indices, return_counts=True)
    n_docs, total = matrix.shape[0], float(tokens.sum() if weight is None else tokens @ weight)
    return BlockSummary(
        n_docs,
        total,
        float(n_docs if weight is None else weight.sum(dtype=np.float64)),
        matrix.dtype.name,
        block.n_words,
        block.grows,
        words.astype(np.int64),
        frequency,
        check.is_normalised(matrix),
    )


def part_of(block: CountsBlock, weight: Floats | None, layout: CorpusLayout, n_topics: int, dtype: str) -> PartArrays:
    """Prepare a block for the E-step."""
    matrix, weight = _with_weight(block, weight)
    weight = None if weight is None else weight.astype(dtype)
    return prepare_part(check.to_counts(matrix), weight, layout, n_topics, dtype)


def _with_weight(block: CountsBlock, weight: Floats | None) -> tuple[sparse.csr_array, Floats | None]:
    """Return the documents of a block with a weight above zero."""
    matrix = block.matrix
    if weight is None or weight.all():
        return matrix, weight
    return matrix[np.flatnonzero(weight)], weight[weight > 0]


def n_words_of(summaries: Sequence[BlockSummary], known: int | None) -> int:
    """Return V, on which all blocks must agree.

    Raises
    ------
    ValueError
        If they do not.
    """
    fixed = {summary.n_words for summary in summaries if not summary.grows} | ({known} if known is not None else set())
    if len(fixed) > 1:
        raise ValueError(f"blocks of X have {sorted(fixed)} columns; all must have the same")
    widest = max((summary.n_words for summary in summaries), default=0)
    n_words = fixed.pop() if fixed else widest
    if n_words < max(widest, 1):
        raise ValueError(
            f"X has {n_words} columns, and a block one numbered {widest - 1}; there must be at least one column"
        )
    return n_words


def layout_of(summaries: Sequence[BlockSummary], n_words: int, eta: Doubles) -> CorpusLayout:
    """Return the words that occur, most frequent first, in the order of `Counts.compact`."""
    frequency = np.zeros(n_words, np.int64)
    for summary in summaries:
        frequency[summary.words] += summary.frequency
    present = np.flatnonzero(frequency)
    return CorpusLayout(present[np.argsort(-frequency[present], kind="stable")], n_words, eta)
