"""Files that hold texts, or documents that are cut into words already: one `Document` at a time."""

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
from ldavi.io._progress_hooks import tell_read
from ldavi.io._readers.source import Source, decoded_lines, open_source, read_whole, undecodable

MALLET_LINE = re.compile(r"(\S*)[\s,]*(\S*)[\s,]*(.*)", re.DOTALL)  # MALLET's own --line-regex
ROWS = 1024  # of a Parquet file that are decoded at a time

Words = tuple[list[str], list[float]]


class Document(NamedTuple):
    """A text, or words with their counts; its name, and the columns that were asked for."""

    content: str | Words
    id: str | None
    metadata: tuple[Any, ...]


class Options(NamedTuple):
    """Which columns hold what, and how bytes are read."""

    column: str | tuple[str, str] | None
    id_column: str | None
    metadata: tuple[str, ...]
    encoding: str
    max_bytes: int | None


def read_lines(source: Source, options: Options) -> Iterator[Document]:
    """Plain text: each line is a document, empty ones included."""
    for _, line in decoded_lines(source, options.encoding):
        yield Document(line, None, ())


def read_mallet(source: Source, options: Options) -> Iterator[Document]:
    """The text that `mallet import-file` takes: name, label and text on a line; blank lines are left out, as MALLET does."""
    for _, line in decoded_lines(source, options.encoding):
        match = MALLET_LINE.fullmatch(line)
        if match and line.strip():
            yield Document(match[3], match[1], (match[2],))


def read_folder(path: str, options: Options) -> Iterator[Document]:
    """Each file of a folder and its subfolders, in the order of their names; hidden ones are left out.

    Raises
    ------
    CorpusError
        If a file is not text or expands beyond `max_bytes`, or the folder has no file.
    """
    empty = True
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for file in sorted(name for name in files if not name.startswith(".")):
            full = Path(folder, file)
            if not full.is_file():  # a pipe, on which reading would wait
                continue
            with open_source(full, max_bytes=options.max_bytes) as source:
                data = read_whole(source, options.max_bytes).getvalue()
            try:
                text = data.decode(options.encoding)
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
                raise CorpusError(str(full), undecodable(data, error, options.encoding), line) from error
            empty = False
            yield Document(text.removeprefix("\ufeff"), full.relative_to(path).as_posix(), ())
    if empty:
        raise CorpusError(path, "is a folder without files; expected a document in each file")


def read_csv(source: Source, options: Options) -> Iterator[Document]:
    """CSV with a header; a field may hold line breaks between quotes."""
    return _read_separated(source, options, ",")


def read_tsv(source: Source, options: Options) -> Iterator[Document]:
    """The same with tabs."""
    return _read_separated(source, options, "\t")


def _read_separated(source: Source, options: Options, delimiter: str) -> Iterator[Document]:
    stream = io.TextIOWrapper(source.stream, encoding=options.encoding, newline="")
    rows = csv.reader(stream, delimiter=delimiter, strict=True)
    header = _next_row(source, rows, options)
    if not header:
        raise CorpusError(source.name, "is empty; expected a header with the names of the columns", 1)
    header[0] = header[0].removeprefix("\ufeff")
    if isinstance(options.column, tuple):
        raise CorpusError(source.name, f"column={options.column!r}, but CSV holds texts; name one column")
    text = _choose(source.name, header, options.column)
    others = [_position(source.name, header, name) for name in options.metadata]
    id_position = None if options.id_column is None else _position(source.name, header, options.id_column)
    while (row := _next_row(source, rows, options)) is not None:
        if not row:
            continue
        if len(row) != len(header):
            raise CorpusError(
                source.name, f"expected {len(header)} fields, as in the header, found {len(row)}", rows.line_num
            )
        yield Document(row[text], None if id_position is None else row[id_position], tuple(row[i] for i in others))


def _next_row(source: Source, rows: Any, options: Options) -> list[str] | None:
    """The next record; the module's limit on a field, 128 KiB and the same for the whole process, is lifted meanwhile."""
    former = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        raise CorpusError(source.name, f"is not proper CSV ({error})", rows.line_num) from error
    except UnicodeDecodeError as error:
        found = undecodable(error.object, error, options.encoding)
        raise CorpusError(source.name, found, rows.line_num + 1) from error
    finally:
        csv.field_size_limit(former)
    return row


def read_jsonl(source: Source, options: Options) -> Iterator[Document]:
    """A JSON object on each line; the column holds a text, or a list of words (with a list of counts beside it)."""
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


def read_parquet(source: Source, options: Options) -> Iterator[Document]:
    """Parquet, by pyarrow; the column holds texts, or lists of words (with lists of counts beside it).

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ModuleNotFoundError("a Parquet file needs the library pyarrow: pip install 'ldavi[io]'")
    import pyarrow as pa
    import pyarrow.parquet

    stream: Any = source.name if source.size is not None else read_whole(source, options.max_bytes)
    row = characters = 0
    try:
        schema = pyarrow.parquet.read_schema(stream)
        names, texts = schema.names, [field.name for field in schema if pa.types.is_string(field.type)]
        column = (
            options.column if isinstance(options.column, tuple) else names[_choose(source.name, names, options.column)]
        )
        chosen = options._replace(column=column)
        for name in _wanted(chosen):
            _position(source.name, names, name)
        # Texts stay coded, and are made one at a time: a few bytes of a file can stand for a text a million times.
        with pyarrow.parquet.ParquetFile(stream, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=_wanted(chosen)):
                for position in range(batch.num_rows):
                    row += 1
                    record = {name: batch.column(name)[position].as_py() for name in _wanted(chosen)}
                    characters += sum(len(value) for value in record.values() if isinstance(value, (str, list)))
                    if options.max_bytes is not None and characters > options.max_bytes:
                        raise CorpusError(source.name, f"expands to more than max_bytes={options.max_bytes} bytes", row)
                    yield _document(source.name, record, chosen, row)
                # pyarrow opens the file itself: bytes in proportion to rows, of which a file says how many it has.
                tell_read(batch.num_rows * (source.size or 0) // max(file.metadata.num_rows, 1))
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError, NotImplementedError) as error:
        raise CorpusError(source.name, f"is not a whole Parquet file ({str(error)[:200]})") from error


TEXT_READERS: dict[str, Callable[[Source, Options], Iterator[Document]]] = {
    "text": read_lines,
    "mallet": read_mallet,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
}


def _document(name: str, record: Mapping[str, Any], options: Options, number: int) -> Document:
    """A document of a record: line or row `number` of the file."""
    column = options.column if options.column is not None else list(record)[_choose(name, list(record), None, number)]
    for wanted in (*((column,) if isinstance(column, str) else column), *_wanted(options)):
        if wanted not in record:
            raise CorpusError(name, f"has no column {wanted!r}; it has {', '.join(map(repr, record))[:200]}", number)
    content = (
        _words(name, record[column[0]], record[column[1]], number) if isinstance(column, tuple) else record[column]
    )
    if isinstance(content, list):
        content = _words(name, content, [1] * len(content), number)
    elif not isinstance(content, (str, tuple)):
        raise CorpusError(
            name, f"expected a text or a list of words in {column!r}, found {str(content)[:60]!r}", number
        )
    id_ = None if options.id_column is None else str(record[options.id_column])
    return Document(content, id_, tuple(record[key] for key in options.metadata))


def _words(name: str, words: Any, counts: Any, number: int) -> Words:
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


def _wanted(options: Options) -> list[str]:
    column = options.column
    texts = [] if column is None else [column] if isinstance(column, str) else [*column]
    return list(dict.fromkeys([*texts, *([options.id_column] if options.id_column else []), *options.metadata]))


def _choose(name: str, columns: list[str], column: Any, line: int | None = None) -> int:
    """Position of the column with the texts: as named, else the only one, else "text"."""
    if column is not None:
        return _position(name, columns, column)
    if len(columns) == 1:
        return 0
    if "text" in columns:
        return columns.index("text")
    raise CorpusError(
        name, f"has the columns {', '.join(map(repr, columns))[:200]}; say which holds the texts with column=", line
    )


def _position(name: str, columns: list[str], column: str) -> int:
    if column not in columns:
        raise CorpusError(name, f"has no column {column!r}; it has {', '.join(map(repr, columns))[:200]}")
    return columns.index(column)
