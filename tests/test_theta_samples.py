"""Draws of topic proportions: comparison with enumeration of every z and with the reference, invariances, intervals."""

import itertools
from functools import partial

import numpy as np
import pytest
import reference_sampling
from scipy import sparse
from scipy.special import gammaln, logsumexp
from scipy.stats import beta as beta_distribution
from scipy.stats import kstest

from ldavi import LatentDirichletAllocation, _sampling
from ldavi.inspection import _theta_samples, theta_intervals, theta_samples

ALPHA = np.array([0.1, 0.3, 0.7])
TOPICS = np.random.default_rng(0).dirichlet(np.full(6, 0.3), 3)
TOPICS[0, 2] = 0
TOPICS[1, 2:4] = 0
TOPICS /= TOPICS.sum(axis=1, keepdims=True)
X = np.array(
    [
        [2, 0, 1, 0, 3, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
        [0, 4, 0, 3, 0, 0],
        [0, 0, 0, 0, 2, 5],
    ]
)


def posterior(row, topics=TOPICS, alpha=ALPHA):
    """Enumerate every z: the counts n of each, and p(z | w). Equations (M1), (21.1)."""
    tokens = np.repeat(np.arange(len(row)), row)
    counts, logs = [], []
    for z in itertools.product(range(len(alpha)), repeat=len(tokens)):
        n = np.bincount(np.array(z, int), minlength=len(alpha))
        with np.errstate(divide="ignore"):
            logs.append(np.log(topics[list(z), tokens]).sum() + (gammaln(alpha + n) - gammaln(alpha)).sum())
        counts.append(n)
    return np.array(counts), np.exp(np.array(logs) - logsumexp(logs))


def moments(row, alpha=ALPHA):
    """Return E[θ | w] and E[θ θ' | w]."""
    n, p = posterior(row, alpha=alpha)
    shape, total = n + alpha, alpha.sum() + np.sum(row)
    second = np.einsum("z,zj,zk->jk", p, shape, shape) + np.diag(p @ shape)
    return p @ shape / total, second / (total * (total + 1))


def draws(X=X, n_samples=4000, seed=0, **options):
    return theta_samples(TOPICS, X, n_samples, seed, **{"doc_topic_prior": ALPHA, **options})


def standard_error(values):
    """Return the standard error of a mean of correlated draws, from means of 40 consecutive parts."""
    parts = values.reshape(40, -1, *values.shape[1:]).mean(axis=1)
    return parts.std(axis=0, ddof=1) / np.sqrt(40)


# Known answers


def test_means_and_covariances_agree_with_enumeration():
    theta = draws()
    for d, row in enumerate(X):
        mean, second = moments(row)
        outer = theta[:, d, :, None] * theta[:, d, None, :]
        assert (np.abs(theta[:, d].mean(axis=0) - mean) < 4.5 * standard_error(theta[:, d]) + 1e-12).all()
        assert (np.abs(outer.mean(axis=0) - second) < 4.5 * standard_error(outer) + 1e-12).all()


def mixture_of_betas(x, a, weight, total):
    return weight @ beta_distribution.cdf(x, a[:, None], total - a[:, None])


@pytest.mark.parametrize("d", [0, 1, 3, 5])
def test_the_distribution_of_each_proportion_agrees_with_enumeration(d):
    """p(θ_k | w) is a mixture of Beta distributions, one for each z."""
    n, p = posterior(X[d])
    shape, total = n + ALPHA, ALPHA.sum() + X[d].sum()
    theta = draws(X[[d]], 2000 * 5)[::5, 0]
    for k in range(3):
        a, place = np.unique(shape[:, k], return_inverse=True)
        mixture = partial(mixture_of_betas, a=a, weight=np.bincount(place, p), total=total)
        assert kstest(theta[:, k], mixture).pvalue > 1e-4


def test_fractional_counts_have_the_posterior_of_their_roundings():
    """With one fractional word, a count of 1.25 is one token in three quarters of the draws, and two in the others."""
    row = np.array([1, 0, 0, 0, 1.25, 0])
    theta = draws(row, 8000)[:, 0]
    expected = 0.75 * moments(np.array([1, 0, 0, 0, 1, 0]))[0] + 0.25 * moments(np.array([1, 0, 0, 0, 2, 0]))[0]
    assert np.abs(theta.mean(axis=0) - expected).max() < 0.012


def test_a_document_may_have_its_own_prior():
    alpha = np.array([[0.1, 0.3, 0.7], [2.0, 0.5, 0.1]])
    theta = theta_samples(TOPICS, X[[3, 3]], 4000, 0, doc_topic_prior=alpha)
    for d in range(2):
        mean, _ = moments(X[3], alpha[d])
        assert (np.abs(theta[:, d].mean(axis=0) - mean) < 4.5 * standard_error(theta[:, d])).all()


def test_a_long_document_is_represented_by_a_limited_number_of_tokens(monkeypatch):
    monkeypatch.setattr(_theta_samples, "MAX_TOKENS", 1000)
    theta = theta_samples([[1.0, 0.0], [0.0, 1.0]], [[3 * 10**12, 10**12]], 400, 0)[:, 0, 0]
    assert abs(theta.mean() - 0.75) < 0.01
    assert abs(theta.std() - np.sqrt(0.75 * 0.25 / 1000)) < 0.002


@pytest.mark.parametrize("shape", [1e-4, 0.03, 0.5, 0.99])
def test_prior_draws_of_an_empty_document_are_dirichlet(shape):
    theta = theta_samples(np.ones((2, 1)), np.zeros((1, 1)), 3000, 0, doc_topic_prior=[shape, 2 * shape])[:, 0, 0]
    assert np.isfinite(theta).all()
    clipped = theta[(theta > 1e-14) & (theta < 1 - 1e-14)] if shape < 0.03 else theta
    distribution = beta_distribution(shape, 2 * shape)
    low, high = (1e-14, 1 - 1e-14) if shape < 0.03 else (0, 1)
    below, within = distribution.cdf(low), distribution.cdf(high) - distribution.cdf(low)
    assert abs(theta.mean() - 1 / 3) < 0.035
    if len(clipped) > 20:
        assert kstest(clipped, lambda x: (distribution.cdf(x) - below) / within).pvalue > 1e-4


# The reference implementation


@pytest.mark.parametrize("fractional", [False, True])
def test_draws_equal_the_reference_implementation(fractional):
    rng = np.random.default_rng(3)
    topics, alpha = rng.dirichlet(np.full(12, 0.3), 5), rng.uniform(0.02, 1.5, 5)
    counts = rng.poisson(1.2, (6, 12)).astype(float)
    counts[5] = 0
    if fractional:
        counts *= rng.choice([1, 0.5, 1.7], counts.shape)
    sampler = _theta_samples.sampler_of(topics, counts, 7, doc_topic_prior=alpha, n_jobs=None, name="test")
    found, order = sampler.draw(8, 0, 6), sampler.topic
    options = {"n_samples": 8, "n_burn": _theta_samples.BURN_IN, "n_between": _theta_samples.SPACING}
    for d in range(6):
        expected = reference_sampling.draw_proportions(
            counts[d], topics[order], alpha[order], int(sampler.key[d]), **options
        )
        np.testing.assert_allclose(found[:, d, order], expected, rtol=1e-9, atol=1e-250)


# What draws depend on


def test_any_number_of_threads_gives_the_same_bits():
    many = np.random.default_rng(0).poisson(1, (300, 6))
    assert (draws(many, 5) == draws(many, 5, n_jobs=3)).all()


def test_draws_depend_on_the_seed():
    assert (draws(n_samples=3) == draws(n_samples=3)).all()
    assert (draws(n_samples=3) != draws(n_samples=3, seed=1)).any()


def test_draws_of_a_document_do_not_depend_on_the_others():
    assert (draws(n_samples=3)[:, [4]] == draws(X[[4]], 3)).all()


def test_permuting_documents_permutes_their_draws():
    order = [3, 1, 5, 0, 2, 4]
    assert (draws(X[order], 5) == draws(n_samples=5)[:, order]).all()


def test_permuting_topics_permutes_the_proportions():
    order = [2, 0, 1]
    found = theta_samples(TOPICS[order], X, 5, 0, doc_topic_prior=ALPHA[order])
    assert (found == draws(n_samples=5)[:, :, order]).all()


def test_identical_documents_have_independent_draws():
    theta = draws(np.repeat(X[[3]], 400, axis=0), 10)
    assert abs(np.corrcoef(theta[:, :200, 0].ravel(), theta[:, 200:, 0].ravel())[0, 1]) < 0.08
    assert theta[0, :, 0].std() == pytest.approx(theta[:, 0, 0].std(), rel=0.8)


def test_documents_drawn_in_parts_have_the_same_bits(monkeypatch):
    sampler = _theta_samples.sampler_of(TOPICS, X, 0, doc_topic_prior=ALPHA, n_jobs=None, name="test")
    monkeypatch.setattr(_theta_samples, "NUMBERS_AT_ONCE", 2 * 5 * 3)
    parts = list(sampler.in_parts(5))
    assert len(parts) == 3
    assert (np.concatenate([theta for _, theta in parts], axis=1) == draws(n_samples=5)).all()


def test_words_that_no_topic_can_produce_are_ignored():
    topics = np.column_stack([TOPICS, np.zeros(3)])
    wide = np.column_stack([X, np.full(6, 3)])
    found = theta_samples(topics, wide, 2000, 0, doc_topic_prior=ALPHA)
    assert np.abs(found.mean(axis=0) - draws(n_samples=2000).mean(axis=0)).max() < 0.05


def test_a_fitted_model_gives_its_own_topics_and_prior():
    model = LatentDirichletAllocation(3, random_state=0).fit(sparse.csr_array(X))
    found = theta_samples(model, X, 5, 0)
    assert (found == theta_samples(model.topics_, X, 5, 0, doc_topic_prior=model.doc_topic_prior_)).all()
    assert found.shape == (5, 6, 3)
    np.testing.assert_allclose(found.sum(axis=2), 1)


def test_keys_of_whole_counts_are_those_of_their_values():
    key = np.empty(2, np.uint64)
    indptr, columns = np.array([0, 1, 2]), np.array([0, 0])
    _sampling.hash_documents(indptr, columns, np.array([3, 4]), 5, key)
    assert key[0] == reference_sampling.mix(reference_sampling.mix(reference_sampling.mix(5) ^ 0) ^ 3)


# Invalid input


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples=0"),
        ({"n_samples": 2.5}, TypeError, "n_samples=2.5"),
        ({"X": X[:, :5]}, ValueError, "X has 5 columns, but the topics have 6 words"),
        ({"X": -X}, ValueError, "counts must be >= 0"),
        ({"doc_topic_prior": np.ones((2, 3))}, ValueError, r"doc_topic_prior has shape \(2, 3\)"),
        ({"doc_topic_prior": np.zeros((6, 3))}, ValueError, "doc_topic_prior must hold finite numbers > 0"),
        ({"doc_topic_prior": -1.0}, ValueError, "doc_topic_prior"),
        ({"random_state": "a"}, ValueError, "seed"),
    ],
)
def test_invalid_input_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        theta_samples(**{"model": TOPICS, "X": X, **arguments})


# Intervals


def planted(eta, n_tokens, n_docs=300, seed=0):
    rng = np.random.default_rng(seed)
    topics, theta = rng.dirichlet(np.full(200, eta), 10), rng.dirichlet(np.full(10, 0.3), n_docs)
    return topics, theta, np.array([rng.multinomial(n_tokens, row @ topics) for row in theta])


def coverage(rows, theta):
    low, high = (np.asarray(rows[name]).reshape(theta.shape) for name in ("low", "high"))
    return np.mean((low <= theta) & (theta <= high))


@pytest.mark.parametrize(("eta", "n_tokens"), [(0.02, 100), (0.1, 100), (0.5, 20), (0.5, 100), (0.5, 200)])
def test_sampled_intervals_have_their_nominal_coverage(eta, n_tokens):
    topics, theta, counts = planted(eta, n_tokens)
    rows = theta_intervals(topics, counts, method="sampling", random_state=0, doc_topic_prior=0.3)
    assert 0.935 <= coverage(rows, theta) <= 0.965


def test_mean_field_intervals_are_too_narrow_if_topics_share_words():
    topics, theta, counts = planted(0.5, 100)
    assert coverage(theta_intervals(topics, counts, doc_topic_prior=0.3), theta) < 0.8


def test_sampled_intervals_are_quantiles_of_the_draws():
    rows = theta_intervals(TOPICS, X, method="sampling", level=0.8, n_samples=50, random_state=3, doc_topic_prior=ALPHA)
    theta = draws(n_samples=50, seed=3)
    np.testing.assert_allclose(rows["low"], np.quantile(theta, 0.1, axis=0, method="weibull").ravel())
    np.testing.assert_allclose(rows["high"], np.quantile(theta, 0.9, axis=0, method="weibull").ravel())
    np.testing.assert_allclose(rows["mean"], theta.mean(axis=0).ravel())


def test_the_method_must_be_known():
    with pytest.raises(ValueError, match="method='gibbs' must be one of 'mean_field', 'sampling'"):
        theta_intervals(TOPICS, X, method="gibbs")
