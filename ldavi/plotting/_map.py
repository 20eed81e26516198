"""Topics as circles of a plane, near each other where they share words."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles
from ldavi.inspection import topic_map, topic_sizes
from ldavi.plotting import _style as style

CIRCLES = 0.16  # share of the area that all circles take together
ROOM = 16.0  # points between the outermost circle and the frame: a name fits in
LEAST_AREA = 16.0  # points², so that the smallest topic can be seen
OFFSETS_AT_ONCE = 32
SPIRAL = 4000  # places that are tried for a number
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class TopicMapDisplay:
    """Topics as numbered circles: position by the distances between topics, area by size.

    Parameters
    ----------
    coordinates : array of shape (n_topics, 2)
        Positions, as of :func:`ldavi.inspection.topic_map`.
    shares : array of shape (n_topics,), or None, default=None
        Sizes of the topics, to which areas are in proportion; None draws all alike.
    topic_names : sequence of str, or None, default=None
        Names, written beside the circles of the largest topics as far as there is room.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.
    numbers_ : list of matplotlib Annotation
        The number of each topic; one that finds no room in its circle stands beside it, with a line.
    names_ : list of matplotlib Annotation
        The names that are written.

    Examples
    --------
    >>> from ldavi.plotting import TopicMapDisplay
    >>> display = TopicMapDisplay.from_estimator(lda, X)  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    numbers_: list[Any]
    names_: list[Any]

    def __init__(self, *, coordinates: Any, shares: Any = None, topic_names: Sequence[str] | None = None) -> None:
        self.coordinates = coordinates
        self.shares = shares
        self.topic_names = topic_names

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any = None,
        *,
        method: str = "mds",
        distance: str = "jensen_shannon",
        feature_names: Any = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """A map of a model's topics, plotted.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
            Counts from which sizes are taken. None draws all topics alike.
        method : {"mds", "pcoa"}, default="mds"
            See :func:`ldavi.inspection.topic_map`.
        distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
            See :func:`ldavi.inspection.topic_distances`.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes a topic's first words, if words have names.
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
        if topic_names is not None or style.has_word_names(model, feature_names):
            names = style.topic_names_of(model, n_topics, topic_names, feature_names)
            topic_names = names if topic_names is not None else [name.partition(style.SEPARATOR)[2] for name in names]
        return cls(coordinates=coordinates, shares=shares, topic_names=topic_names).plot(ax=ax)

    def plot(self, *, ax: Any = None, color: str = style.SKY) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None makes a figure that grows with the number of topics.
        color : str, default="#56B4E9"
            Colour of the circles.

        Returns
        -------
        self : TopicMapDisplay
        """
        points = np.asarray(self.coordinates, dtype=float)
        shares = np.ones(len(points)) if self.shares is None else np.asarray(self.shares, dtype=float)
        side = min(12.0, 5.0 + 0.05 * len(points))
        self.figure_, self.ax_ = style.figure_of(ax, 1.25 * side, side)
        radii = self._frame(points, shares)
        self._circles(points, radii, color)
        largest_first = np.argsort(-shares, kind="stable")
        taken: list[Doubles] = []
        self.numbers_ = [self._number(int(k), points[k], radii[k], taken) for k in largest_first]
        self.names_ = []
        if self.topic_names is not None:
            middles, scale = self.ax_.transData.transform(points), self.figure_.dpi / 72
            circles = [np.concatenate([at - r * scale, at + r * scale]) for at, r in zip(middles, radii, strict=True)]
            names = [self._name(int(k), points[k], radii[k], taken, circles) for k in largest_first]
            self.names_ = [name for name in names if name is not None]
        return self

    def _frame(self, points: Doubles, shares: Doubles) -> Doubles:
        """Axes with room for every circle; returns the radii in points."""
        ax = self.ax_
        ax.axhline(0, color=style.PALE, linewidth=1, zorder=0)
        ax.axvline(0, color=style.PALE, linewidth=1, zorder=0)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_color(style.PALE)
        title = "Topics by distance" + ("" if self.shares is None else "; area by share of tokens")
        ax.set_title(title, fontsize=style.FONT_SIZE + 1, loc="left")
        self.figure_.draw_without_rendering()  # the size of the axes is known from here
        box = ax.get_window_extent()
        width, height = (72 / self.figure_.dpi * side for side in (box.width, box.height))
        sizes = shares / max(shares.sum(), 1e-300) * CIRCLES * width * height
        radii: Doubles = np.sqrt(np.maximum(sizes, LEAST_AREA) / np.pi)
        room = min(float(radii.max()) + ROOM, 0.4 * min(width, height))
        low, high = points.min(axis=0), points.max(axis=0)
        sides = np.array([width, height])
        scale = float(((high - low) / (sides - 2 * room)).max()) or 1.0  # of the distance, for a point of the page
        (left, bottom), (right, top) = ((low + high - scale * sides) / 2, (low + high + scale * sides) / 2)
        ax.set(xlim=(left, right), ylim=(bottom, top))
        ax.set_aspect("equal", adjustable="datalim")  # for windows whose size is changed
        return radii

    def _circles(self, points: Doubles, radii: Doubles, color: str) -> None:
        order = np.argsort(-radii, kind="stable")  # small circles lie on large ones
        areas = (2 * radii[order]) ** 2  # scatter takes the square around the circle
        self.ax_.scatter(
            *points[order].T, s=areas, color=color, alpha=0.55, edgecolor=style.BLUE, linewidth=0.8, zorder=2
        )

    def _number(self, k: int, point: Doubles, radius: float, taken: list[Doubles]) -> Any:
        """The topic's number in its circle, or on a spiral out of it where it meets no other."""
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
        reach = np.where(step > 0, 0.35 * radius + 2.2 * np.sqrt(step), 0.0)
        offsets = reach[:, None] * np.column_stack([np.cos(step * GOLDEN_ANGLE), np.sin(step * GOLDEN_ANGLE)])
        place = self._put(text, offsets, taken, [])
        text.arrow_patch.set_visible(bool(place) and reach[place] > 7)
        return text

    def _name(self, k: int, point: Doubles, radius: float, taken: list[Doubles], circles: list[Doubles]) -> Any:
        """The topic's name below, above or beside its circle, or None where it meets a text or another circle everywhere."""
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
        if self._put(text, offsets, taken, others) is None:
            text.remove()
            return None
        return text

    def _put(self, text: Any, offsets: Doubles, taken: list[Doubles], others: list[Doubles]) -> int | None:
        """Move a text by the first offset, in points, where it is within the frame and meets no rectangle; say which."""
        half = _size(text) / 2 + 1
        centre = self.ax_.transData.transform(text.xy)
        frame = self.ax_.get_window_extent()
        boxes = np.reshape([*taken, *others], (-1, 4))
        for start in range(0, len(offsets), OFFSETS_AT_ONCE):  # the first ones serve most texts
            at = centre + offsets[start : start + OFFSETS_AT_ONCE] * self.figure_.dpi / 72
            low, high = at - half, at + half
            apart = (low[:, None] >= boxes[:, 2:]) | (high[:, None] <= boxes[:, :2])
            free = (low >= [frame.x0, frame.y0]).all(axis=1) & (high <= [frame.x1, frame.y1]).all(axis=1)
            free &= apart.any(axis=2).all(axis=1)
            if free.any():
                place = int(free.argmax())
                text.set_position(offsets[start + place])
                taken.append(np.concatenate([low[place], high[place]]))
                return start + place
        return None


def _size(text: Any) -> Doubles:
    """Width and height of a text in pixels, its line left aside."""
    from matplotlib.text import Text

    box = Text.get_window_extent(text)
    return np.array([box.width, box.height])
