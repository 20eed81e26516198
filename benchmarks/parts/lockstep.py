"""Run two fits alternately, one pass at a time, so that each pass is timed next to the same pass of the other fit."""

import threading
import time
from collections.abc import Callable
from typing import Any

Fit = Callable[[Callable[[Any], None]], Any]


class _Turn:
    """Callback of a fit: records the seconds of a pass, lets the next fit make a pass, and waits for the next turn."""

    def __init__(self, mine: threading.Semaphore, following: threading.Semaphore) -> None:
        self._mine, self._following = mine, following
        self.seconds: list[float] = []
        self._started = 0.0

    def wait(self) -> None:
        self._mine.acquire()
        self._started = time.perf_counter()

    def __call__(self, record: Any) -> None:
        self.seconds.append(time.perf_counter() - self._started)
        self._following.release()
        self.wait()


def in_lockstep(fits: dict[str, Fit]) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Run fits with equal numbers of passes alternately; each fit is called with a callback for its estimator.

    Returns
    -------
    models : dict
        Return value of each fit.
    seconds : dict of list of float
        Seconds of each pass; those of the first one include the preparation of the fit.
    """
    tokens = [threading.Semaphore(0) for _ in fits]
    turns = {name: _Turn(tokens[i], tokens[(i + 1) % len(fits)]) for i, name in enumerate(fits)}
    models: dict[str, Any] = {}
    errors: list[BaseException] = []

    def work(name: str, following: threading.Semaphore) -> None:
        try:
            turns[name].wait()
            models[name] = fits[name](turns[name])
        except BaseException as error:  # raised in the caller's thread below
            errors.append(error)
        finally:
            for _ in range(10_000):  # the other fit must not wait for one that has ended or failed
                following.release()

    threads = [threading.Thread(target=work, args=(name, tokens[(i + 1) % len(fits)])) for i, name in enumerate(fits)]
    for thread in threads:
        thread.start()
    tokens[0].release()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return models, {name: turn.seconds for name, turn in turns.items()}
