"""Documents of corpus files, and how the columns of tables become documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from ldavi.io._errors import CorpusError
from ldavi.io._readers.text_stream import undecodable

WordCounts: TypeAlias = tuple[list[str], list[float]]
Column: TypeAlias = str | tuple[str, str] | list[str] | None
QUOTING = ("csv", "backslash", "none")
MISSING_TEXTS = frozenset(("NaN", "nan", "<NA>", "NULL", "null"))  # as other programs write them
MISSING_NOTE = "texts that are only NaN, <NA> or NULL are taken for missing ones, and read as empty documents"
NULL_NOTE = "some documents have no text (null); they are read as empty documents"
LACKING_NOTE = "some records lack a column of metadata; their cells are empty"


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


class TableOptions(NamedTuple):
    """How the rows and fields of a table are found; see the parameter `table` of `read_corpus`."""

    delimiter: str | None = None
    quoting: str | None = None
    header: bool = True
    sheet: str | None = None


class Notes:
    """Distinct messages about how a file was read, in the order in which they were added."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}

    def add(self, note: str) -> None:
        """Add a message that is not there yet."""
        self._notes.setdefault(note)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._notes))


class ReaderOptions(NamedTuple):
    """Options of `read_corpus` that concern columns, bytes and numbering; see there.

    `notes` collects what was decided where a file leaves it open, and `columns` the columns that were found.
    `chosen` has the column of the texts of records, which the first one decides unless the caller names it.
    `partition` has the columns that the names of folders give, with their values in the file that is read.
    """

    column: Column
    id_column: str | None
    metadata: tuple[str, ...]
    encoding: str
    max_bytes: int | None
    table: TableOptions
    first_word: int | None
    notes: Notes
    columns: dict[str, None]
    chosen: dict[str, str]
    partition: Mapping[str, Any] = MappingProxyType({})

    def add_columns(self, names: Iterable[str]) -> None:
        """Note that a table has these columns."""
        self.columns.update(dict.fromkeys(names))


def table_options(table: Mapping[str, Any] | None) -> TableOptions:
    """Return the options of a table that a caller gave as a mapping.

    Raises
    ------
    ValueError
        If a name or a value is not allowed.
    """
    given = dict(table or {})
    if unknown := given.keys() - set(TableOptions._fields):
        raise ValueError(
            f"table has the entry {min(map(str, unknown))!r}; allowed are {', '.join(TableOptions._fields)}"
        )
    options = TableOptions(**given)
    delimiter, quoting, header, _ = options
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"'):
        raise ValueError(f"delimiter={delimiter!r} must be one character, such as ';', that is no quote or line end")
    if quoting is not None and quoting not in QUOTING:
        raise ValueError(f"quoting={quoting!r} must be one of {', '.join(QUOTING)}")
    if not isinstance(header, bool):
        raise ValueError(f"header={header!r} must be True or False")
    return options


def note_own_encoding(kind: str, options: ReaderOptions) -> None:
    """Note that an encoding is not used for a format whose texts have one."""
    if options.encoding != "utf-8":
        options.notes.add(f"it is {kind}, whose texts have an encoding of their own: {options.encoding} is not used")


def used_columns(options: ReaderOptions) -> list[str]:
    """Return the names of all columns that the options mention."""
    column = options.column
    texts = [] if column is None else [column] if isinstance(column, str) else [*column]
    return list(dict.fromkeys([*texts, *([options.id_column] if options.id_column else []), *options.metadata]))


def position_of(name: str, columns: Sequence[str], column: str) -> int:
    """Return the position of a column.

    Raises
    ------
    CorpusError
        If the table has no column of this name, or several.
    """
    n_found = columns.count(column)
    if n_found == 0 and column != column.strip():
        return position_of(name, columns, column.strip())
    if n_found == 0:
        raise CorpusError(name, f"has no column {column!r}; it has {_listed(columns)}")
    if n_found > 1:
        raise CorpusError(name, f"has {n_found} columns named {column!r}; rename all but one")
    return columns.index(column)


def text_column(name: str, columns: Sequence[str], line: int | None = None, *, remedy: str = "") -> int:
    """Return the position of the column with the texts if none is named: the only one, or else "text" or "Text".

    Raises
    ------
    CorpusError
        If there are other columns.
    """
    if len(columns) == 1:
        return 0
    folded = [column.casefold() for column in columns]
    if folded.count("text") == 1:
        return folded.index("text")
    if columns.count("text") > 1:
        return position_of(name, columns, "text")  # which refuses them
    if "" in columns[1:]:
        remedy += "; if there is a title above the table, remove its rows"
    raise CorpusError(
        name, f"has the columns {_listed(columns)}; name the one with the texts: column=NAME{remedy}", line
    )


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))[:200]


def documents_of_rows(
    name: str, header: list[str], rows: Iterable[Sequence[Any]], options: ReaderOptions, *, remedy: str = ""
) -> Iterator[Document]:
    """Yield the documents of a table whose cells are texts, numbers or dates.

    Raises
    ------
    CorpusError
        If a column is missing, or the text is named by a pair, which means lists of words.
    """
    column = options.column
    if isinstance(column, tuple):
        raise CorpusError(name, f"column={column!r} names two columns of words and counts, but its columns are texts")
    if column is None:
        positions = [text_column(name, header, remedy=remedy)]
    else:
        positions = [position_of(name, header, each) for each in ([column] if isinstance(column, str) else column)]
    partition = {key: value for key, value in options.partition.items() if key not in header}
    header = [*header, *partition]
    options.add_columns(header)
    others = [position_of(name, header, each) for each in options.metadata]
    id_position = None if options.id_column is None else position_of(name, header, options.id_column)
    only = positions[0] if len(positions) == 1 else None
    of_folders = list(partition.values())
    for row in rows:
        row = [*row, *of_folders] if of_folders else row
        text = as_text(row[only]) if only is not None else joined([as_text(row[place]) for place in positions])
        if text in MISSING_TEXTS:
            options.notes.add(MISSING_NOTE)
            text = ""
        id_ = None if id_position is None else as_text(row[id_position])
        yield Document(text, id_, tuple([row[place] for place in others]))


def joined(texts: Iterable[str]) -> str:
    """Return the texts of several columns as one text."""
    return " ".join(text for text in texts if text)


def as_text(value: Any) -> str:
    """Return a cell of a table as text: nothing for a missing value, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if is_null(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def is_null(value: Any) -> bool:
    """Return whether a value is missing: None or NaN."""
    return value is None or value != value


def document_of_record(name: str, record: Mapping[str, Any], options: ReaderOptions, number: int) -> Document:
    """Return the document of a record, which is line or row `number` of the file.

    Raises
    ------
    CorpusError
        If a column is missing, or the column of the texts contains neither a text nor a list of words. A column of
        metadata that other records have may be missing.
    """
    column = options.column
    if column is None:
        if "column" not in options.chosen:
            options.chosen["column"] = list(record)[text_column(name, list(record), number)]
        column = options.chosen["column"]
    if options.partition:
        record = {**options.partition, **record}
    if not record.keys() <= options.columns.keys():
        options.add_columns(record)
    texts = (column,) if isinstance(column, str) else column
    for used in (*texts, *used_columns(options)):
        if used in record:
            continue
        if used in texts or used == options.id_column or used not in options.columns:
            raise CorpusError(name, f"has no column {used!r}; it has {_listed(record)}", number)
        options.notes.add(LACKING_NOTE)
    if isinstance(column, tuple):
        content: Any = _word_counts(name, record[column[0]], record[column[1]], number)
    elif isinstance(column, list):
        content = joined(_text_of(name, each, record[each], options, number) for each in column)
    elif isinstance(record[column], list):
        content = _word_counts(name, record[column], [1] * len(record[column]), number)
    else:
        content = _text_of(name, column, record[column], options, number)
    id_ = None if options.id_column is None else as_text(record[options.id_column])
    return Document(content, id_, tuple(record.get(key) for key in options.metadata))


def _text_of(name: str, column: str, value: Any, options: ReaderOptions, number: int) -> str:
    if isinstance(value, str):
        return value
    if is_null(value):
        options.notes.add(NULL_NOTE)
        return ""
    if isinstance(value, bytes):  # Parquet of programs that do not mark texts as such
        try:
            return value.decode(options.encoding)
        except UnicodeDecodeError as error:
            raise CorpusError(name, undecodable(value, error, options.encoding), number) from error
    raise CorpusError(name, f"expected a text or a list of words in {column!r}, found {str(value)[:60]!r}", number)


def word_list(name: str, words: Any, number: int) -> Document:
    """Return the document that is a list of words."""
    return Document(_word_counts(name, words, [1] * len(words), number), None, ())


def _word_counts(name: str, words: Any, counts: Any, number: int) -> WordCounts:
    if is_null(words) and is_null(counts):
        return [], []
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
