"""Ctrl-C: a real signal during a fit."""

import _thread
import signal
import threading

import numpy as np
import pytest

from ldavi import LatentDirichletAllocation


def corpus():
    return np.random.default_rng(0).poisson(1.0, (400, 300))


@pytest.fixture(autouse=True)
def receive_signals():
    """Restore the handler of SIGINT, which a shell sets to ignore for processes in the background."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("method", ["batch", "memoized", "online"])
def test_a_signal_leaves_the_topics_of_the_last_complete_pass(method, n_jobs):
    def signal_soon(record):
        if record.iteration == 3:
            threading.Timer(0.001, _thread.interrupt_main).start()

    lda = LatentDirichletAllocation(
        8, learning_method=method, n_jobs=n_jobs, random_state=0, max_iter=10**6, tol=None, callbacks=signal_soon
    )
    with pytest.raises(KeyboardInterrupt):
        lda.fit(corpus())
    assert lda.n_iter_ == len(lda.elbo_trace_) >= 3
    assert lda.elbo_ == lda.elbo_trace_["elbo"][-1]
    np.testing.assert_allclose(lda.topics_.sum(axis=1), 1, rtol=1e-4)
    np.testing.assert_allclose(lda.transform(corpus()[:5]).sum(axis=1), 1, rtol=1e-5)
