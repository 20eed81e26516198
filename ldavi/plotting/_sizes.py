"""Bar chart of the sizes of topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Matrix, Names
from ldavi.inspection import topic_sizes
from ldavi.plotting import _style as style


class TopicSizesDisplay:
    """Plot the topics' shares of the tokens as bars.

    Parameters
    ----------
    shares : array of shape (n_topics,)
        Share of each topic.
    topic_names : sequence of str
        A name for each topic.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.

    Examples
    --------
    >>> from ldavi.plotting import TopicSizesDisplay
    >>> display = TopicSizesDisplay.from_estimator(lda, X)  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any

    def __init__(self, *, shares: ArrayLike, topic_names: Sequence[str]) -> None:
        self.shares = shares
        self.topic_names = topic_names

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        X: Matrix | None = None,
        *,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot the sizes of a model's topics in documents.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
            Counts, documents × words. None means the documents of the fit, see :func:`ldavi.inspection.topic_sizes`.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : TopicSizesDisplay

        Raises
        ------
        ValueError
            If X is not counts of the topics' words, or is None for an array of topics.
        """
        shares = np.asarray(topic_sizes(model, X)["share"])
        names = style.topic_names_of(model, len(shares), topic_names, feature_names)
        return cls(shares=shares, topic_names=names).plot(ax=ax)

    def plot(self, *, ax: Any = None, sort: bool = True, color: str = style.BLUE) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure whose height grows with the number of topics.
        sort : bool, default=True
            Whether topics are sorted by decreasing size. False leaves their order unchanged.
        color : str, default="#0072B2"
            Colour of the bars.

        Returns
        -------
        self : TopicSizesDisplay
        """
        shares = np.asarray(self.shares, dtype=float)
        line, size = style.fitted_line(len(shares), style.PAGE[1] - 0.8)
        self.figure_, self.ax_ = style.figure_of(ax, 6.5, len(shares) * line + 0.8)
        order = np.argsort(-shares, kind="stable") if sort else np.arange(len(shares))
        place = np.arange(len(shares))
        self.ax_.barh(place, shares[order], height=0.72, color=color)
        names = [style.shorten(self.topic_names[int(k)], style.MAX_NAME) for k in order]
        self.ax_.set_yticks(place, names, fontsize=size)
        self.ax_.set_ylim(len(shares) - 0.4, -0.6)
        self.ax_.set_xlim(0, 1.15 * max(float(shares.max()), 1e-12))  # space for the number of the largest topic
        for y, share in zip(place, shares[order], strict=True):
            self.ax_.annotate(
                f"{share:.1%}",
                (share, y),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=min(size, style.FONT_SIZE - 1),
                color=style.GREY,
            )
        style.quiet(self.ax_)
        self.ax_.spines[["left", "bottom"]].set_visible(False)
        self.ax_.tick_params(axis="y", length=0, labelsize=size)
        self.ax_.set_xticks([])
        self.ax_.set_title("Share of tokens", fontsize=style.FONT_SIZE + 1, loc="left")
        style.write(self.ax_.get_yticklabels())
        return self
