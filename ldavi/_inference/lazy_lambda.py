"""λ for online learning: lazily decayed rows, a growing vocabulary, cached topics. Equations (10.1), (10.2), (10.3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ldavi._core.chunks import chunks
from ldavi._core.records import Priors, Topics, aligned_copy, aligned_zeros
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference.growable_rows import GrowableRows
from ldavi._inference.m_step import topics_from
from ldavi._inference.topics_cache import MAX_BYTES, TopicsCache

ROWS_PER_SUM = 2**10  # fixed, since sums of chunks are added in order
SMALLEST_DECAY = 1e-6  # c at which M is rescaled, before its entries become too large


class _Cache:
    """What is computed from M, c and η on demand.

    A change of λ ends with a new cache, so that another thread that still computes from the former λ leaves its result
    in the former cache.
    """

    def __init__(self) -> None:
        self.topics = TopicsCache()
        self.dense: Floats | None = None
        self.excess: Doubles | None = None


class LazyLambda:
    """λ of every word, of which a minibatch reads and writes only the rows of its own words. Equation (10.2).

    λ is stored as η + c·(M − η), with stored rows M and c the product of all factors (1 − ρ). So a step decays every
    row by one multiplication of c, and adds to the rows of the minibatch's words only. A row at η stays at η to the
    last bit for every c, so words can be added when they are first seen. Equation (10.3).

    The methods that only read (`dense`, `rows`, `topics`, `all_topics`, `totals`, `excess`, `to_arrays`, pickling) may
    run in several threads at once. They change neither M nor c, so later steps have the same bits with and without
    them; what they cache is computed from M and c, and is dropped when these change.

    Parameters
    ----------
    lam : array of shape (V, Kp)
        Word-major; it becomes M and is changed in place.
    priors : Priors
    """

    def __init__(self, lam: Floats, priors: Priors) -> None:
        self._rows = lam
        self._priors = priors
        self._decay = 1.0
        self._excess: Doubles | None = None  # of the steps so far; None if it is that of the rows
        self._is_shared = False  # whether a caller holds the rows, which then must be copied before they change
        self._room: GrowableRows | None = None  # these are created when they are first needed
        self._eta_room: GrowableRows | None = None
        self._cache = _Cache()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what readers have caused: pickles and copies have the same bytes after any read."""
        return {name: value for name, value in vars(self).items() if name not in ("_cache", "_is_shared")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._is_shared, self._cache = False, _Cache()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], priors: Priors, *, copy: bool = True) -> "LazyLambda":
        """Restore λ from the output of `to_arrays`; without `copy` its rows may be read-only, such as mapped ones."""
        lam = cls(aligned_copy(arrays["rows"]) if copy else arrays["rows"], priors)
        lam._decay, lam._excess = arrays["decay"], arrays["excess"]
        return lam

    def snapshot(self) -> "LazyLambda":
        """Return λ as it is now; the two share the rows until either takes a step, which copies them first."""
        self._is_shared = True
        same = LazyLambda(self._rows, self._priors)
        same._decay, same._excess, same._is_shared = self._decay, self._excess, True
        return same

    def to_arrays(self) -> dict[str, object]:
        """Return M, c and Σ_w (λ_kw − η_kw), from which the next step computes the same bits; nothing is copied.

        The last is None if it is that of the rows.
        """
        return {"rows": self._rows, "decay": self._decay, "excess": self._excess}

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._rows.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of topics and words, (K, V)."""
        return self._priors.n_topics, len(self._rows)

    @property
    def totals(self) -> Doubles:
        """Λ_k, of shape (K,)."""
        return self.excess + self._priors.eta_totals(len(self._rows))

    @property
    def excess(self) -> Doubles:
        """Σ_w (λ_kw − η_kw), of shape (K,); words that were never seen contribute nothing. Equation (10.3)."""
        if self._excess is not None:
            return self._excess
        cache = self._cache
        if cache.excess is None:
            K = self._priors.n_topics
            sums = np.zeros(self._rows.shape[1])
            for at in chunks(len(self._rows), ROWS_PER_SUM):  # row by row, so that rows of zeros change no bit
                words = np.arange(at.start, at.stop)
                part = self.rows(words).astype(np.float64)
                part[:, :K] -= self._eta(words)
                sums += part.sum(axis=0)
            cache.excess = sums[:K]
        return cache.excess

    def _eta(self, words: Int64s) -> Floats:
        """Return η of some words in the dtype of the rows."""
        eta: Floats = self._priors.eta_rows(words).astype(self._rows.dtype)
        return eta

    def _apply_decay(self, rows: Floats, eta: Floats) -> Floats:
        """Turn rows of M into rows of λ, in place."""
        excess = rows[:, : self._priors.n_topics]
        excess -= eta
        excess *= self._decay
        excess += eta
        return rows

    def dense(self) -> Floats:
        """Return λ of shape (V, Kp), read-only; later steps do not change the array."""
        cache = self._cache
        if self._decay == 1.0:
            self._is_shared, lam = True, self._rows
        elif cache.dense is not None:
            lam = cache.dense
        else:
            lam = self._apply_decay(aligned_copy(self._rows), self._priors.eta.astype(self._rows.dtype))
            if lam.nbytes <= MAX_BYTES:
                cache.dense = lam
        lam = lam.view()
        lam.flags.writeable = False
        return lam

    def materialize(self) -> Floats:
        """Set M to λ and c to 1, for a fit, and return M: the array itself, which online steps change in place."""
        if self._decay != 1.0:
            self._ensure_writable()
            self._apply_decay(self._rows, self._priors.eta.astype(self._rows.dtype))
            self._decay = 1.0
        return self._rows

    def detach(self) -> None:
        """Continue in a copy, so that an array returned by `materialize` no longer changes."""
        self._rows, self._is_shared = aligned_copy(self._rows), False

    def _ensure_writable(self) -> None:
        """Copy rows that a caller holds, and read-only rows, such as those that joblib maps into its workers."""
        if self._is_shared or not self._rows.flags.writeable:
            self._rows = aligned_copy(self._rows)
        self._is_shared = False

    def replace(self, lam: Floats) -> None:
        """Set λ, word-major of shape (V, K)."""
        rows = aligned_zeros(self._rows.shape, self._rows.dtype)
        rows[:, : self._priors.n_topics] = lam
        self._rows, self._decay, self._excess, self._is_shared = rows, 1.0, None, False
        self._cache = _Cache()

    def set_priors(self, priors: Priors) -> None:
        """Replace η in λ = η + S; S stays. Equation (19.9)."""
        if (priors.eta != self._priors.eta).any():
            self._ensure_writable()
            lam = self.materialize()[:, : priors.n_topics]
            lam -= self._priors.eta.astype(lam.dtype)
            lam += priors.eta.astype(lam.dtype)
            np.maximum(lam, 0, out=lam)
            self._excess = None
        self._priors, self._cache = priors, _Cache()

    def grow(self, n_words: int, eta: Doubles) -> Priors:
        """Add words that were not seen before, with λ = η. Equation (10.3).

        Parameters
        ----------
        n_words : int
            The new V; new words are the last ones.
        eta : array of shape (1, 1)
            η of the new words.

        Returns
        -------
        priors : Priors
            With η of all words.
        """
        n_more = n_words - len(self._rows)
        K, of_words = self._priors.n_topics, self._priors.eta
        self._room, self._eta_room = self._room or GrowableRows(), self._eta_room or GrowableRows()
        self._rows = self._room.extended(self._rows, n_more, np.broadcast_to(eta, (n_more, K)))
        if of_words.shape != (1, 1):
            more = np.broadcast_to(eta, (n_more, of_words.shape[1]))
            of_words = self._eta_room.extended(of_words, n_more, more).astype(np.float64, copy=False)
            self._priors = Priors(self._priors.alpha, of_words)
        self._cache = _Cache()
        return self._priors

    def rows(self, words: Int64s) -> Floats:
        """Return a copy of λ of some words, of shape (words, Kp)."""
        picked = aligned_zeros((len(words), self._rows.shape[1]), self._rows.dtype)
        np.take(self._rows, words, axis=0, out=picked, mode="clip")  # mode "raise" would use a buffer
        return picked if self._decay == 1.0 else self._apply_decay(picked, self._eta(words))

    def topics(self, words: Int64s, workers: Workers) -> Topics:
        """Return the topics of some words. Equations (11.1), (10.6)."""
        return topics_from(self.rows(words), self.totals, workers, point_estimate=self._priors.point_estimate)

    def all_topics(self, workers: Workers) -> Topics | None:
        """Return the topics of every word, cached until λ changes; None if they are too large to cache."""
        return self._cache.topics.get(2 * self._rows.nbytes, lambda: self.topics(np.arange(len(self._rows)), workers))

    def online_step(self, words: Int64s, sstats: Floats, *, rho: float, scale: float) -> None:
        """Set λ ← (1 − ρ) λ + ρ (η + scale·S), where S is zero except in the rows of `words`. Equation (10.1)."""
        K = self._priors.n_topics
        excess = (1 - rho) * self.excess + rho * scale * sstats[:, :K].sum(axis=0, dtype=np.float64)
        self._cache = _Cache()
        self._decay *= 1 - rho
        if self._decay < SMALLEST_DECAY:  # also if ρ = 1, which discards everything
            self.materialize()
        self._ensure_writable()
        self._rows[words] += (rho * scale / self._decay) * sstats
        self._excess, self._cache = excess, _Cache()
