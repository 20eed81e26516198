"""Inference on documents with fixed topics: γ, φ and the bound of each document. Equations (9.7), (8.16), (14.3)."""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, psi

from ldavi._core.chunks import chunks
from ldavi._core.records import Counts, Topics
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepSettings, update_documents

COUNTS_AT_ONCE = 2**15


class Inference(NamedTuple):
    """The result of inference on documents with fixed topics.

    Attributes
    ----------
    gamma : array of shape (D, K)
        Parameters of q(θ_d) = Dir(γ_d).
    bound : array of shape (D,)
        Lower bound of log p(w_d | topics, α), in nats; −∞ for a document with a word of probability 0 in every topic.
    n_inner_iter : array of shape (D,)
        Inner iterations until convergence.
    """

    gamma: Floats
    bound: Doubles
    n_inner_iter: Int32s


def infer_documents(
    counts: Counts, topics: Topics, alpha: Doubles, settings: EStepSettings, workers: Workers
) -> Inference:
    """Return γ of each document from a cold start, and its bound. Equations (11.1), (12.1), (14.2)."""
    gamma = np.empty((counts.n_docs, len(alpha)), topics.B.dtype)
    result = update_documents(counts, topics, alpha, gamma, settings, workers)
    assert result.bound is not None
    word, doc_topic = elbo.document_terms(result.bound, counts.doc_tokens, alpha, topics)
    return Inference(gamma, word + doc_topic, result.n_inner_iter)


def infer_gamma(counts: Counts, topics: Topics, alpha: Doubles, settings: EStepSettings, workers: Workers) -> Floats:
    """Return γ of `infer_documents`, to the last bit, without computing the bound."""
    gamma = np.empty((counts.n_docs, len(alpha)), topics.B.dtype)
    update_documents(counts, topics, alpha, gamma, settings._replace(with_bound=False), workers)
    return gamma


def responsibilities(counts: Counts, topics: Topics, gamma: Floats) -> Floats:
    """Return φ, one row per stored count, by log-sum-exp. Equation (9.7).

    For a word of probability 0 in every topic, φ is in proportion to exp(E[log θ]).
    """
    documents = np.repeat(np.arange(counts.n_docs), np.diff(counts.indptr))
    log_theta = psi(gamma.astype(np.float64))
    phi = np.empty((len(counts.indices), gamma.shape[1]), gamma.dtype)
    for at in chunks(len(phi), COUNTS_AT_ONCE):
        phi[at] = normalized_responsibilities(log_theta[documents[at]], topics.expected_log(counts.indices[at]))
    return phi


def normalized_responsibilities(log_theta: Doubles, log_beta: Doubles) -> Doubles:
    """Compute φ ∝ exp(E[log θ] + E[log β]), a row for each stored count, by log-sum-exp. Equation (9.7).

    A row of `log_beta` that is −∞ throughout counts as 0, so that φ depends on θ alone. Constants added to a row of
    `log_theta`, such as −ψ(Σγ), cancel.
    """
    impossible = np.isneginf(log_beta).all(axis=1, keepdims=True)
    if impossible.any():
        log_beta = np.where(impossible, 0.0, log_beta)
    scores = log_theta + log_beta
    phi: Doubles = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
    return phi
