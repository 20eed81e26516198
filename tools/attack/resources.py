"""Attacks: memory that runs out, and disks that are full."""

import ctypes
import functools
import os
import resource
import signal
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ldavi import LatentDirichletAllocation, io, report, selection
from tools.attack import forked
from tools.attack.processes import a_folder, corpus, fitted

LARGE = 3000, 1500, 300  # documents, words and topics, which need some ten megabytes
ALLOWED = (MemoryError, OSError, RuntimeError)  # OSError, RuntimeError: the system cannot map a file, start a thread
M_MMAP_THRESHOLD = -3  # of glibc
METHODS = ("fit", "partial_fit", "transform", "save", "load")


def attempt_memory(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Limit the address space during a call; it succeeds, or raises MemoryError and leaves the model as it was."""
    rng = np.random.default_rng([seed, index])
    name = METHODS[rng.integers(len(METHODS))]
    n_bytes, n_jobs = int(rng.integers(0, 2**24)), int(rng.choice([1, 1, 3]))
    inference, method = str(rng.choice(["vb", "cvb0"])), str(rng.choice(["batch", "online", "memoized"]))
    documents(), model_of(inference, method)

    def call(_: Callable[[], None]) -> str:
        model = model_of(inference, method).set_params(n_jobs=n_jobs)
        return _call_with_little_memory(name, n_bytes, model)

    ended = forked.run(call)
    assert ended.status == 0, f"{name} with {n_bytes} bytes: status {ended.status}, {ended.report}"
    return f"{name} {ended.report}"


@functools.cache
def documents() -> Any:
    return sparse.csr_array(np.random.default_rng(0).poisson(0.05, LARGE[:2]))


@functools.cache
def model_of(inference: str, method: str) -> LatentDirichletAllocation:
    parameters: dict[str, Any] = {"inference": inference, "learning_method": method, "max_iter": 2, "tol": None}
    parameters["batch_size"] = LARGE[0]  # one step of partial_fit, which is taken or not
    return LatentDirichletAllocation(LARGE[2], random_state=0, **parameters).fit(documents()[:50])


def _call_with_little_memory(name: str, n_bytes: int, model: LatentDirichletAllocation) -> str:
    """Call a method under a limit, and check the model after it."""
    warnings.simplefilter("ignore")
    X = documents()
    before = model.components_.copy(), model.transform(X[:5])
    with a_folder() as folder:
        path = folder / "model.ldavi"
        io.save(model, path)
        calls: dict[str, Callable[[], object]] = {
            "fit": lambda: model.fit(X),
            "partial_fit": lambda: model.partial_fit(X),
            "transform": lambda: model.transform(X),
            "save": lambda: io.save(model, path),
            "load": lambda: io.load(path),
        }
        outcome = _outcome(calls[name], n_bytes)
        io.load(path)
    if outcome == "out of memory":
        np.testing.assert_array_equal(model.transform(X[:5]), before[1])
        np.testing.assert_array_equal(model.components_, before[0])
    return outcome


def _outcome(call: Callable[[], object], n_bytes: int) -> str:
    """Call a function while the process may get only a number of further bytes."""
    _use_no_free_memory()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + n_bytes, hard))
    failure: Exception | None = None
    try:
        call()
    except ALLOWED as error:
        failure = error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    if failure is None:
        return "succeeded"
    text = str(failure).lower()
    assert isinstance(failure, MemoryError) or "memory" in text or "thread" in text, repr(failure)
    return "out of memory"


def _use_no_free_memory() -> None:
    """Return free memory to the system, and ask it for every array, where the C library can do so (glibc)."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.mallopt(M_MMAP_THRESHOLD, 2**16)
        library.malloc_trim(0)


def attempt_disk(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Limit the size of files while one is replaced; the call succeeds, or raises OSError and keeps the old file."""
    rng = np.random.default_rng([seed, index])
    name = str(rng.choice(list(WRITERS)))
    with a_folder() as folder:
        path = folder / f"file{SUFFIXES.get(name, '')}"
        write = WRITERS[name](path)
        write()
        before = path.read_bytes()
        share = float(rng.choice([0.0, rng.random(), 0.999, 1.5]))

        def limited(_: Callable[[], None]) -> str:
            return _write_on_a_full_disk(write, int(share * len(before)))

        ended = forked.run(limited)
        assert ended.status == 0, f"{name}, {share:.3f} of its size: status {ended.status}, {ended.report}"
        if ended.report == "refused":
            assert path.read_bytes() == before, f"{name} has changed the old file"
        left = [other.name for other in folder.iterdir() if other != path and not other.name.endswith(".partial")]
        assert not left, f"{name} has left {left}"
        write()
    return f"{name} {ended.report}"


def _write_on_a_full_disk(write: Callable[[], object], n_bytes: int) -> str:
    """Write under a limit of the size of files, at which `write` of the system fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    try:
        write()
    except OSError:
        return "refused"
    return "written"


def _checkpoint(path: Path) -> Callable[[], object]:
    def write() -> None:
        with suppress(FileNotFoundError):
            os.unlink(path.with_name(f".{path.name}.partial"))
        io.Checkpoint(path, minutes=0).save({"numbers": np.arange(500.0)})

    return write


def _sweep(path: Path) -> Callable[[], object]:
    estimator = LatentDirichletAllocation(max_iter=2, tol=None)
    settings = {"n_init": 1, "random_state": 0, "n_words": 3, "progress": lambda *_: None}
    return lambda: selection.sweep(corpus(), [2, 3], estimator=estimator, path=path, **settings)


WRITERS: dict[str, Callable[[Path], Callable[[], object]]] = {
    "save": lambda path: lambda: io.save(fitted(), path),
    "report": lambda path: lambda: report.write(path, fitted(), corpus()),
    "counts": lambda path: lambda: io.save_counts(path, corpus()),
    "checkpoint": _checkpoint,
    "sweep": _sweep,
}
SUFFIXES = {"save": ".ldavi", "report": ".html", "counts": ".npz", "checkpoint": ".checkpoint", "sweep": ".jsonl"}
