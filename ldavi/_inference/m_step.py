"""The M-step: from statistics to topics. Equations (12), (14), (18), (19), (22).

Arrays are word-major and padded, as in `ldavi._core.records`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import psi

from ldavi import _estep
from ldavi._core.records import Priors, Topics, aligned_copy, aligned_zeros
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference.growable_rows import GrowableRows
from ldavi._inference.topics_cache import TopicsCache

WORDS_PER_CALL = 2**10  # fixed, since the sums of each call are added up in order


@dataclass(frozen=True, slots=True)
class TopicSums:
    """Sums over words that the bound needs: equation (17).

    Attributes
    ----------
    old, new : float
        Σ_kw S_kw E[log β_kw] before and after the M-step.
    log_gamma : float
        Σ_kw lnΓ(λ_kw) over the words at hand; 0 for point estimates.
    totals : array of shape (K,)
        Λ_k over every word, also those that do not occur.
    """

    old: float
    new: float
    log_gamma: float
    totals: Doubles


def topics_from(
    rows: Floats, totals: Doubles, workers: Workers, *, point_estimate: bool, offset: float = 0.0
) -> Topics:
    """Topics of given λ; of given expected counts where β is a point estimate. Equations (14), (22).

    Parameters
    ----------
    rows : array of shape (U, Kp)
        λ of some words, or of all; not copied.
    totals : array of shape (K,)
        Λ_k over all words.
    offset : float
        δ of the warm-up. Equation (26).
    """
    if point_estimate:
        return _point_topics(rows, totals)
    topics = Topics(
        rows, aligned_zeros(rows.shape, rows.dtype), np.zeros(len(rows)), psi(totals + offset), False, offset
    )
    eta = np.zeros((1, 1), rows.dtype)

    def update(edges: tuple[int, int]) -> None:
        sums = np.empty(rows.shape[1])
        _estep.update_topics(rows, topics.B, topics.log_scale, eta, None, sums, *edges, len(totals), offset)

    workers.run(update, even_ranges(np.arange(len(rows) + 1), 0, len(rows), WORDS_PER_CALL))
    return topics


def m_step(
    sstats: Floats,
    topics: Topics,
    priors: Priors,
    eta: Doubles,
    absent: Doubles,
    workers: Workers,
    *,
    offset: float = 0.0,
) -> tuple[Topics, TopicSums]:
    """The topics that maximise the bound given statistics: `posterior_step` or, where η = 0, `point_step`."""
    if priors.point_estimate:
        return point_step(sstats, topics)
    return posterior_step(sstats, topics, eta, absent, workers, offset=offset)


def posterior_step(
    sstats: Floats, topics: Topics, eta: Doubles, absent: Doubles, workers: Workers, *, offset: float = 0.0
) -> tuple[Topics, TopicSums]:
    """λ = η + S, in the memory of `sstats`; B and the scales of `topics` are overwritten. Equations (12), (14).

    Parameters
    ----------
    sstats : array of shape (U, Kp)
    topics : Topics
        Those that `sstats` were taken with.
    eta : array of shape (1, 1), (U, 1) or (U, K)
    absent : array of shape (K,)
        Σ η over the words that are not among the rows.
    offset : float
        δ of the next E-step's topics; the sums are those of λ itself. Equation (26).
    """
    eta = np.ascontiguousarray(eta, sstats.dtype)
    rows = posterior_rows(sstats, topics, eta, word_ranges(len(sstats)), workers, offset=offset)
    sums, log_norm = posterior_sums(rows, topics.log_norm, eta, len(sstats), absent, offset=offset)
    return Topics(sstats, topics.B, topics.log_scale, log_norm, False, offset), sums


class RowSums(NamedTuple):
    """What `posterior_rows` sums on its way, for each range of words.

    Attributes
    ----------
    terms : array of shape (ranges, 3)
        Σ S ψ(λ) before and after, Σ lnΓ(λ).
    totals : array of shape (ranges, K)
        Σ λ.
    """

    terms: Doubles
    totals: Doubles


def word_ranges(n_words: int) -> list[tuple[int, int]]:
    """The ranges that the M-step is cut in, alike for every number of threads."""
    return even_ranges(np.arange(n_words + 1), 0, n_words, WORDS_PER_CALL)


def posterior_rows(
    sstats: Floats,
    topics: Topics,
    eta: Floats,
    ranges: Sequence[tuple[int, int]],
    workers: Workers,
    *,
    offset: float,
) -> RowSums:
    """λ = η + S and B of some ranges of words: the part of `posterior_step` that wants nothing of other words."""
    n_topics = topics.n_topics
    terms, totals = np.zeros((len(ranges), 3)), np.zeros((len(ranges), sstats.shape[1]))

    def update(job: tuple[int, tuple[int, int]]) -> None:
        i, edges = job
        _estep.update_topics(sstats, topics.B, topics.log_scale, eta, terms[i], totals[i], *edges, n_topics, offset)

    workers.run(update, enumerate(ranges))
    return RowSums(terms, totals[:, :n_topics])


def posterior_sums(
    rows: RowSums, log_norm_before: Doubles, eta: Floats, n_rows: int, absent: Doubles, *, offset: float
) -> tuple[TopicSums, Doubles]:
    """The sums over all words, and log_norm of the fields: the part of `posterior_step` that wants all ranges, in order."""
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
    return sums, psi(lam_totals + offset) if offset else log_norm


def point_step(sstats: Floats, topics: Topics) -> tuple[Topics, TopicSums]:
    """β_kw = S_kw / Σ_w S_kw; a zero stays zero. Equation (22)."""
    totals = sstats[:, : topics.n_topics].sum(axis=0, dtype=np.float64)
    updated = _point_topics(sstats, totals)
    return updated, TopicSums(mass_times_log(sstats, topics), mass_times_log(sstats, updated), 0.0, totals)


def mass_times_log(sstats: Floats, topics: Topics) -> float:
    """Σ_kw S_kw E[log β_kw], S having been taken with these topics or with topics that lead to them."""
    K = topics.n_topics
    log_b = np.log(topics.B[:, :K], where=topics.B[:, :K] > 0, out=np.zeros_like(topics.B[:, :K]))
    by_word = np.sum(sstats[:, :K], axis=1, dtype=np.float64) @ topics.log_scale
    by_topic = np.sum(sstats[:, :K], axis=0, dtype=np.float64) @ topics.log_norm
    return float(np.sum(sstats[:, :K] * log_b, dtype=np.float64) + by_word - by_topic)


def _point_topics(counts: Floats, totals: Doubles) -> Topics:
    """Topics whose β is in proportion to expected counts. One that holds none stays at 0, as if it were not there."""
    K = len(totals)
    beta, B = aligned_zeros(counts.shape, counts.dtype), aligned_zeros(counts.shape, counts.dtype)
    np.divide(counts[:, :K], totals, out=beta[:, :K], where=totals > 0, casting="same_kind")
    top = beta.max(axis=1, initial=0, keepdims=True)
    top[top == 0] = 1
    np.divide(beta, top, out=B)
    return Topics(beta, B, np.log(top[:, 0].astype(np.float64)), np.zeros(K), True)


def learning_rate(n_updates: int, *, offset: float, decay: float) -> float:
    """ρ_t = (τ0 + t)^−κ, t counting from 1. Equation (18)."""
    return float((offset + n_updates) ** -decay)


class LazyLambda:
    """λ of every word, of which a batch touches only its own words' rows. Equation (19).

    Kept as λ = η + c·(M − η): the decay that an online step owes to every row is one multiplication of c, and the rows
    of a batch's words absorb what their step adds. Reading all of λ folds c into M. A row at η stays at η to the last bit,
    whatever c is, so that words may as well be added when they are first seen. Equation (41).

    Parameters
    ----------
    lam : array of shape (V, Kp)
        Word-major; becomes M.
    priors : Priors
    """

    SMALLEST = 1e-6  # c at which M is folded, before its entries grow out of proportion

    def __init__(self, lam: Floats, priors: Priors) -> None:
        self._rows = lam
        self._priors = priors
        self._decay = 1.0
        self._excess: Doubles | None = None
        self._room, self._eta_room = GrowableRows(), GrowableRows()
        self._cache = TopicsCache()

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._rows.dtype

    @property
    def totals(self) -> Doubles:
        """Λ_k, of shape (K,)."""
        return self.excess + self._priors.eta_totals(len(self._rows))

    @property
    def excess(self) -> Doubles:
        """Σ_w (λ_kw − η_kw), of shape (K,): what a word not seen before adds nothing to. Equation (41)."""
        if self._excess is None:
            K = self._priors.n_topics
            sums = np.zeros(self._rows.shape[1])
            lam = self.materialize()
            for start in range(0, len(lam), WORDS_PER_CALL):  # rows one after another: those of zeros change no bit
                part = lam[start : start + WORDS_PER_CALL].astype(np.float64)
                part[:, :K] -= self._eta(np.arange(start, start + len(part)))
                sums += part.sum(axis=0)
            self._excess = sums[:K]
        return self._excess

    def _eta(self, words: Int64s) -> Floats:
        """η of some words, as rows hold it."""
        eta: Floats = self._priors.eta_rows(words).astype(self._rows.dtype)
        return eta

    def _apply_decay(self, rows: Floats, eta: Floats) -> Floats:
        """λ of rows of M, in their memory."""
        excess = rows[:, : self._priors.n_topics]
        excess -= eta
        excess *= self._decay
        excess += eta
        return rows

    def materialize(self) -> Floats:
        """λ in full, of shape (V, Kp): the array itself, which its owner may change in place."""
        if self._decay != 1.0:
            self._ensure_writable()
            self._apply_decay(self._rows, self._priors.eta.astype(self._rows.dtype))
            self._decay = 1.0
        return self._rows

    def detach(self) -> None:
        """Go on in other memory: who was handed λ keeps it as it is."""
        self._rows = aligned_copy(self._rows)

    def _ensure_writable(self) -> None:
        """Have rows that can be written to, unlike those that joblib hands to its workers."""
        if not self._rows.flags.writeable:
            self._rows = self._rows.copy()

    def writable(self) -> Floats:
        """As `folded`, for callers who may write to it: nothing derived from λ is kept."""
        self._invalidate()
        return self.materialize()

    def _invalidate(self) -> None:
        self._excess = None
        self._cache.invalidate()

    def replace(self, lam: Floats) -> None:
        """Another λ, word-major of shape (V, K)."""
        rows = np.zeros_like(self._rows)
        rows[:, : self._priors.n_topics] = lam
        self._rows, self._decay = rows, 1.0
        self._invalidate()

    def set_priors(self, priors: Priors) -> None:
        """Have λ = S + η with another η; S stays. Equation (38)."""
        if (priors.eta != self._priors.eta).any():
            self.writable()
            self._ensure_writable()
            lam = self._rows[:, : priors.n_topics]
            lam -= self._priors.eta.astype(lam.dtype)
            lam += priors.eta.astype(lam.dtype)
            np.maximum(lam, 0, out=lam)
        self._priors = priors

    def grow(self, n_words: int, eta: Doubles) -> Priors:
        """Have rows for words not seen before, at λ = η. Equation (41).

        Parameters
        ----------
        n_words : int
            V from now on; the new words are the last.
        eta : array of shape (1, 1)
            η of the new words; where all words have one η, that.

        Returns
        -------
        priors : Priors
            For as many words.
        """
        self._cache.invalidate()
        n_more = n_words - len(self._rows)
        K, of_words = self._priors.n_topics, self._priors.eta
        self._rows = self._room.extended(self._rows, n_more, np.broadcast_to(eta, (n_more, K)))
        if of_words.shape != (1, 1):
            more = np.broadcast_to(eta, (n_more, of_words.shape[1]))
            of_words = self._eta_room.extended(of_words, n_more, more).astype(np.float64, copy=False)
            self._priors = Priors(self._priors.alpha, of_words)
        return self._priors

    def rows(self, words: Int64s) -> Floats:
        """λ of some words, of shape (words, Kp), a copy."""
        picked = aligned_zeros((len(words), self._rows.shape[1]), self._rows.dtype)
        np.take(self._rows, words, axis=0, out=picked, mode="clip")  # "raise" would go through a buffer
        return picked if self._decay == 1.0 else self._apply_decay(picked, self._eta(words))

    def topics(self, words: Int64s, workers: Workers) -> Topics:
        """Topics of some words. Equations (14), (22)."""
        return topics_from(self.rows(words), self.totals, workers, point_estimate=self._priors.point_estimate)

    def all_topics(self, workers: Workers) -> Topics | None:
        """Topics of every word, kept until λ changes; None where those of a call's own words will do."""
        return self._cache.get(2 * self._rows.nbytes, lambda: self.topics(np.arange(len(self._rows)), workers))

    def online_step(self, words: Int64s, sstats: Floats, *, rho: float, scale: float) -> None:
        """λ ← (1 − ρ) λ + ρ (η + scale·S), S being zero in every row but those of `words`. Equation (18)."""
        self._cache.invalidate()
        K = self._priors.n_topics
        excess = (1 - rho) * self.excess + rho * scale * sstats[:, :K].sum(axis=0, dtype=np.float64)
        self._decay *= 1 - rho
        if self._decay < self.SMALLEST:  # also where ρ = 1, which forgets everything
            self.materialize()
        self._ensure_writable()
        self._rows[words] += (rho * scale / self._decay) * sstats
        self._excess = excess
