"""From an estimator's parameters to the loop that learns: by which method, how documents are visited, when it is enough."""

import functools
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

from ldavi._core.corpus import Corpus, Documents
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._core.typing import Floats, Int64s
from ldavi._estimator.validation import begins_collapsed
from ldavi._inference import initialization
from ldavi._inference.anchor_words import DocumentSample, anchor_word_lambda, sample_corpus, sampling_step
from ldavi._inference.cvb0 import (
    CollapsedPlan,
    fit_batch_after,
    fit_collapsed,
    go_on_with_batch_after,
    go_on_with_collapsed,
)
from ldavi._inference.trace import TraceRecord, relative_gain
from ldavi._inference.validation_set import ValidationSet, split_half
from ldavi._inference.vb_batch import PassResult, PassSettings, fit_batch, go_on_with_batch
from ldavi._inference.vb_memoized import fit_memoized, go_on_with_memoized
from ldavi._inference.vb_online import LearningRate, OnlineState, PassSums, exact_record, fit_online, passes

AnyCorpus = TypeVar("AnyCorpus", bound=Corpus)
Origin: TypeAlias = Literal["given", "documents", "noise"]

WARMUP_PASSES = {"noise": 10, "documents": 5}  # by where topics start, and at most half of max_iter
LEAD_PASSES = {"noise": 30, "documents": 5}  # likewise, variational ones that a collapsed fit begins with
COLLAPSED_BEFORE = 20  # passes of a collapsed fit that VB goes on from with init="cvb0", and at most half of max_iter
WARMUP_SWEEPS = 5
WARMUP_OFFSET = 0.5
MONOTONE_SWEEPS = 2
ONLINE_SWEEPS = 5
STEPS_OF_A_PASS = 128  # about
SMALLEST_STEP, LARGEST_STEP = 2**6, 2**12  # documents
STEP = 128  # documents, of a corpus whose size is not known; and of a batch of a lap, at least
MEMOIZED_BATCHES = 32  # of a lap, at most: each keeps statistics of its words
COLLAPSED_WINDOW = 25  # collapsed passes, at least, whose mean objective is compared with that of those before
COLLAPSED_TOLERANCE = 3  # times tol, between a quarter of the passes and the quarter before it
MANY_TOKENS = 10_000  # of a topic: with fewer, what VB makes of noise is a worse start for a collapsed fit than none
LEARN_FROM = 20  # the collapsed pass after which priors are first learned, and at most half of those
LEARN_FROM_TOPICS = 5  # likewise, where there are topics from the first pass on
FINAL_SWEEPS = 20
VALIDATE_EVERY = 5  # passes


def is_auto(prior: Any) -> bool:
    """Whether a prior is to be learned."""
    return isinstance(prior, str) and prior == "auto"


def learns_eta(estimator: Any) -> bool:
    """Whether a symmetric η is learned; seed words make it another in each topic."""
    return is_auto(estimator.topic_word_prior) and estimator.seed_words is None


def batch_plan(estimator: Any, origin: Origin) -> PassSettings:
    """How a batch or memoized fit visits documents, by where topics start; given ones let them settle at once."""
    most, goes_on = estimator.max_doc_update_iter, origin == "given"
    return PassSettings(
        warmup=1 if goes_on else min(WARMUP_PASSES[origin], estimator.max_iter // 2),
        warmup_inner_iter=most if goes_on else min(most, WARMUP_SWEEPS),
        monotone_inner_iter=min(most, MONOTONE_SWEEPS),
        max_inner_iter=most,
        tol=estimator.mean_change_tol,
        offset=0.0 if goes_on else WARMUP_OFFSET,
        learn_alpha=is_auto(estimator.doc_topic_prior),
        learn_eta=learns_eta(estimator),
    )


def collapsed_plan(estimator: Any, documents: Corpus, start: "Start", n_passes: int) -> CollapsedPlan:
    """How a collapsed fit of so many passes begins, and when it learns priors."""
    known, many = start.origin != "noise", documents.n_tokens >= MANY_TOKENS * estimator.n_components
    n_lead = 0
    if start.origin == "documents" or (start.origin == "noise" and many):
        n_lead = min(LEAD_PASSES[start.origin], n_passes // 2)
    learn_from = LEARN_FROM_TOPICS if known else LEARN_FROM
    return CollapsedPlan(
        start.seed,
        batch_plan(estimator, start.origin) if n_lead else None,
        n_lead,
        has_topics=known,
        cautious=many and not start.goes_on,
        learn_alpha=is_auto(estimator.doc_topic_prior),
        learn_eta=learns_eta(estimator),
        learn_from=max(1, min(learn_from, (n_passes - n_lead) // 2)),
    )


def collapsed_before(estimator: Any, start: "Start") -> int:
    """How many passes of a collapsed fit the ascent of a batch fit begins after."""
    asked = begins_collapsed(estimator) and not start.goes_on
    return min(COLLAPSED_BEFORE, estimator.max_iter // 2) if asked else 0


def step_size(batch_size: int | str, n_docs: float | None) -> int:
    """Documents of an online step: as many as were asked for, or "auto".

    Fewer steps leave topics as they began, and many small ones weigh each by the noise of its documents; some hundred serve
    a corpus of any size. A power of two divides the batches that documents may come in.

    Parameters
    ----------
    batch_size : int or "auto"
    n_docs : float or None
        In the whole corpus, if that is known.
    """
    if not isinstance(batch_size, str):
        return batch_size
    if n_docs is None:
        return STEP
    nearest = 1 << round(math.log2(max(1.0, n_docs / STEPS_OF_A_PASS)))
    return min(max(nearest, SMALLEST_STEP), LARGEST_STEP)


def step_of_fit(estimator: Any, documents: Corpus) -> int:
    """Documents of an online step of `fit`, weights aside; what other fits sum by themselves."""
    if estimator.learning_method != "online":
        return step_size(estimator.batch_size, None)
    n_docs = documents.counts.n_docs if isinstance(documents, Documents) else documents.n_docs
    return step_size(estimator.batch_size, n_docs)


def online_plan(estimator: Any) -> PassSettings:
    """How an online visit goes: as in a warm-up that never ends, offset and all, which makes its steps those of SCVB0."""
    most = estimator.max_doc_update_iter
    return PassSettings(
        0,
        min(most, ONLINE_SWEEPS),
        0,
        tol=estimator.mean_change_tol,
        max_inner_iter=most,
        offset=WARMUP_OFFSET,
        learn_alpha=is_auto(estimator.doc_topic_prior),
        learn_eta=learns_eta(estimator),
    )


@dataclass(frozen=True, slots=True)
class Start:
    """Where a fit starts.

    Attributes
    ----------
    lam : callable
        Makes λ, word-major of shape (V, Kp), in memory of its own.
    origin : {"given", "documents", "noise"}
        What λ says something of: topics that were there before, what the documents tell of theirs, or nothing.
    seed : int
        Of the draws of collapsed passes.
    """

    lam: Callable[[], Floats]
    origin: Origin
    seed: int

    @property
    def goes_on(self) -> bool:
        """Whether topics are not to be found, but to be gone on from."""
        return self.origin == "given"


def start_of(
    estimator: Any,
    documents: Corpus,
    priors: Priors,
    random_state: np.random.RandomState,
    *,
    online: bool,
    again: bool = False,
    look: Callable[[int], DocumentSample] | None = None,
) -> Start:
    """Where a fit starts: the topics so far, those of `init`, topics as far apart as documents tell, or noise.

    With `init="cvb0"` a fit starts where that with "auto" does; what else it asks for is a matter of the loop.

    Parameters
    ----------
    online : bool
        Whether it takes steps, which begin with noise: a batch tells little, and steps are few and large at first.
    again : bool
        Whether another start came before: what documents tell of topics is told once.
    look : callable, optional
        How to look at every n-th document, where `documents` does not have them.
    """
    K, n_words, dtype = priors.n_topics, documents.n_words, documents.dtype
    shape = K, n_words
    noise_seeds, seed = random_state.randint(0, 2**31 - 1, size=4), int(random_state.randint(0, 2**31 - 1))
    if estimator.warm_start and estimator.__sklearn_is_fitted__():
        lam = estimator.components_
        if lam.shape != shape:
            msg = (
                f"warm_start=True goes on from topics of shape {lam.shape}, but n_components and X make {shape}; "
                "set warm_start=False to start anew"
            )
            raise ValueError(msg)
        return Start(lambda: initialization.word_major(lam, dtype), origin="given", seed=seed)
    if not isinstance(estimator.init, str):
        topics = initialization.given_topics(estimator.init, *shape)
        mass = documents.n_tokens / K
        return Start(lambda: initialization.lambda_from_topics(topics, mass, priors, dtype), origin="given", seed=seed)
    told_apart = bool(np.any(priors.eta != priors.eta[:, :1]))  # and so have numbers of their own
    if estimator.init != "random" and not (online or again or told_apart):
        look = look or functools.partial(sample_corpus, documents)
        return Start(lambda: _topics_apart(documents, look, priors, noise_seeds), origin="documents", seed=seed)
    return Start(
        lambda: initialization.random_lambda(noise_seeds, n_words, priors, dtype, dispersed=online),
        origin="noise",
        seed=seed,
    )


def _topics_apart(
    documents: Corpus, look: Callable[[int], DocumentSample], priors: Priors, noise_seeds: Int64s
) -> Floats:
    """λ of topics as far apart as every n-th document tells."""
    n_tokens = documents.n_tokens  # which has the documents read, and so counted, if they are not in memory
    seen = look(sampling_step(n_tokens, documents.n_read, priors.n_topics))
    return anchor_word_lambda(seen, documents.n_words, priors, noise_seeds, documents.dtype)


def set_aside(
    documents: AnyCorpus, fraction: float | None, random_state: np.random.RandomState
) -> tuple[AnyCorpus | Documents, ValidationSet | None]:
    """The documents to learn from, and those to stop by."""
    if fraction is None:
        return documents, None
    assert isinstance(documents, Documents)
    n_docs = documents.counts.n_docs
    n_aside = round(fraction * n_docs)
    if not 0 < n_aside < n_docs:
        msg = (
            f"validation_fraction={fraction!r} of {n_docs} documents sets {n_aside} aside, and must leave some on both "
            "sides: use more documents, or None"
        )
        raise ValueError(msg)
    aside = np.zeros(n_docs, bool)
    aside[random_state.permutation(n_docs)[:n_aside]] = True
    validated = documents.pick(aside).counts
    return documents.pick(~aside), split_half(validated, random_state.uniform(size=len(validated.indices)))


def learning_loop(
    estimator: Any, documents: Corpus, priors: Priors, start: Start, workers: Workers, keeping: "Keeping"
) -> Generator[PassResult]:
    """The loop that the parameters ask for, from its start or from where a checkpoint has it."""
    if estimator.learning_method == "online":
        steps = LearningRate(estimator.learning_offset, estimator.learning_decay)
        plan, size = online_plan(estimator), step_of_fit(estimator, documents)
        state = keeping.online_state(plan)
        if state is not None:
            return passes(state, documents, workers, batch_size=size, steps=steps, after_step=keeping.after_step)
        lam, after_step = start.lam(), keeping.after_step
        return fit_online(documents, priors, lam, plan, workers, batch_size=size, steps=steps, after_step=after_step)
    kept = keeping.loop_state()
    if estimator.inference == "cvb0":  # its statistics are those of every count: nothing is left for "memoized" to keep
        assert isinstance(documents, Documents)
        collapsed = collapsed_plan(estimator, documents, start, estimator.max_iter)
        if kept is not None:
            return go_on_with_collapsed(documents, priors, kept, collapsed, workers)
        return fit_collapsed(documents, priors, collapsed_start(start, collapsed), collapsed, workers)
    if estimator.learning_method == "batch":
        return _batch_loop(estimator, documents, priors, start, workers, kept)
    plan = batch_plan(estimator, start.origin)
    size = max(step_of_fit(estimator, documents), -(-documents.n_read // MEMOIZED_BATCHES))
    if kept is not None:
        assert isinstance(documents, Documents)
        return go_on_with_memoized(documents, kept, plan, workers, batch_size=size)
    return fit_memoized(documents, priors, start.lam(), plan, workers, batch_size=size)


def _batch_loop(
    estimator: Any, documents: Corpus, priors: Priors, start: Start, workers: Workers, kept: dict[str, Any] | None
) -> Generator[PassResult]:
    """Coordinate ascent, from the start or from what some collapsed passes make of it."""
    n_before = collapsed_before(estimator, start)
    if not n_before:
        plan = batch_plan(estimator, start.origin)
        if kept is None:
            return fit_batch(documents, priors, start.lam(), plan, workers)
        assert isinstance(documents, Documents)
        return go_on_with_batch(documents, kept, plan, workers)
    assert isinstance(documents, Documents)
    collapsed = collapsed_plan(estimator, documents, start, n_before)
    plan = replace(batch_plan(estimator, "given"), warmup=n_before + 1)
    if kept is None:
        begins = collapsed_start(start, collapsed)
        return fit_batch_after(documents, priors, begins, collapsed, n_before, plan, workers)
    return go_on_with_batch_after(documents, priors, kept, collapsed, n_before, plan, workers)


def collapsed_start(start: Start, plan: CollapsedPlan) -> Floats | None:
    """λ that a collapsed fit starts from; None where it starts from nothing."""
    return start.lam() if plan.has_topics or plan.n_lead else None


def final_record(
    estimator: Any, documents: Corpus, learned: PassResult, workers: Workers, keeping: "Keeping"
) -> TraceRecord | None:
    """The exact ELBO after a loop that had none, or was left before it had one."""
    collapsed = estimator.inference == "cvb0" or learned.record.phase == "collapsed"
    if estimator.learning_method != "online" and not collapsed:
        return None
    most = estimator.max_doc_update_iter
    return exact_record(
        documents,
        learned,
        workers,
        max_inner_iter=min(FINAL_SWEEPS, most) if collapsed else most,
        tol=estimator.mean_change_tol,
        batch_size=step_of_fit(estimator, documents),
        sums=keeping.final_sums(),
        after_part=keeping.after_part,
    )


class Keeping(Protocol):
    """What keeps a fit's state, and hands it back to one that goes on: `ldavi._estimator.checkpointing.Keeper`."""

    def online_state(self, plan: PassSettings) -> OnlineState | None:
        """Where an online fit goes on; None at its beginning."""

    def after_step(self, state: OnlineState) -> None:
        """Is shown where an online fit stands."""

    def loop_state(self) -> dict[str, Any] | None:
        """Where another fit goes on, as `Learned.state`; None at its beginning."""

    def final_sums(self) -> PassSums | None:
        """Where the final record goes on; None at its beginning."""

    def after_part(self, sums: PassSums) -> None:
        """Is shown how far the final record has come."""


@dataclass(slots=True)
class Progress:
    """The records of a fit, and whether they say that it is enough."""

    records: list[TraceRecord] = field(default_factory=list)
    converged: bool = False

    def settled(self, tol: float) -> bool:
        """Whether the objective has stopped rising by as much as `tol` of itself."""
        now = self.records[-1]
        if now.phase == "collapsed":
            return self._drift() < COLLAPSED_TOLERANCE * tol
        before = [record for record in self.records[:-1] if record.phase == now.phase]
        return bool(before) and relative_gain(before[-1], now) < tol

    def _drift(self) -> float:
        """By how much of itself a collapsed objective rose from the last quarter of the passes but one to the last.

        Draws make each pass a little uneven, and topics improve slowly for long: hundreds of passes, of which ten show
        nothing; in the first hundred, what is drawn and α change, equations (44) and (45).
        """
        objective = [record.objective for record in self.records if record.phase == "collapsed"]
        window = len(objective) // 4
        if window < COLLAPSED_WINDOW:
            return np.inf
        last, before = np.mean(objective[-window:]), np.mean(objective[-2 * window : -window])
        return float((last - before) / max(abs(last), np.finfo(float).tiny))

    def evaluated(self, every: int, tol: float) -> bool:
        """scikit-learn's rule: whether the training perplexity changed by less than `tol` in `every` passes."""
        now = self.records[-1]
        before = [record for record in self.records[:-1] if record.phase == now.phase]
        if every <= 0 or now.iteration % every or len(before) < every:
            return False
        return abs(before[-every].perplexity - now.perplexity) < tol

    @property
    def reached(self) -> float:
        """The ELBO at the end: what starts are compared by. One that was left before it had any has come to nothing."""
        elbo = self.records[-1].elbo
        return -np.inf if np.isnan(elbo) else elbo

    def best_validation(self) -> float:
        """The lowest perplexity of the documents set aside; infinite before the first."""
        measured = [record.validation for record in self.records if not np.isnan(record.validation)]
        return min(measured, default=np.inf)

    def stale(self, n_checks: int) -> bool:
        """Whether the last `n_checks` validations were none of them the best."""
        measured = [record.validation for record in self.records if not np.isnan(record.validation)]
        return len(measured) > n_checks and min(measured[-n_checks:]) >= min(measured[:-n_checks])


@dataclass(slots=True)
class Run:
    """One start of a fit and what came of it."""

    progress: Progress = field(default_factory=Progress)
    learned: PassResult | None = None  # of the last whole pass, or of the pass that predicts best what was set aside
