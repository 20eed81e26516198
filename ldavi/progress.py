"""Show the progress of a fit or of other counted work: a tqdm bar where tqdm is installed, plain lines otherwise."""

import importlib.util
import math
import sys
import time
from typing import Any, Self

from ldavi._inference.trace import TraceRecord, relative_gain

__all__ = ["ProgressBar"]

NAMED_PHASES = {"warmup": "warm-up", "collapsed": "collapsed pass", "final": "exact ELBO"}


class ProgressBar:
    """A callback that shows each pass of a fit.

    With tqdm (`pip install "ldavi[cli]"`) it draws a bar, which is a widget in a notebook that has ipywidgets. Without
    tqdm it writes lines to standard error. Each fit, and each of `n_init` restarts, has a bar of its own.

    Parameters
    ----------
    total : int or None, default=None
        Number of passes, `max_iter` of an estimator with `tol=None`. None only counts: a fit that stops when it has
        converged has no known end.
    interval : float, default=0.5
        Minimum number of seconds between two updates.

    Examples
    --------
    >>> from ldavi import LatentDirichletAllocation, progress
    >>> with progress.ProgressBar() as bar:  # doctest: +SKIP
    ...     lda = LatentDirichletAllocation(20, callbacks=bar).fit(X)
    """

    def __init__(self, total: int | None = None, interval: float = 0.5) -> None:
        self.total = total
        self.interval = interval
        self._display: ProgressDisplay | None = None
        self._last: TraceRecord | None = None

    def __call__(self, record: TraceRecord) -> None:
        """Show a pass.

        Parameters
        ----------
        record : TraceRecord
            The record of the pass that has just ended.
        """
        if self._last is not None and record.iteration <= self._last.iteration:
            self.close()  # another fit has begun
        if self._display is None:
            self._display = ProgressDisplay("fit", "pass", self.total, interval=self.interval)
        n_before = 0 if self._last is None else self._last.iteration
        self._display.advance(record.iteration - n_before, pass_note(record, self._last))
        self._last = record

    def close(self) -> None:
        """End the bar, as the end of a `with` block does. The next fit begins a new one."""
        if self._display is not None:
            self._display.close()
        self._display, self._last = None, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the display, so that an estimator with this callback can be cloned, copied and pickled."""
        return self.__dict__ | {"_display": None, "_last": None}


def pass_note(record: TraceRecord, before: TraceRecord | None, tol: float | None = None) -> str:
    """Return what a display shows about a pass: "gain 2.3e-05 (ends below 1e-05), perplexity 912.0".

    The gain is that of the ELBO, relative to its value, in the phase in which it decides whether the fit has converged.
    Other phases are named.
    """
    perplexity = f"perplexity {record.perplexity:,.1f}"
    if record.phase in NAMED_PHASES:
        return f"{NAMED_PHASES[record.phase]}, {perplexity}"
    gain = math.inf if before is None else relative_gain(before, record)
    if not math.isfinite(gain):
        return perplexity
    limit = f" (ends below {tol:g})" if tol and record.phase == "monotone" else ""
    return f"gain {gain:.1e}{limit}, {perplexity}"


class ProgressDisplay:
    """Show on standard error how many steps of some work are done.

    Parameters
    ----------
    title : str
        The work.
    unit : str
        What is counted, in the singular: "pass", "document".
    total : int or None, default=None
        The number of steps, if it is known.
    initial : int, default=0
        Steps that were done before.
    delay : float, default=0.0
        Seconds before anything is shown. A bar with a delay disappears at the end; infinity shows nothing.
    interval : float, default=0.5
        Minimum number of seconds between two updates.
    use_tqdm : bool, default=True
        Whether to draw a bar where tqdm is installed. False always writes lines.

    Attributes
    ----------
    done : int
        Steps that are done.
    """

    def __init__(
        self,
        title: str,
        unit: str,
        total: int | None = None,
        *,
        initial: int = 0,
        delay: float = 0.0,
        interval: float = 0.5,
        use_tqdm: bool = True,
    ) -> None:
        self.title, self.unit, self.total = title, unit, total
        self.done = self._initial = initial
        self._delay, self._interval = delay, interval
        self._start, self._shown = time.monotonic(), -math.inf
        self._bar: Any = None
        if use_tqdm and math.isfinite(delay) and importlib.util.find_spec("tqdm") is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                desc=title,
                unit=f" {unit}",
                total=total,
                initial=initial,
                delay=delay,
                mininterval=interval,
                leave=not delay,
            )

    def advance(self, number: int = 1, note: str = "") -> None:
        """Count further steps as done.

        Parameters
        ----------
        number : int, default=1
            How many.
        note : str, default=""
            Text to show beside the count.
        """
        self.done += number
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(number)
            return
        now = time.monotonic()
        if now - self._start >= self._delay and now - self._shown >= self._interval:
            self._shown = now
            print(self._line(now - self._start, note), file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self, seconds: float, note: str) -> str:
        """Return "fit: pass 30 of 100, perplexity 912.0, 10.0 s, 0:23 left"."""
        of_total = "" if self.total is None else f" of {self.total:,}"
        parts = [f"{self.title}: {self.unit} {self.done:,}{of_total}", *([note] if note else []), f"{seconds:.1f} s"]
        done_here = self.done - self._initial
        if self.total is not None and done_here > 0:
            minutes, rest = divmod(round(max(0, self.total - self.done) * seconds / done_here), 60)
            parts.append(f"{minutes}:{rest:02d} left")
        return ", ".join(parts)
