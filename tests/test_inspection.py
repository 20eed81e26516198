"""Inspection of topics: words, sizes, documents, labels, distances, maps and intervals."""

import doctest
import importlib.util
from pathlib import Path

import corpora
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import jensenshannon
from scipy.special import psi
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

import ldavi
from ldavi import LatentDirichletAllocation, inspection

K, V = 4, 25
RNG = np.random.default_rng(0)
TOPICS = RNG.dirichlet(np.full(V, 0.2), K)
X = corpora.topical_counts(3, n_docs=30, n_words=V, n_topics=K)
X[4] = 0  # an empty document
P = X.sum(axis=0) / X.sum()
PAGE = Path(__file__).resolve().parent.parent / "docs" / "inspection.md"


def column(table, name):
    return np.asarray(table[name])


@pytest.fixture(scope="module")
def lda():
    return LatentDirichletAllocation(K, random_state=0, tol=None, max_iter=30).fit(X)


@pytest.fixture(scope="module")
def sklearn_lda():
    return ScikitLearnLDA(K, random_state=0, max_iter=20, doc_topic_prior=0.3).fit(X)


@pytest.fixture(scope="module", params=["ldavi", "scikit-learn", "array"])
def model(request, lda, sklearn_lda):
    return {"ldavi": lda, "scikit-learn": sklearn_lda, "array": TOPICS}[request.param]


# Words


def test_relevance_at_weight_one_is_the_log_probability():
    scores = inspection.word_scores(TOPICS + 1e-3, by="relevance", relevance_weight=1)
    np.testing.assert_allclose(scores, np.log(inspection.word_scores(TOPICS + 1e-3)))


def test_relevance_at_weight_zero_is_the_log_lift():
    seen = P > 0
    scores = inspection.word_scores(TOPICS, by="relevance", relevance_weight=0, X=X)[:, seen]
    np.testing.assert_allclose(scores, np.log(inspection.word_scores(TOPICS, by="lift", X=X)[:, seen]))
    np.testing.assert_allclose(scores, np.log(TOPICS[:, seen] / P[seen]))


def test_relevance_is_the_weighted_sum():
    scores = inspection.word_scores(TOPICS, by="relevance", relevance_weight=0.3, X=X)[:, P > 0]
    beta, p = TOPICS[:, P > 0], P[P > 0]
    np.testing.assert_allclose(scores, 0.3 * np.log(beta) + 0.7 * np.log(beta / p))


def test_lift_without_counts_compares_with_the_mean_of_probabilities():
    np.testing.assert_allclose(inspection.word_scores(TOPICS, by="lift"), TOPICS / TOPICS.mean(axis=0))


def test_lift_of_a_model_without_counts_compares_with_its_expected_counts(lda):
    p = lda.components_.sum(axis=0) / lda.components_.sum()
    np.testing.assert_allclose(inspection.word_scores(lda, by="lift"), lda.topics_ / p, rtol=1e-6)


@pytest.mark.parametrize("by", ["relevance", "lift"])
def test_a_word_that_does_not_occur_comes_last(by):
    counts = X.copy()
    counts[:, 7] = 0
    lacking = {f"x{w}" for w in np.flatnonzero(counts.sum(axis=0) == 0)}
    words = column(inspection.top_words(TOPICS, V, by=by, X=counts), "word").reshape(K, V)
    assert all(set(row[-len(lacking) :]) == lacking for row in words)


def slow_frex(topics, weight):
    """Compute equation (5) of Bischof and Airoldi by counting; `weight` is that of frequency, ties have mean ranks."""
    exclusivity = topics / topics.sum(axis=0)
    frex = np.empty_like(topics)
    for k in range(len(topics)):
        for w in range(topics.shape[1]):
            shares = []
            for row in (topics[k], exclusivity[k]):
                shares.append(((row < row[w]).sum() + ((row == row[w]).sum() + 1) / 2) / len(row))
            frex[k, w] = 1 / (weight / shares[0] + (1 - weight) / shares[1])
    return frex


@pytest.mark.parametrize("weight", [0, 0.3, 1])
def test_frex_is_the_harmonic_mean_of_two_ranks(weight):
    scores = inspection.word_scores(TOPICS, by="frex", frex_weight=weight)
    np.testing.assert_allclose(scores, slow_frex(TOPICS, weight))


def test_frex_is_between_zero_and_one():
    scores = inspection.word_scores([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], by="frex")
    assert ((scores > 0) & (scores <= 1)).all()


def test_top_words_are_sorted_and_numbered_from_one(model):
    words = inspection.top_words(model, 6, by="relevance")
    assert column(words, "rank").tolist() == [1, 2, 3, 4, 5, 6] * K
    assert (np.diff(column(words, "score").reshape(K, 6), axis=1) <= 0).all()


def test_top_words_name_the_words_of_their_probabilities():
    words = inspection.top_words(TOPICS, 5, feature_names=[f"w{w}" for w in range(V)])
    place = [int(word[1:]) for word in column(words, "word")]
    np.testing.assert_allclose(column(words, "probability"), TOPICS[column(words, "topic"), place])


def test_equal_words_are_in_column_order():
    assert inspection.top_words_lists(np.ones((1, 5)), 3) == [["x0", "x1", "x2"]]


def test_more_words_than_there_are_gives_all():
    assert len(inspection.top_words(TOPICS, 10 * V)) == K * V


def test_the_names_of_the_fit_are_used():
    pandas = pytest.importorskip("pandas")
    named = pandas.DataFrame(X, columns=[f"word{w}" for w in range(V)])
    fitted = LatentDirichletAllocation(2, random_state=0, tol=None, max_iter=2).fit(named)
    assert all(word.startswith("word") for words in inspection.top_words_lists(fitted) for word in words)


@pytest.mark.parametrize("by", ["probability", "relevance", "frex", "lift"])
def test_lists_and_tables_agree(by):
    words = inspection.top_words(TOPICS, 4, by=by, X=X)
    assert np.reshape(column(words, "word"), (K, 4)).tolist() == inspection.top_words_lists(TOPICS, 4, by=by, X=X)


# Documents


def test_sizes_sum_to_the_tokens(model):
    sizes = inspection.topic_sizes(model, X)
    np.testing.assert_allclose(column(sizes, "tokens").sum(), X.sum(), rtol=1e-9)
    np.testing.assert_allclose(column(sizes, "share").sum(), 1)


def test_sizes_are_the_sums_of_the_words_topics(lda):
    lda = LatentDirichletAllocation(K, mean_change_tol=1e-7, max_doc_update_iter=1000, dtype=float).fit(X)
    phi = lda.word_topics(X)
    expected = sparse.csr_array(X).data @ phi
    np.testing.assert_allclose(column(inspection.topic_sizes(lda, X), "tokens"), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", [LatentDirichletAllocation, ScikitLearnLDA])
def test_sizes_without_documents_are_those_of_the_fit(kind):
    options = {"mean_change_tol": 1e-7, "max_doc_update_iter": 2000, "max_iter": 100, "random_state": 0}
    model = kind(K, doc_topic_prior=0.2, topic_word_prior=0.1, **options).fit(X.astype(float))
    of_fit, of_documents = inspection.topic_sizes(model), inspection.topic_sizes(model, X)
    np.testing.assert_allclose(column(of_fit, "tokens"), column(of_documents, "tokens"), rtol=0.02)
    np.testing.assert_allclose(column(of_fit, "tokens").sum(), X.sum(), rtol=1e-5)


def test_sizes_of_an_array_need_documents():
    with pytest.raises(ValueError, match="Pass the documents as X"):
        inspection.topic_sizes(TOPICS)


def test_sizes_of_separate_topics_are_counts():
    sizes = inspection.topic_sizes([[0.5, 0.5, 0], [0, 0, 1]], [[3, 1, 2], [0, 0, 5]], doc_topic_prior=[2.0, 0.1])
    np.testing.assert_allclose(column(sizes, "tokens"), [4, 7])


def test_shares_are_zero_without_tokens():
    assert column(inspection.topic_sizes(TOPICS, np.zeros((2, V))), "share").tolist() == [0] * K


def test_representative_documents_have_the_largest_proportions(lda):
    theta = lda.transform(X)
    rows = inspection.representative_documents(lda, X, 3)
    best = np.sort(theta, axis=0)[::-1][:3]
    np.testing.assert_allclose(column(rows, "proportion").reshape(K, 3), best.T, rtol=1e-6)
    np.testing.assert_allclose(
        column(rows, "proportion"), theta[column(rows, "document"), column(rows, "topic")], rtol=1e-6
    )
    np.testing.assert_array_equal(column(rows, "tokens"), X.sum(axis=1)[column(rows, "document")])


def test_representative_documents_can_be_named():
    names = [f"document {d}" for d in range(len(X))]
    numbers = inspection.representative_documents(TOPICS, X, 2)
    named = inspection.representative_documents(TOPICS, X, 2, document_names=names)
    assert [names[d] for d in column(numbers, "document")] == column(named, "document").tolist()


def test_the_words_topics_are_those_of_the_model(lda):
    rows = inspection.document_words(lda, X)
    phi = np.zeros((len(X), V, K))
    words = [int(word[1:]) for word in column(rows, "word")]
    phi[column(rows, "document"), words, column(rows, "topic")] = column(rows, "probability")
    np.testing.assert_allclose(phi[X > 0], lda.word_topics(X), rtol=1e-6)


def test_the_words_topics_of_an_array_follow_their_definition():
    gamma = ldavi.infer(X, TOPICS, 0.1, dtype=float).gamma
    weights = np.exp(psi(gamma))[:, None, :] * TOPICS.T[None]
    phi = (weights / weights.sum(axis=2, keepdims=True))[X > 0]
    rows = inspection.document_words(TOPICS, X)
    in_order = column(rows, "probability").reshape(-1, K), column(rows, "topic").reshape(-1, K)
    np.testing.assert_allclose(in_order[0], np.take_along_axis(phi, in_order[1], axis=1), rtol=1e-9)


def test_probabilities_of_a_word_sum_to_one(model):
    rows = inspection.document_words(model, X[0])
    np.testing.assert_allclose(column(rows, "probability").reshape(-1, K).sum(axis=1), 1, rtol=1e-6)


def test_a_word_has_its_count_and_its_most_probable_topic_first(model):
    rows = inspection.document_words(model, X[0], n_topics=1)
    everything = inspection.document_words(model, X[0])
    np.testing.assert_array_equal(column(rows, "count"), X[0][X[0] > 0])
    np.testing.assert_array_equal(
        column(rows, "probability"), column(everything, "probability").reshape(-1, K).max(axis=1)
    )


def test_responsibilities_are_a_fixed_point_with_the_proportions(sklearn_lda):
    """γ = α + Σ n φ, which both models must satisfy after convergence."""
    converged = ScikitLearnLDA(
        K, random_state=0, mean_change_tol=1e-9, max_doc_update_iter=5000, doc_topic_prior=0.3
    ).fit(X)
    rows = inspection.document_words(converged, X[0])
    tokens = np.bincount(
        column(rows, "topic"), weights=column(rows, "probability") * column(rows, "count"), minlength=K
    )
    theta = (0.3 + tokens) / (0.3 * K + X[0].sum())
    np.testing.assert_allclose(theta, converged.transform(X[:1])[0], atol=1e-6)


def test_a_word_that_no_topic_can_produce_follows_the_document():
    rows = inspection.document_words([[1.0, 0, 0], [0, 1.0, 0]], [6, 0, 1])
    last = dict(zip(column(rows, "topic")[2:], column(rows, "probability")[2:], strict=True))
    assert last[0] > 0.9


def test_a_given_prior_replaces_that_of_the_model(lda):
    gamma = ldavi.infer(X, lda.topics_, 5.0, dtype=float).gamma
    rows = inspection.theta_intervals(lda, X, doc_topic_prior=5.0)
    np.testing.assert_allclose(column(rows, "mean"), (gamma / gamma.sum(axis=1, keepdims=True)).ravel(), rtol=1e-6)


def test_factors_of_nmf_are_accepted():
    weights = NMF(2, random_state=0, init="nndsvda").fit(X)
    np.testing.assert_allclose(column(inspection.topic_sizes(weights, X), "tokens").sum(), X.sum())


# Labels

TEXTS = [
    "sparse matrix product",
    "a sparse matrix; product rule",
    "random walk on graphs",
    "Random walk",
    "random-walk matrix",
]
WORDS = ["sparse", "matrix", "product", "random", "walk", "graphs"]
COUNTS = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0], [0, 1, 0, 1, 1, 0]])
TWO = np.array([[0.4, 0.3, 0.2, 0.03, 0.03, 0.04], [0.04, 0.03, 0.03, 0.3, 0.4, 0.2]])


def test_labels_are_phrases_of_the_topics_documents():
    labels = inspection.topic_labels(TWO, COUNTS, TEXTS, min_documents=2, feature_names=WORDS, n_labels=1)
    assert column(labels, "label").tolist() == ["sparse matrix", "random walk"]


def test_phrases_do_not_span_punctuation_or_unknown_words():
    labels = inspection.topic_labels(
        TWO, COUNTS, TEXTS, min_documents=1, feature_names=WORDS, n_labels=9, ngram_range=(2, 2)
    )
    assert set(column(labels, "label").tolist()) == {"sparse matrix", "matrix product", "random walk", "walk matrix"}


def test_a_label_neither_contains_another_nor_is_part_of_one():
    labels = inspection.topic_labels(TWO, COUNTS, TEXTS, min_documents=1, feature_names=WORDS, n_labels=9)
    for k in range(2):
        own = [f" {label} " for label in column(labels, "label")[column(labels, "topic") == k]]
        assert not any(one in other for one in own for other in own if one is not other)


def test_occurrences_of_a_phrase_are_distributed_over_topics():
    phrases = np.array([[1, 0], [2, 0], [0, 1], [0, 1], [0, 3]])
    names = ["sparse matrix", "random walk"]
    labels = inspection.topic_labels(
        TWO, COUNTS, phrases, candidate_names=names, min_documents=1, feature_names=WORDS, n_labels=2
    )
    for name, count in zip(names, [3, 5], strict=True):
        np.testing.assert_allclose(column(labels, "count")[column(labels, "label") == name].sum(), count)


def test_labels_without_a_frequent_phrase_say_what_to_do():
    with pytest.raises(ValueError, match="min_documents=50"):
        inspection.topic_labels(TWO, COUNTS, TEXTS, min_documents=50, feature_names=WORDS)
    with pytest.raises(ValueError, match="feature_names"):
        inspection.topic_labels(TWO, COUNTS, TEXTS)


def test_counts_of_phrases_need_names():
    with pytest.raises(ValueError, match="candidate_names has shape"):
        inspection.topic_labels(TWO, COUNTS, np.ones((5, 2)), feature_names=WORDS)


# Distances, correlations, map


def test_the_jensen_shannon_distance_is_that_of_scipy():
    expected = [[jensenshannon(p, q, base=2) for q in TOPICS] for p in TOPICS]
    np.testing.assert_allclose(inspection.topic_distances(TOPICS), expected, atol=1e-12)


def test_the_hellinger_distance_is_half_the_euclidean_one_of_roots():
    roots = np.sqrt(TOPICS)
    expected = np.linalg.norm(roots[:, None] - roots[None], axis=2) / np.sqrt(2)
    np.testing.assert_allclose(inspection.topic_distances(TOPICS, distance="hellinger"), expected, atol=1e-7)


def test_the_cosine_distance_is_one_minus_the_cosine():
    p, q = TOPICS[:2]
    expected = 1 - p @ q / np.sqrt((p @ p) * (q @ q))
    np.testing.assert_allclose(inspection.topic_distances(TOPICS, distance="cosine")[0, 1], expected)


@pytest.mark.parametrize("distance", ["jensen_shannon", "hellinger", "cosine"])
def test_distances_are_symmetric_and_between_zero_and_one(distance):
    D = inspection.topic_distances(np.vstack([TOPICS, TOPICS[:1]]), distance=distance)
    np.testing.assert_array_equal(D, D.T)
    assert ((D >= 0) & (D <= 1)).all()
    assert D[0, K] == 0


@pytest.mark.parametrize("distance", ["jensen_shannon", "hellinger", "cosine"])
def test_distances_to_others_are_a_block_of_those_among_all(distance):
    among = inspection.topic_distances(TOPICS, distance=distance)
    np.testing.assert_allclose(
        inspection.topic_distances(TOPICS[:1], other=TOPICS[1:], distance=distance), among[:1, 1:]
    )


def test_correlations_are_pearsons():
    theta = RNG.dirichlet(np.full(K, 0.5), 20)
    np.testing.assert_allclose(inspection.topic_correlations(theta), np.corrcoef(theta.T))


def test_a_constant_proportion_is_correlated_with_none():
    theta = np.column_stack([[0.1, 0.3, 0.5], [0.7, 0.5, 0.3], np.full(3, 0.2)])
    np.testing.assert_allclose(inspection.topic_correlations(theta)[2], [0, 0, 1])


@pytest.mark.parametrize("theta", [np.ones(3), np.ones((1, 3)), np.full((3, 2), np.nan)])
def test_invalid_proportions_are_refused(theta):
    with pytest.raises(ValueError, match="theta"):
        inspection.topic_correlations(theta)


@pytest.mark.parametrize("method", ["pcoa", "mds"])
@pytest.mark.parametrize("n_topics", [2, 3, 12])
def test_a_map_does_not_depend_on_the_order_of_topics(method, n_topics):
    topics = np.random.default_rng(1).dirichlet(np.full(V, 0.1), n_topics)
    order = np.random.default_rng(2).permutation(n_topics)
    points = inspection.topic_map(topics, method=method)
    np.testing.assert_allclose(inspection.topic_map(topics[order], method=method), points[order], atol=1e-3)


def test_the_map_of_three_topics_has_their_exact_distances():
    topics = TOPICS[:3]
    points = inspection.topic_map(topics)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.testing.assert_allclose(apart, inspection.topic_distances(topics), atol=1e-7)


def test_mds_fits_the_distances_better():
    topics = np.random.default_rng(3).dirichlet(np.full(V, 0.1), 12)
    D = inspection.topic_distances(topics)

    def stress(points):
        return ((np.linalg.norm(points[:, None] - points[None], axis=2) - D) ** 2).sum()

    assert stress(inspection.topic_map(topics, method="mds")) < stress(inspection.topic_map(topics))


def test_the_map_of_one_topic_is_the_origin():
    np.testing.assert_array_equal(inspection.topic_map([[0.5, 0.5]]), [[0, 0]])


# Intervals


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), level=st.sampled_from([0.5, 0.8, 0.95]))
def test_intervals_cover_their_share_of_dirichlet_samples(seed, level):
    rng = np.random.default_rng(seed)
    lam = rng.gamma(2.0, 2.0, (2, 5)) + 0.3
    rows = inspection.beta_intervals(lam, level=level, words=list(range(5)))
    low, high = (column(rows, end).reshape(2, 5) for end in ("low", "high"))
    for k in range(2):
        draws = rng.dirichlet(lam[k], 20_000)
        np.testing.assert_allclose((draws < low[k]).mean(axis=0), (1 - level) / 2, atol=0.02)
        np.testing.assert_allclose((draws > high[k]).mean(axis=0), (1 - level) / 2, atol=0.02)


def test_theta_intervals_are_marginals_of_the_documents_dirichlet(lda):
    gamma = lda.transform(X[:1], normalize=False)[0]
    rows = inspection.theta_intervals(lda, X[:1], level=0.9)
    draws = np.random.default_rng(0).dirichlet(gamma, 40_000)
    np.testing.assert_allclose((draws < column(rows, "low")).mean(axis=0), 0.05, atol=0.01)
    np.testing.assert_allclose((draws > column(rows, "high")).mean(axis=0), 0.05, atol=0.01)


def test_intervals_cover_too_little_where_topics_share_words():
    """The warning of the docstrings, reproduced with documents from known topics."""
    rng = np.random.default_rng(0)
    beta = rng.dirichlet(np.full(100, 0.5), 10)
    theta = rng.dirichlet(np.full(10, 0.3), 200)
    drawn = np.array([rng.multinomial(100, p / p.sum()) for p in theta @ beta])
    rows = inspection.theta_intervals(beta, drawn, doc_topic_prior=0.3)
    covered = (column(rows, "low") <= theta.ravel()) & (theta.ravel() <= column(rows, "high"))
    assert covered.mean() < 0.8


def test_means_are_within_their_intervals(lda):
    rows = inspection.beta_intervals(lda)
    assert len(rows) == 10 * K
    assert ((column(rows, "low") < column(rows, "mean")) & (column(rows, "mean") < column(rows, "high"))).all()


def test_a_single_topic_is_certain():
    rows = inspection.theta_intervals(np.ones((1, 3)), [1, 2, 0])
    assert column(rows, "low").tolist() == column(rows, "high").tolist() == [1]


def test_words_can_be_given_by_name_or_column(lda):
    by_name = inspection.beta_intervals(lda, words=["x3", "x5"])
    by_column = inspection.beta_intervals(lda, words=[3, 5])
    np.testing.assert_array_equal(column(by_name, "low"), column(by_column, "low"))
    np.testing.assert_allclose(column(by_name, "mean").reshape(K, 2), lda.topics_[:, [3, 5]], rtol=1e-6)


@pytest.mark.parametrize(
    ("topics", "error", "message"),
    [
        (TOPICS, ValueError, "pass components_"),
        (NMF(2, random_state=0, init="nndsvda").fit(X), TypeError, "NMF"),
        (
            LatentDirichletAllocation(2, topic_word_prior=0, tol=None, max_iter=2).fit(X),
            ValueError,
            "topic_word_prior=0",
        ),
    ],
)
def test_intervals_of_topics_without_a_posterior_are_refused(topics, error, message):
    with pytest.raises(error, match=message):
        inspection.beta_intervals(topics)


# All functions


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inspection.top_words(TOPICS, 0), "n_words=0"),
        (lambda: inspection.top_words(TOPICS, by="tfidf"), "by='tfidf'"),
        (lambda: inspection.top_words(TOPICS, by="relevance", relevance_weight=2), "relevance_weight=2"),
        (lambda: inspection.top_words(TOPICS, by="lift", X=X[:, 1:]), "X has 24 columns"),
        (lambda: inspection.top_words(TOPICS, by="lift", X=0 * X), "no counts"),
        (lambda: inspection.topic_sizes(TOPICS, X[:, 1:]), "X has 24 columns"),
        (lambda: inspection.topic_sizes(TOPICS, -X), "Negative"),
        (lambda: inspection.document_words(TOPICS, X, n_topics=0), "n_topics=0"),
        (lambda: inspection.representative_documents(TOPICS, X, document_names=["a"]), "document_names has shape"),
        (lambda: inspection.topic_distances(TOPICS, distance="euclidean"), "distance='euclidean'"),
        (lambda: inspection.topic_distances(TOPICS, other=TOPICS[:, 1:]), "other has 24 words"),
        (lambda: inspection.topic_map(TOPICS, method="tsne"), "method='tsne'"),
        (lambda: inspection.theta_intervals(TOPICS, X, level=1), "level=1"),
        (lambda: inspection.beta_intervals(TOPICS + 1, words=["nobody"]), "'nobody'"),
        (lambda: inspection.beta_intervals(TOPICS + 1, words=[-1]), "-1"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_table_has_the_same_columns_without_pandas(monkeypatch):
    def tables():
        return [
            inspection.top_words(TOPICS, 2),
            inspection.topic_sizes(TOPICS, X),
            inspection.representative_documents(TOPICS, X, 2),
            inspection.document_words(TOPICS, X[:2]),
            inspection.theta_intervals(TOPICS, X[:2]),
            inspection.beta_intervals(TOPICS + 1),
            inspection.topic_labels(TWO, COUNTS, TEXTS, min_documents=2, feature_names=WORDS),
        ]

    frames = tables()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for frame, rows in zip(frames, tables(), strict=True):
        assert isinstance(rows, np.ndarray)
        assert list(rows.dtype.names) == list(getattr(frame, "columns", rows.dtype.names))
        for name in rows.dtype.names:
            np.testing.assert_array_equal(rows[name], column(frame, name))


def test_the_model_and_the_counts_are_not_changed(lda):
    before, counts = lda.components_.copy(), X.copy()
    inspection.topic_sizes(lda, X)
    inspection.document_words(lda, X)
    inspection.topic_map(lda)
    inspection.word_scores(lda)[:] = 0
    np.testing.assert_array_equal(lda.components_, before)
    np.testing.assert_array_equal(X, counts)


@pytest.mark.skipif(not PAGE.exists(), reason="the docs are not beside the tests here")
def test_the_examples_of_the_page_run():
    pytest.importorskip("pandas")
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0
