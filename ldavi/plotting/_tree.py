"""Dendrogram of topics: which are similar, and which could be merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import dendrogram

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Linkage, Names, TopicDistance
from ldavi.inspection._tree import topic_tree
from ldavi.plotting import _style as style

WIDTH = 4.0  # inches of the tree, without labels


class TopicTreeDisplay:
    """Plot a hierarchical clustering of topics as a dendrogram, with a topic per row.

    Two branches join at the distance of their clusters. Clusters that join at `max_distance` or less have a colour of
    their own: they are the groups of :func:`ldavi.inspection.suggest_merges`.

    Parameters
    ----------
    tree : array of shape (n_topics - 1, 4)
        A linkage matrix, as of :func:`ldavi.inspection.topic_tree`.
    topic_names : sequence of str
        A name for each topic.
    max_distance : float or None, default=None
        Where the tree is cut, marked by a line. None marks no groups.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.
    order_ : array of int of shape (n_topics,)
        Topics from top to bottom.

    Examples
    --------
    >>> from ldavi.plotting import TopicTreeDisplay
    >>> display = TopicTreeDisplay.from_estimator(lda, max_distance=0.5)  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    order_: Any

    def __init__(self, *, tree: ArrayLike, topic_names: Sequence[str], max_distance: float | None = None) -> None:
        self.tree = tree
        self.topic_names = topic_names
        self.max_distance = max_distance

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        *,
        distance: TopicDistance = "jensen_shannon",
        linkage: Linkage = "average",
        max_distance: float | None = 0.5,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Cluster the topics of a model and plot the tree.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics, at least two.
        distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
            Distance of two topics.
        linkage : {"average", "complete", "single"}, default="average"
            Distance of two clusters, see :func:`ldavi.inspection.topic_tree`.
        max_distance : float or None, default=0.5
            Where the tree is cut; None marks no groups.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicTreeDisplay

        Raises
        ------
        ValueError, TypeError
            If a parameter is not as described, or there is only one topic.
        """
        tree = topic_tree(model, distance=distance, linkage=linkage)
        names = style.topic_names_of(model, len(tree) + 1, topic_names, feature_names)
        return cls(tree=tree, topic_names=names, max_distance=max_distance).plot(ax=ax)

    def plot(self, *, ax: Any = None, color: str = style.GREY) -> Self:
        """Draw the dendrogram.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure with space for every label.
        color : str, default="#595959"
            Colour of branches above `max_distance`.

        Returns
        -------
        self : TopicTreeDisplay

        Raises
        ------
        ValueError
            If there is not one name for each topic.
        """
        tree = np.asarray(self.tree, dtype=float)
        n_topics = len(tree) + 1
        names = style.given_names("topic_names", self.topic_names, n_topics, "topics")
        limit = -1.0 if self.max_distance is None else float(np.nextafter(self.max_distance, np.inf))
        drawn = dendrogram(tree, orientation="right", no_plot=True, color_threshold=limit, above_threshold_color=color)
        self.order_ = np.array(drawn["leaves"])[::-1]  # SciPy numbers leaves from the bottom
        line, size = style.fitted_line(n_topics, style.PAGE[1] - 0.8, style.FONT_SIZE - 1)
        self.figure_, self.ax_ = style.figure_of(ax, WIDTH + 3.2, max(n_topics * line, 1.2) + 0.8)
        colors = _group_colors(drawn["color_list"], color)
        for rows, joined_at, shade in zip(drawn["icoord"], drawn["dcoord"], colors, strict=True):
            self.ax_.plot(joined_at, (np.array(rows) - 5) / 10, color=shade, linewidth=1.4)  # a leaf is 10 units wide
        if self.max_distance is not None:
            self.ax_.axvline(self.max_distance, color=style.GREY, linewidth=0.8, linestyle=":")
        style.quiet(self.ax_)
        labels = [style.shorten(names[k], style.MAX_NAME) for k in self.order_[::-1]]
        style.heat_ticks(self.ax_, "y", labels, size)
        self.ax_.yaxis.tick_right()
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.spines["left"].set_visible(False)
        self.ax_.set_ylim(-0.7, n_topics - 0.3)
        self.ax_.set_xlim(max(1.0, float(tree[:, 2].max())) * 1.02, 0)
        self.ax_.set_xlabel("distance at which topics are joined", fontsize=style.FONT_SIZE)
        return self


def _group_colors(groups: Sequence[str], above: str) -> list[str]:
    """Replace SciPy's colours of groups by those of all plots, in order."""
    shades: dict[str, str] = {above: above}
    for group in groups:
        shades.setdefault(group, style.COLORS[(len(shades) - 1) % len(style.COLORS)])
    return [shades[group] for group in groups]
