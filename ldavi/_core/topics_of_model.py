"""Topics, priors and names of a model: of this package, another library, a pipeline, or a bare array of topics."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.library_models import ACCEPTED, fitted_model, is_word_lists, words_of_model
from ldavi._core.typing import Doubles, Names


class TopicModel(Protocol):
    """A fitted estimator whose rows of `components_` are topics: LDA of this package or of scikit-learn, or NMF."""

    @property
    def components_(self) -> NDArray[Any]:
        """Weights of words in topics, of shape (n_topics, n_words)."""


class ModelPipeline(Protocol):
    """A pipeline of scikit-learn whose last step is a topic model."""

    @property
    def steps(self) -> Any:
        """Pairs of a name and an estimator."""


class GensimModel(Protocol):
    """A trained topic model of gensim."""

    def get_topics(self) -> NDArray[Any]:
        """Return the topics, of shape (n_topics, n_words)."""


class TomotopyModel(Protocol):
    """A trained topic model of tomotopy."""

    @property
    def used_vocabs(self) -> Any:
        """The words of the columns."""


ModelOrTopics: TypeAlias = TopicModel | ModelPipeline | GensimModel | TomotopyModel | ArrayLike


def topics_of(model: ModelOrTopics) -> Doubles:
    """Return the topics of a fitted model, or of an array, as distributions over words.

    Parameters
    ----------
    model : array-like of shape (n_topics, n_words), or model
        Non-negative weights with rows of any positive sum; an estimator gives its `topics_` or else its `components_`
        (scikit-learn's `LatentDirichletAllocation`, `NMF`). See `fitted_model` for others.

    Returns
    -------
    (n_topics, n_words) float64 array, rows sum to 1. A copy.

    Raises
    ------
    ValueError
        If the array is not two-dimensional, holds a negative or a non-finite weight, or has a row without mass.
    TypeError
        If there are no weights: lists of words, a text, an estimator that is not a topic model.
    """
    if is_word_lists(model):
        raise TypeError(f"topics are lists of words, which have no probabilities; {ACCEPTED}")
    model = fitted_model(model)
    weights = getattr(model, "topics_", None)
    weights = getattr(model, "components_", model) if weights is None else weights
    try:
        topics = np.array(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"model is a {type(model).__name__} without topics ({error}); {ACCEPTED}") from error
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
    prior = getattr(fitted_model(model), "doc_topic_prior_", default)
    return np.array(np.broadcast_to(np.asarray(prior, dtype=np.float64), (n_topics,)))


def has_word_names(model: ModelOrTopics, feature_names: Names | None) -> bool:
    """Return whether the words have names: given ones, or those that the model or its pipeline has."""
    return feature_names is not None or words_of_model(model) is not None


def feature_names_of(model: ModelOrTopics, n_words: int, feature_names: Names | None = None) -> NDArray[Any]:
    """Return the names of the words: as given, else those that the model has, else "x0", "x1", …; (n_words,) array.

    Raises
    ------
    ValueError
        If there are not `n_words` names.
    """
    names = words_of_model(model) if feature_names is None else feature_names
    if names is None:
        return np.array([f"x{w}" for w in range(n_words)], dtype=object)
    names = np.asarray(names, dtype=object)
    if names.shape != (n_words,):
        raise ValueError(
            f"feature_names has shape {names.shape}, but the topics have {n_words} words. Give one name for each word."
        )
    return names


def weights_of(model: ModelOrTopics) -> NDArray[Any]:
    """Return the weights of words in topics as the model has them: `components_`, or the array itself."""
    found = fitted_model(model)
    return np.asarray(getattr(found, "components_", found))


def topic_names_of(model: ModelOrTopics) -> list[str] | None:
    """Return the names that a user has given to the topics, "" where there is none; None if no topic has one."""
    names = getattr(fitted_model(model), "topic_names_", None)
    return None if names is None else [str(name) for name in names]


def name_columns(model: ModelOrTopics, topic: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the column topic of a table, and the column topic_name if topics have names."""
    names = topic_names_of(model)
    if names is None:
        return {"topic": topic}
    return {"topic": topic, "topic_name": np.array(names, dtype=object)[topic]}
