"""Topics that recur in many fits, their consensus, and McDonald's omega."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import NMF

from ldavi import LatentDirichletAllocation
from ldavi.metrics import match_topics, omega
from ldavi.metrics._omega import centroid_loadings, factor_variances
from ldavi.selection import ensemble
from ldavi.selection._ensemble import cluster_fits

K, V = 4, 60
RNG = np.random.default_rng(0)
TOPICS = RNG.dirichlet(np.full(V, 0.05), K)
X = np.array([RNG.multinomial(80, p) for p in RNG.dirichlet(np.full(K, 0.2), 150) @ TOPICS])
FAST = LatentDirichletAllocation(K, n_collapsed_iter=0, max_iter=20, tol=None)


@pytest.fixture(scope="module")
def fits():
    return ensemble(X, estimator=FAST, n_fits=6, random_state=0)


def noisy(topics, noise, seed):
    rng = np.random.default_rng(seed)
    return topics[rng.permutation(len(topics))] + noise * rng.dirichlet(np.ones(topics.shape[1]), len(topics))


# Omega


def test_omega_is_1_for_equal_topics_in_any_order():
    found = omega([TOPICS, TOPICS[::-1], TOPICS[[2, 0, 1, 3]]])
    assert found.value == pytest.approx(1)
    assert found.single == pytest.approx(1)


def test_omega_of_a_planted_factor_model_is_its_formula():
    rng, loadings, errors = np.random.default_rng(0), np.array([1.0, 0.8, 1.2, 0.5]), np.array([0.5, 0.2, 1.0, 0.3])
    factor = rng.normal(size=100_000)
    measured = loadings[:, None] * factor + np.sqrt(errors)[:, None] * rng.normal(size=(4, 100_000))
    common, error = factor_variances(measured)
    expected = loadings.sum() ** 2 / (loadings.sum() ** 2 + errors.sum())
    assert common / (common + error) == pytest.approx(expected, abs=0.01)


def test_loadings_reproduce_covariances_of_one_factor_exactly():
    loadings = np.array([1.0, 0.8, 1.2, 0.5])
    covariance = np.outer(loadings, loadings) + np.diag([0.5, 0.2, 1.0, 0.3])
    np.testing.assert_allclose(centroid_loadings(covariance), loadings, rtol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_loadings_satisfy_the_equations_of_the_centroid_method(n):
    rng = np.random.default_rng(n)
    factor = rng.normal(size=200)
    covariance = np.cov(factor + 0.7 * rng.normal(size=(n, 200)))
    loadings = centroid_loadings(covariance)
    with_others = loadings * (loadings.sum() - loadings)
    np.testing.assert_allclose(with_others, covariance.sum(axis=1) - np.diag(covariance), rtol=1e-6)


def test_omega_of_independent_measurements_is_small():
    common, error = factor_variances(np.random.default_rng(0).normal(size=(4, 50_000)))
    assert common / (common + error) < 0.05


def test_omega_falls_with_noise():
    values = [omega([noisy(TOPICS, noise, seed) for seed in range(5)]).value for noise in (0.0, 2.0, 20.0)]
    assert values[0] > values[1] > values[2]


def test_the_reliability_of_one_fit_follows_by_spearman_brown():
    found = omega([noisy(TOPICS, 5.0, seed) for seed in range(5)])
    assert found.value == pytest.approx(5 * found.single / (1 + 4 * found.single))
    assert found.single < found.value


def test_omega_does_not_depend_on_the_order_of_models_and_topics():
    models = [noisy(TOPICS, 3.0, seed) for seed in range(5)]
    permuted = [model[::-1] for model in models[::-1]]
    assert omega(permuted).value == pytest.approx(omega(models).value)
    assert sorted(omega(permuted).topics) == pytest.approx(sorted(omega(models).topics))


def test_omega_over_documents_uses_their_proportions(fits):
    found = omega(fits.models, X)
    assert 0.9 < found.value <= 1
    assert found.value != omega(fits.models).value


@pytest.mark.parametrize(
    ("models", "message"), [([TOPICS], "holds 1"), ([TOPICS, TOPICS[1:]], "same number of topics")]
)
def test_models_that_cannot_be_compared_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        omega(models)


# Ensembles


def test_planted_topics_recur_in_all_fits(fits):
    assert match_topics(fits.topics[:K], TOPICS).similarity.min() > 0.8
    np.testing.assert_array_equal(fits.share[:K], 1)


def test_two_topics_of_a_fit_are_never_one(fits):
    for own in ensemble(X, estimator=FAST, n_fits=4, max_distance=1.0, random_state=0).labels:
        assert len(set(own)) == K


def test_a_topic_of_one_fit_only_has_the_share_of_one_fit():
    other = np.vstack([TOPICS[:3], np.roll(TOPICS[3:], 30)])
    found = cluster_fits([TOPICS, TOPICS[::-1], other], 0.3)
    assert found.share.tolist() == pytest.approx([1, 1, 1, 2 / 3, 1 / 3])


def test_clusters_do_not_depend_on_the_order_of_the_topics():
    models = [noisy(TOPICS, 0.1, seed) for seed in range(5)]
    one, other = cluster_fits(models, 0.5), cluster_fits([model[::-1] for model in models], 0.5)
    assert match_topics(one.topics, other.topics).mean == pytest.approx(1)
    np.testing.assert_array_equal(one.share, other.share)


def test_the_mean_of_a_cluster_is_that_of_its_members(fits):
    members = [model.topics_[own == 0] for model, own in zip(fits.models, fits.labels, strict=True)]
    np.testing.assert_allclose(fits.topics[0], np.vstack(members).mean(axis=0), rtol=1e-5)


def test_the_table_has_the_share_and_the_most_typical_member(fits):
    row = fits.table.iloc[0]
    assert fits.labels[int(row["fit"]), int(row["model_topic"])] == 0
    assert row["n_fits"] == 6


@pytest.mark.parametrize("sample", ["bootstrap", "half", "seeds"])
def test_the_same_seed_gives_the_same_ensemble_for_any_number_of_jobs(sample):
    one = ensemble(X, estimator=FAST, n_fits=3, sample=sample, random_state=1)
    other = ensemble(X, estimator=FAST, n_fits=3, sample=sample, random_state=1, n_jobs=2)
    np.testing.assert_array_equal(one.topics, other.topics)


def test_documents_may_be_sparse(fits):
    found = ensemble(sparse.csr_array(X), estimator=FAST, n_fits=6, random_state=0)
    np.testing.assert_array_equal(found.topics, fits.topics)


def test_the_estimator_is_left_unfitted():
    assert not hasattr(FAST, "topics_")


def test_the_consensus_has_the_topics_that_recur(fits):
    consensus = fits.consensus(min_share=0.9)
    chosen = fits.share >= 0.9
    assert consensus.n_components == chosen.sum()
    assert match_topics(consensus, fits.topics[chosen]).pairs[:, 1].tolist() == list(range(chosen.sum()))
    assert match_topics(consensus, TOPICS).similarity.min() > 0.8


def test_the_consensus_is_a_fitted_model_that_a_warm_start_continues(fits):
    consensus = fits.consensus()
    before = consensus.score(X)
    assert np.isfinite(before)
    assert consensus.set_params(warm_start=True).fit(X).score(X) >= before
    assert consensus.doc_topic_prior == "auto"


def test_the_consensus_of_equal_fits_is_each_of_them():
    found = ensemble(X, estimator=FAST, n_fits=3, sample="seeds", random_state=0)
    consensus, (first, *_) = found.consensus(), found.models
    assert match_topics(consensus, first).mean == pytest.approx(1, abs=1e-3)
    assert consensus.score(X) == pytest.approx(first.score(X), rel=1e-4)


def test_other_estimators_have_recurring_topics_and_no_consensus():
    found = ensemble(X, estimator=NMF(K, init="random", max_iter=500), n_fits=3, random_state=0)
    assert found.share.max() == 1
    with pytest.raises(TypeError, match="the fits are NMF"):
        found.consensus()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_fits": 1}, ValueError, "n_fits=1"),
        ({"sample": "jackknife"}, ValueError, "sample='jackknife'"),
        ({"max_distance": 2}, ValueError, "max_distance=2"),
        ({"estimator": 3}, TypeError, "estimator=3"),
    ],
)
def test_invalid_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        ensemble(X, **parameters)


def test_a_share_that_no_topic_has_is_refused(fits):
    with pytest.raises(ValueError, match="min_share"):
        cluster_fits([np.eye(3)[:2], np.eye(3)[1:]], 0.1).consensus(min_share=1.01)


def test_documents_with_names_of_columns_are_fitted_and_transformed_without_a_warning():
    frame = pd.DataFrame(X, columns=[f"w{j}" for j in range(V)])
    found = ensemble(frame, estimator=FAST, n_fits=3, random_state=0)
    consensus = found.consensus()
    assert consensus.transform(frame).shape == (len(X), consensus.n_components)
    assert consensus.feature_names_in_[0] == "w0"
    assert omega(found.models, frame).value > 0.5
