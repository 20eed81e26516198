"""Heat map of the topic proportions of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Matrix, Names
from ldavi._estimator.posterior import posterior_of
from ldavi.plotting import _style as style

MAX_LABELLED = 80  # documents; more are drawn as thin rows without names
COLUMN = 0.2  # inches
MAX_NAME = 36  # characters


class DocumentTopicsDisplay:
    """Plot topic proportions of documents: a row for each document, a column for each topic.

    Parameters
    ----------
    theta : array of shape (n_docs, n_topics)
        Topic proportions.
    topic_names : sequence of str
        A name for each topic.
    document_names : sequence of str, or None, default=None
        A name for each document; None numbers them.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    ax_ : matplotlib Axes
        Its axes.
    order_ : array of shape (n_docs,)
        Documents from top to bottom.

    Examples
    --------
    >>> from ldavi.plotting import DocumentTopicsDisplay
    >>> display = DocumentTopicsDisplay.from_estimator(lda, X[:40])  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    order_: Any

    def __init__(
        self, *, theta: ArrayLike, topic_names: Sequence[str], document_names: Sequence[str] | None = None
    ) -> None:
        self.theta = theta
        self.topic_names = topic_names
        self.document_names = document_names

    @classmethod
    def from_estimator(
        cls,
        model: ModelOrTopics,
        X: Matrix,
        *,
        document_names: Sequence[str] | None = None,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot the topic proportions of documents under a model.

        Parameters
        ----------
        model : estimator or array of shape (n_topics, n_words)
            Fitted topics.
        X : array-like or sparse matrix of shape (n_docs, n_words)
            Counts, documents × words.
        document_names : sequence of str, or None, default=None
            A name for each document; None numbers them. Names are shown for up to 80 documents.
        feature_names : array-like of str of shape (n_words,), or None, default=None
            Names of the words; None takes those that the model was fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words.
        ax : matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : DocumentTopicsDisplay

        Raises
        ------
        ValueError
            If X is not counts of the topics' words, or there is not one name for each document or topic.
        """
        theta = posterior_of(model, X, None, "DocumentTopicsDisplay").theta()
        if document_names is not None:
            document_names = style.given_names("document_names", document_names, len(theta), "documents")
        names = style.topic_names_of(model, theta.shape[1], topic_names, feature_names)
        return cls(theta=theta, topic_names=names, document_names=document_names).plot(ax=ax)

    def plot(self, *, ax: Any = None, sort: bool = True, cmap: str = style.CMAP) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, or None, default=None
            None creates a figure with space for every label.
        sort : bool, default=True
            Whether documents are grouped by their largest topic. False leaves their order unchanged.
        cmap : str, default="cividis"
            Name of a colour map.

        Returns
        -------
        self : DocumentTopicsDisplay
        """
        theta = np.asarray(self.theta, dtype=float)
        n_docs, n_topics = theta.shape
        self.order_ = np.lexsort((-theta.max(axis=1), theta.argmax(axis=1))) if sort else np.arange(n_docs)
        named = n_docs <= MAX_LABELLED
        wide = n_topics * COLUMN + 3.2 > style.PAGE[0]  # then the page is in landscape format
        width, most = reversed(style.PAGE) if wide else style.PAGE
        column, column_size = style.fitted_line(n_topics, width - 3.2, style.FONT_SIZE - 1, COLUMN)
        row, row_size = style.fitted_line(n_docs, most - 2.4, style.FONT_SIZE - 1)
        height = (n_docs * row if named else min(7.0, most - 2.4)) + 2.4
        self.figure_, self.ax_ = style.figure_of(ax, max(4.5, n_topics * column + 3.2), max(height, 3.5))
        image = self.ax_.imshow(theta[self.order_], cmap=cmap, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        names = [style.shorten(name, MAX_NAME) for name in self.topic_names]
        style.heat_ticks(self.ax_, "x", names, column_size, rotation=90)
        if named:
            given = range(n_docs) if self.document_names is None else self.document_names
            style.heat_ticks(self.ax_, "y", [style.shorten(given[d], style.MAX_NAME) for d in self.order_], row_size)
            self.ax_.set_ylabel("document", fontsize=style.FONT_SIZE)
        else:
            self.ax_.set_yticks([])
            self.ax_.set_ylabel(
                f"{n_docs:,} documents" + (", by largest topic" if sort else ""), fontsize=style.FONT_SIZE
            )
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        shrink = min(1.0, 3 / height)
        style.color_bar(self.figure_, image, self.ax_, "topic proportion", shrink=shrink, anchor=(0, 1), pad=0.02)
        return self
