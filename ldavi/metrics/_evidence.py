"""Evidence of documents given topics, by annealed importance sampling, and its gap to the variational bound."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ldavi import _sampling
from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Matrix, UnseenWords
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer
from ldavi.metrics import _tokens
from ldavi.metrics._likelihood import HeldOutLikelihood, check_unseen, effective_size, log_mean_exp, summarise

TURN = 2.0  # τ N / α up to which the coupling grows linearly; after it, geometrically. Equation (M7)


def log_evidence(
    model: ModelOrTopics,
    X: Matrix,
    *,
    n_temperatures: int = 1000,
    n_chains: int = 20,
    doc_topic_prior: float | ArrayLike | None = None,
    unseen_words: UnseenWords = "score",
    seed: int = 0,
    n_jobs: int | None = None,
) -> HeldOutLikelihood:
    """Estimate the log-likelihood of documents given topics, by annealed importance sampling.

    θ is integrated out, and the topics of the tokens are sampled. A chain starts with independent tokens, where the
    likelihood is known in closed form. Their coupling through θ then grows from 0 to 1, with Gibbs sampling at each
    value. The mean of the chains' weights is an unbiased estimate of p(w). Equations (M6), (M7) of docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words.
    n_temperatures : int, default=1000
        Number of values of the coupling, including 0 and 1. The standard error decreases with it, and the time
        increases; long documents need many (see `document_effective_size`).
    n_chains : int, default=20
        Chains per document, at least 2.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    unseen_words : {"score", "ignore"}, default="score"
        Words that no topic can produce: if scored, they make a document's log-likelihood −∞; if ignored, they are left
        out. They are counted in `n_unseen` in both cases.
    seed : int, default=0
        Seed of the random numbers. Those of a document depend on the seed and its own words and counts only.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    evidence : HeldOutLikelihood
        Log-likelihood of all documents and of each, in nats, with standard errors from the chains.

    Raises
    ------
    ValueError
        If X holds a count that is not an integer, or does not have as many words as the topics.

    References
    ----------
    Neal. "Annealed importance sampling". Statistics and Computing 11, 2001.
    Wallach, Murray, Salakhutdinov, Mimno. "Evaluation methods for topic models". ICML 2009, section 4.2.

    Examples
    --------
    >>> from ldavi import metrics
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]
    >>> exact = metrics.log_evidence(topics, [[1, 0, 0]], doc_topic_prior=0.1)
    >>> round(exact.log_likelihood, 6)  # log(0.5 * 0.5)
    -1.386294
    """
    n_temperatures = check.check_integer("n_temperatures", n_temperatures, minimum=2)
    n_chains = check.check_integer("n_chains", n_chains, minimum=2)
    check_unseen(unseen_words)
    fixed, alpha, tokens, tables = _tokens.sampler_input(model, X, doc_topic_prior, seed=seed, name="log_evidence")
    key = tokens.key
    log_weight = np.zeros((len(key), n_chains))
    bend = np.log1p(np.maximum(tokens.lengths, 1) / (TURN * fixed.alpha.mean()))

    def sample(start: int, stop: int) -> None:
        whole, real = _tokens.scratch(tokens.lengths[start:stop], len(fixed.alpha), n_temperatures)
        _sampling.anneal(
            indptr=tokens.indptr,
            indices=tokens.indices,
            counts=tokens.counts,
            key=key,
            beta=tables.beta,
            cumulative=tables.cumulative,
            alpha=fixed.alpha,
            curvature=bend,
            log_weight=log_weight,
            int_scratch=whole,
            float_scratch=real,
            n_temperatures=n_temperatures,
            start=start,
            stop=stop,
        )

    _tokens.run(sample, n_chains * n_temperatures * tokens.lengths.astype(np.float64), n_jobs)
    return summarise(*log_mean_exp(log_weight), effective_size(log_weight), tokens, alpha, unseen_words)


class BoundGap(NamedTuple):
    """Gap between the evidence of documents and their variational bound, for fixed topics and prior.

    Attributes
    ----------
    gap : float
        Σ_d [log p(w_d | α, β) − L_d], in nats: the divergence of the variational posterior of θ and z from the true
        one.
    standard_error : float
        Standard error of `gap`. It is that of the evidence; the bound is computed exactly.
    per_token : float
        gap / tokens; 0 without tokens.
    document_gap : array of shape (D,)
    document_bound : array of shape (D,)
        L_d of the converged variational posterior.
    evidence : HeldOutLikelihood
        Words that no topic can produce are left out of both the evidence and the bound.
    """

    gap: float
    standard_error: float
    per_token: float
    document_gap: Doubles
    document_bound: Doubles
    evidence: HeldOutLikelihood


def bound_gap(
    model: ModelOrTopics,
    X: Matrix,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    n_temperatures: int = 1000,
    n_chains: int = 20,
    mean_change_tol: float = 1e-6,
    max_doc_update_iter: int = 1000,
    seed: int = 0,
    n_jobs: int | None = None,
) -> BoundGap:
    """Estimate the gap between the evidence of documents and their mean-field ELBO, for the same topics and prior.

    Both are computed with topics β fixed at the model's E[β] and θ_d ~ Dir(α): the evidence by `log_evidence`, the
    bound by `ldavi.infer`. The gap is KL(q(θ, z) ‖ p(θ, z | w, α, β)). Equation (M9) of docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    n_temperatures : int, default=1000
        As in `log_evidence`.
    n_chains : int, default=20
        As in `log_evidence`.
    mean_change_tol : float, default=1e-6
        As in `ldavi.infer`.
    max_doc_update_iter : int, default=1000
        As in `ldavi.infer`.
    seed : int, default=0
        Seed of the random numbers.
    n_jobs : int or None, default=None
        Threads; None means one.

    Returns
    -------
    gap : BoundGap
        Gap of all documents and of each, in nats, with a standard error.

    Raises
    ------
    ValueError
        If X holds a count that is not an integer, or does not have as many words as the topics.

    References
    ----------
    Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003, section 5.2.

    Examples
    --------
    >>> from ldavi import metrics
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]
    >>> metrics.bound_gap(topics, [[3, 1, 2]], doc_topic_prior=0.5).gap > 0
    True
    """
    evidence = log_evidence(
        model,
        X,
        n_temperatures=n_temperatures,
        n_chains=n_chains,
        doc_topic_prior=doc_topic_prior,
        unseen_words="ignore",
        seed=seed,
        n_jobs=n_jobs,
    )
    counts = _without_impossible_words(model, X, evidence.doc_topic_prior)
    bound = infer(
        counts,
        topics_of(model),
        evidence.doc_topic_prior,
        mean_change_tol=mean_change_tol,
        max_doc_update_iter=max_doc_update_iter,
        n_jobs=n_jobs,
        dtype="float64",
    ).bound
    gaps = evidence.document_log_likelihood - bound
    gap = math.fsum(gaps)
    per_token = gap / evidence.n_tokens if evidence.n_tokens else 0.0
    return BoundGap(gap, evidence.standard_error, per_token, gaps, bound, evidence)


def _without_impossible_words(model: ModelOrTopics, X: Matrix, alpha: Doubles) -> sparse.csr_array:
    """Return the counts with zeros for words that no topic can produce."""
    topics, counts = topics_of(model), _tokens.check_tokens(X, "bound_gap", model)
    possible = topics.max(axis=0) * alpha.min() > 0
    values = np.where(possible[counts.indices], counts.data, 0).astype(np.float64)
    return sparse.csr_array((values, counts.indices, counts.indptr), shape=counts.shape)
