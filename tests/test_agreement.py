"""Matching of topics and stability over refits."""

import numpy as np
import pytest
import reference_metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, metrics

DISTANCES = ("hellinger", "jensen_shannon", "jaccard", "cosine")
SEEDS = st.integers(0, 10**6)
X = np.random.default_rng(0).poisson(1.0, (12, 9)) + np.eye(12, 9, dtype=int)


def random_topics(seed, n_topics=4, n_words=12):
    return np.random.default_rng(seed).dirichlet(np.full(n_words, 0.4), n_topics)


def quick(n_topics=3, **parameters):
    return LatentDirichletAllocation(n_topics, max_iter=5, tol=None, **parameters)


# Matching


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_a_model_and_its_permutation_match_with_exactly_one(distance, seed):
    topics = random_topics(seed, n_topics=6, n_words=30)
    order = np.random.default_rng(seed).permutation(6)
    matching = metrics.match_topics(topics, topics[order], distance)
    assert (matching.similarity == 1).all()
    assert matching.mean == 1
    np.testing.assert_array_equal(topics, topics[order][matching.pairs[:, 1]])


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, n_words=st.integers(1, 12))
def test_the_matching_is_the_best_of_all(distance, seed, n_words):
    a, b = random_topics(seed, 3), random_topics(seed + 1, 4)
    expected = reference.best_matching(a.tolist(), b.tolist(), distance, n_words)
    assert metrics.match_topics(a, b, distance, n_words).mean == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_similarity_of_each_pair_is_that_of_its_definition(distance, seed):
    a, b = random_topics(seed), random_topics(seed + 1)
    matching = metrics.match_topics(a, b, distance, 5)
    expected = [reference.similarity(a[i].tolist(), b[j].tolist(), distance, 5) for i, j in matching.pairs]
    np.testing.assert_allclose(matching.similarity, expected, atol=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
def test_disjoint_topics_have_a_similarity_of_zero(distance):
    a, b = np.eye(4)[:2], np.eye(4)[2:]
    np.testing.assert_allclose(metrics.match_topics(a, b, distance, 1).similarity, [0, 0], atol=1e-15)


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_order_of_models_topics_and_words_does_not_matter(distance, seed):
    rng = np.random.default_rng(seed)
    a, b = random_topics(seed, 3), random_topics(seed + 1, 5)
    words = rng.permutation(12)
    matching = metrics.match_topics(a, b, distance, 4)
    permuted = metrics.match_topics(b[rng.permutation(5)][:, words], a[rng.permutation(3)][:, words], distance, 4)
    assert permuted.mean == pytest.approx(matching.mean, abs=1e-12)


@pytest.mark.parametrize("distance", DISTANCES)
def test_scale_of_a_topic_does_not_matter(distance):
    a = random_topics(3)
    scaled = a * np.array([[0.3], [7.0], [1e6], [1e-6]])
    np.testing.assert_allclose(metrics.match_topics(a, scaled, distance).similarity, 1, atol=1e-14)


@pytest.mark.parametrize("distance", DISTANCES)
def test_models_of_different_sizes_match_as_many_topics_as_the_smaller_has(distance):
    large = random_topics(4, 5)
    small = large[[4, 1]]
    forth, back = metrics.match_topics(small, large, distance), metrics.match_topics(large, small, distance)
    assert forth.pairs.tolist() == [[0, 4], [1, 1]]
    assert back.pairs.tolist() == [[1, 1], [4, 0]]
    assert forth.mean == back.mean == 1


def test_estimators_of_three_libraries_can_be_matched():
    model, other = quick(random_state=0).fit(X), ScikitLearnLDA(3, random_state=0).fit(X)
    factors = NMF(2, random_state=0, init="random").fit(X)
    assert metrics.match_topics(model, model.topics_).mean == pytest.approx(1, abs=1e-6)
    assert 0 < metrics.match_topics(model, other).mean < 1
    assert metrics.match_topics(factors, other).pairs.shape == (2, 2)


# Stability


@pytest.mark.parametrize("distance", DISTANCES)
def test_identical_models_are_perfectly_stable(distance):
    topics = random_topics(5)
    result = metrics.stability([topics, topics[::-1], topics[[2, 0, 3, 1]]], distance)
    assert result.mean == 1
    np.testing.assert_array_equal(result.topics, np.ones(4))
    np.testing.assert_array_equal(result.pairwise, np.ones((3, 3)))


def test_stability_is_the_mean_matching_of_all_pairs_and_of_each_topic_of_the_first():
    models = [random_topics(seed) for seed in range(3)]
    result = metrics.stability(models)
    matchings = {(i, j): metrics.match_topics(models[i], models[j]) for i, j in [(0, 1), (0, 2), (1, 2)]}
    assert result.mean == pytest.approx(np.mean([matching.mean for matching in matchings.values()]))
    expected = (matchings[0, 1].similarity + matchings[0, 2].similarity) / 2
    np.testing.assert_allclose(result.topics, expected)
    assert result.pairwise[2, 1] == result.pairwise[1, 2] == matchings[1, 2].mean


def test_a_topic_without_a_partner_in_a_smaller_model_counts_as_zero_there():
    large = random_topics(6, 3)
    np.testing.assert_array_equal(metrics.stability([large, large[:2], large]).topics, [1, 1, 0.5])


def test_order_of_models_changes_only_the_order_of_the_table():
    models = [random_topics(seed) for seed in range(4)]
    result, turned = metrics.stability(models), metrics.stability(models[::-1])
    assert turned.mean == pytest.approx(result.mean)
    np.testing.assert_allclose(turned.pairwise, result.pairwise[::-1, ::-1])


# Refits


@pytest.mark.parametrize("sample", ["seeds", "bootstrap"])
@pytest.mark.parametrize("estimator", [quick(), ScikitLearnLDA(3), NMF(2, init="random", max_iter=2000)])
def test_refits_do_not_change_the_estimator_and_are_reproducible(estimator, sample):
    first = metrics.stability_over(estimator, X, n_refits=2, sample=sample, random_state=0)
    again = metrics.stability_over(estimator, X, n_refits=2, sample=sample, random_state=0)
    assert not hasattr(estimator, "components_")
    assert first.mean == again.mean
    assert len(first.models) == 3
    assert 0 < first.mean <= 1


def test_refits_over_seeds_have_different_seeds_and_the_same_documents():
    models = metrics.stability_over(quick(), X, n_refits=2, random_state=1).models
    assert len({model.random_state for model in models}) == 3
    for model in models:
        np.testing.assert_array_equal(quick(random_state=model.random_state).fit(X).components_, model.components_)


def test_refits_over_bootstrap_samples_have_one_seed_and_resampled_documents():
    models = metrics.stability_over(quick(), X, n_refits=2, sample="bootstrap", random_state=1).models
    assert len({model.random_state for model in models}) == 1
    same = [np.array_equal(quick(random_state=m.random_state).fit(X).components_, m.components_) for m in models]
    assert same == [True, False, False]


def test_bootstrap_samples_hold_whole_documents_of_x():
    class Recorder(LatentDirichletAllocation):
        def fit(self, X, y=None, sample_weight=None):
            self.seen = X
            return super().fit(X)

    models = metrics.stability_over(Recorder(2, max_iter=2, tol=None), X, n_refits=2, sample="bootstrap").models
    rows = {tuple(row) for row in X}
    for model in models[1:]:
        assert model.seen.shape == X.shape
        assert {tuple(row) for row in model.seen} < rows


@pytest.mark.parametrize("form", [np.ndarray.tolist, sparse.csr_array, sparse.coo_matrix, "DataFrame"])
def test_form_of_documents_does_not_matter(form):
    if form == "DataFrame":
        form = pytest.importorskip("pandas").DataFrame
    expected = metrics.stability_over(quick(), X, n_refits=1, sample="bootstrap", random_state=0).mean
    assert metrics.stability_over(quick(), form(X), n_refits=1, sample="bootstrap", random_state=0).mean == expected


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: metrics.match_topics(t, t, "euclid"), ValueError, "distance='euclid' must be one of"),
        (lambda t: metrics.match_topics(t, t, n_words=0), ValueError, "n_words=0"),
        (lambda t: metrics.match_topics(t, t[:, :5]), ValueError, "one model has 12 words and the other 5"),
        (lambda t: metrics.stability([t]), ValueError, "models holds 1"),
        (lambda t: metrics.stability_over(quick(), X, sample="jackknife"), ValueError, "sample='jackknife'"),
        (lambda t: metrics.stability_over(quick(), X, n_refits=0), ValueError, "n_refits=0"),
        (lambda t: metrics.stability_over(quick(), X, n_refits="many"), TypeError, "n_refits='many'"),
    ],
)
def test_invalid_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(random_topics(0))


def test_an_estimator_without_a_seed_is_refused():
    from sklearn.preprocessing import StandardScaler

    with pytest.raises(ValueError, match="no parameter random_state"):
        metrics.stability_over(StandardScaler(), X)
