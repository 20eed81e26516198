"""The digamma offset δ of the warm-up: equation (15.1), and (12.2) with it."""

import corpora
import numpy as np
import pytest
import reference
from scipy.special import logsumexp, psi

from ldavi._core.documents import Documents
from ldavi._inference.e_step_log_space import update_document
from ldavi._inference.passes import PassSettings
from ldavi._inference.vb_batch import BatchVB

DELTA, N_INNER_ITER, N_PASSES = 0.5, 3, 4


def reference_warmup(X, alpha, eta, lam):
    """Return λ, and the bound after each pass of a warm-up: documents start cold, φ follows from ψ(· + δ)."""
    trace = []
    for _ in range(N_PASSES):
        log_beta = psi(lam + DELTA) - psi(lam.sum(axis=1, keepdims=True) + DELTA)
        gamma, phi = reference.cold_start(X, alpha), np.zeros((*X.shape, len(alpha)))
        for _ in range(N_INNER_ITER):
            scores = psi(gamma + DELTA)[:, None, :] + log_beta.T
            phi = np.exp(scores - logsumexp(scores, axis=2, keepdims=True)) * (X > 0)[:, :, None]
            gamma = alpha + np.einsum("dv,dvk->dk", X, phi)
        lam = reference.mstep(reference.sufficient_statistics(X, phi), eta)
        trace.append(sum(reference.elbo_terms(X, phi, gamma, lam, alpha, eta)))
    return lam, trace


@pytest.mark.parametrize("n_topics", [5, 17])
def test_a_warmup_with_an_offset_equals_the_reference_and_its_bound_is_exact(instruction_set, dtype, workers, n_topics):
    X = corpora.topical_counts(1)
    X = X[:, X.sum(axis=0) > 0]
    lam, alpha = corpora.random_lam(1, n_topics, X.shape[1]), corpora.random_alpha(1, n_topics)
    documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.25)
    phase = BatchVB(PassSettings(99, N_INNER_ITER, 2, 0.0, digamma_offset=DELTA), N_PASSES)
    passes = corpora.passes_of(phase, documents, priors, corpora.word_major(lam, dtype), workers)
    expected, trace = reference_warmup(X, alpha, 0.25, lam)
    rtol = 2e-4 if dtype == np.float32 else 1e-9  # rounding errors accumulate over four passes
    np.testing.assert_allclose(corpora.lambda_of(passes[-1].result, X.shape[1]), expected, rtol=rtol)
    elbo = [record.elbo for _, record in passes]
    np.testing.assert_allclose(elbo, trace, rtol=2e-6 if dtype == np.float32 else 1e-11)


def test_the_offset_ends_with_the_warmup(workers):
    X, lam, alpha = corpora.topical_counts(2), corpora.random_lam(2, 4, 25), corpora.random_alpha(2, 4)
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, 0.1)
    phase = BatchVB(PassSettings(2, 5, 2, 1e-3, digamma_offset=DELTA), 25)
    passes = corpora.passes_of(phase, documents, priors, corpora.word_major(lam), workers)
    elbo = [record.elbo for _, record in passes if record.phase == "monotone"]
    assert len(elbo) == 23
    assert (np.diff(elbo) >= -1e-9 * np.abs(elbo[1:])).all()


def test_an_update_in_log_space_uses_the_offset():
    counts, alpha, gamma = np.array([2.0, 1.0]), np.array([0.2, 0.3]), np.array([1.0, 2.5])
    log_beta = np.log([[0.2, 0.7], [0.8, 0.3]])
    options = {"max_inner_iter": 1, "tol": 0.0, "log_norm_min": 0.0, "digamma_offset": DELTA}
    found = update_document(counts, log_beta, alpha, gamma, **options)
    scores = psi(gamma + DELTA) + log_beta
    phi = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
    np.testing.assert_allclose(found.gamma, alpha + counts @ phi, rtol=1e-12)
