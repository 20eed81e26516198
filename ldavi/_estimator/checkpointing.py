"""What a checkpoint keeps of a fit in progress, and how a fit goes on from it with the same bits.

The file belongs to `ldavi.io.Checkpoint`, which is handed plain values and arrays here and hands them back.
"""

import dataclasses
import hashlib
import json
import time
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ldavi._core.corpus import Corpus, Documents
from ldavi._core.random_bits import generator_from, generator_state
from ldavi._core.records import Priors, aligned_copy
from ldavi._core.topics_of_model import topics_of
from ldavi._estimator.batched_corpus import Batches
from ldavi._estimator.schedule import Run
from ldavi._inference.m_step import LazyLambda
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_batch import PassResult, PassSettings
from ldavi._inference.vb_online import Online, OnlineState, PassSums

NOT_OF_THE_RESULT = ("n_jobs", "verbose", "callbacks")


class Keeper:
    """Keeps one fit's state in a checkpoint, and takes it from there at the start.

    Parameters
    ----------
    estimator : LatentDirichletAllocation
    documents : Corpus
    checkpoint : ldavi.io.Checkpoint or None
        None keeps nothing.

    Attributes
    ----------
    passes_are_over : bool
        Whether all that is left of the fit is its final record.
    """

    def __init__(self, estimator: Any, documents: Corpus, checkpoint: Any) -> None:
        self._checkpoint, self._run = checkpoint, Run()
        self._kept: dict[str, Any] | None = None
        self.passes_are_over = False
        if checkpoint is None:
            return
        _check_offered(estimator, documents, checkpoint)
        self._fit_described = described(estimator, documents)
        self._kept = checkpoint.begin()
        if self._kept is not None:
            now, then = self._fit_described, self._kept["fit"]
            differing = [name for name in now.keys() | then.keys() if now.get(name) != then.get(name)]
            if differing:
                msg = (
                    f"checkpoint={checkpoint!r} is of another fit, which differs in {', '.join(sorted(differing))}: make the "
                    "same call to go on with it, or remove the file or name another to begin anew"
                )
                raise ValueError(msg)
            self.passes_are_over = self._kept["stage"] == "final"

    def random_state(self, given: Any) -> np.random.RandomState:
        """The generator of the fit: that of a fit that goes on as it stood at its start."""
        if self._kept is not None and given is None:
            generator = generator_from(*self._kept["random_state"])
        else:
            generator = check_random_state(given)
        self._at_start = generator_state(generator) if self._checkpoint is not None else None
        return generator

    def resume(self, run: Run) -> None:
        """Have `run` hold what was reached, and keep it from now on."""
        self._run = run
        if self._kept is None:
            return
        run.progress.records = [TraceRecord(*values) for values in self._kept["records"]]
        run.progress.converged = self._kept["converged"]
        if self.passes_are_over:
            priors = Priors(self._kept["alpha"], self._kept["eta"])
            lam, words, n_updates = aligned_copy(self._kept.pop("rows")), self._kept["words"], self._kept["n_updates"]
            run.learned = PassResult(lam, words, n_updates, run.progress.records[-1], priors)

    def online_state(self, plan: PassSettings) -> OnlineState | None:
        """Where an online fit goes on; None at its beginning."""
        if self._kept is None:
            return None
        kept, priors = self._kept, Priors(self._kept["alpha"], self._kept["eta"])
        rows = LazyLambda(aligned_copy(kept.pop("rows")), priors)
        rows._decay, rows._excess = kept["decay"], kept["excess"]
        online = Online(rows, priors, plan, kept["scale_to"], kept["n_updates"], kept["mean_log_theta"])
        return OnlineState(online, kept["iteration"], PassSums(**kept["sums"]), time.perf_counter() - kept["seconds"])

    def loop_state(self) -> dict[str, Any] | None:
        """Where a fit goes on that keeps its state between passes, as `Learned.state`; None at its beginning."""
        kept: dict[str, Any] | None = None if self._kept is None else self._kept.pop("loop")
        return kept

    def final_sums(self) -> PassSums | None:
        """Of the documents that the final record has visited; None at its beginning."""
        return PassSums(**self._kept["sums"]) if self._kept is not None and self.passes_are_over else None

    def after_step(self, state: OnlineState) -> None:
        """Keep where an online fit stands, if it is time."""
        if self._checkpoint is None or not self._checkpoint.due():
            return
        online = state.online
        self._save(
            stage="passes",
            rows=online.rows._rows,
            decay=online.rows._decay,
            excess=online.rows._excess,
            alpha=online.priors.alpha,
            eta=online.priors.eta,
            mean_log_theta=online.mean_log_theta,
            n_updates=online.n_updates,
            scale_to=online.scale_to,
            iteration=state.iteration,
            sums=dataclasses.asdict(state.sums),
            seconds=time.perf_counter() - state.started,
        )

    def after_pass(self, state: dict[str, Any] | None) -> None:
        """Keep what a loop needs for its next pass, if it is time and the loop does not keep its own state."""
        if self._checkpoint is not None and state is not None and self._checkpoint.due():
            self._save(stage="between passes", loop=state)

    def after_part(self, sums: PassSums) -> None:
        """Keep how far the final record has come, if it is time."""
        learned = self._run.learned
        if self._checkpoint is None or learned is None or not self._checkpoint.due():
            return
        self._save(
            stage="final",
            rows=learned.lam,
            words=learned.words,
            alpha=learned.priors.alpha,
            eta=learned.priors.eta,
            n_updates=learned.n_updates,
            sums=dataclasses.asdict(sums),
        )

    def _save(self, **state: Any) -> None:
        progress = self._run.progress
        records = [list(dataclasses.astuple(record)) for record in progress.records]
        common = {"fit": self._fit_described, "random_state": self._at_start}
        self._checkpoint.save({**common, "records": records, "converged": progress.converged, **state})


def _check_offered(estimator: Any, documents: Corpus, checkpoint: Any) -> None:
    if not all(callable(getattr(checkpoint, name, None)) for name in ("begin", "due", "save")):
        raise TypeError(f"checkpoint={checkpoint!r} must be None or an ldavi.io.Checkpoint")
    if estimator.n_init != 1:
        raise ValueError(
            f"n_init={estimator.n_init} is not offered with a checkpoint: fit each start by itself, n_init=1"
        )
    if estimator.validation_fraction is not None:
        msg = "validation_fraction is not offered with a checkpoint: set it to None, or fit without one"
        raise ValueError(msg)
    if estimator.learning_method != "online" and isinstance(documents, Batches):
        msg = f"learning_method={estimator.learning_method!r} is not offered with a checkpoint where X comes in batches"
        raise ValueError(f'{msg}: use learning_method="online", or one matrix X')


def described(estimator: Any, documents: Corpus) -> dict[str, str]:
    """A digest of each parameter that the result depends on, and of the data: their names say what differs."""
    fit = {
        name: _digest(value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in NOT_OF_THE_RESULT
    }
    if estimator.warm_start and estimator.__sklearn_is_fitted__():
        fit["the topics of the warm start"] = _digest(estimator._rows.materialize())
    fit["X"] = _digest_of_documents(documents)
    return fit


def _digest_of_documents(documents: Corpus) -> str:
    """Of all counts in memory; of the first batch and the number of documents where they come in batches."""
    if isinstance(documents, Batches):
        counts = documents.first_counts()
        return _digest([documents.n_words, float(documents.n_docs), counts.indptr, counts.indices, counts.values])
    assert isinstance(documents, Documents)
    counts = documents.counts
    return _digest([documents.n_words, counts.indptr, counts.indices, counts.values, documents.weight])


def _digest(value: Any) -> str:
    digest = hashlib.blake2b(digest_size=16)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
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
