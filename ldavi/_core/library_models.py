"""Fitted models of several libraries in one form: pipelines, searches, and models of gensim and tomotopy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles

ACCEPTED = (
    "pass a fitted LatentDirichletAllocation or another estimator with components_, a pipeline that ends with one, a "
    "model of gensim or tomotopy, or an array of shape (n_topics, n_words)"
)


@dataclass(frozen=True)
class LibraryModel:
    """A model of gensim or tomotopy under the names of scikit-learn's attributes.

    Attributes
    ----------
    components_ : array of shape (n_topics, n_words)
        λ where the model has it, else probabilities.
    doc_topic_prior_ : array of shape (n_topics,)
        α.
    vocabulary_ : array of shape (n_words,) or None
        The word of each column.
    topic_word_prior_ : array or None
        η; None if `components_` holds probabilities.
    """

    components_: Doubles
    doc_topic_prior_: Doubles
    vocabulary_: NDArray[Any] | None
    topic_word_prior_: Doubles | None


def fitted_model(model: Any) -> Any:
    """Return the estimator that has the topics, or the array of topics itself.

    Parameters
    ----------
    model : pipeline, search, estimator, model of gensim or tomotopy, or array-like
        A pipeline's topics are those of its last step, a search's those of its best estimator.

    Raises
    ------
    TypeError
        If `model` is a text, or an object without topics.
    """
    if hasattr(model, "steps") and hasattr(model, "named_steps"):
        return fitted_model(model.steps[-1][1])
    if hasattr(model, "best_estimator_"):
        return fitted_model(model.best_estimator_)
    if hasattr(model, "get_topics") and hasattr(model, "id2word"):
        return _of_gensim(model)
    if hasattr(model, "get_topic_word_dist") and hasattr(model, "used_vocabs"):
        return _of_tomotopy(model)
    is_estimator = hasattr(model, "fit") and hasattr(model, "get_params")
    if is_estimator and not hasattr(model, "components_") and not hasattr(model, "topics_"):
        raise TypeError(f"model is a {type(model).__name__}, which has no topics; {ACCEPTED}. Fit a model first")
    if isinstance(model, (str, bytes)):
        raise TypeError(f"model is one {type(model).__name__}; {ACCEPTED}. io.load reads a model file")
    return model


def words_of_model(model: Any) -> NDArray[Any] | None:
    """Return the word of each column, as the model or the steps before it in a pipeline have them; None if unknown."""
    if hasattr(model, "steps") and hasattr(model, "named_steps"):
        own = words_of_model(model.steps[-1][1])
        return _words_of_steps(model) if own is None else own
    if hasattr(model, "best_estimator_"):
        return words_of_model(model.best_estimator_)
    found = fitted_model(model)
    words = getattr(found, "vocabulary_", None)
    words = getattr(found, "feature_names_in_", None) if words is None else words
    return None if words is None else np.asarray(words, dtype=object)


def is_word_lists(model: Any) -> bool:
    """Return whether topics are given as lists of words."""
    if isinstance(model, np.ndarray) and model.dtype.kind not in "OUST":
        return False
    if not isinstance(model, (list, tuple, np.ndarray)) or len(model) == 0 or isinstance(model[0], (str, bytes)):
        return False
    first = model[0]
    return isinstance(first, (list, tuple, np.ndarray)) and len(first) > 0 and isinstance(first[0], str)


def first_words(lists: Any, n_words: int) -> list[list[str]]:
    """Return the first words of topics that are given as lists of words."""
    return [[str(word) for word in list(words)[:n_words]] for words in lists]


def _words_of_steps(pipeline: Any) -> NDArray[Any] | None:
    if len(pipeline.steps) < 2:
        return None
    try:
        return np.asarray(pipeline[:-1].get_feature_names_out(), dtype=object)
    except (AttributeError, ValueError, TypeError):  # a step that names no columns
        return None


def _of_gensim(model: Any) -> LibraryModel:
    state: Any = getattr(model, "state", None)
    has_lambda = hasattr(state, "get_lambda")
    topics = np.asarray(state.get_lambda() if has_lambda else model.get_topics(), dtype=np.float64)
    words, (n_topics, n_words) = model.id2word, topics.shape
    has_words = hasattr(words, "items") and type(words).__name__ != "FakeDict"  # which has ids instead of words
    names = [words.get(column, f"x{column}") for column in range(n_words)] if has_words else None
    alpha = np.asarray(getattr(model, "alpha", 0.1), dtype=np.float64)
    return LibraryModel(
        components_=topics,
        doc_topic_prior_=alpha if alpha.shape == (n_topics,) else np.full(n_topics, 0.1),
        vocabulary_=None if names is None else np.array(names, dtype=object),
        topic_word_prior_=np.asarray(model.eta, dtype=np.float64) if has_lambda else None,
    )


def _of_tomotopy(model: Any) -> LibraryModel:
    has_counts = type(model).__name__ == "LDAModel"  # other models of tomotopy have priors of other kinds
    rows = [model.get_topic_word_dist(k, normalize=not has_counts) for k in range(model.k)]
    alpha = np.asarray(model.alpha, dtype=np.float64)
    return LibraryModel(
        components_=np.array(rows, dtype=np.float64),
        doc_topic_prior_=np.array(np.broadcast_to(alpha if alpha.size in (1, model.k) else 0.1, (model.k,))),
        vocabulary_=np.array(list(model.used_vocabs), dtype=object),
        topic_word_prior_=np.asarray(model.eta, dtype=np.float64) if has_counts else None,
    )
