"""One start of a fit: pass after pass until it is enough, with what is printed, called and kept on the way."""

import dataclasses
import itertools
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ldavi._core.corpus import Corpus
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._estimator import schedule
from ldavi._estimator import validation as check
from ldavi._estimator.checkpointing import Keeper
from ldavi._estimator.schedule import Progress, Run, Start
from ldavi._inference.trace import relative_gain
from ldavi._inference.validation_set import ValidationSet, completion_perplexity


def learn(
    estimator: Any,
    run: Run,
    documents: Corpus,
    priors: Priors,
    held_out: ValidationSet | None,
    start: Start,
    workers: Workers,
    keeper: Keeper,
) -> None:
    """Learn from one start; `run` always holds what has been reached."""
    progress, tol = run.progress, estimator.mean_change_tol
    n_before = schedule.collapsed_before(estimator, start)
    keeper.resume(run)
    if not keeper.passes_are_over:
        loop = schedule.learning_loop(estimator, documents, priors, start, workers, keeper)
        try:
            learned = None
            for learned in itertools.islice(loop, estimator.max_iter - len(progress.records)):
                state, learned = learned.state, learned._replace(state=None)
                now = learned.record
                if held_out is not None and now.iteration > n_before and now.iteration % schedule.VALIDATE_EVERY == 0:
                    found = completion_perplexity(held_out, learned, workers, tol=tol)
                    if found < progress.best_validation():
                        run.learned = learned._replace(lam=learned.lam.copy())  # the loop goes on in its memory
                    now = dataclasses.replace(now, validation=found)
                elif held_out is None or progress.best_validation() == np.inf:
                    run.learned = learned
                progress.records.append(now)
                progress.converged = stops(estimator, progress)
                if not progress.converged and len(progress.records) < estimator.max_iter:
                    keeper.after_pass(state)
                del state  # or the loop's arrays would outlive their use
                if progress.converged:
                    break
        finally:
            loop.close()  # and with it every array that only the loop needed
    if run.learned is not None:
        final = schedule.final_record(estimator, documents, run.learned, workers, keeper)
        progress.records += [] if final is None else [final]


def stops(estimator: Any, progress: Progress) -> bool:
    """Print, call back, and say whether the pass just recorded is the last."""
    now = progress.records[-1]
    evaluates = estimator.evaluate_every > 0 and now.iteration % estimator.evaluate_every == 0
    if estimator.verbose:
        name = "log predictive" if now.phase == "collapsed" else "elbo"
        perplexity = f", perplexity: {now.perplexity:.4f}" if evaluates else ""
        line = f"iteration: {now.iteration} of max_iter: {estimator.max_iter}, {name}: {now.objective:.6g}{perplexity}"
        print(line, flush=True)
    stop = [callback(now) is True for callback in check.check_callbacks(estimator.callbacks)]
    if now.phase == "warmup" or (now.phase == "collapsed" and check.begins_collapsed(estimator)):
        # Where these passes lead says little of where the fit will.
        return any(stop)
    stop.append(progress.evaluated(estimator.evaluate_every, estimator.perp_tol))
    stop.append(estimator.tol is not None and progress.settled(estimator.tol))
    stop.append(progress.stale(estimator.n_iter_no_change))
    return any(stop)


def warn_not_converged(estimator: Any, progress: Progress) -> None:
    """Say that `max_iter` ended a fit that was not over."""
    records = [record for record in progress.records if record.phase != "final"]
    gain = relative_gain(records[-2], records[-1]) if len(records) > 1 else np.inf
    msg = (
        f"The objective still rose by {gain:.2g} of itself in pass {estimator.n_iter_}, the last of "
        f"max_iter={estimator.max_iter}; tol={estimator.tol:g} asks for less. Raise max_iter or tol."
    )
    warnings.warn(msg, ConvergenceWarning, stacklevel=3)
