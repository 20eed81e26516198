"""Topics that a user assigns to a fitted model."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def check_components(value: ArrayLike, *, shape: tuple[int, int], dtype: DTypeLike, zeros: bool) -> NDArray[Any]:
    """Return λ of a given shape as an array of `dtype`.

    Parameters
    ----------
    value : array-like
    shape : tuple of int
        (K, V).
    dtype : dtype
    zeros : bool
        Whether values may be 0, as in topics that are point estimates.

    Raises
    ------
    TypeError
        If `value` does not hold real numbers.
    ValueError
        If it has another shape, or values that cannot be Dirichlet parameters.
    """
    allowed = f"an array of shape {shape} with finite values " + (
        ">= 0 and a sum > 0 in each row" if zeros else "> 0: add topic_word_prior to counts"
    )
    try:
        given = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"components_ must be {allowed}: {error}") from error
    if given.dtype.kind not in "fiub":
        raise TypeError(f"components_={type(value).__name__} of dtype {given.dtype} must be {allowed}")
    if given.shape != shape:
        raise ValueError(f"components_ has shape {given.shape}, but must be {allowed}")
    with np.errstate(over="ignore", under="ignore"):  # both are errors below
        lam = given.astype(dtype)
    if not np.isfinite(lam).all():
        raise ValueError(f"components_ holds values that are not finite in {lam.dtype}, but must be {allowed}")
    if lam.min() < 0 or (lam.min() == 0 and not zeros) or not lam.sum(axis=1).all():
        raise ValueError(f"components_ holds {lam.min()}, but must be {allowed}")
    return lam
