"""Diversity, rank-biased overlap, exclusivity and FREX."""

import numpy as np
import pytest
import reference_metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, metrics

SEEDS = st.integers(0, 10**6)
MEASURES = {
    "diversity": lambda topics: metrics.topic_diversity(topics, 4),
    "inverted rbo": lambda topics: metrics.inverted_rbo(topics, 4),
    "exclusivity": lambda topics: metrics.exclusivity(topics, 4),
    "frex": metrics.frex,
}


def random_topics(seed, n_topics=4, n_words=12):
    return np.random.default_rng(seed).dirichlet(np.full(n_words, 0.5), n_topics)


def from_order(*rows):
    """Make topics with the given words, the most probable first."""
    topics = np.zeros((len(rows), 1 + max(max(row) for row in rows)))
    for topic, row in zip(topics, rows, strict=True):
        topic[list(row)] = np.arange(len(row), 0, -1)
    return topics


# Diversity


def test_diversity_is_the_share_of_distinct_first_words():
    assert metrics.topic_diversity(from_order([0, 1, 2, 3], [2, 1, 4, 5]), n_words=2) == 3 / 4
    assert metrics.topic_diversity(from_order([0, 1, 2, 3], [2, 1, 4, 5]), n_words=4) == 6 / 8


def test_diversity_of_one_topic_and_of_disjoint_topics_is_one_and_of_equal_topics_one_by_k():
    assert metrics.topic_diversity(from_order([0, 1]), 2) == 1
    assert metrics.topic_diversity(np.eye(3), 1) == 1
    assert metrics.topic_diversity(np.tile(random_topics(0)[0], (5, 1)), 6) == 1 / 5


def test_diversity_of_more_words_than_there_are_is_that_of_all():
    assert metrics.topic_diversity(random_topics(0, 4, 12), 25) == 1 / 4


# Rank-biased overlap


def test_overlap_of_two_lists_is_the_hand_computed_one():
    """(a b c) and (b a d): agreement 0, 1, 2/3, so RBO = 2/3 p³ + (1 − p) / p (p² + 2/3 p³) with p = 1/2."""
    p = 0.5
    overlap = 2 / 3 * p**3 + (p**2 + 2 / 3 * p**3)
    value = metrics.inverted_rbo(from_order([0, 1, 2], [1, 0, 3]), n_words=3, p=p)
    assert value == pytest.approx(1 - overlap, abs=1e-15)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n_words=st.integers(1, 12), p=st.floats(0.01, 0.99))
def test_inverted_rbo_is_the_mean_over_pairs_of_topics(seed, n_words, p):
    topics = random_topics(seed)
    lists = [reference.first_words(row, n_words) for row in topics]
    assert metrics.inverted_rbo(topics, n_words, p) == pytest.approx(reference.inverted_rbo(lists, p), abs=1e-12)


@pytest.mark.parametrize("n_words", [1, 2, 10])
@pytest.mark.parametrize("p", [0.1, 0.9, 0.999])
def test_inverted_rbo_is_0_for_equal_topics_and_1_for_disjoint_ones(n_words, p):
    assert metrics.inverted_rbo(np.tile(random_topics(1)[0], (3, 1)), n_words, p) == pytest.approx(0, abs=1e-15)
    disjoint = np.kron(np.eye(3), np.linspace(1, 2, 10))
    assert metrics.inverted_rbo(disjoint, n_words, p) == 1


# Exclusivity


def test_exclusivity_is_the_mean_share_of_the_first_words():
    topics = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]])
    np.testing.assert_allclose(metrics.exclusivity(topics, 2), [(5 / 6 + 1 / 2) / 2, (6 / 8 + 1 / 2) / 2])


def test_exclusivity_is_1_where_no_other_topic_has_the_words_and_one_by_k_where_all_have():
    np.testing.assert_array_equal(metrics.exclusivity(np.eye(3), 1), [1, 1, 1])
    np.testing.assert_allclose(metrics.exclusivity(np.ones((4, 6)), 3), np.full(4, 1 / 4))


def test_exclusivity_of_words_without_probability_is_one_by_k():
    np.testing.assert_array_equal(metrics.exclusivity([[1.0, 0.0], [1.0, 0.0]], 2), [0.5, 0.5])


# FREX


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, weight=st.floats(0, 1))
def test_frex_is_that_of_stm(seed, weight):
    topics = np.round(random_topics(seed), 2) + 0.01  # with ties
    topics /= topics.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(metrics.frex(topics, weight), reference.frex(topics.tolist(), weight), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_frex_with_word_counts_shrinks_exclusivity_as_stm_does(seed):
    topics = random_topics(seed)
    counts = np.random.default_rng(seed).integers(0, 50, 12)
    expected = reference.frex(topics.tolist(), 0.3, counts.tolist())
    np.testing.assert_allclose(metrics.frex(topics, 0.3, word_counts=counts), expected, rtol=1e-9)


def test_frex_of_words_with_equal_shares_ties_in_every_order_of_topics():
    weights = np.outer([0.1, 0.2, 0.3, 0.7], [0.1, 0.3, 0.7, 1.1, 1.3, 1.7])  # all shares are equal but for rounding
    topics = np.column_stack([weights, 6 - weights.sum(axis=1)])
    first, last = metrics.frex(topics, 0), metrics.frex(topics[::-1], 0)[::-1]
    np.testing.assert_array_equal(first, last)
    assert len(np.unique(first[0, :6])) == 1


def test_frex_at_either_end_of_the_weight_is_the_rank_of_frequency_or_of_exclusivity():
    topics = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    np.testing.assert_allclose(metrics.frex(topics, 1)[0], [1, 2 / 3, 1 / 3])
    np.testing.assert_allclose(metrics.frex(topics, 0)[1], [1 / 3, 2 / 3, 1])


def test_exclusivity_of_a_word_seen_once_is_shrunk_completely():
    topics = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.7, 0.0]])
    rare = metrics.frex(topics, 0, word_counts=[100, 100, 100, 1])[0]
    assert metrics.frex(topics, 0)[0, 3] == 1
    assert rare[3] == 2 / 4


# All


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize("estimator", [LatentDirichletAllocation, ScikitLearnLDA])
def test_an_estimator_gives_the_same_result_as_its_topics(measure, estimator):
    model = estimator(2, random_state=0).fit(np.array([[2, 0, 1, 4, 0], [0, 3, 1, 0, 2], [1, 1, 0, 5, 1]]))
    np.testing.assert_allclose(measure(model), measure(model.components_), rtol=1e-5)


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_order_of_topics_and_of_words_does_not_matter(name, seed):
    rng = np.random.default_rng(seed)
    topics = random_topics(seed)
    order, words = rng.permutation(4), rng.permutation(12)
    value, permuted = MEASURES[name](topics), MEASURES[name](topics[order][:, words])
    if name == "exclusivity":
        value = value[order]
    if name == "frex":
        value = value[order][:, words]
    np.testing.assert_allclose(permuted, value, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda topics: metrics.topic_diversity(topics, 0), ValueError, "n_words=0 must be an integer >= 1"),
        (lambda topics: metrics.inverted_rbo(topics[:1]), ValueError, "at least two"),
        (lambda topics: metrics.inverted_rbo(topics, p=1), ValueError, "p=1 must be below 1"),
        (lambda topics: metrics.inverted_rbo(topics, p=0), ValueError, "p=0"),
        (lambda topics: metrics.exclusivity(topics, True), TypeError, "n_words=True"),
        (lambda topics: metrics.frex(topics, 1.5), ValueError, r"weight=1\.5"),
        (lambda topics: metrics.frex(topics, word_counts=[1, 2]), ValueError, "word_counts has 2 entries"),
        (lambda topics: metrics.frex(topics, word_counts=[-1] * 12), ValueError, "word_counts holds -1"),
        (lambda topics: metrics.frex(-topics), ValueError, "not negative"),
    ],
)
def test_invalid_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(random_topics(0))
