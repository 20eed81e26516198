"""Bar charts of the top words of topics, a panel for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Self

import numpy as np

from ldavi._core.topics_of_model import ModelOrTopics, topic_names_of, topics_of
from ldavi._core.typing import Matrix, Names, WordScore
from ldavi._estimator import validation as check
from ldavi.inspection import top_words
from ldavi.plotting import _style as style

COMPACT = 40  # topics above which panels are small, so that 100 fit a page
MAX_WORD = 12  # characters in a small panel
LETTER = 0.085  # inches, of a bold title


@dataclass(frozen=True)
class Layout:
    """Sizes of a panel in inches, and the size of its font in points.

    Attributes
    ----------
    bar, gap, title, axis, line : float
        Width of the bars, space to the next panel, heights of the title, of the axis below and of a word.
    size : float
        Font size of the words.
    """

    bar: float = 1.25
    gap: float = 0.3
    title: float = 0.34
    axis: float = 0.42
    line: float = style.LINE
    size: float = style.FONT_SIZE

    def scaled(self, factor: float) -> Layout:
        """Return the layout with all sizes multiplied by a factor."""
        return Layout(*(factor * value for value in astuple(self)))

    def height(self, n_words: int) -> float:
        """Return the height of a panel."""
        return self.title + n_words * self.line + 0.05 + self.axis


SMALL = Layout(bar=0.55, gap=0.2, title=0.24, axis=0.06, line=0.16)
MIN_SCALE = 0.5


class TopWordsDisplay:
    """Plot the probabilities of the top words as bars, a panel for each topic.

    Parameters
    ----------
    words : sequence of n_topics sequences of str
        Words of each topic, best first.
    probabilities : sequence of n_topics sequences of float
        Their probabilities.
    topic_names : sequence of str
        Titles of the panels.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    axes_ : array of matplotlib Axes of shape (n_topics,)
        A panel for each topic.

    Examples
    --------
    >>> from ldavi.plotting import TopWordsDisplay
    >>> topics = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]
    >>> display = TopWordsDisplay.from_estimator(topics, feature_names=["cat", "sat", "dog"])  # doctest: +SKIP
    """

    figure_: Any
    axes_: Any

    def __init__(
        self, *, words: Sequence[Sequence[str]], probabilities: Sequence[Sequence[float]], topic_names: Sequence[str]
    ) -> None:
        self.words = words
        self.probabilities = probabilities
        self.topic_names = topic_names

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        *,
        n_words: int | None = None,
        topics: Sequence[int] | None = None,
        by: WordScore = "relevance",
        relevance_weight: float = 0.6,
        X: Matrix | None = None,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        axes: Any = None,
    ) -> Self:
        """Plot the top words of a model.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        n_words : int or None, default=None
            Number of words per topic; None means 10, or 5 if more than 40 topics are shown.
        topics : sequence of int, or None, default=None
            Topics to show, in this order. None shows all.
        by : {"relevance", "probability", "frex", "lift"}, default="relevance"
            The score by which words are chosen and ordered; bars always show probabilities. See
            :func:`ldavi.inspection.word_scores`.
        relevance_weight : float, default=0.6
            λ of the relevance.
        X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
            Counts, for "relevance" and "lift".
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            A name for each topic of the model; None takes those of the model, or numbers them.
        axes : sequence of matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopWordsDisplay

        Raises
        ------
        ValueError, TypeError
            If a parameter is not as described.
        """
        n_topics = len(topics_of(model))
        shown = style.chosen_topics(topics, n_topics)
        if n_words is None:
            n_words = 10 if len(shown) <= COMPACT else 5
        table = top_words(model, n_words, by=by, relevance_weight=relevance_weight, X=X, feature_names=feature_names)
        words, probabilities = (np.asarray(table[name]).reshape(n_topics, -1) for name in ("word", "probability"))
        if topic_names is None:
            own_names = topic_names_of(model) or [""] * n_topics
            topic_names = [name or f"Topic {k}" for k, name in enumerate(own_names)]
        names = style.given_names("topic_names", topic_names, n_topics, "topics")
        display = cls(
            words=[words[k].tolist() for k in shown],
            probabilities=[probabilities[k].tolist() for k in shown],
            topic_names=[names[k] for k in shown],
        )
        return display.plot(axes=axes)

    def plot(self, *, axes: Any = None, n_columns: int | None = None, color: str = style.BLUE) -> Self:
        """Draw the panels.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, or None, default=None
            One for each topic. None creates a figure with space for every word.
        n_columns : int or None, default=None
            Number of columns of panels in a new figure; None means up to five, and up to eight for many topics.
        color : str, default="#0072B2"
            Colour of the bars.

        Returns
        -------
        self : TopWordsDisplay
        """
        small = len(self.words) > COMPACT and axes is None
        labels = [[style.shorten(word, MAX_WORD if small else style.MAX_WORD) for word in own] for own in self.words]
        if n_columns is not None:
            check.check_integer("n_columns", n_columns, minimum=1)
        layout = Layout()
        if axes is not None:
            n_columns = None
            self.axes_ = style.axes_of(axes, len(labels), "topics")
            self.figure_ = self.axes_[0].figure
        else:
            self.figure_ = style.pyplot().figure(figsize=(4, 4))
            if small:
                layout, n_columns = self._page(labels, n_columns)
            n_columns = n_columns or min(len(labels), max(5, min(8, round(len(labels) ** 0.5))))
            self.axes_ = self._panels(labels, n_columns, layout)
        for ax, words, lengths, name in zip(self.axes_, labels, self.probabilities, self.topic_names, strict=False):
            self._panel(ax, words, lengths, name, color, layout, small)
        for ax in () if small else self.axes_ if n_columns is None else self.axes_[-n_columns:]:
            ax.set_xlabel("probability", fontsize=style.FONT_SIZE - 1, color=style.GREY, labelpad=1)
        return self

    def _page(self, labels: list[list[str]], n_columns: int | None) -> tuple[Layout, int]:
        """Return the layout of small panels that fit a page, and the number of columns that makes them largest."""
        words = style.widest(self.figure_, [word for own in labels for word in own], SMALL.size) + 0.12
        height = SMALL.height(max(len(own) for own in labels))
        scales = {}
        for columns in [n_columns] if n_columns else range(4, 13):
            rows = -(-len(labels) // columns)
            across = style.PAGE[0] / (columns * (words + SMALL.bar + SMALL.gap))
            scales[columns] = min(across, (style.PAGE[1] - 0.15) / (rows * height))
        best = max(scales, key=scales.__getitem__)
        return SMALL.scaled(min(1.0, max(MIN_SCALE, scales[best]))), best

    def _panels(self, labels: list[list[str]], n_columns: int, layout: Layout) -> Any:
        """Create panels that have as much space on their left as their words need."""
        figure, n_rows = self.figure_, -(-len(labels) // n_columns)
        word_widths = []
        for column in range(n_columns):
            words = [word for panel in labels[column::n_columns] for word in panel]
            word_widths.append(style.widest(figure, words, layout.size) + 0.12 * layout.size / style.FONT_SIZE)
        n_words = max(len(words) for words in labels)
        height, step = n_words * layout.line + 0.05, layout.height(n_words)
        width = sum(word_widths) + n_columns * (layout.bar + layout.gap)
        total = n_rows * step + 0.15
        figure.set_size_inches(width, total)
        axes = []
        for place in range(len(labels)):
            row, column = divmod(place, n_columns)
            left = sum(word_widths[: column + 1]) + column * (layout.bar + layout.gap)
            bottom = total - (row + 1) * step + layout.axis
            axes.append(figure.add_axes((left / width, bottom / total, layout.bar / width, height / total)))
        return np.array(axes, dtype=object)

    @staticmethod
    def _panel(
        ax: Any, words: list[str], lengths: Sequence[float], name: str, color: str, layout: Layout, small: bool
    ) -> None:
        place = np.arange(len(words))
        ax.barh(place, lengths, height=0.72, color=color)
        ax.set_yticks(place, words, fontsize=layout.size)
        ax.set_ylim(len(words) - 0.4, -0.6)
        ax.set_xlim(0, 1.05 * max(max(lengths, default=0), 1e-12))
        style.quiet(ax)
        ax.tick_params(axis="y", labelsize=layout.size)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0, pad=3 * layout.size / style.FONT_SIZE)
        ax.tick_params(axis="x", length=2, labelsize=style.FONT_SIZE - 2, colors=style.GREY)
        ax.locator_params(axis="x", nbins=2)
        if small:
            ax.set_xticks([])
            ax.spines["bottom"].set_visible(False)
        title = ax.set_title(
            style.shorten(name, int(layout.bar / LETTER * style.FONT_SIZE / layout.size) + 2 if small else 34),
            fontsize=layout.size + (0 if small else 1),
            fontweight="bold",
            loc="left",
            pad=2 if small else 4,
        )
        style.write([*ax.get_yticklabels(), title])
