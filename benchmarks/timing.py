"""Time jobs alternately, and compute medians and ratios.

Absolute times drift with the clock rate of the machine and its other load, which two consecutive measurements mostly
share. Therefore jobs are interleaved, A B A B …, and a ratio is the median of the ratios within a turn.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

Repeats = dict[str, list[float]]


def seconds_of(job: Callable[[], object]) -> float:
    """Call a job and return its wall-clock seconds."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def take_turns(jobs: dict[str, Callable[[], object]], repeats: int) -> Repeats:
    """Return the seconds of each job in each of `repeats` turns; an untimed turn precedes them."""
    for job in jobs.values():
        job()
    seconds: Repeats = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            seconds[name].append(seconds_of(job))
    return seconds


def medians(repeats: Repeats) -> dict[str, float]:
    """Return the median of each job's values."""
    return {name: statistics.median(values) for name, values in repeats.items()}


def ratio_case(
    name: str, repeats: Repeats, over: str, under: str, *, target: float | None = None, sense: str = ">=", **more: Any
) -> dict[str, Any]:
    """Return a case of a part: the median ratio of `over` to `under`."""
    pairs = [a / b for a, b in zip(repeats[over], repeats[under], strict=True)]
    case = value_case(name, pairs, f"{over} / {under}", target=target, sense=sense, **more)
    return case | {"repeats": repeats, "medians": medians(repeats)}


def value_case(
    name: str, values: list[float], what: str, *, target: float | None = None, sense: str = ">=", **more: Any
) -> dict[str, Any]:
    """Return a case of a part: the median of values, and whether it meets the target."""
    value = statistics.median(values)
    case: dict[str, Any] = {
        "name": name,
        "what": what,
        "values": values,
        "value": value,
        "range": [min(values), max(values)],
    }
    if target is not None:
        case |= {"target": target, "sense": sense, "met": value >= target if sense == ">=" else value <= target}
    return case | more
