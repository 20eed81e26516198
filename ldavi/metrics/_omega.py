"""McDonald's omega: the reliability of topics over refits, from a factor model of each topic. Equation (23.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Int64s, Matrix
from ldavi.metrics._agreement import topics_over_same_words
from ldavi.metrics._distances import pairwise_distances

MAX_ITER, TOL = 1000, 1e-10  # of the fixed-point iteration for loadings


class Omega(NamedTuple):
    """Reliability of the topics of several fits.

    Attributes
    ----------
    value : float
        ω of all topics: the share of the variance of the sums over fits that their common factors explain. 1 if all
        fits agree.
    topics : array of shape (n_topics,)
        ω of each topic of the reference model.
    single : float
        Reliability of one fit, by the Spearman-Brown formula; `value` is that of the mean over all of them, and grows
        with their number.
    single_topics : array of shape (n_topics,)
        The same for each topic.
    reference : int
        Number of the model whose topics the others were matched with: the one that is closest to all others.
    """

    value: float
    topics: Doubles
    single: float
    single_topics: Doubles
    reference: int


def omega(models: Sequence[ModelOrTopics], X: Matrix | None = None) -> Omega:
    """Compute McDonald's ω of the topics of several fits.

    The topics of each fit are matched one to one with those of the reference. The R versions of a topic are then R
    measurements of it, y_ri = μ_r + l_r f_i + e_ri over words (or documents) i, with a factor f of variance 1 and
    errors of variance ψ_r. With loadings by the centroid method, l_r Σ_{s≠r} l_s = Σ_{s≠r} Cov(y_r, y_s),

        ω_k = (Σ_r l_kr)² / ((Σ_r l_kr)² + Σ_r ψ_kr),  ω = Σ_k (Σ_r l_kr)² / Σ_k ((Σ_r l_kr)² + Σ_r ψ_kr).

    Unlike the mean similarity of :func:`stability`, ω compares the disagreement of fits with the variation over words
    or documents that they measure.

    Parameters
    ----------
    models : sequence of (n_topics, n_words) arrays or fitted estimators
        At least two, over the same words and with the same number of topics.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Documents whose topic proportions, as of `transform`, are the measurements; models must then be estimators. None
        takes the probabilities of words.

    Returns
    -------
    omega : Omega
        `value`, `topics` and the reliability of a single fit.

    Raises
    ------
    ValueError
        If there are fewer than two models, or their topics differ in number or words.

    References
    ----------
    McDonald. "Test theory: a unified treatment". 1999. Kamata, Turhan, Darandari. "Estimating reliability for
    multidimensional composite scale scores". 2003. Schroeder, Wood-Doughty. "Reliability of topic modeling". NAACL
    2025, arXiv 2410.23186. Thurstone. "Multiple-factor analysis". 1947 (the centroid method).

    Examples
    --------
    >>> from ldavi.metrics import omega
    >>> one, other = [[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]], [[0.0, 0.2, 0.8], [0.5, 0.5, 0.0]]
    >>> omega([one, other]).value
    1.0
    """
    topics = topics_over_same_words(models)
    if len(topics) < 2:
        raise ValueError(f"models holds {len(topics)}; pass at least two")
    if len({one.shape for one in topics}) > 1:
        shapes = sorted({one.shape for one in topics})
        raise ValueError(f"models have topics of the shapes {shapes}; omega needs the same number of topics and words")
    places, reference = matched_to_reference(topics)
    measured = topics if X is None else [np.asarray(_transform(model, X), dtype=np.float64).T for model in models]
    common, error = np.array(
        [
            factor_variances(np.array([own[order[k]] for own, order in zip(measured, places, strict=True)]))
            for k in range(len(topics[0]))
        ]
    ).T
    n_fits = len(topics)
    value = _ratio(np.atleast_1d(common.sum()), np.atleast_1d(error.sum()))
    each = _ratio(common, error)
    return Omega(float(value[0]), each, float(_of_one(value, n_fits)[0]), _of_one(each, n_fits), reference)


def matched_to_reference(topics: Sequence[Doubles]) -> tuple[list[Int64s], int]:
    """Return the topics of each model in the order of those of the reference, and the reference's number.

    The reference is the model with the least total distance of matched topics to all others.
    """
    n_models = len(topics)
    cost = np.zeros((n_models, n_models))
    orders: dict[tuple[int, int], Int64s] = {}
    for i in range(n_models):
        for j in range(i, n_models):
            distances = pairwise_distances(topics[i], topics[j], "hellinger")
            rows, columns = linear_sum_assignment(distances)
            cost[i, j] = cost[j, i] = distances[rows, columns].sum()
            orders[i, j], orders[j, i] = columns, np.argsort(columns)
    reference = int(cost.sum(axis=1).argmin())
    return [orders[reference, j] for j in range(n_models)], reference


def factor_variances(versions: Doubles) -> tuple[float, float]:
    """Return (Σ_r l_r)² and Σ_r ψ_r of the one-factor model of R measurements, of shape (R, n)."""
    covariance = np.atleast_2d(np.cov(versions))
    loadings = centroid_loadings(covariance)
    errors = np.maximum(np.diag(covariance) - loadings**2, 0)
    return float(loadings.sum() ** 2), float(errors.sum())


def centroid_loadings(covariance: Doubles) -> Doubles:
    """Return loadings with l_r Σ_{s≠r} l_s = Σ_{s≠r} C_rs for each r, by fixed-point iteration; l_r² is at most C_rr.

    The equations hold exactly for covariances of one factor. A loading is at most the sum of the others, so that no
    factor is that of one measurement alone.
    """
    variances = np.maximum(np.diag(covariance), 0)
    with_others = covariance.sum(axis=1) - np.diag(covariance)
    communalities = np.full(len(covariance), max(float(with_others.mean()), 0.0) / (len(covariance) - 1))
    loadings = np.zeros(len(covariance))
    for _ in range(MAX_ITER):
        rows = np.maximum(with_others + communalities, 0)
        total = np.sqrt(rows.sum())
        before, loadings = loadings, np.minimum(rows / (total or 1.0), np.minimum(total / 2, np.sqrt(variances)))
        communalities = loadings**2
        if np.abs(loadings - before).max() <= TOL * np.sqrt(variances.max()):
            break
    return loadings


def _transform(model: Any, X: Matrix) -> Any:
    if not hasattr(model, "transform"):
        raise ValueError(f"models holds a {type(model).__name__}; with X, omega needs estimators with a transform")
    return model.transform(X)


def _ratio(common: Doubles, error: Doubles) -> Doubles:
    """Return common / (common + error); 1 where neither varies, since all fits agree there."""
    total = common + error
    return np.divide(common, total, out=np.ones_like(total), where=total > 0)


def _of_one(value: Doubles, n_fits: int) -> Doubles:
    """Return the reliability of one of n measurements whose mean has that of `value`."""
    single: Doubles = value / (n_fits - (n_fits - 1) * value)
    return single
