"""What holds for every small corpus, way of learning and precision, on corpora that hypothesis makes up."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ldavi
from ldavi import LatentDirichletAllocation

every_method = pytest.mark.parametrize("method", ["batch", "online", "memoized"])
every_dtype = pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("float64", 1e-10)])
few = settings(derandomize=True, max_examples=15, deadline=None, database=None)

shapes = st.tuples(st.integers(1, 8), st.integers(1, 8))
small_counts = shapes.flatmap(lambda shape: arrays(np.int64, shape, elements=st.integers(0, 9))).filter(np.any)
mixed_counts = shapes.flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0, 1e3, 1e6]))
).filter(np.any)
corpora = st.one_of(small_counts, mixed_counts)
numbers_of_topics = st.integers(1, 6)
priors = st.sampled_from([0.01, 0.05, 0.5, 3.0])


def learnt(X, **parameters):
    """A fit during which any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return LatentDirichletAllocation(
            **{"max_iter": 6, "tol": None, "random_state": 0, "batch_size": 3} | parameters
        ).fit(X)


@every_method
@every_dtype
@few
@given(X=corpora, n_components=numbers_of_topics, alpha=priors, eta=priors)
def test_topics_hold_the_prior_and_every_token(method, dtype, rtol, X, n_components, alpha, eta):
    lda = learnt(
        X,
        n_components=n_components,
        doc_topic_prior=alpha,
        topic_word_prior=eta,
        learning_method=method,
        learning_decay=0.0,  # online steps of length 1, over all documents, forget the start
        batch_size=8 if method == "online" else 3,
        dtype=dtype,
    )
    eta = np.array(eta, dtype)
    assert (lda.components_ >= eta * (1 - rtol)).all()
    expected = n_components * float(eta) + X.sum(axis=0)
    np.testing.assert_allclose(lda.components_.sum(axis=0, dtype=float), expected, rtol=rtol)


@every_method
@every_dtype
@few
@given(X=corpora, n_components=numbers_of_topics, alpha=priors)
def test_proportions_are_positive_and_sum_to_1(method, dtype, rtol, X, n_components, alpha):
    lda = learnt(X, n_components=n_components, doc_topic_prior=alpha, learning_method=method, dtype=dtype)
    theta = lda.transform(X)
    assert (theta > 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1, rtol=rtol)
    np.testing.assert_allclose(lda.topics_.sum(axis=1), 1, rtol=rtol)
    gamma = lda.transform(X, normalize=False)
    np.testing.assert_allclose(gamma.sum(axis=1, dtype=float), n_components * alpha + X.sum(axis=1), rtol=rtol)
    np.testing.assert_allclose(lda.word_topics(X).sum(axis=1), 1, rtol=rtol)


@every_method
@every_dtype
@few
@given(X=corpora, n_components=numbers_of_topics, eta=st.one_of(priors, st.just(0)))
def test_bounds_are_finite_and_those_of_counts_at_most_0(method, dtype, rtol, X, n_components, eta):
    lda = learnt(X, n_components=n_components, topic_word_prior=eta, learning_method=method, dtype=dtype)
    assert np.isfinite(lda.elbo_trace_["elbo"]).all()
    assert np.isfinite(lda.perplexity(X))
    slack = rtol * (1 + X.sum())
    assert lda.elbo_ <= slack
    assert lda.score(X) <= slack
    assert lda.perplexity(X) >= 1 - rtol


@pytest.mark.parametrize("method", ["batch", "memoized"])
@few
@given(X=corpora, n_components=numbers_of_topics, alpha=priors, eta=priors)
def test_the_elbo_never_falls_in_the_monotone_passes(method, X, n_components, alpha, eta):
    parameters = {"doc_topic_prior": alpha, "topic_word_prior": eta, "dtype": "float64", "max_iter": 12}
    trace = learnt(X, n_components=n_components, learning_method=method, **parameters).elbo_trace_
    elbo = trace["elbo"][trace["phase"] == "monotone"]
    assert (np.diff(elbo) >= -1e-9 * (1 + np.abs(elbo[1:]))).all()


@every_method
@few
@given(X=small_counts, n_components=numbers_of_topics, n_jobs=st.sampled_from([2, 5]))
def test_the_number_of_threads_changes_no_bit(method, X, n_components, n_jobs):
    a = learnt(X, n_components=n_components, learning_method=method)
    b = learnt(X, n_components=n_components, learning_method=method, n_jobs=n_jobs)
    np.testing.assert_array_equal(a.components_, b.components_)
    np.testing.assert_array_equal(a.transform(X), b.transform(X))


@every_dtype
@few
@given(X=corpora, seed=st.integers(0, 99), n_topics=numbers_of_topics, alpha=priors)
def test_documents_given_topics_have_all_their_tokens_and_a_bound_below_0(dtype, rtol, X, seed, n_topics, alpha):
    topics = np.random.default_rng(seed).dirichlet(np.ones(X.shape[1]), n_topics)
    found = ldavi.infer(X, topics, alpha, dtype=dtype)
    np.testing.assert_allclose(found.gamma.sum(axis=1, dtype=float), n_topics * alpha + X.sum(axis=1), rtol=rtol)
    assert (found.gamma > 0).all()
    assert (found.bound <= rtol * (1 + X.sum(axis=1))).all()
