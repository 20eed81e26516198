"""Model checking: residual dispersion, posterior predictive checks, and mutual information within topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.stats import norm

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Int64s, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import Posterior, posterior_of
from ldavi.inspection._token_draws import generator, replicate, token_draws
from ldavi.metrics._tokens import check_tokens
from ldavi.metrics._top_words import top_words

ENTRIES_AT_ONCE = 2**20  # of documents × words


class Dispersion(NamedTuple):
    """Dispersion of the residuals of word counts.

    Attributes
    ----------
    dispersion : float
        σ²: 1 if the counts vary as the model says, larger if the topics do not explain them.
    df : int
        Degrees of freedom: cells that were compared, less the parameters of the model.
    p_value : float
        Probability of at least this dispersion if the model were true and its parameters known; small values speak
        against the model.
    documents : array of shape (n_docs,)
        Mean squared residual of each document.
    """

    dispersion: float
    df: int
    p_value: float
    documents: Doubles


def residual_dispersion(
    model: ModelOrTopics, X: Matrix, *, min_expected: float = 0.01, doc_topic_prior: float | ArrayLike | None = None
) -> Dispersion:
    """Compute the dispersion of residuals of word counts, which exceeds 1 if a model has too few topics.

    With x̂_dw = N_d q_dw and q_dw = Σ_k θ_dk β_kw, the residuals are r_dw = (x_dw − x̂_dw) / √(x̂_dw (1 − q_dw)), and
    σ² = Σ r_dw² / (n − d) over the n cells with x̂_dw > `min_expected`, with d = D (K − 1) + K (V − 1) parameters. The
    p-value is that of a normal distribution with the variance Σ (2 + (1 − 6 q (1 − q)) / (N q (1 − q))) of Σ r². It
    ignores that parameters are estimated: :func:`posterior_predictive_check` takes that into account.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, usually those that were fitted.
    min_expected : float, default=0.01
        Smallest expected count of a cell that is compared, > 0.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.

    Returns
    -------
    dispersion : Dispersion

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or there are more parameters than cells: reduce `min_expected`.

    References
    ----------
    Taddy. "On estimation and selection for topic models". AISTATS 2012, section 4.2. `checkResiduals` of R's stm sums
    squared residuals over all cells, but counts only those of the sum above.

    Examples
    --------
    >>> import numpy as np
    >>> from ldavi.inspection import residual_dispersion
    >>> rng = np.random.default_rng(0)
    >>> topics, theta = rng.dirichlet(np.full(50, 0.1), 4), rng.dirichlet(np.full(4, 0.2), 200)
    >>> X = np.array([rng.multinomial(100, p) for p in theta @ topics])
    >>> residual_dispersion(topics.mean(axis=0, keepdims=True), X).dispersion > 2
    True
    """
    min_expected = check.check_number("min_expected", min_expected, minimum=0, exclusive=True)
    topics = topics_of(model)
    posterior = posterior_of(model, X, doc_topic_prior, "residual_dispersion")
    sums = _squared_residuals(posterior, topics, min_expected)
    (n_docs, n_topics), n_words = posterior.gamma.shape, topics.shape[1]
    df = int(sums.cells.sum()) - n_docs * (n_topics - 1) - n_topics * (n_words - 1)
    if df <= 0:
        raise ValueError(
            f"min_expected={min_expected!r} leaves {int(sums.cells.sum())} cells, fewer than the model has parameters; "
            "use a smaller value, or more documents"
        )
    excess = (float(sums.squared.sum()) - df) / np.sqrt(sums.variance)
    documents = np.divide(sums.squared, sums.cells, out=np.full(n_docs, np.nan), where=sums.cells > 0)
    return Dispersion(float(sums.squared.sum()) / df, df, float(norm.sf(excess)), documents)


class _Residuals(NamedTuple):
    """Sums over the cells of each document, and the variance of the sum of squares under the model."""

    squared: Doubles
    cells: Int64s
    variance: float


def _squared_residuals(posterior: Posterior, topics: Doubles, min_expected: float) -> _Residuals:
    theta, tokens = posterior.theta(), posterior.tokens
    squared, cells, variance = np.zeros(len(theta)), np.zeros(len(theta), np.int64), 0.0
    for at in chunks(len(theta), rows_within(ENTRIES_AT_ONCE, topics.shape[1])):
        q = theta[at] @ topics
        expected = q * tokens[at, None]
        compared = expected > min_expected
        spread = np.where(compared, expected * (1 - q), 1.0)
        residual = np.where(compared, (posterior.counts[at].toarray() - expected) ** 2 / spread, 0.0)
        squared[at], cells[at] = residual.sum(axis=1), compared.sum(axis=1)
        variance += float(np.where(compared, 2 + (1 - 6 * q * (1 - q)) / spread, 0.0).sum())
    return _Residuals(squared, cells, variance)


def posterior_predictive_check(
    model: ModelOrTopics,
    X: Matrix,
    *,
    statistics: Mapping[str, Callable[[sparse.csr_array], float]] | None = None,
    n_samples: int = 20,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    """Compare statistics of documents with those of documents that the model generates.

    Each of `n_samples` replicates has the lengths of the documents of X, and words drawn from the model given θ from
    its posterior Dir(γ_d) and E[β]. The model infers the topics of each replicate as it did those of X, so that the
    residuals of both are compared on equal terms.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Integer counts. Documents that were not fitted give a sharper check.
    statistics : dict of {str: callable} or None, default=None
        Further statistics: functions of counts, documents × words as a CSR array, that return a number.
    n_samples : int, default=20
        Number of replicates, at least 2.
    random_state : int, RandomState instance or None, default=None
        Source of the replicates.

    Returns
    -------
    table : DataFrame, or structured array without pandas
        A row for each statistic, with the columns statistic, observed, expected (the mean over replicates), std
        (their standard deviation), deviance = (observed − expected) / std, and p_value, the share of replicates with
        at least the observed value (of n_samples + 1, the observed one included). Statistics are "dispersion" (the mean
        squared residual, see :func:`residual_dispersion`), "distinct_words" (the mean number per document) and
        "repetition" (the probability that two tokens of a document are the same word), and those given.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X holds other than integer counts.

    References
    ----------
    Gelman, Meng, Stern. "Posterior predictive assessment of model fitness via realized discrepancies". Statistica
    Sinica 6, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from ldavi.inspection import posterior_predictive_check
    >>> rng = np.random.default_rng(0)
    >>> topics, theta = rng.dirichlet(np.full(50, 0.1), 4), rng.dirichlet(np.full(4, 0.2), 200)
    >>> X = np.array([rng.multinomial(100, p) for p in theta @ topics])
    >>> rows = posterior_predictive_check(topics[:2], X, random_state=0)  # without half of the topics
    >>> bool(rows["deviance"][0] > 5)
    True
    """
    n_samples = check.check_integer("n_samples", n_samples, minimum=2)
    topics, nameless = topics_of(model), _without_names(model)
    check_tokens(X, "posterior_predictive_check", model)
    chosen: dict[str, Callable[[sparse.csr_array], float]] = {
        "dispersion": lambda documents: _mean_dispersion(nameless, topics, documents),
        "distinct_words": lambda documents: documents.nnz / max(documents.shape[0], 1),
        "repetition": _repetition,
        **(statistics or {}),
    }
    rng = generator(random_state)
    posterior = posterior_of(model, X, None, "posterior_predictive_check")
    observed = np.array([float(function(posterior.counts)) for function in chosen.values()])
    replicated = np.empty((n_samples, len(chosen)))
    for sample in range(n_samples):
        documents = replicate(rng, posterior, topics)
        replicated[sample] = [float(function(documents)) for function in chosen.values()]
    return table(statistic=np.array(list(chosen), dtype=object), **_compared(observed, replicated))


def topic_checks(
    model: ModelOrTopics,
    X: Matrix,
    *,
    groups: ArrayLike | None = None,
    n_samples: int = 20,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    """Check for each topic whether its words are independent of documents, as the model assumes.

    In LDA, all tokens of a topic are drawn from the same distribution, whatever their document. The mutual information
    of word and document among the tokens of a topic is compared with that of replicates, whose words are drawn from
    the topic. A topic with a large deviance mixes words that belong to different documents: consider to split it.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Integer counts.
    groups : array of shape (n_docs,) or None, default=None
        Labels of the documents, such as years or sources. The mutual information is then that of word and label: it is
        large if the words of a topic differ between the groups.
    n_samples : int, default=20
        Draws of the topics of tokens, and replicates, at least 2.
    random_state : int, RandomState instance or None, default=None
        Source of the draws.

    Returns
    -------
    table : DataFrame, or structured array without pandas
        A row for each topic, with the columns topic, tokens (the mean over draws), observed (the mutual information in
        nats, the mean over draws), expected, std, deviance and p_value as in :func:`posterior_predictive_check`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X holds other than integer counts.

    References
    ----------
    Mimno, Blei. "Bayesian checking for topic models". EMNLP 2011.

    Examples
    --------
    >>> from ldavi.inspection import topic_checks
    >>> X = [[9, 0, 0, 1], [8, 1, 1, 0], [0, 9, 1, 0], [1, 9, 0, 0]]  # a topic that mixes two words
    >>> bool(topic_checks([[0.47, 0.47, 0.03, 0.03]], X, random_state=0)["deviance"][0] > 3)
    True
    """
    topics, draws = token_draws(model, X, groups, n_samples, random_state, "topic_checks")
    observed, replicated, tokens = [], [], []
    for own, other in draws:
        observed.append(own.mutual_information())
        replicated.append(other.mutual_information())
        tokens.append(own.totals)
    columns = _compared(np.mean(observed, axis=0), np.array(replicated))
    return table(topic=np.arange(len(topics)), tokens=np.mean(tokens, axis=0), **columns)


def word_checks(
    model: ModelOrTopics,
    X: Matrix,
    *,
    n_words: int = 10,
    groups: ArrayLike | None = None,
    n_samples: int = 20,
    random_state: int | np.random.RandomState | None = None,
    feature_names: Names | None = None,
) -> Any:
    """Check which words of a topic depend on documents, by their instantaneous mutual information.

    The instantaneous mutual information of a word is the entropy of the documents of all tokens of the topic less that
    of the documents of the word's tokens. It is large for a word that occurs in a few documents of the topic only.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Integer counts.
    n_words : int, default=10
        Number of most probable words of each topic.
    groups : array of shape (n_docs,) or None, default=None
        Labels of the documents, as for :func:`topic_checks`.
    n_samples : int, default=20
        Draws of the topics of tokens, and replicates, at least 2.
    random_state : int, RandomState instance or None, default=None
        Source of the draws.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with.

    Returns
    -------
    table : DataFrame, or structured array without pandas
        A row for each topic and word, with the columns topic, rank (from 1), word, observed (nats), expected, std,
        deviance and p_value as in :func:`topic_checks`. Words that no draw assigns to the topic have NaN.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X holds other than integer counts.

    References
    ----------
    Mimno, Blei. "Bayesian checking for topic models". EMNLP 2011.

    Examples
    --------
    >>> from ldavi.inspection import word_checks
    >>> X = [[9, 0, 5], [8, 1, 6], [0, 9, 5], [1, 9, 6]]
    >>> rows = word_checks([[0.35, 0.35, 0.3]], X, random_state=0)
    >>> rows["word"][int(rows["deviance"].argmin())]  # the word that all documents of the topic have
    'x2'
    """
    topics, draws = token_draws(model, X, groups, n_samples, random_state, "word_checks")
    names = feature_names_of(model, topics.shape[1], feature_names)
    words = top_words(topics, n_words)
    rows = np.arange(len(topics))[:, None]
    observed, replicated = [], []
    for own, other in draws:
        observed.append(own.instantaneous()[rows, words].ravel())
        replicated.append(other.instantaneous()[rows, words].ravel())
    with np.errstate(invalid="ignore"):
        columns = _compared(_mean_of_known(np.array(observed)), np.array(replicated))
    rank = np.broadcast_to(np.arange(1, words.shape[1] + 1), words.shape)
    topic = np.broadcast_to(rows, words.shape)
    return table(topic=topic.ravel(), rank=rank.ravel(), word=names[words.ravel()], **columns)


def _without_names(model: Any) -> Any:
    """Return a copy of a model that takes columns without names, as those of replicates are."""
    if not hasattr(model, "feature_names_in_"):
        return model
    nameless = copy(model)
    del nameless.feature_names_in_
    return nameless


def _mean_dispersion(model: ModelOrTopics, topics: Doubles, documents: sparse.csr_array) -> float:
    sums = _squared_residuals(posterior_of(model, documents, None, "posterior_predictive_check"), topics, 0.01)
    return float(sums.squared.sum() / max(int(sums.cells.sum()), 1))


def _repetition(documents: sparse.csr_array) -> float:
    """Return the share of pairs of tokens of a document that are the same word, over all pairs."""
    tokens = np.asarray(documents.sum(axis=1))
    pairs = float((tokens * (tokens - 1)).sum())
    return float((documents.data * (documents.data - 1)).sum()) / pairs if pairs else 0.0


def _compared(observed: Doubles, replicated: Doubles) -> dict[str, Doubles]:
    """Return the columns that compare an observed value with replicates, of shape (n_samples, …)."""
    expected, std = _mean_of_known(replicated), np.nanstd(replicated, axis=0, ddof=1)
    deviance = np.divide(observed - expected, std, out=np.full_like(expected, np.nan), where=std > 0)
    as_large = (np.nan_to_num(replicated, nan=-np.inf) >= observed).sum(axis=0)
    p_value = np.where(np.isnan(observed), np.nan, (as_large + 1) / (len(replicated) + 1))
    return {"observed": observed, "expected": expected, "std": std, "deviance": deviance, "p_value": p_value}


def _mean_of_known(values: Doubles) -> Doubles:
    """Return the mean over the first axis of the values that are known; NaN where there are none."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    sums = np.where(known, values, 0).sum(axis=0)
    mean: Doubles = np.divide(sums, n, out=np.full(values.shape[1:], np.nan), where=n > 0)
    return mean
