"""Columns of a table as covariates of a regression: numbers, years or levels, and where they have no value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi.inspection import _columns
from ldavi.inspection._design_matrix import levels_of

DAYS_PER_YEAR = 365.2425


def has_categories(values: Any) -> bool:
    """Return whether a column is one of pandas whose categories have an order."""
    return hasattr(values, "cat") and hasattr(values.cat, "categories")


def as_covariate(values: Any, n_documents: int, name: str) -> Any:
    """Return a column as numbers if its values are numbers or dates, which become years; else as texts.

    Categories of pandas are left as they are, since they have an order.

    Raises
    ------
    ValueError
        If there is not one value for each document.
    """
    column = np.asarray(values)
    if column.shape != (n_documents,):
        raise ValueError(
            f"covariates[{name!r}] has shape {column.shape}, but X has {n_documents} documents. "
            "Give one value for each."
        )
    if has_categories(values):
        return values
    if (dates := _columns.as_dates(column)) is not None:
        days = dates.astype("datetime64[D]").astype(np.float64)
        return np.where(np.isnat(dates), np.nan, 1970 + days / DAYS_PER_YEAR)
    if (numbers := _columns.as_numbers(column)) is not None:
        return numbers
    return np.array([str(value) for value in column.tolist()], dtype=object)


def missing(values: Any) -> NDArray[np.bool_]:
    """Return where a covariate has no value."""
    column = np.asarray(values)
    if column.dtype.kind == "f":
        return np.asarray(~np.isfinite(column))
    return np.array([str(value) in _columns.MISSING for value in column.tolist()], dtype=bool)


def check_levels(covariates: Mapping[str, Any]) -> None:
    """Refuse covariates that are not numbers and have the same value in all documents.

    Raises
    ------
    ValueError
        If one has, since it would have no effect.
    """
    for name, column in covariates.items():
        levels = levels_of(column)
        if levels is not None and len(levels) == 1:
            raise ValueError(
                f"covariates: {name!r} is {levels[0]!r} in all documents, so that it has no effect; leave it out"
            )
