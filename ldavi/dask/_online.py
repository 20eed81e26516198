"""Online variational Bayes with documents on workers, as a phase of a fit. Equations (10.1), (10.2).

λ is in this process. For each step, it sends the topics of the words of the step; workers run the E-step of the step's
documents, a slice of several parts each, and add up their statistics.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ldavi._core.documents import Documents
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._inference import vb_distributed, vb_online_distributed
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.passes import PassResult, PassSettings, Saved
from ldavi._inference.topic_shards import compact_priors
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_distributed import LocalStepSettings, PartArrays, SufficientStatistics
from ldavi._inference.vb_online import (
    LearningRate,
    OnlineLearner,
    OnlineState,
    PassSums,
    StepStatistics,
    finish_pass,
    scaled_to,
)
from ldavi._inference.vb_online_distributed import DocumentSlice, SliceSummary
from ldavi._inference.vb_online_priors import MAX_DOCUMENTS
from ldavi.dask._executor import Executor
from ldavi.dask._pipeline import DistributedCorpus, Handle, tree


@dataclass(frozen=True, slots=True)
class SubmittedSlices:
    """Handles to the prepared documents of a step, and to their summaries."""

    slices: Sequence[Handle]
    summaries: Sequence[Handle]


@dataclass(frozen=True, slots=True)
class DistributedOnline:
    """Online variational Bayes over the workers of an executor, as a phase of a fit.

    Attributes
    ----------
    settings : PassSettings
    n_passes : int
        Maximum number of passes.
    batch_size : int
        Documents per step.
    rate : LearningRate
    executor : Executor
    corpus : DistributedCorpus
    n_threads : int
        Of one task.
    n_initial : int
        As in `OnlineVB`.
    """

    settings: PassSettings
    n_passes: int
    batch_size: int
    rate: LearningRate
    executor: Executor
    corpus: DistributedCorpus
    n_threads: int
    n_initial: int = 0
    name: str = "distributed online VB"

    def prepare(self, documents: object) -> DistributedCorpus:
        return self.corpus

    def start(self, documents: DistributedCorpus, priors: Priors, initial: Callable[[], PassResult]) -> OnlineState:
        topics = initial()
        rows = topics.all_words(documents.layout.n_words)
        if self.n_initial:
            rows = scaled_to(documents.n_tokens, rows, priors)
        lam, total_weight = LazyLambda(rows, priors), documents.total_weight
        learner = OnlineLearner(lam, priors, self.settings, total_weight, n_updates=self.n_initial)
        return OnlineState(learner, 0, time.perf_counter() - topics.seconds)

    def from_arrays(self, documents: DistributedCorpus, arrays: Saved) -> OnlineState:
        raise NotImplementedError("checkpoints are refused together with Dask")

    def passes(
        self, documents: DistributedCorpus, state: OnlineState, workers: Workers
    ) -> Generator[tuple[OnlineState, TraceRecord]]:
        """Yield the state, which changes in place, and the record after each pass."""
        executor = self.executor
        sizes = executor.fetch(executor.map(_n_docs_of, documents.parts))
        steps = vb_online_distributed.slices_of_steps(sizes, self.batch_size)
        while state.iteration < self.n_passes:
            ahead = self._submit(documents, steps[0])
            for number, _ in enumerate(steps, 1):
                now = ahead
                if number < len(steps):
                    ahead = self._submit(documents, steps[number])
                self._step(documents, state, now, workers, ends_pass=number == len(steps))
                executor.replicate([documents.layout_handle])
            yield state, finish_pass(state)
            state.learner.lam.detach()  # the next steps must not change the λ of the result

    def _submit(self, corpus: DistributedCorpus, step: Sequence[DocumentSlice]) -> SubmittedSlices:
        """Submit the preparation of the documents of a step."""
        executor, n, parts = self.executor, len(step), [corpus.parts[each.part] for each in step]
        arguments = [corpus.layout_handle] * n, [corpus.n_topics] * n, [(each.start, each.stop) for each in step]
        slices = executor.map(vb_online_distributed.slice_of_part, parts, *arguments)
        return SubmittedSlices(slices, executor.map(vb_online_distributed.summary_of_slice, slices))

    def _step(
        self,
        corpus: DistributedCorpus,
        state: OnlineState,
        submitted: SubmittedSlices,
        workers: Workers,
        *,
        ends_pass: bool,
    ) -> None:
        """Take one step: an E-step on the workers, then a step of size ρ here."""
        learner, executor, n = state.learner, self.executor, len(submitted.slices)
        summaries: list[SliceSummary] = executor.fetch(list(submitted.summaries))
        rows = np.unique(np.concatenate([summary.rows for summary in summaries]))
        words = corpus.layout.words[rows]
        topics = vb_online_distributed.step_topics(learner.topics_of(words, workers), learner.lam.totals, rows)
        settings = LocalStepSettings(learner.e_step_settings, False, self.n_threads)
        shared = [executor.send(topics)] * n, [executor.send(compact_priors(learner.priors))] * n
        outcomes = executor.map(vb_online_distributed.slice_statistics, submitted.slices, *shared, [settings] * n)
        roots: list[SufficientStatistics] = executor.fetch(tree(executor, vb_distributed.merge, outcomes))
        of_pass = PassSums(
            sum(summary.n_docs for summary in summaries),
            sum(summary.n_tokens for summary in summaries),
            sum(root.n_inner_iter for root in roots),
            sum(root.word for root in roots),
            sum(root.doc_topic for root in roots),
        )
        S, weight = vb_distributed.summed_rows(roots, (0, len(rows))), sum(summary.weight for summary in summaries)
        statistics = StepStatistics(words, S, weight, of_pass.tokens, of_pass.word + of_pass.doc_topic)
        rho = self.rate.of_step(learner.n_updates + 1)
        learner.step(statistics, workers, lambda: self._sample(submitted), rho=rho, ends_pass=ends_pass)
        state.sums.add_sums(of_pass)

    def _sample(self, submitted: SubmittedSlices) -> Documents:
        """Bring documents of a step, from which priors are learned, into this process."""
        executor, n = self.executor, len(submitted.slices)
        per_slice = [-(-MAX_DOCUMENTS // n)] * n
        samples = executor.map(vb_online_distributed.sample_of_slice, submitted.slices, per_slice)
        return vb_online_distributed.join_documents(executor.fetch(samples))


def _n_docs_of(part: PartArrays) -> int:
    return len(part.indptr) - 1
