"""The memoized loop: batches whose statistics are kept and replaced. Equations (20), (21)."""

import itertools
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.special import psi, xlogy

from ldavi._core.corpus import WHOLE_BATCHES, Corpus, Documents
from ldavi._core.records import Counts, Priors, aligned_zeros, padded
from ldavi._core.spill_file import SpillFile
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import dirichlet_priors, elbo
from ldavi._inference.e_step import DocumentBlock, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.m_step import mass_times_log, topics_from
from ldavi._inference.vb_batch import (
    PassResult,
    PassSettings,
    RecordWriter,
    absent_mass,
    column_sums,
    raised_priors,
    summed_terms,
)


def fit_memoized(
    documents: Corpus, priors: Priors, lam: Floats, plan: PassSettings, workers: Workers, *, batch_size: int
) -> Generator[PassResult]:
    """Incremental coordinate ascent, a batch at a time: equations (20), (21).

    Each batch's statistics are kept, so that new ones can take the place of the old: no learning rate, and an ELBO that
    cannot fall once every batch has been seen. S is summed in float64, since small differences add up over many laps.

    Parameters
    ----------
    batch_size : int
        Of documents in memory; those that come in batches are taken as they come.
    """
    documents, words = documents.compacted()
    lam = lam[words]
    if isinstance(documents, Documents):
        lap = LapInMemory(documents.parts(batch_size), priors.n_topics)
        yield from laps(documents, lap, Sums.at_start(lam, priors), priors, lam, plan, workers)
        return
    with SpillFile() as gammas, SpillFile() as sstats:
        on_disk = LapOnDisk(documents, priors.n_topics, gammas, sstats)
        yield from laps(documents, on_disk, Sums.at_start(lam, priors), priors, lam, plan, workers)


def go_on_with_memoized(
    documents: Documents, state: dict[str, Any], plan: PassSettings, workers: Workers, *, batch_size: int
) -> Generator[PassResult]:
    """`fit_memoized` from the state of one of its laps."""
    documents, _ = documents.compacted()
    priors = Priors(state["alpha"], state["eta"])
    lap = LapInMemory(documents.parts(batch_size), priors.n_topics)
    lap.take(state["gamma"], state["sstats"], state["shares"])
    sums = Sums(state["total"], state["mass"], state["iteration"], time.perf_counter() - state["seconds"])
    unread = np.empty((0, 0), documents.dtype)  # λ of the start, which only the first lap reads
    return laps(documents, lap, sums, priors, unread, plan, workers)


@dataclass(slots=True)
class Sums:
    """Where a memoized fit stands between two laps: S and its sums over all batches, and how many laps there were."""

    total: Doubles  # (U, Kp) S
    mass: Doubles  # (K,) its sums over words
    laps: int
    started: float

    @staticmethod
    def at_start(lam: Floats, priors: Priors) -> "Sums":
        """Nothing yet."""
        return Sums(np.zeros(lam.shape), np.zeros(priors.n_topics), 0, time.perf_counter())


def laps(
    documents: Corpus, lap: "Lap", sums: Sums, priors: Priors, lam: Floats, plan: PassSettings, workers: Workers
) -> Generator[PassResult]:
    """`fit_memoized` over the words that occur; `lam`, of shape (U, Kp), is what the first lap reads."""
    clock, vocabulary, dtype = RecordWriter(documents, sums.started), documents.vocabulary, documents.dtype
    total, mass = sums.total, sums.mass
    start_totals = column_sums(lam, priors) + absent_mass(vocabulary, priors) if sums.laps == 0 else mass
    warmup = max(plan.warmup, 1)  # the first lap reads topics that no batch has changed yet
    for iteration in itertools.count(sums.laps + 1):
        monotone, n_batches = iteration > warmup, 0
        for batch, memory in lap.visits():
            if iteration == 1:  # the S of the first batches alone would forget every word that they lack
                rows, totals = lam[batch.rows], start_totals
            else:
                rows = with_prior(total[batch.rows], priors.eta_rows(batch.documents.counts.words), dtype)
                totals = mass + priors.eta_totals(vocabulary.n_words)
            change = memory.visit(batch, rows, totals, priors, plan, workers, iteration)
            total[batch.rows] += change
            mass += column_sums(change, priors)
            n_batches += 1
        if plan.learns_after(iteration):
            gammas = ((memory.gamma, memory.weight) for memory in lap.memories())
            raised, _ = raised_priors(priors, plan, documents, gammas, total, workers)
            for memory in lap.memories():
                memory.take_alpha(priors.alpha, raised.alpha)
            priors = raised
        learned = with_prior(total, priors.eta_rows(vocabulary.words), dtype)
        terms = memoized_terms(lap.shares, learned, mass + priors.eta_totals(vocabulary.n_words), priors, vocabulary)
        n_inner_iter = sum(share.n_inner_iter for share in lap.shares)
        record = clock.record(iteration, "monotone" if monotone else "warmup", terms, n_inner_iter)
        state = lap.state()
        if state is not None:
            state |= {"total": total, "mass": mass, "iteration": iteration, "seconds": record.seconds}
            state |= {"alpha": priors.alpha, "eta": priors.eta}
        yield PassResult(learned, vocabulary.words, iteration * n_batches, record, priors, state)


class Batch(NamedTuple):
    """Some documents over their own words, and where these stand among all of the lap."""

    documents: Documents
    rows: Int64s
    blocks: tuple[DocumentBlock, ...]


def batch_of(documents: Documents, n_topics: int) -> Batch:
    """A batch, cut for the E-step."""
    own, rows = documents.compacted()
    return Batch(own, rows, cut_blocks(own.counts, n_topics))


@dataclass(slots=True)
class Share:
    """What the last visit to a batch gave to the bound. Equation (21)."""

    constant: float = 0.0
    doc_topic: float = 0.0
    n_inner_iter: int = 0


@dataclass(slots=True)
class Memory:
    """What is kept of a batch between laps: γ, S_b, its share of the bound. Equation (21)."""

    weight: Floats | None
    gamma: Floats
    sstats: Floats
    share: Share

    def visit(
        self,
        batch: Batch,
        rows: Floats,
        totals: Doubles,
        priors: Priors,
        plan: PassSettings,
        workers: Workers,
        iteration: int,
    ) -> Doubles:
        """E-step with these topics; returns S_b new minus S_b old."""
        monotone, offset = iteration > max(plan.warmup, 1), plan.offset_of(iteration)
        topics = topics_from(rows, totals, workers, point_estimate=priors.point_estimate, offset=offset)
        sstats = aligned_zeros(self.sstats.shape, self.sstats.dtype)
        visit = e_step(
            batch.documents.counts,
            batch.blocks,
            topics,
            priors.alpha,
            self.gamma,
            sstats,
            max_inner_iter=plan.monotone_inner_iter if monotone else plan.warmup_inner_iter,
            tol=plan.tol,
            workers=workers,
            doc_weight=batch.documents.weight,
            cold_start=not monotone,
            extrapolate=not monotone,
        )
        word, self.share.doc_topic = summed_terms(visit, batch.documents, priors, topics)
        self.share.constant = word + self.share.doc_topic - mass_times_log(sstats, topics)
        self.share.n_inner_iter = int(visit.n_inner_iter.sum())
        change = sstats.astype(np.float64) - self.sstats
        self.sstats = sstats
        return change

    def take_alpha(self, before: Doubles, after: Doubles) -> None:
        """Have the kept terms be those of another α. Equation (37)."""
        weight = None if self.weight is None else self.weight.astype(np.float64)
        sums = dirichlet_priors.expected_log_sums(self.gamma, weight)
        n_docs = float(len(self.gamma)) if weight is None else float(weight.sum())
        gain = dirichlet_priors.alpha_objective(after, sums, n_docs) - dirichlet_priors.alpha_objective(
            before, sums, n_docs
        )
        self.share.doc_topic += gain
        self.share.constant += gain


class Lap(Protocol):
    """All batches in their order, and what is kept of them."""

    shares: list[Share]

    def visits(self) -> Iterator[tuple[Batch, Memory]]:
        """Each batch with its memory, which the visit changes."""

    def memories(self) -> Iterator[Memory]:
        """What is kept of each, perhaps without its statistics."""

    def state(self) -> dict[str, Any] | None:
        """All that is kept, where it is in memory."""


class LapInMemory:
    """Batches of documents in memory."""

    def __init__(self, parts: Iterable[Documents], n_topics: int) -> None:
        self._batches = [batch_of(part, n_topics) for part in parts]
        self._memories = [unvisited(batch, n_topics) for batch in self._batches]
        self.shares = [memory.share for memory in self._memories]

    def visits(self) -> Iterator[tuple[Batch, Memory]]:
        return zip(self._batches, self._memories, strict=True)

    def memories(self) -> Iterator[Memory]:
        return iter(self._memories)

    def state(self) -> dict[str, Any] | None:
        gammas, sstats = [memory.gamma for memory in self._memories], [memory.sstats for memory in self._memories]
        return {"gamma": gammas, "sstats": sstats, "shares": [list(astuple(share)) for share in self.shares]}

    def take(self, gammas: Iterable[Floats], sstats: Iterable[Floats], shares: Iterable[Iterable[Any]]) -> None:
        """Remember what `state` gave."""
        parts = zip(self._memories, gammas, sstats, shares, strict=True)
        for memory, gamma, statistics, share in parts:
            memory.gamma, memory.sstats = gamma, statistics
            memory.share.constant, memory.share.doc_topic, memory.share.n_inner_iter = share


class LapOnDisk:
    """Batches that are read in every lap; γ and S_b wait in scratch files."""

    def __init__(self, documents: Corpus, n_topics: int, gammas: SpillFile, sstats: SpillFile) -> None:
        self._documents, self._n_topics, self._gammas, self._sstats = documents, n_topics, gammas, sstats
        self.shares: list[Share] = []

    def visits(self) -> Iterator[tuple[Batch, Memory]]:
        with closing(self._documents.parts(WHOLE_BATCHES)) as parts:
            for number, part in enumerate(parts):
                batch = batch_of(part, self._n_topics)
                if number == len(self.shares):
                    memory = unvisited(batch, self._n_topics)
                    self.shares.append(memory.share)
                else:
                    gamma, sstats = self._gammas.load(number), self._sstats.load(number)
                    memory = Memory(None, gamma, sstats, self.shares[number])
                yield batch, memory
                self._gammas.store(number, memory.gamma)
                self._sstats.store(number, memory.sstats)

    def memories(self) -> Iterator[Memory]:
        for number, share in enumerate(self.shares):
            yield Memory(None, self._gammas.load(number), np.empty((0, 0), np.float32), share)

    def state(self) -> dict[str, Any] | None:
        return None


def unvisited(batch: Batch, n_topics: int) -> Memory:
    """The memory of a batch before its first visit."""
    dtype = batch.documents.dtype
    gamma = np.empty((batch.documents.counts.n_docs, n_topics), dtype)
    return Memory(batch.documents.weight, gamma, aligned_zeros((len(batch.rows), padded(n_topics)), dtype), Share())


def memoized_terms(shares: list[Share], lam: Floats, totals: Doubles, priors: Priors, counts: Counts) -> ELBOTerms:
    """The bound of equation (21), split as every other."""
    constant = sum(share.constant for share in shares)
    doc_topic = sum(share.doc_topic for share in shares)
    K = priors.n_topics
    if priors.point_estimate:
        log_beta = np.log(totals, where=totals > 0, out=np.zeros(K))
        mass_log = float(xlogy(lam[:, :K], lam[:, :K]).sum(dtype=np.float64) - totals @ log_beta)
        return ELBOTerms(constant - doc_topic + mass_log, doc_topic, 0.0)
    log_gamma, mass_digamma = elbo.posterior_sums(lam[:, :K], priors.eta_rows(counts.words))
    mass_log = mass_digamma - float((totals - priors.eta_totals(counts.n_words)) @ psi(totals))
    topic_word = elbo.log_beta_ratio(log_gamma, totals, priors, counts.words, counts.n_words) - mass_log
    return ELBOTerms(constant - doc_topic + mass_log, doc_topic, topic_word)


def with_prior(total: Doubles, eta: Doubles, dtype: np.dtype[Any]) -> Floats:
    """λ = η + S, the padding left at 0; S freed of the last bits that sums and differences leave below 0."""
    lam = aligned_zeros(total.shape, dtype)
    n_topics = eta.shape[1] if eta.shape[1] > 1 else total.shape[1]
    np.maximum(total, 0, out=lam, casting="same_kind")
    lam[:, :n_topics] += eta.astype(dtype)
    return lam
