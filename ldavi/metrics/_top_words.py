"""The first words of each topic, in one order for every measure."""

import numpy as np

from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator.validation import check_integer


def top_words(topics: Doubles, n_words: int, *, least: int = 1) -> Int64s:
    """Columns of the n most probable words of each topic, the most probable first, ties in the order of columns.

    Returns
    -------
    (n_topics, min(n_words, n_columns)) int64 array.

    Raises
    ------
    TypeError, ValueError
        If `n_words` is not an integer >= `least`, or the topics have fewer words than `least`.
    """
    n = min(check_integer("n_words", n_words, minimum=least), topics.shape[1])
    if n < least:
        raise ValueError(
            f"topics have {topics.shape[1]} word; this measure compares words, so it needs at least {least}"
        )
    words = np.empty((len(topics), n), np.int64)
    for row, first in zip(topics, words, strict=True):
        least_weight = np.partition(row, len(row) - n)[len(row) - n]
        candidates = np.flatnonzero(row >= least_weight)
        first[:] = candidates[np.argsort(-row[candidates], kind="stable")[:n]]
    return words
