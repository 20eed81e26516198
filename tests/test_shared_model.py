"""A fitted model that is only read never changes, also when many threads read it at once.

Each test compares bits with an identical model that nobody has read.
"""

import copy
import functools
import pathlib
import pickle
import random
import sys
import tempfile
import threading

import corpora
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldavi import LatentDirichletAllocation, inspection, io, metrics
from ldavi._core.records import padded
from ldavi._core.threads import Workers
from ldavi._inference import lazy_lambda, topics_cache
from ldavi._inference.lazy_lambda import LazyLambda

K = 4
X = corpora.topical_counts(0, n_docs=40).astype(np.float32)
V = X.shape[1]
NAMES = [f"w{w}" for w in range(V)]


def model(**parameters):
    return LatentDirichletAllocation(
        K, **{"max_iter": 4, "tol": None, "n_collapsed_iter": 0, "batch_size": 8, "random_state": 0} | parameters
    )


def after_growth():
    frame = pd.DataFrame(X, columns=NAMES)
    return model(new_words="add").partial_fit(frame.iloc[:, :20]).partial_fit(frame)


def after_load(path, **options):
    io.save(model().fit(X).partial_fit(X[:9]), path)
    return io.load(path, **options)


def without_times(make):
    """Return a function that makes a model with a trace without times, so that all its bits are reproducible."""

    def made(path):
        lda = make(path)
        if hasattr(lda, "elbo_trace_"):
            lda.elbo_trace_["seconds"] = 0
        return lda

    return made


STATES = {
    "fit": lambda path: model().fit(X),
    "memoized": lambda path: model(learning_method="memoized").fit(X),
    "cvb0": lambda path: model(inference="cvb0").fit(X),
    "point estimates": lambda path: model(topic_word_prior=0).fit(X),
    "online fit": lambda path: model(learning_method="online").fit(X),
    "partial_fit": lambda path: model().partial_fit(X),
    "partial_fit after fit": lambda path: model().fit(X).partial_fit(X[:9]),
    "new words": lambda path: after_growth(),
    "load": after_load,
    "mapped load": lambda path: after_load(path, mmap=True),
    "unpickle": lambda path: pickle.loads(pickle.dumps(model().fit(X).partial_fit(X[:9]))),
    "deepcopy": lambda path: copy.deepcopy(model().fit(X).partial_fit(X[:9])),
}
STATES = {name: without_times(make) for name, make in STATES.items()}
QUICK = ("fit", "online fit", "partial_fit", "new words", "load")
each_state = pytest.mark.parametrize(
    "state", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in STATES]
)


def saved(lda):
    with tempfile.TemporaryDirectory() as folder:
        io.save(lda, pathlib.Path(folder) / "model")
        return (pathlib.Path(folder) / "model").read_bytes()


def documents(lda):
    return pd.DataFrame(X, columns=NAMES) if hasattr(lda, "feature_names_in_") else X


READERS = {
    "components_": lambda lda: lda.components_,
    "topics_": lambda lda: lda.topics_,
    "exp_dirichlet_component_": lambda lda: lda.exp_dirichlet_component_,
    "priors": lambda lda: (lda.doc_topic_prior_, lda.topic_word_prior_),
    "transform": lambda lda: lda.transform(documents(lda)),
    "transform of one document": lambda lda: lda.transform(documents(lda)[:1], normalize=False),
    "word_topics": lambda lda: lda.word_topics(documents(lda)),
    "score": lambda lda: lda.score(documents(lda)),
    "perplexity": lambda lda: lda.perplexity(documents(lda)[3:9]),
    "document_completion": lambda lda: metrics.document_completion(lda, X[:5]).log_likelihood,
    "top_words": lambda lda: repr(inspection.top_words(lda)),
    "feature names": lambda lda: lda.get_feature_names_out(),
    "repr": lambda lda: repr(lda),
    "pickle": pickle.dumps,
    "deepcopy": lambda lda: copy.deepcopy(lda).components_,
    "save": saved,
}


def bits(value):
    """Return a value as something that equals another only if all bits do."""
    if isinstance(value, tuple):
        return tuple(bits(item) for item in value)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tolist() if value.dtype == object else value.tobytes()
    return value


def all_bits(lda):
    return {name: bits(read(lda)) for name, read in READERS.items()}


@functools.cache
def twin_bits(state, name, n_steps):
    """Return what a reader gets from a model that nobody has read, after some steps of `partial_fit`."""
    with tempfile.TemporaryDirectory() as folder:
        lda = STATES[state](pathlib.Path(folder) / "model")
        for _ in range(n_steps):
            take_step(lda)
        return bits(READERS[name](lda))


def all_twin_bits(state, n_steps):
    return {name: twin_bits(state, name, n_steps) for name in READERS}


def take_step(lda):
    lda.partial_fit(documents(lda)[5:20])


@pytest.fixture
def frequent_switches():
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(former)


@pytest.mark.usefixtures("frequent_switches")
@each_state
def test_threads_that_read_a_model_get_the_bits_of_a_twin_and_change_none(state, tmp_path):
    lda, expected, wrong, start = STATES[state](tmp_path / "model"), all_twin_bits(state, 0), [], threading.Barrier(6)

    def read_all(seed):
        start.wait()
        for name in random.Random(seed).sample(list(READERS), len(READERS)):
            try:
                found = bits(READERS[name](lda))
            except Exception as error:
                found = error
            if found != expected[name]:
                wrong.append(name)

    threads = [threading.Thread(target=read_all, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all_bits(lda) == expected
    take_step(lda)
    assert all_bits(lda) == all_twin_bits(state, 1)


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(
    state=st.sampled_from(list(STATES)),
    reads=st.lists(st.sampled_from(list(READERS)), min_size=1, max_size=4),
    more=st.lists(st.sampled_from(list(READERS)), max_size=2),
    n_steps=st.integers(0, 2),
    last=st.sampled_from(list(READERS)),
)
def test_reading_in_any_order_changes_no_bit_of_any_later_result(state, reads, more, n_steps, last):
    with tempfile.TemporaryDirectory() as folder:
        lda = STATES[state](pathlib.Path(folder) / "model")
        for step in range(n_steps + 1):
            if step:
                take_step(lda)
            for name in more if step else reads:
                READERS[name](lda)
        assert bits(READERS[last](lda)) == twin_bits(state, last, n_steps)


@each_state
def test_a_shallow_copy_and_its_original_learn_apart(state, tmp_path):
    lda = STATES[state](tmp_path / "model")
    copied = copy.copy(lda)
    take_step(copied)
    assert bits(lda.transform(documents(lda))) == twin_bits(state, "transform", 0)
    take_step(lda)
    for each in (lda, copied):
        assert bits(each.components_) == twin_bits(state, "components_", 1)


@each_state
def test_reading_sets_no_attribute(state, tmp_path):
    lda = STATES[state](tmp_path / "model")
    before = {name: bits(value) for name, value in vars(lda).items() if name != "random_state_"}
    all_bits(lda)
    assert {name: bits(value) for name, value in vars(lda).items() if name != "random_state_"} == before


@pytest.mark.parametrize("name", ["doc_topic_prior", "topic_word_prior"])
def test_changing_an_array_that_was_a_parameter_changes_no_fitted_prior(name):
    prior = np.full(K if name == "doc_topic_prior" else V, 0.3)
    lda = model(**{name: prior}).fit(X)
    prior[:] = 7
    np.testing.assert_array_equal(getattr(lda, f"{name}_"), 0.3)


# λ


def decayed(n_words=12):
    lam = LazyLambda(corpora.word_major(corpora.random_lam(0, 3, n_words)), corpora.make_priors(np.ones(3), 0.25))
    lam.online_step(np.array([2, 5]), np.ones((2, padded(3))), rho=0.25, scale=3.0)
    return lam


def test_dense_lambda_is_that_of_the_rows_and_leaves_them():
    lam = decayed()
    before = pickle.dumps(lam)
    np.testing.assert_array_equal(lam.dense(), lam.rows(np.arange(12)))
    assert lam.to_arrays()["decay"] == 0.75
    assert pickle.dumps(lam) == before


def test_dense_lambda_is_computed_once_until_a_step(monkeypatch):
    lam = decayed()
    assert lam.dense().base is lam.dense().base
    first = lam.dense()
    lam.online_step(np.array([1]), np.ones((1, padded(3))), rho=0.25, scale=3.0)
    assert lam.dense().base is not first.base
    monkeypatch.setattr(lazy_lambda, "MAX_BYTES", 0)
    lam.online_step(np.array([1]), np.ones((1, padded(3))), rho=0.25, scale=3.0)
    assert lam.dense().base is not lam.dense().base  # too large to keep beside the rows


def test_dense_lambda_cannot_be_written_and_survives_steps():
    lam = LazyLambda(corpora.word_major(corpora.random_lam(0, 3, 12)), corpora.make_priors(np.ones(3), 0.25))

    def step(lam):
        lam.online_step(np.array([1]), np.ones((1, padded(3))), rho=0.25, scale=3.0)

    for change in (
        step,
        LazyLambda.materialize,
        lambda lam: lam.set_priors(corpora.make_priors(np.ones(3), 0.5)),
        lambda lam: lam.grow(14, np.full((1, 1), 0.5)),
        step,
        lambda lam: lam.replace(np.ones((14, 3))),
        step,
    ):
        dense = lam.dense()
        before = dense.copy()
        with pytest.raises(ValueError, match="read-only"):
            dense[0, 0] = 1
        change(lam)
        np.testing.assert_array_equal(dense, before)


def test_a_snapshot_and_its_original_change_apart():
    step = {"words": np.array([3]), "sstats": np.ones((1, padded(3))), "rho": 0.5, "scale": 2.0}
    for changed in range(2):
        lam = decayed()
        both = lam, lam.snapshot()
        assert pickle.dumps(both[0]) == pickle.dumps(both[1])
        before = lam.dense().copy()
        both[changed].online_step(**step)
        np.testing.assert_array_equal(both[1 - changed].dense(), before)
        assert (both[changed].dense() != before).any()


def test_a_step_after_reading_has_the_bits_of_a_step_without():
    read, unread = decayed(), decayed()
    for _ in range(3):
        with Workers(1) as workers:
            read.dense(), read.totals, read.all_topics(workers), read.all_topics(workers)
        for lam in (read, unread):
            lam.online_step(np.array([3, 5]), np.ones((2, padded(3))), rho=0.5, scale=2.0)
    assert pickle.dumps(read) == pickle.dumps(unread)


def test_topics_that_are_computed_during_a_step_are_not_cached_after_it(monkeypatch):
    lam = decayed()
    with Workers(1) as workers:
        lam.all_topics(workers)
        compute = lam.topics

        def slow_topics(words, workers):
            topics = compute(words, workers)
            lam.online_step(np.array([3]), np.ones((1, padded(3))), rho=0.5, scale=2.0)
            return topics

        monkeypatch.setattr(lam, "topics", slow_topics)
        lam.all_topics(workers)
        monkeypatch.setattr(lam, "topics", compute)
        lam.all_topics(workers)
        np.testing.assert_array_equal(lam.all_topics(workers).B, compute(np.arange(12), workers).B)


def test_a_step_costs_the_rows_of_its_words_only(monkeypatch):
    lda = model().partial_fit(X)
    for name in ("dense", "materialize"):
        monkeypatch.setattr(LazyLambda, name, lambda self: pytest.fail("a step computed all of λ"))
    rows = lda._lambda._rows
    lda.partial_fit(X[:1])
    lda.transform(X[:1])
    assert lda._lambda._rows is rows
    assert topics_cache.MAX_BYTES == lazy_lambda.MAX_BYTES
