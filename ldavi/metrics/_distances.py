"""Distances between topics as distributions over words, computed for all pairs of two sets of topics."""

import numpy as np
from scipy.special import entr

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.typing import Doubles

ENTRIES_AT_ONCE = 2**16  # of a temporary array, which then stays in a core's cache


def pairwise_distances(topics: Doubles, others: Doubles, distance: str) -> Doubles:
    """Compute the distances of each topic to each other topic.

    "jensen_shannon" is the square root of the Jensen-Shannon divergence in bits, "hellinger" is (1 − Σ_w √(p_w q_w))^½,
    "cosine" is one minus the cosine of the two rows.

    Parameters
    ----------
    topics, others : arrays of shape (K, V) and (J, V)
        Rows sum to 1.
    distance : {"jensen_shannon", "hellinger", "cosine"}

    Returns
    -------
    distances : array of shape (K, J)
        From 0 to 1; differences that rounding alone explains are 0.
    """
    if distance == "jensen_shannon":
        squared = _jensen_shannon_divergence(topics, others)
    elif distance == "hellinger":
        squared = 1 - np.sqrt(topics) @ np.sqrt(others).T
    else:
        rows, columns = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (topics, others))
        squared = 1 - rows @ columns.T
    squared = np.clip(squared, 0, 1)
    squared[squared < 1e-15 * topics.shape[1]] = 0
    return squared if distance == "cosine" else np.sqrt(squared)


def _jensen_shannon_divergence(topics: Doubles, others: Doubles) -> Doubles:
    """Compute H((p + q) / 2) − (H(p) + H(q)) / 2 of each pair, in bits, with one logarithm per pair and word."""
    mixed_entropy = np.empty((len(topics), len(others)))
    tiny = np.finfo(np.float64).tiny  # 0 log 0 = 0
    same = topics is others  # the matrix is symmetric, so that half of it is enough
    halves = others / 2
    for k, half in enumerate(topics / 2):
        first = k if same else 0
        for at in chunks(len(others) - first, rows_within(ENTRIES_AT_ONCE, topics.shape[1])):
            mixed = half + halves[first:][at]
            mixed_entropy[k, first:][at] = -np.einsum("jv,jv->j", mixed, np.log(np.maximum(mixed, tiny)))
        if same:
            mixed_entropy[k + 1 :, k] = mixed_entropy[k, k + 1 :]
    entropy = entr(topics).sum(axis=1)[:, None] + entr(others).sum(axis=1)
    divergence: Doubles = (mixed_entropy - entropy / 2) / np.log(2)
    return divergence
