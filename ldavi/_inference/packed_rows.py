"""Whole numbers in rows, in few bytes: the form in which n_wk and its changes are sent to other processes.

Most words occur in few topics, so most entries of n_wk are 0, and most of the others are small. Packing loses nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.chunks import chunks
from ldavi._core.typing import Int64s, Masses, UInt16s

ROWS_AT_ONCE = 2**12


class PackedRows(NamedTuple):
    """Rows of whole numbers: all entries, or those that are not 0 if these take fewer bytes.

    Attributes
    ----------
    value : array of shape (rows, K) or (n,)
        In the smallest integer type that holds them, or in float64.
    column : array of shape (n,) or None
        The column of each entry; None if `value` has all of them.
    indptr : array of shape (rows + 1,) or None
        The entries before each row.
    n_columns : int
    """

    value: NDArray[Any]
    column: UInt16s | None
    indptr: Int64s | None
    n_columns: int

    @property
    def n_rows(self) -> int:
        return len(self.value) if self.indptr is None else len(self.indptr) - 1


def pack(rows: Masses, n_columns: int) -> PackedRows:
    """Pack the first columns of some rows; the others must be 0."""
    width, dtype = rows.shape[1], _smallest_type(rows)
    n = sum(int(np.count_nonzero(rows[at] != 0)) for at in chunks(len(rows), ROWS_AT_ONCE))
    if n * (dtype.itemsize + 2) + 8 * len(rows) >= len(rows) * n_columns * dtype.itemsize:
        return PackedRows(rows[:, :n_columns].astype(dtype), None, None, n_columns)
    indptr = np.zeros(len(rows) + 1, np.int64)
    value, column = np.empty(n, dtype), np.empty(n, np.uint16)
    for at in chunks(len(rows), ROWS_AT_ONCE):
        part, before = rows[at].reshape(-1), int(indptr[at.start])
        flat = np.flatnonzero(part != 0)  # of booleans: several times as fast as of numbers
        ends = np.searchsorted(flat, width * np.arange(1, at.stop - at.start + 1))
        indptr[at.start + 1 : at.stop + 1] = before + ends
        value[before : before + len(flat)] = part[flat]
        column[before : before + len(flat)] = flat % width
    return PackedRows(value, column, indptr, n_columns)


def add_rows(into: Masses, packed: PackedRows, rows: Int64s | None = None, place: Int64s | None = None) -> None:
    """Add some packed rows, by default all, to rows of `into`, by default the first ones; none may occur twice."""
    n = packed.n_rows if rows is None else len(rows)
    for at in chunks(n, ROWS_AT_ONCE):
        numbers = np.arange(at.start, at.stop)
        taken = numbers if rows is None else rows[at]
        target = numbers if place is None else place[at]
        if packed.indptr is None or packed.column is None:
            into[target, : packed.n_columns] += packed.value[taken].astype(into.dtype, copy=False)
            continue
        lengths = packed.indptr[taken + 1] - packed.indptr[taken]
        ends = np.cumsum(lengths)
        entries = np.arange(ends[-1] if len(ends) else 0) + np.repeat(packed.indptr[taken] - (ends - lengths), lengths)
        cells = np.repeat(target * into.shape[1], lengths) + packed.column[entries]
        into.reshape(-1)[cells] += packed.value[entries].astype(into.dtype, copy=False)


def slice_rows(packed: PackedRows, at: slice) -> PackedRows:
    """Return consecutive rows."""
    if packed.indptr is None or packed.column is None:
        return packed._replace(value=packed.value[at])
    indptr = packed.indptr[at.start : at.stop + 1]
    entries = slice(indptr[0], indptr[-1])
    return PackedRows(packed.value[entries], packed.column[entries], indptr - indptr[0], packed.n_columns)


def _smallest_type(rows: Masses) -> np.dtype[Any]:
    """Return the smallest of int8, int16, int32 and float64 that holds all entries."""
    low, high = float(rows.min(initial=0)), float(rows.max(initial=0))
    for candidate in (np.int8, np.int16, np.int32):
        limits = np.iinfo(candidate)
        if limits.min <= low and high <= limits.max:
            return np.dtype(candidate)
    return np.dtype(np.float64)
