"""
Choosing K
==========

Documents are drawn from twelve topics, so the answer is known. Held-out likelihood, coherence, diversity and
stability are asked for it, each over several random starts.
"""

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation, metrics
from ldavi.plotting import SweepDisplay

TRUE_K = 12
rng = np.random.default_rng(4)
topics = rng.dirichlet(np.full(400, 0.05), TRUE_K)
theta = rng.dirichlet(np.full(TRUE_K, 0.15), 900)
X = np.array([rng.multinomial(80, mixture @ topics) for mixture in theta])
train, test = X[:600], X[600:]

rows = []
for n_components in (3, 6, 9, 12, 16, 24, 40):
    models = [LatentDirichletAllocation(n_components, init="random", random_state=seed).fit(train) for seed in range(3)]
    stability = metrics.stability(models).mean
    for model in models:
        found = metrics.document_completion(model, test)
        coherence = metrics.coherence(model, train, "npmi").mean()
        rows.append((n_components, found.perplexity, coherence, metrics.topic_diversity(model), stability))
table = dict(zip(("n_components", "perplexity", "coherence", "diversity", "stability"), np.array(rows).T, strict=True))

# %%
# Perplexity of held-out halves, the mean over starts:

means = {}
for n_components in np.unique(table["n_components"]):
    means[int(n_components)] = table["perplexity"][table["n_components"] == n_components].mean()
print({k: round(float(value), 1) for k, value in means.items()})
best = min(means, key=means.get)
assert best in (12, 16, 24)  # not fewer than there are
assert means[3] > 1.3 * means[12]  # too few is expensive
assert means[40] < 1.2 * means[12]  # too many is cheap

display = SweepDisplay.from_table(table)
display.figure_.suptitle(f"Documents drawn from {TRUE_K} topics")
plt.show()

# %%
# Too few topics cost much, too many little: the curve has a knee, not a sharp minimum. A few more topics than there are
# help a little, since a local optimum that merges two topics needs spare ones; see :doc:`plot_06_optimum_traps`. Where
# perplexity is flat, take the smaller K, and look at stability: what does not come back from another seed is not in the
# data. On real text there is no true K at all, and coherence and diversity fall before perplexity does.
