"""`fit_periods`: topics of consecutive periods, each with those of the period before as its prior. Equation (23.5)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_random_state

from ldavi import inspection, metrics
from ldavi._core.tables import table
from ldavi._core.typing import Doubles, Int64s, Names
from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.inspection._covariates import missing
from ldavi.metrics._distances import pairwise_distances
from ldavi.selection._result import gaps

STRENGTHS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SEEDS = 2**31 - 1
# VB would stay close to the topics that it starts from; collapsed passes do not.
COLLAPSED = {"inference": "cvb0", "learning_method": "batch", "n_collapsed_iter": "auto", "seed_words": None}


@dataclass(frozen=True, eq=False)
class Periods:
    """Topics of consecutive periods. Made by :func:`fit_periods`.

    Attributes
    ----------
    periods : array of shape (n_periods,)
        The labels of the periods, in ascending order.
    models : tuple of LatentDirichletAllocation
        The fit of each period; topic k of all of them is one topic that changes.
    strength : float
        Weight of the prior, as given or chosen.
    table : DataFrame, or structured array without pandas
        A row for each period and topic, with the columns period, topic, tokens (expected), share (of the tokens of the
        period) and change, the Hellinger distance from the topic in the period before, NaN in the first.
    search : DataFrame, structured array or None
        A row for each strength that was tried, with the columns strength, log_likelihood (nats per held-out token),
        gap, the difference from the highest, and gap_std_error, its standard error over documents. None if the strength
        was given.
    """

    periods: NDArray[Any]
    models: tuple[LatentDirichletAllocation, ...]
    strength: float
    table: Any
    search: Any

    @property
    def topics(self) -> Doubles:
        """E[β] of each period, of shape (n_periods, n_components, n_features)."""
        return np.array([model.topics_ for model in self.models], dtype=np.float64)

    def top_words(self, topic: int, n_words: int = 10, *, feature_names: Names | None = None) -> dict[Any, list[str]]:
        """Return the most probable words of one topic in each period.

        Parameters
        ----------
        topic : int
            Number of the topic.
        n_words : int, default=10
            Number of words.
        feature_names : array-like of str of shape (n_features,), or None, default=None
            Names of the words; None takes those that the models were fitted with.

        Returns
        -------
        words : dict of {period: list of str}

        Raises
        ------
        ValueError, TypeError
            If there is no such topic, or a parameter is not as described.
        """
        n_topics = self.models[0].n_components
        if check.check_integer("topic", topic, minimum=0) >= n_topics:
            raise ValueError(f"topic={topic!r} must be from 0 to {n_topics - 1}")
        lists = [inspection.top_words_lists(model, n_words, feature_names=feature_names) for model in self.models]
        return {period: own[topic] for period, own in zip(self.periods.tolist(), lists, strict=True)}

    def plot(self, *, topics: Sequence[int] | None = None, axes: Any = None) -> Any:
        """Plot the share and the change of topics over the periods.

        Parameters
        ----------
        topics : sequence of int or None, default=None
            Topics to show; None shows those whose share varies most.
        axes : sequence of two matplotlib Axes, or None, default=None
            None creates a figure.

        Returns
        -------
        display : PeriodsDisplay
        """
        from ldavi.plotting import PeriodsDisplay

        return PeriodsDisplay.from_periods(self, topics=topics, axes=axes)


def fit_periods(
    X: Any,
    periods: ArrayLike,
    *,
    estimator: Any = None,
    strength: float | Literal["auto"] = "auto",
    strengths: ArrayLike = STRENGTHS,
    start: Literal["first", "all"] = "first",
    held_out: float = 0.2,
    random_state: int | np.random.RandomState | None = None,
) -> Periods:
    """Fit the topics of consecutive periods, each with the topics of the period before as its prior.

    The prior of the words of topic k in period t is η + s (N_t / K) E[β_{t−1,k}], with N_t the tokens of the period.
    The topics of the period before count as much as `strength` s times the tokens of an average topic. Topics keep
    their numbers and their subject, and their words change as far as the documents of the period require.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words, of all periods.
    periods : array-like of shape (n_samples,)
        The period of each document: years, or other labels whose order is that of time. At least two differ.
    estimator : LatentDirichletAllocation or None, default=None
        The estimator to fit; None means `ldavi.LatentDirichletAllocation()`. Clones are fitted. Those that have a prior
        from topics before begin with these topics, use `inference="cvb0"`, and have no `seed_words`.
    strength : float or "auto", default="auto"
        s, >= 0. 0 fits each period alone, from the topics before as initial ones. "auto" chooses the one of `strengths`
        with the highest likelihood of held-out documents, and then fits all documents with it.
    strengths : array-like of float, default=(0, 0.01, 0.03, 0.1, 0.3, 1, 3)
        What "auto" chooses from.
    start : {"first", "all"}, default="first"
        What the topics of the first period are. "first": those of a fit to its documents. "all": those of a fit to the
        documents of all periods, which are then the prior of the first period. Use "all" if the first period is small,
        or if topics should include those that come up later.
    held_out : float, default=0.2
        Share of the documents of each period that "auto" holds out, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Source of the held-out documents and of the seeds of fits.

    Returns
    -------
    result : Periods
        With a `table` of shares and changes, `top_words` and `plot`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or a period has too few documents.

    References
    ----------
    AlSumait, Barbará, Domeniconi. "On-line LDA: adaptive topic models for mining text streams with applications to
    topic detection and tracking". ICDM 2008. Blei, Lafferty. "Dynamic topic models". ICML 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from ldavi import LatentDirichletAllocation, selection
    >>> rng = np.random.default_rng(0)
    >>> early, late = [0.5, 0.4, 0.1, 0.0], [0.5, 0.0, 0.1, 0.4]
    >>> X = [rng.multinomial(30, words) for words in [early] * 40 + [late] * 40]
    >>> year = [2001] * 40 + [2002] * 40
    >>> lda = LatentDirichletAllocation(1)
    >>> result = selection.fit_periods(X, year, estimator=lda, strength=0.1, random_state=0)
    >>> result.top_words(0, 2)
    {2001: ['x0', 'x1'], 2002: ['x0', 'x3']}
    """
    estimator = LatentDirichletAllocation() if estimator is None else estimator
    if not isinstance(estimator, LatentDirichletAllocation):
        raise TypeError(f"estimator={estimator!r} must be a ldavi.LatentDirichletAllocation, whose prior is per topic")
    check.check_choice("start", start, ("first", "all"))
    grid = _checked_strengths(strength, strengths)
    documents = X if hasattr(X, "shape") else np.asarray(X)
    labels, rows = _rows_of_periods(periods, documents.shape[0])
    rng = check_random_state(random_state)
    seeds = [int(seed) for seed in rng.randint(SEEDS, size=len(rows) + 1)]
    search, chosen = None, grid[0]
    if len(grid) > 1:
        search = _search(documents, rows, estimator, grid, start, seeds, _held_out(rng, rows, held_out))
        chosen = grid[int(np.argmax(np.asarray(search["log_likelihood"])))]
    models = _Chain(documents, rows, estimator, start, seeds).fit(chosen)
    return Periods(labels, models, chosen, _shares(documents, rows, labels, models), search)


class _Chain:
    """Fits of consecutive periods for any strength of the prior; the first fit is shared.

    Parameters
    ----------
    documents : matrix of shape (D, V)
    rows : list of arrays
        The documents of each period to fit.
    estimator, start, seeds
        As of `fit_periods`; a seed for each period, and one for the fit to all of them.
    """

    def __init__(
        self, documents: Any, rows: Sequence[Int64s], estimator: LatentDirichletAllocation, start: str, seeds: list[int]
    ) -> None:
        self.parts = [_take(documents, own) for own in rows]
        self.estimator, self.seeds = estimator, seeds
        first = self.parts[0] if start == "first" else _take(documents, np.sort(np.concatenate(rows)))
        self.first = clone(estimator).set_params(random_state=seeds[-1]).fit(first)
        if self.first._priors.point_estimate:
            raise ValueError(
                "topic_word_prior=0 makes the topics point estimates; periods need a prior: use a number > 0"
            )
        self.is_first_period = start == "first"

    def fit(self, strength: float) -> tuple[LatentDirichletAllocation, ...]:
        """Return the fit of each period."""
        before = self.first
        models = [before] if self.is_first_period else []
        for part, seed in itertools.islice(zip(self.parts, self.seeds, strict=False), len(models), None):
            before = self._next(before, part, strength, seed)
            models.append(before)
        return tuple(models)

    def _next(
        self, before: LatentDirichletAllocation, part: Any, strength: float, seed: int
    ) -> LatentDirichletAllocation:
        """Fit a period with the topics of the one before as initial topics and as prior. Equation (23.5)."""
        topics = before.topics_.astype(np.float64)
        eta = np.broadcast_to(self.first._priors.eta.T, topics.shape)
        tokens = float(check.check_counts(part, dtype=np.float64, name="fit_periods").sum())
        weight = strength * tokens / len(topics)
        model: LatentDirichletAllocation = clone(self.estimator).set_params(
            init=topics, topic_word_prior=eta + weight * topics, random_state=seed, **COLLAPSED
        )
        return model.fit(part)


def _search(
    documents: Any,
    rows: Sequence[Int64s],
    estimator: LatentDirichletAllocation,
    grid: Sequence[float],
    start: str,
    seeds: list[int],
    held_out: Sequence[NDArray[np.bool_]],
) -> Any:
    """Return a table of the held-out log-likelihood of each strength."""
    training = [own[~out] for own, out in zip(rows, held_out, strict=True)]
    testing = [_take(documents, own[out]) for own, out in zip(rows, held_out, strict=True)]
    halves = [metrics.token_split(part, seed) for part, seed in zip(testing, seeds, strict=False)]
    chain = _Chain(documents, training, estimator, start, seeds)
    scores = []
    for strength in grid:
        completions = [
            metrics.document_completion(model, half, doc_topic_prior=None, seed=seed)
            for model, half, seed in zip(chain.fit(strength), halves, seeds, strict=False)
        ]
        scores.append(np.concatenate([found.document_log_likelihood for found in completions]))
    tokens = np.concatenate([np.asarray(half.scored.sum(axis=1), dtype=np.int64).ravel() for half in halves])
    gap, error = gaps(np.array(scores), tokens, np.zeros(len(grid)))
    likelihood = np.array(scores).sum(axis=1) / max(int(tokens.sum()), 1)
    return table(strength=np.array(grid), log_likelihood=likelihood, gap=gap, gap_std_error=error)


def _shares(
    documents: Any, rows: Sequence[Int64s], labels: NDArray[Any], models: Sequence[LatentDirichletAllocation]
) -> Any:
    """Return the table of the sizes of topics, and of their changes, by period."""
    tokens, change = [], [np.full(models[0].n_components, np.nan)]
    for own, model in zip(rows, models, strict=True):
        tokens.append(np.asarray(inspection.topic_sizes(model, _take(documents, own))["tokens"], dtype=np.float64))
    for before, after in itertools.pairwise(models):
        distances = pairwise_distances(before.topics_.astype(np.float64), after.topics_.astype(np.float64), "hellinger")
        change.append(np.diagonal(distances))
    sizes = np.array(tokens)
    n_topics = sizes.shape[1]
    return table(
        period=np.repeat(labels, n_topics),
        topic=np.tile(np.arange(n_topics), len(labels)),
        tokens=sizes.ravel(),
        share=(sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-300)).ravel(),
        change=np.concatenate(change),
    )


def _checked_strengths(strength: Any, strengths: ArrayLike) -> list[float]:
    """Return the strengths to compare: the one that is given, or those of `strengths`."""
    if not isinstance(strength, str):
        return [check.check_number("strength", strength, minimum=0)]
    if strength != "auto":
        raise ValueError(f'strength={strength!r} must be "auto" or a number >= 0')
    grid = sorted({check.check_number("strengths", value, minimum=0) for value in np.ravel(np.asarray(strengths))})
    if not grid:
        raise ValueError(f"strengths={strengths!r} is empty; give at least one number >= 0")
    return grid


def _rows_of_periods(periods: ArrayLike, n_docs: int) -> tuple[NDArray[Any], list[Int64s]]:
    """Return the labels of the periods in ascending order, and the documents of each."""
    given = np.asarray(periods)
    if given.shape != (n_docs,):
        raise ValueError(f"periods has shape {given.shape}, but X has {n_docs} documents. Give one label each.")
    if (absent := missing(given)).any():
        row = int(np.flatnonzero(absent)[0])
        raise ValueError(f"periods has no value in row {row}. Leave such documents out, or give them a period.")
    labels, place = np.unique(given, return_inverse=True)
    if len(labels) < 2:
        raise ValueError(f"periods holds {len(labels)} label; give labels of two periods at least")
    return labels, [np.flatnonzero(place == t).astype(np.int64) for t in range(len(labels))]


def _held_out(rng: np.random.RandomState, rows: Sequence[Int64s], share: float) -> list[NDArray[np.bool_]]:
    """Return which documents of each period are held out."""
    share = check.check_number("held_out", share, minimum=0, maximum=1, exclusive=True)
    masks = []
    for own in rows:
        n = round(share * len(own))
        if not 0 < n < len(own):
            raise ValueError(
                f"held_out={share!r} of a period of {len(own)} documents leaves {n} of them held out; use longer "
                "periods, another share, or a given strength"
            )
        mask = np.zeros(len(own), bool)
        mask[rng.permutation(len(own))[:n]] = True
        masks.append(mask)
    return masks


def _take(documents: Any, rows: Int64s) -> Any:
    if hasattr(documents, "iloc"):
        return documents.iloc[rows]
    return sparse.csr_array(documents)[rows] if sparse.issparse(documents) else documents[rows]
