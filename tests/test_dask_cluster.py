"""ldavi.dask on worker processes: the same bits wherever blocks are, few and small tasks, recovery of lost workers."""

import logging
import os
import pickle
import signal
import time

import numpy as np
import pytest
from dask_blocks import as_array, topical

pytest.importorskip("distributed")
import dask
import dask.array as da
from dask.distributed import Client, LocalCluster
from distributed import SchedulerPlugin

import ldavi
from ldavi._inference.topic_shards import CorpusLayout
from ldavi.dask import LatentDirichletAllocation, _pipeline
from ldavi.dask._fitting import DistributedFit

pytestmark = [pytest.mark.interop, pytest.mark.slow]
X = topical(n_words=4000, length=150)
K = 4
LOCAL = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}  # no fixed port, no dashboard
CUTS = [11, 30, 30, 41, 62, 70]
N_BLOCKS = len(CUTS) + 1
KINDS = {
    "collapsed passes, then VB": {"n_collapsed_iter": 5, "max_iter": 16},
    "cvb0": {"inference": "cvb0", "max_iter": 12},
    "online": {"learning_method": "online", "batch_size": 32, "max_iter": 4},
}


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """Silence the logs of Dask, which report every loss of a worker."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two workers, which are restarted whenever they die.

    Some seconds after a death, the cluster checks whether a worker of that name exists, and closes its nanny if not.
    The check after one death could coincide with the next death, so it is postponed.
    """
    never = {"distributed.deploy.lost-worker-timeout": "1 day"}
    with (
        dask.config.set(never),
        LocalCluster(n_workers=2, threads_per_worker=1, **LOCAL, silence_logs=logging.CRITICAL) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def expected():
    """A fit without a cluster."""
    return model().fit(as_array(X, CUTS))


@pytest.fixture(scope="module")
def expected_of_kinds():
    """Fits of each kind without a cluster."""
    return {kind: model(**parameters).fit(as_array(X, CUTS)) for kind, parameters in KINDS.items()}


def model(**parameters):
    defaults = {"max_iter": 18, "tol": None, "n_collapsed_iter": 0}
    return LatentDirichletAllocation(K, random_state=0, **(defaults | parameters))


def assert_same_bits(ours, theirs):
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    np.testing.assert_array_equal(ours.elbo_trace_["elbo"], theirs.elbo_trace_["elbo"])
    np.testing.assert_array_equal(ours.doc_topic_prior_, theirs.doc_topic_prior_)


class KillWorkers:
    """A callback that kills one worker, or all, after given passes, and waits until they have been restarted."""

    def __init__(self, cluster, client, passes, *, all_workers=False):
        self.cluster, self.client, self.passes, self.all_workers = cluster, client, list(passes), all_workers

    def __call__(self, record):
        if record.iteration not in self.passes:
            return
        self.passes.remove(record.iteration)
        nannies = list(self.cluster.workers.values())
        if not self.all_workers:
            nannies = [nannies[record.iteration % 2]]  # not the same one each time
        killed = {nanny.pid: nanny for nanny in nannies}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 300
        while any(nanny.pid in (pid, None) for pid, nanny in killed.items()) or len(self.client.nthreads()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def preparations(monkeypatch):
    """A list with an item for each time that a fit prepared its corpus."""
    counted = []
    prepare = DistributedFit._prepare
    monkeypatch.setattr(DistributedFit, "_prepare", lambda self: counted.append(1) or prepare(self))
    return counted


def test_two_workers_give_the_bits_of_a_fit_without_a_cluster(client, expected):
    assert_same_bits(model().fit(as_array(X, CUTS)), expected)


def test_one_worker_gives_the_bits_of_a_fit_without_a_cluster(expected):
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, **LOCAL) as cluster,
        Client(cluster),
    ):
        assert_same_bits(model().fit(as_array(X, CUTS)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_give_the_bits_of_every_kind_of_fit_without_a_cluster(client, expected_of_kinds, kind):
    assert_same_bits(model(**KINDS[kind]).fit(as_array(X, CUTS)), expected_of_kinds[kind])


@pytest.mark.parametrize("n_workers", [1, 3])
def test_other_numbers_of_workers_give_the_bits_of_every_kind_of_fit(expected_of_kinds, n_workers):
    with LocalCluster(n_workers=n_workers, threads_per_worker=1, **LOCAL) as cluster, Client(cluster):
        for kind, parameters in KINDS.items():
            assert_same_bits(model(**parameters).fit(as_array(X, CUTS)), expected_of_kinds[kind])


@pytest.mark.parametrize(
    ("kind", "passes"), [("collapsed passes, then VB", [3, 8, 13]), ("cvb0", [2, 6, 10]), ("online", [1, 3])]
)
def test_the_loss_of_a_worker_changes_no_bit_of_any_kind_of_fit(
    cluster, client, expected_of_kinds, preparations, monkeypatch, kind, passes
):
    """In the VB passes before collapsed ones, in these, in those after, and after a replication of assignments."""
    monkeypatch.setattr(_pipeline, "MAX_PASSES_TO_REPEAT", 4)
    kills = KillWorkers(cluster, client, passes)
    assert_same_bits(model(**KINDS[kind], callbacks=kills).fit(as_array(X, CUTS)), expected_of_kinds[kind])
    assert not kills.passes
    assert len(preparations) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_loss_of_all_workers_passes_of_every_kind_are_repeated(
    cluster, client, expected_of_kinds, preparations, kind
):
    seen = []
    kills = KillWorkers(cluster, client, [3], all_workers=True)
    ours = model(**KINDS[kind], callbacks=[kills, lambda record: seen.append(record.iteration)])
    assert_same_bits(ours.fit(as_array(X, CUTS)), expected_of_kinds[kind])
    assert seen == list(range(1, seen[-1] + 1))
    assert len(preparations) == 2


def test_the_words_of_this_corpus_are_in_two_shards():
    assert len(CorpusLayout(np.flatnonzero(X.any(axis=0)), X.shape[1], np.ones((1, 1))).shards) == 2


def test_topics_are_those_of_a_fit_in_memory(client):
    ours = model().fit(as_array(X, CUTS))
    theirs = ldavi.LatentDirichletAllocation(K, n_collapsed_iter=0, max_iter=18, tol=None).fit(X)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-6)


def test_checkpoints_of_a_pass_change_no_bit(client, expected, monkeypatch):
    monkeypatch.setattr(_pipeline, "MAX_PASSES_TO_REPEAT", 2)
    assert_same_bits(model().fit(as_array(X, CUTS)), expected)


def test_a_fit_that_converges_stops_in_the_pass_in_which_a_fit_in_memory_does(client):
    ours = model(max_iter=200, tol=1e-4).fit(as_array(X, CUTS))
    theirs = ldavi.LatentDirichletAllocation(K, n_collapsed_iter=0, tol=1e-4).fit(X)
    assert ours.converged_
    assert ours.n_iter_ == theirs.n_iter_


def test_the_loss_of_a_worker_in_three_passes_changes_no_bit(cluster, client, expected, preparations):
    """In the warm-up, in its last pass, and in the monotone phase, where γ has to be recomputed."""
    kills = KillWorkers(cluster, client, [4, 10, 15])
    assert_same_bits(model(callbacks=kills).fit(as_array(X, CUTS)), expected)
    assert not kills.passes
    assert len(preparations) == 1


def test_the_loss_of_a_worker_between_replications_changes_no_bit(cluster, client, expected, preparations, monkeypatch):
    monkeypatch.setattr(_pipeline, "MAX_PASSES_TO_REPEAT", 3)
    kills = KillWorkers(cluster, client, [14, 17])
    assert_same_bits(model(callbacks=kills).fit(as_array(X, CUTS)), expected)
    assert len(preparations) == 1


def test_a_failed_replication_changes_no_bit(client, expected, monkeypatch):
    calls = []

    def replicate(handles, n):
        calls.append(n)
        raise Exception("RuntimeError('ConnectionPool is closed')")  # as the scheduler forwards it

    monkeypatch.setattr(client, "replicate", replicate)
    assert_same_bits(model().fit(as_array(X, CUTS)), expected)
    assert calls


def test_after_the_loss_of_all_workers_passes_are_repeated_but_not_recorded_twice(
    cluster, client, expected, preparations
):
    seen = []
    kills = KillWorkers(cluster, client, [13], all_workers=True)
    ours = model(callbacks=[kills, lambda record: seen.append(record.iteration)]).fit(as_array(X, CUTS))
    assert_same_bits(ours, expected)
    assert seen == list(range(1, 19))
    assert len(preparations) == 2


STEPS = ("local_step", "m_step_shard", "update_part", "updated_shard", "slice_statistics")


class Watch(SchedulerPlugin):
    """Counts finished tasks, and measures the bytes of the largest task of a step that was submitted."""

    def __init__(self):
        self.finished, self.largest = 0, 0

    def transition(self, key, start, finish, *args, **kwargs):
        self.finished += (start, finish) == ("processing", "memory")

    def update_graph(self, scheduler, **kwargs):
        for task in scheduler.tasks.values():
            is_step = any(step in str(task.key) for step in STEPS)
            if task.run_spec is not None and is_step:
                self.largest = max(self.largest, len(pickle.dumps(task.run_spec)))


@pytest.fixture
def watch(cluster, client):
    watch = Watch()
    cluster.scheduler.add_plugin(watch, name="watch")
    yield watch
    cluster.scheduler.remove_plugin("watch")


@pytest.mark.parametrize("parameters", [{}, {"inference": "cvb0", "doc_topic_prior": 0.1}])
def test_a_pass_takes_fewer_than_ten_tasks_per_block(client, watch, parameters):
    A = as_array(X, CUTS)
    seen = []
    for passes in (12, 17):
        before = watch.finished
        model(max_iter=passes, **parameters).fit(A)
        seen.append(watch.finished - before)
    assert 0 < (seen[1] - seen[0]) / (5 * N_BLOCKS) < 9


@pytest.mark.parametrize("parameters", [{"max_iter": 12}, *KINDS.values()])
def test_no_task_contains_topics(client, watch, parameters):
    model(**parameters).fit(as_array(X, CUTS))
    assert 0 < watch.largest < K * X.shape[1] * 8 / 2


def test_transform_and_score_run_on_the_workers(client, expected):
    ours = model().fit(as_array(X, CUTS))
    theta = ours.transform(as_array(X, CUTS))
    assert isinstance(theta, da.Array)
    np.testing.assert_array_equal(theta.compute(), expected.transform(X))
    assert ours.score(as_array(X, CUTS)) == pytest.approx(expected.score(X))


def test_an_error_in_a_block_is_raised_by_fit(client):
    with pytest.raises(ValueError, match=r"block \d of X: Negative values"):
        model().fit(as_array(-X, CUTS))


def test_an_interrupt_leaves_the_topics_of_the_last_complete_pass(client):
    def interrupt(record):
        if record.iteration == 12:
            raise KeyboardInterrupt

    ours = model(callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ours.fit(as_array(X, CUTS))
    np.testing.assert_array_equal(
        ours.components_, model(callbacks=lambda record: record.iteration == 12).fit(as_array(X, CUTS)).components_
    )


def test_the_active_memory_manager_is_paused_during_a_fit(client):
    """It would remove the second copies of values that have to be replicated."""
    seen = []
    assert client.amm.running()
    model(max_iter=2, callbacks=lambda record: seen.append(client.amm.running())).fit(as_array(X, CUTS))
    assert seen == [False, False]
    assert client.amm.running()


@pytest.mark.parametrize("parameters", [{}, *KINDS.values()])
def test_no_value_stays_on_the_workers_after_a_fit(cluster, client, parameters):
    model(**parameters).fit(as_array(X, CUTS))
    deadline = time.monotonic() + 30
    while cluster.scheduler.tasks:
        assert time.monotonic() < deadline, list(cluster.scheduler.tasks)[:10]
        time.sleep(0.05)
