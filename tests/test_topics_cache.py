"""The cached topics of every word: they change no result, and are computed again when λ changes."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import corpora
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation
from ldavi._core.threads import Workers
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.topics_cache import MAX_BYTES, TopicsCache

K = 4


@pytest.fixture
def X():
    return corpora.topical_counts(0, n_docs=40).astype(float)


@pytest.fixture(params=["batch", "online", "point estimate"])
def fitted(request, X):
    prior = 0 if request.param == "point estimate" else 0.1
    method = "batch" if request.param == "point estimate" else request.param
    return LatentDirichletAllocation(
        K, learning_method=method, topic_word_prior=prior, max_iter=4, tol=None, batch_size=16, random_state=0
    ).fit(X)


def fill_cache(lda, X):
    for _ in range(3):
        lda.transform(X)
    return lda


def replace_components(lda, X):
    lda.components_ = lda.components_[::-1].copy()


def call_partial_fit(lda, X):
    lda.partial_fit(X[:7])


def fit_again(lda, X):
    lda.fit(X[::2])


def test_calls_that_use_cached_topics_have_the_bits_of_the_first_call(fitted, X):
    first, words, score = fitted.transform(X), fitted.word_topics(X), fitted.score(X)
    fill_cache(fitted, X)
    np.testing.assert_array_equal(fitted.transform(X), first)
    np.testing.assert_array_equal(fitted.word_topics(X), words)
    assert fitted.score(X) == score


@pytest.mark.parametrize("change", [replace_components, call_partial_fit, fit_again])
def test_changing_the_topics_invalidates_the_cache(fitted, X, change):
    expected = copy.deepcopy(fitted)
    fill_cache(fitted, X)
    for lda in (fitted, expected):
        change(lda, X)
    np.testing.assert_array_equal(fitted.transform(X), expected.transform(X))


def test_adding_words_invalidates_the_cache_of_a_model(X):
    lda = LatentDirichletAllocation(K, new_words="add", random_state=0).partial_fit(X[:, :20])
    fill_cache(lda, X[:, :20])
    lda.partial_fit(X)
    fill_cache(lda, X)
    np.testing.assert_array_equal(lda.transform(X), copy.deepcopy(lda).transform(X))


def test_cached_topics_contain_added_rows():
    lam = LazyLambda(corpora.word_major(corpora.random_lam(0, K, 20)), corpora.make_priors(np.full(K, 0.1), 0.25))
    with Workers(1) as workers:
        for n_words in (20, 26):
            lam.grow(n_words, np.full((1, 1), 0.25))
            assert lam.all_topics(workers) is None
            assert len(lam.all_topics(workers).B) == n_words


def test_pickles_do_not_contain_cached_topics(fitted, X):
    fitted.transform(X)
    before = len(pickle.dumps(fitted))
    assert len(pickle.dumps(fill_cache(fitted, X))) == before
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))


def test_the_first_request_is_not_cached():
    cache = TopicsCache()
    assert cache.get(100, lambda: pytest.fail("computed for a single request")) is None


def test_topics_are_computed_once_for_all_later_requests():
    cache, topics = TopicsCache(), object()
    cache.get(100, object)
    assert cache.get(100, lambda: topics) is topics
    assert cache.get(100, lambda: pytest.fail("computed twice")) is topics


def test_large_topics_are_not_cached():
    cache = TopicsCache()
    for _ in range(3):
        assert cache.get(MAX_BYTES + 1, lambda: pytest.fail("too large")) is None


def test_concurrent_calls_have_the_same_bits(fitted, X):
    expected = fitted.transform(X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: fitted.transform(X), range(16)):
            np.testing.assert_array_equal(found, expected)
