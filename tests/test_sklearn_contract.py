"""What scikit-learn's users count on, beyond its estimator checks: weights, clones, searches, frames, failures."""

import copy
import pickle

import corpora
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation as SklearnLDA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from ldavi import LatentDirichletAllocation

K = 3
X = corpora.topical_counts(0, n_docs=40).astype(np.float64)
V = X.shape[1]


def model(**parameters):
    return LatentDirichletAllocation(K, **{"max_iter": 6, "tol": None, "random_state": 0} | parameters)


# Weights

DETERMINISTIC = {
    "batch": {},
    "batch from random topics": {"init": "random"},
    "learned priors": {"doc_topic_prior": "auto", "topic_word_prior": "auto", "max_iter": 12},
    "point estimates": {"topic_word_prior": 0},
    "seed words": {"seed_words": {0: [1, 2]}},
    "online, one step per pass": {"learning_method": "online", "batch_size": 1000, "topic_word_prior": 0.05},
    "online cvb0": {"learning_method": "online", "inference": "cvb0", "batch_size": 1000, "topic_word_prior": 0.05},
    "memoized, one batch": {"learning_method": "memoized", "batch_size": 1000},
}


def weighted_and_repeated(dtype):
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    return X.astype(dtype), weight, X.repeat(weight, axis=0).astype(dtype)


@pytest.mark.parametrize("parameters", DETERMINISTIC.values(), ids=DETERMINISTIC)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-7), (np.float32, 2e-3)])
def test_a_fit_with_weights_is_that_of_repeated_documents(parameters, dtype, rtol):
    documents, weight, repeated = weighted_and_repeated(dtype)
    weighted = model(**parameters).fit(documents, sample_weight=weight)
    copies = model(**parameters).fit(repeated)
    np.testing.assert_allclose(weighted.components_, copies.components_, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(weighted.elbo_, copies.elbo_, rtol=rtol)
    np.testing.assert_allclose(weighted.transform(X), copies.transform(X), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("total_samples", [None, 500])
def test_steps_with_weights_are_those_of_repeated_documents(total_samples):
    documents, weight, _ = weighted_and_repeated(np.float64)
    weighted, copies = (model(batch_size=1000, total_samples=total_samples) for _ in range(2))
    for part in (slice(0, 15), slice(15, 40)):
        weighted.partial_fit(documents[part], sample_weight=weight[part])
        copies.partial_fit(documents[part].repeat(weight[part], axis=0))
    np.testing.assert_allclose(weighted.components_, copies.components_, rtol=1e-9)


def test_steps_after_a_fit_with_weights_are_those_after_a_fit_to_repeated_documents():
    documents, weight, repeated = weighted_and_repeated(np.float64)
    weighted = model(batch_size=1000).fit(documents, sample_weight=weight)
    copies = model(batch_size=1000).fit(repeated)
    for lda in (weighted, copies, again := pickle.loads(pickle.dumps(weighted))):
        lda.partial_fit(X[:9])
    np.testing.assert_allclose(weighted.components_, copies.components_, rtol=1e-6)
    np.testing.assert_array_equal(again.components_, weighted.components_)
    assert weighted.n_samples_seen_ == np.count_nonzero(weight) + 9


def test_a_fit_forgets_the_weights_of_documents_before_it():
    once = model().fit(X).partial_fit(X[:9])
    twice = model().fit(X, sample_weight=np.full(len(X), 3.0)).fit(X).partial_fit(X[:9])
    np.testing.assert_array_equal(once.components_, twice.components_)


# Precision


@pytest.mark.parametrize(
    ("dtype", "preserved"),
    [
        (None, ["float32", "float64"]),
        ("float32", ["float32"]),
        (np.float64, ["float64"]),
        (np.dtype("f4"), ["float32"]),
    ],
)
def test_the_tag_of_precision_follows_the_parameter(dtype, preserved):
    assert get_tags(model(dtype=dtype)).transformer_tags.preserves_dtype == preserved


def test_tags_of_an_invalid_precision_are_left_to_fit_to_refuse():
    lda = model(dtype="float16")
    assert get_tags(lda).transformer_tags.preserves_dtype == ["float32", "float64"]
    with pytest.raises(ValueError, match="dtype='float16'"):
        lda.fit(X)


# A fitted model as init

GIVEN = {
    "ldavi": lambda: model().fit(X),
    "after partial_fit": lambda: model().partial_fit(X),
    "scikit-learn": lambda: SklearnLDA(K, random_state=0, max_iter=2).fit(X),
    "frozen": lambda: FrozenEstimator(model().fit(X)),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda lda: pickle.loads(pickle.dumps(lda))])
def test_copies_keep_the_topics_of_a_model_given_as_init(given, copied):
    lda = model(init=given())
    other = copied(lda)
    assert not hasattr(other, "components_")
    np.testing.assert_array_equal(other.init.components_, lda.init.components_)
    np.testing.assert_array_equal(other.fit(X).components_, lda.fit(X).components_)
    np.testing.assert_array_equal(copied(lda).fit(X).components_, lda.components_)


def test_a_clone_of_a_fitted_model_is_not_fitted():
    lda = model().set_output(transform="pandas").fit(X)
    cloned = clone(lda)
    assert set(vars(cloned)) == {*lda.get_params(), "_sklearn_output_config"}
    with pytest.raises(NotFittedError):
        cloned.transform(X)


def test_a_clone_does_not_share_the_model_given_as_init():
    given = model().fit(X)
    cloned, before = clone(model(init=given)), given.components_.copy()
    given.partial_fit(X[:9])
    cloned.init.set_params(max_iter=1)
    np.testing.assert_array_equal(cloned.init.components_, before)
    assert given.max_iter == 6


def test_a_model_whose_init_has_an_init_is_cloned_with_both():
    lda = model(init=model(init=model().fit(X)).fit(X))
    cloned = clone(lda)
    np.testing.assert_array_equal(cloned.init.init.components_, lda.init.init.components_)


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_cross_validation_starts_each_fit_from_the_model_given_as_init(given):
    init = given()
    found = cross_val_score(model(init=init), X, cv=KFold(2))
    alone = [model(init=init).fit(X[train]).score(X[test]) for train, test in KFold(2).split(X)]
    np.testing.assert_allclose(found, alone, rtol=1e-9)


@pytest.mark.parametrize("name", ["init", "latentdirichletallocation__init"])
def test_a_search_over_frozen_models_starts_from_each(name):
    models = [model(random_state=seed, init="random").fit(X) for seed in range(2)]
    lda = model() if name == "init" else make_pipeline(FunctionTransformer(), model())
    search = GridSearchCV(lda, {name: [FrozenEstimator(each) for each in models]}, cv=KFold(2)).fit(X)
    expected = [
        np.mean([model(init=each).fit(X[train]).score(X[test]) for train, test in KFold(2).split(X)]) for each in models
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, rtol=1e-9)
    best = model(init=models[np.argmax(expected)]).fit(X)
    np.testing.assert_allclose(search.best_estimator_.transform(X), best.transform(X), rtol=1e-9)


def test_a_search_over_other_parameters_keeps_the_model_given_as_init():
    init = model().fit(X)
    search = GridSearchCV(model(init=init), {"max_iter": [1, 2]}, cv=2).fit(X)
    frozen = GridSearchCV(model(init=FrozenEstimator(init)), {"max_iter": [1, 2]}, cv=2).fit(X)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], frozen.cv_results_["mean_test_score"], rtol=1e-9)
    assert search.cv_results_["mean_test_score"].std() > 0


HOW = r"is not fitted: fit it first\. If it was fitted, a search .* FrozenEstimator\(model\).* or model\.components_"


def test_a_search_over_models_that_it_has_cloned_says_to_freeze_them():
    search = GridSearchCV(model(), {"init": [model().fit(X)]}, cv=2)
    with pytest.raises(ValueError, match=HOW):
        search.fit(X)


@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
@pytest.mark.parametrize("init", [model(), SklearnLDA(K), FrozenEstimator(model())])
def test_an_unfitted_model_as_init_is_refused_and_changes_nothing(init, method):
    lda = model(learning_method=method).fit(X)
    before = lda.components_.copy()
    for call in (lda.set_params(init=init).fit, clone(lda).fit, model(init=init).partial_fit):
        with pytest.raises(ValueError, match=HOW):
            call(X)
    np.testing.assert_array_equal(lda.components_, before)


# Batches


@pytest.mark.parametrize("batches", [[X[:20], X[20:]], (X[:20], X[20:]), iter([X])])
def test_fit_transform_refuses_batches_before_it_fits(batches, monkeypatch):
    lda = model(learning_method="online")
    monkeypatch.setattr(LatentDirichletAllocation, "fit", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(TypeError, match="X comes in batches, which only `fit` accepts"):
        lda.fit_transform(batches)


# Documents without words


def test_a_partial_fit_to_empty_documents_says_what_it_does():
    lda, empty = model().fit(X), np.zeros((5, V))
    before = lda.topics_
    with pytest.warns(UserWarning, match="each step moves the topics towards their prior"):
        lda.partial_fit(empty)
    assert 0 < np.abs(lda.topics_ - before).max() < np.abs(before - 1 / V).max()


@pytest.mark.parametrize("parameters", [{}, {"learning_method": "memoized"}, {"inference": "cvb0"}])
def test_a_fit_to_empty_documents_ends_at_the_prior_as_it_says(parameters):
    with pytest.warns(UserWarning, match="the topics will equal their prior"):
        lda = model(topic_word_prior=0.5, **parameters).fit(np.zeros((5, V)))
    np.testing.assert_allclose(lda.components_, 0.5)


def test_warnings_of_empty_documents_point_at_the_call():
    for call in (model().fit, model(learning_method="online").fit, model().partial_fit, model().fit(X).partial_fit):
        with pytest.warns(UserWarning, match="X holds no counts") as caught:
            call(np.zeros((5, V)))
        assert caught[0].filename == __file__


# A vocabulary that has grown

NAMES = np.array([f"w{w}" for w in range(V)])


def frame(columns, rows=slice(None)):
    """Return documents as a frame with some of the columns, in the order given."""
    return pd.DataFrame(X[rows][:, columns], columns=NAMES[columns])


@pytest.fixture
def grown():
    """A model that first saw 20 words, then all of them."""
    return model(new_words="add").partial_fit(frame(np.arange(20))).partial_fit(frame(np.arange(V)))


READ = ("transform", "score", "perplexity")


@pytest.mark.parametrize("name", READ)
def test_a_frame_without_a_word_that_was_added_is_read_as_without_its_counts(grown, name):
    without = X.copy()
    without[:, 20:] = 0
    expected = getattr(grown, name)(pd.DataFrame(without, columns=NAMES))
    np.testing.assert_array_equal(getattr(grown, name)(frame(np.arange(20))), expected)


@pytest.mark.parametrize("name", READ)
def test_a_frame_is_read_by_name_in_any_order(grown, name):
    expected = getattr(grown, name)(frame(np.arange(V)))
    order = np.random.default_rng(0).permutation(V)
    np.testing.assert_array_equal(getattr(grown, name)(frame(order)), expected)


def test_word_topics_come_in_the_order_of_the_columns_of_x(grown):
    order = np.random.default_rng(0).permutation(V)[:-3]
    counts, phi = X[:, order], grown.word_topics(frame(order))
    of_word = np.zeros((len(X), V, K))
    inside = X.copy()
    inside[:, np.setdiff1d(np.arange(V), order)] = 0
    of_word[np.nonzero(inside)] = grown.word_topics(pd.DataFrame(inside, columns=NAMES))
    documents, columns = np.nonzero(counts)
    np.testing.assert_array_equal(phi, of_word[documents, order[columns]])


@pytest.mark.parametrize("name", [*READ, "word_topics"])
def test_a_frame_with_a_word_that_the_model_does_not_know_is_refused_by_name(grown, name):
    with pytest.raises(ValueError, match="1 columns that the model does not know, such as 'other': leave them out"):
        getattr(grown, name)(frame(np.arange(V)).assign(other=1.0))


@pytest.mark.parametrize("name", READ)
def test_a_model_whose_vocabulary_is_fixed_refuses_other_columns(name):
    lda = model().fit(frame(np.arange(V)))
    for columns in (np.arange(V - 1), np.arange(V)[::-1]):
        with pytest.raises(ValueError, match="feature names"):
            getattr(lda, name)(frame(columns))


def test_columns_without_names_are_those_of_the_model():
    lda = model(new_words="add").partial_fit(X[:, :20]).partial_fit(X)
    with pytest.raises(ValueError, match=f"X has 20 features, but .* is expecting {V} features"):
        lda.transform(X[:, :20])


# Score


def test_the_score_of_scikit_learn_has_the_term_of_the_topics_in_addition():
    documents = np.array([[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]])
    theirs = SklearnLDA(2, random_state=0, max_iter=50, max_doc_update_iter=1000, mean_change_tol=1e-10).fit(documents)
    ours = LatentDirichletAllocation(
        2, doc_topic_prior=None, topic_word_prior=None, dtype="float64", mean_change_tol=1e-12, max_doc_update_iter=1000
    ).fit(documents)
    ours.components_ = theirs.components_
    of_topics = [scored.score(np.vstack([documents] * 2)) for scored in (ours, theirs)]
    np.testing.assert_allclose(of_topics[0], 2 * ours.score(documents))
    term = theirs.score(documents) - ours.score(documents)
    assert term < -1
    np.testing.assert_allclose(of_topics[1] - of_topics[0], term, rtol=1e-6)


# Interrupts


@pytest.mark.parametrize("parameters", [{"inference": "cvb0"}, {"init": "cvb0"}])
def test_an_interrupt_in_a_collapsed_pass_leaves_a_model_without_a_bound(parameters):
    def interrupt(record):
        if record.phase == "collapsed":
            raise KeyboardInterrupt

    lda = model(callbacks=interrupt, max_iter=20, **parameters)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(X)
    assert np.isnan(lda.elbo_)
    assert not lda.converged_
    assert np.isfinite(lda.components_).all()
    assert np.isfinite(lda.score(X))
    assert np.isfinite(lda.bound_)
