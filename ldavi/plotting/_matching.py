"""Heat map of the similarity of two models' topics, matched one to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Int64s, Names, TopicDistance
from ldavi.inspection import topic_distances
from ldavi.metrics import match_topics
from ldavi.plotting import _style as style

CELL = 0.2  # inches
MIN_CELL = 0.03
LABELLED = 0.085  # inches of a column that has space for a number
NAMES = 6.2  # inches for names in the usual font
MAX_ANNOTATED = 25  # topics up to which similarities are written into the cells of the diagonal


class TopicMatchingDisplay:
    """Plot the similarity of two models' topics, ordered such that matched topics are on the diagonal, best first.

    The matching is that of :func:`ldavi.metrics.match_topics`: one to one, with the minimum sum of distances. Unmatched
    topics, if one model has more, come last, after a line.

    Parameters
    ----------
    distances : array of shape (n_topics, n_others)
        Distances between 0 and 1, topics of the first model by topics of the second.
    pairs : array of int of shape (n_pairs, 2)
        A topic of the first model and its partner in the second, as in `ldavi.metrics.Matching`; n_pairs is the smaller
        number of topics.
    names : sequence of str
        A name for each topic of the first model.
    other_names : sequence of str
        A name for each topic of the second model.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.
    rows_, columns_ : array of int
        Topics from top to bottom and from left to right; `rows_[i]` is matched with `columns_[i]`, for i below the
        smaller number of topics.

    Examples
    --------
    >>> from ldavi.plotting import TopicMatchingDisplay
    >>> display = TopicMatchingDisplay.from_estimator(lda, other_lda)  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    rows_: Any
    columns_: Any

    def __init__(
        self, *, distances: ArrayLike, pairs: ArrayLike, names: Sequence[str], other_names: Sequence[str]
    ) -> None:
        self.distances = distances
        self.pairs = pairs
        self.names = names
        self.other_names = other_names

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        other: ModelOrTopics,
        *,
        distance: TopicDistance = "hellinger",
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        other_topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Match the topics of two models and plot their similarity.

        Parameters
        ----------
        model, other : estimator or array of shape (n_topics, n_words)
            Fitted topics over the same words; the numbers of topics may differ.
        distance : {"hellinger", "jensen_shannon", "cosine"}, default="hellinger"
            See :func:`ldavi.inspection.topic_distances`.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the models were fitted with.
        topic_names, other_topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicMatchingDisplay

        Raises
        ------
        ValueError
            If the models have different numbers of words.
        """
        distances = topic_distances(model, distance=distance, other=other)
        names = style.topic_names_of(model, distances.shape[0], topic_names, feature_names)
        other_names = style.topic_names_of(other, distances.shape[1], other_topic_names, feature_names)
        pairs = match_topics(model, other, distance).pairs
        return cls(distances=distances, pairs=pairs, names=names, other_names=other_names).plot(ax=ax)

    def plot(self, *, ax: Any = None, cmap: str = style.CMAP) -> Self:
        """Draw the matched heat map.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure with space for every label.
        cmap : str, default="cividis"
            Name of a colour map.

        Returns
        -------
        self : TopicMatchingDisplay
        """
        distances = np.asarray(self.distances, dtype=float)
        self.rows_, self.columns_ = _order(distances, self.pairs)
        similarity = 1 - distances[self.rows_][:, self.columns_]
        n_rows, n_columns = similarity.shape
        matched = min(n_rows, n_columns)
        row, size = style.fitted_line(n_rows, style.PAGE[1] - 1.2, style.FONT_SIZE - 1, CELL)
        names = NAMES * size / (style.FONT_SIZE - 1)
        cell = max(min(CELL, (style.PAGE[0] - names) / n_columns), MIN_CELL, 2.4 / n_columns)
        self.figure_, self.ax_ = style.figure_of(ax, n_columns * cell + names, max(n_rows * row, 2.2) + 1.2)
        image = self.ax_.imshow(similarity, cmap=cmap, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        self._label_axes(matched, size, cell >= LABELLED)
        if n_rows > matched:
            self.ax_.axhline(matched - 0.5, color="white", linewidth=1.5)
        if n_columns > matched:
            self.ax_.axvline(matched - 0.5, color="white", linewidth=1.5)
        if matched <= MAX_ANNOTATED:
            self._annotate_diagonal(np.diagonal(similarity))
        style.color_bar(
            self.figure_,
            image,
            self.ax_,
            "similarity = 1 − distance",
            label_size=style.FONT_SIZE - 1,
            location="bottom",
            shrink=min(1.0, 2.4 / (n_columns * cell)),
            aspect=16,
            pad=0.1 / max(n_rows * row, 2.2),
            anchor=(0, 0),
        )
        return self

    def _label_axes(self, matched: int, size: float, numbers: bool) -> None:
        """Label the rows with the first model's topics, and the columns and the right axis with the second model's."""
        style.heat_ticks(self.ax_, "y", [style.shorten(self.names[k], style.MAX_NAME) for k in self.rows_], size)
        self.ax_.xaxis.tick_top()
        rotation = 90 if len(self.columns_) > 12 else 0
        if numbers:
            style.heat_ticks(self.ax_, "x", [str(k) for k in self.columns_], size, rotation=rotation)
        else:
            self.ax_.set_xticks([])  # the right axis has the same order
        right = self.ax_.secondary_yaxis("right")
        style.heat_ticks(
            right, "y", [style.shorten(self.other_names[k], style.MAX_NAME) for k in self.columns_[:matched]], size
        )
        self.ax_.set_ylabel("first model", fontsize=style.FONT_SIZE)
        self.ax_.set_xlabel("second model", fontsize=style.FONT_SIZE)
        self.ax_.xaxis.set_label_position("top")
        right.set_ylabel("matched in the second model", fontsize=style.FONT_SIZE)
        for axes in (self.ax_, right):
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)

    def _annotate_diagonal(self, similarity: Doubles) -> None:
        for i, value in enumerate(similarity):
            shade = "black" if value > 0.5 else "white"
            self.ax_.annotate(f"{value:.2f}", (i, i), ha="center", va="center", fontsize=6.5, color=shade)


def _order(distances: Doubles, pairs: ArrayLike) -> tuple[Int64s, Int64s]:
    """Return rows and columns in display order: matched topics by increasing distance, then unmatched ones."""
    matched = np.asarray(pairs).reshape(-1, 2)
    rows, columns = matched[np.argsort(distances[matched[:, 0], matched[:, 1]], kind="stable")].T
    more_rows = np.setdiff1d(np.arange(distances.shape[0]), rows)
    more_columns = np.setdiff1d(np.arange(distances.shape[1]), columns)
    return np.concatenate([rows, more_rows]), np.concatenate([columns, more_columns])
