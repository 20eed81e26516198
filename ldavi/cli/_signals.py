"""Handle Ctrl-C (SIGINT) and the request of the system to end (SIGTERM) during a fit."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requests(request_stop: Callable[[], None]) -> Iterator[None]:
    """Call `request_stop` at the first signal; raise KeyboardInterrupt at every later one.

    Only the main thread of a process receives signals; in other threads nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    n_received = 0

    def receive(number: int, frame: FrameType | None) -> None:
        nonlocal n_received
        n_received += 1
        if n_received > 1:
            signal.default_int_handler(number, frame)
        request_stop()

    former = {number: signal.signal(number, receive) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
