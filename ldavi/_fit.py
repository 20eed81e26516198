"""The learning loops: batch, memoized, online. Each reads as E-step, M-step, ELBO, record.

A loop is a generator. It yields the topics and a record after each pass and goes on when asked: stopping, printing and
warning are its caller's business. Whatever interrupts it, the topics that it yielded last are whole.
Equation numbers refer to docs/math.md.
"""

import itertools
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.special import psi, xlogy

from ldavi import _elbo
from ldavi._documents import Visit, cut_blocks, estep, visit_documents
from ldavi._elbo import ELBOTerms
from ldavi._mstep import DecayingRows, learning_rate, m_step, mass_times_log, topics_from
from ldavi._parallel import Workers, even_ranges
from ldavi._state import Counts, Priors, Topics, aligned_zeros
from ldavi._trace import TraceRecord, record
from ldavi._typing import Doubles, Floats, Int64s

ROWS_AT_ONCE = 2**12


@dataclass(frozen=True, slots=True)
class Plan:
    """How documents are visited.

    Attributes
    ----------
    warmup : int
        Passes that start every document afresh before the monotone ones. Restarting γ works as annealing does, equation
        (26): from random topics, documents that go on from where they stopped settle in a bad optimum.
    warmup_sweeps, monotone_sweeps : int
        Sweeps of a visit, at most, in either phase. An online visit is one of a warm-up that never ends.
    tol : float
        A visit ends when Σ_k |Δγ_dk| ≤ tol · N_d. Equation (24).
    most_sweeps : int
        Sweeps of a visit that should settle.
    offset : float
        δ of the warm-up, equation (26): ψ(x + δ) in place of ψ(x) makes small counts weigh as their means do.
    """

    warmup: int
    warmup_sweeps: int
    monotone_sweeps: int
    tol: float
    most_sweeps: int = 100
    offset: float = 0.0

    def offset_of(self, iteration: int) -> float:
        """δ of a pass."""
        return self.offset if iteration <= self.warmup else 0.0


class Documents(NamedTuple):
    """What a loop learns from: counts, and the documents' weights if they have any."""

    counts: Counts
    weight: Floats | None  # (D,) ω_d

    def total(self, per_document: Doubles) -> float:
        """Σ_d ω_d x_d."""
        return float(per_document.sum() if self.weight is None else per_document @ self.weight.astype(np.float64))

    def parts(self, size: int) -> Iterator["Documents"]:
        """Consecutive documents, `size` at a time."""
        for start in range(0, self.counts.n_docs, size):
            stop = min(start + size, self.counts.n_docs)
            yield Documents(self.counts.documents(start, stop), None if self.weight is None else self.weight[start:stop])


class Learned(NamedTuple):
    """What a pass led to.

    Attributes
    ----------
    lam : array of shape (U, Kp)
        λ of some words, word-major.
    words : array of shape (U,)
        Which words; the others have λ = η.
    n_updates : int
        M-steps so far.
    record : TraceRecord
    """

    lam: Floats
    words: Int64s
    n_updates: int
    record: TraceRecord


def all_words(learned: Learned, n_words: int, priors: Priors) -> Floats:
    """λ of every word, of shape (V, Kp)."""
    if len(learned.words) == n_words and np.array_equal(learned.words, np.arange(n_words)):
        return learned.lam
    lam = aligned_zeros((n_words, learned.lam.shape[1]), learned.lam.dtype)
    lam[:, : priors.n_topics] = priors.eta
    lam[learned.words] = learned.lam
    return lam


@dataclass(slots=True)
class Clock:
    """Writes the records of one fit: what they have in common is the time it began and the tokens it sees."""

    documents: Documents
    started: float = field(default_factory=time.perf_counter)

    def record(self, iteration: int, phase: str, terms: ELBOTerms, *visits: Visit) -> TraceRecord:
        tokens = self.documents.total(self.documents.counts.doc_tokens)
        sweeps = sum(int(visit.n_sweeps.sum()) for visit in visits) / max(1, self.documents.counts.n_docs)
        return record(iteration, phase, terms, tokens, sweeps, time.perf_counter() - self.started)


def summed_terms(visit: Visit, documents: Documents, priors: Priors, topics: Topics) -> tuple[float, float]:
    """The word and the document term over documents, with their weights."""
    assert visit.bound is not None
    word, doc_topic = _elbo.document_terms(visit.bound, documents.counts.doc_tokens, priors.alpha, topics)
    return documents.total(word), documents.total(doc_topic)


def absent_mass(counts: Counts, priors: Priors) -> Doubles:
    """Σ η over the words that do not occur, of shape (K,): their share of each Λ_k."""
    present = priors.eta_rows(counts.words).sum(axis=0) * (len(counts.words) if len(priors.eta) == 1 else 1)
    absent: Doubles = priors.eta_totals(counts.n_words) - present
    return absent


def column_sums(rows: Floats, priors: Priors) -> Doubles:
    sums: Doubles = rows[:, : priors.n_topics].sum(axis=0, dtype=np.float64)
    return sums


def fit_batch(documents: Documents, priors: Priors, lam: Floats, plan: Plan, workers: Workers) -> Generator[Learned]:
    """Coordinate ascent over the whole corpus: equations (10) to (12), the bound after each pass by (17).

    `lam`, of shape (V, Kp), is where the topics start; its memory is used.
    """
    counts, words = documents.counts.compact()
    documents, lam, clock = Documents(counts, documents.weight), lam[words], Clock(documents)
    eta, absent = priors.eta_rows(counts.words), absent_mass(counts, priors)
    blocks = cut_blocks(counts, priors.n_topics)
    totals = column_sums(lam, priors) + absent
    offset = plan.offset_of(1)
    topics = topics_from(lam, totals, workers, point_estimate=priors.point_estimate, offset=offset)
    gamma = np.empty((counts.n_docs, priors.n_topics), lam.dtype)
    sstats = aligned_zeros(lam.shape, lam.dtype)
    for iteration in itertools.count(1):
        monotone = iteration > plan.warmup
        visit = estep(
            counts,
            blocks,
            topics,
            priors.alpha,
            gamma,
            sstats,
            max_sweeps=plan.monotone_sweeps if monotone else plan.warmup_sweeps,
            tol=plan.tol,
            workers=workers,
            doc_weight=documents.weight,
            afresh=iteration == 1 or not monotone,
        )
        word, doc_topic = summed_terms(visit, documents, priors, topics)
        offset = plan.offset_of(iteration + 1)
        topics, sums = m_step(sstats, topics, priors, eta, absent, workers, offset=offset)
        lam, sstats = sstats, lam
        terms = _elbo.after_m_step(word, doc_topic, sums, priors, counts)
        phase = "monotone" if monotone else "warmup"
        yield Learned(lam, counts.words, iteration, clock.record(iteration, phase, terms, visit))
        clear(sstats, workers)


def clear(rows: Floats, workers: Workers) -> None:
    """Zero every row, in as many threads as there are."""
    ranges = even_ranges(np.arange(len(rows) + 1), 0, len(rows), ROWS_AT_ONCE)
    workers.run(lambda edges: rows[slice(*edges)].fill(0), ranges)


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
    eta, eta_totals = priors.eta_rows(counts.words), priors.eta_totals(counts.n_words)
    total, mass = np.zeros(lam.shape), np.zeros(priors.n_topics)
    start_totals = column_sums(lam, priors) + absent_mass(counts, priors)
    for iteration in itertools.count(1):
        for batch in batches:
            if iteration == 1:  # the S of the first batches alone would forget every word that they lack
                rows, totals = lam[batch.rows], start_totals
            else:
                rows = with_prior(total[batch.rows], priors.eta_rows(batch.counts.words), lam.dtype)
                totals = mass + eta_totals
            change = batch.visit(rows, totals, priors, plan, workers, monotone=iteration > 1)
            total[batch.rows] += change
            mass += column_sums(change, priors)
        totals = mass + eta_totals
        learned = with_prior(total, eta, lam.dtype)
        terms = memoized_terms(batches, learned, totals, priors, counts)
        phase = "monotone" if iteration > 1 else "warmup"
        visits = (batch.visited for batch in batches)
        yield Learned(learned, counts.words, iteration * len(batches), clock.record(iteration, phase, terms, *visits))


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

    def visit(self, rows: Floats, totals: Doubles, priors: Priors, plan: Plan, workers: Workers, *, monotone: bool) -> Floats:
        """E-step with these topics; returns S_b new minus S_b old."""
        topics = topics_from(rows, totals, workers, point_estimate=priors.point_estimate)
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
    counts, clock, rows = documents.counts, Clock(documents), DecayingRows(lam, priors)
    scale_to = documents.total(np.ones(counts.n_docs))
    n_updates = 0
    for iteration in itertools.count(1):
        word = doc_topic = 0.0
        visits = []
        for part in documents.parts(batch_size):
            n_updates += 1
            rho = learning_rate(n_updates, offset=steps.offset, decay=steps.decay)
            visit, terms = online_update(part, priors, rows, plan, workers, rho=rho, scale_to=scale_to)
            word, doc_topic = word + terms[0], doc_topic + terms[1]
            visits.append(visit)
        lam = rows.folded().copy()  # a pass that is interrupted must not reach what was yielded
        total = ELBOTerms(word, doc_topic, _elbo.topic_term(lam[:, : priors.n_topics], priors))
        yield Learned(lam, counts.words, n_updates, clock.record(iteration, "online", total, *visits))


def online_update(
    documents: Documents,
    priors: Priors,
    rows: DecayingRows,
    plan: Plan,
    workers: Workers,
    *,
    rho: float,
    scale_to: float,
) -> tuple[Visit, tuple[float, float]]:
    """One minibatch: E-step with its own words' topics only, then a step of size ρ. Equations (18), (19).

    Parameters
    ----------
    scale_to : float
        Documents (weights) in the whole corpus, D of equation (18).

    Returns
    -------
    visit : Visit
    terms : tuple of float
        The word and the document term of these documents under the topics before the step.
    """
    counts, _ = documents.counts.compact()
    documents = Documents(counts, documents.weight)
    topics = topics_from(rows.rows(counts.words), rows.totals, workers, point_estimate=priors.point_estimate)
    gamma = np.empty((counts.n_docs, priors.n_topics), topics.B.dtype)
    sstats = aligned_zeros(topics.B.shape, topics.B.dtype)
    blocks = cut_blocks(counts, priors.n_topics)
    visit = estep(
        counts,
        blocks,
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
        rows.online_step(counts.words, sstats, rho=rho, scale=scale_to / in_batch)
    return visit, summed_terms(visit, documents, priors, topics)


def exact_record(documents: Documents, priors: Priors, learned: Learned, plan: Plan, workers: Workers) -> TraceRecord:
    """What the final topics of an online fit are worth: every document visited afresh, the ELBO exact."""
    clock = Clock(documents, time.perf_counter() - learned.record.seconds)
    totals = column_sums(learned.lam, priors)
    topics = topics_from(learned.lam, totals, workers, point_estimate=priors.point_estimate)
    gamma = np.empty((documents.counts.n_docs, priors.n_topics), learned.lam.dtype)
    visit = visit_documents(
        documents.counts,
        topics,
        priors.alpha,
        gamma,
        max_sweeps=plan.most_sweeps,
        tol=plan.tol,
        workers=workers,
        afresh=True,
        with_bound=True,
    )
    word, doc_topic = summed_terms(visit, documents, priors, topics)
    terms = ELBOTerms(word, doc_topic, _elbo.topic_term(learned.lam[:, : priors.n_topics], priors))
    return clock.record(learned.record.iteration, "final", terms, visit)
