"""The learning loop of collapsed variational Bayes, batch: a pass, the priors, the record. Equations (30)-(36), (44), (45).

A generator like those of `ldavi._fit`; the topics that it yields are an average over passes.
"""

import itertools
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ldavi import _hyper
from ldavi._collapsed import KEPT_ABOVE, Collapsed, sample_tokens, unassigned, visit_all
from ldavi._corpus import Documents
from ldavi._fit import Clock, Learned
from ldavi._parallel import Workers
from ldavi._state import Priors, aligned_copy, aligned_zeros
from ldavi._typing import Floats, Masses

SAMPLED_TOKENS = 2**17  # for learning priors, at least; of a larger corpus, this part of it
SAMPLED_PART = 8
TRUST = 0.75  # c: weight of what topics occur in documents when α is learned
KEPT_ABOVE_AT_FIRST = 0.5  # as KEPT_ABOVE: at most one topic of a count is kept, the rest is drawn
ROWS_AT_ONCE = 2**12
AVERAGING = 3  # c: pass t has the weight (c + 1) / (t + c) in the average, so that some t / (c + 1) passes make it up


@dataclass(frozen=True, slots=True)
class CollapsedPlan:
    """When priors are learned.

    Attributes
    ----------
    seed : int
        That all draws of the fit derive from.
    learn_alpha, learn_eta : bool
    learn_from, learn_every : int
        The first pass after which priors are learned, t0 of (44) and (45), and how many passes lie between.
    goes_on : bool
        Whether the fit starts from topics: it is not to lose them by drawing, equation (45).
    """

    seed: int
    learn_alpha: bool = False
    learn_eta: bool = False
    learn_from: int = 20
    learn_every: int = 5
    goes_on: bool = False

    def learns_after(self, iteration: int) -> bool:
        """Whether the priors are learned after this pass."""
        due = iteration >= self.learn_from and (iteration - self.learn_from) % self.learn_every == 0
        return due and (self.learn_alpha or self.learn_eta)


def fit_collapsed(
    documents: Documents, priors: Priors, start: Floats | None, plan: CollapsedPlan, workers: Workers
) -> Generator[Learned]:
    """Assign every count anew, pass after pass: equations (31) to (33), the average (39).

    Parameters
    ----------
    start : array of shape (V, Kp), or None
        λ that the first pass reads the words' topics from; None deals out the documents one block after another, each by
        what those before it hold.
    """
    documents, _ = documents.compacted()
    state = unassigned(documents.counts, documents.weight, priors.n_topics)
    average = aligned_zeros(state.N.shape, documents.dtype)
    return collapsed_passes(documents, state, average, lend(state, start, priors), priors, plan, workers)


def go_on_with_collapsed(
    documents: Documents, kept: dict[str, Any], plan: CollapsedPlan, workers: Workers
) -> Generator[Learned]:
    """`fit_collapsed` from the state of one of its passes."""
    documents, _ = documents.compacted()
    priors = Priors(kept["alpha"], kept["eta"])
    state = unassigned(documents.counts, documents.weight, priors.n_topics)
    state.N[:], state.totals[:] = kept["N"], kept["totals"]
    for block, topic, share in zip(state.blocks, kept["topic"], kept["share"], strict=True):
        block.topic[:], block.share[:] = topic, share
    average, nothing, done = aligned_copy(kept["average"]), np.zeros((0, 0), state.N.dtype), kept["iteration"]
    return collapsed_passes(documents, state, average, nothing, priors, plan, workers, done=done, seconds=kept["seconds"])


def collapsed_passes(
    documents: Documents,
    state: Collapsed,
    average: Floats,
    lent: Masses,
    priors: Priors,
    plan: CollapsedPlan,
    workers: Workers,
    *,
    done: int = 0,
    seconds: float = 0.0,
) -> Generator[Learned]:
    """The passes of `fit_collapsed`, after `done` of them that took so many seconds.

    Parameters
    ----------
    average : array of shape (U, Kp)
        The average over passes so far. Equation (39).
    lent : array of shape (U, Kp)
        What N holds of the topics that the fit starts from, until the first pass is over.
    """
    counts, clock = documents.counts, Clock(documents, time.perf_counter() - seconds)
    for iteration in itertools.count(done + 1):
        visiting, tau = evened(priors, plan, iteration), kept_above(plan, iteration)
        log_likelihoods = visit_all(state, visiting, workers, seed=_pass_seed(plan.seed, iteration), kept_above=tau)
        log_predictive = documents.total(log_likelihoods)
        if iteration == 1:
            state.N -= lent
            state.totals -= lent.sum(axis=0, dtype=np.float64)
            lent = np.zeros((0, 0), state.N.dtype)  # or it would be a (V, K) array for as long as the fit
        rho = (AVERAGING + 1) / (iteration + AVERAGING)
        average_in(average, state, rho, workers)
        if plan.learns_after(iteration):
            priors = learned_priors(state, priors, documents.weight, plan, iteration)
        lam = average.copy()
        lam[:, : priors.n_topics] += priors.eta_rows(counts.words).astype(lam.dtype)
        record = clock.predictive_record(iteration, "collapsed", log_predictive)
        kept: dict[str, Any] = {
            "N": state.N,
            "totals": state.totals,
            "average": average,
            "iteration": iteration,
            "seconds": record.seconds,
        }
        kept |= {"topic": [block.topic for block in state.blocks], "share": [block.share for block in state.blocks]}
        kept |= {"alpha": priors.alpha, "eta": priors.eta}
        yield Learned(lam, counts.words, iteration, record, priors, kept)


def _pass_seed(seed: int, iteration: int) -> int:
    """An odd multiple for each pass, in 64 bits: the counts of one pass share no bits with those of another."""
    return (seed * 0x9E3779B97F4A7C15 + iteration * 0xD1342543DE82EF95) % 2**64


def lend(state: Collapsed, start: Floats | None, priors: Priors) -> Masses:
    """Have N hold, until the first pass is over, masses in proportion to the topics that a fit starts from."""
    lent = np.zeros_like(state.N)
    if start is not None:
        rows = np.maximum(start[state.counts.words] - _padded_eta(state, priors), 0)
        mass = state.counts.doc_tokens.sum() * state.unit / max(float(rows.sum(dtype=np.float64)), 1e-300)
        np.rint(rows * mass, out=rows)
        lent[:] = rows
        state.N += lent
        state.totals += lent.sum(axis=0, dtype=np.float64)
    return lent


def _padded_eta(state: Collapsed, priors: Priors) -> Floats:
    eta = np.zeros((len(state.N), state.N.shape[1]), state.counts.values.dtype)
    eta[:, : priors.n_topics] = priors.eta_rows(state.counts.words)
    return eta


def average_in(average: Floats, state: Collapsed, rho: float, workers: Workers) -> None:
    """average ← (1 − ρ) average + ρ n_wk, in tokens. Equation (39)."""

    def update(first: int) -> None:
        rows = average[first : first + ROWS_AT_ONCE]
        rows *= 1 - rho
        rows += (rho / state.unit) * state.N[first : first + ROWS_AT_ONCE].astype(rows.dtype)

    workers.run(update, range(0, len(average), ROWS_AT_ONCE))


def evened(priors: Priors, plan: CollapsedPlan, iteration: int) -> Priors:
    """What documents are visited with: α that is learned, nearer to its mean with each pass. Equation (44)."""
    if not plan.learn_alpha or iteration <= plan.learn_from:
        return priors
    even = priors.alpha ** (plan.learn_from / iteration)
    return Priors(even * (priors.alpha.sum() / even.sum()), priors.eta)


def kept_above(plan: CollapsedPlan, iteration: int) -> float:
    """τ of a pass: more of each count is drawn while topics are still to be found. Equation (45)."""
    if plan.goes_on:
        return KEPT_ABOVE
    return min(KEPT_ABOVE_AT_FIRST, max(KEPT_ABOVE, KEPT_ABOVE_AT_FIRST * plan.learn_from / iteration))


def learned_priors(state: Collapsed, priors: Priors, weight: Floats | None, plan: CollapsedPlan, iteration: int) -> Priors:
    """α and η that make topics drawn for a part of the documents most probable, α of less than that. Equations (35), (36)."""
    K, n_tokens = priors.n_topics, state.counts.doc_tokens.sum()
    step = max(1, int(np.ceil(n_tokens / max(SAMPLED_TOKENS, n_tokens / SAMPLED_PART))))
    seed = _pass_seed(plan.seed + 1, iteration)
    first = iteration // plan.learn_every
    tokens = sample_tokens(state, evened(priors, plan, iteration), first=first, step=step, seed=seed)
    if not len(tokens.topic):
        return priors
    alpha, eta = priors.alpha, priors.eta
    if plan.learn_alpha:
        times = np.ones(len(tokens.documents)) if weight is None else weight[tokens.documents].astype(np.float64)
        occurring = _hyper.grouped(tokens.document, tokens.topic, K, times)
        alpha = _hyper.fixed_point(occurring._replace(times=TRUST * occurring.times), alpha, K)
    if plan.learn_eta:
        n_words = state.counts.n_words
        grouped = _hyper.grouped(tokens.topic, tokens.word, n_words, np.ones(K), symmetric=True)
        eta = _hyper.fixed_point(grouped, eta[0], n_words)[None, :]
    return Priors(alpha, eta)
