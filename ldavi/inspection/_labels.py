"""Labels of topics: phrases found in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import psi
from sklearn.feature_extraction.text import CountVectorizer

from ldavi._core.chunks import chunks
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, name_columns, topics_of
from ldavi._core.typing import Doubles, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import posterior_of
from ldavi._inference.fixed_topics import COUNTS_AT_ONCE, normalized_responsibilities
from ldavi.inspection._words import relevance

TOKENS = re.compile(r"\w+|[^\w\s-]")  # punctuation other than a hyphen is a token, which no phrase contains


def topic_labels(
    model: ModelOrTopics,
    X: Matrix,
    candidates: Sequence[str] | Matrix,
    *,
    n_labels: int = 3,
    ngram_range: tuple[int, int] = (2, 3),
    min_documents: int = 5,
    relevance_weight: float = 0.6,
    doc_topic_prior: float | ArrayLike | None = None,
    candidate_names: Names | None = None,
    feature_names: Names | None = None,
) -> Any:
    """Find phrases of the documents that label each topic.

    Each occurrence of a phrase is assigned to the topics with the probabilities q(k) ∝ exp E[log θ_dk] Π_w β_kw, as
    if all of its words had the same topic. The sums over documents estimate p(phrase | topic), and phrases are ranked
    by their relevance. A phrase that is part of a better phrase of the same topic, or contains one, is left out.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    candidates : list of n_docs str, or array-like or sparse matrix of shape (n_docs, n_candidates)
        The texts of X, in which phrases of the model's words are searched; or counts of given phrases.
    n_labels : int, default=3
        Number of labels per topic.
    ngram_range : tuple of two int, default=(2, 3)
        Minimum and maximum number of words in a phrase, if texts are given.
    min_documents : int, default=5
        Minimum number of documents in which a phrase occurs.
    relevance_weight : float, default=0.6
        λ of the relevance, between 0 (the most distinctive phrases) and 1 (the most frequent).
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    candidate_names : array-like of str of shape (n_candidates,), or None, default=None
        The phrases, words separated by blanks, if `candidates` holds counts.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words, in lower case if texts are given; None takes those of the model or its pipeline.

    Returns
    -------
    labels : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), label, score (the relevance) and count,
        the expected number of its occurrences in the topic. A topic without phrases has no rows.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or no phrase is in `min_documents` documents.

    References
    ----------
    Mei, Shen, Zhai. "Automatic labeling of multinomial topic models". KDD 2007. Sievert, Shirley. "LDAvis: a method for
    visualizing and interpreting topics", 2014 (relevance).

    Examples
    --------
    >>> from ldavi.inspection import topic_labels
    >>> texts = ["big cat sat", "big cat", "red dog ran", "red dog, big cat"]
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]
    >>> topics = [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    >>> rows = topic_labels(topics, X, texts, min_documents=2, feature_names=["big", "cat", "red", "dog"])
    >>> print(rows["label"].tolist())
    ['big cat', 'red dog']
    """
    n_labels = check.check_integer("n_labels", n_labels, minimum=1)
    min_documents = check.check_integer("min_documents", min_documents, minimum=1)
    check.check_number("relevance_weight", relevance_weight, minimum=0, maximum=1)
    topics = topics_of(model)
    words = feature_names_of(model, topics.shape[1], feature_names)
    posterior = posterior_of(model, X, doc_topic_prior, "topic_labels")
    if _are_texts(candidates):
        phrases, names = _find_phrases(candidates, words, ngram_range)
    else:
        phrases = check.check_counts(candidates, dtype=np.float64, name="topic_labels")
        names = _candidate_names(candidate_names, phrases.shape[1])
    if phrases.shape[0] != len(posterior.gamma):
        given, wanted = phrases.shape[0], len(posterior.gamma)
        raise ValueError(f"candidates has {given} documents and X has {wanted}; both must be of the same documents")
    phrases, names = _frequent_phrases(phrases, names, min_documents)
    tokens = _phrase_tokens(phrases, names, posterior.gamma, topics, words)
    scores = _phrase_relevance(tokens, relevance_weight)
    rows = [
        (k, rank, p) for k in range(len(topics)) for rank, p in enumerate(_best(scores[k], names, n_labels), start=1)
    ]
    topic, rank, phrase = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return table(
        **name_columns(model, topic),
        rank=rank,
        label=names[phrase],
        score=scores[topic, phrase],
        count=tokens[topic, phrase],
    )


def _are_texts(candidates: Any) -> TypeGuard[Sequence[str]]:
    return not sparse.issparse(candidates) and len(candidates) > 0 and isinstance(next(iter(candidates)), str)


def _find_phrases(
    texts: Sequence[str], words: NDArray[Any], ngram_range: tuple[int, int]
) -> tuple[sparse.csr_array, NDArray[Any]]:
    """Count the n-grams of the model's words, documents × n-grams, and return them too."""
    minimum, maximum = (check.check_integer("ngram_range", n, minimum=1) for n in ngram_range)
    known = set(words.tolist())

    def phrases_of(text: str) -> Iterator[str]:
        tokens = [token if token in known else "" for token in TOKENS.findall(text.lower())]
        for n in range(minimum, maximum + 1):
            for start in range(len(tokens) - n + 1):
                ngram = tokens[start : start + n]
                if all(ngram):
                    yield " ".join(ngram)

    vectorizer = CountVectorizer(analyzer=phrases_of, dtype=np.float64)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError as error:
        raise ValueError(
            f"candidates holds no phrase of {minimum} to {maximum} of the model's words: "
            "check feature_names against the texts"
        ) from error
    return sparse.csr_array(counts), vectorizer.get_feature_names_out()


def _candidate_names(candidate_names: Names | None, n_candidates: int) -> NDArray[Any]:
    names = np.asarray([] if candidate_names is None else candidate_names, dtype=object)
    if names.shape != (n_candidates,):
        raise ValueError(
            f"candidate_names has shape {names.shape}, but candidates has {n_candidates} columns. "
            "Give one name for each."
        )
    return names


def _frequent_phrases(
    phrases: sparse.csr_array, names: NDArray[Any], min_documents: int
) -> tuple[sparse.csr_array, NDArray[Any]]:
    """Keep the phrases that occur in at least `min_documents` documents."""
    frequent = np.bincount(phrases.indices, minlength=phrases.shape[1]) >= min_documents
    if not frequent.any():
        raise ValueError(
            f"none of {len(names)} phrases is in min_documents={min_documents} documents. Lower it, or check that "
            "feature_names are the words of the texts."
        )
    return phrases[:, np.flatnonzero(frequent)], names[frequent]


def _phrase_tokens(
    phrases: sparse.csr_array, names: NDArray[Any], gamma: Doubles, topics: Doubles, words: NDArray[Any]
) -> Doubles:
    """Compute the expected number of occurrences of each phrase in each topic, (K, phrases)."""
    column_of = {word: column for column, word in enumerate(words.tolist())}
    with np.errstate(divide="ignore"):
        log_beta = np.log(topics)
    log_likelihood = np.zeros((len(names), len(topics)))
    for row, name in zip(log_likelihood, names, strict=True):
        row[:] = log_beta[:, [column_of[word] for word in name.split() if word in column_of]].sum(axis=1)
    documents, log_theta = np.repeat(np.arange(phrases.shape[0]), np.diff(phrases.indptr)), psi(gamma)
    tokens = np.zeros((len(names), len(topics)))
    for at in chunks(len(documents), COUNTS_AT_ONCE):
        phi = normalized_responsibilities(log_theta[documents[at]], log_likelihood[phrases.indices[at]])
        cells = (phrases.indices[at], np.arange(len(phi)))
        tokens += sparse.csr_array((phrases.data[at], cells), shape=(len(names), len(phi))) @ phi
    return tokens.T


def _phrase_relevance(tokens: Doubles, weight: float) -> Doubles:
    """Compute the relevance of phrases in each topic; −∞ where p(phrase | topic) is 0."""
    totals = tokens.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_share = np.log(np.divide(tokens, totals, out=np.zeros_like(tokens), where=totals > 0))
        return relevance(log_share, np.log(tokens.sum(axis=0) / tokens.sum()), weight)


def _best(scores: Doubles, names: NDArray[Any], n_labels: int) -> list[int]:
    """Return the phrases with the highest scores, without those that are part of a chosen one or contain one."""
    chosen: list[int] = []
    for candidate in np.argsort(-scores, kind="stable"):
        if len(chosen) == n_labels or np.isneginf(scores[candidate]):
            break
        phrase = f" {names[candidate]} "
        if not any(phrase in f" {names[other]} " or f" {names[other]} " in phrase for other in chosen):
            chosen.append(int(candidate))
    return chosen
