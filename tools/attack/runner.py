"""Run attempts in child processes, record crashes and hangs, and print a summary."""

import collections
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Options = Mapping[str, Any]
Attempt = Callable[[int, int, Options], str]

ROOT = Path(__file__).parents[2]
REPORTED = 20  # failures of an attack that are printed in full


@dataclass
class Summary:
    """Counts of the attempts of one attack.

    Attributes
    ----------
    labels : Counter
        Number of attempts by the label that the attack returned.
    failures : dict of int to str
        Message of each failed attempt, by its index.
    """

    attack: str
    seconds: float = 0.0
    labels: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def n_attempts(self) -> int:
        return sum(self.labels.values()) + len(self.failures)


def run(attack: str, *, indices: range, seconds: float, watchdog: float, arguments: list[str]) -> Summary:
    """Run attempts in child processes until all indices or the seconds are used up.

    Parameters
    ----------
    attack : str
        Name of the attack.
    indices : range
        Indices of the attempts.
    seconds : float
        No attempt starts later.
    watchdog : float
        Seconds after which an attempt counts as hanging, and its process is killed.
    arguments : list of str
        Further arguments of the child's command line.
    """
    summary, started, index = Summary(attack), time.monotonic(), indices.start
    while index < indices.stop and time.monotonic() - started < seconds:
        index = _run_child(summary, range(index, indices.stop), started + seconds, watchdog, arguments)
    summary.seconds = time.monotonic() - started
    return summary


def _run_child(summary: Summary, indices: range, deadline: float, watchdog: float, arguments: list[str]) -> int:
    """Run a child from the first index on until it ends; return the index at which the next child has to begin."""
    command = [sys.executable, "-m", "tools.attack", summary.attack, "--child", *arguments]
    command += ["--first", str(indices.start), "--number", str(len(indices))]
    current = indices.start
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as child:
        is_hanging = False
        for line in _lines(child, watchdog):
            if line is None:
                is_hanging = True
                os.killpg(child.pid, signal.SIGKILL)
                break
            kind, number, text = json.loads(line)
            current = number
            if kind == "start" and time.monotonic() > deadline:
                os.killpg(child.pid, signal.SIGKILL)
                return indices.stop
            if kind == "done":
                summary.labels[text] += 1
            elif kind == "failed":
                _add_failure(summary, number, text)
            if kind != "start":
                current = number + 1
    if is_hanging:
        _add_failure(summary, current, f"no end after {watchdog:g} seconds")
    elif child.returncode:
        _add_failure(summary, current, f"the process ended with status {child.returncode}")
    elif current < indices.stop:
        _add_failure(summary, current, "the process ended early")
    return current + 1 if is_hanging or child.returncode else indices.stop


def _lines(child: subprocess.Popen[bytes], watchdog: float) -> Iterator[bytes | None]:
    """Yield the lines of a child's output; None if nothing comes for `watchdog` seconds."""
    assert child.stdout is not None
    os.set_blocking(child.stdout.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(watchdog):
                yield None
                return
            data = os.read(child.stdout.fileno(), 2**16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines


def _add_failure(summary: Summary, index: int, text: str) -> None:
    summary.failures[index] = text
    if len(summary.failures) <= REPORTED:
        print(f"{summary.attack}, index {index}: {text}", file=sys.stderr, flush=True)


def serve(attempt: Attempt, seed: int, indices: range, options: Options) -> None:
    """Run attempts in this process, a child, and write a line before and after each."""
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what ldavi prints must not mix with the lines

    def say(*values: Any) -> None:
        os.write(out, json.dumps(values).encode() + b"\n")

    for index in indices:
        say("start", index, "")
        try:
            label = attempt(seed, index, options)
        except Exception as error:
            say("failed", index, describe(error))
        else:
            say("done", index, label)


def describe(error: BaseException) -> str:
    """Return the type and message of an error and the innermost lines of its traceback."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    notes = "; ".join(getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {str(error)[:600]} ({' > '.join(places)}) {notes}".strip()


def table(summaries: list[Summary], seed: int) -> str:
    """Return the summary of all attacks as text."""
    lines = [f"{'attack':12} {'attempts':>9} {'failures':>9} {'seconds':>8}  outcomes"]
    for summary in summaries:
        outcomes = ", ".join(f"{label} {number}" for label, number in summary.labels.most_common(8))
        counts = f"{summary.n_attempts:9} {len(summary.failures):9} {summary.seconds:8.0f}"
        lines.append(f"{summary.attack:12} {counts}  {outcomes}")
    for summary in summaries:
        for index in summary.failures:
            lines.append(f"repeat with: python -m tools.attack {summary.attack} --seed {seed} --only {index}")
    return "\n".join(lines)
