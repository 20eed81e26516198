"""Ctrl-C, and the signal by which a system asks a process to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Asked:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self.to_stop = False


@contextmanager
def _handled(handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    former = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handling in former.items():
            signal.signal(number, handling)


@contextmanager
def at_once() -> Iterator[None]:
    """Either signal raises KeyboardInterrupt."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def between_steps() -> Iterator[Asked]:
    """The first signal sets `to_stop`, so that a step ends whole; the second raises KeyboardInterrupt."""
    asked = Asked()

    def heard(number: int, frame: Any) -> None:
        if asked.to_stop:
            signal.default_int_handler(number, frame)
        asked.to_stop = True

    with _handled(heard):
        yield asked
