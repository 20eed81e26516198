"""ldavi.dask without a cluster: any division into blocks gives the results of the estimator for data in memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dask_blocks import as_array, as_dicts, topical
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import ldavi
from ldavi import io
from ldavi._inference import assignments

pytest.importorskip("distributed")
import dask
import dask.array as da
import dask.bag as db

from ldavi.dask import LatentDirichletAllocation, _collapsed
from ldavi.dask._executor import ClusterExecutor, LocalExecutor, LostError

X = topical()
K = 4
ROOT = Path(ldavi.__file__).parents[1]


def in_memory(**parameters):
    return ldavi.LatentDirichletAllocation(K, random_state=0, **{"n_collapsed_iter": 0} | parameters)


def in_blocks(**parameters):
    return LatentDirichletAllocation(K, random_state=0, **{"n_collapsed_iter": 0} | parameters)


@pytest.fixture(scope="module")
def fitted():
    return in_blocks().fit(as_array(X, [20, 60])), in_memory().fit(X)


def assert_same(ours, theirs, rtol=1e-6):
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=rtol)
    np.testing.assert_allclose(ours.elbo_trace_["elbo"], theirs.elbo_trace_["elbo"], rtol=rtol)
    np.testing.assert_allclose(ours.doc_topic_prior_, theirs.doc_topic_prior_, rtol=rtol)
    np.testing.assert_allclose(ours.topic_word_prior_, theirs.topic_word_prior_, rtol=rtol)
    assert ours.elbo_trace_["phase"].tolist() == theirs.elbo_trace_["phase"].tolist()
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)


# The same model


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, len(X)), max_size=7).map(sorted))
def test_any_division_into_blocks_gives_the_topics_of_a_fit_in_memory(cuts):
    """Including empty blocks."""
    assert_same(in_blocks(max_iter=16, tol=None).fit(as_array(X, cuts)), in_memory(max_iter=16, tol=None).fit(X))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"doc_topic_prior": 0.2, "topic_word_prior": 0.1},
        {"doc_topic_prior": None, "topic_word_prior": None},
        {"topic_word_prior": 0.0, "doc_topic_prior": 0.2, "max_iter": 20, "tol": None},
        {"topic_word_prior": np.linspace(0.05, 0.2, X.shape[1])},
        {"topic_word_prior": 1e-3, "doc_topic_prior": 1e-3, "max_iter": 20, "tol": None},
        {"seed_words": {0: [3, 4], 2: [7]}},
        {"init": topical(K, seed=5) + 0.01},
        {"n_init": 3},
        {"evaluate_every": 2, "perp_tol": 0.05},
        {"max_iter": 1, "tol": None},
        {"n_jobs": 2},
    ],
    ids=lambda parameters: ",".join(parameters) or "defaults",
)
def test_parameters_have_the_same_effect_as_in_memory(parameters, small_pieces):
    """With the words in several shards."""
    assert_same(in_blocks(**parameters).fit(as_array(X, [20, 60, 61])), in_memory(**parameters).fit(X))


def test_one_block_gives_the_bits_of_a_fit_in_memory(small_pieces):
    ours, theirs = in_blocks().fit(as_array(X, [])), in_memory().fit(X)
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    np.testing.assert_array_equal(ours.elbo_trace_["elbo"], theirs.elbo_trace_["elbo"])


def test_counts_are_computed_in_the_precision_of_a_fit_in_memory():
    whole = X.astype(np.int32)
    ours, theirs = (
        in_blocks(max_iter=12, tol=None).fit(as_array(whole, [40])),
        in_memory(max_iter=12, tol=None).fit(whole),
    )
    assert ours.components_.dtype == theirs.components_.dtype == np.float32
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-3)


def test_one_block_that_needs_float64_makes_the_whole_fit_float64():
    whole = X.astype(np.int64)
    whole[70, 0] = 2**24 + 1
    assert in_blocks(max_iter=2, tol=None).fit(as_array(whole, [40])).components_.dtype == np.float64


def test_weights_repeat_documents_and_zero_drops_them():
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    weight[:20] = 0
    ours = in_blocks().fit(as_array(X, [20, 60], known=False), sample_weight=da.from_array(weight))
    theirs = in_memory().fit(X, sample_weight=weight)
    assert_same(ours, theirs)
    assert ours.n_samples_seen_ == theirs.n_samples_seen_ == np.count_nonzero(weight)


def test_a_warm_start_continues_from_the_fitted_topics():
    ours, theirs = (
        in_blocks(warm_start=True, max_iter=12, tol=None),
        in_memory(warm_start=True, max_iter=12, tol=None),
    )
    for _ in range(2):
        ours.fit(as_array(X, [20, 60]))
        theirs.fit(X)
    assert_same(ours, theirs)


def test_a_callback_gets_each_record_and_can_stop_the_fit(capsys):
    seen = []
    ours = in_blocks(callbacks=lambda record: seen.append(record.iteration) or len(seen) == 3, verbose=1)
    ours.fit(as_array(X, [20]))
    assert (seen, ours.n_iter_, ours.converged_) == ([1, 2, 3], 3, False)
    assert capsys.readouterr().out.startswith(f"iteration: 1 of max_iter: {ours.max_iter}, elbo: ")


def test_an_interrupted_fit_keeps_the_topics_of_the_last_complete_pass():
    def interrupt(record):
        if record.iteration == 13:
            raise KeyboardInterrupt

    ours = in_blocks(callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ours.fit(as_array(X, [20]))
    theirs = in_memory(callbacks=lambda record: record.iteration == 13).fit(X)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-6)


def test_too_few_passes_cause_a_warning():
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        in_blocks(max_iter=3).fit(as_array(X, [20]))


# Collapsed passes and online steps

PHASES = {
    "default": ({"n_collapsed_iter": "auto", "max_iter": 40, "tol": None}, ["warmup", "collapsed", "monotone"]),
    "n_collapsed_iter": (
        {"n_collapsed_iter": 7, "max_iter": 20, "tol": None},
        ["warmup", "collapsed", "monotone"],
    ),
    "cvb0": ({"inference": "cvb0", "max_iter": 20, "tol": None}, ["warmup", "collapsed", "final"]),
    "cvb0 from noise": ({"inference": "cvb0", "init": "random", "max_iter": 30, "tol": None}, ["collapsed", "final"]),
    "cvb0 with seed words": (
        {"inference": "cvb0", "seed_words": {0: [3, 4]}, "max_iter": 30, "tol": None},
        ["collapsed", "final"],
    ),
    "online": ({"learning_method": "online", "batch_size": 30, "max_iter": 4, "tol": None}, ["online", "final"]),
}


@pytest.mark.parametrize(("parameters", "phases"), PHASES.values(), ids=PHASES)
def test_one_block_gives_the_topics_of_every_kind_of_fit_in_memory(parameters, phases):
    """The bits of collapsed passes; online, Λ is summed in another order."""
    ours, theirs = in_blocks(**parameters).fit(as_array(X, [])), in_memory(**parameters).fit(X)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-12)
    np.testing.assert_allclose(ours.elbo_trace_["elbo"], theirs.elbo_trace_["elbo"], rtol=1e-12)
    np.testing.assert_allclose(ours.doc_topic_prior_, theirs.doc_topic_prior_, rtol=1e-12)
    np.testing.assert_allclose(ours.topic_word_prior_, theirs.topic_word_prior_, rtol=1e-12)
    assert list(dict.fromkeys(ours.elbo_trace_["phase"].tolist())) == phases
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    assert ours.n_batch_iter_ == theirs.n_batch_iter_


@pytest.mark.parametrize("kind", ["default", "cvb0", "online"])
def test_blocks_of_any_size_give_topics_as_good_as_those_of_a_fit_in_memory(kind, small_pieces):
    """With empty blocks, and with the words in several shards."""
    parameters, _ = PHASES[kind]
    ours, theirs = in_blocks(**parameters).fit(as_array(X, [0, 20, 20, 61])), in_memory(**parameters).fit(X)
    assert ours.perplexity(X) <= 1.01 * theirs.perplexity(X)


@pytest.mark.parametrize("kind", ["default", "cvb0", "online"])
def test_weights_count_documents_as_often_in_every_kind_of_fit(kind):
    parameters, _ = PHASES[kind]
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    parameters = parameters | ({"batch_size": np.count_nonzero(weight) // 2} if kind == "online" else {})
    ours = in_blocks(**parameters).fit(as_array(X, []), sample_weight=weight)
    np.testing.assert_allclose(ours.components_, in_memory(**parameters).fit(X, sample_weight=weight).components_)


def test_several_exchanges_per_pass_give_topics_as_good(monkeypatch, small_pieces):
    monkeypatch.setattr(_collapsed, "N_EXCHANGES", 3)
    parameters, _ = PHASES["cvb0"]
    ours, theirs = in_blocks(**parameters).fit(as_array(X, [20, 61])), in_memory(**parameters).fit(X)
    assert ours.perplexity(X) <= 1.01 * theirs.perplexity(X)


def test_one_block_with_several_exchanges_per_pass_gives_the_bits_of_a_fit_in_memory(monkeypatch):
    """Since a part sees its own changes at once."""
    monkeypatch.setattr(_collapsed, "N_EXCHANGES", 3)
    monkeypatch.setattr(assignments, "MIN_COUNTS", 200)
    parameters = {"inference": "cvb0", "max_iter": 30, "tol": None}
    ours, theirs = in_blocks(**parameters).fit(as_array(X, [])), in_memory(**parameters).fit(X)
    np.testing.assert_array_equal(ours.components_, theirs.components_)


@pytest.mark.parametrize("kind", ["default", "online"])
def test_an_interrupt_leaves_the_topics_of_the_last_complete_pass_of_any_phase(kind):
    parameters, _ = PHASES[kind]

    def interrupt(record):
        if record.iteration == 3:
            raise KeyboardInterrupt

    ours = in_blocks(**parameters, callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ours.fit(as_array(X, [20]))
    stopped = in_blocks(**parameters, callbacks=lambda record: record.iteration == 3).fit(as_array(X, [20]))
    np.testing.assert_array_equal(ours.components_, stopped.components_)
    assert ours.n_iter_ == 3


def test_a_fit_that_a_callback_ends_in_collapsed_passes_has_a_bound():
    ours = in_blocks(n_collapsed_iter="auto", callbacks=lambda record: record.phase == "collapsed")
    ours.fit(as_array(X, [20]))
    assert ours.elbo_trace_["phase"].tolist()[-2:] == ["collapsed", "final"]
    assert np.isfinite(ours.elbo_)


# Kinds of collections


@pytest.mark.parametrize(
    "make",
    [np.asarray, sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.coo_array],
    ids=lambda make: make.__name__,
)
def test_blocks_may_be_of_any_matrix_type_and_of_unknown_length(make):
    theirs = in_memory(max_iter=12, tol=None).fit(X)
    assert_same(in_blocks(max_iter=12, tol=None).fit(as_array(X, [20, 60], known=False, make=make)), theirs)


def test_a_bag_of_matrices_of_any_length_is_fitted():
    bag = db.from_sequence(
        [sparse.csr_array(X[:25]), sparse.csr_array(X[25:26]), sparse.csr_matrix(X[26:])], npartitions=2
    )
    assert_same(in_blocks(max_iter=12, tol=None).fit(bag), in_memory(max_iter=12, tol=None).fit(X))


def test_a_bag_of_dicts_has_the_width_of_its_largest_column():
    ours = in_blocks(max_iter=12, tol=None).fit(db.from_sequence(as_dicts(X), npartitions=3))
    width = np.flatnonzero(X.any(axis=0)).max() + 1
    assert_same(ours, in_memory(max_iter=12, tol=None).fit(X[:, :width]))
    np.testing.assert_allclose(
        ours.transform(db.from_sequence(as_dicts(X[:5]), npartitions=2)).compute(), ours.transform(X[:5, :width])
    )


def test_a_column_of_a_data_frame_is_fitted():
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.from_pandas(pd.DataFrame({"counts": as_dicts(X)}), npartitions=3)
    width = np.flatnonzero(X.any(axis=0)).max() + 1
    assert_same(
        in_blocks(max_iter=12, tol=None).fit(frame["counts"]), in_memory(max_iter=12, tol=None).fit(X[:, :width])
    )
    with pytest.raises(TypeError, match="one column of a DataFrame"):
        in_blocks().fit(frame)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: X, TypeError, "use ldavi.LatentDirichletAllocation"),
        (lambda: da.from_array(X, chunks=(30, 25)), ValueError, r"rechunk\(\{1: -1\}\)"),
        (lambda: da.from_array(X[0]), ValueError, "1 dimensions"),
        (
            lambda: db.from_sequence(["cats and dogs"] * 4, npartitions=2),
            TypeError,
            "block 0 of X: .*count their words first",
        ),
        (lambda: db.from_sequence([{0: 1}, {-2: 1}], npartitions=2), ValueError, "block 1 of X: .*column -2"),
        (lambda: db.from_sequence([3, 4], npartitions=1), TypeError, "holds a int"),
        (lambda: as_array(-X, [20]), ValueError, "block 0 of X: Negative values"),
        (
            lambda: db.from_sequence([X[:2, :5], X[:2]], npartitions=1).map(sparse.csr_array),
            ValueError,
            r"\[5, 50\] columns",
        ),
        (
            lambda: db.from_sequence([X[:2, :5], X[:2]], npartitions=2).map(sparse.csr_array),
            ValueError,
            r"\[5, 50\] columns",
        ),
        (lambda: as_array(X[:0], []), ValueError, "no documents"),
    ],
)
def test_an_unsupported_collection_is_refused_without_a_change_of_the_estimator(make, error, message):
    ours = in_blocks()
    before = dict(vars(ours))
    with pytest.raises(error, match=message):
        ours.fit(make())
    assert vars(ours) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_method": "memoized"}, 'learning_method=\'memoized\' must be "batch" or "online"'),
        ({"inference": "cvb0", "topic_word_prior": 0}, "topic_word_prior=0 .* does not support"),
        ({"validation_fraction": 0.1}, "validation_fraction=0.1 must be None"),
        ({"tol": -1}, "tol=-1"),
    ],
)
def test_unsupported_parameters_are_refused_with_an_alternative(parameters, message):
    with pytest.raises(ValueError, match=message):
        in_blocks(**parameters).fit(as_array(X, [20]))


def test_the_outline_of_weighted_documents_has_their_mean_length():
    weight = np.full(len(X), 3.0)
    ours = in_blocks(n_collapsed_iter="auto", max_iter=400).fit(as_array(X // 2, [20]), sample_weight=weight)
    theirs = in_memory(n_collapsed_iter="auto", max_iter=400).fit(X // 2, sample_weight=weight)
    assert (ours.elbo_trace_["phase"] == "collapsed").sum() == (theirs.elbo_trace_["phase"] == "collapsed").sum() == 120


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="X has 90 documents"):
        in_blocks().fit(as_array(X, [20]), sample_weight=np.ones(89))


def test_documents_without_counts_cause_a_warning_at_the_call_of_fit():
    with pytest.warns(UserWarning, match="topics will equal their prior") as warned:
        in_blocks(tol=None, max_iter=2).fit(as_array(X * 0, [20]))
    assert warned[0].filename == __file__


# Lost results, without a cluster


class LosesResults:
    """A function of the executor that raises LostError at its n-th call, as if all workers had died."""

    def __init__(self, monkeypatch, name, at):
        self.original, self.at, self.n_calls = getattr(LocalExecutor, name), at, 0
        monkeypatch.setattr(LocalExecutor, name, lambda executor, handle: self(executor, handle))

    def __call__(self, executor, handle):
        self.n_calls += 1
        if self.n_calls == self.at:
            raise LostError("lost")
        return self.original(executor, handle)


class KeyErrorClient:
    """A client whose workers fail with a KeyError, and which holds the result "m_step-1"."""

    def __init__(self, key):
        self.key, self.futures = key, {"m_step-1": None}

    def gather(self, _):
        raise KeyError(self.key)


def test_a_result_that_a_worker_no_longer_has_is_lost():
    with pytest.raises(LostError, match="lost an input of the fit: 'm_step-1'"):
        ClusterExecutor(KeyErrorClient("m_step-1")).fetch(None)


def test_another_key_error_of_a_worker_is_raised():
    with pytest.raises(KeyError, match="column"):
        ClusterExecutor(KeyErrorClient("column")).fetch(None)


@pytest.mark.parametrize(
    ("parameters", "at"),
    [({"tol": None, "max_iter": 4}, at) for at in range(1, 10)]
    + [({"tol": 0.05}, at) for at in (9, 14, 15, 16, 17)]
    + [({"tol": None, "max_iter": 4, "n_init": 2}, at) for at in (8, 10, 11, 13, 14, 15)]
    + [({"n_collapsed_iter": 2, "tol": None, "max_iter": 7}, at) for at in range(3, 33, 3)]
    + [({"inference": "cvb0", "tol": None, "max_iter": 4}, at) for at in range(3, 28, 2)]
    + [({"learning_method": "online", "tol": None, "max_iter": 2}, at) for at in range(3, 21, 3)],
)
def test_a_fit_whose_results_are_lost_repeats_passes_without_recording_them_twice(parameters, at, monkeypatch):
    """At any time, also when λ is fetched after the last pass."""
    seen = []
    expected = in_blocks(**parameters).fit(as_array(X, [20]))
    LosesResults(monkeypatch, "fetch", at)
    ours = in_blocks(**parameters, callbacks=lambda record: seen.append(record.iteration)).fit(as_array(X, [20]))
    np.testing.assert_array_equal(ours.components_, expected.components_)
    np.testing.assert_array_equal(ours.elbo_trace_["elbo"], expected.elbo_trace_["elbo"])
    assert (ours.n_iter_, ours.converged_) == (expected.n_iter_, expected.converged_)
    passes = list(range(1, seen[-1] + 1))
    assert seen == passes * parameters.get("n_init", 1)


def test_an_interrupt_of_repeated_passes_leaves_topics_that_agree_with_their_records(monkeypatch):
    calls = []

    def fetch(executor, handle):
        calls.append(1)
        if len(calls) == 8:
            raise LostError("lost")
        if len(calls) == 14:  # in pass 3, before the pass in which the results were lost is reached again
            raise KeyboardInterrupt
        return handle

    monkeypatch.setattr(LocalExecutor, "fetch", fetch)
    ours = in_blocks(tol=None, max_iter=20)
    with pytest.raises(KeyboardInterrupt):
        ours.fit(as_array(X, [20]))
    monkeypatch.undo()
    assert ours.n_iter_ == len(ours.elbo_trace_) == 2
    expected = in_blocks(callbacks=lambda record: record.iteration == ours.n_iter_).fit(as_array(X, [20]))
    np.testing.assert_array_equal(ours.components_, expected.components_)
    assert ours.elbo_ == expected.elbo_


# Fitted models


def test_transform_is_lazy_and_has_the_rows_of_a_transform_in_memory(fitted):
    ours, _ = fitted
    theta = ours.transform(as_array(X, [20, 60]))
    assert isinstance(theta, da.Array)
    assert (theta.chunks, theta.dtype, type(theta._meta)) == (((20, 40, 30), (K,)), np.float64, np.ndarray)
    np.testing.assert_array_equal(theta.compute(), ours.transform(X))
    np.testing.assert_array_equal(
        ours.transform(as_array(X, [20]), normalize=False).compute(), ours.transform(X, normalize=False)
    )


def test_a_lazy_transform_uses_the_topics_at_the_time_of_the_call(fitted):
    ours = in_blocks(max_iter=2, tol=None).fit(as_array(X, [20]))
    theta, now = ours.transform(as_array(X, [20])), ours.transform(X)
    ours.set_params(max_iter=12).fit(as_array(X, [20]))
    np.testing.assert_array_equal(theta.compute(), now)


def test_blocks_of_unknown_length_and_empty_ones_are_transformed(fitted):
    theta = fitted[0].transform(as_array(X, [20, 20], known=False))
    assert np.isnan(theta.shape[0])
    np.testing.assert_array_equal(theta.compute(), fitted[0].transform(X))


def test_score_and_perplexity_are_those_in_memory(fitted):
    ours, theirs = fitted
    assert ours.score(as_array(X, [20, 20, 60])) == pytest.approx(theirs.score(X))
    assert ours.perplexity(as_array(X, [20, 60])) == pytest.approx(theirs.perplexity(X))
    assert ours.perplexity(as_array(X * 0, [])) == 1.0


def test_documents_in_memory_give_the_results_of_the_estimator_in_memory(fitted):
    ours, theirs = fitted
    np.testing.assert_allclose(ours.word_topics(X[:3]), theirs.word_topics(X[:3]), rtol=1e-5)
    assert ours.score(X) == pytest.approx(theirs.score(X))
    with pytest.raises(TypeError, match="word_topics takes documents in memory"):
        ours.word_topics(as_array(X, []))


@pytest.mark.parametrize("n_steps", [0, 1])
def test_a_lazy_result_and_a_local_model_keep_the_topics_of_their_time(n_steps):
    lda = in_blocks().fit(as_array(X, [20, 60]))
    for _ in range(n_steps):
        lda.partial_fit(X)
    lazy, local, expected = lda.transform(as_array(X, [20, 60])), lda.to_local(), lda.transform(X)
    lda.partial_fit(X[:9])
    np.testing.assert_array_equal(lazy.compute(), expected)
    np.testing.assert_array_equal(local.transform(X), expected)
    after = lda.transform(X)
    local.partial_fit(X[:9])
    np.testing.assert_array_equal(lda.transform(X), after)


def test_fit_transform_is_fit_and_transform(fitted):
    np.testing.assert_array_equal(in_blocks().fit_transform(as_array(X, [20, 60])).compute(), fitted[0].transform(X))


def test_partial_fit_reads_one_block_after_another():
    ours, theirs = in_blocks(batch_size=20), in_memory(batch_size=20)
    ours.partial_fit(as_array(X, [20, 20, 60], known=False)).partial_fit(X[:20])
    for first, last in ((0, 20), (20, 60), (60, 90), (0, 20)):
        theirs.partial_fit(X[first:last])
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    with pytest.raises(ValueError, match="sample_weight"):
        ours.partial_fit(as_array(X, []), sample_weight=np.ones(90))


def test_it_has_every_fitted_attribute_of_the_estimator_in_memory(fitted):
    ours, theirs = fitted
    names = {name for name in dir(theirs) if name.endswith("_") and not name.startswith("_")}
    assert names == {name for name in dir(ours) if name.endswith("_") and not name.startswith("_")}
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def test_the_local_model_is_independent_of_dask_and_can_be_saved(fitted, tmp_path):
    pytest.importorskip("safetensors")
    ours = fitted[0]
    local = ours.to_local()
    assert type(local) is ldavi.LatentDirichletAllocation
    io.save(local, tmp_path / "model.ldavi")
    np.testing.assert_array_equal(io.load(tmp_path / "model.ldavi").transform(X), ours.transform(X))


def test_a_clone_has_the_parameters_and_is_not_fitted(fitted):
    copy = clone(fitted[0].set_params(tol=1e-3))
    assert type(copy) is LatentDirichletAllocation
    assert copy.get_params() == fitted[0].get_params()
    with pytest.raises(NotFittedError):
        copy.transform(as_array(X, []))
    with pytest.raises(NotFittedError):
        copy.score(as_array(X, []))


@pytest.mark.parametrize("library", ["dask", "distributed"])
@pytest.mark.slow
def test_the_import_error_without_dask_names_the_extra(library):
    block = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.modules[{library!r}] = None; import ldavi; import ldavi.dask"
    )
    run = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
    assert run.returncode
    assert f"ldavi.dask needs {library}" in run.stderr
    assert "pip install 'ldavi[dask]'" in run.stderr
