"""Updates of the priors of online fits, every few steps, from the documents of a step. Equations (35) to (37), (42)."""

import numpy as np
from scipy.special import psi

from ldavi._core.chunks import chunks
from ldavi._core.documents import Documents
from ldavi._core.records import Priors, Topics
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import dirichlet_priors
from ldavi._inference.e_step import EStepSettings, update_documents
from ldavi._inference.fixed_topics import responsibilities
from ldavi._inference.passes import PassSettings

LEARN_EVERY = 16  # steps
MAX_DOCUMENTS = 256  # of a minibatch that priors are learned from
MIN_RATE = 0.1  # minimum weight of these documents in the running mean of E[log θ], from which α is learned
DOCUMENTS_AT_ONCE = 32
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

    Returns
    -------
    priors : Priors
    mean_log_theta : array of shape (K,)
    """
    alpha, eta, n_words = priors.alpha, priors.eta, documents.n_words
    part = next(documents.parts(MAX_DOCUMENTS))
    gamma = np.empty((part.counts.n_docs, len(alpha)), topics.B.dtype)
    e_step_settings = EStepSettings(settings.max_inner_iter, settings.tol, with_bound=False)
    update_documents(part.counts, topics, alpha, gamma, e_step_settings, workers)
    old = psi(alpha) - psi(alpha.sum()) if mean_log_theta is None else mean_log_theta
    weight = None if part.weight is None else part.weight.astype(np.float64)
    rate = max(1 / occasion, MIN_RATE)
    mean: Doubles = (1 - rate) * old + rate * dirichlet_priors.expected_log_sums(gamma, weight) / part.total_weight
    if settings.learn_alpha:
        alpha = dirichlet_priors.newton_alpha(alpha, mean, 1.0)
    is_power_of_two = occasion & (occasion - 1) == 0
    if settings.learn_eta and is_power_of_two:  # less and less often, since a new η reads and writes all of λ
        word, topic = sampled_topics(part, topics, gamma, occasion)
        if len(word):
            counts = dirichlet_priors.group_counts(topic, word, n_words, np.ones(len(alpha)), symmetric=True)
            eta = dirichlet_priors.fixed_point(counts, eta[0], n_words)[None, :]
    return Priors(alpha, eta), mean


def sampled_topics(documents: Documents, topics: Topics, gamma: Floats, occasion: int) -> tuple[Int64s, Int64s]:
    """Return the word of each token, and a topic sampled for it from φ. Equation (42).

    The sampling points are evenly distributed in [0, 1) and differ between updates. There is no random state that a
    checkpoint would have to store.
    """
    words, sampled, n_before = [], [], 0
    for at in chunks(documents.counts.n_docs, DOCUMENTS_AT_ONCE):
        counts = documents.counts.documents(at.start, at.stop)
        cumulative = responsibilities(counts, topics, gamma[at]).cumsum(axis=1, dtype=np.float64)
        count = np.repeat(np.arange(len(counts.indices)), np.rint(counts.values).astype(np.int64))  # of each token
        point = ((n_before + np.arange(len(count))) * GOLDEN + occasion * PLASTIC) % 1 * cumulative[count, -1]
        sampled.append(np.minimum((cumulative[count] <= point[:, None]).sum(axis=1), gamma.shape[1] - 1))
        words.append(counts.words[counts.indices[count]])
        n_before += len(count)
    return np.concatenate(words), np.concatenate(sampled)
