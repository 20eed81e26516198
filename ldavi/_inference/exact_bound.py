"""The ELBO of the final topics of a fit whose passes have none: an E-step of every document from a cold start.

It is the last phase of online and of collapsed fits: λ as it is, γ after some inner iterations, φ optimal. Equation
(9.11).
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.records import Priors, aligned_copy, aligned_zeros
from ldavi._core.saved_arrays import SavedArrays
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import elbo
from ldavi._inference.doc_regression import log_prior
from ldavi._inference.e_step import EStepResult, EStepSettings, update_documents
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, Saved, column_sums, summed_terms
from ldavi._inference.topic_shards import CompactPriors, ShardTopics, topics_at
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_distributed import LocalStepSettings, PartArrays
from ldavi._inference.vb_online import PassSums, saved_sums

MAX_DOCUMENTS = 2**12  # per part, rounded up to whole batches


@dataclass(slots=True)
class BoundState:
    """State of the evaluation between two parts: the topics, and the sums over the documents read so far."""

    result: PassResult
    sums: PassSums

    def to_arrays(self) -> dict[str, object]:
        topics = self.result
        return {
            "rows": topics.lam,
            "words": topics.words,
            **topics.priors.to_arrays(),
            "n_updates": topics.n_updates,
            "iteration": topics.iteration,
            "seconds": topics.seconds,
            "sums": asdict(self.sums),
        }


@dataclass(frozen=True, slots=True)
class ExactBound:
    """The evaluation of the exact bound as the last phase of a fit.

    Attributes
    ----------
    max_inner_iter : int
    tol : float
        As of `PassSettings`.
    batch_size : int
        Documents that are summed separately, so that the sums are the same for documents that come in batches.
    """

    max_inner_iter: int
    tol: float
    batch_size: int
    n_passes: int = 1
    name: str = "exact bound"

    def prepare(self, documents: DocumentSource) -> DocumentSource:
        return documents

    def start(self, documents: DocumentSource, priors: Priors, initial: Callable[[], PassResult]) -> BoundState:
        return BoundState(initial(), PassSums())

    def from_arrays(self, documents: DocumentSource, arrays: Saved) -> BoundState:
        saved = SavedArrays(arrays, documents.n_words)
        words = saved.words("words")
        lam = aligned_copy(saved.rows("rows", len(words), documents.dtype))
        counters = saved.integer("n_updates"), saved.integer("iteration"), saved.number("seconds", 0)
        return BoundState(PassResult(lam, words, saved.priors, *counters), saved_sums(saved))

    def passes(
        self, documents: DocumentSource, state: BoundState, workers: Workers
    ) -> Generator[tuple[BoundState, TraceRecord | None]]:
        """Yield the state after each part of the corpus, and at the end with the record."""
        topics, sums = state.result, state.sums
        priors, started = topics.priors, time.perf_counter() - topics.seconds
        lam = topics.all_words(documents.n_words)
        totals = column_sums(lam, priors)
        size = -(-MAX_DOCUMENTS // self.batch_size) * self.batch_size
        with closing(documents.parts(size, sums.n_docs)) as parts:
            for part in parts:
                self._add(sums, part.compacted(), lam, totals, priors, workers)
                yield state, None
        topic_word = elbo.topic_term(lam[:, : priors.n_topics], priors) + log_prior(priors.regression)
        yield state, sums.record(topics.iteration, "final", topic_word, priors, time.perf_counter() - started)

    def _add(
        self, sums: PassSums, documents: Documents, lam: Floats, totals: Doubles, priors: Priors, workers: Workers
    ) -> None:
        """Add the terms of some documents, batch by batch."""
        counts, first = documents.counts, 0
        rows = aligned_zeros((len(counts.words), lam.shape[1]), lam.dtype)
        np.take(lam, counts.words, axis=0, out=rows, mode="clip")  # mode "raise" would use a buffer
        topics = topics_from(rows, totals, workers, point_estimate=priors.point_estimate)
        gamma = np.empty((counts.n_docs, priors.n_topics), topics.B.dtype)
        settings = EStepSettings(self.max_inner_iter, self.tol)
        alpha = priors.alpha_of(documents.covariates)
        result = update_documents(counts, topics, alpha, gamma, settings, workers)
        for batch in documents.parts(self.batch_size):
            at = slice(first, first + batch.counts.n_docs)
            of_batch = EStepResult(result.n_inner_iter[at], None if result.bound is None else result.bound[at])
            sums.add(batch, of_batch, summed_terms(of_batch, batch, priors, topics))
            first = at.stop


def part_bound(
    part: PartArrays, shards: Sequence[ShardTopics], priors: CompactPriors, settings: LocalStepSettings
) -> PassSums:
    """Return the terms of the bound of a part under topics that stay as they are. Equation (9.11)."""
    documents = part.documents
    gamma = np.empty((documents.n_docs, len(priors.alpha)), part.values.dtype)
    with Workers(settings.n_threads) as workers:
        topics = topics_at(shards, part.rows, workers)
        result = update_documents(documents.counts, topics, priors.alpha, gamma, settings.e_step, workers)
    sums = PassSums()
    sums.add(documents, result, summed_terms(result, documents, Priors(priors.alpha, priors.eta), topics))
    return sums
