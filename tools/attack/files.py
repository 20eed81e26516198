"""Attacks: damaged corpora, models and checkpoints, which must be read or refused with a message that names the file.

Reading runs under a limit of address space. A crash or a hang is found by the runner.
"""

import contextlib
import functools
import json
import os
import resource
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ldavi import LatentDirichletAllocation, io, selection
from tools.attack.mutation import damaged

TESTS = Path(__file__).parents[2] / "tests"
MEMORY = 2**29  # bytes of address space beyond those of the process before the first attempt
MAX_BYTES = 10**7  # that a compressed file may expand to
SLOW = 30.0  # seconds for a file of some kilobytes
MAX_WARNINGS = 5
REFUSALS = (ValueError, OSError)
NOT_FINITE = "too large or too small for the precision of the fit"
COLUMN_FORMATS = {".csv", ".tsv", ".jsonl", ".parquet"}
X = np.array([[2, 0, 1, 0, 3, 1], [0, 4, 0, 1, 0, 0], [1, 1, 0, 0, 2, 0], [0, 0, 3, 1, 0, 2], [2, 2, 0, 0, 0, 1]])


class Target(NamedTuple):
    """A file to damage.

    Attributes
    ----------
    name : str
        File name, of which the suffix may matter to the reader.
    content : bytes
    readers : tuple of callable
        Functions of a path, of which one is drawn.
    beside : dict of str to bytes
        Files in the same folder.
    """

    name: str
    content: bytes
    readers: tuple[Callable[[Path], object], ...]
    beside: Mapping[str, bytes] = {}


def attempt_corpus(seed: int, index: int, options: Mapping[str, Any]) -> str:
    return _attempt(corpora(), seed, index, options)


def attempt_model(seed: int, index: int, options: Mapping[str, Any]) -> str:
    return _attempt(models(), seed, index, options)


def attempt_checkpoint(seed: int, index: int, options: Mapping[str, Any]) -> str:
    return _attempt(checkpoints(), seed, index, options)


def _attempt(targets: list[Target], seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Damage a file and read it; return whether it was read."""
    limit_memory()
    rng = np.random.default_rng([seed, index])
    kept = [target for target in targets if target.name not in options.get("skip", ())]
    target = kept[rng.integers(len(kept))]
    path = folder() / target.name
    clear(path.parent)
    for name, content in target.beside.items():
        (path.parent / name).write_bytes(content)
    path.write_bytes(damaged(rng, target.content, [other.content for other in targets]))
    reader = target.readers[rng.integers(len(target.readers))]
    started = time.monotonic()
    try:
        with warnings_are_few():
            outcome = is_read_or_refused(path, reader)
    except Exception as error:
        error.add_note(f"{target.name}, {getattr(reader, '__name__', reader)}")
        raise
    finally:
        clear(path.parent)
    seconds = time.monotonic() - started
    assert seconds < SLOW, f"{target.name} took {seconds:.0f} s"
    return outcome


def is_read_or_refused(path: Path, read: Callable[[Path], object]) -> str:
    """Return "read" or "refused"; any other error is raised, and a refusal that does not name the file, too."""
    refusal: Exception | None = None
    try:
        read(path)
    except REFUSALS as error:
        refusal = error
    if refusal is None:
        return "read"
    names = {path.stem, path.parent.name} - {""}  # for a member of a folder, the message may name the folder
    is_named = any(name in str(refusal) for name in names)
    is_named |= NOT_FINITE in str(refusal)  # numbers of the file are allowed one by one, but not together
    assert is_named, f"the message does not name the file: {type(refusal).__name__}: {refusal}"
    return "refused"


@contextlib.contextmanager
def warnings_are_few() -> Iterator[None]:
    """Raise AssertionError after many warnings, or one that concerns arithmetic."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    assert len(texts) <= MAX_WARNINGS, f"{len(texts)} warnings, such as {texts[0]}"
    arithmetic = [text for text in texts if text.startswith("RuntimeWarning")]
    assert not arithmetic, arithmetic[0]


@functools.cache
def folder() -> Path:
    """Return the folder of this process, in memory if the system has such a file system."""
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    holder = tempfile.TemporaryDirectory(prefix="attack", dir=parent, ignore_cleanup_errors=True)
    HELD.append(holder)
    return Path(holder.name)


HELD: list[Any] = []


def clear(directory: Path) -> None:
    """Remove the files of a folder."""
    for path in directory.iterdir():
        path.unlink()


@functools.cache
def limit_memory() -> None:
    """Limit the address space of this process to what it has and MEMORY."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


@functools.cache
def corpora() -> list[Target]:
    """Return one target for each format of corpora, and for vocabularies, counts on disk and other programs' models."""
    files = {path.name: path.read_bytes() for path in (TESTS / "corpora_files").iterdir() if path.suffix != ".md"}
    targets = []
    for name, content in sorted(files.items()):
        is_vocabulary = name.endswith((".vocab", ".dict.txt", ".vocab.txt", ".dict"))
        vocabulary = {other: files[other] for other in (f"{name}.vocab", f"{name}.dict.txt") if other in files}
        readers: tuple[Callable[[Path], object], ...] = (read_whole, read_in_batches)
        if is_vocabulary:
            readers = (io.read_vocabulary,)
        elif name.endswith((".npz", "counts.parquet")):
            readers += (read_stored_counts,)
        targets.append(Target(name, content, readers, vocabulary))
    return [*targets, *stored_counts(), *foreign_models(), journal()]


def read_whole(path: Path) -> None:
    columns = {"column": "text"} if path.suffix in COLUMN_FORMATS and "counts" not in path.name else {}
    if "counts" in path.name:
        columns = {"column": ("words", "counts")}
    corpus = io.read_corpus(path, max_bytes=MAX_BYTES, counting={"token_pattern": r"\w*"}, **columns)
    assert corpus.X.data.min(initial=0) >= 0
    assert np.isfinite(corpus.X.data).all()


def read_in_batches(path: Path) -> None:
    columns = {"column": "text"} if path.suffix in COLUMN_FORMATS and "counts" not in path.name else {}
    if "counts" in path.name:
        columns = {"column": ("words", "counts")}
    for _ in io.read_batches(path, batch_size=3, max_bytes=MAX_BYTES, **columns):
        pass


def read_stored_counts(path: Path) -> None:
    for batch in io.open_counts(path, batch_size=2):
        batch.check_format()


def stored_counts() -> list[Target]:
    """Return files of every kind that `save_counts` writes."""
    targets, whole = [], folder() / "whole"
    for name in ("saved.npz", "saved.arrow", "saved.parquet"):
        io.save_counts(folder() / name, X)
        targets.append(Target(name, (folder() / name).read_bytes(), (read_stored_counts,)))
        (folder() / name).unlink()
    io.save_counts(whole, X)
    members = {path.name: path.read_bytes() for path in whole.iterdir()}
    shutil.rmtree(whole)

    def read_folder(path: Path) -> None:
        read_stored_counts(path.parent)

    return [*targets, *(Target(name, content, (read_folder,), members) for name, content in members.items())]


def foreign_models() -> list[Target]:
    """Return files of models that other programs wrote."""
    files = {path.name: path.read_bytes() for path in (TESTS / "model_files").iterdir()}
    lda_c = {name: files[name] for name in ("lda_c.beta", "lda_c.other")}

    def from_lda_c(path: Path) -> object:
        return io.from_lda_c(path.with_suffix(""))

    return [
        Target("mallet_state.gz", files["mallet_state.gz"], (io.from_mallet_state,)),
        Target("vw.txt", files["vw.txt"], (io.from_vw,)),
        *(Target(name, content, (from_lda_c,), lda_c) for name, content in lda_c.items()),
    ]


def journal() -> Target:
    """Return the file of a sweep."""
    corpus = np.random.default_rng(0).poisson(1.0, (12, 8))
    estimator = LatentDirichletAllocation(max_iter=2, tol=None)

    def resume(path: Path) -> object:
        return selection.sweep(corpus, [2, 3], estimator=estimator, n_init=1, random_state=0, path=path, progress=quiet)

    path = folder() / "sweep.jsonl"
    resume(path)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.unlink()
    for line in lines:
        line.pop("checksum", None)  # which ends reading at the first damage; lines of ldavi 0.1.0 have none
    content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    return Target("sweep.jsonl", content, (resume,))


def quiet(*_: Any) -> None:
    """Show no progress."""


@functools.cache
def models() -> list[Target]:
    """Return model files of several kinds of fits."""
    named = {"doc_topic_prior": [0.1, 0.3], "seed_words": {0: [1]}}
    made = {
        "batch": LatentDirichletAllocation(2, max_iter=4, tol=None).fit(X),
        "online": LatentDirichletAllocation(3, learning_method="online", batch_size=2, random_state=0).partial_fit(X),
        "cvb0": LatentDirichletAllocation(2, inference="cvb0", max_iter=4, random_state=0, tol=None).fit(X),
        "priors": LatentDirichletAllocation(2, max_iter=3, tol=None, dtype="float64", **named).fit(X),
        "unfitted": LatentDirichletAllocation(2),
    }
    targets = []
    for name, model in made.items():
        path = folder() / f"{name}.ldavi"
        io.save(model, path, vocabulary=list("abcdef"), metadata={"counting": {"lowercase": True}, "n": [1, 2.5]})
        targets.append(Target(path.name, path.read_bytes(), (use_model, use_model, io.read_info)))
        path.unlink()
    return targets


def use_model(path: Path) -> None:
    """Load a model and use it; only loading may refuse the file."""
    model = io.load(path)
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # the checksum of a changed model may be right
        model.transform(X[:, : getattr(model, "n_features_in_", 6)])
        model.components_.sum()
        model.partial_fit(X)


@functools.cache
def checkpoints() -> list[Target]:
    """Return checkpoints of every learning method and engine, each in the middle of its fit."""
    from tools.attack.fitting import StoppedError, StopsAfter

    targets = []
    kinds = [("vb", "batch"), ("vb", "online"), ("vb", "memoized"), ("cvb0", "batch"), ("cvb0", "online")]
    for inference, method in kinds:
        parameters = {"inference": inference, "learning_method": method, "max_iter": 6, "tol": None, "batch_size": 2}
        path = folder() / f"{inference}_{method}.checkpoint"
        estimator = LatentDirichletAllocation(3, random_state=0, **parameters)
        with contextlib.suppress(StoppedError):
            estimator.set_params(callbacks=StopsAfter(4)).fit(X, checkpoint=io.Checkpoint(path, minutes=0))
        targets.append(Target(path.name, path.read_bytes(), (functools.partial(resume, parameters),)))
        path.unlink()
    return targets


def resume(parameters: dict[str, Any], path: Path) -> None:
    """Continue a fit from a checkpoint; what it ends with must be usable."""
    from tools.attack.fitting import StopsAfter

    estimator = LatentDirichletAllocation(3, random_state=0, callbacks=StopsAfter(10**9), **parameters)
    estimator.fit(X, checkpoint=io.Checkpoint(path, minutes=1e6))
    estimator.transform(X)
