"""Memoized variational Bayes: batches whose statistics are stored and replaced. Equations (10.4), (10.5).

The statistics of each batch are stored, so that its new ones replace the old: there is no learning rate, and the bound
does not decrease once every batch has been read. Sums over batches are kept in float64, since small differences
accumulate over many passes.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import psi, xlogy

from ldavi._core.documents import WHOLE_BATCHES, Documents, DocumentSource
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._core.saved_arrays import (
    SavedArrays,
    check_padding,
    check_sums,
    checked_array,
    checked_part,
)
from ldavi._core.spill_file import ArrayStore, array_store
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import dirichlet_priors, elbo
from ldavi._inference.e_step import EStepSettings, Part, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.m_step import absent_mass, mass_times_log, topics_from
from ldavi._inference.parts import Parts, part_over_own_words
from ldavi._inference.passes import PassResult, PassSettings, RecordWriter, Saved, column_sums, summed_terms
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_priors import (
    LogThetaSums,
    added_log_theta_sums,
    eta_statistics_if_learned,
    log_theta_sums,
    updated_priors,
)


@dataclass(slots=True)
class BatchTerms:
    """The contribution of a batch to the bound, from its last E-step. Equation (10.5).

    Attributes
    ----------
    constant : float
        word + doc_topic − Σ S E[log β]: the part that does not depend on the topics.
    doc_topic : float
    n_inner_iter : int
    log_theta : LogThetaSums or None
        The sufficient statistics for α; None if α is not learned.
    """

    constant: float
    doc_topic: float
    n_inner_iter: int
    log_theta: LogThetaSums | None = None

    def after_update(self, before: Doubles, after: Doubles) -> "BatchTerms":
        """Return the contribution after an update of α. Equation (19.8)."""
        assert self.log_theta is not None
        gain = dirichlet_priors.alpha_gain(before, after, *self.log_theta)
        return replace(self, constant=self.constant + gain, doc_topic=self.doc_topic + gain)


@dataclass(slots=True)
class MemoizedState:
    """State of memoized VB between two passes.

    Attributes
    ----------
    iteration : int
        Passes so far.
    total : array of shape (U, Kp), float64
        S, the statistics summed over batches.
    mass : array of shape (K,)
        Σ_w S_wk.
    gamma, sstats : ArrayStore
        γ and S_b of each batch.
    priors : Priors
    result : PassResult
        The topics after the last complete pass; those to start from before the first.
    """

    iteration: int
    total: Doubles
    mass: Doubles
    gamma: ArrayStore
    sstats: ArrayStore
    priors: Priors
    result: PassResult

    def to_arrays(self) -> dict[str, object]:
        return {
            "iteration": self.iteration,
            "total": self.total,
            "mass": self.mass,
            "gamma": self.gamma.views(),
            "sstats": self.sstats.views(),
            **self.priors.to_arrays(),
            "seconds": self.result.seconds,
        }


@dataclass(frozen=True, slots=True)
class MemoizedVB:
    """Memoized variational Bayes as a phase of a fit.

    Attributes
    ----------
    settings : PassSettings
    n_passes : int
        Maximum number of passes.
    batch_size : int
        Documents per batch if the corpus is in memory; batches of a corpus that is read are used as they are.
    """

    settings: PassSettings
    n_passes: int
    batch_size: int
    name: str = "memoized VB"

    def prepare(self, documents: DocumentSource) -> DocumentSource:
        return documents.compacted()

    def start(self, documents: DocumentSource, priors: Priors, initial: Callable[[], PassResult]) -> MemoizedState:
        words, in_memory = documents.vocabulary.words, isinstance(documents, Documents)
        topics = initial()
        lam = topics.rows_of(words)
        total, mass = np.zeros(lam.shape), np.zeros(priors.n_topics)
        gamma, sstats = array_store(in_memory=in_memory), array_store(in_memory=in_memory)
        result = topics._replace(lam=lam, words=words, priors=priors)
        return MemoizedState(0, total, mass, gamma, sstats, priors, result)

    def from_arrays(self, documents: DocumentSource, arrays: Saved) -> MemoizedState:
        saved, words = SavedArrays(arrays, documents.n_words), documents.vocabulary.words
        in_memory = isinstance(documents, Documents)
        priors, iteration = saved.priors, saved.integer("iteration", 0, self.n_passes)
        parts = saved.gammas("gamma", documents.dtype, documents.n_docs if in_memory else None)
        statistics = saved.list("sstats")
        if len(parts) != len(statistics) or (iteration and not parts):
            raise ValueError("gamma and sstats are not those of the same batches")
        for part in statistics:
            checked_array("sstats", part, (len(part), saved.width), documents.dtype, minimum=0)
            check_padding("sstats", part, priors.n_topics)
        total, mass = saved.array("total", (len(words), saved.width), np.float64), saved.vector("mass")
        check_padding("total", total, priors.n_topics)
        check_sums("mass", mass, column_sums(total, priors))
        check_sums("mass", mass, sum((column_sums(part, priors) for part in statistics), np.zeros(priors.n_topics)))
        lam = with_prior(total, priors.eta_rows(words), documents.dtype)
        result = PassResult(lam, words, priors, iteration * len(parts), iteration, saved.number("seconds", 0))
        gamma, sstats = (array_store(in_memory=in_memory, arrays=arrays) for arrays in (parts, statistics))
        return MemoizedState(iteration, total, mass, gamma, sstats, priors, result)

    def passes(
        self, documents: DocumentSource, state: MemoizedState, workers: Workers
    ) -> Generator[tuple[MemoizedState, TraceRecord]]:
        """Yield the state, which changes in place, and the record after each pass."""
        vocabulary, writer = documents.vocabulary, RecordWriter.after(documents, state.result.seconds)
        size = self.batch_size if isinstance(documents, Documents) else WHOLE_BATCHES
        parts = Parts(documents, size, lambda part: part_over_own_words(part, state.priors.n_topics))
        start_totals = column_sums(state.result.lam, state.priors) + absent_mass(vocabulary, state.priors)
        with closing(state.gamma), closing(state.sstats):
            for t in range(state.iteration + 1, self.n_passes + 1):
                terms = list[BatchTerms]()
                for number, part in enumerate(parts):
                    topics = self._topics_of(part, state, start_totals, workers)
                    terms.append(self._replace_statistics(number, part, topics, state, workers))
                if self.settings.learns_after(t):
                    terms = self._update_priors(documents.n_words, state, terms, workers)
                state.iteration, priors = t, state.priors
                lam = with_prior(state.total, priors.eta_rows(vocabulary.words), documents.dtype)
                totals = state.mass + priors.eta_totals(vocabulary.n_words)
                bound = memoized_bound(terms, lam, totals, priors, vocabulary)
                n_inner_iter = sum(each.n_inner_iter for each in terms)
                phase = "warmup" if self._is_warmup(t) else "monotone"
                record = writer.record(t, phase, bound, priors, n_inner_iter)
                state.result = PassResult(lam, vocabulary.words, priors, t * len(terms), t, record.seconds)
                yield state, record

    def _is_warmup(self, t: int) -> bool:
        """The first pass always starts cold: it reads topics that no batch has updated yet."""
        return t == 1 or self.settings.is_warmup(t)

    def _e_step_of(self, t: int) -> EStepSettings:
        warmup, settings = self._is_warmup(t), self.settings
        max_inner_iter = settings.warmup_inner_iter if warmup else settings.monotone_inner_iter
        return EStepSettings(max_inner_iter, settings.tol, cold_start=warmup, extrapolate=warmup)

    def _topics_of(self, part: Part, state: MemoizedState, start_totals: Doubles, workers: Workers) -> Topics:
        """Return the topics of the words of a batch, from the statistics of all batches so far."""
        priors, t, counts = state.priors, state.iteration + 1, part.documents.counts
        if t == 1:  # the statistics of the first batches alone would forget every word that does not occur in them
            rows, totals = state.result.lam[part.rows], start_totals
        else:
            rows = with_prior(state.total[part.rows], priors.eta_rows(counts.words), part.documents.dtype)
            totals = state.mass + priors.eta_totals(counts.n_words)
        offset = self.settings.offset_of(t)
        return topics_from(rows, totals, workers, point_estimate=priors.point_estimate, digamma_offset=offset)

    def _replace_statistics(
        self, number: int, part: Part, topics: Topics, state: MemoizedState, workers: Workers
    ) -> BatchTerms:
        """Run the E-step of a batch and replace its statistics by the new ones."""
        t, documents, n_topics = state.iteration + 1, part.documents, state.priors.n_topics
        shape = len(documents.counts.words), padded(n_topics)
        sstats: Floats = aligned_zeros(shape, documents.dtype)
        if number < len(state.gamma):
            gamma = checked_part("gamma", state.gamma.load(number), (documents.n_docs, n_topics))
            former = checked_part("sstats", state.sstats.load(number), shape)
        else:
            gamma = np.empty((documents.n_docs, n_topics), documents.dtype)
            former = aligned_zeros(shape, documents.dtype)
        result = e_step(part, topics, state.priors.alpha, gamma, sstats, self._e_step_of(t), workers)
        word, doc_topic = summed_terms(result, documents, state.priors, topics)
        constant = word + doc_topic - mass_times_log(sstats, topics)
        log_theta = None
        if self.settings.learn_alpha and self.settings.learns_after(t):
            log_theta = log_theta_sums(documents, gamma, workers)
        change = sstats.astype(np.float64) - former
        state.gamma.store(number, gamma)
        state.sstats.store(number, sstats)
        state.total[part.rows] += change
        state.mass += column_sums(change, state.priors)
        return BatchTerms(constant, doc_topic, int(result.n_inner_iter.sum()), log_theta)

    def _update_priors(
        self, n_words: int, state: MemoizedState, terms: list[BatchTerms], workers: Workers
    ) -> list[BatchTerms]:
        """Update α and η, and return the terms of the bound, which depend on α, after the update."""
        before, log_theta = state.priors.alpha, added_log_theta_sums(each.log_theta for each in terms)
        eta = eta_statistics_if_learned(state.priors, self.settings, state.total, workers)
        state.priors, _ = updated_priors(state.priors, log_theta, eta, n_words)
        if not self.settings.learn_alpha:
            return terms
        return [each.after_update(before, state.priors.alpha) for each in terms]


def memoized_bound(
    terms: Sequence[BatchTerms], lam: Floats, totals: Doubles, priors: Priors, counts: Counts
) -> ELBOTerms:
    """Return the bound of equation (10.5), in the terms of equations (9.4) to (9.6)."""
    constant = sum(each.constant for each in terms)
    doc_topic = sum(each.doc_topic for each in terms)
    K = priors.n_topics
    if priors.point_estimate:
        log_beta = np.log(totals, where=totals > 0, out=np.zeros(K))
        mass_log = float(xlogy(lam[:, :K], lam[:, :K]).sum(dtype=np.float64) - totals @ log_beta)
        return ELBOTerms(constant - doc_topic + mass_log, doc_topic, 0.0)
    log_gamma, mass_digamma = elbo.log_gamma_sums(lam[:, :K], priors.eta_rows(counts.words))
    mass_log = mass_digamma - float((totals - priors.eta_totals(counts.n_words)) @ psi(totals))
    topic_word = elbo.log_beta_ratio(log_gamma, totals, priors, counts.words, counts.n_words) - mass_log
    return ELBOTerms(constant - doc_topic + mass_log, doc_topic, topic_word)


def with_prior(total: Doubles, eta: Doubles, dtype: np.dtype[Any]) -> Floats:
    """Return λ = η + S with zero padding; negative entries of S, which rounding causes, count as zero."""
    lam = aligned_zeros(total.shape, dtype)
    n_topics = eta.shape[1] if eta.shape[1] > 1 else total.shape[1]
    np.maximum(total, 0, out=lam, casting="same_kind")
    lam[:, :n_topics] += eta.astype(dtype)
    return lam
