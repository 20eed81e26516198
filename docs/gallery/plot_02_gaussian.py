r"""
A univariate Gaussian, mean and precision unknown
=================================================

The smallest model in which mean field is an approximation, and one whose exact posterior is known, so that every
number can be compared. :math:`x_i\sim\mathcal N(\mu,\tau^{-1})` with a Normal-Gamma prior,

.. math:: \tau\sim\mathrm{Gamma}(a_0,b_0),\qquad \mu\mid\tau\sim\mathcal N\big(\mu_0,(\lambda_0\tau)^{-1}\big).

LDA's inference is these four steps with other distributions: see :doc:`plot_01_lda_by_hand`.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from scipy.special import gammaln, psi

x = np.random.default_rng(0).normal(1.0, 0.7, size=8)
N, mean = len(x), x.mean()
mu0, lambda0, a0, b0 = 0.0, 0.5, 1.0, 1.0

# %%
# Step 1: the joint density
# -------------------------
# .. math:: \begin{aligned}\log p(x,\mu,\tau)=&\sum_i\log\mathcal N(x_i\mid\mu,\tau^{-1})
#    +\log\mathcal N(\mu\mid\mu_0,(\lambda_0\tau)^{-1})\\&+\log\mathrm{Gamma}(\tau\mid a_0,b_0).\end{aligned}
#
# Everything below follows from it.
#
# Step 2: the family
# ------------------
# :math:`q(\mu,\tau)=q(\mu)\,q(\tau)`. This is the only assumption; the forms of the factors follow from it.
#
# Step 3: each factor, the other held
# -----------------------------------
# The general coordinate update (3.1) says :math:`\log q^*(\mu)=\mathbb E_{q(\tau)}[\log p(x,\mu,\tau)]+c`. The right
# side is quadratic in μ, so :math:`q(\mu)=\mathcal N(m,v)` with
#
# .. math:: m=\frac{\lambda_0\mu_0+N\bar x}{\lambda_0+N},\qquad v^{-1}=(\lambda_0+N)\,\mathbb E[\tau].
#
# Likewise the terms with τ are a :math:`\log\tau` and a :math:`\tau`, so :math:`q(\tau)=\mathrm{Gamma}(a,b)` with
#
# .. math:: a=a_0+\tfrac{N+1}{2},\qquad b=b_0+\tfrac12
#    \mathbb E_{q(\mu)}\Big[\sum_i(x_i-\mu)^2+\lambda_0(\mu-\mu_0)^2\Big].


def expected_squares(m, v):
    return ((x - m) ** 2).sum() + N * v + lambda0 * ((m - mu0) ** 2 + v)


def elbo(m, v, a, b):
    tau, log_tau = a / b, psi(a) - np.log(b)
    likelihood_and_mu = (
        (N + 1) / 2 * (log_tau - np.log(2 * np.pi)) + np.log(lambda0) / 2 - tau * expected_squares(m, v) / 2
    )
    prior_tau = a0 * np.log(b0) - gammaln(a0) + (a0 - 1) * log_tau - b0 * tau
    entropies = 0.5 * np.log(2 * np.pi * np.e * v) + stats.gamma(a, scale=1 / b).entropy()
    return likelihood_and_mu + prior_tau + entropies


# %%
# Step 4: alternate, and watch the bound
# --------------------------------------
# The ELBO is the mean of the joint density under q, plus the entropies of both factors, which are those of a Gaussian
# and of a Gamma distribution:
#
# .. math:: \mathcal L=\mathbb E_q[\log p(x,\mu,\tau)]+\mathrm H[q(\mu)]+\mathrm H[q(\tau)],\qquad
#    \mathrm H[q(\mu)]=\tfrac12\log(2\pi e\,v),\quad \mathrm H[q(\tau)]=a-\log b+\ln\Gamma(a)+(1-a)\,\psi(a).
#
# With :math:`\mathbb E[\log\tau]=\psi(a)-\log b` and :math:`\mathbb E[\tau]=a/b`, this is the function ``elbo`` above.

m, v, a, b = -1.0, 1.0, 1.0, 3.0  # a poor start, on purpose
path, values = [(m, v, a, b)], [elbo(m, v, a, b)]
for _ in range(6):
    m, v = (lambda0 * mu0 + N * mean) / (lambda0 + N), 1 / ((lambda0 + N) * a / b)
    path.append((m, v, a, b))
    values.append(elbo(m, v, a, b))
    a, b = a0 + (N + 1) / 2, b0 + expected_squares(m, v) / 2
    path.append((m, v, a, b))
    values.append(elbo(m, v, a, b))
assert (np.diff(values) > -1e-12).all()
for step in range(5):
    m_now, v_now, a_now, b_now = path[step]
    print(f"step {step}: m={m_now:6.3f}  v={v_now:.4f}  a={a_now:.1f}  b={b_now:.3f}  ELBO={values[step]:.4f}")

# %%
# The same update in natural parameters
# -------------------------------------
# Given τ, the density of μ is :math:`\exp\{\langle a(\tau),T(\mu)\rangle-A\}` with :math:`T(\mu)=(\mu,\mu^2)` and
# natural parameters :math:`a(\tau)=\tau\,(\lambda_0\mu_0+N\bar x,\,-(\lambda_0+N)/2)`. By equation (4.3), the update
# of q(μ) replaces them by their mean under q(τ), here τ by E[τ] = a / b. A Gaussian with natural parameters
# :math:`(\eta_1,\eta_2)` has the variance :math:`-1/(2\eta_2)` and the mean :math:`\eta_1` times that.

natural = a / b * np.array([lambda0 * mu0 + N * mean, -(lambda0 + N) / 2])
variance = -1 / (2 * natural[1])
assert np.isclose(natural[0] * variance, m)
assert np.isclose(variance, 1 / ((lambda0 + N) * a / b))

# %%
# The exact posterior
# -------------------
# is Normal-Gamma again, the marginal of μ is Student's t, and the evidence has a closed form.

lambda_n, a_n = lambda0 + N, a0 + N / 2
mu_n = (lambda0 * mu0 + N * mean) / lambda_n
b_n = b0 + ((x - mean) ** 2).sum() / 2 + lambda0 * N * (mean - mu0) ** 2 / (2 * lambda_n)
evidence = gammaln(a_n) - gammaln(a0) + a0 * np.log(b0) - a_n * np.log(b_n)
evidence += (np.log(lambda0 / lambda_n) - N * np.log(2 * np.pi)) / 2
student = stats.t(2 * a_n, mu_n, np.sqrt(b_n / (a_n * lambda_n)))

assert values[-1] < evidence  # a lower bound
assert np.isclose(m, mu_n)  # the mean of μ is exact
assert v < student.var()  # its variance is too small
assert np.isclose(a / b, a_n / b_n, rtol=1e-3)  # and the mean of τ is exact, at convergence
print(f"log evidence {evidence:.4f}, ELBO {values[-1]:.4f}: the gap is KL(q ‖ p) = {evidence - values[-1]:.4f} nats")
print(f"variance of μ: exact {student.var():.4f}, mean field {v:.4f}")

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
axes[0].plot(range(1, 9), values[1:9], "o-", color="#0072B2", markersize=4, label="ELBO")
axes[0].axhline(evidence, color="#D55E00", linestyle="--", label="log evidence")
axes[0].set(xlabel="update (μ, τ, μ, τ, …)", ylabel="nats", title="The bound")
axes[0].legend()
mu, tau = np.meshgrid(np.linspace(0.1, 2.3, 200), np.linspace(0.05, 7.5, 200))
exact = stats.gamma(a_n, scale=1 / b_n).pdf(tau) * stats.norm(mu_n, 1 / np.sqrt(lambda_n * tau)).pdf(mu)
factorised = stats.gamma(a, scale=1 / b).pdf(tau) * stats.norm(m, np.sqrt(v)).pdf(mu)
levels = exact.max() * np.array([0.05, 0.25, 0.6, 0.9])
axes[1].contour(mu, tau, exact, levels, colors="#D55E00")
axes[1].contour(mu, tau, factorised, levels, colors="#0072B2", linestyles="--")
axes[1].plot([], [], color="#D55E00", label="exact")
axes[1].plot([], [], color="#0072B2", linestyle="--", label="q(μ) q(τ)")
axes[1].set(xlabel="μ", ylabel="τ", title="The posterior: a wedge, not an ellipse")
axes[1].legend(fontsize="small")
grid = np.linspace(-0.6, 2.4, 300)
axes[2].plot(grid, student.pdf(grid), color="#D55E00", label="exact: Student's t")
axes[2].plot(grid, stats.norm(m, np.sqrt(v)).pdf(grid), color="#0072B2", linestyle="--", label="q(μ): Gaussian")
axes[2].set(xlabel="μ", title="The marginal of μ", ylim=(0, None))
axes[2].legend(fontsize="small", loc="upper left")
plt.show()

# %%
# Where τ is small, μ is uncertain: the exact contours open downwards. A product of two factors cannot, since it holds μ
# equally certain for every τ. What is lost is the tails of μ; both means are right.
