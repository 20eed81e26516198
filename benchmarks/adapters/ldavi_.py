"""Adapter of ldavi."""

import copy
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from ldavi import LatentDirichletAllocation


def prepare(X: sparse.csr_array) -> sparse.csr_array:
    return X


def train(
    data: sparse.csr_array, n_topics: int, seed: int, checkpoint: Any = None, **settings: Any
) -> LatentDirichletAllocation:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some fits are stopped before they converge
        return LatentDirichletAllocation(n_topics, random_state=seed, **settings).fit(data, checkpoint=checkpoint)


def train_passes(
    data: sparse.csr_array, n_topics: int, seed: int, passes: int, **settings: Any
) -> LatentDirichletAllocation:
    """Fit the first `passes` passes: a callback stops the fit, so that its schedule is that of a fit of `max_iter`."""
    return train(data, n_topics, seed, tol=None, callbacks=lambda record: record.iteration >= passes, **settings)


def train_lengths(
    data: sparse.csr_array, n_topics: int, seed: int, lengths: Iterable[int], **settings: Any
) -> Iterator[tuple[int, LatentDirichletAllocation]]:
    """Yield the models that `train_passes` fits for increasing lengths; each fit resumes from the previous one."""
    checkpoint = CheckpointInMemory()
    for length in lengths:
        settings |= {"tol": None, "callbacks": checkpoint.stop_after(length)}
        yield length, train(data, n_topics, seed, checkpoint=checkpoint, **settings)


class CheckpointInMemory:
    """A checkpoint in memory, saved one pass before a fit ends, from which a longer fit resumes."""

    def __init__(self) -> None:
        self._state: dict[str, Any] | None = None
        self._due = False

    def stop_after(self, passes: int) -> Any:
        """Return a callback that ends the fit after a number of passes."""

        def callback(record: Any) -> bool:
            self._due = record.iteration == passes - 1
            return bool(record.iteration >= passes)

        return callback

    def begin(self) -> dict[str, Any] | None:
        return copy.deepcopy(self._state)  # a resumed fit changes the state in place

    def due(self) -> bool:
        return self._due

    def save(self, state: dict[str, Any]) -> None:
        self._state = copy.deepcopy(state)  # the fit changes these arrays afterwards


def topics(model: LatentDirichletAllocation, n_words: int) -> np.ndarray:
    return model.topics_


def transform(model: LatentDirichletAllocation, data: sparse.csr_array) -> np.ndarray:
    return model.transform(data)
