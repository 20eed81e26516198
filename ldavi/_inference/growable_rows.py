"""Rows that become more without being copied each time."""

from typing import Any

from ldavi._core.records import aligned_zeros
from ldavi._core.typing import Doubles, Floats

FACTOR = 1.5  # by which the memory grows: n rows that come one by one are copied less than 3 n times, in all


class GrowableRows:
    """Memory for more rows than there are: adding some moves the others only when it is used up.

    What pickles and copies hold of it is nothing: their rows are moved once, when they next become more.
    """

    def __init__(self) -> None:
        self._store: Floats | None = None
        self._filled: Floats | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return GrowableRows, ()

    def extended(self, rows: Floats, n_more: int, value: Doubles) -> Floats:
        """The rows, and behind them more of them.

        Parameters
        ----------
        rows : array of shape (n, width)
            Once returned from here, they stay where they are for as long as there is room. Others are copied.
        n_more : int
        value : array that broadcasts to (n_more, K), K <= width
            Of the new rows; what is right of it is 0.

        Returns
        -------
        rows : array of shape (n + n_more, width)
        """
        n_words, width = rows.shape
        n_words += n_more
        if self._store is None or rows is not self._filled or n_words > len(self._store):
            store = aligned_zeros(
                (max(n_words, int(FACTOR * len(rows))), width), rows.dtype
            )  # untouched pages cost nothing
            store[: len(rows)] = rows
            self._store = store
        self._store[len(rows) : n_words, : value.shape[1]] = value
        self._filled = self._store[:n_words]
        return self._filled
