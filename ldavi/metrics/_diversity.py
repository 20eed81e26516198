"""How much topics differ from each other: diversity, rank-biased overlap, exclusivity, FREX."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import rankdata
from sklearn.utils import check_array

from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator.validation import check_number
from ldavi.metrics._top_words import top_words


def topic_diversity(topics: Any, n_words: int = 25) -> float:
    """Share of distinct words among the first n of all topics.

    |∪_k T_k| / (K n), T_k being the first n words of topic k: 1 if no two topics share one, 1 / K if all have the same.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0; an estimator gives its `topics_` or `components_`.
    n_words : int, default=25
        First words of a topic; all of them if there are fewer.

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
    first = top_words(topics_of(topics), n_words)
    return len(np.unique(first)) / first.size


def inverted_rbo(topics: Any, n_words: int = 10, p: float = 0.9) -> float:
    """One minus the mean rank-biased overlap of the first words of two topics, over all pairs of topics.

    With A_d the share that the first d words of two topics have in common, the overlap of two lists of n words, extrapolated
    from their end, is [1]_ (equation 32)

        RBO = A_n p^n + (1 − p) / p Σ_{d=1}^{n} A_d p^d,

    1 for equal lists and 0 for disjoint ones, however short they are. The mean is that of [2]_.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, at least two topics; an estimator gives its `topics_` or `components_`.
    n_words : int, default=10
        First words of a topic; all of them if there are fewer.
    p : float, default=0.9
        Above 0 and below 1: the nearer to 0, the more the very first words weigh.

    Returns
    -------
    diversity : float
        0 if all topics have the same first words in the same order, 1 if no two topics share one.

    Raises
    ------
    TypeError, ValueError
        If there is one topic alone, `p` or `n_words` is not as above, or `topics` are not topics.

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
    beta = topics_of(topics)
    if len(beta) < 2:
        raise ValueError("topics holds one topic; overlap needs two at least")
    first = top_words(beta, n_words)
    n_topics, n = first.shape
    overlap = np.zeros((n_topics, n_topics))
    depth_weights = (1 - p) / p * p ** np.arange(1, n + 1)
    depth_weights[-1] += p**n
    for depth, weight in enumerate(depth_weights, start=1):
        places = (np.repeat(np.arange(n_topics), depth), first[:, :depth].ravel())
        holds = sparse.csr_array((np.ones(n_topics * depth), places), shape=beta.shape)
        overlap += weight / depth * (holds @ holds.T).toarray()
    return float(np.clip(1 - overlap[np.triu_indices(n_topics, 1)].mean(), 0, 1))


def exclusivity(topics: Any, n_words: int = 10) -> Doubles:
    """How far the first words of each topic are its own: the mean of β_kw / Σ_j β_jw over them.

    MALLET's measure (`TopicModelDiagnostics.getExclusivity`), on the topics as they are: with `topics_` or `components_` they
    hold the prior, as MALLET's do.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, made to sum to 1 by topics; an estimator gives its `topics_` or `components_`.
    n_words : int, default=10
        First words of a topic; all of them if there are fewer.

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
    everyone = beta.sum(axis=0)[first]
    # a word without any mass, which a topic of few words may have among its first, belongs to all alike
    shares = np.divide(own, everyone, out=np.full_like(own, 1 / len(beta)), where=everyone > 0)
    return np.asarray(shares.mean(axis=1))


def effective_words(topics: Doubles) -> Doubles:
    """Compute the effective number of words of each topic, 1 / Σ_w β_kw²: MALLET's `eff_num_words`.

    V for a uniform distribution over V words, 1 for a single word. It is the exponential of the Rényi entropy of order 2.

    Parameters
    ----------
    topics : array of shape (K, V)
        Distributions over words.

    Returns
    -------
    array of shape (K,)
    """
    return np.asarray(1 / np.square(topics).sum(axis=1))


def frex(topics: Any, weight: float = 0.5, *, word_counts: Any = None) -> Doubles:
    """Frequency and exclusivity of every word in every topic: the harmonic mean of its two ranks, as R's stm computes it.

    FREX_kw = 1 / (weight / F_kw + (1 − weight) / E_kw), where F_kw is the share of words whose probability β_kv is at most
    β_kw, and E_kw the same for exclusivity β_kw / Σ_j β_jw; ties, to 12 digits, have the mean of their ranks.

    Rare words are exclusive by accident. With `word_counts` the exclusivity of a word seen n times is first shrunk towards
    1 / K by λ = Σ_k e_k (1 − e_k) / ((n − 1) Σ_k (e_k − 1/K)²), cut to [0, 1] [3]_, as stm does in `labelTopics`.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0, made to sum to 1 by topics; an estimator gives its `topics_` or `components_`.
    weight : float, default=0.5
        Of frequency, as in stm, from 0 to 1: 1 ranks by frequency, 0 by exclusivity. The weight of [1]_ is that of
        exclusivity. `ldavi.inspection` means the same by its `frex_weight`.
    word_counts : array-like of shape (n_features,) or None, default=None
        How often each word occurs in the corpus, `X.sum(axis=0)`. None means no shrinkage.

    Returns
    -------
    scores : array of shape (n_topics, n_features)
        float64, above 0 and at most 1; the words to name a topic by are those with the highest.

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
    """To 40 bits: words whose shares are equal must tie in whatever order the topics were summed."""
    mantissa, exponent = np.frexp(shares)
    return np.asarray(np.ldexp(np.round(mantissa * 2.0**40), exponent))


def _check_word_counts(word_counts: Any, n_words: int) -> Doubles:
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
