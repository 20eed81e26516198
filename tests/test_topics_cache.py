"""Topics of every word, kept for calls that ask about documents: what they may not change, and when they are made anew."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import corpora
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation
from ldavi._core.threads import Workers
from ldavi._inference import topics_cache
from ldavi._inference.m_step import LazyLambda

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


def asked_often(lda, X):
    for _ in range(3):
        lda.transform(X)
    return lda


def replaced(lda, X):
    lda.components_ = lda.components_[::-1].copy()


def written_to(lda, X):
    lda.components_[0] *= 3


def learned_more(lda, X):
    lda.partial_fit(X[:7])


def fitted_again(lda, X):
    lda.fit(X[::2])


def test_calls_that_use_kept_topics_have_the_bits_of_the_first(fitted, X):
    first, words, score = fitted.transform(X), fitted.word_topics(X), fitted.score(X)
    asked_often(fitted, X)
    np.testing.assert_array_equal(fitted.transform(X), first)
    np.testing.assert_array_equal(fitted.word_topics(X), words)
    assert fitted.score(X) == score


@pytest.mark.parametrize("change", [replaced, written_to, learned_more, fitted_again])
def test_topics_that_change_are_made_anew(fitted, X, change):
    expected = copy.deepcopy(fitted)
    asked_often(fitted, X)
    for lda in (fitted, expected):
        change(lda, X)
    np.testing.assert_array_equal(fitted.transform(X), expected.transform(X))


def test_words_that_are_added_are_among_the_topics_that_are_kept(X):
    lda = LatentDirichletAllocation(K, new_words="add", random_state=0).partial_fit(X[:, :20])
    asked_often(lda, X[:, :20])
    lda.partial_fit(X)
    asked_often(lda, X)
    np.testing.assert_array_equal(lda.transform(X), copy.deepcopy(lda).transform(X))


def test_rows_that_are_added_are_rows_of_the_kept_topics():
    rows = LazyLambda(corpora.word_major(corpora.random_lam(0, K, 20)), corpora.make_priors(np.full(K, 0.1), 0.25))
    with Workers(1) as workers:
        for n_words in (20, 26):
            rows.grow(n_words, np.full((1, 1), 0.25))
            assert rows.all_topics(workers) is None
            assert len(rows.all_topics(workers).B) == n_words


def test_kept_topics_are_no_part_of_pickles(fitted, X):
    fitted.transform(X)
    before = len(pickle.dumps(fitted))
    assert len(pickle.dumps(asked_often(fitted, X))) == before
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))


def test_the_first_call_makes_the_topics_of_its_own_words_only():
    kept = topics_cache.KeptTopics()
    assert kept.get(100, lambda: pytest.fail("made for one call")) is None


def test_topics_are_made_once_for_all_later_calls():
    kept, made = topics_cache.KeptTopics(), []
    kept.get(100, object)
    first = kept.get(100, lambda: made.append(1) or made)
    assert first is kept.get(100, lambda: pytest.fail("made twice"))
    kept.forget()
    assert kept.get(100, object) is None


def test_large_topics_are_not_kept():
    kept = topics_cache.KeptTopics()
    for _ in range(3):
        assert kept.get(topics_cache.MOST_BYTES + 1, lambda: pytest.fail("too large")) is None


def test_threads_that_ask_at_once_get_the_same_bits(fitted, X):
    expected = fitted.transform(X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: fitted.transform(X), range(16)):
            np.testing.assert_array_equal(found, expected)
