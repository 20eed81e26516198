"""What is known of documents besides their words: a column becomes bins, and topics have a share in each."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Int64s

MOST_CLASSES = 40
MOST_BINS = 60
MOST_VALUES = 20  # of numbers that are not whole
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


def cut(name: str, values: Any, n_documents: int) -> Bins:
    """Bins of one column: time units for dates, ranges for numbers, the values themselves for classes.

    Raises
    ------
    ValueError
        If there is not one value for each document.
    """
    column = np.asarray(values)
    if column.shape != (n_documents,):
        raise ValueError(
            f"metadata[{name!r}] has shape {column.shape}, but X has {n_documents} documents. Give one value for each."
        )
    dates = _as_dates(column)
    if dates is not None:
        return _cut_dates(dates)
    if column.dtype.kind in "iuf":
        return _cut_numbers(column.astype(np.float64))
    return _cut_classes(column)


def shares(bins: Bins, theta: Doubles, lengths: Doubles) -> tuple[Int64s, Doubles]:
    """Documents in each bin, (B,), and each topic's share of its tokens, (K, B); 0 in a bin without words."""
    n_bins = len(bins.labels)
    known = bins.of >= 0
    documents = np.bincount(bins.of[known], minlength=n_bins)
    tokens = np.bincount(bins.of[known], weights=lengths[known], minlength=n_bins)
    sums = np.zeros((n_bins, theta.shape[1]))
    np.add.at(sums, bins.of[known], theta[known] * lengths[known, None])
    return documents.astype(np.int64), (sums / np.where(tokens > 0, tokens, 1)[:, None]).T


def as_text(values: Any, documents: Int64s) -> list[str]:
    """The values of some documents, to be read: dates without a time that says nothing, numbers in short."""
    column = np.asarray(values)[documents]
    if column.dtype.kind == "M":
        days = column.astype("datetime64[D]")
        column = days if (np.isnat(column) | (days == column)).all() else column.astype("datetime64[s]")
    texts = [f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value) for value in column]
    return ["–" if text in MISSING else text for text in texts]


def _as_dates(column: NDArray[Any]) -> NDArray[np.datetime64] | None:
    """The column in whole days, when every value that is there is a date or begins with one in ISO 8601."""
    if column.dtype.kind == "M":
        return column.astype("datetime64[D]")
    if column.dtype.kind not in "OU":
        return None
    texts = [str(value) for value in column.tolist()]
    there = [text not in MISSING for text in texts]
    if not any(there) or any(
        len(text) < 8 or text[4:5] != "-" for text, is_there in zip(texts, there, strict=True) if is_there
    ):
        return None
    try:
        return np.array(
            [text[:10] if is_there else "NaT" for text, is_there in zip(texts, there, strict=True)],
            dtype="datetime64[D]",
        )
    except ValueError:
        return None


def _cut_dates(dates: NDArray[np.datetime64]) -> Bins:
    """Days, weeks, months, years, tens or hundreds of years: the shortest that make at most 60 bins. Some may be empty."""
    known = ~np.isnat(dates)
    of = np.full(len(dates), -1, dtype=np.int64)
    if not known.any():
        return Bins("date", [], of)
    for unit in ("D", "W", "M", "Y", "10Y", "100Y"):
        offset = MONDAY if unit == "W" else np.timedelta64(0, "D")
        cells = (dates[known] - offset).astype(f"datetime64[{unit}]")
        numbers = cells.astype(np.int64)
        if numbers.max() - numbers.min() < MOST_BINS:
            break
    of[known] = numbers - numbers.min()
    cells = np.arange(numbers.min(), numbers.max() + 1).astype(f"datetime64[{unit}]")
    starts = list(cells.astype("datetime64[D]") + offset)
    return Bins("date", [str(start) for start in starts], of)


def _cut_numbers(column: Doubles) -> Bins:
    """Few values, or not many whole ones, stay themselves; others fall in ranges that hold equally many documents."""
    known = np.isfinite(column)
    of = np.full(len(column), -1, dtype=np.int64)
    there = column[known]
    values, inverse = np.unique(there, return_inverse=True)
    if len(values) <= (MOST_BINS if (there == np.round(there)).all() else MOST_VALUES):
        of[known] = inverse
        return Bins("number", [f"{value:.15g}" for value in values], of)
    edges = np.unique(np.quantile(there, np.linspace(0, 1, MOST_VALUES + 1)))
    of[known] = np.clip(np.searchsorted(edges, there, side="right") - 1, 0, len(edges) - 2)
    return Bins("number", [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)], of)


def _cut_classes(column: NDArray[Any]) -> Bins:
    """The 40 most frequent values, in their order; the others together."""
    texts = np.array([str(value) for value in column.tolist()], dtype=object)
    known = ~np.isin(texts.astype(str), MISSING)
    of = np.full(len(column), -1, dtype=np.int64)
    if not known.any():
        return Bins("class", [], of)
    values, inverse, occurrences = np.unique(texts[known].astype(str), return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-occurrences, kind="stable")[:MOST_CLASSES])
    position = np.full(len(values), len(kept), dtype=np.int64)
    position[kept] = np.arange(len(kept))
    of[known] = position[inverse]
    rest = [f"{len(values) - len(kept)} others"] if len(values) > len(kept) else []
    return Bins("class", [*values[kept].tolist(), *rest], of)
