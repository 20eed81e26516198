"""Posterior of documents' topics, γ and φ, under any fitted model or array of topics."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy import sparse
from scipy.special import psi

from ldavi._core import dirichlet
from ldavi._core.chunks import chunks
from ldavi._core.library_models import fitted_model
from ldavi._core.topics_of_model import ModelOrTopics, doc_topic_prior_of, topics_of, weights_of
from ldavi._core.typing import Doubles, Int32s, Int64s, Matrix
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer
from ldavi._estimator.prediction import FittedTopics
from ldavi._estimator.validation import holds_texts as holds_texts
from ldavi._estimator.vocabulary_growth import check_known_documents
from ldavi._inference.fixed_topics import COUNTS_AT_ONCE, normalized_responsibilities


class Posterior(NamedTuple):
    """Variational posterior q(θ_d) = Dir(γ_d) of each document.

    Attributes
    ----------
    counts : CSR array of shape (D, V)
        The documents, float64.
    tokens : array of shape (D,)
        N_d, the length of each document.
    alpha : array of shape (K,)
        The prior Dir(α) of θ_d.
    gamma : array of shape (D, K)
        Σ_k γ_dk = Σ_k α_k + N_d.
    """

    counts: sparse.csr_array
    tokens: Doubles
    alpha: Doubles
    gamma: Doubles

    def theta(self) -> Doubles:
        """Return E[θ], of shape (D, K); rows sum to 1."""
        return np.asarray(dirichlet.mean(self.gamma), dtype=np.float64)

    def topic_tokens(self) -> Doubles:
        """Return the expected tokens of each topic in each document, Σ_w n_dw φ_dwk = γ_dk − α_k; rows sum to N_d."""
        mass: Doubles = np.maximum(self.gamma - self.alpha, 0)  # rounding may leave slightly negative values
        total = mass.sum(axis=1)
        scale: Doubles = np.divide(self.tokens, total, out=np.zeros_like(total), where=total > 0)
        return mass * scale[:, None]

    def documents(self, rows: Int64s) -> "Posterior":
        """Return the posterior of some of the documents."""
        return Posterior(self.counts[rows], self.tokens[rows], self.alpha, self.gamma[rows])


def posterior_of(
    model: ModelOrTopics,
    X: Matrix,
    doc_topic_prior: float | ArrayLike | None,
    name: str,
    *,
    theta: Doubles | None = None,
) -> Posterior:
    """Compute γ of each row of X; a single document may have one dimension.

    A `LatentDirichletAllocation` of this package returns γ. Another estimator with `transform` and a prior returns
    E[θ], from which γ = E[θ] (Σα + N). For an array of topics, or with another prior, γ is inferred by `infer`.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
    X : array-like or sparse matrix of shape (n_docs, n_words) or (n_words,), or texts for a pipeline
    doc_topic_prior : float, array of shape (n_topics,) or None
        α; None means the model's own, or 0.1.
    name : str
        The function that was called, for error messages.
    theta : array of shape (n_docs, n_topics) or None, default=None
        E[θ] where it is known, in place of inference.

    Raises
    ------
    ValueError
        If X does not hold counts of the topics' words.
    """
    X, model = counts_for(model, X, name), fitted_model(model)
    X = X if sparse.issparse(X) or np.ndim(X) != 1 else np.reshape(X, (1, -1))
    counts = counts_over_words(model, X, name)
    topics = topics_of(model)
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns, but the topics have {topics.shape[1]} words. "
            "Pass counts of the same words."
        )
    tokens = np.asarray(counts.sum(axis=1), dtype=np.float64)
    prior = doc_topic_prior_of(model, len(topics)) if doc_topic_prior is None else doc_topic_prior
    alpha = np.array(np.broadcast_to(np.asarray(prior, dtype=np.float64), (len(topics),)))
    if theta is None and doc_topic_prior is None and isinstance(model, FittedTopics):
        gamma = np.asarray(model.transform(X, normalize=False), dtype=np.float64)
        return Posterior(counts, tokens, alpha, gamma)
    if theta is None and doc_topic_prior is None and hasattr(model, "doc_topic_prior_") and hasattr(model, "transform"):
        theta = np.asarray(model.transform(X), dtype=np.float64)
    if theta is None:
        gamma = np.asarray(infer(counts, topics, prior, dtype=np.float64).gamma, dtype=np.float64)
    else:
        gamma = theta * (alpha.sum() + tokens)[:, None]
    return Posterior(counts, tokens, alpha, gamma)


def counts_over_words(
    model: ModelOrTopics | None, X: Any, name: str, *, dtype: DTypeLike | None = np.float64
) -> sparse.csr_array:
    """Return X as counts of the words of a model, in its order; X may hold texts for a pipeline.

    Columns with names are those that `transform` accepts from a model that was fitted to named columns: in the order of
    the fit, or with `new_words="add"` in any order. None stands for no model.

    Raises
    ------
    ValueError
        If X does not hold counts, or has columns of other names.
    """
    if model is not None:
        X, model = counts_for(model, X, name), fitted_model(model)
    knows_names = isinstance(model, FittedTopics) and hasattr(model, "feature_names_in_")
    if knows_names and check.column_names(X) is not None:
        return check_known_documents(model, X, dtype=dtype)
    return check.check_counts(X, dtype=dtype, name=name)


def counts_for(model: ModelOrTopics, X: Any, name: str) -> Any:
    """Return counts as they are, and texts as the steps of a pipeline before its model count them.

    Parameters
    ----------
    model : pipeline, estimator or array of shape (n_topics, n_words)
    X : counts, or sequence of str
    name : str
        The function that was called, for error messages.

    Raises
    ------
    TypeError
        If X holds texts, and the model is no pipeline that counts their words.
    """
    if not holds_texts(X):
        return X
    steps: Any = model
    if not hasattr(steps, "named_steps") or len(steps.steps) < 2:
        raise TypeError(
            f"X holds texts, but {name} needs the counts of their words: pass those, or a pipeline that counts words "
            "instead of the model"
        )
    return steps[:-1].transform(X)


def expected_log_beta(model: ModelOrTopics, words: Int32s | Int64s) -> Doubles:
    """Compute E[log β_kw] of some words, of shape (len(words), K).

    ψ(λ_kw) − ψ(Σ_v λ_kv) where topics have Dirichlet posteriors, equation (9.3); log β for point estimates and for
    arrays of topics, −∞ where a topic cannot produce the word.
    """
    if np.any(getattr(fitted_model(model), "topic_word_prior_", 0)):
        lam = weights_of(model)
        log_beta: Doubles = psi(lam[:, words].T.astype(np.float64)) - psi(lam.sum(axis=1, dtype=np.float64))
        return log_beta
    with np.errstate(divide="ignore"):
        return np.log(topics_of(model)[:, words].T)


def responsibilities_of(model: ModelOrTopics, posterior: Posterior) -> Doubles:
    """Compute φ, a row for each stored count of the posterior's documents, of shape (nnz, K). Equation (9.7)."""
    counts = posterior.counts
    words, place = np.unique(counts.indices, return_inverse=True)
    documents = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    log_theta, log_beta = psi(posterior.gamma), expected_log_beta(model, words)
    phi = np.empty((counts.nnz, log_theta.shape[1]))
    for at in chunks(counts.nnz, COUNTS_AT_ONCE):
        phi[at] = normalized_responsibilities(log_theta[documents[at]], log_beta[place[at]])
    return phi
