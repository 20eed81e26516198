"""The evidence lower bound with all constants: equations (9.4) to (9.6), (9.11), (12.1), (12.2), (10.5), (14.3).

Pure functions. `elbo` computes the definition, from (X, γ, λ, priors) alone. The others combine sums that the E-step
and the M-step have computed.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, psi

from ldavi import _estep
from ldavi._core import dirichlet
from ldavi._core.chunks import chunks, rows_within
from ldavi._core.records import Counts, Priors, Topics
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference.m_step import TopicSums

ENTRIES_AT_ONCE = 2**16  # of λ in float64: a few megabytes for every K


class ELBOTerms(NamedTuple):
    """The three terms of the bound, in nats.

    Attributes
    ----------
    word : float
        E[log p(w, z | θ, β)] + H[q(z)]. Equation (9.4).
    doc_topic : float
        −Σ_d KL(q(θ_d) ‖ p(θ_d)). Equation (9.5).
    topic_word : float
        −Σ_k KL(q(β_k) ‖ p(β_k)); 0 if β is a point estimate. Equation (9.6).
    """

    word: float
    doc_topic: float
    topic_word: float

    @property
    def total(self) -> float:
        return self.word + self.doc_topic + self.topic_word


def document_terms(bound: Doubles, doc_tokens: Doubles, alpha: Doubles, topics: Topics) -> tuple[Doubles, Doubles]:
    """Return the word term and the document term of each document. Equations (9.5), (12.1).

    Parameters
    ----------
    bound : array of shape (D, 2)
        Sums of the last inner iteration: Σ_w n (log Z̃ + m) − Σ_k s log t + Σ_k lnΓ(γ), and Σ_k lnΓ(γ) − Σ_k s ψ(γ).
    doc_tokens : array of shape (D,)
    alpha : array of shape (K,)
    topics : Topics
        The topics of the E-step.
    """
    total = alpha.sum()
    gamma_total = total + doc_tokens
    prior = gammaln(total) - gammaln(alpha).sum() - gammaln(gamma_total)
    doc_topic = prior + bound[:, 1] + doc_tokens * psi(gamma_total)
    document = prior + bound[:, 0] - topics.log_norm.min() * doc_tokens
    return document - doc_topic, doc_topic


def after_m_step(word: float, doc_topic: float, sums: TopicSums, priors: Priors, counts: Counts) -> ELBOTerms:
    """Return the bound at (φ, γ) of an E-step and λ of the following M-step. (12.2); (10.6) for point estimates

    Parameters
    ----------
    word, doc_topic : float
        The terms of the E-step, summed over documents, weights included.
    """
    word += sums.new - sums.old
    if priors.point_estimate:
        return ELBOTerms(word, doc_topic, 0.0)
    ratio = log_beta_ratio(sums.log_gamma, sums.totals, priors, counts.words, counts.n_words)
    return ELBOTerms(word, doc_topic, ratio - sums.new)


def log_beta_ratio(log_gamma: float, totals: Doubles, priors: Priors, words: Int64s, n_words: int) -> float:
    """Return Σ_k [ln 𝔅(λ_k) − ln 𝔅(η_k)]; words that do not occur have λ = η and cancel. Equation (12.2).

    Parameters
    ----------
    log_gamma : float
        Σ lnΓ(λ_kw) over `words`.
    totals : array of shape (K,)
        Λ_k over all words.
    """
    eta = priors.eta_rows(words)
    per_row = np.broadcast_to(gammaln(eta), (len(eta), priors.n_topics)).sum()
    log_gamma_eta = per_row * (len(words) if len(eta) == 1 else 1)
    normalisers = gammaln(totals) - gammaln(priors.eta_totals(n_words))
    return float(log_gamma - log_gamma_eta - normalisers.sum())


def topic_term(lam: Floats, priors: Priors) -> float:
    """Return −Σ_k KL(Dir(λ_k) ‖ Dir(η_k)), with λ word-major of shape (V, K). Equation (9.6)."""
    if priors.point_estimate:
        return 0.0
    words = np.arange(len(lam))
    log_gamma, mass_digamma = log_gamma_sums(lam, priors.eta)
    totals = lam.sum(axis=0, dtype=np.float64)
    mass = totals - priors.eta_totals(len(lam))
    ratio = log_beta_ratio(log_gamma, totals, priors, words, len(lam))
    return ratio - (mass_digamma - float(mass @ psi(totals)))


def log_gamma_sums(lam: Floats, eta: Doubles) -> tuple[float, float]:
    """Return Σ lnΓ(λ_kw) and Σ (λ_kw − η_kw) ψ(λ_kw), computed in chunks of words."""
    log_gamma = mass_digamma = 0.0
    for words in chunks(len(lam), rows_within(ENTRIES_AT_ONCE, lam.shape[1])):
        part = np.ascontiguousarray(lam[words], np.float64)
        eta_part = eta if len(eta) == 1 else eta[words]
        values, digammas = np.empty(part.size), np.empty(part.size)
        _estep.log_gamma_digamma(part.ravel(), values, digammas)
        log_gamma += float(values.sum())
        mass_digamma += float(((part - eta_part).ravel() * digammas).sum())
    return log_gamma, mass_digamma


def elbo(counts: Counts, gamma: Floats, lam: Floats, priors: Priors, doc_weight: Doubles | None = None) -> ELBOTerms:
    """Return the bound at (γ, λ) with optimal φ, by its definition. Equations (9.5), (9.6), (9.11).

    Parameters
    ----------
    counts : Counts
    gamma : array of shape (D, K)
    lam : array of shape (V, K)
        Word-major, for all words of X; expected counts if β is a point estimate.
    doc_weight : array of shape (D,), optional
    """
    gamma, lam = gamma.astype(np.float64), lam.astype(np.float64)
    weight = np.ones(counts.n_docs) if doc_weight is None else doc_weight
    elog_theta = dirichlet.expected_log(gamma)
    if priors.point_estimate:
        with np.errstate(divide="ignore"):
            elog_beta = np.log(dirichlet.mean(lam.T).T)
    else:
        elog_beta = dirichlet.expected_log(lam.T).T
    word = 0.0
    for d in range(counts.n_docs):
        at = slice(counts.indptr[d], counts.indptr[d + 1])
        scores = elog_theta[d] + elog_beta[counts.words[counts.indices[at]]]
        word += weight[d] * float(counts.values[at] @ logsumexp(scores, axis=1))
    doc_topic = -float(weight @ dirichlet.kl_divergence(gamma, priors.alpha))
    return ELBOTerms(word, doc_topic, topic_term(lam, priors))
