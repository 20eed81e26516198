"""Batch, memoized and online VB against reference implementations, and guarantees of the bound. Section 10."""

import corpora
import numpy as np
import pytest
import reference
from corpora import iterate_passes, lambda_of, passes_of
from memory import peak_memory

from ldavi._core.documents import Documents
from ldavi._core.threads import Workers
from ldavi._inference import exact_bound
from ldavi._inference.exact_bound import ExactBound
from ldavi._inference.passes import PassResult, PassSettings
from ldavi._inference.vb_batch import BatchVB
from ldavi._inference.vb_memoized import MemoizedVB, with_prior
from ldavi._inference.vb_online import LearningRate, OnlineVB

RTOL = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-10}  # in a few passes an error may grow tenfold
ELBO_RTOL = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-11}
RATE = LearningRate(1.0, 0.7)
MONOTONE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-9}

ETAS = {"scalar": 0.25, "by word": np.linspace(0.125, 2, 25), "by both": np.linspace(0.125, 2, 75).reshape(3, 25)}


def problem(seed, n_topics=3, dtype=np.float64):
    X = corpora.topical_counts(seed, n_topics=n_topics)
    X[4], X[:, 7] = 0, 0
    return X, corpora.random_alpha(seed, n_topics), corpora.random_lam(seed, n_topics, X.shape[1])


def absent_as_prior(lam, X, eta):
    """Return λ as batch and memoized VB start from it: λ = η for words that do not occur."""
    return np.where(X.any(axis=0), lam, eta)


def whole_corpus_phases(settings, batch_size):
    return [BatchVB(settings, 99), MemoizedVB(settings, 99, batch_size)]


# Batch


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
def test_batch_vb_equals_the_reference_implementation(eta, dtype, workers):
    X, alpha, lam0 = problem(0)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    phase = BatchVB(PassSettings(0, 1, 3, 0.0), 6)
    passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
    _, lam, trace = reference.fit_batch(X, alpha, eta, absent_as_prior(lam0, X, eta), 6, 3)
    np.testing.assert_allclose([record.elbo for _, record in passes], trace[1::2], rtol=ELBO_RTOL[dtype])
    np.testing.assert_allclose(lambda_of(passes[-1].result, 25), lam, rtol=RTOL[dtype])
    assert [result.n_updates for result, _ in passes] == [1, 2, 3, 4, 5, 6]


def test_an_integer_weight_equals_as_many_copies_of_the_document(workers):
    X, alpha, lam0 = problem(1)
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    priors = corpora.make_priors(alpha, 0.25)
    copies = np.repeat(np.arange(len(X)), weight)
    results = []
    for rows, omega in ((X, weight.astype(float)), (X[copies], None)):
        documents, phase = Documents(corpora.to_counts(rows), omega), BatchVB(PassSettings(2, 4, 2, 0.0), 5)
        result, record = passes_of(phase, documents, priors, corpora.word_major(lam0), workers)[-1]
        results.append((record.elbo, record.perplexity, lambda_of(result, 25)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)


@pytest.mark.parametrize("warmup", [0, 3])
def test_the_bound_of_batch_vb_never_decreases_with_warm_starts_of_gamma(warmup, dtype, workers):
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.05)
        phase = BatchVB(PassSettings(warmup, 10, 1 + seed % 3, 1e-3), 25)
        passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
        elbo = [record.elbo for _, record in passes if record.phase == "monotone"]
        assert len(elbo) == 25 - warmup
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()


def test_the_bound_of_batch_vb_can_decrease_with_cold_starts_of_gamma(workers):
    fell = 0
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, 0.05)
        phase = BatchVB(PassSettings(99, 2, 1, 1e-3), 60)
        elbo = [record.elbo for _, record in passes_of(phase, documents, priors, corpora.word_major(lam0), workers)]
        fell += (np.diff(elbo) < -1e-9 * np.abs(elbo[1:])).any()
    assert fell > 0


def test_words_that_do_not_occur_have_lambda_equal_to_eta(dtype, workers):
    X, alpha, lam0 = problem(2)
    for eta in ETAS.values():
        priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
        for phase in whole_corpus_phases(PassSettings(1, 3, 2, 0.0), 6):
            passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers, 2)
            lam = lambda_of(passes[-1].result, 25)
            np.testing.assert_array_equal(lam[:, 7], np.broadcast_to(eta, lam.shape)[:, 7].astype(dtype))


# Memoized


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
def test_memoized_vb_equals_the_reference_implementation(eta, dtype, workers):
    X, alpha, lam0 = problem(3)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    phase = MemoizedVB(PassSettings(1, 2, 2, 0.0), 5, 7)
    passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
    batches = [np.arange(0, 7), np.arange(7, 14), np.arange(14, 20)]
    _, lam, trace = reference.fit_memoized(X, batches, alpha, eta, absent_as_prior(lam0, X, eta), 5, 2)
    np.testing.assert_allclose([record.elbo for _, record in passes], trace[::3], rtol=ELBO_RTOL[dtype])
    np.testing.assert_allclose(lambda_of(passes[-1].result, 25), lam, rtol=RTOL[dtype])
    assert [result.n_updates for result, _ in passes] == [3, 6, 9, 12, 15]


@pytest.mark.parametrize("phase", whole_corpus_phases(PassSettings(99, 6, 2, 0.0), 99), ids=["batch", "memoized"])
def test_warmup_passes_start_cold_and_extrapolate(phase, workers):
    X, alpha, lam = problem(3)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), None)
    second = passes_of(phase, documents, priors, corpora.word_major(lam), workers, 2)[-1]
    lam = absent_as_prior(lam, X, 0.25)
    for _ in range(2):
        start = reference.cold_start(X, alpha)
        lam = 0.25 + reference.estep(X, reference.expected_log(lam), alpha, start, 6, -1.0, extrapolate=True)[1]
    np.testing.assert_allclose(lambda_of(second.result, 25), lam, rtol=1e-8)


@pytest.mark.parametrize("phase", whole_corpus_phases(PassSettings(1, 2, 8, 0.0), 99), ids=["batch", "memoized"])
def test_monotone_passes_do_not_extrapolate(phase, workers):
    X, alpha, lam = problem(3)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), None)
    second = passes_of(phase, documents, priors, corpora.word_major(lam), workers, 2)[-1]
    lam, gamma = absent_as_prior(lam, X, 0.25), reference.cold_start(X, alpha)
    for n_inner_iter in (2, 8):
        gamma, sstats, _, _ = reference.estep(X, reference.expected_log(lam), alpha, gamma, n_inner_iter, -1.0)
        lam = 0.25 + sstats
    np.testing.assert_allclose(lambda_of(second.result, 25), lam, rtol=1e-8)


def test_the_terms_of_the_memoized_bound_equal_their_definition(workers):
    X, alpha, lam0 = problem(4)
    weight = np.random.default_rng(4).integers(1, 9, len(X)) / 4
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), weight)
    phase = MemoizedVB(PassSettings(1, 3, 3, 0.0), 2, len(X))
    passes = passes_of(phase, documents, priors, corpora.word_major(lam0), workers)
    gamma, lam = reference.cold_start(X, alpha), absent_as_prior(lam0, X, 0.25)
    for result, record in passes:
        gamma, sstats, phi, _ = reference.estep(X, reference.expected_log(lam), alpha, gamma, 3, -1.0, weight)
        lam = sstats + 0.25
        expected = reference.elbo_terms(X, phi, gamma, lam, alpha, 0.25, weight)
        np.testing.assert_allclose((record.word, record.doc_topic, record.topic_word), expected, rtol=1e-11)
        np.testing.assert_allclose(lambda_of(result, 25), lam, rtol=1e-11)


def test_memoized_vb_with_one_batch_equals_batch_vb(dtype, workers):
    X, alpha, lam0 = problem(5)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X, dtype), None)
    batch, memoized = (
        passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers, 5)
        for phase in whole_corpus_phases(PassSettings(1, 4, 2, 1e-4), 99)
    )
    for one, other in zip(batch, memoized, strict=True):
        np.testing.assert_allclose(lambda_of(other.result, 25), lambda_of(one.result, 25), rtol=RTOL[dtype])
        np.testing.assert_allclose(other.record.elbo, one.record.elbo, rtol=ELBO_RTOL[dtype])
        assert other.record.phase == one.record.phase


def test_the_bound_of_memoized_vb_never_decreases_after_the_first_pass(dtype, workers):
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.05)
        phase = MemoizedVB(PassSettings(1, 5, 1 + seed % 3, 1e-3), 20, 3 + seed % 5)
        passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
        elbo = [record.elbo for _, record in passes]
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()


def test_each_e_step_of_a_batch_adds_the_change_of_its_statistics_to_the_sums(dtype, workers):
    X, alpha, lam0 = problem(7)
    priors, phase = corpora.make_priors(alpha, 0.25), MemoizedVB(PassSettings(1, 3, 2, 0.0), 2, len(X))
    documents = phase.prepare(Documents(corpora.to_counts(X, dtype), None))
    initial = PassResult(corpora.word_major(lam0, dtype), np.arange(25), priors)
    passes = phase.passes(documents, phase.start(documents, priors, lambda: initial), workers)
    state, _ = next(passes)
    first = state.total.copy()
    np.testing.assert_array_equal(first, state.sstats.load(0).astype(np.float64))
    state, _ = next(passes)
    change = state.total - first
    assert change.any()
    np.testing.assert_allclose(state.total, state.sstats.load(0), rtol=1e-14)
    np.testing.assert_allclose(change.sum(), 0, atol=1e-4 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(state.mass, state.total[:, : priors.n_topics].sum(axis=0), rtol=1e-13)


def test_lambda_of_memoized_vb_is_never_below_its_prior(dtype, workers):
    X, alpha, lam0 = problem(8, n_topics=6)
    priors, documents = corpora.make_priors(alpha * 0.1, 1e-6), Documents(corpora.to_counts(X, dtype), None)
    phase = MemoizedVB(PassSettings(1, 10, 5, 0.0), 60, 4)
    passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
    assert (lambda_of(passes[-1].result, 25) >= dtype.type(1e-6)).all()


def test_a_negative_sum_of_statistics_counts_as_zero(dtype):
    total = np.array([[1.0, -1e-17, 0.0, 2.0] + [0.0] * 12])
    lam = with_prior(total, np.full((1, 4), 0.25), dtype)
    np.testing.assert_array_equal(lam[0], [1.25, 0.25, 0.25, 2.25] + [0] * 12)


# Online


def exact_record(phase, documents, result, workers):
    *_, (_, record) = phase.passes(documents, phase.start(documents, result.priors, lambda: result), workers)
    return record


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_online_vb_equals_dense_natural_gradient_steps(eta, weighted, dtype, workers):
    X, alpha, lam0 = problem(9)
    weight = np.random.default_rng(9).integers(1, 9, len(X)) / 4 if weighted else np.ones(len(X))
    priors = corpora.make_priors(alpha, eta)
    documents = Documents(corpora.to_counts(X, dtype), weight.astype(dtype) if weighted else None)
    phase = OnlineVB(PassSettings(0, 4, 1, 0.0), 3, 6, RATE)
    result, record = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)[-1]
    lam, updates, terms = lam0, 0, np.zeros(2)
    for t in range(1, 4):
        for start in range(0, len(X), 6):
            at = slice(start, start + 6)
            updates += 1
            elog_beta = reference.expected_log(lam)
            gamma, sstats, phi, _ = reference.estep(
                X[at], elog_beta, alpha, reference.cold_start(X[at], alpha), 4, -1.0, weight[at], extrapolate=True
            )
            if t == 3:
                terms += [
                    reference.word_term(X[at], phi, gamma, elog_beta, weight[at]),
                    reference.doc_topic_term(X[at], gamma, alpha, weight[at]),
                ]
            rho = RATE.of_step(updates)
            lam = reference.online_update(lam, eta, sstats, rho, weight.sum() / weight[at].sum())
    np.testing.assert_allclose(lambda_of(result, 25), lam, rtol=RTOL[dtype])
    np.testing.assert_allclose([record.word, record.doc_topic], terms, rtol=10 * ELBO_RTOL[dtype])
    np.testing.assert_allclose(record.topic_word, reference.topic_word_term(lam, eta), rtol=10 * ELBO_RTOL[dtype])
    assert result.n_updates == updates


def test_the_exact_bound_is_that_of_the_final_topics(dtype, workers):
    X, alpha, lam0 = problem(10)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X, dtype), None)
    phase = OnlineVB(PassSettings(0, 2000, 1, 1e-7), 2, 6, RATE)
    learned = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)[-1]
    final = exact_record(ExactBound(100, 1e-7, 6), documents, learned.result, workers)
    lam = lambda_of(learned.result, 25).astype(np.float64)
    gamma, _, _, _ = reference.estep(X, reference.expected_log(lam), alpha, reference.cold_start(X, alpha), 2000, 1e-7)
    assert final.phase == "final"
    np.testing.assert_allclose(final.elbo, reference.elbo_collapsed(X, gamma, lam, alpha, 0.25), rtol=1e-6)
    assert final.seconds >= learned.record.seconds


def test_the_exact_bound_needs_memory_for_the_topics_of_one_part_of_the_documents(monkeypatch):
    monkeypatch.setattr(exact_bound, "MAX_DOCUMENTS", 4)
    X, K = np.ones((12, 3000)), 64
    priors = corpora.make_priors(np.full(K, 0.1), 0.25)
    lam = corpora.word_major(corpora.random_lam(0, K, X.shape[1]))
    result = PassResult(lam, np.arange(X.shape[1]), priors)
    documents = Documents(corpora.to_counts(X), None)

    def evaluate():
        with Workers(1) as workers:
            exact_record(ExactBound(1, 0.0, 4), documents, result, workers)

    assert peak_memory(evaluate) < 3 * lam.nbytes  # λ and B of the words of a part, and small arrays


# Point estimates


def test_point_estimates_of_batch_vb_equal_the_reference_and_the_bound_never_decreases(dtype, workers):
    for seed in range(4):
        X, alpha, lam0 = problem(seed)
        lam0[1, :5] = 0
        priors, documents = corpora.make_priors(alpha, 0.0), Documents(corpora.to_counts(X, dtype), None)
        phase = BatchVB(PassSettings(0, 1, 2, 0.0), 12)
        passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
        occurs = X.any(axis=0)
        start = np.where(occurs, lam0, 0)
        gamma, beta = reference.cold_start(X, alpha), start / start.sum(axis=1, keepdims=True)
        for result, record in passes[:4]:
            with np.errstate(divide="ignore"):
                gamma, sstats, phi, _ = reference.estep(X[:, occurs], np.log(beta[:, occurs]), alpha, gamma, 2, -1.0)
            full = np.zeros(lam0.shape)
            full[:, occurs] = sstats
            beta = reference.point_estimate_step(full, beta)
            log_beta = np.log(np.where(beta > 0, beta, 1))[:, occurs]
            exact = reference.word_term(X[:, occurs], phi, gamma, log_beta) + reference.doc_topic_term(X, gamma, alpha)
            atol = 1e-6 if dtype == np.float32 else 1e-12
            np.testing.assert_allclose(lambda_of(result, 25), full, rtol=RTOL[dtype], atol=atol)
            np.testing.assert_allclose(record.elbo, exact, rtol=ELBO_RTOL[dtype])
        elbo = np.array([record.elbo for _, record in passes])
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()
        assert all(record.topic_word == 0 for _, record in passes)
        lam = lambda_of(passes[-1].result, 25)
        assert not lam[1, :5].any()
        np.testing.assert_allclose(lam.sum(axis=0), X.sum(axis=0), rtol=1e-5)


def test_point_estimates_of_memoized_vb_lose_no_word_and_the_bound_never_decreases(dtype, workers):
    X, alpha, lam0 = problem(11)
    X[:5, 0] = 0  # word 0 does not occur in the first batch
    X[5:, 0] += 1
    priors, documents = corpora.make_priors(alpha, 0.0), Documents(corpora.to_counts(X, dtype), None)
    phase = MemoizedVB(PassSettings(1, 3, 2, 0.0), 8, 5)
    passes = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
    elbo = np.array([record.elbo for _, record in passes])
    assert np.isfinite(elbo).all()
    assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()
    np.testing.assert_allclose(lambda_of(passes[-1].result, 25).sum(axis=0), X.sum(axis=0), rtol=1e-5)


# Degenerate corpora


@pytest.mark.parametrize(
    "X", [np.zeros((3, 4)), np.array([[5.0, 0, 0, 0]]), np.full((2, 1), 3.0)], ids=["no count", "one", "V=1"]
)
@pytest.mark.parametrize("n_topics", [1, 3])
@pytest.mark.parametrize("eta", [0.5, 0.0])
def test_every_engine_handles_a_degenerate_corpus(X, n_topics, eta, dtype, workers):
    alpha, n_words = np.full(n_topics, 0.5), X.shape[1]
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    lam0, settings = corpora.random_lam(0, n_topics, n_words), PassSettings(1, 3, 2, 1e-3)
    for phase in [*whole_corpus_phases(settings, 1), OnlineVB(settings, 3, 1, RATE)]:
        result, record = passes_of(phase, documents, priors, corpora.word_major(lam0, dtype), workers, 3)[-1]
        assert np.isfinite(record.elbo)
        assert np.isfinite(result.lam).all()
        if not X.any() and eta:
            np.testing.assert_allclose(record.word, 0, atol=1e-12)


# Threads


SETTINGS = PassSettings(1, 4, 2, 1e-2)
ENGINES = {
    "batch": BatchVB(SETTINGS, 3),
    "memoized": MemoizedVB(SETTINGS, 3, 23),
    "online": OnlineVB(SETTINGS, 3, 23, RATE),
}


def fingerprint(result, record, n_words):
    numbers = np.array([record.word, record.doc_topic, record.topic_word, record.perplexity, record.n_inner_iter])
    return result.all_words(n_words).tobytes() + numbers.tobytes()


@pytest.mark.parametrize("phase", ENGINES.values(), ids=list(ENGINES))
@pytest.mark.parametrize("eta", [0.25, 0.0], ids=["posterior", "point estimates"])
def test_every_engine_gives_the_same_bits_for_any_number_of_threads(phase, eta, dtype, small_pieces):
    X = corpora.random_counts(0, n_docs=60, n_words=40)
    X[0] = 1  # every word is in the first batch
    alpha, lam0 = corpora.random_alpha(0, 19), corpora.random_lam(0, 19, 40)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    results = []
    for n_threads in (1, 2, 3, 7):
        with Workers(n_threads) as workers:
            passes = iterate_passes(phase, documents, priors, corpora.word_major(lam0, dtype), workers)
            results.append([fingerprint(*one, 40) for one in passes])
    assert all(result == results[0] for result in results)
