"""Reading ahead: a thread fetches the next item while the caller computes with the present one."""

import itertools
import weakref
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from ldavi._core.daemon_threads import DaemonThreads

Item = TypeVar("Item")

POLL_SECONDS = 0.05  # between two checks of the consumer for an interrupt, which Windows needs
START_SECONDS = 5.0  # after which a reader that does not run will not start any more
JOIN_SECONDS = 0.5  # that closing waits for a reader in the middle of an item


class _End:
    """The last entry of the queue: there are no more items, or an error ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Consumer:
    """Lives as long as a generator of `prefetch`."""


Requests: TypeAlias = "SimpleQueue[bool | weakref.ref[_Consumer]]"  # True: one more item; anything else: no more


def prefetch(begin: Callable[[], Iterator[Item]]) -> Generator[Item]:
    """Yield the items of `begin()`, read by a separate thread one item ahead.

    That thread creates, reads and closes the iterator. An exception of the iterator is raised here, in its place among
    the items. Closing the generator, as an interrupt does, ends the thread; a reader in the middle of a long read ends
    after it.
    """
    items: SimpleQueue[Item | _End] = SimpleQueue()
    requests: Requests = SimpleQueue()
    consumer = _Consumer()
    deleted = weakref.ref(consumer, requests.put)  # ends the reader if an interrupt skips the `finally`
    closed: list[bool] = []
    reader = DaemonThreads(1, "ldavi-reader", _read, begin, items, requests, closed, deleted)
    try:
        requests.put(True)
        reader.start()
        # No variable here holds an item, so that an item can be released before the next one is awaited.
        yield from itertools.takewhile(_is_item, map(_next_of, *map(itertools.repeat, (items, requests, reader))))
    finally:
        closed.append(True)
        requests.put(False)
        reader.join(JOIN_SECONDS)


def _next_of(items: "SimpleQueue[Item | _End]", requests: Requests, reader: DaemonThreads) -> Any:
    """Return the next entry of the queue, and let the reader fetch the one after it."""
    for n_polls in itertools.count(1):
        try:
            entry = items.get(timeout=POLL_SECONDS)
        except Empty:
            never_started = n_polls * POLL_SECONDS > START_SECONDS and not reader.are_running
            if items.empty() and (reader.have_failed or never_started):
                raise MemoryError("the thread that reads ahead has ended, for lack of memory") from None
            continue
        requests.put(True)
        return entry
    raise AssertionError("unreachable")


def _is_item(entry: object) -> bool:
    """Return whether an entry is an item; raise the error that ended the items."""
    if not isinstance(entry, _End):
        return True
    if entry.error is not None:
        raise entry.error
    return False


def _read(
    begin: Callable[[], Iterator[Item]],
    items: "SimpleQueue[Item | _End]",
    requests: Requests,
    closed: list[bool],
    _deleted: object,
) -> None:
    """Put the items that are requested into the queue. The weak reference `_deleted` lives as long as this call."""
    error: BaseException | None = None
    try:
        source = begin()
        try:
            while requests.get() is True and not closed:
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
