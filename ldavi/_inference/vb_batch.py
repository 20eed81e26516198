"""Batch variational Bayes: coordinate ascent on the bound over the corpus. Equations (9.7), (8.16), (9.9), (12.2).

One pass is an E-step over all documents, an update of the priors if it is due, an M-step, and the bound.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ldavi._core.documents import WHOLE_BATCHES, Documents, DocumentSource
from ldavi._core.records import Priors, Topics, aligned_copy, aligned_zeros
from ldavi._core.saved_arrays import SavedArrays, check_sums, checked_part
from ldavi._core.spill_file import ArrayStore, array_store
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import elbo
from ldavi._inference.doc_regression import LogThetaOfGroups, log_prior, log_theta_of_groups
from ldavi._inference.e_step import Part, e_step
from ldavi._inference.m_step import absent_mass, m_step, topics_from, word_priors_of
from ldavi._inference.parts import Parts, part_over_all_words
from ldavi._inference.passes import (
    PassResult,
    PassSettings,
    RecordWriter,
    Saved,
    column_sums,
    summed_terms,
)
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_priors import (
    LogThetaSums,
    added_log_theta_sums,
    eta_statistics_if_learned,
    log_theta_sums,
    updated_priors,
)

ROWS_PER_CALL = 2**12


@dataclass(frozen=True, slots=True)
class BatchState:
    """State of batch VB between two passes.

    Attributes
    ----------
    iteration : int
        Passes of the fit so far.
    lam : array of shape (U, Kp)
        λ of the words that occur.
    totals : array of shape (K,)
        Λ_k over all words.
    gamma : ArrayStore
        γ of each part of the corpus.
    priors : Priors
    words : array of shape (U,)
        The columns of X that occur.
    seconds : float
        Time since the fit began.
    """

    iteration: int
    lam: Floats
    totals: Doubles
    gamma: ArrayStore
    priors: Priors
    words: Int64s
    seconds: float

    @property
    def result(self) -> PassResult:
        return PassResult(self.lam, self.words, self.priors, self.iteration, self.iteration, self.seconds)

    def to_arrays(self) -> dict[str, object]:
        return {
            "iteration": self.iteration,
            "lam": self.lam,
            "totals": self.totals,
            "gamma": self.gamma.views(),
            **self.priors.to_arrays(),
            "seconds": self.seconds,
        }


class EStepSums(NamedTuple):
    """Sums of an E-step over all documents: two terms of the bound, inner iterations, statistics for α if learned."""

    word: float
    doc_topic: float
    n_inner_iter: int
    log_theta: LogThetaSums | LogThetaOfGroups | None


@dataclass(frozen=True, slots=True)
class BatchVB:
    """Batch variational Bayes as a phase of a fit.

    Attributes
    ----------
    settings : PassSettings
    n_passes : int
        Maximum number of passes.
    first : int
        Passes of earlier phases.
    is_warmup : bool
        Whether all records are labelled "warmup", since another phase continues from these passes.
    """

    settings: PassSettings
    n_passes: int
    first: int = 0
    is_warmup: bool = False
    name: str = "batch VB"

    def prepare(self, documents: DocumentSource) -> DocumentSource:
        return documents.compacted()

    def start(self, documents: DocumentSource, priors: Priors, initial: Callable[[], PassResult]) -> BatchState:
        topics, vocabulary = initial(), documents.vocabulary
        lam = aligned_copy(topics.rows_of(vocabulary.words))  # a copy, since the passes write to it
        totals = column_sums(lam, priors) + absent_mass(vocabulary, priors)
        gamma = array_store(in_memory=isinstance(documents, Documents))
        return BatchState(self.first, lam, totals, gamma, priors, vocabulary.words, topics.seconds)

    def from_arrays(self, documents: DocumentSource, arrays: Saved) -> BatchState:
        saved, vocabulary = SavedArrays(arrays, documents.n_words), documents.vocabulary
        in_memory, priors = isinstance(documents, Documents), saved.priors
        parts = saved.gammas("gamma", documents.dtype, documents.n_docs if in_memory else None)
        iteration = saved.integer("iteration", self.first, self.first + self.n_passes)
        if (len(parts) > 1 and in_memory) or (iteration > self.first and not parts):
            raise ValueError(f"gamma has {len(parts)} parts after {iteration - self.first} passes")
        lam = aligned_copy(saved.rows("lam", len(vocabulary.words), documents.dtype))
        totals = saved.vector("totals", minimum=0)
        check_sums("totals", totals, column_sums(lam, priors) + absent_mass(vocabulary, priors))
        gamma = array_store(in_memory=in_memory, arrays=parts)
        return BatchState(iteration, lam, totals, gamma, priors, vocabulary.words, saved.number("seconds", 0))

    def passes(
        self, documents: DocumentSource, state: BatchState, workers: Workers
    ) -> Generator[tuple[BatchState, TraceRecord]]:
        """Yield the state and the record after each pass.

        Two arrays of shape (U, Kp) alternate: the statistics of a pass become its λ in place, and the previous λ is
        cleared for the statistics of the next pass.
        """
        settings, vocabulary, writer = self.settings, documents.vocabulary, RecordWriter.after(documents, state.seconds)
        priors, gamma, lam, done = state.priors, state.gamma, state.lam, state.iteration - self.first
        word_priors, offset = word_priors_of(priors, vocabulary), settings.offset_of(done + 1)
        topics = topics_from(lam, state.totals, workers, point_estimate=priors.point_estimate, digamma_offset=offset)
        parts = Parts(documents, WHOLE_BATCHES, lambda part: part_over_all_words(part, priors.n_topics))
        sstats = aligned_zeros(lam.shape, lam.dtype)
        with closing(gamma):
            for t in range(done + 1, self.n_passes + 1):
                found, gain = self._e_step(t, parts, topics, priors, gamma, sstats, workers), 0.0
                if settings.learns_after(t):
                    eta = eta_statistics_if_learned(priors, settings, sstats, workers)
                    priors, gain = updated_priors(priors, found.log_theta, eta, documents.n_words)
                    word_priors = word_priors_of(priors, vocabulary)
                offset = settings.offset_of(t + 1)
                topics, sums = m_step(sstats, topics, word_priors, workers, digamma_offset=offset)
                lam, sstats = sstats, lam
                terms = elbo.after_m_step(found.word, found.doc_topic + gain, sums, priors, vocabulary)
                terms = terms._replace(topic_word=terms.topic_word + log_prior(priors.regression))
                phase = "warmup" if self.is_warmup or settings.is_warmup(t) else "monotone"
                record = writer.record(self.first + t, phase, terms, priors, found.n_inner_iter)
                yield (
                    BatchState(record.iteration, lam, sums.totals, gamma, priors, vocabulary.words, record.seconds),
                    record,
                )
                clear(sstats, workers)

    def _e_step(
        self,
        t: int,
        parts: Parts[Part],
        topics: Topics,
        priors: Priors,
        gamma: ArrayStore,
        sstats: Floats,
        workers: Workers,
    ) -> EStepSums:
        """Update γ of all documents and add up their statistics."""
        settings, word, doc_topic, n_inner_iter = self.settings.e_step_of(t), 0.0, 0.0, 0
        learns_alpha = self.settings.learn_alpha and self.settings.learns_after(t)
        of_all: LogThetaSums | None = None
        of_groups: LogThetaOfGroups | None = None
        for number, part in enumerate(parts):
            shape = part.documents.n_docs, priors.n_topics
            if number < len(gamma):
                part_gamma = checked_part("gamma", gamma.load(number), shape)
            elif settings.cold_start:
                part_gamma = np.empty(shape, sstats.dtype)
            else:
                raise ValueError(f"γ of part {number} of the documents is missing in the state of pass {t - 1}")
            covariates = part.documents.covariates
            alpha = priors.alpha_of(covariates)
            result = e_step(part, topics, alpha, part_gamma, sstats, settings, workers)
            gamma.store(number, part_gamma)
            part_word, part_doc_topic = summed_terms(result, part.documents, priors, topics)
            word, doc_topic = word + part_word - result.underflowed, doc_topic + part_doc_topic
            n_inner_iter += int(result.n_inner_iter.sum())
            if learns_alpha and covariates is not None:  # documents with covariates are one part
                of_groups = log_theta_of_groups(part.documents, covariates, part_gamma, workers)
            elif learns_alpha:
                of_all = added_log_theta_sums([of_all, log_theta_sums(part.documents, part_gamma, workers)])
        return EStepSums(word, doc_topic, n_inner_iter, of_groups or of_all)


def clear(rows: Floats, workers: Workers) -> None:
    """Set every row to zero, in all threads."""
    ranges = even_ranges(np.arange(len(rows) + 1), 0, len(rows), ROWS_PER_CALL)
    workers.run(lambda edges: rows[slice(*edges)].fill(0), ranges)
