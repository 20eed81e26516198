"""Formulas of docs/math/ that no function of ldavi computes: against integrals, difference quotients, enumeration."""

import corpora
import numpy as np
import pytest
import reference
from scipy import stats
from scipy.integrate import quad
from scipy.special import betaln, gammaln, polygamma, psi

TOPICS = np.array([[0.55, 0.35, 0.05, 0.05], [0.10, 0.10, 0.45, 0.35]])
COUNTS, ALPHA = np.array([4.0, 1.0, 2.0, 1.0]), np.array([0.7, 1.6])
GAMMA = np.array([3.1, 6.2])
PHI = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
STEP = 1e-5


def slopes(function, at):
    """Return the central difference quotients of a function of a vector."""
    return np.array([(function(at + e) - function(at - e)) / (2 * STEP) for e in STEP * np.eye(len(at))])


def beta_mean(function, a, b):
    """Return the mean of a function of (θ_1, θ_2) under Dir(a, b), by quadrature."""
    density = stats.beta(a, b).pdf
    return quad(lambda t: density(t) * function(np.array([t, 1 - t])), 0, 1, epsabs=1e-11, limit=200)[0]


def log_density(concentration):
    return lambda theta: (
        (concentration - 1) @ np.log(theta) + gammaln(concentration.sum()) - gammaln(concentration).sum()
    )


def terms(gamma, phi):
    """Return the terms of equation (8.3) by (8.6) to (8.10), for tokens grouped by words."""
    e_log_theta = psi(gamma) - psi(gamma.sum())
    return np.array(
        [
            (ALPHA - 1) @ e_log_theta + gammaln(ALPHA.sum()) - gammaln(ALPHA).sum(),
            COUNTS @ (phi @ e_log_theta),
            COUNTS @ (phi * np.log(TOPICS.T)).sum(axis=1),
            gammaln(gamma).sum() - gammaln(gamma.sum()) - (gamma - 1) @ e_log_theta,
            -COUNTS @ (phi * np.log(phi)).sum(axis=1),
        ]
    )


def test_each_of_the_five_terms_is_its_expectation():
    weight = COUNTS @ PHI
    expected = [
        beta_mean(log_density(ALPHA), *GAMMA),
        beta_mean(lambda theta: weight @ np.log(theta), *GAMMA),
        sum(n * (p @ np.log(b)) for n, p, b in zip(COUNTS, PHI, TOPICS.T, strict=True)),
        stats.beta(*GAMMA).entropy(),
        sum(n * stats.entropy(p) for n, p in zip(COUNTS, PHI, strict=True)),
    ]
    np.testing.assert_allclose(terms(GAMMA, PHI), expected, rtol=1e-7)


def test_the_update_of_phi_is_a_stationary_point_with_its_multiplier():
    """All derivatives of the bound with respect to φ_wk are equal, and opposite to the multiplier. (8.12), (8.13)"""
    weight = TOPICS.T * np.exp(psi(GAMMA))
    phi = weight / weight.sum(axis=1, keepdims=True)
    for w in range(len(COUNTS)):

        def bound(row, w=w):
            return terms(GAMMA, np.vstack([phi[:w], row, phi[w + 1 :]])).sum()

        derivatives = slopes(bound, phi[w]) / COUNTS[w]
        normaliser = (TOPICS[:, w] * np.exp(psi(GAMMA) - psi(GAMMA.sum()))).sum()
        np.testing.assert_allclose(derivatives, np.log(normaliser) - 1, rtol=1e-6)


def test_the_derivative_with_respect_to_gamma_is_that_of_the_bound():
    """Equation (8.15), and its zero at (8.16)."""

    def derivative(gamma):
        rest = ALPHA + COUNTS @ PHI - gamma
        return polygamma(1, gamma) * rest - polygamma(1, gamma.sum()) * rest.sum()

    np.testing.assert_allclose(slopes(lambda gamma: terms(gamma, PHI).sum(), GAMMA), derivative(GAMMA), rtol=1e-6)
    np.testing.assert_allclose(derivative(ALPHA + COUNTS @ PHI), 0, atol=1e-12)


def test_the_divergence_of_two_dirichlet_distributions_is_its_integral():
    """Equations (8.4), (8.17)."""
    p, q = log_density(ALPHA), log_density(GAMMA)
    exact = beta_mean(lambda theta: q(theta) - p(theta), *GAMMA)
    np.testing.assert_allclose(reference.dirichlet_kl(GAMMA, ALPHA), exact, rtol=1e-8)
    np.testing.assert_allclose(reference.log_normaliser(GAMMA), betaln(*GAMMA), rtol=1e-12)


def random_state(seed):
    """Return counts, weights, priors and φ of a small corpus, (D, V, K), and γ and λ at their updates."""
    rng = np.random.default_rng(seed)
    X, weight = rng.integers(0, 4, (5, 6)).astype(float), rng.integers(1, 4, 5) / 2
    alpha, eta = rng.gamma(1.0, 1.0, 3) + 0.1, rng.gamma(1.0, 1.0, (3, 6)) + 0.1
    phi = rng.dirichlet(np.ones(3), (5, 6))
    gamma = alpha + np.einsum("dw,dwk->dk", X, phi)
    lam = eta + np.einsum("d,dw,dwk->kw", weight, X, phi)
    return X, weight, alpha, eta, phi, gamma, lam


def test_the_derivative_with_respect_to_lambda_is_that_of_the_bound():
    """Equation (9.8)."""
    X, weight, alpha, eta, phi, gamma, _ = random_state(0)
    statistics = np.einsum("d,dw,dwk->kw", weight, X, phi)
    lam = eta + 1.3 * statistics + 0.2
    rest = eta[0] + statistics[0] - lam[0]
    derivative = polygamma(1, lam[0]) * rest - polygamma(1, lam[0].sum()) * rest.sum()

    def bound(row):
        return sum(reference.elbo_terms(X, phi, gamma, np.vstack([row, lam[1:]]), alpha, eta, weight))

    np.testing.assert_allclose(slopes(bound, lam[0]), derivative, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_bound_without_gamma_and_lambda_is_the_bound(seed):
    """Equation (9.12)."""
    X, weight, alpha, eta, phi, gamma, lam = random_state(seed)
    entropy = -np.einsum("d,dw,dwk->", weight, X, phi * np.log(phi))
    documents = weight @ (reference.log_normaliser(gamma) - reference.log_normaliser(alpha))
    topics = (reference.log_normaliser(lam) - reference.log_normaliser(eta)).sum()
    exact = sum(reference.elbo_terms(X, phi, gamma, lam, alpha, eta, weight))
    np.testing.assert_allclose(entropy + documents + topics, exact, rtol=1e-12)


def test_lambda_worked_by_hand_is_that_of_the_compiled_code(workers):
    """The example of section 9: e^1.5 is the only number that a pocket calculator is needed for."""
    X, lam, alpha = np.array([[2.0, 2, 0], [0, 1, 3]]), np.array([[3.0, 2, 1], [1, 2, 3]]), np.ones(2)
    start = reference.cold_start(X, alpha)
    assert (start == 3).all()
    found = corpora.run_estep(X, lam, alpha, start, np.dtype(np.float64), workers, max_inner_iter=1)
    p = np.exp(1.5) / (np.exp(1.5) + 1)
    by_hand = np.array([[2 * p, 1.5, 3 * (1 - p)], [2 * (1 - p), 1.5, 3 * p]])
    np.testing.assert_allclose(found.gamma, [[2 + 2 * p, 4 - 2 * p], [4.5 - 3 * p, 1.5 + 3 * p]], rtol=1e-12)
    np.testing.assert_allclose(found.sstats, by_hand, rtol=1e-12)
    np.testing.assert_allclose(1 + by_hand, [[2.635, 2.5, 1.547], [1.365, 2.5, 3.453]], atol=5e-4)


def test_the_optimal_factor_is_a_stationary_point_of_the_bound():
    """On a grid, the derivative of (3.2) with respect to q_j(h_j) is 0 at (3.1), with the multiplier of (3.3)."""
    expected_log_joint, width = np.sin(np.arange(9.0)) - 0.03 * np.arange(9.0) ** 2, 0.25
    normaliser = (np.exp(expected_log_joint) * width).sum()
    optimum = np.exp(expected_log_joint) / normaliser

    def bound(q):
        return ((q * expected_log_joint - q * np.log(q)) * width).sum()

    multiplier = 1 - np.log(normaliser)
    np.testing.assert_allclose(slopes(bound, optimum) / width + multiplier, 0, atol=1e-6)
    other = np.exp(expected_log_joint / 2)
    assert bound(other / (other * width).sum()) < bound(optimum)


def categorical(v):
    return np.log(np.exp(v).sum())


def gaussian(v):
    return -(v[0] ** 2) / (4 * v[1]) + np.log(-np.pi / v[1]) / 2


def gamma_family(v):
    return gammaln(v[0]) - v[0] * np.log(-v[1])


def test_the_gradient_of_a_log_normaliser_is_the_mean_of_its_statistic():
    """Equation (4.2), with the natural parameters of the table of section 4."""
    v = np.array([0.3, -1.0, 0.8])
    np.testing.assert_allclose(slopes(categorical, v), np.exp(v) / np.exp(v).sum(), rtol=1e-7)
    mu, precision = 0.7, 2.5
    means = [mu, mu**2 + 1 / precision]
    np.testing.assert_allclose(slopes(gaussian, np.array([precision * mu, -precision / 2])), means, rtol=1e-6)
    shape, rate = 2.2, 1.7
    means = [stats.gamma(shape, scale=1 / rate).expect(np.log), shape / rate]
    np.testing.assert_allclose(slopes(gamma_family, np.array([shape, -rate])), means, rtol=1e-6)
    np.testing.assert_allclose(slopes(reference.log_normaliser, GAMMA), reference.expected_log(GAMMA), rtol=1e-6)


def test_the_log_normaliser_of_the_gaussian_in_the_table_is_that_of_its_density():
    mu, precision = 0.7, 2.5
    v = np.array([precision * mu, -precision / 2])
    direct = precision * mu**2 / 2 - np.log(precision / (2 * np.pi)) / 2
    np.testing.assert_allclose(gaussian(v), direct, rtol=1e-12)


def test_the_gradient_in_natural_parameters_is_the_fisher_information_times_the_step():
    """Equations (4.3), (4.4), for a Dirichlet factor whose conditional has the mean parameter `target`."""
    target = np.array([1.5, 4.0])
    fisher = np.array([slopes(lambda g, i=i: reference.expected_log(g)[i], GAMMA) for i in range(2)])

    def bound(gamma):
        return (target - gamma) @ reference.expected_log(gamma) + reference.log_normaliser(gamma)

    np.testing.assert_allclose(slopes(bound, GAMMA), fisher @ (target - GAMMA), rtol=1e-5)
    np.testing.assert_allclose(slopes(bound, target), 0, atol=1e-8)


def test_the_bound_of_the_gaussian_is_its_integral():
    """Equations (5.1) to (5.7): the ELBO after an update is the integral of its definition, and below the evidence."""
    x, n0, mu0, f0, g0 = np.array([0.4, 1.6, 1.1]), 0.5, 0.2, 1.5, 0.8
    N, mean_P = len(x), 1.3
    for _ in range(3):
        mu, variance = (n0 * mu0 + x.sum()) / (n0 + N), 1 / ((n0 + N) * mean_P)
        f = f0 + (N + 1) / 2
        g = g0 + (((x - mu) ** 2 + variance).sum() + n0 * ((mu - mu0) ** 2 + variance)) / 2
        mean_P = f / g
    m, P = np.meshgrid(np.linspace(-8, 8, 401), np.linspace(0.01, 25, 1250))
    cell = (m[0, 1] - m[0, 0]) * (P[1, 0] - P[0, 0])
    log_q = stats.norm.logpdf(m, mu, np.sqrt(variance)) + stats.gamma.logpdf(P, f, scale=1 / g)
    log_joint = stats.norm.logpdf(m, mu0, 1 / np.sqrt(n0 * P)) + stats.gamma.logpdf(P, f0, scale=1 / g0)
    log_joint += stats.norm.logpdf(x[:, None, None], m, 1 / np.sqrt(P)).sum(axis=0)
    constant = -N / 2 * np.log(2 * np.pi) + f0 * np.log(g0) - gammaln(f0)
    bound = constant + np.log(n0 * variance) / 2 + 0.5 + gammaln(f) - f * np.log(g)
    np.testing.assert_allclose(bound, (np.exp(log_q) * (log_joint - log_q)).sum() * cell, atol=1e-4)
    f_N, g_N = f0 + N / 2, g0 + ((x - x.mean()) ** 2).sum() / 2 + n0 * N * (x.mean() - mu0) ** 2 / (2 * (n0 + N))
    evidence = constant + np.log(n0 / (n0 + N)) / 2 + gammaln(f_N) - f_N * np.log(g_N)
    np.testing.assert_allclose(evidence, np.log(np.exp(log_joint).sum() * cell), atol=1e-4)
    assert bound < evidence
