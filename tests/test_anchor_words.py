"""Anchor-word initialization, compared with a reference implementation: equations (15.2) to (15.4)."""

import corpora
import numpy as np
import pytest
import reference
from scipy import sparse

from ldavi import LatentDirichletAllocation
from ldavi._core.documents import Documents
from ldavi._inference import anchor_words
from ldavi._inference.anchor_words import (
    anchor_word_lambda,
    cooccurrence,
    extreme_points,
    join_samples,
    projected_cooccurrence,
    sample_corpus,
    sample_documents,
    sample_matrices,
    sampling_step,
    select_anchors,
)
from ldavi.metrics import match_topics

SEEDS = np.array([1, 2, 3, 4])


def documents_of(X, dtype=np.float64, weight=None):
    return Documents(corpora.to_counts(X, dtype), None if weight is None else np.asarray(weight, dtype))


def sample_of(X, weight=None):
    return sample_matrices(sample_corpus(documents_of(X, weight=weight), 1))


def initial_lambda(X, n_topics, eta=0.05, dtype=np.float64):
    """Return λ as (K, V)."""
    priors = corpora.make_priors(np.full(n_topics, 0.1), eta)
    return anchor_word_lambda(sample_corpus(documents_of(X, dtype), 1), X.shape[1], priors, SEEDS, dtype)[
        :, :n_topics
    ].T


def planted(n_topics, n_docs=200, seed=0):
    """Return documents and their K sparse topics over 10 K words."""
    rng = np.random.default_rng([seed, n_topics])
    topics = rng.dirichlet(np.full(10 * n_topics, 0.05), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.1), n_docs)
    return np.array([rng.multinomial(100, p / p.sum()) for p in theta @ topics]), topics


def row_of_column(sample, n_columns):
    """Return the number of each column of X in the sample."""
    row = np.full(n_columns, -1)
    row[sample.columns] = np.arange(len(sample.columns))
    return row


# Co-occurrence profiles


@pytest.mark.parametrize("scale", [1, 0.1], ids=["integers", "fractions"])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5, 3.0] * 5], ids=["unweighted", "weighted"])
def test_cooccurrence_profiles_equal_the_reference_implementation(weight, scale):
    X = corpora.topical_counts(3) * scale
    words = np.flatnonzero((X > 0).sum(axis=0) > 4)[:6]
    sample = sample_of(X, weight)
    found = np.zeros((len(words), X.shape[1]))
    found[:, sample.columns] = cooccurrence(sample, row_of_column(sample, X.shape[1])[words]).T
    expected = reference.cooccurrence_profiles(X, words, None if weight is None else np.array(weight))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


def test_a_token_does_not_co_occur_with_itself():
    sample = sample_of(np.array([[1.0, 2, 0], [1, 0, 3]]))
    row = row_of_column(sample, 3)[0]
    assert cooccurrence(sample, np.array([row]))[row] == 0


@pytest.mark.parametrize("count", [1.0, 1 + 2**-52, 1 - 2**-53, 0.3, 1e-300])
def test_the_only_word_of_a_document_has_no_cooccurrence(count):
    X = np.array([[2.0, 1, 0], [0, 2, 2], [0, 0, count]])
    np.testing.assert_array_equal(sample_of(X).tokens[[2]].toarray(), 0)


@pytest.mark.parametrize("total", [1.0, 1 + 2**-52, 0.2])
def test_cooccurrence_of_a_token_sums_to_one_in_documents_of_any_length(total):
    X = corpora.topical_counts(3)
    X *= total / X.sum(axis=1, keepdims=True)
    sample = sample_of(X)
    shares = (sample.tokens.T @ sample.scaled).toarray() - np.diag(sample.self_pairs)
    np.testing.assert_allclose(shares.sum(axis=0), sample.totals, rtol=1e-12)
    assert (shares >= -1e-12).all()


def test_projected_profiles_of_few_words_are_profiles_with_signs(monkeypatch):
    monkeypatch.setattr(anchor_words, "PROJECTED_DOCUMENTS", 7)
    monkeypatch.setattr(anchor_words, "PROJECTED_WORDS", 4)
    sample = sample_of(corpora.topical_counts(3))
    words = np.array([2, 0, 7])
    projected, expected = projected_cooccurrence(sample, words), cooccurrence(sample, words).T
    signs = np.where(projected_cooccurrence(sample, np.arange(len(sample.columns))).sum(axis=0) < 0, -1, 1)
    assert set(signs) == {-1, 1}
    np.testing.assert_allclose(projected, expected * signs, rtol=1e-9, atol=1e-15)


def test_the_projection_approximately_keeps_distances(monkeypatch):
    X, _ = planted(30, n_docs=400)
    sample = sample_of(X)
    words = np.flatnonzero(sample.totals > 100)

    def distances():
        rows = projected_cooccurrence(sample, words).astype(np.float64)
        return np.linalg.norm(rows[:, None] - rows[None], axis=2)[np.triu_indices(len(words), 1)]

    exact = distances()
    monkeypatch.setattr(anchor_words, "PROJECTION_DIM", 128)  # of 300 words
    assert np.quantile(np.abs(distances() / exact - 1), 0.9) < 0.25


# Extreme points


def test_extreme_points_equal_the_reference_implementation():
    rng = np.random.default_rng(0)
    points, mass = rng.dirichlet(np.full(12, 0.3), 60), rng.uniform(1, 50, 60)
    assert extreme_points(points.copy(), np.sqrt(mass), 7).tolist() == reference.extreme_points(points, mass, 7)


@pytest.mark.parametrize("n_points", [2, 3, 5, 9])
def test_the_extreme_points_of_mixtures_are_the_mixed_points(n_points):
    """All of them are found, although they span one dimension less."""
    rng = np.random.default_rng(n_points)
    ends = rng.dirichlet(np.full(20, 0.2), n_points)
    mixtures = rng.dirichlet(np.full(n_points, 2.0), 100) @ ends
    points = np.vstack([mixtures, ends])
    assert sorted(extreme_points(points, np.ones(len(points)), n_points)) == list(range(100, 100 + n_points))


def test_no_extreme_point_is_a_mixture_of_others():
    rng = np.random.default_rng(1)
    ends = rng.dirichlet(np.ones(20), 3)
    points = np.vstack([ends, rng.dirichlet(np.ones(3), 40) @ ends])
    assert sorted(extreme_points(points, np.ones(len(points)), 10)) == [0, 1, 2]


@pytest.mark.parametrize(("mass", "first"), [([1, 1, 1, 1, 9], 0), ([9, 1, 1, 1, 1], 4)])
def test_the_first_extreme_point_is_far_from_the_mean_weighted_by_mass(mass, first):
    """On a line at 0 to 4 it is the end that is far from most of the mass."""
    points = np.arange(5.0)[:, None]
    far = np.sqrt(mass) * (points[:, 0] - np.dot(mass, points[:, 0]) / np.sum(mass)) ** 2
    assert extreme_points(points, np.sqrt(mass), 2)[0] == first == np.argmax(far)


def test_identical_points_have_one_extreme_point():
    assert extreme_points(np.ones((5, 3)), np.ones(5), 4).tolist() == [0]


# Anchor words


@pytest.mark.parametrize("n_topics", [2, 3, 5, 10, 20])
def test_every_planted_topic_has_an_anchor_word(n_topics):
    rng, X = np.random.default_rng(n_topics), []
    for _ in range(40 * n_topics):
        k = rng.integers(n_topics)
        X.append(np.bincount(rng.integers(6 * k, 6 * k + 6, 30), minlength=6 * n_topics))
    sample = sample_of(np.array(X, dtype=np.float64))
    assert sorted(sample.columns[select_anchors(sample, n_topics)] // 6) == list(range(n_topics))


def with_an_outlier(n_docs, n_tokens, n_with):
    """Return documents of common words, some of which contain a word with a profile of its own, `n_tokens` in total."""
    X = np.random.default_rng(0).poisson(2, (n_docs, 12)).astype(np.float64)
    X[:n_with] = 0
    X[:n_with, -1] = 1
    outlier = np.zeros((n_docs, 1))
    outlier[:n_with] = n_tokens / n_with
    return np.hstack([X, outlier])


@pytest.mark.parametrize(
    ("n_docs", "n_tokens", "n_with", "is_anchor"),
    [
        (400, 100, 10, True),
        (400, 20, 10, False),
        (400, 100, 9, False),
        (100, 30, 5, True),
        (100, 30, 4, False),
        (10, 20, 1, False),
    ],
    ids=["enough", "too few tokens", "too few documents", "a twentieth", "less than a twentieth", "one document"],
)
def test_only_frequent_words_that_occur_in_some_documents_may_be_anchors(n_docs, n_tokens, n_with, is_anchor):
    """With two topics, a hundredth of the tokens of a topic is about 46 for 400 documents and 11 for 100."""
    sample = sample_of(with_an_outlier(n_docs, n_tokens, n_with))
    assert (12 in sample.columns[select_anchors(sample, 2)]) is is_anchor


def test_weights_count_as_documents_of_anchor_words():
    """Nine documents would be too few."""
    sample = sample_of(with_an_outlier(400, 100, 9), np.where(np.arange(400) < 1, 2.0, 1.0))
    assert 12 in sample.columns[select_anchors(sample, 2)]


def test_squared_distances_are_weighted_by_the_square_root_of_the_tokens(monkeypatch):
    weights = []

    def watch(rows, weight, max_points):
        weights.append(weight)
        return extreme_points(rows, weight, max_points)

    monkeypatch.setattr(anchor_words, "extreme_points", watch)
    X = corpora.topical_counts(3)
    select_anchors(sample_of(X), 3)
    known = X.sum(axis=0)[(X > 0).sum(axis=0) >= 2]
    np.testing.assert_allclose(np.sort(weights[0]), np.sqrt(np.sort(known[known >= X.sum() / 300])))


def test_words_are_numbered_by_decreasing_frequency():
    X = np.zeros((4, 5))
    X[:4, 3], X[:3, 1], X[:2, 4], X[3, 0] = 1, 2, 1, 1
    np.testing.assert_array_equal(sample_of(X).columns, [3, 1, 4, 0])


def test_a_corpus_of_rare_words_has_no_anchor_words():
    assert len(select_anchors(sample_of(np.array([[1.0, 1]])), 4)) == 0


# λ


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_initial_lambda_equals_the_reference_implementation(dtype, monkeypatch):
    monkeypatch.setattr(anchor_words, "TOPICS_AT_ONCE", 3)
    X, _ = planted(4)
    sample = sample_of(X)
    anchors = sample.columns[select_anchors(sample, 4)]
    expected = reference.anchor_word_lambda(X, anchors, 4, 0.05)
    np.testing.assert_allclose(initial_lambda(X, 4, dtype=dtype), expected, rtol=2e-5 if dtype == np.float32 else 1e-10)


def test_topics_without_an_anchor_word_start_at_random_around_the_word_frequencies():
    X = np.vstack([np.tile([5.0, 0, 0, 0], (40, 1)), np.diag([0.0, 2, 2, 0])])  # one word is not rare
    lam = initial_lambda(X, 3, eta=0.1)
    background = X.sum(axis=0) / 3
    assert not np.array_equal(lam[1], lam[2])
    assert (np.abs(lam[1:] - 0.1 - background) <= 0.2 * background + 1e-12).all()


def test_topics_of_empty_documents_start_at_random():
    lam = initial_lambda(np.zeros((3, 6)), 2)
    assert ((lam >= 0.8) & (lam <= 1.2)).all()
    assert not np.array_equal(lam[0], lam[1])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_sample_of_integer_counts_has_the_same_bits_for_parts_of_any_size(size, monkeypatch):
    X = corpora.random_counts(5, n_docs=60)
    whole = sample_corpus(documents_of(X), 2)
    monkeypatch.setattr(anchor_words, "DOCUMENTS_PER_PART", size)
    for one, other in zip(sample_corpus(documents_of(X), 2), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_nth_document_is_sampled_and_all_tokens_are_counted():
    X = corpora.random_counts(6, n_docs=20)
    sample = join_samples(
        [sample_documents(documents_of(X[:7]), 3), sample_documents(documents_of(X[7:]), 3, 7)], X.shape[1]
    )
    dense = sparse.csr_array((sample.values, sample.columns, sample.indptr), shape=(7, X.shape[1])).toarray()
    np.testing.assert_array_equal(dense, X[::3])
    np.testing.assert_array_equal(sample.words, np.flatnonzero(X.sum(axis=0)))
    np.testing.assert_array_equal(sample.tokens, X.sum(axis=0)[sample.words])


@pytest.mark.parametrize(
    ("n_tokens", "n_docs", "step"),
    [(0, 0, 1), (1e6, 10**6, 1), (4e6, 10**6, 2), (1e9, 10**7, 500), (1e9, 50_000, 5), (1e9, 100, 1), (1e300, 100, 1)],
)
def test_the_sample_has_enough_documents_and_tokens_for_the_topics(n_tokens, n_docs, step):
    assert sampling_step(n_tokens, n_docs, 100) == step


def test_a_fit_samples_every_nth_document(monkeypatch):
    steps = []

    def watch(documents, step):
        steps.append(step)
        return sample_corpus(documents, step)

    monkeypatch.setattr("ldavi._estimator.starting_topics.sample_corpus", watch)
    monkeypatch.setattr(anchor_words, "SAMPLED_TOKENS", 100)
    monkeypatch.setattr(anchor_words, "SAMPLED_DOCUMENTS", 5)
    model(max_iter=1).fit(corpora.topical_counts(2, n_docs=60))  # 1,800 tokens, three topics
    assert steps == [4]  # it would be 6 by tokens alone


# Fits


def model(**parameters):
    return LatentDirichletAllocation(
        **{"n_components": 3, "max_iter": 20, "tol": None, "n_collapsed_iter": 0} | parameters
    )


@pytest.mark.parametrize("n_topics", [5, 10, 20])
def test_a_fit_finds_every_planted_topic(n_topics):
    """From random topics one fit in nine finds all 20."""
    X, topics = planted(n_topics)
    fitted = model(n_components=n_topics, max_iter=200, doc_topic_prior=0.1, topic_word_prior=0.05).fit(X)
    from_true_topics = model(
        n_components=n_topics, max_iter=200, doc_topic_prior=0.1, topic_word_prior=0.05, init=topics
    ).fit(X)
    assert match_topics(fitted.topics_, topics, "cosine").similarity.min() > 0.9
    assert fitted.elbo_ > from_true_topics.elbo_ - 1e-3 * abs(from_true_topics.elbo_)


@pytest.mark.parametrize("times", [1e3, 1e12])
def test_anchor_words_are_found_in_documents_of_any_length(times):
    X, topics = planted(10)
    fitted = model(n_components=10, max_iter=60, dtype="float64").fit(X * times)
    assert match_topics(fitted.topics_, topics, "cosine").similarity.min() > 0.9


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_a_fit_from_anchor_words_does_not_depend_on_the_random_state(method):
    X = corpora.topical_counts(2, n_docs=60)
    one, other = (model(learning_method=method, random_state=seed).fit(X) for seed in (0, 1))
    np.testing.assert_array_equal(one.components_, other.components_)


def starts_at_random(parameters, X):
    one, other = (model(**parameters, random_state=0, init=init).fit(X) for init in ("auto", "random"))
    return np.array_equal(one.components_, other.components_)


@pytest.mark.parametrize(
    ("parameters", "random"),
    [
        ({}, False),
        ({"inference": "cvb0"}, False),
        ({"learning_method": "memoized"}, False),
        ({"learning_method": "online"}, True),
        ({"seed_words": {1: [0, 1]}}, True),
        ({"topic_word_prior": np.linspace(0.1, 0.4, 75).reshape(3, 25)}, True),
        ({"topic_word_prior": np.linspace(0.1, 0.4, 25)}, False),
        ({"topic_word_prior": np.tile(np.linspace(0.1, 0.4, 25), (3, 1))}, False),
        ({"topic_word_prior": 0.0}, False),
    ],
    ids=lambda value: str(list(value)) if isinstance(value, dict) else None,
)
def test_a_fit_starts_at_random_if_it_is_online_or_eta_differs_between_topics(parameters, random):
    assert starts_at_random(parameters, corpora.topical_counts(2, n_docs=60)) is random


def test_restarts_after_the_first_are_random():
    X = corpora.topical_counts(2, n_docs=60)
    records = []
    model(n_init=3, random_state=0, callbacks=records.append).fit(X)
    first = [record.elbo for record in records if record.iteration == 1]
    random = model(init="random", n_init=3, random_state=0, callbacks=(again := []).append)
    random.fit(X)
    assert first[0] != again[0].elbo
    assert first[1:] == [record.elbo for record in again if record.iteration == 1][1:]


def test_an_integer_weight_equals_a_repeated_document():
    X = corpora.topical_counts(4, n_docs=50)
    times = np.arange(50) % 3
    weighted = model(dtype="float64").fit(X, sample_weight=times.astype(float))
    repeated = model(dtype="float64").fit(np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, rtol=1e-6)


def test_batches_start_from_the_same_topics_as_documents_in_memory():
    X = corpora.topical_counts(4, n_docs=60)
    parts, one = [sparse.csr_array(X[:25]), sparse.csr_array(X[25:])], {"dtype": "float64", "max_iter": 1}
    np.testing.assert_allclose(model(**one).fit(parts).components_, model(**one).fit(X).components_, rtol=1e-9)


def test_a_collapsed_fit_of_one_pass_starts_from_anchor_words():
    X = corpora.topical_counts(2, n_docs=60)
    one, other = (model(inference="cvb0", max_iter=1, init=init, random_state=0).fit(X) for init in ("auto", "random"))
    assert not np.array_equal(one.components_, other.components_)
