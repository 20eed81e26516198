"""One pass of collapsed inference over all assignments. Equations (18.1) to (18.4).

    for each block of each part of the corpus:
        1. documents: each thread reassigns the counts of ranges of them, with current n_dk and fixed n_wk
        2. words:     each thread owns ranges of them and applies the new assignments to n_wk

Blocks do not depend on the number of threads, so the bits do not either.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ldavi import _estep
from ldavi._core.prior_regression import Covariates
from ldavi._core.random_bits import random_bits_24
from ldavi._core.records import Priors, aligned_zeros
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int32s, UInt8s, UInt16s
from ldavi._estep import PAD, SCRATCH_ROWS, SHARES, SLOTS, SPARSE_SCRATCH_ROWS, WORD_SUMS
from ldavi._inference import dirichlet_priors
from ldavi._inference.assignments import (
    AssignedPart,
    Assignments,
    CountBlock,
)
from ldavi._inference.sparse_rows import SparseRows, WordSums

MAX_TOPICS = 2**16
DRAW_ALL = 2.0  # as MIN_SHARE: each count is assigned as a whole to one sampled topic
ROWS_AT_ONCE = 2**12  # of n_wk
MIN_SHARE = 0.1  # ε: topics with a smaller share of a count are represented by one that is sampled from them


class Normalisers(NamedTuple):
    """What all words of a block have in common, in units of mass, with zero padding."""

    totals: Floats  # (Kp,) n_k + Σ_w η_kw
    inverse: Floats  # (Kp,)


class NewAssignments(NamedTuple):
    """The assignments of the counts of a block after its update, by word."""

    topic: UInt16s  # (counts, SLOTS)
    share: UInt8s  # (counts, SLOTS)


@dataclass(frozen=True, slots=True)
class KernelPriors:
    """Priors as the compiled kernel reads them: α in shares, η in units of mass, rows padded."""

    priors: Priors
    eta: Floats  # (1 or U, 1 or Kp)
    eta_totals: Doubles  # (K,)
    alpha: Floats  # (Kp,)

    def of_documents(self, covariates: Covariates | None) -> dict[str, Any]:
        """Return α of documents and its sums as the kernel reads them."""
        if self.priors.regression is None or covariates is None:
            return {"alpha": self.alpha[None, :], "alpha_total": np.array([float(self.priors.alpha.sum())])}
        of_documents = self.priors.alpha_of(covariates)
        alpha = aligned_zeros((len(of_documents), len(self.alpha)), self.alpha.dtype)
        alpha[:, : self.priors.n_topics] = of_documents * SHARES
        return {"alpha": alpha, "alpha_total": of_documents.sum(axis=1)}

    def normalisers(self, totals: Doubles) -> Normalisers:
        """Return n_k + Σ_w η_kw and its inverse."""
        K = len(self.eta_totals)
        sums, inverse = (
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
            aligned_zeros(self.alpha.shape, self.alpha.dtype),
        )
        sums[:K] = totals[:K] + self.eta_totals
        inverse[:K] = 1 / sums[:K]
        return Normalisers(sums, inverse)

    def word_sums(self, rows: SparseRows, sums: Normalisers) -> WordSums:
        """Return an object that computes the sums of words by the n_k of a block."""
        weight = self.alpha * sums.inverse
        cumulative = np.cumsum(weight[: len(self.eta_totals)], dtype=np.float64)
        return WordSums(rows, self.eta, weight, cumulative, np.zeros((len(rows), WORD_SUMS)))


def kernel_priors(assignments: Assignments, priors: Priors) -> KernelPriors:
    """Return the priors for the passes of the compiled kernel."""
    dtype, vocabulary = assignments.dtype, assignments.vocabulary
    width, K = assignments.width, priors.n_topics
    rows = priors.eta_rows(vocabulary.words)
    eta = np.zeros((len(rows), 1 if rows.shape[1] == 1 else width), dtype)
    eta[:, : rows.shape[1]] = rows * assignments.unit
    alpha = aligned_zeros((width,), dtype)
    alpha[:K] = priors.alpha * SHARES
    return KernelPriors(priors, eta, priors.eta_totals(vocabulary.n_words) * assignments.unit, alpha)


def update_assignments(
    assignments: Assignments, priors: Priors, workers: Workers, *, seed: int, min_share: float = MIN_SHARE
) -> float:
    """Reassign every count once; `assignments` changes in place. Equations (18.2) to (18.4).

    Parameters
    ----------
    seed : int
        Of this pass. The random bits of a count depend on it and on the position of the count in the corpus.
    min_share : float
        ε of (18.3), at least 1 / `_estep.MAX_CANDIDATES`.

    Returns
    -------
    log_predictive : float
        Σ_dw ω_d n_dw log p(w | assignments of all other counts). Equation (18.7).
    """
    kernel, log_predictive = kernel_priors(assignments, priors), 0.0
    for part in assignments.parts():
        of_documents = update_part(part, assignments, kernel, workers, seed=seed, min_share=min_share)
        assignments.store(part)
        log_predictive += part.documents.weighted_sum(of_documents)
    return log_predictive


def update_part(
    part: AssignedPart,
    assignments: Assignments,
    kernel: KernelPriors,
    workers: Workers,
    *,
    seed: int,
    min_share: float,
) -> Doubles:
    """Reassign every count of a part, and return Σ_w n_dw log p(w | …) of each document."""
    counts = part.documents.counts
    log_predictive = np.zeros(counts.n_docs)
    max_counts = max((len(block.position) for block in part.blocks), default=0)
    new = NewAssignments(np.empty((max_counts, SLOTS), np.uint16), np.empty((max_counts, SLOTS), np.uint8))
    pieces = 1 if workers.n_threads == 1 else 4 * workers.n_threads
    constant: dict[str, Any] = {
        "indptr": counts.indptr,
        "indices": counts.indices,
        "counts": counts.values,
        "eta": kernel.eta,
        **kernel.of_documents(part.documents.covariates),
        "new_topic": new.topic,
        "new_share": new.share,
        "log_predictive": log_predictive,
        "seed": seed,
        "n_topics": len(kernel.eta_totals),
        "min_share": min_share,
        "first_count": part.first_count,
    }
    for block in part.blocks:
        per_call = len(block.position) // pieces + 1
        ranges_of_words = even_ranges(block.word_ptr, 0, len(block.word_row), per_call)
        of_block = constant | _arguments_of_block(part, block, assignments, kernel, ranges_of_words, workers)
        ranges_of_documents = even_ranges(counts.indptr, block.start, block.stop, per_call)
        workers.run(partial(_update_documents, assignments, of_block), ranges_of_documents)
        for change in workers.run(partial(move_masses, assignments, part, block, new), ranges_of_words):
            assignments.totals += change
    return log_predictive


def _arguments_of_block(
    part: AssignedPart,
    block: CountBlock,
    assignments: Assignments,
    kernel: KernelPriors,
    ranges_of_words: list[tuple[int, int]],
    workers: Workers,
) -> dict[str, Any]:
    """Return what the compiled kernel reads of a block: its counts and their assignments, n_wk and n_k before it."""
    sums, rows = kernel.normalisers(assignments.totals), assignments.sparse
    masses: dict[str, Any] = {"N": assignments.N}
    if rows is not None:
        words = kernel.word_sums(rows, sums)
        masses = words.arguments()
        workers.run(partial(_sum_words, words, block.word_row), ranges_of_words)
    return {
        "position": block.position,
        "mass": block.mass,
        **masses,
        "totals": sums.totals,
        "inverse": sums.inverse,
        "topic": part.topic[block.counts],
        "share": part.share[block.counts],
        "first_doc": block.start,
    }


def _update_documents(assignments: Assignments, arguments: dict[str, Any], edges: tuple[int, int]) -> None:
    """Reassign the counts of a range of documents."""
    _estep.update_assignments(**arguments, scratch=scratch_of(assignments), start=edges[0], stop=edges[1])


def _sum_words(words: WordSums, word_row: Int32s, edges: tuple[int, int]) -> None:
    words.update(word_row, *edges)


def scratch_of(assignments: Assignments) -> Floats:
    """Return the working memory of one call of `_estep.update_assignments`."""
    width, dtype = assignments.width, assignments.dtype
    if assignments.sparse is None:
        return aligned_zeros((SCRATCH_ROWS * width,), dtype)
    return aligned_zeros((SPARSE_SCRATCH_ROWS * (width + PAD),), dtype)


def move_masses(
    assignments: Assignments,
    part: AssignedPart,
    block: CountBlock,
    new: NewAssignments,
    edges: tuple[int, int],
) -> Doubles:
    """Give the counts of a range of a block's words their new topics and shares; return the change of n_k."""
    width, rows = assignments.width, assignments.sparse
    masses: dict[str, Any] = {"N": assignments.N}
    if rows is not None:
        masses = {**rows.arguments(), "scratch": aligned_bytes(_estep.apply_scratch_bytes(width))}
    change = np.zeros(width)
    _estep.apply_assignments(
        word_ptr=block.word_ptr,
        word_row=block.word_row,
        mass=block.mass,
        topic=part.topic[block.counts],
        share=part.share[block.counts],
        new_topic=new.topic,
        new_share=new.share,
        **masses,
        change=change,
        start=edges[0],
        stop=edges[1],
    )
    return change


def aligned_bytes(n: int) -> UInt8s:
    """Return n bytes of working memory."""
    return aligned_zeros((n,), np.uint8)  # type: ignore[return-value]  # bytes are laid out like any other


class RoundedCounts(NamedTuple):
    """Entries of n_wk rounded to integers.

    Attributes
    ----------
    values, times : array of shape (n,)
        The values that occur, and how often; a value may be repeated.
    totals : array of shape (Kp,)
        Their sum in each topic.
    """

    values: Doubles
    times: Doubles
    totals: Doubles


def rounded_word_counts(assignments: Assignments, workers: Workers, *, seed: int) -> dirichlet_priors.GroupedCounts:
    """Return n_wk rounded to integers at random, with the same mean, as counts of how often each value occurs.

    The evidence for η depends on n_wk alone, so no topics are sampled.
    """
    return dirichlet_priors.group_values(*rounded_rows(assignments, workers, seed=seed))


def rounded_rows(assignments: Assignments, workers: Workers, *, seed: int, first_row: int = 0) -> RoundedCounts:
    """Return the entries of n_wk rounded as in `rounded_word_counts`; `first_row` is the number of its first row."""
    width, rows = assignments.width, assignments.sparse
    n_rows = len(assignments.N) if rows is None else len(rows)

    def rounded(first: int) -> tuple[Doubles, Doubles, Doubles]:
        if rows is None:
            dense = assignments.N[first : first + ROWS_AT_ONCE]
            held = np.nonzero(dense)
            topic, mass = held[1], dense[held]
        else:
            _, topic, mass = rows.entries(first, min(first + ROWS_AT_ONCE, n_rows))
        up_to = random_bits_24(seed, (first_row + first) * width, len(mass)) / 2.0**24
        whole = np.floor(mass / assignments.unit + up_to)  # in float64: counts may exceed every integer type
        values, times = np.unique(whole, return_counts=True)
        totals: Doubles = np.bincount(topic, whole, minlength=width).astype(np.float64)
        return values.astype(np.float64), times.astype(np.float64), totals

    firsts = range(0, max(1, n_rows), ROWS_AT_ONCE)  # at least one, even if no word occurs
    values, times, totals = zip(*workers.run(rounded, firsts), strict=True)
    return RoundedCounts(np.concatenate(values), np.concatenate(times), np.sum(totals, axis=0))
