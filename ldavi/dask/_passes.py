"""Pass after pass over parts that live on workers: what is handed out when, and what is kept so that it can be redone.

A pass is handed out as a whole, and the next one before this one's report has come back: workers never wait for the
client. γ of a part stays where it was computed. Should its worker die, it is computed again from the part, the fields of
the passes since γ last started afresh or was *anchored*, and nothing else; those fields are kept for that. An anchor, every
few passes, brings γ and fields through the client into two workers each, whence all begins anew: the chain of what would
have to be redone stays short, and fields before it can go.
"""

import time
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from ldavi import _fit_blocks as blocks
from ldavi._fit import Plan
from ldavi._fit_blocks import Ground, Renewal, Step
from ldavi._trace import TraceRecord, record
from ldavi.dask._places import Place

ANCHOR_EVERY = 20  # monotone passes, at most
KEPT_BYTES = 2**30  # of fields since the last anchor, on each worker


class Corpus(NamedTuple):
    """Documents on their places.

    Attributes
    ----------
    parts : sequence of handles to Part
    ground : handle to Ground
    words : Ground
        The same, here.
    n_docs : int
        Documents that weigh something.
    weight, tokens : float
        Σ_d ω_d and Σ_d ω_d N_d.
    """

    parts: Sequence[Any]
    ground: Any
    words: Ground
    n_docs: int
    weight: float
    tokens: float


class Pass(NamedTuple):
    """Handles to what one pass leads to; γ only where a later pass goes on from it."""

    gammas: Sequence[Any] | None
    renewed: Any
    fields: Any
    report: Any


class Reached(NamedTuple):
    """The end of a pass: its record, and a handle to `blocks.Renewed`, which has the topics."""

    record: TraceRecord
    renewed: Any


def passes(place: Place, corpus: Corpus, first: Any, plan: Plan, *, max_iter: int, n_threads: int) -> Generator[Reached]:
    """Coordinate ascent as `fit_batch` does it.

    Parameters
    ----------
    first : handle to Fields
        Of the topics to start from.
    max_iter : int
        Passes, at most.
    """
    started, kept, anchored = time.perf_counter(), [corpus.ground, first], 0
    ahead = _hand_out(place, corpus, first, None, plan, 1, n_threads)
    every = None
    for iteration in range(1, max_iter + 1):
        now = ahead
        kept = kept[:2] + kept[-1:] if iteration <= plan.warmup else kept  # a warm-up pass needs the last fields alone
        kept.append(now.fields)
        due = place.remote and every is not None and iteration >= max(plan.warmup, anchored) + every
        if place.remote and not due and iteration < max_iter:
            ahead = _hand_out(place, corpus, now.fields, now.gammas, plan, iteration + 1, n_threads)
        report = place.fetch(now.report)
        if every is None:
            every = _anchor_every(report.fields_bytes)
        place.guard(kept)
        phase = "monotone" if iteration > plan.warmup else "warmup"
        sweeps, seconds = report.sweeps / max(1, corpus.n_docs), time.perf_counter() - started
        yield Reached(record(iteration, phase, report.terms, corpus.tokens, sweeps, seconds), now.renewed)
        if iteration == max_iter:
            return
        if due:
            fields, *gammas = place.anchor([now.fields, *(now.gammas or [])])
            kept, anchored = [corpus.ground, fields, *gammas], iteration
            ahead = _hand_out(place, corpus, fields, gammas, plan, iteration + 1, n_threads)
        elif not place.remote:
            ahead = _hand_out(place, corpus, now.fields, now.gammas, plan, iteration + 1, n_threads)


def _anchor_every(fields_bytes: int) -> int:
    return max(2, min(ANCHOR_EVERY, KEPT_BYTES // max(fields_bytes, 1)))


def _hand_out(
    place: Place, corpus: Corpus, fields: Any, gammas: Sequence[Any] | None, plan: Plan, iteration: int, n_threads: int
) -> Pass:
    """One pass: visits, sums by a tree over the parts in order, topics."""
    monotone, n_parts = iteration > plan.warmup, len(corpus.parts)
    learns = plan.learns_after(iteration)
    sweeps = plan.monotone_sweeps if monotone else plan.warmup_sweeps
    step = Step(sweeps, plan.tol, learns and plan.learn_alpha, n_threads)
    start = gammas if monotone and gammas is not None else [None] * n_parts
    passed = place.map(blocks.visit, corpus.parts, [fields] * n_parts, start, [step] * n_parts)
    goes_on = iteration >= plan.warmup
    left = place.map(blocks.gamma_of, passed) if goes_on else None
    sums = place.map(blocks.gathered, passed)
    while len(sums) > 2:
        odd = sums[-1:] if len(sums) % 2 else []
        sums = place.map(blocks.merge, sums[0 : len(sums) - len(odd) : 2], sums[1::2]) + odd
    renewal = Renewal(plan, learns, plan.offset_of(iteration + 1), corpus.weight, n_threads)
    renewed = place.call(blocks.renew, sums, fields, corpus.ground, renewal)
    return Pass(left, renewed, place.call(blocks.fields_of, renewed), place.call(blocks.report_of, renewed))
