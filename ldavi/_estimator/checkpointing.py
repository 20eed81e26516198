"""What a checkpoint stores of a fit in progress, and how a fit resumes from it with the same bits.

`ldavi.io.Checkpoint` owns the file; it receives and returns plain values and arrays. A checkpoint describes the fit
that it belongs to, so that no other fit can resume from it, and the state of the phase that was interrupted.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.random_bits import generator_from, generator_state
from ldavi._core.records import aligned_copy
from ldavi._core.saved_arrays import SavedArrays, checked_integer
from ldavi._core.topics_of_model import topics_of
from ldavi._estimator.batched_documents import BatchedDocuments
from ldavi._estimator.convergence import ConvergenceMonitor, Restart, best_restart
from ldavi._estimator.settings import FitSettings
from ldavi._estimator.starting_topics import WarmStart
from ldavi._inference.passes import PassResult, Phase, State
from ldavi._inference.trace import TraceRecord

PASSES_VERSION = "5"  # increases when fits make other passes, or states have other arrays
WITHOUT_EFFECT = ("n_jobs", "verbose", "callbacks")  # parameters that do not change the result
PHASE_LABELS = ("warmup", "monotone", "online", "collapsed", "final")
AnyDocuments = TypeVar("AnyDocuments")
AnyState = TypeVar("AnyState", bound=State)


class CheckpointFile(Protocol):
    """The part of `ldavi.io.Checkpoint` that a fit uses."""

    def begin(self) -> dict[str, Any] | None:
        """Return what the file stores, or None if there is no file."""

    def due(self) -> bool:
        """Return whether it is time to save again."""

    def save(self, state: dict[str, Any]) -> None:
        """Replace what the file stores."""


class FitCheckpoint:
    """Stores the state of one fit in a checkpoint file, and reads it at the start.

    Parameters
    ----------
    file : ldavi.io.Checkpoint
    description : dict of str to str
        A digest of everything that the result depends on, as `describe` returns it.
    settings : FitSettings
    documents : DocumentSource

    Attributes
    ----------
    restart_number : int
        The restart in progress: at first the one that the fit resumes with. Earlier ones are finished.
    """

    def __init__(
        self, file: CheckpointFile, description: Mapping[str, str], settings: FitSettings, documents: DocumentSource
    ) -> None:
        self._file, self._description = file, dict(description)
        self._settings, self._documents = settings, documents
        self._random_state: tuple[Any, ...] | None = None
        self._saved = self._read(file)
        self.restart_number = 0
        if self._saved is not None:
            with self._errors():
                restart = self._saved.get("restart", 0)
                self.restart_number = checked_integer("restart", restart, 0, settings.n_init - 1)

    @contextmanager
    def _errors(self, documents: object = None) -> Iterator[None]:
        """Name the checkpoint in an error that its content causes, and not the reading of `documents`."""
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            if isinstance(documents, BatchedDocuments) and documents.reading_error is error:
                raise
            msg = (
                f"checkpoint={self._file!r} does not hold the state of a fit ({type(error).__name__}: {error}); remove "
                "the file, or name another, to start from scratch"
            )
            raise ValueError(msg) from error

    def _read(self, file: CheckpointFile) -> dict[str, Any] | None:
        saved = file.begin()
        if saved is None:
            return None
        now = self._description
        with self._errors():
            then = saved["fit"]
            differing = [name for name in now.keys() | then.keys() if now.get(name) != then.get(name)]
        if differing:
            msg = (
                f"checkpoint={file!r} belongs to another fit, which differs in {', '.join(sorted(differing))}: "
                "repeat the "
                "call that wrote it to resume that fit, or remove the file or name another one to start from scratch"
            )
            raise ValueError(msg)
        return saved

    def random_state(self, generator: np.random.RandomState, *, given: bool) -> np.random.RandomState:
        """Return the generator of the fit: the given one, or that of its start if a fit without a seed is resumed."""
        if self._saved is not None and not given:
            with self._errors():
                generator = generator_from(*self._saved["random_state"])
        self._random_state = generator_state(generator)
        return generator

    def finished_restarts(self) -> list[Restart]:
        """Return the best of the restarts that were finished, if there is one."""
        finished = None if self._saved is None else self._saved.get("finished")
        if finished is None:
            return []
        with self._errors():
            restart = Restart(_monitor_from(self._settings, finished))
            if not restart.monitor.records:
                raise ValueError("a finished restart has no records")
            restart.last = self._result_from(finished["result"])
        return [restart]

    def resumed_restart(self, number: int) -> Restart:
        """Return what restart `number` had reached; nothing if the fit does not resume with it."""
        resumes, self.restart_number = number == self.restart_number, number
        if self._saved is None or not resumes:
            return Restart(ConvergenceMonitor(self._settings))
        with self._errors():
            restart = Restart(_monitor_from(self._settings, self._saved))
            if self._saved.get("best") is not None:
                restart.best = self._result_from(self._saved["best"])
        return restart

    def first_phase(self, names: Sequence[str]) -> int:
        """Return the position of the phase that the fit resumes in, among the names of its phases; 0 without one."""
        if self._saved is None:
            return 0
        with self._errors():
            return names.index(self._saved["phase"])

    def saved_state(
        self, phase: Phase[AnyDocuments, AnyState], documents: AnyDocuments, *, has_records: bool
    ) -> AnyState | None:
        """Return the state in which this phase resumes, once; None if it starts from the beginning.

        Parameters
        ----------
        has_records : bool
            Whether the passes of the phase are passes of the fit, of which there are records.
        """
        if self._saved is None or phase.name != self._saved["phase"]:
            return None
        saved, self._saved = self._saved, None
        with self._errors(documents):
            if len(saved["state"]["alpha"]) != self._settings.n_components:
                raise ValueError(f"alpha has not {self._settings.n_components} values")
            state = phase.from_arrays(documents, saved["state"])
            n_recorded = _record_from(saved["records"][-1]).iteration if saved["records"] else 0
            if has_records and state.result is not None and state.result.iteration > n_recorded:
                raise ValueError(f"the state is that of pass {state.result.iteration}, but {n_recorded} are recorded")
            return state

    def save(self, phase: str, state: State, restarts: Sequence[Restart]) -> None:
        """Store the state of a phase of the last restart, if it is time."""
        if not self._file.due():
            return
        *finished, current = restarts
        best = best_restart(finished)
        self._file.save(
            {
                "fit": self._description,
                "random_state": self._random_state,
                "restart": self.restart_number,  # of the finished restarts, a resumed fit knows only the best
                "finished": None if best is None else _restart_to_arrays(best),
                "phase": phase,
                "state": state.to_arrays(),
                "best": None if current.best is None else _result_to_arrays(current.best),
                **_monitor_to_arrays(current.monitor),
            }
        )

    def _result_from(self, saved: Mapping[str, Any]) -> PassResult:
        """Restore the output of `_result_to_arrays`."""
        checked = SavedArrays(saved, self._documents.n_words)
        words = checked.words("words")
        if checked.priors.n_topics != self._settings.n_components:
            raise ValueError(f"alpha has not {self._settings.n_components} values")
        lam = aligned_copy(checked.rows("lam", len(words), self._documents.dtype))
        counters = checked.integer("n_updates"), checked.integer("iteration"), checked.number("seconds", 0)
        return PassResult(lam, words, checked.priors, *counters)


def _monitor_to_arrays(monitor: ConvergenceMonitor) -> dict[str, object]:
    return {
        "records": [list(dataclasses.astuple(record)) for record in monitor.records],
        "converged": monitor.converged,
        "stopped": monitor.stopped,
    }


def _monitor_from(settings: FitSettings, saved: Mapping[str, Any]) -> ConvergenceMonitor:
    records, endings = [_record_from(values) for values in saved["records"]], (saved["converged"], saved["stopped"])
    numbers = [record.iteration for record in records if record.phase != "final"]
    if (
        not all(isinstance(has_ended, bool) for has_ended in endings)
        or numbers != sorted(set(numbers))
        or max(numbers, default=1) > settings.max_iter
    ):
        raise ValueError("the records of the passes are not in order")
    return ConvergenceMonitor(settings, records, *endings)


def _record_from(values: Sequence[Any]) -> TraceRecord:
    record = TraceRecord(*values)
    checked_integer("iteration", record.iteration, 1)
    if record.phase not in PHASE_LABELS:
        raise ValueError(f"{record.phase!r} is no label of a pass")
    if not all(type(value) is float for value in dataclasses.astuple(record)[2:]):
        raise ValueError("a record of a pass has a term that is not a float")
    return record


def _restart_to_arrays(restart: Restart) -> dict[str, object]:
    assert restart.result is not None
    return {**_monitor_to_arrays(restart.monitor), "result": _result_to_arrays(restart.result.fetch())}


def _result_to_arrays(result: PassResult) -> dict[str, object]:
    values = {**result.priors.to_arrays(), **result._asdict()}
    return {name: value for name, value in values.items() if name != "priors"}


def check_checkpoint(checkpoint: Any) -> CheckpointFile:
    """Return `checkpoint` if it has the methods of `ldavi.io.Checkpoint`; raise TypeError otherwise."""
    if not all(callable(getattr(checkpoint, name, None)) for name in ("begin", "due", "save")):
        raise TypeError(f"checkpoint={checkpoint!r} must be None or an ldavi.io.Checkpoint")
    file: CheckpointFile = checkpoint
    return file


def describe(parameters: Mapping[str, Any], documents: DocumentSource, given: WarmStart | None) -> dict[str, str]:
    """Return a digest of each parameter that the result depends on, of the data, and of what the fit continues from."""
    fit = {name: _digest(value) for name, value in parameters.items() if name not in WITHOUT_EFFECT}
    fit["the version of ldavi that wrote it"] = PASSES_VERSION
    if given is not None:
        topics = f"the topics of {given.parameter}"
        fit[topics] = _digest([given.lam, *given.priors.to_arrays().values()])
    fit["X"] = _digest_of_documents(documents)
    return fit


def _digest_of_documents(documents: DocumentSource) -> str:
    """Digest all counts in memory; of batches, the first one and the number of documents."""
    if isinstance(documents, BatchedDocuments):
        counts = documents.first_counts()
        size = [documents.n_words, float(documents.total_weight)]
        return _digest([*size, counts.indptr, counts.indices, counts.values])
    assert isinstance(documents, Documents)
    counts, covariates = documents.counts, documents.covariates
    of_covariates = [] if covariates is None else [covariates.values, covariates.group]
    data = [documents.n_words, counts.indptr, counts.indices, counts.values, documents.weight]
    return _digest([*data, *of_covariates])


def _digest(value: Any) -> str:
    digest = hashlib.blake2b(digest_size=16)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: "hashlib.blake2b", value: Any) -> None:
    if isinstance(value, (list, tuple)):
        digest.update(f"[{len(value)}".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, dict):
        for key in value:
            _feed(digest, [repr(key), value[key]])
    elif isinstance(value, np.random.RandomState):
        _feed(digest, generator_state(value) or repr(value))
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    elif value is None or isinstance(value, (bool, int, float, str, np.generic, np.dtype, type)):
        digest.update(json.dumps(str(value)).encode())
    else:  # topics to start from, of any library's model
        _feed(digest, np.asarray(topics_of(value), dtype=np.float64))
