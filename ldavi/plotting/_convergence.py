"""ELBO and its terms after each pass, with the phases of the fit."""

import itertools
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ldavi._core.library_models import fitted_model
from ldavi._core.typing import Doubles
from ldavi.plotting import _style as style

PANELS = {
    "elbo": "ELBO",
    "word": "words",
    "doc_topic": "topics of\ndocuments",
    "topic_word": "words of\ntopics",
    "gain": "relative gain\nof the ELBO",
}
PHASES = {
    "warmup": style.ORANGE,
    "collapsed": style.PURPLE,
    "monotone": style.BLUE,
    "online": style.GREEN,
    "final": style.VERMILION,
}
PHASE_NAMES = {
    "warmup": "warm-up",
    "collapsed": "collapsed (no bound)",
    "monotone": "monotone",
    "online": "online (estimates)",
    "final": "final",
}
MARKERS = {"warmup": "o", "collapsed": "v", "monotone": "s", "online": "^", "final": "D"}


class ConvergenceDisplay:
    """Plot the ELBO, its terms and its gains over the passes of a fit; colour, marker and shading mark phases.

    Parameters
    ----------
    trace : structured array or DataFrame
        Records of passes with the fields of :class:`ldavi.TraceRecord`, as in `elbo_trace_`.
    tol : float or None, default=None
        Relative gain at which a fit has converged.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure of the last plot.
    axes_ : array of matplotlib Axes of shape (5,)
        ELBO, words, topics of documents, words of topics, in nats; the relative gain of each pass over the previous
        one, on a logarithmic scale, with the tolerance where it is known. Passes without gain, and the first pass of
        each phase, are not drawn there.

    Examples
    --------
    >>> from ldavi.plotting import ConvergenceDisplay
    >>> display = ConvergenceDisplay.from_estimator(lda)  # doctest: +SKIP
    """

    figure_: Any
    axes_: Any

    def __init__(self, *, trace: Any, tol: float | None = None) -> None:
        self.trace = trace
        self.tol = tol

    @classmethod
    def from_estimator(cls, model: Any, *, x: Literal["iteration", "seconds"] = "iteration", axes: Any = None) -> Self:
        """Plot the trace of a fitted model.

        Parameters
        ----------
        model : LatentDirichletAllocation
            A fitted estimator of this package; others have no trace.
        x : {"iteration", "seconds"}, default="iteration"
            As for `plot`.
        axes : sequence of five matplotlib Axes, or None, default=None
            As for `plot`.

        Returns
        -------
        display : ConvergenceDisplay

        Raises
        ------
        TypeError
            If the model has no `elbo_trace_`.
        """
        model = fitted_model(model)
        trace = getattr(model, "elbo_trace_", None)
        if trace is None:
            raise TypeError(
                f"{type(model).__name__} has no elbo_trace_: pass a LatentDirichletAllocation of ldavi after fit"
            )
        return cls(trace=trace, tol=getattr(model, "tol", None)).plot(x=x, axes=axes)

    def plot(self, *, x: Literal["iteration", "seconds"] = "iteration", axes: Any = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        x : {"iteration", "seconds"}, default="iteration"
            The horizontal axis.
        axes : sequence of five matplotlib Axes, or None, default=None
            None creates a figure.

        Returns
        -------
        self : ConvergenceDisplay
        """
        if x not in ("iteration", "seconds"):
            raise ValueError(f"x={x!r} must be 'iteration' or 'seconds'")
        if axes is None:
            self.figure_, self.axes_ = style.pyplot().subplots(
                len(PANELS), 1, figsize=(7, 7.6), sharex=True, height_ratios=(2, 1, 1, 1, 1.4), layout="constrained"
            )
        else:
            self.axes_ = style.axes_of(axes, len(PANELS), "panels")
            self.figure_ = self.axes_[0].figure
        phase, at = np.asarray(self.trace["phase"]).astype(str), np.asarray(self.trace[x], dtype=float)
        for ax, (field, title) in zip(self.axes_, PANELS.items(), strict=True):
            self._panel(ax, at, self._values(field, phase), phase)
            ax.set_ylabel(title, fontsize=style.FONT_SIZE)
        self._scale_gains(self.axes_[-1])
        bottom = self.axes_[-1]
        bottom.set_xlabel("pass" if x == "iteration" else "seconds", fontsize=style.FONT_SIZE)
        if x == "iteration":
            bottom.xaxis.get_major_locator().set_params(integer=True)
        self._legend(phase)
        return self

    def _values(self, field: str, phase: NDArray[np.str_]) -> Doubles:
        if field != "gain":
            return np.asarray(self.trace[field], dtype=float)
        elbo = np.asarray(self.trace["elbo"], dtype=float)
        gain = np.full(len(elbo), np.nan)
        gain[1:] = np.diff(elbo) / np.abs(elbo[1:])
        gain[1:][phase[1:] != phase[:-1]] = np.nan  # values of different phases are not comparable
        gain[~(gain > 0)] = np.nan
        return gain

    def _scale_gains(self, ax: Any) -> None:
        from matplotlib.ticker import FuncFormatter, LogLocator

        gains = ax.lines[0].get_ydata()
        gains = gains[np.isfinite(gains)]
        wide = len(gains) > 0 and gains.max() > 30 * gains.min()
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=5))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda gain, _: f"{gain:.0e}"))
        ax.minorticks_off()
        if self.tol:
            ax.axhline(self.tol, color=style.GREY, linewidth=1, linestyle="--")
            ax.annotate(
                f"tol = {self.tol:g}",
                (0, self.tol),
                (3, 2),
                xycoords=ax.get_yaxis_transform(),
                textcoords="offset points",
                ha="left",
                va="bottom",
                fontsize=style.FONT_SIZE - 1,
                color=style.GREY,
            )

    @staticmethod
    def _panel(ax: Any, at: Doubles, values: Doubles, phase: NDArray[np.str_]) -> None:
        from matplotlib.ticker import EngFormatter

        ax.plot(at, values, color=style.GREY, linewidth=0.8, zorder=1)
        starts = [0, *(np.flatnonzero(phase[1:] != phase[:-1]) + 1).tolist(), len(phase)]
        middle = (at[1:] + at[:-1]) / 2
        for begin, end in itertools.pairwise(starts):
            name = str(phase[begin])
            color = PHASES.get(name, style.BLACK)
            ax.plot(
                at[begin:end],
                values[begin:end],
                MARKERS.get(name, "o"),
                color=color,
                markersize=4,
                markeredgecolor="white",
                markeredgewidth=0.4,
            )
            left = middle[begin - 1] if begin else at[0] - (at[-1] - at[0]) / 50
            right = middle[end - 1] if end < len(at) else at[-1] + (at[-1] - at[0]) / 50
            ax.axvspan(left, right, color=color, alpha=0.1, linewidth=0, zorder=0)
        if len(at) > 1 and at[-1] > at[0]:
            ax.set_xlim(at[0] - (at[-1] - at[0]) / 50, at[-1] + (at[-1] - at[0]) / 50)
        style.quiet(ax, grid="y")
        ax.locator_params(axis="y", nbins=4)
        ax.yaxis.set_major_formatter(EngFormatter(sep=" "))

    def _legend(self, phase: NDArray[np.str_]) -> None:
        from matplotlib.lines import Line2D

        names = list(dict.fromkeys(phase.tolist()))
        handles = [
            Line2D(
                [],
                [],
                linestyle="",
                marker=MARKERS.get(name, "o"),
                color=PHASES.get(name, style.BLACK),
                label=PHASE_NAMES.get(name, name),
            )
            for name in names
        ]
        self.axes_[0].legend(
            handles=handles,
            ncols=len(handles),
            loc="lower right",
            bbox_to_anchor=(1, 1),
            frameon=False,
            fontsize=style.FONT_SIZE,
            borderaxespad=0.2,
            handletextpad=0.2,
        )
        pad = 6 if len(handles) < 3 else 24  # points; a long legend needs the whole width
        self.axes_[0].set_title("Evidence lower bound by term, nats", fontsize=style.FONT_SIZE + 1, loc="left", pad=pad)
