"""Metadata of documents: columns are binned, and each topic has a share of the tokens in each bin."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.typing import Doubles, Int64s

MAX_CLASSES = 40
MAX_BINS = 60
MAX_VALUES = 20  # of numbers that are not integers
UNITS = ("D", "W", "M", "Y", "10Y", "100Y")
PERIODS = {"day": "D", "week": "W", "month": "M", "year": "Y", "decade": "10Y"}
MONDAY = np.timedelta64(4, "D")  # of the first week after the epoch, which was a Thursday
MISSING = ("", "nan", "NaN", "NaT", "None", "<NA>")


class Bins(NamedTuple):
    """A column cut into bins.

    Attributes
    ----------
    kind : str
        "date", "number" or "class".
    labels : list of str
        One for each bin; of dates, the first day in ISO 8601.
    of : (D,) int64 array
        The bin of each document, -1 where the value is missing.
    """

    kind: str
    labels: list[str]
    of: Int64s


def cut(name: str, values: ArrayLike, n_documents: int, period: str | None = None) -> Bins:
    """Bin one column: by time units for dates, by ranges for numbers, by value for classes.

    Parameters
    ----------
    name : str
        For error messages.
    values : array of shape (n_documents,)
    n_documents : int
    period : str or None, default=None
        One of PERIODS for dates; None chooses.

    Raises
    ------
    ValueError
        If there is not one value for each document, or there is a period and the values are not dates.
    """
    column = np.asarray(values)
    if column.shape != (n_documents,):
        raise ValueError(
            f"{name} has shape {column.shape}, but X has {n_documents} documents. Give one value for each."
        )
    dates = _as_dates(column)
    if dates is not None:
        return _cut_dates(dates, UNITS if period is None else (PERIODS[period],))
    if period is not None:
        raise ValueError(f"period={period!r} requires dates, but {name} holds none. Pass datetime64 or ISO 8601 text.")
    if column.dtype.kind in "iuf":
        return _cut_numbers(column.astype(np.float64))
    return _cut_classes(column)


def shares(bins: Bins, topic_tokens: Doubles, lengths: Doubles) -> tuple[Int64s, Doubles]:
    """Count the documents of each bin, (B,), and compute each topic's share of its tokens, (K, B).

    Parameters
    ----------
    bins : Bins
    topic_tokens : array of shape (D, K)
        Expected tokens of each topic in each document.
    lengths : array of shape (D,)

    Returns
    -------
    documents : array of shape (B,)
    shares : array of shape (K, B)
        0 in a bin without tokens.
    """
    n_bins = len(bins.labels)
    known = bins.of >= 0
    documents = np.bincount(bins.of[known], minlength=n_bins)
    tokens = np.bincount(bins.of[known], weights=lengths[known], minlength=n_bins)
    sums = np.zeros((n_bins, topic_tokens.shape[1]))
    np.add.at(sums, bins.of[known], topic_tokens[known])
    return documents.astype(np.int64), (sums / np.where(tokens > 0, tokens, 1)[:, None]).T


def as_text(values: ArrayLike, documents: Int64s) -> list[str]:
    """Format the values of some documents: dates without a time that is always midnight, numbers with 6 digits."""
    column = np.asarray(values)[documents]
    if column.dtype.kind == "M":
        days = column.astype("datetime64[D]")
        column = days if (np.isnat(column) | (days == column)).all() else column.astype("datetime64[s]")
    texts = [f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value) for value in column]
    return ["–" if text in MISSING else text for text in texts]


def _as_dates(column: NDArray[Any]) -> NDArray[np.datetime64] | None:
    """Convert to days if every value that is not missing is a date, or text that begins with an ISO 8601 date."""
    if column.dtype.kind == "M":
        return column.astype("datetime64[D]")
    if column.dtype.kind not in "OU":
        return None
    texts = [str(value) for value in column.tolist()]
    known = [text for text in texts if text not in MISSING]
    if not known or any(len(text) < 8 or text[4:5] != "-" for text in known):
        return None
    try:
        return np.array(["NaT" if text in MISSING else text[:10] for text in texts], dtype="datetime64[D]")
    except ValueError:
        return None


def _cut_dates(dates: NDArray[np.datetime64], units: tuple[str, ...]) -> Bins:
    """Bin by the first of the units that makes at most 60 bins, or by the last."""
    known = ~np.isnat(dates)
    of = np.full(len(dates), -1, dtype=np.int64)
    if not known.any():
        return Bins("date", [], of)
    for unit in units:
        offset = MONDAY if unit == "W" else np.timedelta64(0, "D")
        cells = (dates[known] - offset).astype(f"datetime64[{unit}]")
        numbers = cells.astype(np.int64)
        if numbers.max() - numbers.min() < MAX_BINS:
            break
    of[known] = numbers - numbers.min()
    cells = np.arange(numbers.min(), numbers.max() + 1).astype(f"datetime64[{unit}]")
    starts = list(cells.astype("datetime64[D]") + offset)
    return Bins("date", [str(start) for start in starts], of)


def _cut_numbers(column: Doubles) -> Bins:
    """Bin by value if there are few values, or not many integers; else by ranges with equally many documents."""
    known = np.isfinite(column)
    of = np.full(len(column), -1, dtype=np.int64)
    numbers = column[known]
    values, inverse = np.unique(numbers, return_inverse=True)
    if len(values) <= (MAX_BINS if (numbers == np.round(numbers)).all() else MAX_VALUES):
        of[known] = inverse
        return Bins("number", [f"{value:.15g}" for value in values], of)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, MAX_VALUES + 1)))
    of[known] = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    return Bins("number", [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)], of)


def _cut_classes(column: NDArray[Any]) -> Bins:
    """Bin by value: the 40 most frequent ones, sorted, and one bin for all others."""
    texts = np.array([str(value) for value in column.tolist()], dtype=object)
    known = ~np.isin(texts.astype(str), MISSING)
    of = np.full(len(column), -1, dtype=np.int64)
    if not known.any():
        return Bins("class", [], of)
    values, inverse, occurrences = np.unique(texts[known].astype(str), return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-occurrences, kind="stable")[:MAX_CLASSES])
    position = np.full(len(values), len(kept), dtype=np.int64)
    position[kept] = np.arange(len(kept))
    of[known] = position[inverse]
    rest = [f"{len(values) - len(kept)} others"] if len(values) > len(kept) else []
    return Bins("class", [*values[kept].tolist(), *rest], of)
