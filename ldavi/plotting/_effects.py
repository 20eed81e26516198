"""Effects of covariates on topics, and shares of topics over time, groups or a covariate, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Matrix, Names
from ldavi.inspection import TopicRegression, topic_regression
from ldavi.plotting import _style as style

MAX_TICKS = 12  # names of groups on an axis


class TopicEffectsDisplay:
    """Plot an effect on each topic: a point for the estimate, a line for the interval.

    Parameters
    ----------
    estimate, lower, upper : arrays of shape (n_topics,)
        The effect on each topic, and its interval.
    topic_names : sequence of str
        A name for each topic.
    label : str
        What the effect is.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.

    Examples
    --------
    >>> from ldavi.plotting import TopicEffectsDisplay
    >>> display = TopicEffectsDisplay.from_estimator(lda, X, covariates, "party[T.R]")  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any

    def __init__(
        self, *, estimate: ArrayLike, lower: ArrayLike, upper: ArrayLike, topic_names: Sequence[str], label: str
    ) -> None:
        self.estimate = estimate
        self.lower = lower
        self.upper = upper
        self.topic_names = topic_names
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        X: Matrix,
        covariates: Any,
        term: str,
        *,
        formula: str | None = None,
        n_samples: int = 25,
        random_state: int | np.random.RandomState | None = None,
        level: float = 0.95,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Estimate effects by :func:`ldavi.inspection.topic_regression`, and plot those of one term.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        X : array-like or sparse matrix of shape (n_docs, n_words)
            Counts, documents × words.
        covariates : dict of columns, DataFrame or array
            Covariates of the documents.
        term : str
            The term to plot, such as "year" or "party[T.R]".
        formula : str or None, default=None
            The regression; None takes an intercept and every covariate.
        n_samples : int, default=25
            Draws of θ.
        random_state : int, RandomState or None, default=None
            Seed of the draws.
        level : float, default=0.95
            Probability of the intervals.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicEffectsDisplay

        Raises
        ------
        ValueError, TypeError
            If a parameter is not as described, or there is no such term.
        """
        regression = topic_regression(
            model, X, covariates, formula=formula, n_samples=n_samples, random_state=random_state
        )
        names = style.topic_names_of(model, len(topics_of(model)), topic_names, feature_names)
        return cls.from_regression(regression, term, level=level, topic_names=names, ax=ax)

    @classmethod
    def from_regression(
        cls,
        regression: TopicRegression,
        term: str,
        *,
        level: float = 0.95,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot the effects of one term.

        Parameters
        ----------
        regression : TopicRegression
            Of :func:`ldavi.inspection.topic_regression`.
        term : str
            One of `regression.terms`.
        level : float, default=0.95
            Probability of the intervals.
        topic_names : sequence of str, or None, default=None
            None numbers the topics.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicEffectsDisplay

        Raises
        ------
        ValueError
            If there is no such term.
        """
        if term not in regression.terms:
            raise ValueError(f"term={term!r} must be one of {', '.join(map(repr, regression.terms))}")
        rows = regression.effects(level=level)
        chosen = np.asarray(rows["term"]) == term
        estimate, lower, upper = (np.asarray(rows[name])[chosen] for name in ("estimate", "lower", "upper"))
        names = _names(topic_names, len(estimate))
        return cls(estimate=estimate, lower=lower, upper=upper, topic_names=names, label=term).plot(ax=ax)

    def plot(self, *, ax: Any = None, sort: bool = True, color: str = style.BLUE) -> Self:
        """Draw a line for each topic.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure whose height grows with the number of topics.
        sort : bool, default=True
            Whether topics are sorted by decreasing effect. False leaves their order unchanged.
        color : str, default="#0072B2"
            Colour of effects whose interval excludes 0; the others are grey.

        Returns
        -------
        self : TopicEffectsDisplay
        """
        estimate, lower, upper = (np.asarray(part, dtype=float) for part in (self.estimate, self.lower, self.upper))
        self.figure_, self.ax_ = style.figure_of(ax, 6.5, len(estimate) * style.LINE + 0.8)
        order = np.argsort(-estimate, kind="stable") if sort else np.arange(len(estimate))
        place = np.arange(len(estimate))
        self.ax_.axvline(0, color=style.GREY, linewidth=0.8)
        excludes = (lower > 0) | (upper < 0)
        for marked, shade in ((True, color), (False, style.GREY)):
            at = np.flatnonzero(excludes[order] == marked)
            if not len(at):
                continue
            self.ax_.hlines(at, lower[order][at], upper[order][at], color=shade, linewidth=1.6)
            self.ax_.plot(estimate[order][at], at, "o", color=shade, markersize=4)
        names = [style.shorten(self.topic_names[int(k)], style.MAX_NAME) for k in order]
        self.ax_.set_yticks(place, names, fontsize=style.FONT_SIZE)
        self.ax_.set_ylim(len(estimate) - 0.4, -0.6)
        style.quiet(self.ax_, grid="x")
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.set_title(
            f"Effect of {style.shorten(self.label, style.MAX_NAME)} on the share of each topic",
            fontsize=style.FONT_SIZE + 1,
            loc="left",
        )
        style.write([*self.ax_.get_yticklabels(), self.ax_.title])
        return self


class TopicSharesDisplay:
    """Plot the shares of some topics over periods, groups or a covariate, with intervals.

    Parameters
    ----------
    values : array of shape (n_values,)
        Periods or numbers, which are joined by a line, or names of groups, which get a point each.
    share, lower, upper : arrays of shape (n_topics, n_values)
        The share of each topic, and its interval.
    topic_names : sequence of str
        A name for each topic.
    label : str
        What the values are.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.

    Examples
    --------
    >>> from ldavi import inspection
    >>> from ldavi.plotting import TopicSharesDisplay
    >>> display = TopicSharesDisplay.from_table(inspection.shares_by_group(lda, X, dates))  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any

    def __init__(
        self,
        *,
        values: ArrayLike,
        share: ArrayLike,
        lower: ArrayLike,
        upper: ArrayLike,
        topic_names: Sequence[str],
        label: str = "",
    ) -> None:
        self.values = values
        self.share = share
        self.lower = lower
        self.upper = upper
        self.topic_names = topic_names
        self.label = label

    @classmethod
    def from_table(
        cls,
        shares: Any,
        *,
        by: str | None = None,
        topics: Sequence[int] | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot a table of shares.

        Parameters
        ----------
        shares : DataFrame or structured array
            Of :func:`ldavi.inspection.shares_by_group`, or of `TopicRegression.predicted_shares`.
        by : str or None, default=None
            The column of the horizontal axis; None takes group, or else the first.
        topics : sequence of int, or None, default=None
            The topics to plot; None means the five with the largest mean share, or all if there are fewer.
        topic_names : sequence of str, or None, default=None
            A name for each topic of the model; None numbers them.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicSharesDisplay

        Raises
        ------
        ValueError
            If the table has no such column, or several rows for a value and topic.
        """
        columns = list(shares.dtype.names or ()) if isinstance(shares, np.ndarray) else [str(n) for n in shares.columns]
        by = ("group" if "group" in columns else columns[0]) if by is None else by
        missing = [name for name in (by, "topic", "share", "lower", "upper") if name not in columns]
        if missing:
            raise ValueError(f"shares has no column {missing[0]!r}; its columns are {', '.join(columns)}")
        of, topic = np.asarray(shares[by]), np.asarray(shares["topic"], dtype=np.int64)
        values = np.array(list(dict.fromkeys(of.tolist())), dtype=of.dtype)
        n_topics = int(topic.max()) + 1
        if len(of) != len(values) * n_topics:
            raise ValueError(
                f"shares must have one row for each value of {by!r} and topic; vary one covariate at a time"
            )
        share, lower, upper = (
            np.asarray(shares[name]).reshape(len(values), n_topics).T for name in ("share", "lower", "upper")
        )
        names = _names(topic_names, n_topics)
        largest = np.argsort(-np.nanmean(share, axis=1), kind="stable")[:5].tolist() if topics is None else topics
        chosen = style.chosen_topics(largest, n_topics)
        return cls(
            values=values,
            share=share[chosen],
            lower=lower[chosen],
            upper=upper[chosen],
            topic_names=[names[k] for k in chosen],
            label="" if by == "group" else by,
        ).plot(ax=ax)

    def plot(self, *, ax: Any = None, colors: Sequence[str] | None = None) -> Self:
        """Draw a line with a band for each topic, or points with lines of their own for names of groups.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure.
        colors : sequence of str, or None, default=None
            Colours of the topics, used again from the first; None takes those of Okabe and Ito.

        Returns
        -------
        self : TopicSharesDisplay
        """
        share, lower, upper = (np.asarray(part, dtype=float) for part in (self.share, self.lower, self.upper))
        self.figure_, self.ax_ = style.figure_of(ax, 7.0, 3.6)
        colors = style.COLORS if colors is None else colors
        place, ticks = _positions(np.asarray(self.values))
        for k, name in enumerate(self.topic_names):
            color, label = colors[k % len(colors)], style.shorten(name, style.MAX_NAME)
            if ticks is None or _are_periods(ticks):
                self.ax_.plot(place, share[k], color=color, linewidth=1.6, marker="o", markersize=3, label=label)
                self.ax_.fill_between(place, lower[k], upper[k], color=color, alpha=0.18, linewidth=0)
            else:
                at = place + 0.12 * (k - (len(share) - 1) / 2)
                self.ax_.vlines(at, lower[k], upper[k], color=color, linewidth=1.6)
                self.ax_.plot(at, share[k], "o", color=color, markersize=4, label=label)
        if ticks is not None:
            shown = np.arange(0, len(ticks), -(-len(ticks) // MAX_TICKS))
            texts = [style.shorten(ticks[i], 16) for i in shown]
            self.ax_.set_xticks(place[shown], texts, rotation=30, ha="right", fontsize=style.FONT_SIZE)
        elif (place == np.round(place)).all():
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        style.quiet(self.ax_, grid="y")
        self.ax_.set_xlabel(style.shorten(self.label, style.MAX_NAME), fontsize=style.FONT_SIZE)
        self.ax_.set_title("Mean share of documents", fontsize=style.FONT_SIZE + 1, loc="left")
        legend = self.ax_.legend(
            fontsize=style.FONT_SIZE - 1, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0)
        )
        style.write([*self.ax_.get_xticklabels(), self.ax_.xaxis.label, *legend.get_texts()])
        return self


def _names(topic_names: Sequence[str] | None, n_topics: int) -> list[str]:
    if topic_names is None:
        return [f"Topic {k}" for k in range(n_topics)]
    return style.given_names("topic_names", topic_names, n_topics, "topics")


def _positions(values: Any) -> tuple[Any, list[str] | None]:
    """Return where values are on the axis, and their names unless they are numbers."""
    if values.dtype.kind in "iuf":
        return values.astype(float), None
    texts = [str(value) for value in values.tolist()]
    with suppress(ValueError):  # groups that are numbers, such as years
        return np.array([float(text) for text in texts]), None
    if not _are_periods(texts):
        return np.arange(len(texts), dtype=float), texts
    days = np.array(texts, dtype="datetime64[D]").astype(float)
    return days, texts


def _are_periods(texts: list[str]) -> bool:
    """Whether all texts are dates in ISO 8601."""
    return all(len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit() for text in texts)
