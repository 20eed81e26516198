"""The validation set of a fit: equation (20.1), and early stopping."""

import warnings

import corpora
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import ldavi
from ldavi import LatentDirichletAllocation
from ldavi._core.threads import Workers
from ldavi._inference import validation_set
from ldavi._inference.passes import PassResult
from ldavi._inference.validation_set import completion_perplexity, split_half


def dense(counts, n_words):
    X = np.zeros((counts.n_docs, n_words))
    for d in range(counts.n_docs):
        at = slice(counts.indptr[d], counts.indptr[d + 1])
        X[d, counts.words[counts.indices[at]]] = counts.values[at]
    return X


def test_halves_add_up_to_the_documents():
    X = corpora.random_counts(0, mean=2.0)
    counts = corpora.to_counts(X)
    halves = split_half(counts, np.random.default_rng(0).uniform(size=len(counts.indices)))
    np.testing.assert_array_equal(dense(halves.observed, X.shape[1]) + dense(halves.scored, X.shape[1]), X)
    assert (np.abs(dense(halves.observed, X.shape[1]) - X / 2) <= 0.5).all()


def test_odd_tokens_are_assigned_by_the_random_numbers():
    counts = corpora.to_counts(np.array([[1, 3, 1, 5]]))
    halves = split_half(counts, np.array([0.2, 0.9, 0.7, 0.4]))
    np.testing.assert_array_equal(dense(halves.observed, 4), [[1, 1, 0, 3]])


def test_the_perplexity_is_that_of_the_scored_tokens_given_the_observed_ones(monkeypatch):
    monkeypatch.setattr(validation_set, "COUNTS_AT_ONCE", 7)
    monkeypatch.setattr(validation_set, "MAX_INNER_ITER", 500)
    X, K = corpora.topical_counts(1), 3
    counts, lam, alpha = corpora.to_counts(X), corpora.random_lam(1, K, X.shape[1]), corpora.random_alpha(1, K)
    halves = split_half(counts, np.random.default_rng(0).uniform(size=len(counts.indices)))
    result = PassResult(corpora.word_major(lam), np.arange(X.shape[1]), corpora.make_priors(alpha, 0.1))
    with Workers(1) as workers:
        found = completion_perplexity(halves, result, workers, tol=1e-10)
    model = LatentDirichletAllocation(
        K, doc_topic_prior=alpha, topic_word_prior=0.1, mean_change_tol=1e-10, random_state=0
    )
    model.set_params(max_doc_update_iter=500, dtype="float64").partial_fit(X)
    model.components_ = lam
    p = model.transform(dense(halves.observed, X.shape[1])) @ (lam / lam.sum(axis=1, keepdims=True))
    scored = dense(halves.scored, X.shape[1])
    np.testing.assert_allclose(found, np.exp(-(scored * np.log(p)).sum() / scored.sum()), rtol=1e-6)


def split_model(**parameters):
    options = {"validation_fraction": 0.25, "random_state": 0, "max_iter": 60, "tol": None, "n_iter_no_change": 2}
    return LatentDirichletAllocation(8, **(options | parameters))


@pytest.mark.parametrize("inference", ["vb", "cvb0"])
@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
def test_a_fit_stops_when_the_validation_perplexity_no_longer_improves(method, inference):
    X = corpora.topical_counts(2, n_docs=60)
    model = split_model(learning_method=method, inference=inference, max_iter=300).fit(X)
    measured = model.elbo_trace_["validation"]
    measured = measured[~np.isnan(measured)]
    assert not model.converged_  # in the sense of `tol`
    assert len(measured) >= 3
    assert measured[-2:].min() >= measured[:-2].min()


def test_a_fit_returns_the_topics_with_the_lowest_validation_perplexity():
    X = corpora.topical_counts(2, n_docs=60)
    model = split_model().fit(X)
    measured = np.nan_to_num(model.elbo_trace_["validation"], nan=np.inf)
    best = int(model.elbo_trace_["iteration"][measured.argmin()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        same = split_model(callbacks=lambda record: record.iteration == best).fit(X)
    np.testing.assert_array_equal(model.components_, same.components_)


def test_topics_are_not_learned_from_the_validation_set():
    X = np.eye(40, dtype=int) * 5  # each document has a different word
    model = split_model(topic_word_prior=0.5, doc_topic_prior=0.1, max_iter=5).fit(X)
    assert np.isclose(model.components_.sum() - 0.5 * model.components_.size, 150, rtol=1e-4)
    assert ((model.components_ == 0.5).all(axis=0)).sum() == 10


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_a_fraction_that_leaves_one_side_empty_raises(fraction):
    with pytest.raises(ValueError, match="validation_fraction"):
        split_model(validation_fraction=fraction).fit(corpora.topical_counts(0))


@pytest.mark.parametrize(("fraction", "error"), [(0.0, ValueError), (1.5, ValueError), ("half", TypeError)])
def test_an_invalid_fraction_raises(fraction, error):
    with pytest.raises(error, match="validation_fraction"):
        ldavi.LatentDirichletAllocation(validation_fraction=fraction).fit([[1]])
