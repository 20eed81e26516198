"""Tests of the compiled special functions with every instruction set."""

import corpora
import numpy as np
import pytest
from scipy.special import gammaln, psi

from ldavi import _estep

pytestmark = pytest.mark.usefixtures("instruction_set")

# exp turns the absolute error of its argument into the relative error of its value, and the argument is about -1/x
SMALLEST_RESULT = {np.dtype(np.float32): 1e-36, np.dtype(np.float64): 1e-300}
LARGEST_ARGUMENT = {np.dtype(np.float32): 38, np.dtype(np.float64): 300}


def exp_digamma(x):
    out = np.empty_like(x)
    _estep.exp_digamma(x, out)
    return out


def log_gamma_digamma(x):
    log_gamma, digamma = np.empty_like(x), np.empty_like(x)
    _estep.log_gamma_digamma(x, log_gamma, digamma)
    return log_gamma, digamma


def test_exp_digamma_equals_scipy_from_underflow_to_overflow(dtype):
    x = np.geomspace(1e-3, 10.0 ** LARGEST_ARGUMENT[dtype], 20001).astype(dtype)
    exact = psi(x.astype(np.float64))
    keep = exact > np.log(SMALLEST_RESULT[dtype])
    x, exact = x[keep], exact[keep]
    eps = np.finfo(dtype).eps
    slack = eps * (6 + 2 / x.astype(np.float64)) + 1e-15 * np.abs(
        exact
    )  # the last term is the error of SciPy's digamma
    error = np.abs(exp_digamma(x) / np.exp(exact) - 1)
    assert x.min() < 0.02
    assert (error <= slack).all()


def test_exp_digamma_is_zero_where_the_result_is_subnormal(dtype):
    x = np.geomspace(1e-35, 1e-3, 1001).astype(dtype)
    x = x[psi(x.astype(np.float64)) < np.log(np.finfo(dtype).tiny) - 3]
    assert len(x) > 100
    assert (exp_digamma(x) == 0).all()


def test_exp_digamma_does_not_depend_on_the_position_in_the_array(dtype):
    x = np.random.default_rng(0).gamma(0.5, 5.0, 40).astype(dtype) + dtype.type(0.1)
    whole = exp_digamma(x)
    for first in range(17):
        for length in (1, 2, 7, 16, 23):
            part = exp_digamma(np.ascontiguousarray(x[first : first + length]))
            np.testing.assert_array_equal(part, whole[first : first + length])


def test_log_gamma_and_digamma_equal_scipy_over_seventy_decades():
    x = np.geomspace(1e-35, 1e37, 20001)
    x = np.concatenate([x, np.linspace(0.5, 3, 2001), np.arange(1.0, 200.0), [1.4616321449683622]])
    log_gamma, digamma = log_gamma_digamma(x)
    for values, exact in ((log_gamma, gammaln(x)), (digamma, psi(x))):
        assert (
            np.abs((values - exact) / np.maximum(np.abs(exact), 1)).max() < 4e-14
        )  # 1e-14 times the terms that cancel


def test_log_gamma_and_digamma_do_not_depend_on_the_length_of_the_array():
    x = np.random.default_rng(1).gamma(0.5, 5.0, 40) + 1e-3
    whole = log_gamma_digamma(x)
    for first in range(9):
        for length in (1, 3, 8, 11):
            part = log_gamma_digamma(np.ascontiguousarray(x[first : first + length]))
            np.testing.assert_array_equal(part, np.array(whole)[:, first : first + length])


@pytest.mark.parametrize("n_topics", [1, 2, 15, 16, 17, 40])
def test_topic_rows_are_exp_digamma_divided_by_each_words_maximum(n_topics, dtype, workers):
    lam = np.random.default_rng(n_topics).gamma(0.3, 30.0, (n_topics, 50)).astype(dtype).astype(np.float64) + 0.0625
    topics = corpora.make_topics(lam, np.arange(50), dtype, workers)
    log_b = psi(lam.astype(dtype).astype(np.float64)).T
    top = log_b.max(axis=1)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(topics.log_scale, top, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(topics.B[:, :n_topics], np.exp(log_b - top[:, None]), rtol=60 * eps, atol=1e-30)
    assert not topics.B[:, n_topics:].any()


def test_the_maximum_of_a_topic_row_is_one_for_arbitrarily_small_lambda(dtype, workers):
    lam = np.geomspace(1e-30, 1e-3, 60).reshape(3, 20).astype(dtype).astype(np.float64)
    topics = corpora.make_topics(lam, np.arange(20), dtype, workers)
    rounding = np.finfo(dtype).eps * (4 + 2 / lam[2])  # of the exponent 1/lambda, unavoidable in this dtype
    assert (np.abs(np.log(topics.B[:, 2])) <= rounding).all()
    np.testing.assert_allclose(topics.log_scale, psi(lam[2]), rtol=1e-13)
