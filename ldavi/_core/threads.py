"""Threads over compiled calls, and how work is divided among them.

The compiled modules release the interpreter lock, so Python threads are enough: there is no OpenMP, and nothing that a
fork or another library's runtime could disturb. Sums over ranges from `even_ranges` must use the same ranges for every
number of threads; `Workers.run` returns results in the order of the items, whichever thread computed them.
"""

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

import numpy as np

from ldavi._core.typing import Int64s

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of `n_threads` threads for the duration of a `with` block; one means the calling thread itself."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="ldavi") if n_threads > 1 else None

    def run(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return function(item) for each item, in the order of the items."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def even_ranges(cumulative: Int64s, start: int, stop: int, max_units: int) -> list[tuple[int, int]]:
    """Cut [start, stop) into consecutive ranges of about `max_units` units each, none of them empty.

    Parameters
    ----------
    cumulative : array of shape (n + 1,)
        Units before each position, such as the `indptr` of a sparse matrix.
    start, stop : int
        The positions to divide.
    max_units : int
        Units per range; a single position with more units forms a range of its own.
    """
    if start >= stop:
        return []
    units = int(cumulative[stop] - cumulative[start])
    n_ranges = max(1, min(-(-units // max(max_units, 1)), stop - start))
    if n_ranges == 1:
        return [(start, stop)]
    targets = cumulative[start] + (units * np.arange(1, n_ranges)) // n_ranges
    cuts = np.searchsorted(cumulative[start : stop + 1], targets) + start
    edges = np.unique(np.concatenate([[start], cuts, [stop]]))
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges)]
