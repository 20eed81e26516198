"""A fit, from settings to topics: the list of its phases, and the one loop that runs them.

`phases_of` lists the algorithms that the settings ask for. `run_phases` runs them: it is the only loop over passes in
the package, for documents in memory, in batches and on a cluster, from the start or from a checkpoint.
"""

import dataclasses
import math
import warnings
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.threads import Workers
from ldavi._estimator.checkpointing import FitCheckpoint
from ldavi._estimator.convergence import ConvergenceMonitor, Restart
from ldavi._estimator.pass_report import log_end, report_pass
from ldavi._estimator.settings import VALIDATE_EVERY, FitSettings
from ldavi._estimator.starting_topics import Initialization
from ldavi._inference.cvb0 import Cvb0
from ldavi._inference.exact_bound import ExactBound
from ldavi._inference.part_of_corpus import OnPart, part_step
from ldavi._inference.passes import Phase, State
from ldavi._inference.trace import TraceRecord
from ldavi._inference.validation_set import ValidationSet, completion_perplexity, split_half
from ldavi._inference.vb_batch import BatchVB
from ldavi._inference.vb_memoized import MemoizedVB
from ldavi._inference.vb_online import OnlineVB

AnyPhase: TypeAlias = Phase[Any, Any]  # each phase has documents and a state of its own types


@dataclass(frozen=True, slots=True)
class FitContext:
    """What all restarts of a fit share."""

    settings: FitSettings
    documents: DocumentSource
    workers: Workers
    checkpoint: FitCheckpoint | None = None
    validation_set: ValidationSet | None = None


def run_restarts(
    context: FitContext, starts: Iterable[Initialization], restarts: list[Restart], *, keep_after_error: bool
) -> None:
    """Run the fit from each start, and append to `restarts` what each has reached.

    After Ctrl-C, `restarts` holds the topics after the last complete pass; a resumed online fit has none before its
    first complete pass. After an error, such as one of a callback, it is empty unless `keep_after_error`.
    """
    try:
        _run_starts(context, starts, restarts)
    except Exception:
        if not keep_after_error:
            restarts.clear()
        raise


def _run_starts(context: FitContext, starts: Iterable[Initialization], restarts: list[Restart]) -> None:
    settings, checkpoint = context.settings, context.checkpoint
    if checkpoint is not None:
        restarts.extend(checkpoint.finished_restarts())
    for number, start in enumerate(starts):
        restart = Restart(ConvergenceMonitor(settings))
        if checkpoint is not None:
            if number < checkpoint.restart_number:
                continue
            restart = checkpoint.resumed_restart(number)
        restarts.append(restart)
        run_phases(context, phases_of(settings, context.documents, start), start, restarts)
        log_end(restart.monitor.records, converged=restart.monitor.converged)


Role: TypeAlias = Literal["initialize", "learn", "prepare", "evaluate"]


class PlannedPhase(NamedTuple):
    """A phase and its role in the fit.

    Attributes
    ----------
    phase : Phase
    role : {"initialize", "learn", "prepare", "evaluate"}
        "initialize": finds topics to start from; its passes are not passes of the fit, and have no records. "learn":
        its passes end the fit when it has converged (records of a warm-up never do). "prepare": the next
        phase continues from its topics, and its objective says little about the fit. "evaluate": computes the exact
        bound of topics learned without one.
    """

    phase: AnyPhase
    role: Role = "learn"


def phases_of(settings: FitSettings, documents: DocumentSource, start: Initialization) -> list[PlannedPhase]:
    """Return the phases of a fit: the algorithms that its settings ask for, in order."""
    if settings.learning_method == "online":
        phases_on_part, n_initial = _on_part(settings, documents, start)
        online = OnlineVB(
            settings.online_settings(), settings.max_iter, _step_size(settings, documents), settings.rate, n_initial
        )
        return [*phases_on_part, PlannedPhase(online), _evaluation(settings, documents)]
    if settings.inference == "cvb0":
        phases = _cvb0(settings, documents, start, settings.max_iter)
        return [*(PlannedPhase(phase) for phase in phases), _evaluation(settings, documents)]
    if settings.learning_method == "memoized":
        batch_size = settings.memoized_batch_size(documents.n_docs)
        return [PlannedPhase(MemoizedVB(settings.pass_settings(start.kind), settings.max_iter, batch_size))]
    n_before = settings.n_before_ascent(documents, start)
    if not n_before:
        return [PlannedPhase(BatchVB(settings.pass_settings(start.kind), settings.max_iter))]
    preparation = _cvb0(settings, documents, start, n_before)
    ascent = BatchVB(settings.pass_settings("given"), settings.max_iter - n_before, first=n_before)
    phases_before = [PlannedPhase(phase, "prepare") for phase in preparation]
    return [*phases_before, PlannedPhase(ascent), _evaluation(settings, documents)]


def _cvb0(settings: FitSettings, documents: DocumentSource, start: Initialization, n_passes: int) -> list[AnyPhase]:
    """Return collapsed passes, and before them VB passes where these are a good start."""
    n_vb = settings.n_vb_before_cvb0(documents, start, n_passes)
    cvb0 = Cvb0(settings.cvb0_settings(documents, start, n_passes), n_passes - n_vb, first=n_vb)
    with_fixed_priors = dataclasses.replace(settings.pass_settings(start.kind), learn_alpha=False, learn_eta=False)
    warmup = BatchVB(with_fixed_priors, n_vb, is_warmup=True, name="VB warm-up")
    return [warmup, cvb0] if n_vb else [cvb0]


def _on_part(settings: FitSettings, documents: DocumentSource, start: Initialization) -> tuple[list[PlannedPhase], int]:
    """Return the passes over a part of the corpus before online steps, if there are any, and their number of steps."""
    n_passes = settings.n_on_part(documents, start)
    if not n_passes:
        return [], 0
    n_docs = documents.n_docs or documents.total_weight  # batches have no weights, nor a number before the first pass
    step = part_step(documents.n_tokens, n_docs, settings.n_components)
    with_warmup = dataclasses.replace(settings, max_iter=2 * n_passes)  # the warm-up is at most half of max_iter
    phases = _cvb0(with_warmup, documents, start, n_passes)
    steps_per_pass = math.ceil(documents.total_weight / step / _step_size(settings, documents))
    return [PlannedPhase(OnPart(phase, step), "initialize") for phase in phases], n_passes * steps_per_pass


def _evaluation(settings: FitSettings, documents: DocumentSource) -> PlannedPhase:
    batch_size = _step_size(settings, documents)
    phase = ExactBound(settings.exact_bound_inner_iter(), settings.mean_change_tol, batch_size)
    return PlannedPhase(phase, "evaluate")


def _step_size(settings: FitSettings, documents: DocumentSource) -> int:
    """Return the number of documents of an online step; `n_docs` of batches is 0 until the first pass."""
    return settings.step_size(documents.n_docs if isinstance(documents, Documents) else documents.total_weight)


def run_phases(
    context: FitContext, plan: Sequence[PlannedPhase], start: Initialization, restarts: Sequence[Restart]
) -> None:
    """Run a fit from one start: phase after phase, and pass after pass within each.

    Parameters
    ----------
    restarts : sequence of Restart
        The last one is this fit; those before it are finished.
    """
    checkpoint = context.checkpoint
    first = 0 if checkpoint is None else checkpoint.first_phase([planned.phase.name for planned in plan])
    for planned in plan[first:]:
        if _is_due(planned.role, context.settings, restarts[-1]):
            _run_phase(context, planned, start, restarts)


def _run_phase(context: FitContext, planned: PlannedPhase, start: Initialization, restarts: Sequence[Restart]) -> None:
    """Run the passes of one phase. Its state is released with this call, before the next phase allocates its own."""
    (phase, role), checkpoint, restart = planned, context.checkpoint, restarts[-1]
    documents = phase.prepare(context.documents)
    state = _first_state(context, planned, documents, start, restart)
    with closing(phase.passes(documents, state, context.workers)) as passes:
        for state, record in passes:
            if record is not None and role == "initialize":
                restart.initial = state.result
            elif record is not None:
                restart.last = state.result
                _finish_pass(context, record, restart, role)
                if restart.monitor.ends_with(record):  # no state is saved after the last pass
                    break
            if checkpoint is not None:
                checkpoint.save(phase.name, state, restarts)


def _is_due(role: Role, settings: FitSettings, restart: Restart) -> bool:
    """Return whether a phase has to run: passes until the fit is over, an evaluation if the bound is not exact."""
    monitor = restart.monitor
    if role == "initialize":
        return restart.last is None
    if role != "evaluate":
        is_lost = restart.last is None or restart.last.iteration < monitor.last.iteration  # then passes are repeated
        return not monitor.is_over or is_lost
    # A callback may end a fit in the collapsed passes before those of VB, before any bound is known.
    return settings.learning_method == "online" or settings.inference == "cvb0" or monitor.last.phase == "collapsed"


def _first_state(
    context: FitContext, planned: PlannedPhase, documents: Any, start: Initialization, restart: Restart
) -> State:
    """Return the state that a phase starts from: saved in a checkpoint, or made of the topics so far."""
    phase = planned.phase
    if context.checkpoint is not None:
        saved: State | None = context.checkpoint.saved_state(phase, documents, has_records=planned.role != "initialize")
        if saved is not None:
            if planned.role == "initialize":
                restart.initial = saved.result
            else:
                restart.last = saved.result
            return saved
    before = restart.result if planned.role == "evaluate" else restart.last or restart.initial
    if before is None:
        initial: State = phase.start(documents, start.priors, start.topics)
    else:
        topics = before.fetch()
        initial = phase.start(documents, topics.priors, lambda: topics)
    return initial


def _finish_pass(context: FitContext, record: TraceRecord, restart: Restart, role: Role) -> None:
    """Validate the topics, record the pass, report it, and decide whether it is the last one."""
    settings, monitor = context.settings, restart.monitor
    if role == "evaluate":
        if monitor.last.phase != record.phase:  # else it is repeated because the topics were lost after it
            monitor.records.append(record)
        return
    if monitor.has(record):  # a pass that is repeated because its result was lost
        return
    if context.validation_set is not None and role == "learn":
        record = _validated(context, context.validation_set, record, restart)
    monitor.records.append(record)
    report_pass(settings, record)
    stopped = [_is_true(callback(record)) for callback in settings.callbacks]
    monitor.update(is_preparation=role == "prepare", stopped_by_callback=any(stopped))


def _is_true(value: object) -> bool:
    """Return whether a callback asks to stop: comparisons of NumPy give its own True."""
    return isinstance(value, bool | np.bool_) and bool(value)


def _validated(
    context: FitContext, validation_set: ValidationSet, record: TraceRecord, restart: Restart
) -> TraceRecord:
    """Return the record with the validation perplexity, if it is due; keep the topics if they are the best."""
    if restart.last is None or record.iteration % VALIDATE_EVERY:
        return record
    result = restart.last.fetch()
    tol = context.settings.mean_change_tol
    perplexity = completion_perplexity(validation_set, result, context.workers, tol=tol)
    if perplexity < restart.monitor.best_validation():
        restart.best = result._replace(lam=result.lam.copy())  # the next pass reuses the memory of λ
    return dataclasses.replace(record, validation=perplexity)


def split_validation(
    documents: DocumentSource, fraction: float | None, random_state: np.random.RandomState
) -> tuple[DocumentSource, ValidationSet | None]:
    """Split documents at random into those to learn from and a validation set.

    Raises
    ------
    ValueError
        If one of the two would be empty.
    """
    if fraction is None:
        return documents, None
    assert isinstance(documents, Documents)  # checked with the parameters
    n_docs = documents.n_docs
    n_validation = round(fraction * n_docs)
    if not 0 < n_validation < n_docs:
        msg = (
            f"validation_fraction={fraction!r} of {n_docs} documents gives a validation set of {n_validation}; both "
            "sides need at least one document: use more documents, or None"
        )
        raise ValueError(msg)
    is_held_out = np.zeros(n_docs, bool)
    is_held_out[random_state.permutation(n_docs)[:n_validation]] = True
    held_out = documents.select(is_held_out)
    uniform = random_state.uniform(size=len(held_out.counts.indices))
    return documents.select(~is_held_out), split_half(held_out.counts, uniform, held_out.covariates)


def warn_not_converged(settings: FitSettings, monitor: ConvergenceMonitor) -> None:
    """Warn that `max_iter` ended a fit before it converged."""
    if monitor.converged or monitor.stopped or settings.tol is None:
        return
    before_final = [record for record in monitor.records if record.phase != "final"]
    gains = dataclasses.replace(monitor, records=before_final).recent_gains()
    is_known = before_final[-1].phase != "collapsed" and gains  # single collapsed passes say little
    rise = f" by up to {max(gains):.2g} of its value" if is_known else ""
    msg = (
        f"The fit did not converge: the objective still rose{rise} until pass {before_final[-1].iteration}, "
        f"the last of max_iter={settings.max_iter}; tol={settings.tol:g} requires less"
    )
    warnings.warn(f"{msg}. Increase max_iter or tol.", ConvergenceWarning, stacklevel=3)
