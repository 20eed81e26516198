"""`ldavi.infer`: the E-step alone, compared with the reference implementation and with exact values."""

import numpy as np
import pandas as pd
import pytest
from reference import dirichlet_kl, document_update_log, expected_log, log_evidence_fixed_topics
from scipy import sparse
from scipy.special import logsumexp

import ldavi
from ldavi import Inference, LatentDirichletAllocation

K, V = 4, 9
CONVERGED = {"mean_change_tol": 1e-10, "max_doc_update_iter": 5000}
dtypes = pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("float64", 1e-9)])


def documents(n_docs=12, n_words=V, seed=0):
    return np.random.default_rng(seed).poisson(1.2, (n_docs, n_words)) + np.eye(n_docs, n_words, dtype=int)


def known_topics(n_topics=K, n_words=V, concentration=0.5, seed=1):
    return np.random.default_rng(seed).dirichlet(np.full(n_words, concentration), n_topics)


def reference_inference(X, topics, alpha, *, max_inner_iter, tol):
    """Return γ, the bound and the inner iterations of each document by the reference implementation."""
    gamma, n_inner_iter = np.empty((len(X), len(topics))), np.empty(len(X), int)
    with np.errstate(divide="ignore"):
        log_beta = np.log(topics)
    for d, counts in enumerate(X):
        start = alpha + counts.sum() / len(topics)
        gamma[d], _, n_inner_iter[d] = document_update_log(counts, log_beta, alpha, start, max_inner_iter, tol)
    return gamma, bound_at(X, topics, alpha, gamma), n_inner_iter


def bound_at(X, topics, alpha, gamma):
    """Return the bound of each document at γ with optimal φ."""
    with np.errstate(divide="ignore"):
        log_z = logsumexp(expected_log(gamma)[:, :, None] + np.log(topics), axis=1)
    return np.where(X > 0, X * np.where(X > 0, log_z, 0), 0).sum(axis=1) - dirichlet_kl(
        gamma, np.tile(alpha, (len(X), 1))
    )


@dtypes
@pytest.mark.parametrize("alpha", [0.1, 2.0, np.array([0.05, 0.3, 1.0, 4.0])], ids=["sparse", "dense", "asymmetric"])
@pytest.mark.parametrize("max_inner_iter", [1, 2, 7])
def test_gamma_after_some_inner_iterations_equals_the_reference_implementation(dtype, rtol, alpha, max_inner_iter):
    X, topics = documents(), known_topics()
    found = ldavi.infer(X, topics, alpha, mean_change_tol=0, max_doc_update_iter=max_inner_iter, dtype=dtype)
    gamma, _, _ = reference_inference(X, topics, np.broadcast_to(alpha, K), max_inner_iter=max_inner_iter, tol=-1.0)
    np.testing.assert_allclose(found.gamma, gamma, rtol=rtol)
    assert (found.n_inner_iter <= max_inner_iter).all()


@dtypes
@pytest.mark.parametrize("concentration", [0.05, 0.5, 5.0])
def test_converged_gamma_and_bound_equal_the_reference_implementation(dtype, rtol, concentration):
    X, topics, alpha = documents(5), known_topics(concentration=concentration), np.full(K, 0.2)
    topics = np.maximum(topics, 1e-12)
    found = ldavi.infer(X, topics, alpha, mean_change_tol=1e-5, max_doc_update_iter=1000, dtype=dtype)
    gamma, bound, _ = reference_inference(X, topics, alpha, max_inner_iter=1000, tol=1e-5)
    np.testing.assert_allclose(found.gamma, gamma, rtol=0, atol=1e-2)
    np.testing.assert_allclose(found.bound, bound, rtol=1e-4 if dtype == "float32" else 1e-6)


def test_inner_iterations_end_where_those_of_the_reference_implementation_end():
    X, topics = documents(), known_topics()
    found = ldavi.infer(X, topics, 0.2, mean_change_tol=1e-3, dtype="float64")
    _, _, n_inner_iter = reference_inference(X, topics, np.full(K, 0.2), max_inner_iter=100, tol=1e-3)
    np.testing.assert_array_equal(found.n_inner_iter, n_inner_iter)


@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_the_bound_never_exceeds_the_exact_evidence(alpha):
    X, topics = np.minimum(documents(6, 5), 2), known_topics(3, 5, concentration=2.0)
    found = ldavi.infer(X, topics, alpha, **CONVERGED, dtype="float64")
    exact = np.array([log_evidence_fixed_topics(x, topics, np.full(3, alpha)) for x in X])
    assert (found.bound <= exact + 1e-10).all()
    assert (found.bound >= exact - 2.0).all()


def test_the_bound_is_exact_for_one_topic_and_not_above_for_identical_topics():
    X = documents()
    one = known_topics(1)
    log_p = X @ np.log(one[0])
    np.testing.assert_allclose(ldavi.infer(X, one, 0.7, dtype="float64").bound, log_p, rtol=1e-12)
    certain = ldavi.infer(np.array([[1.0], [7.0]]), np.ones((1, 1)), 0.3)
    np.testing.assert_allclose(certain.bound, 0, atol=1e-12)
    alike = ldavi.infer(X, np.tile(one, (3, 1)), 0.7, **CONVERGED, dtype="float64")
    assert (alike.bound <= log_p + 1e-10).all()


def test_more_inner_iterations_never_decrease_the_bound():
    X, topics = documents(), known_topics()
    bounds = [
        ldavi.infer(X, topics, 0.2, mean_change_tol=0, max_doc_update_iter=n, dtype="float64").bound
        for n in range(1, 12)
    ]
    assert (np.diff(bounds, axis=0) >= -1e-10).all()


def zero_topics():
    """Return three topics, each with the words of one third of the vocabulary."""
    return np.kron(np.eye(3), np.full(3, 1 / 3))


@dtypes
def test_a_word_of_a_single_topic_is_assigned_to_it(dtype, rtol):
    X = np.zeros((2, V))
    X[0, [0, 1, 4]] = 5, 2, 3
    X[1, 8] = 4
    found = ldavi.infer(X, zero_topics(), 0.1, **CONVERGED, dtype=dtype)
    np.testing.assert_allclose(found.gamma, [[7.1, 3.1, 0.1], [0.1, 0.1, 4.1]], rtol=rtol)
    assert np.isfinite(found.bound).all()
    np.testing.assert_allclose(found.bound, bound_at(X, zero_topics(), np.full(3, 0.1), found.gamma), rtol=1e-5)


@dtypes
def test_a_word_of_probability_0_in_every_topic_makes_the_bound_minus_infinity(dtype, rtol):
    topics = np.hstack([known_topics(n_words=V - 1), np.zeros((K, 1))])
    X = documents()
    X[:, -1] = 0
    without = ldavi.infer(X, topics, 0.2, dtype=dtype)
    X[3, -1] = 2
    found = ldavi.infer(X, topics, 0.2, dtype=dtype)
    assert found.bound[3] == -np.inf
    others = np.arange(len(X)) != 3
    np.testing.assert_array_equal(found.bound[others], without.bound[others])
    assert np.isfinite(found.gamma).all()
    assert (found.gamma > 0).all()


def test_topics_of_tiny_probabilities_do_not_underflow():
    topics = np.full((2, 4), 1e-300)
    topics[:, 3] = 1.0
    topics[1, 0] = 1e-290
    for dtype in ("float32", "float64"):
        found = ldavi.infer([[3, 1, 0, 0]], topics, 0.1, dtype=dtype)
        assert np.isfinite(found.gamma).all()
        np.testing.assert_allclose(found.gamma.sum(), 4.2, rtol=1e-5)


@dtypes
def test_gamma_contains_every_token(dtype, rtol):
    X = documents()
    found = ldavi.infer(X, known_topics(), 0.3, dtype=dtype)
    np.testing.assert_allclose(found.gamma.sum(axis=1), K * 0.3 + X.sum(axis=1), rtol=rtol)
    assert found.gamma.dtype == dtype
    assert found.bound.dtype == np.float64


def test_an_empty_document_has_the_prior_and_the_bound_0():
    alpha = np.array([0.3, 0.2, 1.0, 0.1])
    found = ldavi.infer(np.zeros((2, V)), known_topics(), alpha, dtype="float64")
    np.testing.assert_array_equal(found.gamma, np.tile(alpha, (2, 1)))
    np.testing.assert_allclose(found.bound, 0, atol=1e-12)


def test_the_default_prior_is_1_over_the_number_of_topics():
    a, b = ldavi.infer(documents(), known_topics()), ldavi.infer(documents(), known_topics(), 1 / K)
    np.testing.assert_array_equal(a.gamma, b.gamma)


def test_the_result_is_a_named_tuple():
    found = ldavi.infer(documents(), known_topics())
    assert isinstance(found, Inference)
    assert found._fields == ("gamma", "bound", "n_inner_iter")
    assert found.gamma.shape == (12, K)
    assert found.bound.shape == found.n_inner_iter.shape == (12,)


@pytest.mark.parametrize(
    "form", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, pd.DataFrame, np.ndarray.tolist]
)
def test_every_form_of_x_gives_the_same_bits(form):
    expected, found = ldavi.infer(documents(), known_topics()), ldavi.infer(form(documents()), known_topics())
    np.testing.assert_array_equal(found.gamma, expected.gamma)
    np.testing.assert_array_equal(found.bound, expected.bound)


def test_the_bits_depend_neither_on_the_number_of_threads_nor_on_other_documents():
    X, topics = documents(200), known_topics()
    expected = ldavi.infer(X, topics, 0.2)
    for n_jobs in (2, 3, 7):
        found = ldavi.infer(X, topics, 0.2, n_jobs=n_jobs)
        np.testing.assert_array_equal(found.gamma, expected.gamma)
        np.testing.assert_array_equal(found.bound, expected.bound)
    alone = [ldavi.infer(X[d : d + 1], topics, 0.2).gamma[0] for d in range(20)]
    np.testing.assert_array_equal(alone, expected.gamma[:20])


def test_inference_with_the_topics_of_a_point_estimate_equals_that_of_the_estimator():
    X = documents(40)
    lda = LatentDirichletAllocation(K, doc_topic_prior=0.1, topic_word_prior=0, max_iter=15, tol=None, random_state=0)
    lda.set_params(dtype="float64").fit(X)
    lda.set_params(max_doc_update_iter=2)  # the estimator extrapolates from the third on, equation (14.2)
    found = ldavi.infer(X, lda.topics_, 0.1, dtype="float64", max_doc_update_iter=2)
    np.testing.assert_allclose(found.gamma, lda.transform(X, normalize=False), rtol=1e-9)
    np.testing.assert_allclose(found.bound.sum(), lda.score(X), rtol=1e-10)


@pytest.mark.parametrize(
    ("topics", "texts"),
    [
        (known_topics() * 2, ("sums to 2", "pass topics_, not components_")),
        (known_topics() * [[1], [1], [1.01], [1]], ("topics[2] sums to 1.01",)),
        (known_topics(n_words=V - 1), (f"{V - 1} columns", f"X has {V}")),
        (known_topics(n_words=V + 1), (f"{V + 1} columns", f"X has {V}")),
        (known_topics() - 0.4 * np.eye(K, V) + 0.4 * np.eye(K, V, 1), ("must be >= 0",)),
        (np.where(np.eye(K, V) > 0, np.nan, 0.1), ("topics contains NaN",)),
        (np.where(np.eye(K, V) > 0, np.inf, 0.1), ("topics contains infinity",)),
        (np.full(V, 1 / V), ("topics", "2D")),
        (np.zeros((0, V)), ("0 sample(s)",)),
    ],
)
def test_topics_that_are_not_distributions_over_the_words_of_x_raise(topics, texts):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  each text is looked for below
        ldavi.infer(documents(), topics)
    lowered = str(caught.value).lower()
    assert all(text.lower() in lowered for text in texts)


def test_arguments_are_not_changed():
    X, topics, alpha = sparse.csr_array(documents()), known_topics(), np.full(K, 0.2)
    before = X.copy(), topics.copy(), alpha.copy()
    for array in (X.data, X.indices, X.indptr, topics, alpha):
        array.flags.writeable = False
    ldavi.infer(X, topics, alpha)
    np.testing.assert_array_equal(X.toarray(), before[0].toarray())
    np.testing.assert_array_equal(topics, before[1])
    np.testing.assert_array_equal(alpha, before[2])
