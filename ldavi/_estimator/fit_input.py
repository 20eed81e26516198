"""The documents of a fit, from X and the documents' weights."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse

from ldavi._core.documents import Documents
from ldavi._estimator import validation as check


def new_documents(estimator: Any, X: Any, sample_weight: Any, *, online: bool) -> Documents:
    """Return the documents of X, whose columns need not be those of an earlier fit."""
    matrix = check.check_documents(estimator, X, dtype=check.check_dtype(estimator.dtype), reset=True)
    return weighted_documents(matrix, sample_weight, online=online, stacklevel=5)


def weighted_documents(matrix: sparse.csr_array, sample_weight: Any, *, online: bool, stacklevel: int = 4) -> Documents:
    """Return the documents with a weight above zero.

    Parameters
    ----------
    matrix : CSR array of shape (D, V)
        Checked counts.
    sample_weight : array-like of shape (D,), float or None
    online : bool
        Whether the documents are for online steps, for the warning.
    stacklevel : int, default=4
        Of the warning that there are no counts.
    """
    weight = check.check_sample_weight(sample_weight, matrix.shape[0], matrix.dtype)
    if weight is not None and not weight.all():
        matrix, weight = matrix[np.flatnonzero(weight)], weight[weight > 0]
    if matrix.nnz == 0:
        result = "each step moves the topics towards their prior" if online else "the topics will equal their prior"
        warnings.warn(f"X holds no counts (with any weight): {result}", stacklevel=stacklevel)
    return Documents(check.to_counts(matrix), weight)
