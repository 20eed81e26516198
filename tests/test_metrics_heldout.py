"""Held-out likelihood: comparison with enumeration of every z, and invariances."""

import itertools
import math

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from scipy.special import gammaln, logsumexp
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

import ldavi
from ldavi import LatentDirichletAllocation, metrics
from ldavi._core.topics_of_model import topics_of

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
ESTIMATES = [metrics.left_to_right, metrics.log_evidence]
EVERY = [*ESTIMATES, metrics.document_completion]


def enumerate_z(topics, alpha, tokens):
    """Enumerate every z of a document, with log p(w, z | α, β): equation (M1)."""
    total = alpha.sum()
    for z in itertools.product(range(len(alpha)), repeat=len(tokens)):
        n = np.bincount(np.array(z, int), minlength=len(alpha))
        with np.errstate(divide="ignore"):
            words = np.log(topics[list(z), tokens]).sum()
        coupling = gammaln(total) - gammaln(total + len(tokens)) + (gammaln(alpha + n) - gammaln(alpha)).sum()
        yield n, coupling + words


def tokens_of(row):
    return np.repeat(np.arange(len(row)), row)


def log_p(topics, alpha, row):
    return logsumexp([log for _, log in enumerate_z(topics, alpha, tokens_of(row))])


def posterior_mean(topics, alpha, row):
    """Compute E[θ | w]: equation (M3)."""
    n, log = zip(*enumerate_z(topics, alpha, tokens_of(row)), strict=True)
    weight = np.exp(np.array(log) - logsumexp(log))
    return (weight @ np.array(n) + alpha) / (alpha.sum() + row.sum())


EXACT = np.array([log_p(TOPICS, ALPHA, row) for row in X])


def documents_of(function, model, X, **options):
    return function(model, X, **options).document_log_likelihood


# Known answers


def test_enumeration_agrees_with_the_reference():
    topics = np.random.default_rng(1).dirichlet(np.ones(6), 3)
    assert log_p(topics, ALPHA, X[0]) == pytest.approx(reference.log_evidence_fixed_topics(X[0], topics, ALPHA))


@pytest.mark.parametrize("n_redrawn", [None, 0, 2])
def test_left_to_right_agrees_with_enumeration_within_its_standard_error(n_redrawn):
    found = metrics.left_to_right(TOPICS, X, n_particles=2000, n_redrawn=n_redrawn, doc_topic_prior=ALPHA)
    assert (np.abs(found.document_log_likelihood - EXACT) <= 4 * found.document_standard_error + 1e-12).all()
    assert abs(found.log_likelihood - EXACT.sum()) <= 4 * found.standard_error
    assert found.standard_error < 0.3


def test_annealed_importance_sampling_agrees_with_enumeration_within_its_standard_error():
    found = metrics.log_evidence(TOPICS, X, n_chains=50, doc_topic_prior=ALPHA)
    assert (np.abs(found.document_log_likelihood - EXACT) <= 4 * found.document_standard_error + 1e-12).all()
    assert found.standard_error < 0.03


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (metrics.left_to_right, {"n_redrawn": 0}),
        (metrics.left_to_right, {"n_redrawn": 1}),
        (metrics.left_to_right, {}),
        (metrics.log_evidence, {"n_temperatures": 2, "n_chains": 20}),
        (metrics.log_evidence, {"n_temperatures": 5, "n_chains": 20}),
    ],
)
def test_the_estimate_of_p_is_unbiased(function, options):
    """Few particles, many seeds: the logarithm is biased, its exponential is not. Equations (M5), (M7)."""
    rows = X[[0, 3, 4]]
    ratio = np.array(
        [
            np.exp(documents_of(function, TOPICS, rows, doc_topic_prior=ALPHA, seed=seed, **options) - EXACT[[0, 3, 4]])
            for seed in range(200)
        ]
    )
    error = ratio.std(axis=0, ddof=1) / math.sqrt(len(ratio))
    assert (np.abs(ratio.mean(axis=0) - 1) < 4 * error).all()
    assert error.max() < 0.2


def test_means_by_position_without_resampling_are_inconsistent():
    options = {"average": "positions", "n_redrawn": 0, "n_particles": 20_000, "doc_topic_prior": ALPHA}
    found = metrics.left_to_right(TOPICS, X, **options)
    assert np.abs((found.document_log_likelihood - EXACT)[[0, 3]] / found.document_standard_error[[0, 3]]).max() > 10


def test_means_by_position_approach_p_if_all_tokens_are_resampled():
    found = metrics.left_to_right(TOPICS, X, average="positions", n_particles=2000, doc_topic_prior=ALPHA)
    np.testing.assert_allclose(found.document_log_likelihood, EXACT, atol=0.15)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (metrics.left_to_right, {"n_particles": 100}),
        (metrics.left_to_right, {"n_particles": 100, "average": "positions"}),
        (metrics.log_evidence, {"n_temperatures": 30, "n_chains": 30}),
    ],
)
def test_the_standard_error_is_the_deviation_over_seeds(function, options):
    results = [function(TOPICS, X, doc_topic_prior=ALPHA, seed=seed, **options) for seed in range(100)]
    scatter = np.std([result.log_likelihood for result in results], ddof=1)
    stated = np.mean([result.standard_error for result in results])
    assert 0.75 < stated / scatter < 1.33


def test_the_standard_error_of_equal_documents_grows_with_their_number():
    """They share their random numbers: equation (M8)."""
    one = metrics.left_to_right(TOPICS, X[:1])
    four = metrics.left_to_right(TOPICS, X[[0, 0, 0, 0]])
    assert four.standard_error == pytest.approx(4 * one.standard_error)


def test_more_temperatures_reduce_the_error():
    errors = [
        metrics.log_evidence(TOPICS, X, n_temperatures=n, doc_topic_prior=ALPHA).standard_error for n in (3, 30, 300)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_effective_size_is_between_one_and_the_number_of_particles():
    size = metrics.left_to_right(TOPICS, X, n_particles=7).document_effective_size
    assert ((size >= 1) & (size <= 7 + 1e-9)).all()
    assert size[1] == pytest.approx(7)


@pytest.mark.parametrize("function", ESTIMATES)
def test_one_topic_gives_the_exact_likelihood(function):
    found = function(TOPICS[:1], X[:, TOPICS[0] > 0] @ np.eye(6, dtype=int)[TOPICS[0] > 0])
    rows = X[:, TOPICS[0] > 0]
    np.testing.assert_allclose(found.document_log_likelihood, rows @ np.log(TOPICS[0][TOPICS[0] > 0]), atol=1e-12)
    assert found.standard_error == pytest.approx(0, abs=1e-12)


def test_completion_agrees_with_the_exact_posterior_mean():
    observed, scored = metrics.token_split(X, seed=1)
    found = metrics.document_completion(TOPICS, X, doc_topic_prior=ALPHA, n_keep=20_000, seed=1)
    expected = [
        scored.toarray()[d] @ np.log(posterior_mean(TOPICS, ALPHA, observed.toarray()[d]) @ TOPICS)
        for d in range(len(X))
    ]
    np.testing.assert_allclose(found.document_log_likelihood, expected, atol=0.03)
    assert found.perplexity == pytest.approx(np.exp(-np.sum(expected) / scored.sum()), rel=0.01)


def test_variational_completion_scores_the_mean_of_q():
    observed, scored = metrics.token_split(X)
    found = metrics.document_completion(TOPICS, X, doc_topic_prior=ALPHA, method="variational")
    gamma = ldavi.infer(observed, TOPICS, ALPHA, dtype="float64").gamma
    theta = gamma / gamma.sum(axis=1, keepdims=True)
    expected = (scored.toarray() * np.log(theta @ TOPICS)).sum(axis=1)
    np.testing.assert_allclose(found.document_log_likelihood, expected, rtol=1e-6)


def test_without_an_observed_half_the_prior_predicts():
    found = metrics.document_completion(TOPICS, [[0, 0, 0, 0, 1, 0]], doc_topic_prior=ALPHA)
    assert found.log_likelihood == pytest.approx(np.log(ALPHA / ALPHA.sum() @ TOPICS[:, 4]))
    assert found.n_empty == 1


def test_standard_error_of_completion_is_that_of_a_ratio_over_documents():
    rows = np.random.default_rng(1).poisson(3, (50, 6))
    found = metrics.document_completion(TOPICS, rows)
    residual = found.document_log_likelihood - found.document_tokens * found.log_likelihood / found.n_scored
    assert found.standard_error == pytest.approx(residual.std() * math.sqrt(50 / 49) * math.sqrt(50) / found.n_scored)


# The gap between evidence and bound


def test_the_bound_is_below_enumeration_and_both_estimates():
    bound = ldavi.infer(X, TOPICS, ALPHA, dtype="float64").bound
    assert (bound <= EXACT + 1e-12).all()
    for function in ESTIMATES:
        assert (bound <= documents_of(function, TOPICS, X, doc_topic_prior=ALPHA) + 1e-12).all()


def test_the_gap_is_the_evidence_minus_the_bound():
    found = metrics.bound_gap(TOPICS, X, doc_topic_prior=ALPHA)
    exact = EXACT - ldavi.infer(X, TOPICS, ALPHA, mean_change_tol=1e-9, max_doc_update_iter=5000, dtype="float64").bound
    assert (np.abs(found.document_gap - exact) <= 4 * found.evidence.document_standard_error + 1e-5).all()
    assert found.gap == pytest.approx(found.document_gap.sum())
    assert found.per_token == pytest.approx(found.gap / X.sum())
    assert found.gap > 10 * found.standard_error > 0


def test_both_sides_of_the_gap_leave_out_impossible_words():
    topics = np.hstack([TOPICS, np.zeros((3, 1))])
    rows = np.hstack([X, np.ones((len(X), 1), int)])
    with_word, without = metrics.bound_gap(topics, rows, seed=3), metrics.bound_gap(TOPICS, X, seed=3)
    assert with_word.evidence.n_unseen == len(X)
    np.testing.assert_allclose(with_word.document_bound, without.document_bound)
    assert with_word.gap == pytest.approx(without.gap, abs=5 * (with_word.standard_error + without.standard_error))


# Invariances


@settings(deadline=None, max_examples=15)
@given(
    rows=arrays(np.int64, st.tuples(st.integers(2, 6), st.just(6)), elements=st.integers(0, 4)),
    function=st.sampled_from(EVERY),
    data=st.data(),
)
def test_permuting_documents_permutes_their_scores(rows, function, data):
    order = data.draw(st.permutations(range(len(rows))))
    options = {"doc_topic_prior": ALPHA, **({"n_temperatures": 10} if function is metrics.log_evidence else {})}
    one, other = function(TOPICS, rows, **options), function(TOPICS, rows[order], **options)
    np.testing.assert_array_equal(one.document_log_likelihood[order], other.document_log_likelihood)
    assert one.log_likelihood == other.log_likelihood
    assert one.perplexity == other.perplexity


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
@pytest.mark.parametrize("function", EVERY)
def test_permuting_topics_changes_nothing(function, order):
    one = function(TOPICS, X, doc_topic_prior=ALPHA)
    other = function(TOPICS[list(order)], X, doc_topic_prior=ALPHA[list(order)])
    np.testing.assert_array_equal(one.document_log_likelihood, other.document_log_likelihood)
    np.testing.assert_array_equal(one.doc_topic_prior[list(order)], other.doc_topic_prior)


@pytest.mark.parametrize("function", EVERY)
def test_perplexity_is_invariant_to_splitting_the_documents(function):
    whole = function(TOPICS, X, doc_topic_prior=0.2)
    parts = [function(TOPICS, part, doc_topic_prior=0.2) for part in (X[:2], X[2:])]
    total = math.fsum(part.log_likelihood for part in parts)
    tokens = sum(part.document_tokens.sum() for part in parts)
    assert np.exp(-total / tokens) == pytest.approx(whole.perplexity, rel=1e-14)


@pytest.mark.parametrize("function", EVERY)
def test_words_that_do_not_occur_and_sparse_formats_change_nothing(function):
    one = function(TOPICS, X)
    wide = function(
        np.hstack([TOPICS, np.zeros((3, 2))]), sparse.csc_matrix(np.hstack([X, np.zeros((len(X), 2), int)]))
    )
    np.testing.assert_array_equal(one.document_log_likelihood, wide.document_log_likelihood)


@pytest.mark.parametrize("function", EVERY)
def test_the_number_of_threads_changes_nothing(function):
    rows = np.random.default_rng(2).poisson(2, (40, 6))
    options = {"n_temperatures": 50} if function is metrics.log_evidence else {}
    one, three = (documents_of(function, TOPICS, rows, n_jobs=n, **options) for n in (None, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("function", EVERY)
def test_the_seed_decides(function):
    one, again, other = (documents_of(function, TOPICS, X, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("function", [*EVERY, metrics.bound_gap, metrics.token_split])
def test_the_input_is_not_changed(function):
    rows, topics = sparse.csr_array(X), TOPICS.copy()
    function(rows) if function is metrics.token_split else function(topics, rows)
    np.testing.assert_array_equal(rows.toarray(), X)
    np.testing.assert_array_equal(topics, TOPICS)


# The split


@given(rows=arrays(np.int64, st.tuples(st.integers(1, 5), st.just(4)), elements=st.integers(0, 9)))
def test_halves_add_up_and_the_odd_token_is_scored(rows):
    observed, scored = metrics.token_split(rows)
    np.testing.assert_array_equal((observed + scored).toarray(), rows)
    np.testing.assert_array_equal(observed.sum(axis=1), rows.sum(axis=1) // 2)


def test_every_half_is_as_likely():
    """Of 2 + 2 tokens, the first half has 0, 1 or 2 of the first word with probabilities 1/6, 4/6, 1/6."""
    n = 3000
    rows = sparse.csr_array((np.full(2 * n, 2), np.arange(2 * n), 2 * np.arange(n + 1)), shape=(n, 2 * n))
    first = metrics.token_split(rows).observed[np.arange(n), 2 * np.arange(n)]
    np.testing.assert_allclose(np.bincount(first) / n, [1 / 6, 4 / 6, 1 / 6], atol=0.03)


def test_completion_accepts_given_halves():
    split = metrics.token_split(X, seed=5)
    given_halves = metrics.document_completion(TOPICS, split, seed=5)
    np.testing.assert_array_equal(
        given_halves.document_log_likelihood, documents_of(metrics.document_completion, TOPICS, X, seed=5)
    )


def test_halves_of_two_shapes_are_refused():
    split = metrics.TokenSplit(sparse.csr_array(X), sparse.csr_array(X[:2]))
    with pytest.raises(ValueError, match="halves of shapes"):
        metrics.document_completion(TOPICS, split)


# The prior, and words without probability


def test_the_grid_is_the_best_of_its_values():
    values = {a: metrics.document_completion(TOPICS, X, doc_topic_prior=a).perplexity for a in (0.01, 0.03, 0.1, 0.3)}
    best = metrics.document_completion(TOPICS, X)
    assert best.perplexity == min(values.values())
    np.testing.assert_array_equal(best.doc_topic_prior, np.full(3, min(values, key=values.get)))


@pytest.mark.parametrize("estimator", [LatentDirichletAllocation, ScikitLearnLDA])
@pytest.mark.parametrize("function", EVERY)
def test_a_fitted_model_has_its_own_prior(function, estimator):
    model = estimator(2, doc_topic_prior=0.4, max_iter=8, random_state=0)
    if estimator is LatentDirichletAllocation:
        model.set_params(tol=0.9)
    model.fit(X[[0, 2, 3, 4, 5]])
    found = function(model, X, doc_topic_prior=None)
    np.testing.assert_allclose(found.doc_topic_prior, [0.4, 0.4])
    as_array = documents_of(function, topics_of(model), X, doc_topic_prior=0.4)
    np.testing.assert_allclose(found.document_log_likelihood, as_array, rtol=1e-6)


@pytest.mark.parametrize("function", EVERY)
def test_an_impossible_word_makes_the_perplexity_infinite_unless_ignored(function):
    topics = np.hstack([TOPICS, np.zeros((3, 1))])
    rows = np.hstack([X, np.full((len(X), 1), 2)])
    found = function(topics, rows)
    assert found.perplexity == np.inf
    assert found.n_unseen >= len(X)
    ignored = function(topics, rows, unseen_words="ignore")
    assert np.isfinite(ignored.perplexity)
    assert ignored.n_unseen == found.n_unseen
    assert ignored.document_tokens.sum() == found.document_tokens.sum() - found.n_unseen


@pytest.mark.parametrize("function", EVERY)
def test_documents_without_words_score_nothing(function):
    found = function(TOPICS, np.zeros((3, 6), int))
    assert found.log_likelihood == 0
    assert found.perplexity == 1
    assert found.n_empty == 3


@pytest.mark.parametrize("function", EVERY)
def test_documents_of_impossible_words_only_are_empty(function):
    topics = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert function(topics, [[0, 4]], unseen_words="ignore").log_likelihood == 0
    assert function(topics, [[0, 4]]).log_likelihood == -np.inf


# Invalid arguments


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"doc_topic_prior": -1.0}, ValueError, "doc_topic_prior"),
        ({"unseen_words": "drop"}, ValueError, "unseen_words='drop'"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"seed": 2**64}, ValueError, "seed="),
        ({"seed": None}, TypeError, "seed=None"),
        ({"n_jobs": 0}, ValueError, "n_jobs=0"),
    ],
)
@pytest.mark.parametrize("function", EVERY)
def test_a_wrong_option_is_refused(function, options, error, message):
    with pytest.raises(error, match=message):
        function(TOPICS, X, **options)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (metrics.left_to_right, {"n_particles": 1}, "n_particles=1"),
        (metrics.left_to_right, {"average": "mean"}, "average='mean'"),
        (metrics.left_to_right, {"n_redrawn": -1}, "n_redrawn=-1"),
        (metrics.log_evidence, {"n_temperatures": 1}, "n_temperatures=1"),
        (metrics.log_evidence, {"n_chains": 1}, "n_chains=1"),
        (metrics.document_completion, {"method": "mean"}, "method='mean'"),
        (metrics.document_completion, {"n_keep": 0}, "n_keep=0"),
        (metrics.document_completion, {"doc_topic_prior": "best"}, "doc_topic_prior='best'"),
    ],
)
def test_a_wrong_option_of_one_measure_is_refused(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(TOPICS, X, **options)


@pytest.mark.parametrize("function", [*EVERY, metrics.bound_gap])
def test_counts_must_be_whole(function):
    with pytest.raises(ValueError, match=r"X holds 2\.5"):
        function(TOPICS, X + 0.5)


@pytest.mark.parametrize("function", EVERY)
def test_counts_must_fit_the_sampler(function):
    with pytest.raises(ValueError, match="counts must be at most"):
        function(TOPICS, [[2**40, 0, 0, 0, 0, 0]])


@pytest.mark.parametrize("function", [*EVERY, metrics.bound_gap])
def test_topics_and_documents_must_have_the_same_vocabulary(function):
    with pytest.raises(ValueError, match="6 words and X has 5 columns"):
        function(TOPICS, X[:, :5])
