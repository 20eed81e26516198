"""Passes over parts that live on workers: when each is submitted, and what lost results are recomputed from.

A pass is submitted as a whole, and the next one before the summary of this one has arrived, so workers never wait for
the client. What a part keeps between passes (γ, assignments) stays where it was computed. If its worker dies, it is
recomputed from the part and from the topics of the passes since the last cold start or checkpoint, which are kept for
that. Every few passes, these values and the topics are copied through the client to two workers each (replicated),
which bounds what would have to be recomputed.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from ldavi._inference.topic_shards import CorpusLayout
from ldavi.dask._executor import Executor

MAX_PASSES_TO_REPEAT = 20  # between two replications
MAX_KEPT_BYTES = 2**30  # of topics since the last replication, on each worker
Handle = Any  # of a value that an executor holds


class DistributedCorpus(NamedTuple):
    """Documents on their workers.

    Attributes
    ----------
    n_topics : int
    parts : sequence of handles to PartArrays
    layout_handle : handle to CorpusLayout
    layout : CorpusLayout
        The same in this process.
    n_docs : int
        Documents with a weight above zero.
    n_tokens : float
        Σ_d ω_d N_d.
    total_weight : float
        Σ_d ω_d.
    dtype : str
        Of counts and topics.
    """

    n_topics: int
    parts: Sequence[Handle]
    layout_handle: Handle
    layout: CorpusLayout
    n_docs: int
    n_tokens: float
    total_weight: float
    dtype: str

    @property
    def passes_to_repeat(self) -> int:
        """The number of passes between two replications."""
        n_bytes = len(self.layout.words) * self.n_topics * np.dtype(self.dtype).itemsize
        return max(2, min(MAX_PASSES_TO_REPEAT, MAX_KEPT_BYTES // max(n_bytes, 1)))


class Inputs(Protocol):
    """Handles to the inputs of a pass."""

    @property
    def sources(self) -> list[Handle]:
        """Handles to what the next passes are recomputed from, besides values that stay with their part."""

    @property
    def copied(self) -> list[Handle]:
        """Handles to what has to be kept where nothing can be recomputed: `sources`, and what stays with parts."""

    def replicated(self, executor: Executor) -> Self:
        """Return handles to copies, which do not depend on earlier results."""


class Submitted(Protocol):
    """Handles to the outputs of a pass."""

    @property
    def before(self) -> Inputs:
        """The inputs of the pass, without values that stay with their part."""

    @property
    def after(self) -> Inputs:
        """The inputs of the next pass."""

    @property
    def summary(self) -> Handle:
        """Handle to a few numbers."""


Pass = TypeVar("Pass", bound=Submitted)


class Pipeline(Generic[Pass]):
    """Submits passes and fetches their summaries.

    Parameters
    ----------
    executor : Executor
    corpus : DistributedCorpus
    submit : callable
        Submits a pass: submit(inputs, t) returns handles to its outputs.
    n_cold : int
        First passes that need nothing of earlier ones but their topics.
    n_passes : int
    """

    def __init__(
        self,
        executor: Executor,
        corpus: DistributedCorpus,
        submit: Callable[[Any, int], Pass],
        *,
        n_cold: int,
        n_passes: int,
    ) -> None:
        self._executor, self._corpus, self._submit = executor, corpus, submit
        self._n_cold, self._n_passes = n_cold, n_passes

    def run(self, inputs: Inputs) -> Generator[tuple[int, Pass, Any]]:
        """Yield the number of each pass, counted from 1, its handles and its summary."""
        executor, n_passes, every, replicated = self._executor, self._n_passes, self._corpus.passes_to_repeat, 0
        base = [self._corpus.layout_handle, *inputs.sources]
        kept, ahead = list(base), self._submit(inputs, 1) if n_passes else None
        for t in range(1, n_passes + 1):
            now = ahead
            assert now is not None
            if t <= self._n_cold:
                kept = [*base, *now.before.sources]
            kept += now.after.sources
            due = executor.remote and t >= max(self._n_cold, replicated) + every
            if executor.remote and not due and t < n_passes:
                ahead = self._submit(now.after, t + 1)
            summary = executor.fetch(now.summary)
            executor.replicate(kept)
            yield t, now, summary
            if due and t < n_passes:
                copies = now.after.replicated(executor)
                kept = [self._corpus.layout_handle, *copies.copied]
                ahead, replicated = self._submit(copies, t + 1), t
            elif not executor.remote and t < n_passes:
                ahead = self._submit(now.after, t + 1)


Merge = Callable[[Any, Any], Any]


def tree(executor: Executor, merge: Merge, sums: list[Handle]) -> list[Handle]:
    """Merge sums in pairs until one or two are left."""
    while len(sums) > 2:
        odd = sums[-1:] if len(sums) % 2 else []
        sums = executor.map(merge, sums[0 : len(sums) - len(odd) : 2], sums[1::2]) + odd
    return sums
