"""Threads that the main thread can start and join without harm from Ctrl-C at any moment.

Python raises KeyboardInterrupt in the main thread, between two bytecodes. `threading.Thread.start`, `Condition`,
`Event`, `Semaphore` and `queue.Queue` are written in Python: an interrupt inside one of them can leave its lock held,
and the next thread that needs the lock waits for ever. The main thread therefore uses only primitives written in C,
which an interrupt finds before or after their effect: `queue.SimpleQueue`, locks in a `with` statement, and
`_thread.start_new_thread`. No signal handler is involved, so that the same holds in notebooks, in worker processes, in
threads other than the main one and beside handlers of the user.
"""

import _thread
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

JOIN_INTERVAL = 0.001  # seconds between two checks of a join with a timeout


class DaemonThreads:
    """Threads that run the same function, which must end by itself once it is asked to.

    Parameters
    ----------
    n_threads : int
        How many. Fewer run if the system cannot start as many.
    name : str
        Name of each thread.
    target : callable
        The function.
    *arguments
        Its arguments.
    """

    def __init__(self, n_threads: int, name: str, target: Callable[..., object], *arguments: Any) -> None:
        self._work = _Work(name, target, arguments, _thread.allocate_lock(), [])
        self._work.running.acquire()
        self._n_threads = n_threads
        self._launched: list[int] = []

    def start(self) -> None:
        """Start the threads; only the first call has an effect.

        Raises
        ------
        RuntimeError
            If the system cannot start any thread.
        """
        if not self._launched:
            # One call in C starts the launcher and records it, so that no interrupt comes in between.
            self._launched.extend(map(_thread.start_new_thread, [_launch], [(self._n_threads, self._work)]))

    def join(self, timeout: float | None = None) -> None:
        """Wait until all threads have ended, or `timeout` seconds have passed."""
        if not self._launched:
            return
        if timeout is None:
            with self._work.running:
                pass
        else:
            deadline = time.monotonic() + timeout
            while self._work.running.locked():
                if time.monotonic() > deadline:
                    return
                time.sleep(JOIN_INTERVAL)
        for thread in self._work.first:
            with suppress(RuntimeError):  # it could not be started
                thread.join()


class _Work(NamedTuple):
    """What the threads share: their function, a lock that is held while they run, and the thread that joins others."""

    name: str
    target: Callable[..., object]
    arguments: tuple[Any, ...]
    running: Any
    first: list[threading.Thread]


def _launch(n_threads: int, work: _Work) -> None:
    """Start the threads from one that receives no interrupt, and do their work if the system has no other thread."""
    others: list[threading.Thread] = []
    with suppress(RuntimeError, MemoryError):  # fewer threads do the work
        for _ in range(n_threads - 1):
            thread = threading.Thread(target=work.target, args=work.arguments, name=work.name, daemon=True)
            thread.start()
            others.append(thread)
    try:
        first = threading.Thread(target=_run_and_join, args=(others, work), name=work.name, daemon=True)
        work.first.append(first)
        first.start()
    except (RuntimeError, MemoryError):
        _run_and_join(others, work)


def _run_and_join(others: list[threading.Thread], work: _Work) -> None:
    """Run the function, wait for the other threads, and announce that all have ended."""
    try:
        work.target(*work.arguments)
    finally:
        for thread in others:
            thread.join()
        work.running.release()
