"""Counts on their way from a file to a sparse matrix: triples, as they come, and rows put together from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ldavi._core.typing import Doubles, Int64s
from ldavi.io._errors import CorpusError

MAX_WORDS = 2**31 - 1
DOCS_BESIDE_ENTRIES = 100_000  # documents without a word that a file may declare, and
DOCS_PER_ENTRY = 16  # so many more for each count: an index of rows is allocated for them
FLUSH = 2**18  # counts gathered before they become arrays


class Entries(NamedTuple):
    """Some counts: `values[i]` of word `words[i]` in document `docs[i]`, from 0."""

    docs: Int64s
    words: Int64s
    values: Doubles


@dataclass
class Reading:
    """What is known of a file so far: some of it from its header, the rest when its last line has been read.

    Attributes
    ----------
    name : str
        The file, for messages.
    n_docs, n_words : int or None
    ids : list of str or None
        Names of the documents.
    labels : list of str or None
    vocabulary : dict of str to int, or None
        Column of each word, in formats that spell their words.
    first_word : int or None
        Number of the first word in formats that leave it open, SVMlight; None until it is known.
    growing : bool
        Whether words that are not in the vocabulary get a column (else they are left out).
    """

    name: str
    n_docs: int | None = None
    n_words: int | None = None
    ids: list[str] | None = None
    labels: list[str] | None = None
    vocabulary: dict[str, int] | None = None
    growing: bool = False
    first_word: int | None = 0


def check_declared(
    reading: Reading, sizes: tuple[int, int, int], *, size: int | None, line: int, shortest: int
) -> None:
    """Take the numbers of documents, words and counts of a header, unless they promise more than the file can hold.

    Raises
    ------
    CorpusError
        If the file, of `size` bytes, is too small for so many lines of `shortest` bytes, the documents are out of proportion
        to the counts, or the words are not those of the vocabulary.
    """
    n_docs, n_words, n_entries = sizes
    if size is not None and n_entries * shortest > size + 1:
        raise CorpusError(
            reading.name, f"the header declares {n_entries} counts, more than {size} bytes can hold", line
        )
    check_n_docs(reading, n_docs, n_entries, line=line)
    check_n_words(reading, n_words, line=line)
    check_width(reading, n_words)
    reading.n_docs, reading.n_words = n_docs, n_words


def check_n_docs(reading: Reading, n_docs: int, n_entries: int, *, line: int | None = None) -> None:
    """Refuse documents out of proportion to the counts: a row without a count costs memory, too."""
    if n_docs > DOCS_BESIDE_ENTRIES + DOCS_PER_ENTRY * n_entries:
        raise CorpusError(
            reading.name, f"declares {n_docs} documents for {n_entries} counts; the file is damaged", line
        )


def check_n_words(reading: Reading, n_words: int, *, line: int | None = None) -> None:
    """Refuse columns that no matrix here can have."""
    if n_words > MAX_WORDS:
        raise CorpusError(reading.name, f"has {n_words} words, and at most {MAX_WORDS} are supported", line)


def check_width(reading: Reading, n_words: int) -> None:
    """Refuse a vocabulary of another corpus."""
    if reading.n_words is not None and reading.n_words != n_words:
        raise CorpusError(
            reading.name,
            f"has {n_words} words, but the vocabulary has {reading.n_words}; name its own with vocabulary=",
        )


def whole(reading: Reading, pieces: Iterable[Entries]) -> sparse.csr_array:
    """All counts of a file as one matrix, (n_docs, n_words) CSR; equal (document, word) pairs are added up."""
    entries = _join(list(pieces))
    if reading.first_word is None:  # words are counted from 0 if any is 0, else from 1, as in scikit-learn
        entries = entries._replace(words=entries.words - min(1, int(entries.words.min(initial=1))))
    n_docs = reading.n_docs if reading.n_docs is not None else int(entries.docs.max(initial=-1)) + 1
    check_n_docs(reading, n_docs, len(entries.docs))
    return _rows(reading, entries, n_docs, _n_words(reading, entries))


def batches(reading: Reading, pieces: Iterable[Entries], batch_size: int) -> Iterator[sparse.csr_array]:
    """The same matrix, `batch_size` rows at a time, for files that keep the counts of a document together and in order.

    Raises
    ------
    CorpusError
        If documents are out of order.
    """
    start = last = n_entries = 0
    pending: list[Entries] = []
    for piece in pieces:
        if not len(piece.docs):
            continue
        if piece.docs[0] < last or (np.diff(piece.docs) < 0).any():
            raise CorpusError(reading.name, "documents are not in order, so that batches cannot be read; read it whole")
        n_entries += len(piece.docs)
        last = int(piece.docs[-1])
        check_n_docs(reading, last, n_entries)
        pending.append(piece)
        if last >= start + batch_size:
            entries, at = _join(pending), 0
            while last >= start + batch_size:
                end = int(np.searchsorted(entries.docs, start + batch_size))
                cut = Entries(entries.docs[at:end] - start, entries.words[at:end], entries.values[at:end])
                yield _rows(reading, cut, batch_size, _n_words(reading, cut))
                start, at = start + batch_size, end
            pending = [Entries(entries.docs[at:].copy(), entries.words[at:].copy(), entries.values[at:].copy())]
    entries = _join(pending)
    n_docs = reading.n_docs if reading.n_docs is not None else (last + 1 if n_entries else 0)
    check_n_docs(reading, n_docs, n_entries)
    while start < n_docs:
        size = min(batch_size, n_docs - start)
        at, end = np.searchsorted(entries.docs, [start, start + size])
        cut = Entries(entries.docs[at:end] - start, entries.words[at:end], entries.values[at:end])
        yield _rows(reading, cut, size, _n_words(reading, cut))
        start += size


def gather(documents: Iterable[tuple[Iterable[int], Iterable[float]]], reading: Reading) -> Iterator[Entries]:
    """Triples of documents that come one at a time as (words, counts); sets `reading.n_docs` at the end."""
    docs: list[int] = []
    words: list[int] = []
    values: list[float] = []
    n_docs = 0
    for document_words, document_values in documents:
        former = len(words)
        words.extend(document_words)
        values.extend(document_values)
        docs.extend([n_docs] * (len(words) - former))
        n_docs += 1
        if len(docs) >= FLUSH:
            yield _arrays(docs, words, values)
            docs, words, values = [], [], []
    yield _arrays(docs, words, values)
    reading.n_docs = n_docs


def columns(reading: Reading, words: list[str], values: list[float]) -> tuple[list[int], list[float]]:
    """Words as columns: a new word gets the next one, or is left out where the vocabulary is fixed."""
    vocabulary = reading.vocabulary
    assert vocabulary is not None
    if reading.growing:
        return [vocabulary.setdefault(word, len(vocabulary)) for word in words], values
    known = [(vocabulary[word], value) for word, value in zip(words, values, strict=True) if word in vocabulary]
    return [column for column, _ in known], [value for _, value in known]


def _arrays(docs: list[int], words: list[int], values: list[float]) -> Entries:
    return Entries(np.array(docs, dtype=np.int64), np.array(words, dtype=np.int64), np.array(values, dtype=np.float64))


def _join(pieces: list[Entries]) -> Entries:
    if not pieces:
        return _arrays([], [], [])
    return Entries(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))


def _n_words(reading: Reading, entries: Entries) -> int:
    if reading.vocabulary is not None:
        return len(reading.vocabulary)
    return reading.n_words if reading.n_words is not None else int(entries.words.max(initial=-1)) + 1


def _rows(reading: Reading, entries: Entries, n_docs: int, n_words: int) -> sparse.csr_array:
    """One CSR matrix; whole counts as int32, others as float64."""
    check_n_words(reading, n_words)
    if len(entries.words) and entries.words.max() >= n_words:
        raise CorpusError(
            reading.name, f"holds word {int(entries.words.max())} (from 0), but there are {n_words} words"
        )
    X = sparse.coo_array((entries.values, (entries.docs, entries.words)), shape=(n_docs, n_words)).tocsr()
    X.eliminate_zeros()
    return whole_counts(X)


def whole_counts(X: sparse.csr_array) -> sparse.csr_array:
    """Whole numbers as int32, others as float64, with 32-bit indices where they suffice."""
    is_whole = (X.data < 2**31).all() and (X.data == np.floor(X.data)).all()
    X = sparse.csr_array(X.astype(np.int32 if is_whole else np.float64))
    X.sort_indices()
    return X
