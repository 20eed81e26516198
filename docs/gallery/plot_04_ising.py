r"""
Mean field on a small Markov random field
=========================================

Mean field comes from physics: replace the neighbours of a spin by their mean. Twelve spins on a 3 × 4 grid have 4,096
states, so partition function and magnetisations can be enumerated. The model is :math:`p(s)=e^{-E(s)}/Z` with

.. math:: E(s)=-J\sum_{(i,j)}s_is_j-h\sum_i s_i,\qquad s_i\in\{-1,1\}.

p is known but for Z. With :math:`\tilde p=e^{-E}`, equation (2.3) of :doc:`the mathematics </math>` reads
:math:`\log Z=-F(q)+\mathrm{KL}(q\|p)`, where :math:`F(q)=\mathbb E_q[E]-\mathrm H[q]` is the Gibbs free energy:
minimising it is maximising an ELBO.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import logsumexp, xlogy

rows, columns = 3, 4
sites = list(itertools.product(range(rows), range(columns)))
A = np.array([[abs(a - c) + abs(b - d) == 1 for c, d in sites] for a, b in sites], dtype=float)  # neighbours
states = np.array(list(itertools.product([-1, 1], repeat=len(sites))))


def exact(J, h):
    """log Z and the mean of each spin, by enumeration."""
    minus_energy = J * np.einsum("si,ij,sj->s", states, A, states) / 2 + h * states.sum(axis=1)
    log_z = logsumexp(minus_energy)
    return log_z, np.exp(minus_energy - log_z) @ states


def free_energy(m, J, h):
    up = (1 + m) / 2
    entropy = -(xlogy(up, up) + xlogy(1 - up, 1 - up)).sum()
    return -J * m @ A @ m / 2 - h * m.sum() - entropy


def mean_field(J, h, start, sweeps=400):
    r"""Coordinate descent: (3.1) gives :math:`m_i=\tanh(J\sum_j A_{ij}m_j+h)`."""
    m, trace = np.full(len(sites), start), []
    for _ in range(sweeps):
        for i in range(len(sites)):
            m[i] = np.tanh(J * A[i] @ m + h)
        trace.append(free_energy(m, J, h))
    return m, np.array(trace)


# %%
# With a weak field, mean field is good while spins are nearly independent, and worst where they begin to order.

couplings = np.linspace(0, 1.2, 25)
h = 0.05
log_z, means = zip(*(exact(J, h) for J in couplings), strict=True)
found = [mean_field(J, h, 0.1) for J in couplings]
bounds = np.array([-trace[-1] for _, trace in found])
gaps = np.array(log_z) - bounds
for _, trace in found:
    assert (np.diff(trace) < 1e-10).all()  # F never rises: each update is an exact minimisation
assert (gaps > -1e-9).all()  # −F is a lower bound of log Z
assert gaps[0] < 1e-9  # J = 0: spins are independent, and the family holds p
assert gaps.argmax() not in (0, len(gaps) - 1)  # the gap is largest in between

# %%
# Without a field nothing prefers up to down: every exact mean is 0. Beyond a critical coupling mean field chooses a
# side all the same: the i-projection picks a mode, as in :doc:`plot_03_two_divergences`.

broken, _ = mean_field(0.6, 0.0, 0.1)
mirrored, _ = mean_field(0.6, 0.0, -0.1)
quiet, _ = mean_field(0.2, 0.0, 0.1)
assert np.allclose(exact(0.6, 0.0)[1], 0)
assert broken.min() > 0.5
assert np.allclose(broken, -mirrored)
assert np.allclose(quiet, 0, atol=1e-6)
print(
    f"J = 0.6, h = 0: exact 0, mean field {broken.mean():+.3f} or {mirrored.mean():+.3f}; "
    f"at J = 0.2 {quiet.mean():+.3f}"
)

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
left.plot(couplings, log_z, color="#D55E00", label="log Z, enumerated")
left.plot(couplings, bounds, "--", color="#0072B2", label="−F(q), mean field")
left.set(xlabel="coupling J", ylabel="nats", title=f"The bound (largest gap {gaps.max():.2f} nats)")
left.legend()
right.plot(couplings, [m.mean() for m in means], color="#D55E00", label="exact, h = 0.05")
right.plot(couplings, [m.mean() for m, _ in found], "--", color="#0072B2", label="mean field, h = 0.05")
for sign, label in ((1, "mean field, h = 0: either branch"), (-1, None)):
    branch = [mean_field(J, 0.0, 0.1 * sign)[0].mean() for J in couplings]
    right.plot(couplings, branch, ":", color="#009E73", label=label)
right.set(xlabel="coupling J", ylabel="mean of a spin", title="Magnetisation")
right.legend(fontsize="small", loc="center right")
plt.show()
