"""Threads, and the division of work among them, which does not affect results."""

import threading

import corpora
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from ldavi._core import daemon_threads, threads
from ldavi._core.prefetch import prefetch
from ldavi._core.threads import Workers, even_ranges
from ldavi._inference import e_step
from ldavi._inference.e_step import cut_blocks


@settings(derandomize=True, deadline=None, database=None)
@given(st.lists(st.integers(0, 30), max_size=40), st.integers(-1, 100), st.data())
def test_even_ranges_cover_all_positions_once_and_do_not_exceed_the_maximum_by_more_than_a_position(
    units, max_units, data
):
    start = data.draw(st.integers(0, len(units)))
    stop = data.draw(st.integers(start, len(units)))
    cumulative = np.concatenate([[0], np.cumsum(units, dtype=np.int64)])
    ranges = even_ranges(cumulative, start, stop, max_units)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(start, stop))
    assert all(first < last for first, last in ranges)
    largest = max(units[start:stop], default=0)
    for first, last in ranges:
        assert cumulative[last] - cumulative[first] <= max(max_units, 1) + largest


@settings(derandomize=True, deadline=None, database=None)
@given(st.integers(1, 200), st.integers(1, 50))
def test_even_ranges_of_equal_units_differ_by_at_most_one(n, max_units):
    sizes = [last - first for first, last in even_ranges(np.arange(n + 1), 0, n, max_units)]
    assert max(sizes) <= max_units
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == -(-n // max_units)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_items(n_threads):
    with Workers(n_threads) as workers:
        assert workers.run(lambda x: x * x, range(50)) == [x * x for x in range(50)]


def test_one_worker_is_the_calling_thread():
    with Workers(1) as workers:
        assert set(workers.run(lambda _: threading.get_ident(), range(4))) == {threading.get_ident()}


def threads_of_calls(workers):
    """Return the thread of each of as many calls as there are workers; no call ends before all have begun."""
    all_have_begun = threading.Barrier(workers.n_threads)

    def thread_of_call(_):
        all_have_begun.wait(timeout=30)
        return threading.get_ident()

    return workers.run(thread_of_call, range(workers.n_threads))


def test_the_calling_thread_is_one_of_the_workers():
    with Workers(2) as workers:
        found = threads_of_calls(workers)
    assert threading.get_ident() in found
    assert len(set(found)) == 2


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_in_a_worker_reaches_the_caller(n_threads):
    with Workers(n_threads) as workers, pytest.raises(ZeroDivisionError):
        workers.run(lambda x: 1 // x, [1, 0])


def test_all_threads_end_with_the_pool():
    before = threading.active_count()
    with Workers(3) as workers:
        threads_of_calls(workers)
        assert threading.active_count() == before + 2
    assert threading.active_count() == before


@pytest.mark.usefixtures("small_pieces")
def test_blocks_contain_each_document_once_with_its_counts_in_order_of_words():
    counts = corpora.to_counts(corpora.random_counts(0, n_docs=60, n_words=40))
    blocks = cut_blocks(counts, 19)
    assert len(blocks) > 5
    assert [d for block in blocks for d in range(block.start, block.stop)] == list(range(60))
    for block in blocks:
        first, last = counts.indptr[block.start], counts.indptr[block.stop]
        words = np.repeat(block.word_row, np.diff(block.word_ptr))
        documents = np.repeat(np.arange(block.stop - block.start), np.diff(counts.indptr[block.start : block.stop + 1]))
        np.testing.assert_array_equal(words[block.position], counts.indices[first:last])
        np.testing.assert_array_equal(block.doc[block.position], documents)
        assert (np.diff(block.word_row) > 0).all()


def bits(dtype, n_threads, *, weight=None):
    X, lam, alpha = (
        corpora.random_counts(0, n_docs=60, n_words=40),
        corpora.random_lam(0, 19, 40),
        corpora.random_alpha(0, 19),
    )
    start = reference.cold_start(X, alpha)
    with Workers(n_threads) as workers:
        found = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=6, tol=1e-2, weight=weight)
    return [a.tobytes() for a in (found.gamma, found.sstats, found.result.n_inner_iter, found.result.bound)]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_the_e_step_gives_the_same_bits_for_any_number_of_threads(n_threads, dtype, instruction_set):
    weight = np.random.default_rng(0).uniform(0.5, 2, 60)
    assert bits(dtype, n_threads, weight=weight) == bits(dtype, 1, weight=weight)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", ["CALL_WORK", "WAVE_BYTES"])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_e_step_gives_the_same_bits_for_any_size_of_calls_and_waves(name, n_threads, dtype, monkeypatch):
    short = bits(dtype, n_threads)
    for size in (1, 2**30):
        monkeypatch.setattr(e_step, name, size)
        assert bits(dtype, n_threads) == short


def test_the_size_of_blocks_does_not_change_gamma_and_changes_statistics_by_rounding_only(dtype, monkeypatch):
    X, lam, alpha = corpora.random_counts(1, n_docs=60), corpora.random_lam(1, 5, 30), corpora.random_alpha(1, 5)
    start = reference.cold_start(X, alpha)
    with Workers(2) as workers:
        one = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=3)
        monkeypatch.setattr(e_step, "BLOCK_COUNTS", 40)
        many = corpora.run_estep(X, lam, alpha, start, dtype, workers, max_inner_iter=3)
    np.testing.assert_array_equal(many.gamma, one.gamma)
    np.testing.assert_allclose(many.sstats, one.sstats, rtol=20 * np.finfo(dtype).eps, atol=1e-30)


# Memory that is exhausted while a thread starts

of_dying_threads = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def out_of_memory(*arguments, **options):
    raise MemoryError


@of_dying_threads
def test_the_caller_makes_the_calls_if_no_thread_has_started(monkeypatch):
    monkeypatch.setattr(daemon_threads, "_launch", out_of_memory)
    with Workers(3) as workers:
        assert workers.run(lambda item: item + 1, range(5)) == [1, 2, 3, 4, 5]


@of_dying_threads
def test_a_thread_that_ends_within_a_call_raises(monkeypatch):
    begun = threading.Event()

    class DyingRun(threads._Run):
        def _call(self, number, item):
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                raise MemoryError
            super()._call(number, item)

    monkeypatch.setattr(threads, "_Run", DyingRun)
    with Workers(2) as workers, pytest.raises(MemoryError):
        workers.run(lambda item: begun.wait(timeout=30), range(5))


def test_after_an_error_no_call_is_running_and_later_calls_are_of_the_caller():
    running = []

    def call(item):
        running.append(item)
        try:
            return threading.get_ident() if item < 9 else 1 // 0
        finally:
            running.remove(item)

    with Workers(3) as workers:
        with pytest.raises(ZeroDivisionError):
            workers.run(call, range(10))
        assert running == []
        assert set(workers.run(call, range(9))) == {threading.get_ident()}


@of_dying_threads
def test_a_reader_that_has_not_started_raises(monkeypatch):
    monkeypatch.setattr(daemon_threads, "_launch", out_of_memory)
    monkeypatch.setattr("ldavi._core.prefetch.START_SECONDS", 0.2)
    with pytest.raises(MemoryError, match="reads ahead"):
        list(prefetch(lambda: iter(range(3))))
