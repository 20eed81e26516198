"""Reading ahead: a thread fetches the next item while the caller computes with the present one."""

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

POLL_SECONDS = 0.05  # between two checks of a waiting thread whether there is still something to wait for
JOIN_SECONDS = 0.5  # that closing waits for a reader in the middle of an item


class _End:
    """The last entry of the queue: there are no more items, or an error ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(begin: Callable[[], Iterator[Item]]) -> Generator[Item]:
    """Yield the items of `begin()`, read by a separate thread one item ahead.

    That thread creates, reads and closes the iterator. An exception of the iterator is raised here, in its place among
    the items. Closing the generator, as an interrupt does, ends the thread; a reader in the middle of a long read ends
    after it.
    """
    items: queue.Queue[Item | _End] = queue.Queue()
    wanted, closed = threading.Semaphore(1), threading.Event()
    reader = threading.Thread(target=_read, args=(begin, items, wanted, closed), name="ldavi-reader", daemon=True)
    reader.start()
    try:
        # No variable here holds an item, so that an item can be released before the next one is awaited.
        yield from itertools.takewhile(_is_item, map(_next_of, itertools.repeat(items), itertools.repeat(wanted)))
    finally:
        closed.set()
        reader.join(JOIN_SECONDS)


def _next_of(items: "queue.Queue[Item | _End]", wanted: threading.Semaphore) -> Any:
    """Return the next entry of the queue, and let the reader fetch the one after it."""
    while True:
        try:
            entry = items.get(timeout=POLL_SECONDS)  # with a timeout, Ctrl-C is handled on every system
        except queue.Empty:
            continue
        wanted.release()
        return entry


def _is_item(entry: object) -> bool:
    """Return whether an entry is an item; raise the error that ended the items."""
    if not isinstance(entry, _End):
        return True
    if entry.error is not None:
        raise entry.error
    return False


def _read(
    begin: Callable[[], Iterator[Item]],
    items: "queue.Queue[Item | _End]",
    wanted: threading.Semaphore,
    closed: threading.Event,
) -> None:
    error: BaseException | None = None
    try:
        source = begin()
        try:
            while _is_wanted(wanted, closed):
                try:
                    items.put(next(source))
                except StopIteration:
                    break
        finally:
            if close := getattr(source, "close", None):
                close()
    except BaseException as raised:  # the caller raises it again
        error = raised
    items.put(_End(error))


def _is_wanted(wanted: threading.Semaphore, closed: threading.Event) -> bool:
    """Wait until another item is requested (True) or the consumer has closed (False)."""
    while not closed.is_set():
        if wanted.acquire(timeout=POLL_SECONDS):
            return True
    return False
