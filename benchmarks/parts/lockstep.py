"""Two fits that take turns, pass by pass: each pass of one beside the same pass of the other."""

import threading
import time
from collections.abc import Callable
from typing import Any

Fit = Callable[[Callable[[Any], None]], Any]


class _Turn:
    """Calls back after each pass: note its seconds, let the next fit make a pass, wait for the turn to come round."""

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
    """Run fits that make equally many passes; each is called with a callback for its estimator.

    Returns
    -------
    models : what each fit returned
    seconds : of each pass; the first holds the fit's preparation too
    """
    tokens = [threading.Semaphore(0) for _ in fits]
    turns = {name: _Turn(tokens[i], tokens[(i + 1) % len(fits)]) for i, name in enumerate(fits)}
    models: dict[str, Any] = {}
    errors: list[BaseException] = []

    def work(name: str, following: threading.Semaphore) -> None:
        try:
            turns[name].wait()
            models[name] = fits[name](turns[name])
        except BaseException as error:  # told to the caller below
            errors.append(error)
        finally:
            for _ in range(10_000):  # a fit that is over, or has failed, keeps nobody waiting
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
