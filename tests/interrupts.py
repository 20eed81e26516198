"""Interrupt fits at random moments: `python interrupts.py N [SEED]` prints a summary and exits with 0 if none hangs.

Each fit runs in the main thread of this process and never ends by itself. Another thread sends a real SIGINT after a
random time. If a fit does not end within `HANG_SECONDS`, `faulthandler` prints where each thread is and exits with 1.
"""

import faulthandler
import itertools
import signal
import sys
import threading
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

from ldavi import LatentDirichletAllocation
from ldavi._inference import assignments, e_step, m_step

HANG_SECONDS = 60
N_DOCS, N_WORDS, N_TOPICS = 120, 60, 5
SETTINGS = (
    {"learning_method": "batch"},
    {"learning_method": "memoized", "batch_size": 40},
    {"learning_method": "online", "batch_size": 40},
    {"inference": "cvb0"},
    {"inference": "cvb0", "stream": True},
    {"inference": "cvb0", "max_iter": 3},  # ends by itself: it is repeated until the signal comes
    {"learning_method": "batch", "max_iter": 2},
    {"learning_method": "online", "batch_size": 40, "stream": True},
)
THREAD_NAMES = ("ldavi", "ldavi-reader")


class Stream:
    """Batches of the rows of a matrix, read as often as a fit asks."""

    def __init__(self, X):
        self.X = X

    def __iter__(self):
        return (self.X[first : first + 30] for first in range(0, N_DOCS, 30))


def use_small_pieces():
    """Cut the corpus into many calls, so that most of the time is spent in handing them to threads."""
    e_step.BLOCK_BYTES, e_step.BLOCK_COUNTS, e_step.WAVE_BYTES, e_step.CALL_WORK = 2**10, 150, 2**12, 2**12
    m_step.WORDS_PER_CALL, assignments.MIN_COUNTS = 7, 40


def interrupted_fit(model, X, delay):
    """Fit until a signal comes after `delay` seconds, and return the seconds from the signal to its exception."""
    sent = []

    def send():
        time.sleep(delay)
        sent.append(time.perf_counter())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    sender = threading.Thread(target=send, daemon=True)
    try:
        sender.start()
        while True:
            model.fit(X)
    except KeyboardInterrupt:
        caught = time.perf_counter()
    sender.join()
    return caught - sent[0]


def check_usable(model, X):
    """Raise an AssertionError unless the model has the topics of a complete pass, or is not fitted and can be."""
    try:
        theta = model.transform(X[:5])
    except NotFittedError:
        assert not [name for name in vars(model) if name.endswith("_")], sorted(vars(model))
        model = LatentDirichletAllocation(**{**model.get_params(), "max_iter": 1}).fit(X)
        theta = model.transform(X[:5])
    np.testing.assert_allclose(theta.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.topics_.sum(axis=1), 1, rtol=1e-4)
    assert model.n_iter_ == model.elbo_trace_["iteration"][-1]
    np.testing.assert_equal(model.elbo_, model.elbo_trace_["elbo"][-1])  # NaN after a collapsed pass
    assert model.n_features_in_ == model.topics_.shape[1]


def check_threads_end():
    """Raise an AssertionError if a thread of a fit remains."""
    deadline = time.monotonic() + 10
    while remaining := [thread for thread in threading.enumerate() if thread.name in THREAD_NAMES]:
        assert time.monotonic() < deadline, remaining
        time.sleep(0.001)


def interrupt_fits(n_fits, seed):
    """Interrupt fits, and return how many had no complete pass, and the largest number of seconds to the exception."""
    rng = np.random.default_rng(seed)
    X = sparse.csr_array(rng.poisson(0.5, (N_DOCS, N_WORDS)))
    n_unfitted, slowest = 0, 0.0
    for number, given in zip(range(n_fits), itertools.cycle(SETTINGS)):
        settings = {"max_iter": 10**6, **given}
        data = Stream(X) if settings.pop("stream", False) else X
        model = LatentDirichletAllocation(N_TOPICS, n_jobs=3, random_state=number, tol=None, **settings)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        slowest = max(slowest, interrupted_fit(model, data, rng.uniform(0, rng.choice([0.02, 0.3]))))
        n_unfitted += not hasattr(model, "elbo_")
        check_usable(model, X)
        check_threads_end()
        faulthandler.cancel_dump_traceback_later()
    return n_unfitted, slowest


def main(n_fits, seed=0):
    """Interrupt `n_fits` fits."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for processes in the background
    warnings.simplefilter("ignore")
    use_small_pieces()
    n_unfitted, slowest = interrupt_fits(n_fits, seed)
    print(f"{n_fits} fits interrupted, {n_unfitted} before their first complete pass; slowest {slowest:.3f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
