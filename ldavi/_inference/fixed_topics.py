"""Documents given fixed topics: γ, φ and each document's bound. Equations (10), (11), (25)."""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, psi

from ldavi._core.records import Counts, Topics
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepResult, update_documents

COUNTS_AT_ONCE = 2**15


class Inference(NamedTuple):
    """What is known of documents once topics are fixed.

    Attributes
    ----------
    gamma : array of shape (D, K)
        Parameters of q(θ_d) = Dir(γ_d).
    bound : array of shape (D,)
        Lower bound of log p(w_d | topics, α), in nats; −∞ where a document holds a word that no topic can produce.
    n_sweeps : array of shape (D,)
        Updates of γ_d and φ_d until they settled.
    """

    gamma: Floats
    bound: Doubles
    n_inner_iter: Int32s


def infer_documents(
    counts: Counts,
    topics: Topics,
    alpha: Doubles,
    *,
    max_inner_iter: int,
    tol: float,
    workers: Workers,
    extrapolate: bool = True,
) -> Inference:
    """γ from a cold start, every document by itself, and the bound of each. Equations (14), (16), (43)."""
    gamma, visit = settle(counts, topics, alpha, max_inner_iter, tol, workers, with_bound=True, extrapolate=extrapolate)
    assert visit.bound is not None
    word, doc_topic = elbo.document_terms(visit.bound, counts.doc_tokens, alpha, topics)
    return Inference(gamma, word + doc_topic, visit.n_inner_iter)


def infer_gamma(
    counts: Counts, topics: Topics, alpha: Doubles, *, max_inner_iter: int, tol: float, workers: Workers
) -> Floats:
    """γ of `infer_documents`, to the last bit, without the bound's logarithms."""
    return settle(counts, topics, alpha, max_inner_iter, tol, workers, with_bound=False, extrapolate=True)[0]


def settle(
    counts: Counts,
    topics: Topics,
    alpha: Doubles,
    max_inner_iter: int,
    tol: float,
    workers: Workers,
    *,
    with_bound: bool,
    extrapolate: bool,
) -> tuple[Floats, EStepResult]:
    """γ from a cold start, and how its visits went."""
    gamma = np.empty((counts.n_docs, len(alpha)), topics.B.dtype)
    visit = update_documents(
        counts,
        topics,
        alpha,
        gamma,
        max_inner_iter=max_inner_iter,
        tol=tol,
        workers=workers,
        cold_start=True,
        with_bound=with_bound,
        extrapolate=extrapolate,
    )
    return gamma, visit


def responsibilities(counts: Counts, topics: Topics, gamma: Floats) -> Floats:
    """φ, a row for each stored count, by log-sum-exp; a word that no topic can produce follows θ. Equation (10)."""
    documents = np.repeat(np.arange(counts.n_docs), np.diff(counts.indptr))
    log_theta = psi(gamma.astype(np.float64))
    phi = np.empty((len(counts.indices), gamma.shape[1]), gamma.dtype)
    for start in range(0, len(phi), COUNTS_AT_ONCE):
        at = slice(start, start + COUNTS_AT_ONCE)
        log_beta = topics.expected_log(counts.indices[at])
        log_beta[np.isneginf(log_beta).all(axis=1)] = 0.0
        scores = log_theta[documents[at]] + log_beta
        phi[at] = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
    return phi
