"""Map of topics: circles that are close to each other where topics share words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.chunks import chunks
from ldavi._core.topics_of_model import ModelOrTopics, has_word_names, topics_of
from ldavi._core.typing import Doubles, Matrix, Names, TopicDistance
from ldavi.inspection import topic_map, topic_sizes
from ldavi.plotting import _style as style
from ldavi.plotting._outliers import compress_outliers

CIRCLES = 0.16  # share of the area that all circles cover together
MARGIN = 16.0  # points between the outermost circle and the frame, so that a name fits in
MIN_AREA = 16.0  # points², so that the smallest topic is visible
ALWAYS_NAMED = 10  # the largest topics, whose names may cover other circles
OFFSETS_AT_ONCE = 32
SPIRAL = 4000  # positions that are tried for a number
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class TopicMapDisplay:
    """Plot topics as numbered circles: the distances between topics determine positions, their sizes areas.

    Parameters
    ----------
    coordinates : array of shape (n_topics, 2)
        Positions, as of :func:`ldavi.inspection.topic_map`. Outliers are drawn closer to the others, in the same
        direction, so that they do not compress the map; the title says so.
    shares : array of shape (n_topics,), or None, default=None
        Sizes of the topics, to which areas are proportional; None draws circles of equal size.
    topic_names : sequence of str, or None, default=None
        Names, shown beside the circles of the largest topics where there is space.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.
    numbers_ : list of matplotlib Annotation
        The number of each topic; one that does not fit into its circle is beside it, connected by a line.
    names_ : list of matplotlib Annotation
        The names that are shown.

    Examples
    --------
    >>> from ldavi.plotting import TopicMapDisplay
    >>> display = TopicMapDisplay.from_estimator(lda, X)  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    numbers_: list[Any]
    names_: list[Any]

    def __init__(
        self, *, coordinates: ArrayLike, shares: ArrayLike | None = None, topic_names: Sequence[str] | None = None
    ) -> None:
        self.coordinates = coordinates
        self.shares = shares
        self.topic_names = topic_names

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        X: Matrix | None = None,
        *,
        method: Literal["pcoa", "mds"] = "mds",
        distance: TopicDistance = "jensen_shannon",
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot a map of a model's topics.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
            Counts from which sizes are computed. None draws circles of equal size.
        method : {"mds", "pcoa"}, default="mds"
            See :func:`ldavi.inspection.topic_map`.
        distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
            See :func:`ldavi.inspection.topic_distances`.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's most relevant words, if words have names.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicMapDisplay

        Raises
        ------
        ValueError, TypeError
            If a parameter is not as described.
        """
        coordinates = topic_map(model, method=method, distance=distance)
        n_topics = len(topics_of(model))
        shares = None if X is None else np.asarray(topic_sizes(model, X)["share"])
        if topic_names is not None or has_word_names(model, feature_names):
            names = style.topic_names_of(model, n_topics, topic_names, feature_names)
            topic_names = names if topic_names is not None else [name.partition(style.SEPARATOR)[2] for name in names]
        return cls(coordinates=coordinates, shares=shares, topic_names=topic_names).plot(ax=ax)

    def plot(self, *, ax: Any = None, color: str = style.SKY) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure whose size grows with the number of topics.
        color : str, default="#56B4E9"
            Colour of the circles.

        Returns
        -------
        self : TopicMapDisplay
        """
        points, n_moved = compress_outliers(np.asarray(self.coordinates, dtype=float))
        shares = np.ones(len(points)) if self.shares is None else np.asarray(self.shares, dtype=float)
        side = min(style.PAGE[0], 5.0 + 0.05 * len(points))
        self.figure_, self.ax_ = style.figure_of(ax, 1.25 * side, side)
        radii = self._frame(points, shares, n_moved)
        self._circles(points, radii, color)
        largest_first = np.argsort(-shares, kind="stable")
        taken: list[Doubles] = []
        self.numbers_ = [self._number(int(k), points[k], radii[k], taken) for k in largest_first]
        self.names_ = []
        if self.topic_names is not None:
            middles, scale = self.ax_.transData.transform(points), self.figure_.dpi / 72
            circles = [np.concatenate([at - r * scale, at + r * scale]) for at, r in zip(middles, radii, strict=True)]
            names = [
                self._name(int(k), points[k], radii[k], taken, circles, rank < ALWAYS_NAMED)
                for rank, k in enumerate(largest_first)
            ]
            self.names_ = [name for name in names if name is not None]
        return self

    def _frame(self, points: Doubles, shares: Doubles, n_moved: int) -> Doubles:
        """Set the limits of the axes such that every circle fits; return the radii in points."""
        ax = self.ax_
        ax.axhline(0, color=style.PALE, linewidth=1, zorder=0)
        ax.axvline(0, color=style.PALE, linewidth=1, zorder=0)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_color(style.PALE)
        title = "Topics by distance" + ("" if self.shares is None else "; area by share of tokens")
        title += f"; {n_moved} outlier{'s' * (n_moved > 1)} moved closer" if n_moved else ""
        ax.set_title(title, fontsize=style.FONT_SIZE + 1, loc="left")
        self.figure_.draw_without_rendering()  # the size of the axes is known from here
        box = ax.get_window_extent()
        width, height = (72 / self.figure_.dpi * side for side in (box.width, box.height))
        sizes = shares / max(shares.sum(), 1e-300) * CIRCLES * width * height
        radii: Doubles = np.sqrt(np.maximum(sizes, MIN_AREA) / np.pi)
        margin = min(float(radii.max()) + MARGIN, 0.4 * min(width, height))
        low, high = points.min(axis=0), points.max(axis=0)
        sides = np.array([width, height])
        scale = float(((high - low) / (sides - 2 * margin)).max()) or 1.0  # of the distance, for a point of the page
        (left, bottom), (right, top) = ((low + high - scale * sides) / 2, (low + high + scale * sides) / 2)
        ax.set(xlim=(left, right), ylim=(bottom, top))
        ax.set_aspect("equal", adjustable="datalim")  # for windows that are resized
        return radii

    def _circles(self, points: Doubles, radii: Doubles, color: str) -> None:
        order = np.argsort(-radii, kind="stable")  # small circles are drawn over large ones
        areas = (2 * radii[order]) ** 2  # scatter takes the square around the circle
        self.ax_.scatter(
            *points[order].T, s=areas, color=color, alpha=0.55, edgecolor=style.BLUE, linewidth=0.8, zorder=2
        )

    def _number(self, k: int, point: Doubles, radius: float, taken: list[Doubles]) -> Any:
        """Write the topic's number in its circle, or at the first free position on a spiral around it."""
        text = self.ax_.annotate(
            str(k),
            point,
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=style.FONT_SIZE - 1,
            zorder=4,
            arrowprops={"arrowstyle": "-", "color": style.GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
        step = np.arange(SPIRAL)
        distance = np.where(step > 0, 0.35 * radius + 2.2 * np.sqrt(step), 0.0)
        offsets = distance[:, None] * np.column_stack([np.cos(step * GOLDEN_ANGLE), np.sin(step * GOLDEN_ANGLE)])
        place = self._put(text, offsets, taken, [])
        text.arrow_patch.set_visible(bool(place) and distance[place] > 7)
        return text

    def _name(
        self, k: int, point: Doubles, radius: float, taken: list[Doubles], circles: list[Doubles], important: bool
    ) -> Any:
        """Write the topic's name below, above or beside its circle; None if every position is occupied.

        The name of an important topic may cover circles of others.
        """
        assert self.topic_names is not None
        text = self.ax_.annotate(
            style.shorten(self.topic_names[k], 30),
            point,
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=style.FONT_SIZE - 1.5,
            color=style.GREY,
            zorder=3,
        )
        style.write([text])
        width, height = _size(text) * 72 / self.figure_.dpi / 2
        beside, above = radius + width + 3, radius + height + 1
        offsets = np.array([(0, -above), (0, above), (beside, 0), (-beside, 0)])
        others = [circle for other, circle in enumerate(circles) if other != k]
        place = self._put(text, offsets, taken, others)
        if place is None and important:
            place = self._put(text, offsets, taken, [])
        if place is None:
            text.remove()
            return None
        return text

    def _put(self, text: Any, offsets: Doubles, taken: list[Doubles], others: list[Doubles]) -> int | None:
        """Move a text by the first offset, in points, at which it overlaps nothing; return its index."""
        half = _size(text) / 2 + 1
        centre = self.ax_.transData.transform(text.xy)
        frame = self.ax_.get_window_extent()
        boxes = np.reshape([*taken, *others], (-1, 4))
        for part in chunks(len(offsets), OFFSETS_AT_ONCE):  # usually one of the first offsets is free
            position = centre + offsets[part] * self.figure_.dpi / 72
            low, high = position - half, position + half
            apart = (low[:, None] >= boxes[:, 2:]) | (high[:, None] <= boxes[:, :2])
            free = (low >= [frame.x0, frame.y0]).all(axis=1) & (high <= [frame.x1, frame.y1]).all(axis=1)
            free &= apart.any(axis=2).all(axis=1)
            if free.any():
                first = int(free.argmax())
                text.set_position(offsets[part.start + first])
                taken.append(np.concatenate([low[first], high[first]]))
                return int(part.start) + first
        return None


def _size(text: Any) -> Doubles:
    """Return the width and height of a text in pixels, without the line that connects it to its circle."""
    from matplotlib.text import Text

    box = Text.get_window_extent(text)
    return np.array([box.width, box.height])
