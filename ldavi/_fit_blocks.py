"""The batch loop taken apart, for documents that live in other processes: a part's E-step, sums of parts, the M-step.

    part ──visit──► γ, and Gathered: S over the part's words ─┐
    part ──visit──► γ, and Gathered ──────────────────────────┴merge──► … ──renew──► Fields of the next pass, λ, a report

Pure functions of arrays: the same arguments give the same bits wherever they are called, and nothing that is passed in
changes. So whoever calls them may call again what was lost. A word's row of S is a sum over parts in a tree of fixed
shape; all else is what `fit_batch` does, with its functions. Equation numbers refer to docs/math.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ldavi import _elbo, _hyper
from ldavi._documents import Block, cut_blocks, estep
from ldavi._elbo import ELBOTerms
from ldavi._fit import Documents, Plan, absent_mass, column_sums, raised_from_sums, summed_terms
from ldavi._mstep import m_step, topics_from
from ldavi._parallel import Workers
from ldavi._state import Counts, Priors, Topics, aligned_zeros, padded
from ldavi._typing import Doubles, Floats, Int32s, Int64s

ROWS_AT_ONCE = 2**12


class Ground(NamedTuple):
    """What the parts have in common, from the first pass to the last.

    Attributes
    ----------
    words : array of shape (U,)
        The columns of X that occur, the most frequent first: a row of the topics each.
    n_words : int
        V, the columns of X.
    eta : array of shape (1, 1), (V, 1) or (V, K)
        As in `Priors`; where it is learned, as it was at the start.
    """

    words: Int64s
    n_words: int
    eta: Doubles

    def counts(self, dtype: DTypeLike) -> Counts:
        """A record of no documents over these words."""
        return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, dtype), self.words, self.n_words)


class Part(NamedTuple):
    """Some documents, ready to be visited: arrays alone, so that whoever holds them can tell their size.

    Attributes
    ----------
    indptr, indices, values, tokens
        As in `Counts`, words numbered by their place in `rows`.
    words : array of shape (words,)
        The column of X behind each.
    rows : array of shape (words,)
        The row of the topics behind each, rising.
    weight : array of shape (D,) or None
    blocks : tuple of Block
    n_words : int
        V.
    """

    indptr: Int64s
    indices: Int32s
    values: Floats
    tokens: Doubles
    words: Int64s
    rows: Int64s
    weight: Floats | None
    blocks: tuple[Block, ...]
    n_words: int

    @property
    def documents(self) -> Documents:
        counts = Counts(self.indptr, self.indices, self.values, self.words, self.n_words, self.tokens)
        return Documents(counts, self.weight)


class Fields(NamedTuple):
    """What a visit needs to know of the topics, in as few bytes as will do: of the words that occur, without padding.

    Attributes
    ----------
    B : array of shape (U, K) or None
        As in `Topics`; None where it underflows somewhere, which only λ can make good.
    log_scale : array of shape (U,) or None
        As in `Topics`.
    lam : array of shape (U, K) or None
        λ where B is None.
    totals, log_norm : array of shape (K,)
        Λ_k and ψ(Λ_k).
    alpha : array of shape (K,)
    eta : array of shape (1, 1) or (0, 0)
        η if it is one number; else it is that of the `Ground`.
    point_estimate : bool
    offset : float
        As in `Topics`.
    """

    B: Floats | None
    log_scale: Doubles | None
    lam: Floats | None
    totals: Doubles
    log_norm: Doubles
    alpha: Doubles
    eta: Doubles
    point_estimate: bool
    offset: float

    def priors(self, ground: Ground) -> Priors:
        return Priors(self.alpha, self.eta if self.eta.size else ground.eta)

    def topics(self, rows: Int64s | slice, workers: Workers) -> Topics:
        """The topics of some rows, in memory of their own."""
        if self.B is None or self.log_scale is None:
            assert self.lam is not None
            lam = padded_rows(self.lam, rows)
            return topics_from(lam, self.totals, workers, point_estimate=self.point_estimate, offset=self.offset)
        B = padded_rows(self.B, rows)
        return _FromFields(B, B, self.log_scale[rows].copy(), self.log_norm, self.point_estimate, self.offset)


class _FromFields(Topics):
    """Topics of which B arrived without λ."""

    __slots__ = ()

    def expected_log(self, words: Int32s | Int64s) -> Doubles:
        """E[log β], from its exponential: as exact as B, which is nowhere below the least normal number."""
        with np.errstate(divide="ignore"):
            log_b = np.log(self.B[words, : self.n_topics].astype(np.float64))
        elog: Doubles = log_b + self.log_scale[words, None] - self.log_norm
        return elog


class Step(NamedTuple):
    """How a visit goes: see `Plan`. `with_log_theta` asks for what α is learned from."""

    max_sweeps: int
    tol: float
    with_log_theta: bool
    n_threads: int


class Gathered(NamedTuple):
    """What parts contribute to an M-step and to the bound.

    Attributes
    ----------
    rows : array of shape (words,)
        Rows of the topics, rising.
    S : array of shape (words, K)
        Statistics of those rows. Equation (15).
    word, doc_topic : float
        Terms of the bound.
    sweeps : int
    log_theta : array of shape (K,) or None
        Σ_d ω_d E[log θ_d], if it was asked for.
    """

    rows: Int64s
    S: Floats
    word: float
    doc_topic: float
    sweeps: int
    log_theta: Doubles | None


class Passed(NamedTuple):
    """A part after its visit: γ, of shape (D, K), stays; what was gathered goes on."""

    gamma: Floats
    gathered: Gathered


class Renewal(NamedTuple):
    """How topics are renewed at the end of a pass.

    Attributes
    ----------
    plan : Plan
    learns : bool
        Whether priors are raised.
    offset : float
        δ of the next pass.
    n_docs : float
        Σ_d ω_d.
    n_threads : int
    """

    plan: Plan
    learns: bool
    offset: float
    n_docs: float
    n_threads: int


class Report(NamedTuple):
    """A pass in a few numbers: the bound of the topics that it ended with, equation (17), sweeps over documents, size."""

    terms: ELBOTerms
    sweeps: int
    fields_bytes: int


class Renewed(NamedTuple):
    """The end of a pass: fields for the next, λ of shape (U, Kp), the priors, a report."""

    fields: Fields
    lam: Floats
    priors: Priors
    report: Report


def hold(counts: Counts, weight: Floats | None, ground: Ground, n_topics: int, dtype: DTypeLike) -> Part:
    """Make documents ready: words renumbered by the rows of the topics, counts ordered by word as well.

    Parameters
    ----------
    counts : Counts
        Of some documents, a word being a column of X.
    """
    place = np.zeros(ground.n_words, np.int64)
    place[ground.words] = np.arange(len(ground.words))
    row_of_count = place[counts.words[counts.indices]]
    seen = np.zeros(len(ground.words), bool)
    seen[row_of_count] = True
    rows = np.flatnonzero(seen)
    number = np.zeros(len(ground.words), np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    words, values = ground.words[rows], counts.values.astype(dtype, copy=False)
    own = Counts(counts.indptr, number[row_of_count], values, words, ground.n_words, counts.doc_tokens)
    blocks = cut_blocks(own, n_topics)
    return Part(own.indptr, own.indices, values, own.doc_tokens, words, rows, weight, blocks, ground.n_words)


def first_fields(lam: Floats, priors: Priors, ground: Ground, workers: Workers, *, offset: float) -> Fields:
    """The fields of topics to start from: λ, word-major of shape (U, Kp)."""
    totals = column_sums(lam, priors) + absent_mass(ground.counts(lam.dtype), priors)
    topics = topics_from(lam, totals, workers, point_estimate=priors.point_estimate, offset=offset)
    return _fields(topics, totals, priors)


def visit(part: Part, fields: Fields, gamma: Floats | None, step: Step) -> Passed:
    """The E-step of a part, from γ or afresh. Equations (10), (11), (15)."""
    documents, dtype = part.documents, part.values.dtype
    afresh, K = gamma is None, len(fields.alpha)
    gamma = np.empty((documents.counts.n_docs, K), dtype) if gamma is None else gamma.copy()
    with Workers(step.n_threads) as workers:
        topics = fields.topics(part.rows, workers)
        sstats = aligned_zeros(topics.B.shape, dtype)
        seen = estep(
            documents.counts,
            part.blocks,
            topics,
            fields.alpha,
            gamma,
            sstats,
            max_sweeps=step.max_sweeps,
            tol=step.tol,
            workers=workers,
            doc_weight=part.weight,
            afresh=afresh,
        )
    word, doc_topic = summed_terms(seen, documents, Priors(fields.alpha, fields.eta), topics)
    log_theta = None
    if step.with_log_theta:
        weight = None if part.weight is None else part.weight.astype(np.float64)
        log_theta = _hyper.expected_log_sums(gamma, weight)
    S = np.ascontiguousarray(sstats[:, :K])
    return Passed(gamma, Gathered(part.rows, S, word, doc_topic, int(seen.n_sweeps.sum()), log_theta))


def gathered(passed: Passed) -> Gathered:
    """What goes on from a visit."""
    return passed.gathered


def gamma_of(passed: Passed) -> Floats:
    """What stays of a visit."""
    return passed.gamma


def merge(left: Gathered, right: Gathered) -> Gathered:
    """Two sums made one."""
    rows = np.union1d(left.rows, right.rows)
    S = np.zeros((len(rows), left.S.shape[1]), left.S.dtype)
    _add(S, rows, left)
    _add(S, rows, right)
    log_theta = None if left.log_theta is None or right.log_theta is None else left.log_theta + right.log_theta
    word, doc_topic = left.word + right.word, left.doc_topic + right.doc_topic
    return Gathered(rows, S, word, doc_topic, left.sweeps + right.sweeps, log_theta)


def renew(roots: Sequence[Gathered], fields: Fields, ground: Ground, renewal: Renewal) -> Renewed:
    """The end of a pass: learned priors, M-step, bound. Equations (12), (17), (37), (38).

    Parameters
    ----------
    roots : sequence of one or two Gathered
    fields : Fields
        Those that the documents were visited with.
    """
    priors, K, dtype = fields.priors(ground), len(fields.alpha), roots[0].S.dtype
    sstats = aligned_zeros((len(ground.words), padded(K)), dtype)
    for root in roots:
        _add(sstats[:, :K], np.arange(len(sstats)), root)
    word, doc_topic = sum(root.word for root in roots), sum(root.doc_topic for root in roots)
    counts = ground.counts(dtype)
    if renewal.learns:
        sums_of_logs = [root.log_theta for root in roots if root.log_theta is not None]
        log_theta = np.sum(sums_of_logs, axis=0) if sums_of_logs else None
        priors, gain = raised_from_sums(priors, renewal.plan, log_theta, renewal.n_docs, sstats, ground.n_words)
        doc_topic += gain
    eta, absent = priors.eta_rows(ground.words), absent_mass(counts, priors)
    with Workers(renewal.n_threads) as workers:
        topics = fields.topics(slice(None), workers)
        topics, sums = m_step(sstats, topics, priors, eta, absent, workers, offset=renewal.offset)
    terms = _elbo.after_m_step(word, doc_topic, sums, priors, counts)
    report = Report(terms, sum(root.sweeps for root in roots), sstats.nbytes)
    return Renewed(_fields(topics, sums.totals, priors), sstats, priors, report)


def fields_of(renewed: Renewed) -> Fields:
    """What goes out to the next pass."""
    return renewed.fields


def report_of(renewed: Renewed) -> Report:
    """What is said of a pass."""
    return renewed.report


def _fields(topics: Topics, totals: Doubles, priors: Priors) -> Fields:
    K = topics.n_topics
    eta = priors.eta if priors.eta.size == 1 else np.zeros((0, 0))
    B, log_scale, lam = np.ascontiguousarray(topics.B[:, :K]), topics.log_scale.copy(), None
    if not topics.point_estimate and B.min(initial=1) < np.finfo(B.dtype).tiny:
        lam = np.ascontiguousarray(topics.rows[:, :K])
        return Fields(None, None, lam, totals, topics.log_norm, priors.alpha, eta, False, topics.offset)
    return Fields(B, log_scale, None, totals, topics.log_norm, priors.alpha, eta, topics.point_estimate, topics.offset)


def padded_rows(source: Floats, rows: Int64s | slice) -> Floats:
    """Some rows, aligned and padded as the compiled floor wants them."""
    n_rows, K = len(source) if isinstance(rows, slice) else len(rows), source.shape[1]
    picked = aligned_zeros((n_rows, padded(K)), source.dtype)
    if isinstance(rows, slice):
        picked[:, :K] = source[rows]
        return picked
    for start in range(0, n_rows, ROWS_AT_ONCE):
        at = slice(start, start + ROWS_AT_ONCE)
        picked[at, :K] = source[rows[at]]
    return picked


def _add(S: Floats, rows: Int64s, part: Gathered) -> None:
    """Add a part's rows to those of S, which are `rows`, rising."""
    if len(rows) == len(part.rows):
        S += part.S
        return
    place = np.searchsorted(rows, part.rows)
    for start in range(0, len(place), ROWS_AT_ONCE):
        at = slice(start, start + ROWS_AT_ONCE)
        S[place[at]] += part.S[at]
