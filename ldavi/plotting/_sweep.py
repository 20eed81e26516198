"""Curves of evaluation measures over the number of topics, with error bars."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ldavi._core.typing import Doubles
from ldavi.plotting import _style as style

MEASURES = {  # whether lower or higher is better, and the title of the panel
    "perplexity": ("lower", "held-out perplexity"),
    "log_likelihood": ("higher", "held-out log likelihood per token, nats"),
    "gap": ("lower", "held-out nats per token below the best"),
    "coherence": ("higher", "coherence"),
    "diversity": ("higher", "diversity"),
    "exclusivity": ("higher", "exclusivity"),
    "stability": ("higher", "stability"),
    "seconds": ("", "seconds"),
}
ERROR = "_std_error"


class SweepDisplay:
    """Plot measures over the number of topics, a panel for each measure.

    Parameters
    ----------
    table : DataFrame, structured array or mapping of columns
        With a column `n_components`, and columns of measures: perplexity, log_likelihood, gap, coherence, diversity,
        exclusivity, stability, seconds, or any other numeric ones. A column "m_std_error" is the standard error of the
        column "m". Several rows with the same `n_components` (seeds, folds) are averaged; error bars are then the
        standard error of that mean.
    measures : sequence of str, or None, default=None
        Columns to show; None shows all measures listed above that the table has.
    recommended : int or None, default=None
        A number of topics to mark with a vertical line in each panel.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    axes_ : array of matplotlib Axes of shape (n_measures,)
        A panel for each measure.

    Examples
    --------
    >>> from ldavi.plotting import SweepDisplay
    >>> table = {"n_components": [5, 10, 20], "perplexity": [920.0, 850.0, 861.0]}
    >>> display = SweepDisplay.from_table(table)  # doctest: +SKIP
    """

    figure_: Any
    axes_: Any

    def __init__(self, *, table: Any, measures: Sequence[str] | None = None, recommended: int | None = None) -> None:
        self.table = table
        self.measures = measures
        self.recommended = recommended

    @classmethod
    def from_table(cls, table: Any, *, measures: Sequence[str] | None = None, axes: Any = None) -> Self:
        """Plot the measures of a table.

        Parameters
        ----------
        table : DataFrame, structured array or mapping of columns
            As for the class.
        measures : sequence of str, or None, default=None
            Columns to show; None shows all known measures that the table has.
        axes : sequence of matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : SweepDisplay

        Raises
        ------
        ValueError
            If the table lacks n_components, or a measure.
        """
        return cls(table=table, measures=measures).plot(axes=axes)

    @classmethod
    def from_sweep(
        cls, sweep: Any, *, rule: str = "one_standard_error", measures: Sequence[str] | None = None, axes: Any = None
    ) -> Self:
        """Plot the measures of a sweep, and mark the number of topics that it recommends.

        Parameters
        ----------
        sweep : ldavi.selection.Sweep
            The result of :func:`ldavi.selection.sweep`.
        rule : {"one_standard_error", "best", "coherence", "likelihood_and_coherence"}, default="one_standard_error"
            The rule of the recommendation, see :meth:`ldavi.selection.Sweep.recommend`.
        measures : sequence of str, or None, default=None
            Columns of its table to show; None shows all known measures except log_likelihood.
        axes : sequence of matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : SweepDisplay

        Raises
        ------
        ValueError
            If there is no such measure, or the sweep has no recommendation.
        """
        if measures is None:
            measures = [name for name in MEASURES if name != "log_likelihood"]
        recommended = sweep.recommend(rule).n_components
        return cls(table=sweep.table, measures=measures, recommended=recommended).plot(axes=axes)

    def plot(self, *, axes: Any = None, color: str = style.BLUE) -> Self:
        """Draw the curves; a ring marks the best mean of measures with a known direction.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, or None, default=None
            One for each measure. None creates a figure.
        color : str, default="#0072B2"
            Colour of the curves.

        Returns
        -------
        self : SweepDisplay
        """
        measures = self._shown()
        if axes is None:
            n_columns = min(3, len(measures))
            n_rows = -(-len(measures) // n_columns)
            self.figure_, grid = style.pyplot().subplots(
                n_rows, n_columns, figsize=(3.3 * n_columns + 0.3, 2.6 * n_rows), layout="constrained", squeeze=False
            )
            self.axes_ = grid.ravel()[: len(measures)]
            for spare in grid.ravel()[len(measures) :]:
                spare.remove()
        else:
            self.axes_ = style.axes_of(axes, len(measures), "measures")
            self.figure_ = self.axes_[0].figure
        for ax, measure in zip(self.axes_, measures, strict=True):
            self._panel(ax, measure, color)
        return self

    def _columns(self) -> list[str]:
        names = getattr(self.table, "columns", None)
        if names is None:
            names = self.table.dtype.names if hasattr(self.table, "dtype") else self.table.keys()
        return [str(name) for name in names]

    def _shown(self) -> list[str]:
        columns = self._columns()
        if "n_components" not in columns:
            raise ValueError(f"table has the columns {columns}; it needs n_components, the numbers of topics")
        shown = [name for name in MEASURES if name in columns] if self.measures is None else list(self.measures)
        missing = [name for name in shown if name not in columns]
        if missing or not shown:
            raise ValueError(f"measures={self.measures!r} must name columns of the table, which are {columns}")
        return shown

    def _curve(self, measure: str) -> tuple[Doubles, Doubles, Doubles]:
        """Return the numbers of topics, means and standard errors, NaN where unknown."""
        every = np.asarray(self.table["n_components"], dtype=float)
        values = np.asarray(self.table[measure], dtype=float)
        error = f"{measure}{ERROR}"
        errors = (
            np.asarray(self.table[error], dtype=float) if error in self._columns() else np.full(len(values), np.nan)
        )
        at = np.unique(every)
        means, spread = np.empty(len(at)), np.empty(len(at))
        for place, n in enumerate(at):
            own = values[every == n]
            means[place] = own.mean()
            spread[place] = own.std(ddof=1) / np.sqrt(len(own)) if len(own) > 1 else errors[every == n][0]
        return at, means, spread

    def _panel(self, ax: Any, measure: str, color: str) -> None:
        at, means, errors = self._curve(measure)
        better, title = MEASURES.get(measure, ("", measure.replace("_", " ")))
        ax.errorbar(
            at,
            means,
            np.where(np.isfinite(errors), errors, 0),
            color=color,
            marker="o",
            markersize=4.5,
            linewidth=1.6,
            elinewidth=1.2,
            capsize=3,
        )
        if better and np.isfinite(means).any():
            best = int(np.nanargmin(means) if better == "lower" else np.nanargmax(means))
            ax.plot(
                at[best],
                means[best],
                "o",
                markersize=12,
                markerfacecolor="none",
                markeredgecolor=style.VERMILION,
                mew=1.6,
            )
        if self.recommended is not None:
            ax.axvline(self.recommended, color=style.GREY, linestyle="--", linewidth=1, zorder=0)
        style.quiet(ax, grid="y")
        ax.margins(x=0.08, y=0.15)
        self._scale_topics(ax, at)
        heading = ax.set_title(title, fontsize=style.FONT_SIZE + 1, loc="left", pad=16)
        note = f"{better} is better" if better else ""
        small = ax.annotate(
            note,
            (0, 1),
            (0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=style.FONT_SIZE - 1.5,
            color=style.GREY,
        )
        style.write([heading, small])

    @staticmethod
    def _scale_topics(ax: Any, at: Doubles) -> None:
        """Label the numbers of topics, at most eight, on a logarithmic scale if they cover a wide range."""
        if len(at) > 2 and at[0] > 0 and at[-1] / at[0] >= 8:
            ax.set_xscale("log")
            ax.minorticks_off()
        ax.set_xticks(at, [f"{n:g}" for n in at])
        if len(at) > 8:
            ax.set_xticks(at[:: -(-len(at) // 8)], [f"{n:g}" for n in at[:: -(-len(at) // 8)]])
        ax.set_xlabel("topics", fontsize=style.FONT_SIZE)
