r"""
Why warm starts get stuck
=========================

The ELBO has many local optima. From random topics, the first pass ties each document to whatever topic happens to
suit it; if the next pass starts from the last γ, the tie becomes stronger. Coordinate ascent is never wrong and never
leaves. Restarting each document's γ in the first passes forgets such ties: this is what `fit` does in its warm-up
(section 15 of :doc:`the mathematics </math>`).
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import gammaln, psi

from ldavi import LatentDirichletAllocation, metrics

K, V, D = 12, 240, 300
rng = np.random.default_rng(0)
true_topics = rng.dirichlet(np.full(V, 0.08), K)
theta = rng.dirichlet(np.full(K, 0.15), D)
X = np.array([rng.multinomial(60, mixture @ true_topics) for mixture in theta])
seeds = range(6)
priors = {"doc_topic_prior": 0.1, "topic_word_prior": 0.05}  # the same for all, so that bounds compare


def with_warm_up(seed):
    lda = LatentDirichletAllocation(
        K, **priors, init="random", max_iter=300, tol=1e-6, dtype="float64", random_state=seed
    )
    return lda.fit(X)


def without_warm_up(seed):
    """Coordinate ascent from random topics; every document continues from its last γ."""
    lda = LatentDirichletAllocation(K, **priors, max_iter=1, tol=None, dtype="float64").fit(X)
    lda.components_ = 0.8 + 0.4 * np.random.default_rng(seed).random((K, V))
    return lda.set_params(max_iter=1000, tol=1e-6, warm_start=True).fit(X)


good = [with_warm_up(seed) for seed in seeds]
stuck = [without_warm_up(seed) for seed in seeds]


def recovered(model):
    """How many of the true topics the model has."""
    return int((metrics.match_topics(model, true_topics).similarity > 0.8).sum())


for name, models in (("with warm-up", good), ("without", stuck)):
    bounds = np.array([model.elbo_ for model in models])
    print(
        f"{name:13} ELBO {np.median(bounds):.0f} (best {bounds.max():.0f}), "
        f"found {sorted(map(recovered, models))} of {K}"
    )
for model in stuck:  # not for want of iterations: each has converged, by steps that never fell
    assert model.converged_
    later = model.elbo_trace_["elbo"][model.elbo_trace_["phase"] == "monotone"]
    assert (np.diff(later) > -1e-9 * abs(later[1:])).all()
assert np.median([model.elbo_ for model in good]) > max(model.elbo_ for model in stuck)
assert np.median([recovered(model) for model in good]) > np.median([recovered(model) for model in stuck])

# %%
# Where the trap is
# -----------------
# Below, the bound of any topics λ, where the γ of each document converges from a cold start. At the topics of a stuck
# model it is higher than the ELBO at which that model converged: the optimum depends not only on its topics, but also
# on the γ from which its documents start.

probe = with_warm_up(0).set_params(max_doc_update_iter=1000, mean_change_tol=1e-6)
eta = probe.topic_word_prior_


def bound_at(components):
    """score (word and document terms) and the topics' own term, equation (9.6)."""
    probe.components_ = components
    score = probe.score(X)
    e_log = psi(components) - psi(components.sum(axis=1, keepdims=True))
    log_norm = gammaln(components).sum(axis=1) - gammaln(components.sum(axis=1))
    prior_norm = V * gammaln(eta) - gammaln(V * eta)
    return score + (log_norm - prior_norm + ((eta - components) * e_log).sum(axis=1)).sum()


released = np.array([bound_at(model.components_) for model in stuck])
assert (released > [model.elbo_ for model in stuck]).all()
print(f"ELBO of stuck models {np.mean([m.elbo_ for m in stuck]):.0f}; documents restarted {released.mean():.0f}")

# %%
# A valley between two optima
# ---------------------------
# With the warm-up optima are better, not unique. Take the worst and the best of these, match their topics, and walk
# from one λ to the other in a straight line. The bound falls before it rises: no sequence of small improvements on
# this line leads from one to the other. This is what several random starts are for, and why `fit` does not begin at
# random by default (equations 15.2 to 15.4).

worse, better = min(good, key=lambda m: m.elbo_), max(good, key=lambda m: m.elbo_)
pairs = metrics.match_topics(worse, better).pairs
start, end = worse.components_[pairs[:, 0]], better.components_[pairs[:, 1]]
steps = np.linspace(0, 1, 21)
along = np.array([bound_at((1 - t) * start + t * end) for t in steps])
assert along.min() < along[0] < along[-1]
print(f"ELBO at the worse optimum {along[0]:.0f}, in the valley {along.min():.0f}, at the better {along[-1]:.0f}")

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
for models, color, label in ((good, "#0072B2", "with warm-up"), (stuck, "#D55E00", "without")):
    for i, model in enumerate(models):
        trace = model.elbo_trace_
        left.plot(trace["iteration"], trace["elbo"], color=color, linewidth=1, label=label if i == 0 else None)
    middle.scatter([recovered(m) for m in models], [m.elbo_ for m in models], color=color, label=label, alpha=0.7)
left.set(xscale="log", xlabel="pass", ylabel="ELBO, nats", title="Six random starts each")
left.set_ylim(min(m.elbo_ for m in stuck) - 0.5 * np.ptp([m.elbo_ for m in good + stuck]), None)
left.legend()
middle.set(xlabel=f"true topics found, of {K}", ylabel="ELBO at convergence", title="Higher bound, truer topics")
middle.legend()
right.plot(steps, along, ".-", color="#555555")
right.set(xlabel="from the worst (0) to the best (1)", ylabel="ELBO, nats", title="A valley between two optima")
plt.show()
