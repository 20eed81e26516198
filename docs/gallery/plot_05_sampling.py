r"""
Sampling against variational inference
======================================

Collapsed Gibbs sampling for LDA in thirty lines, and variational inference, on the same corpus: how well each
predicts new documents, and how long it takes. Then the gap that variational inference leaves: between the bound and
the evidence, and between the standard deviations of :math:`\theta`. :doc:`The mathematics
</math/variational_inference>` compares the two methods in its section 6.
"""

import time

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation, inspection, metrics

K, V, D, length = 4, 60, 130, 40
ALPHA, ETA = 0.2, 0.1
rng = np.random.default_rng(1)
true_topics = rng.dirichlet(np.full(V, ETA), K)


def draw(n_documents):
    theta = rng.dirichlet(np.full(K, ALPHA), n_documents)
    return np.array([rng.multinomial(length, mixture @ true_topics) for mixture in theta])


train, test = draw(D), draw(60)

# %%
# Gibbs sampling
# --------------
# θ and β are integrated out. One token at a time is taken out of the counts, and its topic drawn given those of all
# others,
#
# .. math:: p(z_i=k\mid z_{-i},w)\propto(\alpha+n_{dk})\,\frac{\eta+n_{kw}}{V\eta+n_k}.


def gibbs(X, n_sweeps, rng):
    """Collapsed Gibbs sampling; yields E[β] given the assignments after each sweep."""
    docs, words = np.nonzero(X)
    counts = X[docs, words]
    docs, words = np.repeat(docs, counts), np.repeat(words, counts)
    z = rng.integers(K, size=len(words))
    in_doc, of_word = np.zeros((len(X), K)), np.zeros((X.shape[1], K))
    np.add.at(in_doc, (docs, z), 1)
    np.add.at(of_word, (words, z), 1)
    total = of_word.sum(axis=0)
    for _ in range(n_sweeps):
        uniform = rng.random(len(z))
        for i, (d, w) in enumerate(zip(docs.tolist(), words.tolist(), strict=True)):
            k = z[i]
            in_doc[d, k] -= 1
            of_word[w, k] -= 1
            total[k] -= 1
            mass = ((ALPHA + in_doc[d]) * (ETA + of_word[w]) / (V * ETA + total)).cumsum()
            k = mass.searchsorted(uniform[i] * mass[-1])
            z[i] = k
            in_doc[d, k] += 1
            of_word[w, k] += 1
            total[k] += 1
        yield ((ETA + of_word) / (V * ETA + total)).T


began = time.perf_counter()
samples = list(gibbs(train, 120, np.random.default_rng(2)))
gibbs_seconds = time.perf_counter() - began
gibbs_topics = np.mean(samples[60:], axis=0)

# %%
# Variational inference
# ---------------------

priors = {"doc_topic_prior": ALPHA, "topic_word_prior": ETA}
lda = LatentDirichletAllocation(K, **priors, tol=1e-6, max_iter=300, dtype="float64", random_state=0)
lda.fit(train[:10])  # so that nothing is timed that happens once
began = time.perf_counter()
lda.fit(train)
vb_seconds = time.perf_counter() - began


def held_out(topics):
    """Nats per token of new documents, by the same estimator for everyone."""
    found = metrics.left_to_right(topics, test, doc_topic_prior=ALPHA, n_particles=20)
    return found.log_likelihood / test.sum()


scores = {"true topics": held_out(true_topics), "Gibbs": held_out(gibbs_topics), "VB": held_out(lda.topics_)}
for name, value in scores.items():
    print(f"{name:12} {value:.4f} nats per held-out token")
print(f"seconds: Gibbs {gibbs_seconds:.2f} (interpreted Python), VB {vb_seconds:.3f} (C)")
assert abs(scores["VB"] - scores["Gibbs"]) < 0.03  # on an easy corpus both find the same topics
assert scores["VB"] > held_out(np.full((K, V), 1 / V)) + 0.5
matching = metrics.match_topics(lda, gibbs_topics)
assert matching.similarity.min() > 0.8

# %%
# Compare the seconds with care: this sampler is written for reading. A sampler in C takes a fraction of that; what
# remains is that it needs hundreds of sweeps over tokens, and has no sign that it has converged.
#
# The gap of the bound
# --------------------
# A chain's samples come, in the limit, from the true posterior, but nothing in them says how near the limit is. VB has
# a bound that never falls. For fixed topics, annealed importance sampling estimates the evidence itself. So the gap,
# which is :math:`\mathrm{KL}(q\|p)`, can be stated with a standard error (equation M9).

gap = metrics.bound_gap(lda, test, n_temperatures=300)
assert gap.gap > 5 * gap.standard_error  # the bound is below the evidence, beyond chance
assert 0.005 < gap.per_token < 0.02
print(
    f"held out: the ELBO is {gap.gap:.1f} ± {gap.standard_error:.1f} nats below the evidence, "
    f"{gap.per_token:.3f} a token"
)

# %%
# The gap of the standard deviations
# ----------------------------------
# Given the topics, Gibbs sampling draws :math:`\theta` from its posterior (equations 21.1 and 21.2). The means agree
# with those of :math:`q(\theta)=\mathrm{Dir}(\gamma)`; the standard deviations of :math:`q` are too small.

draws = inspection.theta_samples(lda, test, 400, random_state=0)
axis = draws.shape.index(400)
gamma = lda.transform(test, normalize=False)
share = gamma / gamma.sum(axis=1, keepdims=True)
deviation = np.sqrt(share * (1 - share) / (gamma.sum(axis=1, keepdims=True) + 1))
difference = np.abs(draws.mean(axis=axis) - share).mean()
ratio = deviation.mean() / draws.std(axis=axis).mean()
print(f"θ of held-out documents: means differ by {difference:.3f}, deviations of q are {ratio:.2f} of the exact ones")
assert difference < 0.02
assert 0.7 < ratio < 0.95

# %%
# Progress
# --------
# Both predict equally well in the end. VB needs fewer passes, and its bound shows when it has converged.

trace = lda.elbo_trace_
monotone = trace[trace["phase"] == "monotone"]
assert (np.diff(monotone["elbo"]) > -1e-9 * abs(lda.elbo_)).all()

shown = np.unique(np.geomspace(1, len(samples), 14).astype(int)) - 1
by_sweep = [held_out(samples[i]) for i in shown]
passes = []
for n_passes in (2, 3, 5, 8, 12, 20):
    model = LatentDirichletAllocation(K, **priors, max_iter=n_passes, tol=None, dtype="float64", random_state=0).fit(
        train
    )
    passes.append((n_passes, held_out(model.topics_)))
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
left.plot(shown + 1, by_sweep, "o-", color="#E69F00", markersize=4, label="Gibbs, one sample")
left.plot(*np.array(passes).T, "s-", color="#0072B2", markersize=4, label="VB")
left.axhline(scores["Gibbs"], color="#E69F00", linestyle=":", label="Gibbs, mean of 60 samples")
left.axhline(scores["true topics"], color="#555555", linestyle="--", label="true topics")
left.set(xscale="log", xlabel="sweeps (Gibbs) or passes (VB)", ylabel="nats per held-out token", title="Prediction")
left.legend(fontsize="small")
right.plot(trace["iteration"], trace["elbo"], ".-", color="#0072B2")
right.axvspan(trace["iteration"][0], monotone["iteration"][0], color="#EEEEEE")
right.set(xlabel="pass", ylabel="ELBO, nats", title="The bound of VB (warm-up in grey)")
plt.show()
