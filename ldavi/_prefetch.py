"""Reading ahead: what comes next is fetched by a thread while the caller computes."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 1  # items that wait, beside the one that is used and the one that is read
POLL = 0.05  # seconds between two looks of a reader that waits at whether anyone still wants its items
PATIENCE = 0.5  # seconds that the caller waits at the end for a reader in the midst of an item


class _End:
    """What the queue holds last: no more items, or the error that ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(begin: Callable[[], Iterator[Item]]) -> Generator[Item]:
    """The items of `begin()`, read by a thread of their own, at most `AHEAD` of them in store.

    The iterator is made, used and closed in that thread. What it raises is raised here, in its place among the items.
    Closing the generator, as an interrupt does, ends the thread; one that is in the midst of a long read ends with it.
    """
    store: queue.Queue[Item | _End] = queue.Queue(AHEAD)
    unwanted = threading.Event()
    reader = threading.Thread(target=_read, args=(begin, store, unwanted), name="ldavi-reader", daemon=True)
    reader.start()
    try:
        while not isinstance(item := _take(store), _End):
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


def _read(begin: Callable[[], Iterator[Item]], store: "queue.Queue[Item | _End]", unwanted: threading.Event) -> None:
    error: BaseException | None = None
    try:
        items = begin()
        try:
            for item in items:
                if not _put(store, item, unwanted):
                    return
                del item
        finally:
            if close := getattr(items, "close", None):
                close()
    except BaseException as raised:  # whatever it is, the caller must hear of it
        error = raised
    _put(store, _End(error), unwanted)


def _put(store: "queue.Queue[Item | _End]", item: Item | _End, unwanted: threading.Event) -> bool:
    while not unwanted.is_set():
        try:
            store.put(item, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False
