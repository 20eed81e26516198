"""Threads over compiled calls, and how work is divided among them.

The compiled modules release the interpreter lock, so Python threads are enough: there is no OpenMP, and nothing that a
fork or another library's runtime could disturb. Sums over ranges from `even_ranges` must use the same ranges for every
number of threads; `Workers.run` returns results in the order of the items, whichever thread computed them.
"""

import itertools
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from ldavi._core.daemon_threads import STALLED, DaemonThreads
from ldavi._core.typing import Int64s

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of `n_threads` threads for the duration of a `with` block; one means the calling thread itself.

    The threads start with the first call of `run` that has work for them. An interrupt at any moment leaves no lock
    held: see `daemon_threads`.
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        # The message that ends the threads. It also arrives by itself if an interrupt skips `__exit__`: a weak
        # reference calls `put` when the pool is deleted.
        self._end = weakref.ref(self, self._tasks.put)
        self._closed: list[bool] = []  # holds True once the pool is closed; the threads must not refer to the pool
        self._threads = DaemonThreads(n_threads, "ldavi", _work, self._tasks, self._end, self._closed)

    def run(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return function(item) for each item, in the order of the items.

        After an exception, of the function or an interrupt, no call of the function is running any more, and the
        calling thread does the work of later calls of `run`.
        """
        if self._closed or self.n_threads == 1:
            return [function(item) for item in items]
        work = list(items)
        if len(work) < 2:
            return [function(item) for item in work]
        results: list[Any] = [None] * len(work)
        errors: dict[int, BaseException] = {}
        done: SimpleQueue[bool] = SimpleQueue()  # whether each call has succeeded
        try:
            self._threads.start()
            for number, item in enumerate(work):
                self._tasks.put((function, number, item, results, errors, done))
            if not all(self._next_outcome(done) for _ in work):
                self.close()
                raise errors[min(errors)]
        except BaseException:
            self.close()
            raise
        finally:
            errors.clear()  # their tracebacks refer to this frame
        return results

    def _next_outcome(self, done: "SimpleQueue[bool]") -> bool:
        """Return whether the next call that ends has succeeded.

        If no call ends for a while, the calling thread makes calls, too: memory that is exhausted while a thread starts
        may have left no thread for them.
        """
        while True:
            try:
                return done.get(timeout=STALLED)
            except Empty:
                self._make_waiting_calls()
                if done.empty() and (self._threads.have_failed or not self._threads.are_running):
                    raise MemoryError("a thread has ended within a call, for lack of memory") from None

    def _make_waiting_calls(self) -> None:
        """Make the calls that no thread has begun."""
        with suppress(Empty):
            while _is_task(self._tasks.get_nowait(), self._end, self._closed):
                pass

    def close(self) -> None:
        """Withdraw the calls that have not begun, wait for those that have, and end the threads."""
        self._closed.append(True)
        self._tasks.put(self._end)
        self._threads.join()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _work(tasks: "SimpleQueue[Any]", end: object, closed: list[bool]) -> None:
    """Run calls until the message `end`, which is passed on to the other threads, or until the pool is closed."""
    while _is_task(tasks.get(), end, closed):
        pass
    tasks.put(end)


def _is_task(task: Any, end: object, closed: list[bool]) -> bool:
    """Run a call and return True, or return False if there is none to run.

    The call is an argument of this function only, so that its arrays are released when it has ended.
    """
    if task is end or closed:
        return False
    function, number, item, results, errors, done = task
    try:
        results[number] = function(item)
    except BaseException as error:
        errors[number] = error
        done.put(False)
    else:
        done.put(True)
    return True


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
