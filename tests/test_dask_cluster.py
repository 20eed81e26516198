"""ldavi.dask over worker processes: the same bits wherever blocks are, few tasks, little sent, deaths that change nothing."""

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
from ldavi.dask import LatentDirichletAllocation, _learning, _passes

pytestmark = [pytest.mark.interop, pytest.mark.slow]
X = topical(n_words=4000, length=150)
K = 4
HERE = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}  # no fixed port, no dashboard
CUTS = [11, 30, 30, 41, 62, 70]
N_BLOCKS = len(CUTS) + 1


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """Dask logs every death, and they are many here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def cluster():
    """Two workers, which come again whenever they die.

    A cluster looks some seconds after a death whether a worker of that name is there, and closes its nanny for good if not:
    of two deaths so far apart, the look after the first would fall into the second.
    """
    never = {"distributed.deploy.lost-worker-timeout": "1 day"}
    with (
        dask.config.set(never),
        LocalCluster(n_workers=2, threads_per_worker=1, **HERE, silence_logs=logging.CRITICAL) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def undisturbed():
    """Without a cluster."""
    return model().fit(as_array(X, CUTS))


def model(**parameters):
    return LatentDirichletAllocation(K, random_state=0, **({"max_iter": 18, "tol": None} | parameters))


def assert_same_bits(ours, theirs):
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    np.testing.assert_array_equal(ours.elbo_trace_["elbo"], theirs.elbo_trace_["elbo"])
    np.testing.assert_array_equal(ours.doc_topic_prior_, theirs.doc_topic_prior_)


class Deaths:
    """A callback that kills a worker, or all, after given passes, and waits until others have taken their places."""

    def __init__(self, cluster, client, passes, *, everyone=False):
        self.cluster, self.client, self.passes, self.everyone = cluster, client, list(passes), everyone

    def __call__(self, record):
        if record.iteration not in self.passes:
            return
        self.passes.remove(record.iteration)
        nannies = list(self.cluster.workers.values())
        killed = {
            nanny.pid: nanny for nanny in (nannies if self.everyone else nannies[record.iteration % 2 :][:1])
        }  # another one each time
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 300
        while any(nanny.pid in (pid, None) for pid, nanny in killed.items()) or len(self.client.nthreads()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def beginnings(monkeypatch):
    """How often a fit settled its corpus."""
    counted = []
    settle = _learning.Learning._settle
    monkeypatch.setattr(_learning.Learning, "_settle", lambda self: counted.append(1) or settle(self))
    return counted


def test_two_workers_give_the_bits_of_none(client, undisturbed):
    assert_same_bits(model().fit(as_array(X, CUTS)), undisturbed)


def test_one_worker_gives_the_bits_of_none(undisturbed):
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, **HERE) as cluster,
        Client(cluster),
    ):
        assert_same_bits(model().fit(as_array(X, CUTS)), undisturbed)


def test_the_words_are_in_shards_here():
    assert len(CorpusLayout(np.flatnonzero(X.any(axis=0)), X.shape[1], np.ones((1, 1))).shards) == 2


def test_topics_are_those_of_one_machine(client):
    ours = model().fit(as_array(X, CUTS))
    theirs = ldavi.LatentDirichletAllocation(K, random_state=0, max_iter=18, tol=None).fit(X)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-6)


def test_anchors_change_nothing(client, undisturbed, monkeypatch):
    monkeypatch.setattr(_passes, "ANCHOR_EVERY", 2)
    assert_same_bits(model().fit(as_array(X, CUTS)), undisturbed)


def test_a_fit_that_settles_stops_where_one_machine_does(client):
    ours = model(max_iter=200, tol=1e-4).fit(as_array(X, CUTS))
    theirs = ldavi.LatentDirichletAllocation(K, random_state=0).fit(X)
    assert ours.converged_
    assert ours.n_iter_ == theirs.n_iter_


def test_a_worker_that_dies_in_three_passes_costs_its_blocks_and_changes_nothing(
    cluster, client, undisturbed, beginnings
):
    """In the warm-up, in its last pass, and in the monotone phase, where γ has to be computed again."""
    deaths = Deaths(cluster, client, [4, 10, 15])
    assert_same_bits(model(callbacks=deaths).fit(as_array(X, CUTS)), undisturbed)
    assert not deaths.passes
    assert len(beginnings) == 1


def test_a_death_between_anchors_changes_nothing(cluster, client, undisturbed, beginnings, monkeypatch):
    monkeypatch.setattr(_passes, "ANCHOR_EVERY", 3)
    deaths = Deaths(cluster, client, [14, 17])
    assert_same_bits(model(callbacks=deaths).fit(as_array(X, CUTS)), undisturbed)
    assert len(beginnings) == 1


def test_copies_that_cannot_be_made_just_now_change_nothing(client, undisturbed, monkeypatch):
    asked = []

    def replicate(handles, n):
        asked.append(n)
        raise Exception("RuntimeError('ConnectionPool is closed')")  # as the scheduler hands it on

    monkeypatch.setattr(client, "replicate", replicate)
    assert_same_bits(model().fit(as_array(X, CUTS)), undisturbed)
    assert asked


def test_where_every_worker_dies_the_fit_begins_again_unseen(cluster, client, undisturbed, beginnings):
    seen = []
    deaths = Deaths(cluster, client, [13], everyone=True)
    ours = model(callbacks=[deaths, lambda record: seen.append(record.iteration)]).fit(as_array(X, CUTS))
    assert_same_bits(ours, undisturbed)
    assert seen == list(range(1, 19))
    assert len(beginnings) == 2


class Watch(SchedulerPlugin):
    """Counts tasks that were finished, and the bytes of the largest that was handed out."""

    def __init__(self):
        self.finished, self.largest = 0, 0

    def transition(self, key, start, finish, *args, **kwargs):
        self.finished += (start, finish) == ("processing", "memory")

    def update_graph(self, scheduler, **kwargs):
        for task in scheduler.tasks.values():
            if task.run_spec is not None and "visit" in str(task.key) + "renew" * ("renew" in str(task.key)):
                self.largest = max(self.largest, len(pickle.dumps(task.run_spec)))


@pytest.fixture
def watch(cluster, client):
    watch = Watch()
    cluster.scheduler.add_plugin(watch, name="watch")
    yield watch
    cluster.scheduler.remove_plugin("watch")


def test_a_pass_takes_fewer_than_ten_tasks_per_block(client, watch):
    A = as_array(X, CUTS)
    seen = []
    for passes in (12, 17):
        before = watch.finished
        model(max_iter=passes).fit(A)
        seen.append(watch.finished - before)
    assert 0 < (seen[1] - seen[0]) / (5 * N_BLOCKS) < 9


def test_no_topics_travel_inside_a_graph(client, watch):
    model(max_iter=12).fit(as_array(X, CUTS))
    assert 0 < watch.largest < K * X.shape[1] * 8 / 2


def test_transform_and_score_are_asked_of_blocks_where_they_are(client, undisturbed):
    ours = model().fit(as_array(X, CUTS))
    theta = ours.transform(as_array(X, CUTS))
    assert isinstance(theta, da.Array)
    np.testing.assert_array_equal(theta.compute(), undisturbed.transform(X))
    assert ours.score(as_array(X, CUTS)) == pytest.approx(undisturbed.score(X))


def test_an_error_in_a_block_comes_back_as_it_was(client):
    with pytest.raises(ValueError, match=r"block \d of X: Negative values"):
        model().fit(as_array(-X, CUTS))


def test_an_interrupt_leaves_the_topics_of_the_last_whole_pass(client):
    def interrupt(record):
        if record.iteration == 12:
            raise KeyboardInterrupt

    ours = model(callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ours.fit(as_array(X, CUTS))
    np.testing.assert_array_equal(
        ours.components_, model(callbacks=lambda record: record.iteration == 12).fit(as_array(X, CUTS)).components_
    )


def test_the_memory_manager_pauses_while_a_fit_runs(client):
    """It would leave one copy of what has to be there twice."""
    seen = []
    assert client.amm.running()
    model(max_iter=2, callbacks=lambda record: seen.append(client.amm.running())).fit(as_array(X, CUTS))
    assert seen == [False, False]
    assert client.amm.running()


def test_nothing_stays_on_the_workers_when_a_fit_is_over(cluster, client):
    model().fit(as_array(X, CUTS))
    deadline = time.monotonic() + 30
    while cluster.scheduler.tasks:
        assert time.monotonic() < deadline, list(cluster.scheduler.tasks)[:10]
        time.sleep(0.05)
