"""Merging, removing and splitting topics of a fitted model. Equations (22.1) to (22.4) of docs/math.md."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from ldavi._core.chunks import chunks
from ldavi._core.prior_regression import PriorRegression
from ldavi._core.records import Priors, aligned_zeros, padded
from ldavi._core.typing import Doubles, Floats
from ldavi._estimator import validation as check
from ldavi._estimator.fit_record import forget_fit_record
from ldavi._estimator.prediction import FittedTopics
from ldavi._inference import fixed_topics
from ldavi._inference.lazy_lambda import LazyLambda

MIN_SHARE = 1e-6  # of the counts of a split topic that each of its parts has
DOCUMENTS_AT_ONCE = 2**8  # whose φ is in memory at the same time
MIN_COUNT = 1e-3  # of a topic in a word of a document; smaller expected counts do not influence a split


class TopicEditing(FittedTopics):
    """Methods that change the topics of a fitted model: all fitted attributes change together, or none does."""

    doc_topic_prior: Any
    topic_word_prior: Any
    topic_word_prior_: Any
    seed_words: Any
    init: Any
    _mean_log_theta: Doubles | None

    def merge_topics(self, groups: Iterable[Iterable[int]]) -> Self:
        """Merge topics of the fitted model.

        The expected counts of the topics of a group are added, λ = η + Σ (λ_k − η), and so are their values of α: the
        proportion of the merged topic in a document is the sum of theirs. `n_components` decreases, as do parameters
        that hold a value per topic. A merged topic takes the smallest number of its group; the topics behind the
        others move up. `elbo_`, `elbo_trace_`, `bound_` and `converged_` are deleted. With `warm_start=True`, `fit`
        continues from the merged topics.

        Parameters
        ----------
        groups : list of lists of int
            Numbers of topics, such as [[3, 7], [0, 2, 9]]; no topic may be in two groups.
            :func:`ldavi.inspection.suggest_merges` suggests some.

        Returns
        -------
        self : LatentDirichletAllocation

        Raises
        ------
        TypeError, ValueError
            If a group does not hold two or more topics, or a topic does not exist or occurs twice; the model is left
            unchanged.

        Examples
        --------
        >>> from ldavi import LatentDirichletAllocation
        >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
        >>> lda = LatentDirichletAllocation(n_components=3, random_state=0).fit(X)
        >>> lda.merge_topics([[0, 2]]).n_components
        2
        """
        n_topics = len(self._fitted_lambda_and_priors()[1].alpha)
        merged = [sorted(group) for group in _checked_groups(groups, n_topics)]
        first = {group[0]: group for group in merged}
        absorbed = {topic for group in merged for topic in group[1:]}
        kept = (k for k in range(n_topics) if k not in absorbed)
        return self._replace_topics(Edit([first.get(k, [k]) for k in kept]))

    def remove_topics(self, topics: Iterable[int]) -> Self:
        """Remove topics of the fitted model.

        The other topics are unchanged and move up. Words of a document that were assigned to a removed topic are
        assigned to the others by later calls of `transform`. `n_components` and parameters that hold a value per topic
        are changed as well, and what describes the fit is deleted, as by `merge_topics`.

        Parameters
        ----------
        topics : list of int
            Numbers of the topics to remove; at least one topic has to remain.

        Returns
        -------
        self : LatentDirichletAllocation

        Raises
        ------
        TypeError, ValueError
            If a topic does not exist or occurs twice, or none would remain; the model is left unchanged.

        Examples
        --------
        >>> from ldavi import LatentDirichletAllocation
        >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
        >>> lda = LatentDirichletAllocation(n_components=3, random_state=0).fit(X)
        >>> lda.remove_topics([1]).components_.shape
        (2, 4)
        """
        n_topics = len(self._fitted_lambda_and_priors()[1].alpha)
        removed = _checked_topics("topics", topics, n_topics)
        if not removed or len(removed) == n_topics:
            msg = (
                f"topics={topics!r} must be from 1 to {n_topics - 1} of the {n_topics} topics, so that one remains at "
                "least"
            )
            raise ValueError(msg)
        return self._replace_topics(Edit([[k] for k in range(n_topics) if k not in removed]))

    def split_topic(self, topic: int, X: Any, *, random_state: int | np.random.RandomState | None = 0) -> Self:
        """Split a topic of the fitted model into two.

        A model of two topics is fitted to the counts of X that the topic is responsible for, n_dw φ_dwk. The expected
        counts of the topic are divided between the two in the proportion in which this model divides each word, and
        its α in halves, so that merging the two restores the topic. The first keeps its number and the second
        becomes the last topic. `n_components` and parameters that hold a value per topic are changed as well, and what
        describes the fit is deleted, as by `merge_topics`.

        Parameters
        ----------
        topic : int
            Number of the topic.
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words, such as those that were fitted.
        random_state : int, RandomState instance or None, default=0
            Of the fit of two topics.

        Returns
        -------
        self : LatentDirichletAllocation

        Raises
        ------
        TypeError, ValueError
            If the topic does not exist, X does not hold counts of the model's words, fewer than two documents have
            words of this topic, or a fit of two topics does not divide them; the model is left unchanged.

        Examples
        --------
        >>> from ldavi import LatentDirichletAllocation
        >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
        >>> lda = LatentDirichletAllocation(n_components=1).fit(X)
        >>> lda.split_topic(0, X).n_components
        2
        """
        priors = self._fitted_lambda_and_priors()[1]
        n_topics = priors.n_topics
        check.check_integer("topic", topic, minimum=0)
        if topic >= n_topics:
            raise ValueError(f"topic={topic!r} must be the number of a topic, from 0 to {n_topics - 1}")
        counts = _counts_of_topic(self, topic, X)
        eta = priors.eta[:, topic if priors.eta.shape[1] > 1 else 0]
        two = self._two_topic_model(
            topic_word_prior=float(eta[0]) if len(eta) == 1 else eta,
            doc_topic_prior=float(priors.alpha[topic]) / 2,
            random_state=random_state,
        ).fit(counts)
        sources = [[k] for k in range(n_topics)] + [[topic]]
        return self._replace_topics(Edit(sources, topic, _share_of_first(two, eta, topic)))

    def _two_topic_model(self, **parameters: Any) -> Any:
        """Return an unfitted estimator of two topics for documents in memory."""
        raise NotImplementedError

    def _fitted_lambda_and_priors(self) -> tuple[LazyLambda, Priors]:
        return self._fitted_lambda(), self._priors

    def _replace_topics(self, edit: "Edit") -> Self:
        """Set the topics, and everything that depends on their number; an error leaves all of it unchanged."""
        edited = copy(self)
        edited._lambda, edited._priors = edited_topics(edit, *self._fitted_lambda_and_priors())
        edited._set_parameters(edit)
        forget_fit_record(edited)
        edited._mean_log_theta = None  # the next online steps start a new average
        names = getattr(self, "topic_names_", None)
        if names is not None:
            edited.topic_names_ = edit.names(names)
        edited._show_priors()
        self.__dict__ = edited.__dict__
        return self

    def _set_parameters(self, edit: "Edit") -> None:
        """Change the parameters that hold a value per topic, so that `fit`, `partial_fit` and clones accept them."""
        self.n_components = edit.n_topics
        if not isinstance(self.doc_topic_prior, str):  # "auto" continues from the edited α
            alpha = self._priors.alpha
            self.doc_topic_prior = float(alpha[0]) if (alpha == alpha[0]).all() else alpha.copy()
        if self.topic_word_prior is None:  # which would mean another value for another number of topics
            self.topic_word_prior = float(self.topic_word_prior_)
        elif np.ndim(self.topic_word_prior) == 2:
            self.topic_word_prior = edit.eta(np.asarray(self.topic_word_prior, dtype=np.float64).T).T.copy()
        if self.seed_words is not None:
            self.seed_words = edit.seed_words(self.seed_words)
        if not isinstance(self.init, str):
            self.init = self.topics_


@dataclass(frozen=True, slots=True)
class Edit:
    """How the topics of an edited model are made of the former ones.

    Attributes
    ----------
    sources : list of lists of int
        For each topic, the former topics whose expected counts it adds up.
    split : int or None
        The former topic that is divided between two topics.
    first_share : array of shape (V,) or None
        Share of each word's expected counts that the first of these two gets.
    """

    sources: Sequence[Sequence[int]]
    split: int | None = None
    first_share: Doubles | None = None

    @property
    def n_topics(self) -> int:
        return len(self.sources)

    def eta(self, eta: Doubles) -> Doubles:
        """Return η, word-major: merged topics have the largest of their values for each word. Equation (22.2)."""
        if eta.shape[1] == 1:
            return eta
        return np.column_stack([eta[:, list(source)].max(axis=1) for source in self.sources])

    def share(self, k: int) -> Doubles | None:
        """Return the share of the counts of a split topic that topic k gets; None for topics that are not a part."""
        if self.first_share is None or k not in (self.split, self.n_topics - 1):
            return None
        return self.first_share if k == self.split else 1 - self.first_share

    def names(self, names: Any) -> Any:
        """Return the names of the topics: those of merged topics are joined, those of parts numbered."""
        new = [" + ".join(dict.fromkeys(str(names[j]) for j in source if names[j])) for source in self.sources]
        if self.split is not None and new[self.split]:
            new[-1], new[self.split] = f"{new[self.split]} (2)", f"{new[self.split]} (1)"
        return np.array(new, dtype=object) if isinstance(names, np.ndarray) else new

    def seed_words(self, seed_words: Mapping[int, Iterable[Any]]) -> dict[int, list[Any]]:
        """Return the seed words of the topics: a merged topic has those of all, and both parts have all."""
        found = {
            k: list(dict.fromkeys(word for j in source for word in seed_words.get(j, ())))
            for k, source in enumerate(self.sources)
        }
        return {k: words for k, words in found.items() if words}


def edited_topics(edit: Edit, former: LazyLambda, priors: Priors) -> tuple[LazyLambda, Priors]:
    """Return λ and the priors of an edited model. Equations (22.1) to (22.4)."""
    alpha = np.array([priors.alpha[list(source)].sum() for source in edit.sources])
    if edit.split is not None:
        alpha[[edit.split, -1]] /= 2
    new = Priors(alpha, edit.eta(priors.eta), _edited_regression(edit, priors))
    lam = former.dense()
    rows = aligned_zeros((len(lam), padded(edit.n_topics)), lam.dtype)
    for k in range(edit.n_topics):
        rows[:, k] = _column(edit, k, lam, priors, new)
    return LazyLambda(rows, new), new


def _edited_regression(edit: Edit, priors: Priors) -> PriorRegression | None:
    """Return the coefficients of an edited model.

    The sum of exponential functions is none; that of merged topics is approximated to first order, at the documents
    whose α is that of documents without covariates. Equation (24.6).
    """
    if priors.regression is None:
        return None
    coef = np.empty((len(priors.regression.coef), edit.n_topics))
    for k, source in enumerate(map(list, edit.sources)):
        share = priors.alpha[source] / priors.alpha[source].sum()
        coef[:, k] = priors.regression.coef[:, source] @ share
        coef[0, k] -= share @ np.log(share)
    if edit.split is not None:
        coef[0, [edit.split, -1]] -= np.log(2)
    return PriorRegression(coef)


def _column(edit: Edit, k: int, lam: Floats, former: Priors, priors: Priors) -> Floats:
    """Return λ_k. Equations (22.1) and (22.4)."""
    source, share = edit.sources[k], edit.share(k)
    if len(source) == 1 and share is None:
        column: Floats = lam[:, source[0]]
        return column
    excess = sum(np.maximum(lam[:, j].astype(np.float64) - _of_topic(former.eta, j), 0) for j in source)
    return np.asarray(_of_topic(priors.eta, k) + excess * (1.0 if share is None else share))


def _of_topic(eta: Doubles, k: int) -> Doubles:
    column: Doubles = eta[:, k if eta.shape[1] > 1 else 0]
    return column


def _counts_of_topic(model: FittedTopics, topic: int, X: Any) -> sparse.csr_array:
    """Return n_dw φ_dwk of one topic, documents that have words of it × words. Equation (22.3)."""
    gamma, counts, topics = model._infer(fixed_topics.infer_gamma, X)
    of_topic = np.zeros(len(counts.indices))
    for at in chunks(counts.n_docs, DOCUMENTS_AT_ONCE):
        part = counts.documents(at.start, at.stop)
        phi = fixed_topics.responsibilities(part, topics, gamma[at])[:, topic]
        of_topic[counts.indptr[at.start] : counts.indptr[at.stop]] = phi * part.values
    of_topic[of_topic < MIN_COUNT] = 0.0
    cells = (of_topic, counts.words[counts.indices], counts.indptr)
    found = sparse.csr_array(cells, shape=(counts.n_docs, model._lambda.shape[1]))
    found.eliminate_zeros()
    found = found[np.flatnonzero(np.diff(found.indptr))]
    if found.shape[0] < 2:
        msg = (
            f"topic={topic} has words in {found.shape[0]} documents of X; a split needs two at least: pass the "
            "documents that were fitted, or remove the topic"
        )
        raise ValueError(msg)
    return found


def _share_of_first(two: Any, eta: Doubles, topic: int) -> Doubles:
    """Return the share of each word's counts that the first of two topics has. Equation (22.4)."""
    counts = np.maximum(np.asarray(two.components_, dtype=np.float64) - eta, 0)
    totals = counts.sum(axis=1)
    if totals.min() <= MIN_SHARE * totals.sum():
        msg = f"topic={topic} was not divided: in a fit of two topics to its words, one of them has all"
        raise ValueError(f"{msg}. Pass more documents, or leave the topic as it is")
    both = counts.sum(axis=0)
    share: Doubles = np.divide(counts[0], both, out=np.full(len(both), totals[0] / totals.sum()), where=both > 0)
    return share


def _checked_topics(name: str, topics: Any, n_topics: int) -> list[int]:
    """Return numbers of topics that exist, each once.

    Raises
    ------
    TypeError, ValueError
        If they are not.
    """
    allowed = f"must hold different numbers of topics, from 0 to {n_topics - 1}"
    if isinstance(topics, (str, bytes)) or not isinstance(topics, Iterable):
        raise TypeError(f"{name}={topics!r} {allowed}, as a list")
    numbers = list(topics)
    for number in numbers:
        if isinstance(number, (bool, np.bool_)) or not isinstance(number, (int, np.integer)):
            raise TypeError(f"{name}={topics!r} {allowed}, and {number!r} is no integer")
        if not 0 <= number < n_topics:
            raise ValueError(f"{name}={topics!r} {allowed}, and {number!r} is not one")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"{name}={topics!r} {allowed}: remove the repetition")
    return [int(number) for number in numbers]


def _checked_groups(groups: Any, n_topics: int) -> list[list[int]]:
    """Return groups of two or more topics that have none in common."""
    example = "must be a list of lists, such as [[3, 7]]"
    if isinstance(groups, (str, bytes)) or not isinstance(groups, Iterable):
        raise TypeError(f"groups={groups!r} {example}")
    given = list(groups)
    if not given:
        raise ValueError(f"groups={groups!r} {example}; it is empty")
    if any(isinstance(group, (str, bytes)) or not isinstance(group, Iterable) for group in given):
        raise TypeError(f"groups={groups!r} {example}")
    checked = [_checked_topics("groups", list(group), n_topics) for group in given]
    short = [group for group in checked if len(group) < 2]
    if short:
        raise ValueError(f"groups={groups!r} {example}: the group {short[0]} needs two topics at least")
    _checked_topics("groups", [topic for group in checked for topic in group], n_topics)
    return checked
