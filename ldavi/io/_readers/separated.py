"""Reader of CSV and of other tables whose fields are separated by a character."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ldavi.io._errors import CorpusError
from ldavi.io._readers.dialect import DELIMITERS, SEPARATOR_LINE, Dialect, fields_of_lines, find_dialect, swallows_rows
from ldavi.io._readers.documents import Document, ReaderOptions, documents_of_rows
from ldavi.io._readers.source import HEAD_SIZE, MAX_LINE, Source
from ldavi.io._readers.text_stream import undecodable

BLOCK_SIZE = 2**18  # bytes
MAX_WORDS_OF_NAME = 5
MAX_TITLE, MIN_ROWS = 10, 3  # lines of a title above a table, and of the table below it
MIN_COUNTS = 5  # columns of a table that may contain counts
PLAIN_NAME = re.compile(r"[\w.\-]*+")
COMMENTS = ("#", "%", "//")
SAMPLE_SIZE = 2**13  # bytes of a text in which a table would be visible
MARKUP = re.compile(rb"\s*+<(?:!doctype\b|!--|\?xml\b|[a-z][\w:.-]*+(?:\s[^<>]*+)?+>)", re.IGNORECASE)


def read_csv(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read CSV, with a header by default; a quoted field may contain line breaks."""
    return _read_separated(source, options, ",")


def read_tsv(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read tab-separated values."""
    return _read_separated(source, options, "\t")


def looks_like_table(source: Source, options: ReaderOptions, names: list[str]) -> bool:
    """Return whether the first row of a text has the columns that the caller names."""
    if not names:
        return False
    sample = _sample(source)
    dialect = find_dialect(sample, options.table, type(options.notes)(), default=",", is_whole=False)
    try:
        first: list[str] = next(dialect.reader(sample), [])
    except csv.Error:
        return False
    return len(first) > 1 and all(name in first for name in names)


def note_of_text(source: Source) -> str | None:
    """Return what the user should know about a file that is read as text: that it looks like a table or markup."""
    if MARKUP.match(source.head) and (b"</" in source.head or b"/>" in source.head):
        return "it contains markup (HTML or XML), whose tags are counted as words; extract its text first"
    fields = fields_of_lines(source.head[:SAMPLE_SIZE].decode(source.encoding, "ignore").splitlines()[:-1])
    return (
        None if fields is None else f"{fields}, but it is read as text, a document per line (format='csv' for a table)"
    )


def _sample(source: Source) -> list[str]:
    text = source.head.decode(source.encoding, "ignore")
    if match := SEPARATOR_LINE.match(text):
        text = text[match.end() :]
    return list(io.StringIO(text, newline=""))


def _read_separated(source: Source, options: ReaderOptions, default: str) -> Iterator[Document]:
    table, lines, first_line = options.table, _decoded(source), 0
    head = source.head.decode(source.encoding, "ignore")
    if match := SEPARATOR_LINE.match(head):
        if table.delimiter is None:
            table = table._replace(delimiter=match[1] or match[2])
        next(lines)
        first_line = 1
    sample = _sample(source)
    dialect = find_dialect(sample, table, options.notes, default=default, is_whole=len(source.head) < HEAD_SIZE)
    if table.header and table.delimiter is None:
        _check_beginning(source.name, sample, options, default)
    rows = _Rows(source, dialect.reader(lines), dialect, first_line)
    first = next(rows, None)
    if first and table.header:
        first = [name.strip() for name in first]
    if not first:
        raise CorpusError(source.name, "is empty; expected a header with the names of the columns", 1)
    if not table.header:
        names = [str(number) for number in range(1, len(first) + 1)]
        return documents_of_rows(source.name, names, chain([first], rows), options)
    if options.column is None and len(first) == 1:
        _check_name(source.name, first[0], options)
    return documents_of_rows(source.name, first, rows, options, remedy=_remedy_of_columns(sample, dialect))


def _check_beginning(name: str, sample: list[str], options: ReaderOptions, default: str) -> None:
    """Check that no comments or titles precede the header.

    Raises
    ------
    CorpusError
        If the table begins after some lines of one field.
    """
    comments = [line.lstrip('\ufeff "').startswith(COMMENTS) for line in sample[:MAX_TITLE]]
    first = sample[0].strip() if sample else ""
    if not any(comments[:1]) and len(first.split()) < 2:
        return
    for n_lines in range(min(MAX_TITLE, len(sample) - MIN_ROWS)):
        if n_lines and not all(comments[:n_lines]) and any(delimiter in first for delimiter in DELIMITERS):
            return
        trial = find_dialect(sample[n_lines:], options.table, type(options.notes)(), default=default, is_whole=False)
        try:
            widths = [len(row) for row in trial.reader(sample[n_lines:-1])]
        except csv.Error:
            continue
        if min(widths, default=0) > 1 and len(set(widths)) == 1:
            if n_lines == 0:  # a table whose first name begins so
                return
            raise CorpusError(
                name, f"begins with {first[:60]!r}, before a table of {widths[0]} columns; remove {n_lines} lines", 1
            )


def _remedy_of_columns(sample: list[str], dialect: Dialect) -> str:
    """Return what to do if it is not known which column has the texts."""
    try:
        rows = [row for row, _ in zip(dialect.reader(sample), range(2), strict=False)]
    except csv.Error:
        rows = []
    if len(rows) == 2 and len(rows[1]) >= MIN_COUNTS and all(cell.strip().isdigit() for cell in rows[1][1:]):
        return (
            "; if its cells are counts of words, save them with scipy.io.mmwrite or scipy.sparse.save_npz, since "
            "tables are read for their texts"
        )
    return "; if the first row is a text, header=False"


def _check_name(name: str, only: str, options: ReaderOptions) -> None:
    """Check that the only field of the first row is the name of a column, and not a text.

    Raises
    ------
    CorpusError
        If it has the length of a text.
    """
    n_words = len(only.split())
    if n_words > MAX_WORDS_OF_NAME:
        raise CorpusError(
            name,
            f"begins with {only[:60]!r}, which looks like a text, and not like the name of a column; pass header=False "
            "if it is one, or column=NAME with this name",
            1,
        )
    if n_words == 1 and not PLAIN_NAME.fullmatch(only):
        options.notes.add(f"its only column is {only!r}; name the delimiter if it has several (delimiter=CHAR)")
    if n_words > 1:
        options.notes.add(
            f"its first row, {only!r}, is taken for the name of the column, not for a text (header=False)"
        )


class _Rows:
    """An iterator over the records of a table, which all have as many fields as the first.

    The csv module limits the size of a field to 128 KiB, for the whole process; the limit is raised while a record is
    read.
    """

    def __init__(self, source: Source, rows: Any, dialect: Dialect, first_line: int) -> None:
        self._source, self._rows, self._dialect, self._first_line = source, rows, dialect, first_line
        self._n_fields: int | None = None

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        while True:
            start = self._rows.line_num
            previous_limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
            try:
                row: list[str] = next(self._rows)
            except csv.Error as error:
                raise self._error(f"is not valid CSV ({error}){self._remedy()}", start) from error
            finally:
                csv.field_size_limit(previous_limit)
            if row:
                break
        if self._n_fields is None:
            self._n_fields = len(row)
        if len(row) != self._n_fields:
            raise self._error(
                f"expected {self._n_fields} fields, as in the first row, found {len(row)}{self._remedy()}", start
            )
        if self._rows.line_num - start > 1 and swallows_rows(row, self._dialect.delimiter, self._n_fields):
            raise self._error(
                f"a quote begins here a field of {self._rows.line_num - start} lines, each of which has the fields of "
                "a row; if quotes are part of the texts, pass quoting='none'",
                start,
            )
        return row

    def _error(self, problem: str, start: int) -> CorpusError:
        return CorpusError(self._source.name, problem, self._first_line + start + 1)

    def _remedy(self) -> str:
        if self._dialect.quoting == "none":
            return "; a text that contains the delimiter or a line end must be quoted"
        return (
            "; a text that contains the delimiter or a line end must be quoted. If quotes are part of the texts, pass "
            "quoting='none'; for another delimiter, delimiter=CHAR"
        )


def _decoded(source: Source) -> Iterator[str]:
    """Yield lines with their line ends; a field may contain them."""
    return chain.from_iterable(io.StringIO(text, newline="") for text in _decoded_blocks(source))


def _decoded_blocks(source: Source) -> Iterator[str]:
    """Yield blocks of complete lines."""
    n_lines = 0
    while block := source.stream.read(BLOCK_SIZE):
        if not block.endswith(b"\n"):
            block += source.stream.readline(MAX_LINE + 1)
        if len(block) > MAX_LINE + BLOCK_SIZE:
            raise CorpusError(source.name, f"has more than {MAX_LINE} bytes", n_lines + block.count(b"\n") + 1)
        try:
            text = block.decode(source.encoding)
        except UnicodeDecodeError as error:
            line = n_lines + block.count(b"\n", 0, error.start) + 1
            raise CorpusError(source.name, undecodable(block, error, source.encoding, source.head), line) from error
        n_lines += block.count(b"\n")
        yield text
