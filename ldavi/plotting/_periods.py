"""Share and change of topics over consecutive periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.typing import Doubles, Names
from ldavi.plotting import _style as style

PANELS = (("share", "share of tokens"), ("change", "change of words"))


class PeriodsDisplay:
    """Plot the share of topics over periods, and below it how much their words change from each period to the next.

    Parameters
    ----------
    periods : array of shape (n_periods,)
        Labels of the periods, numbers or texts.
    share : array of shape (n_periods, n_topics)
        Share of each topic in the tokens of a period.
    change : array of shape (n_periods, n_topics)
        Distance of each topic from that of the period before; NaN in the first.
    topic_names : sequence of str
        A name for each topic.
    topics : sequence of int or None, default=None
        Topics to show; None shows the seven whose share varies most.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    axes_ : array of two matplotlib Axes
        The panels of share and change.
    topics_ : list of int
        The topics that are shown.

    Examples
    --------
    >>> from ldavi.plotting import PeriodsDisplay
    >>> display = PeriodsDisplay.from_periods(result)  # doctest: +SKIP
    """

    figure_: Any
    axes_: Any
    topics_: list[int]

    def __init__(
        self,
        *,
        periods: ArrayLike,
        share: ArrayLike,
        change: ArrayLike,
        topic_names: Sequence[str],
        topics: Sequence[int] | None = None,
    ) -> None:
        self.periods = periods
        self.share = share
        self.change = change
        self.topic_names = topic_names
        self.topics = topics

    @classmethod
    def from_periods(
        cls,
        result: Any,
        *,
        topics: Sequence[int] | None = None,
        feature_names: Names | None = None,
        topic_names: Sequence[str] | None = None,
        axes: Any = None,
    ) -> Self:
        """Plot the result of :func:`ldavi.selection.fit_periods`.

        Parameters
        ----------
        result : ldavi.selection.Periods
            Fits of consecutive periods.
        topics : sequence of int or None, default=None
            Topics to show; None shows the seven whose share varies most.
        feature_names : array-like of str of shape (n_features,), or None, default=None
            Names of the words; None takes those that the models were fitted with.
        topic_names : sequence of str, or None, default=None
            None takes each topic's number and most relevant words in the last period.
        axes : sequence of two matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : PeriodsDisplay

        Raises
        ------
        ValueError
            If a topic does not exist, or there is not one name for each.
        """
        n_periods, n_topics = len(result.periods), result.models[0].n_components
        share, change = (
            np.asarray(result.table[name], dtype=float).reshape(n_periods, n_topics) for name in ("share", "change")
        )
        names = style.topic_names_of(result.models[-1], n_topics, topic_names, feature_names)
        display = cls(periods=result.periods, share=share, change=change, topic_names=names, topics=topics)
        return display.plot(axes=axes)

    def plot(self, *, axes: Any = None) -> Self:
        """Draw the two panels.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, or None, default=None
            None creates a figure.

        Returns
        -------
        self : PeriodsDisplay

        Raises
        ------
        ValueError
            If a topic does not exist, there is not one name for each, or too few axes are given.
        """
        share = np.asarray(self.share, dtype=float)
        names = style.given_names("topic_names", self.topic_names, share.shape[1], "topics")
        if self.topics is None:
            varied = np.argsort(-np.ptp(share, axis=0), kind="stable")[: len(style.COLORS)]
            self.topics_ = sorted(varied.tolist())
        else:
            self.topics_ = style.chosen_topics(self.topics, share.shape[1])
        if axes is None:
            self.figure_, self.axes_ = style.pyplot().subplots(
                2, 1, figsize=(7.5, 5.0), sharex=True, layout="constrained", height_ratios=(3, 2)
            )
        else:
            self.axes_ = style.axes_of(axes, 2, "panels")
            self.figure_ = self.axes_[0].figure
        for ax, (name, label) in zip(self.axes_, PANELS, strict=True):
            self._panel(ax, np.asarray(getattr(self, name), dtype=float), label, names)
        self._label_periods()
        legend = self.axes_[0].legend(
            loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, fontsize=style.FONT_SIZE - 1
        )
        style.write(legend.get_texts())
        return self

    def _panel(self, ax: Any, values: Doubles, label: str, names: Sequence[str]) -> None:
        for i, k in enumerate(self.topics_):
            color = style.COLORS[i % len(style.COLORS)]
            dashes = "-" if i < len(style.COLORS) else "--"
            name = style.shorten(names[k], style.MAX_NAME)
            ax.plot(self._places(), values[:, k], dashes, marker="o", markersize=3, color=color, label=name)
        ax.set_ylim(bottom=0)
        ax.set_ylabel(label, fontsize=style.FONT_SIZE)
        style.quiet(ax, grid="y")

    def _places(self) -> Doubles:
        """Return where each period is on the axis: at its number, or one after the other."""
        periods = np.asarray(self.periods)
        return periods.astype(float) if periods.dtype.kind in "iuf" else np.arange(len(periods), dtype=float)

    def _label_periods(self) -> None:
        periods = np.asarray(self.periods)
        ax = self.axes_[-1]
        if periods.dtype.kind in "iu" and len(periods) > 12:
            return
        every = -(-len(periods) // 12)
        labels = [style.shorten(label) for label in periods[::every].tolist()]
        ax.set_xticks(self._places()[::every], labels, fontsize=style.FONT_SIZE)
        style.write(ax.get_xticklabels())
