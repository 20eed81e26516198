"""Checks of saved arrays and numbers, which may come from a file that was damaged or made to do harm.

The compiled code checks no index, and sums that do not agree would give wrong topics without an error. Each function
raises ValueError for a value that no fit would have saved.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ldavi._core.limits import FLOAT64, MAX_TOKENS, prior_range
from ldavi._core.prior_regression import PriorRegression
from ldavi._core.records import Priors, padded
from ldavi._core.typing import Doubles, Floats, Int64s

Scalar = TypeVar("Scalar", bound=np.generic)
SUM_TOLERANCE = 1e-3  # relative, between sums that were computed in different orders and precisions


class SavedArrays:
    """The output of some `to_arrays`, whose items are checked when they are read.

    Parameters
    ----------
    saved : mapping of str to arrays and plain values
    n_words : int
        V of the fit that the state has to belong to.

    Attributes
    ----------
    priors : Priors
        Its arrays "alpha", "eta" and, with covariates, "coef".
    """

    def __init__(self, saved: Mapping[str, Any], n_words: int) -> None:
        self._saved, self.n_words = saved, n_words
        self.priors = checked_priors(saved["alpha"], saved["eta"], saved.get("coef"))
        K, shape = self.priors.n_topics, self.priors.eta.shape
        if shape not in {(1, 1), (n_words, 1), (n_words, K)}:
            raise ValueError(f"eta has shape {shape}, which does not fit {n_words} words and {K} topics")

    @property
    def width(self) -> int:
        """Kp."""
        return padded(self.priors.n_topics)

    def integer(self, name: str, minimum: int = 0, maximum: float = math.inf) -> int:
        """Return a whole number within bounds."""
        return checked_integer(name, self._saved[name], minimum, maximum)

    def number(self, name: str, minimum: float = -math.inf) -> float:
        """Return a finite number that is not below `minimum`."""
        return checked_number(name, self._saved[name], minimum)

    def rows(self, name: str, n_rows: int, dtype: DTypeLike) -> Floats:
        """Return an array of shape (n_rows, Kp) of numbers >= 0."""
        rows: Floats = checked_array(name, self._saved[name], (n_rows, self.width), dtype, minimum=0)
        return rows

    def vector(self, name: str, minimum: float = -math.inf) -> Doubles:
        """Return a float64 array of shape (K,)."""
        vector: Doubles = checked_array(name, self._saved[name], (self.priors.n_topics,), np.float64, minimum=minimum)
        return vector

    def optional_vector(self, name: str) -> Doubles | None:
        """Return the same, or None."""
        return None if self._saved[name] is None else self.vector(name)

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike, minimum: float = -math.inf) -> NDArray[Any]:
        """Return an array of this shape and dtype."""
        return checked_array(name, self._saved[name], shape, dtype, minimum=minimum)

    def words(self, name: str) -> Int64s:
        """Return different columns of X."""
        return checked_words(name, self._saved[name], self.n_words)

    def gammas(self, name: str, dtype: DTypeLike, n_docs: int | None) -> list[Floats]:
        """Return γ of each part; with `n_docs`, that many documents altogether, unless no part is stored."""
        parts = self.list(name)
        K = self.priors.n_topics
        for part in parts:
            checked_array(name, part, (len(part), K), dtype, minimum=0)
        if n_docs is not None and parts and sum(map(len, parts)) != n_docs:
            raise ValueError(f"{name} is that of {sum(map(len, parts))} documents, not of {n_docs}")
        return parts

    def list(self, name: str) -> list[Any]:
        """Return a list."""
        value = self._saved[name]
        if not isinstance(value, list):
            raise ValueError(f"{name} is not a list")
        return value

    def numbers(self, name: str, names: Sequence[str], whole: Sequence[str] = ()) -> dict[str, Any]:
        """Return a dict of finite numbers with these names; those in `whole` are integers >= 0."""
        value = self._saved[name]
        if not isinstance(value, dict) or value.keys() != set(names):
            raise ValueError(f"{name} does not have the numbers {', '.join(names)}")
        for key, item in value.items():
            checked_integer(key, item) if key in whole else checked_number(key, item)
        return value


def checked_priors(alpha: Any, eta: Any, coef: Any = None) -> Priors:
    """Return α of shape (K,) and η of two dimensions, > 0 except for the η of point estimates, and coefficients."""
    for name, value, ndim in (("alpha", alpha, 1), ("eta", eta, 2)):
        if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.ndim != ndim or value.size == 0:
            raise ValueError(f"{name} is not a float64 array of {ndim} dimensions")
        if not np.isfinite(value).all() or (value < 0).any():
            raise ValueError(f"{name} is not finite and >= 0")
    if (alpha == 0).any() or ((eta == 0).any() and eta.size > 1):
        raise ValueError("alpha or eta is 0")
    smallest, largest = prior_range(FLOAT64)
    positive = np.concatenate([alpha, eta[eta > 0]])
    if positive.min() < smallest or alpha.max() > largest or eta.max() > MAX_TOKENS[FLOAT64]:
        raise ValueError(f"alpha or eta is not between {smallest:g} and {largest:g}")
    if coef is None:
        return Priors(alpha, eta)
    shape = (len(coef) if isinstance(coef, np.ndarray) and coef.ndim == 2 else 0, len(alpha))
    return Priors(alpha, eta, PriorRegression(checked_array("coef", coef, shape, np.float64)))


def checked_array(
    name: str, value: Any, shape: tuple[int, ...], dtype: DTypeLike, *, minimum: float = -math.inf
) -> NDArray[Any]:
    """Return an array of exactly this shape and dtype, all finite and >= minimum."""
    if not isinstance(value, np.ndarray) or value.shape != shape or value.dtype != np.dtype(dtype):
        found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{name} is {found}, not {np.dtype(dtype)} {shape}")
    if value.size and not (np.isfinite(value).all() and value.min() >= minimum):
        raise ValueError(f"{name} has values that are not finite, or below {minimum:g}")
    return value


def checked_words(name: str, value: Any, n_words: int) -> Int64s:
    """Return an int64 array of different columns, each in [0, n_words)."""
    length = len(value) if isinstance(value, np.ndarray) and value.ndim == 1 else 0
    words: Int64s = checked_array(name, value, (length,), np.int64, minimum=0)
    if length > n_words or words.max(initial=-1) >= n_words or len(np.unique(words)) != length:
        raise ValueError(f"{name} are not different columns of {n_words}")
    return words


def checked_integer(name: str, value: Any, minimum: int = 0, maximum: float = math.inf) -> int:
    """Return an int within bounds."""
    if type(value) is not int or not minimum <= value <= min(maximum, 2**62):
        raise ValueError(f"{name}={value!r} is not an integer from {minimum} to {maximum:g}"[:200])
    return value


def checked_number(name: str, value: Any, minimum: float = -math.inf) -> float:
    """Return a finite float that is not below `minimum`."""
    is_number = isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < minimum:
        raise ValueError(f"{name}={value!r} is not a finite number >= {minimum:g}"[:200])
    number: float = value
    return number


def check_padding(name: str, rows: NDArray[Any], n_topics: int) -> None:
    """Check that rows are 0 beyond their topics."""
    if rows[:, n_topics:].any():
        raise ValueError(f"{name} has values beyond its {n_topics} topics")


def check_sums(name: str, sums: NDArray[Any], expected: NDArray[Any]) -> None:
    """Check that sums over the same numbers agree but for rounding."""
    if not np.allclose(
        sums, expected, rtol=SUM_TOLERANCE, atol=SUM_TOLERANCE * (1 + float(np.abs(expected).max(initial=0)))
    ):
        raise ValueError(f"{name} is not the sum of its parts")


def checked_part(name: str, array: NDArray[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
    """Return what a state has stored for a part of the corpus, if it has the shape of the part."""
    if array.shape != shape:
        msg = (
            f"{name} of a part of the documents has shape {array.shape}, not {shape}: the checkpoint belongs to other "
            "documents; remove it to start from scratch"
        )
        raise ValueError(msg)
    return array
