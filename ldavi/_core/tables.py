"""Tables of results: pandas DataFrames if pandas is installed, otherwise NumPy structured arrays; cells of CSV."""

import importlib.util
from typing import Any

import numpy as np

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def table(**columns: Any) -> Any:
    """Return a table with the given columns, one-dimensional arrays of the same length.

    Returns
    -------
    pandas.DataFrame, or a structured array with the same column names when pandas is not installed.
    """
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    if importlib.util.find_spec("pandas") is not None:
        import pandas as pd

        return pd.DataFrame(arrays)
    dtype = np.dtype([(name, array.dtype) for name, array in arrays.items()])
    rows = np.empty(len(next(iter(arrays.values()))), dtype=dtype)
    for name, array in arrays.items():
        rows[name] = array
    return rows


def csv_cell(value: Any) -> Any:
    """Return a cell of CSV, with an apostrophe before a text that spreadsheets would run as a formula.

    Numbers stay numbers, also those in texts, such as the name "-1" of a document.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return f"'{value}" if "_" in value or value != value.strip() else value
