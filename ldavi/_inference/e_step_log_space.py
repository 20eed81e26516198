"""The E-step of one document in log space, for the rare document whose weights underflow. Equation (16.1).

With priors near zero, exp(E[log θ] + E[log β]) can vanish in every topic for some word, and with point estimates all
topics of a document can lack a word. The compiled loop then marks the document, and this module applies the same
updates by log-sum-exp, in float64, with φ in full: slowly, exactly, and equally for every number of threads.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, psi

from ldavi._core.typing import Doubles


class LogSpaceResult(NamedTuple):
    """The result for one document.

    Attributes
    ----------
    gamma : array of shape (K,)
    phi : array of shape (words, K)
        Of the last inner iteration.
    bound : tuple of float
        The two sums that `document_bound` of the compiled loop computes.
    n_inner_iter : int
    """

    gamma: Doubles
    phi: Doubles
    bound: tuple[float, float]
    n_inner_iter: int


def update_document(
    counts: Doubles,
    elog_beta: Doubles,
    alpha: Doubles,
    gamma: Doubles,
    *,
    max_inner_iter: int,
    tol: float,
    log_norm_min: float,
    digamma_offset: float = 0.0,
) -> LogSpaceResult:
    """Apply equations (9.7), (8.16) and (14.1) to one document.

    Parameters
    ----------
    counts : array of shape (words,)
    elog_beta : array of shape (words, K)
        E[log β]. A word that is −∞ under every topic carries no information about θ: its φ follows θ, its likelihood
        is 0.
    alpha, gamma : array of shape (K,)
    max_inner_iter, tol
        As of `ldavi._inference.e_step.EStepSettings`.
    log_norm_min : float
        min_k ψ(Λ_k), which the reported bound leaves out, as the compiled loop does.
    digamma_offset : float
        δ of the warm-up.
    """
    impossible = np.all(np.isneginf(elog_beta), axis=1, keepdims=False).reshape(-1)
    log_likelihood = np.where(impossible[:, None], 0.0, elog_beta)
    for n_done in range(max_inner_iter):  # noqa: B007  returned
        log_t = psi(gamma + digamma_offset)
        scores = log_t + log_likelihood
        log_norm = logsumexp(scores, axis=1)
        phi = np.exp(scores - log_norm[:, None])
        updated = alpha + counts @ phi
        change = np.abs(updated - gamma).sum()
        gamma = updated
        if change <= tol * counts.sum():
            break
    mass = gamma - alpha
    log_gamma = float(gammaln(gamma).sum())
    word = -np.inf if impossible.any() else float(counts @ log_norm + log_norm_min * counts.sum())
    bound = (word - float(mass @ log_t) + log_gamma, log_gamma - float(mass @ psi(gamma)))
    phi[impossible] = 0.0  # such a word contributes to no topic's statistics
    return LogSpaceResult(gamma, phi, bound, n_done + 1)
