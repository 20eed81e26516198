"""What a fit reports: lines on standard output for `verbose`, and records of the logger "ldavi"."""

import logging
from collections.abc import Sequence

from ldavi._estimator.settings import FitSettings
from ldavi._inference.trace import TraceRecord

LOGGER = logging.getLogger("ldavi")


def report_pass(settings: FitSettings, record: TraceRecord) -> None:
    """Print a pass if `verbose` is set, and log it with the level INFO."""
    if settings.verbose:
        evaluates = settings.evaluate_every > 0 and record.iteration % settings.evaluate_every == 0
        perplexity = f", perplexity: {record.perplexity:.4f}" if evaluates else ""
        objective = f"{record.objective_name.lower()}: {record.objective:.6g}"
        print(f"iteration: {record.iteration} of max_iter: {settings.max_iter}, {objective}{perplexity}", flush=True)
    LOGGER.info(
        "pass %d, %s: %s %.6g, perplexity %.1f, %.1f s",
        record.iteration,
        record.phase,
        record.objective_name,
        record.objective,
        record.perplexity,
        record.seconds,
    )


def log_end(records: Sequence[TraceRecord], *, converged: bool) -> None:
    """Log how a fit ended, with the level INFO."""
    if records:
        how = "converged" if converged else "not converged"
        LOGGER.info("fit ended after pass %d, %s: ELBO %.6g", records[-1].iteration, how, records[-1].elbo)
