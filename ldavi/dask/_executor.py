"""Where functions run: on the workers of a cluster or in this process, behind one interface."""

import time
import uuid
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TypeAlias

MAX_TRIES = 5  # of sending, while workers join and leave
DIRECT_TRIES = 3  # then values are sent through the scheduler, which reaches workers that the client may not
PAUSE = 0.5  # seconds between tries
N_COPIES = 2  # of values that cannot be recomputed
Value: TypeAlias = Any  # a value, or the handle of one: what a handle is depends on the executor


class LostError(RuntimeError):
    """The inputs of a computation are lost: every worker that held them has died."""


class Executor(Protocol):
    """Runs pure functions of values that it holds; a handle stands for such a value, now or later.

    Attributes
    ----------
    remote : bool
        Whether values are in other processes: tasks can then be submitted before their inputs exist, and can be lost.
    """

    remote: bool

    def load(self, blocks: Sequence[Value], function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        """Return handles to function(block, …) of lazy blocks."""

    def map(self, function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        """Return handles to function(…) of each."""

    def call(self, function: Callable[..., Any], *arguments: Value) -> Value:
        """Return a handle to function(…)."""

    def send(self, value: Value) -> Value:
        """Return a handle to a value that is copied to every worker."""

    def checkpoint(self, handles: Sequence[Value]) -> list[Value]:
        """Return handles to copies of values that do not depend on earlier results."""

    def replicate(self, handles: Sequence[Value]) -> None:
        """Copy values to a second worker again if workers have joined or left."""

    def keep_copies(self) -> AbstractContextManager[None]:
        """Return a context in which copies are not removed."""

    def fetch(self, handle: Value) -> Value:
        """Return the value of a handle, or a list of values for a list of handles."""


class LocalExecutor:
    """Runs functions in this process: a handle is the value itself."""

    remote = False

    def load(self, blocks: Sequence[Value], function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        import dask

        results: list[Value] = []
        # One block after another, so that no block is in memory twice.
        for block, *others in zip(blocks, *arguments, strict=True):
            results.append(function(dask.compute(block)[0], *others))
        return results

    def map(self, function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        return [function(*each) for each in zip(*arguments, strict=True)]

    def call(self, function: Callable[..., Any], *arguments: Value) -> Value:
        return function(*arguments)

    def send(self, value: Value) -> Value:
        return value

    def checkpoint(self, handles: Sequence[Value]) -> list[Value]:
        return list(handles)

    def replicate(self, handles: Sequence[Value]) -> None:
        pass

    def keep_copies(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fetch(self, handle: Value) -> Value:
        return handle


class ClusterExecutor:
    """Runs functions on the workers of a `distributed.Client`: a handle is a future.

    The result of a function is recomputed when its worker dies. A value that was sent cannot be: every worker has a
    copy, and at least two if there are two.
    """

    remote = True

    def __init__(self, client: Any) -> None:
        self._client = client
        self._workers: set[str] = set()

    def load(self, blocks: Sequence[Value], function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        from dask import delayed

        tasks = [delayed(function, pure=False)(*each) for each in zip(blocks, *arguments, strict=True)]
        futures: list[Value] = self._client.compute(tasks)
        return futures

    def map(self, function: Callable[..., Any], *arguments: Sequence[Value]) -> list[Value]:
        if not arguments[0]:
            return []
        futures: list[Value] = self._client.map(function, *arguments, pure=False)
        return futures

    def call(self, function: Callable[..., Any], *arguments: Value) -> Value:
        return self._client.submit(function, *arguments, pure=False)

    def send(self, value: Value) -> Value:
        return self._scatter(value, True)

    def checkpoint(self, handles: Sequence[Value]) -> list[Value]:
        # One value at a time is in this process.
        return [self._scatter(self.fetch(handle), N_COPIES) for handle in handles]

    def replicate(self, handles: Sequence[Value]) -> None:
        workers = set(self._client.nthreads())
        if workers != self._workers and len(workers) > 1:
            try:
                self._client.replicate(list(handles), n=N_COPIES)
            except (CancelledError, Exception):
                return  # the scheduler forwards errors of a worker that is leaving: the next pass finds it gone
        self._workers = workers

    @contextmanager
    def keep_copies(self) -> Iterator[None]:
        """Pause Dask's active memory manager, which removes all copies but one every two seconds."""
        manager = self._client.amm
        if not manager.running():
            yield
            return
        manager.stop()
        try:
            yield
        finally:
            manager.start()

    def fetch(self, handle: Value) -> Value:
        try:
            return self._client.gather(handle)
        except (CancelledError, FutureCancelled) as error:
            raise LostError(f"the only worker with an input of the fit has died: {error}") from error
        except KeyError as error:  # of a worker that should have the value: Dask moved or dropped it meanwhile
            if error.args and error.args[0] in self._client.futures:
                raise LostError(f"a worker has lost an input of the fit: {error}") from error
            raise

    def _scatter(self, value: Value, broadcast: bool | int) -> Value:
        for tries in range(1, MAX_TRIES + 1):
            name = f"ldavi-{type(value).__name__.lower()}-{uuid.uuid4().hex}"
            try:  # a dict names one value: a bare tuple would be sent item by item
                direct = tries <= DIRECT_TRIES
                return self._client.scatter({name: value}, direct=direct, broadcast=broadcast)[name]
            except (OSError, TimeoutError):  # to a worker that has just died
                if tries == MAX_TRIES:
                    raise
                time.sleep(PAUSE)
        raise AssertionError("unreachable")


def current_executor() -> Executor:
    """Return the cluster of the current client, or this process if there is none."""
    from distributed import default_client

    try:
        return ClusterExecutor(default_client())
    except ValueError:
        return LocalExecutor()
