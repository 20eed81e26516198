"""Readers of formats that contain texts or lists of words; each yields one `Document` at a time.

To add a format, write a reader and enter it in `TEXT_READERS`.
"""

import csv
import importlib.util
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._progress_hooks import report_bytes_read
from ldavi.io._readers.source import Source, decoded_lines, open_source, read_whole, undecodable

MALLET_LINE = re.compile(r"(\S*)[\s,]*(\S*)[\s,]*(.*)", re.DOTALL)  # MALLET's default --line-regex
ROWS_PER_BATCH = 1024  # rows of a Parquet file that are decoded at a time

WordCounts = tuple[list[str], list[float]]


class Document(NamedTuple):
    """A document of a corpus file.

    Attributes
    ----------
    content : str, or (list of str, list of float)
        A text, or words and their counts.
    id : str or None
        Name of the document.
    metadata : tuple
        Values of the requested columns.
    """

    content: str | WordCounts
    id: str | None
    metadata: tuple[Any, ...]


class ReaderOptions(NamedTuple):
    """Options of `read_corpus` that concern columns and bytes; see there."""

    column: str | tuple[str, str] | None
    id_column: str | None
    metadata: tuple[str, ...]
    encoding: str
    max_bytes: int | None


def read_lines(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read plain text: each line is a document, also an empty one."""
    for _, line in decoded_lines(source, options.encoding):
        yield Document(line, None, ())


def read_mallet(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read the input of `mallet import-file`: name, label and text on a line; MALLET ignores blank lines, too."""
    for _, line in decoded_lines(source, options.encoding):
        match = MALLET_LINE.fullmatch(line)
        if match and line.strip():
            yield Document(match[3], match[1], (match[2],))


def read_folder(path: str, options: ReaderOptions) -> Iterator[Document]:
    """Read each file of a folder and its subfolders, in the order of their names, except hidden ones.

    Raises
    ------
    CorpusError
        If a file is not text or expands beyond `max_bytes`, or the folder contains no file.
    """
    is_empty = True
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for file in sorted(name for name in files if not name.startswith(".")):
            full = Path(folder, file)
            if not full.exists():
                raise CorpusError(str(full), "is a link to a file that does not exist; remove it")
            if not full.is_file():  # reading from a pipe would block
                continue
            with open_source(full, max_bytes=options.max_bytes) as source:
                data = read_whole(source, options.max_bytes).getvalue()
            try:
                text = data.decode(options.encoding)
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
                raise CorpusError(str(full), undecodable(data, error, options.encoding), line) from error
            is_empty = False
            yield Document(text.removeprefix("\ufeff"), full.relative_to(path).as_posix(), ())
    if is_empty:
        raise CorpusError(path, "is a folder without files; expected one document per file")


def read_csv(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read CSV with a header; a quoted field may contain line breaks."""
    return _read_separated(source, options, ",")


def read_tsv(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read tab-separated values with a header."""
    return _read_separated(source, options, "\t")


def _read_separated(source: Source, options: ReaderOptions, delimiter: str) -> Iterator[Document]:
    stream = io.TextIOWrapper(source.stream, encoding=options.encoding, newline="")
    rows = csv.reader(stream, delimiter=delimiter, strict=True)
    header = _next_row(source, rows, options)
    if not header:
        raise CorpusError(source.name, "is empty; expected a header with the names of the columns", 1)
    header[0] = header[0].removeprefix("\ufeff")
    if isinstance(options.column, tuple):
        raise CorpusError(
            source.name, f"column={options.column!r} names two columns, but CSV contains texts; pass one column name"
        )
    text_position = _text_column(source.name, header, options.column)
    other_positions = [_position(source.name, header, name) for name in options.metadata]
    id_position = None if options.id_column is None else _position(source.name, header, options.id_column)
    while (row := _next_row(source, rows, options)) is not None:
        if not row:
            continue
        if len(row) != len(header):
            raise CorpusError(
                source.name, f"expected {len(header)} fields, as in the header, found {len(row)}", rows.line_num
            )
        id_ = None if id_position is None else row[id_position]
        yield Document(row[text_position], id_, tuple(row[i] for i in other_positions))


def _next_row(source: Source, rows: Any, options: ReaderOptions) -> list[str] | None:
    """Return the next record, or None at the end.

    The csv module limits the size of a field to 128 KiB, for the whole process; the limit is raised during the call
    only.
    """
    previous_limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        raise CorpusError(source.name, f"is not valid CSV ({error})", rows.line_num) from error
    except UnicodeDecodeError as error:
        problem = undecodable(error.object, error, options.encoding)
        raise CorpusError(source.name, problem, rows.line_num + 1) from error
    finally:
        csv.field_size_limit(previous_limit)
    return row


def read_jsonl(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read a JSON object per line; the column contains a text, or a list of words (and another column their counts)."""
    for number, line in decoded_lines(source, options.encoding):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(source.name, f"expected a JSON object ({error})", number) from error
        if not isinstance(record, dict):
            raise CorpusError(source.name, f"expected a JSON object, found {line[:60]!r}", number)
        yield _document(source.name, record, options, number)


def read_parquet(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read Parquet with pyarrow; the column contains texts, or lists of words (with lists of counts beside it).

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ModuleNotFoundError("a Parquet file needs the library pyarrow; install it: pip install 'ldavi[io]'")
    import pyarrow as pa
    import pyarrow.parquet

    stream: Any = source.name if source.size is not None else read_whole(source, options.max_bytes)
    row = n_characters = 0
    try:
        options, texts = _parquet_columns(source, pyarrow.parquet.read_schema(stream), options)
        columns = _used_columns(options)
        # Texts stay dictionary-encoded and are decoded one at a time, since a few bytes of a file can encode a long
        # text a million times.
        with pyarrow.parquet.ParquetFile(stream, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_BATCH, columns=columns):
                for position in range(batch.num_rows):
                    row += 1
                    record = {name: batch.column(name)[position].as_py() for name in columns}
                    n_characters += sum(len(value) for value in record.values() if isinstance(value, (str, list)))
                    if options.max_bytes is not None and n_characters > options.max_bytes:
                        raise CorpusError(source.name, f"expands to more than max_bytes={options.max_bytes} bytes", row)
                    yield _document(source.name, record, options, row)
                # pyarrow opens the file itself, so the bytes read are estimated from the share of rows.
                report_bytes_read(batch.num_rows * (source.size or 0) // max(file.metadata.num_rows, 1))
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError, NotImplementedError) as error:
        raise CorpusError(source.name, f"is not a Parquet file, or is damaged ({str(error)[:200]})") from error


TEXT_READERS: dict[str, Callable[[Source, ReaderOptions], Iterator[Document]]] = {
    "text": read_lines,
    "mallet": read_mallet,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
}


def _parquet_columns(source: Source, schema: Any, options: ReaderOptions) -> tuple[ReaderOptions, list[str]]:
    """Return the options with the column of the texts, after checking all column names, and the columns of strings."""
    import pyarrow as pa

    names = schema.names
    column = options.column
    if not isinstance(column, tuple):
        column = names[_text_column(source.name, names, column)]
    options = options._replace(column=column)
    for name in _used_columns(options):
        _position(source.name, names, name)
    return options, [field.name for field in schema if pa.types.is_string(field.type)]


def _document(name: str, record: Mapping[str, Any], options: ReaderOptions, number: int) -> Document:
    """Return the document of a record, which is line or row `number` of the file."""
    column = options.column
    if column is None:
        column = list(record)[_text_column(name, list(record), None, number)]
    for used in (*((column,) if isinstance(column, str) else column), *_used_columns(options)):
        if used not in record:
            raise CorpusError(name, f"has no column {used!r}; it has {', '.join(map(repr, record))[:200]}", number)
    if isinstance(column, tuple):
        content: Any = _word_counts(name, record[column[0]], record[column[1]], number)
    else:
        content = record[column]
        if isinstance(content, list):
            content = _word_counts(name, content, [1] * len(content), number)
        elif not isinstance(content, str):
            raise CorpusError(
                name, f"expected a text or a list of words in {column!r}, found {str(content)[:60]!r}", number
            )
    id_ = None if options.id_column is None else str(record[options.id_column])
    return Document(content, id_, tuple(record[key] for key in options.metadata))


def _word_counts(name: str, words: Any, counts: Any, number: int) -> WordCounts:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise CorpusError(name, f"expected a list of words, found {str(words)[:60]!r}", number)
    try:
        values = [float(count) for count in counts]
    except (TypeError, ValueError, OverflowError):
        values = []
    if len(values) != len(words) or not all(0 <= value < float("inf") for value in values):
        raise CorpusError(
            name, f"expected a finite count >= 0 for each of {len(words)} words, found {str(counts)[:60]!r}", number
        )
    return words, values


def _used_columns(options: ReaderOptions) -> list[str]:
    """Return the names of all columns that the options mention."""
    column = options.column
    texts = [] if column is None else [column] if isinstance(column, str) else [*column]
    return list(dict.fromkeys([*texts, *([options.id_column] if options.id_column else []), *options.metadata]))


def _text_column(name: str, columns: list[str], column: str | None, line: int | None = None) -> int:
    """Return the position of the column with the texts: the named one, else the only one, else "text"."""
    if column is not None:
        return _position(name, columns, column)
    if len(columns) == 1:
        return 0
    if "text" in columns:
        return columns.index("text")
    raise CorpusError(
        name, f"has the columns {', '.join(map(repr, columns))[:200]}; name the one with the texts: column=", line
    )


def _position(name: str, columns: list[str], column: str) -> int:
    if column not in columns:
        raise CorpusError(name, f"has no column {column!r}; it has {', '.join(map(repr, columns))[:200]}")
    return columns.index(column)
