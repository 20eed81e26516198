"""Topics, priors and word names of a model: of this package, of scikit-learn, or a bare array of topics."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.typing import Doubles, Names


class TopicModel(Protocol):
    """A fitted estimator whose rows of `components_` are topics: LDA of this package or of scikit-learn, or NMF."""

    @property
    def components_(self) -> NDArray[Any]:
        """Weights of words in topics, of shape (n_topics, n_words)."""


ModelOrTopics: TypeAlias = TopicModel | ArrayLike


def topics_of(model: ModelOrTopics) -> Doubles:
    """Return the topics of a fitted model, or of an array, as distributions over words.

    Parameters
    ----------
    model : array-like of shape (n_topics, n_words), or estimator
        Non-negative weights with rows of any positive sum; an estimator gives its `topics_` or else its `components_`
        (scikit-learn's `LatentDirichletAllocation`, `NMF`).

    Returns
    -------
    (n_topics, n_words) float64 array, rows sum to 1. A copy.

    Raises
    ------
    ValueError
        If the array is not two-dimensional, holds a negative or a non-finite weight, or has a row without mass.
    """
    weights = getattr(model, "topics_", None)
    weights = getattr(model, "components_", model) if weights is None else weights
    topics = np.array(weights, dtype=np.float64)
    if topics.ndim != 2 or 0 in topics.shape:
        raise ValueError(
            f"topics must have shape (n_topics, n_words), got {topics.shape}. Fit the model, or pass a (K, V) array."
        )
    if not np.isfinite(topics).all() or (topics < 0).any():
        raise ValueError("topics must be finite and not negative. Pass weights or probabilities, not logarithms.")
    totals = topics.sum(axis=1, keepdims=True)
    if (totals == 0).any():
        raise ValueError(
            f"topic {int(np.flatnonzero(totals == 0)[0])} has no mass. Drop it, or add a prior to its row."
        )
    topics /= totals
    return topics


def doc_topic_prior_of(model: ModelOrTopics, n_topics: int, default: float = 0.1) -> Doubles:
    """Return α that the model was fitted with, as (n_topics,) float64; `default` for a model without one."""
    prior = getattr(model, "doc_topic_prior_", default)
    return np.array(np.broadcast_to(np.asarray(prior, dtype=np.float64), (n_topics,)))


def has_word_names(model: ModelOrTopics, feature_names: Names | None) -> bool:
    """Return whether the words have names: given ones, or those that the model was fitted with."""
    return feature_names is not None or getattr(model, "feature_names_in_", None) is not None


def feature_names_of(model: ModelOrTopics, n_words: int, feature_names: Names | None = None) -> NDArray[Any]:
    """Return the names of the words: as given, else those of the fit, else "x0", "x1", …; (n_words,) array of str.

    Raises
    ------
    ValueError
        If there are not `n_words` names.
    """
    names = getattr(model, "feature_names_in_", None) if feature_names is None else feature_names
    if names is None:
        return np.array([f"x{w}" for w in range(n_words)], dtype=object)
    names = np.asarray(names, dtype=object)
    if names.shape != (n_words,):
        raise ValueError(
            f"feature_names has shape {names.shape}, but the topics have {n_words} words. Give one name for each word."
        )
    return names
