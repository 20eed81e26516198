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
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ldavi._core.daemon_threads import STALLED, DaemonThreads
from ldavi._core.typing import Int64s

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of `n_threads` threads for the duration of a `with` block, one of which is the calling thread.

    The others start with the first call of `run` that has work for them. An interrupt at any moment leaves no lock
    held: see `daemon_threads`.
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._runs: SimpleQueue[Any] = SimpleQueue()  # an entry for each thread that is asked to help with a run
        # The message that ends the threads. It also arrives by itself if an interrupt skips `__exit__`: a weak
        # reference calls `put` when the pool is deleted.
        self._end = weakref.ref(self, self._runs.put)
        self._closed: list[bool] = []  # holds True once the pool is closed; the threads must not refer to the pool
        self._threads = DaemonThreads(n_threads - 1, "ldavi", _help, self._runs, self._end, self._closed)

    def run(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return function(item) for each item, in the order of the items.

        After an exception, of the function or an interrupt, no call of the function is running any more, and the
        calling thread alone does the work of later calls of `run`.
        """
        work = list(items)
        n_helpers = min(self.n_threads, len(work)) - 1
        if self._closed or n_helpers < 1:
            return [function(item) for item in work]
        run = _Run.of(function, work)
        try:
            self._threads.start()
            for _ in range(n_helpers):
                self._runs.put(run)
            run.make_calls(self._closed)
            self._wait_for(run)
            if run.errors:
                raise run.errors[min(run.errors)]
        except BaseException:
            self.close()
            raise
        finally:
            run.errors.clear()  # their tracebacks refer to this frame
        return run.results

    def _wait_for(self, run: "_Run") -> None:
        """Wait until the last call has ended, or one has failed.

        Memory that is exhausted can end a thread within a call: no message comes from it then.
        """
        while True:
            try:
                return run.over.get(timeout=STALLED)
            except Empty:
                if run.over.empty() and (self._threads.have_failed or not self._threads.are_running):
                    raise MemoryError("a thread has ended within a call, for lack of memory") from None

    def close(self) -> None:
        """Withdraw the calls that have not begun, wait for those that have, and end the threads."""
        self._closed.append(True)
        self._runs.put(self._end)
        self._threads.join()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Run(NamedTuple):
    """The calls of one `Workers.run`, which several threads make.

    A thread is woken once per run, and wakes the calling thread only if it ends the last call. Waking a thread takes
    as long as a tenth of a call.

    Attributes
    ----------
    function : callable
        Called with each item.
    waiting : SimpleQueue
        The number and the item of each call that has not begun.
    unfinished : list
        An entry for each call that has not ended, 0 first. `pop` is atomic: who gets the 0 ended the last call.
    results : list
        Of the calls, in the order of the items.
    errors : dict
        The exceptions of calls, by number.
    over : SimpleQueue
        Receives None when the last call has ended or one has failed.
    """

    function: Callable[[Any], Any]
    waiting: "SimpleQueue[tuple[int, Any]]"
    unfinished: list[int]
    results: list[Any]
    errors: dict[int, BaseException]
    over: "SimpleQueue[None]"

    @classmethod
    def of(cls, function: Callable[[Any], Any], work: list[Any]) -> "_Run":
        """Return a run whose calls all wait."""
        waiting: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        for number_and_item in enumerate(work):
            waiting.put(number_and_item)
        return cls(function, waiting, list(range(len(work))), [None] * len(work), {}, SimpleQueue())

    def make_calls(self, closed: list[bool]) -> None:
        """Make calls until none waits, one has failed, or the pool is closed."""
        with suppress(Empty):
            while not self.errors and not closed:
                self._call(*self.waiting.get_nowait())

    def _call(self, number: int, item: Any) -> None:
        try:
            self.results[number] = self.function(item)
        except BaseException as error:
            self.errors[number] = error
            self.over.put(None)
        else:
            if self.unfinished.pop() == 0:
                self.over.put(None)


def _help(runs: "SimpleQueue[Any]", end: object, closed: list[bool]) -> None:
    """Help with runs until the message `end`, which is passed on to the other threads, or until the pool is closed."""
    while _help_with(runs.get(), end, closed):
        pass
    runs.put(end)


def _help_with(run: Any, end: object, closed: list[bool]) -> bool:
    """Make calls of a run, or return False if there is none to help with.

    The run is an argument of this function only, so that its arrays are released when it has ended.
    """
    if run is end or closed:
        return False
    run.make_calls(closed)
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
