"""Results as tables: a pandas DataFrame where pandas is installed, a NumPy structured array elsewhere."""

import importlib.util
from typing import Any

import numpy as np


def table(**columns: Any) -> Any:
    """A table with the given columns, each a one-dimensional array of the same length.

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
