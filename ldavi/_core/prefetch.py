"""Reading ahead: what comes next is fetched by a thread while the caller computes."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")

POLL = 0.05  # seconds between two looks of one that waits at whether there is still something to wait for
PATIENCE = 0.5  # seconds that the caller waits at the end for a reader in the midst of an item


class _End:
    """What the queue holds last: no more items, or the error that ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(begin: Callable[[], Iterator[Item]]) -> Generator[Item]:
    """The items of `begin()`, read by a thread of their own: the next one while one is used, and no more.

    The iterator is made, used and closed in that thread. What it raises is raised here, in its place among the items.
    Closing the generator, as an interrupt does, ends the thread; one that is in the midst of a long read ends with it.
    """
    store: queue.Queue[Item | _End] = queue.Queue()
    wanted, unwanted = threading.Semaphore(1), threading.Event()
    reader = threading.Thread(target=_read, args=(begin, store, wanted, unwanted), name="ldavi-reader", daemon=True)
    reader.start()
    try:
        while not isinstance(item := _take(store), _End):
            wanted.release()
            yield item
            del item  # or it would be held beside the next
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        reader.join(PATIENCE)


def _take(store: "queue.Queue[Item | _End]") -> Item | _End:
    while True:
        try:
            return store.get(timeout=POLL)  # without an end, Ctrl-C would not be heard on every system
        except queue.Empty:
            continue


def _read(
    begin: Callable[[], Iterator[Item]],
    store: "queue.Queue[Item | _End]",
    wanted: threading.Semaphore,
    unwanted: threading.Event,
) -> None:
    error: BaseException | None = None
    try:
        items = begin()
        try:
            while _is(wanted, unwanted):
                try:
                    store.put(next(items))
                except StopIteration:
                    break
        finally:
            if close := getattr(items, "close", None):
                close()
    except BaseException as raised:  # whatever it is, the caller must hear of it
        error = raised
    store.put(_End(error))


def _is(wanted: threading.Semaphore, unwanted: threading.Event) -> bool:
    """Wait until another item is wanted, or none ever."""
    while not unwanted.is_set():
        if wanted.acquire(timeout=POLL):
            return True
    return False
