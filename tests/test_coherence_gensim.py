"""Coherence equals that of gensim on the same windows."""

import numpy as np
import pytest

from ldavi import metrics

pytestmark = pytest.mark.interop

NAMES = np.array([f"w{i}" for i in range(15)])
IN_GENSIM = {"u_mass": "u_mass", "uci": "c_uci", "npmi": "c_npmi", "c_v": "c_v"}


@pytest.fixture(scope="module")
def texts():
    """Words repeat within a window; some are in no vocabulary; documents are shorter, equal and longer than windows."""
    rng = np.random.default_rng(0)
    documents = [
        [NAMES[min(i, len(NAMES)) - 1] for i in rng.geometric(0.15, length)]
        for length in [1, 7, 150, *rng.integers(2, 60, 40)]
    ]
    for document in documents[::3]:
        document.insert(len(document) // 2, "other")
    return [*documents, list(NAMES)]


@pytest.fixture(scope="module")
def topics():
    return np.random.default_rng(1).dirichlet(np.ones(len(NAMES)), 4)


def gensim_coherence(topics, texts, measure, n_words, window_size=None):
    corpora = pytest.importorskip("gensim.corpora")
    models = pytest.importorskip("gensim.models")
    first = [list(NAMES[np.argsort(-row)[:n_words]]) for row in topics]
    model = models.CoherenceModel(
        topics=first,
        texts=texts,
        dictionary=corpora.Dictionary([*texts, list(NAMES)]),
        coherence=IN_GENSIM[measure],
        window_size=window_size,
        topn=n_words,
        processes=1,
    )
    return model.get_coherence_per_topic()


@pytest.mark.parametrize("n_words", [2, 10])
@pytest.mark.parametrize("measure", IN_GENSIM)
def test_coherence_of_tokens_is_gensims(texts, topics, measure, n_words):
    value = metrics.coherence(topics, texts, measure, n_words, feature_names=NAMES)
    np.testing.assert_allclose(value, gensim_coherence(topics, texts, measure, n_words), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 7, 150, 1000])
@pytest.mark.parametrize("measure", ["uci", "npmi", "c_v"])
def test_coherence_of_tokens_is_gensims_for_every_size_of_window(texts, topics, measure, size):
    value = metrics.coherence(topics, texts, measure, 6, feature_names=NAMES, window_size=size)
    np.testing.assert_allclose(value, gensim_coherence(topics, texts, measure, 6, size), atol=1e-6, rtol=0)


@pytest.mark.parametrize("measure", IN_GENSIM)
def test_coherence_of_counts_is_gensims_with_documents_as_windows(texts, topics, measure):
    X = np.array([[document.count(name) for name in NAMES] for document in texts])
    size = None if measure == "u_mass" else max(map(len, texts))
    expected = gensim_coherence(topics, texts, measure, 6, size)
    np.testing.assert_allclose(metrics.coherence(topics, X, measure, 6), expected, atol=1e-6, rtol=0)


def test_u_mass_with_a_word_that_never_occurs_is_gensims(texts, topics):
    without = [[word for word in document if word != "w3"] for document in texts]
    topics = topics + 5 * np.eye(len(NAMES))[3]
    with pytest.warns(UserWarning, match="'w3'"):
        value = metrics.coherence(topics, without, "u_mass", 6, feature_names=NAMES)
    np.testing.assert_allclose(value, gensim_coherence(topics, without, "u_mass", 6), atol=1e-6, rtol=0)


def test_coherence_of_a_single_window_is_gensims(topics):
    texts = [list(NAMES)]
    value = metrics.coherence(topics, texts, "npmi", 4, feature_names=NAMES, window_size=50)
    np.testing.assert_allclose(value, gensim_coherence(topics, texts, "npmi", 4, 50), atol=1e-6, rtol=0)
