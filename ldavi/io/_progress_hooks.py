"""How far the reading of a corpus has come, told to whoever watches: a progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Watcher(NamedTuple):
    """What is told of a reading.

    Attributes
    ----------
    read : callable
        So many more bytes of the file were read, as they lie on the disk.
    counted : callable
        So many more of so many texts were cut into words and counted.
    """

    read: Callable[[int], None]
    counted: Callable[[int, int], None]


_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of what is read inside the block, by this thread."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell_read(n_bytes: int) -> None:
    """Tell of bytes."""
    if (watcher := _watcher.get()) is not None:
        watcher.read(n_bytes)


def tell_counted(n_texts: int, total: int) -> None:
    """Tell of texts."""
    if (watcher := _watcher.get()) is not None:
        watcher.counted(n_texts, total)
