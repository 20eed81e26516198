"""The E-step of one document in log space: for the rare document whose weights underflow. Equation (27).

With priors near zero exp(E[log θ] + E[log β]) can vanish in every topic for some word, and with point estimates a
document's topics can all lack a word. The compiled loop then leaves the document alone, and it comes here: the same updates
by log-sum-exp, in float64, with φ in full. Slow, exact, and the same whatever the number of threads.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, psi

from ldavi._core.typing import Doubles


class LogSpaceResult(NamedTuple):
    gamma: Doubles  # (K,)
    phi: Doubles  # (words, K), of the last sweep
    bound: tuple[float, float]  # the two sums that the compiled loop reports, see document_bound in _kernels
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
    offset: float = 0.0,
) -> LogSpaceResult:
    """Equations (10), (11) and (24) for one document.

    Parameters
    ----------
    counts : array of shape (words,)
    elog_beta : array of shape (words, K)
        E[log β]. A word that is −∞ under every topic tells nothing about θ: its φ follows θ, its likelihood is 0.
    alpha, gamma : array of shape (K,)
    max_sweeps, tol : see `ldavi._inference.e_step.visit_documents`
    log_norm_min : float
        min_k ψ(Λ_k), which the reported bound leaves out as the compiled one does.
    offset : float
        δ of the warm-up.
    """
    impossible = np.all(np.isneginf(elog_beta), axis=1, keepdims=False).reshape(-1)
    log_likelihood = np.where(impossible[:, None], 0.0, elog_beta)
    for done in range(max_inner_iter):  # noqa: B007  told to the caller
        log_t = psi(gamma + offset)
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
    phi[impossible] = 0.0  # it belongs to no topic's statistics
    return LogSpaceResult(gamma, phi, bound, done + 1)
