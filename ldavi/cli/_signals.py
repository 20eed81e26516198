"""Handle Ctrl-C (SIGINT), the request of the system to end (SIGTERM), and the loss of the terminal (SIGHUP)."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeAlias

ENDING = [
    signal.Signals[name] for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if name in signal.Signals.__members__
]  # Windows has no SIGHUP; other systems have no SIGBREAK
Handler: TypeAlias = Callable[[int, FrameType | None], Any]


class Interrupted(KeyboardInterrupt):
    """A signal has ended the command.

    Parameters
    ----------
    number : int
        The signal.
    *message : str
        What is saved.
    """

    def __init__(self, number: int, *message: str) -> None:
        super().__init__(*message)
        self.number = signal.Signals(number)


class StopRequest:
    """Whether a signal has arrived.

    Attributes
    ----------
    number : int
        The first signal; SIGINT if none has arrived.
    """

    def __init__(self) -> None:
        self.number: int = signal.SIGINT


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise `Interrupted` in the block for each signal that asks the process to end, as Python does for Ctrl-C."""
    with _handlers(dict.fromkeys(ENDING, _raise_interrupted)):
        yield


@contextmanager
def stop_requests(request_stop: Callable[[], None]) -> Iterator[StopRequest]:
    """Call `request_stop` at the first signal; raise `Interrupted` at every later one.

    Only the main thread of a process receives signals; in other threads nothing changes.
    """
    request, n_received = StopRequest(), 0

    def receive(number: int, frame: FrameType | None) -> None:
        nonlocal n_received
        n_received += 1
        _leave_lost_terminal(number)
        if n_received > 1:
            _raise_interrupted(number, frame)
        request.number = number
        request_stop()

    with _handlers(dict.fromkeys([signal.SIGINT, *ENDING], receive)):
        yield request


def _raise_interrupted(number: int, _: FrameType | None) -> None:
    _leave_lost_terminal(number)
    raise Interrupted(number)


def _leave_lost_terminal(number: int) -> None:
    """After SIGHUP, discard what is written to the terminal, so that no message fails before the fit is saved."""
    if number != getattr(signal, "SIGHUP", None):
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError, AttributeError):  # a stream without a descriptor, as in a notebook
            descriptor = stream.fileno()
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextmanager
def _handlers(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Install handlers during the block, but for signals that the process ignores, as under nohup."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {}
    try:
        for number, handler in handlers.items():
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                former[number] = signal.signal(number, handler)
        yield
    finally:
        for number, old in former.items():
            signal.signal(number, old)
