"""Learned priors: the α and the η under which what is inferred is most probable. Equations (35) to (38).

Pure functions: statistics and a prior in, a better prior out. Minka's fixed points (2000) and Newton's method with
backtracking; neither leaves the positive reals, and no update lowers its objective.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, psi, zeta

from ldavi import _estep
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s

SMALLEST = 1e-5  # of α_k and of η: a topic that holds nothing would have α_k = 0
ROUNDS = 100
TOLERANCE = 1e-4  # relative change of every α_k at which an update ends
ONE_THREAD = Workers(1)
ENTRIES_AT_ONCE = 2**16  # in float64: some megabytes with all that is made of them, whatever K is


class GroupedCounts(NamedTuple):
    """Whole counts drawn from Dirichlet-multinomials of a common prior, equal ones kept together.

    Attributes
    ----------
    group : array of shape (n,)
        The topic k of each; all 0 where the prior is symmetric.
    value : array of shape (n,)
        n > 0.
    times : array of shape (n,)
        How often it occurs, weights included.
    total : array of shape (m,)
        Sums of the draws, N > 0.
    total_times : array of shape (m,)
    """

    group: Int64s
    value: Doubles
    times: Doubles
    total: Doubles
    total_times: Doubles


def group_counts(
    draw: Int64s, category: Int64s, n_categories: int, weight: Doubles, *, symmetric: bool = False
) -> GroupedCounts:
    """Count the categories of each draw.

    Parameters
    ----------
    draw, category : array of shape (tokens,)
        Which draw a token belongs to, and its category.
    weight : array of shape (draws,)
        How often each draw counts.
    symmetric : bool
        Whether every category has the same prior.
    """
    cells, counts = np.unique(draw.astype(np.int64) * n_categories + category, return_counts=True)
    of_draw, of_category = np.divmod(cells, n_categories)
    key = counts if symmetric else of_category * (counts.max(initial=0) + 1) + counts
    keys, times = _distinct(key, weight[of_draw])
    group, value = np.divmod(keys, counts.max(initial=0) + 1)
    totals, total_times = _distinct(np.bincount(draw, minlength=len(weight)), weight)
    holds = totals > 0
    return GroupedCounts(group, value.astype(np.float64), times, totals[holds].astype(np.float64), total_times[holds])


def group_values(value: Int64s, times: Int64s, total: Int64s) -> GroupedCounts:
    """Counts of a symmetric prior, of which it is known how often each value occurs.

    Parameters
    ----------
    value, times : array of shape (n,)
        A value may stand in several places, and may be 0.
    total : array of shape (draws,)
        Sum of each draw.
    """
    values, all_times = _distinct(value, times)
    totals, total_times = _distinct(total, np.ones(len(total)))
    occurs, holds = values > 0, totals > 0
    return GroupedCounts(
        np.zeros(np.count_nonzero(occurs), np.int64),
        values[occurs].astype(np.float64),
        all_times[occurs],
        totals[holds].astype(np.float64),
        total_times[holds],
    )


def _distinct(value: Int64s, times: Int64s | Doubles) -> tuple[Int64s, Doubles]:
    """The values that occur, rising, and how often each does, `times` included."""
    values, place = np.unique(value, return_inverse=True)
    return values, np.bincount(place, times, minlength=len(values)).astype(np.float64)


def log_evidence(counts: GroupedCounts, prior: Doubles, n_categories: int) -> float:
    """log p of the counts under Dirichlet-multinomials, up to what does not depend on the prior. Equation (35).

    Parameters
    ----------
    prior : array of shape (K,), or of shape (1,) for a symmetric one
    """
    each = prior[counts.group]
    sum_ = prior.sum() * (n_categories / len(prior))
    rise = counts.times @ (gammaln(counts.value + each) - gammaln(each))
    return float(rise - counts.total_times @ (gammaln(counts.total + sum_) - gammaln(sum_)))


def fixed_point(counts: GroupedCounts, prior: Doubles, n_categories: int) -> Doubles:
    """The prior that makes the counts most probable: Minka's fixed point, each round of which raises (35). Equation (36)."""
    for _ in range(ROUNDS):
        each = prior[counts.group]
        sum_ = prior.sum() * (n_categories / len(prior))
        rise = np.bincount(counts.group, counts.times * (psi(counts.value + each) - psi(each)), minlength=len(prior))
        fall = counts.total_times @ (psi(counts.total + sum_) - psi(sum_)) * (n_categories / len(prior))
        if not fall > 0:
            break
        before, prior = prior, np.maximum(prior * rise / fall, SMALLEST)
        if np.all(np.abs(prior - before) <= TOLERANCE * before):
            break
    return prior


def expected_log_sums(gamma: Floats, weight: Doubles | None, workers: Workers = ONE_THREAD) -> Doubles:
    """Σ_d ω_d E[log θ_dk], of shape (K,)."""

    def sums(at: slice) -> Doubles:  # all of γ in float64, three times, would be six times γ
        part = gamma[at].astype(np.float64)
        elog = _digamma(part) - psi(part.sum(axis=1, keepdims=True))
        of_part: Doubles = elog.sum(axis=0) if weight is None else weight[at] @ elog
        return of_part

    return sum(workers.run(sums, _cuts(gamma)), np.zeros(gamma.shape[1]))


def _digamma(x: Doubles) -> Doubles:
    values = np.ascontiguousarray(x).reshape(-1)
    digamma = np.empty_like(values)
    _estep.log_gamma_digamma(values, np.empty_like(values), digamma)
    return digamma.reshape(x.shape)


def alpha_objective(alpha: Doubles, sums: Doubles, n_docs: float) -> float:
    """The part of the ELBO that depends on α, equation (37)."""
    return float(n_docs * (gammaln(alpha.sum()) - gammaln(alpha).sum()) + (alpha - 1) @ sums)


def newton_alpha(alpha: Doubles, sums: Doubles, n_docs: float) -> Doubles:
    """The α that maximises (37): Newton's method, the Hessian being a diagonal and a constant; halved until it rises."""
    if len(alpha) == 1 or n_docs <= 0:  # then the bound does not depend on it
        return alpha
    value = alpha_objective(alpha, sums, n_docs)
    for _ in range(ROUNDS):
        gradient = n_docs * (psi(alpha.sum()) - psi(alpha)) + sums
        diagonal, constant = -n_docs * zeta(2, alpha), n_docs * zeta(2, alpha.sum())
        shared = (gradient / diagonal).sum() / (1 / constant + (1 / diagonal).sum())
        step = -(gradient - shared) / diagonal
        size = 1.0
        while size > 1e-10:
            moved = np.maximum(alpha + size * step, SMALLEST)
            found = alpha_objective(moved, sums, n_docs)
            if found > value:
                break
            size /= 2
        else:
            break
        before, alpha, value = alpha, moved, found
        if np.all(np.abs(alpha - before) <= TOLERANCE * before):
            break
    return alpha


def eta_objective(eta: float, S: Floats, n_words: int) -> float:
    """max over λ of the part of the ELBO that depends on λ and a symmetric η. Equation (38).

    Parameters
    ----------
    S : array of shape (U, K)
        Expected counts of the words that occur.
    """
    n_present, K = S.shape
    rise = sum(float(gammaln(part + eta).sum()) for part in _slices(S)) - n_present * K * gammaln(eta)
    sums = _column_sums(S)
    return float(rise) - float((gammaln(sums + n_words * eta) - gammaln(n_words * eta)).sum())


@dataclass(frozen=True, slots=True)
class Excess:
    """S = max(λ − η, 0) in place of an array of it: it is computed a slice at a time, and there is no second (V, K) array."""

    rows: Floats  # (V, Kp) λ
    eta: Doubles  # (1, 1)
    n_topics: int

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.n_topics

    def __getitem__(self, words: slice) -> Floats:
        return np.maximum(self.rows[words, : self.n_topics] - self.eta.astype(self.rows.dtype), 0)


def eta_fixed_point(
    eta: float, S: Floats | Excess, n_words: int, workers: Workers = ONE_THREAD, *, rounds: int = 5
) -> float:
    """A better η by Minka's fixed point, each round of which raises (38)."""
    n_present, K = S.shape
    sums = _column_sums(S)
    for _ in range(rounds):
        rise = _digamma_sum(S, eta, workers) - n_present * K * float(psi(eta))
        fall = n_words * float((psi(sums + n_words * eta) - psi(n_words * eta)).sum())
        if not fall > 0:
            break
        before, eta = eta, max(eta * rise / fall, SMALLEST)
        if abs(eta - before) <= TOLERANCE * before:
            break
    return eta


def _digamma_sum(S: Floats | Excess, eta: float, workers: Workers) -> float:
    """Σ_kw ψ(S_kw + η), some thousand words at a time."""

    def of_words(at: slice) -> float:
        return float(_digamma(S[at].astype(np.float64) + eta).sum())

    return sum(workers.run(of_words, _cuts(S)))


def _column_sums(S: Floats | Excess) -> Doubles:
    sums = np.zeros(S.shape[1])
    for part in _slices(S):
        sums += part.sum(axis=0)
    return sums


def _slices(S: Floats | Excess) -> Iterator[Doubles]:
    for at in _cuts(S):
        yield S[at].astype(np.float64)


def _cuts(rows: Floats | Excess) -> list[slice]:
    at_once = max(1, ENTRIES_AT_ONCE // rows.shape[1])
    return [slice(start, start + at_once) for start in range(0, rows.shape[0], at_once)]
