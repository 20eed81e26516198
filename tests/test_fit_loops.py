"""The learning loops against their slow twins, and what each promises of its bound: equations (17) to (22)."""

import functools
import itertools

import corpora
import numpy as np
import pytest
import reference
from memory import peak_memory

from ldavi._core.threads import Workers
from ldavi._inference import vb_online
from ldavi._inference.m_step import learning_rate
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_batch import Documents, PassResult, PassSettings, all_words, fit_batch
from ldavi._inference.vb_memoized import batch_of, fit_memoized, unvisited, with_prior
from ldavi._inference.vb_online import LearningRate, exact_record, fit_online

RTOL = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-10}  # some passes let an error grow tenfold
ELBO_RTOL = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-11}
MONOTONE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-9}

ETAS = {"scalar": 0.25, "by word": np.linspace(0.125, 2, 25), "by both": np.linspace(0.125, 2, 75).reshape(3, 25)}


def problem(seed, n_topics=3, dtype=np.float64):
    X = corpora.topical_counts(seed, n_topics=n_topics)
    X[4], X[:, 7] = 0, 0
    return X, corpora.random_alpha(seed, n_topics), corpora.random_lam(seed, n_topics, X.shape[1])


def absent_as_prior(lam, X, eta):
    """Both loops over whole corpora take η as the topics of words that do not occur, from the start."""
    return np.where(X.any(axis=0), lam, eta)


def lam_of(learned, n_words, priors):
    return all_words(learned, n_words)[:, : priors.n_topics].T.copy()


def run(loop, n_passes):
    return list(itertools.islice(loop, n_passes))


# Batch


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
def test_the_batch_loop_equals_the_twin(eta, dtype, workers):
    X, alpha, lam0 = problem(0)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    loop = fit_batch(documents, priors, corpora.word_major(lam0, dtype), PassSettings(0, 1, 3, 0.0), workers)
    learned = run(loop, 6)
    _, lam, trace = reference.fit_batch(X, alpha, eta, absent_as_prior(lam0, X, eta), 6, 3)
    np.testing.assert_allclose([one.record.elbo for one in learned], trace[1::2], rtol=ELBO_RTOL[dtype])
    np.testing.assert_allclose(lam_of(learned[-1], 25, priors), lam, rtol=RTOL[dtype])
    assert [one.n_updates for one in learned] == [1, 2, 3, 4, 5, 6]


def test_a_whole_weight_is_worth_as_many_copies(workers):
    X, alpha, lam0 = problem(1)
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    priors = corpora.make_priors(alpha, 0.25)
    copies = np.repeat(np.arange(len(X)), weight)
    results = []
    for rows, omega in ((X, weight.astype(float)), (X[copies], None)):
        loop = fit_batch(
            Documents(corpora.to_counts(rows), omega),
            priors,
            corpora.word_major(lam0),
            PassSettings(2, 4, 2, 0.0),
            workers,
        )
        learned = run(loop, 5)[-1]
        results.append((learned.record.elbo, learned.record.perplexity, lam_of(learned, 25, priors)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)


@pytest.mark.parametrize("warmup", [0, 3])
def test_the_batch_bound_never_falls_once_gamma_is_carried_over(warmup, dtype, workers):
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.05)
        loop = fit_batch(
            documents, priors, corpora.word_major(lam0, dtype), PassSettings(warmup, 10, 1 + seed % 3, 1e-3), workers
        )
        elbo = [one.record.elbo for one in run(loop, 25) if one.record.phase == "monotone"]
        assert len(elbo) == 25 - warmup
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()


def test_the_batch_bound_can_fall_where_gamma_starts_anew(workers):
    fell = 0
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, 0.05)
        loop = fit_batch(documents, priors, corpora.word_major(lam0), PassSettings(99, 2, 1, 1e-3), workers)
        elbo = [one.record.elbo for one in run(loop, 60)]
        fell += (np.diff(elbo) < -1e-9 * np.abs(elbo[1:])).any()
    assert fell > 0


def test_words_that_do_not_occur_have_the_topics_of_their_prior(dtype, workers):
    X, alpha, lam0 = problem(2)
    for eta in ETAS.values():
        priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
        loops = [
            fit_batch(documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 3, 2, 0.0), workers),
            fit_memoized(
                documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 3, 2, 0.0), workers, batch_size=6
            ),
        ]
        for loop in loops:
            lam = lam_of(run(loop, 2)[-1], 25, priors)
            np.testing.assert_array_equal(lam[:, 7], np.broadcast_to(eta, lam.shape)[:, 7].astype(dtype))


# Memoized


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
def test_the_memoized_loop_equals_the_twin(eta, dtype, workers):
    X, alpha, lam0 = problem(3)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    loop = fit_memoized(
        documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 2, 2, 0.0), workers, batch_size=7
    )
    learned = run(loop, 5)
    batches = [np.arange(0, 7), np.arange(7, 14), np.arange(14, 20)]
    _, lam, trace = reference.fit_memoized(X, batches, alpha, eta, absent_as_prior(lam0, X, eta), 5, 2)
    np.testing.assert_allclose([one.record.elbo for one in learned], trace[::3], rtol=ELBO_RTOL[dtype])
    np.testing.assert_allclose(lam_of(learned[-1], 25, priors), lam, rtol=RTOL[dtype])
    assert [one.n_updates for one in learned] == [3, 6, 9, 12, 15]


@pytest.mark.parametrize("loop", [fit_batch, functools.partial(fit_memoized, batch_size=99)], ids=["batch", "memoized"])
def test_a_warm_up_starts_afresh_and_goes_beyond_its_sweeps(loop, workers):
    X, alpha, lam = problem(3)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), None)
    second = run(loop(documents, priors, corpora.word_major(lam), PassSettings(99, 6, 2, 0.0), workers), 2)[-1]
    lam = absent_as_prior(lam, X, 0.25)
    for _ in range(2):
        start = reference.cold_start(X, alpha)
        lam = 0.25 + reference.estep(X, reference.expected_log(lam), alpha, start, 6, -1.0, beyond=True)[1]
    np.testing.assert_allclose(lam_of(second, 25, priors), lam, rtol=1e-8)


@pytest.mark.parametrize("loop", [fit_batch, functools.partial(fit_memoized, batch_size=99)], ids=["batch", "memoized"])
def test_the_monotone_phase_takes_sweeps_as_they_are(loop, workers):
    X, alpha, lam = problem(3)
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), None)
    second = run(loop(documents, priors, corpora.word_major(lam), PassSettings(1, 2, 8, 0.0), workers), 2)[-1]
    lam, gamma = absent_as_prior(lam, X, 0.25), reference.cold_start(X, alpha)
    for sweeps in (2, 8):
        gamma, sstats, _, _ = reference.estep(X, reference.expected_log(lam), alpha, gamma, sweeps, -1.0)
        lam = 0.25 + sstats
    np.testing.assert_allclose(lam_of(second, 25, priors), lam, rtol=1e-8)


def test_the_memoized_terms_equal_their_definition(workers):
    X, alpha, lam0 = problem(4)
    weight = np.random.default_rng(4).integers(1, 9, len(X)) / 4
    priors, documents = corpora.make_priors(alpha, 0.25), Documents(corpora.to_counts(X), weight)
    loop = fit_memoized(
        documents, priors, corpora.word_major(lam0), PassSettings(1, 3, 3, 0.0), workers, batch_size=len(X)
    )
    first, second = ((one.record, lam_of(one, 25, priors)) for one in run(loop, 2))
    gamma, lam = reference.cold_start(X, alpha), absent_as_prior(lam0, X, 0.25)
    for record, found in (first, second):
        gamma, memory, phi, _ = reference.estep(X, reference.expected_log(lam), alpha, gamma, 3, -1.0, weight)
        lam = memory + 0.25
        expected = reference.elbo_terms(X, phi, gamma, lam, alpha, 0.25, weight)
        np.testing.assert_allclose((record.word, record.doc_topic, record.topic_word), expected, rtol=1e-11)
        np.testing.assert_allclose(found, lam, rtol=1e-11)


def test_one_memoized_batch_is_the_batch_loop(dtype, workers):
    X, alpha, lam0 = problem(5)
    priors, documents, plan = (
        corpora.make_priors(alpha, 0.25),
        Documents(corpora.to_counts(X, dtype), None),
        PassSettings(1, 4, 2, 1e-4),
    )
    batch = fit_batch(documents, priors, corpora.word_major(lam0, dtype), plan, workers)
    memoized = fit_memoized(documents, priors, corpora.word_major(lam0, dtype), plan, workers, batch_size=99)
    for _ in range(5):
        one, other = next(batch), next(memoized)
        np.testing.assert_allclose(lam_of(other, 25, priors), lam_of(one, 25, priors), rtol=RTOL[dtype])
        np.testing.assert_allclose(other.record.elbo, one.record.elbo, rtol=ELBO_RTOL[dtype])
        assert other.record.phase == one.record.phase


def test_the_memoized_bound_never_falls_after_the_first_lap(dtype, workers):
    for seed in range(20):
        X, alpha, lam0 = problem(seed, n_topics=4)
        documents, priors = Documents(corpora.to_counts(X, dtype), None), corpora.make_priors(alpha, 0.05)
        plan = PassSettings(1, 5, 1 + seed % 3, 1e-3)
        loop = fit_memoized(documents, priors, corpora.word_major(lam0, dtype), plan, workers, batch_size=3 + seed % 5)
        elbo = [one.record.elbo for one in run(loop, 20)]
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()


def test_a_memoized_visit_returns_what_changed(dtype, workers):
    X, alpha, lam0 = problem(7)
    priors = corpora.make_priors(alpha, 0.25)
    documents = Documents(corpora.to_counts(X, dtype), None)
    batch = batch_of(documents, priors.n_topics)
    memory = unvisited(batch, priors.n_topics)
    rows = corpora.word_major(lam0, dtype)[batch.rows]
    first = memory.visit(batch, rows, lam0.sum(axis=1), priors, PassSettings(1, 3, 2, 0.0), workers, 1)
    kept = memory.sstats.astype(np.float64)
    np.testing.assert_array_equal(first, kept)
    second = memory.visit(batch, rows, lam0.sum(axis=1), priors, PassSettings(1, 3, 2, 0.0), workers, 2)
    np.testing.assert_allclose(kept + second, memory.sstats, rtol=1e-14)
    np.testing.assert_allclose(second.sum(), 0, atol=1e-4 if dtype == np.float32 else 1e-11)


def test_memoized_topics_never_go_below_their_prior(dtype, workers):
    X, alpha, lam0 = problem(8, n_topics=6)
    priors, documents = corpora.make_priors(alpha * 0.1, 1e-6), Documents(corpora.to_counts(X, dtype), None)
    loop = fit_memoized(
        documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 10, 5, 0.0), workers, batch_size=4
    )
    assert (lam_of(run(loop, 60)[-1], 25, priors) >= dtype.type(1e-6)).all()


def test_a_sum_below_zero_counts_as_zero(dtype):
    total = np.array([[1.0, -1e-17, 0.0, 2.0] + [0.0] * 12])
    lam = with_prior(total, np.full((1, 4), 0.25), dtype)
    np.testing.assert_array_equal(lam[0], [1.25, 0.25, 0.25, 2.25] + [0] * 12)


# Online


@pytest.mark.parametrize("eta", ETAS.values(), ids=list(ETAS))
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_the_online_loop_equals_dense_steps(eta, weighted, dtype, workers):
    X, alpha, lam0 = problem(9)
    weight = np.random.default_rng(9).integers(1, 9, len(X)) / 4 if weighted else np.ones(len(X))
    priors = corpora.make_priors(alpha, eta)
    documents = Documents(corpora.to_counts(X, dtype), weight.astype(dtype) if weighted else None)
    loop = fit_online(
        documents,
        priors,
        corpora.word_major(lam0, dtype),
        PassSettings(0, 4, 1, 0.0),
        workers,
        batch_size=6,
        steps=LearningRate(1.0, 0.7),
    )
    learned = run(loop, 3)
    lam, updates, terms = lam0, 0, np.zeros(2)
    for one in range(3):
        for start in range(0, len(X), 6):
            at = slice(start, start + 6)
            updates += 1
            elog_beta = reference.expected_log(lam)
            gamma, sstats, phi, _ = reference.estep(
                X[at], elog_beta, alpha, reference.cold_start(X[at], alpha), 4, -1.0, weight[at], beyond=True
            )
            if one == 2:
                terms += [
                    reference.word_term(X[at], phi, gamma, elog_beta, weight[at]),
                    reference.doc_topic_term(X[at], gamma, alpha, weight[at]),
                ]
            rho = learning_rate(updates, offset=1.0, decay=0.7)
            lam = reference.online_update(lam, eta, sstats, rho, weight.sum() / weight[at].sum())
    np.testing.assert_allclose(lam_of(learned[-1], 25, priors), lam, rtol=RTOL[dtype])
    record = learned[-1].record
    np.testing.assert_allclose([record.word, record.doc_topic], terms, rtol=10 * ELBO_RTOL[dtype])
    np.testing.assert_allclose(record.topic_word, reference.topic_word_term(lam, eta), rtol=10 * ELBO_RTOL[dtype])
    assert learned[-1].n_updates == updates


def test_the_exact_record_is_the_bound_of_the_final_topics(dtype, workers):
    X, alpha, lam0 = problem(10)
    priors, documents, plan = (
        corpora.make_priors(alpha, 0.25),
        Documents(corpora.to_counts(X, dtype), None),
        PassSettings(0, 2000, 1, 1e-7),
    )
    loop = fit_online(
        documents, priors, corpora.word_major(lam0, dtype), plan, workers, batch_size=6, steps=LearningRate(1.0, 0.7)
    )
    learned = run(loop, 2)[-1]
    final = exact_record(documents, learned, workers, max_inner_iter=plan.max_inner_iter, tol=plan.tol)
    lam = lam_of(learned, 25, priors).astype(np.float64)
    gamma, _, _, _ = reference.estep(X, reference.expected_log(lam), alpha, reference.cold_start(X, alpha), 2000, 1e-7)
    assert final.phase == "final"
    np.testing.assert_allclose(final.elbo, reference.elbo_collapsed(X, gamma, lam, alpha, 0.25), rtol=1e-6)
    assert final.seconds >= learned.record.seconds


def test_the_exact_record_holds_the_topics_of_one_part_of_the_documents_at_a_time(monkeypatch):
    monkeypatch.setattr(vb_online, "DOCUMENTS_AT_ONCE", 4)
    X, K = np.ones((12, 3000)), 64
    priors = corpora.make_priors(np.full(K, 0.1), 0.25)
    lam = corpora.word_major(corpora.random_lam(0, K, X.shape[1]))
    learned = PassResult(lam, np.arange(X.shape[1]), 1, TraceRecord(1, "online", *[0.0] * 7), priors)
    documents = Documents(corpora.to_counts(X), None)

    def record():
        with Workers(1) as workers:
            exact_record(documents, learned, workers, max_inner_iter=1, tol=0.0, batch_size=4)

    assert peak_memory(record) < 3 * lam.nbytes  # λ and B of the part's words, and what is small


# Point estimates


def test_point_estimates_of_the_batch_loop_equal_the_twin_and_never_fall(dtype, workers):
    for seed in range(4):
        X, alpha, lam0 = problem(seed)
        lam0[1, :5] = 0
        priors, documents = corpora.make_priors(alpha, 0.0), Documents(corpora.to_counts(X, dtype), None)
        learned = []
        for one in itertools.islice(
            fit_batch(documents, priors, corpora.word_major(lam0, dtype), PassSettings(0, 1, 2, 0.0), workers), 12
        ):
            learned.append((one.record, lam_of(one, 25, priors)))
        occurs = X.any(axis=0)
        start = np.where(occurs, lam0, 0)
        gamma, beta = reference.cold_start(X, alpha), start / start.sum(axis=1, keepdims=True)
        for record, lam in learned[:4]:
            with np.errstate(divide="ignore"):
                gamma, sstats, phi, _ = reference.estep(X[:, occurs], np.log(beta[:, occurs]), alpha, gamma, 2, -1.0)
            full = np.zeros(lam.shape)
            full[:, occurs] = sstats
            beta = reference.point_estimate_step(full, beta)
            log_beta = np.log(np.where(beta > 0, beta, 1))[:, occurs]
            exact = reference.word_term(X[:, occurs], phi, gamma, log_beta) + reference.doc_topic_term(X, gamma, alpha)
            np.testing.assert_allclose(lam, full, rtol=RTOL[dtype], atol=1e-6 if dtype == np.float32 else 1e-12)
            np.testing.assert_allclose(record.elbo, exact, rtol=ELBO_RTOL[dtype])
        elbo = np.array([record.elbo for record, _ in learned])
        assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()
        assert all(record.topic_word == 0 for record, _ in learned)
        assert not learned[-1][1][1, :5].any()
        np.testing.assert_allclose(learned[-1][1].sum(axis=0), X.sum(axis=0), rtol=1e-5)


def test_point_estimates_of_the_memoized_loop_lose_no_word_and_never_fall(dtype, workers):
    X, alpha, lam0 = problem(11)
    X[:5, 0] = 0  # the first batch does not hold word 0
    X[5:, 0] += 1
    priors, documents = corpora.make_priors(alpha, 0.0), Documents(corpora.to_counts(X, dtype), None)
    loop = fit_memoized(
        documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 3, 2, 0.0), workers, batch_size=5
    )
    learned = run(loop, 8)
    elbo = np.array([one.record.elbo for one in learned])
    assert np.isfinite(elbo).all()
    assert (np.diff(elbo) >= -MONOTONE[dtype] * np.abs(elbo[1:])).all()
    np.testing.assert_allclose(lam_of(learned[-1], 25, priors).sum(axis=0), X.sum(axis=0), rtol=1e-5)


# Odd corpora


@pytest.mark.parametrize(
    "X", [np.zeros((3, 4)), np.array([[5.0, 0, 0, 0]]), np.full((2, 1), 3.0)], ids=["no count", "one", "V=1"]
)
@pytest.mark.parametrize("n_topics", [1, 3])
@pytest.mark.parametrize("eta", [0.5, 0.0])
def test_every_loop_survives_a_corpus_with_next_to_nothing(X, n_topics, eta, dtype, workers):
    alpha, n_words = np.full(n_topics, 0.5), X.shape[1]
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    lam0, plan = corpora.random_lam(0, n_topics, n_words), PassSettings(1, 3, 2, 1e-3)
    loops = [
        fit_batch(documents, priors, corpora.word_major(lam0, dtype), plan, workers),
        fit_memoized(documents, priors, corpora.word_major(lam0, dtype), plan, workers, batch_size=1),
        fit_online(
            documents,
            priors,
            corpora.word_major(lam0, dtype),
            plan,
            workers,
            batch_size=1,
            steps=LearningRate(1.0, 0.7),
        ),
    ]
    for loop in loops:
        learned = run(loop, 3)[-1]
        assert np.isfinite(learned.record.elbo)
        assert np.isfinite(learned.lam).all()
        if not X.any() and eta:
            np.testing.assert_allclose(learned.record.word, 0, atol=1e-12)


# Threads


def fingerprint(learned, priors, n_words):
    record = learned.record
    numbers = np.array([record.word, record.doc_topic, record.topic_word, record.perplexity, record.sweeps])
    return all_words(learned, n_words).tobytes() + numbers.tobytes()


@pytest.mark.parametrize("method", ["batch", "memoized", "online"])
@pytest.mark.parametrize("eta", [0.25, 0.0], ids=["posterior", "point estimates"])
def test_every_loop_gives_the_same_bits_for_any_number_of_threads(method, eta, dtype, small_pieces):
    X = corpora.random_counts(0, n_docs=60, n_words=40)
    X[0] = 1  # every word is in the first batch
    alpha, lam0 = corpora.random_alpha(0, 19), corpora.random_lam(0, 19, 40)
    priors, documents = corpora.make_priors(alpha, eta), Documents(corpora.to_counts(X, dtype), None)
    results = []
    for n_threads in (1, 2, 3, 7):
        with Workers(n_threads) as workers:
            args = documents, priors, corpora.word_major(lam0, dtype), PassSettings(1, 4, 2, 1e-2), workers
            if method == "batch":
                loop = fit_batch(*args)
            elif method == "memoized":
                loop = fit_memoized(*args, batch_size=23)
            else:
                loop = fit_online(*args, batch_size=23, steps=LearningRate(1.0, 0.7))
            results.append([fingerprint(one, priors, 40) for one in itertools.islice(loop, 3)])
    assert all(result == results[0] for result in results)
