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
STALLED = 1.0  # seconds without a sign of a thread after which one looks whether any is running


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
        self._work = _Work(name, target, arguments, _thread.allocate_lock(), [], [], bytearray(1))
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

    @property
    def are_running(self) -> bool:
        """Whether any thread runs the function."""
        return bool(self._work.active)

    @property
    def have_failed(self) -> bool:
        """Whether an exception has ended a thread, such as MemoryError."""
        return bool(self._work.failed[0])

    def join(self, timeout: float | None = None) -> None:
        """Wait until all threads have ended, or `timeout` seconds have passed.

        A thread for which memory was exhausted while it started never ends, and never runs the function.
        """
        if not self._launched:
            return
        if timeout is None:
            while not self._work.running.acquire(timeout=STALLED):
                if not self.are_running:
                    return
            self._work.running.release()
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
    """What the threads share.

    Attributes
    ----------
    name, target, arguments
        As of `DaemonThreads`.
    running : lock
        Held until all threads have ended.
    first : list of Thread
        The thread that joins the others.
    active : list
        An entry for each thread that runs the function.
    failed : bytearray of length 1
        1 if an exception has ended a thread; writing it needs no memory.
    """

    name: str
    target: Callable[..., object]
    arguments: tuple[Any, ...]
    running: Any
    first: list[threading.Thread]
    active: list[None]
    failed: bytearray


def _launch(n_threads: int, work: _Work) -> None:
    """Start the threads from one that receives no interrupt, and do their work if the system has no other thread."""
    others: list[threading.Thread] = []
    with suppress(RuntimeError, MemoryError):  # fewer threads do the work
        for _ in range(n_threads - 1):
            thread = threading.Thread(target=_run, args=(work,), name=work.name, daemon=True)
            thread.start()
            others.append(thread)
    try:
        first = threading.Thread(target=_run_and_join, args=(others, work), name=work.name, daemon=True)
        work.first.append(first)
        first.start()
    except (RuntimeError, MemoryError):
        _run_and_join(others, work)


def _run(work: _Work) -> None:
    """Run the function, and record when it runs and whether it fails."""
    try:
        work.active.append(None)
        try:
            work.target(*work.arguments)
        finally:
            work.active.pop()
    except BaseException:
        work.failed[0] = 1
        raise


def _run_and_join(others: list[threading.Thread], work: _Work) -> None:
    """Run the function, wait for the other threads, and announce that all have ended."""
    try:
        _run(work)
    finally:
        for thread in others:
            thread.join()
        work.running.release()
