"""
Online on a stream
==================

Documents arrive in batches and are never all in memory. After each batch the model has taken one step; its perplexity
on documents that are kept aside falls towards that of a fit to everything.
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
priors = {"doc_topic_prior": 0.1, "topic_word_prior": 0.05}  # given, so that only the schedules differ

# %%
# Two learning rates, each from five random starts, side by side on the same stream. ``total_samples`` says how many
# documents the statistics of a batch stand for.

settings = {"κ = 0.7, τ0 = 10 (default)": {}, "κ = 0.9, τ0 = 1": {"learning_decay": 0.9, "learning_offset": 1.0}}
common = {**priors, "total_samples": BATCH * BATCHES, "batch_size": BATCH}
starts = range(5)
models = {
    (name, seed): LatentDirichletAllocation(K, **common, **options, random_state=seed)
    for name, options in settings.items()
    for seed in starts
}
curves = {key: [] for key in models}
seen = []
for batch in stream():
    seen.append(batch)  # only for the comparison below
    for key, model in models.items():
        model.partial_fit(batch)
        curves[key].append(model.perplexity(held_out))

# %%
# What fits to everything in memory get:

fits = [
    LatentDirichletAllocation(K, **priors, init="random", random_state=seed).fit(np.concatenate(seen))
    for seed in starts
]
everything = [fit.perplexity(held_out) for fit in fits]
last = {name: [curves[name, seed][-1] for seed in starts] for name in settings}
for name, values in {**last, "fits to all of it": everything}.items():
    print(f"{name:28} best {min(values):.1f}, worst {max(values):.1f}")
for key, model in models.items():
    assert model.n_samples_seen_ == BATCH * BATCHES
    assert curves[key][-1] < 0.7 * curves[key][0]
assert min(last["κ = 0.7, τ0 = 10 (default)"]) < 1.05 * min(everything)

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
for name, color in zip(settings, ("#0072B2", "#E69F00"), strict=True):
    for seed in starts:
        label = name if seed == 0 else None
        ax.plot(np.arange(1, BATCHES + 1) * BATCH, curves[name, seed], color=color, linewidth=1, label=label)
for i, value in enumerate(everything):
    ax.axhline(value, color="#555555", linestyle="--", linewidth=0.8, label=None if i else "fits to all, in memory")
ax.set(
    xlabel="documents seen, each once",
    ylabel="perplexity of documents kept aside",
    title="A stream, learned as it comes",
)
ax.legend()
plt.show()

# %%
# Each document was seen once. Starts differ, on a stream as in memory (:doc:`plot_06_optimum_traps`): documents kept
# aside tell which model to keep. Texts instead of counts come in batches from :func:`ldavi.io.read_batches`; the
# user guide shows :doc:`both together </guide/streaming>`.
