"""What the learning loops share, and the batch loop itself: E-step, M-step, ELBO, record.

A loop is a generator. It yields the topics and a record after each pass and goes on when asked: stopping, printing and
warning are its caller's business. Whatever interrupts it, the topics that it yielded last are whole.
Equation numbers refer to docs/math.md.
"""

import itertools
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from ldavi._core.corpus import WHOLE_BATCHES, Corpus, Documents
from ldavi._core.records import Counts, Priors, Topics, aligned_copy, aligned_zeros
from ldavi._core.spill_file import SpillFile
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import dirichlet_priors, elbo
from ldavi._inference.e_step import DocumentBlock, EStepResult, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.m_step import m_step, topics_from
from ldavi._inference.trace import TraceRecord, predictive_record, record

ROWS_AT_ONCE = 2**12
LEARN_EVERY = 5  # passes


@dataclass(frozen=True, slots=True)
class PassSettings:
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
    learn_alpha, learn_eta : bool
        Whether α, and a symmetric η, are raised to where the bound is highest. Equations (37), (38).
    """

    warmup: int
    warmup_inner_iter: int
    monotone_inner_iter: int
    tol: float
    max_inner_iter: int = 100
    offset: float = 0.0
    learn_alpha: bool = False
    learn_eta: bool = False

    def learns_after(self, iteration: int) -> bool:
        """Whether priors are learned in this pass: not in the warm-up, where they would settle on random topics."""
        since = iteration - self.warmup
        return (self.learn_alpha or self.learn_eta) and since > 0 and since % LEARN_EVERY == 0

    def offset_of(self, iteration: int) -> float:
        """δ of a pass."""
        return self.offset if iteration <= self.warmup else 0.0


class PassResult(NamedTuple):
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
    priors : Priors
        Those given, or what was learned.
    state : dict or None
        Plain values and the loop's own arrays as they stand: with them and the same documents, it goes on as if it had
        never stopped. None where a loop keeps its state otherwise, or on disk.
    """

    lam: Floats
    words: Int64s
    n_updates: int
    record: TraceRecord
    priors: Priors
    state: dict[str, Any] | None = None


def all_words(learned: PassResult, n_words: int) -> Floats:
    """λ of every word, of shape (V, Kp)."""
    priors = learned.priors
    if len(learned.words) == n_words and np.array_equal(learned.words, np.arange(n_words)):
        return learned.lam
    lam = aligned_zeros((n_words, learned.lam.shape[1]), learned.lam.dtype)
    lam[:, : priors.n_topics] = priors.eta
    lam[learned.words] = learned.lam
    return lam


class Piece(NamedTuple):
    """Some documents, cut for the E-step, and their γ, which a visit changes in place."""

    documents: Documents
    blocks: tuple[DocumentBlock, ...]
    gamma: Floats


class Pieces(Protocol):
    """All documents, a piece at a time, in every pass anew; what a visit made of γ is there in the next one.

    Attributes
    ----------
    gamma : array of shape (D, K), or None
        Where it is whole in memory.
    """

    gamma: Floats | None

    def __iter__(self) -> Iterator[Piece]:
        """A pass."""

    def gammas(self) -> Iterator[tuple[Floats, Floats | None]]:
        """γ and the weights of all documents, in order."""


class PiecesInMemory:
    """Documents in memory: a single piece."""

    def __init__(self, documents: Documents, gamma: Floats) -> None:
        self.gamma: Floats | None = gamma
        self._piece = Piece(documents, cut_blocks(documents.counts, gamma.shape[1]), gamma)

    def __iter__(self) -> Iterator[Piece]:
        yield self._piece

    def gammas(self) -> Iterator[tuple[Floats, Floats | None]]:
        yield self._piece.gamma, self._piece.documents.weight


class PiecesInBatches:
    """Documents that come in batches: each is a piece, and γ waits in a scratch file."""

    gamma: Floats | None = None

    def __init__(self, documents: Corpus, n_topics: int, scratch: SpillFile) -> None:
        self._documents, self._n_topics, self._scratch = documents, n_topics, scratch

    def __iter__(self) -> Iterator[Piece]:
        with closing(self._documents.parts(WHOLE_BATCHES)) as parts:
            for number, part in enumerate(parts):
                known = number < len(self._scratch)
                gamma = (
                    self._scratch.load(number) if known else np.empty((part.counts.n_docs, self._n_topics), part.dtype)
                )
                yield Piece(part, cut_blocks(part.counts, self._n_topics), gamma)
                self._scratch.store(number, gamma)

    def gammas(self) -> Iterator[tuple[Floats, Floats | None]]:
        for number in range(len(self._scratch)):
            yield self._scratch.load(number), None


@dataclass(slots=True)
class RecordWriter:
    """Writes the records of one fit: what they have in common is the time it began and the tokens it sees."""

    documents: Corpus
    started: float = field(default_factory=time.perf_counter)

    def record(self, iteration: int, phase: str, terms: ELBOTerms, n_inner_iter: int) -> TraceRecord:
        tokens, sweeps = self.documents.n_tokens, n_inner_iter / max(1, self.documents.n_read)
        return record(iteration, phase, terms, tokens, sweeps, time.perf_counter() - self.started)

    def predictive_record(self, iteration: int, phase: str, log_predictive: float) -> TraceRecord:
        """A pass that has no bound, but a probability of each count given all others. Equation (34)."""
        tokens = self.documents.n_tokens
        return predictive_record(iteration, phase, log_predictive, tokens, time.perf_counter() - self.started)


def summed_terms(visit: EStepResult, documents: Documents, priors: Priors, topics: Topics) -> tuple[float, float]:
    """The word and the document term over documents, with their weights."""
    assert visit.bound is not None
    word, doc_topic = elbo.document_terms(visit.bound, documents.counts.doc_tokens, priors.alpha, topics)
    return documents.total(word), documents.total(doc_topic)


def absent_mass(counts: Counts, priors: Priors) -> Doubles:
    """Σ η over the words that do not occur, of shape (K,): their share of each Λ_k."""
    present = priors.eta_rows(counts.words).sum(axis=0) * (len(counts.words) if len(priors.eta) == 1 else 1)
    absent: Doubles = priors.eta_totals(counts.n_words) - present
    return absent


def column_sums(rows: Floats, priors: Priors) -> Doubles:
    sums: Doubles = rows[:, : priors.n_topics].sum(axis=0, dtype=np.float64)
    return sums


def fit_batch(
    documents: Corpus,
    priors: Priors,
    lam: Floats,
    plan: PassSettings,
    workers: Workers,
    *,
    done: int = 0,
    seconds: float = 0.0,
) -> Generator[PassResult]:
    """Coordinate ascent over the whole corpus: equations (10) to (12), the bound after each pass by (17).

    Parameters
    ----------
    lam : array of shape (V, Kp)
        Where the topics start; its memory is used.
    done, seconds : int, float
        Passes of another kind that led there, and how long they took.
    """
    documents, words = documents.compacted()
    lam, K = lam[words], priors.n_topics
    totals = column_sums(lam, priors) + absent_mass(documents.vocabulary, priors)
    if isinstance(documents, Documents):
        pieces = PiecesInMemory(documents, np.empty((documents.counts.n_docs, K), lam.dtype))
        yield from ascend(documents, pieces, priors, lam, totals, plan, workers, done=done, seconds=seconds)
        return
    with SpillFile() as scratch:
        pieces_read = PiecesInBatches(documents, K, scratch)
        yield from ascend(documents, pieces_read, priors, lam, totals, plan, workers, done=done, seconds=seconds)


def go_on_with_batch(
    documents: Documents, state: dict[str, Any], plan: PassSettings, workers: Workers
) -> Generator[PassResult]:
    """`fit_batch` from the state of one of its passes."""
    documents, _ = documents.compacted()
    pieces, priors = PiecesInMemory(documents, state["gamma"]), Priors(state["alpha"], state["eta"])
    lam, done = aligned_copy(state["lam"]), state["iteration"]
    return ascend(documents, pieces, priors, lam, state["totals"], plan, workers, done=done, seconds=state["seconds"])


def ascend(
    documents: Corpus,
    pieces: Pieces,
    priors: Priors,
    lam: Floats,
    totals: Doubles,
    plan: PassSettings,
    workers: Workers,
    *,
    done: int = 0,
    seconds: float = 0.0,
) -> Generator[PassResult]:
    """`fit_batch` over the words that occur, after `done` passes that took so many seconds.

    Parameters
    ----------
    lam : array of shape (U, Kp)
    totals : array of shape (K,)
        Λ_k over all words.
    """
    clock, vocabulary = RecordWriter(documents, time.perf_counter() - seconds), documents.vocabulary
    eta, absent = priors.eta_rows(vocabulary.words), absent_mass(vocabulary, priors)
    offset = plan.offset_of(done + 1)
    topics = topics_from(lam, totals, workers, point_estimate=priors.point_estimate, offset=offset)
    sstats = aligned_zeros(lam.shape, lam.dtype)
    for iteration in itertools.count(done + 1):
        monotone = iteration > plan.warmup
        cold_start = iteration == 1 or not monotone
        word, doc_topic, n_inner_iter = 0.0, 0.0, 0
        for piece in pieces:
            visit = e_step(
                piece.documents.counts,
                piece.blocks,
                topics,
                priors.alpha,
                piece.gamma,
                sstats,
                max_inner_iter=plan.monotone_inner_iter if monotone else plan.warmup_inner_iter,
                tol=plan.tol,
                workers=workers,
                doc_weight=piece.documents.weight,
                cold_start=cold_start,
                extrapolate=cold_start,
            )
            terms_of_piece = summed_terms(visit, piece.documents, priors, topics)
            word, doc_topic = word + terms_of_piece[0], doc_topic + terms_of_piece[1]
            n_inner_iter += int(visit.n_inner_iter.sum())
        if plan.learns_after(iteration):
            priors, gain = raised_priors(priors, plan, documents, pieces.gammas(), sstats, workers)
            doc_topic += gain
            eta, absent = priors.eta_rows(vocabulary.words), absent_mass(vocabulary, priors)
        offset = plan.offset_of(iteration + 1)
        topics, sums = m_step(sstats, topics, priors, eta, absent, workers, offset=offset)
        lam, sstats = sstats, lam
        terms = elbo.after_m_step(word, doc_topic, sums, priors, vocabulary)
        record = clock.record(iteration, "monotone" if monotone else "warmup", terms, n_inner_iter)
        state: dict[str, Any] | None = None
        if pieces.gamma is not None:
            state = {"iteration": iteration, "lam": lam, "totals": sums.totals, "gamma": pieces.gamma}
            state |= {"alpha": priors.alpha, "eta": priors.eta, "seconds": record.seconds}
        yield PassResult(lam, vocabulary.words, iteration, record, priors, state)
        clear(sstats, workers)


def raised_priors(
    priors: Priors,
    plan: PassSettings,
    documents: Corpus,
    gammas: Iterable[tuple[Floats, Floats | None]],
    sstats: Floats,
    workers: Workers,
) -> tuple[Priors, float]:
    """α and η at which the bound is higher, q(θ) and q(z) being what they are. Equations (37), (38).

    Parameters
    ----------
    gammas : iterable of pairs of arrays of shape (·, K) and (·,)
        γ and weights of all documents, in order.
    sstats : array of shape (U, Kp)

    Returns
    -------
    priors : Priors
    gain : float
        By how much the documents' term of the bound has risen; that of the topics belongs to the M-step to come.
    """
    log_theta, n_docs = None, 0.0
    if plan.learn_alpha:
        log_theta, n_docs = np.zeros(priors.n_topics), documents.n_docs
        for gamma, weight in gammas:
            log_theta += dirichlet_priors.expected_log_sums(
                gamma, None if weight is None else weight.astype(np.float64), workers
            )
    return raised_from_sums(priors, plan, log_theta, n_docs, sstats, documents.n_words, workers)


def raised_from_sums(
    priors: Priors,
    plan: PassSettings,
    log_theta: Doubles | None,
    n_docs: float,
    sstats: Floats,
    n_words: int,
    workers: Workers = dirichlet_priors.ONE_THREAD,
) -> tuple[Priors, float]:
    """As `raised_priors`, of documents of which Σ_d ω_d E[log θ_d], (K,), and Σ_d ω_d are known."""
    alpha, eta, gain = priors.alpha, priors.eta, 0.0
    if plan.learn_alpha:
        assert log_theta is not None
        before, alpha = alpha, dirichlet_priors.newton_alpha(alpha, log_theta, n_docs)
        gain = dirichlet_priors.alpha_objective(alpha, log_theta, n_docs) - dirichlet_priors.alpha_objective(
            before, log_theta, n_docs
        )
    if plan.learn_eta:
        S = sstats[:, : priors.n_topics]
        eta = np.full((1, 1), dirichlet_priors.eta_fixed_point(float(eta[0, 0]), S, n_words, workers))
    return Priors(alpha, eta), gain


def clear(rows: Floats, workers: Workers) -> None:
    """Zero every row, in as many threads as there are."""
    ranges = even_ranges(np.arange(len(rows) + 1), 0, len(rows), ROWS_AT_ONCE)
    workers.run(lambda edges: rows[slice(*edges)].fill(0), ranges)
