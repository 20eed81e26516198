r"""
A univariate Gaussian, mean and precision unknown
=================================================

The smallest model in which mean field is an approximation, and one whose exact posterior is known, so that every
number can be compared. Observations :math:`x_i\sim\mathcal N(\mu,P^{-1})` have the mean :math:`\mu` and the precision
:math:`P`, with a Normal-Gamma prior,

.. math:: P\sim\mathrm{Gamma}(f_0,g_0),\qquad \mu\mid P\sim\mathcal N\big(\mu_0,(n_0P)^{-1}\big).

:doc:`The mathematics </math/variational_inference>` derives each step in its section 5. LDA's inference is these four
steps with other distributions: see :doc:`plot_01_lda_by_hand`.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from scipy.special import gammaln, psi

x = np.random.default_rng(0).normal(1.0, 0.7, size=8)
N, mean = len(x), x.mean()
mu0, n0, f0, g0 = 0.0, 0.5, 1.0, 1.0

# %%
# Step 1: the joint density
# -------------------------
# .. math:: \begin{aligned}\log p(x,\mu,P)=&\sum_i\log\mathcal N(x_i\mid\mu,P^{-1})
#    +\log\mathcal N(\mu\mid\mu_0,(n_0P)^{-1})\\&+\log\mathrm{Gamma}(P\mid f_0,g_0).\end{aligned}
#
# Everything below follows from it.
#
# Step 2: the family
# ------------------
# :math:`q(\mu,P)=q(\mu)\,q(P)`. This is the only assumption; the forms of the factors follow from it.
#
# Step 3: each factor, the other held
# -----------------------------------
# The general coordinate update (3.1) says that :math:`\log q^*(\mu)=\mathbb E_{q(P)}[\log p(x,\mu,P)]` plus a constant.
# The right side is quadratic in μ, so :math:`q(\mu)=\mathcal N(\hat\mu,\hat\sigma^2)` with
#
# .. math:: \hat\mu=\frac{n_0\mu_0+N\bar x}{n_0+N},\qquad \hat\sigma^{-2}=(n_0+N)\,\mathbb E[P].
#
# Likewise the terms with P are a :math:`\log P` and a :math:`P`, so :math:`q(P)=\mathrm{Gamma}(f,g)` with
#
# .. math:: f=f_0+\tfrac{N+1}{2},\qquad g=g_0+\tfrac12
#    \mathbb E_{q(\mu)}\Big[\sum_i(x_i-\mu)^2+n_0(\mu-\mu_0)^2\Big].
#
# The ELBO is the mean of the joint density under q, plus the entropies of both factors (equation 5.5):
#
# .. math:: \mathcal L=\mathbb E_q[\log p(x,\mu,P)]+\mathrm H[q(\mu)]+\mathrm H[q(P)],\qquad
#    \mathrm H[q(\mu)]=\tfrac12\log(2\pi e\,\hat\sigma^2),\quad \mathrm H[q(P)]=f-\log g+\ln\Gamma(f)+(1-f)\,\psi(f).
#
# Its expectations are :math:`\mathbb E[\log P]=\psi(f)-\log g` and :math:`\mathbb E[P]=f/g`.


def expected_squares(mu, variance):
    return ((x - mu) ** 2).sum() + N * variance + n0 * ((mu - mu0) ** 2 + variance)


def elbo(mu, variance, f, g):
    P, log_P = f / g, psi(f) - np.log(g)
    likelihood_and_mu = (
        (N + 1) / 2 * (log_P - np.log(2 * np.pi)) + np.log(n0) / 2 - P * expected_squares(mu, variance) / 2
    )
    prior_P = f0 * np.log(g0) - gammaln(f0) + (f0 - 1) * log_P - g0 * P
    entropy_P = f - np.log(g) + gammaln(f) + (1 - f) * psi(f)
    return likelihood_and_mu + prior_P + np.log(2 * np.pi * np.e * variance) / 2 + entropy_P


# %%
# Step 4: alternate, and watch the bound
# --------------------------------------

mu, variance, f, g = -1.0, 1.0, 1.0, 3.0  # a poor start, on purpose
path, values = [(mu, variance, f, g)], [elbo(mu, variance, f, g)]
for _ in range(6):
    mu, variance = (n0 * mu0 + N * mean) / (n0 + N), 1 / ((n0 + N) * f / g)
    path.append((mu, variance, f, g))
    values.append(elbo(mu, variance, f, g))
    f, g = f0 + (N + 1) / 2, g0 + expected_squares(mu, variance) / 2
    path.append((mu, variance, f, g))
    values.append(elbo(mu, variance, f, g))
assert (np.diff(values) > -1e-12).all()
for step, (now, value) in enumerate(zip(path[:5], values, strict=False)):
    print("step {}: μ={:6.3f}  σ²={:.4f}  f={:.1f}  g={:.3f}".format(step, *now), f" ELBO={value:.4f}")

# %%
# After an update of q(P), most terms of the ELBO cancel (equation 5.6):

short = -N / 2 * np.log(2 * np.pi) + np.log(n0 * variance) / 2 + 0.5 + f0 * np.log(g0) - gammaln(f0)
short += gammaln(f) - f * np.log(g)
assert np.isclose(short, values[-1])

# %%
# The same update in natural parameters
# -------------------------------------
# Given P, the density of μ is :math:`\exp\{\langle\nu(P),T(\mu)\rangle-\mathcal A\}` with the statistic
# :math:`T(\mu)=(\mu,\mu^2)` and the natural parameters :math:`\nu(P)=P\,(n_0\mu_0+N\bar x,\,-(n_0+N)/2)`. By equation
# (4.3), the update of q(μ) replaces them by their mean under q(P), here P by E[P] = f / g. A Gaussian with natural
# parameters :math:`(\nu_1,\nu_2)` has the variance :math:`-1/(2\nu_2)` and the mean :math:`\nu_1` times that.

natural = f / g * np.array([n0 * mu0 + N * mean, -(n0 + N) / 2])
assert np.isclose(-natural[0] / (2 * natural[1]), mu)
assert np.isclose(-1 / (2 * natural[1]), 1 / ((n0 + N) * f / g))

# %%
# The exact posterior
# -------------------
# is Normal-Gamma again, the marginal of μ is Student's t, and the evidence has a closed form (equation 5.7).

n_post, f_post = n0 + N, f0 + N / 2
mu_post = (n0 * mu0 + N * mean) / n_post
g_post = g0 + ((x - mean) ** 2).sum() / 2 + n0 * N * (mean - mu0) ** 2 / (2 * n_post)
evidence = gammaln(f_post) - gammaln(f0) + f0 * np.log(g0) - f_post * np.log(g_post)
evidence += (np.log(n0 / n_post) - N * np.log(2 * np.pi)) / 2
student = stats.t(2 * f_post, mu_post, np.sqrt(g_post / (f_post * n_post)))

assert values[-1] < evidence  # a lower bound
assert np.isclose(mu, mu_post)  # the mean of μ is exact
assert variance < student.var()  # its variance is too small
assert np.isclose(f / g, f_post / g_post, rtol=1e-3)  # and the mean of P is exact, at convergence
print(f"log evidence {evidence:.4f}, ELBO {values[-1]:.4f}: the gap is KL(q ‖ p) = {evidence - values[-1]:.4f} nats")
print(f"variance of μ: exact {student.var():.4f}, mean field {variance:.4f}")

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
axes[0].plot(range(1, 9), values[1:9], "o-", color="#0072B2", markersize=4, label="ELBO")
axes[0].axhline(evidence, color="#D55E00", linestyle="--", label="log evidence")
axes[0].set(xlabel="update (μ, P, μ, P, …)", ylabel="nats", title="The bound")
axes[0].legend()
mus, Ps = np.meshgrid(np.linspace(0.1, 2.3, 200), np.linspace(0.05, 7.5, 200))
exact = stats.gamma(f_post, scale=1 / g_post).pdf(Ps) * stats.norm(mu_post, 1 / np.sqrt(n_post * Ps)).pdf(mus)
factorised = stats.gamma(f, scale=1 / g).pdf(Ps) * stats.norm(mu, np.sqrt(variance)).pdf(mus)
levels = exact.max() * np.array([0.05, 0.25, 0.6, 0.9])
axes[1].contour(mus, Ps, exact, levels, colors="#D55E00")
axes[1].contour(mus, Ps, factorised, levels, colors="#0072B2", linestyles="--")
axes[1].plot([], [], color="#D55E00", label="exact")
axes[1].plot([], [], color="#0072B2", linestyle="--", label="q(μ) q(P)")
axes[1].set(xlabel="μ", ylabel="P", title="The posterior: a wedge, not an ellipse")
axes[1].legend(fontsize="small")
grid = np.linspace(-0.6, 2.4, 300)
axes[2].plot(grid, student.pdf(grid), color="#D55E00", label="exact: Student's t")
axes[2].plot(grid, stats.norm(mu, np.sqrt(variance)).pdf(grid), color="#0072B2", linestyle="--", label="q(μ): Gaussian")
axes[2].set(xlabel="μ", title="The marginal of μ", ylim=(0, None))
axes[2].legend(fontsize="small", loc="upper left")
plt.show()

# %%
# Where P is small, μ is uncertain: the exact contours open downwards. A product of two factors cannot have this shape,
# since its μ is equally certain for every P. What is lost is the tails of μ; both means are right.
