"""ldavi."""

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
        warnings.simplefilter("ignore", ConvergenceWarning)  # some fits are stopped on purpose
        return LatentDirichletAllocation(n_topics, random_state=seed, **settings).fit(data, checkpoint=checkpoint)


def train_passes(
    data: sparse.csr_array, n_topics: int, seed: int, passes: int, **settings: Any
) -> LatentDirichletAllocation:
    """The first passes of a fit that would make more: its warm-up is as long as if it were not stopped."""
    return train(data, n_topics, seed, tol=None, callbacks=lambda record: record.iteration >= passes, **settings)


def train_lengths(
    data: sparse.csr_array, n_topics: int, seed: int, lengths: Iterable[int], **settings: Any
) -> Iterator[tuple[int, LatentDirichletAllocation]]:
    """What `train_passes` makes of each of the lengths, which rise: every fit goes on from the one before it."""
    kept = LastPass()
    for length in lengths:
        settings |= {"tol": None, "callbacks": kept.up_to(length)}
        yield length, train(data, n_topics, seed, checkpoint=kept, **settings)


class LastPass:
    """A checkpoint in memory: what a fit was before its last pass, for a longer one to go on from."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] | None = None
        self._due = False

    def up_to(self, passes: int) -> Any:
        """A callback that ends the fit after so many passes."""

        def callback(record: Any) -> bool:
            self._due = record.iteration == passes - 1
            return bool(record.iteration >= passes)

        return callback

    def begin(self) -> dict[str, Any] | None:
        return copy.deepcopy(self._kept)  # the fit takes it apart

    def due(self) -> bool:
        return self._due

    def save(self, state: dict[str, Any]) -> None:
        self._kept = copy.deepcopy(state)  # the arrays are the fit's own


def topics(model: LatentDirichletAllocation, n_words: int) -> np.ndarray:
    return model.topics_


def transform(model: LatentDirichletAllocation, data: sparse.csr_array) -> np.ndarray:
    return model.transform(data)
