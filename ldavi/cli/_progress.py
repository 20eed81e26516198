"""Progress on a terminal, of what takes more than two seconds: tqdm's bar where it is installed, else a line of our own."""

import importlib.util
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldavi.cli._options import Options
from ldavi.io._watch import Watcher, watched_by

DELAY = 2.0  # seconds before anything is shown
BETWEEN = 0.2
MEGABYTE = 10**6


def is_watched(options: Options) -> bool:
    """Whether somebody sees progress and wants to."""
    return sys.stderr.isatty() and not getattr(options, "quiet", False) and not getattr(options, "verbose", False)


class Progress:
    """How far a step has come, how quick it is and how long it will take.

    Parameters
    ----------
    options : Options
    title : str
    unit : str
        What is counted: "pass", "documents".
    total : int or None
        How many there will be, if known.
    """

    def __init__(self, options: Options, title: str, unit: str, total: int | None = None) -> None:
        self._title, self._unit, self._total = title, unit, total
        self._shown, self._drawn, self._start = is_watched(options), 0.0, time.monotonic()
        self.done, self._width = 0, 0
        self._bar: Any = None
        if self._shown and importlib.util.find_spec("tqdm") is not None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, desc=title, unit=f" {unit}", delay=DELAY, leave=False, file=sys.stderr, dynamic_ncols=True
            )

    def add(self, number: int, note: str = "") -> None:
        """So many more are done."""
        self.done += number
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(number)
        elif self._shown:
            now = time.monotonic()
            if now - self._start >= DELAY and now - self._drawn >= BETWEEN:
                self._drawn = now
                self._draw(progress_line(self._title, self._unit, self.done, self._total, now - self._start, note))

    def _draw(self, line: str) -> None:
        print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.close()
        elif self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def progress_line(title: str, unit: str, done: int, total: int | None, seconds: float, note: str) -> str:
    """ "fit: 12/100 pass, 3.4 pass/s, 0:26 left, perplexity 912"."""
    rate = done / seconds if seconds > 0 else 0.0
    parts = [f"{done:,}/{total:,} {unit}" if total else f"{done:,} {unit}", f"{rate:,.1f} {unit}/s"]
    if total and rate:
        minutes, rest = divmod(round(max(0, total - done) / rate), 60)
        parts.append(f"{minutes}:{rest:02d} left")
    return f"{title}: " + ", ".join([*parts, note] if note else parts)


@contextmanager
def reading(options: Options, title: str, path: str, *, once: bool = True) -> Iterator[None]:
    """A bar for what the block reads of a file or folder, in megabytes as they lie on the disk; then one for texts counted.

    Parameters
    ----------
    options : Options
    title : str
    path : str
    once : bool
        Whether texts are counted after all has been read, so that they get a bar of their own.
    """
    if not is_watched(options):
        yield
        return
    size = size_of(path)
    bars = [Progress(options, title, "MB", -(-size // MEGABYTE) or None)]
    done = 0

    def read(n_bytes: int) -> None:
        nonlocal done
        former, done = done, min(done + n_bytes, size)  # the beginning is read twice, to recognise the format
        bars[0].add(done // MEGABYTE - former // MEGABYTE)

    def counted(n_texts: int, total: int) -> None:
        if once:
            if len(bars) == 1:
                bars[0].close()
                bars.append(Progress(options, "counting words", "texts", total))
            bars[1].add(n_texts)

    try:
        with watched_by(Watcher(read, counted)):
            yield
    finally:
        bars[-1].close()


def size_of(path: str) -> int:
    """Bytes of a file, or of the files of a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(path) for file in files)


@contextmanager
def waiting(options: Options, title: str) -> Iterator[None]:
    """A line with the seconds that have passed, for a step that cannot tell how far it is."""
    if not is_watched(options):
        yield
        return
    over, start = threading.Event(), time.monotonic()

    def show() -> None:
        pause = DELAY
        while not over.wait(pause):
            print(f"\r{title}: {time.monotonic() - start:.0f} s ", end="", file=sys.stderr, flush=True)
            pause = 1.0

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if time.monotonic() - start >= DELAY:
            print("\r" + " " * (len(title) + 12) + "\r", end="", file=sys.stderr, flush=True)
