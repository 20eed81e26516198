"""Collapsed passes (CVB0) over parts that live on workers, as a phase of a fit: the tasks of a pass."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._inference import cvb0_distributed
from ldavi._inference.assignments import MassScale, added_sums, mass_scale
from ldavi._inference.cvb0 import Cvb0Settings, initial_priors
from ldavi._inference.cvb0_distributed import CollapsedStep
from ldavi._inference.passes import PassResult, Saved
from ldavi._inference.topic_shards import CompactPriors, compact_priors
from ldavi._inference.trace import TraceRecord, predictive_record
from ldavi._inference.vb_distributed import PartArrays
from ldavi.dask._executor import Executor
from ldavi.dask._pipeline import DistributedCorpus, Handle, Pipeline, tree

N_EXCHANGES = 1  # of the changes of n_wk in each pass


class CollapsedInputs(NamedTuple):
    """Handles to the inputs of a pass.

    Attributes
    ----------
    shards : sequence of handles to CountShard
    averages : sequence of handles to arrays of shape (rows, Kp), or of None before the first pass
    priors : handle to CompactPriors
    assignments : sequence of handles to PartAssignment, or of None before the first pass
    """

    shards: Sequence[Handle]
    averages: Sequence[Handle]
    priors: Handle
    assignments: Sequence[Handle]

    @property
    def sources(self) -> list[Handle]:
        return [*self.shards, self.priors]

    @property
    def copied(self) -> list[Handle]:
        return [*self.sources, *self.averages, *self.assignments]

    def replicated(self, executor: Executor) -> "CollapsedInputs":
        """Return handles to copies, which do not depend on earlier results."""
        (priors,), copies = executor.checkpoint([self.priors]), executor.checkpoint
        return CollapsedInputs(copies(self.shards), copies(self.averages), priors, copies(self.assignments))


class CollapsedPass(NamedTuple):
    """Handles to the inputs and outputs of a pass."""

    before: CollapsedInputs
    after: CollapsedInputs
    summary: Handle


@dataclass(frozen=True, slots=True)
class CollapsedResult:
    """The topics after a pass, held by the executor."""

    executor: Executor
    corpus: DistributedCorpus
    after: CollapsedInputs
    iteration: int
    seconds: float

    def fetch(self) -> PassResult:
        """Bring λ, of the words that occur, and the priors into this process."""
        layout, n_shards = self.corpus.layout, len(self.after.averages)
        arguments = [self.after.priors] * n_shards, [self.corpus.layout_handle] * n_shards, layout.edges
        lam = self.executor.fetch(self.executor.map(cvb0_distributed.shard_lambda, self.after.averages, *arguments))
        priors: CompactPriors = self.executor.fetch(self.after.priors)
        counters = self.iteration, self.iteration, self.seconds
        return PassResult(np.concatenate(lam), layout.words, priors.priors(layout), *counters)


@dataclass(frozen=True, slots=True)
class CollapsedState:
    """State of collapsed passes between two of them.

    Attributes
    ----------
    iteration : int
        Passes of the fit so far.
    inputs : CollapsedInputs
        Handles to what the next pass starts from.
    scale : MassScale
    blocks : sequence of handles to PartBlocks
    seconds : float
        Time since the fit began.
    result : CollapsedResult or None
    """

    iteration: int
    inputs: CollapsedInputs
    scale: MassScale
    blocks: Sequence[Handle]
    seconds: float = 0.0
    result: CollapsedResult | None = None

    def to_arrays(self) -> dict[str, object]:
        raise NotImplementedError("checkpoints are refused together with Dask")


@dataclass(frozen=True, slots=True)
class DistributedCvb0:
    """Collapsed variational Bayes over the workers of an executor, as a phase of a fit.

    Attributes
    ----------
    settings : Cvb0Settings
    n_passes : int
        Maximum number of passes.
    executor : Executor
    corpus : DistributedCorpus
    n_threads : int
        Of one task.
    first : int
        Passes of earlier phases.
    """

    settings: Cvb0Settings
    n_passes: int
    executor: Executor
    corpus: DistributedCorpus
    n_threads: int
    first: int = 0
    name: str = "distributed CVB0"

    def prepare(self, documents: object) -> DistributedCorpus:
        return self.corpus

    def start(self, documents: DistributedCorpus, priors: Priors, initial: Callable[[], PassResult]) -> CollapsedState:
        executor, parts, layout = self.executor, documents.parts, documents.layout
        priors, lam, seconds = initial_priors(priors, self.settings), None, 0.0
        if self.settings.starts_from_topics:
            topics = initial()
            lam, seconds = topics.rows_of(layout.words), topics.seconds
        sums = executor.map(cvb0_distributed.part_sums, parts, [documents.layout_handle] * len(parts))
        scale = mass_scale(reduce(added_sums, executor.fetch(sums)), np.dtype(documents.dtype))
        sizes = np.array(executor.fetch(executor.map(_sizes_of, parts))).reshape(-1, 2)
        firsts = np.cumsum(sizes, axis=0) - sizes
        arguments = [scale] * len(parts), firsts[:, 0].tolist(), firsts[:, 1].tolist()
        blocks = executor.map(cvb0_distributed.blocks_of_part, parts, *arguments)
        shards = cvb0_distributed.initial_count_shards(lam, priors, layout, scale, documents.dtype)
        handles, none = [executor.send(shard) for shard in shards], [None] * len(shards)
        inputs = CollapsedInputs(handles, none, executor.send(compact_priors(priors)), [None] * len(parts))
        return CollapsedState(self.first, inputs, scale, blocks, seconds)

    def from_arrays(self, documents: DistributedCorpus, arrays: Saved) -> CollapsedState:
        raise NotImplementedError("checkpoints are refused together with Dask")

    def passes(
        self, documents: DistributedCorpus, state: CollapsedState, workers: Workers
    ) -> Generator[tuple[CollapsedState, TraceRecord]]:
        """Yield the state and the record after each pass, as `Cvb0` does."""
        executor, started, scale, blocks = self.executor, time.perf_counter() - state.seconds, state.scale, state.blocks
        pipeline = Pipeline[CollapsedPass](
            executor,
            documents,
            lambda inputs, t: self._submit(documents, inputs, blocks, scale, t),
            n_cold=0,
            n_passes=self.n_passes,
        )
        for t, now, summary in pipeline.run(state.inputs):
            done, seconds, priors = self.first + t, time.perf_counter() - started, summary.priors
            result = CollapsedResult(executor, documents, now.after, done, seconds)
            yield (
                CollapsedState(done, now.after, scale, blocks, seconds, result),
                predictive_record(
                    done,
                    "collapsed",
                    summary.log_predictive,
                    priors.priors(documents.layout),
                    tokens=documents.n_tokens,
                    seconds=seconds,
                ),
            )

    def _submit(
        self,
        corpus: DistributedCorpus,
        before: CollapsedInputs,
        blocks: Sequence[Handle],
        scale: MassScale,
        t: int,
    ) -> CollapsedPass:
        """Submit pass t: its exchanges, the average, priors where they are due, the summary."""
        executor, edges, after = self.executor, corpus.layout.edges, before
        for number in range(N_EXCHANGES):
            step = CollapsedStep(self.settings, scale, t, number, N_EXCHANGES, self.n_threads)
            after = self._exchange(corpus, after, blocks, step)
        shards, dtypes, steps = after.shards, [corpus.dtype] * len(edges), [step] * len(edges)
        if t == 1 and self.settings.starts_from_topics:
            shards = executor.map(cvb0_distributed.without_pseudocounts, shards, before.shards, edges, dtypes)
        layouts = [corpus.layout_handle] * len(edges)
        averages = executor.map(cvb0_distributed.averaged_shard, before.averages, shards, layouts, dtypes, steps)
        after = after._replace(shards=shards, averages=averages)
        if self.settings.learns_after(t):
            after = after._replace(priors=self._learned_priors(corpus, after, blocks, step))
        summary = executor.call(cvb0_distributed.pass_summary, shards[0], after.priors)
        released = [None] * len(blocks)
        return CollapsedPass(before._replace(assignments=released, averages=released), after, summary)

    def _exchange(
        self, corpus: DistributedCorpus, before: CollapsedInputs, blocks: Sequence[Handle], step: CollapsedStep
    ) -> CollapsedInputs:
        """Submit updates of some blocks of every part, and the sums of their changes by a tree over the parts."""
        executor, n_parts, edges = self.executor, len(corpus.parts), corpus.layout.edges
        shared = [list(before.shards)], [before.priors], [corpus.layout_handle], [step]
        arguments = [value * n_parts for value in shared]
        updates = executor.map(cvb0_distributed.update_part, corpus.parts, blocks, before.assignments, *arguments)
        roots = [
            tree(
                executor,
                cvb0_distributed.merge_changes,
                executor.map(cvb0_distributed.change_of_shard, updates, [edge] * n_parts),
            )
            for edge in edges
        ]
        assignments = executor.map(cvb0_distributed.assignment_of, updates)
        more = edges, [corpus.dtype] * len(edges), [step] * len(edges)
        shards = executor.map(cvb0_distributed.updated_shard, roots, before.shards, *more)
        return before._replace(shards=shards, assignments=assignments)

    def _learned_priors(
        self, corpus: DistributedCorpus, after: CollapsedInputs, blocks: Sequence[Handle], step: CollapsedStep
    ) -> Handle:
        """Submit an update of the priors: samples of each part, rounded counts of each shard, then the update."""
        executor, settings, n_parts, edges = self.executor, self.settings, len(corpus.parts), corpus.layout.edges
        samples: list[Handle] = []
        if settings.learn_alpha:
            shared = [list(after.shards)], [after.priors], [corpus.layout_handle], [step]
            arguments = [value * n_parts for value in shared]
            samples = executor.map(cvb0_distributed.sampled_counts, corpus.parts, blocks, after.assignments, *arguments)
        rounded: list[Handle] = []
        if settings.learn_eta:
            n_shards = len(edges)
            more = [corpus.layout_handle] * n_shards, edges, [corpus.dtype] * n_shards, [step] * n_shards
            rounded = executor.map(cvb0_distributed.rounded_counts, after.shards, *more)
        layout = corpus.layout_handle
        return executor.call(cvb0_distributed.learn_priors, samples, rounded, after.priors, layout, settings)


def _sizes_of(part: PartArrays) -> tuple[int, int]:
    """Return the documents and the stored counts of a part."""
    return len(part.indptr) - 1, len(part.indices)
