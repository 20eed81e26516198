"""Topics as circles of a plane, near each other where they share words."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ldavi._models import topics_of
from ldavi._typing import Doubles
from ldavi.inspection import topic_map, topic_sizes
from ldavi.plotting import _style as style

CIRCLES = 0.16  # share of the area that all circles take together
ROOM = 16.0  # points between the outermost circle and the frame: a name fits in
LEAST_AREA = 16.0  # points², so that the smallest topic can be seen
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
        circles = [np.array([*at - radius, *at + radius]) for at, radius in self._boxes(points, radii)]
        names = self.topic_names or []
        written = [self._name(names[k], points[k], radii[k], taken, circles, int(k)) for k in largest_first if len(names)]
        self.names_ = [name for name in written if name is not None]
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
        self.ax_.scatter(*points[order].T, s=areas, color=color, alpha=0.55, edgecolor=style.BLUE, linewidth=0.8, zorder=2)

    def _boxes(self, points: Doubles, radii: Doubles) -> list[tuple[Doubles, float]]:
        """Centres and radii in pixels."""
        scale = self.figure_.dpi / 72
        return [(at, float(radius * scale)) for at, radius in zip(self.ax_.transData.transform(points), radii, strict=True)]

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
        text.arrow_patch.set_visible(False)
        for step in range(400):
            reach = 0.0 if step == 0 else 0.35 * radius + 2.2 * np.sqrt(step)
            angle = step * GOLDEN_ANGLE
            text.set_position((reach * np.cos(angle), reach * np.sin(angle)))
            box = _extent(text, 1.0)
            if not _meets(box, taken) and self._inside(box):
                break
        text.arrow_patch.set_visible(bool(step) and reach > 7)
        taken.append(box)
        return text

    def _name(self, name: str, point: Doubles, radius: float, taken: list[Doubles], circles: list[Doubles], k: int) -> Any:
        """The topic's name beside its circle, if there is a side where it meets neither a text nor a circle's middle."""
        text = self.ax_.annotate(
            style.shorten(name, 30),
            point,
            (0, 0),
            textcoords="offset points",
            fontsize=style.FONT_SIZE - 1.5,
            zorder=3,
            color=style.GREY,
            va="center",
            ha="center",
        )
        style.write([text])
        width, height = np.diff(_extent(text, 0).reshape(2, 2), axis=0)[0] * 72 / self.figure_.dpi / 2
        beside, above = radius + width + 3, radius + height + 1
        for offset in ((0, -above), (0, above), (beside, 0), (-beside, 0)):
            text.set_position(offset)
            box = _extent(text, 1.0)
            own = [circle for other, circle in enumerate(circles) if other != k]
            if not _meets(box, taken) and not _meets(box, own) and self._inside(box):
                taken.append(box)
                return text
        text.remove()
        return None

    def _inside(self, box: Doubles) -> bool:
        frame = self.ax_.get_window_extent()
        return bool(box[0] >= frame.x0 and box[1] >= frame.y0 and box[2] <= frame.x1 and box[3] <= frame.y1)


def _extent(text: Any, pad: float) -> Doubles:
    """Left, bottom, right, top of a text in pixels, its line left aside."""
    from matplotlib.text import Text

    text.update_positions(text.figure._get_renderer())
    box = Text.get_window_extent(text)
    return np.array([box.x0 - pad, box.y0 - pad, box.x1 + pad, box.y1 + pad])


def _meets(box: Doubles, others: list[Doubles]) -> bool:
    """Whether a rectangle overlaps any of the others."""
    if not others:
        return False
    all_others = np.array(others)
    apart = (box[:2] >= all_others[:, 2:]).any(axis=1) | (box[2:] <= all_others[:, :2]).any(axis=1)
    return not bool(apart.all())
