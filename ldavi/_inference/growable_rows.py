"""An array of rows that grows without being copied each time."""

from ldavi._core.records import aligned_zeros
from ldavi._core.typing import Doubles, Floats

GROWTH_FACTOR = 1.5  # of the memory: adding n rows one by one copies fewer than 3 n rows in total


class GrowableRows:
    """Spare memory behind an array of rows: adding rows moves the others only when it is exhausted.

    Copies and pickles do not include the memory; they reserve it again when rows are next added.
    """

    def __init__(self) -> None:
        self._store: Floats | None = None
        self._filled: Floats | None = None

    def __reduce__(self) -> tuple[type["GrowableRows"], tuple[()]]:
        return GrowableRows, ()

    def extended(self, rows: Floats, n_more: int, value: Doubles) -> Floats:
        """Return the rows followed by new ones.

        Parameters
        ----------
        rows : array of shape (n, width)
            If this array was returned by the previous call, it stays in place as long as there is room; any other
            array is copied.
        n_more : int
        value : array that broadcasts to (n_more, K), K <= width
            The new rows; their remaining columns are 0.

        Returns
        -------
        rows : array of shape (n + n_more, width)
        """
        n_words, width = rows.shape
        n_words += n_more
        if self._store is None or rows is not self._filled or n_words > len(self._store):
            capacity = max(n_words, int(GROWTH_FACTOR * len(rows)))  # pages that are not written to cost nothing
            store = aligned_zeros((capacity, width), rows.dtype)
            store[: len(rows)] = rows
            self._store = store
        self._store[len(rows) : n_words, : value.shape[1]] = value
        self._filled = self._store[:n_words]
        return self._filled
