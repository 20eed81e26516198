"""The exact bound of the final topics over parts that live on workers, as the last phase of a fit. Equation (9.11)."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepSettings
from ldavi._inference.exact_bound import BoundState, part_bound
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, Saved, column_sums
from ldavi._inference.topic_shards import compact_priors
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_distributed import LocalStepSettings
from ldavi._inference.vb_online import PassSums
from ldavi._inference.vb_online_distributed import step_topics
from ldavi.dask._executor import Executor
from ldavi.dask._pipeline import DistributedCorpus


@dataclass(frozen=True, slots=True)
class DistributedBound:
    """The evaluation of the exact bound on the workers of an executor, as `ExactBound` in memory.

    Attributes
    ----------
    max_inner_iter : int
    tol : float
        As of `PassSettings`.
    executor : Executor
    corpus : DistributedCorpus
    n_threads : int
        Of one task.
    """

    max_inner_iter: int
    tol: float
    executor: Executor
    corpus: DistributedCorpus
    n_threads: int
    n_passes: int = 1
    name: str = "distributed exact bound"

    def prepare(self, documents: object) -> DistributedCorpus:
        return self.corpus

    def start(self, documents: DistributedCorpus, priors: Priors, initial: Callable[[], PassResult]) -> BoundState:
        return BoundState(initial(), PassSums())

    def from_arrays(self, documents: DistributedCorpus, arrays: Saved) -> BoundState:
        raise NotImplementedError("checkpoints are refused together with Dask")

    def passes(
        self, documents: DistributedCorpus, state: BoundState, workers: Workers
    ) -> Generator[tuple[BoundState, TraceRecord]]:
        """Yield the state with the record."""
        executor, topics, n_parts = self.executor, state.result, len(documents.parts)
        priors, layout, started = topics.priors, documents.layout, time.perf_counter() - topics.seconds
        lam = topics.all_words(layout.n_words)  # after online steps, λ differs from η even if a word does not occur
        totals, rows = column_sums(lam, priors), topics.rows_of(layout.words)
        of_corpus = topics_from(rows, totals, workers, point_estimate=priors.point_estimate)
        shards = [executor.send(step_topics(of_corpus, totals, np.arange(len(rows))).topics)]
        sent = executor.send(compact_priors(priors))
        settings = LocalStepSettings(EStepSettings(self.max_inner_iter, self.tol), False, self.n_threads)
        arguments = [shards] * n_parts, [sent] * n_parts, [settings] * n_parts
        for sums in executor.fetch(executor.map(part_bound, documents.parts, *arguments)):
            state.sums.add_sums(sums)
        topic_word = elbo.topic_term(lam[:, : priors.n_topics], priors)
        yield state, state.sums.record(topics.iteration, "final", topic_word, priors, time.perf_counter() - started)
