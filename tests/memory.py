"""Measure how much memory a call needs, for tests that bound it."""

import gc
import tracemalloc
from collections.abc import Callable

YOUNG = 1  # collecting the oldest generation too would take longer than most calls


def peak_memory(call: Callable[[], object]) -> int:
    """Return the peak of the memory that a call allocates, in bytes: the smaller one of two calls.

    The first call in a process may also import modules, fill caches or enlarge the table of interned strings. The
    second call does not. Garbage is collected before each call, so that a collection during the call depends on the
    call alone.
    """
    peaks = []
    for _ in range(2):
        gc.collect(YOUNG)
        tracemalloc.start()
        try:
            call()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)
