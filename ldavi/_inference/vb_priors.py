"""Updates of α and η that increase the bound, given the statistics of an E-step. Equations (19.8), (19.9)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ldavi._core.documents import Documents
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import dirichlet_priors, doc_regression
from ldavi._inference.dirichlet_priors import ONE_THREAD, EtaStatistics
from ldavi._inference.doc_regression import LogThetaOfGroups
from ldavi._inference.m_step import word_ranges
from ldavi._inference.passes import PassSettings


class LogThetaSums(NamedTuple):
    """Sufficient statistics for α: Σ_d ω_d E[log θ_d], of shape (K,), and Σ_d ω_d, over documents with tokens."""

    sums: Doubles
    total_weight: float


def log_theta_sums(documents: Documents, gamma: Floats, workers: Workers = ONE_THREAD) -> LogThetaSums:
    """Return the sufficient statistics for α of some documents; a document without tokens says nothing about α."""
    weight, has_tokens = documents.weight, documents.counts.doc_tokens > 0
    if weight is None and has_tokens.all():
        return LogThetaSums(dirichlet_priors.expected_log_sums(gamma, None, workers), float(len(gamma)))
    weights = has_tokens.astype(np.float64) * (1.0 if weight is None else weight)
    return LogThetaSums(dirichlet_priors.expected_log_sums(gamma, weights, workers), float(weights.sum()))


def added_log_theta_sums(parts: Iterable[LogThetaSums | None]) -> LogThetaSums | None:
    """Return the sums of several parts, in their order; None if they have none."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    return LogThetaSums(*(sum(values[1:], values[0]) for values in zip(*present, strict=True)))


def eta_statistics_if_learned(
    priors: Priors, settings: PassSettings, sstats: Floats, workers: Workers = ONE_THREAD
) -> EtaStatistics | None:
    """Return what an update of η needs of Σ_d n_dw φ_dwk, of shape (words, Kp); None if η is not learned."""
    if not settings.learn_eta:
        return None
    eta, S = float(priors.eta[0, 0]), sstats[:, : priors.n_topics]
    return dirichlet_priors.eta_statistics(eta, S, word_ranges(len(S)), workers)


def updated_priors(
    priors: Priors,
    log_theta: LogThetaSums | LogThetaOfGroups | None,
    eta_statistics: EtaStatistics | None,
    n_words: int,
) -> tuple[Priors, float]:
    """Return α and η that increase the bound, with q(θ) and q(z) unchanged. Equations (19.8), (19.9).

    Parameters
    ----------
    log_theta : LogThetaSums, LogThetaOfGroups or None
        None if α is not learned. Of groups, if α depends on covariates: then W is updated, and α is that of documents
        without covariates, on which the bound does not depend.
    eta_statistics : EtaStatistics or None
        None if η is not learned.
    n_words : int
        V.

    Returns
    -------
    priors : Priors
    gain : float
        The increase of the document term of the bound; that of the topic term belongs to the following M-step.
    """
    alpha, eta, regression, gain = priors.alpha, priors.eta, priors.regression, 0.0
    if isinstance(log_theta, LogThetaOfGroups):
        assert regression is not None
        regression, gain = doc_regression.updated_by_bound(regression, log_theta)
        alpha = dirichlet_priors.newton_alpha(alpha, log_theta.sums.sum(axis=0), float(log_theta.weight.sum()))
    elif log_theta is not None:
        before, alpha = alpha, dirichlet_priors.newton_alpha(alpha, *log_theta)
        gain = dirichlet_priors.alpha_gain(before, alpha, *log_theta)
    if eta_statistics is not None:
        eta = np.full((1, 1), dirichlet_priors.updated_eta(float(eta[0, 0]), eta_statistics, n_words))
    return Priors(alpha, eta, regression), gain
