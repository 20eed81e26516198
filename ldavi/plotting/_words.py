"""Bar charts of the top words of topics, a panel for each topic."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ldavi._core.topics_of_model import ModelOrTopics, topic_names_of, topics_of
from ldavi._core.typing import Matrix, Names
from ldavi._estimator import validation as check
from ldavi.inspection import top_words
from ldavi.plotting import _style as style

BAR_WIDTH = 1.25  # inches; with words and gaps a panel is about 3 inches wide
GAP = 0.3
TITLE = 0.34
AXIS = 0.42


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
        n_words: int = 10,
        topics: Sequence[int] | None = None,
        by: str = "relevance",
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
        n_words : int, default=10
            Number of words per topic.
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
        table = top_words(model, n_words, by=by, relevance_weight=relevance_weight, X=X, feature_names=feature_names)
        n_topics = len(topics_of(model))
        words, probabilities = (np.asarray(table[name]).reshape(n_topics, -1) for name in ("word", "probability"))
        if topic_names is None:
            own_names = topic_names_of(model) or [""] * n_topics
            topic_names = [name or f"Topic {k}" for k, name in enumerate(own_names)]
        names = style.given_names("topic_names", topic_names, n_topics, "topics")
        shown = style.chosen_topics(topics, n_topics)
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
        labels = [[style.shorten(word) for word in words] for words in self.words]
        if n_columns is None:
            n_columns = min(len(labels), max(5, min(8, round(len(labels) ** 0.5))))
        check.check_integer("n_columns", n_columns, minimum=1)
        if axes is None:
            self.figure_, self.axes_ = self._panels(labels, n_columns)
        else:
            self.axes_ = style.axes_of(axes, len(labels), "topics")
            self.figure_ = self.axes_[0].figure
        for ax, words, lengths, name in zip(self.axes_, labels, self.probabilities, self.topic_names, strict=False):
            self._panel(ax, words, lengths, name, color)
        for ax in self.axes_ if axes is not None else self.axes_[-n_columns:]:
            ax.set_xlabel("probability", fontsize=style.FONT_SIZE - 1, color=style.GREY, labelpad=1)
        return self

    def _panels(self, labels: list[list[str]], n_columns: int) -> tuple[Any, Any]:
        """Create a figure whose panels have as much space on their left as their words need."""
        n_rows = -(-len(labels) // n_columns)
        figure = style.pyplot().figure(figsize=(4, 4))
        word_widths = []
        for column in range(n_columns):
            words = [word for panel in labels[column::n_columns] for word in panel]
            word_widths.append(style.widest(figure, words, style.FONT_SIZE) + 0.12)
        height = max(len(words) for words in labels) * style.LINE + 0.05
        width = sum(word_widths) + n_columns * (BAR_WIDTH + GAP)
        total = n_rows * (TITLE + height + AXIS) + 0.15
        figure.set_size_inches(width, total)
        axes = []
        for place in range(len(labels)):
            row, column = divmod(place, n_columns)
            left = sum(word_widths[: column + 1]) + column * (BAR_WIDTH + GAP)
            bottom = total - (row + 1) * (TITLE + height + AXIS) + AXIS
            axes.append(figure.add_axes((left / width, bottom / total, BAR_WIDTH / width, height / total)))
        return figure, np.array(axes, dtype=object)

    @staticmethod
    def _panel(ax: Any, words: list[str], lengths: Sequence[float], name: str, color: str) -> None:
        place = np.arange(len(words))
        ax.barh(place, lengths, height=0.72, color=color)
        ax.set_yticks(place, words, fontsize=style.FONT_SIZE)
        ax.set_ylim(len(words) - 0.4, -0.6)
        ax.set_xlim(0, 1.05 * max(max(lengths, default=0), 1e-12))
        style.quiet(ax)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0, pad=3)
        ax.tick_params(axis="x", length=2, labelsize=style.FONT_SIZE - 2, colors=style.GREY)
        ax.locator_params(axis="x", nbins=2)
        title = ax.set_title(
            style.shorten(name, 34), fontsize=style.FONT_SIZE + 1, fontweight="bold", loc="left", pad=4
        )
        style.write([*ax.get_yticklabels(), title])
