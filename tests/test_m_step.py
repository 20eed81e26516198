"""The M-step, and online steps with lazily decayed λ. Equations (9.9), (12.2), (10.1), (10.2), (10.6)."""

import corpora
import numpy as np
import pytest
import reference
from scipy.special import gammaln, psi

from ldavi import _estep
from ldavi._core.records import padded
from ldavi._core.threads import Workers
from ldavi._inference import m_step as m_step_module
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.m_step import WordPriors, m_step, mass_times_log, point_step, posterior_step, topics_from
from ldavi._inference.vb_online import LearningRate

RTOL = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}


def eta_forms(n_topics, n_words):
    rng = np.random.default_rng(1)
    both = rng.integers(1, 9, (n_topics, n_words)) / 8
    return {"scalar": np.asarray(0.25), "by word": both[0], "by both": both}


@pytest.mark.parametrize("form", ["scalar", "by word", "by both"])
@pytest.mark.parametrize("n_topics", [1, 5, 16, 21])
def test_the_posterior_step_adds_the_prior_and_computes_the_sums_of_the_bound(
    form, n_topics, dtype, instruction_set, workers
):
    n_words, rng = 9, np.random.default_rng(n_topics)
    eta, lam_old = eta_forms(n_topics, n_words)[form], corpora.random_lam(0, n_topics, n_words)
    sstats = np.round(rng.gamma(0.7, 3.0, (n_topics, n_words)) * 64) / 64
    absent = np.full(n_topics, 0.5)
    old = topics_from(corpora.word_major(lam_old, dtype), lam_old.sum(axis=1) + absent, workers, point_estimate=False)
    eta_rows = corpora.make_priors(np.ones(n_topics), eta).eta_rows(np.arange(n_words))
    new, sums = posterior_step(corpora.word_major(sstats, dtype), old, eta_rows, absent, workers)
    lam = reference.mstep(sstats, eta)
    totals = lam.sum(axis=1) + absent
    np.testing.assert_array_equal(new.rows[:, :n_topics].T, lam)
    assert not new.rows[:, n_topics:].any()
    np.testing.assert_allclose(sums.totals, totals, rtol=1e-14)
    np.testing.assert_allclose(new.log_norm, psi(totals), rtol=1e-13)
    np.testing.assert_allclose(new.expected_log(np.arange(n_words)).T, psi(lam) - psi(totals)[:, None], rtol=1e-12)
    log_old = psi(lam_old) - psi(lam_old.sum(axis=1) + absent)[:, None]
    log_new = psi(lam) - psi(totals)[:, None]
    atol = RTOL[dtype] * np.abs(sstats * log_new).sum()
    np.testing.assert_allclose(sums.old, (sstats * log_old).sum(), rtol=RTOL[dtype], atol=atol)
    np.testing.assert_allclose(sums.new, (sstats * log_new).sum(), rtol=RTOL[dtype], atol=atol)
    np.testing.assert_allclose(sums.log_gamma, gammaln(lam).sum(), rtol=1e-12, atol=1e-11)


def test_topics_of_the_m_step_have_the_bits_of_topics_computed_from_lambda(dtype, workers):
    lam, eta = corpora.random_lam(2, 5, 20), np.full((1, 1), 0.25)
    old = corpora.make_topics(lam, np.arange(20), dtype, workers)
    new, sums = posterior_step(corpora.word_major(lam * 2, dtype), old, eta, np.zeros(5), workers)
    fresh = topics_from(new.rows.copy(), sums.totals, workers, point_estimate=False)
    np.testing.assert_array_equal(new.B, fresh.B)
    np.testing.assert_array_equal(new.log_scale, fresh.log_scale)
    np.testing.assert_array_equal(new.log_norm, fresh.log_norm)


def test_mass_times_log_equals_its_definition(dtype, workers):
    lam, sstats = corpora.random_lam(3, 5, 20), corpora.random_lam(4, 5, 20)
    topics = corpora.make_topics(lam, np.arange(20), dtype, workers)
    expected = (sstats * reference.expected_log(lam)).sum()
    np.testing.assert_allclose(mass_times_log(corpora.word_major(sstats, dtype), topics), expected, rtol=RTOL[dtype])


def test_the_m_step_has_the_same_bits_for_any_number_of_threads(dtype, monkeypatch):
    monkeypatch.setattr(m_step_module, "WORDS_PER_CALL", 7)
    lam, eta = corpora.random_lam(5, 19, 60), np.full((1, 1), 0.25)
    results = []
    for n_threads in (1, 2, 3, 7):
        with Workers(n_threads) as workers:
            old = corpora.make_topics(lam, np.arange(60), dtype, workers)
            new, sums = posterior_step(corpora.word_major(lam * 3, dtype), old, eta, np.ones(19), workers)
        scalars = np.array([sums.old, sums.new, sums.log_gamma])
        results.append([a.tobytes() for a in (new.rows, new.B, new.log_scale, new.log_norm, sums.totals, scalars)])
    assert all(result == results[0] for result in results)


# Point estimates


def test_the_point_step_normalises_and_a_zero_stays_zero(dtype, workers):
    sstats = np.array([[2.0, 0.0, 6.0, 0.0], [1.0, 1.0, 0.0, 2.0]])
    priors = corpora.make_priors(np.ones(2), 0.0)
    assert priors.point_estimate
    old = corpora.make_topics(np.full((2, 4), 0.25), np.arange(4), dtype, workers, point_estimate=True)
    new, sums = m_step(corpora.word_major(sstats, dtype), old, WordPriors(priors.eta, np.zeros(2)), workers)
    beta = reference.point_estimate_step(sstats, np.full((2, 4), 0.25))
    np.testing.assert_allclose(new.rows[:, :2].T, beta, rtol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(new.rows[:, :2].T == 0, sstats == 0)
    np.testing.assert_array_equal(new.B[:, :2].T == 0, sstats == 0)
    log_beta = np.log(np.where(beta > 0, beta, 1))
    np.testing.assert_allclose(sums.old, sstats.sum() * np.log(0.25), rtol=RTOL[dtype])
    np.testing.assert_allclose(sums.new, (sstats * log_beta).sum(), rtol=RTOL[dtype])


def test_a_point_estimate_without_tokens_stays_zero(dtype, workers):
    sstats = np.array([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    old = corpora.make_topics(np.full((2, 3), 1 / 3), np.arange(3), dtype, workers, point_estimate=True)
    new, sums = point_step(corpora.word_major(sstats, dtype), old)
    np.testing.assert_array_equal(new.rows[:, 1], 0)
    assert np.isfinite([sums.old, sums.new]).all()


# Online steps


def test_the_learning_rate_is_a_power_of_the_number_of_the_step():
    assert LearningRate(offset=0.0, decay=0.7).of_step(1) == 1.0
    np.testing.assert_allclose(LearningRate(offset=10.0, decay=0.5).of_step(54), 0.125)
    rates = [LearningRate(offset=10.0, decay=0.7).of_step(t) for t in range(1, 50)]
    assert (np.diff(rates) < 0).all()


@pytest.mark.parametrize("form", ["scalar", "by word", "by both"])
@pytest.mark.parametrize(
    "rates",
    [
        [0.3] * 60,
        [0.5, 1.0, 0.25, 1.0, 0.1] * 3,
        [1 - 1e-9] * 4,
        [LearningRate(offset=1, decay=0.7).of_step(t) for t in range(1, 40)],
    ],
    ids=["applies the decay", "discards everything", "discards nearly everything", "decreasing"],
)
def test_lazily_decayed_rows_equal_the_dense_update(form, rates, dtype):
    n_topics, n_words, rng = 3, 12, np.random.default_rng(0)
    eta = eta_forms(n_topics, n_words)[form]
    priors = corpora.make_priors(np.ones(n_topics), eta)
    lam = corpora.random_lam(1, n_topics, n_words)
    lazy = LazyLambda(corpora.word_major(lam, dtype), priors)
    rtol = 1e-12 if dtype == np.float64 else 1e-5  # one or two roundings in each of some dozen steps
    for t, rho in enumerate(rates):
        words = rng.choice(n_words, 4, replace=False)
        sstats = np.zeros((n_topics, n_words))
        sstats[:, words] = rng.gamma(1.0, 1.0, (n_topics, 4))
        expected_rest = (1 - rho) * lam + rho * eta
        lam = reference.online_update(lam, eta, sstats, rho, 2.5)
        lazy.online_step(words, np.ascontiguousarray(corpora.word_major(sstats, dtype)[words]), rho=rho, scale=2.5)
        np.testing.assert_allclose(lazy.totals, lam.sum(axis=1), rtol=rtol)
        np.testing.assert_allclose(lazy.rows(words)[:, :n_topics].T, lam[:, words], rtol=rtol)
        rest = np.setdiff1d(np.arange(n_words), words)
        np.testing.assert_allclose(lazy.rows(rest)[:, :n_topics].T, expected_rest[:, rest], rtol=rtol)
        if t % 7 == 3:
            np.testing.assert_allclose(lazy.materialize()[:, :n_topics].T, lam, rtol=rtol)
    np.testing.assert_allclose(lazy.materialize()[:, :n_topics].T, lam, rtol=rtol)
    assert not lazy.materialize()[:, n_topics:].any()


def test_an_online_step_writes_only_the_rows_of_its_words():
    lam = corpora.word_major(corpora.random_lam(0, 3, 12))
    lazy = LazyLambda(lam, corpora.make_priors(np.ones(3), 0.25))
    before = lam.copy()
    lazy.online_step(np.array([2, 5]), np.ones((2, padded(3))), rho=0.25, scale=1.0)
    untouched = np.setdiff1d(np.arange(12), [2, 5])
    np.testing.assert_array_equal(lam[untouched], before[untouched])
    assert (lam[[2, 5]] != before[[2, 5]]).all()


def test_replacing_lambda_replaces_its_totals():
    lazy = LazyLambda(corpora.word_major(corpora.random_lam(0, 3, 12)), corpora.make_priors(np.ones(3), 0.25))
    lazy.online_step(np.array([2]), np.ones((1, padded(3))), rho=0.25, scale=1.0)
    lam = corpora.random_lam(9, 3, 12)
    lazy.replace(lam.T)
    np.testing.assert_array_equal(lazy.materialize()[:, :3].T, lam)
    np.testing.assert_allclose(lazy.totals, lam.sum(axis=1), rtol=1e-14)


def test_read_only_lambda_takes_online_steps(dtype):
    lam = corpora.random_lam(0, 3, 12)
    frozen = corpora.word_major(lam, dtype)
    frozen.flags.writeable = False
    lazy = LazyLambda(frozen, corpora.make_priors(np.ones(3), 0.25))
    lazy.online_step(np.array([2]), np.zeros((1, padded(3)), dtype), rho=0.25, scale=1.0)
    np.testing.assert_allclose(lazy.materialize()[:, :3].T, 0.75 * lam + 0.25 * 0.25, rtol=1e-6)


def test_rows_are_padded_to_whole_vectors():
    assert [padded(k) for k in (1, 16, 17)] == [_estep.PAD, 16, 32]
