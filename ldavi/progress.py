"""Progress of a fit, in a notebook or on a terminal: a bar of tqdm where it is installed, else lines."""

import importlib.util
import sys
import time
from typing import Any, Self

from ldavi._inference.trace import TraceRecord

__all__ = ["ProgressBar"]


class ProgressBar:
    """A callback that shows each pass of a fit.

    With tqdm (`pip install "ldavi[cli]"`) a bar, which in a notebook is a widget where ipywidgets is installed; without it
    lines on standard error. Each fit, and each of `n_init` starts, has a bar of its own.

    Parameters
    ----------
    total : int or None, default=None
        Passes that the bar counts to, `max_iter` of the estimator; a fit that converges ends before. None shows a count.
    interval : float, default=0.5
        Seconds between two changes of what is shown, at least.

    Examples
    --------
    >>> from ldavi import LatentDirichletAllocation, progress
    >>> with progress.ProgressBar(100) as bar:  # doctest: +SKIP
    ...     lda = LatentDirichletAllocation(20, callbacks=bar).fit(X)
    """

    def __init__(self, total: int | None = None, interval: float = 0.5) -> None:
        self.total = total
        self.interval = interval
        self._bar: Any = None
        self._last, self._shown = 0, -float("inf")

    def __call__(self, record: TraceRecord) -> None:
        """Show a pass.

        Parameters
        ----------
        record : TraceRecord
            The pass that has just ended.
        """
        if record.iteration <= self._last:
            self.close()  # another fit has begun
        note = f"perplexity {record.perplexity:,.1f}"
        if importlib.util.find_spec("tqdm") is not None:
            if self._bar is None:
                from tqdm.auto import tqdm

                self._bar = tqdm(
                    total=self.total, initial=self._last, unit="pass", desc="fit", mininterval=self.interval
                )
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(record.iteration - self._last)
        elif time.monotonic() - self._shown >= self.interval:
            self._shown = time.monotonic()
            of = "" if self.total is None else f" of {self.total}"
            print(f"fit: pass {record.iteration}{of}, {note}, {record.seconds:.1f} s", file=sys.stderr, flush=True)
        self._last = record.iteration

    def close(self) -> None:
        """End the bar, as the end of a `with` block does; the next fit begins another."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._last, self._shown = None, 0, -float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Without the bar, so that an estimator with this callback can be cloned, copied and sent to a worker."""
        return self.__dict__ | {"_bar": None, "_last": 0, "_shown": -float("inf")}
