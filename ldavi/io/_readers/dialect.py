"""Dialects of CSV: the delimiter and the quotes of a table, found from its first rows."""

import csv
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ldavi.io._readers.documents import QUOTING, Notes, TableOptions

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars (|)"}
SEPARATOR_LINE = re.compile(r"\ufeff?(?:\"sep=(.)\"|sep=(.))\r*\n")  # the first line of some files for Excel
NO_DELIMITER = "\x1f"  # a control character, which texts do not contain
MIN_LINES = 5  # of a text that looks like a table
MIN_SHARE = 0.5  # of the rows that have as many fields as the header, for a delimiter to be recognised


class Dialect(NamedTuple):
    """How a table is separated into fields.

    Attributes
    ----------
    delimiter : str
    quoting : str
        "csv": fields may be quoted, and quotes within them are doubled. "backslash": such quotes follow a backslash.
        "none": quotes are part of the texts.
    """

    delimiter: str
    quoting: str

    def reader(self, lines: Iterable[str]) -> Any:
        """Return a reader of the csv module."""
        if self.quoting == "none":
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        if self.quoting == "backslash":
            return csv.reader(lines, delimiter=self.delimiter, escapechar="\\", doublequote=False, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, strict=True)


class _Trial(NamedTuple):
    """A dialect, and how the first rows look in it."""

    dialect: Dialect
    n_fields: int  # of the first row
    share: float  # of the rows that have as many
    swallows: bool
    widths: frozenset[int] = frozenset()  # of the other rows


def find_dialect(sample: list[str], table: TableOptions, notes: Notes, *, default: str, is_whole: bool) -> Dialect:
    """Return the dialect in which the first rows agree best, with what the caller named.

    Parameters
    ----------
    sample : list of str
        Lines with their line ends. The last row may be incomplete unless `is_whole`.
    table : TableOptions
    notes : Notes
        Gets a message if the dialect is not the usual one of the format.
    default : str
        The usual delimiter of the format.
    is_whole : bool
        Whether the sample is the whole file.
    """
    order = [default, *(delimiter for delimiter in DELIMITERS if delimiter != default)]
    delimiters = order if table.delimiter is None else [table.delimiter]
    quotings = QUOTING if table.quoting is None else (table.quoting,)
    if not any('"' in line for line in sample):
        quotings = quotings[:1]
    trials = [
        _try(Dialect(delimiter, quoting), sample, is_whole=is_whole) for delimiter in delimiters for quoting in quotings
    ]
    best = max(trials, key=_rank)  # the first of equals
    if table.delimiter is None and (best.n_fields < 2 or best.share < MIN_SHARE):  # the usual delimiter, or none
        best = max(trials[: len(quotings)], key=_rank)
        if best.share < 1.0 and _has_unquoted_texts(trials, len(quotings)):
            notes.add("it has one column, each line of which is a text")
            return Dialect(NO_DELIMITER, "none")
    dialect = best.dialect
    if table.delimiter is None and dialect.delimiter != default:
        notes.add(f"its fields are separated by {NAMES[dialect.delimiter]}")
    if table.quoting is None and dialect.quoting != "csv":
        what = "follow backslashes" if dialect.quoting == "backslash" else "are part of the texts"
        notes.add(f"quotes {what}: read with quoting={dialect.quoting!r}")
    return dialect


def _has_unquoted_texts(trials: list[_Trial], n_quotings: int) -> bool:
    """Return whether the first row is one name, and the others have the usual delimiter here and there."""
    return all(trial.n_fields == 1 for trial in trials) and len(trials[n_quotings - 1].widths) > 1


def fields_of_lines(sample: list[str]) -> str | None:
    """Describe the fields of lines that all have equally many, as the lines of a table do; None for other lines."""
    sample = [line for line in sample if line.strip()]
    if len(sample) < MIN_LINES:
        return None
    for delimiter in ("\t", ";", "|", ","):
        numbers = {line.count(delimiter) for line in sample}
        if len(numbers) == 1 and (number := numbers.pop()):
            return f"each of its lines has {number + 1} fields separated by {NAMES[delimiter]}"
    return None


def _rank(trial: _Trial) -> tuple[bool, bool, float, int]:
    """Return a key for `max`: rows of the same width that swallow no others, then how many, then the width."""
    fits = trial.share == 1.0 and not trial.swallows
    return trial.n_fields > 1 and trial.share >= MIN_SHARE, fits, trial.share if not fits else 1.0, trial.n_fields


def _try(dialect: Dialect, sample: list[str], *, is_whole: bool) -> _Trial:
    rows: list[list[str]] = []
    swallows, line = False, 0
    reader = dialect.reader(sample)
    is_valid = True
    try:
        for row in reader:
            if row:
                rows.append(row)
                swallows |= reader.line_num - line > 1 and swallows_rows(row, dialect.delimiter, len(rows[0]))
            line = reader.line_num
    except csv.Error as error:
        is_valid = "end of data" in str(error) and not is_whole
    if not rows:
        return _Trial(dialect, 0, 0.0, False)
    if not is_whole and len(rows) > 1:
        rows.pop()
    n_fields = len(rows[0])
    share = sum(len(row) == n_fields for row in rows) / (len(rows) + (not is_valid))
    return _Trial(dialect, n_fields, share, swallows, frozenset(len(row) for row in rows[1:]))


def swallows_rows(row: list[str], delimiter: str, n_fields: int) -> bool:
    """Return whether a record of several lines looks as if a quote had joined rows: each line has all the fields."""
    lines = delimiter.join(row).splitlines()
    return n_fields > 1 and len(lines) > 1 and all(line.count(delimiter) == n_fields - 1 for line in lines)
