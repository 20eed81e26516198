"""Tables of results: pandas DataFrames if pandas is installed, otherwise NumPy structured arrays; cells of CSV."""

import importlib.util
from typing import Any

import numpy as np


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
