"""Coefficients of the document prior: W of α_d = exp(c_d W). Equations (24.1) to (24.4) of docs/math.md.

Documents with the same covariates have the same α, so that the bound depends on sums over such groups alone: for few
groups, an update costs next to nothing. All but the intercept have a normal prior with mean 0. An update maximises the
bound, or the evidence of sampled topics, by L-BFGS from the present coefficients, and never lowers it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.documents import Documents
from ldavi._core.limits import MAX_LEARNED_PRIOR, MIN_LEARNED_PRIOR
from ldavi._core.prior_regression import Covariates, PriorRegression
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import dirichlet_priors
from ldavi._inference.dirichlet_priors import (
    ENTRIES_AT_ONCE,
    ONE_THREAD,
    GroupedCounts,
    group_counts,
    log_gamma_digamma,
)

PRIOR_SD = 1.0  # of a coefficient; covariates are centred, and divided by two standard deviations if not binary
MAX_STEPS = 5  # of L-BFGS in one update; the next pass continues from there
CHUNKS_AT_ONCE = 2**6

Objective = Callable[[Doubles], tuple[float, Doubles]]  # of α of the groups: the value and the gradient


class LogThetaOfGroups(NamedTuple):
    """Sufficient statistics for W.

    Attributes
    ----------
    values : array of shape (G, P)
        The covariates of each group.
    sums : array of shape (G, K)
        Σ_d ω_d E[log θ_d] over the documents of the group that have tokens.
    weight : array of shape (G,)
        Σ_d ω_d over the same documents.
    """

    values: Doubles
    sums: Doubles
    weight: Doubles


def log_theta_of_groups(
    documents: Documents, covariates: Covariates, gamma: Floats, workers: Workers = ONE_THREAD
) -> LogThetaOfGroups:
    """Return the sufficient statistics for W of some documents."""
    weight = (documents.counts.doc_tokens > 0).astype(np.float64)
    weight *= 1.0 if documents.weight is None else documents.weight
    n_groups, n_docs = len(covariates.values), len(gamma)
    members = sparse.csr_array((weight, covariates.group, np.arange(n_docs + 1)), shape=(n_docs, n_groups))
    sums = np.zeros((n_groups, gamma.shape[1]))

    def of_chunk(at: slice) -> tuple[Int64s, Doubles]:
        present = np.unique(covariates.group[at])
        elog = dirichlet_priors.expected_log(gamma[at].astype(np.float64))
        return present, members[at][:, present].T @ elog

    parts = list(chunks(n_docs, rows_within(ENTRIES_AT_ONCE, gamma.shape[1])))
    for first in range(0, len(parts), CHUNKS_AT_ONCE):
        for present, of_groups in workers.run(of_chunk, parts[first : first + CHUNKS_AT_ONCE]):
            sums[present] += of_groups
    return LogThetaOfGroups(covariates.values, sums, _sums(covariates.group, weight, n_groups))


def log_prior(regression: PriorRegression | None) -> float:
    """Return log p(W) relative to its maximum: −Σ w² / 2σ² over all coefficients but the intercept. Equation (24.2)."""
    if regression is None:
        return 0.0
    return -0.5 * float(np.square(regression.coef[1:]).sum()) / PRIOR_SD**2


def bound_of_alpha(statistics: LogThetaOfGroups) -> Objective:
    """Return the part of the bound that depends on α of the groups, and its gradient. Equation (24.3)."""
    _, sums, weight = statistics

    def objective(alpha: Doubles) -> tuple[float, Doubles]:
        log_gamma, digamma = log_gamma_digamma(alpha)
        of_total = log_gamma_digamma(alpha.sum(axis=1))
        value = weight @ (of_total[0] - log_gamma.sum(axis=1)) + float(((alpha - 1) * sums).sum())
        return float(value), weight[:, None] * (of_total[1][:, None] - digamma) + sums

    return objective


class TopicCountsOfGroups(NamedTuple):
    """Topic counts of sampled documents: Dirichlet-multinomial draws.

    Attributes
    ----------
    values : array of shape (G, P)
        The covariates of each group.
    cells : GroupedCounts
        n_dk > 0, by group and topic: category g K + k.
    sizes : GroupedCounts
        N_d > 0, by group.
    """

    values: Doubles
    cells: GroupedCounts
    sizes: GroupedCounts


def evidence_of_alpha(counts: TopicCountsOfGroups) -> Objective:
    """Return the log-evidence of topic counts as a function of α of the groups, and its gradient. Equation (24.4)."""
    cells, sizes = counts.cells, counts.sizes

    def objective(alpha: Doubles) -> tuple[float, Doubles]:
        each, total = alpha.reshape(-1)[cells.group], alpha.sum(axis=1)[sizes.group]
        (of_counts, rises), (of_each, at_each) = log_gamma_digamma(each + cells.value), log_gamma_digamma(each)
        (of_sizes, falls), (of_total, at_total) = log_gamma_digamma(total + sizes.value), log_gamma_digamma(total)
        value = cells.times @ (of_counts - of_each) - sizes.times @ (of_sizes - of_total)
        rise = _sums(cells.group, cells.times * (rises - at_each), alpha.size).reshape(alpha.shape)
        return float(value), rise - _sums(sizes.group, sizes.times * (falls - at_total), len(alpha))[:, None]

    return objective


def updated_regression(
    regression: PriorRegression, values: Doubles, objective: Objective
) -> tuple[PriorRegression, float]:
    """Return coefficients that raise log p(W) plus an objective of α, and the gain of the objective alone."""
    shape = regression.coef.shape

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        found = PriorRegression(flat.reshape(shape))
        alpha = found.alpha_of_groups(values)
        value, gradient = objective(alpha)
        is_inside = (alpha > MIN_LEARNED_PRIOR) & (alpha < MAX_LEARNED_PRIOR)
        of_coef = np.einsum("gp,gk->pk", values, np.where(is_inside, alpha * gradient, 0.0))
        of_coef[1:] -= found.coef[1:] / PRIOR_SD**2
        return -value - log_prior(found), -of_coef.reshape(-1)

    start = regression.coef.reshape(-1)
    before = loss(start)[0]
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS})
    if not found.fun < before:  # an update never lowers the sum
        return regression, 0.0
    updated = PriorRegression(found.x.reshape(shape))
    return updated, float(before - found.fun) - (log_prior(updated) - log_prior(regression))


def updated_by_bound(regression: PriorRegression, statistics: LogThetaOfGroups) -> tuple[PriorRegression, float]:
    """Return W that increases the bound plus log p(W), with q(θ) unchanged, and the gain of the bound. (24.3)."""
    return updated_regression(regression, statistics.values, bound_of_alpha(statistics))


def updated_by_evidence(regression: PriorRegression, counts: TopicCountsOfGroups) -> PriorRegression:
    """Return W that increases log p(W) plus the log-evidence of topic counts. Equation (24.4)."""
    return updated_regression(regression, counts.values, evidence_of_alpha(counts))[0]


def group_topic_counts(
    values: Doubles, group: Int64s, weight: Doubles, document: Int64s, topic: Int64s, n_topics: int
) -> TopicCountsOfGroups:
    """Count the topics of sampled tokens.

    Parameters
    ----------
    values : array of shape (G, P)
    group, weight : array of shape (docs,)
        Of each document.
    document, topic : array of shape (tokens,)
        Of each token.
    """
    n_groups, of_token = len(values), group[document]
    return TopicCountsOfGroups(
        values,
        group_counts(document, of_token * n_topics + topic, n_groups * n_topics, weight),
        group_counts(document, of_token, n_groups, weight),
    )


def _sums(group: Int64s, values: Doubles, n_groups: int) -> Doubles:
    """Return the sum of the values of each group."""
    sums: Doubles = np.bincount(group, values, minlength=n_groups).astype(np.float64)
    return sums
