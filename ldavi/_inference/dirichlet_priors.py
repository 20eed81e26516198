"""Updates of Dirichlet priors: α and η that maximise the evidence or the bound. Section 19.

Pure functions of sufficient statistics and a prior. They use Minka's fixed-point iteration (2000) and Newton's method
with backtracking. Priors stay within limits, and no update lowers its objective.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.special import gammaln, psi, zeta

from ldavi import _estep
from ldavi._core.chunks import chunks, rows_within
from ldavi._core.limits import MAX_LEARNED_PRIOR, MIN_LEARNED_PRIOR
from ldavi._core.records import padded
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s

MAX_ROUNDS = 100
TOLERANCE = 1e-4  # an update ends when the relative change of every α_k is at most this
UNRESOLVED = 1e-6  # relative changes of α that change the objective by no more than its rounding error
ONE_THREAD = Workers(1)
ENTRIES_AT_ONCE = 2**16  # of γ or S: a few hundred kilobytes, which stay in the cache for all sums


AnyCounts = TypeVar("AnyCounts", Int64s, Doubles)


class GroupedCounts(NamedTuple):
    """Integer counts of Dirichlet-multinomial draws with a common prior; equal counts are grouped.

    Attributes
    ----------
    group : array of shape (n,)
        The category (topic) of each count; all 0 if the prior is symmetric.
    value : array of shape (n,)
        n > 0.
    times : array of shape (n,)
        How often it occurs, weights included.
    total : array of shape (m,)
        Distinct sizes of draws, N > 0.
    total_times : array of shape (m,)
        How often each size occurs, weights included.
    """

    group: Int64s
    value: Doubles
    times: Doubles
    total: Doubles
    total_times: Doubles


def group_counts(draw: Int64s, category: Int64s, n_categories: int, weight: Doubles) -> GroupedCounts:
    """Count the categories of each draw and group equal counts.

    Parameters
    ----------
    draw, category : array of shape (tokens,)
        The draw that each token belongs to, and its category.
    weight : array of shape (draws,)
        The weight of each draw.
    """
    cells, counts = np.unique(draw.astype(np.int64) * n_categories + category, return_counts=True)
    of_draw, of_category = np.divmod(cells, n_categories)
    key = of_category * (counts.max(initial=0) + 1) + counts
    keys, times = _distinct(key, weight[of_draw])
    group, value = np.divmod(keys, counts.max(initial=0) + 1)
    totals, total_times = _distinct(np.bincount(draw, minlength=len(weight)), weight)
    is_positive = totals > 0
    return GroupedCounts(
        group, value.astype(np.float64), times, totals[is_positive].astype(np.float64), total_times[is_positive]
    )


def group_values(value: Doubles, times: Doubles, total: Doubles) -> GroupedCounts:
    """Group whole counts with a symmetric prior, given how often each value occurs.

    Parameters
    ----------
    value, times : array of shape (n,)
        A value may be repeated, and may be 0.
    total : array of shape (draws,)
        The size of each draw.
    """
    values, all_times = _distinct(value, times)
    totals, total_times = _distinct(total, np.ones(len(total)))
    occurs, is_positive = values > 0, totals > 0
    return GroupedCounts(
        np.zeros(np.count_nonzero(occurs), np.int64),
        values[occurs].astype(np.float64),
        all_times[occurs],
        totals[is_positive].astype(np.float64),
        total_times[is_positive],
    )


def merge_counts(one: GroupedCounts, other: GroupedCounts) -> GroupedCounts:
    """Group the counts of two sets of draws together."""
    base = max(one.value.max(initial=0), other.value.max(initial=0)) + 1
    key = np.concatenate([group * base + value for group, value, *_ in (one, other)]).astype(np.int64)
    keys, times = _distinct(key, np.concatenate([one.times, other.times]))
    group, value = np.divmod(keys, np.int64(base))
    total: Doubles = np.concatenate([one.total, other.total])
    totals, total_times = _distinct(total, np.concatenate([one.total_times, other.total_times]))
    return GroupedCounts(group, value.astype(np.float64), times, totals, total_times)


def _distinct(value: AnyCounts, times: Doubles) -> tuple[AnyCounts, Doubles]:
    """Return the distinct values in ascending order, and the sum of `times` for each."""
    values, place = np.unique(value, return_inverse=True)
    return values, np.bincount(place, times, minlength=len(values)).astype(np.float64)


def fixed_point(counts: GroupedCounts, prior: Doubles, n_categories: int) -> Doubles:
    """Return the prior that maximises (19.1), by Minka's fixed-point iteration (19.3), which never lowers it."""
    for _ in range(MAX_ROUNDS):
        each = prior[counts.group]
        sum_ = prior.sum() * (n_categories / len(prior))
        rise = np.bincount(counts.group, counts.times * (psi(counts.value + each) - psi(each)), minlength=len(prior))
        fall = counts.total_times @ (psi(counts.total + sum_) - psi(sum_)) * (n_categories / len(prior))
        if not fall > 0:
            break
        before, prior = prior, np.clip(prior * rise / fall, MIN_LEARNED_PRIOR, MAX_LEARNED_PRIOR)
        if np.all(np.abs(prior - before) <= TOLERANCE * before):
            break
    return prior


def expected_log_sums(gamma: Floats, weight: Doubles | None, workers: Workers = ONE_THREAD) -> Doubles:
    """Return Σ_d ω_d E[log θ_dk], of shape (K,)."""

    def sums(at: slice) -> Doubles:
        part, part_weight = gamma[at], None if weight is None else weight[at]
        of_totals = psi(part.sum(axis=1, dtype=np.float64))
        total = of_totals.sum() if part_weight is None else part_weight @ of_totals
        chunk_sums: Doubles = _digamma_sums(part, 0.0, part_weight) - total
        return chunk_sums

    return sum(workers.run(sums, _row_chunks(gamma)), np.zeros(gamma.shape[1]))


def expected_log(gamma: Doubles) -> Doubles:
    """Return E[log θ] of each row, of shape (documents, K)."""
    elog: Doubles = log_gamma_digamma(gamma)[1] - psi(gamma.sum(axis=1, keepdims=True))
    return elog


def log_gamma_digamma(x: Doubles) -> tuple[Doubles, Doubles]:
    """Return lnΓ(x) and ψ(x) of x > 0, of the shape of x."""
    values = np.ascontiguousarray(x).reshape(-1)
    log_gamma, digamma = np.empty_like(values), np.empty_like(values)
    _estep.log_gamma_digamma(values, log_gamma, digamma)
    return log_gamma.reshape(x.shape), digamma.reshape(x.shape)


def _digamma_sums(rows: Floats, shift: float, weight: Doubles | None = None, totals: Doubles | None = None) -> Doubles:
    """Return Σ_i ω_i ψ(x_ik + shift) of each column, of shape (K,); add Σ_i x_ik to `totals`."""
    n, K = rows.shape
    if not n:
        return np.zeros(K)
    rows = rows if rows.strides[1] == rows.itemsize else np.ascontiguousarray(rows)
    smallest = rows.min(axis=0)
    limit, of_lowest = np.zeros(padded(K), rows.dtype), np.zeros(padded(K))
    limit[:K] = smallest + np.finfo(rows.dtype).eps / 2 * (smallest + shift)
    of_lowest[:K] = psi(smallest.astype(np.float64) + shift)
    rises, sums = np.empty(padded(K)), None if totals is None else np.empty(padded(K))
    _estep.sum_digammas(
        rows=rows, weight=weight, limit=limit, digamma_of_lowest=of_lowest, rises=rises, totals=sums, shift=shift
    )
    if totals is not None and sums is not None:
        totals += sums[:K]
    found: Doubles = (rises + (n if weight is None else weight.sum()) * of_lowest)[:K]
    return found


def alpha_objective(alpha: Doubles, sums: Doubles, n_docs: float) -> float:
    """Return the part of the ELBO that depends on α. Equation (19.8)."""
    return float(n_docs * (gammaln(alpha.sum()) - gammaln(alpha).sum()) + (alpha - 1) @ sums)


def alpha_gain(before: Doubles, after: Doubles, sums: Doubles, n_docs: float) -> float:
    """Return the increase of the ELBO when α changes. Equation (19.8)."""
    return alpha_objective(after, sums, n_docs) - alpha_objective(before, sums, n_docs)


def newton_alpha(alpha: Doubles, sums: Doubles, n_docs: float) -> Doubles:
    """Return the α that maximises (19.8), by Newton's method; steps are halved until the objective increases.

    The Hessian is a diagonal matrix plus a constant, so a step takes O(K).
    """
    if len(alpha) == 1 or n_docs <= 0:  # the bound does not depend on α
        return alpha
    value = alpha_objective(alpha, sums, n_docs)
    for _ in range(MAX_ROUNDS):
        gradient = n_docs * (psi(alpha.sum()) - psi(alpha)) + sums
        diagonal, constant = -n_docs * zeta(2, alpha), n_docs * zeta(2, alpha.sum())
        curvature = 1 / constant + (1 / diagonal).sum()  # > 0, since 1/ψ' is superadditive, but for rounding
        shared = (gradient / diagonal).sum() / curvature if curvature > 0 else 0.0
        step = -(gradient - shared) / diagonal
        if np.all(np.abs(step) <= UNRESOLVED * alpha):
            alpha = np.clip(alpha + step, MIN_LEARNED_PRIOR, MAX_LEARNED_PRIOR)
            break
        size = 1.0
        while size > 1e-10:
            moved = np.clip(alpha + size * step, MIN_LEARNED_PRIOR, MAX_LEARNED_PRIOR)
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


class EtaStatistics(NamedTuple):
    """What an update of η needs of S, for each of some ranges of words.

    Attributes
    ----------
    rise : array of shape (ranges,)
        Σ_kw [ψ(S_kw + η) − ψ(η)], with the η that is updated.
    totals : array of shape (ranges, K)
        Σ_w S_wk.
    """

    rise: Doubles
    totals: Doubles


def eta_statistics(
    eta: float, S: Floats, ranges: Sequence[tuple[int, int]] | None = None, workers: Workers = ONE_THREAD
) -> EtaStatistics:
    """Return what an update of η needs of S, of shape (words, K). Equation (19.9).

    Parameters
    ----------
    ranges : sequence of tuple of int, optional
        The first word of each range and the first word after it; by default all words are one.
    """
    K, digamma_of_eta = S.shape[1], float(psi(eta))

    def range_statistics(edges: tuple[int, int]) -> tuple[float, Doubles]:
        rise, totals, rows = 0.0, np.zeros(K), S[slice(*edges)]
        for at in _row_chunks(rows):
            part = rows[at]
            rise += float((_digamma_sums(part, eta, totals=totals) - len(part) * digamma_of_eta).sum())
        return rise, totals

    found = workers.run(range_statistics, [(0, len(S))] if ranges is None else ranges)
    return EtaStatistics(
        np.array([rise for rise, _ in found]), np.array([totals for _, totals in found]).reshape(-1, K)
    )


def updated_eta(eta: float, statistics: EtaStatistics, n_words: int) -> float:
    """Return η after a round of Minka's fixed-point iteration, which never lowers (19.9)."""
    totals, eta_total = statistics.totals.sum(axis=0), n_words * eta
    fall = n_words * float((psi(totals + eta_total) - psi(eta_total)).sum())
    return float(np.clip(eta * statistics.rise.sum() / fall, MIN_LEARNED_PRIOR, MAX_LEARNED_PRIOR)) if fall > 0 else eta


def _row_chunks(rows: Floats) -> Iterator[slice]:
    return chunks(rows.shape[0], rows_within(ENTRIES_AT_ONCE, rows.shape[1]))
