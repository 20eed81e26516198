"""Updates of α and η that increase the bound, given the statistics of an E-step. Equations (37), (38)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ldavi._core.documents import DocumentSource
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import dirichlet_priors
from ldavi._inference.dirichlet_priors import ONE_THREAD, EtaStatistics
from ldavi._inference.passes import PassSettings


class LogThetaSums(NamedTuple):
    """Sufficient statistics for α: Σ_d ω_d E[log θ_d], of shape (K,), and Σ_d ω_d."""

    sums: Doubles
    total_weight: float


def log_theta_sums(
    documents: DocumentSource, gammas: Iterable[tuple[Floats, Floats | None]], n_topics: int, workers: Workers
) -> LogThetaSums:
    """Return the sufficient statistics for α, from γ and the weights of all documents in their order."""
    sums = np.zeros(n_topics)
    for gamma, weight in gammas:
        weights = None if weight is None else weight.astype(np.float64)
        sums += dirichlet_priors.expected_log_sums(gamma, weights, workers)
    return LogThetaSums(sums, documents.total_weight)


def eta_statistics(
    priors: Priors, settings: PassSettings, sstats: Floats, workers: Workers = ONE_THREAD
) -> EtaStatistics | None:
    """Return what an update of η needs of Σ_d n_dw φ_dwk, of shape (words, Kp); None if η is not learned."""
    if not settings.learn_eta:
        return None
    return dirichlet_priors.eta_statistics(float(priors.eta[0, 0]), sstats[:, : priors.n_topics], workers)


def updated_priors(
    priors: Priors, log_theta: LogThetaSums | None, eta_statistics: EtaStatistics | None, n_words: int
) -> tuple[Priors, float]:
    """Return α and η that increase the bound, with q(θ) and q(z) unchanged. Equations (37), (38).

    Parameters
    ----------
    log_theta : LogThetaSums or None
        None if α is not learned.
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
    alpha, eta, gain = priors.alpha, priors.eta, 0.0
    if log_theta is not None:
        before, alpha = alpha, dirichlet_priors.newton_alpha(alpha, *log_theta)
        objective = dirichlet_priors.alpha_objective
        gain = objective(alpha, *log_theta) - objective(before, *log_theta)
    if eta_statistics is not None:
        eta = np.full((1, 1), dirichlet_priors.updated_eta(float(eta[0, 0]), eta_statistics, n_words))
    return Priors(alpha, eta), gain
