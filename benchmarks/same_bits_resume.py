"""Cases of `benchmarks.same_bits` that resume from a checkpoint, and files that A writes and B reads."""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.same_bits_fields import Fields, fields_of, given_topics, in_batches, planted, weights
from benchmarks.same_bits_grid import ENGINES, Case, estimator

# Field with the comparison of the resumed and the uninterrupted fit: "equal", or the names of fields that differ.
RESUMES = "resumed bits"
# Field of a case for which A wrote no checkpoint, because A rejects checkpoints for this kind of fit.
NOTHING_WRITTEN = "nothing was written"


class Interrupt(BaseException):
    """Ends a fit like a crash, which leaves only the file."""


def _fits() -> dict[str, dict[str, Any]]:
    """Parameters of the fits that are interrupted; `X` and `weight` are arguments of `fit`."""
    fits: dict[str, dict[str, Any]] = {}
    for name, engine in ENGINES.items():
        fits[name] = engine
        fits[f"{name}, init random"] = engine | {"init": "random"}
        fits[f"{name}, init cvb0"] = engine | {"n_collapsed_iter": 15, "max_iter": 50}
        fits[f"{name}, init array"] = engine | {"init": given_topics(), "max_iter": 16}
        fits[f"{name}, float64, n_jobs 3"] = engine | {"dtype": "float64", "n_jobs": 3}
        fits[f"{name}, priors float"] = engine | {"doc_topic_prior": 0.2, "topic_word_prior": 0.03}
        fits[f"{name}, point estimates"] = engine | {"topic_word_prior": 0}
        fits[f"{name}, weights"] = engine | {"weight": weights()}
        fits[f"{name}, seed words"] = engine | {"seed_words": {0: [1, 2], 2: [5]}}
        fits[f"{name}, no seed"] = engine | {"random_state": None}
        fits[f"{name}, tol"] = engine | {"tol": 1e-4, "max_iter": 100}
        fits[f"{name}, batches"] = engine | {"X": in_batches(planted())}
        fits[f"{name}, long documents"] = engine | {"X": planted(length=400), "init": "random", "max_iter": 40}
        fits[f"{name}, n_init 2"] = engine | {"n_init": 2}
        fits[f"{name}, validation"] = engine | {"validation_fraction": 0.2}
    return fits


def cases() -> Iterator[Case]:
    """Yield fits that are interrupted by a callback after a pass, or after a state was saved, and then resumed."""
    for (name, parameters), last in itertools.product(_fits().items(), (1, 4, 6, 14)):
        if last <= parameters.get("max_iter", 26):
            by_callback = partial(_resumed, parameters=parameters, last=last, interrupt=_by_callback)
            yield f"resume {name}, interrupted after pass {last}", by_callback
    for name, last in itertools.product(ENGINES, (1, 3, 10, 25)):
        parameters = {"max_iter": 25} | ENGINES[name]
        by_checkpoint = partial(_resumed, parameters=parameters, last=last, interrupt=_by_checkpoint)
        yield f"resume {name}, interrupted after state {last}", by_checkpoint


def exchanges(role: str) -> Iterator[Case]:
    """Yield the cases of what A writes and B reads; both sides return fields that should be equal."""
    writes = role == "write"
    for name, parameters in _fits().items():
        if parameters.get("random_state", 0) is not None:
            compute = partial(_checkpoint_written if writes else _checkpoint_read, name=name, parameters=parameters)
            yield f"checkpoint written by A, resumed by B: {name}", compute
    models = {name: engine | {"max_iter": 6} for name, engine in ENGINES.items()}
    models["point estimates, float64"] = {"topic_word_prior": 0, "dtype": "float64", "max_iter": 6}
    for name, parameters in models.items():
        compute = (
            partial(_model_saved, name=name, parameters=parameters) if writes else partial(_model_loaded, name=name)
        )
        yield f"model saved by A, loaded by B: {name}", compute
    yield "model file of version 1, loaded by A and by B", _version_1


def _file(directory: Path, name: str, suffix: str) -> Path:
    return directory / f"{re.sub('[^a-z0-9]+', '-', name)}.{suffix}"


def _fit(parameters: dict[str, Any], checkpoint: Any = None, callback: Callable[[Any], bool] | None = None) -> Any:
    settings = dict(parameters)
    X, weight = settings.pop("X", planted()), settings.pop("weight", None)
    return estimator(callbacks=callback, **settings).fit(X, sample_weight=weight, checkpoint=checkpoint)


def _by_callback(path: Path, parameters: dict[str, Any], last: int) -> bool:
    """Fit until a callback raises after a pass, and return whether it did."""
    from ldavi import io

    def interrupts(record: Any) -> bool:
        if record.iteration >= last:
            raise Interrupt
        return False

    try:
        _fit(parameters, io.Checkpoint(path, minutes=0), interrupts)
    except Interrupt:
        return True
    return False


def _by_checkpoint(path: Path, parameters: dict[str, Any], last: int) -> bool:
    """Fit until a number of states was saved, also within online passes, and return whether that number was reached."""
    from ldavi import io

    class Interrupting(io.Checkpoint):
        n_saved = 0

        def save(self, *arguments: Any, **named: Any) -> None:
            super().save(*arguments, **named)
            self.n_saved += 1
            if self.n_saved == last:
                raise Interrupt

    try:
        _fit(parameters, Interrupting(path, minutes=0))
    except Interrupt:
        return True
    return False


def _resumed(directory: Path, parameters: dict[str, Any], last: int, interrupt: Callable[..., bool]) -> Fields:
    """Return the fields of a resumed fit, and how they compare with those of an uninterrupted one."""
    from ldavi import io

    path = directory / "checkpoint"
    interrupted = interrupt(path, parameters, last)
    saved = path.exists()
    fields = fields_of(_fit(parameters, io.Checkpoint(path)), planted())
    outcome = {"interrupted": str(interrupted), "a state was saved": str(saved)}
    if parameters.get("random_state", 0) is None:  # not reproducible, so compare two fits resumed from the same file
        again = fields_of(_fit(parameters, io.Checkpoint(path)), planted()) if path.exists() else fields
        return outcome | {RESUMES: _difference(fields, again)}
    whole = fields_of(_fit(parameters), planted())
    return fields | outcome | {RESUMES: _difference(fields, whole)}


def _difference(some: Fields, others: Fields) -> str:
    return ", ".join(name for name in some if some[name] != others.get(name)) or "equal"


def _checkpoint_written(directory: Path, name: str, parameters: dict[str, Any]) -> Fields:
    """Write the checkpoint of an interrupted fit, and return the fields of the uninterrupted fit."""
    _by_callback(_file(directory, name, "checkpoint"), parameters, 6)
    return fields_of(_fit(parameters), planted())


def _checkpoint_read(directory: Path, name: str, parameters: dict[str, Any]) -> Fields:
    """Resume from the checkpoint that A wrote."""
    from ldavi import io

    path = _file(directory, name, "checkpoint")
    if not path.exists():
        return {NOTHING_WRITTEN: "True"}
    return fields_of(_fit(parameters, io.Checkpoint(path)), planted())


def _model_saved(directory: Path, name: str, parameters: dict[str, Any]) -> Fields:
    from ldavi import io

    model = _fit(parameters)
    io.save(model, _file(directory, name, "ldavi"), vocabulary=[f"word{column}" for column in range(80)])
    return fields_of(model, planted())


def _model_loaded(directory: Path, name: str) -> Fields:
    from ldavi import io

    return fields_of(io.load(_file(directory, name, "ldavi")), planted())


def _version_1(directory: Path) -> Fields:
    """Load the model file of the tests and infer documents with it."""
    from ldavi import io

    model = io.load(directory / "v1.ldavi")
    X = planted(n_words=model.n_features_in_)
    if hasattr(model, "feature_names_in_"):
        import pandas as pd

        X = pd.DataFrame(X.toarray(), columns=model.feature_names_in_)
    return fields_of(model, X)
