"""How topics lie to each other: distances, correlations, a map."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr
from sklearn.manifold import smacof

from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator import validation as check

DISTANCES = ("jensen_shannon", "hellinger", "cosine")
VALUES_AT_ONCE = 2**21


def topic_distances(model: Any, *, distance: str = "jensen_shannon", other: Any = None) -> Doubles:
    """How far topics are from each other as distributions over words.

    "jensen_shannon" is the square root of the Jensen-Shannon divergence in bits, "hellinger" is
    (1 − Σ_w √(p_w q_w))^½, "cosine" is one minus the cosine of the two rows. All are between 0 (the same) and 1 (no word in
    common); the first two are metrics.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        Which distance.
    other : estimator or array of shape (n_others, n_words), or None, default=None
        Topics to measure to; None means those of the model itself.

    Returns
    -------
    distances : array of shape (n_topics, n_topics) or (n_topics, n_others)
        Symmetric with zeros on its diagonal, unless `other` is given.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the two models have another number of words.

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
            f"other has {others.shape[1]} words, but the model has {topics.shape[1]}. Both must be of the same vocabulary."
        )
    if distance == "jensen_shannon":
        squared = _jensen_shannon(topics, others)
    elif distance == "hellinger":
        squared = 1 - np.sqrt(topics) @ np.sqrt(others).T
    else:
        rows, columns = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (topics, others))
        squared = 1 - rows @ columns.T
    squared = np.clip(squared, 0, 1)
    squared[squared < 1e-15 * topics.shape[1]] = 0  # what rounding leaves of equal rows
    if other is None:
        np.fill_diagonal(squared, 0)
        squared = (squared + squared.T) / 2
    return squared if distance == "cosine" else np.sqrt(squared)


def _jensen_shannon(topics: Doubles, others: Doubles) -> Doubles:
    """H((p + q) / 2) − (H(p) + H(q)) / 2 of each pair, in bits."""
    divergence = np.empty((len(topics), len(others)))
    entropy, of_others = entr(topics).sum(axis=1), entr(others).sum(axis=1)
    step = max(1, VALUES_AT_ONCE // topics.shape[1])
    for k, topic in enumerate(topics):
        for start in range(0, len(others), step):
            at = slice(start, start + step)
            mixed = entr((topic + others[at]) / 2).sum(axis=1)
            divergence[k, at] = (mixed - (entropy[k] + of_others[at]) / 2) / np.log(2)
    return divergence


def topic_correlations(theta: ArrayLike) -> Doubles:
    """Which topics occur together: the correlation of their proportions over documents.

    Proportions of a document sum to 1, so that a topic's growth is the others' loss: among K unrelated topics of one size the
    correlation is −1 / (K − 1), not 0.

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
        If theta has another shape, holds what is not finite, or has fewer than two rows.

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
        raise ValueError("theta holds NaN or infinity; pass finite proportions")
    centred = proportions - proportions.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    varies = norm > 1e-12 * np.linalg.norm(proportions, axis=0)
    scaled = np.divide(centred, norm, out=np.zeros_like(centred), where=varies)
    correlations: Doubles = np.clip(scaled.T @ scaled, -1, 1)
    np.fill_diagonal(correlations, 1)
    return correlations


def topic_map(model: Any, *, method: str = "pcoa", distance: str = "jensen_shannon") -> Doubles:
    """Topics as points of a plane, near each other where they share words.

    "pcoa" is classical scaling: the two directions in which the squared distances vary most. "mds" goes on from there by
    SMACOF, which fits all distances alike and so parts crowded topics better. Both are deterministic: an axis points to
    where topics are spread over more words, so that a map does not depend on the order of the topics.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    method : {"pcoa", "mds"}, default="pcoa"
        How distances become positions.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        See :func:`topic_distances`. Jensen-Shannon and Hellinger distances embed in a Euclidean space exactly, before all but
        two dimensions are dropped. (pyLDAvis scales the divergence, which is the square of this distance.)

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
    Gower. "Some distance properties of latent root and vector methods used in multivariate analysis". Biometrika 53, 1966.
    Borg, Groenen. "Modern multidimensional scaling", chapter 8. Springer, 2005.

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
    if method == "mds" and len(topics) > 2:
        found, _ = smacof(distances, init=coordinates, n_init=1, max_iter=1000, eps=1e-9, normalized_stress=False)
        centred = found - found.mean(axis=0)
        coordinates = centred @ np.linalg.svd(centred, full_matrices=False)[2].T  # its stress knows no rotation
    breadth = entr(topics).sum(axis=1)
    sign = np.sign((breadth - breadth.mean()) @ coordinates)
    return coordinates * np.where(sign == 0, 1, sign) + 0.0  # no negative zero


def _principal_coordinates(distances: Doubles) -> Doubles:
    """The two leading eigenvectors of −½ J D² J, each times the root of its eigenvalue."""
    squared = distances**2
    centred = -0.5 * (squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean())
    values, vectors = np.linalg.eigh(centred)
    coordinates = np.zeros((len(distances), 2))
    kept = min(2, len(distances))
    coordinates[:, :kept] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :kept]
    return coordinates
