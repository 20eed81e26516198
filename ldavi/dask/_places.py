"""Where functions run: on the workers of a cluster, or here. What a fit asks of either, and no more."""

import time
import uuid
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

TRIES = 5  # of sending, while workers come and go
DIRECT_TRIES = 3  # after which it goes through the scheduler, which reaches workers that the client may not
PAUSE = 0.5  # seconds between them
COPIES = 2  # of what nothing could compute again


class LostError(RuntimeError):
    """What a computation began from is gone: every worker that held it has died."""


class Place(Protocol):
    """Runs pure functions of what it holds; a handle stands for a value that is there, or will be.

    Attributes
    ----------
    remote : bool
        Whether values live elsewhere: work can then be handed out before its input is ready, and can be lost.
    """

    remote: bool

    def load(self, blocks: Sequence[Any], function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        """function(block, …) of lazy blocks, held from now on."""

    def map(self, function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        """function(…) of each: handles to the results."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """function(…): a handle to the result."""

    def send(self, value: Any) -> Any:
        """A handle to a value that is brought to every worker."""

    def anchor(self, handles: Sequence[Any]) -> list[Any]:
        """Handles to the same values, which need nothing that was computed before."""

    def guard(self, handles: Sequence[Any]) -> None:
        """See that what was sent is in more than one place, workers having come or gone."""

    def copies_stay(self) -> AbstractContextManager[None]:
        """Within it nobody clears away copies."""

    def fetch(self, handle: Any) -> Any:
        """The value; for a list of handles a list of values."""


class Here:
    """This process: a handle is the value itself."""

    remote = False

    def load(self, blocks: Sequence[Any], function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        import dask

        held: list[Any] = []
        for block, *others in zip(blocks, *arguments, strict=True):  # one after another: no block is here twice
            held.append(function(dask.compute(block)[0], *others))
        return held

    def map(self, function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        return [function(*each) for each in zip(*arguments, strict=True)]

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    def send(self, value: Any) -> Any:
        return value

    def anchor(self, handles: Sequence[Any]) -> list[Any]:
        return list(handles)

    def guard(self, handles: Sequence[Any]) -> None:
        pass

    def copies_stay(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fetch(self, handle: Any) -> Any:
        return handle


class Cluster:
    """The workers of a `distributed.Client`: a handle is a future.

    A future that a function led to is computed again when its worker dies. What is sent has no such origin: it is held by
    every worker, and by at least two where there are two.
    """

    remote = True

    def __init__(self, client: Any) -> None:
        self._client = client
        self._workers: set[str] = set()

    def load(self, blocks: Sequence[Any], function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        from dask import delayed

        tasks = [delayed(function, pure=False)(*each) for each in zip(blocks, *arguments, strict=True)]
        futures: list[Any] = self._client.compute(tasks)
        return futures

    def map(self, function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        if not arguments[0]:
            return []
        futures: list[Any] = self._client.map(function, *arguments, pure=False)
        return futures

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)

    def send(self, value: Any) -> Any:
        return self._scatter(value, True)

    def anchor(self, handles: Sequence[Any]) -> list[Any]:
        return [self._scatter(self.fetch(handle), COPIES) for handle in handles]  # one at a time is in this process

    def guard(self, handles: Sequence[Any]) -> None:
        workers = set(self._client.nthreads())
        if workers != self._workers and len(workers) > 1:
            try:
                self._client.replicate(list(handles), n=COPIES)
            except (CancelledError, Exception):
                return  # whatever the scheduler hands on from a worker that goes just now: the next pass finds it gone
        self._workers = workers

    @contextmanager
    def copies_stay(self) -> Iterator[None]:
        """Dask's active memory manager, every two seconds, leaves one copy of everything: it pauses."""
        manager = self._client.amm
        if not manager.running():
            yield
            return
        manager.stop()
        try:
            yield
        finally:
            manager.start()

    def fetch(self, handle: Any) -> Any:
        try:
            return self._client.gather(handle)
        except (CancelledError, FutureCancelled) as error:
            raise LostError(f"a worker died that alone held what the fit began from: {error}") from error

    def _scatter(self, value: Any, broadcast: bool | int) -> Any:
        for tries in range(1, TRIES + 1):
            name = f"ldavi-{type(value).__name__.lower()}-{uuid.uuid4().hex}"
            try:  # a dict names one value: a bare tuple would be sent item by item
                direct = tries <= DIRECT_TRIES
                return self._client.scatter({name: value}, direct=direct, broadcast=broadcast)[name]
            except (OSError, TimeoutError):  # to a worker that has just died
                if tries == TRIES:
                    raise
                time.sleep(PAUSE)
        raise AssertionError("unreachable")


def place() -> Place:
    """The cluster of the present client, or here where there is none."""
    from distributed import default_client

    try:
        return Cluster(default_client())
    except ValueError:
        return Here()
