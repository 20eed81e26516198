"""The most probable words of each topic, in one order for every measure."""

import numpy as np

from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator.validation import check_integer


def top_words(topics: Doubles, n_words: int, *, minimum: int = 1) -> Int64s:
    """Return the columns of the n most probable words of each topic, the most probable first, ties in column order.

    Returns
    -------
    (n_topics, min(n_words, n_columns)) int64 array.

    Raises
    ------
    TypeError, ValueError
        If `n_words` is not an integer >= `minimum`, or the topics have fewer words than `minimum`.
    """
    n = min(check_integer("n_words", n_words, minimum=minimum), topics.shape[1])
    if n < minimum:
        raise ValueError(
            f"topics have {topics.shape[1]} word; this measure compares words, so it needs at least {minimum}"
        )
    return largest(topics, n)


def largest(scores: Doubles, n_best: int) -> Int64s:
    """Return the columns of the n largest scores of each row, the largest first, ties in column order.

    Returns
    -------
    (n_rows, min(n_best, n_columns)) int64 array.
    """
    n = min(n_best, scores.shape[1])
    if len(scores) >= scores.shape[1] or n == scores.shape[1]:  # short rows: one call sorts them all
        best: Int64s = np.argsort(-scores, axis=1, kind="stable")[:, :n]
        return best
    columns = np.empty((len(scores), n), np.int64)
    for row, best in zip(scores, columns, strict=True):
        threshold = np.partition(row, len(row) - n)[len(row) - n]
        candidates = np.flatnonzero(row >= threshold)
        best[:] = candidates[np.argsort(-row[candidates], kind="stable")[:n]]
    return columns
