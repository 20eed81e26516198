"""The online loop: natural gradient steps on minibatches, for `fit` and `partial_fit`. Equations (18), (19)."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from ldavi._core.corpus import Corpus, Documents
from ldavi._core.records import Priors, aligned_zeros
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepResult, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.fixed_topics import settle
from ldavi._inference.m_step import LazyLambda, learning_rate, topics_from
from ldavi._inference.trace import TraceRecord, record
from ldavi._inference.vb_batch import PassResult, PassSettings, all_words, column_sums, summed_terms
from ldavi._inference.vb_online_priors import LEARN_EVERY, learned_priors

DOCUMENTS_AT_ONCE = 2**12  # of the exact record


@dataclass(frozen=True, slots=True)
class LearningRate:
    """τ0 and κ of the step sizes ρ_t = (τ0 + t)^−κ. Equation (18)."""

    offset: float
    decay: float


def fit_online(
    documents: Corpus,
    priors: Priors,
    lam: Floats,
    plan: PassSettings,
    workers: Workers,
    *,
    batch_size: int,
    steps: LearningRate,
    after_step: Callable[["OnlineState"], object] = bool,
) -> Generator[PassResult]:
    """Stochastic natural gradient ascent, a minibatch at a time: equations (18), (19); `passes` goes on from the start.

    Parameters
    ----------
    lam : array of shape (V, Kp)
        Where the topics start; its memory is used.
    after_step : callable
        Is shown where the fit stands after each step, and may keep a copy.
    """
    online = Online(LazyLambda(lam, priors), priors, plan, documents.n_docs)
    state = OnlineState(online, 1, PassSums(), time.perf_counter())
    return passes(state, documents, workers, batch_size=batch_size, steps=steps, after_step=after_step)


def passes(
    state: "OnlineState",
    documents: Corpus,
    workers: Workers,
    *,
    batch_size: int,
    steps: LearningRate,
    after_step: Callable[["OnlineState"], object] = bool,
) -> Generator[PassResult]:
    """Pass after pass of an online fit from where it stands, be it in the midst of one.

    The ELBO of a pass adds up what each document gave under the topics of its visit; `exact_record` tells what the topics
    of the end are worth.
    """
    online = state.online
    while True:
        with closing(
            documents.parts(batch_size, state.sums.n_docs)
        ) as parts:  # an interrupt ends what reads ahead, too
            for part in parts:
                rho = learning_rate(online.n_updates + 1, offset=steps.offset, decay=steps.decay)
                state.sums.add(part, *online.update(part, workers, rho=rho))
                after_step(state)
        lam, priors = online.rows.materialize(), online.priors
        topic_word = elbo.topic_term(lam[:, : priors.n_topics], priors)
        seconds = time.perf_counter() - state.started
        record = state.sums.record(state.iteration, "online", topic_word, seconds)
        yield PassResult(lam, np.arange(len(lam)), online.n_updates, record, priors)
        del lam
        online.rows.detach()  # a pass that is interrupted must not reach what was yielded
        state.iteration, state.sums = state.iteration + 1, PassSums()


@dataclass(slots=True)
class PassSums:
    """What the documents of a pass have added up to, in their order; `n_docs` is how many they were, weights aside."""

    n_docs: int = 0
    tokens: float = 0.0
    sweeps: int = 0
    word: float = 0.0
    doc_topic: float = 0.0

    def add(self, documents: Documents, visit: EStepResult, terms: tuple[float, float]) -> None:
        """Documents that follow those before."""
        self.n_docs += documents.counts.n_docs
        self.tokens += documents.n_tokens
        self.sweeps += int(visit.n_inner_iter.sum())
        self.word += terms[0]
        self.doc_topic += terms[1]

    def record(self, iteration: int, phase: str, topic_word: float, seconds: float) -> TraceRecord:
        """The record of a pass that is over."""
        terms = ELBOTerms(self.word, self.doc_topic, topic_word)
        return record(iteration, phase, terms, self.tokens, self.sweeps / max(1, self.n_docs), seconds)


@dataclass(slots=True)
class OnlineState:
    """Where an online fit stands between two steps: all that the next one depends on.

    Attributes
    ----------
    online : Online
    iteration : int
        The pass, from 1.
    sums : PassSums
        Of the documents that the pass has visited.
    started : float
        When the fit began, on the clock of `time.perf_counter`.
    """

    online: "Online"
    iteration: int
    sums: PassSums
    started: float


@dataclass(slots=True)
class Online:
    """What online steps change: λ, and priors that are learned.

    Attributes
    ----------
    rows : DecayingRows
    priors : Priors
    plan : Plan
    scale_to : float
        Documents (weights) in the whole corpus, D of equation (18).
    n_updates : int
    mean_log_theta : array of shape (K,), or None
        The mean of E[log θ_d] of the documents that priors were learned from.
    """

    rows: LazyLambda
    priors: Priors
    plan: PassSettings
    scale_to: float
    n_updates: int = 0
    mean_log_theta: Doubles | None = None

    def update(self, documents: Documents, workers: Workers, *, rho: float) -> tuple[EStepResult, tuple[float, float]]:
        """One minibatch: E-step with its own words' topics only, then a step of size ρ. Equations (18), (19).

        Returns
        -------
        visit : Visit
        terms : tuple of float
            The word and the document term of these documents under the topics before the step.
        """
        priors, plan = self.priors, self.plan
        counts, _ = documents.counts.compact()
        documents = Documents(counts, documents.weight)
        totals = self.rows.totals
        topics = topics_from(
            self.rows.rows(counts.words), totals, workers, point_estimate=priors.point_estimate, offset=plan.offset
        )
        gamma = np.empty((counts.n_docs, priors.n_topics), topics.B.dtype)
        sstats = aligned_zeros(topics.B.shape, topics.B.dtype)
        visit = e_step(
            counts,
            cut_blocks(counts, priors.n_topics),
            topics,
            priors.alpha,
            gamma,
            sstats,
            max_inner_iter=plan.warmup_inner_iter,
            tol=plan.tol,
            workers=workers,
            doc_weight=documents.weight,
            cold_start=True,
            extrapolate=True,
        )
        in_batch = documents.n_docs
        if in_batch > 0:
            self.rows.online_step(counts.words, sstats, rho=rho, scale=self.scale_to / in_batch)
            self._learn_priors(documents, workers)
        self.n_updates += 1
        return visit, summed_terms(visit, documents, priors, topics)

    def _learn_priors(self, documents: Documents, workers: Workers) -> None:
        """Every so many steps, from the documents of this one and the topics that it led to."""
        occasion, steps = divmod(self.n_updates + 1, LEARN_EVERY)
        if steps or not (self.plan.learn_alpha or self.plan.learn_eta):
            return
        words, n_words = documents.counts.words, documents.n_words
        topics = topics_from(
            self.rows.rows(words), self.rows.totals, workers, point_estimate=self.priors.point_estimate
        )
        self.priors, self.mean_log_theta = learned_priors(
            documents, topics, self.priors, self.mean_log_theta, self.plan, workers, occasion=occasion, n_words=n_words
        )
        self.rows.set_priors(self.priors)


def exact_record(
    documents: Corpus,
    learned: PassResult,
    workers: Workers,
    *,
    max_inner_iter: int,
    tol: float,
    batch_size: int = DOCUMENTS_AT_ONCE,
    sums: PassSums | None = None,
    after_part: Callable[[PassSums], object] = bool,
) -> TraceRecord:
    """What topics are worth that were learned without a bound: every document visited afresh, the ELBO exact.

    Of online fits, and of collapsed ones: λ as it is, γ after some sweeps, φ at its optimum. Equation (13).

    Parameters
    ----------
    batch_size : int
        Documents that are summed by themselves, so that the sums are the same for documents that come in batches.
    sums : PassSums, optional
        Of the documents that were visited before, if the visit goes on.
    after_part : callable
        Is shown the sums as they grow.
    """
    priors, started = learned.priors, time.perf_counter() - learned.record.seconds
    lam, sums = all_words(learned, documents.n_words), sums or PassSums()
    totals = column_sums(lam, priors)
    at_once = -(-DOCUMENTS_AT_ONCE // batch_size) * batch_size
    with closing(documents.parts(at_once, sums.n_docs)) as parts:
        for documents_at_once in parts:
            _add_visits(
                sums,
                documents_at_once,
                lam,
                totals,
                priors,
                workers,
                batch_size,
                max_inner_iter=max_inner_iter,
                tol=tol,
            )
            after_part(sums)
    topic_word = elbo.topic_term(lam[:, : priors.n_topics], priors)
    return sums.record(learned.record.iteration, "final", topic_word, time.perf_counter() - started)


def _add_visits(
    sums: PassSums,
    documents: Documents,
    lam: Floats,
    totals: Doubles,
    priors: Priors,
    workers: Workers,
    batch_size: int,
    *,
    max_inner_iter: int,
    tol: float,
) -> None:
    """Visit some documents of `exact_record`: a function, so that their two (U, K) arrays end with it."""
    counts, _ = documents.counts.compact()
    rows = aligned_zeros((len(counts.words), lam.shape[1]), lam.dtype)
    np.take(lam, counts.words, axis=0, out=rows, mode="clip")  # "raise" would go through a buffer
    topics = topics_from(rows, totals, workers, point_estimate=priors.point_estimate)
    _, visit = settle(counts, topics, priors.alpha, max_inner_iter, tol, workers, with_bound=True, extrapolate=True)
    first = 0
    for part in Documents(counts, documents.weight).parts(batch_size):
        at = slice(first, first + part.counts.n_docs)
        of_part = EStepResult(visit.n_inner_iter[at], None if visit.bound is None else visit.bound[at])
        sums.add(part, of_part, summed_terms(of_part, part, priors, topics))
        first = at.stop
