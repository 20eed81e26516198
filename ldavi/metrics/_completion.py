"""Document completion: how well topics, and one half of a document, predict its other half."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ldavi import _sampling
from ldavi._core import dirichlet
from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s, Matrix, UnseenWords
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer
from ldavi._inference.document_completion import log_predictive, perplexity_of
from ldavi.metrics import _tokens
from ldavi.metrics._likelihood import check_unseen, with_unseen

GRID = (0.01, 0.03, 0.1, 0.3)
COUNTS_AT_ONCE = 2**14


class TokenSplit(NamedTuple):
    """Two halves of each document's tokens.

    Attributes
    ----------
    observed : sparse array of shape (n_samples, n_features)
        Counts from which a document's topics are inferred.
    scored : sparse array of shape (n_samples, n_features)
        Counts that are then predicted.
    """

    observed: sparse.csr_array
    scored: sparse.csr_array


class DocumentCompletion(NamedTuple):
    """Predictive likelihood of the scored halves.

    Attributes
    ----------
    perplexity : float
        exp(−log_likelihood / n_scored); 1 where nothing was scored.
    log_likelihood : float
        Σ log p(token of a scored half | observed half, α, β), in nats.
    standard_error : float
        Standard error of `log_likelihood / n_scored` as an estimate for documents from the same distribution; NaN for
        fewer than two documents, or if the likelihood is 0.
    n_scored : int
        Tokens scored.
    n_unseen : int
        Tokens of the scored halves whose words no topic can produce.
    n_empty : int
        Documents of which at least one half has no token; without an observed half the prior predicts.
    doc_topic_prior : array of shape (K,)
        α that was used, in the order of the model's topics.
    document_log_likelihood : array of shape (D,)
    document_tokens : array of shape (D,)
        Tokens scored of each document.
    """

    perplexity: float
    log_likelihood: float
    standard_error: float
    n_scored: int
    n_unseen: int
    n_empty: int
    doc_topic_prior: Doubles
    document_log_likelihood: Doubles
    document_tokens: Int64s


def token_split(X: Matrix, seed: int = 0) -> TokenSplit:
    """Split each document's tokens into two halves at random; an odd token goes to the scored half.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words.
    seed : int, default=0
        A document's split depends on the seed and its own words and counts, not on other documents.

    Returns
    -------
    split : TokenSplit
        `observed` and `scored`, counts whose sum is X.

    Raises
    ------
    ValueError
        If X holds a count that is not an integer.

    Examples
    --------
    >>> from ldavi import metrics
    >>> split = metrics.token_split([[3, 1, 0], [0, 1, 0]])
    >>> print(split.observed.sum(axis=1), split.scored.sum(axis=1))
    [2 0] [2 1]
    """
    counts = _tokens.check_tokens(X, "token_split")
    key = _tokens.document_keys(counts, _tokens.check_seed(seed))
    observed = np.empty(len(counts.data), np.int32)
    _sampling.split_tokens(counts.indptr.astype(np.int64), counts.data, key, observed)
    halves = []
    for part in (observed, counts.data - observed):
        half = sparse.csr_array((part, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
        half.eliminate_zeros()
        halves.append(half)
    return TokenSplit(*halves)


def document_completion(
    model: ModelOrTopics,
    X: Matrix | TokenSplit,
    *,
    doc_topic_prior: str | float | ArrayLike | None = "grid",
    method: Literal["gibbs", "variational"] = "gibbs",
    n_burn: int = 30,
    n_keep: int = 60,
    unseen_words: UnseenWords = "score",
    seed: int = 0,
    n_jobs: int | None = None,
) -> DocumentCompletion:
    """Compute the perplexity of the second half of each document, given its first half and the topics.

    The posterior mean of θ given the first half is estimated by collapsed Gibbs sampling for every model, so that
    models of different libraries are compared by their topics alone. Equation (M3) of docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), or TokenSplit
        Integer counts, documents × words, which are split by `token_split(X, seed)`; or the two halves.
    doc_topic_prior : "grid", float, array of shape (n_topics,) or None, default="grid"
        α. "grid": the best of 0.01, 0.03, 0.1 and 0.3 for all documents, so that models fitted with different priors
        are compared by their topics. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
        With None or a value, a document's score does not depend on other documents.
    method : {"gibbs", "variational"}, default="gibbs"
        "variational": θ is the mean of q(θ), by `ldavi.infer`. It is faster, and underestimates the likelihood of short
        documents.
    n_burn : int, default=30
        Gibbs sweeps over a document that are discarded.
    n_keep : int, default=60
        Gibbs sweeps that are averaged.
    unseen_words : {"score", "ignore"}, default="score"
        Words that no topic can produce: if scored, they make the perplexity infinite; if ignored, they are left out.
        They are counted in `n_unseen` in both cases.
    seed : int, default=0
        Seed of the split and of the samples.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    completion : DocumentCompletion
        `perplexity`, lower is better, and what it was computed from.

    Raises
    ------
    ValueError
        If X holds a count that is not an integer, or does not have as many words as the topics.

    References
    ----------
    Rosen-Zvi, Griffiths, Steyvers, Smyth. "The author-topic model for authors and documents". UAI 2004.
    Wallach, Murray, Salakhutdinov, Mimno. "Evaluation methods for topic models". ICML 2009, section 5.

    Examples
    --------
    >>> from ldavi import metrics
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    >>> result = metrics.document_completion(topics, [[4, 4, 0], [0, 0, 6]], doc_topic_prior=0.1)
    >>> result.n_scored, result.n_empty, result.n_unseen
    (7, 0, 0)
    """
    check.check_choice("method", method, ("gibbs", "variational"))
    check_unseen(unseen_words)
    sweeps = check.check_integer("n_burn", n_burn, minimum=0), check.check_integer("n_keep", n_keep, minimum=1)
    split = _check_split(model, X, _tokens.check_seed(seed))
    best: DocumentCompletion | None = None
    for alpha in _priors(model, doc_topic_prior):
        fixed = _tokens.fixed_topics(model, alpha, split.observed.shape[1])
        found = _Halves(split, fixed, seed)
        scores = found.by_gibbs(fixed, sweeps, n_jobs) if method == "gibbs" else found.by_bound(fixed, n_jobs)
        result = _summarise(scores, found, alpha, unseen_words)
        if best is None or result.log_likelihood > best.log_likelihood:
            best = result
    assert best is not None
    return best


def _check_split(model: ModelOrTopics, X: Matrix | TokenSplit, seed: int) -> TokenSplit:
    if not isinstance(X, TokenSplit):
        return token_split(_tokens.check_tokens(X, "document_completion", model), seed)
    halves = TokenSplit(*(_tokens.check_tokens(half, "document_completion", model) for half in X))
    if halves.observed.shape != halves.scored.shape:
        raise ValueError(
            f"X has halves of shapes {halves.observed.shape} and {halves.scored.shape}; both must be the same"
        )
    return halves


def _priors(model: ModelOrTopics, doc_topic_prior: str | float | ArrayLike | None) -> list[Doubles]:
    """Return the values of α to try, each as (K,)."""
    n_topics = len(topics_of(model))
    if not isinstance(doc_topic_prior, str):
        return [_tokens.check_prior(model, n_topics, doc_topic_prior)]
    if doc_topic_prior != "grid":
        raise ValueError(f"doc_topic_prior={doc_topic_prior!r} must be 'grid', a number > 0, an array of them or None")
    return [np.full(n_topics, alpha) for alpha in GRID]


class _Halves:
    """Both halves as tokens, over the words that occur in one of them."""

    def __init__(self, split: TokenSplit, fixed: _tokens.FixedTopics, seed: int) -> None:
        possible = _tokens.possible_words(fixed)
        self.key = _tokens.document_keys(split.observed, seed)
        self.columns = _tokens.occurring(possible, *split)
        self.observed, self.scored = (_tokens.to_tokens(half, possible, self.columns, self.key) for half in split)
        self.n_empty = int(((split.observed.sum(axis=1) == 0) | (split.scored.sum(axis=1) == 0)).sum())

    def by_gibbs(self, fixed: _tokens.FixedTopics, sweeps: tuple[int, int], n_jobs: int | None) -> Doubles:
        """Compute the log-probability of each scored half, with θ's sampled posterior mean. Equation (M3)."""
        log_likelihood, tables = np.zeros(len(self.key)), _tokens.tables(fixed, self.columns)
        lengths = self.observed.lengths

        def sample(start: int, stop: int) -> None:
            whole, real = _tokens.scratch(lengths[start:stop], len(fixed.alpha), len(fixed.alpha))
            _sampling.complete_documents(
                indptr=self.observed.indptr,
                indices=self.observed.indices,
                counts=self.observed.counts,
                scored_indptr=self.scored.indptr,
                scored_indices=self.scored.indices,
                scored_counts=self.scored.counts,
                key=self.key,
                beta=tables.beta,
                cumulative=tables.cumulative,
                alpha=fixed.alpha,
                log_likelihood=log_likelihood,
                int_scratch=whole,
                float_scratch=real,
                n_burn=sweeps[0],
                n_keep=sweeps[1],
                start=start,
                stop=stop,
            )

        draws = (1 + sum(sweeps)) * lengths + self.scored.lengths
        _tokens.run(sample, draws.astype(np.float64), n_jobs)
        return log_likelihood

    def by_bound(self, fixed: _tokens.FixedTopics, n_jobs: int | None) -> Doubles:
        """Compute the log-probability of each scored half, with the mean of q(θ)."""
        if not len(self.columns):
            return np.zeros(len(self.key))
        observed = sparse.csr_array(
            (self.observed.counts, self.columns[self.observed.indices], self.observed.indptr),
            shape=(len(self.key), fixed.topics.shape[1]),
        )
        theta = dirichlet.mean(infer(observed, fixed.topics, fixed.alpha, dtype="float64", n_jobs=n_jobs).gamma)

        def beta_of(rows: Int32s | Int64s) -> Floats:
            return fixed.topics[:, self.columns[rows]].T

        log_p = np.empty(len(self.scored.counts))
        halves = log_predictive(
            theta, beta_of, indptr=self.scored.indptr, indices=self.scored.indices, size=COUNTS_AT_ONCE
        )
        for at, found in halves:
            log_p[at] = found
        document = np.repeat(np.arange(len(self.key)), np.diff(self.scored.indptr))
        return np.bincount(document, self.scored.counts * log_p, len(self.key)).astype(np.float64)


def _summarise(scores: Doubles, halves: _Halves, alpha: Doubles, unseen_words: str) -> DocumentCompletion:
    document, lengths = with_unseen(scores, halves.scored, unseen_words)
    total, n_scored = math.fsum(document), int(lengths.sum())
    return DocumentCompletion(
        perplexity_of(total, n_scored),
        total,
        _error_per_token(document, lengths, total),
        n_scored,
        int(halves.scored.unseen.sum()),
        halves.n_empty,
        alpha,
        document,
        lengths,
    )


def _error_per_token(document: Doubles, lengths: Int64s, total: float) -> float:
    """Compute the standard error of the ratio of two sums over documents. Equation (M8)."""
    n, n_tokens = len(document), int(lengths.sum())
    if n < 2 or not n_tokens or not math.isfinite(total):
        return math.nan
    residual = document - lengths * (total / n_tokens)
    return math.sqrt(n / (n - 1) * math.fsum(np.square(residual))) / n_tokens
