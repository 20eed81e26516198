"""Draws of documents' topic proportions from their posterior given the topics, by collapsed Gibbs sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_random_state

from ldavi import _sampling
from ldavi._core.random_bits import GOLDEN_GAMMA
from ldavi._core.topics_of_model import ModelOrTopics, doc_topic_prior_of, topics_of
from ldavi._core.typing import Doubles, Int32s, Int64s, Matrix
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import counts_for, counts_over_words
from ldavi._estimator.starting_priors import check_priors, refuse_names
from ldavi.metrics import _tokens

# Set by `python -m benchmarks.theta_samples autocorrelation`.
BURN_IN = 40  # Gibbs iterations over a document before the first draw
SPACING = 3  # Gibbs iterations before each draw
MAX_TOKENS = 2**18  # of a document: the standard deviation of a proportion from so many tokens is at most 0.001
NUMBERS_AT_ONCE = 2**21  # of θ in memory, where all draws are not needed at once
SEEDS = 2**31 - 1


def theta_samples(
    model: ModelOrTopics,
    X: Matrix,
    n_samples: int = 100,
    random_state: int | np.random.RandomState | None = None,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Doubles:
    """Draw the documents' topic proportions θ_d from p(θ_d | w_d, topics), by collapsed Gibbs sampling.

    The topics are fixed at E[β]. Each Gibbs iteration samples the topic of every token given those of the other tokens.
    A draw of θ_d then follows from Dir(α + n_d), where n_dk counts the tokens of each topic. Unlike the mean-field
    posterior Dir(γ_d) of `transform`, the draws have the correct variances and correlations for these topics: they
    include the uncertainty which topic each word came from. They do not include the uncertainty of the topics
    themselves. Equations (21.1) to (21.3) of docs/math.md.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words) or (n_words,)
        Counts, documents × words. A fractional count is rounded up or down at random for each draw, such that its mean
        is right. A document of more than 2^18 tokens is represented by 2^18 of them.
    n_samples : int, default=100
        Number of draws. Successive draws are correlated a little: a mean of 100 draws is about as precise as one of 50
        to 100 independent draws.
    random_state : int, RandomState or None, default=None
        Seed of the random numbers. The draws of a document depend on it, on the document's counts, and on how many
        identical documents precede it in X. They depend neither on other documents nor on the order of documents or
        topics.
    doc_topic_prior : float, array of shape (n_topics,) or (n_docs, n_topics), or None, default=None
        α, the same for all documents or one for each. None takes the model's own, or 0.1 for topics that have none.
    n_jobs : int or None, default=None
        Threads; None means one. The draws are the same for any number.

    Returns
    -------
    theta : array of shape (n_samples, n_docs, n_topics)
        Float64, 8 n_samples n_docs n_topics bytes. The last axis sums to 1. Documents without a word that topics can
        produce have draws from the prior.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X is not counts of the topics' words.

    References
    ----------
    Griffiths, Steyvers. "Finding scientific topics". PNAS 101, 2004.

    Examples
    --------
    >>> from ldavi.inspection import theta_samples
    >>> theta = theta_samples([[0.9, 0.1], [0.1, 0.9]], [[6, 2]], 1000, random_state=0)
    >>> print(theta.shape, theta.mean(axis=0).round(1).tolist())
    (1000, 1, 2) [[0.9, 0.1]]
    """
    n_samples = check.check_integer("n_samples", n_samples, minimum=1)
    sampler = sampler_of(model, X, random_state, doc_topic_prior=doc_topic_prior, n_jobs=n_jobs, name="theta_samples")
    return sampler.draw(n_samples, 0, sampler.n_docs)


@dataclass(frozen=True, slots=True)
class ThetaSampler:
    """Documents, topics in canonical order and prior, from which any documents' proportions can be drawn.

    Attributes
    ----------
    indptr, indices, counts : CSR arrays
        The words that topics can produce; `indices` are rows of `beta`.
    key : array of shape (D,)
        Seed of each document's random numbers.
    beta : array of shape (U, K)
    alpha : array of shape (1, K) or (D, K)
    topic : array of shape (K,)
        The number that each topic of `beta` has in the model.
    n_jobs : int or None
    """

    indptr: Int64s
    indices: Int32s
    counts: Doubles
    key: NDArray[np.uint64]
    beta: Doubles
    alpha: Doubles
    topic: Int32s
    n_jobs: int | None

    @property
    def n_docs(self) -> int:
        """The number of documents."""
        return len(self.key)

    @property
    def n_topics(self) -> int:
        """The number of topics."""
        return len(self.topic)

    def draw(self, n_samples: int, start: int, stop: int) -> Doubles:
        """Draw θ of the documents [start, stop), of shape (n_samples, stop − start, K)."""
        theta = np.empty((n_samples, stop - start, self.n_topics))
        indptr = self.indptr[start : stop + 1]
        slots = np.concatenate([[0], np.cumsum(np.ceil(self.counts[indptr[0] : indptr[-1]]))]).astype(np.int64)
        lengths, n_words = np.diff(slots[indptr - indptr[0]]), np.diff(indptr)
        alpha = self.alpha if len(self.alpha) == 1 else self.alpha[start:stop]

        def sample(first: int, last: int) -> None:
            whole, real = _tokens.scratch(
                lengths[first:last], self.n_topics, self.n_topics * (1 + 2 * max(int(n_words[first:last].max()), 1))
            )
            _sampling.draw_proportions(
                indptr=indptr,
                indices=self.indices,
                counts=self.counts,
                key=self.key[start:stop],
                beta=self.beta,
                alpha=alpha,
                topic=self.topic,
                theta=theta,
                int_scratch=whole,
                float_scratch=real,
                n_burn=BURN_IN,
                n_between=SPACING,
                start=first,
                stop=last,
            )

        iterations = BURN_IN + SPACING * n_samples
        _tokens.run(sample, lengths * float(iterations) + n_samples * self.n_topics, self.n_jobs)
        return theta

    def in_parts(self, n_samples: int) -> Iterator[tuple[slice, Doubles]]:
        """Yield documents and their draws, some documents at a time: the same draws as of all documents at once."""
        step = max(1, NUMBERS_AT_ONCE // (n_samples * self.n_topics))
        for start in range(0, self.n_docs, step):
            stop = min(start + step, self.n_docs)
            yield slice(start, stop), self.draw(n_samples, start, stop)


def sampler_of(
    model: ModelOrTopics,
    X: Matrix,
    random_state: int | np.random.RandomState | None,
    *,
    doc_topic_prior: float | ArrayLike | None,
    n_jobs: int | None,
    name: str,
) -> ThetaSampler:
    """Check topics, documents and prior, and convert them for the sampler; `name` is the function that was called."""
    X = counts_for(model, X, name)
    X = X if sparse.issparse(X) or np.ndim(X) != 1 else np.reshape(X, (1, -1))
    counts = counts_over_words(model, X, name)
    topics = topics_of(model)
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns, but the topics have {topics.shape[1]} words. "
            "Pass counts of the same words."
        )
    prior = doc_topic_prior_of(model, len(topics)) if doc_topic_prior is None else doc_topic_prior
    alpha = _checked_alpha(prior, counts.shape[0], len(topics))
    seed = int(check_random_state(random_state).randint(SEEDS))
    order = sorted(range(len(topics)), key=lambda k: (topics[k].tobytes(), alpha[:, k].tobytes()))
    topics, alpha = topics[order], np.ascontiguousarray(alpha[:, order])
    possible = _tokens.possible_words(_tokens.FixedTopics(topics, alpha.min(axis=0)))
    columns = _tokens.occurring(possible, counts)
    allowed = possible[counts.indices]
    document = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))[allowed]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(document, minlength=counts.shape[0]))]).astype(np.int64)
    return ThetaSampler(
        indptr,
        np.searchsorted(columns, counts.indices[allowed]).astype(np.int32),
        _limited(counts.data[allowed], document, counts.shape[0]),
        _keys(counts, seed),
        np.ascontiguousarray(topics[:, columns].T),
        alpha,
        np.array(order, np.int32),
        n_jobs,
    )


def _checked_alpha(prior: float | ArrayLike, n_docs: int, n_topics: int) -> Doubles:
    """Return α of shape (1, K), or (D, K) if there is one for each document."""
    refuse_names(prior)
    if np.ndim(np.asarray(prior)) < 2:
        return check_priors(prior, 0, n_topics, 1).alpha[None, :]
    alpha = np.array(prior, dtype=np.float64)
    if alpha.shape != (n_docs, n_topics):
        raise ValueError(
            f"doc_topic_prior has shape {alpha.shape}; it must be a number, ({n_topics},) or ({n_docs}, {n_topics})"
        )
    if not np.isfinite(alpha).all() or (alpha <= 0).any():
        raise ValueError("doc_topic_prior must hold finite numbers > 0")
    return alpha


def _limited(counts: Doubles, document: Int64s, n_docs: int) -> Doubles:
    """Return counts of at most MAX_TOKENS tokens per document, in the same proportions. Equation (21.3)."""
    tokens = np.bincount(document, counts, n_docs)
    rate = np.minimum(1, MAX_TOKENS / np.maximum(tokens, 1))
    return np.asarray(counts * rate[document])


def _keys(counts: sparse.csr_array, seed: int) -> NDArray[np.uint64]:
    """Hash each document's words and counts together with the seed, and with the number of identical ones before it."""
    key = np.empty(counts.shape[0], np.uint64)
    indptr, columns = counts.indptr.astype(np.int64), counts.indices.astype(np.int64)
    _sampling.hash_documents(indptr, columns, counts.data.view(np.int64), seed, key)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.searchsorted(ordered, ordered)  # place of the first of those with the same hash
    occurrence = np.empty(len(key), np.uint64)
    occurrence[order] = (np.arange(len(key)) - first).astype(np.uint64)
    return np.asarray(key + occurrence * np.uint64(GOLDEN_GAMMA))
