r"""
KL(q‖p) against KL(p‖q)
=======================

Both measure how far q is from p, and both are 0 only where they agree. Within a family that does not hold p they pick
different members. Variational inference minimises :math:`\mathrm{KL}(q\|p)=\mathbb E_q[\log q-\log p]`, the
*i-projection*: q must not put mass where p has none, so it chooses a mode and is narrow. Expectation propagation and
maximum likelihood minimise :math:`\mathrm{KL}(p\|q)=\mathbb E_p[\log p-\log q]`, the *m-projection*: q must cover p,
and for an exponential family it matches the moments (equations 1.3 and 1.4 of :doc:`the mathematics </math>`).
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from scipy.optimize import minimize

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

# %%
# A target with two modes
# -----------------------
# p is a mixture of two Gaussians, q one Gaussian. Expectations are sums over a fine grid.

x, step = np.linspace(-12, 12, 6001, retstep=True)
parts = ((0.6, -2.5, 0.8), (0.4, 2.5, 1.0))
p = sum(w * stats.norm(m, s).pdf(x) for w, m, s in parts)
log_p = np.log(p)


def kl_q_p(parameters):
    q = stats.norm(parameters[0], np.exp(parameters[1]))
    return (q.pdf(x) * (q.logpdf(x) - log_p)).sum() * step


def kl_p_q(parameters):
    return (p * (log_p - stats.norm(parameters[0], np.exp(parameters[1])).logpdf(x))).sum() * step


left = minimize(kl_q_p, [-2.0, 0.0])
right = minimize(kl_q_p, [2.0, 0.0])
cover = minimize(kl_p_q, [0.0, 0.0])

mean = (p * x).sum() * step
deviation = np.sqrt((p * (x - mean) ** 2).sum() * step)
assert np.allclose([cover.x[0], np.exp(cover.x[1])], [mean, deviation], atol=1e-3)  # moments matched
for found, (weight, mode, width) in zip((left, right), parts, strict=True):
    assert abs(found.x[0] - mode) < 0.1  # one mode, and its width
    assert abs(np.exp(found.x[1]) - width) < 0.1
    assert abs(found.fun + np.log(weight)) < 0.02  # the price of leaving the other mode out: −log of this one's weight
assert left.fun < right.fun  # both are optima; the heavier mode is the better one
print(
    f"KL(q‖p): {left.fun:.3f} at the left mode, {right.fun:.3f} at the right; "
    f"−log w {-np.log(0.6):.3f}, {-np.log(0.4):.3f}"
)
print(f"KL(p‖q): mean {cover.x[0]:.3f}, deviation {np.exp(cover.x[1]):.3f}; those of p {mean:.3f}, {deviation:.3f}")

# %%
# A correlated target
# -------------------
# p is a Gaussian with correlation 0.9, q a product of two. With precision matrix Λ and covariance Σ both answers are
# known: KL(q‖p) gives variances :math:`1/\Lambda_{ii}` and KL(p‖q) the marginal ones, :math:`\Sigma_{ii}`.
# Coordinate ascent finds the first.

covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
precision = np.linalg.inv(covariance)
m = np.array([1.5, -1.5])
paths = [m.copy()]
for _ in range(40):
    for i in (0, 1):  # E[log p] is quadratic in x_i: mean −Λ_ij m_j / Λ_ii, variance 1 / Λ_ii
        m[i] = -precision[i, 1 - i] * m[1 - i] / precision[i, i]
        paths.append(m.copy())
inner, outer = 1 / np.diag(precision), np.diag(covariance)
assert np.allclose(m, 0, atol=1e-2)  # the mean is right
assert np.allclose(inner, 1 - 0.9**2)  # the variance is that of one coordinate *given the other*
print(f"variances: p {outer}, KL(q‖p) {inner.round(2)}, KL(p‖q) {outer}")

figure, (first, second) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=[1.5, 1])
first.fill_between(x, p, color="#DDDDDD", label="p")
for found, style in ((left, "-"), (right, "--")):
    q = stats.norm(found.x[0], np.exp(found.x[1]))
    first.plot(x, q.pdf(x), style, color=BLUE, label=f"least KL(q‖p) from one side: {found.fun:.2f}")
first.plot(x, stats.norm(mean, deviation).pdf(x), color=ORANGE, label="least KL(p‖q): moments")
first.set(xlim=(-8, 8), ylim=(0, 0.72), xlabel="x", ylabel="density", title="Two modes")
first.legend(fontsize="small")
angle = np.linspace(0, 2 * np.pi, 200)
circle = np.stack([np.cos(angle), np.sin(angle)])
second.plot(*(2 * np.linalg.cholesky(covariance) @ circle), color="#777777", linewidth=3, label="p, two deviations")
second.plot(*(2 * np.sqrt(inner)[:, None] * circle), color=BLUE, label="KL(q‖p)")
second.plot(*(2 * np.sqrt(outer)[:, None] * circle), color=ORANGE, label="KL(p‖q)")
second.plot(*np.array(paths).T, ".-", color=GREEN, markersize=3, linewidth=0.8, label="coordinate ascent")
second.set(
    aspect="equal", title="A correlation of 0.9", xlabel="$x_1$", ylabel="$x_2$", xlim=(-2.4, 2.4), ylim=(-2.4, 3.4)
)
second.legend(fontsize="x-small", loc="upper left", ncols=2, columnspacing=0.8)
plt.show()

# %%
# For LDA the modes are, among other things, the K! ways to number the topics: to choose one is what is wanted. That
# q is narrow is not: intervals from a mean-field posterior are too short (:func:`ldavi.inspection.theta_intervals`
# says by how much).
