"""Short labels of topics that differ from each other."""

from collections.abc import Sequence

import numpy as np

from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topics_of, weights_of
from ldavi._core.typing import Int64s, Names
from ldavi.inspection._words import UNIFORM, word_scores
from ldavi.metrics._diversity import effective_words
from ldavi.metrics._top_words import largest

CANDIDATES = 20  # most relevant words of a topic among which its label is chosen
MAX_COMMON = 1  # words that the labels of two topics may have in common


def distinct_labels(model: ModelOrTopics, feature_names: Names | None, n_words: int = 3) -> list[list[str]]:
    """Choose the most relevant words of each topic as its label, such that two labels have at most one word in common.

    Topics choose in order of their weight. A topic whose label would be too similar to an earlier one replaces common
    words, the least relevant first, by its next relevant words. Among the 20 most relevant words of a topic there may
    be no such label; the most relevant words are used then. The list of a topic that is spread evenly over the
    vocabulary is empty, since it has no tokens: show `NO_WORDS`.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics; rows of an array may be weighted by the sizes of the topics.
    feature_names : array-like of str of shape (n_words,), or None
        As in :func:`ldavi.inspection.top_words`.
    n_words : int, default=3
        Number of words in a label.

    Returns
    -------
    labels : list of n_topics lists of str
    """
    topics = topics_of(model)
    names = feature_names_of(model, topics.shape[1], feature_names)
    ranking = largest(word_scores(model, by="relevance"), CANDIDATES)
    weights = np.asarray(weights_of(model), dtype=np.float64).sum(axis=1)
    uniform = (effective_words(topics) > UNIFORM * topics.shape[1]) & (topics.shape[1] > 1)
    chosen: dict[int, list[int]] = {}
    for k in np.argsort(-weights, kind="stable").tolist():
        if not uniform[k]:
            chosen[k] = _label(ranking[k], list(chosen.values()), n_words)
    return [[str(names[w]) for w in chosen.get(k, [])] for k in range(len(topics))]


def _label(ranked: Int64s, earlier: Sequence[Sequence[int]], n_words: int) -> list[int]:
    """Choose words in order of relevance; skip a word that would make the label too similar to an earlier one."""
    n_words = min(n_words, len(ranked))
    limit = MAX_COMMON if n_words > MAX_COMMON else 0
    others = [set(label) for label in earlier]
    common = np.zeros(len(others), dtype=np.int64)
    label: list[int] = []
    for word in ranked.tolist():
        has = np.array([word in other for other in others], dtype=np.int64)
        if (common + has <= limit).all():
            common += has
            label.append(word)
        if len(label) == n_words:
            return label
    return [int(word) for word in ranked[:n_words]]
