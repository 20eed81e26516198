"""Where topics start that nothing is known of, against its twin: equations (50) to (52)."""

import corpora
import numpy as np
import pytest
import reference
from scipy import sparse

from ldavi import LatentDirichletAllocation, _anchors
from ldavi._anchors import anchors, apart, company, corners, folded_company, join, look, look_at, sampled, step_of
from ldavi._corpus import Documents
from ldavi.metrics import match_topics

SEEDS = np.array([1, 2, 3, 4])


def documents_of(X, dtype=np.float64, weight=None):
    return Documents(corpora.to_counts(X, dtype), None if weight is None else np.asarray(weight, dtype))


def sample_of(X, weight=None):
    return sampled(look_at(documents_of(X, weight=weight), 1))


def started(X, n_topics, eta=0.05, dtype=np.float64):
    """λ as (K, V)."""
    priors = corpora.make_priors(np.full(n_topics, 0.1), eta)
    return apart(look_at(documents_of(X, dtype), 1), X.shape[1], priors, SEEDS, dtype)[:, :n_topics].T


def planted(n_topics, n_docs=200, seed=0):
    """Documents of topics with ten words each, and the topics."""
    rng = np.random.default_rng([seed, n_topics])
    topics = rng.dirichlet(np.full(10 * n_topics, 0.05), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.1), n_docs)
    return np.array([rng.multinomial(100, p / p.sum()) for p in theta @ topics]), topics


def by_column(sample, X):
    """Columns of X to places in the sample."""
    place = np.full(X.shape[1], -1)
    place[sample.columns] = np.arange(len(sample.columns))
    return place


# Company


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5, 3.0] * 5], ids=["alike", "weighted"])
def test_company_equals_the_twin(weight):
    X = corpora.topical_counts(3)
    words = np.flatnonzero((X > 0).sum(axis=0) > 4)[:6]
    sample = sample_of(X, weight)
    found = np.zeros((len(words), X.shape[1]))
    found[:, sample.columns] = company(sample, by_column(sample, X)[words]).T
    expected = reference.company(X, words, None if weight is None else np.array(weight))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


def test_a_token_is_not_in_its_own_company():
    sample = sample_of(np.array([[1.0, 2, 0], [1, 0, 3]]))
    assert company(sample, by_column(sample, np.empty((0, 3)))[[0]])[by_column(sample, np.empty((0, 3)))[0]] == 0


def test_documents_of_one_token_have_no_company():
    X = np.array([[2.0, 1, 0], [0, 2, 2], [0, 0, 1]])
    np.testing.assert_array_equal(sample_of(X).tokens[[2]].toarray(), 0)


def test_fractions_of_counts_are_never_less_than_nothing():
    sample = sample_of(corpora.topical_counts(3) * 0.1)
    shares = company(sample, np.arange(5))
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_folded_company_is_company_where_words_are_few():
    sample = sample_of(corpora.topical_counts(3))
    words = np.array([2, 0, 7])
    signs = np.sign(folded_company(sample, np.arange(len(sample.columns))).sum(axis=0))
    np.testing.assert_allclose(folded_company(sample, words) * signs, company(sample, words).T, rtol=1e-9, atol=1e-15)


def test_folding_keeps_distances_about(monkeypatch):
    X, _ = planted(30, n_docs=400)
    sample = sample_of(X)
    words = np.flatnonzero(sample.totals > 100)

    def distances():
        rows = folded_company(sample, words).astype(np.float64)
        return np.linalg.norm(rows[:, None] - rows[None], axis=2)[np.triu_indices(len(words), 1)]

    exact = distances()
    monkeypatch.setattr(_anchors, "DIRECTIONS", 128)  # of 300 words
    assert np.quantile(np.abs(distances() / exact - 1), 0.9) < 0.25


# Corners


def test_corners_equal_the_twin():
    rng = np.random.default_rng(0)
    points, mass = rng.dirichlet(np.full(12, 0.3), 60), rng.uniform(1, 50, 60)
    assert corners(points.copy(), np.sqrt(mass), 7).tolist() == reference.corners(points, mass, 7)


@pytest.mark.parametrize("n_corners", [2, 3, 5, 9])
def test_corners_of_mixtures_are_what_is_mixed(n_corners):
    """As many as there are: they span one dimension less."""
    rng = np.random.default_rng(n_corners)
    ends = rng.dirichlet(np.full(20, 0.2), n_corners)
    mixtures = rng.dirichlet(np.full(n_corners, 2.0), 100) @ ends
    points = np.vstack([mixtures, ends])
    assert sorted(corners(points, np.ones(len(points)), n_corners)) == list(range(100, 100 + n_corners))


def test_no_corner_is_what_others_make_up():
    rng = np.random.default_rng(1)
    ends = rng.dirichlet(np.ones(20), 3)
    points = np.vstack([ends, rng.dirichlet(np.ones(3), 40) @ ends])
    assert sorted(corners(points, np.ones(len(points)), 10)) == [0, 1, 2]


def test_points_that_are_all_the_same_have_one_corner():
    assert corners(np.ones((5, 3)), np.ones(5), 4).tolist() == [0]


# Anchors


@pytest.mark.parametrize("n_topics", [2, 3, 5, 10, 20])
def test_every_planted_topic_has_an_anchor(n_topics):
    rng, X = np.random.default_rng(n_topics), []
    for _ in range(40 * n_topics):
        k = rng.integers(n_topics)
        X.append(np.bincount(rng.integers(6 * k, 6 * k + 6, 30), minlength=6 * n_topics))
    sample = sample_of(np.array(X, dtype=np.float64))
    assert sorted(sample.columns[anchors(sample, n_topics)] // 6) == list(range(n_topics))


def test_what_is_rare_or_stands_in_few_documents_is_no_anchor():
    rng = np.random.default_rng(0)
    X = np.zeros((300, 22))
    X[:150, :10] = rng.poisson(2, (150, 10))
    X[150:, 10:20] = rng.poisson(2, (150, 10))
    X[0, 20] = 500  # in one document
    X[:12, 21] = 1  # 12 of some 6,500 tokens: less than a hundredth of half of them
    sample = sample_of(X)
    found = sample.columns[anchors(sample, 2)]
    assert not {20, 21} & set(found.tolist())


def test_documents_in_which_every_word_is_rare_have_no_anchors():
    assert len(anchors(sample_of(np.eye(30) + np.roll(np.eye(30), 1, axis=1)), 4)) <= 4
    assert len(anchors(sample_of(np.array([[1.0, 1]])), 4)) == 0


# λ


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_topics_start_as_the_twin_says(dtype):
    X, _ = planted(4)
    sample = sample_of(X)
    found = sample.columns[anchors(sample, 4)]
    expected = reference.topics_apart(X, found, 4, 0.05)
    np.testing.assert_allclose(started(X, 4, dtype=dtype), expected, rtol=2e-5 if dtype == np.float32 else 1e-10)


def test_topics_without_an_anchor_start_at_noise_around_all_words():
    X = np.vstack([np.tile([5.0, 0, 0, 0], (40, 1)), np.diag([0.0, 2, 2, 0])])  # one word that is not rare
    lam = started(X, 3, eta=0.1)
    everywhere = X.sum(axis=0) / 3
    assert not np.array_equal(lam[1], lam[2])
    assert (np.abs(lam[1:] - 0.1 - everywhere) <= 0.2 * everywhere + 1e-12).all()


def test_documents_without_a_word_start_at_noise():
    lam = started(np.zeros((3, 6)), 2)
    assert ((lam >= 0.8) & (lam <= 1.2)).all()
    assert not np.array_equal(lam[0], lam[1])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_parts_of_any_size_give_the_same_bits(size, monkeypatch):
    X = corpora.random_counts(5, n_docs=60)
    whole = look_at(documents_of(X), 2)
    monkeypatch.setattr(_anchors, "PART", size)
    for one, other in zip(look_at(documents_of(X), 2), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_nth_document_is_looked_at_and_all_words_are_counted():
    X = corpora.random_counts(6, n_docs=20)
    seen = join([look(documents_of(X[:7]), 3), look(documents_of(X[7:]), 3, 7)], X.shape[1])
    dense = sparse.csr_array((seen.values, seen.columns, seen.indptr), shape=(7, X.shape[1])).toarray()
    np.testing.assert_array_equal(dense, X[::3])
    np.testing.assert_array_equal(seen.words, np.flatnonzero(X.sum(axis=0)))
    np.testing.assert_array_equal(seen.tokens, X.sum(axis=0)[seen.words])


@pytest.mark.parametrize(("n_tokens", "step"), [(0, 1), (1e6, 1), (4e6, 2), (1e9, 500)])
def test_as_many_documents_as_topics_need_are_looked_at(n_tokens, step):
    assert step_of(n_tokens, 100) == step


# Fits


def model(**parameters):
    return LatentDirichletAllocation(**{"n_components": 3, "max_iter": 20, "tol": None} | parameters)


@pytest.mark.parametrize("n_topics", [5, 10, 20])
def test_a_fit_finds_every_planted_topic(n_topics):
    """From noise one fit in nine finds all of 20."""
    X, topics = planted(n_topics)
    fitted = model(n_components=n_topics, max_iter=200, doc_topic_prior=0.1, topic_word_prior=0.05).fit(X)
    from_them = model(n_components=n_topics, max_iter=200, doc_topic_prior=0.1, topic_word_prior=0.05, init=topics).fit(X)
    assert match_topics(fitted.topics_, topics, "cosine").similarity.min() > 0.9
    assert fitted.elbo_ > from_them.elbo_ - 1e-3 * abs(from_them.elbo_)


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_a_fit_needs_no_random_numbers(method):
    X = corpora.topical_counts(2, n_docs=60)
    one, other = (model(learning_method=method, random_state=seed).fit(X) for seed in (0, 1))
    np.testing.assert_array_equal(one.components_, other.components_)


def random_start(parameters, X):
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
def test_a_fit_starts_at_random_where_it_is_online_or_priors_tell_topics_apart(parameters, random):
    assert random_start(parameters, corpora.topical_counts(2, n_docs=60)) is random


def test_starts_after_the_first_are_random():
    X = corpora.topical_counts(2, n_docs=60)
    records = []
    model(n_init=3, random_state=0, callbacks=records.append).fit(X)
    first = [record.elbo for record in records if record.iteration == 1]
    random = model(init="random", n_init=3, random_state=0, callbacks=(again := []).append)
    random.fit(X)
    assert first[0] != again[0].elbo
    assert first[1:] == [record.elbo for record in again if record.iteration == 1][1:]


def test_a_weight_is_worth_the_document_as_often():
    X = corpora.topical_counts(4, n_docs=50)
    times = np.arange(50) % 3
    weighted = model(dtype="float64").fit(X, sample_weight=times.astype(float))
    repeated = model(dtype="float64").fit(np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, rtol=1e-6)


def test_batches_start_where_documents_in_memory_do():
    X = corpora.topical_counts(4, n_docs=60)
    parts = [sparse.csr_array(X[:25]), sparse.csr_array(X[25:])]
    np.testing.assert_allclose(
        model(dtype="float64").fit(parts).components_, model(dtype="float64").fit(X).components_, rtol=1e-9
    )
