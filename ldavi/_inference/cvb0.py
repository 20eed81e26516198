"""Collapsed variational Bayes (CVB0) as a phase of a fit: passes, priors, records. Sections 18 and 19 of docs/math.md.

Each pass reassigns every count; the topics are an average over passes. The phase starts from topics, as variational
Bayes finds them, or from empty assignments. `cvb0_pass` implements one pass; this module has the priors, the average
and the records.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ldavi._core.chunks import chunks
from ldavi._core.documents import DocumentSource
from ldavi._core.random_bits import pass_seed
from ldavi._core.records import Priors, aligned_copy, aligned_zeros
from ldavi._core.saved_arrays import SavedArrays
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Masses
from ldavi._inference import dirichlet_priors, doc_regression
from ldavi._inference.assignments import LARGEST_MASS, Assignments, uninitialised_assignments
from ldavi._inference.cvb0_pass import DRAW_ALL, MIN_SHARE, rounded_word_counts, update_assignments
from ldavi._inference.passes import PassResult, RecordWriter, Saved
from ldavi._inference.saved_assignments import saved_assignments
from ldavi._inference.topic_samples import TopicSample, sample_topics
from ldavi._inference.trace import TraceRecord

ROWS_AT_ONCE = 2**12  # of n_wk
SAMPLED_TOKENS = 2**15  # minimum sample for learning α; of a larger corpus, this fraction of it
SAMPLED_FRACTION = 32
SAMPLED_TOKENS_WITH_COVARIATES = 2**18  # the same for learning coefficients, of which there are more
LIMITED_ALPHA = 5.0  # Σ_k α_k, at most, where the first α is limited: equation (19.4)
LIMITED_TRUST = 0.75  # weight of the sampled topic counts when α is learned, in the same case: equation (19.5)
SMOOTH_ETA = 0.05  # η_0 of equation (19.7): passes use the geometric mean of η_0 and a smaller learned η
FIRST_MIN_SHARE = 0.5  # first ε from uninitialised assignments: at most one topic of a count is deterministic
FIRST_MIN_SHARE_AFTER_VB = 0.25  # first ε where passes of VB have found topics from random ones
WHOLE_EVERY, WHOLE_UNTIL = 4, 60  # every so many passes, up to so many, assign each count as a whole
WHOLE_EVERY_SHORT, WHOLE_UNTIL_SHORT = 1, 120  # the same for short documents, whose topics take longer to separate
DIVIDED_AT_END = 0.25  # share of the passes at the end without such passes, whose topics are noisier
AVERAGING = 3  # c: pass t has weight (c + 1) / (t + c) in the average, which covers about t / (c + 1) passes


@dataclass(frozen=True, slots=True)
class Cvb0Settings:
    """Settings of the collapsed passes of one phase; passes are counted from 1 within the phase.

    Attributes
    ----------
    seed : int
        The seed of all draws.
    has_topics : bool
        Whether the fit was given topics, or found them by anchor words; ε is then small from the first pass on, so
        that less is sampled, equation (18.6).
    after_vb : bool
        Whether a VB warm-up precedes.
    limits_alpha : bool
        Whether there are 10,000 tokens per topic or more. A learned α then keeps increasing, so its first value and the
        weight of the sampled counts are reduced: equations (19.4), (19.5).
    learn_alpha, learn_eta : bool
    learn_from, learn_every : int
        The first pass after which priors are learned, t0 of (19.6) and (18.6), and the passes between updates.
    n_passes : int
        Planned passes, of which the last quarter draws no count as a whole.
    has_short_documents : bool
        Whether documents have few tokens; more passes then draw counts as a whole.
    """

    seed: int
    has_topics: bool = False
    after_vb: bool = False
    limits_alpha: bool = False
    learn_alpha: bool = False
    learn_eta: bool = False
    learn_from: int = 20
    learn_every: int = 5
    n_passes: int = 1000
    has_short_documents: bool = False

    @property
    def starts_from_topics(self) -> bool:
        """Whether topics precede the first pass, instead of uninitialised assignments."""
        return self.has_topics or self.after_vb

    def seed_of(self, t: int) -> int:
        """Return the seed of the draws of pass t."""
        return pass_seed(self.seed, t)

    def learns_after(self, t: int) -> bool:
        """Return whether priors are learned after pass t."""
        due = t >= self.learn_from and (t - self.learn_from) % self.learn_every == 0
        return due and (self.learn_alpha or self.learn_eta)

    def min_share_of(self, t: int) -> float:
        """Return ε of pass t: larger in early passes, so that more of each count is sampled. Equation (18.6).

        In every fourth pass each count is assigned as a whole to one sampled topic, in every pass if documents are
        short. Passes that divide counts do not separate topics that share their words; a pass that does not divide them
        does.
        """
        short = self.has_short_documents
        every, until = (WHOLE_EVERY_SHORT, WHOLE_UNTIL_SHORT) if short else (WHOLE_EVERY, WHOLE_UNTIL)
        if t % every == 0 and t <= min((1 - DIVIDED_AT_END) * self.n_passes, until):
            return DRAW_ALL
        first = MIN_SHARE if self.has_topics else FIRST_MIN_SHARE_AFTER_VB if self.after_vb else FIRST_MIN_SHARE
        return min(first, max(MIN_SHARE, first * self.learn_from / t))


@dataclass(slots=True)
class Cvb0State:
    """State of CVB0 between two passes; it changes in place.

    Attributes
    ----------
    iteration : int
        Passes of the fit so far.
    assignments : Assignments
        q(z) of every count, and its sums.
    average : array of shape (U, Kp)
        The average of n_wk over passes, in tokens. Equation (18.8).
    priors : Priors
    seconds : float
        Time since the fit began.
    pseudocounts : array of shape (U, Kp) or None
        Masses added to n_wk for the topics to start from, until the first pass is over. Equation (18.5).
    completed : PassResult or None
        The topics after the last pass.
    """

    iteration: int
    assignments: Assignments
    average: Floats
    priors: Priors
    seconds: float
    pseudocounts: Masses | None = None
    completed: PassResult | None = None

    @property
    def result(self) -> PassResult | None:
        return self.completed

    def to_arrays(self) -> dict[str, object]:
        return {
            "N": self.assignments.N,
            "totals": self.assignments.totals,
            "topic": self.assignments.topic.views(),
            "share": self.assignments.share.views(),
            "average": self.average,
            "iteration": self.iteration,
            **self.priors.to_arrays(),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Cvb0:
    """Collapsed variational Bayes as a phase of a fit.

    Attributes
    ----------
    settings : Cvb0Settings
    n_passes : int
        Maximum number of passes.
    first : int
        Passes of earlier phases.
    """

    settings: Cvb0Settings
    n_passes: int
    first: int = 0
    name: str = "CVB0"

    def prepare(self, documents: DocumentSource) -> DocumentSource:
        return documents.compacted()

    def start(self, documents: DocumentSource, priors: Priors, initial: Callable[[], PassResult]) -> Cvb0State:
        has_regression = priors.regression is not None
        assignments = uninitialised_assignments(documents, priors.n_topics, is_always_dense=has_regression)
        priors, seconds, pseudocounts = initial_priors(priors, self.settings), 0.0, None
        if self.settings.starts_from_topics:
            topics = initial()
            seconds = topics.seconds
            pseudocounts = add_pseudocounts(assignments, topics.rows_of(documents.vocabulary.words), priors)
        average = aligned_zeros((len(documents.vocabulary.words), assignments.width), documents.dtype)
        return Cvb0State(self.first, assignments, average, priors, seconds, pseudocounts)

    def from_arrays(self, documents: DocumentSource, arrays: Saved) -> Cvb0State:
        saved = SavedArrays(arrays, documents.n_words)
        priors, iteration = saved.priors, saved.integer("iteration", self.first + 1, self.first + self.n_passes)
        assignments = saved_assignments(documents, saved)
        average = aligned_copy(saved.rows("average", len(documents.vocabulary.words), documents.dtype))
        state = Cvb0State(iteration, assignments, average, priors, saved.number("seconds", 0))
        state.completed = _result_of(state)
        return state

    def passes(
        self, documents: DocumentSource, state: Cvb0State, workers: Workers
    ) -> Generator[tuple[Cvb0State, TraceRecord]]:
        """Yield the state, which changes in place, and the record after each pass. Equations (18.2)-(18.4), (18.8)."""
        settings, writer = self.settings, RecordWriter.after(documents, state.seconds)
        with closing(state.assignments):
            for t in range(state.iteration - self.first + 1, self.n_passes + 1):
                log_predictive = update_assignments(
                    state.assignments,
                    smoothed_priors(state.priors, settings, t),
                    workers,
                    seed=settings.seed_of(t),
                    min_share=settings.min_share_of(t),
                )
                _remove_pseudocounts(state)
                update_average(state.average, state.assignments, (AVERAGING + 1) / (t + AVERAGING), workers)
                if settings.learns_after(t):
                    state.priors = learned_priors(state.assignments, state.priors, settings, t, workers)
                record = writer.predictive_record(self.first + t, "collapsed", log_predictive, state.priors)
                state.iteration, state.seconds = record.iteration, record.seconds
                state.completed = _result_of(state)
                yield state, record


def _result_of(state: Cvb0State) -> PassResult:
    """Return the topics λ = η + average, in memory of their own."""
    words, priors, lam = state.assignments.vocabulary.words, state.priors, state.average.copy()
    lam[:, : priors.n_topics] += priors.eta_rows(words).astype(lam.dtype)
    return PassResult(lam, words, priors, state.iteration, state.iteration, state.seconds)


def add_pseudocounts(assignments: Assignments, lam: Floats, priors: Priors) -> Masses:
    """Add masses in proportion to the topics of λ to n_wk, and return them. Equation (18.5).

    Parameters
    ----------
    lam : array of shape (U, Kp)
        λ of the words that occur.
    """
    assignments.make_dense()  # λ gives most words mass in most topics
    eta, added = priors.eta_rows(assignments.vocabulary.words), np.empty_like(assignments.N)
    slices = list(chunks(len(lam), ROWS_AT_ONCE))  # so that there are no further (U, Kp) arrays

    def above_prior(part: slice) -> Floats:
        rows = lam[part].copy()
        rows[:, : priors.n_topics] -= (eta if len(eta) == 1 else eta[part]).astype(rows.dtype)
        np.maximum(rows, 0, out=rows)
        return rows

    mass = sum(float(above_prior(part).sum(dtype=np.float64)) for part in slices)
    scale = assignments.units / mass if mass else 0
    for part in slices:
        rows = above_prior(part)
        rows *= scale
        np.minimum(rows, 0.99 * LARGEST_MASS[rows.dtype], out=rows)  # N holds as much again at the end of the pass
        added[part] = np.rint(rows)
    assignments.N += added
    assignments.totals += added.sum(axis=0, dtype=np.float64)
    return added


def _remove_pseudocounts(state: Cvb0State) -> None:
    """Subtract the pseudo-counts after the first pass and release their memory."""
    if state.pseudocounts is None:
        return
    state.assignments.N -= state.pseudocounts
    state.assignments.totals -= state.pseudocounts.sum(axis=0, dtype=np.float64)
    state.pseudocounts = None
    state.assignments.make_sparse()


def update_average(average: Floats, assignments: Assignments, rho: float, workers: Workers) -> None:
    """Set average ← (1 − ρ) average + ρ n_wk, in tokens. Equation (18.8)."""

    def update(part: slice) -> None:
        rows = average[part]
        rows *= 1 - rho
        if assignments.sparse is None:
            rows += (rho / assignments.unit) * assignments.N[part].astype(rows.dtype)
        else:
            row, topic, mass = assignments.sparse.entries(part.start, part.stop)
            rows[row, topic] += (rho / assignments.unit) * mass.astype(rows.dtype)

    workers.run(update, chunks(len(average), ROWS_AT_ONCE))


def initial_priors(priors: Priors, settings: Cvb0Settings) -> Priors:
    """Return the priors that learning starts from: a smaller α where topics have many tokens. Equation (19.4)."""
    if not (settings.limits_alpha and settings.learn_alpha):
        return priors
    largest, regression = LIMITED_ALPHA / priors.n_topics, priors.regression
    if regression is not None:
        coef = regression.coef.copy()
        coef[0] = np.minimum(coef[0], np.log(largest))
        regression = replace(regression, coef=coef)
    return Priors(np.minimum(priors.alpha, largest), priors.eta, regression)


def smoothed_priors(priors: Priors, settings: Cvb0Settings, t: int) -> Priors:
    """Return the priors of pass t: a learned α closer to its mean in each pass, a larger learned η. (19.6), (19.7).

    A prior that depends on covariates stays as it is: even values would make their effects smaller.
    """
    alpha, eta = priors.alpha, priors.eta
    if settings.learn_alpha and t > settings.learn_from:
        even = alpha ** (settings.learn_from / t)
        alpha = even * (alpha.sum() / even.sum())
    if settings.learn_eta:
        eta = np.maximum(eta, np.sqrt(eta * SMOOTH_ETA))
    return replace(priors, alpha=alpha, eta=eta)


def learned_priors(
    assignments: Assignments, priors: Priors, settings: Cvb0Settings, t: int, workers: Workers
) -> Priors:
    """Return α that maximises the evidence of sampled topics, and η that maximises that of n_wk. (19.1), (19.3)."""
    eta = priors.eta
    if settings.learn_alpha and priors.regression is not None:
        priors = learned_from_covariates(assignments, priors, settings, t, workers)
    elif settings.learn_alpha:
        counts = sampled_topic_counts(assignments, priors, settings, t, workers)
        priors = replace(priors, alpha=learned_alpha(counts, priors.alpha, settings))
    if settings.learn_eta:
        words = rounded_word_counts(assignments, workers, seed=learning_seed(settings, t))
        eta = learned_eta(words, eta, assignments.vocabulary.n_words)
    return replace(priors, eta=eta)


def learning_seed(settings: Cvb0Settings, t: int) -> int:
    """Return the seed of the samples that priors are learned from after pass t."""
    return pass_seed(settings.seed + 1, t)


def sampled_topic_counts(
    assignments: Assignments, priors: Priors, settings: Cvb0Settings, t: int, workers: Workers
) -> dirichlet_priors.GroupedCounts:
    """Return the counts of topics that are sampled for part of the documents. Equation (19.5)."""
    n_topics, step = priors.n_topics, document_step(assignments, SAMPLED_TOKENS)
    samples = _samples(assignments, priors, settings, t, step, workers)
    grouped = (dirichlet_priors.group_counts(each.document, each.topic, n_topics, each.weight) for each in samples)
    return reduce(dirichlet_priors.merge_counts, grouped)  # one by one, since batches may be many


def learned_from_covariates(
    assignments: Assignments, priors: Priors, settings: Cvb0Settings, t: int, workers: Workers
) -> Priors:
    """Return coefficients, and α of documents without covariates, that raise the evidence of sampled topics. (24.4)."""
    n_topics, step = priors.n_topics, document_step(assignments, SAMPLED_TOKENS_WITH_COVARIATES)
    [sample] = _samples(assignments, priors, settings, t, step, workers)  # documents with covariates are one part
    [blocked] = assignments.blocked
    covariates = blocked.documents.covariates
    assert covariates is not None
    assert priors.regression is not None
    group = covariates.group[sample.documents]
    counts = doc_regression.group_topic_counts(
        covariates.values, group, step * sample.weight, sample.document, sample.topic, n_topics
    )
    of_all = dirichlet_priors.group_counts(sample.document, sample.topic, n_topics, sample.weight)
    regression = doc_regression.updated_by_evidence(priors.regression, counts)
    return replace(priors, alpha=learned_alpha(of_all, priors.alpha, settings), regression=regression)


def document_step(assignments: Assignments, least: int) -> int:
    """Return n so that every n-th document holds SAMPLED_FRACTION of the tokens, or `least` if that is more."""
    n_tokens = assignments.max_sampled
    return max(1, int(np.ceil(n_tokens / max(least, n_tokens / SAMPLED_FRACTION))))


def _samples(
    assignments: Assignments, priors: Priors, settings: Cvb0Settings, t: int, step: int, workers: Workers
) -> Iterator[TopicSample]:
    smoothed, first = smoothed_priors(priors, settings, t), t // settings.learn_every
    return sample_topics(assignments, smoothed, workers, first=first, step=step, seed=learning_seed(settings, t))


def learned_alpha(counts: dirichlet_priors.GroupedCounts, alpha: Doubles, settings: Cvb0Settings) -> Doubles:
    """Return the α under which the sampled topics are most probable. Equation (19.5)."""
    trust = LIMITED_TRUST if settings.limits_alpha else 1.0
    return dirichlet_priors.fixed_point(counts._replace(times=trust * counts.times), alpha, len(alpha))


def learned_eta(counts: dirichlet_priors.GroupedCounts, eta: Doubles, n_words: int) -> Doubles:
    """Return the η under which the rounded n_wk are most probable, of the shape (1, 1) of `eta`."""
    return dirichlet_priors.fixed_point(counts, eta[0], n_words)[None, :]
