"""Differences between topics: diversity, rank-biased overlap, exclusivity, FREX, effective words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.stats import rankdata
from sklearn.utils import check_array

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator.validation import check_number
from ldavi.metrics._top_words import first_columns_of, top_words


def topic_diversity(topics: ModelOrTopics, n_words: int = 25) -> float:
    """Compute the share of distinct words among the n most probable words of all topics.

    |∪_k T_k| / (K n), with T_k the n most probable words of topic k: 1 if no two topics share a word, 1 / K if all have
    the same.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), model, or n_topics lists of words
        Weights >= 0; an estimator gives its `topics_` or `components_`. Lists have the best word first.
    n_words : int, default=25
        Number of most probable words per topic; all of them if there are fewer.

    Returns
    -------
    diversity : float
        Above 0, at most 1.

    Raises
    ------
    TypeError, ValueError
        If `n_words` is not an integer >= 1, or `topics` are not topics.

    References
    ----------
    Dieng, Ruiz, Blei. "Topic modeling in embedding spaces". TACL 8, 2020.

    Examples
    --------
    >>> from ldavi.metrics import topic_diversity
    >>> topic_diversity([[0.5, 0.4, 0.1, 0.0], [0.4, 0.0, 0.1, 0.5]], n_words=2)
    0.75
    """
    first = first_columns_of(topics, n_words)
    return len(np.unique(first)) / first.size


def inverted_rbo(topics: ModelOrTopics, n_words: int = 10, p: float = 0.9) -> float:
    """Compute one minus the mean rank-biased overlap of the most probable words, over all pairs of topics.

    With A_d the share that the first d words of two topics have in common, the extrapolated overlap of two lists of n
    words is [1]_ (equation 32)

        RBO = A_n p^n + (1 − p) / p Σ_{d=1}^{n} A_d p^d,

    1 for equal lists and 0 for disjoint ones, whatever their length. The mean is that of [2]_.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, at least two topics; an estimator gives its `topics_` or `components_`.
    n_words : int, default=10
        Number of most probable words per topic; all of them if there are fewer.
    p : float, default=0.9
        Persistence, between 0 and 1, exclusive: the closer to 0, the larger the weight of the first words.

    Returns
    -------
    diversity : float
        0 if all topics have the same first words in the same order, 1 if no two topics share one.

    Raises
    ------
    TypeError, ValueError
        If there is only one topic, `p` or `n_words` is not as above, or `topics` are not topics.

    References
    ----------
    .. [1] Webber, Moffat, Zobel. "A similarity measure for indefinite rankings". ACM TOIS 28(4), 2010.
    .. [2] Bianchi, Terragni, Hovy. "Pre-training is a hot topic: contextualized document embeddings improve topic
       coherence". ACL 2021.

    Examples
    --------
    >>> from ldavi.metrics import inverted_rbo
    >>> round(inverted_rbo([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]], n_words=3), 3)
    0.145
    """
    if check_number("p", p, minimum=0, maximum=1, exclusive=True) == 1:
        raise ValueError(f"p={p!r} must be below 1; 0.9 gives the first ten words most of the weight")
    first = first_columns_of(topics, n_words)
    if len(first) < 2:
        raise ValueError("topics holds one topic; overlap needs at least two")
    n_topics, n = first.shape
    overlap = np.zeros((n_topics, n_topics))
    depth_weights = (1 - p) / p * p ** np.arange(1, n + 1)
    depth_weights[-1] += p**n
    for depth, weight in enumerate(depth_weights, start=1):
        places = (np.repeat(np.arange(n_topics), depth), first[:, :depth].ravel())
        holds = sparse.csr_array((np.ones(n_topics * depth), places), shape=(n_topics, int(first.max()) + 1))
        overlap += weight / depth * (holds @ holds.T).toarray()
    return float(np.clip(1 - overlap[np.triu_indices(n_topics, 1)].mean(), 0, 1))


def exclusivity(topics: ModelOrTopics, n_words: int = 10) -> Doubles:
    """Compute the exclusivity of each topic's most probable words: the mean of β_kw / Σ_j β_jw over them.

    MALLET's measure (`TopicModelDiagnostics.getExclusivity`). As in MALLET, β includes the prior if the topics are
    `topics_` or `components_`.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, normalised per topic; an estimator gives its `topics_` or `components_`.
    n_words : int, default=10
        Number of most probable words per topic; all of them if there are fewer.

    Returns
    -------
    exclusivity : array of shape (n_topics,)
        float64, above 0 and at most 1, which means that no other topic has these words.

    Raises
    ------
    TypeError, ValueError
        If `n_words` is not an integer >= 1, or `topics` are not topics.

    References
    ----------
    McCallum. "MALLET: a machine learning for language toolkit". 2002, https://mimno.github.io/Mallet/diagnostics.

    Examples
    --------
    >>> from ldavi.metrics import exclusivity
    >>> print(exclusivity([[0.5, 0.4, 0.1, 0.0], [0.4, 0.0, 0.1, 0.5]], n_words=2).round(3))
    [0.778 0.722]
    """
    beta = topics_of(topics)
    first = top_words(beta, n_words)
    own = np.take_along_axis(beta, first, axis=1)
    total = beta.sum(axis=0)[first]
    # A word that no topic can produce may be among the first of a topic with few words: it belongs equally to all
    # topics.
    shares = np.divide(own, total, out=np.full_like(own, 1 / len(beta)), where=total > 0)
    return np.asarray(shares.mean(axis=1))


def effective_words(topics: Doubles) -> Doubles:
    """Compute the effective number of words of each topic, 1 / Σ_w β_kw²: MALLET's `eff_num_words`.

    V for a uniform distribution over V words, 1 for a single word. It is the exponential of the Rényi entropy of
    order 2.

    Parameters
    ----------
    topics : array of shape (K, V)
        Distributions over words.

    Returns
    -------
    array of shape (K,)
    """
    return np.asarray(1 / np.square(topics).sum(axis=1))


def frex(topics: ModelOrTopics, weight: float = 0.5, *, word_counts: ArrayLike | None = None) -> Doubles:
    """Compute FREX of each word in each topic, the harmonic mean of its ranks by frequency and exclusivity, as R's stm.

    FREX_kw = 1 / (weight / F_kw + (1 − weight) / E_kw), where F_kw is the share of words whose probability β_kv is at
    most β_kw, and E_kw the same for exclusivity β_kw / Σ_j β_jw; ties, to 12 digits, have their mean rank.

    Rare words are exclusive by chance. With `word_counts` the exclusivity of a word seen n times is first shrunk
    towards 1 / K by λ = Σ_k e_k (1 − e_k) / ((n − 1) Σ_k (e_k − 1/K)²), cut to [0, 1] [3]_, as stm does in
    `labelTopics`.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, normalised per topic; an estimator gives its `topics_` or `components_`.
    weight : float, default=0.5
        Weight of frequency, as in stm, from 0 to 1: 1 ranks by frequency, 0 by exclusivity. The weight of [1]_ is
        that of exclusivity. `frex_weight` in `ldavi.inspection` is the same weight.
    word_counts : array-like of shape (n_features,) or None, default=None
        Number of occurrences of each word in the corpus, `X.sum(axis=0)`. None means no shrinkage.

    Returns
    -------
    scores : array of shape (n_topics, n_features)
        float64, above 0 and at most 1; words with the highest scores characterise a topic best.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above.

    References
    ----------
    .. [1] Bischof, Airoldi. "Summarizing topical content with word frequency and exclusivity". ICML 2012.
    .. [2] Roberts, Stewart, Tingley. "stm: an R package for structural topic models". JSS 91(2), 2019; `calcfrex`.
    .. [3] Hausser, Strimmer. "Entropy inference and the James-Stein estimator". JMLR 10, 2009.

    Examples
    --------
    >>> from ldavi.metrics import frex
    >>> print(frex([[0.5, 0.4, 0.1, 0.0], [0.4, 0.0, 0.1, 0.5]]).round(3))
    [[0.857 0.857 0.5   0.25 ]
     [0.6   0.25  0.6   1.   ]]
    """
    check_number("weight", weight, minimum=0, maximum=1)
    beta = topics_of(topics)
    totals = beta.sum(axis=0)
    shares = np.divide(beta, totals, out=np.full_like(beta, 1 / len(beta)), where=totals > 0)
    if word_counts is not None:
        shares = _shrunk_to_uniform(shares, _check_word_counts(word_counts, beta.shape[1]))
    frequency = rankdata(beta, axis=1) / beta.shape[1]
    exclusive = rankdata(_without_rounding_errors(shares), axis=1) / beta.shape[1]
    return np.asarray(1 / (weight / frequency + (1 - weight) / exclusive))


def _without_rounding_errors(shares: Doubles) -> Doubles:
    """Round to 40 bits, so that equal shares tie in whatever order the topics were summed."""
    mantissa, exponent = np.frexp(shares)
    return np.asarray(np.ldexp(np.round(mantissa * 2.0**40), exponent))


def _check_word_counts(word_counts: ArrayLike, n_words: int) -> Doubles:
    counts = check_array(np.ravel(word_counts), ensure_2d=False, dtype=np.float64, input_name="word_counts")
    if counts.shape != (n_words,):
        raise ValueError(
            f"word_counts has {len(counts)} entries and the topics {n_words} words; give one for each word"
        )
    if (counts < 0).any():
        raise ValueError(f"word_counts holds {counts.min()}; counts must be >= 0")
    return counts  # type: ignore[no-any-return]


def _shrunk_to_uniform(shares: Doubles, word_counts: Doubles) -> Doubles:
    uniform = 1 / len(shares)
    deviation = ((shares - uniform) ** 2).sum(axis=0)
    variance = (shares * (1 - shares)).sum(axis=0) / np.maximum(word_counts - 1, 1)
    shrinkage = np.divide(variance, deviation, out=np.ones_like(variance), where=deviation > 0)
    shrinkage = np.where(word_counts <= 1, 1.0, np.clip(shrinkage, 0, 1))
    return shrinkage * uniform + (1 - shrinkage) * shares
