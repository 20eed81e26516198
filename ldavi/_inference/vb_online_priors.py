"""Priors of online fits, learned every few steps from the documents at hand. Equations (35) to (37), (42)."""

import numpy as np
from scipy.special import psi

from ldavi._core.corpus import Documents
from ldavi._core.records import Priors, Topics
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import dirichlet_priors
from ldavi._inference.e_step import EStepSettings, update_documents
from ldavi._inference.fixed_topics import responsibilities
from ldavi._inference.passes import PassSettings

LEARN_EVERY = 16  # steps
MOST_DOCUMENTS = 256  # of a batch, to learn from
LEAST_RATE = 0.1  # the share of these documents in the mean that α is learned from
DOCUMENTS_AT_ONCE = 32
GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927


def learned_priors(
    documents: Documents,
    topics: Topics,
    priors: Priors,
    mean_log_theta: Doubles | None,
    settings: PassSettings,
    workers: Workers,
    *,
    occasion: int,
) -> tuple[Priors, Doubles]:
    """Better priors from some documents under the topics of now, which each is let settle in, without δ.

    What steps leave in λ will not do: a few sweeps with δ share tokens among too many topics, and both priors come out far
    too large, which makes the next steps share them more evenly still.

    Parameters
    ----------
    documents : Documents
        Over local words, those of the rows of `topics`.
    mean_log_theta : array of shape (K,), or None
        The mean of E[log θ_d] so far; at first that under which α is what it is.
    occasion : int
        How many times there have been, this one included.

    Returns
    -------
    priors : Priors
    mean_log_theta : array of shape (K,)
    """
    alpha, eta, n_words = priors.alpha, priors.eta, documents.n_words
    part = next(documents.parts(MOST_DOCUMENTS))
    gamma = np.empty((part.counts.n_docs, len(alpha)), topics.B.dtype)
    e_step_settings = EStepSettings(settings.max_inner_iter, settings.tol, with_bound=False)
    update_documents(part.counts, topics, alpha, gamma, e_step_settings, workers)
    old = psi(alpha) - psi(alpha.sum()) if mean_log_theta is None else mean_log_theta
    weight = None if part.weight is None else part.weight.astype(np.float64)
    rate = max(1 / occasion, LEAST_RATE)
    mean: Doubles = (1 - rate) * old + rate * dirichlet_priors.expected_log_sums(gamma, weight) / part.total_weight
    if settings.learn_alpha:
        alpha = dirichlet_priors.newton_alpha(alpha, mean, 1.0)
    if (
        settings.learn_eta and occasion & (occasion - 1) == 0
    ):  # ever more seldom, since another η reads and writes all of λ
        word, topic = drawn_topics(part, topics, gamma, occasion)
        if len(word):
            of_topics = dirichlet_priors.group_counts(topic, word, n_words, np.ones(len(alpha)), symmetric=True)
            eta = dirichlet_priors.fixed_point(of_topics, eta[0], n_words)[None, :]
    return Priors(alpha, eta), mean


def drawn_topics(documents: Documents, topics: Topics, gamma: Floats, occasion: int) -> tuple[Int64s, Int64s]:
    """The word of each token, and a topic drawn for it from φ. Equation (42).

    Drawn at points that lie evenly in [0, 1) and differ by occasion: no random state is read, or has to be kept.
    """
    words, drawn, n_before = [], [], 0
    for first in range(0, documents.counts.n_docs, DOCUMENTS_AT_ONCE):
        counts = documents.counts.documents(first, min(first + DOCUMENTS_AT_ONCE, documents.counts.n_docs))
        below = responsibilities(counts, topics, gamma[first : first + DOCUMENTS_AT_ONCE]).cumsum(
            axis=1, dtype=np.float64
        )
        count = np.repeat(np.arange(len(counts.indices)), np.rint(counts.values).astype(np.int64))  # of each token
        point = ((n_before + np.arange(len(count))) * GOLDEN + occasion * PLASTIC) % 1 * below[count, -1]
        drawn.append(np.minimum((below[count] <= point[:, None]).sum(axis=1), gamma.shape[1] - 1))
        words.append(counts.words[counts.indices[count]])
        n_before += len(count)
    return np.concatenate(words), np.concatenate(drawn)
