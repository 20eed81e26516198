"""Dirichlet distributions, a row each: expectations, log-normaliser, Kullback-Leibler divergence.

Plain formulas over numpy arrays of any leading shape, for everything outside the compiled inner loop.
Equation numbers refer to docs/math.md.
"""

import numpy as np
from scipy.special import gammaln, psi

from ldavi._core.typing import Floats


def expected_log(concentration: Floats) -> Floats:
    """E[log p] under Dir(concentration): ψ(x_i) − ψ(Σx). Equations (8.5), (9.3)."""
    elog: Floats = psi(concentration) - psi(concentration.sum(axis=-1, keepdims=True))
    return elog


def log_beta(concentration: Floats) -> Floats:
    """ln 𝔅(x) = Σ lnΓ(x_i) − lnΓ(Σx), the log-normaliser of Dir(x). Equation (8.4)."""
    normaliser: Floats = gammaln(concentration).sum(axis=-1) - gammaln(concentration.sum(axis=-1))
    return normaliser


def kl_divergence(q: Floats, p: Floats) -> Floats:
    """KL(Dir(q) ‖ Dir(p)), a value per row, in nats. Equation (8.17)."""
    p = np.broadcast_to(p, q.shape)
    divergence: Floats = log_beta(p) - log_beta(q) + ((q - p) * expected_log(q)).sum(axis=-1)
    return divergence


def mean(concentration: Floats) -> Floats:
    """E[p] = x / Σx; uniform where a row is all zero (a point estimate that no word supports)."""
    total = concentration.sum(axis=-1, keepdims=True)
    if not np.any(total == 0):
        proportions: Floats = concentration / total
        return proportions
    uniform = 1 / concentration.shape[-1]
    return np.where(total > 0, concentration / np.where(total > 0, total, 1), uniform).astype(concentration.dtype)
