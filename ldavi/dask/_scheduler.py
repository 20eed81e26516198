"""Variational Bayes over parts that live on workers, as a phase of a fit: which tasks are submitted when.

A pass is submitted as a whole, and the next one before the summary of this one has arrived, so workers never wait for
the client. γ of a part stays where it was computed. If its worker dies, γ is recomputed from the part and from the
topics of the passes since the last cold start or checkpoint, which are kept for that. Every few passes, γ and topics
are copied through the client to two workers each (replicated), which bounds what would have to be recomputed.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._inference import vb_distributed
from ldavi._inference.passes import PassResult, PassSettings, Saved
from ldavi._inference.topic_shards import CompactPriors, CorpusLayout, compact_priors, shard_sums_of
from ldavi._inference.trace import TraceRecord, record
from ldavi._inference.vb_distributed import LocalStepSettings, ShardStep, SummarySettings
from ldavi.dask._executor import Executor

MAX_PASSES_TO_REPEAT = 20  # monotone passes between two replications
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
    dtype : str
        Of counts and topics.
    """

    n_topics: int
    parts: Sequence[Handle]
    layout_handle: Handle
    layout: CorpusLayout
    n_docs: int
    n_tokens: float
    dtype: str


class PassInputs(NamedTuple):
    """Handles to the inputs of a pass: topics and sums of each shard, priors, and γ of each part for a warm start."""

    shards: Sequence[Handle]
    sums: Sequence[Handle]
    priors: Handle
    gammas: Sequence[Handle] | None


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
    """

    settings: PassSettings
    n_passes: int
    executor: Executor
    corpus: DistributedCorpus
    n_threads: int
    name: str = "distributed VB"

    def prepare(self, documents: object) -> DistributedCorpus:
        return self.corpus

    def start(
        self, documents: DistributedCorpus, priors: Priors, initial: Callable[[], PassResult]
    ) -> DistributedState:
        layout, offset = documents.layout, self.settings.offset_of(1)
        with Workers(self.n_threads) as workers:
            rows = initial().rows_of(layout.words)
            shards = vb_distributed.initial_shards(rows, priors, layout, workers, digamma_offset=offset)
        handles = [self.executor.send(shard) for shard in shards]
        inputs = PassInputs(handles, [shard.sums for shard in shards], self.executor.send(compact_priors(priors)), None)
        return DistributedState(0, inputs)

    def from_arrays(self, documents: DistributedCorpus, arrays: Saved) -> DistributedState:
        raise NotImplementedError("checkpoints are refused together with Dask")

    def passes(
        self, documents: DistributedCorpus, state: DistributedState, workers: Workers
    ) -> Generator[tuple[DistributedState, TraceRecord]]:
        """Yield the state and the record after each pass, as `BatchVB` does."""
        executor, started, replicated = self.executor, time.perf_counter(), 0
        every, base = _passes_to_repeat(documents), [documents.layout_handle, *state.inputs.shards, state.inputs.priors]
        kept = list(base)
        ahead = self._submit(documents, state.inputs, 1)
        for t in range(1, self.n_passes + 1):
            now = ahead
            if self.settings.is_warmup(t):  # a cold pass needs the last topics alone
                kept = [*base, *now.before.shards]
            kept += [*now.after.shards, now.after.priors]
            due = executor.remote and t >= max(self.settings.n_warmup, replicated) + every
            if executor.remote and not due and t < self.n_passes:
                ahead = self._submit(documents, now.after, t + 1)
            summary = executor.fetch(now.summary)
            executor.replicate(kept)
            phase, seconds = "warmup" if self.settings.is_warmup(t) else "monotone", time.perf_counter() - started
            mean_inner_iter, priors = summary.n_inner_iter / max(1, documents.n_docs), summary.priors
            result = DistributedResult(executor, documents, now, t, seconds, self.n_threads)
            yield (
                DistributedState(t, now.after, seconds, result),
                record(
                    t,
                    phase,
                    summary.terms,
                    priors.priors(documents.layout),
                    tokens=documents.n_tokens,
                    n_inner_iter=mean_inner_iter,
                    seconds=seconds,
                ),
            )
            if due and t < self.n_passes:
                inputs = _replicated(executor, now.after)
                kept = [documents.layout_handle, *inputs.shards, inputs.priors, *(inputs.gammas or [])]
                ahead, replicated = self._submit(documents, inputs, t + 1), t
            elif not executor.remote and t < self.n_passes:
                ahead = self._submit(documents, now.after, t + 1)

    def _submit(self, corpus: DistributedCorpus, before: PassInputs, t: int) -> SubmittedPass:
        """Submit pass t: local steps, sums of each shard by a tree over the parts, priors, M-steps, summary."""
        executor, settings, layout, n_parts = self.executor, self.settings, corpus.layout, len(corpus.parts)
        learns, e_step = settings.learns_after(t), settings.e_step_of(t)
        step = LocalStepSettings(e_step, learns and settings.learn_alpha, self.n_threads)
        start = [None] * n_parts if e_step.cold_start or before.gammas is None else before.gammas
        shards, priors = [list(before.shards)] * n_parts, [before.priors] * n_parts
        outcomes = executor.map(vb_distributed.local_step, corpus.parts, shards, priors, start, [step] * n_parts)
        roots = [
            _tree(executor, executor.map(vb_distributed.statistics_of_shard, outcomes, [edges] * n_parts))
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


def _passes_to_repeat(corpus: DistributedCorpus) -> int:
    n_bytes = len(corpus.layout.words) * corpus.n_topics * np.dtype(corpus.dtype).itemsize
    return max(2, min(MAX_PASSES_TO_REPEAT, MAX_KEPT_BYTES // max(n_bytes, 1)))


def _replicated(executor: Executor, inputs: PassInputs) -> PassInputs:
    """Return handles to copies, which do not depend on earlier results."""
    shards, (priors,) = executor.checkpoint(inputs.shards), executor.checkpoint([inputs.priors])
    gammas = None if inputs.gammas is None else executor.checkpoint(inputs.gammas)
    return PassInputs(shards, executor.map(shard_sums_of, shards), priors, gammas)


def _tree(executor: Executor, sums: list[Handle]) -> list[Handle]:
    """Merge sums in pairs until one or two are left."""
    while len(sums) > 2:
        odd = sums[-1:] if len(sums) % 2 else []
        sums = executor.map(vb_distributed.merge, sums[0 : len(sums) - len(odd) : 2], sums[1::2]) + odd
    return sums
