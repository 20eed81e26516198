"""When a fit stops: the records of a fit and the rules that read them, and what a restart has reached."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ldavi._estimator.settings import FitSettings
from ldavi._inference.passes import PassResult, RemoteResult
from ldavi._inference.trace import TraceRecord, relative_gain

SMALL_GAINS = 3  # passes in a row; single gains vary, since documents move between topics at different times
MIN_CVB0_WINDOW = 25  # collapsed passes whose mean objective is compared with that of the passes before
CVB0_TOLERANCE = 40  # times tol, between a quarter of the passes and the previous quarter, 25 passes or more


@dataclass(slots=True)
class ConvergenceMonitor:
    """The records of a fit, and whether a rule has ended it.

    Attributes
    ----------
    settings : FitSettings
    records : list of TraceRecord
    converged : bool
        Whether the objective has converged: topics and learned priors, which every pass updates.
    stopped : bool
        Whether something else has ended the fit: a callback, the training perplexity or the validation set.
    """

    settings: FitSettings
    records: list[TraceRecord] = field(default_factory=list)
    converged: bool = False
    stopped: bool = False

    @property
    def last(self) -> TraceRecord:
        return self.records[-1]

    @property
    def is_over(self) -> bool:
        """Whether no further pass is to be made."""
        return self.converged or self.stopped or len(self.records) >= self.settings.max_iter

    def ends_with(self, record: TraceRecord) -> bool:
        """Return whether this is the last pass of the fit, which may repeat earlier passes before it."""
        return self.is_over and record.iteration >= self.last.iteration

    def has(self, record: TraceRecord) -> bool:
        """Return whether a record of this pass exists."""
        return bool(self.records) and record.iteration <= self.last.iteration

    def update(self, *, is_preparation: bool, stopped_by_callback: bool) -> None:
        """Decide whether the fit ends with the last record.

        Parameters
        ----------
        is_preparation : bool
            Whether another phase continues from this one; its objective then says little about the fit.
        stopped_by_callback : bool
        """
        settings, self.stopped = self.settings, stopped_by_callback
        if is_preparation or self.last.phase == "warmup":
            return
        self.converged = settings.tol is not None and self.objective_converged(settings.tol)
        if settings.evaluate_every > 0:
            self.stopped |= self.perplexity_converged(settings.evaluate_every, settings.perp_tol)
        if settings.validation_fraction is not None:
            self.stopped |= self.patience_exceeded(settings.n_iter_no_change)

    def objective_converged(self, tol: float) -> bool:
        """Return whether the objective has risen by less than `tol`, relative to its value, in each of some passes."""
        if self.last.phase == "collapsed":
            return self._cvb0_gain() < CVB0_TOLERANCE * tol
        gains = self.recent_gains()
        return len(gains) == SMALL_GAINS and max(gains) < tol

    def recent_gains(self) -> list[float]:
        """Return the relative gains of the last passes, all of which have to be small; fewer if a phase has begun."""
        records = [record for record in self.records if record.phase == self.last.phase][-SMALL_GAINS - 1 :]
        return [relative_gain(before, after) for before, after in itertools.pairwise(records)]

    def _cvb0_gain(self) -> float:
        """Return the relative gain of a collapsed objective from the third quarter of the passes to the last.

        Draws make single passes uneven, and topics improve slowly over hundreds of passes, of which ten show nothing.
        In the first hundred passes, ε and α change as well, equations (18.6) and (19.6).
        """
        objective = [record.objective for record in self.records if record.phase == "collapsed"]
        window = len(objective) // 4
        if window < MIN_CVB0_WINDOW:
            return np.inf
        last, before = np.mean(objective[-window:]), np.mean(objective[-2 * window : -window])
        return float((last - before) / max(abs(last), np.finfo(float).tiny))

    def perplexity_converged(self, every: int, tol: float) -> bool:
        """Return whether the training perplexity changed by less than `tol` in `every` passes: scikit-learn's rule."""
        now = self.last
        before = [record for record in self.records[:-1] if record.phase == now.phase]
        if now.iteration % every or len(before) < every:
            return False
        return abs(before[-every].perplexity - now.perplexity) < tol

    @property
    def final_elbo(self) -> float:
        """Final ELBO, used to choose among restarts; −inf if a restart was interrupted before its first bound."""
        elbo = self.last.elbo
        return -np.inf if np.isnan(elbo) else elbo

    def best_validation(self) -> float:
        """Return the lowest validation perplexity; infinite before the first."""
        return min(self._validations(), default=np.inf)

    def patience_exceeded(self, n_checks: int) -> bool:
        """Return whether none of the last `n_checks` validations was the best."""
        measured = self._validations()
        return len(measured) > n_checks and min(measured[-n_checks:]) >= min(measured[:-n_checks])

    def _validations(self) -> list[float]:
        return [record.validation for record in self.records if not np.isnan(record.validation)]


@dataclass(slots=True)
class Restart:
    """One start of a fit and what it has reached.

    Attributes
    ----------
    monitor : ConvergenceMonitor
    last : PassResult, RemoteResult or None
        The topics after the last complete pass.
    best : PassResult or None
        The topics with the lowest perplexity of the validation set, if there is one.
    initial : PassResult, RemoteResult or None
        The topics that the first pass starts from, if other passes have found them.
    """

    monitor: ConvergenceMonitor
    last: PassResult | RemoteResult | None = None
    best: PassResult | None = None
    initial: PassResult | RemoteResult | None = None

    @property
    def result(self) -> PassResult | RemoteResult | None:
        """The topics that the fit returns."""
        return self.last if self.best is None else self.best


def best_restart(restarts: Iterable[Restart]) -> Restart | None:
    """Return the restart with the highest final ELBO, or None if none has completed a pass."""
    complete = [restart for restart in restarts if restart.result is not None]
    return max(complete, key=lambda restart: restart.monitor.final_elbo, default=None)
