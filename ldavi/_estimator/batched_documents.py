"""A corpus that is read in batches: each batch is checked when it is read, and only a few are in memory at once.

A source is an object that can be iterated over any number of times and yields matrices of counts, documents × words,
with the same columns: a list, `ldavi.io.open_counts`, `ldavi.io.read_batches` or an object of the user's own class.
"""

import copy
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ldavi._core.documents import WHOLE_BATCHES, Documents
from ldavi._core.prefetch import prefetch
from ldavi._core.records import Counts
from ldavi._core.typing import Int32s, Int64s
from ldavi._estimator import validation as check
from ldavi._estimator.settings import FitSettings, Parameters

AnyBatch = TypeVar("AnyBatch")
REFUSED = {
    "sample_weight": "leave it out, or repeat documents",
    "validation_fraction": "set it to None, and evaluate other documents with ldavi.metrics.document_completion",
}


class Totals(NamedTuple):
    """Sums over all batches.

    Attributes
    ----------
    n_docs : int
    n_tokens : float
    frequency : array of shape (V,)
        The number of documents that contain each word.
    """

    n_docs: int
    n_tokens: float
    frequency: Int64s


class BatchedDocuments:
    """A source of batches as a `DocumentSource`: every pass reads it again, one batch ahead of the computation.

    Parameters
    ----------
    source : iterable of matrices of counts
    dtype : dtype or None
        Of the computation; None means that of the first batch.
    name : str
        The name of the estimator, for error messages.

    Attributes
    ----------
    first : array-like or sparse matrix
        The first batch as the source yields it, with its column names.
    first_is_normalised : bool
        Whether the rows of the first batch look normalised.
    n_docs : int
        The number of documents in the last complete pass; 0 before the first.
    reading_error : Exception or None
        What reading the batches has raised.
    """

    def __init__(self, source: Iterable[Any], dtype: Any, name: str) -> None:
        if iter(source) is source:
            msg = (
                f"X is a {type(source).__name__}, which can be read only once, but a fit reads its batches in every "
                "pass: "
                "pass a list, ldavi.io.open_counts(path) or an object whose __iter__ starts from the beginning, or "
                "call "
                "partial_fit with each batch"
            )
            raise TypeError(msg)
        self._source, self._name = source, name
        self.first = _first_of(source)
        self._names = check.column_names(self.first)
        self.n_words = int(self.first.shape[1])
        first = check.check_counts(self.first, dtype=dtype, name=name)
        self._dtype: np.dtype[Any] = first.dtype
        self.first_is_normalised = check.is_normalised(first)
        self._words = np.arange(self.n_words)
        self._declared = _declared_docs(source)
        self._assumed: float | None = None
        self._totals: Totals | None = None
        self._sizes: dict[
            int, tuple[int, int]
        ] = {}  # documents and stored counts of each batch, when it was first read
        self._place: Int32s | None = None  # position of each word among those that occur
        self.n_docs = 0
        self.reading_error: Exception | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def assume(self, n_docs: float | None) -> None:
        """Use this number of documents, if the source does not declare one, instead of counting them."""
        self._assumed = n_docs

    @property
    def total_weight(self) -> float:
        """The number of documents: as the source declares it, as assumed, or counted."""
        if self._declared is not None:
            return self._declared
        return self.totals.n_docs if self._assumed is None else self._assumed

    @property
    def n_tokens(self) -> float:
        return self.totals.n_tokens

    @property
    def mean_length(self) -> float:
        return self.totals.n_tokens / (self.totals.n_docs or 1)

    @property
    def vocabulary(self) -> Counts:
        """Counts without documents, over the words that the topics describe."""
        nothing = np.zeros(0, np.int32), np.zeros(0, self._dtype)
        return Counts(np.zeros(1, np.int64), *nothing, self._words, self.n_words)

    def compacted(self) -> "BatchedDocuments":
        """Return the same documents over the words that occur, most frequent first."""
        frequency = self.totals.frequency
        present = np.flatnonzero(frequency)
        words = present[np.argsort(-frequency[present], kind="stable")]
        numbered = copy.copy(self)
        numbered._words, numbered._place = words, np.full(self.n_words, -1, np.int32)
        numbered._place[words] = np.arange(len(words), dtype=np.int32)
        return numbered

    @property
    def totals(self) -> Totals:
        """Sums over all batches, which are read once when this property is first used."""
        if self._totals is None:
            n_docs, n_tokens, frequency = 0, 0.0, np.zeros(self.n_words, np.int64)
            with closing(self.parts(WHOLE_BATCHES)) as parts:
                for part in parts:
                    n_docs, n_tokens = n_docs + part.counts.n_docs, n_tokens + part.n_tokens
                    frequency += np.bincount(part.counts.indices, minlength=self.n_words)
            self._totals = Totals(n_docs, n_tokens, frequency)
        return self._totals

    def first_counts(self) -> Counts:
        """Return the checked counts of the first batch."""
        return self._checked(self.first, 0)

    def parts(self, size: int, first: int = 0) -> Generator[Documents]:
        """Yield the documents from number `first` on in parts of `size`; the last part of a batch may be smaller.

        Raises
        ------
        ValueError
            If a batch is not valid, or differs from the one of the pass before.
        """
        end = first
        with closing(prefetch(lambda: self._read(first))) as batches:
            for start, counts in self._noting_errors(batches):
                end = start + counts.n_docs
                yield from Documents(counts, None).parts(size, max(0, first - start))
        if self._declared is not None and end != self._declared:
            raise ValueError(
                f"X gave {end} documents and says that it has {self._declared}; every pass must give them all"
            )
        if self.n_docs and end != self.n_docs:
            raise ValueError(f"X gave {end} documents and {self.n_docs} before: every pass must give the same batches")
        self.n_docs = end

    def _noting_errors(self, batches: Iterable[AnyBatch]) -> Iterator[AnyBatch]:
        """Yield the batches; keep what reading them raises, since nothing else is then at fault."""
        try:
            yield from batches
        except Exception as error:
            self.reading_error = error
            raise

    def _read(self, first: int) -> Iterator[tuple[int, Counts]]:
        """Yield batches with the number of their first document; skip batches that end before document `first`."""
        start = 0
        for number, batch in enumerate(self._source):
            if not check.is_matrix(batch):
                raise TypeError(
                    f"batch {number} of X is a {type(batch).__name__}; it must be a matrix, documents × words"
                )
            n_docs = batch.shape[0]
            if n_docs and start + n_docs > first:
                counts = self._checked(batch, number)
                self._compare(number, (n_docs, len(counts.indices)))
                yield start, counts
            start += n_docs

    def _compare(self, number: int, size: tuple[int, int]) -> None:
        """Raise ValueError if a batch has another size than before: γ of its documents is stored between passes."""
        known = self._sizes.setdefault(number, size)
        if known != size:
            was, now = (f"{n_docs} documents with {n_counts} counts" for n_docs, n_counts in (known, size))
            raise ValueError(
                f"batch {number} of X has {now}, and had {was} before: every pass must give the same batches"
            )

    def _numbered(self, counts: Counts, number: int) -> Counts:
        """Return the counts with words renumbered to those that occur, once these are known."""
        if self._place is None:
            return counts
        indices = self._place[counts.indices]
        if len(indices) and indices.min() < 0:
            msg = f"batch {number} of X has words that did not occur when the batches were counted"
            raise ValueError(f"{msg}: every pass must give the same batches")
        return Counts(counts.indptr, indices, counts.values, self._words, self.n_words, counts.doc_tokens)

    def _checked(self, batch: Any, number: int) -> Counts:
        if batch.shape[1] != self.n_words:
            msg = (
                f"batch {number} of X has {batch.shape[1]} columns, the first has {self.n_words}: all must have the "
                "same"
            )
            raise ValueError(msg)
        names = check.column_names(batch)
        if not np.array_equal(names if names is not None else [], self._names if self._names is not None else []):
            raise ValueError(f"batch {number} of X has other column names than the first: all must have the same")
        try:
            matrix = check.check_counts(batch, dtype=self._dtype, name=self._name)
        except (ValueError, TypeError) as error:
            raise type(error)(f"batch {number} of X: {error}") from error
        largest, kind = check.LARGEST_INTEGER[self._dtype], getattr(getattr(batch, "dtype", None), "kind", "")
        if kind in ("i", "u") and matrix.data.max(initial=0) > largest:
            msg = f"batch {number} of X holds counts above {largest}, which {self._dtype} does not hold exactly"
            raise ValueError(f"{msg}: set dtype='float64'")
        return self._numbered(check.to_counts(matrix, self._words), number)


def _first_of(source: Iterable[Any]) -> Any:
    batches = iter(source)
    try:
        first = next(batches, None)
    finally:
        if close := getattr(batches, "close", None):
            close()
    if first is None:
        raise ValueError("X has no batches; it must yield at least one matrix of counts, documents × words")
    if not check.is_matrix(first):
        msg = (
            f"the first batch of X is a {type(first).__name__}; X must be one matrix of counts, documents × words, or "
            "yield such matrices (ldavi.io.WordCounter counts texts)"
        )
        raise TypeError(msg)
    return first


def _declared_docs(source: Any) -> int | None:
    """Return the number of documents that a source declares by its items, `n_docs` or `shape`; None without these."""
    if isinstance(source, (list, tuple)):
        return sum(int(batch.shape[0]) for batch in source) if all(map(check.is_matrix, source)) else None
    declared = getattr(source, "n_docs", source.shape[0] if check.is_matrix(source) else None)
    return None if declared is None else check.check_integer("the n_docs of X", declared, minimum=1)


def check_source(
    X: Any, parameters: Parameters, settings: FitSettings, name: str, sample_weight: object
) -> BatchedDocuments:
    """Return X as batches for a fit.

    Raises
    ------
    TypeError, ValueError
        If X cannot be read more than once, does not give matrices, or a parameter is not supported for batches.
    """
    for refused, value in (("sample_weight", sample_weight), ("validation_fraction", settings.validation_fraction)):
        if value is not None:
            raise ValueError(f"{refused} is not supported if X comes in batches: {REFUSED[refused]}")
    batches = BatchedDocuments(X, check.check_dtype(parameters.dtype), name)
    batches.assume(parameters.total_samples)
    check.warn_if_normalised(batches.first_is_normalised, parameters, stacklevel=4)
    return batches
