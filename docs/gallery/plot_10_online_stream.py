"""
Online on a stream
==================

Documents arrive in batches and are never all in memory. After each batch the model has taken one step; its perplexity on
documents that are kept aside falls towards that of a fit to everything.
"""

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation

K, V, BATCH, BATCHES = 8, 300, 100, 60
rng = np.random.default_rng(5)
topics = rng.dirichlet(np.full(V, 0.08), K)


def draw(n_documents):
    return np.array([rng.multinomial(60, theta @ topics) for theta in rng.dirichlet(np.full(K, 0.15), n_documents)])


def stream():
    for _ in range(BATCHES):
        yield draw(BATCH)


held_out = draw(300)

# %%
# Two learning rates, side by side, on the same stream. ``total_samples`` says how many documents the statistics of a batch
# stand for.

settings = {"κ = 0.7, τ0 = 10 (default)": {}, "κ = 0.9, τ0 = 1": {"learning_decay": 0.9, "learning_offset": 1.0}}
models, curves = {}, {name: [] for name in settings}
for name, options in settings.items():
    models[name] = LatentDirichletAllocation(K, total_samples=BATCH * BATCHES, batch_size=BATCH, random_state=0, **options)
seen = []
for batch in stream():
    seen.append(batch)  # only for the comparison below
    for name, model in models.items():
        model.partial_fit(batch)
        curves[name].append(model.perplexity(held_out))

# %%
# What a fit to everything gets, the best of five starts by its ELBO:

starts = [LatentDirichletAllocation(K, random_state=seed).fit(np.concatenate(seen)) for seed in range(5)]
everything = max(starts, key=lambda model: model.elbo_).perplexity(held_out)
for name, curve in curves.items():
    print(f"{name:28} first {curve[0]:6.1f}  last {curve[-1]:6.1f}")
    assert models[name].n_samples_seen_ == BATCH * BATCHES
    assert curve[-1] < 0.8 * curve[0]
print(f"{'fit to all of it':28}               {everything:6.1f}")
assert curves["κ = 0.7, τ0 = 10 (default)"][-1] < 1.1 * everything

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
for (name, curve), color in zip(curves.items(), ("#0072B2", "#E69F00"), strict=True):
    ax.plot(np.arange(1, BATCHES + 1) * BATCH, curve, color=color, label=name)
ax.axhline(everything, color="#555555", linestyle="--", label="fit to all documents, best of five starts")
ax.set(xlabel="documents seen, each once", ylabel="perplexity of documents kept aside", title="A stream, learned as it comes")
ax.legend()
plt.show()

# %%
# Each document was seen once. Texts instead of counts come in batches from :func:`ldavi.io.read_batches`; the user guide
# shows :doc:`both together </guide/streaming>`.
