"""Online variational Bayes: natural gradient steps on minibatches. Equations (10.1), (10.2).

`OnlineLearner` takes the steps, for `partial_fit` too; `OnlineVB` is the phase of a fit that passes over a corpus.
"""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from typing import NamedTuple

import numpy as np

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.limits import MAX_TOKENS, finite
from ldavi._core.records import Priors, Topics, aligned_zeros
from ldavi._core.saved_arrays import SavedArrays
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepResult, EStepSettings, Part, cut_blocks, e_step
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, PassSettings, Saved, summed_terms
from ldavi._inference.trace import TraceRecord, record
from ldavi._inference.vb_online_priors import LEARN_EVERY, updated_online_priors


@dataclass(frozen=True, slots=True)
class LearningRate:
    """τ0 and κ of the step sizes ρ_t = (τ0 + t)^−κ. Equation (10.1)."""

    offset: float
    decay: float

    def of_step(self, t: int) -> float:
        """Return ρ_t; t counts from 1."""
        return float((self.offset + t) ** -self.decay)


@dataclass(slots=True)
class PassSums:
    """Sums over the documents of a pass, in their order; `n_docs` counts documents, regardless of weights."""

    n_docs: int = 0
    tokens: float = 0.0
    n_inner_iter: int = 0
    word: float = 0.0
    doc_topic: float = 0.0

    def add(self, documents: Documents, result: EStepResult, terms: tuple[float, float]) -> None:
        """Add the documents that follow, their E-step and their terms of the bound."""
        self.n_docs += documents.counts.n_docs
        self.tokens += documents.n_tokens
        self.n_inner_iter += int(result.n_inner_iter.sum())
        self.word += terms[0]
        self.doc_topic += terms[1]

    def add_sums(self, other: "PassSums") -> None:
        """Add the sums over the documents that follow."""
        self.n_docs += other.n_docs
        self.tokens += other.tokens
        self.n_inner_iter += other.n_inner_iter
        self.word += other.word
        self.doc_topic += other.doc_topic

    def record(self, iteration: int, phase: str, topic_word: float, priors: Priors, seconds: float) -> TraceRecord:
        """Return the record of the complete pass."""
        return record(
            iteration,
            phase,
            ELBOTerms(self.word, self.doc_topic, topic_word),
            priors,
            tokens=self.tokens,
            n_inner_iter=self.n_inner_iter / max(1, self.n_docs),
            seconds=seconds,
        )


def saved_sums(saved: SavedArrays) -> PassSums:
    """Return the sums of an interrupted pass."""
    names = [field.name for field in fields(PassSums)]
    return PassSums(**saved.numbers("sums", names, whole=("n_docs", "n_inner_iter")))


class StepStatistics(NamedTuple):
    """What an online step depends on, besides λ and its size.

    Attributes
    ----------
    words : array of shape (words,)
        The columns of X that occur in the documents of the step.
    S : array of shape (words, Kp)
        Their statistics. Equation (11.2).
    weight : float
        Σ_d ω_d.
    n_tokens : float
        Σ_d ω_d N_d.
    bound : float
        The word term and the document term of the documents under the topics before the step.
    """

    words: Int64s
    S: Floats
    weight: float
    n_tokens: float
    bound: float


@dataclass(slots=True)
class OnlineLearner:
    """What online steps change: λ, and priors that are learned.

    Attributes
    ----------
    lam : LazyLambda
    priors : Priors
    settings : PassSettings
    total_weight : float
        Documents (weights) in the whole corpus, D of equation (10.1).
    n_updates : int
    mean_log_theta : array of shape (K,), or None
        The mean of E[log θ_d] over the documents that priors were learned from.
    """

    lam: LazyLambda
    priors: Priors
    settings: PassSettings
    total_weight: float
    n_updates: int = 0
    mean_log_theta: Doubles | None = None

    def update(
        self, documents: Documents, workers: Workers, *, rho: float, ends_pass: bool = False
    ) -> tuple[EStepResult, tuple[float, float]]:
        """Take one step on a minibatch: an E-step over its own words, then a step of size ρ. Equations (10.1), (10.2).

        Parameters
        ----------
        documents : Documents
        rho : float
            The size of the step.
        ends_pass : bool
            Whether these are the last documents of a pass: both priors are then updated, so that a pass without gain
            shows that these have converged, too.

        Returns
        -------
        result : EStepResult
        terms : tuple of float
            The word term and the document term of these documents under the topics before the step.

        Raises
        ------
        ValueError
            If the bound, or λ after the step, would not be finite; nothing has changed then.
        """
        documents = documents.compacted()
        counts, priors = documents.counts, self.priors
        topics = self.topics_of(counts.words, workers)
        gamma = np.empty((counts.n_docs, priors.n_topics), topics.B.dtype)
        sstats = aligned_zeros(topics.B.shape, topics.B.dtype)
        part = Part(documents, cut_blocks(counts, priors.n_topics), slice(None))
        result = e_step(part, topics, priors.alpha, gamma, sstats, self.e_step_settings, workers)
        terms = summed_terms(result, documents, priors, topics)
        statistics = StepStatistics(counts.words, sstats, documents.total_weight, documents.n_tokens, sum(terms))
        self.step(statistics, workers, lambda: documents, rho=rho, ends_pass=ends_pass)
        return result, terms

    @property
    def e_step_settings(self) -> EStepSettings:
        """The settings of the E-step of each document."""
        return EStepSettings(self.settings.warmup_inner_iter, self.settings.tol)

    def topics_of(self, words: Int64s, workers: Workers) -> Topics:
        """Return the topics of some words for the E-step of the next documents."""
        return topics_from(
            self.lam.rows(words),
            self.lam.totals,
            workers,
            point_estimate=self.priors.point_estimate,
            digamma_offset=self.settings.digamma_offset,
        )

    def step(
        self,
        statistics: StepStatistics,
        workers: Workers,
        sample: Callable[[], Documents],
        *,
        rho: float,
        ends_pass: bool,
    ) -> None:
        """Take the step that follows an E-step, as in `update`; `sample` returns documents to learn priors from."""
        words, S, weight, n_tokens, bound = statistics
        finite(bound, f"the bound of the documents of online step {self.n_updates + 1}")
        if weight > 0:
            scale = self.total_weight / weight
            if not scale * n_tokens <= MAX_TOKENS[self.lam.dtype]:
                finite(np.inf, f"the expected number of tokens in the corpus after online step {self.n_updates + 1}")
            self.lam.online_step(words, S, rho=rho, scale=scale)
            if self._learns_priors(ends_pass=ends_pass):
                self._learn_priors(sample(), workers, ends_pass=ends_pass)
        self.n_updates += 1

    def _learns_priors(self, *, ends_pass: bool) -> bool:
        """Return whether priors are updated in the present step: every few steps, and at the end of a pass."""
        learns = self.settings.learn_alpha or self.settings.learn_eta
        return learns and ((self.n_updates + 1) % LEARN_EVERY == 0 or ends_pass)

    def _learn_priors(self, documents: Documents, workers: Workers, *, ends_pass: bool) -> None:
        """Update the priors from documents of this step and the topics after it."""
        step, words, point_estimate = self.n_updates + 1, documents.counts.words, self.priors.point_estimate
        topics = topics_from(self.lam.rows(words), self.lam.totals, workers, point_estimate=point_estimate)
        occasion = -(-step // LEARN_EVERY)
        is_power_of_two = occasion & (occasion - 1) == 0
        self.priors, self.mean_log_theta = updated_online_priors(
            documents,
            topics,
            self.priors,
            self.mean_log_theta,
            self.settings,
            workers,
            occasion=occasion,
            with_eta=ends_pass or is_power_of_two,  # less and less often, since a new η reads and writes all of λ
            total_weight=self.total_weight,
        )
        self.lam.set_priors(self.priors)


@dataclass(slots=True)
class OnlineState:
    """State of online VB between two steps; it changes in place.

    Attributes
    ----------
    learner : OnlineLearner
    iteration : int
        Complete passes.
    started : float
        When the fit began, by `time.perf_counter`.
    sums : PassSums
        Over the documents that the present pass has read.
    completed : PassResult or None
        The topics after the last complete pass, in memory of their own.
    """

    learner: OnlineLearner
    iteration: int
    started: float
    sums: PassSums = field(default_factory=PassSums)
    completed: PassResult | None = None

    @property
    def result(self) -> PassResult | None:
        return self.completed

    def to_arrays(self) -> dict[str, object]:
        learner = self.learner
        return {
            **learner.lam.to_arrays(),
            **learner.priors.to_arrays(),
            "mean_log_theta": learner.mean_log_theta,
            "n_updates": learner.n_updates,
            "scale_to": learner.total_weight,
            "iteration": self.iteration + 1,  # the pass in progress
            "sums": asdict(self.sums),
            "seconds": time.perf_counter() - self.started,
        }


def finish_pass(state: OnlineState) -> TraceRecord:
    """Store the topics after a pass, and return its record."""
    learner, t = state.learner, state.iteration + 1
    lam, priors = learner.lam.materialize(), learner.priors
    topic_word = elbo.topic_term(lam[:, : priors.n_topics], priors)
    record = state.sums.record(t, "online", topic_word, priors, time.perf_counter() - state.started)
    state.completed = PassResult(lam, np.arange(len(lam)), priors, learner.n_updates, t, record.seconds)
    state.iteration, state.sums = t, PassSums()
    return record


@dataclass(frozen=True, slots=True)
class OnlineVB:
    """Online variational Bayes as a phase of a fit.

    Attributes
    ----------
    settings : PassSettings
    n_passes : int
        Maximum number of passes.
    batch_size : int
        Documents per step.
    rate : LearningRate
    n_initial : int
        Steps that the initial topics count for, if they are those of a part of the corpus: passes over it count as
        steps, so that the first steps on all documents do not replace what the passes have found.
    """

    settings: PassSettings
    n_passes: int
    batch_size: int
    rate: LearningRate
    n_initial: int = 0
    name: str = "online VB"

    def prepare(self, documents: DocumentSource) -> DocumentSource:
        return documents

    def start(self, documents: DocumentSource, priors: Priors, initial: Callable[[], PassResult]) -> OnlineState:
        topics = initial()
        rows = topics.all_words(documents.n_words)
        if self.n_initial:
            rows = scaled_to(documents.n_tokens, rows, priors)
        lam, total_weight = LazyLambda(rows, priors), documents.total_weight
        learner = OnlineLearner(lam, priors, self.settings, total_weight, n_updates=self.n_initial)
        return OnlineState(learner, 0, time.perf_counter() - topics.seconds)

    def from_arrays(self, documents: DocumentSource, arrays: Saved) -> OnlineState:
        saved = SavedArrays(arrays, documents.n_words)
        rows = saved.rows("rows", documents.n_words, documents.dtype)
        decay, excess = saved.number("decay"), saved.optional_vector("excess")
        if not 0 < decay <= 1:
            raise ValueError(f"decay={decay!r} is not in (0, 1]")
        lam = LazyLambda.from_arrays({"rows": rows, "decay": decay, "excess": excess}, saved.priors)
        counters = saved.number("scale_to", 0), saved.integer("n_updates"), saved.optional_vector("mean_log_theta")
        learner = OnlineLearner(lam, saved.priors, self.settings, *counters)
        started = time.perf_counter() - saved.number("seconds", 0)
        return OnlineState(learner, saved.integer("iteration", 1, self.n_passes + 1) - 1, started, saved_sums(saved))

    def passes(
        self, documents: DocumentSource, state: OnlineState, workers: Workers
    ) -> Generator[tuple[OnlineState, TraceRecord | None]]:
        """Yield the state after each step, and with a record after each pass.

        The bound of a pass adds the terms of each document under the topics of its step; `exact_bound` evaluates the
        final topics.
        """
        learner = state.learner
        while state.iteration < self.n_passes:
            with closing(documents.parts(self.batch_size, state.sums.n_docs)) as parts:
                for part, is_last in _marking_last(parts):
                    rho = self.rate.of_step(learner.n_updates + 1)
                    state.sums.add(part, *learner.update(part, workers, rho=rho, ends_pass=is_last))
                    yield state, None
            yield state, finish_pass(state)
            learner.lam.detach()  # the next steps must not change the λ of the result


def scaled_to(n_tokens: float, lam: Floats, priors: Priors) -> Floats:
    """Return λ whose expected counts, word-major of shape (V, Kp), are scaled to sum to the tokens of the corpus."""
    eta, scaled = priors.eta.astype(lam.dtype), lam.copy()
    counts = scaled[:, : priors.n_topics]
    counts -= eta
    mass = float(counts.sum(dtype=np.float64))
    counts *= n_tokens / mass if mass > 0 else 1.0
    counts += eta
    return scaled


def _marking_last(parts: Iterable[Documents]) -> Generator[tuple[Documents, bool]]:
    """Yield each part, read one ahead, and whether it is the last."""
    before = None
    for part in parts:
        if before is not None:
            yield before, False
        before = part
    if before is not None:
        yield before, True
