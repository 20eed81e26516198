"""The most characteristic words of each topic: by probability, relevance, FREX or lift."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from ldavi._core.library_models import first_words, is_word_lists
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, name_columns, topics_of, weights_of
from ldavi._core.typing import Doubles, Matrix, Names, WordScore
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import counts_over_words
from ldavi.metrics import frex
from ldavi.metrics._top_words import largest

SCORES = get_args(WordScore)
UNIFORM = 0.95  # effective words, as a share of the vocabulary, above which a topic is nothing but its prior
NO_WORDS = "(no words of its own)"


def top_words(
    model: ModelOrTopics,
    n_words: int = 10,
    *,
    by: WordScore = "probability",
    relevance_weight: float = 0.6,
    frex_weight: float = 0.5,
    X: Matrix | None = None,
    feature_names: Names | None = None,
) -> Any:
    """Return the words with the highest scores in each topic.

    Parameters
    ----------
    model : model, array of shape (n_topics, n_words), or n_topics lists of words
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    n_words : int, default=10
        Number of words per topic.
    by : {"probability", "relevance", "frex", "lift"}, default="probability"
        The score, see :func:`word_scores`.
    relevance_weight : float, default=0.6
        λ of the relevance, between 0 and 1.
    frex_weight : float, default=0.5
        Weight of the frequency in FREX, between 0 and 1, as in :func:`ldavi.metrics.frex`.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts from which the frequency of words is computed, for "relevance" and "lift"; see :func:`word_scores`.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those of the model or its pipeline, else "x0", "x1", ….

    Returns
    -------
    words : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), word, score, and probability E[β_kw].
        Words with equal scores are in column order. If topics have names, the column topic_name follows topic. Topics
        given as lists of words have no scores: NaN.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X or feature_names have another number of words than the topics.

    References
    ----------
    Sievert, Shirley. "LDAvis: a method for visualizing and interpreting topics". ACL workshop on interactive language
    learning, visualization, and interfaces, 2014.

    Examples
    --------
    >>> from ldavi.inspection import top_words
    >>> topics = [[0.6, 0.3, 0.1, 0.0], [0.5, 0.0, 0.1, 0.4]]
    >>> rows = top_words(topics, 2, feature_names=["the", "cat", "sat", "dog"])
    >>> print(*rows["word"])
    the cat the dog
    >>> rows = top_words(topics, 2, by="lift", feature_names=["the", "cat", "sat", "dog"])
    >>> print(*rows["word"])
    cat the dog sat
    """
    n_words = check.check_integer("n_words", n_words, minimum=1)
    if by == "probability" and is_word_lists(model):
        return _table_of_lists(first_words(model, n_words))
    topics = topics_of(model)
    names = feature_names_of(model, topics.shape[1], feature_names)
    scores = word_scores(model, by=by, relevance_weight=relevance_weight, frex_weight=frex_weight, X=X)
    best = largest(scores, n_words)
    n_topics, shown = best.shape
    return table(
        **name_columns(model, np.repeat(np.arange(n_topics), shown)),
        rank=np.tile(np.arange(1, shown + 1), n_topics),
        word=names[best.ravel()],
        score=np.take_along_axis(scores, best, axis=1).ravel(),
        probability=np.take_along_axis(topics, best, axis=1).ravel(),
    )


def top_words_lists(
    model: ModelOrTopics,
    n_words: int = 10,
    *,
    by: WordScore = "probability",
    relevance_weight: float = 0.6,
    frex_weight: float = 0.5,
    X: Matrix | None = None,
    feature_names: Names | None = None,
) -> list[list[str]]:
    """Return the words of :func:`top_words` as one list per topic, best first.

    Parameters
    ----------
    model : model, array of shape (n_topics, n_words), or n_topics lists of words
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    n_words : int, default=10
        Number of words per topic.
    by : {"probability", "relevance", "frex", "lift"}, default="probability"
        The score, see :func:`word_scores`.
    relevance_weight : float, default=0.6
        λ of the relevance, between 0 and 1.
    frex_weight : float, default=0.5
        Weight of the frequency in FREX, between 0 and 1, as in :func:`ldavi.metrics.frex`.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts from which the frequency of words is computed, for "relevance" and "lift"; see :func:`word_scores`.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those of the model or its pipeline, else "x0", "x1", ….

    Returns
    -------
    words : list of n_topics lists of str

    Examples
    --------
    >>> from ldavi.inspection import top_words_lists
    >>> top_words_lists([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], 2, feature_names=["a", "b", "c"])
    [['a', 'b'], ['c', 'b']]
    """
    n_words = check.check_integer("n_words", n_words, minimum=1)
    if by == "probability" and is_word_lists(model):
        return first_words(model, n_words)
    scores = word_scores(model, by=by, relevance_weight=relevance_weight, frex_weight=frex_weight, X=X)
    names = feature_names_of(model, scores.shape[1], feature_names)
    return [[str(name) for name in names[best]] for best in largest(scores, n_words)]


def word_scores(
    model: ModelOrTopics,
    *,
    by: WordScore = "probability",
    relevance_weight: float = 0.6,
    frex_weight: float = 0.5,
    X: Matrix | None = None,
) -> Doubles:
    """Score how characteristic each word is of each topic.

    With β_kw the probability of a word in a topic and p_w its probability in the corpus, "probability" is β_kw,
    "lift" is β_kw / p_w, "relevance" is λ log β_kw + (1 − λ) log(β_kw / p_w), and "frex" is
    :func:`ldavi.metrics.frex`, the weighted harmonic mean of two ranks of the word within its topic, both as shares
    of the vocabulary: that of its probability and that of its exclusivity β_kw / Σ_j β_jw. Lift favours the rarest
    words; relevance and FREX balance frequency and distinctiveness.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    by : {"probability", "relevance", "frex", "lift"}, default="probability"
        The score.
    relevance_weight : float, default=0.6
        λ of the relevance: 1 ranks by probability, 0 by lift. 0.6 was best in the user study of Sievert and Shirley.
    frex_weight : float, default=0.5
        Weight of the frequency in FREX, as in :func:`ldavi.metrics.frex` and R's stm: 1 ranks by probability, 0 by
        exclusivity. The weight of Bischof and Airoldi is that of exclusivity.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts, from which p_w is computed. None takes the column sums of the model's weights: of `components_`, which
        are expected counts plus the prior, or of the array, in which topics given as probabilities have equal weight.

    Returns
    -------
    scores : array of shape (n_topics, n_words)
        Higher is better. A word that does not occur in X has the lowest relevance and lift, −∞ and 0, since its
        frequency is unknown.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X has another number of words than the topics, or no counts.

    References
    ----------
    Sievert, Shirley. "LDAvis: a method for visualizing and interpreting topics", 2014 (relevance). Taddy. "On
    estimation and selection for topic models", AISTATS 2012 (lift). Bischof, Airoldi. "Summarizing topical content
    with word frequency and exclusivity", ICML 2012 (FREX).

    Examples
    --------
    >>> from ldavi.inspection import word_scores
    >>> print(word_scores([[0.6, 0.4], [0.2, 0.8]], by="lift").round(2))
    [[1.5  0.67]
     [0.5  1.33]]
    """
    check.check_choice("by", by, SCORES)
    check.check_number("relevance_weight", relevance_weight, minimum=0, maximum=1)
    check.check_number("frex_weight", frex_weight, minimum=0, maximum=1)
    topics = topics_of(model)
    if by == "probability":
        return topics
    if by == "frex":
        return frex(topics, frex_weight)
    p = _word_probabilities(model, X, topics.shape[1])
    with np.errstate(divide="ignore"):  # log 0 = −∞ is the answer
        if by == "lift":
            lift: Doubles = np.divide(topics, p, out=np.zeros_like(topics), where=p > 0)
            return lift
        return relevance(np.log(topics), np.log(p), relevance_weight)


def _table_of_lists(words: list[list[str]]) -> Any:
    """Return the table of `top_words` for lists of words, which have neither scores nor probabilities."""
    lengths = [len(own) for own in words]
    unknown = np.full(sum(lengths), np.nan)
    return table(
        topic=np.repeat(np.arange(len(words)), lengths),
        rank=np.concatenate([np.arange(1, length + 1) for length in lengths]),
        word=np.array([word for own in words for word in own], dtype=object),
        score=unknown,
        probability=unknown.copy(),
    )


def relevance(log_beta: Doubles, log_p: Doubles, weight: float) -> Doubles:
    """Compute λ log β + (1 − λ) log(β / p) = log β − (1 − λ) log p; −∞ where p is 0."""
    discount = (1 - weight) * np.where(np.isneginf(log_p), 0, log_p)
    return np.where(np.isneginf(log_p), -np.inf, log_beta - discount)


def _word_probabilities(model: ModelOrTopics, X: Matrix | None, n_words: int) -> Doubles:
    if X is None:
        totals = np.asarray(weights_of(model), dtype=np.float64).sum(axis=0)
    else:
        totals = counts_over_words(model, X, "word_scores").sum(axis=0)
        if totals.shape != (n_words,):
            raise ValueError(
                f"X has {len(totals)} columns, but the topics have {n_words} words. Pass counts of the same words."
            )
        if not totals.any():
            raise ValueError(
                "X holds no counts, so the frequency of words is unknown. Pass the documents that were fitted."
            )
    probabilities: Doubles = totals / totals.sum()
    return probabilities
