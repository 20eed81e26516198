"""Output: tables, JSON and CSV on standard output, messages on standard error, and files."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from ldavi._core.atomic_write import atomic_write
from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options
from ldavi.cli._text import csv_cell, json_safe, visible


def say(options: Options, message: str) -> None:
    """Write a message to standard error, unless --quiet is given."""
    if not getattr(options, "quiet", False):
        print(visible(message, keep="\n"), file=sys.stderr, flush=True)


def plain(value: Any) -> Any:
    """Convert a value to JSON types; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_json(value: Any) -> None:
    """Print indented JSON, with escapes for letters that the terminal's encoding may lack."""
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    print(json_safe(json.dumps(plain(value), indent=2, ensure_ascii=not is_utf8, allow_nan=False)))


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print records as CSV, with the names of the first record as header.

    See `csv_cell` for cells that spreadsheets would run as formulas. Only a terminal gets escapes, since programs read
    words as they are.
    """
    is_terminal = sys.stdout.isatty()
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: csv_cell(value) for name, value in row.items()}
        if is_terminal:
            cells = {name: visible(value) if isinstance(value, str) else value for name, value in cells.items()}
        writer.writerow(cells)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = ()) -> None:
    """Print aligned columns: to the right, but the columns `left` to the left."""
    lines = [list(header), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def records_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a DataFrame or a structured array as records."""
    names = list(table.dtype.names) if isinstance(table, np.ndarray) else [str(name) for name in table.columns]
    columns = [np.asarray(table[name]).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """Open a binary file that replaces the old one when the block ends; an error or a kill leaves the old one.

    Anything but a regular file, such as /dev/stdout or a named pipe, is written to directly.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as stream:
            yield stream
        return
    with atomic_write(path) as file:
        yield file


@contextmanager
def open_text_output(path: str) -> Iterator[TextIO]:
    """Do the same for UTF-8 text; - is standard output."""
    if path == "-":
        yield sys.stdout
        return
    with open_output(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()  # `open_output` closes the file


def check_writable(*paths: str | None) -> None:
    """Check that files can be written, before a long computation.

    Raises
    ------
    UsageError
        If a path is a folder.
    FileNotFoundError
        If the folder of a path does not exist.
    """
    for path in paths:
        if path is None or path == "-":
            continue
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder; name the file to write")
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(2, "the folder of this file does not exist; create it first", path)
