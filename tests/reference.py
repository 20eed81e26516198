"""Reference implementation of variational LDA in float64, with which the compiled code is compared.

Plain loops over documents, dense arrays, one formula per function. Numbers in parentheses are equations of
docs/math.md. Nothing here imports ldavi.

Shapes: X (D, V) counts; alpha (K,); eta (), (V,) or (K, V); gamma (D, K); lam, sstats (K, V); phi (D, V, K), with zero
rows for words that do not occur in a document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp, psi

Array = npt.NDArray[np.float64]


# Dirichlet distributions


def expected_log(x: npt.ArrayLike) -> Array:
    """Return E[log p] under Dir(x), over the last axis. (8.5), (9.3)"""
    x = np.asarray(x, dtype=np.float64)
    return psi(x) - psi(x.sum(axis=-1, keepdims=True))


def log_normaliser(x: Array) -> Array:
    """Return the log of the multivariate beta function, over the last axis. (8.4)"""
    return gammaln(x).sum(axis=-1) - gammaln(x.sum(axis=-1))


def dirichlet_kl(a: Array, b: Array) -> Array:
    """Return KL(Dir(a) || Dir(b)), over the last axis. (8.17)"""
    return log_normaliser(b) - log_normaliser(a) + ((a - b) * expected_log(a)).sum(axis=-1)


# E-step


def cold_start(X: Array, alpha: Array) -> Array:
    """Return the gamma of a cold start, which prefers no topic. (15.1)"""
    return alpha + X.sum(axis=1, keepdims=True) / len(alpha)


def document_update(
    counts_d: Array,
    exp_elog_beta: Array,
    alpha: Array,
    gamma_d: Array,
    n_inner_iter: int | None = None,
    *,
    tol: float = 0.0,
    max_inner_iter: int = 1000,
) -> tuple[Array, Array, int]:
    """Alternate (9.7) and (8.16) without logarithms, which may underflow where `document_update_log` does not.

    Runs exactly `n_inner_iter` inner iterations if given, else at most `max_inner_iter` until (14.1) holds. Returns
    gamma (K,), the phi (V, K) of the last inner iteration and the number of inner iterations; gamma is optimal for that
    phi.
    """

    def responsibilities(w: int, elog_theta: Array) -> Array:
        unnormalised = np.exp(elog_theta) * exp_elog_beta[:, w]
        return unnormalised / unnormalised.sum()

    if n_inner_iter is not None:
        tol, max_inner_iter = -1.0, n_inner_iter
    return _alternate(counts_d, responsibilities, alpha, gamma_d, max_inner_iter, tol)


def document_update_log(
    counts_d: Array, elog_beta: Array, alpha: Array, gamma_d: Array, max_inner_iter: int, tol: float
) -> tuple[Array, Array, int]:
    """Do as `document_update` in log space; a negative tol runs `max_inner_iter`. (9.7), (8.16), (14.1), (16.1)"""

    def responsibilities(w: int, elog_theta: Array) -> Array:
        log_phi = elog_theta + elog_beta[:, w]
        return np.exp(log_phi - logsumexp(log_phi))

    return _alternate(counts_d, responsibilities, alpha, gamma_d, max_inner_iter, tol)


def _alternate(
    counts_d: Array,
    responsibilities: Callable[[int, Array], Array],
    alpha: Array,
    gamma_d: Array,
    max_inner_iter: int,
    tol: float,
) -> tuple[Array, Array, int]:
    phi = np.zeros((len(counts_d), len(alpha)))
    for n_inner_iter in range(1, max_inner_iter + 1):
        elog_theta = expected_log(gamma_d)
        for w in np.flatnonzero(counts_d):
            phi[w] = responsibilities(w, elog_theta)
        gamma_old, gamma_d = gamma_d, alpha + counts_d @ phi
        if np.abs(gamma_d - gamma_old).sum() <= tol * counts_d.sum():
            return gamma_d, phi, n_inner_iter
    return gamma_d, phi, max_inner_iter


def extrapolated_document_update(
    counts_d: Array, elog_beta: Array, alpha: Array, gamma_d: Array, max_inner_iter: int, tol: float
) -> tuple[Array, Array, int]:
    """Do as `document_update_log`, and extrapolate after inner iterations 3, 5, 7, … except the last. (14.2)

    All inner iterations run over all topics, whereas active-set pruning distributes them differently.
    """
    past = [gamma_d]
    for n_inner_iter in range(1, max_inner_iter + 1):
        gamma_old, (gamma_d, phi, _) = gamma_d, document_update_log(counts_d, elog_beta, alpha, gamma_d, 1, -1.0)
        if np.abs(gamma_d - gamma_old).sum() <= tol * counts_d.sum():
            return gamma_d, phi, n_inner_iter
        past = [*past, gamma_d]
        if n_inner_iter % 2 == 1 and 1 < n_inner_iter < max_inner_iter:
            gamma_d = extrapolated_gamma(*past[-3:], alpha)
            past = [gamma_d]
    return gamma_d, phi, max_inner_iter


def extrapolated_gamma(first: Array, second: Array, third: Array, alpha: Array) -> Array:
    """Return the limit of gammas whose changes decrease by a constant factor: Aitken extrapolation. (14.2)"""
    before, after = second - first, third - second
    rho = before @ after / (before @ before)
    if not rho > 0:
        return third
    rho = min(rho, 0.95)
    return np.maximum(third + rho / (1 - rho) * after, alpha + (third - alpha) / 2)


def sufficient_statistics(X: Array, phi: Sequence[Array] | Array, sample_weight: Array | None = None) -> Array:
    """Return the sum of weight times n_dw times phi_dwk over documents, (K, V). (9.9), (11.2)"""
    return np.einsum("d,dv,dvk->kv", _weights(X, sample_weight), X, np.asarray(phi))


def estep(
    X: Array,
    elog_beta: Array,
    alpha: Array,
    gamma: Array,
    max_inner_iter: int,
    tol: float,
    sample_weight: Array | None = None,
    *,
    extrapolate: bool = False,
) -> tuple[Array, Array, list[Array], npt.NDArray[np.int64]]:
    """Run the E-step of every document from `gamma`.

    Returns gamma (D, K), sstats (K, V), phi of each document and the number of inner iterations (D,).
    """
    update = extrapolated_document_update if extrapolate else document_update_log
    documents = [
        update(counts_d, elog_beta, alpha, gamma_d, max_inner_iter, tol)
        for counts_d, gamma_d in zip(X, gamma, strict=True)
    ]
    phi = [phi_d for _, phi_d, _ in documents]
    n_inner_iter = np.array([n for _, _, n in documents], dtype=np.int64)
    return np.array([g for g, _, _ in documents]), sufficient_statistics(X, phi, sample_weight), phi, n_inner_iter


# M-step


def mstep(sstats: Array, eta: npt.ArrayLike) -> Array:
    """Return the topics that maximise the bound given the statistics. (9.9)"""
    return np.asarray(eta) + sstats


def point_estimate_step(sstats: Array, beta: Array) -> Array:
    """Return maximum-likelihood topics; a topic without tokens keeps its `beta`. (10.6)"""
    total = sstats.sum(axis=1, keepdims=True)
    return np.where(total > 0, sstats / np.where(total > 0, total, 1.0), beta)


def online_update(lam: Array, eta: npt.ArrayLike, sstats: Array, rho: float, scale: float) -> Array:
    """Take a natural-gradient step of length rho; scale is n_docs / batch size. (10.1)"""
    return (1 - rho) * lam + rho * (np.asarray(eta) + scale * sstats)


# Bound


def word_term(
    X: Array, phi: Sequence[Array] | Array, gamma: Array, elog_beta: Array, sample_weight: Array | None = None
) -> float:
    """Return E[log p(w | z, beta)] + E[log p(z | theta)] + H[q(z)]; for point estimates pass log beta. (9.4), (10.6)"""
    total = 0.0
    for weight, counts_d, phi_d, elog_theta in zip(
        _weights(X, sample_weight), X, phi, expected_log(gamma), strict=True
    ):
        for w, k in np.argwhere(phi_d > 0):
            p = phi_d[w, k]
            total += weight * counts_d[w] * p * (elog_theta[k] + elog_beta[k, w] - np.log(p))
    return float(total)


def doc_topic_term(X: Array, gamma: Array, alpha: Array, sample_weight: Array | None = None) -> float:
    """Return minus the weighted divergence of q(theta) from its prior. (9.5)"""
    return -float(_weights(X, sample_weight) @ dirichlet_kl(gamma, alpha))


def topic_word_term(lam: Array, eta: npt.ArrayLike) -> float:
    """Return minus the divergence of q(beta) from its prior. (9.6)"""
    return -float(dirichlet_kl(lam, np.broadcast_to(np.asarray(eta, dtype=np.float64), lam.shape)).sum())


def elbo_terms(
    X: Array,
    phi: Sequence[Array] | Array,
    gamma: Array,
    lam: Array,
    alpha: Array,
    eta: npt.ArrayLike,
    sample_weight: Array | None = None,
) -> tuple[float, float, float]:
    """Return the three terms of the bound at a given phi: word, doc_topic, topic_word. (9.4), (9.5), (9.6)"""
    return (
        word_term(X, phi, gamma, expected_log(lam), sample_weight),
        doc_topic_term(X, gamma, alpha, sample_weight),
        topic_word_term(lam, eta),
    )


def elbo_collapsed(
    X: Array, gamma: Array, lam: Array, alpha: Array, eta: npt.ArrayLike, sample_weight: Array | None = None
) -> float:
    """Return the bound at the phi that is optimal for gamma and lam. (9.11), (9.5), (9.6)"""
    log_z = logsumexp(expected_log(gamma)[:, None, :] + expected_log(lam).T[None, :, :], axis=2)
    word = _weights(X, sample_weight) @ (X * log_z).sum(axis=1)
    return float(word) + doc_topic_term(X, gamma, alpha, sample_weight) + topic_word_term(lam, eta)


def _weights(X: Array, sample_weight: Array | None) -> Array:
    return np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)


# Fits


def fit_batch(
    X: Array, alpha: Array, eta: npt.ArrayLike, lam0: Array, n_iter: int, n_inner_iter: int
) -> tuple[Array, Array, list[float]]:
    """Run batch VB with warm starts: return gamma, lam, and the bound after every E-step and every M-step."""
    gamma, lam, trace = cold_start(X, alpha), lam0, []
    for _ in range(n_iter):
        gamma, sstats, phi, _ = estep(X, expected_log(lam), alpha, gamma, n_inner_iter, -1.0)
        trace.append(sum(elbo_terms(X, phi, gamma, lam, alpha, eta)))
        lam = mstep(sstats, eta)
        trace.append(sum(elbo_terms(X, phi, gamma, lam, alpha, eta)))
    return gamma, lam, trace


def fit_memoized(
    X: Array,
    batches: Sequence[npt.NDArray[np.int64]],
    alpha: Array,
    eta: npt.ArrayLike,
    lam0: Array,
    n_passes: int,
    n_inner_iter: int,
) -> tuple[Array, Array, list[float]]:
    """Run memoized VB, (10.4): return gamma, lam, and bounds (10.5) from the end of the first pass on."""
    gamma, lam, trace = cold_start(X, alpha), lam0, []
    phi = np.zeros((*X.shape, len(alpha)))
    sstats = [np.zeros_like(lam0) for _ in batches]
    for step in range(n_passes * len(batches)):
        b = step % len(batches)
        rows = batches[b]
        gamma[rows], sstats[b], phi[rows], _ = estep(X[rows], expected_log(lam), alpha, gamma[rows], n_inner_iter, -1.0)
        if step < len(batches) - 1:
            continue  # the first pass uses the initial topics
        lam = mstep(np.sum(sstats, axis=0), eta)
        trace.append(sum(elbo_terms(X, phi, gamma, lam, alpha, eta)))
    return gamma, lam, trace


# Exact values for tiny problems, by enumeration


def log_evidence(X: Array, alpha: Array, eta: npt.ArrayLike) -> float:
    """Return the log of p(w | alpha, eta), tokens in order: a sum over all K ** n_tokens assignments. (7.2)"""
    n_docs, n_words = X.shape
    eta = np.broadcast_to(np.asarray(eta, dtype=np.float64), (len(alpha), n_words))
    docs, words = np.nonzero(X)
    repeats = X[docs, words].astype(int)
    docs, words = np.repeat(docs, repeats), np.repeat(words, repeats)
    terms = []
    for z in product(range(len(alpha)), repeat=len(words)):
        n_dk, n_kw = np.zeros((n_docs, len(alpha))), np.zeros(eta.shape)
        np.add.at(n_dk, (docs, z), 1.0)
        np.add.at(n_kw, (z, words), 1.0)
        by_docs = log_normaliser(alpha + n_dk) - log_normaliser(alpha)
        by_topics = log_normaliser(eta + n_kw) - log_normaliser(eta)
        terms.append(by_docs.sum() + by_topics.sum())
    return float(logsumexp(terms))


def log_evidence_fixed_topics(x_d: Array, topics: Array, alpha: Array) -> float:
    """Return the log of p(w_d | beta, alpha), tokens in order; topics (K, V), all entries positive. (7.2)"""
    words = np.repeat(np.arange(len(x_d)), x_d.astype(int))
    terms = []
    for z in product(range(len(alpha)), repeat=len(words)):
        n_k = np.bincount(np.array(z, dtype=int), minlength=len(alpha))
        terms.append(log_normaliser(alpha + n_k) - log_normaliser(alpha) + np.log(topics[list(z), words]).sum())
    return float(logsumexp(terms))


# Anchor words


def cooccurrence_profiles(X: Array, words: Sequence[int], weight: Array | None = None) -> Array:
    """Return the distribution of the other tokens in documents of a token of each word; rows sum to 1. (15.2)"""
    profiles = np.zeros((len(words), X.shape[1]))
    for d, x_d in enumerate(X):
        omega = 1.0 if weight is None else weight[d]
        for n, v in enumerate(words):
            token = np.minimum(1, x_d[v]) * (np.arange(X.shape[1]) == v)
            if x_d[v] and x_d.sum() > token.sum():
                profiles[n] += omega * x_d[v] * (x_d - token) / (x_d - token).sum()
    return profiles / profiles.sum(axis=1, keepdims=True)


def extreme_points(points: Array, mass: Array, max_points: int) -> list[int]:
    """Select points that are far from the affine hull of those selected before. (15.3)

    Squared distances are multiplied by the square root of the mass; the first point is far from the mean.
    """
    centre = mass @ points / mass.sum()
    selected = [int(np.argmax(np.sqrt(mass) * ((points - centre) ** 2).sum(axis=1)))]
    while len(selected) < max_points:
        from_first = points - points[selected[0]]
        basis = np.linalg.qr(from_first[selected[1:]].T)[0]
        residual = from_first - from_first @ basis @ basis.T
        selected.append(int(np.argmax(np.sqrt(mass) * (residual**2).sum(axis=1))))
    return selected


def anchor_word_lambda(X: Array, anchors: Sequence[int], n_topics: int, eta: float) -> Array:
    """Return lam of topics that start from the co-occurrence profiles of anchor words, (K, V). (15.4)"""
    background = X.sum(axis=0) / X.sum()
    return eta + X.sum() / n_topics * (0.9 * cooccurrence_profiles(X, anchors) + 0.1 * background)


def dirichlet_multinomial_log_evidence(counts, prior, n_categories):
    """Return log p of grouped counts under Dirichlet-multinomials, up to a constant. Equation (19.1)."""
    each = prior[counts.group]
    total = prior.sum() * (n_categories / len(prior))
    rise = counts.times @ (gammaln(counts.value + each) - gammaln(each))
    return float(rise - counts.total_times @ (gammaln(counts.total + total) - gammaln(total)))


def eta_objective(eta, S, n_words):
    """Return the maximum over λ of the part of the ELBO that depends on λ and a symmetric η. Equation (19.9)."""
    S = np.asarray(S, np.float64)
    sums, rise = S.sum(axis=0), gammaln(S + eta).sum() - S.size * gammaln(eta)
    return float(rise - (gammaln(sums + n_words * eta) - gammaln(n_words * eta)).sum())
