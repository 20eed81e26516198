"""The bound, compared with its definition, with the exact evidence and with its own gradient."""

import corpora
import numpy as np
import pytest
import reference
from scipy.special import gammaln, polygamma, psi

from ldavi._core.documents import Documents
from ldavi._core.records import aligned_zeros
from ldavi._core.threads import Workers
from ldavi._inference import elbo, fixed_topics
from ldavi._inference.e_step import EStepSettings, Part, cut_blocks, e_step
from ldavi._inference.m_step import WordPriors, m_step, word_priors_of
from ldavi._inference.passes import PassSettings
from ldavi._inference.vb_batch import BatchVB

# Sums of some hundred terms that partly cancel: relative to the whole, a few hundred roundings.
RTOL = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-12}


def etas(n_topics, n_words):
    """Return η in each of its three forms, exact in float32."""
    rng = np.random.default_rng(0)
    forms = {
        "scalar": 0.25,
        "by word": rng.integers(1, 9, n_words) / 8,
        "by both": rng.integers(1, 9, (n_topics, n_words)) / 8,
    }
    return {name: np.asarray(eta) for name, eta in forms.items()}


ETA_FORMS = ["scalar", "by word", "by both"]


@pytest.mark.parametrize("n_topics", [1, 3, 16, 19])
@pytest.mark.parametrize("n_inner_iter", [1, 5])
def test_the_bound_of_a_document_from_sums_of_the_e_step_equals_its_definition(
    n_topics, n_inner_iter, dtype, instruction_set, workers
):
    X, lam, alpha = corpora.random_counts(0), corpora.random_lam(0, n_topics, 30), corpora.random_alpha(0, n_topics)
    start, elog_beta = reference.cold_start(X, alpha), reference.expected_log(lam)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=n_inner_iter)
    word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
    for d in np.flatnonzero(X.any(axis=1)):
        gamma, phi, _ = reference.document_update_log(X[d], elog_beta, alpha, start[d], n_inner_iter, -1.0)
        np.testing.assert_allclose(
            word[d], reference.word_term(X[[d]], [phi], gamma[None], elog_beta), rtol=RTOL[dtype]
        )
        exact = reference.doc_topic_term(X[[d]], gamma[None], alpha)
        np.testing.assert_allclose(doc_topic[d], exact, rtol=RTOL[dtype], atol=100 * RTOL[dtype])


@pytest.mark.parametrize("form", ETA_FORMS)
@pytest.mark.parametrize("n_topics", [1, 5, 18])
def test_the_bound_after_the_m_step_equals_its_definition(form, n_topics, dtype, instruction_set, workers):
    X, lam, alpha = corpora.random_counts(1), corpora.random_lam(1, n_topics, 30), corpora.random_alpha(1, n_topics)
    eta = etas(n_topics, 30)[form]
    weight = np.random.default_rng(1).integers(1, 9, 12) / 4
    priors, start = corpora.make_priors(alpha, eta), reference.cold_start(X, alpha)
    found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=3, weight=weight)
    word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
    absent = priors.eta_totals(30) - np.broadcast_to(eta, lam.shape)[:, found.counts.words].sum(axis=1)
    word_priors = WordPriors(priors.eta_rows(found.counts.words), absent)
    _, sums = m_step(found.rows, found.topics, word_priors, workers)
    terms = elbo.after_m_step(float(word @ weight), float(doc_topic @ weight), sums, priors, found.counts)
    gamma, sstats, phi, _ = reference.estep(X, reference.expected_log(lam), alpha, start, 3, -1.0, weight)
    expected = reference.elbo_terms(X, phi, gamma, eta + sstats, alpha, eta, weight)
    np.testing.assert_allclose(terms, expected, rtol=RTOL[dtype], atol=100 * RTOL[dtype])
    np.testing.assert_allclose(terms.total, sum(expected), rtol=RTOL[dtype])


@pytest.mark.parametrize("form", ETA_FORMS)
def test_the_bound_at_optimal_phi_equals_its_definition(form):
    X, lam, alpha = corpora.random_counts(2), corpora.random_lam(2, 4, 30), corpora.random_alpha(2, 4)
    eta, gamma = etas(4, 30)[form], np.random.default_rng(2).gamma(1.0, 3.0, (12, 4)) + 0.1
    weight = np.random.default_rng(3).uniform(0.5, 2, 12)
    terms = elbo.elbo(corpora.to_counts(X), gamma, lam.T, corpora.make_priors(alpha, eta), weight)
    np.testing.assert_allclose(terms.total, reference.elbo_collapsed(X, gamma, lam, alpha, eta, weight), rtol=1e-12)
    np.testing.assert_allclose(terms.doc_topic, reference.doc_topic_term(X, gamma, alpha, weight), rtol=1e-12)
    np.testing.assert_allclose(terms.topic_word, reference.topic_word_term(lam, eta), rtol=1e-12)


def test_the_bound_at_optimal_phi_is_never_below_that_of_another_phi(workers):
    for seed in range(10):
        X, lam, alpha = corpora.random_counts(seed), corpora.random_lam(seed, 4, 30), corpora.random_alpha(seed, 4)
        found = corpora.run_estep(X, lam, alpha, reference.cold_start(X, alpha), np.float64, workers, max_inner_iter=2)
        word, doc_topic = elbo.document_terms(found.result.bound, found.counts.doc_tokens, alpha, found.topics)
        optimal = elbo.elbo(corpora.to_counts(X), found.gamma, lam.T, corpora.make_priors(alpha, 0.25))
        assert optimal.word + optimal.doc_topic > word.sum() + doc_topic.sum()


@pytest.mark.parametrize("n_words", [30, 5000])  # fewer and more than in one chunk
def test_the_topic_term_equals_its_definition_for_each_form_of_eta(n_words):
    lam = corpora.random_lam(3, 4, n_words)
    for eta in etas(4, n_words).values():
        found = elbo.topic_term(lam.T, corpora.make_priors(np.ones(4), eta))
        np.testing.assert_allclose(found, reference.topic_word_term(lam, eta), rtol=1e-12)


def test_a_scalar_eta_equals_a_vector_and_a_matrix_of_the_same_values():
    X, lam, alpha = corpora.random_counts(4), corpora.random_lam(4, 3, 30), corpora.random_alpha(4, 3)
    phase, documents = BatchVB(PassSettings(1, 3, 2, 0.0), 4), Documents(corpora.to_counts(X), None)
    results = []
    for eta in (0.25, np.full(30, 0.25), np.full((3, 30), 0.25)):
        priors = corpora.make_priors(alpha, eta)
        with Workers(1) as workers:
            passes = corpora.passes_of(phase, documents, priors, corpora.word_major(lam), workers)
        gamma = reference.cold_start(X, alpha)
        results.append([passes[-1].record.elbo, *elbo.elbo(documents.counts, gamma, lam.T, priors)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-13)
    np.testing.assert_allclose(results[2], results[0], rtol=1e-13)


def tiny_corpus(seed):
    """Return documents with at most 2 ** 8 assignments, α, η in one of its forms, and λ."""
    rng = np.random.default_rng([seed, 7])
    n_topics, n_words = (2, 3) if seed % 2 else (3, 4)
    n_tokens = 8 if n_topics == 2 else 5
    X = np.zeros((int(rng.integers(1, 4)), n_words))
    np.add.at(X, (rng.integers(0, len(X), n_tokens), rng.integers(0, n_words - 1, n_tokens)), 1)
    eta = [rng.uniform(0.05, 2), rng.uniform(0.05, 2, n_words), rng.uniform(0.05, 2, (n_topics, n_words))][seed % 3]
    return X, rng.uniform(0.05, 2, n_topics), np.asarray(eta), rng.gamma(1.0, 1.0, (n_topics, n_words)) + 0.1


def test_the_bound_never_exceeds_the_exact_evidence(workers):
    gaps = []
    for seed in range(60):
        X, alpha, eta, lam = tiny_corpus(seed)
        evidence, priors, counts = (
            reference.log_evidence(X, alpha, eta),
            corpora.make_priors(alpha, eta),
            corpora.to_counts(X),
        )
        phase = BatchVB(PassSettings(1, 3, 5, 0.0), 15)
        passes = corpora.passes_of(phase, Documents(counts, None), priors, corpora.word_major(lam), workers)
        gaps += [evidence - record.elbo for _, record in passes]
        fitted, start = corpora.lambda_of(passes[-1].result, X.shape[1]), reference.cold_start(X, alpha)
        gamma = corpora.run_estep(X, fitted, alpha, start, np.float64, workers, max_inner_iter=20).gamma
        gaps.append(evidence - elbo.elbo(counts, gamma, fitted.T, priors).total)
    assert min(gaps) > 1e-6
    assert min(gaps) < 0.5  # small enough to notice a missing constant


def test_the_bound_of_one_topic_is_the_exact_evidence(workers):
    for seed in range(20):
        X, _, eta, lam = tiny_corpus(seed)
        alpha, eta, lam = np.array([0.7]), eta if eta.ndim < 2 else eta[:1], lam[:1]
        priors = corpora.make_priors(alpha, eta)
        phase, documents = BatchVB(PassSettings(0, 1, 1, 0.0), 1), Documents(corpora.to_counts(X), None)
        (first,) = corpora.passes_of(phase, documents, priors, corpora.word_major(lam), workers)
        evidence = reference.log_evidence(X, alpha, eta)
        assert abs(first.record.elbo - evidence) < 1e-10
        found = elbo.elbo(
            corpora.to_counts(X), alpha + X.sum(axis=1, keepdims=True), (eta + X.sum(axis=0, keepdims=True)).T, priors
        )
        assert abs(found.total - evidence) < 1e-10


@pytest.mark.parametrize("n_topics", [1, 2, 3])
def test_the_bound_of_a_document_with_fixed_topics_never_exceeds_its_log_probability(n_topics, workers):
    rng = np.random.default_rng(n_topics)
    beta, alpha = rng.dirichlet(np.ones(4), n_topics), rng.uniform(0.1, 1.5, n_topics)
    X = rng.multinomial(5, np.full(4, 0.25), 20).astype(float)
    counts, words = corpora.to_counts(X).compact()
    topics = corpora.make_topics(beta, words, np.float64, workers, point_estimate=True)
    bound = fixed_topics.infer_documents(
        counts, topics, alpha, EStepSettings(200, 1e-9, extrapolate=False), workers
    ).bound
    gap = np.array([reference.log_evidence_fixed_topics(x, beta, alpha) for x in X]) - bound
    if n_topics == 1:
        np.testing.assert_allclose(gap, 0, atol=1e-10)
    else:
        assert gap.min() > 0
        assert gap.min() < 0.6


def slopes(function, x, relative_step=1e-5):
    """Return the central differences of a function of an array."""
    x, gradient = x.copy(), np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        value, h = x[i], relative_step * x[i]
        x[i] = value + h
        above = function(x)
        x[i] = value - h
        gradient[i] = (above - function(x)) / (2 * h)
        x[i] = value
    return gradient


def ascend(X, alpha, eta, lam, n_passes, n_inner_iter, workers):
    """Yield (γ, λ) after each E-step and each M-step of coordinate ascent with warm starts, by the compiled code."""
    counts, words = corpora.to_counts(X).compact()
    word_priors, topics = (
        word_priors_of(corpora.make_priors(alpha, eta), counts),
        corpora.make_topics(lam, words, np.float64, workers),
    )
    part = Part(Documents(counts, None), cut_blocks(counts, len(alpha)), slice(None))
    settings = EStepSettings(n_inner_iter, 0.0, cold_start=False, extrapolate=False)
    gamma = reference.cold_start(X, alpha)
    lam = lam.copy()
    for _ in range(n_passes):
        sstats = aligned_zeros(topics.B.shape, np.float64)
        e_step(part, topics, alpha, gamma, sstats, settings, workers)
        yield gamma.copy(), lam.copy()
        topics, _ = m_step(sstats, topics, word_priors, workers)
        lam[:] = eta
        lam[:, words] = topics.rows[:, : len(alpha)].T
        yield gamma.copy(), lam.copy()


def gradient_problem():
    return corpora.topical_counts(0, n_docs=5, n_words=6, length=12), np.array([0.4, 0.8, 0.6]), np.full((3, 6), 0.5)


def test_the_gradient_vanishes_at_convergence_and_not_close_to_it(workers):
    X, alpha, eta = gradient_problem()
    X[1] = 0
    priors, counts = corpora.make_priors(alpha, eta), corpora.to_counts(X)

    def steepest(gamma, lam):
        by_gamma = slopes(lambda g: elbo.elbo(counts, g, lam.T, priors).total, gamma)
        by_lam = slopes(lambda x: elbo.elbo(counts, gamma, x.T, priors).total, lam)
        return np.abs(by_gamma).max(), np.abs(by_lam).max()

    *_, (gamma, lam) = ascend(X, alpha, eta, corpora.random_lam(5, 3, 6), 3000, 2, workers)
    assert max(steepest(gamma, lam)) < 1e-5  # rounding of the bound, 1e-14, divided by the step, 1e-6
    moved_gamma, moved_lam = gamma.copy(), lam.copy()
    moved_gamma[0, 1] *= 1.1
    moved_lam[1, 2] *= 1.1
    assert steepest(moved_gamma, lam)[0] > 1e-3
    assert steepest(gamma, moved_lam)[1] > 1e-3


def test_the_gradient_of_the_bound_is_that_of_its_formula():
    X, alpha, eta = gradient_problem()
    priors, counts, rng = corpora.make_priors(alpha, eta), corpora.to_counts(X), np.random.default_rng(0)
    gamma, lam = rng.gamma(2.0, 2.0, (5, 3)) + 0.2, rng.gamma(2.0, 2.0, (3, 6)) + 0.2
    weight = rng.uniform(0.5, 2, 5)
    scores = reference.expected_log(gamma)[:, None, :] + reference.expected_log(lam).T[None]
    phi = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    rest_gamma = alpha + np.einsum("dv,dvk->dk", X, phi) - gamma
    rest_lam = eta + reference.sufficient_statistics(X, phi, weight) - lam
    by_gamma = weight[:, None] * (
        polygamma(1, gamma) * rest_gamma - (polygamma(1, gamma.sum(1)) * rest_gamma.sum(1))[:, None]
    )
    by_lam = polygamma(1, lam) * rest_lam - (polygamma(1, lam.sum(1)) * rest_lam.sum(1))[:, None]
    found = slopes(lambda g: elbo.elbo(counts, g, lam.T, priors, weight).total, gamma)
    np.testing.assert_allclose(found, by_gamma, rtol=1e-5, atol=1e-6)
    found = slopes(lambda x: elbo.elbo(counts, gamma, x.T, priors, weight).total, lam)
    np.testing.assert_allclose(found, by_lam, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_neither_an_e_step_nor_an_m_step_decreases_the_bound(workers):
    for seed in range(20):
        X, alpha, eta = corpora.topical_counts(seed), corpora.random_alpha(seed, 4), np.full((4, 25), 0.1)
        priors, counts = corpora.make_priors(alpha, eta), corpora.to_counts(X)
        steps = ascend(X, alpha, eta, corpora.random_lam(seed, 4, 25), 8, 1 + seed % 3, workers)
        trace = np.array([elbo.elbo(counts, gamma, lam.T, priors).total for gamma, lam in steps])
        assert (np.diff(trace) >= -1e-9 * np.abs(trace[1:])).all()
        assert trace[-1] > trace[0]


def test_sums_over_words_do_not_depend_on_the_chunk_size(monkeypatch):
    lam, eta = np.random.default_rng(0).gamma(1, 1, (23, 4)) + 0.1, np.full((23, 1), 0.1)
    expected = gammaln(lam).sum(), ((lam - eta) * psi(lam)).sum()
    monkeypatch.setattr(elbo, "ENTRIES_AT_ONCE", 5 * 4)
    np.testing.assert_allclose(elbo.log_gamma_sums(lam, eta), expected, rtol=1e-12)
