"""Word and topic intrusion: do people find what does not belong to a topic or a document? With scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Int64s, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import posterior_of
from ldavi.metrics._top_words import top_words

N_WORDS_OF_OTHERS = 10  # an intruding word is among so many of another topic


class IntrusionQuestion(NamedTuple):
    """A question of an intrusion test.

    Attributes
    ----------
    number : int
        Row of the test's table.
    options : tuple of str
        Words, or topics described by their words; one of them does not belong to the others.
    document : object
        Text or number of the document, for topic intrusion; None for word intrusion.
    """

    number: int
    options: tuple[str, ...]
    document: Any

    @property
    def text(self) -> str:
        """The question as text, for a form or a prompt."""
        lines = [f"{place}: {option}" for place, option in enumerate(self.options)]
        if self.document is None:
            return "\n".join(["Which word does not belong to the others? Answer with its number.", *lines])
        ask = "Which list of words does not describe the document? Answer with its number."
        return "\n".join([f"Document: {self.document}", ask, *lines])


@dataclass(frozen=True, eq=False)
class IntrusionTest:
    """Questions with one intruder each, and their scores. Made by :func:`word_intrusion` and :func:`topic_intrusion`.

    Attributes
    ----------
    questions : tuple of IntrusionQuestion
        What to show to people; it does not reveal the intruders.
    subject : array of int of shape (n_questions,)
        The topic of each question, for word intrusion; the document (row of X), for topic intrusion.
    intruder : array of int of shape (n_questions,)
        The right answer: the place of the intruder among the options.
    log_theta : array of shape (n_questions, n_options) or None
        log E[θ_dk] of the options of topic intrusion; None for word intrusion.
    """

    questions: tuple[IntrusionQuestion, ...]
    subject: Int64s
    intruder: Int64s
    log_theta: Doubles | None

    def ask(self, judge: Callable[[IntrusionQuestion], int | str]) -> Int64s:
        """Answer all questions by a callable, such as one that asks a language model.

        Parameters
        ----------
        judge : callable
            Called with each :class:`IntrusionQuestion`; it returns the place of an option, from 0, or the option.

        Returns
        -------
        answers : array of int of shape (n_questions,)
            The places that it chose, for `score`.

        Raises
        ------
        TypeError, ValueError
            If an answer is not an option.
        """
        if not callable(judge):
            raise TypeError(f"judge={judge!r} must be a callable of an IntrusionQuestion")
        return np.array([_place(judge(question), question) for question in self.questions], dtype=np.int64)

    def score(self, answers: ArrayLike) -> Any:
        """Score the answers of one or more people.

        Parameters
        ----------
        answers : array of int of shape (n_questions,) or (n_people, n_questions)
            The place that each chose, from 0; −1 for no answer.

        Returns
        -------
        table : DataFrame, or structured array without pandas
            A row for each topic (word intrusion) or document (topic intrusion), with the columns topic or document,
            n_answers, precision (the share of answers that are right; guesses have 1 / n_options), and, for topic
            intrusion, log_odds, the mean of log θ of the intruder less log θ of the chosen option: 0 if all are right,
            the more negative the more likely the chosen topics are. NaN without answers.

        Raises
        ------
        TypeError, ValueError
            If the answers have another shape, or are not places of options.

        References
        ----------
        Chang, Boyd-Graber, Gerrish, Wang, Blei. "Reading tea leaves: how humans interpret topic models". NIPS 2009.
        """
        chosen = _checked_answers(answers, self.questions)
        subjects, place = np.unique(self.subject, return_inverse=True)
        answered = chosen >= 0
        n_answers = np.bincount(place, answered.sum(axis=0), len(subjects))
        right = np.bincount(place, (chosen == self.intruder).sum(axis=0), len(subjects))
        columns = {"n_answers": n_answers.astype(np.int64), "precision": _share(right, n_answers)}
        if self.log_theta is None:
            return table(topic=subjects, **columns)
        rows = np.arange(len(self.questions))
        odds = self.log_theta[rows, self.intruder] - self.log_theta[rows, np.maximum(chosen, 0)]
        total = np.bincount(place, np.where(answered, odds, 0).sum(axis=0), len(subjects))
        return table(document=subjects, **columns, log_odds=_share(total, n_answers))


def word_intrusion(
    model: ModelOrTopics,
    *,
    n_words: int = 5,
    n_questions: int = 1,
    feature_names: Names | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> IntrusionTest:
    """Make a word intrusion test, which asks for the word that does not belong to a topic.

    Each question shows the `n_words` most probable words of a topic and an intruder, in random order. The intruder is
    a word that is less probable in the topic than half of the vocabulary, and among the first 10 of another topic. If
    people do not find it, the topic is no unit for them.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics, at least two.
    n_words : int, default=5
        Words of the topic in a question, at least 2.
    n_questions : int, default=1
        Questions per topic.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with.
    random_state : int, RandomState instance or None, default=None
        Source of intruders and orders.

    Returns
    -------
    test : IntrusionTest
        With `questions`, `ask` and `score`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or there is one topic only.

    References
    ----------
    Chang, Boyd-Graber, Gerrish, Wang, Blei. "Reading tea leaves: how humans interpret topic models". NIPS 2009.

    Examples
    --------
    >>> from ldavi.inspection import word_intrusion
    >>> topics = [[0.5, 0.4, 0.1, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.1, 0.4, 0.5]]
    >>> test = word_intrusion(topics, n_words=2, feature_names="cat dog cow rain hail snow".split(), random_state=0)
    >>> sorted(test.questions[0].options)[:2]
    ['cat', 'dog']
    >>> print(test.score(test.intruder)["precision"].tolist())  # all right
    [1.0, 1.0]
    """
    n_words = check.check_integer("n_words", n_words, minimum=2)
    n_questions = check.check_integer("n_questions", n_questions, minimum=1)
    topics = topics_of(model)
    if len(topics) < 2 or topics.shape[1] <= n_words:
        raise ValueError(
            f"the model has {len(topics)} topics and {topics.shape[1]} words; a test needs 2 and {n_words + 1}"
        )
    names = feature_names_of(model, topics.shape[1], feature_names)
    rng = check_random_state(random_state)
    best, of_others = top_words(topics, n_words), top_words(topics, N_WORDS_OF_OTHERS)
    questions, intruders = [], []
    subject = np.repeat(np.arange(len(topics)), n_questions)
    for number, k in enumerate(subject):
        intruder = rng.choice(_intruding_words(topics, int(k), best[k], of_others))
        words = np.append(best[k], intruder)
        order = rng.permutation(len(words))
        questions.append(IntrusionQuestion(number, tuple(str(name) for name in names[words[order]]), None))
        intruders.append(int(np.flatnonzero(order == n_words)[0]))
    return IntrusionTest(tuple(questions), subject, np.array(intruders, dtype=np.int64), None)


def topic_intrusion(
    model: ModelOrTopics,
    X: Matrix,
    *,
    texts: Sequence[str] | None = None,
    n_topics: int = 3,
    n_words: int = 8,
    n_documents: int = 20,
    feature_names: Names | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> IntrusionTest:
    """Make a topic intrusion test, which asks for the topic that does not describe a document.

    Each question shows a document, its `n_topics` topics of highest proportion and an intruder, in random order. The
    intruder is one of the less frequent half of its other topics.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    texts : sequence of str of length n_docs, or None, default=None
        The texts of X, shown in questions; None shows row numbers.
    n_topics : int, default=3
        Topics of the document in a question.
    n_words : int, default=8
        Words that describe a topic.
    n_documents : int, default=20
        Documents that are drawn at random, each for one question; at most those of X that have words.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with.
    random_state : int, RandomState instance or None, default=None
        Source of documents, intruders and orders.

    Returns
    -------
    test : IntrusionTest
        With `questions`, `ask` and `score`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the model has too few topics.

    References
    ----------
    Chang, Boyd-Graber, Gerrish, Wang, Blei. "Reading tea leaves: how humans interpret topic models". NIPS 2009.

    Examples
    --------
    >>> from ldavi.inspection import topic_intrusion
    >>> topics = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    >>> test = topic_intrusion(topics, [[9, 0, 0], [0, 9, 1]], n_topics=1, n_words=1, random_state=0)
    >>> test.questions[0].options[1 - test.intruder[0]]  # the topic of the first document
    'x0'
    """
    n_shown = check.check_integer("n_topics", n_topics, minimum=1)
    n_documents = check.check_integer("n_documents", n_documents, minimum=1)
    topics = topics_of(model)
    if len(topics) <= n_shown:
        raise ValueError(f"n_topics={n_shown} and an intruder need {n_shown + 1} topics; the model has {len(topics)}")
    posterior = posterior_of(model, X, None, "topic_intrusion")
    if texts is not None and len(texts) != len(posterior.tokens):
        raise ValueError(f"texts holds {len(texts)} texts, but X has {len(posterior.tokens)} documents. Give one each.")
    labels = _labels(model, topics, n_words, feature_names)
    rng, theta = check_random_state(random_state), posterior.theta()
    filled = np.flatnonzero(posterior.tokens > 0)
    documents = np.sort(rng.permutation(filled)[:n_documents])
    questions, intruders, log_theta = [], [], []
    for number, d in enumerate(documents):
        ranked = np.argsort(-theta[d], kind="stable")
        rest = ranked[n_shown:]
        options = np.append(ranked[:n_shown], rng.choice(rest[len(rest) // 2 :]))
        order = rng.permutation(len(options))
        shown = int(d) if texts is None else str(texts[d])
        questions.append(IntrusionQuestion(number, tuple(labels[k] for k in options[order]), shown))
        intruders.append(int(np.flatnonzero(order == n_shown)[0]))
        log_theta.append(np.log(theta[d, options[order]]))
    return IntrusionTest(
        tuple(questions), documents.astype(np.int64), np.array(intruders, dtype=np.int64), np.array(log_theta)
    )


def _labels(model: ModelOrTopics, topics: Doubles, n_words: int, feature_names: Names | None) -> list[str]:
    names = feature_names_of(model, topics.shape[1], feature_names)
    return [", ".join(str(name) for name in names[own]) for own in top_words(topics, n_words)]


def _intruding_words(topics: Doubles, k: int, own: Int64s, of_others: Int64s) -> Int64s:
    """Return words that are improbable in topic k and among the first of another; the least probable if none is."""
    candidates = np.setdiff1d(np.delete(of_others, k, axis=0), own)
    improbable = candidates[topics[k, candidates] <= np.median(topics[k])]
    if len(improbable):
        return np.asarray(improbable, dtype=np.int64)
    rest = np.setdiff1d(np.arange(topics.shape[1]), own) if not len(candidates) else candidates
    return np.asarray(rest[[topics[k, rest].argmin()]], dtype=np.int64)


def _place(answer: Any, question: IntrusionQuestion) -> int:
    allowed = f"question {question.number} has the options {list(question.options)}"
    if isinstance(answer, str):
        if answer.strip() not in question.options:
            raise ValueError(f"judge answered {answer!r}; {allowed}: return one of them, or its place")
        return question.options.index(answer.strip())
    if isinstance(answer, (bool, np.bool_)) or not isinstance(answer, (int, np.integer)):
        raise TypeError(f"judge answered {answer!r}; {allowed}: return one of them, or its place")
    if not 0 <= answer < len(question.options):
        raise ValueError(f"judge answered {answer!r}; {allowed}, with places from 0 to {len(question.options) - 1}")
    return int(answer)


def _checked_answers(answers: ArrayLike, questions: Sequence[IntrusionQuestion]) -> Int64s:
    """Return the answers as an array of shape (n_people, n_questions)."""
    given = np.asarray(answers)
    if given.dtype.kind not in "iu":
        raise TypeError(f"answers has dtype {given.dtype}; give places of options, integers, and -1 for no answer")
    given = np.atleast_2d(given).astype(np.int64)
    if given.ndim != 2 or given.shape[1] != len(questions):
        raise ValueError(f"answers has shape {np.shape(answers)}; give one for each of {len(questions)} questions")
    largest = np.array([len(question.options) for question in questions]) - 1
    if (given < -1).any() or (given > largest).any():
        raise ValueError(f"answers must be between 0 and {largest.min()}, or -1 for no answer")
    return given


def _share(part: NDArray[Any], whole: NDArray[Any]) -> Doubles:
    share: Doubles = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share
