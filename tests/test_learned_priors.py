"""Learned priors converge together with the topics, in every engine and from every start."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from ldavi import LatentDirichletAllocation, metrics

UNEVEN = np.array([1.0, 0.5, 0.25, 0.1, 0.05])


def planted(seed, *, alpha, n_docs=1500, n_words=200, length=80):
    """A corpus drawn from the model, and its topics."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(n_words, 0.05), len(alpha))
    theta = rng.dirichlet(alpha, n_docs)
    return np.array([rng.multinomial(length, proportions @ topics) for proportions in theta]), topics


@pytest.mark.parametrize("alpha", [UNEVEN, np.ones(5)], ids=["uneven", "even"])
def test_the_default_fit_finds_planted_topics(alpha):
    X, topics = planted(0, alpha=alpha)
    lda = LatentDirichletAllocation(5, random_state=0).fit(X)
    assert metrics.match_topics(lda, topics).similarity.min() > 0.85


@pytest.mark.parametrize("alpha", [UNEVEN, np.ones(5)], ids=["uneven", "even"])
def test_the_default_fit_learns_the_sum_of_a_planted_alpha(alpha):
    X, _ = planted(0, alpha=alpha)
    lda = LatentDirichletAllocation(5, random_state=0).fit(X)
    np.testing.assert_allclose(lda.doc_topic_prior_.sum(), alpha.sum(), rtol=0.2)


@pytest.mark.parametrize("init", ["auto", "random"])
def test_a_fit_of_planted_topics_learns_both_priors_from_every_start(init):
    X, _ = planted(1, alpha=UNEVEN, n_docs=500)
    lda = LatentDirichletAllocation(5, init=init, random_state=0).fit(X)
    before = LatentDirichletAllocation(5, init=init, random_state=0, max_iter=1, tol=None).fit(X)
    assert not np.isclose(lda.doc_topic_prior_, before.doc_topic_prior_).any()
    assert not np.isclose(lda.topic_word_prior_, before.topic_word_prior_)


@pytest.mark.parametrize(
    ("method", "init"),
    [("batch", "auto"), ("batch", "random"), ("memoized", "auto"), ("memoized", "random")],
)
def test_a_converged_fit_would_gain_about_tol_at_most_in_one_more_pass(method, init):
    X, _ = planted(2, alpha=UNEVEN, n_docs=400)
    lda = LatentDirichletAllocation(5, learning_method=method, init=init, random_state=0, dtype="float64").fit(X)
    assert lda.converged_
    one_more = lda.n_iter_ + 1  # max_iter=one_more could reduce the collapsed passes
    lda.set_params(tol=None, callbacks=lambda record: record.iteration == one_more).fit(X)
    *_, before, after = lda.elbo_trace_["elbo"]
    assert 0 <= after - before < 2e-5 * abs(after)  # gains need not fall in every pass


def test_a_pass_that_does_not_update_the_priors_never_ends_a_fit():
    X, _ = planted(3, alpha=UNEVEN, n_docs=400)
    trace = LatentDirichletAllocation(5, random_state=0).fit(X).elbo_trace_
    learned = trace[trace["phase"] == "monotone"]
    assert (np.diff(learned["alpha_sum"]) != 0).all()
    assert (np.diff(learned["eta"]) != 0).all()


def test_the_trace_ends_with_the_learned_priors():
    X, _ = planted(3, alpha=UNEVEN, n_docs=300)
    lda = LatentDirichletAllocation(5, random_state=0).fit(X)
    assert lda.elbo_trace_["alpha_sum"][-1] == lda.doc_topic_prior_.sum()
    assert lda.elbo_trace_["eta"][-1] == lda.topic_word_prior_


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_method": "batch"},
        {"learning_method": "memoized"},
        {"learning_method": "online"},
        {"inference": "cvb0"},
        {"n_collapsed_iter": 15},
    ],
    ids=lambda parameters: "-".join(map(str, parameters.values())),
)
def test_every_record_has_the_priors(parameters):
    X, _ = planted(3, alpha=UNEVEN, n_docs=200)
    lda = LatentDirichletAllocation(5, max_iter=6, tol=None, random_state=0, **parameters).fit(X)
    assert np.isfinite(lda.elbo_trace_["alpha_sum"]).all()
    assert np.isfinite(lda.elbo_trace_["eta"]).all()


def test_the_record_of_a_prior_for_each_word_has_its_mean():
    X, _ = planted(3, alpha=UNEVEN, n_docs=200)
    eta = np.linspace(0.01, 0.1, X.shape[1])
    lda = LatentDirichletAllocation(5, topic_word_prior=eta, max_iter=4, tol=None, random_state=0).fit(X)
    np.testing.assert_allclose(lda.elbo_trace_["eta"], eta.mean())


def test_uniform_documents_have_the_perplexity_of_uniform_topics():
    X = np.ones((1000, 4))
    assert LatentDirichletAllocation(10, random_state=0).fit(X).perplexity(X) == pytest.approx(4, rel=0.01)


def test_a_fit_of_three_short_documents_converges():
    """Its best topics are alike, with priors that increase without limit."""
    X = [[0, 1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0, 2]]
    assert LatentDirichletAllocation(2, random_state=0).fit(X).converged_


@pytest.mark.parametrize("init", ["auto", "random"])
def test_a_warm_start_goes_on_learning_priors(init):
    X, _ = planted(4, alpha=UNEVEN, n_docs=400)
    lda = LatentDirichletAllocation(5, init=init, random_state=0, warm_start=True, tol=1e-3).fit(X)
    alpha, eta = lda.doc_topic_prior_, lda.topic_word_prior_
    lda.set_params(tol=1e-5).fit(X)
    assert (lda.doc_topic_prior_ != alpha).all()
    assert lda.topic_word_prior_ != eta


def test_a_warm_start_does_not_lower_the_elbo():
    X, _ = planted(5, alpha=UNEVEN, n_docs=400)
    lda = LatentDirichletAllocation(5, warm_start=True, random_state=0).fit(X)
    before = lda.elbo_
    assert lda.fit(X).elbo_ >= before


@pytest.mark.parametrize("wrap", [lambda model: model, FrozenEstimator], ids=["model", "frozen"])
def test_a_fit_from_a_model_continues_from_its_priors(wrap):
    X, _ = planted(5, alpha=UNEVEN, n_docs=400)
    first = LatentDirichletAllocation(5, random_state=0).fit(X)
    second = LatentDirichletAllocation(5, init=wrap(first), max_iter=1, tol=None, random_state=0).fit(X)
    np.testing.assert_array_equal(second.doc_topic_prior_, first.doc_topic_prior_)
    assert second.topic_word_prior_ == first.topic_word_prior_


@pytest.mark.parametrize("seed", range(3))
def test_a_fit_from_a_model_does_not_lower_the_elbo(seed):
    X, _ = planted(seed, alpha=UNEVEN, n_docs=400)
    first = LatentDirichletAllocation(5, random_state=0).fit(X)
    second = LatentDirichletAllocation(5, init=first, random_state=0).fit(X)
    assert second.elbo_ >= first.elbo_


def test_partial_fit_from_a_model_continues_from_its_topics_and_priors():
    X, _ = planted(5, alpha=UNEVEN, n_docs=400)
    first = LatentDirichletAllocation(5, random_state=0).fit(X)
    second = LatentDirichletAllocation(5, init=first, learning_offset=1e9, random_state=0).partial_fit(
        X
    )  # a step of hardly any size
    np.testing.assert_allclose(second.topics_, first.topics_, rtol=1e-3)
    np.testing.assert_array_equal(second.doc_topic_prior_, first.doc_topic_prior_)
