"""Coherence against a slow reference implementation of the papers, and its value where it is undefined."""

import doctest
import warnings
from pathlib import Path

import numpy as np
import pytest
import reference_metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.decomposition import NMF

from ldavi import LatentDirichletAllocation, metrics

MEASURES = ("u_mass", "uci", "npmi", "c_v")
SLIDING = ("uci", "npmi", "c_v")
NAMES = np.array([f"w{i}" for i in range(8)])


def random_texts(seed, n_docs=15, longest=20):
    """Make token lists with repeated words and words outside the vocabulary; every word of the vocabulary occurs."""
    rng = np.random.default_rng(seed)
    words = [*NAMES, "other"]
    texts = [[words[min(i, 9) - 1] for i in rng.geometric(0.3, rng.integers(0, longest))] for _ in range(n_docs)]
    return [*texts, list(NAMES), []]


def random_topics(seed):
    return np.random.default_rng([seed, 1]).dirichlet(np.ones(8), 3)


def counts_of(texts):
    return np.array([[text.count(name) for name in NAMES] for text in texts])


def by_reference(topics, windows, measure, n_words):
    return [reference.coherence(list(NAMES[np.argsort(-row)[:n_words]]), windows, measure) for row in topics]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("n_words", [2, 5])
def test_of_counts_is_that_of_the_papers_with_documents_as_windows(measure, n_words):
    texts, topics = random_texts(0), random_topics(0)
    expected = by_reference(topics, [set(text) for text in texts], measure, n_words)
    np.testing.assert_allclose(metrics.coherence(topics, counts_of(texts), measure, n_words), expected, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 25), measure=st.sampled_from(SLIDING))
def test_of_tokens_is_that_of_the_papers_with_sliding_windows(seed, size, measure):
    texts, topics = random_texts(seed), random_topics(seed)
    expected = by_reference(topics, reference.sliding_windows(texts, size), measure, 4)
    value = metrics.coherence(topics, texts, measure, 4, feature_names=NAMES, window_size=size, counting="boolean")
    np.testing.assert_allclose(value, expected, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 25), measure=st.sampled_from(SLIDING))
def test_of_tokens_is_by_default_that_of_gensims_counting(seed, size, measure):
    texts, topics = random_texts(seed), random_topics(seed)
    expected = by_reference(topics, reference.gensim_windows(texts, size), measure, 4)
    value = metrics.coherence(topics, texts, measure, 4, feature_names=NAMES, window_size=size)
    np.testing.assert_allclose(value, expected, rtol=1e-9)


@pytest.mark.parametrize("counting", ["gensim", "boolean"])
@pytest.mark.parametrize("measure", SLIDING)
def test_windows_as_long_as_the_longest_document_are_documents(measure, counting):
    texts, topics = random_texts(1), random_topics(1)
    longest = max(map(len, texts))
    value = metrics.coherence(topics, texts, measure, 4, feature_names=NAMES, window_size=longest, counting=counting)
    np.testing.assert_array_equal(value, metrics.coherence(topics, counts_of(texts), measure, 4))


def test_u_mass_of_tokens_takes_documents_as_windows():
    texts, topics = random_texts(2), random_topics(2)
    value = metrics.coherence(topics, texts, "u_mass", 4, feature_names=NAMES)
    np.testing.assert_array_equal(value, metrics.coherence(topics, counts_of(texts), "u_mass", 4))


@pytest.mark.parametrize(("measure", "size"), [("uci", 10), ("npmi", 10), ("c_v", 110)])
def test_windows_are_by_default_as_long_as_gensims(measure, size):
    texts, topics = random_texts(3, longest=160), random_topics(3)
    value = metrics.coherence(topics, texts, measure, 4, feature_names=NAMES)
    np.testing.assert_array_equal(
        value, metrics.coherence(topics, texts, measure, 4, feature_names=NAMES, window_size=size)
    )
    assert not np.array_equal(
        value, metrics.coherence(topics, texts, measure, 4, feature_names=NAMES, window_size=size - 1)
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), measure=st.sampled_from(MEASURES))
def test_order_of_documents_topics_and_words_does_not_matter(seed, measure):
    rng = np.random.default_rng(seed)
    X, topics = counts_of(random_texts(seed)), random_topics(seed)
    documents, order, words = rng.permutation(len(X)), rng.permutation(len(topics)), rng.permutation(X.shape[1])
    value = metrics.coherence(topics, X, measure, 4)
    permuted = metrics.coherence(topics[order][:, words], X[documents][:, words], measure, 4)
    np.testing.assert_allclose(permuted, value[order], rtol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_how_often_a_document_has_a_word_does_not_matter(measure):
    X, topics = counts_of(random_texts(4)), random_topics(4)
    np.testing.assert_array_equal(
        metrics.coherence(topics, X, measure, 4), metrics.coherence(topics, X > 0, measure, 4)
    )


@pytest.mark.parametrize(
    "form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array, np.asfortranarray, np.ndarray.tolist]
)
def test_form_of_counts_does_not_matter(form):
    X, topics = counts_of(random_texts(5)), random_topics(5)
    np.testing.assert_array_equal(metrics.coherence(topics, form(X), "c_v", 4), metrics.coherence(topics, X, "c_v", 4))


@pytest.mark.parametrize(
    "estimator", [LatentDirichletAllocation(2, random_state=0), NMF(2, random_state=0, init="random")]
)
def test_an_estimator_gives_the_same_result_as_its_topics(estimator):
    X = counts_of(random_texts(6)).astype(float)
    model = estimator.fit(X)
    np.testing.assert_array_equal(
        metrics.coherence(model, X, "npmi", 4), metrics.coherence(model.components_, X, "npmi", 4)
    )


def test_a_series_of_token_lists_gives_the_same_result_as_a_list():
    pandas = pytest.importorskip("pandas")
    texts, topics = random_texts(6), random_topics(6)
    expected = metrics.coherence(topics, texts, "uci", 4, feature_names=NAMES)
    for form in (tuple, pandas.Series):
        np.testing.assert_array_equal(metrics.coherence(topics, form(texts), "uci", 4, feature_names=NAMES), expected)


def test_an_estimators_own_names_are_those_of_the_tokens():
    pandas = pytest.importorskip("pandas")
    texts = random_texts(6)
    model = LatentDirichletAllocation(2, random_state=0).fit(pandas.DataFrame(counts_of(texts), columns=NAMES))
    expected = metrics.coherence(model.topics_, texts, "c_v", 4, feature_names=NAMES)
    np.testing.assert_array_equal(metrics.coherence(model, texts, "c_v", 4), expected)


def test_words_outside_the_vocabulary_are_ignored():
    X, topics = counts_of(random_texts(7)), random_topics(7)
    np.testing.assert_array_equal(metrics.coherence(topics, X, "npmi", 100), metrics.coherence(topics, X, "npmi", 8))


def test_of_words_that_always_occur_together_is_maximal():
    X = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(metrics.coherence([[0.6, 0.4, 0.0]], X, "npmi", 2), [1], rtol=1e-11)
    np.testing.assert_allclose(metrics.coherence([[0.6, 0.4, 0.0]], X, "u_mass", 2), [0], atol=1e-11)


def test_of_words_in_every_window_is_the_documented_minus_one():
    np.testing.assert_allclose(metrics.coherence([[0.6, 0.4]], [[1, 1], [2, 1]], "npmi", 2), [-1])


@pytest.mark.parametrize("measure", SLIDING)
def test_with_a_word_that_never_occurs_is_nan_and_a_warning_names_topic_and_word(measure):
    X = [[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]]
    topics = [[0.5, 0.3, 0.2, 0.0], [0.5, 0.1, 0.0, 0.4]]
    with pytest.warns(UserWarning, match="topic 1: 'd'"):
        value = metrics.coherence(topics, X, measure, 2, feature_names=list("abcd"))
    np.testing.assert_array_equal(np.isnan(value), [False, True])


def test_tokens_without_any_first_word_give_nan_and_a_warning():
    with pytest.warns(UserWarning, match="topic 0: 'w"):
        assert np.isnan(metrics.coherence(random_topics(0), [["other"], []], "c_v", feature_names=NAMES)).all()


def test_u_mass_with_a_word_that_never_occurs_is_gensims_and_a_warning_names_it():
    X = [[1, 1, 0], [1, 0, 0], [0, 1, 0]]
    with pytest.warns(UserWarning, match=r"topic 0: 'x2'; topic 1: 'x2'"):
        value = metrics.coherence([[0.3, 0.2, 0.5], [0.5, 0.3, 0.2]], X, "u_mass", 2 + 1)
    given_first = np.log((1 / 3 + 1e-12) / (2 / 3))
    never = np.log(1e-12 / (2 / 3))
    np.testing.assert_allclose(value, [(0 + 0 + given_first) / 3, (given_first + 2 * never) / 3])


def test_a_long_list_of_absent_words_is_truncated():
    topics = np.eye(9)[:, ::-1] + 1e-3
    with pytest.warns(UserWarning, match="and 4 more topics"):
        metrics.coherence(topics, np.zeros((3, 9), int), "npmi", 2)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_warning_where_every_word_occurs(measure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.coherence(random_topics(8), counts_of(random_texts(8)), measure, 4)


def test_neither_topics_nor_counts_are_changed():
    X, topics = sparse.csr_array(counts_of(random_texts(9))), random_topics(9)
    before = X.copy(), topics.copy()
    metrics.coherence(topics, X, "c_v", 4)
    np.testing.assert_array_equal(X.toarray(), before[0].toarray())
    np.testing.assert_array_equal(topics, before[1])


GUIDE = Path(__file__).resolve().parent.parent / "docs" / "coherence.md"


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not beside the tests here")
def test_the_examples_of_the_guide_run():
    """A closing fence is replaced by an empty line: doctest would take it for output."""
    text = GUIDE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")
    examples = doctest.DocTestParser().get_doctest(text, {}, GUIDE.name, str(GUIDE), 0)
    assert len(examples.examples) > 15
    assert doctest.DocTestRunner().run(examples).failed == 0


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"measure": "umass"}, ValueError, "measure='umass' must be one of 'u_mass'"),
        ({"n_words": 1}, ValueError, "n_words=1 must be an integer >= 2"),
        ({"n_words": 2.5}, TypeError, "n_words"),
        ({"topics": [[1.0], [1.0]], "X": [[1]]}, ValueError, "at least 2"),
        ({"X": [[1, 0, 2]]}, ValueError, "X has 3 columns and the topics 8"),
        ({"X": [[1, 0, 2, 0, 0, 0, 0, -1]]}, ValueError, "Negative"),
        ({"window_size": 5}, ValueError, "X holds counts"),
        ({"counting": "exact"}, ValueError, "counting='exact'"),
        ({"X": [["w1", "w2"]]}, ValueError, "feature_names=None, but X holds tokens"),
        ({"X": ["w1 w2"]}, TypeError, "list of tokens"),
        ({"X": [["w1"]], "feature_names": ["w1"] * 8}, ValueError, "'w1' more than once"),
        ({"X": [["w1"]], "feature_names": ["w1"]}, ValueError, "feature_names has shape"),
        ({"X": [["w1"]], "feature_names": NAMES, "window_size": 5}, ValueError, "'u_mass' are documents"),
        ({"X": [["w1"]], "feature_names": NAMES, "measure": "uci", "window_size": 0}, ValueError, "window_size=0"),
    ],
)
def test_invalid_arguments_are_refused(changes, error, message):
    arguments = {"topics": random_topics(0), "X": counts_of(random_texts(0))} | changes
    with pytest.raises(error, match=message):
        metrics.coherence(arguments.pop("topics"), arguments.pop("X"), **arguments)
