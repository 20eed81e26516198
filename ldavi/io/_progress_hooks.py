"""Hooks that report how much of a corpus has been read and counted, for example to a progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class ProgressHooks(NamedTuple):
    """Functions that are called while a corpus is read.

    Attributes
    ----------
    on_bytes_read : callable
        Receives the number of additional bytes read from the file, as stored on disk (before decompression).
    on_texts_counted : callable
        Receives the number of additional texts whose words were counted, and the number of texts in total.
    """

    on_bytes_read: Callable[[int], None]
    on_texts_counted: Callable[[int, int], None]


_hooks: ContextVar[ProgressHooks | None] = ContextVar("progress_hooks", default=None)


@contextmanager
def report_progress_to(hooks: ProgressHooks) -> Iterator[None]:
    """Call `hooks` for everything that this thread reads inside the block."""
    token = _hooks.set(hooks)
    try:
        yield
    finally:
        _hooks.reset(token)


def report_bytes_read(n_bytes: int) -> None:
    """Report `n_bytes` additional bytes read."""
    if (hooks := _hooks.get()) is not None:
        hooks.on_bytes_read(n_bytes)


def report_texts_counted(n_texts: int, total: int) -> None:
    """Report `n_texts` additional texts counted, of `total`."""
    if (hooks := _hooks.get()) is not None:
        hooks.on_texts_counted(n_texts, total)
