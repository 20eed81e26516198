"""Updates of Dirichlet priors: objectives never decrease, and updates end at stationary points. Section 19."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_memory
from scipy.optimize import approx_fprime
from scipy.special import gammaln, psi

from ldavi._core.limits import MAX_LEARNED_PRIOR, MIN_LEARNED_PRIOR
from ldavi._inference import dirichlet_priors
from ldavi._inference.dirichlet_priors import (
    GroupedCounts,
    fixed_point,
    group_counts,
    group_values,
)


def tokens_of(n):
    """Return counts of shape (draws, categories) as the draw and the category of each token."""
    draw, category = np.nonzero(n)
    times = n[draw, category].astype(int)
    return np.repeat(draw, times), np.repeat(category, times)


def sampled_counts(alpha, n_draws, length, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(length, rng.dirichlet(alpha)) for _ in range(n_draws)])


def reference_evidence(n, alpha, weight):
    """Return equation (19.1), draw by draw."""
    total = n.sum(axis=1)
    each = gammaln(alpha.sum()) - gammaln(alpha.sum() + total) + (gammaln(alpha + n) - gammaln(alpha)).sum(axis=1)
    return float(weight @ each)


def test_the_evidence_is_that_of_dirichlet_multinomials():
    n, alpha = sampled_counts([0.3, 1.0, 2.0], 30, 12), np.array([0.2, 0.5, 0.9])
    weight = np.linspace(0.5, 2, 30)
    counts = group_counts(*tokens_of(n), 3, weight)
    np.testing.assert_allclose(
        reference.dirichlet_multinomial_log_evidence(counts, alpha, 3), reference_evidence(n, alpha, weight)
    )


def symmetric_counts(n):
    """Return the counts of draws in rows, whose categories have the same prior."""
    return group_values(n.ravel(), np.ones(n.size, int), n.sum(axis=1))


def test_a_symmetric_prior_has_one_value_for_all_categories():
    n, weight = sampled_counts([0.3, 1.0, 2.0], 30, 12), np.ones(30)
    counts = symmetric_counts(n)
    np.testing.assert_allclose(
        reference.dirichlet_multinomial_log_evidence(counts, np.array([0.4]), 3),
        reference_evidence(n, np.full(3, 0.4), weight),
    )


def test_counts_with_a_symmetric_prior_are_grouped_over_categories():
    n = sampled_counts([0.1, 0.3, 2.0], 30, 12)
    n[3] = 0
    positive = n[n > 0]
    grouped = symmetric_counts(n)
    np.testing.assert_array_equal(grouped.value, np.unique(positive))
    np.testing.assert_array_equal(grouped.times, np.unique(positive, return_counts=True)[1])
    np.testing.assert_array_equal(grouped.total, [12])
    np.testing.assert_array_equal(grouped.total_times, [29])


@pytest.mark.parametrize("symmetric", [False, True])
def test_each_round_of_the_fixed_point_increases_the_evidence(symmetric, monkeypatch):
    monkeypatch.setattr(dirichlet_priors, "MAX_ROUNDS", 1)
    n = sampled_counts([0.1, 1.0, 3.0], 50, 20)
    counts = symmetric_counts(n) if symmetric else group_counts(*tokens_of(n), 3, np.ones(50))
    prior = np.full(1 if symmetric else 3, 7.0)
    values = []
    for _ in range(40):
        values.append(reference.dirichlet_multinomial_log_evidence(counts, prior, 3))
        prior = fixed_point(counts, prior, 3)
    assert (np.diff(values) > -1e-9).all()
    assert values[-1] > values[0] + 10


def test_the_fixed_point_ends_where_the_gradient_vanishes(monkeypatch):
    monkeypatch.setattr(dirichlet_priors, "MAX_ROUNDS", 5000)
    monkeypatch.setattr(dirichlet_priors, "TOLERANCE", 1e-10)
    counts = group_counts(*tokens_of(sampled_counts([0.1, 1.0, 3.0], 50, 20)), 3, np.ones(50))
    alpha = fixed_point(counts, np.ones(3), 3)
    gradient = approx_fprime(alpha, lambda x: reference.dirichlet_multinomial_log_evidence(counts, x, 3), 1e-6)
    assert np.abs(gradient).max() < 1e-3


def test_the_fixed_point_recovers_the_prior_of_the_counts():
    alpha = np.array([0.05, 0.2, 1.0, 0.4])
    counts = group_counts(*tokens_of(sampled_counts(alpha, 4000, 50)), 4, np.ones(4000))
    np.testing.assert_allclose(fixed_point(counts, np.ones(4), 4), alpha, rtol=0.1)


def test_a_weight_of_2_equals_two_draws():
    n = sampled_counts([0.3, 1.0], 20, 9)
    weighted = group_counts(*tokens_of(n), 2, np.full(20, 2.0))
    twice = group_counts(*tokens_of(np.vstack([n, n])), 2, np.ones(40))
    for found, expected in zip(weighted, twice, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_category_that_never_occurs_keeps_a_prior_above_zero():
    n = np.hstack([sampled_counts([1.0, 1.0], 30, 10), np.zeros((30, 1), int)])
    alpha = fixed_point(group_counts(*tokens_of(n), 3, np.ones(30)), np.full(3, 0.1), 3)
    assert alpha[2] == MIN_LEARNED_PRIOR


def test_a_prior_of_draws_that_are_all_alike_stops_at_the_upper_limit():
    n, limit = np.full((30, 3), 4), MAX_LEARNED_PRIOR
    alpha = np.full(3, 0.1)
    for _ in range(5):
        alpha = fixed_point(group_counts(*tokens_of(n), 3, np.ones(30)), alpha, 3)
    newton = dirichlet_priors.newton_alpha(np.full(3, 0.1), np.full(3, 30 * np.log(1 / 3)), 30.0)
    eta = 0.1
    for _ in range(1000):
        eta = dirichlet_priors.updated_eta(eta, dirichlet_priors.eta_statistics(eta, n.astype(float)), 30)
    assert alpha.max() <= limit
    np.testing.assert_array_equal(newton, limit)
    assert eta == limit


def test_the_prior_is_unchanged_without_counts():
    empty = np.zeros(0)
    counts = GroupedCounts(empty.astype(int), empty, empty, empty, empty)
    np.testing.assert_array_equal(fixed_point(counts, np.array([0.3, 0.4]), 2), [0.3, 0.4])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.01, 50), st.floats(0.01, 50))
def test_newton_never_decreases_the_bound_and_alpha_stays_positive(seed, n_topics, first, spread):
    rng = np.random.default_rng(seed)
    gamma = rng.gamma(spread, 1.0, (8, n_topics)) + 1e-3
    sums, start = dirichlet_priors.expected_log_sums(gamma, None), np.full(n_topics, first)
    alpha = dirichlet_priors.newton_alpha(start, sums, 8.0)
    assert (alpha > 0).all()
    assert dirichlet_priors.alpha_objective(alpha, sums, 8.0) >= dirichlet_priors.alpha_objective(start, sums, 8.0)


@pytest.mark.parametrize("first", [1e-3, 0.1, 30.0])
def test_newton_ends_where_the_gradient_vanishes(first, monkeypatch):
    monkeypatch.setattr(dirichlet_priors, "TOLERANCE", 1e-12)
    gamma = np.random.default_rng(0).gamma(0.7, 2.0, (40, 4)) + 0.1
    weight = np.linspace(0.5, 2, 40)
    sums = dirichlet_priors.expected_log_sums(gamma, weight)
    alpha = dirichlet_priors.newton_alpha(np.full(4, first), sums, weight.sum())
    gradient = approx_fprime(alpha, lambda x: dirichlet_priors.alpha_objective(x, sums, weight.sum()), 1e-7)
    assert np.abs(gradient).max() < 1e-3


def test_alpha_of_one_topic_is_unchanged():
    """With K = 1 the bound does not depend on α."""
    sums = dirichlet_priors.expected_log_sums(np.full((5, 1), 3.0), None)
    np.testing.assert_array_equal(dirichlet_priors.newton_alpha(np.array([0.1]), sums, 5.0), [0.1])


def updated_eta(eta, S, n_words):
    return dirichlet_priors.updated_eta(eta, dirichlet_priors.eta_statistics(eta, S), n_words)


@pytest.mark.parametrize("first", [1e-3, 0.05, 5.0])
def test_each_round_for_eta_increases_the_bound(first):
    S = np.random.default_rng(1).gamma(0.2, 5.0, (30, 3))
    values, eta = [], first
    for _ in range(20):
        values.append(reference.eta_objective(eta, S, 35))
        eta = updated_eta(eta, S, 35)
    assert (np.diff(values) > -1e-9).all()
    assert eta > 0


def test_eta_ends_where_the_derivative_vanishes():
    S = np.random.default_rng(1).gamma(0.2, 5.0, (30, 3))
    eta = 0.05
    for _ in range(3000):
        eta = updated_eta(eta, S, 35)
    step = 1e-5
    slope = (reference.eta_objective(eta + step, S, 35) - reference.eta_objective(eta - step, S, 35)) / (2 * step)
    assert abs(slope) < 0.1


def test_words_that_do_not_occur_count_as_zeros_for_eta():
    S = np.random.default_rng(2).gamma(0.5, 2.0, (10, 2))
    wide = np.vstack([S, np.zeros((5, 2))])
    np.testing.assert_allclose(reference.eta_objective(0.3, S, 15), reference.eta_objective(0.3, wide, 15))
    np.testing.assert_allclose(updated_eta(0.3, S, 15), updated_eta(0.3, wide, 15))


def test_the_statistics_for_eta_of_parts_add_up():
    S = np.random.default_rng(3).gamma(0.5, 2.0, (10, 2))
    whole, first, second = (dirichlet_priors.eta_statistics(0.3, rows) for rows in (S, S[:4], S[4:]))
    np.testing.assert_allclose(first.rise + second.rise, whole.rise)
    np.testing.assert_allclose(first.totals + second.totals, whole.totals)


@pytest.mark.parametrize("K", [1, 3, 4, 9, 40])
def test_sums_of_digammas_equal_their_definition_if_most_entries_are_the_same(K, instruction_set, dtype):
    rng = np.random.default_rng(K)
    rows = np.where(rng.random((50, K)) < 0.1, rng.gamma(1, 1, (50, K)), 0.015).astype(dtype)
    exact = rows.astype(np.float64)
    elog = psi(exact) - psi(exact.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(dirichlet_priors.expected_log_sums(rows, None), elog.sum(axis=0), rtol=1e-6, atol=1e-9)
    eta = dirichlet_priors.eta_statistics(0.03, rows)
    np.testing.assert_allclose(eta.rise, (psi(exact + 0.03) - psi(0.03)).sum(), rtol=1e-6)
    np.testing.assert_allclose(eta.totals[0], exact.sum(axis=0))


def test_the_last_step_of_newton_does_not_depend_on_rounding_errors_of_the_objective():
    """Sums that differ by a rounding error lead to α that differ by as much."""
    gamma = np.random.default_rng(0).gamma(0.5, 4.0, (300, 5)) + 0.05
    sums = dirichlet_priors.expected_log_sums(gamma, None)
    start = dirichlet_priors.newton_alpha(np.full(5, 0.1), sums, 300.0) * (1 + 1e-5)
    one, other = (dirichlet_priors.newton_alpha(start, s, 300.0) for s in (sums, sums * (1 - 1e-15)))
    np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_sums_over_documents_equal_their_definition_for_any_chunk_size(weighted, monkeypatch):
    monkeypatch.setattr(dirichlet_priors, "ENTRIES_AT_ONCE", 7 * 4)
    rng = np.random.default_rng(0)
    gamma, weight = rng.gamma(1, 1, (30, 4)) + 0.1, rng.random(30)
    elog = psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))
    found = dirichlet_priors.expected_log_sums(gamma.astype(np.float32), weight if weighted else None)
    np.testing.assert_allclose(found, weight @ elog if weighted else elog.sum(axis=0), rtol=1e-5)


def test_the_memory_of_learning_priors_does_not_grow_with_documents_or_words():
    """Float64 copies of all of γ or S would be several times as large as the array itself."""
    large = np.ones((400_000, 8), np.float32)

    def learn():
        dirichlet_priors.expected_log_sums(large, None)
        dirichlet_priors.eta_statistics(0.1, large)

    assert peak_memory(learn) < large.nbytes / 3


def test_newtons_method_starts_from_values_beside_which_others_vanish():
    alpha = np.array([0.1, 1e-200, 1e-200])
    with np.errstate(all="raise"):
        found = dirichlet_priors.newton_alpha(alpha, np.array([-10.0, -20.0, -20.0]), 1.0)
    assert np.isfinite(found).all()
