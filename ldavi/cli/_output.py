"""What is printed: tables for people, JSON and CSV for programs, messages on standard error."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ldavi._core.atomic_write import atomic_write
from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options


def say(options: Options, message: str) -> None:
    """A message for people, unless they want none."""
    if not getattr(options, "quiet", False):
        print(message, file=sys.stderr, flush=True)


def plain(value: Any) -> Any:
    """A value as JSON knows it: no NumPy scalars, None for what is not finite."""
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
    """JSON, indented, with letters as they are where the terminal knows them."""
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    print(json.dumps(plain(value), indent=2, ensure_ascii=not is_utf8, allow_nan=False))


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """A row per record, the names of the first record as header."""
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = ()) -> None:
    """Columns in line: numbers to the right, the columns `left` to the left."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def records_of(table: Any) -> list[dict[str, Any]]:
    """Rows of a DataFrame or a structured array."""
    names = list(table.dtype.names) if isinstance(table, np.ndarray) else [str(name) for name in table.columns]
    columns = [np.asarray(table[name]).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@contextmanager
def written(path: str) -> Iterator[Any]:
    """A file, in bytes, that takes the place of a former one when it is whole; an error or a kill leaves the former one.

    What is no file, such as /dev/stdout or a named pipe, is written to as it is.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as stream:
            yield stream
        return
    with atomic_write(path) as file:
        yield file


@contextmanager
def written_text(path: str) -> Iterator[Any]:
    """The same for text in UTF-8; - is standard output."""
    if path == "-":
        yield sys.stdout
        return
    with written(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()  # the file is closed by the one who opened it


def check_writable(*paths: str | None) -> None:
    """Refuse places that cannot be written to before hours are spent on what should go there."""
    for path in paths:
        if path is None or path == "-":
            continue
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder; name the file to write")
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(2, "the folder of this file does not exist; make it first", path)
