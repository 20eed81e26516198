"""Topics in documents: sizes of topics, representative documents, the topics of each word."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.library_models import fitted_model
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, name_columns, weights_of
from ldavi._core.typing import Doubles, Int64s, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import posterior_of, responsibilities_of
from ldavi.metrics._top_words import largest


def topic_sizes(
    model: ModelOrTopics, X: Matrix | None = None, *, doc_topic_prior: float | ArrayLike | None = None
) -> Any:
    """Compute the expected number of tokens of each topic, and its share of all tokens.

    Given documents, Σ_d Σ_w n_dw φ_dwk: a long document counts for more than a short one, and the prior does not count.
    (pyLDAvis has Σ_d N_d E[θ_dk], in which the prior makes small topics larger.) Without documents, Σ_w (λ_kw − η_kw),
    which is the same sum over the documents of the fit.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts, documents × words. None means the documents of the fit; it requires a fitted LDA, of this package or of
        scikit-learn.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none. Used only with X.

    Returns
    -------
    sizes : DataFrame, or structured array without pandas
        A row for each topic, with the columns topic, tokens (which sum to X.sum()) and share (which sum to 1; all 0
        where X holds no tokens).

    Raises
    ------
    ValueError
        If X is not counts of the topics' words, or is None and the model is not a fitted LDA.

    Examples
    --------
    >>> from ldavi.inspection import topic_sizes
    >>> sizes = topic_sizes([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [[3, 1, 0], [0, 2, 4]])
    >>> print(sizes["tokens"].tolist())
    [6.0, 4.0]
    """
    if X is not None:
        tokens = posterior_of(model, X, doc_topic_prior, "topic_sizes").topic_tokens().sum(axis=0)
    else:
        of_fit = fit_tokens(model)
        if of_fit is None:
            raise ValueError(
                f"X=None, but {type(model).__name__} does not hold the expected counts of a fit. "
                "Pass the documents as X."
            )
        tokens = of_fit
    return table(**name_columns(model, np.arange(len(tokens))), tokens=tokens, share=shares_of(tokens))


def fit_tokens(model: ModelOrTopics) -> Doubles | None:
    """Compute each topic's expected tokens in the documents of the fit, Σ_w (λ_kw − η_kw); None without λ and η."""
    eta = getattr(fitted_model(model), "topic_word_prior_", None)
    if eta is None:
        return None
    lam = weights_of(model)
    prior = np.broadcast_to(np.asarray(eta, dtype=np.float64), lam.shape)
    tokens: Doubles = np.maximum(lam.sum(axis=1, dtype=np.float64) - prior.sum(axis=1), 0)
    return tokens


def shares_of(tokens: Doubles) -> Doubles:
    """Divide by the sum; all 0 where the sum is 0."""
    return np.asarray(tokens / (tokens.sum() or 1.0))


def representative_documents(
    model: ModelOrTopics,
    X: Matrix,
    n_documents: int = 5,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    document_names: ArrayLike | None = None,
) -> Any:
    """Return the documents of X with the largest proportion of each topic.

    E[θ] of a short document is close to its prior mean, so that few words do not make a document representative.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    n_documents : int, default=5
        Number of documents per topic.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    document_names : array-like of shape (n_docs,), or None, default=None
        Values of the column document: names, titles, texts. None numbers the rows of X from 0.

    Returns
    -------
    documents : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), document, proportion E[θ_dk] and tokens,
        the document's length. Among equal proportions the longer document comes first.

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
    names = document_names_of(document_names, len(theta))
    best = most_representative(theta, tokens, n_documents)
    n_topics, shown = best.shape
    topic = np.repeat(np.arange(n_topics), shown)
    return table(
        **name_columns(model, topic),
        rank=np.tile(np.arange(1, shown + 1), n_topics),
        document=names[best.ravel()],
        proportion=theta[best.ravel(), topic],
        tokens=tokens[best.ravel()],
    )


def most_representative(theta: Doubles, tokens: Doubles, n_documents: int) -> Int64s:
    """Return the rows with the largest proportions of each topic, longer documents first among equal ones.

    Returns
    -------
    array of shape (K, min(n_documents, D))
    """
    by_length = np.argsort(-tokens, kind="stable")
    return np.asarray(by_length[largest(theta[by_length].T, n_documents)])


def document_words(
    model: ModelOrTopics,
    X: Matrix,
    *,
    n_topics: int | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    feature_names: Names | None = None,
) -> Any:
    """Compute φ, the probability of each topic for each word of a document, for example to colour texts.

    The same word can belong to different topics in different documents, since φ_dwk ∝ exp(E[log θ_dk] + E[log β_kw]).

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_words,) or (n_docs, n_words)
        Counts of a document, or of several.
    n_topics : int or None, default=None
        Number of topics per word, the most probable ones. None returns all.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those of the model or its pipeline, else "x0", "x1", ….

    Returns
    -------
    words : DataFrame, or structured array without pandas
        A row for each document, word that occurs in it and topic, with the columns document (a row of X), word, count,
        topic and probability. Words are in column order, the topics of a word in order of decreasing probability. With
        all topics, the probabilities of a word sum to 1.

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
    phi = responsibilities_of(model, posterior)
    best = largest(phi, n_topics or phi.shape[1])
    shown = best.shape[1]
    return table(
        document=np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr) * shown),
        word=np.repeat(names[counts.indices], shown),
        count=np.repeat(counts.data, shown),
        **name_columns(model, best.ravel()),
        probability=np.take_along_axis(phi, best, axis=1).ravel(),
    )


def document_names_of(document_names: ArrayLike | None, n_docs: int) -> NDArray[Any]:
    """Return the given names of documents after checking their number, or numbers from 0."""
    if document_names is None:
        return np.arange(n_docs)
    names = np.asarray(document_names, dtype=object)
    if names.shape != (n_docs,):
        raise ValueError(
            f"document_names has shape {names.shape}, but X has {n_docs} documents. Give one name for each."
        )
    return names
