"""Merging, removing and splitting topics of a fitted model."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ldavi import LatentDirichletAllocation, infer, io
from ldavi.metrics import match_topics

K, V = 5, 40


def planted(seed=0, n_docs=150):
    rng = np.random.default_rng(seed)
    topics, theta = rng.dirichlet(np.full(V, 0.1), K), rng.dirichlet(np.full(K, 0.2), n_docs)
    return topics, np.array([rng.multinomial(60, p) for p in theta @ topics])


TOPICS, X = planted()
FAST = {"n_collapsed_iter": 0, "max_iter": 12, "tol": None, "random_state": 0}
PRIORS = {
    "learned": {},
    "numbers": {"doc_topic_prior": 0.2, "topic_word_prior": 0.1},
    "defaults of scikit-learn": {"doc_topic_prior": None, "topic_word_prior": None},
    "arrays": {
        "doc_topic_prior": np.linspace(0.1, 0.5, K),
        "topic_word_prior": np.linspace(0.05, 0.4, K * V).reshape(K, V),
    },
    "of words": {"topic_word_prior": np.linspace(0.05, 0.2, V)},
    "seed words": {"seed_words": {1: [0, 3], 4: [3, 5], 2: [7]}},
    "point estimates": {"topic_word_prior": 0},
}
EDITS = {
    "merge": lambda lda: lda.merge_topics([[3, 1]]),
    "merge two groups": lambda lda: lda.merge_topics([[4, 0], [2, 3]]),
    "merge three": lambda lda: lda.merge_topics([(1, 2, 4)]),
    "remove": lambda lda: lda.remove_topics([1, 3]),
    "split": lambda lda: lda.split_topic(2, X),
}
every_prior = pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
every_edit = pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)


def fitted(**parameters):
    return LatentDirichletAllocation(**{"n_components": K, "dtype": "float64"} | FAST | parameters).fit(X)


def state(lda):
    """Return everything of a model as text and bytes."""
    found = {name: repr(value) for name, value in vars(lda).items() if name != "_lambda"}
    return found, lda.components_.tobytes(), lda.transform(X).tobytes()


@every_prior
def test_merged_topics_have_the_sum_of_the_expected_counts(priors):
    lda = fitted(**priors)
    before = lda.components_ - np.broadcast_to(lda._priors.eta.T, (K, V))
    lda.merge_topics([[3, 1]])
    after = lda.components_ - np.broadcast_to(lda._priors.eta.T, (K - 1, V))
    np.testing.assert_allclose(after, [before[0], before[1] + before[3], before[2], before[4]], atol=1e-9)


def test_alpha_of_a_merged_topic_is_the_sum():
    lda = fitted()
    before = lda.doc_topic_prior_
    np.testing.assert_allclose(
        lda.merge_topics([[3, 1]]).doc_topic_prior_, [before[0], before[1] + before[3], before[2], before[4]]
    )


@pytest.mark.parametrize("prior", [0, 0.1])
def test_the_score_of_a_merged_model_is_that_of_the_summed_topics(prior):
    lda = fitted(topic_word_prior=prior, doc_topic_prior=0.2)
    counts, alpha = lda.components_ - prior, np.full(K - 1, 0.2)
    counts[1] += counts[3]
    alpha[1] += 0.2
    reference = LatentDirichletAllocation(K - 1, doc_topic_prior=alpha, topic_word_prior=prior, dtype="float64", **FAST)
    reference.fit(X).components_ = np.delete(counts, 3, axis=0) + prior
    assert lda.merge_topics([[3, 1]]).score(X) == pytest.approx(reference.score(X), rel=1e-9)


def test_the_score_of_merged_point_estimates_is_that_of_inference_with_the_summed_topics():
    lda = fitted(topic_word_prior=0, doc_topic_prior=0.2, mean_change_tol=1e-6)
    weights, alpha = lda.components_.copy(), np.full(K - 1, 0.2)
    weights[1] += weights[3]
    alpha[1] += 0.2
    topics = np.delete(weights, 3, axis=0)
    expected = infer(X, topics / topics.sum(axis=1, keepdims=True), alpha, mean_change_tol=1e-6).bound.sum()
    assert lda.merge_topics([[3, 1]]).score(X) == pytest.approx(expected, rel=1e-6)


def test_merging_identical_topics_keeps_the_topic_and_adds_its_proportions():
    lda = fitted(doc_topic_prior=0.2, topic_word_prior=0.05)
    both = np.vstack([lda.components_, lda.components_[2:3]])
    twice = LatentDirichletAllocation(
        K + 1, doc_topic_prior=0.2, topic_word_prior=0.05, dtype="float64", mean_change_tol=1e-9, **FAST
    ).fit(X)
    twice.components_ = both
    before, topic = twice.transform(X), twice.topics_[2]
    twice.merge_topics([[2, 5]])
    np.testing.assert_allclose(twice.topics_[2], topic, atol=2e-3)
    np.testing.assert_allclose(twice.transform(X)[:, 2], before[:, 2] + before[:, 5], atol=0.05)


@every_prior
def test_removed_topics_leave_the_others_as_they_are(priors):
    lda = fitted(**priors)
    lam, alpha = lda.components_, lda._priors.alpha
    lda.remove_topics([1, 3])
    np.testing.assert_array_equal(lda.components_, lam[[0, 2, 4]])
    np.testing.assert_array_equal(lda._priors.alpha, alpha[[0, 2, 4]])


@every_prior
def test_merging_the_parts_of_a_split_topic_restores_it(priors):
    lda = fitted(**priors)
    lam, alpha = lda.components_, lda._priors.alpha
    lda.split_topic(2, X).merge_topics([[2, K]])
    np.testing.assert_allclose(lda.components_, lam, rtol=1e-9)
    np.testing.assert_allclose(lda._priors.alpha, alpha)


def test_splitting_two_merged_topics_finds_them_again():
    lda = fitted()
    both = lda.topics_[[1, 3]]
    lda.merge_topics([[1, 3]]).split_topic(1, X)
    assert match_topics(both, lda.topics_[[1, K - 1]]).similarity.min() > 0.8


def test_the_parts_of_a_split_topic_are_the_first_with_its_number_and_the_last():
    lda = fitted()
    others = np.delete(lda.components_, 2, axis=0)
    lda.split_topic(2, X)
    np.testing.assert_array_equal(np.delete(lda.components_, [2, K], axis=0), others)


@every_prior
@every_edit
def test_an_edited_model_is_consistent(edit, priors):
    lda = edit(fitted(**priors))
    n_topics = lda.n_components
    assert lda.components_.shape == lda.topics_.shape == lda.exp_dirichlet_component_.shape == (n_topics, V)
    np.testing.assert_allclose(lda.topics_.sum(axis=1), 1)
    np.testing.assert_allclose(lda.transform(X).sum(axis=1), 1)
    assert np.shape(lda.doc_topic_prior_) in {(), (n_topics,)}
    np.testing.assert_array_equal(lda._priors.alpha, np.broadcast_to(lda.doc_topic_prior_, n_topics))
    assert len(lda.get_feature_names_out()) == n_topics
    assert np.isfinite(lda.score(X))


@every_prior
@every_edit
def test_a_refit_from_the_edited_topics_has_a_higher_score(edit, priors):
    lda = edit(fitted(**priors)).set_params(warm_start=True)
    before, n_topics = lda.score(X), lda.n_components
    assert lda.fit(X).score(X) > before
    assert lda.components_.shape == (n_topics, V)


def test_a_warm_start_begins_at_the_edited_topics():
    lda = fitted().merge_topics([[0, 1]])
    topics = lda.topics_
    refitted = lda.set_params(warm_start=True, max_iter=1).fit(X)
    assert match_topics(topics, refitted.topics_).pairs[:, 1].tolist() == list(range(K - 1))


@every_prior
@every_edit
def test_online_steps_continue_from_the_edited_topics(edit, priors):
    lda = edit(fitted(**priors))
    n_topics, steps = lda.n_components, lda.n_batch_iter_
    lda.partial_fit(X[:20])
    assert lda.components_.shape == (n_topics, V)
    assert lda.n_batch_iter_ == steps + 1


@every_prior
@every_edit
def test_a_clone_of_an_edited_model_fits_from_scratch(edit, priors):
    lda = edit(fitted(**priors))
    assert clone(lda).fit(X).components_.shape == lda.components_.shape


@every_edit
def test_an_edited_model_is_saved_and_loaded(edit, tmp_path):
    lda = edit(fitted(**PRIORS["seed words"]))
    io.save(lda, tmp_path / "model.ldavi")
    loaded = io.load(tmp_path / "model.ldavi")
    np.testing.assert_array_equal(loaded.transform(X), lda.transform(X))
    assert loaded.n_components == lda.n_components


@pytest.mark.parametrize("parameters", [*PRIORS.values(), {"init": TOPICS}])
def test_parameters_of_an_edited_model_are_saved_and_loaded(parameters, tmp_path):
    lda = fitted(**parameters).split_topic(2, X).merge_topics([[0, 1]])
    io.save(lda, tmp_path / "model.ldavi")
    loaded = io.load(tmp_path / "model.ldavi")
    np.testing.assert_array_equal(loaded.transform(X), lda.transform(X))
    assert loaded.fit(X).components_.shape == (K, V)


def test_columns_of_a_split_are_matched_by_name():
    named = pd.DataFrame(X, columns=[f"w{j}" for j in range(V)])
    lda = LatentDirichletAllocation(K, new_words="add", **FAST).fit(named)
    other = copy.deepcopy(lda)
    one, two = lda.split_topic(2, named), other.split_topic(2, named.iloc[:, ::-1])
    np.testing.assert_array_equal(one.components_, two.components_)


@every_edit
def test_a_model_of_online_steps_is_edited(edit):
    lda = LatentDirichletAllocation(K, random_state=0).partial_fit(X)
    tokens = lda.components_.sum() - lda.topic_word_prior_ * K * V
    edit_of_tokens = edit(lda)
    if edit is not EDITS["remove"]:  # removed topics take their tokens with them
        left = edit_of_tokens.components_.sum() - lda.topic_word_prior_ * lda.n_components * V
        assert left == pytest.approx(tokens, rel=1e-4)
    assert edit_of_tokens.partial_fit(X).components_.shape == (lda.n_components, V)


@every_edit
def test_what_describes_the_fit_is_deleted_and_what_counts_documents_stays(edit):
    lda = fitted()
    counters = lda.n_iter_, lda.n_batch_iter_, lda.n_samples_seen_, lda.n_features_in_
    edit(lda)
    for name in ("elbo_", "bound_", "elbo_trace_", "converged_"):
        assert not hasattr(lda, name)
    assert (lda.n_iter_, lda.n_batch_iter_, lda.n_samples_seen_, lda.n_features_in_) == counters


@every_edit
def test_editing_returns_the_estimator_itself(edit):
    lda = fitted()
    assert edit(lda) is lda


@every_edit
def test_editing_a_copy_leaves_the_original_as_it_is(edit):
    lda = fitted()
    before = state(lda)
    edit(copy.copy(lda))
    assert state(lda) == before


@every_edit
def test_float32_stays_float32(edit):
    assert edit(fitted(dtype="float32")).components_.dtype == np.float32


@every_edit
def test_an_array_of_topics_keeps_its_values_when_topics_are_edited(edit):
    lda = fitted()
    seen = lda.components_
    before = seen.copy()
    edit(lda)
    np.testing.assert_array_equal(seen, before)


def test_editing_commutes_with_a_permutation_of_the_topics():
    order = [2, 4, 1, 0, 3]
    lda = fitted(doc_topic_prior=0.1, topic_word_prior=0.05)
    permuted = copy.deepcopy(lda)
    permuted.components_ = lda.components_[order]
    lda.merge_topics([[1, 4]])
    permuted.merge_topics([[1, 2]])  # where the two topics are now
    assert permuted.score(X) == pytest.approx(lda.score(X), rel=1e-6)
    assert sorted(permuted.components_.sum(axis=1)) == pytest.approx(sorted(lda.components_.sum(axis=1)))


def test_a_split_does_not_depend_on_the_order_of_the_documents():
    lda = fitted().merge_topics([[1, 3]])
    one, two = copy.deepcopy(lda).split_topic(1, X), lda.split_topic(1, X[::-1])
    assert match_topics(one.topics_, two.topics_).mean > 0.98


def test_seed_words_are_renumbered_and_united():
    lda = fitted(**PRIORS["seed words"])
    assert lda.merge_topics([[1, 4]]).seed_words == {1: [0, 3, 5], 2: [7]}
    assert lda.remove_topics([0]).seed_words == {0: [0, 3, 5], 1: [7]}


def test_seed_words_in_two_merged_topics_have_their_pseudo_counts_once():
    lda = fitted(**PRIORS["seed words"])
    before = lda._priors.eta
    lda.merge_topics([[1, 4]])
    np.testing.assert_array_equal(lda._priors.eta[:, 1], np.maximum(before[:, 1], before[:, 4]))


def test_topics_given_as_init_follow_the_edit():
    lda = fitted(init=TOPICS).merge_topics([[1, 4]])
    assert lda.fit(X).components_.shape == (K - 1, V)


def test_names_of_topics_follow_the_edit():
    lda = fitted()
    lda.topic_names_ = ["a", "b", "c", "d", "e"]
    lda.merge_topics([[3, 1]])
    assert list(lda.topic_names_) == ["a", "b + d", "c", "e"]
    lda.remove_topics([0])
    assert list(lda.topic_names_) == ["b + d", "c", "e"]
    lda.split_topic(1, X)
    assert list(lda.topic_names_) == ["b + d", "c (1)", "e", "c (2)"]


def test_online_statistics_of_priors_start_anew():
    lda = LatentDirichletAllocation(K, random_state=0).partial_fit(X)
    lda.merge_topics([[0, 1]]).partial_fit(X)
    assert lda._mean_log_theta is None or lda._mean_log_theta.shape == (K - 1,)


@every_edit
def test_a_model_for_dask_is_edited_like_one_in_memory(edit):
    dask = pytest.importorskip("ldavi.dask")
    lda = fitted()
    other = dask.LatentDirichletAllocation(**lda.get_params(deep=False))
    vars(other).update({name: value for name, value in vars(lda).items() if name not in lda.get_params()})
    other._lambda = lda._lambda.snapshot()
    assert isinstance(edit(copy.copy(other)), dask.LatentDirichletAllocation)
    np.testing.assert_array_equal(edit(copy.copy(other)).components_, edit(copy.copy(lda)).components_)


INVALID = {
    "a flat list": (lambda lda: lda.merge_topics([3, 1]), TypeError, r"groups=\[3, 1\] must be a list of lists"),
    "text": (lambda lda: lda.merge_topics("31"), TypeError, "list of lists"),
    "no group": (lambda lda: lda.merge_topics([]), ValueError, "empty"),
    "a group of one": (lambda lda: lda.merge_topics([[1]]), ValueError, "two topics at least"),
    "twice in a group": (lambda lda: lda.merge_topics([[1, 1]]), ValueError, "repetition"),
    "in two groups": (lambda lda: lda.merge_topics([[1, 2], [2, 3]]), ValueError, "repetition"),
    "no such topic": (lambda lda: lda.merge_topics([[1, 5]]), ValueError, "from 0 to 4"),
    "negative": (lambda lda: lda.remove_topics([-1]), ValueError, "from 0 to 4"),
    "a fraction": (lambda lda: lda.remove_topics([1.0]), TypeError, "no integer"),
    "a bool": (lambda lda: lda.remove_topics([True]), TypeError, "no integer"),
    "a number": (lambda lda: lda.remove_topics(1), TypeError, "as a list"),
    "all": (lambda lda: lda.remove_topics(range(5)), ValueError, "one remains"),
    "none": (lambda lda: lda.remove_topics([]), ValueError, "one remains"),
    "split of no topic": (lambda lda: lda.split_topic(5, X), ValueError, "from 0 to 4"),
    "split without words": (lambda lda: lda.split_topic(0, 0 * X), ValueError, "two at least"),
    "split of one word": (lambda lda: lda.split_topic(0, np.eye(V, dtype=int)[[3] * 9]), ValueError, "topic=0"),
    "split of other words": (lambda lda: lda.split_topic(0, X[:, 1:]), ValueError, "features"),
    "split of negative counts": (lambda lda: lda.split_topic(0, -X), ValueError, "[Nn]egative"),
}


@pytest.mark.parametrize(("edit", "error", "message"), INVALID.values(), ids=INVALID)
def test_invalid_input_changes_nothing(edit, error, message):
    lda = fitted()
    before = state(lda)
    with pytest.raises(error, match=message):
        edit(lda)
    assert state(lda) == before
    assert np.isfinite(lda.elbo_)


@every_edit
def test_a_model_that_is_not_fitted_is_refused(edit):
    with pytest.raises(NotFittedError):
        edit(LatentDirichletAllocation(K))


@pytest.mark.parametrize(("topic", "error"), [(9, ValueError), (-1, ValueError), ("a", TypeError), (True, TypeError)])
def test_the_error_of_splitting_a_topic_that_does_not_exist_shows_what_was_given(topic, error):
    X = np.random.default_rng(0).integers(0, 3, (12, 6))
    model = LatentDirichletAllocation(2, max_iter=2, tol=None, random_state=0).fit(X)
    with pytest.raises(error, match=f"topic={topic!r} must be "):
        model.split_topic(topic, X)
    assert model.n_components == 2
