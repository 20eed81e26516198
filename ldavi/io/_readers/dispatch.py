"""From a path to documents or to counts: what reading whole and reading in batches share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import Entries, Reading, columns, gather
from ldavi.io._readers.count_formats import READERS, SPELLED
from ldavi.io._readers.recognition import FORMATS, Recognition, recognise_source, refuse_code
from ldavi.io._readers.source import open_source
from ldavi.io._readers.text_formats import TEXT_READERS, Document, Options, read_folder
from ldavi.io._readers.vocabulary import read_vocabulary, vocabulary_beside

Names = NDArray[np.object_]
TABLES = ("csv", "tsv", "jsonl", "parquet")


def is_stdin(path: Any) -> bool:
    """Whether a path stands for standard input."""
    return bool(os.fspath(path) == "-")


@contextmanager
def opened(path: Any, format: str, options: Options) -> Iterator[tuple[Any, Recognition]]:
    """The open file and its format; nothing is open for a folder.

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
        named = Recognition(format, source.compression, "it was named")
        yield source, recognise_source(source) if format == "auto" else named


def check_columns(path: Any, kind: str, options: Options) -> None:
    """Refuse names of columns for what has none.

    Raises
    ------
    CorpusError
        If `id_column` or `metadata` is given and the format is not a table.
    """
    name = "id_column" if options.id_column is not None else "metadata"
    wanted = options.id_column if options.id_column is not None else ",".join(options.metadata)
    if wanted and kind not in TABLES:
        where = "standard input" if is_stdin(path) else os.fspath(path)
        raise CorpusError(
            where, f"is {kind}, which has no columns for {name}={wanted!r}; those are {', '.join(TABLES)}"
        )


def documents_of(source: Any, path: Any, kind: str, options: Options) -> Iterator[Document]:
    """Documents of a format that holds texts or lists of words."""
    return read_folder(os.fspath(path), options) if kind == "folder" else TEXT_READERS[kind](source, options)


def counts_of(source: Any, path: Any, kind: str, options: Options, reading: Reading) -> Iterator[Entries]:
    """Counts of a format that holds them, or lists of words."""
    if kind in READERS:
        return READERS[kind](source, reading, options.encoding)
    return counts_of_words(documents_of(source, path, kind, options), reading)


def counts_of_words(documents: Any, reading: Reading) -> Iterator[Entries]:
    """Counts of documents that are lists of words."""

    def rows() -> Iterator[tuple[list[int], list[float]]]:
        for number, document in enumerate(documents, start=1):
            if isinstance(document.content, str):
                raise CorpusError(reading.name, f"document {number} is a text, and the first is a list of words")
            yield columns(reading, *document.content)

    return gather(rows(), reading)


def text_of(document: Document, name: str) -> str:
    """The text of a document.

    Raises
    ------
    CorpusError
        If it is a list of words.
    """
    if not isinstance(document.content, str):
        raise CorpusError(name, f"holds the list of words {document.content[0][:5]}, and the first document is a text")
    return document.content


def start(path: Any, kind: str, vocabulary: Any, encoding: str) -> tuple[Reading, Names | None]:
    """An empty record, and the vocabulary as it was given or found beside the file."""
    words: Names | None = None
    if isinstance(vocabulary, (str, os.PathLike)):
        words = read_vocabulary(vocabulary, encoding=encoding)
    elif vocabulary is not None:
        words = names(list(vocabulary))
    elif kind in ("uci", "mm", "svmlight", "ldac", "npz") and not is_stdin(path):
        words = vocabulary_beside(path, encoding=encoding)
    reading = Reading("standard input" if is_stdin(path) else os.fspath(path))
    reading.first_word = None if kind == "svmlight" else 0
    if kind == "npz" or (kind in READERS and kind not in SPELLED):
        reading.n_words = None if words is None else len(words)
        return reading, words
    reading.vocabulary = {} if words is None else {word: column for column, word in enumerate(words)}
    reading.growing = words is None
    if words is not None and len(reading.vocabulary) < len(words):
        raise ValueError("vocabulary holds a word twice; each word has one column")
    return reading, words


def words_of(reading: Reading, words: Names | None) -> Names | None:
    """The vocabulary as it was given, or else as the file spelled it."""
    return words if words is not None or reading.vocabulary is None else names(list(reading.vocabulary))


def names(values: Any) -> Names:
    """Values as an array of objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
