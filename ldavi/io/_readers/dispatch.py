"""Steps that `read_corpus` and `read_batches` share: open a corpus, call its reader, find the vocabulary."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, Triples, check_width, collect_triples, word_columns
from ldavi.io._readers.count_formats import COUNT_READERS, WITH_WORDS
from ldavi.io._readers.documents import (
    Column,
    Document,
    Notes,
    ReaderOptions,
    WordCounts,
    note_own_encoding,
    table_options,
    used_columns,
)
from ldavi.io._readers.npz import read_npz
from ldavi.io._readers.recognition import (
    BINARY_FORMATS,
    COUNT_FORMATS,
    FORMATS,
    TABLE_FORMATS,
    Recognition,
    check_wide_text,
    recognise_source,
)
from ldavi.io._readers.refused import note_of_structure, refuse_code
from ldavi.io._readers.separated import looks_like_table, note_of_text
from ldavi.io._readers.several import (
    Part,
    Several,
    StrPath,
    are_tables,
    parts_of_archive,
    parts_of_paths,
    read_documents_of_archive,
    read_parts,
    recognise_parts,
    tables_of_folder,
)
from ldavi.io._readers.source import Source, open_source, read_whole
from ldavi.io._readers.text_formats import TEXT_READERS, read_folder
from ldavi.io._readers.text_stream import check_encoding
from ldavi.io._readers.vocabulary import read_vocabulary, vocabulary_beside

ObjectArray = NDArray[np.object_]

MAX_EMPTY = 10_000  # documents that are read to find whether they are texts or lists of words
STANDARD_INPUT = "standard input"  # its name in messages
SEPARATED = ("csv", "tsv")
NUMBERED = ("svmlight", "ldac")  # formats whose files may number words from 0 or from 1


class Opened(NamedTuple):
    """A corpus that is open.

    Attributes
    ----------
    recognition : Recognition
    source : Source or None
        The file; None if the documents are those of a folder or of several files.
    documents : iterator of Document or None
        The documents, for formats that contain texts or lists of words.
    """

    recognition: Recognition
    source: Source | None
    documents: Iterator[Document] | None


def is_stdin(path: StrPath) -> bool:
    """Return whether a path means standard input."""
    return os.fspath(path) == "-"


@contextmanager
def open_corpus(path: StrPath, format: str, options: ReaderOptions) -> Iterator[Opened]:
    """Open a corpus, recognise its format, and check that the options fit it.

    Raises
    ------
    CorpusError
        If the format cannot be recognised, the file could run code, or an option has no effect on this format.
    ValueError
        If `format` is not the name of a format.
    """
    if format not in ("auto", *FORMATS):
        raise ValueError(f"format={format!r} must be 'auto' or one of {', '.join(FORMATS)}")
    name = STANDARD_INPUT if is_stdin(path) else os.fspath(path)
    if isinstance(path, Several):
        yield _opened_parts(name, parts_of_paths(path, options), format, options)
        return
    is_folder = not is_stdin(path) and os.path.isdir(path)
    if is_folder:
        tables = [] if format == "folder" else tables_of_folder(name, options)
        if not tables and format not in ("auto", "folder"):
            raise CorpusError(name, f"is a folder, but format={format!r}")
        if tables:
            options.notes.add("it is a folder of tables, whose rows are the documents; format='folder' takes each file")
            yield _opened_parts(name, tables, format, options)
            return
        recognition = Recognition("folder", None, "it is a folder: each file in it is a document")
        check_options(name, "folder", options)
        yield Opened(recognition, None, read_folder(name, options))
        return
    if format == "folder":
        raise CorpusError(name, f"is a file, but format={format!r}")
    with open_source(path, max_bytes=options.max_bytes, encoding=options.encoding) as source:
        refuse_code(source)
        recognition = _recognised(source, format, options)
        if recognition.format == "zip":
            with parts_of_archive(source, options) as parts:
                yield _opened_archive(name, parts, format, options)
            return
        check_options(name, recognition.format, options)
        reader = TEXT_READERS.get(recognition.format)
        yield Opened(recognition, source, None if reader is None else reader(source, options))


def _recognised(source: Source, format: str, options: ReaderOptions) -> Recognition:
    if source.note is not None:
        options.notes.add(source.note)
    if format == "auto":
        recognition = recognise_source(source)
        if recognition.format == "text" and looks_like_table(source, options, used_columns(options)):
            return Recognition("csv", source.compression, "its first row has the named columns")
        if recognition.format == "text":
            note = note_of_structure(source.name) or note_of_text(source)
            if note is not None:
                options.notes.add(note)
        if recognition.format == "vw" and "Vowpal" in recognition.reason:
            options.notes.add("it is read as Vowpal Wabbit, by the | in each line (format='csv' for a table)")
        return recognition
    if format not in BINARY_FORMATS:
        check_wide_text(source)
    return Recognition(format, source.compression, "the caller named it")


def _opened_parts(name: str, parts: list[Part], format: str, options: ReaderOptions) -> Opened:
    recognition = recognise_parts(name, parts, format)
    check_options(name, recognition.format, options)
    return Opened(recognition, None, read_parts(parts, recognition.format, format, options))


def _opened_archive(name: str, parts: list[Part], format: str, options: ReaderOptions) -> Opened:
    if not parts:
        raise CorpusError(name, "is an archive without files")
    if are_tables(parts) or format not in ("auto", "folder"):
        return _opened_parts(name, parts, format, options)
    check_options(name, "folder", options)
    recognition = Recognition("folder", "zip", "it is an archive: each file in it is a document")
    return Opened(recognition, None, read_documents_of_archive(parts, options))


def check_options(name: str, kind: str, options: ReaderOptions) -> None:
    """Check that each option has an effect on the format.

    Raises
    ------
    CorpusError
        If one has none.
    """
    table = options.table
    with_columns = {
        "column": options.column,
        "id_column": options.id_column,
        "metadata": ",".join(options.metadata) or None,
    }
    for parameter, value in with_columns.items():
        if value is not None and kind not in TABLE_FORMATS:
            hint = "; name the format of a table: format=csv" if kind == "text" else ""
            raise CorpusError(
                name,
                f"is {kind}, which has no columns for {parameter}={value!r}; only {', '.join(TABLE_FORMATS)} have "
                f"them{hint}",
            )
    if kind == "excel":
        note_own_encoding(kind, options)
    others = {
        "delimiter": (table.delimiter, SEPARATED),
        "quoting": (table.quoting, SEPARATED),
        "header": (None if table.header else False, (*SEPARATED, "excel")),
        "sheet": (table.sheet, ("excel",)),
        "first_word": (options.first_word, NUMBERED),
    }
    for parameter, (other, formats) in others.items():
        if other is not None and kind not in formats:
            raise CorpusError(
                name,
                f"is {kind}; {parameter}={other!r} has an effect on {', '.join(formats)} only (format=NAME)",
            )


def reader_options(
    *,
    column: Column,
    id_column: str | None,
    metadata: Sequence[str],
    encoding: str,
    max_bytes: int | None,
    table: Mapping[str, Any] | None,
    first_word: int | None,
) -> ReaderOptions:
    """Return the options of `read_corpus`, after checking their values.

    Raises
    ------
    ValueError
        If one is not allowed.
    """
    if isinstance(metadata, str):
        raise ValueError(f"metadata={metadata!r} is a single string; pass a list of the names of columns")
    if first_word not in (None, 0, 1):
        raise ValueError(f"first_word={first_word!r} must be 0, 1 or None")
    if isinstance(column, list) and len(column) == 1:
        column = column[0]
    encoding = check_encoding(encoding)
    return ReaderOptions(
        column, id_column, tuple(metadata), encoding, max_bytes, table_options(table), first_word, Notes(), {}, {}
    )


def note_unused_counting(counting: Mapping[str, Any] | None, options: ReaderOptions) -> None:
    """Note that parameters of counting are not used for a corpus that is counted already."""
    if counting:
        options.notes.add(f"it contains counts or lists of words, so that counting={dict(counting)!r} is not used")


def first_content(documents: Iterable[Document]) -> str | WordCounts:
    """Return the content of the first document that is not empty; it decides whether documents are texts."""
    content: str | WordCounts = ""
    for document in documents:
        content = document.content
        if content not in ("", ([], [])):
            break
    return content


def metadata_names(kind: str, options: ReaderOptions) -> tuple[str, ...]:
    """Return the names of `Document.metadata`."""
    return ("label",) if kind == "mallet" else options.metadata


def read_counts(opened: Opened, info: CorpusInfo) -> Iterator[Triples]:
    """Read the counts of a format that contains counts or lists of words."""
    if opened.documents is not None:
        return counts_of_word_lists(opened.documents, info)
    assert opened.source is not None
    return COUNT_READERS[opened.recognition.format](opened.source, info, opened.source.encoding)


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
            if document.content == "":  # a missing value
                yield [], []
                continue
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
        if not words:
            return ""
        raise CorpusError(name, f"contains the list of words {words}, but the first document is a text")
    return document.content


def initial_info(
    path: StrPath, kind: str, vocabulary: StrPath | Sequence[str] | None, options: ReaderOptions
) -> tuple[CorpusInfo, ObjectArray | None]:
    """Return what is known before reading, and the vocabulary that was given or found beside the file."""
    words: ObjectArray | None = None
    if isinstance(vocabulary, (str, os.PathLike)):
        words = read_vocabulary(vocabulary, encoding=options.encoding)
    elif vocabulary is not None:
        words = object_array(list(vocabulary))
    elif kind in COUNT_FORMATS and kind not in WITH_WORDS and not is_stdin(path):
        words = vocabulary_beside(path, encoding=options.encoding)
    info = CorpusInfo(STANDARD_INPUT if is_stdin(path) else os.fspath(path))
    info.notes, info.usual_base = options.notes, int(kind == "svmlight")
    info.word_base = options.first_word if kind in NUMBERED else 0
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
