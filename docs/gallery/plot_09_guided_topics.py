"""
Guided topics
=============

A rare theme among common ones: fits from random starts give its words to a larger topic. A few seed words are enough
to give it a topic of its own, under a number that was chosen, and its other words follow.
"""

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation

K, V, D, RARE = 6, 240, 500, 5
rng = np.random.default_rng(2)
topics = np.full((K, V), 1e-4)
for k in range(K):  # 40 words each, of which every topic shares some with the next
    topics[k, (np.arange(50) + 40 * k) % V] = rng.dirichlet(np.full(50, 0.5))
topics /= topics.sum(axis=1, keepdims=True)
share = np.full(K, 0.19)
share[RARE] = 0.02
theta = np.array([rng.dirichlet(0.8 * share) for _ in range(D)])
X = np.array([rng.multinomial(50, mixture @ topics) for mixture in theta])

own = np.arange(10, 40) + 40 * RARE  # words that are nobody else's
own = own[own < V]
seeds = own[np.argsort(-topics[RARE, own])[:3]]  # its three most frequent
others = np.setdiff1d(own, seeds)

# %%
# The same fit from ten random starts, with and without the seeds (those with seeds always start at random). What is
# measured: how much of the probability of the theme's other words, which were **not** given, the topic has that
# holds most of them, and how much of that topic they and the seeds are.


def theme(model, k=None):
    """Share of the theme's tokens that topic k has, and share of topic k that the theme has."""
    held = model.components_ - model.topic_word_prior_ if np.ndim(model.topic_word_prior_) else model.components_
    k = int(held[:, others].sum(axis=1).argmax()) if k is None else k
    return held[k, others].sum() / held[:, others].sum(), model.topics_[k, own].sum()


starts = range(10)
free = np.array([theme(LatentDirichletAllocation(K, init="random", random_state=seed).fit(X)) for seed in starts])
options = {"seed_words": {RARE: seeds.tolist()}}
guided = np.array([theme(LatentDirichletAllocation(K, random_state=seed, **options).fit(X), RARE) for seed in starts])
for name, found in (("free", free), ("guided", guided)):
    print(
        f"{name:7} {found[:, 0].mean():.2f} of the theme's other words in its topic, "
        f"which is {found[:, 1].mean():.2f} theme"
    )
assert guided[:, 0].min() > 0.7  # words that were not given follow
assert guided[:, 1].mean() > free[:, 1].mean() + 0.2  # and the topic is about the theme
assert (guided[:, 1] > 0.5).all()  # from every start, under the number that was asked for

# %%
# Words of a rare theme have a co-occurrence profile unlike that of other words, so one of them becomes an anchor word
# (equations 15.2 to 15.4): a free fit finds this theme, too, though not under a number that is known in advance.

by_default = theme(LatentDirichletAllocation(K, random_state=0).fit(X))
print(f"default {by_default[0]:.2f} of the theme's other words in its topic, which is {by_default[1]:.2f} theme")
assert by_default[1] > free[:, 1].mean() + 0.2

figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
ax.scatter(*free.T, color="#D55E00", label="free: whichever topic holds most of it", alpha=0.8)
ax.scatter(*by_default, color="black", marker="x", label='free, init="auto"')
ax.scatter(*guided.T, color="#0072B2", marker="s", label=f"three seed words for topic {RARE}", alpha=0.8)
ax.set(xlabel="share of the theme's other words that the topic holds", ylabel="share of the topic that is the theme")
ax.set(xlim=(0, 1.05), ylim=(0, 1.05), title="A theme of 2 % of the tokens, ten starts each")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize="small")
plt.show()
