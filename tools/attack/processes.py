"""Attacks: processes that are killed while they write files, and fits that are interrupted."""

import contextlib
import functools
import json
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ldavi import LatentDirichletAllocation, io, report, selection
from tools.attack import forked

MEAN_SECONDS = 0.15  # until the signal
SWEEP = {"n_components": [2, 3, 4], "n_init": 2, "random_state": 0, "n_words": 3}


@contextmanager
def a_folder() -> Iterator[Path]:
    """Provide a temporary folder, and ignore warnings in the block."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield Path(folder)


@functools.cache
def corpus() -> Any:
    return np.random.default_rng(0).poisson(0.7, (120, 60))


def attempt_kill(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Kill a process that writes files with SIGKILL; its files must be complete, and what is resumed, the same."""
    rng = np.random.default_rng([seed, index])
    names = [name for name in KILLS if name not in options.get("skip", ())]
    name = names[rng.integers(len(names))]
    with a_folder() as folder:
        write, check = KILLS[name](folder, rng)
        seconds = float(rng.exponential(MEAN_SECONDS))
        ended = forked.run(functools.partial(_ready_then, write), signal_after=(signal.SIGKILL, seconds))
        assert ended.status in (0, -signal.SIGKILL), ended.report
        check()
    return f"{name} {'ended' if ended.status == 0 else 'killed'}"


def _ready_then(write: Callable[[], str], ready: Callable[[], None]) -> str:
    ready()
    return write()


Kill = tuple[Callable[[], str], Callable[[], None]]


def killed_save(folder: Path, rng: np.random.Generator) -> Kill:
    """Save a model again and again; the file is a whole model at any time."""
    path = folder / "model.ldavi"
    model = fitted()
    io.save(model, path)

    def write() -> str:
        while True:
            io.save(model, path)

    def check() -> None:
        np.testing.assert_array_equal(io.load(path).components_, model.components_)

    return write, check


def killed_fit(folder: Path, rng: np.random.Generator) -> Kill:
    """Fit with a checkpoint after every step; the resumed fit has the bits of one that was not killed."""
    inference = str(rng.choice(["vb", "cvb0"]))
    method = str(rng.choice(["batch", "online", "memoized"]))
    parameters = {"inference": inference, "learning_method": method, "max_iter": 12, "tol": None, "batch_size": 30}
    path = folder / "fit.checkpoint"

    def fit() -> LatentDirichletAllocation:
        estimator = LatentDirichletAllocation(4, random_state=0, **parameters)
        return estimator.fit(corpus(), checkpoint=io.Checkpoint(path, minutes=0))

    def write() -> str:
        fit()
        return "ended"

    def check() -> None:
        whole = LatentDirichletAllocation(4, random_state=0, **parameters).fit(corpus())
        np.testing.assert_array_equal(fit().components_, whole.components_)

    return write, check


def killed_sweep(folder: Path, rng: np.random.Generator) -> Kill:
    """Sweep over numbers of topics with a journal; the resumed sweep has the table of one that was not killed."""
    path = folder / "sweep.jsonl"
    estimator = LatentDirichletAllocation(max_iter=6, tol=None)

    def sweep(path: Path | None) -> selection.Sweep:
        return selection.sweep(corpus(), estimator=estimator, path=path, progress=lambda *_: None, **SWEEP)

    def write() -> str:
        sweep(path)
        return "ended"

    def check() -> None:
        a, b = _columns(sweep(path)), _columns(sweep(None))
        for name in a:
            if not name.startswith("seconds"):
                np.testing.assert_array_equal(a[name], b[name])

    return write, check


def _columns(sweep: selection.Sweep) -> dict[str, Any]:
    """Return the columns of the table, which is a DataFrame if pandas is installed."""
    names = getattr(sweep.table, "columns", None)
    names = list(sweep.table) if names is None else list(names)
    return {name: np.asarray(sweep.table[name]) for name in names}


def killed_report(folder: Path, rng: np.random.Generator) -> Kill:
    """Write a report again and again; the file is absent or whole at any time."""
    path = folder / "report.html"

    def write() -> str:
        while True:
            report.write(path, fitted(), corpus())

    def check() -> None:
        if path.exists():
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")

    return write, check


def killed_counts(folder: Path, rng: np.random.Generator) -> Kill:
    """Save counts again and again; the file is absent or whole at any time."""
    path = folder / "counts.npz"

    def write() -> str:
        while True:
            io.save_counts(path, corpus())

    def check() -> None:
        if path.exists():
            read = np.concatenate([batch.toarray() for batch in io.open_counts(path)])
            np.testing.assert_array_equal(read, corpus())

    return write, check


KILLS: dict[str, Callable[[Path, np.random.Generator], Kill]] = {
    "save": killed_save,
    "checkpoint": killed_fit,
    "sweep": killed_sweep,
    "report": killed_report,
    "counts": killed_counts,
}


@functools.cache
def fitted() -> LatentDirichletAllocation:
    return LatentDirichletAllocation(4, max_iter=4, tol=None).fit(corpus())


def attempt_interrupt(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Interrupt a fit with three threads by SIGINT; the fit ends at once and leaves a usable estimator."""
    rng = np.random.default_rng([seed, index])
    parameters = {
        "inference": str(rng.choice(["vb", "vb", "cvb0"])),
        "learning_method": str(rng.choice(["batch", "online", "memoized"])),
        "n_jobs": 3,
        "max_iter": 10**6,
        "tol": None,
        "batch_size": 20,
    }
    was_fitted = bool(rng.integers(2))

    def fit(ready: Callable[[], None]) -> str:
        return _interrupted_fit(parameters, ready, was_fitted=was_fitted)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ended = forked.run(fit, signal_after=(signal.SIGINT, float(rng.exponential(MEAN_SECONDS))))
    assert ended.status == 0, ended.report
    return json.loads(ended.report)["outcome"]


def _interrupted_fit(parameters: dict[str, Any], ready: Callable[[], None], *, was_fitted: bool) -> str:
    """Fit until the interrupt, then use the estimator, and return a report."""
    estimator = LatentDirichletAllocation(4, random_state=0, **parameters)
    if was_fitted:
        estimator.set_params(max_iter=2).fit(corpus())
        estimator.set_params(max_iter=parameters["max_iter"])
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ready()
        estimator.fit(corpus())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_fitted = estimator.__sklearn_is_fitted__()
    assert is_fitted or not was_fitted, "the interrupt has removed the earlier fit"
    if is_fitted:
        theta = estimator.transform(corpus())
        np.testing.assert_allclose(theta.sum(axis=1), 1, rtol=1e-4)
        assert np.isfinite(estimator.components_).all()
        assert estimator.n_iter_ == estimator.elbo_trace_["iteration"][-1]
    estimator.set_params(max_iter=2).fit(corpus())  # threads and locks are as before
    return json.dumps({"outcome": "with topics" if is_fitted else "without topics"})
