"""What a sweep shows of itself while it runs."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ldavi.selection._design import Fit

Report = Callable[[Fit], None]


def check_progress(progress: Any) -> None:
    """A switch, a function, or None."""
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress={progress!r} must be None, True, False or a callable(n_done, n_total, fit)")


@contextmanager
def reporter(progress: Any, n_done: int, n_total: int) -> Iterator[Report]:
    """A function to call after each fit: it draws a bar, writes a line, calls the user's or does nothing."""
    terminal = sys.stderr.isatty()
    if callable(progress):
        yield _counted(progress, n_done, n_total)
    elif progress is False or (progress is None and not terminal):
        yield lambda fit: None
    elif terminal and importlib.util.find_spec("tqdm") is not None:
        from tqdm import tqdm

        with tqdm(total=n_total, initial=n_done, unit="fit", file=sys.stderr) as bar:
            yield lambda fit: _advance(bar, fit)
    else:
        yield _counted(_write_line, n_done, n_total)


def _counted(report: Callable[[int, int, Any], Any], n_done: int, n_total: int) -> Report:
    done = n_done

    def call(fit: Fit) -> None:
        nonlocal done
        done += 1
        report(done, n_total, fit)

    return call


def _advance(bar: Any, fit: Fit) -> None:
    bar.set_postfix_str(f"{fit.n_components} topics: {fit.log_likelihood:.4f}", refresh=False)
    bar.update()


def _write_line(n_done: int, n_total: int, fit: Fit) -> None:
    line = (
        f"{n_done}/{n_total}  {fit.n_components} topics, fold {fit.fold}, restart {fit.restart}: "
        f"{fit.log_likelihood:.4f} nats per held-out token, {fit.seconds:.1f} s"
    )
    print(line, file=sys.stderr, flush=True)
