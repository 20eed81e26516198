"""Variational Bayes over parts that live on workers, as a phase of a fit: the tasks of a pass."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._inference import vb_distributed
from ldavi._inference.passes import PassResult, PassSettings, Saved
from ldavi._inference.topic_shards import CompactPriors, compact_priors, shard_sums_of
from ldavi._inference.trace import TraceRecord, record
from ldavi._inference.vb_distributed import LocalStepSettings, ShardStep, SummarySettings
from ldavi.dask._executor import Executor
from ldavi.dask._pipeline import DistributedCorpus, Handle, Pipeline, tree


class PassInputs(NamedTuple):
    """Handles to the inputs of a pass: topics and sums of each shard, priors, and γ of each part for a warm start."""

    shards: Sequence[Handle]
    sums: Sequence[Handle]
    priors: Handle
    gammas: Sequence[Handle] | None

    @property
    def sources(self) -> list[Handle]:
        return [*self.shards, self.priors]

    @property
    def copied(self) -> list[Handle]:
        return [*self.sources, *(self.gammas or [])]

    def replicated(self, executor: Executor) -> "PassInputs":
        """Return handles to copies, which do not depend on earlier results."""
        shards, (priors,) = executor.checkpoint(self.shards), executor.checkpoint([self.priors])
        gammas = None if self.gammas is None else executor.checkpoint(self.gammas)
        return PassInputs(shards, executor.map(shard_sums_of, shards), priors, gammas)


class SubmittedPass(NamedTuple):
    """Handles to the outputs of a pass, and to the sums of each shard, from which its λ can be computed."""

    before: PassInputs
    after: PassInputs
    roots: Sequence[Sequence[Handle]]
    summary: Handle


@dataclass(frozen=True, slots=True)
class DistributedResult:
    """The topics after a pass, held by the executor; λ is recomputed from the statistics of the pass when fetched."""

    executor: Executor
    corpus: DistributedCorpus
    done: SubmittedPass
    iteration: int
    seconds: float
    n_threads: int

    def fetch(self) -> PassResult:
        """Bring λ, of the words that occur, and the priors into this process."""
        n_shards, layout = len(self.done.roots), self.corpus.layout
        layouts, priors = [self.corpus.layout_handle] * n_shards, [self.done.after.priors] * n_shards
        steps = [ShardStep(shard, 0.0, self.n_threads) for shard in range(n_shards)]
        arguments = self.done.roots, self.done.before.shards, priors, layouts, steps
        shards = self.executor.map(vb_distributed.shard_lambda, *arguments)
        lam = np.concatenate(self.executor.fetch(shards))
        learned: CompactPriors = self.executor.fetch(self.done.after.priors)
        return PassResult(lam, layout.words, learned.priors(layout), self.iteration, self.iteration, self.seconds)


@dataclass(frozen=True, slots=True)
class DistributedState:
    """State of distributed VB between two passes.

    Attributes
    ----------
    iteration : int
        Passes so far.
    inputs : PassInputs
        Handles to what the next pass starts from.
    seconds : float
        Time since the fit began.
    result : DistributedResult or None
    """

    iteration: int
    inputs: PassInputs
    seconds: float = 0.0
    result: DistributedResult | None = None

    def to_arrays(self) -> dict[str, object]:
        raise NotImplementedError("checkpoints are refused together with Dask")


@dataclass(frozen=True, slots=True)
class DistributedVB:
    """Batch variational Bayes over the workers of an executor, as a phase of a fit.

    Attributes
    ----------
    settings : PassSettings
    n_passes : int
        Maximum number of passes.
    executor : Executor
    corpus : DistributedCorpus
    n_threads : int
        Of one task.
    first : int
        Passes of earlier phases.
    is_warmup : bool
        Whether all records are labelled "warmup", since another phase continues from these passes.
    """

    settings: PassSettings
    n_passes: int
    executor: Executor
    corpus: DistributedCorpus
    n_threads: int
    first: int = 0
    is_warmup: bool = False
    name: str = "distributed VB"

    def prepare(self, documents: object) -> DistributedCorpus:
        return self.corpus

    def start(
        self, documents: DistributedCorpus, priors: Priors, initial: Callable[[], PassResult]
    ) -> DistributedState:
        layout, offset = documents.layout, self.settings.offset_of(1)
        topics = initial()
        with Workers(self.n_threads) as workers:
            rows = topics.rows_of(layout.words)
            shards = vb_distributed.initial_shards(rows, priors, layout, workers, digamma_offset=offset)
        handles = [self.executor.send(shard) for shard in shards]
        inputs = PassInputs(handles, [shard.sums for shard in shards], self.executor.send(compact_priors(priors)), None)
        return DistributedState(self.first, inputs, topics.seconds)

    def from_arrays(self, documents: DistributedCorpus, arrays: Saved) -> DistributedState:
        raise NotImplementedError("checkpoints are refused together with Dask")

    def passes(
        self, documents: DistributedCorpus, state: DistributedState, workers: Workers
    ) -> Generator[tuple[DistributedState, TraceRecord]]:
        """Yield the state and the record after each pass, as `BatchVB` does."""
        started, n_docs = time.perf_counter() - state.seconds, max(1, documents.n_docs)
        settings, executor = self.settings, self.executor
        pipeline = Pipeline[SubmittedPass](
            executor,
            documents,
            lambda inputs, t: self._submit(documents, inputs, t),
            n_cold=settings.n_warmup,
            n_passes=self.n_passes,
        )
        for t, now, summary in pipeline.run(state.inputs):
            phase = "warmup" if self.is_warmup or settings.is_warmup(t) else "monotone"
            done, seconds = self.first + t, time.perf_counter() - started
            result = DistributedResult(executor, documents, now, done, seconds, self.n_threads)
            yield (
                DistributedState(done, now.after, seconds, result),
                record(
                    done,
                    phase,
                    summary.terms,
                    summary.priors.priors(documents.layout),
                    tokens=documents.n_tokens,
                    n_inner_iter=summary.n_inner_iter / n_docs,
                    seconds=seconds,
                ),
            )

    def _submit(self, corpus: DistributedCorpus, before: PassInputs, t: int) -> SubmittedPass:
        """Submit pass t: local steps, sums of each shard by a tree over the parts, priors, M-steps, summary."""
        executor, settings, layout, n_parts = self.executor, self.settings, corpus.layout, len(corpus.parts)
        learns, e_step = settings.learns_after(t), settings.e_step_of(t)
        step = LocalStepSettings(e_step, learns and settings.learn_alpha, self.n_threads)
        start = [None] * n_parts if e_step.cold_start or before.gammas is None else before.gammas
        shards, priors = [list(before.shards)] * n_parts, [before.priors] * n_parts
        outcomes = executor.map(vb_distributed.local_step, corpus.parts, shards, priors, start, [step] * n_parts)
        roots = [
            tree(
                executor,
                vb_distributed.merge,
                executor.map(vb_distributed.statistics_of_shard, outcomes, [edges] * n_parts),
            )
            for edges in layout.edges
        ]
        gammas = executor.map(vb_distributed.gamma_of, outcomes) if t >= settings.n_warmup else None
        learned, offset = before.priors, settings.offset_of(t + 1)
        if learns:
            learned = self._learned_priors(corpus, roots, learned)
        after = [
            executor.call(
                vb_distributed.m_step_shard,
                own,
                topics,
                learned,
                corpus.layout_handle,
                ShardStep(shard, offset, self.n_threads),
            )
            for shard, (own, topics) in enumerate(zip(roots, before.shards, strict=True))
        ]
        sums = executor.map(shard_sums_of, after)
        summary = executor.call(
            vb_distributed.pass_summary,
            list(before.sums),
            sums,
            learned,
            corpus.layout_handle,
            SummarySettings(learns, corpus.dtype, settings.offset_of(t)),
        )
        return SubmittedPass(before._replace(gammas=None), PassInputs(after, sums, learned, gammas), roots, summary)

    def _learned_priors(self, corpus: DistributedCorpus, roots: list[list[Handle]], priors: Handle) -> Handle:
        """Submit an update of the priors: the statistics of each shard where its sums are, then the update."""
        layout, statistics = corpus.layout_handle, vb_distributed.prior_statistics
        of_shards = [
            self.executor.call(statistics, own, priors, layout, self.settings, ShardStep(shard, 0.0, self.n_threads))
            for shard, own in enumerate(roots)
        ]
        return self.executor.call(vb_distributed.learn_priors, of_shards, priors, layout)
