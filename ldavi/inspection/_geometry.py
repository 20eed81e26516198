"""Relations between topics: distances, correlations and a two-dimensional map."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr
from sklearn.manifold import smacof

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, TopicDistance
from ldavi._estimator import validation as check
from ldavi.metrics._distances import pairwise_distances

DISTANCES = get_args(TopicDistance)


def topic_distances(
    model: ModelOrTopics, *, distance: TopicDistance = "jensen_shannon", other: ModelOrTopics | None = None
) -> Doubles:
    """Compute the distances between topics as distributions over words.

    "jensen_shannon" is the square root of the Jensen-Shannon divergence in bits, "hellinger" is
    (1 − Σ_w √(p_w q_w))^½, "cosine" is one minus the cosine of the two rows. All are between 0 (identical topics) and
    1 (no common word); the first two are metrics.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        Which distance.
    other : estimator or array of shape (n_others, n_words), or None, default=None
        Topics to which distances are measured; None means those of the model itself.

    Returns
    -------
    distances : array of shape (n_topics, n_topics) or (n_topics, n_others)
        Symmetric with zeros on its diagonal, unless `other` is given.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the two models have different numbers of words.

    References
    ----------
    Endres, Schindelin. "A new metric for probability distributions". IEEE Transactions on Information Theory 49, 2003.

    Examples
    --------
    >>> from ldavi.inspection import topic_distances
    >>> print(topic_distances([[1, 0, 0], [0, 1, 1], [0, 1, 1]]))
    [[0. 1. 1.]
     [1. 0. 0.]
     [1. 0. 0.]]
    """
    check.check_choice("distance", distance, DISTANCES)
    topics = topics_of(model)
    others = topics if other is None else topics_of(other)
    if topics.shape[1] != others.shape[1]:
        raise ValueError(
            f"other has {others.shape[1]} words, but the model has {topics.shape[1]}. "
            "Both must be of the same vocabulary."
        )
    distances = pairwise_distances(topics, others, distance)
    if other is None:
        np.fill_diagonal(distances, 0)
        distances = (distances + distances.T) / 2
    return distances


def topic_correlations(theta: ArrayLike) -> Doubles:
    """Compute the correlations between the proportions of topics over documents.

    Proportions of a document sum to 1, so that they are negatively correlated by construction: among K unrelated
    topics of equal size the correlation is −1 / (K − 1), not 0.

    Parameters
    ----------
    theta : array of shape (n_docs, n_topics)
        Topic proportions, such as those of `transform`; at least two documents.

    Returns
    -------
    correlations : array of shape (n_topics, n_topics)
        Pearson's r. A topic with the same proportion in every document is not correlated with any other: 0.

    Raises
    ------
    ValueError
        If theta has another shape, a value that is not finite, or fewer than two rows.

    Examples
    --------
    >>> from ldavi.inspection import topic_correlations
    >>> print(topic_correlations([[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.4, 0.4, 0.2]]).round(6))
    [[ 1. -1.  0.]
     [-1.  1.  0.]
     [ 0.  0.  1.]]
    """
    proportions = np.asarray(theta, dtype=np.float64)
    if proportions.ndim != 2 or len(proportions) < 2 or proportions.shape[1] == 0:
        raise ValueError(
            f"theta has shape {proportions.shape}; pass (n_docs, n_topics) proportions of two documents or more"
        )
    if not np.isfinite(proportions).all():
        raise ValueError("theta contains NaN or infinity; pass finite proportions")
    centred = proportions - proportions.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    varies = norm > 1e-12 * np.linalg.norm(proportions, axis=0)
    scaled = np.divide(centred, norm, out=np.zeros_like(centred), where=varies)
    correlations: Doubles = np.clip(scaled.T @ scaled, -1, 1)
    np.fill_diagonal(correlations, 1)
    return correlations


def topic_map(
    model: ModelOrTopics, *, method: Literal["pcoa", "mds"] = "pcoa", distance: TopicDistance = "jensen_shannon"
) -> Doubles:
    """Compute two-dimensional coordinates of topics, such that similar topics are close.

    "pcoa" is classical scaling (principal coordinates): the two axes along which the squared distances vary most. "mds"
    continues from there with SMACOF, which weights all distances equally and therefore separates crowded topics better.
    Both are deterministic. An axis points in the direction of topics with higher entropy, so that a map does not
    depend on the order of the topics.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    method : {"pcoa", "mds"}, default="pcoa"
        How positions are computed from distances.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        See :func:`topic_distances`. Jensen-Shannon and Hellinger distances embed in a Euclidean space exactly, before
        all but two dimensions are dropped. (pyLDAvis scales the divergence, which is the square of this distance.)

    Returns
    -------
    coordinates : array of shape (n_topics, 2)
        Centred at 0, in units of the distance; the first axis has the larger variance.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described.

    References
    ----------
    Gower. "Some distance properties of latent root and vector methods used in multivariate analysis". Biometrika 53,
    1966. Borg, Groenen. "Modern multidimensional scaling", chapter 8. Springer, 2005.

    Examples
    --------
    >>> from ldavi.inspection import topic_map
    >>> points = topic_map([[5, 1, 0, 0], [4, 2, 0, 0], [0, 0, 3, 3]])
    >>> print(points.shape, abs(points[0] - points[1]).max() < abs(points[0] - points[2]).max())
    (3, 2) True
    """
    check.check_choice("method", method, ("pcoa", "mds"))
    topics = topics_of(model)
    distances = topic_distances(topics, distance=distance)
    coordinates = _principal_coordinates(distances)
    if method == "mds" and len(topics) > 2 and distances.any():
        found, _ = smacof(distances, init=coordinates, n_init=1, max_iter=1000, eps=1e-9, normalized_stress=False)
        centred = found - found.mean(axis=0)
        coordinates = centred @ np.linalg.svd(centred, full_matrices=False)[2].T  # stress is invariant to rotation
    entropy = entr(topics).sum(axis=1)
    sign = np.sign((entropy - entropy.mean()) @ coordinates)
    return coordinates * np.where(sign == 0, 1, sign) + 0.0  # no negative zero


def _principal_coordinates(distances: Doubles) -> Doubles:
    """Compute the two leading eigenvectors of −½ J D² J, each times the square root of its eigenvalue."""
    squared = distances**2
    centred = -0.5 * (squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean())
    values, vectors = np.linalg.eigh(centred)
    coordinates = np.zeros((len(distances), 2))
    kept = min(2, len(distances))
    coordinates[:, :kept] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :kept]
    return coordinates
