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

import numpy as np

from ldavi._core.typing import Floats
from ldavi._inference import vb_distributed as blocks
from ldavi._inference.topic_shards import CompactPriors, CorpusLayout, ShardTopics, shard_sums_of
from ldavi._inference.trace import TraceRecord, record
from ldavi._inference.vb_batch import PassSettings
from ldavi._inference.vb_distributed import Step
from ldavi.dask._places import Place

ANCHOR_EVERY = 20  # monotone passes, at most
KEPT_BYTES = 2**30  # of fields since the last anchor, on each worker


class Corpus(NamedTuple):
    """Documents on their places.

    Attributes
    ----------
    n_topics : int
    parts : sequence of handles to Part
    ground : handle to Ground
    words : Ground
        The same, here.
    n_docs : int
        Documents that weigh something.
    weight, tokens : float
        Σ_d ω_d and Σ_d ω_d N_d.
    dtype : str
        Of counts and topics.
    """

    n_topics: int
    parts: Sequence[Any]
    ground: Any
    words: CorpusLayout
    n_docs: int
    weight: float
    tokens: float
    dtype: str


class State(NamedTuple):
    """Handles to what a pass begins from: fields of each shard, the sums with them, priors; γ of each part if it goes on."""

    shards: Sequence[Any]
    sums: Sequence[Any]
    hyper: Any
    gammas: Sequence[Any] | None


class Pass(NamedTuple):
    """Handles to what a pass leads to, and what its λ can be made from: the roots of each shard's sums."""

    before: State
    after: State
    roots: Sequence[Sequence[Any]]
    report: Any


class Reached(NamedTuple):
    """The end of a pass."""

    record: TraceRecord
    handles: Pass


def first_state(place: Place, shards: Sequence[ShardTopics], hyper: CompactPriors) -> State:
    """Where a fit starts, brought to the workers."""
    return State([place.send(shard) for shard in shards], [shard.sums for shard in shards], place.send(hyper), None)


def passes(
    place: Place, corpus: Corpus, first: State, plan: PassSettings, *, max_iter: int, n_threads: int
) -> Generator[Reached]:
    """Coordinate ascent as `fit_batch` does it, `max_iter` passes at most."""
    started, every, anchored = time.perf_counter(), _anchor_every(corpus), 0
    base = [corpus.ground, *first.shards, first.hyper]
    kept = list(base)
    ahead = _hand_out(place, corpus, first, plan, 1, n_threads)
    for iteration in range(1, max_iter + 1):
        now = ahead
        if iteration <= plan.warmup:  # such a pass needs the last fields alone
            kept = [*base, *now.before.shards]
        kept += [*now.after.shards, now.after.hyper]
        due = place.remote and iteration >= max(plan.warmup, anchored) + every
        if place.remote and not due and iteration < max_iter:
            ahead = _hand_out(place, corpus, now.after, plan, iteration + 1, n_threads)
        report = place.fetch(now.report)
        place.guard(kept)
        phase = "monotone" if iteration > plan.warmup else "warmup"
        sweeps, seconds = report.sweeps / max(1, corpus.n_docs), time.perf_counter() - started
        yield Reached(record(iteration, phase, report.terms, corpus.tokens, sweeps, seconds), now)
        if iteration == max_iter:
            return
        if due:
            state = _anchored(place, now.after)
            kept, anchored = [corpus.ground, *state.shards, state.hyper, *(state.gammas or [])], iteration
            ahead = _hand_out(place, corpus, state, plan, iteration + 1, n_threads)
        elif not place.remote:
            ahead = _hand_out(place, corpus, now.after, plan, iteration + 1, n_threads)


def lam(place: Place, corpus: Corpus, reached: Pass, n_threads: int) -> tuple[Floats, CompactPriors]:
    """λ at the end of a pass, word-major of shape (U, Kp), and the priors with it; made anew from the pass' statistics."""
    n_shards = len(reached.roots)
    grounds, hypers, threads = [corpus.ground] * n_shards, [reached.after.hyper] * n_shards, [n_threads] * n_shards
    shards = place.map(blocks.lam_of, reached.roots, reached.before.shards, hypers, grounds, range(n_shards), threads)
    return np.concatenate(place.fetch(shards)), place.fetch(reached.after.hyper)


def _anchor_every(corpus: Corpus) -> int:
    rows, K = len(corpus.words.words), corpus.n_topics
    return max(2, min(ANCHOR_EVERY, KEPT_BYTES // max(rows * K * np.dtype(corpus.dtype).itemsize, 1)))


def _anchored(place: Place, state: State) -> State:
    shards, (hyper,) = place.anchor(state.shards), place.anchor([state.hyper])
    gammas = None if state.gammas is None else place.anchor(state.gammas)
    return State(shards, place.map(shard_sums_of, shards), hyper, gammas)


def _hand_out(place: Place, corpus: Corpus, before: State, plan: PassSettings, iteration: int, n_threads: int) -> Pass:
    """One pass: visits, sums of each shard by a tree over the parts in order, priors, topics."""
    monotone, n_parts = iteration > plan.warmup, len(corpus.parts)
    learns = plan.learns_after(iteration)
    sweeps = plan.monotone_inner_iter if monotone else plan.warmup_inner_iter
    step = Step(sweeps, plan.tol, learns and plan.learn_alpha, n_threads)
    start = before.gammas if monotone and before.gammas is not None else [None] * n_parts
    fields, hypers = [list(before.shards)] * n_parts, [before.hyper] * n_parts
    passed = place.map(blocks.visit, corpus.parts, fields, hypers, start, [step] * n_parts)
    roots = [
        _tree(place, place.map(blocks.statistics_of_shard, passed, [edges] * n_parts)) for edges in corpus.words.edges
    ]
    gammas = place.map(blocks.gamma_of, passed) if iteration >= plan.warmup else None
    hyper = before.hyper
    if learns:
        hyper = place.call(blocks.learn, roots, hyper, corpus.ground, plan, corpus.weight)
    offset = plan.offset_of(iteration + 1)
    shards = [
        place.call(blocks.m_step_shard, own, fields, hyper, corpus.ground, shard, offset, n_threads)
        for shard, (own, fields) in enumerate(zip(roots, before.shards, strict=True))
    ]
    sums = place.map(shard_sums_of, shards)
    report = place.call(
        blocks.report, list(before.sums), sums, hyper, learns, corpus.ground, corpus.dtype, plan.offset_of(iteration)
    )
    return Pass(before._replace(gammas=None), State(shards, sums, hyper, gammas), roots, report)


def _tree(place: Place, sums: list[Any]) -> list[Any]:
    """Sums two by two, until one or two are left."""
    while len(sums) > 2:
        odd = sums[-1:] if len(sums) % 2 else []
        sums = place.map(blocks.merge, sums[0 : len(sums) - len(odd) : 2], sums[1::2]) + odd
    return sums
