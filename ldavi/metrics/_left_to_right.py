"""Held-out likelihood by the left-to-right particle algorithm."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ldavi import _sampling
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Matrix, UnseenWords
from ldavi._estimator import validation as check
from ldavi.metrics import _tokens
from ldavi.metrics._likelihood import HeldOutLikelihood, check_unseen, effective_size, log_mean_exp, summarise


def left_to_right(
    model: ModelOrTopics,
    X: Matrix,
    *,
    n_particles: int = 20,
    average: Literal["products", "positions"] = "products",
    n_redrawn: int | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    unseen_words: UnseenWords = "score",
    seed: int = 0,
    n_jobs: int | None = None,
) -> HeldOutLikelihood:
    """Estimate the log-likelihood of documents given topics, by sequential Monte Carlo over their tokens.

    At each token, a particle resamples the topics of earlier tokens, multiplies its weight by the probability of the
    word given these topics, and samples the topic of the token. Equations (M4), (M5) of docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words.
    n_particles : int, default=20
        Particles per document, at least 2.
    average : {"products", "positions"}, default="products"
        "products": the mean over particles of each particle's product, an unbiased estimate of p(w) for any
        `n_particles` and `n_redrawn`. Its logarithm is biased downwards by about half its squared standard error.
        "positions": the product over positions of the particles' mean, as Wallach et al. write it. Its variance is
        smaller, but it is consistent only as far as resampling removes the dependence on earlier samples: with
        `n_redrawn=0` it does not converge to p(w).
    n_redrawn : int or None, default=None
        Earlier tokens that are resampled before each position. None: all of them, in time quadratic in the length of a
        document. A number: so many, chosen at random, in linear time, with a larger standard error.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    unseen_words : {"score", "ignore"}, default="score"
        Words that no topic can produce: if scored, they make a document's log-likelihood −∞; if ignored, they are left
        out. They are counted in `n_unseen` in both cases.
    seed : int, default=0
        Seed of the random numbers. Those of a document depend on the seed and its own words and counts: neither other
        documents nor the order of documents or topics changes its result.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    likelihood : HeldOutLikelihood
        Log-likelihood of all documents and of each, in nats, with standard errors.

    Raises
    ------
    ValueError
        If X holds a count that is not an integer, or does not have as many words as the topics.

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
    fixed, alpha, tokens, tables = _tokens.sampler_input(model, X, doc_topic_prior, seed=seed, name="left_to_right")
    key = tokens.key
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
    return summarise(estimate, standard_error, effective_size(log_weight), tokens, alpha, unseen_words)
