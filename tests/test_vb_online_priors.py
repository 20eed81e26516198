"""Priors of online fits, learned from documents whose γ has converged, and from sampled topics of tokens."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse
from scipy.special import psi

from ldavi import LatentDirichletAllocation
from ldavi._core.documents import Documents
from ldavi._core.records import Priors, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._estimator.validation import to_counts
from ldavi._inference import vb_online_priors
from ldavi._inference.e_step import EStepSettings
from ldavi._inference.fixed_topics import infer_documents, responsibilities
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassSettings

K, V, ALPHA, ETA = 8, 400, 0.15, 0.08
SETTINGS = PassSettings(0, 5, 0, 1e-3, learn_alpha=True, learn_eta=True)


def corpus_with_topics(n_docs, length=80, seed=0):
    """Return documents of topics drawn from Dirichlet(ETA), and those topics."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(V, ETA), K)
    theta = rng.dirichlet(np.full(K, ALPHA), n_docs)
    return np.array([rng.multinomial(length, row / row.sum()) for row in theta @ beta]), beta


def inputs(X, beta, mass=5000.0, n_words=V):
    """Return documents of `n_words` columns, and almost exactly known topics."""
    rows = aligned_zeros((V, padded(K)), np.float64)
    rows[:, :K] = beta.T * mass + 1e-3
    with Workers(1) as workers:
        topics = topics_from(rows, rows[:, :K].sum(axis=0), workers, point_estimate=False)
    counts = dataclasses.replace(to_counts(sparse.csr_array(X.astype(np.float64))), n_words=n_words, known_tokens=None)
    return Documents(counts, None), topics


def learned(alpha, eta, occasions):
    X, beta = corpus_with_topics(100 * occasions)
    priors, mean = Priors(np.full(K, alpha), np.full((1, 1), eta)), None
    with Workers(1) as workers:
        for occasion in range(1, occasions + 1):
            documents, topics = inputs(X[100 * (occasion - 1) : 100 * occasion], beta)
            priors, mean = vb_online_priors.updated_online_priors(
                documents,
                topics,
                priors,
                mean,
                SETTINGS,
                workers,
                occasion=occasion,
                with_eta=True,
                total_weight=1000.0,
            )
    return priors


@pytest.mark.parametrize("alpha", [0.02, 1.0])
def test_alpha_approaches_that_of_the_documents(alpha):
    found = learned(alpha, ETA, 8).alpha.mean()
    assert abs(np.log(found / ALPHA)) < 0.6 * abs(np.log(alpha / ALPHA))


@pytest.mark.parametrize("eta", [0.005, 0.5])
def test_eta_is_close_to_that_of_the_topics(eta):
    assert 0.7 * ETA < learned(ALPHA, eta, 4).eta[0, 0] < 1.4 * ETA


def test_sampled_topics_have_the_mean_of_the_responsibilities():
    X, beta = corpus_with_topics(3, length=30)
    documents, topics = inputs(X, beta)
    with Workers(1) as workers:
        settings = EStepSettings(50, 1e-4, extrapolate=False)
        gamma = infer_documents(documents.counts, topics, np.full(K, 1.0), settings, workers).gamma
    phi = responsibilities(documents.counts, topics, gamma)
    expected, n = np.zeros((V, K)), 2000
    np.add.at(expected, documents.counts.indices, phi * documents.counts.values[:, None])
    found = np.zeros((V, K))
    for occasion in range(n):
        found += vb_online_priors.sampled_word_counts(documents, topics, gamma, occasion) / n
    np.testing.assert_allclose(found, expected, atol=0.06)


@pytest.mark.parametrize(("occasion", "rate"), [(1, 1.0), (4, 0.25), (50, 0.1)])
def test_the_running_mean_adds_the_documents_of_each_update_by_its_rate(occasion, rate):
    X, beta = corpus_with_topics(40)
    documents, topics = inputs(X, beta)
    alpha, old = np.full(K, ALPHA), np.linspace(-9, -2, K)
    with Workers(1) as workers:
        gamma = infer_documents(documents.counts, topics, alpha, EStepSettings(100, 1e-3), workers).gamma
        given = Priors(alpha, np.full((1, 1), ETA))
        _, mean = vb_online_priors.updated_online_priors(
            documents, topics, given, old, SETTINGS, workers, occasion=occasion, with_eta=True, total_weight=40.0
        )
    present = (psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))).mean(axis=0)
    np.testing.assert_allclose(mean, (1 - rate) * old + rate * present, rtol=1e-6)


def test_eta_is_learned_over_the_whole_vocabulary():
    X, beta = corpus_with_topics(100)
    given, eta = Priors(np.full(K, ALPHA), np.full((1, 1), ETA)), []
    for n_words in (V, 20 * V):
        documents, topics = inputs(X, beta, n_words=n_words)
        with Workers(1) as workers:
            found, _ = vb_online_priors.updated_online_priors(
                documents, topics, given, None, SETTINGS, workers, occasion=1, with_eta=True, total_weight=100.0
            )
        eta.append(found.eta[0, 0])
    assert eta[1] < eta[0] / 4  # nineteen times as many words without tokens


@pytest.mark.parametrize("factor", [1, 10, 10**9, 10**12])
def test_a_topic_is_sampled_for_every_token(factor):
    X, beta = corpus_with_topics(70)
    documents, topics = inputs(X * factor, beta)
    sampled = vb_online_priors.sampled_word_counts(documents, topics, np.ones((70, K)), 1)
    np.testing.assert_array_equal(sampled.sum(axis=1), X.sum(axis=0) * factor)
    np.testing.assert_array_equal(sampled % 1, 0)
    assert sampled.min() >= 0


@pytest.mark.parametrize("partial", [False, True], ids=["fit", "partial_fit"])
def test_online_fits_do_not_drift_to_large_priors(partial):
    X, _ = corpus_with_topics(900)
    model = LatentDirichletAllocation(K, learning_method="online", batch_size=16, max_iter=4, tol=None, random_state=0)
    if partial:
        for _ in range(4):
            model.partial_fit(X)
    else:
        model.fit(X)
    assert model.doc_topic_prior_.sum() < 2 * K * ALPHA
    assert model.topic_word_prior_ < 3 * ETA


def test_learned_priors_do_not_depend_on_the_order_of_the_words():
    X, _ = corpus_with_topics(300)
    order = np.random.default_rng(1).permutation(V)
    one, other = (
        LatentDirichletAllocation(
            K, learning_method="online", batch_size=8, max_iter=1, tol=None, random_state=0, init=start
        ).fit(x)
        for x, start in ((X, np.ones((K, V)) + np.eye(K, V)), (X[:, order], (np.ones((K, V)) + np.eye(K, V))[:, order]))
    )
    np.testing.assert_allclose(one.doc_topic_prior_, other.doc_topic_prior_, rtol=0.1)
