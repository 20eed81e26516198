"""The online loop: natural gradient steps on minibatches, for `fit` and `partial_fit`. Equations (18), (19)."""

import itertools
import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ldavi import _elbo, _hyper
from ldavi._documents import Visit, cut_blocks, estep, visit_documents
from ldavi._elbo import ELBOTerms
from ldavi._fit import Clock, Documents, Learned, Plan, all_words, column_sums, summed_terms
from ldavi._mstep import DecayingRows, learning_rate, topics_from
from ldavi._parallel import Workers
from ldavi._state import Priors, aligned_zeros
from ldavi._trace import TraceRecord
from ldavi._typing import Doubles, Floats

FIRST_LEARNED = 16  # the first step after which priors are learned


@dataclass(frozen=True, slots=True)
class LearningRate:
    """τ0 and κ of the step sizes ρ_t = (τ0 + t)^−κ. Equation (18)."""

    offset: float
    decay: float


def fit_online(
    documents: Documents,
    priors: Priors,
    lam: Floats,
    plan: Plan,
    workers: Workers,
    *,
    batch_size: int,
    steps: LearningRate,
) -> Generator[Learned]:
    """Stochastic natural gradient ascent, a minibatch at a time: equations (18), (19).

    The ELBO of a pass adds up what each document gave under the topics of its visit; `exact_record` tells what the topics
    of the end are worth.
    """
    counts, clock = documents.counts, Clock(documents)
    online = Online(DecayingRows(lam, priors), priors, plan, documents.total(np.ones(counts.n_docs)))
    for iteration in itertools.count(1):
        word = doc_topic = 0.0
        visits = []
        for part in documents.parts(batch_size):
            rho = learning_rate(online.n_updates + 1, offset=steps.offset, decay=steps.decay)
            visit, terms = online.update(part, workers, rho=rho)
            word, doc_topic = word + terms[0], doc_topic + terms[1]
            visits.append(visit)
        lam = online.rows.folded().copy()  # a pass that is interrupted must not reach what was yielded
        priors = online.priors
        total = ELBOTerms(word, doc_topic, _elbo.topic_term(lam[:, : priors.n_topics], priors))
        yield Learned(lam, counts.words, online.n_updates, clock.record(iteration, "online", total, *visits), priors)


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
        The mean of E[log θ_d], decayed as λ is: all that α is learned from.
    """

    rows: DecayingRows
    priors: Priors
    plan: Plan
    scale_to: float
    n_updates: int = 0
    mean_log_theta: Doubles | None = None

    def update(self, documents: Documents, workers: Workers, *, rho: float) -> tuple[Visit, tuple[float, float]]:
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
        visit = estep(
            counts,
            cut_blocks(counts, priors.n_topics),
            topics,
            priors.alpha,
            gamma,
            sstats,
            max_sweeps=plan.warmup_sweeps,
            tol=plan.tol,
            workers=workers,
            doc_weight=documents.weight,
            afresh=True,
        )
        in_batch = documents.total(np.ones(counts.n_docs))
        if in_batch > 0:
            self.rows.online_step(counts.words, sstats, rho=rho, scale=self.scale_to / in_batch)
            self._learn_priors(gamma, documents, in_batch, rho)
        self.n_updates += 1
        return visit, summed_terms(visit, documents, priors, topics)

    def _learn_priors(self, gamma: Floats, documents: Documents, in_batch: float, rho: float) -> None:
        """α from the decayed mean of E[log θ]; η from λ itself, ever more seldom, since that reads all of it."""
        alpha, eta, step = self.priors.alpha, self.priors.eta, self.n_updates + 1
        if self.plan.learn_alpha:
            weight = None if documents.weight is None else documents.weight.astype(np.float64)
            mean = _hyper.expected_log_sums(gamma, weight) / in_batch
            old = self.mean_log_theta
            self.mean_log_theta = mean if old is None else (1 - rho) * old + rho * mean
            if step >= FIRST_LEARNED:
                alpha = _hyper.newton_alpha(alpha, self.mean_log_theta, 1.0)
        if self.plan.learn_eta and step >= FIRST_LEARNED and step & (step - 1) == 0:
            S = np.maximum(self.rows.folded()[:, : len(alpha)] - eta.astype(self.rows.dtype), 0)
            eta = np.full((1, 1), _hyper.eta_fixed_point(float(eta[0, 0]), S, len(S)))
        self.priors = Priors(alpha, eta)
        self.rows.take_priors(self.priors)


def exact_record(documents: Documents, learned: Learned, workers: Workers, *, max_sweeps: int, tol: float) -> TraceRecord:
    """What topics are worth that were learned without a bound: every document visited afresh, the ELBO exact.

    Of online fits, and of collapsed ones: λ as it is, γ after some sweeps, φ at its optimum. Equation (13).
    """
    priors, clock = learned.priors, Clock(documents, time.perf_counter() - learned.record.seconds)
    lam = all_words(learned, documents.counts.n_words)
    topics = topics_from(lam, column_sums(lam, priors), workers, point_estimate=priors.point_estimate)
    gamma = np.empty((documents.counts.n_docs, priors.n_topics), lam.dtype)
    visit = visit_documents(
        documents.counts,
        topics,
        priors.alpha,
        gamma,
        max_sweeps=max_sweeps,
        tol=tol,
        workers=workers,
        afresh=True,
        with_bound=True,
    )
    word, doc_topic = summed_terms(visit, documents, priors, topics)
    terms = ELBOTerms(word, doc_topic, _elbo.topic_term(lam[:, : priors.n_topics], priors))
    return clock.record(learned.record.iteration, "final", terms, visit)
