"""Priors of online fits: learned from documents that have settled, and from whole tokens."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import psi

from ldavi import LatentDirichletAllocation
from ldavi._core.corpus import Documents
from ldavi._core.records import Priors, aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._estimator.validation import to_counts
from ldavi._inference import vb_online_priors
from ldavi._inference.fixed_topics import infer_documents, responsibilities
from ldavi._inference.m_step import topics_from
from ldavi._inference.vb_batch import PassSettings

K, V, ALPHA, ETA = 8, 400, 0.15, 0.08
PLAN = PassSettings(0, 5, 0, 1e-3, learn_alpha=True, learn_eta=True)


def known(n_docs, length=80, seed=0):
    """Documents of topics drawn from Dirichlet(ETA), and those topics."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(V, ETA), K)
    theta = rng.dirichlet(np.full(K, ALPHA), n_docs)
    return np.array([rng.multinomial(length, row / row.sum()) for row in theta @ beta]), beta


def settled(X, beta, mass=5000.0):
    """Documents, topics that are known almost exactly."""
    rows = aligned_zeros((V, padded(K)), np.float64)
    rows[:, :K] = beta.T * mass + 1e-3
    with Workers(1) as workers:
        topics = topics_from(rows, rows[:, :K].sum(axis=0), workers, point_estimate=False)
    return Documents(to_counts(sparse.csr_array(X.astype(np.float64))), None), topics


def learned(alpha, eta, occasions):
    X, beta = known(100 * occasions)
    priors, mean = Priors(np.full(K, alpha), np.full((1, 1), eta)), None
    with Workers(1) as workers:
        for occasion in range(1, occasions + 1):
            documents, topics = settled(X[100 * (occasion - 1) : 100 * occasion], beta)
            priors, mean = vb_online_priors.learned_priors(
                documents, topics, priors, mean, PLAN, workers, occasion=occasion, n_words=V
            )
    return priors


@pytest.mark.parametrize("alpha", [0.02, 1.0])
def test_alpha_comes_nearer_to_what_documents_were_drawn_with(alpha):
    found = learned(alpha, ETA, 8).alpha.mean()
    assert abs(np.log(found / ALPHA)) < 0.6 * abs(np.log(alpha / ALPHA))


@pytest.mark.parametrize("eta", [0.005, 0.5])
def test_eta_is_near_what_topics_were_drawn_with(eta):
    assert 0.7 * ETA < learned(ALPHA, eta, 4).eta[0, 0] < 1.4 * ETA


def test_drawn_topics_are_those_of_the_responsibilities_on_average():
    X, beta = known(3, length=30)
    documents, topics = settled(X, beta)
    with Workers(1) as workers:
        gamma = infer_documents(
            documents.counts, topics, np.full(K, 1.0), max_inner_iter=50, tol=1e-4, workers=workers
        ).gamma
    phi = responsibilities(documents.counts, topics, gamma)
    expected, n = np.zeros((V, K)), 2000
    np.add.at(expected, documents.counts.indices, phi * documents.counts.values[:, None])
    found = np.zeros((V, K))
    for occasion in range(n):
        np.add.at(found, vb_online_priors.drawn_topics(documents, topics, gamma, occasion), 1 / n)
    np.testing.assert_allclose(found, expected, atol=0.06)


@pytest.mark.parametrize(("occasion", "rate"), [(1, 1.0), (4, 0.25), (50, 0.1)])
def test_the_mean_takes_in_the_documents_of_each_occasion_by_its_rate(occasion, rate):
    X, beta = known(40)
    documents, topics = settled(X, beta)
    alpha, old = np.full(K, ALPHA), np.linspace(-9, -2, K)
    with Workers(1) as workers:
        gamma = infer_documents(documents.counts, topics, alpha, max_inner_iter=100, tol=1e-3, workers=workers).gamma
        _, mean = vb_online_priors.learned_priors(
            documents, topics, Priors(alpha, np.full((1, 1), ETA)), old, PLAN, workers, occasion=occasion, n_words=V
        )
    of_these = (psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))).mean(axis=0)
    np.testing.assert_allclose(mean, (1 - rate) * old + rate * of_these, rtol=1e-6)


def test_eta_is_learned_over_the_whole_vocabulary():
    X, beta = known(100)
    documents, topics = settled(X, beta)
    given = Priors(np.full(K, ALPHA), np.full((1, 1), ETA))
    with Workers(1) as workers:
        narrow, wide = (
            vb_online_priors.learned_priors(documents, topics, given, None, PLAN, workers, occasion=1, n_words=n)[
                0
            ].eta[0, 0]
            for n in (V, 20 * V)
        )
    assert wide < narrow / 4  # nineteen times as many words that no topic has


def test_a_topic_is_drawn_for_every_token():
    X, beta = known(70)
    documents, topics = settled(X, beta)
    words, drawn = vb_online_priors.drawn_topics(documents, topics, np.ones((70, K)), 1)
    np.testing.assert_array_equal(np.bincount(words, minlength=V), X.sum(axis=0))
    assert drawn.min() >= 0
    assert drawn.max() < K


@pytest.mark.parametrize("by_parts", [False, True])
def test_online_fits_do_not_drift_to_large_priors(by_parts):
    X, _ = known(900)
    model = LatentDirichletAllocation(K, learning_method="online", batch_size=16, max_iter=4, tol=None, random_state=0)
    if by_parts:
        for _ in range(4):
            model.partial_fit(X)
    else:
        model.fit(X)
    assert model.doc_topic_prior_.sum() < 2 * K * ALPHA
    assert model.topic_word_prior_ < 3 * ETA


def test_learned_priors_are_the_same_however_the_words_are_numbered():
    X, _ = known(300)
    order = np.random.default_rng(1).permutation(V)
    one, other = (
        LatentDirichletAllocation(
            K, learning_method="online", batch_size=8, max_iter=1, tol=None, random_state=0, init=start
        ).fit(x)
        for x, start in ((X, np.ones((K, V)) + np.eye(K, V)), (X[:, order], (np.ones((K, V)) + np.eye(K, V))[:, order]))
    )
    np.testing.assert_allclose(one.doc_topic_prior_, other.doc_topic_prior_, rtol=0.1)
