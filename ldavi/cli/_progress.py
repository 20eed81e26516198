"""Progress of a command on a terminal, shown for every step that takes more than two seconds."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from ldavi._core.daemon_threads import DaemonThreads
from ldavi.cli._options import Options
from ldavi.io._progress_hooks import ProgressHooks, report_progress_to
from ldavi.io._readers.several import Several
from ldavi.progress import ProgressDisplay

DELAY = 2.0  # seconds before anything is shown
INTERVAL = 1.0
MEGABYTE = 10**6


def is_shown(options: Options) -> bool:
    """Return whether standard error is a terminal and the user wants to see progress."""
    return sys.stderr.isatty() and not getattr(options, "quiet", False) and not getattr(options, "verbose", False)


def progress_display(options: Options, title: str, unit: str, total: int | None = None) -> ProgressDisplay:
    """Return a display of counted steps, which stays invisible if progress is not shown."""
    delay = DELAY if is_shown(options) else math.inf
    return ProgressDisplay(title, unit, total, delay=delay, interval=INTERVAL)


@contextmanager
def reading_progress(options: Options, title: str, path: str | Several, *, in_batches: bool = False) -> Iterator[None]:
    """Show how many megabytes of a file or folder the block has read, and then how many texts it has counted.

    Megabytes are those on the disk, compressed or not. Texts that are read and counted `in_batches` have no second
    display.
    """
    if not is_shown(options):
        yield
        return
    size = size_of(path)
    displays = [progress_display(options, title, "MB", -(-size // MEGABYTE) or None)]
    n_read = 0

    def on_read(n_bytes: int) -> None:
        nonlocal n_read
        former, n_read = n_read, min(n_read + n_bytes, size)  # recognising the format reads the first bytes twice
        if len(displays) == 1:
            displays[0].advance(n_read // MEGABYTE - former // MEGABYTE)

    def on_counted(n_texts: int, total: int) -> None:
        if in_batches:
            return
        if len(displays) == 1:
            displays[0].close()
            displays.append(progress_display(options, "counting words", "text", total))
        displays[-1].advance(n_texts)

    try:
        with report_progress_to(ProgressHooks(on_read, on_counted)):
            yield
    finally:
        displays[-1].close()


def size_of(path: str | Several) -> int:
    """Return the number of bytes of a file, of several files, or of all files of a folder."""
    if isinstance(path, Several):
        return sum(map(size_of, path.paths))
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(path) for file in files)


@contextmanager
def elapsed_time(options: Options, title: str) -> Iterator[None]:
    """Show the seconds that have passed, for a step that cannot report its progress."""
    if not is_shown(options):
        yield
        return
    finished: SimpleQueue[bool] = SimpleQueue()
    thread = DaemonThreads(1, "ldavi-progress", _count_seconds, options, title, finished)
    try:
        thread.start()
        yield
    finally:
        finished.put(True)
        thread.join()


def _count_seconds(options: Options, title: str, finished: "SimpleQueue[bool]") -> None:
    with progress_display(options, title, "second") as display:
        while True:
            try:
                finished.get(timeout=1.0)
                return
            except Empty:
                display.advance()
