"""Topics in documents: how large a topic is, which documents are most of it, which topic each word belongs to."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.tables import table
from ldavi._core.topics_of_model import feature_names_of
from ldavi._estimator import validation as check
from ldavi.inspection._posterior import posterior_of, responsibilities_of
from ldavi.inspection._words import largest


def topic_sizes(model: Any, X: Any, *, doc_topic_prior: float | ArrayLike | None = None) -> Any:
    """How many tokens of X belong to each topic.

    Σ_d Σ_w n_dw φ_dwk, the expected number: a long document counts for more than a short one, and the prior for nothing.
    (pyLDAvis has Σ_d N_d E[θ_dk], in which the prior makes small topics larger.)

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.

    Returns
    -------
    sizes : DataFrame, or structured array without pandas
        A row for each topic, with the columns topic, tokens (which sum to X.sum()) and share (which sum to 1; all 0 where
        X holds no tokens).

    Raises
    ------
    ValueError
        If X is not counts of the topics' words.

    Examples
    --------
    >>> from ldavi.inspection import topic_sizes
    >>> sizes = topic_sizes([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [[3, 1, 0], [0, 2, 4]])
    >>> print(sizes["tokens"].tolist())
    [6.0, 4.0]
    """
    posterior = posterior_of(model, X, doc_topic_prior, "topic_sizes")
    tokens = posterior.topic_tokens().sum(axis=0)
    return table(topic=np.arange(len(tokens)), tokens=tokens, share=tokens / (tokens.sum() or 1.0))


def representative_documents(
    model: Any,
    X: Any,
    n_documents: int = 5,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    document_names: Any = None,
) -> Any:
    """The documents of X with the largest proportion of each topic.

    E[θ] is drawn towards its prior the more, the fewer the words, so that a handful of words does not make a document
    representative.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    n_documents : int, default=5
        Documents of a topic.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    document_names : array-like of shape (n_docs,), or None, default=None
        What the column document holds: names, titles, texts. None numbers the rows of X from 0.

    Returns
    -------
    documents : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), document, proportion E[θ_dk] and tokens, the
        document's length. Of equal proportions the longer document comes first.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X is not counts of the topics' words.

    Examples
    --------
    >>> from ldavi.inspection import representative_documents
    >>> X = [[3, 1, 0], [0, 0, 4], [9, 9, 0]]
    >>> rows = representative_documents([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], X, 1)
    >>> print(rows["document"].tolist())
    [2, 1]
    """
    n_documents = check.check_integer("n_documents", n_documents, minimum=1)
    posterior = posterior_of(model, X, doc_topic_prior, "representative_documents")
    theta, tokens = posterior.theta(), posterior.tokens
    names = _document_names(document_names, len(theta))
    by_length = np.argsort(-tokens, kind="stable")
    best = by_length[largest(theta[by_length].T, n_documents)]
    n_topics, shown = best.shape
    topic = np.repeat(np.arange(n_topics), shown)
    return table(
        topic=topic,
        rank=np.tile(np.arange(1, shown + 1), n_topics),
        document=names[best.ravel()],
        proportion=theta[best.ravel(), topic],
        tokens=tokens[best.ravel()],
    )


def document_words(
    model: Any,
    X: Any,
    *,
    n_topics: int | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    feature_names: Any = None,
) -> Any:
    """To which topics each word of a document belongs: φ, for highlighting.

    The same word can belong to another topic in another document, since φ_dwk ∝ exp(E[log θ_dk] + E[log β_kw]).

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_words,) or (n_docs, n_words)
        Counts of a document, or of several.
    n_topics : int or None, default=None
        The most probable topics of each word; 1 gives one colour to each word. None gives all.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with, else "x0", "x1", ….

    Returns
    -------
    words : DataFrame, or structured array without pandas
        A row for each document, word that occurs in it and topic, with the columns document (a row of X), word, count,
        topic and probability. Words stand in the order of their columns, the topics of a word most probable first; with all
        topics the probabilities of a word sum to 1.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X is not counts of the topics' words.

    Examples
    --------
    >>> from ldavi.inspection import document_words
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    >>> rows = document_words(topics, [3, 1, 0], n_topics=1, feature_names=["cat", "sat", "dog"])
    >>> print(rows["word"].tolist(), rows["topic"].tolist(), rows["probability"].round(2).tolist())
    ['cat', 'sat'] [0, 0] [1.0, 1.0]
    """
    if n_topics is not None:
        n_topics = check.check_integer("n_topics", n_topics, minimum=1)
    posterior = posterior_of(model, X, doc_topic_prior, "document_words")
    counts = posterior.counts
    names = feature_names_of(model, counts.shape[1], feature_names)
    phi = responsibilities_of(model, X, posterior, doc_topic_prior)
    best = largest(phi, n_topics or phi.shape[1])
    shown = best.shape[1]
    return table(
        document=np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr) * shown),
        word=np.repeat(names[counts.indices], shown),
        count=np.repeat(counts.data, shown),
        topic=best.ravel(),
        probability=np.take_along_axis(phi, best, axis=1).ravel(),
    )


def _document_names(document_names: Any, n_docs: int) -> Any:
    if document_names is None:
        return np.arange(n_docs)
    names = np.asarray(document_names, dtype=object)
    if names.shape != (n_docs,):
        raise ValueError(
            f"document_names has shape {names.shape}, but X has {n_docs} documents. Give one name for each."
        )
    return names
