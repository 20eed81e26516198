"""Nearest neighbours: documents with similar topics, and topics with similar words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Int64s, TopicDistance
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import posterior_of
from ldavi.inspection._documents import document_names_of
from ldavi.inspection._geometry import topic_distances
from ldavi.metrics._distances import pairwise_distances
from ldavi.metrics._top_words import largest

DISTANCES_AT_ONCE = 2**22


def similar_documents(
    model: ModelOrTopics | Pipeline,
    X: Any,
    query: Any = None,
    *,
    rows: int | ArrayLike | None = None,
    n_documents: int = 5,
    doc_topic_prior: float | ArrayLike | None = None,
    document_names: ArrayLike | None = None,
) -> Any:
    """Find the documents whose topics are most similar to those of a query: by Hellinger distance of E[θ].

    The distance is H = (1 − Σ_k √(θ_k θ'_k))^½, a metric between 0 (the same proportions) and 1 (no common topic).
    Equation (21.8) of docs/math.md. E[θ] of a short document is close to its prior mean, so that short documents are
    similar to each other.

    Parameters
    ----------
    model : estimator, pipeline or array of shape (n_topics, n_words)
        Fitted topics. A pipeline, such as that of :func:`ldavi.io.load_pipeline`, takes what it was fitted with, such
        as texts, in place of counts.
    X : array-like or sparse matrix of shape (n_docs, n_words), or sequence of documents for a pipeline
        The documents to search.
    query : array-like or sparse matrix of shape (n_words,) or (n_queries, n_words), str or sequence of str, or None
        Counts of new documents, or texts for a pipeline.
    rows : int, sequence of int or None, default=None
        Documents of X as queries, by their rows, in place of `query`; a document is not similar to itself.
    n_documents : int, default=5
        Number of documents for each query.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none; a pipeline always takes its own.
    document_names : array-like of shape (n_docs,), or None, default=None
        Values of the column document: names, titles, texts. None numbers the rows of X from 0.

    Returns
    -------
    documents : DataFrame, or structured array without pandas
        A row for each query and rank, with the columns query (its number from 0, or its row of X), rank (from 1),
        document and distance, the nearest first; at equal distances in the order of X.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or there is not exactly one of `query` and `rows`.

    Examples
    --------
    >>> from ldavi.inspection import similar_documents
    >>> X = [[6, 2, 0], [0, 1, 7], [5, 3, 0], [1, 1, 8]]
    >>> topics = [[0.7, 0.3, 0.0], [0.0, 0.2, 0.8]]
    >>> print(similar_documents(topics, X, [4, 1, 0], n_documents=2)["document"].tolist())
    [2, 0]
    >>> print(similar_documents(topics, X, rows=1, n_documents=1)["document"].tolist())
    [3]
    """
    n_documents = check.check_integer("n_documents", n_documents, minimum=1)
    if (query is None) == (rows is None):
        raise ValueError("pass either query, new documents, or rows, documents of X")
    theta = _proportions(model, X, doc_topic_prior)
    names = document_names_of(document_names, len(theta))
    if rows is None:
        own, number = None, np.array([], dtype=np.int64)
        sought = _proportions(model, [query] if isinstance(query, str) else query, doc_topic_prior)
        number = np.arange(len(sought))
    else:
        own = number = _checked_rows(rows, len(theta))
        sought = theta[number]
    nearest, distance = _nearest(sought, theta, n_documents, own)
    shown = nearest.shape[1]
    return table(
        query=np.repeat(number, shown),
        rank=np.tile(np.arange(1, shown + 1), len(sought)),
        document=names[nearest.ravel()],
        distance=distance.ravel(),
    )


def nearest_topics(
    model: ModelOrTopics,
    n_topics: int = 3,
    *,
    distance: TopicDistance = "hellinger",
    other: ModelOrTopics | None = None,
) -> Any:
    """Find the nearest topics of each topic, as distributions over words.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    n_topics : int, default=3
        Number of topics for each topic.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="hellinger"
        See :func:`topic_distances`.
    other : estimator or array of shape (n_others, n_words), or None, default=None
        Topics to choose from; None means the other topics of the model itself.

    Returns
    -------
    topics : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), nearest (a topic) and distance.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the two models have different numbers of words.

    Examples
    --------
    >>> from ldavi.inspection import nearest_topics
    >>> print(nearest_topics([[4, 1, 0], [3, 2, 0], [0, 1, 5]], 1)["nearest"].tolist())
    [1, 0, 1]
    """
    n_topics = check.check_integer("n_topics", n_topics, minimum=1)
    distances = topic_distances(model, distance=distance, other=other)
    nearest, distance_of = _smallest(distances, n_topics, np.arange(len(distances)) if other is None else None)
    shown = nearest.shape[1]
    return table(
        topic=np.repeat(np.arange(len(distances)), shown),
        rank=np.tile(np.arange(1, shown + 1), len(distances)),
        nearest=nearest.ravel(),
        distance=distance_of.ravel(),
    )


def _proportions(model: Any, X: Any, doc_topic_prior: float | ArrayLike | None) -> Doubles:
    """Return E[θ] of documents, or what a pipeline transforms them to."""
    if isinstance(model, Pipeline):
        return np.asarray(model.transform(X), dtype=np.float64)
    return posterior_of(model, X, doc_topic_prior, "similar_documents").theta()


def _checked_rows(rows: int | ArrayLike, n_docs: int) -> Int64s:
    chosen: NDArray[Any] = np.atleast_1d(np.asarray(rows))
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise TypeError(f"rows={rows!r} must be an integer or integers: rows of X")
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= n_docs):
        raise ValueError(f"rows={rows!r} must be rows of X, from 0 to {n_docs - 1}")
    return chosen.astype(np.int64)


def _nearest(sought: Doubles, theta: Doubles, n_best: int, own: Int64s | None) -> tuple[Int64s, Doubles]:
    """Return the nearest documents of each query and their distances, computed some queries at a time."""
    parts = [
        _smallest(pairwise_distances(sought[at], theta, "hellinger"), n_best, None if own is None else own[at])
        for at in chunks(len(sought), rows_within(DISTANCES_AT_ONCE, len(theta)))
    ]
    if not parts:
        return np.empty((0, 0), np.int64), np.empty((0, 0))
    return np.concatenate([nearest for nearest, _ in parts]), np.concatenate([distance for _, distance in parts])


def _smallest(distances: Doubles, n_best: int, own: Int64s | None) -> tuple[Int64s, Doubles]:
    """Return the columns of the smallest distances of each row, in their order, without the row's own column."""
    n_best = min(n_best, distances.shape[1] - (own is not None))
    if own is not None:
        distances = distances.copy()
        distances[np.arange(len(distances)), own] = np.inf
    nearest = largest(-distances, n_best) if n_best else np.empty((len(distances), 0), np.int64)
    return nearest, np.take_along_axis(distances, nearest, axis=1)
