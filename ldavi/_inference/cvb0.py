"""The learning loop of collapsed variational Bayes, batch: a pass, the priors, the record. Equations (30)-(36), (44)-(49).

A generator like those of `ldavi._inference.vb_batch`. It begins with theirs where topics have tokens enough: their passes cost half as much
and do not grope about as counts do that start from nothing. From then on its topics are an average over passes. The other way
round, a few of its passes find topics that theirs go on from.
"""

import itertools
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ldavi._core.corpus import Documents
from ldavi._core.random_bits import pass_seed
from ldavi._core.records import Priors, aligned_copy, aligned_zeros
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Masses
from ldavi._inference import dirichlet_priors
from ldavi._inference.cvb0_pass import (
    LARGEST,
    MIN_SHARE,
    ROWS_AT_ONCE,
    Assignments,
    rounded_word_counts,
    sample_topics,
    uninitialised_assignments,
    update_assignments,
)
from ldavi._inference.vb_batch import PassResult, PassSettings, RecordWriter, all_words, fit_batch, go_on_with_batch

SAMPLED_TOKENS = 2**15  # for learning α, at least; of a larger corpus, this part of it
SAMPLED_PART = 32
CAUTIOUS_ALPHA = 5.0  # Σ_k α_k, at most, where learning begins cautiously: documents need not be shared among all
CAUTIOUS_TRUST = 0.75  # c: weight of what topics occur in documents when α is learned, likewise
SMOOTH = 0.05  # η_0: counts are visited with an η half way to it, by logarithms, from a smaller one that is learned
FIRST_MIN_SHARE = 0.5  # as KEPT_ABOVE: at most one topic of a count is kept, the rest is drawn
FIRST_MIN_SHARE_AFTER_VB = 0.25  # likewise, where VB has found topics
AVERAGING = 3  # c: pass t has the weight (c + 1) / (t + c) in the average, so that some t / (c + 1) passes make it up


@dataclass(frozen=True, slots=True)
class CollapsedPlan:
    """How a fit begins, and when priors are learned. Passes are the collapsed ones.

    Attributes
    ----------
    seed : int
        That all draws of the fit derive from.
    lead : Plan or None
        How documents are visited in the variational passes that the fit begins with; None begins without.
    n_lead : int
        How many passes that is.
    has_topics : bool
        Whether the fit starts from topics: it is not to lose them by drawing, equation (45).
    cautious : bool
        Whether topics have so many tokens that an α which is learned feeds on what it blurs: equations (48), (49).
    learn_alpha, learn_eta : bool
    learn_from, learn_every : int
        The first pass after which priors are learned, t0 of (44) and (45), and how many passes lie between.
    """

    seed: int
    lead: PassSettings | None = None
    n_lead: int = 0
    has_topics: bool = False
    cautious: bool = False
    learn_alpha: bool = False
    learn_eta: bool = False
    learn_from: int = 20
    learn_every: int = 5

    def learns_after(self, t: int) -> bool:
        """Whether the priors are learned after this pass."""
        due = t >= self.learn_from and (t - self.learn_from) % self.learn_every == 0
        return due and (self.learn_alpha or self.learn_eta)


def fit_collapsed(
    documents: Documents, priors: Priors, start: Floats | None, plan: CollapsedPlan, workers: Workers
) -> Generator[PassResult]:
    """Find topics as VB does, if so planned; assign every count anew, pass after pass: equations (31) to (33), (39).

    Parameters
    ----------
    start : array of shape (V, Kp), or None
        λ that the topics start from; its memory is used. None deals out the documents one block after another, each by what
        those before it hold.
    """
    if plan.lead is not None:
        assert start is not None
        return _led(documents, fit_batch(documents, priors, start, plan.lead, workers), priors, plan, workers)
    documents, words = documents.compacted()
    return _from_topics(documents, None if start is None else start[words], priors, plan, workers)


def go_on_with_collapsed(
    documents: Documents, priors: Priors, kept: dict[str, Any], plan: CollapsedPlan, workers: Workers
) -> Generator[PassResult]:
    """`fit_collapsed` from the state of one of its passes.

    Parameters
    ----------
    priors : Priors
        Those that the fit began with, and that its collapsed passes are to begin with: those kept may be of VB's topics.
    """
    done, seconds = kept["iteration"], kept["seconds"]
    if plan.lead is not None and done < plan.n_lead:
        return _led(documents, go_on_with_batch(documents, kept, plan.lead, workers), priors, plan, workers, done=done)
    documents, _ = documents.compacted()
    if done == plan.n_lead:
        return _from_topics(documents, kept["lam"], priors, plan, workers, seconds=seconds)
    state = uninitialised_assignments(documents.counts, documents.weight, priors.n_topics)
    state.N[:], state.totals[:] = kept["N"], kept["totals"]
    for block, topic, share in zip(state.blocks, kept["topic"], kept["share"], strict=True):
        block.topic[:], block.share[:] = topic, share
    average, nothing = aligned_copy(kept["average"]), np.zeros((0, 0), state.N.dtype)
    priors = Priors(kept["alpha"], kept["eta"])
    done -= plan.n_lead
    return collapsed_passes(documents, state, average, nothing, priors, plan, workers, done=done, seconds=seconds)


def fit_batch_after(
    documents: Documents,
    priors: Priors,
    start: Floats | None,
    collapsed: CollapsedPlan,
    n_collapsed: int,
    plan: PassSettings,
    workers: Workers,
) -> Generator[PassResult]:
    """Coordinate ascent from the topics that the first `n_collapsed` passes of `fit_collapsed` find; priors begin again."""
    loop = fit_collapsed(documents, priors, start, collapsed, workers)
    return _then_batch(documents, priors, loop, n_collapsed, plan, workers)


def go_on_with_batch_after(
    documents: Documents,
    priors: Priors,
    kept: dict[str, Any],
    collapsed: CollapsedPlan,
    n_collapsed: int,
    plan: PassSettings,
    workers: Workers,
) -> Generator[PassResult]:
    """`fit_batch_after` from the state of one of its passes."""
    done = kept["iteration"]
    if done > n_collapsed:
        return go_on_with_batch(documents, kept, plan, workers)
    if done == n_collapsed:
        return fit_batch(documents, priors, kept["lam"], plan, workers, done=done, seconds=kept["seconds"])
    loop = go_on_with_collapsed(documents, priors, kept, collapsed, workers)
    return _then_batch(documents, priors, loop, n_collapsed, plan, workers, done=done)


def _then_batch(
    documents: Documents,
    priors: Priors,
    loop: Generator[PassResult],
    n_collapsed: int,
    plan: PassSettings,
    workers: Workers,
    *,
    done: int = 0,
) -> Generator[PassResult]:
    """What is left of the passes of `loop`, and the ascent from the topics that they lead to."""
    yield from itertools.islice(loop, n_collapsed - done - 1)
    last = next(loop)
    loop.close()
    found, seconds = [all_words(last, documents.n_words)], last.record.seconds  # a list, to let go of λ
    yield last._replace(state={"iteration": n_collapsed, "lam": found[0], "seconds": seconds})
    del last
    yield from fit_batch(documents, priors, found.pop(), plan, workers, done=n_collapsed, seconds=seconds)


def _led(
    documents: Documents,
    loop: Generator[PassResult],
    priors: Priors,
    plan: CollapsedPlan,
    workers: Workers,
    *,
    done: int = 0,
) -> Generator[PassResult]:
    """What is left of the variational passes, those of `loop`, and the collapsed ones from the topics that they lead to.

    Priors begin again: those that VB learns are of its topics. α begins smaller than it does from nothing, equation (48).
    """
    for learned in itertools.islice(loop, plan.n_lead - done):
        yield learned._replace(record=replace(learned.record, phase="warmup"))
    loop.close()
    found, seconds = [learned.lam], learned.record.seconds
    del learned  # and with it γ, which its state holds
    documents, _ = documents.compacted()
    yield from _from_topics(documents, found.pop(), priors, plan, workers, seconds=seconds)  # λ is not kept here


def _from_topics(
    documents: Documents,
    lam: Floats | None,
    priors: Priors,
    plan: CollapsedPlan,
    workers: Workers,
    *,
    seconds: float = 0.0,
) -> Generator[PassResult]:
    """The collapsed passes, from λ of the words that occur, of shape (U, Kp), or from nothing."""
    state = uninitialised_assignments(documents.counts, documents.weight, priors.n_topics)
    priors = initial_priors(priors, plan)
    lent = np.zeros_like(state.N) if lam is None else add_pseudocounts(state, lam, priors)
    average = aligned_zeros(state.N.shape, documents.dtype)
    return collapsed_passes(documents, state, average, lent, priors, plan, workers, seconds=seconds)


def collapsed_passes(
    documents: Documents,
    state: Assignments,
    average: Floats,
    lent: Masses,
    priors: Priors,
    plan: CollapsedPlan,
    workers: Workers,
    *,
    done: int = 0,
    seconds: float = 0.0,
) -> Generator[PassResult]:
    """The collapsed passes of `fit_collapsed`, after `done` of them and so many seconds.

    Parameters
    ----------
    average : array of shape (U, Kp)
        The average over passes so far. Equation (39).
    lent : array of shape (U, Kp)
        What N holds of the topics that the fit starts from, until the first pass is over.
    """
    counts, clock = documents.counts, RecordWriter(documents, time.perf_counter() - seconds)
    for t in itertools.count(done + 1):
        visiting, tau = smoothed_priors(priors, plan, t), min_share(plan, t)
        log_likelihoods = update_assignments(state, visiting, workers, seed=pass_seed(plan.seed, t), min_share=tau)
        log_predictive = documents.total(log_likelihoods)
        if t == 1:
            state.N -= lent
            state.totals -= lent.sum(axis=0, dtype=np.float64)
            lent = np.zeros((0, 0), state.N.dtype)  # or it would be a (V, K) array for as long as the fit
        update_average(average, state, (AVERAGING + 1) / (t + AVERAGING), workers)
        if plan.learns_after(t):
            priors = learned_priors(state, priors, documents.weight, plan, t, workers)
        lam = average.copy()
        lam[:, : priors.n_topics] += priors.eta_rows(counts.words).astype(lam.dtype)
        record = clock.predictive_record(plan.n_lead + t, "collapsed", log_predictive)
        kept: dict[str, Any] = {
            "N": state.N,
            "totals": state.totals,
            "average": average,
            "iteration": record.iteration,
            "seconds": record.seconds,
        }
        kept |= {"topic": [block.topic for block in state.blocks], "share": [block.share for block in state.blocks]}
        kept |= {"alpha": priors.alpha, "eta": priors.eta}
        yield PassResult(lam, counts.words, record.iteration, record, priors, kept)


def add_pseudocounts(state: Assignments, lam: Floats, priors: Priors) -> Masses:
    """Have N hold, until the first pass is over, masses in proportion to the topics of λ. Equation (46)."""
    eta, lent = priors.eta_rows(state.counts.words), np.empty_like(state.N)
    slices = [
        slice(first, first + ROWS_AT_ONCE) for first in range(0, len(lam), ROWS_AT_ONCE)
    ]  # no more (U, Kp) arrays

    def above_prior(part: slice) -> Floats:
        rows = lam[part].copy()
        rows[:, : priors.n_topics] -= (eta if len(eta) == 1 else eta[part]).astype(rows.dtype)
        np.maximum(rows, 0, out=rows)
        return rows

    held = sum(float(above_prior(part).sum(dtype=np.float64)) for part in slices)
    units_in_it = state.units / held if held else 0
    for part in slices:
        rows = above_prior(part)
        rows *= units_in_it
        np.minimum(rows, 0.99 * LARGEST[rows.dtype], out=rows)  # N holds as much again by the end of the pass
        lent[part] = np.rint(rows)
    state.N += lent
    state.totals += lent.sum(axis=0, dtype=np.float64)
    return lent


def update_average(average: Floats, state: Assignments, rho: float, workers: Workers) -> None:
    """average ← (1 − ρ) average + ρ n_wk, in tokens. Equation (39)."""

    def update(first: int) -> None:
        rows = average[first : first + ROWS_AT_ONCE]
        rows *= 1 - rho
        rows += (rho / state.unit) * state.N[first : first + ROWS_AT_ONCE].astype(rows.dtype)

    workers.run(update, range(0, len(average), ROWS_AT_ONCE))


def initial_priors(priors: Priors, plan: CollapsedPlan) -> Priors:
    """What learning begins from: a smaller α where topics have many tokens. Equation (48)."""
    if not (plan.cautious and plan.learn_alpha):
        return priors
    return Priors(np.minimum(priors.alpha, CAUTIOUS_ALPHA / priors.n_topics), priors.eta)


def smoothed_priors(priors: Priors, plan: CollapsedPlan, t: int) -> Priors:
    """What counts are visited with: learned α nearer to its mean with each pass, learned η larger. Equations (44), (47)."""
    alpha, eta = priors.alpha, priors.eta
    if plan.learn_alpha and t > plan.learn_from:
        even = alpha ** (plan.learn_from / t)
        alpha = even * (alpha.sum() / even.sum())
    if plan.learn_eta:
        eta = np.maximum(eta, np.sqrt(eta * SMOOTH))
    return Priors(alpha, eta)


def min_share(plan: CollapsedPlan, t: int) -> float:
    """τ of a pass: more of each count is drawn while topics are still to be found. Equation (45)."""
    first = MIN_SHARE if plan.has_topics else FIRST_MIN_SHARE if plan.lead is None else FIRST_MIN_SHARE_AFTER_VB
    return min(first, max(MIN_SHARE, first * plan.learn_from / t))


def learned_priors(
    state: Assignments, priors: Priors, weight: Floats | None, plan: CollapsedPlan, t: int, workers: Workers
) -> Priors:
    """The α under which topics drawn for some documents, and the η under which all topics are most probable.

    Equations (35), (36), (49).
    """
    alpha, eta, seed = priors.alpha, priors.eta, pass_seed(plan.seed + 1, t)
    if plan.learn_alpha:
        alpha = _learned_alpha(state, priors, weight, plan, t, seed)
    if plan.learn_eta:
        eta = dirichlet_priors.fixed_point(
            rounded_word_counts(state, workers, seed=seed), eta[0], state.counts.n_words
        )[None, :]
    return Priors(alpha, eta)


def _learned_alpha(
    state: Assignments, priors: Priors, weight: Floats | None, plan: CollapsedPlan, t: int, seed: int
) -> Doubles:
    """The α under which topics drawn for a part of the documents are most probable, what occurs weighted: equation (49)."""
    K, n_tokens = priors.n_topics, state.counts.doc_tokens.sum()
    step = max(1, int(np.ceil(n_tokens / max(SAMPLED_TOKENS, n_tokens / SAMPLED_PART))))
    first = t // plan.learn_every
    tokens = sample_topics(state, smoothed_priors(priors, plan, t), first=first, step=step, seed=seed)
    times = np.ones(len(tokens.documents)) if weight is None else weight[tokens.documents].astype(np.float64)
    occurring = dirichlet_priors.group_counts(tokens.document, tokens.topic, K, times)
    trust = CAUTIOUS_TRUST if plan.cautious else 1.0
    return dirichlet_priors.fixed_point(occurring._replace(times=trust * occurring.times), priors.alpha, K)
