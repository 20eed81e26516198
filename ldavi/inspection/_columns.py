"""Metadata of documents: columns are divided into bins, by one or by several units of time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.typing import Doubles, Int64s

MAX_CLASSES = 40
MAX_BINS = 100
MAX_PERIODS = 60  # where one division is chosen
MAX_CHOSEN_BINS = 1000
MAX_VALUES = 20  # of numbers that are not integers
MONDAY = np.timedelta64(4, "D")  # of the first week after the epoch, which was a Thursday
MISSING = ("", "nan", "NaN", "NaT", "None", "<NA>")
UNITS = {"day": "D", "week": "W", "month": "M", "quarter": "3M", "year": "Y", "decade": "10Y", "century": "100Y"}
PERIODS = tuple(UNITS)

BinChoice: TypeAlias = str | int | Sequence[Any]


class Bins(NamedTuple):
    """A column divided into bins.

    Attributes
    ----------
    kind : str
        "date", "number" or "class".
    labels : list of str
        One for each bin; of dates, the first day in ISO 8601.
    of : (D,) int64 array
        The bin of each document, -1 where the value is missing or outside all bins.
    unit : str
        Unit of time of the bins, such as "month"; "chosen" for given bins, "" for others.
    """

    kind: str
    labels: list[str]
    of: Int64s
    unit: str = ""


def cut(name: str, values: ArrayLike, n_documents: int, period: str | None = None) -> Bins:
    """Divide one column into bins: dates by one unit of time, numbers by ranges, classes by value.

    Parameters
    ----------
    name : str
        For error messages.
    values : array-like of shape (n_documents,)
    n_documents : int
    period : str or None, default=None
        One of PERIODS for dates; None takes the shortest that makes at most 60 bins.

    Raises
    ------
    ValueError
        If there is not one value for each document, or there is a period and the values are not dates.
    """
    column = _column(name, values, n_documents)
    dates = as_dates(column)
    if dates is None and period is not None:
        raise ValueError(f"period={period!r} requires dates, but {name} holds none. Pass datetime64 or ISO 8601 text.")
    found = divisions(name, values, n_documents, period)
    return next((bins for bins in found if bins.kind != "date" or len(bins.labels) <= MAX_PERIODS), found[-1])


def divisions(name: str, values: ArrayLike, n_documents: int, bins: BinChoice | None = None) -> list[Bins]:
    """Divide one column into bins: by units of time for dates, by ranges for numbers, by value for classes.

    Parameters
    ----------
    name : str
        Name of the values, for messages.
    values : array-like of shape (n_documents,)
    n_documents : int
    bins : str, int, sequence or None, default=None
        A unit of time for dates; the number of bins for numbers and classes; or the bins: the ascending edges of
        intervals of dates or numbers, or the classes to show.

    Returns
    -------
    divisions : list of Bins
        The first is the default. Dates have one for each unit of time that makes 2 to 100 bins, the shortest first.

    Raises
    ------
    ValueError, TypeError
        If there is not one value for each document, or `bins` does not fit the column.
    """
    column = _column(name, values, n_documents)
    dates = as_dates(column)
    if dates is not None:
        return _cut_dates(name, dates, bins)
    numbers = as_numbers(column)
    if numbers is not None:
        return [_cut_numbers(name, numbers, bins)]
    return [_cut_classes(name, column, bins)]


def _column(name: str, values: ArrayLike, n_documents: int) -> NDArray[Any]:
    column = np.asarray(values)
    if column.shape != (n_documents,):
        raise ValueError(
            f"{name} has shape {column.shape}, but X has {n_documents} documents. Give one value for each."
        )
    return column


def as_text(values: ArrayLike, documents: Int64s) -> list[str]:
    """Format the values of some documents: dates without a time that is always midnight, numbers with 6 digits."""
    column = np.asarray(values)[documents]
    if column.dtype.kind == "M":
        days = column.astype("datetime64[D]")
        column = days if (np.isnat(column) | (days == column)).all() else column.astype("datetime64[s]")
    texts = [f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value) for value in column]
    return ["–" if text in MISSING else text for text in texts]


def as_dates(column: NDArray[Any]) -> NDArray[np.datetime64] | None:
    """Convert to days if every known value is a date, or text that begins with an ISO 8601 date or month."""
    if column.dtype.kind == "M":
        return column.astype("datetime64[D]")
    if column.dtype.kind not in "OUT":
        return None
    texts = [str(value) for value in column.tolist()]
    known = [text for text in texts if text not in MISSING]
    if not known or any(len(text) < 7 or text[4:5] != "-" for text in known):
        return None
    try:
        return np.array(["NaT" if text in MISSING else text[:10] for text in texts], dtype="datetime64[D]")
    except ValueError:
        return None


def as_numbers(column: NDArray[Any]) -> Doubles | None:
    """Convert to float64 if every value that is not missing is a number, or text that is one."""
    if column.dtype.kind in "iuf":
        return column.astype(np.float64)
    if column.dtype.kind not in "OUT" or any(isinstance(value, (bool, np.bool_)) for value in column.tolist()):
        return None
    texts = [str(value) for value in column.tolist()]
    try:
        numbers = np.array([np.nan if text in MISSING else float(text) for text in texts])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).any() else None


def _cut_dates(name: str, dates: NDArray[np.datetime64], bins: BinChoice | None) -> list[Bins]:
    """Divide by each unit that makes 2 to 100 bins, by one chosen unit, or at chosen dates."""
    if bins is not None and not isinstance(bins, str):
        return [_cut_at_dates(name, dates, bins)]
    if bins is not None and bins not in UNITS:
        raise ValueError(f"bins={bins!r} of {name} must be a unit of time, {', '.join(UNITS)}, or a list of dates")
    known = dates[~np.isnat(dates)]
    if not len(known):
        return [Bins("date", [], np.full(len(dates), -1, dtype=np.int64), bins or "")]
    if bins is not None:
        numbers = _cells(known, bins).astype(np.int64)
        n_bins = int(numbers.max() - numbers.min()) + 1
        if n_bins > MAX_CHOSEN_BINS:
            raise ValueError(
                f"bins={bins!r} of {name} makes {n_bins:,} bins; at most {MAX_CHOSEN_BINS:,} can be shown. "
                "Choose a longer unit."
            )
        return [_by_unit(dates, bins)]
    divisions = [_by_unit(dates, unit) for unit in UNITS if _n_bins(known, unit) <= MAX_BINS]
    return [division for division in divisions if len(division.labels) > 1] or divisions[:1]


def _cells(dates: NDArray[np.datetime64], unit: str) -> NDArray[np.datetime64]:
    offset = MONDAY if unit == "week" else np.timedelta64(0, "D")
    return (dates - offset).astype(f"datetime64[{UNITS[unit]}]")


def _n_bins(known: NDArray[np.datetime64], unit: str) -> int:
    numbers = _cells(known, unit).astype(np.int64)
    return int(numbers.max() - numbers.min()) + 1


def _by_unit(dates: NDArray[np.datetime64], unit: str) -> Bins:
    known = ~np.isnat(dates)
    of = np.full(len(dates), -1, dtype=np.int64)
    numbers = _cells(dates[known], unit).astype(np.int64)
    of[known] = numbers - numbers.min()
    cells = np.arange(numbers.min(), numbers.max() + 1).astype(f"datetime64[{UNITS[unit]}]")
    offset = MONDAY if unit == "week" else np.timedelta64(0, "D")
    return Bins("date", [str(start) for start in cells.astype("datetime64[D]") + offset], of, unit)


def _cut_at_dates(name: str, dates: NDArray[np.datetime64], bins: BinChoice) -> Bins:
    try:
        edges = np.array([str(edge)[:10] for edge in _sequence(name, bins)], dtype="datetime64[D]")
    except ValueError as error:
        raise ValueError(f"bins={bins!r} of {name} must hold dates in ISO 8601, such as '2020-01-31'") from error
    _check_ascending(name, bins, edges)
    of = _between(dates.astype(np.int64).astype(np.float64), edges.astype(np.int64).astype(np.float64))
    return Bins("date", [str(edge) for edge in edges[:-1]], np.where(np.isnat(dates), -1, of), "chosen")


def _cut_numbers(name: str, column: Doubles, bins: BinChoice | None) -> Bins:
    """Divide by value if there are few values, or not many integers; else by ranges with equally many documents."""
    known = np.isfinite(column)
    of = np.full(len(column), -1, dtype=np.int64)
    numbers = column[known]
    if not len(numbers):
        return Bins("number", [], of)
    if bins is not None and not isinstance(bins, (int, np.integer)):
        try:
            edges = np.array(_sequence(name, bins), dtype=np.float64)
        except ValueError as error:
            raise ValueError(f"bins={bins!r} of {name} must hold numbers, or be a number of bins") from error
        _check_ascending(name, bins, edges)
        return Bins("number", _ranges(edges), _between(column, edges), "chosen")
    values, inverse = np.unique(numbers, return_inverse=True)
    if bins is None and len(values) <= (MAX_BINS if (numbers == np.round(numbers)).all() else MAX_VALUES):
        of[known] = inverse
        return Bins("number", [f"{value:.15g}" for value in values], of)
    n_bins = MAX_VALUES if bins is None else _number_of_bins(name, bins)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, n_bins + 1)))
    return Bins("number", _ranges(edges), _between(column, edges))


def _cut_classes(name: str, column: NDArray[Any], bins: BinChoice | None) -> Bins:
    """Divide by value: the 40 most frequent ones, sorted, or the chosen ones, and one bin for all others."""
    texts = np.array([str(value) for value in column.tolist()], dtype=object).astype(str)
    known = ~np.isin(texts, MISSING)
    of = np.full(len(column), -1, dtype=np.int64)
    if not known.any():
        return Bins("class", [], of)
    values, inverse, occurrences = np.unique(texts[known], return_inverse=True, return_counts=True)
    if bins is None or isinstance(bins, (int, np.integer)):
        n_classes = MAX_CLASSES if bins is None else _number_of_bins(name, bins)
        kept = np.sort(np.argsort(-occurrences, kind="stable")[:n_classes])
    else:
        kept = _positions(name, [str(value) for value in _sequence(name, bins)], values)
    position = np.full(len(values), len(kept), dtype=np.int64)
    position[kept] = np.arange(len(kept))
    of[known] = position[inverse]
    rest = [f"{len(values) - len(kept)} others"] if len(values) > len(kept) else []
    return Bins("class", [*values[kept].tolist(), *rest], of)


def _positions(name: str, wanted: list[str], values: NDArray[np.str_]) -> Int64s:
    unknown = [value for value in wanted if value not in values]
    if unknown or len(set(wanted)) != len(wanted):
        raise ValueError(
            f"bins of {name} must name different values of the column; {unknown or wanted} is not one of "
            f"{values[:8].tolist()}{' …' if len(values) > 8 else ''}"
        )
    return np.array([int(np.searchsorted(values, value)) for value in wanted], dtype=np.int64)


def _between(column: Doubles, edges: Doubles) -> Int64s:
    """Return the interval of each value, closed at its lower edge and the last one at both; -1 outside."""
    place = np.searchsorted(edges, column, side="right") - 1
    place = np.where(column == edges[-1], len(edges) - 2, place)
    outside = ~np.isfinite(column) | (column < edges[0]) | (column > edges[-1])
    return np.where(outside, -1, np.maximum(place, 0)).astype(np.int64)


def _ranges(edges: Doubles) -> list[str]:
    if len(edges) == 1:
        return [f"{edges[0]:.4g}"]
    return [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)]


def _sequence(name: str, bins: BinChoice) -> list[Any]:
    if isinstance(bins, (str, bytes, bool, int, float)):
        raise TypeError(f"bins={bins!r} of {name} must be a list of edges or values for this column")
    return list(bins)


def _number_of_bins(name: str, bins: Any) -> int:
    if isinstance(bins, bool) or not 1 <= bins <= MAX_CHOSEN_BINS:
        raise ValueError(f"bins={bins!r} of {name} must be from 1 to {MAX_CHOSEN_BINS:,}")
    return int(bins)


def _check_ascending(name: str, bins: BinChoice, edges: NDArray[Any]) -> None:
    if len(edges) < 2 or not (edges[1:] > edges[:-1]).all():
        raise ValueError(f"bins={bins!r} of {name} must hold at least two edges in ascending order")
