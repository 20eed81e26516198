"""Names and ratings of topics by a callable of the user: a person, a rule, or a large language model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Matrix, Names, WordScore
from ldavi._estimator import validation as check
from ldavi.inspection._documents import representative_documents
from ldavi.inspection._words import top_words_lists


class TopicDescription(tuple[str, ...]):
    """A topic as a callable receives it: a tuple of its first words, with attributes.

    Parameters
    ----------
    words : iterable of str
        Its first words.
    topic : int
        Its number.
    documents : tuple, default=()
        Its representative documents, if documents are given: texts, or numbers of rows of X.

    Attributes
    ----------
    topic : int
        Its number.
    documents : tuple
        Its representative documents.
    """

    topic: int
    documents: tuple[Any, ...]

    def __new__(cls, words: Iterable[str], topic: int, documents: tuple[Any, ...] = ()) -> Self:
        description = super().__new__(cls, words)
        description.topic, description.documents = topic, documents
        return description

    def __getnewargs__(self) -> tuple[tuple[str, ...], int, tuple[Any, ...]]:
        """Return the arguments from which a copy is made."""
        return self.words, self.topic, self.documents

    @property
    def words(self) -> tuple[str, ...]:
        """The words as a plain tuple."""
        return tuple(self)

    @property
    def text(self) -> str:
        """The description as text, for a prompt."""
        lines = [f"Topic {self.topic}", f"Words: {', '.join(self)}"]
        lines += [f"Document: {document}" for document in self.documents]
        return "\n".join(lines)


def name_topics(
    model: ModelOrTopics,
    namer: Callable[[TopicDescription], str],
    X: Matrix | None = None,
    *,
    texts: Sequence[str] | None = None,
    n_words: int = 10,
    n_documents: int = 3,
    by: WordScore = "probability",
    feature_names: Names | None = None,
) -> list[str]:
    """Name topics by a callable, which is given each topic's words and representative documents.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    namer : callable
        Called with the :class:`TopicDescription` of each topic, a tuple of its words; it returns a name. Its property
        `text` is a prompt for a language model.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts, in which representative documents are searched. None gives words only.
    texts : sequence of str of length n_docs, or None, default=None
        The texts of X. Without them, documents are numbers.
    n_words : int, default=10
        Number of words.
    n_documents : int, default=3
        Number of representative documents.
    by : {"probability", "relevance", "frex", "lift"}, default="probability"
        Which words come first, see :func:`word_scores`.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with.

    Returns
    -------
    names : list of str
        A name for each topic.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or a name is not a non-empty str. Exceptions of the callable are passed on.

    Examples
    --------
    >>> from ldavi.inspection import name_topics
    >>> topics = [[0.6, 0.3, 0.1, 0.0], [0.0, 0.1, 0.4, 0.5]]
    >>> name_topics(topics, lambda words: words[0].title(), feature_names=["cats", "dogs", "rain", "snow"])
    ['Cats', 'Snow']
    """
    names = []
    for description in describe_topics(
        model, X, texts=texts, n_words=n_words, n_documents=n_documents, by=by, feature_names=feature_names
    ):
        name = _called("namer", namer, description)
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"namer returned {name!r} for topic {description.topic}; it must return a name, a str")
        names.append(name.strip())
    return names


def rate_topics(
    model: ModelOrTopics,
    judge: Callable[[TopicDescription], float],
    X: Matrix | None = None,
    *,
    texts: Sequence[str] | None = None,
    n_words: int = 10,
    n_documents: int = 3,
    by: WordScore = "probability",
    feature_names: Names | None = None,
) -> Doubles:
    """Rate topics by a callable, which is given each topic's words and representative documents.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    judge : callable
        Called with the :class:`TopicDescription` of each topic, a tuple of its words; it returns a number, such as 1 to
        3 for how well the words belong together.
    X, texts, n_words, n_documents, by, feature_names
        As for :func:`name_topics`.

    Returns
    -------
    ratings : array of shape (n_topics,)
        The numbers that the callable returned.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or a rating is not a finite number. Exceptions of the callable are passed
        on.

    References
    ----------
    Newman, Lau, Grieser, Baldwin. "Automatic evaluation of topic coherence". NAACL 2010 (ratings by people). Stammbach,
    Zouhar, Hoyle, Sachan, Ash. "Revisiting automated topic model evaluation with large language models". EMNLP 2023.

    Examples
    --------
    >>> from ldavi.inspection import rate_topics
    >>> topics = [[0.6, 0.3, 0.1, 0.0], [0.0, 0.1, 0.4, 0.5]]
    >>> pets = {"cats", "dogs"}
    >>> words = ["cats", "dogs", "rain", "snow"]
    >>> rate_topics(topics, lambda words: len(pets.intersection(words)), n_words=2, feature_names=words).tolist()
    [2.0, 0.0]
    """
    ratings = []
    for description in describe_topics(
        model, X, texts=texts, n_words=n_words, n_documents=n_documents, by=by, feature_names=feature_names
    ):
        rating = _called("judge", judge, description)
        try:
            number = float(rating)
        except (TypeError, ValueError):
            number = np.nan
        if not np.isfinite(number):
            raise TypeError(f"judge returned {rating!r} for topic {description.topic}; it must return a finite number")
        ratings.append(number)
    return np.array(ratings)


def describe_topics(
    model: ModelOrTopics,
    X: Matrix | None,
    *,
    texts: Sequence[str] | None,
    n_words: int,
    n_documents: int,
    by: WordScore,
    feature_names: Names | None,
) -> list[TopicDescription]:
    """Return the description of each topic."""
    n_topics = len(topics_of(model))
    words = top_words_lists(model, n_words, by=by, X=X, feature_names=feature_names)
    documents: list[tuple[Any, ...]] = [()] * n_topics
    if X is None and texts is not None:
        raise ValueError("texts are given without X, the counts of the same documents, in which they are searched")
    if X is not None:
        check.check_integer("n_documents", n_documents, minimum=1)
        rows = representative_documents(model, X, n_documents)
        for k in range(n_topics):
            own = np.asarray(rows["document"])[np.asarray(rows["topic"]) == k].tolist()
            documents[k] = tuple(own if texts is None else (str(texts[d]) for d in own))
    return [TopicDescription(words[k], k, documents[k]) for k in range(n_topics)]


def _called(parameter: str, function: Any, description: TopicDescription) -> Any:
    if not callable(function):
        raise TypeError(f"{parameter}={function!r} must be a callable of a TopicDescription")
    return function(description)
