"""Adapter of topica's `OnlineLDA`: online variational Bayes."""

from typing import Any

import topica

from benchmarks.adapters.topica_ import prepare, topics, transform

__all__ = ["prepare", "topics", "train", "transform"]


def train(
    data: topica.Corpus, n_topics: int, seed: int, passes: int, alpha: float | None = None, **settings: Any
) -> topica.OnlineLDA:
    if alpha is not None:
        settings["alpha_sum"] = alpha * n_topics
    return topica.OnlineLDA(n_topics, seed=seed, **settings).fit(data, iters=passes, progress=False)
