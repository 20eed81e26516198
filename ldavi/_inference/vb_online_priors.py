"""Updates of the priors of online fits, every few steps, from the documents of a step. Section 19."""

from collections.abc import Iterator

import numpy as np
from scipy.special import psi

from ldavi._core.chunks import chunks
from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors, Topics
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference import dirichlet_priors
from ldavi._inference.e_step import EStepSettings, update_documents
from ldavi._inference.fixed_topics import responsibilities
from ldavi._inference.passes import PassSettings
from ldavi._inference.vb_priors import log_theta_sums

LEARN_EVERY = 16  # steps
MAX_DOCUMENTS = 256  # of a minibatch that priors are learned from
MIN_RATE = 0.1  # minimum weight of these documents in the running mean of E[log θ], from which α is learned
DOCUMENTS_AT_ONCE = 32
ETA_ROUNDS = 5  # of the fixed-point iteration, if counts are fractions of tokens
# Fractional parts of multiples of the inverse golden ratio and inverse plastic number: low-discrepancy sequences.
GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927


def updated_online_priors(
    documents: Documents,
    topics: Topics,
    priors: Priors,
    mean_log_theta: Doubles | None,
    settings: PassSettings,
    workers: Workers,
    *,
    occasion: int,
    with_eta: bool,
    total_weight: float,
) -> tuple[Priors, Doubles]:
    """Update the priors from some documents, whose γ first converges under the present topics, without δ.

    The γ of an online step would not do: a few inner iterations with δ spread tokens over too many topics. Both priors
    would become far too large, and the next steps would spread tokens even more.

    Parameters
    ----------
    documents : Documents
        With words numbered as the rows of `topics`.
    mean_log_theta : array of shape (K,), or None
        The running mean of E[log θ_d]; None at first, when it is E[log θ] under the present α.
    occasion : int
        The number of this update, from 1.
    with_eta : bool
        Whether η may be updated.
    total_weight : float
        Documents (weights) in the whole corpus.

    Returns
    -------
    priors : Priors
    mean_log_theta : array of shape (K,)
    """
    alpha, eta = priors.alpha, priors.eta
    part = next(documents.parts(MAX_DOCUMENTS))
    gamma = np.empty((part.counts.n_docs, len(alpha)), topics.B.dtype)
    e_step_settings = EStepSettings(settings.max_inner_iter, settings.tol, with_bound=False)
    update_documents(part.counts, topics, alpha, gamma, e_step_settings, workers)
    old = psi(alpha) - psi(alpha.sum()) if mean_log_theta is None else mean_log_theta
    rate, (sums, total) = max(1 / occasion, MIN_RATE), log_theta_sums(part, gamma, workers)
    mean = (1 - rate) * old + rate * sums / total if total > 0 else old
    if settings.learn_alpha:
        alpha = dirichlet_priors.newton_alpha(alpha, mean, 1.0)
    if settings.learn_eta and with_eta:
        eta = np.full((1, 1), _updated_eta(part, topics, gamma, float(eta[0, 0]), occasion, total_weight))
    return Priors(alpha, eta), mean


def _updated_eta(
    documents: Documents, topics: Topics, gamma: Floats, eta: float, occasion: int, total_weight: float
) -> float:
    """Return η that maximises (19.1) of sampled topics, or increases (19.9) if counts are fractions of tokens."""
    values = documents.counts.values
    if not np.any(values % 1):
        sampled = sampled_word_counts(documents, topics, gamma, occasion)
        drawn = sampled[sampled > 0]
        counts = dirichlet_priors.group_values(drawn, np.ones(len(drawn)), sampled.sum(axis=0))
        return float(dirichlet_priors.fixed_point(counts, np.array([eta]), documents.n_words)[0])
    S = expected_word_counts(documents, topics, gamma)
    S = S[S.any(axis=1)] * (total_weight / documents.total_weight)
    if not len(S):
        return eta
    for _ in range(ETA_ROUNDS):
        eta = dirichlet_priors.updated_eta(eta, dirichlet_priors.eta_statistics(eta, S), len(S))
    return eta


def sampled_word_counts(documents: Documents, topics: Topics, gamma: Floats, occasion: int) -> Doubles:
    """Return the tokens of each word in each topic, of shape (U, K), with topics sampled from φ. Equation (19.10).

    The n tokens of a stored count are at equidistant points of its cumulative φ, so the number in each topic takes
    O(K) for any n. The first points of the counts are evenly distributed in [0, 1), and differ between updates: there
    is no random state that a checkpoint would have to store.
    """
    sampled = np.zeros((len(documents.counts.words), gamma.shape[1]))
    n_before = 0
    for counts, tokens, phi in _responsibilities(documents, topics, gamma):
        n = len(phi)
        first = ((n_before + np.arange(n)) * GOLDEN + occasion * PLASTIC) % 1
        reached = phi.cumsum(axis=1)
        reached *= (tokens / reached[:, -1])[:, None]
        reached[:, -1] = tokens  # exactly, so that no token is lost
        reached += first[:, None]
        np.floor(reached, out=reached)
        reached[:, 1:] -= reached[:, :-1].copy()
        np.add.at(sampled, counts.indices, reached)
        n_before += n
    return sampled


def expected_word_counts(documents: Documents, topics: Topics, gamma: Floats) -> Doubles:
    """Return Σ_d ω_d n_dw φ_dwk, of shape (U, K)."""
    expected = np.zeros((len(documents.counts.words), gamma.shape[1]))
    for counts, tokens, phi in _responsibilities(documents, topics, gamma):
        np.add.at(expected, counts.indices, tokens[:, None] * phi)
    return expected


def _responsibilities(documents: Documents, topics: Topics, gamma: Floats) -> Iterator[tuple[Counts, Doubles, Doubles]]:
    """Yield a few documents at a time, the tokens of their counts, weights included, and φ of their counts."""
    for at in chunks(documents.counts.n_docs, DOCUMENTS_AT_ONCE):
        counts = documents.counts.documents(at.start, at.stop)
        tokens = counts.values.astype(np.float64)
        if documents.weight is not None:
            tokens *= np.repeat(documents.weight[at], np.diff(counts.indptr))
        yield counts, tokens, responsibilities(counts, topics, gamma[at]).astype(np.float64)
