r"""
LDA by hand: one document, then two
===================================

Four words, two topics that are known, one document. The two updates of mean-field inference alternate (equations 8.13
and 8.16 of :doc:`the mathematics </math/lda>`), and the bound rises. The true posterior is there to compare, because a
document of eight tokens has only :math:`2^8` assignments of tokens to topics. At the end, two documents with unknown
topics.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import gammaln, logsumexp, psi
from scipy.stats import beta as beta_distribution

import ldavi

words = ["bread", "oven", "matrix", "rank"]
topics = np.array([[0.55, 0.35, 0.05, 0.05], [0.10, 0.10, 0.45, 0.35]])  # β, known
alpha = np.array([1.0, 1.0])
document = np.array([4, 1, 2, 1])  # n_w: "bread" four times, …

# %%
# The two updates
# ---------------
# Under :math:`q(\theta)=\mathrm{Dir}(\gamma)` and :math:`q(z_w=k)=\varphi_{wk}`,
#
# .. math:: \varphi_{wk}\propto\beta_{kw}\,e^{\psi(\gamma_k)},\qquad \gamma_k=\alpha_k+\sum_w n_w\varphi_{wk}.
#
# The normaliser :math:`\psi(\sum_j\gamma_j)` is common to all topics and cancels in :math:`\varphi`. The bound (8.3) is
# the sum of three expectations and two entropies, written out here term by term.


def update_phi(gamma):
    phi = topics.T * np.exp(psi(gamma))
    return phi / phi.sum(axis=1, keepdims=True)


def update_gamma(phi):
    return alpha + document @ phi


def bound(gamma, phi):
    e_log_theta = psi(gamma) - psi(gamma.sum())
    log_prior = gammaln(alpha.sum()) - gammaln(alpha).sum() + (alpha - 1) @ e_log_theta  # (8.6)
    log_z = document @ (phi @ e_log_theta)  # E[log p(z | θ)], (8.7)
    log_w = document @ (phi * np.log(topics.T)).sum(axis=1)  # E[log p(w | z)], (8.8)
    entropy_theta = gammaln(gamma).sum() - gammaln(gamma.sum()) - (gamma - 1) @ e_log_theta  # (8.9)
    entropy_z = -document @ (phi * np.log(phi)).sum(axis=1)  # (8.10)
    return log_prior + log_z + log_w + entropy_theta + entropy_z


gamma = alpha + document.sum() / 2  # both topics share the tokens: equation 15.1
trace = []
for _ in range(12):
    phi = update_phi(gamma)
    trace.append((bound(gamma, phi), "φ"))
    gamma = update_gamma(phi)
    trace.append((bound(gamma, phi), "γ"))
values = np.array([value for value, _ in trace])
assert (np.diff(values) > -1e-12).all()  # each update is an exact maximisation: the bound never falls
print(f"γ = {gamma.round(3)}, bound = {values[-1]:.5f}")

# %%
# The same from the library, whose inner loop is C:

library = ldavi.infer([document], topics, alpha, mean_change_tol=1e-9, dtype="float64")
assert np.allclose(library.gamma[0], gamma, atol=1e-4)
assert np.isclose(library.bound[0], values[-1], atol=1e-6)
print(f"γ = {library.gamma[0].round(3)}, bound = {library.bound[0]:.5f}")

# %%
# The truth, enumerated
# ---------------------
# Given the assignments z the posterior of θ is Dirichlet again, so the exact posterior is a mixture of :math:`2^8`
# Dirichlets (only the number of tokens in topic 0 matters, so nine of them differ) and the evidence (7.2) is the sum
# of their weights.

tokens = np.repeat(np.arange(4), document)
assignments = np.array(list(itertools.product([0, 1], repeat=len(tokens))))
in_topic = np.stack([(assignments == k).sum(axis=1) for k in (0, 1)], axis=1)
log_weight = np.log(topics[assignments, tokens]).sum(axis=1) + gammaln(alpha + in_topic).sum(axis=1)
log_weight += gammaln(alpha.sum()) - gammaln(alpha).sum() - gammaln(alpha.sum() + len(tokens))
evidence = logsumexp(log_weight)
weight = np.exp(log_weight - evidence)
gap = evidence - values[-1]
assert gap > 0  # a lower bound; the gap is KL(q ‖ p), equation 2.2
print(f"log evidence = {evidence:.5f}, gap = {gap:.5f} nats")

theta = np.linspace(1e-3, 1 - 1e-3, 400)
exact = sum(p * beta_distribution.pdf(theta, *(alpha + n)) for p, n in zip(weight, in_topic, strict=True))
approximate = beta_distribution.pdf(theta, *gamma)
exact_mean = weight @ (alpha + in_topic)[:, 0] / (alpha.sum() + len(tokens))
mean_square = weight @ ((alpha + in_topic)[:, 0] * (alpha + in_topic + 1)[:, 0])
exact_deviation = np.sqrt(mean_square / (alpha.sum() + len(tokens)) / (alpha.sum() + len(tokens) + 1) - exact_mean**2)
deviation = beta_distribution.std(*gamma)
assert deviation < exact_deviation  # mean field is too sure of itself
print(
    f"θ of topic 0: exact {exact_mean:.3f} ± {exact_deviation:.3f}, "
    f"mean field {gamma[0] / gamma.sum():.3f} ± {deviation:.3f}"
)

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
left.plot(np.arange(1, len(values) + 1) / 2, values, color="#0072B2")
for mark, name in (("o", "φ"), ("s", "γ")):
    at = [i for i, (_, which) in enumerate(trace) if which == name]
    left.plot((np.array(at) + 1) / 2, values[at], mark, color="#0072B2", label=f"after {name}", markersize=4)
left.axhline(evidence, color="#D55E00", linestyle="--", label="log evidence (exact)")
left.set(xlabel="sweep", ylabel="nats", title="The bound rises, and stops short")
left.legend(loc="center right")
right.plot(theta, exact, color="#D55E00", label="exact posterior")
right.plot(theta, approximate, color="#0072B2", linestyle="--", label=r"q(θ) = Dir(γ)")
right.set(xlabel='share of topic 0 ("bread, oven") in the document', ylabel="density", ylim=(0, None))
right.set_title("Right in the middle, too narrow")
right.legend()
plt.show()

# %%
# The middle is right and the width is not. :math:`q` takes the tokens as independent of :math:`\theta`, so it leaves
# out that their assignments depend on each other. :func:`ldavi.metrics.bound_gap` measures this gap on real documents,
# by sampling; that is the subject of :doc:`plot_05_sampling`.
#
# Unknown topics
# --------------
# Two documents, three words, two topics with the prior 1. The topics have the parameters :math:`\lambda`, from which
# :math:`\mathbb E[\log\beta_{kw}]=\psi(\lambda_{kw})-\psi(\sum_{w'}\lambda_{kw'})` takes the place of
# :math:`\log\beta_{kw}`. The new update, equation (9.9), adds the expected tokens of each word to the prior:
#
# .. math:: \lambda_{kw}=\eta+\sum_dn_{dw}\varphi_{dwk}.
#
# The first pass is the one that :doc:`the mathematics </math/lda>` works with a pocket calculator.

X = np.array([[2, 2, 0], [0, 1, 3]])  # two documents over "bread", "oven", "matrix"
lam, gammas = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), np.full((2, 2), 3.0)
history = [lam]
for _ in range(60):
    e_log_beta = psi(lam) - psi(lam.sum(axis=1, keepdims=True))
    phis = np.exp(psi(gammas)[:, None, :] + e_log_beta.T)
    phis /= phis.sum(axis=2, keepdims=True)  # documents × words × topics
    gammas = 1 + (X[:, :, None] * phis).sum(axis=1)
    lam = 1 + (X[:, :, None] * phis).sum(axis=0).T
    history.append(lam)
assert np.allclose(history[1], [[2.635, 2.5, 1.547], [1.365, 2.5, 3.453]], atol=5e-4)  # by hand
assert np.isclose(lam.sum(), X.sum() + lam.size)  # the prior, and every token
print("after one pass:\n", history[1].round(3), "\nat the end:\n", lam.round(3), sep="")

# %%
# ldavi converges to the same topics. Topics have no order, so they are sorted by "bread".

options = {"doc_topic_prior": 1.0, "topic_word_prior": 1.0, "n_collapsed_iter": 0, "dtype": "float64"}
lda = ldavi.LatentDirichletAllocation(2, **options, tol=1e-12, mean_change_tol=1e-9).fit(X)
by_bread = np.argsort(-lda.components_[:, 0])
assert np.allclose(lda.components_[by_bread], lam, atol=1e-3)

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True, layout="constrained")
for k, axis in enumerate(axes):
    for w, (word, color) in enumerate(zip(["bread", "oven", "matrix"], ["#0072B2", "#D55E00", "#009E73"], strict=True)):
        axis.plot([rows[k, w] for rows in history[:16]], ".-", color=color, label=word)
    axis.set(xlabel="pass", title=f"λ of topic {k + 1}")
axes[0].legend()
plt.show()
