"""Evidence of documents given topics, by annealed importance sampling, and how far the bound is below it."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ldavi import _sampling
from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer
from ldavi.metrics import _tokens
from ldavi.metrics._likelihood import HeldOutLikelihood, check_unseen, effective_size, log_mean_exp, summarise

TURN = 2.0  # τ N / α up to which the coupling grows evenly; from there on, by equal factors. Equation (M7)


def log_evidence(
    model: Any,
    X: Any,
    *,
    n_temperatures: int = 1000,
    n_chains: int = 20,
    doc_topic_prior: float | ArrayLike | None = None,
    unseen_words: str = "score",
    seed: int = 0,
    n_jobs: int | None = None,
) -> HeldOutLikelihood:
    """Log-likelihood of documents given topics, by annealed importance sampling.

    θ is integrated out; what is sampled are the tokens' topics. A chain starts from tokens that are independent of each
    other, where the likelihood is known, and the coupling between them, which θ brings about, grows from 0 to 1 while it
    moves by Gibbs sampling. The mean of the chains' weights estimates p(w) without bias. Equations (M6), (M7) of
    docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Whole counts, documents × words.
    n_temperatures : int, default=1000
        Values of the coupling, 0 and 1 included. The standard error falls with their number, the time grows with it;
        long documents need many (see `document_effective_size`).
    n_chains : int, default=20
        Chains for each document, at least 2.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    unseen_words : {"score", "ignore"}, default="score"
        Words that no topic can produce: scored, they make a document's log-likelihood −∞; ignored, they are left out. Counted
        either way.
    seed : int, default=0
        Of the random numbers. A document's depend on the seed and its own words and counts.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    evidence : HeldOutLikelihood
        Of all documents and of each, in nats, with standard errors from the chains.

    Raises
    ------
    ValueError
        If X holds what is not a whole count, or not as many words as the topics.

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
    counts = _tokens.check_tokens(X, "log_evidence")
    key = _tokens.document_keys(counts, _tokens.check_seed(seed))
    fixed = _tokens.fixed_topics(model, doc_topic_prior, counts.shape[1])
    columns = _tokens.occurring(possible := _tokens.possible_words(fixed), counts)
    tokens, tables = _tokens.to_tokens(counts, possible, columns, key), _tokens.tables(fixed, columns)
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
    alpha = _tokens.check_prior(model, len(fixed.alpha), doc_topic_prior)
    return summarise(*log_mean_exp(log_weight), effective_size(log_weight), tokens, alpha, unseen_words)


class BoundGap(NamedTuple):
    """How far the bound of documents is below their evidence, topics and prior being fixed.

    Attributes
    ----------
    gap : float
        Σ_d [log p(w_d | α, β) − L_d], in nats: the divergence of the variational posterior of θ and z from the true one.
    standard_error : float
        Of `gap`, from the evidence; the bound is computed, not sampled.
    per_token : float
        gap / tokens, 0 where there are none.
    document_gap : array of shape (D,)
    document_bound : array of shape (D,)
        L_d, the largest that was found.
    evidence : HeldOutLikelihood
        Words that no topic can produce are left out, of both sides.
    """

    gap: float
    standard_error: float
    per_token: float
    document_gap: Doubles
    document_bound: Doubles
    evidence: HeldOutLikelihood


def bound_gap(
    model: Any,
    X: Any,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    n_temperatures: int = 1000,
    n_chains: int = 20,
    mean_change_tol: float = 1e-6,
    max_doc_update_iter: int = 1000,
    seed: int = 0,
    n_jobs: int | None = None,
) -> BoundGap:
    """How far the mean-field ELBO of documents is below their evidence, for the same topics and prior.

    Both sides are of the model with topics β fixed at the model's E[β] and θ_d ~ Dir(α): the evidence is that of
    `log_evidence`, the bound that of `ldavi.infer`. Their difference is KL(q(θ, z) ‖ p(θ, z | w, α, β)). Equation (M9) of
    docs/metrics.md.

    Parameters
    ----------
    model : estimator or array-like of shape (n_topics, n_words)
        Fitted, or topics: weights with rows of any sum.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Whole counts, documents × words.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None means the model's own `doc_topic_prior_`, or 0.1 for a model without one.
    n_temperatures : int, default=1000
        Of `log_evidence`.
    n_chains : int, default=20
        Of `log_evidence`.
    mean_change_tol : float, default=1e-6
        Of `ldavi.infer`.
    max_doc_update_iter : int, default=1000
        Of `ldavi.infer`.
    seed : int, default=0
        Of the random numbers.
    n_jobs : int or None, default=None
        Threads; None means one.

    Returns
    -------
    gap : BoundGap
        In nats, of all documents and of each, with a standard error.

    Raises
    ------
    ValueError
        If X holds what is not a whole count, or not as many words as the topics.

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
    bound = _bound(model, X, evidence.doc_topic_prior, mean_change_tol, max_doc_update_iter, n_jobs)
    gaps = evidence.document_log_likelihood - bound
    gap = math.fsum(gaps)
    per_token = gap / evidence.n_tokens if evidence.n_tokens else 0.0
    return BoundGap(gap, evidence.standard_error, per_token, gaps, bound, evidence)


def _bound(model: Any, X: Any, alpha: Doubles, tol: float, max_inner_iter: int, n_jobs: int | None) -> Doubles:
    """L_d of each document without its impossible words."""
    topics, counts = topics_of(model), _tokens.check_tokens(X, "bound_gap")
    possible = topics.max(axis=0) * alpha.min() > 0
    values = np.where(possible[counts.indices], counts.data, 0).astype(np.float64)
    counts = sparse.csr_array((values, counts.indices, counts.indptr), shape=counts.shape)
    return infer(
        counts, topics, alpha, mean_change_tol=tol, max_doc_update_iter=max_inner_iter, n_jobs=n_jobs, dtype="float64"
    ).bound
