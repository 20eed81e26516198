"""Formulas of Dirichlet distributions."""

import numpy as np
import pytest
import reference

from ldavi._core import dirichlet

CONCENTRATIONS = np.random.default_rng(0).gamma(0.5, 4.0, (20, 7)) + 1e-2


def test_expectation_normaliser_and_divergence_equal_the_reference():
    q, p = CONCENTRATIONS[:10], CONCENTRATIONS[10:]
    np.testing.assert_allclose(dirichlet.expected_log(q), reference.expected_log(q), rtol=1e-13)
    np.testing.assert_allclose(dirichlet.log_beta(q), reference.log_normaliser(q), rtol=1e-13)
    np.testing.assert_allclose(dirichlet.kl_divergence(q, p), reference.dirichlet_kl(q, p), rtol=1e-12)


def test_expected_log_is_the_gradient_of_the_log_normaliser():
    x = CONCENTRATIONS[0]
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = 1e-5 * x[i]
        slope = (dirichlet.log_beta(x + step) - dirichlet.log_beta(x - step)) / (2 * step[i])
        np.testing.assert_allclose(slope, dirichlet.expected_log(x)[i], rtol=1e-6)  # errors of h^2 and of rounding / h


def test_expected_log_is_the_mean_of_the_logarithm():
    x = np.array([0.8, 2.0, 5.0])
    draws = np.log(np.random.default_rng(1).dirichlet(x, 200_000))
    error = 5 * draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - dirichlet.expected_log(x)) < error).all()


def test_divergence_is_zero_from_the_same_distribution_and_positive_from_others():
    np.testing.assert_allclose(dirichlet.kl_divergence(CONCENTRATIONS, CONCENTRATIONS), 0, atol=1e-12)
    assert (dirichlet.kl_divergence(CONCENTRATIONS[1:], CONCENTRATIONS[:-1]) > 0).all()


def test_divergence_broadcasts_one_prior_over_all_rows():
    p = CONCENTRATIONS[0]
    each = [dirichlet.kl_divergence(q, p) for q in CONCENTRATIONS]
    np.testing.assert_allclose(dirichlet.kl_divergence(CONCENTRATIONS, p), each, rtol=1e-13)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_mean_is_the_normalised_row_and_uniform_for_a_row_of_zeros(kind):
    x = np.array([[1, 3, 0, 0], [0, 0, 0, 0]], dtype=kind)
    mean = dirichlet.mean(x)
    np.testing.assert_array_equal(mean, [[0.25, 0.75, 0, 0], [0.25] * 4])
    assert mean.dtype == kind
    np.testing.assert_allclose(dirichlet.mean(CONCENTRATIONS).sum(axis=1), 1, rtol=1e-14)
