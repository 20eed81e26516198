"""Steps that `read_corpus` and `read_batches` share: open a corpus, call its reader, find the vocabulary."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, Triples, check_width, collect_triples, word_columns
from ldavi.io._readers.count_formats import COUNT_READERS, WITH_WORDS
from ldavi.io._readers.npz import read_npz
from ldavi.io._readers.recognition import COUNT_FORMATS, FORMATS, Recognition, recognise_source, refuse_code
from ldavi.io._readers.source import Source, open_source, read_whole
from ldavi.io._readers.text_formats import TEXT_READERS, Document, ReaderOptions, read_folder
from ldavi.io._readers.vocabulary import read_vocabulary, vocabulary_beside

StrPath = str | os.PathLike[str]
ObjectArray = NDArray[np.object_]

TABLE_FORMATS = ("csv", "tsv", "jsonl", "parquet")
STANDARD_INPUT = "standard input"  # its name in messages


def is_stdin(path: StrPath) -> bool:
    """Return whether a path means standard input."""
    return os.fspath(path) == "-"


@contextmanager
def open_corpus(path: StrPath, format: str, options: ReaderOptions) -> Iterator[tuple[Source | None, Recognition]]:
    """Open a corpus and recognise its format; the source of a folder is None.

    Raises
    ------
    CorpusError
        If the format cannot be recognised, or the file could run code.
    ValueError
        If `format` is not the name of a format.
    """
    if format not in ("auto", *FORMATS):
        raise ValueError(f"format={format!r} must be 'auto' or one of {', '.join(FORMATS)}")
    is_folder = not is_stdin(path) and os.path.isdir(path)
    if is_folder != (format == "folder") and format != "auto":
        raise CorpusError(os.fspath(path), f"is {'a folder' if is_folder else 'a file'}, but format={format!r}")
    if is_folder:
        yield None, Recognition("folder", None, "it is a folder: each file in it is a document")
        return
    with open_source(path, max_bytes=options.max_bytes) as source:
        refuse_code(source)
        if format == "auto":
            yield source, recognise_source(source)
        else:
            yield source, Recognition(format, source.compression, "the caller named it")


def check_columns(path: StrPath, kind: str, options: ReaderOptions) -> None:
    """Check that the format has columns if `id_column` or `metadata` is given.

    Raises
    ------
    CorpusError
        If it has none.
    """
    name = "id_column" if options.id_column is not None else "metadata"
    wanted = options.id_column if options.id_column is not None else ",".join(options.metadata)
    if wanted and kind not in TABLE_FORMATS:
        raise CorpusError(
            STANDARD_INPUT if is_stdin(path) else os.fspath(path),
            f"is {kind}, which has no columns for {name}={wanted!r}; only {', '.join(TABLE_FORMATS)} have them",
        )


def metadata_names(kind: str, options: ReaderOptions) -> tuple[str, ...]:
    """Return the names of `Document.metadata`."""
    return ("label",) if kind == "mallet" else options.metadata


def read_documents(source: Source | None, path: StrPath, kind: str, options: ReaderOptions) -> Iterator[Document]:
    """Read the documents of a format that contains texts or lists of words."""
    if source is None:
        return read_folder(os.fspath(path), options)
    return TEXT_READERS[kind](source, options)


def read_counts(
    source: Source | None, path: StrPath, kind: str, options: ReaderOptions, info: CorpusInfo
) -> Iterator[Triples]:
    """Read the counts of a format that contains counts or lists of words."""
    if source is not None and kind in COUNT_READERS:
        return COUNT_READERS[kind](source, info, options.encoding)
    return counts_of_word_lists(read_documents(source, path, kind, options), info)


def read_npz_counts(source: Source | None, info: CorpusInfo, options: ReaderOptions) -> Any:
    """Read the CSR matrix of an `.npz` file whose width fits the vocabulary."""
    assert source is not None
    X = read_npz(read_whole(source, options.max_bytes), info.name, max_bytes=options.max_bytes)
    check_width(info, X.shape[1])
    return X


def counts_of_word_lists(documents: Iterable[Document], info: CorpusInfo) -> Iterator[Triples]:
    """Convert documents that are lists of words to counts."""

    def rows() -> Iterator[tuple[list[int], list[float]]]:
        for number, document in enumerate(documents, start=1):
            if isinstance(document.content, str):
                raise CorpusError(info.name, f"document {number} is a text, but the first is a list of words")
            yield word_columns(info, *document.content)

    return collect_triples(rows(), info)


def text_of(document: Document, name: str) -> str:
    """Return the text of a document.

    Raises
    ------
    CorpusError
        If it is a list of words.
    """
    if not isinstance(document.content, str):
        words = document.content[0][:5]
        raise CorpusError(name, f"contains the list of words {words}, but the first document is a text")
    return document.content


def initial_info(
    path: StrPath, kind: str, vocabulary: StrPath | Sequence[str] | None, encoding: str
) -> tuple[CorpusInfo, ObjectArray | None]:
    """Return what is known before reading, and the vocabulary that was given or found beside the file."""
    words: ObjectArray | None = None
    if isinstance(vocabulary, (str, os.PathLike)):
        words = read_vocabulary(vocabulary, encoding=encoding)
    elif vocabulary is not None:
        words = object_array(list(vocabulary))
    elif kind in COUNT_FORMATS and kind not in WITH_WORDS and not is_stdin(path):
        words = vocabulary_beside(path, encoding=encoding)
    info = CorpusInfo(STANDARD_INPUT if is_stdin(path) else os.fspath(path))
    info.word_base = None if kind == "svmlight" else 0
    if kind in COUNT_FORMATS and kind not in WITH_WORDS:
        info.n_words = None if words is None else len(words)
        return info, words
    info.vocabulary = {} if words is None else {word: column for column, word in enumerate(words)}
    info.grows_vocabulary = words is None
    if words is not None and len(info.vocabulary) < len(words):
        raise ValueError("vocabulary contains a word twice; each word has one column")
    return info, words


def final_vocabulary(info: CorpusInfo, words: ObjectArray | None) -> ObjectArray | None:
    """Return the given vocabulary, or else the one that the file contained."""
    return words if words is not None or info.vocabulary is None else object_array(list(info.vocabulary))


def object_array(values: Sequence[Any]) -> ObjectArray:
    """Return a one-dimensional object array, also of values that are sequences themselves."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
