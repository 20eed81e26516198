"""The words of a model's columns and the names of its topics, which a user can assign to a fitted estimator."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from ldavi._core.records import Priors
from ldavi._core.typing import Names

WORDS, TOPIC_NAMES = "_vocabulary", "_topic_names"  # instance attributes, missing until assigned


class NamedWordsAndTopics:
    """The attributes `vocabulary_` and `topic_names_` of an estimator with `n_features_in_` and `_priors`."""

    n_features_in_: int
    _priors: Priors

    @property
    def vocabulary_(self) -> NDArray[np.object_]:
        """The word of each column, of shape (n_features,); AttributeError if no words are known."""
        words = words_of(self)
        if words is None:
            msg = (
                "vocabulary_ is not known, since X had no column names: assign the word of each column, such as "
                "vectorizer.get_feature_names_out()"
            )
            raise AttributeError(msg)
        return words

    @vocabulary_.setter
    def vocabulary_(self, words: Names | Mapping[str, int] | None) -> None:
        if words is None:
            vars(self).pop(WORDS, None)
            return
        _check_fitted(self, "vocabulary_")
        checked = _check_words(words, self.n_features_in_)
        names = getattr(self, "feature_names_in_", None)
        if names is not None and not np.array_equal(names, checked):
            raise ValueError(
                "vocabulary_ differs from feature_names_in_, the column names of X that the model was fitted with: "
                "fit to a matrix without column names to assign other words"
            )
        vars(self)[WORDS] = checked

    @vocabulary_.deleter
    def vocabulary_(self) -> None:
        self.vocabulary_ = None

    @property
    def topic_names_(self) -> NDArray[np.object_]:
        """The name of each topic, of shape (n_components,), "" without one; AttributeError if none was assigned."""
        names = topic_names_of(self)
        if names is None:
            raise AttributeError("topic_names_ has not been assigned: assign a name for each topic, or {topic: name}")
        return names

    @topic_names_.setter
    def topic_names_(self, names: Names | Mapping[int, str] | None) -> None:
        if names is None:
            vars(self).pop(TOPIC_NAMES, None)
            return
        _check_fitted(self, "topic_names_")
        former, n_topics = topic_names_of(self), self._priors.n_topics
        given = _names_by_topic(names, n_topics, former) if isinstance(names, Mapping) else names
        checked = _check_topic_names(given, n_topics)
        vars(self).pop(TOPIC_NAMES, None)
        if any(checked):
            vars(self)[TOPIC_NAMES] = checked

    @topic_names_.deleter
    def topic_names_(self) -> None:
        self.topic_names_ = None


def words_of(estimator: Any) -> NDArray[np.object_] | None:
    """Return the word of each column, None if they are not known.

    Columns that `partial_fit` has added since the words were assigned are called "x100", "x101", ….
    """
    names: NDArray[np.object_] | None = getattr(estimator, "feature_names_in_", None)
    words: NDArray[np.object_] | None = vars(estimator).get(WORDS)
    if names is not None or words is None or len(words) > estimator.n_features_in_:
        return names
    new = [f"x{column}" for column in range(len(words), estimator.n_features_in_)]
    return np.concatenate([words, np.array(new, dtype=object)]) if new else words


def topic_names_of(estimator: Any) -> NDArray[np.object_] | None:
    """Return the name of each topic, "" without one; None if no topic has a name."""
    names: NDArray[np.object_] | None = vars(estimator).get(TOPIC_NAMES)
    return names if names is not None and len(names) == estimator._priors.n_topics else None


def forget_names(estimator: Any) -> None:
    """Delete assigned words and topic names, since `fit` starts from other topics and perhaps other columns."""
    vars(estimator).pop(WORDS, None)
    vars(estimator).pop(TOPIC_NAMES, None)


def _check_fitted(estimator: Any, name: str) -> None:
    if not hasattr(estimator, "_priors"):
        raise NotFittedError(f"{name} can be assigned to a fitted model only: call fit first")


def _check_words(words: Names | Mapping[str, int], n_words: int) -> NDArray[np.object_]:
    """Return a word for each column, given in their order or as {word: column}."""
    if isinstance(words, Mapping):
        if sorted(words.values()) != [*range(n_words)]:
            raise ValueError(
                f"vocabulary_ maps {len(words)} words to columns; the columns must be 0 to {n_words - 1}, each once"
            )
        words = sorted(words, key=words.__getitem__)
    array = _strings("vocabulary_", words, "word")
    if len(array) != n_words:
        raise ValueError(
            f"vocabulary_ has {len(array)} words, but the model has {n_words} columns: give one word for each column"
        )
    return array


def _names_by_topic(names: Mapping[int, str], n_topics: int, former: NDArray[np.object_] | None) -> NDArray[np.object_]:
    """Return the former names with some replaced."""
    given = np.full(n_topics, "", dtype=object) if former is None else former.copy()
    for topic, name in names.items():
        is_integer = isinstance(topic, (int, np.integer)) and not isinstance(topic, bool)
        if not is_integer or not 0 <= topic < n_topics:
            raise ValueError(
                f"topic_names_ has the key {topic!r}; keys must be topics, integers from 0 to {n_topics - 1}"
            )
        given[topic] = name
    return given


def _check_topic_names(names: Iterable[Any], n_topics: int) -> NDArray[np.object_]:
    if not isinstance(names, (str, bytes)):
        names = ["" if name is None else name for name in names]
    array = _strings("topic_names_", names, "name")
    if len(array) != n_topics:
        raise ValueError(
            f"topic_names_ has {len(array)} names, but the model has {n_topics} topics: give one name for each, or "
            "{topic: name} for some of them"
        )
    array[:] = [" ".join(name.split()) for name in array]
    return array


def _strings(attribute: str, values: Iterable[Any], thing: str) -> NDArray[np.object_]:
    """Return strings as a new array."""
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{attribute}={values!r} is one {type(values).__name__}; it must be a sequence of str")
    listed = list(values)
    wrong = next((value for value in listed if not isinstance(value, str)), None)
    if wrong is not None:
        raise TypeError(f"{attribute} holds {wrong!r} of type {type(wrong).__name__}; each {thing} must be a str")
    array = np.empty(len(listed), dtype=object)
    array[:] = [str(value) for value in listed]  # np.str_ becomes str
    return array
