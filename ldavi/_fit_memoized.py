"""The memoized loop: batches whose statistics are kept and replaced. Equations (20), (21)."""

import itertools
from collections.abc import Generator
from typing import Any

import numpy as np
from scipy.special import psi, xlogy

from ldavi import _elbo, _hyper
from ldavi._documents import Visit, cut_blocks, estep
from ldavi._elbo import ELBOTerms
from ldavi._fit import Clock, Documents, Learned, Plan, absent_mass, column_sums, raised_priors, summed_terms
from ldavi._mstep import mass_times_log, topics_from
from ldavi._parallel import Workers
from ldavi._state import Counts, Priors, aligned_zeros
from ldavi._typing import Doubles, Floats


def fit_memoized(
    documents: Documents, priors: Priors, lam: Floats, plan: Plan, workers: Workers, *, batch_size: int
) -> Generator[Learned]:
    """Incremental coordinate ascent, a batch at a time: equations (20), (21).

    Each batch's statistics are kept, so that new ones can take the place of the old: no learning rate, and an ELBO that
    cannot fall once every batch has been seen. S is summed in float64, since small differences add up over many laps.
    """
    counts, words = documents.counts.compact()
    documents, lam, clock = Documents(counts, documents.weight), lam[words], Clock(documents)
    batches = [MemoizedBatch(part, priors, lam) for part in documents.parts(batch_size)]
    total, mass = np.zeros(lam.shape), np.zeros(priors.n_topics)
    start_totals = column_sums(lam, priors) + absent_mass(counts, priors)
    warmup = max(plan.warmup, 1)  # the first lap reads topics that no batch has changed yet
    for iteration in itertools.count(1):
        monotone = iteration > warmup
        for batch in batches:
            if iteration == 1:  # the S of the first batches alone would forget every word that they lack
                rows, totals = lam[batch.rows], start_totals
            else:
                rows = with_prior(total[batch.rows], priors.eta_rows(batch.counts.words), lam.dtype)
                totals = mass + priors.eta_totals(counts.n_words)
            change = batch.visit(rows, totals, priors, plan, workers, iteration)
            total[batch.rows] += change
            mass += column_sums(change, priors)
        if plan.learns_after(iteration):
            raised, _ = raised_priors(priors, plan, documents, [batch.gamma for batch in batches], total)
            for batch in batches:
                batch.take_alpha(priors.alpha, raised.alpha)
            priors = raised
        learned = with_prior(total, priors.eta_rows(counts.words), lam.dtype)
        terms = memoized_terms(batches, learned, mass + priors.eta_totals(counts.n_words), priors, counts)
        record = clock.record(iteration, "monotone" if monotone else "warmup", terms, *(batch.visited for batch in batches))
        yield Learned(learned, counts.words, iteration * len(batches), record, priors)


class MemoizedBatch:
    """Documents, γ, and what their last visit gave: S_b, its share of the bound. Equation (21)."""

    def __init__(self, documents: Documents, priors: Priors, like: Floats) -> None:
        self.counts, self.rows = documents.counts.compact()
        self.documents = Documents(self.counts, documents.weight)
        self.blocks = cut_blocks(self.counts, priors.n_topics)
        self.gamma = np.empty((self.counts.n_docs, priors.n_topics), like.dtype)
        self.sstats = aligned_zeros((len(self.rows), like.shape[1]), like.dtype)
        self.constant = self.doc_topic = 0.0
        self.visited = Visit(np.zeros(self.counts.n_docs, np.int32), None)

    def visit(self, rows: Floats, totals: Doubles, priors: Priors, plan: Plan, workers: Workers, iteration: int) -> Floats:
        """E-step with these topics; returns S_b new minus S_b old."""
        monotone, offset = iteration > max(plan.warmup, 1), plan.offset_of(iteration)
        topics = topics_from(rows, totals, workers, point_estimate=priors.point_estimate, offset=offset)
        sstats = aligned_zeros(self.sstats.shape, self.sstats.dtype)
        self.visited = estep(
            self.counts,
            self.blocks,
            topics,
            priors.alpha,
            self.gamma,
            sstats,
            max_sweeps=plan.monotone_sweeps if monotone else plan.warmup_sweeps,
            tol=plan.tol,
            workers=workers,
            doc_weight=self.documents.weight,
            afresh=not monotone,
        )
        word, self.doc_topic = summed_terms(self.visited, self.documents, priors, topics)
        self.constant = word + self.doc_topic - mass_times_log(sstats, topics)
        change = sstats.astype(np.float64) - self.sstats
        self.sstats = sstats
        return change

    def take_alpha(self, before: Doubles, after: Doubles) -> None:
        """Have the kept terms be those of another α. Equation (37)."""
        weight = None if self.documents.weight is None else self.documents.weight.astype(np.float64)
        sums = _hyper.expected_log_sums(self.gamma, weight)
        n_docs = self.documents.total(np.ones(self.counts.n_docs))
        gain = _hyper.alpha_objective(after, sums, n_docs) - _hyper.alpha_objective(before, sums, n_docs)
        self.doc_topic += gain
        self.constant += gain


def memoized_terms(batches: list[MemoizedBatch], lam: Floats, totals: Doubles, priors: Priors, counts: Counts) -> ELBOTerms:
    """The bound of equation (21), split as every other."""
    constant = sum(batch.constant for batch in batches)
    doc_topic = sum(batch.doc_topic for batch in batches)
    K = priors.n_topics
    if priors.point_estimate:
        log_beta = np.log(totals, where=totals > 0, out=np.zeros(K))
        mass_log = float(xlogy(lam[:, :K], lam[:, :K]).sum(dtype=np.float64) - totals @ log_beta)
        return ELBOTerms(constant - doc_topic + mass_log, doc_topic, 0.0)
    log_gamma, mass_digamma = _elbo.posterior_sums(lam[:, :K], priors.eta_rows(counts.words))
    mass_log = mass_digamma - float((totals - priors.eta_totals(counts.n_words)) @ psi(totals))
    topic_word = _elbo.log_beta_ratio(log_gamma, totals, priors, counts.words, counts.n_words) - mass_log
    return ELBOTerms(constant - doc_topic + mass_log, doc_topic, topic_word)


def with_prior(total: Doubles, eta: Doubles, dtype: np.dtype[Any]) -> Floats:
    """λ = η + S, the padding left at 0; S freed of the last bits that sums and differences leave below 0."""
    lam = aligned_zeros(total.shape, dtype)
    n_topics = eta.shape[1] if eta.shape[1] > 1 else total.shape[1]
    np.maximum(total, 0, out=lam, casting="same_kind")
    lam[:, :n_topics] += eta.astype(dtype)
    return lam
