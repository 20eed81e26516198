"""Held-out likelihood by particles that go through each document from left to right."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldavi import _sampling
from ldavi._estimator import validation as check
from ldavi.metrics import _tokens
from ldavi.metrics._likelihood import HeldOutLikelihood, check_unseen, effective_size, log_mean_exp, summarise


def left_to_right(
    model: Any,
    X: Any,
    *,
    n_particles: int = 20,
    average: str = "products",
    n_redrawn: int | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    unseen_words: str = "score",
    seed: int = 0,
    n_jobs: int | None = None,
) -> HeldOutLikelihood:
    """Log-likelihood of documents given topics, by sequential Monte Carlo over their tokens.

    Each particle goes through the tokens, multiplies the probabilities of each word given the topics drawn for those before
    it, and draws its topic; before that, topics of earlier tokens are drawn anew. Equations (M4), (M5) of docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Whole counts, documents × words.
    n_particles : int, default=20
        Particles for each document, at least 2.
    average : {"products", "positions"}, default="products"
        "products": the mean over particles of each particle's product, an unbiased estimate of p(w) for any `n_particles`
        and `n_redrawn`. Its logarithm is too low by about half its squared standard error on average.
        "positions": the product over positions of the particles' mean, as Wallach et al. write it. It scatters less, but is
        right only as far as drawing anew makes the particles forget their past: with `n_redrawn=0` no number of particles
        brings it to p(w).
    n_redrawn : int or None, default=None
        Earlier tokens drawn anew before each position. None: all of them, in time that grows with the square of a document's
        length. A number: so many, chosen at random, in linear time, at the price of a larger standard error.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    unseen_words : {"score", "ignore"}, default="score"
        Words that no topic can produce: scored, they make a document's log-likelihood −∞; ignored, they are left out. Counted
        either way.
    seed : int, default=0
        Of the random numbers. A document's depend on the seed and its own words and counts: neither other documents nor the
        order of documents or topics changes its result.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    likelihood : HeldOutLikelihood
        Of all documents and of each, in nats, with standard errors.

    Raises
    ------
    ValueError
        If X holds what is not a whole count, or not as many words as the topics.

    References
    ----------
    Wallach, Murray, Salakhutdinov, Mimno. "Evaluation methods for topic models". ICML 2009, section 4.5.
    Buntine. "Estimating likelihoods for topic models". ACML 2009.

    Examples
    --------
    >>> from ldavi import metrics
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]
    >>> result = metrics.left_to_right(topics, [[1, 0, 0]], doc_topic_prior=0.1)
    >>> round(result.perplexity, 6)  # a single token: exact, 1 / (0.5 * 0.5)
    4.0
    """
    n_particles = check.check_integer("n_particles", n_particles, minimum=2)
    check.check_choice("average", average, ("products", "positions"))
    redrawn = -1 if n_redrawn is None else check.check_integer("n_redrawn", n_redrawn, minimum=0)
    check_unseen(unseen_words)
    counts = _tokens.check_tokens(X, "left_to_right")
    key = _tokens.document_keys(counts, _tokens.check_seed(seed))
    fixed = _tokens.fixed_topics(model, doc_topic_prior, counts.shape[1])
    columns = _tokens.occurring(possible := _tokens.possible_words(fixed), counts)
    tokens, tables = _tokens.to_tokens(counts, possible, columns, key), _tokens.tables(fixed, columns)
    log_weight = np.zeros((len(key), n_particles))
    influence, log_of_means = np.zeros_like(log_weight), np.zeros(len(key))

    def sample(start: int, stop: int) -> None:
        predictive = n_particles * max(int(tokens.lengths[start:stop].max()), 1)
        whole, real = _tokens.scratch(tokens.lengths[start:stop], len(fixed.alpha), predictive)
        _sampling.left_to_right(
            indptr=tokens.indptr,
            indices=tokens.indices,
            counts=tokens.counts,
            key=key,
            beta=tables.beta,
            cumulative=tables.cumulative,
            alpha=fixed.alpha,
            log_weight=log_weight,
            log_of_means=log_of_means,
            influence=influence,
            int_scratch=whole,
            float_scratch=real,
            n_redrawn=redrawn,
            start=start,
            stop=stop,
        )

    lengths = tokens.lengths.astype(np.float64)
    per_token = lengths / 2 if n_redrawn is None else np.minimum(redrawn, lengths / 2)
    _tokens.run(sample, n_particles * lengths * (1 + per_token), n_jobs)
    if average == "products":
        estimate, standard_error = log_mean_exp(log_weight)
    else:
        estimate, standard_error = log_of_means, influence.std(axis=1, ddof=1) / math.sqrt(n_particles)
    alpha = _tokens.check_prior(model, len(fixed.alpha), doc_topic_prior)
    return summarise(estimate, standard_error, effective_size(log_weight), tokens, alpha, unseen_words)
