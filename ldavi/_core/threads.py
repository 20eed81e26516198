"""Threads over compiled calls: who works, and how work is cut.

The compiled floor releases the interpreter's lock, so Python threads are enough: no OpenMP, nothing that a fork or another
library's runtime could upset. What is cut by `even_ranges` and summed must be cut alike for every number of threads;
`Workers.run` returns results in the order of the items, whoever computed them.
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
    """`n_threads` threads for as long as the `with` block lasts; one means the calling thread itself."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="ldavi") if n_threads > 1 else None

    def run(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Results of function(item), in the order of items."""
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


def even_ranges(cumulative: Int64s, start: int, stop: int, most: int) -> list[tuple[int, int]]:
    """Cut [start, stop) into consecutive ranges of about `most` units each, a range never being empty.

    Parameters
    ----------
    cumulative : array of shape (n + 1,)
        Units before each position: the `indptr` of a sparse matrix.
    start, stop : int
        Positions to cut.
    most : int
        Units in a range; a single position that holds more is a range of its own.
    """
    if start >= stop:
        return []
    units = int(cumulative[stop] - cumulative[start])
    n_ranges = max(1, min(-(-units // max(most, 1)), stop - start))
    if n_ranges == 1:
        return [(start, stop)]
    targets = cumulative[start] + (units * np.arange(1, n_ranges)) // n_ranges
    cuts = np.searchsorted(cumulative[start : stop + 1], targets) + start
    edges = np.unique(np.concatenate([[start], cuts, [stop]]))
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges)]
