"""The M-step: from statistics to topics. Equations (9.9), (11.1), (10.6).

Arrays are word-major and padded, as in `ldavi._core.records`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import psi

from ldavi import _estep
from ldavi._core.records import Counts, Priors, Topics, aligned_zeros
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats

WORDS_PER_CALL = 2**10  # fixed, since the sums of each call are added up in order


@dataclass(frozen=True, slots=True)
class TopicSums:
    """Sums over words that enter the bound. Equation (12.2).

    Attributes
    ----------
    old, new : float
        Σ_kw S_kw E[log β_kw] before and after the M-step.
    log_gamma : float
        Σ_kw lnΓ(λ_kw) over the rows; 0 for point estimates.
    totals : array of shape (K,)
        Λ_k over all words, including those that do not occur.
    """

    old: float
    new: float
    log_gamma: float
    totals: Doubles


def topics_from(
    rows: Floats, totals: Doubles, workers: Workers, *, point_estimate: bool, digamma_offset: float = 0.0
) -> Topics:
    """Return the topics of λ, or of expected counts if β is a point estimate. Equations (11.1), (10.6).

    Parameters
    ----------
    rows : array of shape (U, Kp)
        λ of some words, or of all; not copied.
    totals : array of shape (K,)
        Λ_k over all words.
    digamma_offset : float
        δ of the warm-up. See section 15.
    """
    if point_estimate:
        return _point_topics(rows, totals)
    topics = Topics(
        rows,
        aligned_zeros(rows.shape, rows.dtype),
        np.zeros(len(rows)),
        psi(totals + digamma_offset),
        False,
        digamma_offset,
    )
    eta = np.zeros((1, 1), rows.dtype)

    def update(edges: tuple[int, int]) -> None:
        sums = np.empty(rows.shape[1])
        _estep.update_topics(
            sstats=rows,
            B=topics.B,
            log_scale=topics.log_scale,
            eta=eta,
            terms=None,
            totals=sums,
            start=edges[0],
            stop=edges[1],
            K=len(totals),
            digamma_offset=digamma_offset,
        )

    workers.run(update, even_ranges(np.arange(len(rows) + 1), 0, len(rows), WORDS_PER_CALL))
    return topics


class WordPriors(NamedTuple):
    """η of the words that occur, and the sum of η over all other words.

    Attributes
    ----------
    eta : array of shape (1, 1), (U, 1) or (U, K)
        η of the words that occur.
    absent : array of shape (K,)
        Σ η over the words that do not occur.
    """

    eta: Doubles
    absent: Doubles


def word_priors_of(priors: Priors, vocabulary: Counts) -> WordPriors:
    """Return η for the words of a vocabulary."""
    return WordPriors(priors.eta_rows(vocabulary.words), absent_mass(vocabulary, priors))


def absent_mass(counts: Counts, priors: Priors) -> Doubles:
    """Return Σ η over the words that do not occur, of shape (K,): their part of each Λ_k."""
    absent: Doubles = priors.eta_totals(counts.n_words) - priors.eta_sums(counts.words)
    return absent


def m_step(
    sstats: Floats, topics: Topics, priors: WordPriors, workers: Workers, *, digamma_offset: float = 0.0
) -> tuple[Topics, TopicSums]:
    """Return the topics that maximise the bound: `posterior_step`, or `point_step` for point estimates of β."""
    if topics.point_estimate:
        return point_step(sstats, topics)
    return posterior_step(sstats, topics, priors.eta, priors.absent, workers, digamma_offset=digamma_offset)


def posterior_step(
    sstats: Floats, topics: Topics, eta: Doubles, absent: Doubles, workers: Workers, *, digamma_offset: float = 0.0
) -> tuple[Topics, TopicSums]:
    """Set λ = η + S in the memory of `sstats`, and overwrite B and the scales of `topics`. Equations (9.9), (11.1).

    Parameters
    ----------
    sstats : array of shape (U, Kp)
    topics : Topics
        The topics that `sstats` were computed with.
    eta : array of shape (1, 1), (U, 1) or (U, K)
    absent : array of shape (K,)
        Σ η over the words that are not among the rows.
    digamma_offset : float
        δ of the topics of the next E-step; the sums are those of λ without it. See section 15.
    """
    eta = np.ascontiguousarray(eta, sstats.dtype)
    rows = posterior_rows(sstats, topics, eta, word_ranges(len(sstats)), workers, digamma_offset=digamma_offset)
    sums, log_norm = posterior_sums(rows, topics.log_norm, eta, len(sstats), absent, digamma_offset=digamma_offset)
    return Topics(sstats, topics.B, topics.log_scale, log_norm, False, digamma_offset), sums


class RowSums(NamedTuple):
    """Sums that `posterior_rows` computes for each range of words.

    Attributes
    ----------
    terms : array of shape (ranges, 3)
        Σ S ψ(λ) before and after the M-step, and Σ lnΓ(λ).
    totals : array of shape (ranges, K)
        Σ λ.
    """

    terms: Doubles
    totals: Doubles


def word_ranges(n_words: int) -> list[tuple[int, int]]:
    """Return the ranges of words of an M-step, which are the same for every number of threads."""
    return even_ranges(np.arange(n_words + 1), 0, n_words, WORDS_PER_CALL)


def posterior_rows(
    sstats: Floats,
    topics: Topics,
    eta: Floats,
    ranges: Sequence[tuple[int, int]],
    workers: Workers,
    *,
    digamma_offset: float,
) -> RowSums:
    """Compute λ = η + S and B of ranges of words: the part of `posterior_step` that needs no other words."""
    n_topics = topics.n_topics
    terms, totals = np.zeros((len(ranges), 3)), np.zeros((len(ranges), sstats.shape[1]))

    def update(job: tuple[int, tuple[int, int]]) -> None:
        i, edges = job
        _estep.update_topics(
            sstats=sstats,
            B=topics.B,
            log_scale=topics.log_scale,
            eta=eta,
            terms=terms[i],
            totals=totals[i],
            start=edges[0],
            stop=edges[1],
            K=n_topics,
            digamma_offset=digamma_offset,
        )

    workers.run(update, enumerate(ranges))
    return RowSums(terms, totals[:, :n_topics])


def posterior_sums(
    rows: RowSums, log_norm_before: Doubles, eta: Floats, n_rows: int, absent: Doubles, *, digamma_offset: float
) -> tuple[TopicSums, Doubles]:
    """Return the sums over all words and log_norm: the part of `posterior_step` that needs all ranges, in order."""
    n_topics = len(log_norm_before)
    lam_totals = rows.totals.sum(axis=0) + absent
    eta_totals = np.broadcast_to(eta.sum(axis=0) * (n_rows if len(eta) == 1 else 1), (n_topics,)) + absent
    log_norm = psi(lam_totals)
    mass = lam_totals - eta_totals
    old, new, log_gamma = rows.terms.sum(axis=0)
    sums = TopicSums(
        old=float(old - mass @ log_norm_before),
        new=float(new - mass @ log_norm),
        log_gamma=float(log_gamma),
        totals=lam_totals,
    )
    return sums, psi(lam_totals + digamma_offset) if digamma_offset else log_norm


def point_step(sstats: Floats, topics: Topics) -> tuple[Topics, TopicSums]:
    """Return the topics β_kw = S_kw / Σ_w S_kw; a zero stays zero. Equation (10.6)."""
    totals = sstats[:, : topics.n_topics].sum(axis=0, dtype=np.float64)
    updated = _point_topics(sstats, totals)
    return updated, TopicSums(mass_times_log(sstats, topics), mass_times_log(sstats, updated), 0.0, totals)


def mass_times_log(sstats: Floats, topics: Topics) -> float:
    """Return Σ_kw S_kw E[log β_kw]; S was computed with these topics, or they follow from it."""
    K = topics.n_topics
    is_positive = topics.B[:, :K] > 0
    log_b = np.log(topics.B[:, :K], where=is_positive, out=np.zeros_like(topics.B[:, :K]))
    if not (topics.point_estimate or is_positive.all()):  # S of documents that were repeated in log space
        lost = ~is_positive & (sstats[:, :K] > 0)
        log_b[lost] = psi(topics.rows[:, :K][lost].astype(np.float64) + topics.digamma_offset)
        log_b[lost] -= topics.log_scale[np.nonzero(lost)[0]]
    by_word = np.sum(sstats[:, :K], axis=1, dtype=np.float64) @ topics.log_scale
    by_topic = np.sum(sstats[:, :K], axis=0, dtype=np.float64) @ topics.log_norm
    return float(np.sum(sstats[:, :K] * log_b, dtype=np.float64) + by_word - by_topic)


def _point_topics(counts: Floats, totals: Doubles) -> Topics:
    """Return topics with β in proportion to expected counts; a topic without counts has β = 0 and no responsibility."""
    K = len(totals)
    beta, B = aligned_zeros(counts.shape, counts.dtype), aligned_zeros(counts.shape, counts.dtype)
    np.divide(counts[:, :K], totals, out=beta[:, :K], where=totals > 0, casting="same_kind")
    top = beta.max(axis=1, initial=0, keepdims=True)
    top[top == 0] = 1
    np.divide(beta, top, out=B)
    return Topics(beta, B, np.log(top[:, 0].astype(np.float64)), np.zeros(K), True)
