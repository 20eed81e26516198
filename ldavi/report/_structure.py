"""How topics are related: positions on the map, the topic tree and the term-topic matrix."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list

from ldavi._core.typing import Doubles, TopicDistance
from ldavi.inspection import topic_map, topic_tree
from ldavi.inspection._words import relevance
from ldavi.metrics._top_words import largest
from ldavi.plotting._outliers import compress_outliers

DISTANCE: TopicDistance = "hellinger"
MAX_STRESS_TOPICS = 300  # more topics are placed by principal coordinates, since minimising the stress takes too long
TERMS_PER_TOPIC = 3
MIN_PROBABILITY = 0.001  # smaller ones are left out of the matrix
LABEL_WORDS = 3


def map_positions(topics: Doubles) -> tuple[Doubles, int]:
    """Compute the positions of topics on the map, and the number of outliers that were moved closer."""
    method: Literal["mds", "pcoa"] = "mds" if len(topics) <= MAX_STRESS_TOPICS else "pcoa"
    return compress_outliers(topic_map(topics, method=method, distance=DISTANCE))


def tree(topics: Doubles, weights: Doubles, names: NDArray[Any]) -> dict[str, Any]:
    """Cluster topics by complete linkage of Hellinger distances, as `inspection.topic_tree`.

    Parameters
    ----------
    topics : array of shape (K, V)
    weights : array of shape (K, V)
        Expected frequencies of words in topics.
    names : array of str of shape (V,)

    Returns
    -------
    tree : dict
        "merges", K − 1 lists of two clusters and their distance, where K + i is the cluster of merge i;
        "order", the topics as the tree arranges them; "words", the most relevant words of each merged cluster.
    """
    n_topics = len(topics)
    if n_topics == 1:
        return {"merges": [], "order": [0], "words": []}
    merges = topic_tree(topics, distance=DISTANCE, linkage="complete")
    pairs = merges[:, :2].astype(np.int64)
    clusters = np.vstack([weights, np.zeros((n_topics - 1, weights.shape[1]))])
    for i, (a, b) in enumerate(pairs):
        clusters[n_topics + i] = clusters[a] + clusters[b]
    best = _most_relevant(clusters[n_topics:], weights.sum(axis=0), LABEL_WORDS)
    return {
        "merges": [
            [int(a), int(b), round(float(height), 4)] for (a, b), height in zip(pairs, merges[:, 2], strict=True)
        ],
        "order": leaves_list(merges).tolist(),
        "words": [[str(names[w]) for w in row] for row in best],
    }


def matrix(topics: Doubles, weights: Doubles, names: NDArray[Any], unit: int) -> dict[str, Any]:
    """Return the probabilities of the most relevant terms of each topic in all topics.

    Returns
    -------
    matrix : dict
        "terms", the words; "own", the terms of each topic as positions in "terms", most relevant first; "cells", for
        each term the topics in which its probability is at least 0.001, each followed by the probability in units of
        1 / `unit`.
    """
    best = _most_relevant(weights, weights.sum(axis=0), TERMS_PER_TOPIC)
    terms = np.unique(best)
    cells = []
    for column in topics[:, terms].T:
        shown = np.flatnonzero(column >= MIN_PROBABILITY)
        cells.append(np.column_stack([shown, np.round(column[shown] * unit)]).astype(np.int64).ravel().tolist())
    return {
        "terms": [str(names[w]) for w in terms],
        "own": np.searchsorted(terms, best).tolist(),
        "cells": cells,
    }


def _most_relevant(weights: Doubles, word_share: Doubles, n_words: int) -> NDArray[np.int64]:
    """Return the columns of the most relevant words of each row, best first, with λ = 0.6."""
    n_words = min(n_words, weights.shape[1])
    best = np.empty((len(weights), n_words), dtype=np.int64)
    with np.errstate(divide="ignore"):  # log 0 = −∞ is the answer
        log_p = np.log(word_share / word_share.sum())
        for k, row in enumerate(weights):
            scores = relevance(np.log(row / (row.sum() or 1.0)), log_p, 0.6)
            best[k] = largest(scores[None], n_words)[0]
    return best
