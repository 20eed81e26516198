"""Ctrl-C: a real signal during a fit."""

import _thread
import faulthandler
import os
import pathlib
import signal
import subprocess
import sys
import threading
from contextlib import closing, suppress

import interrupts
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation
from ldavi._core.prefetch import prefetch
from ldavi._core.threads import Workers


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


def interrupt_random_fits(n_fits, timeout):
    """Run `interrupts` in a process of its own; it must end by itself, without a hanging fit."""
    folder = pathlib.Path(interrupts.__file__).parent
    paths = [str(folder), str(folder.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, interrupts.__file__, str(n_fits)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    assert result.returncode == 0, result.stderr[-5000:]


needs_signals = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the system sends no signals to threads")


@needs_signals
def test_interrupts_at_random_moments_leave_no_fit_hanging():
    interrupt_random_fits(21, timeout=100)


@needs_signals
@pytest.mark.slow
def test_a_thousand_interrupts_leave_no_fit_hanging():
    interrupt_random_fits(1000, timeout=3000)


class InterruptAt:
    """A trace function that raises KeyboardInterrupt before the n-th bytecode that runs in a `with` block of it."""

    def __init__(self, n):
        self.n = self.n_left = n

    def __call__(self, frame, event, argument):
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return self

    def __enter__(self):
        self.former = sys.gettrace()
        sys.settrace(self)

    def __exit__(self, *_):
        sys.settrace(self.former)


def use_workers():
    with Workers(3) as workers:
        assert workers.run(abs, range(-5, 0)) == [5, 4, 3, 2, 1]


def read_ahead():
    with closing(prefetch(lambda: iter(range(3)))) as items:
        assert list(items) == [0, 1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # interrupts in a destructor
@pytest.mark.parametrize("use", [use_workers, read_ahead])
def test_an_interrupt_before_any_bytecode_leaves_no_thread_and_no_lock(use):
    faulthandler.dump_traceback_later(100, exit=True)
    with InterruptAt(2**31):  # Python 3.12 traces bytecodes of a function from its second call on
        use()
    n, is_interrupted = 0, True
    while is_interrupted:
        n += 1
        with suppress(KeyboardInterrupt):
            is_interrupted = True
            with InterruptAt(n):
                use()
            is_interrupted = False
        interrupts.check_threads_end()
    faulthandler.cancel_dump_traceback_later()
    assert n > 50
