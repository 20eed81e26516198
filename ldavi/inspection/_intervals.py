"""Credible intervals of topic proportions, mean-field or sampled, and of word probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta as beta_distribution

from ldavi._core.library_models import fitted_model
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, name_columns, weights_of
from ldavi._core.typing import Doubles, Int64s, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import posterior_of
from ldavi.inspection._theta_samples import ThetaSampler, sampler_of
from ldavi.metrics._top_words import largest


def theta_intervals(
    model: ModelOrTopics,
    X: Matrix,
    *,
    level: float = 0.95,
    method: str = "mean_field",
    n_samples: int = 200,
    random_state: int | np.random.RandomState | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Any:
    """Compute credible intervals of the documents' topic proportions θ_dk.

    The interval is central: each tail has the posterior probability (1 − level) / 2. "mean_field" approximates the
    posterior of θ_d by Dir(γ_d), so that of θ_dk is Beta(γ_dk, Σ_j γ_dj − γ_dk). "sampling" takes quantiles of draws
    from the posterior given the topics, see :func:`theta_samples`: slower, but the intervals cover what they should.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_words,) or (n_docs, n_words)
        Counts, documents × words.
    level : float, default=0.95
        Posterior probability of the interval, between 0 and 1, exclusive.
    method : {"mean_field", "sampling"}, default="mean_field"
        How the posterior of θ_d is computed.
    n_samples : int, default=200
        Number of draws of "sampling"; the ends of the intervals are the more precise, the larger it is.
    random_state : int, RandomState or None, default=None
        Seed of "sampling".
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none. "sampling" also takes (n_docs, n_topics).
    n_jobs : int or None, default=None
        Threads of "sampling"; None means one. The intervals are the same for any number.

    Returns
    -------
    intervals : DataFrame, or structured array without pandas
        A row for each document and topic, with the columns document (a row of X), topic, mean E[θ_dk], low and high.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X is not counts of the topics' words.

    Warnings
    --------
    Mean-field intervals are too narrow. Mean-field inference assumes that θ_d is independent of the topics of the
    document's words. The intervals are therefore conditional on each token's φ: they ignore the uncertainty which of
    two similar topics a word came from. With documents drawn from ten known topics, intervals of level 0.95 covered 91
    to 92 % of the true proportions where topics shared few words, and 57 to 72 % where they shared many. Use them to
    compare uncertainties, and `method="sampling"` for intervals with the stated coverage. Both are conditional on the
    topics: they ignore the uncertainty of β, and other optima that another `random_state` of the fit would have found.

    References
    ----------
    Blei, Kucukelbir, McAuliffe. "Variational inference: a review for statisticians". JASA 112, 2017, section 2.3.

    Examples
    --------
    >>> from ldavi.inspection import theta_intervals
    >>> rows = theta_intervals([[1.0, 0.0], [0.0, 1.0]], [6, 2])
    >>> print(rows["low"].round(2).tolist(), rows["high"].round(2).tolist())
    [0.42, 0.04] [0.96, 0.58]
    """
    check_level(level)
    check.check_choice("method", method, ("mean_field", "sampling"))
    if method == "sampling":
        n_samples = check.check_integer("n_samples", n_samples, minimum=1)
        sampler = sampler_of(
            model, X, random_state, doc_topic_prior=doc_topic_prior, n_jobs=n_jobs, name="theta_intervals"
        )
        mean, low, high = _quantiles(sampler, level, n_samples)
    else:
        gamma = posterior_of(model, X, doc_topic_prior, "theta_intervals").gamma
        low, high = _marginals(gamma, gamma.sum(axis=1, keepdims=True), level)
        mean = gamma / gamma.sum(axis=1, keepdims=True)
    n_docs, n_topics = mean.shape
    return table(
        document=np.repeat(np.arange(n_docs), n_topics),
        **name_columns(model, np.tile(np.arange(n_topics), n_docs)),
        mean=mean.ravel(),
        low=low.ravel(),
        high=high.ravel(),
    )


def beta_intervals(
    model: ModelOrTopics,
    *,
    level: float = 0.95,
    words: ArrayLike | None = None,
    n_words: int = 10,
    feature_names: Names | None = None,
) -> Any:
    """Compute credible intervals of the probabilities of words in topics, β_kw.

    The posterior of β_k is Dir(λ_k), so that of β_kw is Beta(λ_kw, Σ_v λ_kv − λ_kw). The interval is central: each tail
    has the probability (1 − level) / 2.

    Parameters
    ----------
    model : estimator, or array of shape (n_topics, n_words)
        A fitted estimator whose `components_` are Dirichlet parameters λ, or λ itself.
    level : float, default=0.95
        Posterior probability of the interval, between 0 and 1, exclusive.
    words : array-like of str or int, or None, default=None
        Names or columns of words, the same for each topic. None takes the most probable words of each topic.
    n_words : int, default=10
        Number of words per topic, if `words` is None.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those of the model or its pipeline, else "x0", "x1", ….

    Returns
    -------
    intervals : DataFrame, or structured array without pandas
        A row for each topic and word, with the columns topic, word, mean E[β_kw], low and high.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, a word is unknown, or the topics are not Dirichlet parameters: point
        estimates (`topic_word_prior=0`), or rows that sum to 1.

    Warnings
    --------
    These intervals are too narrow. Mean-field inference assumes that β is independent of the topics of the tokens, so
    that each token's φ counts as observed. They ignore the uncertainty to which topic an occurrence belongs, the
    covariance of topics that share it, and other optima, in which a topic is merged, split or missing. After online
    fits λ also depends on the learning rate. Use them to compare uncertainties, not as confidence intervals.

    References
    ----------
    Blei, Kucukelbir, McAuliffe. "Variational inference: a review for statisticians". JASA 112, 2017, section 2.3.

    Examples
    --------
    >>> from ldavi.inspection import beta_intervals
    >>> rows = beta_intervals([[60.05, 40.05, 0.05]], n_words=2, feature_names=["cat", "sat", "dog"])
    >>> print(rows["word"].tolist(), rows["low"].round(2).tolist(), rows["high"].round(2).tolist())
    ['cat', 'sat'] [0.5, 0.31] [0.69, 0.5]
    """
    check_level(level)
    n_words = check.check_integer("n_words", n_words, minimum=1)
    lam = _dirichlet_parameters(model)
    names = feature_names_of(model, lam.shape[1], feature_names)
    totals = lam.sum(axis=1, keepdims=True)
    chosen = largest(lam, n_words) if words is None else np.tile(_columns(words, names), (len(lam), 1))
    shape = np.take_along_axis(lam, chosen, axis=1)
    low, high = _marginals(shape, totals, level)
    return table(
        **name_columns(model, np.repeat(np.arange(len(lam)), chosen.shape[1])),
        word=names[chosen.ravel()],
        mean=(shape / totals).ravel(),
        low=low.ravel(),
        high=high.ravel(),
    )


def _quantiles(sampler: ThetaSampler, level: float, n_samples: int) -> tuple[Doubles, Doubles, Doubles]:
    """Compute means and central intervals of draws of θ, some documents at a time, each of shape (D, K)."""
    mean, low, high = np.empty((3, sampler.n_docs, sampler.n_topics))
    for at, theta in sampler.in_parts(n_samples):
        mean[at] = theta.mean(axis=0)
        # Of n + 1 exchangeable values, the last is below the quantile p of this kind with probability p.
        low[at], high[at] = np.quantile(theta, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return mean, low, high


def _marginals(shape: Doubles, total: Doubles, level: float) -> tuple[Doubles, Doubles]:
    """Compute the central interval of Beta(shape, total − shape); a single component is 1 with certainty."""
    rest = np.maximum(total - shape, np.finfo(float).tiny)
    low, high = (beta_distribution.ppf(p, shape, rest) for p in ((1 - level) / 2, (1 + level) / 2))
    single = total <= shape
    return np.where(single, 1.0, low), np.where(single, 1.0, high)


def check_level(level: float) -> None:
    """Check that the probability of an interval is between 0 and 1, exclusive."""
    if check.check_number("level", level, minimum=0, maximum=1, exclusive=True) == 1:
        raise ValueError("level=1 must be < 1: the interval would be [0, 1]. Pass for example 0.95.")


def _dirichlet_parameters(model: ModelOrTopics) -> Doubles:
    lam = np.asarray(weights_of(model), dtype=np.float64)
    model = fitted_model(model)
    if hasattr(model, "components_") and getattr(model, "topic_word_prior_", None) is None:
        raise TypeError(
            f"{type(model).__name__} has no posterior of its topics: pass a LatentDirichletAllocation, or λ as an array"
        )
    if not np.any(getattr(model, "topic_word_prior_", 1)):
        raise ValueError("topic_word_prior=0 makes topics point estimates, without a posterior: fit with a prior > 0")
    if lam.ndim != 2 or 0 in lam.shape or not np.isfinite(lam).all() or (lam <= 0).any():
        raise ValueError("topics must be Dirichlet parameters λ: a (n_topics, n_words) array of finite numbers > 0")
    if np.allclose(lam.sum(axis=1), 1):
        raise ValueError(
            "the rows of the topics sum to 1, so they are probabilities; intervals need Dirichlet parameters λ: "
            "pass components_"
        )
    return lam


def _columns(words: ArrayLike, names: NDArray[Any]) -> Int64s:
    """Return the columns of words that are given by name or by column."""
    column_of = {name: column for column, name in enumerate(names.tolist())}
    columns = []
    for word in np.atleast_1d(np.asarray(words, dtype=object)).tolist():
        column = column_of.get(word, word if isinstance(word, (int, np.integer)) else None)
        if column is None or not 0 <= column < len(names):
            raise ValueError(f"words holds {word!r}, which is neither a name nor a column of the {len(names)} words")
        columns.append(column)
    return np.array(columns, dtype=np.int64)
