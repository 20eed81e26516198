"""Assemble (document, word, count) triples into sparse matrices, and validate the sizes that a file declares."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ldavi._core.typing import Doubles, Int64s
from ldavi.io._errors import CorpusError
from ldavi.io._readers.documents import Notes

MAX_WORDS = 2**31 - 1
# Each row of a CSR matrix needs memory, also an empty one. A file may declare MIN_DOCS_ALLOWED documents, and
# MAX_DOCS_PER_ENTRY more for each count that it holds; more than that is taken for damage.
MIN_DOCS_ALLOWED = 100_000
MAX_DOCS_PER_ENTRY = 16
FLUSH_SIZE = 2**18  # triples collected in lists before they become arrays


class Triples(NamedTuple):
    """Counts in coordinate form: `values[i]` is the count of word `words[i]` in document `docs[i]`, both from 0."""

    docs: Int64s
    words: Int64s
    values: Doubles


@dataclass
class CorpusInfo:
    """What is known about a corpus file; readers fill it from the header or when they reach the end of the file.

    Attributes
    ----------
    name : str
        Name of the file, for error messages.
    n_docs, n_words : int or None
        Shape of the matrix; None while it is unknown.
    ids : list of str or None
        Names of the documents.
    labels : list of str or None
        Labels of the documents.
    vocabulary : dict of str to int, or None
        Column of each word, for formats that contain the words themselves.
    grows_vocabulary : bool
        Whether a word that is not in the vocabulary gets a new column; otherwise it is ignored.
    word_base : int or None
        Number of the first word, 0 or 1. None means that it is unknown, which occurs in SVMlight and lda-c files.
    usual_base : int
        The usual number of the first word in this format.
    stated_base : int or None
        The number of the first word that a comment in the file states.
    notes : Notes or None
        Collects what was decided where the file leaves it open.
    """

    name: str
    n_docs: int | None = None
    n_words: int | None = None
    ids: list[str] | None = None
    labels: list[str] | None = None
    vocabulary: dict[str, int] | None = None
    grows_vocabulary: bool = False
    word_base: int | None = 0
    usual_base: int = 0
    stated_base: int | None = None
    notes: Notes | None = None


def set_declared_shape(
    info: CorpusInfo, sizes: tuple[int, int, int], *, file_size: int | None, line: int, min_line_bytes: int
) -> None:
    """Store the numbers of documents and words that a header declares, after checking that they are plausible.

    Parameters
    ----------
    info : CorpusInfo
    sizes : (int, int, int)
        Declared numbers of documents, words and counts.
    file_size : int or None
        Size of the file in bytes, if known.
    line : int
        Line number of the header.
    min_line_bytes : int
        Length of the shortest possible line of one count.

    Raises
    ------
    CorpusError
        If the file is too small for so many counts, there are far more documents than counts, or the number of words
        differs from that of the vocabulary.
    """
    n_docs, n_words, n_entries = sizes
    if file_size is not None and n_entries * min_line_bytes > file_size + 1:
        raise CorpusError(
            info.name, f"the header declares {n_entries} counts, more than {file_size} bytes can hold", line
        )
    check_n_docs(info, n_docs, n_entries, line=line)
    check_n_words(info, n_words, line=line)
    check_width(info, n_words)
    info.n_docs, info.n_words = n_docs, n_words


def check_n_docs(info: CorpusInfo, n_docs: int, n_entries: int, *, line: int | None = None) -> None:
    """Raise a CorpusError if there are far more documents than counts, since empty rows need memory as well."""
    if n_docs > MIN_DOCS_ALLOWED + MAX_DOCS_PER_ENTRY * n_entries:
        raise CorpusError(info.name, f"declares {n_docs} documents for {n_entries} counts; the file is damaged", line)


def check_n_words(info: CorpusInfo, n_words: int, *, line: int | None = None) -> None:
    """Raise a CorpusError if there are more words than 32-bit column indices."""
    if n_words > MAX_WORDS:
        raise CorpusError(info.name, f"has {n_words} words, and at most {MAX_WORDS} are supported", line)


def check_width(info: CorpusInfo, n_words: int) -> None:
    """Raise a CorpusError if the vocabulary has another number of words than the file."""
    if info.n_words is not None and info.n_words != n_words:
        raise CorpusError(
            info.name,
            f"has {n_words} words, but the vocabulary has {info.n_words}; pass the right one as vocabulary=",
        )


def build_matrix(info: CorpusInfo, parts: Iterable[Triples]) -> sparse.csr_array:
    """Assemble all counts of a file into one CSR matrix (n_docs, n_words); duplicate entries are summed."""
    triples = _concatenated(list(parts))
    if info.word_base is None:
        lowest, highest = int(triples.words.min(initial=2**62)), int(triples.words.max(initial=-1))
        triples = triples._replace(words=triples.words - find_word_base(info, lowest, highest))
    n_docs = info.n_docs if info.n_docs is not None else int(triples.docs.max(initial=-1)) + 1
    check_n_docs(info, n_docs, len(triples.docs))
    return _csr_matrix(info, triples, n_docs)


def find_word_base(info: CorpusInfo, lowest: int, highest: int) -> int:
    """Return the number of the first word: 0 if it occurs, 1 if the number of words occurs, else as usual.

    Parameters
    ----------
    info : CorpusInfo
    lowest, highest : int
        The smallest and the largest number of a word; -1 as `highest` if there is none.
    """
    if lowest == 0 or highest < 0:
        return 0
    is_ambiguous = info.n_words is not None and highest < info.n_words
    base = info.usual_base if info.stated_base is None else info.stated_base
    if info.n_words is not None and highest == info.n_words:
        base = 1
        is_ambiguous = info.usual_base != 1
    elif info.stated_base is not None:
        is_ambiguous = False
    if is_ambiguous and info.notes is not None:
        info.notes.add(
            f"its words have the numbers {lowest} to {highest}, of {info.n_words}; the first word is taken to have the "
            f"number {base} (first_word={1 - base} if it has the number {1 - base})"
        )
    return base


def build_batches(info: CorpusInfo, parts: Iterable[Triples], batch_size: int) -> Iterator[sparse.csr_array]:
    """Yield the rows of `build_matrix`, `batch_size` at a time, for files whose documents are in order.

    Raises
    ------
    CorpusError
        If the documents are not in order.
    """
    start = last = n_entries = 0
    pending: list[Triples] = []
    for part in parts:
        if not len(part.docs):
            continue
        if part.docs[0] < last or (np.diff(part.docs) < 0).any():
            raise CorpusError(
                info.name, "the documents are not in order, so batches cannot be read; use read_corpus instead"
            )
        n_entries += len(part.docs)
        last = int(part.docs[-1])
        check_n_docs(info, last, n_entries)
        pending.append(part)
        if last >= start + batch_size:
            triples, position = _concatenated(pending), 0
            while last >= start + batch_size:
                end = int(np.searchsorted(triples.docs, start + batch_size))
                yield _csr_matrix(info, _document_range(triples, position, end, start), batch_size)
                start, position = start + batch_size, end
            # Copies, since views would keep the concatenated arrays alive.
            rest = _document_range(triples, position, len(triples.docs), 0)
            pending = [Triples(rest.docs.copy(), rest.words.copy(), rest.values.copy())]
    triples = _concatenated(pending)
    n_docs = info.n_docs if info.n_docs is not None else (last + 1 if n_entries else 0)
    check_n_docs(info, n_docs, n_entries)
    while start < n_docs:
        size = min(batch_size, n_docs - start)
        position, end = np.searchsorted(triples.docs, [start, start + size]).tolist()
        yield _csr_matrix(info, _document_range(triples, position, end, start), size)
        start += size


def collect_triples(documents: Iterable[tuple[Iterable[int], Iterable[float]]], info: CorpusInfo) -> Iterator[Triples]:
    """Convert documents, each a pair (words, counts), to triples; set `info.n_docs` at the end."""
    docs: list[int] = []
    words: list[int] = []
    values: list[float] = []
    n_docs = 0
    for document_words, document_values in documents:
        n_before = len(words)
        words.extend(document_words)
        values.extend(document_values)
        docs.extend([n_docs] * (len(words) - n_before))
        n_docs += 1
        if len(docs) >= FLUSH_SIZE:
            yield _from_lists(docs, words, values)
            docs, words, values = [], [], []
    yield _from_lists(docs, words, values)
    info.n_docs = n_docs


def word_columns(info: CorpusInfo, words: list[str], values: list[float]) -> tuple[list[int], list[float]]:
    """Return the columns and counts of words; a new word gets a column, or is dropped if the vocabulary is fixed."""
    vocabulary = info.vocabulary
    assert vocabulary is not None
    if info.grows_vocabulary:
        return [vocabulary.setdefault(word, len(vocabulary)) for word in words], values
    known = [(vocabulary[word], value) for word, value in zip(words, values, strict=True) if word in vocabulary]
    return [column for column, _ in known], [value for _, value in known]


def as_counts(X: sparse.csr_array) -> sparse.csr_array:
    """Return the matrix with int32 data if all counts are whole numbers, else float64, and with sorted indices."""
    is_whole = (X.data < 2**31).all() and (X.data == np.floor(X.data)).all()
    X = sparse.csr_array(X.astype(np.int32 if is_whole else np.float64))
    X.sort_indices()
    return X


def _from_lists(docs: list[int], words: list[int], values: list[float]) -> Triples:
    return Triples(np.array(docs, dtype=np.int64), np.array(words, dtype=np.int64), np.array(values, dtype=np.float64))


def _concatenated(parts: list[Triples]) -> Triples:
    if not parts:
        return _from_lists([], [], [])
    return Triples(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _document_range(triples: Triples, begin: int, end: int, first_doc: int) -> Triples:
    """Return the triples [begin, end), with documents numbered from `first_doc`."""
    return Triples(triples.docs[begin:end] - first_doc, triples.words[begin:end], triples.values[begin:end])


def _n_words(info: CorpusInfo, triples: Triples) -> int:
    if info.vocabulary is not None:
        return len(info.vocabulary)
    return info.n_words if info.n_words is not None else int(triples.words.max(initial=-1)) + 1


def _csr_matrix(info: CorpusInfo, triples: Triples, n_docs: int) -> sparse.csr_array:
    n_words = _n_words(info, triples)
    check_n_words(info, n_words)
    if len(triples.words) and triples.words.max() >= n_words:
        raise CorpusError(
            info.name, f"contains word number {int(triples.words.max())} (from 0), but there are {n_words} words"
        )
    if len(triples.words) and triples.words.min() < 0:
        raise CorpusError(
            info.name,
            "contains word number 0, but the first word was taken to have number 1; pass first_word=0",
        )
    X = sparse.coo_array((triples.values, (triples.docs, triples.words)), shape=(n_docs, n_words)).tocsr()
    X.eliminate_zeros()
    return as_counts(X)
