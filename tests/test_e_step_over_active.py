"""E-steps that converge over the active topics of each document: equation (17.1)."""

import corpora
import numpy as np
import pytest
import reference

from ldavi import LatentDirichletAllocation
from ldavi._core.threads import Workers
from ldavi._inference.e_step import EStepSettings, update_documents
from ldavi._inference.fixed_topics import infer_documents

TOL = 1e-3


def documents_and_topics(n_topics):
    """Return sparse documents, λ of topics with few words each, and α."""
    rng = np.random.default_rng(n_topics)
    lam = rng.gamma(0.05, 20.0, (n_topics, 60)) + 0.05
    return rng.poisson(0.7, (40, 60)).astype(float), lam, np.full(n_topics, 0.05)


def infer(X, lam, alpha, dtype, workers, settings):
    """Return the posterior of all documents from a cold start."""
    counts, words = corpora.to_counts(X, dtype).compact()
    return infer_documents(counts, corpora.make_topics(lam, words, dtype, workers), alpha, settings, workers)


@pytest.mark.parametrize("n_topics", [7, 24, 130])
def test_the_result_is_a_fixed_point_of_the_updates_of_all_topics(instruction_set, dtype, workers, n_topics):
    X, lam, alpha = documents_and_topics(n_topics)
    settings = EStepSettings(2000, 1e-5, over_active=True)
    gamma = infer(X, lam, alpha, dtype, workers, settings).gamma.astype(np.float64)
    updated = reference.estep(X, reference.expected_log(lam), alpha, gamma, max_inner_iter=1, tol=0.0)[0]
    assert (np.abs(updated - gamma).sum(axis=1) <= 1e-4 * X.sum(axis=1)).all()


def test_proportions_are_within_a_thousandth_of_the_converged_ones(dtype, workers):
    X, lam, alpha = documents_and_topics(50)
    gamma = infer(X, lam, alpha, dtype, workers, EStepSettings(100, TOL, over_active=True)).gamma.astype(np.float64)
    limit = reference.estep(X, reference.expected_log(lam), alpha, gamma, max_inner_iter=5000, tol=1e-10)[0]
    distance = np.abs(gamma / gamma.sum(axis=1, keepdims=True) - limit / limit.sum(axis=1, keepdims=True)).max(axis=1)
    assert distance.mean() < 1e-3


def test_the_bound_is_not_below_that_of_an_e_step_that_prunes_later(dtype, workers):
    X, lam, alpha = documents_and_topics(50)
    before = infer(X, lam, alpha, dtype, workers, EStepSettings(100, TOL)).bound
    after = infer(X, lam, alpha, dtype, workers, EStepSettings(100, TOL, over_active=True)).bound
    assert after.sum() >= before.sum() - 1e-6 * abs(before.sum())


@pytest.mark.parametrize("max_inner_iter", [1, 2, 3, 5, 8])
def test_inner_iterations_are_not_more_than_allowed(dtype, workers, max_inner_iter):
    X, lam, alpha = documents_and_topics(50)
    settings = EStepSettings(max_inner_iter, 0.0, over_active=True)
    assert infer(X, lam, alpha, dtype, workers, settings).n_inner_iter.max() == max_inner_iter


@pytest.mark.parametrize("n_topics", [24, 130])
def test_a_document_has_the_same_bits_alone(instruction_set, dtype, workers, n_topics):
    X, lam, alpha = documents_and_topics(n_topics)
    settings = EStepSettings(100, TOL, over_active=True)
    counts, words = corpora.to_counts(X, dtype).compact()
    topics = corpora.make_topics(lam, words, dtype, workers)
    together, alone = np.empty((2, len(X), n_topics), dtype)
    update_documents(counts, topics, alpha, together, settings, workers)
    for d in range(len(X)):
        update_documents(counts.documents(d, d + 1), topics, alpha, alone[d : d + 1], settings, workers)
    np.testing.assert_array_equal(together, alone)


def test_the_bits_do_not_depend_on_the_number_of_threads(dtype):
    X, lam, alpha = documents_and_topics(50)
    settings, gammas = EStepSettings(100, TOL, over_active=True), []
    for n_threads in (1, 3):
        with Workers(n_threads) as workers:
            gammas.append(infer(X, lam, alpha, dtype, workers, settings).gamma)
    np.testing.assert_array_equal(*gammas)


def test_transform_uses_it(workers):
    X, lam, alpha = documents_and_topics(24)
    model = LatentDirichletAllocation(24, max_iter=1, tol=None, doc_topic_prior=0.05, random_state=0).fit(X)
    model.components_ = lam
    settings = EStepSettings(model.max_doc_update_iter, model.mean_change_tol, over_active=True)
    expected = infer(X, np.asarray(model.components_, float), alpha, model.components_.dtype, workers, settings).gamma
    np.testing.assert_allclose(model.transform(X, normalize=False), expected, rtol=1e-3)
