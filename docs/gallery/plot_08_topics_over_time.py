"""
Topics over time
================

LDA knows nothing of dates: fit as usual, then average proportions by month. Here the trends are known, because the
documents were drawn from them.
"""

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation, metrics

K, V, MONTHS, PER_MONTH = 4, 150, 36, 40
rng = np.random.default_rng(3)
true_topics = rng.dirichlet(np.full(V, 0.08), K)
t = np.linspace(0, 1, MONTHS)
weights = np.stack([1.2 - t, 0.2 + t, 0.4 + 0.35 * np.sin(4 * np.pi * t), np.full(MONTHS, 0.4)], axis=1)
weights /= weights.sum(axis=1, keepdims=True)  # share of each topic in each month
month = np.repeat(np.arange(MONTHS), PER_MONTH)
theta = np.array([rng.dirichlet(2 * weights[m]) for m in month])
X = np.array([rng.multinomial(rng.integers(30, 120), mixture @ true_topics) for mixture in theta])

lda = LatentDirichletAllocation(K, random_state=0).fit(X)

# %%
# Average by tokens, not by documents
# -----------------------------------
# A share of a month is a share of its words, so each document weighs as many tokens as it has. The expected tokens of a
# topic are γ − α, which leaves out the prior.

tokens = lda.transform(X, normalize=False) - lda.doc_topic_prior_
by_month = np.array([tokens[month == m].sum(axis=0) for m in range(MONTHS)])
share = by_month / by_month.sum(axis=1, keepdims=True)

# %%
# Error bars come from the documents of a month: draw them again with replacement.

draws = []
for _ in range(200):
    sums = [tokens[rng.choice(np.flatnonzero(month == m), PER_MONTH)].sum(axis=0) for m in range(MONTHS)]
    draws.append(np.array(sums) / np.sum(sums, axis=1, keepdims=True))
low, high = np.quantile(draws, [0.025, 0.975], axis=0)

matching = metrics.match_topics(true_topics, lda)
assert matching.similarity.min() > 0.8  # all topics are found
pairs = matching.pairs
figure, axes = plt.subplots(1, K, figsize=(12, 3.2), layout="constrained", sharey=True)
for ax, (true, found) in zip(axes, pairs[np.argsort(pairs[:, 0])], strict=True):
    correlation = np.corrcoef(weights[:, true], share[:, found])[0, 1]
    error = np.abs(weights[:, true] - share[:, found]).mean()
    assert error < 0.05
    assert correlation > 0.8 or np.ptp(weights[:, true]) < 0.15  # where there is a trend, it is found
    ax.fill_between(range(MONTHS), low[:, found], high[:, found], color="#56B4E9", alpha=0.5, label="95 % by bootstrap")
    ax.plot(share[:, found], color="#0072B2", label="found")
    ax.plot(weights[:, true], "--", color="#D55E00", label="drawn from")
    ax.set(title=f"topic {found}, mean error {error:.3f}", xlabel="month")
axes[0].set(ylabel="share of tokens", ylim=(0, None))
axes[0].legend(fontsize="small")
plt.show()

# %%
# Topics are the same in all months here. If the words of a topic change with time as well, fit the periods apart and
# match the topics: :doc:`plot_11_two_models_matched`. A column of dates makes such curves on the page that
# :func:`ldavi.report.write` writes.
