"""The digamma offset δ of the warm-up: equation (26) and what of (17) holds for it."""

import itertools

import corpora
import numpy as np
import pytest
import reference
from scipy.special import logsumexp, psi

from ldavi._inference.e_step_log_space import update_document
from ldavi._inference.vb_batch import Documents, PassSettings, fit_batch

DELTA, N_SWEEPS, N_PASSES = 0.5, 3, 4


def twin(X, alpha, eta, lam):
    """γ, λ and the bound after each pass of a warm-up with δ: every document afresh, φ from ψ(· + δ)."""
    trace = []
    for _ in range(N_PASSES):
        log_beta = psi(lam + DELTA) - psi(lam.sum(axis=1, keepdims=True) + DELTA)
        gamma, phi = reference.cold_start(X, alpha), np.zeros((*X.shape, len(alpha)))
        for _ in range(N_SWEEPS):
            scores = psi(gamma + DELTA)[:, None, :] + log_beta.T
            phi = np.exp(scores - logsumexp(scores, axis=2, keepdims=True)) * (X > 0)[:, :, None]
            gamma = alpha + np.einsum("dv,dvk->dk", X, phi)
        lam = reference.mstep(reference.sufficient_statistics(X, phi), eta)
        trace.append(sum(reference.elbo_terms(X, phi, gamma, lam, alpha, eta)))
    return lam, trace


@pytest.mark.parametrize("n_topics", [5, 17])
def test_a_warm_up_with_an_offset_equals_the_twin_and_its_bound_is_exact(instruction_set, dtype, workers, n_topics):
    X = corpora.topical_counts(1)
    X = X[:, X.sum(axis=0) > 0]
    lam, alpha = corpora.random_lam(1, n_topics, X.shape[1]), corpora.random_alpha(1, n_topics)
    documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.25)
    plan = PassSettings(99, N_SWEEPS, 2, 0.0, offset=DELTA)
    passes = list(
        itertools.islice(fit_batch(documents, priors, corpora.word_major(lam, dtype), plan, workers), N_PASSES)
    )
    expected, trace = twin(X, alpha, 0.25, lam)
    rtol = 2e-4 if dtype == np.float32 else 1e-9  # four passes pass rounding on
    found = np.empty((X.shape[1], n_topics))
    found[passes[-1].words] = passes[-1].lam[:, :n_topics]
    np.testing.assert_allclose(found.T, expected, rtol=rtol)
    np.testing.assert_allclose([one.record.elbo for one in passes], trace, rtol=2e-6 if dtype == np.float32 else 1e-11)


def test_the_offset_ends_with_the_warm_up(workers):
    X, lam, alpha = corpora.topical_counts(2), corpora.random_lam(2, 4, 25), corpora.random_alpha(2, 4)
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, 0.1)
    plan = PassSettings(2, 5, 2, 1e-3, offset=DELTA)
    passes = list(itertools.islice(fit_batch(documents, priors, corpora.word_major(lam), plan, workers), 25))
    elbo = [one.record.elbo for one in passes if one.record.phase == "monotone"]
    assert len(elbo) == 23
    assert (np.diff(elbo) >= -1e-9 * np.abs(elbo[1:])).all()


def test_a_visit_in_log_space_takes_the_offset():
    counts, alpha, gamma = np.array([2.0, 1.0]), np.array([0.2, 0.3]), np.array([1.0, 2.5])
    log_beta = np.log([[0.2, 0.7], [0.8, 0.3]])
    found = update_document(counts, log_beta, alpha, gamma, max_inner_iter=1, tol=0.0, log_norm_min=0.0, offset=DELTA)
    scores = psi(gamma + DELTA) + log_beta
    phi = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
    np.testing.assert_allclose(found.gamma, alpha + counts @ phi, rtol=1e-12)
