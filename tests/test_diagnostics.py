"""The table of topic diagnostics, against a slow reference implementation and against values computed by hand."""

import numpy as np
import pytest
import reference_metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import psi, softmax
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, infer, inspection, metrics
from ldavi.metrics import _diagnostics

SEEDS = st.integers(0, 10**6)
COLUMNS = [
    "tokens",
    "document_entropy",
    "coherence",
    "uniform_dist",
    "corpus_dist",
    "eff_num_words",
    "token_doc_diff",
    "rank_1_docs",
    "allocation_ratio",
    "allocation_count",
    "exclusivity",
]


class Known:
    """A model with given topics and topic proportions."""

    def __init__(self, topics, theta, alpha=0.1):
        self.topics_, self.theta, self.doc_topic_prior_ = np.asarray(topics), np.asarray(theta), alpha

    def transform(self, X):
        return self.theta


def random_case(seed, n_docs=8, n_words=10, n_topics=3):
    rng = np.random.default_rng(seed)
    X = rng.poisson(1.2, (n_docs, n_words))
    X[0] += 1  # every word occurs
    X[1] = 0
    return X, Known(rng.dirichlet(np.full(n_words, 0.5), n_topics), rng.dirichlet(np.full(n_topics, 0.3), n_docs))


def assert_is_reference(table, X, model, n_words, alpha):
    gamma = model.theta * (sum(alpha) + X.sum(axis=1, keepdims=True))
    theta = softmax(psi(gamma), axis=1)
    expected = reference.diagnostics(X.tolist(), theta.tolist(), model.topics_.tolist(), alpha, n_words, 0.01)
    for name in COLUMNS:
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-8, atol=1e-10, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n_words=st.integers(2, 10))
def test_every_column_is_that_of_its_definition(seed, n_words):
    X, model = random_case(seed)
    assert_is_reference(metrics.topic_diagnostics(model, X, n_words), X, model, n_words, [0.1] * 3)


def test_tokens_that_no_topic_can_produce_follow_the_documents_proportions():
    X, model = random_case(3)
    model.topics_[:, 4] = 0
    model.topics_ /= model.topics_.sum(axis=1, keepdims=True)
    table = metrics.topic_diagnostics(model, X, 6)
    assert_is_reference(table, X, model, 6, [0.1] * 3)
    assert table["tokens"].sum() == pytest.approx(X.sum())


def test_sizes_are_those_of_inspection():
    X = random_case(9)[0]
    options = {"mean_change_tol": 1e-8, "max_doc_update_iter": 2000, "dtype": "float64", "n_collapsed_iter": 0}
    model = LatentDirichletAllocation(3, random_state=0, **options).fit(X)
    sizes = inspection.topic_sizes(model, X)["tokens"]
    np.testing.assert_allclose(metrics.topic_diagnostics(model, X, 4)["tokens"], sizes, rtol=1e-5)


def test_the_size_of_chunks_does_not_matter(monkeypatch):
    X, model = random_case(4)
    monkeypatch.setattr(_diagnostics, "MAX_ENTRIES", 20)
    assert_is_reference(metrics.topic_diagnostics(model, X, 5), X, model, 5, [0.1] * 3)


def test_where_every_token_has_one_topic_the_table_is_mallets():
    """Topic 0 has the words 0 and 1, topic 1 has 2 and 3. Document 2 has three tokens of topic 0, one of topic 1."""
    X = np.array([[2, 1, 0, 0], [1, 0, 0, 0], [2, 1, 1, 0], [0, 0, 3, 3]])
    model = Known([[0.6, 0.4, 0, 0], [0, 0, 0.7, 0.3]], np.full((4, 2), 0.5), alpha=[0.1, 0.3])
    table = metrics.topic_diagnostics(model, X, 2, smoothing=0.5)
    entropy = [np.log(7) - (3 * np.log(3) + 3 * np.log(3)) / 7, np.log(7) - 6 * np.log(6) / 7]
    expected = {
        "tokens": [7, 7],
        "document_entropy": entropy,
        "coherence": [np.log(2.5 / 3.5), np.log(1.5 / 2.5)],  # 2 of 3 documents with word 0 hold word 1; 1 of 2
        "uniform_dist": [
            5 / 7 * np.log(20 / 7) + 2 / 7 * np.log(8 / 7),
            4 / 7 * np.log(16 / 7) + 3 / 7 * np.log(12 / 7),
        ],
        "corpus_dist": [np.log(2), np.log(2)],
        "eff_num_words": [49 / 29, 49 / 25],
        "rank_1_docs": [1, 0.5],
        "allocation_ratio": [1, 0.5],  # shares 3.1/3.4, 1.1/1.4, 3.1/4.4; 1.3/4.4, 6.3/6.4
        "allocation_count": [1, 0.5],
        "exclusivity": [1, 1],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values, rtol=1e-12, err_msg=name)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_order_of_documents_topics_and_words_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    X, model = random_case(seed)
    documents, order, words = rng.permutation(8), rng.permutation(3), rng.permutation(10)
    turned = Known(model.topics_[order][:, words], model.theta[documents][:, order])
    table = metrics.topic_diagnostics(model, X, 4)
    permuted = metrics.topic_diagnostics(turned, X[documents][:, words], 4)
    for name in COLUMNS:
        np.testing.assert_allclose(permuted[name], np.asarray(table[name])[order], rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(
    "estimator", [LatentDirichletAllocation(2), ScikitLearnLDA(2), NMF(2, init="random", max_iter=2000)]
)
def test_every_token_has_a_topic_with_estimators_of_other_libraries_too(estimator):
    X = random_case(5)[0]
    table = metrics.topic_diagnostics(estimator.set_params(random_state=0).fit(X), X, 4)
    assert table["tokens"].sum() == pytest.approx(X.sum())
    assert np.isfinite(np.array([table[name] for name in COLUMNS])).all()


def test_proportions_of_an_array_of_topics_are_inferred():
    X, model = random_case(6)
    gamma = infer(X.astype(float), model.topics_, 0.1).gamma
    known = Known(model.topics_, gamma / gamma.sum(axis=1, keepdims=True))
    table, expected = metrics.topic_diagnostics(model.topics_, X), metrics.topic_diagnostics(known, X)
    for name in COLUMNS:
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, np.ndarray.tolist])
def test_form_of_counts_does_not_matter(form):
    X, model = random_case(7)
    table, expected = metrics.topic_diagnostics(model, form(X)), metrics.topic_diagnostics(model, X)
    for name in COLUMNS:
        np.testing.assert_array_equal(table[name], expected[name])


def test_word_length_is_a_column_if_words_have_names():
    X, model = random_case(8)
    names = ["a" * (w + 1) for w in range(10)]
    table = metrics.topic_diagnostics(model, X, 3, feature_names=names)
    expected = [np.mean([w + 1 for w in reference.first_words(row, 3)]) for row in model.topics_]
    np.testing.assert_allclose(table["word_length"], expected)
    assert "word_length" not in metrics.topic_diagnostics(model, X, 3)


def test_a_topic_without_tokens_is_nan_and_a_warning_names_it():
    X = np.array([[2, 1, 0], [1, 3, 0]])
    model = Known([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.warns(UserWarning, match="topic 1"):
        table = metrics.topic_diagnostics(model, X, 2)
    assert table["tokens"].tolist() == [7, 0]
    undefined = {name for name in COLUMNS if np.isnan(table[name][1])}
    assert undefined == {"document_entropy", "uniform_dist", "corpus_dist", "eff_num_words", "token_doc_diff"}
    assert not any(np.isnan(table[name][0]) for name in COLUMNS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"smoothing": 0}, "smoothing=0 must be"),
        ({"n_words": 0}, "n_words=0"),
        ({"X": np.ones((8, 4), int)}, "X has 4 columns, but the topics have 10 words"),
        ({"feature_names": ["a"]}, "feature_names has shape"),
    ],
)
def test_invalid_arguments_are_refused(changes, message):
    X, model = random_case(0)
    arguments = {"X": X} | changes
    with pytest.raises(ValueError, match=message):
        metrics.topic_diagnostics(model, **arguments)
