"""The most probable words of each topic, in one order for every measure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.library_models import first_words, is_word_lists
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Int64s, Names
from ldavi._estimator.validation import check_integer


class FirstWords(NamedTuple):
    """The first words of topics, which are given by probabilities or as lists of words.

    Attributes
    ----------
    columns : array of shape (n_topics, n)
        Positions in `names`.
    names : array of str
        The words of the columns.
    """

    columns: Int64s
    names: NDArray[Any]


def first_words_of(
    topics: ModelOrTopics, n_words: int, *, feature_names: Names | None = None, minimum: int = 1
) -> FirstWords:
    """Return the n most probable words of each topic, or the first n of each list of words.

    Raises
    ------
    TypeError, ValueError
        If `n_words` is not an integer >= `minimum`, a topic has fewer words than `minimum`, or a list has a word that
        `feature_names` lacks.
    """
    if is_word_lists(topics):
        n = check_integer("n_words", n_words, minimum=minimum)
        return _columns_of(first_words(topics, n), minimum, feature_names)
    beta = topics_of(topics)
    first = top_words(beta, n_words, minimum=minimum)
    return FirstWords(first, feature_names_of(topics, beta.shape[1], feature_names))


def first_columns_of(topics: ModelOrTopics, n_words: int) -> Int64s:
    """Return the columns of `first_words_of`, without the names of all words."""
    if is_word_lists(topics):
        return first_words_of(topics, n_words).columns
    return top_words(topics_of(topics), n_words)


def _columns_of(lists: Sequence[Sequence[str]], minimum: int, feature_names: Names | None) -> FirstWords:
    n = min(len(words) for words in lists)
    if n < minimum:
        raise ValueError(f"topics have a list of {n} words; each topic needs at least {minimum}")
    if feature_names is None:
        names = np.array(sorted({word for words in lists for word in words}), dtype=object)
    else:
        names = np.asarray(feature_names, dtype=object)
    column_of = {str(name): column for column, name in enumerate(names.tolist())}
    unknown = next((word for words in lists for word in words[:n] if word not in column_of), None)
    if unknown is not None:
        raise ValueError(f"topics have the word {unknown!r}, which is not in feature_names; leave it out of its list")
    return FirstWords(np.array([[column_of[word] for word in words[:n]] for words in lists], dtype=np.int64), names)


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
