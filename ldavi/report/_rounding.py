"""Numbers of the page, rounded so that they take little room."""

from typing import Any

import numpy as np


def rounded(values: Any, digits: int = 4) -> Any:
    """Round to significant digits, as nested lists; None where not finite, since JSON has no NaN."""
    if np.ndim(values):
        return [rounded(value, digits) for value in values]
    return float(f"{values:.{digits}g}") if np.isfinite(values) else None
