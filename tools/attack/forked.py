"""Run a function in a forked process that may be killed or interrupted, and return what it reports."""

import json
import os
import selectors
import signal
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

WATCHDOG = 60.0  # seconds after which a forked process hangs


class Ended(NamedTuple):
    """How a forked process ended.

    Attributes
    ----------
    status : int
        Exit status, or minus the number of the signal that ended the process.
    report : str
        What the function returned, or the traceback of its error.
    """

    status: int
    report: str


def run(function: Callable[[Callable[[], None]], str], *, signal_after: tuple[int, float] | None = None) -> Ended:
    """Run a function in a fork of this process, and send it a signal some seconds after it has called its argument.

    Raises
    ------
    AssertionError
        If it does not end within WATCHDOG seconds.
    """
    receiving, sending = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(receiving)
        _report_and_exit(function, sending)
    os.close(sending)
    try:
        if signal_after is not None:
            number, seconds = signal_after
            _wait_for_bytes(receiving, WATCHDOG)  # until the function is ready
            time.sleep(seconds)
            os.kill(pid, number)  # if the process has ended, nothing happens until its status is read
        report = _read_all(receiving, started + WATCHDOG)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(receiving)
    _, status = os.waitpid(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), report)


def _report_and_exit(function: Callable[[], str], sending: int) -> None:
    status = 1
    try:
        report = function(lambda: os.write(sending, b" ") and None)
        status = 0
    except BaseException:
        report = traceback.format_exc()[-1500:]
    finally:
        os.write(sending, json.dumps(report).encode())
        os._exit(status)


def _wait_for_bytes(descriptor: int, seconds: float) -> None:
    """Wait until the process writes, at most some seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        selector.select(seconds)


def _read_all(descriptor: int, deadline: float) -> str:
    content = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise AssertionError(f"the process did not end within {WATCHDOG:g} seconds")
            data = os.read(descriptor, 2**16)
            if not data:
                return str(json.loads(content)) if content.strip() else ""
            content += data
