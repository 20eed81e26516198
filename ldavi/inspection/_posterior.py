"""γ and φ of documents under any topics: an estimator answers for itself, an array goes through `ldavi.infer`."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import digamma, softmax

from ldavi._core.topics_of_model import doc_topic_prior_of, topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer


class Posterior(NamedTuple):
    counts: sparse.csr_array  # (D, V), float64
    tokens: Doubles  # (D,)
    alpha: Doubles  # (K,)
    gamma: Doubles  # (D, K), Σ_k γ_dk = Σ_k α_k + N_d

    def theta(self) -> Doubles:
        """E[θ]."""
        theta: Doubles = self.gamma / self.gamma.sum(axis=1, keepdims=True)
        return theta

    def topic_tokens(self) -> Doubles:
        """Σ_w n_dw φ_dwk = γ_dk − α_k: tokens of each document by topic; rows sum to N_d."""
        mass: Doubles = np.maximum(self.gamma - self.alpha, 0)  # rounding may leave a little less than nothing
        total = mass.sum(axis=1)
        scale: Doubles = np.divide(self.tokens, total, out=np.zeros_like(total), where=total > 0)
        return mass * scale[:, None]


def posterior_of(model: Any, X: Any, doc_topic_prior: Any, name: str) -> Posterior:
    """γ of each row of X; a single document may have one dimension.

    An estimator with `transform` and a prior of its own gives E[θ], of which γ = E[θ] (Σα + N). Other topics, and any with
    another prior, are inferred here.
    """
    X = X if sparse.issparse(X) or np.ndim(X) != 1 else np.reshape(X, (1, -1))
    counts = check.check_counts(X, dtype=np.float64, name=name)
    topics = topics_of(model)
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns, but the topics have {topics.shape[1]} words. Pass counts of the same words."
        )
    tokens = counts.sum(axis=1)
    if doc_topic_prior is None and hasattr(model, "doc_topic_prior_") and hasattr(model, "transform"):
        alpha = doc_topic_prior_of(model, len(topics))
        gamma = np.asarray(model.transform(X), dtype=np.float64) * (alpha.sum() + tokens)[:, None]
    else:
        prior = doc_topic_prior_of(model, len(topics)) if doc_topic_prior is None else doc_topic_prior
        gamma = infer(counts, topics, prior, dtype=np.float64).gamma.astype(np.float64)
        alpha = np.array(np.broadcast_to(np.asarray(prior, dtype=np.float64), (len(topics),)))
    return Posterior(counts, tokens, alpha, gamma)


def responsibilities_of(model: Any, X: Any, posterior: Posterior, doc_topic_prior: Any) -> Doubles:
    """φ, a row for each stored count. Equation (10), with E[log β] where the model has it, else log β."""
    if doc_topic_prior is None and hasattr(model, "word_topics"):
        X = X if sparse.issparse(X) or np.ndim(X) != 1 else np.reshape(X, (1, -1))
        return np.asarray(model.word_topics(X), dtype=np.float64)
    beta = getattr(model, "exp_dirichlet_component_", None)
    beta = topics_of(model) if beta is None else np.asarray(beta, dtype=np.float64)
    counts = posterior.counts
    documents = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    return responsibilities(posterior.gamma[documents], beta[:, counts.indices].T)


def responsibilities(gamma: Doubles, likelihood: Doubles) -> Doubles:
    """φ ∝ exp ψ(γ) × likelihood, rows that sum to 1; what no topic can produce follows θ."""
    with np.errstate(divide="ignore"):
        log_likelihood = np.log(likelihood)
    log_likelihood[np.isneginf(log_likelihood).all(axis=1)] = 0
    phi: Doubles = softmax(digamma(gamma) + log_likelihood, axis=1)
    return phi
