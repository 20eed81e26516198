"""The compiled E-step against the reference implementation: equations (11.1), (11.2), (12.1), (14.1), (16.1)."""

import corpora
import numpy as np
import pytest
import reference
from scipy.special import psi
from sklearn.decomposition import _lda

from ldavi._core.threads import Workers
from ldavi._inference import e_step_log_space, elbo, fixed_topics
from ldavi._inference.e_step import EStepSettings, update_documents

# A few inner iterations, each a sum of at most some dozen products: a few dozen roundings.
RTOL = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-11}
TOTAL_RTOL = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-14}

CASES = {
    "mixed": (corpora.random_counts(0), 5),  # with an empty document, one of a single word, and a zero column
    "one topic": (corpora.random_counts(1), 1),
    "two topics": (corpora.random_counts(2), 2),
    "whole row": (corpora.random_counts(3), 16),
    "row and one": (corpora.random_counts(4), 17),
    "three rows": (corpora.random_counts(5, n_docs=6), 41),
    "tiles of statistics": (corpora.random_counts(9, n_docs=4), 150),
    "lengths 0 to 20": (corpora.staircase_counts(), 6),
    "one word": (np.array([[4.0], [0.0], [1.0]]), 3),
    "no document": (np.zeros((0, 4)), 3),
    "no count": (np.zeros((3, 4)), 3),
    "large counts": (corpora.random_counts(6) * 12345, 5),
    "fractions": (corpora.random_counts(7) * 0.375, 5),
}


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def corpus(request):
    X, n_topics = request.param
    return X, corpora.random_lam(0, n_topics, X.shape[1]), corpora.random_alpha(0, n_topics)


def log_space_documents(monkeypatch):
    """Return a list that collects every document that is updated in log space."""
    documents = []
    original = e_step_log_space.update_document

    def update_document(*args, **kwargs):
        documents.append(args[0])
        return original(*args, **kwargs)

    monkeypatch.setattr(e_step_log_space, "update_document", update_document)
    return documents


def without_extrapolation(max_inner_iter, tol, **options):
    return EStepSettings(max_inner_iter, tol, extrapolate=False, **options)


def test_gamma_and_statistics_equal_the_reference_implementation(corpus, dtype, instruction_set, workers):
    X, lam, alpha = corpus
    n_inner_iter = 3
    start = reference.cold_start(X, alpha)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=n_inner_iter, tol=0.0)
    documents = X.any(axis=1)
    gamma, sstats = start * 0 + alpha, np.zeros(lam.shape)
    if documents.any():
        gamma[documents], sstats, _, _ = reference.estep(
            X[documents], reference.expected_log(lam), alpha, start[documents], n_inner_iter, -1.0
        )
    np.testing.assert_allclose(found.gamma, gamma, rtol=RTOL[dtype])
    np.testing.assert_allclose(found.sstats, sstats, rtol=RTOL[dtype], atol=RTOL[dtype])
    assert not found.rows[:, len(lam) :].any()


def test_inner_iterations_end_where_those_of_the_reference_implementation_end(dtype, instruction_set, workers):
    X, lam, alpha = corpora.random_counts(8, n_words=15), corpora.random_lam(8, 5, 15), corpora.random_alpha(8, 5)
    tol, doubt = (
        1e-3,
        1e-3 if dtype == np.float32 else 1e-9,
    )  # of the change, which may be just above or below the threshold
    start, elog_beta = reference.cold_start(X, alpha), reference.expected_log(lam)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=500, tol=tol)
    filled = X.any(axis=1)
    *_, minimum = reference.estep(X[filled], elog_beta, alpha, start[filled], 500, tol * (1 + doubt))
    *_, maximum = reference.estep(X[filled], elog_beta, alpha, start[filled], 500, tol * (1 - doubt))
    n_inner_iter = found.result.n_inner_iter[filled]
    assert ((minimum <= n_inner_iter) & (n_inner_iter <= maximum)).all()
    assert len(np.unique(n_inner_iter)) > 3
    for d in np.flatnonzero(filled):
        gamma, _, _ = reference.document_update_log(
            X[d], elog_beta, alpha, start[d], found.result.n_inner_iter[d], -1.0
        )
        np.testing.assert_allclose(found.gamma[d], gamma, rtol=10 * RTOL[dtype])


def test_an_empty_document_has_the_prior_and_no_inner_iteration(dtype, workers):
    X, lam, alpha = corpora.random_counts(0), corpora.random_lam(0, 5, 30), corpora.random_alpha(0, 5)
    found = corpora.run_estep(X, lam, alpha, np.full((12, 5), 7.0), dtype, workers, max_inner_iter=3)
    np.testing.assert_array_equal(found.gamma[1], alpha)
    assert found.result.n_inner_iter[1] == 0
    word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
    np.testing.assert_allclose([word[1], doc_topic[1]], 0, atol=1e-13)


def test_an_e_step_without_statistics_gives_the_same_gamma_bits(corpus, dtype, instruction_set, workers):
    X, lam, alpha = corpus
    start = reference.cold_start(X, alpha)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=5, tol=1e-2)
    gamma = start.astype(dtype)
    settings = without_extrapolation(5, 1e-2, cold_start=False)
    result = update_documents(found.counts, found.topics, alpha, gamma, settings, workers)
    np.testing.assert_array_equal(gamma, found.gamma)
    np.testing.assert_array_equal(result.n_inner_iter, found.result.n_inner_iter)
    np.testing.assert_array_equal(result.bound, found.result.bound)


def test_weights_multiply_statistics_and_do_not_affect_gamma(dtype, instruction_set, workers):
    X, lam, alpha = corpora.random_counts(3), corpora.random_lam(3, 7, 30), corpora.random_alpha(3, 7)
    weight = np.random.default_rng(3).integers(1, 9, 12) / 4
    start = reference.cold_start(X, alpha)
    plain = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=3)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=3, weight=weight)
    _, sstats, _, _ = reference.estep(X, reference.expected_log(lam), alpha, start, 3, -1.0, weight)
    np.testing.assert_allclose(found.sstats, sstats, rtol=RTOL[dtype], atol=RTOL[dtype])
    np.testing.assert_array_equal(found.gamma, plain.gamma)
    np.testing.assert_array_equal(found.result.bound, plain.result.bound)


@pytest.mark.parametrize(("alpha0", "lam0"), [(0.3, 0.5), (1e-3, 1e-3), (1e-8, 1e-8)])
def test_statistics_contain_every_token(alpha0, lam0, dtype, instruction_set, workers):
    X = corpora.random_counts(4, n_docs=30)
    rng = np.random.default_rng(4)
    lam = np.full((6, 30), lam0) + rng.integers(0, 2, (6, 30)) * rng.gamma(1.0, 3.0, (6, 30))
    weight = rng.integers(1, 9, 30) / 4
    alpha = np.full(6, np.float32(alpha0), dtype=np.float64)
    start = reference.cold_start(X, alpha)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=6, weight=weight)
    gamma_sum = alpha.sum() + X.sum(axis=1)
    np.testing.assert_allclose(found.sstats.sum(axis=0), weight @ X, rtol=10 * TOTAL_RTOL[dtype])
    np.testing.assert_allclose(found.sstats.sum(), weight @ X.sum(axis=1), rtol=TOTAL_RTOL[dtype])
    np.testing.assert_allclose(found.gamma.sum(axis=1, dtype=np.float64), gamma_sum, rtol=10 * TOTAL_RTOL[dtype])


def test_statistics_of_parts_add_up(workers):
    X, lam, alpha = corpora.random_counts(4), corpora.random_lam(4, 3, 30), corpora.random_alpha(4, 3)
    start = reference.cold_start(X, alpha)
    whole = corpora.run_estep(X, lam, alpha, start, np.float64, workers, max_inner_iter=2).sstats
    parts = [
        corpora.run_estep(X[at], lam, alpha, start[at], np.float64, workers, max_inner_iter=2).sstats
        for at in np.split(np.arange(12), 3)
    ]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-13, atol=1e-13)


def underflowing_problem():
    """Return documents with γ at topics 0 and 1 but with words of topics 2 and 3 alone, and an ordinary document."""
    X = np.zeros((4, 6))
    X[0, 0], X[0, 4] = 2, 3
    X[1, 5] = 1
    X[2, :] = 1
    X[3, 0] = 5
    lam = np.full((4, 6), 2.0**-10)
    lam[0, 0] = lam[1, 1] = lam[2, 2] = lam[3, 3] = 5.0
    lam[2, 4], lam[3, 5] = 4.0, 3.0
    alpha = np.full(4, 2.0**-11)
    gamma = np.tile(alpha, (4, 1))
    gamma[:3, 0] += X[:3].sum(axis=1) / 2
    gamma[:3, 1] += X[:3].sum(axis=1) / 2
    gamma[3, 0] += 5
    return X, lam, alpha, gamma


def test_documents_whose_weights_underflow_equal_the_reference_implementation_in_log_space(
    dtype, instruction_set, workers, monkeypatch
):
    X, lam, alpha, gamma = underflowing_problem()
    weight = np.array([1.0, 2.0, 0.5, 4.0])
    in_log_space = log_space_documents(monkeypatch)
    found = corpora.run_estep(X, lam, alpha, gamma, dtype, workers, max_inner_iter=2, tol=0.0, weight=weight)
    assert 1 <= len(in_log_space) <= 3
    elog_beta = reference.expected_log(lam)
    expected, sstats, phi, _ = reference.estep(X, elog_beta, alpha, gamma, 2, -1.0, weight)
    np.testing.assert_allclose(found.gamma, expected, rtol=RTOL[dtype], atol=RTOL[dtype])
    np.testing.assert_allclose(found.sstats, sstats, rtol=RTOL[dtype], atol=RTOL[dtype])
    assert (found.result.n_inner_iter > 0).all()
    word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
    tolerance = {"rtol": 1e-5, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-11}  # sums of terms near 10
    for d in range(len(X)):
        exact_word = reference.word_term(X[[d]], [phi[d]], expected[[d]], elog_beta)
        exact_doc = reference.doc_topic_term(X[[d]], expected[[d]], alpha)
        np.testing.assert_allclose(word[d] + doc_topic[d], exact_word + exact_doc, **tolerance)


def test_an_update_in_log_space_equals_the_reference_implementation():
    X, lam, alpha, gamma = underflowing_problem()
    elog_beta = reference.expected_log(lam)
    for d in range(len(X)):
        words = np.flatnonzero(X[d])
        result = e_step_log_space.update_document(
            X[d, words], elog_beta[:, words].T, alpha, gamma[d], max_inner_iter=40, tol=1e-6, log_norm_min=0.0
        )
        expected, phi, n_inner_iter = reference.document_update_log(X[d], elog_beta, alpha, gamma[d], 40, 1e-6)
        assert result.n_inner_iter == n_inner_iter
        np.testing.assert_allclose(result.gamma, expected, rtol=1e-11)
        np.testing.assert_allclose(result.phi, phi[words], rtol=1e-10, atol=1e-300)


def test_repeated_documents_give_twice_the_statistics(dtype, workers):
    X, lam, alpha = corpora.random_counts(5), corpora.random_lam(5, 5, 30), corpora.random_alpha(5, 5)
    twice = np.vstack([X, X])
    one = corpora.run_estep(X, lam, alpha, reference.cold_start(X, alpha), dtype, workers, max_inner_iter=4)
    two = corpora.run_estep(twice, lam, alpha, reference.cold_start(twice, alpha), dtype, workers, max_inner_iter=4)
    np.testing.assert_allclose(two.sstats, 2 * one.sstats, rtol=RTOL[dtype], atol=1e-30)
    np.testing.assert_array_equal(two.gamma, np.vstack([one.gamma, one.gamma]))


def test_documents_in_another_order_have_the_same_gamma_bits(dtype, instruction_set, workers):
    X, lam, alpha = corpora.random_counts(6, n_docs=30), corpora.random_lam(6, 5, 30), corpora.random_alpha(6, 5)
    order = np.random.default_rng(0).permutation(30)
    start = reference.cold_start(X, alpha)
    one = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=4)
    other = corpora.run_estep(X[order], lam, alpha, start[order], dtype, workers, max_inner_iter=4)
    np.testing.assert_array_equal(other.gamma, one.gamma[order])
    np.testing.assert_array_equal(other.result.bound, one.result.bound[order])


@pytest.mark.parametrize("unit", [1.0, 0.1], ids=["whole counts", "fractions"])
@pytest.mark.parametrize("point_estimate", [False, True], ids=["posterior", "point estimates"])
def test_inference_on_a_single_row_gives_the_bits_of_the_row_in_a_batch(
    unit, point_estimate, dtype, instruction_set, workers
):
    X = corpora.random_counts(7, n_docs=25) * unit
    lam, alpha = corpora.random_lam(7, 5, 30), corpora.random_alpha(7, 5)
    if point_estimate:
        lam[3] = 0  # a topic without expected counts

    def infer(rows):
        counts, words = corpora.to_counts(rows, dtype).compact()
        topics = corpora.make_topics(lam, words, dtype, workers, point_estimate=point_estimate)
        return fixed_topics.infer_documents(counts, topics, alpha, without_extrapolation(50, 1e-3), workers)

    together = infer(X)
    for d in range(len(X)):
        alone = infer(X[[d]])
        np.testing.assert_array_equal(alone.gamma[0], together.gamma[d])
        assert alone.bound[0] == together.bound[d]


def test_gamma_has_the_same_bits_with_and_without_the_bound(dtype, instruction_set, workers):
    X, lam, alpha = corpora.random_counts(7, n_docs=25), corpora.random_lam(7, 5, 30), corpora.random_alpha(7, 5)
    counts, words = corpora.to_counts(X, dtype).compact()
    topics, settings = corpora.make_topics(lam, words, dtype, workers), without_extrapolation(50, 1e-4)
    gamma = fixed_topics.infer_gamma(counts, topics, alpha, settings, workers)
    np.testing.assert_array_equal(gamma, fixed_topics.infer_documents(counts, topics, alpha, settings, workers).gamma)


def test_responsibilities_equal_their_formula_and_sum_to_one(dtype, workers):
    X, lam, alpha = corpora.random_counts(9), corpora.random_lam(9, 5, 30), corpora.random_alpha(9, 5)
    counts, words = corpora.to_counts(X, dtype).compact()
    topics = corpora.make_topics(lam, words, dtype, workers)
    gamma = reference.cold_start(X, alpha).astype(dtype)
    phi = fixed_topics.responsibilities(counts, topics, gamma)
    scores = psi(gamma.astype(np.float64))[:, None, :] + reference.expected_log(lam).T[None]
    expected = np.exp(scores)
    expected /= expected.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(phi, expected[X > 0], rtol=RTOL[dtype])
    np.testing.assert_allclose(phi.sum(axis=1), 1, rtol=10 * np.finfo(dtype).eps)


def test_a_word_of_probability_0_in_every_topic_has_the_bound_minus_infinity_and_no_statistics(
    dtype, instruction_set, workers
):
    X = np.array([[2.0, 0.0, 1.0], [1.0, 3.0, 0.0]])
    beta = np.array([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0]])
    alpha = np.array([0.5, 0.25])
    start = reference.cold_start(X, alpha)
    found = corpora.run_estep(X, beta, alpha, start, dtype, workers, max_inner_iter=3, point_estimate=True)
    word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
    assert word[0] == -np.inf
    assert np.isfinite(word[1])
    assert np.isfinite(doc_topic).all()
    assert np.isfinite(found.gamma).all()
    np.testing.assert_allclose(found.gamma.sum(axis=1), alpha.sum() + X.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.sstats.sum(axis=0), [3, 3, 0], rtol=1e-6)
    phi = fixed_topics.responsibilities(found.counts, found.topics, found.gamma)
    np.testing.assert_allclose(phi.sum(axis=1), 1, rtol=1e-6)


def test_a_zero_of_a_point_estimate_gives_its_topic_no_statistics(dtype, instruction_set, workers):
    X = np.array([[2.0, 3.0, 1.0]])
    beta = np.array([[0.5, 0.0, 0.5], [0.25, 0.75, 0.0], [0.0, 0.5, 0.5]])
    found = corpora.run_estep(
        X, beta, np.full(3, 0.5), np.full((1, 3), 2.5), dtype, workers, max_inner_iter=3, point_estimate=True
    )
    np.testing.assert_array_equal(found.sstats == 0, beta == 0)


def test_a_cold_start_distributes_the_tokens_evenly_over_topics(instruction_set, dtype, workers):
    X, lam, alpha = corpora.random_counts(0), corpora.random_lam(0, 7, 30), corpora.random_alpha(0, 7)
    counts, words = corpora.to_counts(X, dtype).compact()
    topics = corpora.make_topics(lam, words, dtype, workers)
    gamma = np.full((len(X), 7), np.nan, dtype)
    update_documents(counts, topics, alpha, gamma, without_extrapolation(2, 0.0), workers)
    start = reference.cold_start(X, alpha)
    expected = reference.estep(X, reference.expected_log(lam), alpha, start, max_inner_iter=2, tol=0.0)[0]
    np.testing.assert_allclose(gamma, expected, rtol=1e-4 if dtype == np.float32 else 1e-10)


def from_cold_start(X, lam, alpha, dtype, workers, settings):
    """Return γ and the result of an E-step of all documents."""
    counts, words = corpora.to_counts(X, dtype).compact()
    topics = corpora.make_topics(lam, words, dtype, workers)
    gamma = np.empty((len(X), len(lam)), dtype)
    return gamma, update_documents(counts, topics, alpha, gamma, settings, workers)


@pytest.mark.parametrize("max_inner_iter", [1, 2, 3, 4, 5, 6, 9])
def test_extrapolation_equals_the_reference_implementation(instruction_set, dtype, workers, max_inner_iter):
    X, lam, alpha = corpora.random_counts(0), corpora.random_lam(0, 7, 30), corpora.random_alpha(0, 7)
    gamma, _ = from_cold_start(X, lam, alpha, dtype, workers, EStepSettings(max_inner_iter, 0.0))
    elog_beta = reference.expected_log(lam)
    start = reference.cold_start(X, alpha)
    expected, _, _, _ = reference.estep(X, elog_beta, alpha, start, max_inner_iter, 0.0, extrapolate=True)
    np.testing.assert_allclose(gamma, expected, rtol=3e-4 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("n_topics", [7, 24, 130])
def test_extrapolation_reaches_a_fixed_point_of_the_updates_in_fewer_inner_iterations(
    instruction_set, dtype, workers, n_topics
):
    rng = np.random.default_rng(n_topics)
    lam = rng.gamma(0.05, 20.0, (n_topics, 60)) + 0.05
    X, alpha = rng.poisson(0.7, (30, 60)).astype(float), np.full(n_topics, 0.05)
    converged, result = from_cold_start(X, lam, alpha, dtype, workers, EStepSettings(2000, 1e-5))
    _, plain = from_cold_start(X, lam, alpha, dtype, workers, without_extrapolation(2000, 1e-5))
    start = converged.astype(np.float64)
    updated = reference.estep(X, reference.expected_log(lam), alpha, start, max_inner_iter=1, tol=0.0)[0]
    assert np.abs(updated - converged).sum(axis=1).max() <= 1e-3 * X.sum(axis=1).max()
    assert result.n_inner_iter.sum() < 0.7 * plain.n_inner_iter.sum()


def two_topics_of_many(n_topics, alpha_of_each=0.015):
    """Return λ, α, and γ of a document with weight in topics 1 and 3; words from the thirtieth on belong to topic 2."""
    lam = np.full((n_topics, 40), 0.03)
    lam[1, :20], lam[3, 10:30], lam[2, 30:] = 5.0, 8.0, 3.0
    alpha = np.full(n_topics, alpha_of_each)
    gamma = alpha.copy()
    gamma[[1, 3]] += 12, 7
    return lam, alpha, gamma[None]


@pytest.mark.parametrize("n_topics", [24, 41, 130])
@pytest.mark.parametrize("max_inner_iter", [1, 2])
def test_topics_without_weight_in_a_document_are_left_out_of_an_inner_iteration(
    instruction_set, workers, n_topics, max_inner_iter
):
    lam, alpha, start = two_topics_of_many(n_topics)
    X = np.zeros((1, 40))
    X[0, :28] = np.arange(28) % 3 + 1
    found = corpora.run_estep(X, lam, alpha, start, np.float32, workers, max_inner_iter=max_inner_iter)
    gamma, sstats, _, _ = reference.estep(X, reference.expected_log(lam), alpha, start, max_inner_iter, -1.0)
    others = np.delete(np.arange(n_topics), [1, 3])
    np.testing.assert_array_equal(found.gamma[0, others], alpha[others].astype(np.float32))
    assert not found.sstats[others].any()
    np.testing.assert_allclose(found.gamma, gamma, rtol=1e-5)
    np.testing.assert_allclose(found.sstats, sstats, rtol=1e-5, atol=1e-20)


def test_the_bound_of_a_document_is_the_same_if_topics_are_left_out(instruction_set, workers):
    lam, alpha, start = two_topics_of_many(41)
    X = np.zeros((1, 40))
    X[0, 5:25] = 2
    single, double = (
        corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=2).result.bound
        for dtype in (np.float32, np.float64)
    )
    np.testing.assert_allclose(single, double, rtol=1e-5)


def test_a_word_that_belongs_to_topics_without_weight_only_keeps_all_topics(instruction_set, workers):
    """The weights left out add up to more than the rounding error of its normaliser, equation (17.2)."""
    lam, alpha, start = two_topics_of_many(41, 0.03)  # without tokens, a topic has the weight exp ψ(.03) = 2e-15
    lam[:, 39] = 0.03
    lam[2, 39] = 9.0
    X = np.zeros((1, 40))
    X[0, :20], X[0, 39] = 1, 1
    found = corpora.run_estep(X, lam, alpha, start, np.float32, workers, max_inner_iter=1)
    gamma, _, _, _ = reference.estep(X, reference.expected_log(lam), alpha, start, 1, -1.0)
    assert gamma[0, 2] > alpha[2] + 0.2  # topic 2 has a part of the word
    np.testing.assert_allclose(found.gamma, gamma, rtol=1e-4)


@pytest.mark.parametrize("n_topics", [24, 130])
def test_active_set_pruning_converges_to_a_fixed_point_of_updates_of_all_topics(
    instruction_set, dtype, workers, n_topics
):
    rng = np.random.default_rng(n_topics)
    lam = rng.gamma(0.05, 20.0, (n_topics, 60)).astype(np.float32) + 0.05
    X, alpha = rng.poisson(0.7, (30, 60)).astype(float), np.full(n_topics, 0.05)
    counts, words = corpora.to_counts(X, dtype).compact()
    topics = corpora.make_topics(lam.astype(float), words, dtype, workers)
    converged = np.empty((len(X), n_topics), dtype)
    result = update_documents(counts, topics, alpha, converged, without_extrapolation(2000, 1e-6), workers)
    updated = converged.copy()
    # Two inner iterations are too few for active-set pruning to begin, so they run over all topics.
    update_documents(counts, topics, alpha, updated, without_extrapolation(2, 0.0, cold_start=False), workers)
    assert result.n_inner_iter.max() > 10
    assert np.abs(updated - converged).sum(axis=1).max() <= 1e-3 * X.sum(axis=1).max()


def test_a_converged_e_step_equals_that_of_scikit_learn(workers):
    X, lam, alpha = corpora.random_counts(11), corpora.random_lam(11, 6, 30), 0.3
    elog_beta = reference.expected_log(lam)
    gamma, sstats = _lda._update_doc_distribution(X, np.exp(elog_beta), alpha, 5000, 1e-14, True, None)
    sstats *= np.exp(elog_beta)
    found = corpora.run_estep(
        X, lam, np.full(6, alpha), np.ones((12, 6)), np.float64, workers, max_inner_iter=5000, tol=1e-14
    )
    np.testing.assert_allclose(found.gamma, gamma, rtol=1e-7)
    np.testing.assert_allclose(found.sstats, sstats, rtol=1e-7, atol=1e-12)


def test_underflowing_documents_have_the_same_bits_for_any_number_of_threads(dtype):
    X, lam, alpha, gamma = underflowing_problem()
    results = []
    for n_threads in (1, 3):
        with Workers(n_threads) as workers:
            results.append(corpora.run_estep(X, lam, alpha, gamma, dtype, workers, max_inner_iter=3))
    np.testing.assert_array_equal(results[0].gamma, results[1].gamma)
    np.testing.assert_array_equal(results[0].sstats, results[1].sstats)
