"""Residual dispersion, posterior predictive checks, and mutual information of words and documents within topics."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ldavi import LatentDirichletAllocation
from ldavi._estimator.posterior import posterior_of, responsibilities_of
from ldavi.inspection import posterior_predictive_check, residual_dispersion, topic_checks, word_checks
from ldavi.inspection._token_draws import TokenCounts, _assign_tokens

K, V, D = 4, 80, 200
RNG = np.random.default_rng(0)
TOPICS = RNG.dirichlet(np.full(V, 0.1), K)


def draw(seed):
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(100, p) for p in rng.dirichlet(np.full(K, 0.2), D) @ TOPICS])


X, HELD_OUT = draw(1), draw(2)


@pytest.fixture(scope="module")
def models():
    return {k: LatentDirichletAllocation(k, random_state=0, tol=1e-4).fit(X) for k in (K - 1, K)}


def counts_of(table):
    """Return TokenCounts of an array of tokens, topics × groups × words."""
    cells = np.nonzero(table)
    return TokenCounts(cells, table[cells].astype(float), table.shape)


# Residuals


def test_residuals_of_one_cell_are_those_of_the_formula():
    topics, counts = np.array([[0.25, 0.75]]), np.array([[5, 15], [3, 1]])
    expected = counts.sum(axis=1, keepdims=True) * topics
    squared = (counts - expected) ** 2 / (expected * (1 - topics))
    found = residual_dispersion(topics, counts)
    assert found.df == 4 - 1  # cells less V − 1 parameters
    assert found.dispersion == pytest.approx(squared.sum() / 3)
    np.testing.assert_allclose(found.documents, squared.mean(axis=1))


def test_the_dispersion_exceeds_1_with_too_few_topics_only(models):
    assert residual_dispersion(models[K - 1], X).dispersion > 1.05
    assert residual_dispersion(models[K - 1], X).p_value < 0.01
    assert 0.9 < residual_dispersion(models[K], X).dispersion < 1.05
    assert residual_dispersion(models[K], X).p_value > 0.05


def test_known_parameters_have_a_dispersion_of_1():
    found = residual_dispersion(
        TOPICS.mean(axis=0, keepdims=True), np.random.default_rng(0).multinomial(300, TOPICS.mean(axis=0), size=500)
    )
    assert found.dispersion == pytest.approx(1, abs=0.03)


def test_the_dispersion_does_not_depend_on_the_order_of_documents_and_topics():
    found = residual_dispersion(TOPICS, X)
    assert residual_dispersion(TOPICS[::-1], X[::-1]).dispersion == pytest.approx(found.dispersion, rel=1e-6)


def test_a_model_with_more_parameters_than_cells_is_refused():
    with pytest.raises(ValueError, match=r"min_expected=0\.01"):
        residual_dispersion(TOPICS, X[:2])


@pytest.mark.parametrize("value", [0, -1, np.nan, "1"])
def test_invalid_thresholds_are_named(value):
    with pytest.raises((ValueError, TypeError), match="min_expected"):
        residual_dispersion(TOPICS, X, min_expected=value)


# Posterior predictive checks


def test_a_model_of_the_documents_passes_and_one_with_too_few_topics_fails(models):
    passes = posterior_predictive_check(models[K], HELD_OUT, random_state=0)
    fails = posterior_predictive_check(models[K - 1], HELD_OUT, random_state=0)
    assert np.abs(passes["deviance"]).max() < 4
    assert fails["deviance"][0] > 6
    assert fails["p_value"][0] == pytest.approx(1 / 21)


def test_documents_with_names_of_columns_are_checked_without_a_warning():
    frame = pd.DataFrame(X, columns=[f"w{j}" for j in range(V)])
    lda = LatentDirichletAllocation(K, random_state=0, max_iter=10, tol=None).fit(frame)
    for check in (posterior_predictive_check, topic_checks, word_checks):
        check(lda, frame, n_samples=2, random_state=0)
    assert residual_dispersion(lda, frame).dispersion > 0
    assert lda.feature_names_in_[0] == "w0"


def test_given_statistics_are_compared_too():
    rows = posterior_predictive_check(TOPICS, X, statistics={"tokens": lambda counts: counts.sum()}, random_state=0)
    assert list(rows["statistic"])[-1] == "tokens"
    assert rows["observed"].iloc[-1] == rows["expected"].iloc[-1] == X.sum()  # replicates have the same lengths


def test_the_same_seed_gives_the_same_table():
    one, other = (posterior_predictive_check(TOPICS, X, n_samples=3, random_state=5) for _ in range(2))
    assert one.equals(other)


def test_fractions_of_tokens_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        posterior_predictive_check(TOPICS, X + 0.5)


# Mutual information


def test_mutual_information_is_that_of_the_joint_distribution():
    table = np.random.default_rng(0).poisson(3.0, size=(2, 5, 7))
    joint = table / table.sum(axis=(1, 2), keepdims=True)
    independent = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
    terms = np.where(joint > 0, joint * np.log(np.where(joint > 0, joint, 1) / independent), 0)
    np.testing.assert_allclose(counts_of(table).mutual_information(), terms.sum(axis=(1, 2)), rtol=1e-9)


def test_mutual_information_is_the_mean_of_the_instantaneous_one_over_words():
    counts = counts_of(np.random.default_rng(0).poisson(1.0, size=(3, 5, 7)))
    weighted = np.nansum(counts.of_words * counts.instantaneous(), axis=1) / counts.totals
    np.testing.assert_allclose(weighted, counts.mutual_information(), rtol=1e-9)


def test_words_that_are_independent_of_documents_have_no_information():
    counts = counts_of(np.outer([1, 2, 3], [4, 0, 2])[None])
    assert counts.mutual_information()[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(counts.instantaneous()[0, 1])


def test_tokens_are_assigned_with_the_mean_of_the_responsibilities():
    counts = sparse.csr_array(np.array([[1, 7, 0, 2], [0, 1, 3, 1]]))
    topics = [[0.5, 0.2, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]]
    posterior = posterior_of(topics, counts, 0.5, "test")
    expected = counts.data[:, None] * responsibilities_of(topics, posterior)
    mean = np.zeros_like(expected)
    for entry, topic, n in _assign_tokens(np.random.default_rng(0), topics, posterior, 4000):
        np.add.at(mean, (entry, topic), n / 4000)
    np.testing.assert_allclose(mean.sum(axis=1), counts.data)
    np.testing.assert_allclose(mean, expected, atol=0.06)


def test_the_topic_that_mixes_two_planted_ones_is_found():
    mixed = np.vstack([TOPICS[:2], TOPICS[2:].mean(axis=0)])
    rows = topic_checks(mixed, X, random_state=0)
    assert rows["deviance"].argmax() == 2
    assert rows["deviance"][2] > 10
    assert rows["deviance"][:2].abs().max() < 5


def test_the_tokens_of_topics_are_those_of_the_documents():
    rows = topic_checks(TOPICS, X, n_samples=3, random_state=0)
    assert rows["tokens"].sum() == pytest.approx(X.sum())


def test_checks_follow_a_permutation_of_topics():
    mixed = np.vstack([TOPICS[:2], TOPICS[2:].mean(axis=0)])
    assert topic_checks(mixed[::-1], X[::-1], random_state=0)["deviance"].argmax() == 0


def test_groups_show_a_topic_whose_words_change_with_them():
    rng = np.random.default_rng(0)
    year = np.repeat([2001, 2002], 100)
    early, late = [0.5, 0.4, 0.1, 0.0], [0.5, 0.0, 0.1, 0.4]
    counts = np.array([rng.multinomial(50, early if label == 2001 else late) for label in year])
    rows = word_checks([[0.5, 0.2, 0.1, 0.2]], counts, groups=year, n_words=4, random_state=0)
    assert set(rows["word"][rows["deviance"] > 5]) == {"x1", "x3"}


def test_words_are_named():
    rows = word_checks(TOPICS, X, n_words=2, n_samples=2, feature_names=[f"w{j}" for j in range(V)], random_state=0)
    assert rows["word"][0] == f"w{TOPICS[0].argmax()}"
    assert len(rows) == 2 * K


@pytest.mark.parametrize("check", [topic_checks, word_checks])
def test_invalid_input_of_checks_is_named(check):
    with pytest.raises(ValueError, match="groups has shape"):
        check(TOPICS, X, groups=[1, 2])
    with pytest.raises(ValueError, match="n_samples=1"):
        check(TOPICS, X, n_samples=1)
