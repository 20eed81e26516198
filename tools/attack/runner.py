"""Run attempts in child processes, record crashes and hangs, and print a summary."""

import collections
import contextlib
import json
import os
import re
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
REPORTED = 30  # kinds of failures of an attack that are printed
REPEATED = 3  # commands per kind of failure
PLACES = re.compile(r" \([^()]* > [^()]*\)")


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

    def kinds(self) -> dict[str, list[int]]:
        """Return the indices of failures by the type and the place of the error."""
        found: dict[str, list[int]] = {}
        for index, text in self.failures.items():
            found.setdefault(kind_of(text), []).append(index)
        return found


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
    try:
        while index < indices.stop and time.monotonic() - started < seconds:
            index = _run_child(summary, range(index, indices.stop), started + seconds, watchdog, arguments)
    except KeyboardInterrupt:
        print(f"{attack} was interrupted", file=sys.stderr)
    summary.seconds = time.monotonic() - started
    return summary


def _run_child(summary: Summary, indices: range, deadline: float, watchdog: float, arguments: list[str]) -> int:
    """Run a child from the first index on until it ends; return the index at which the next child has to begin."""
    command = [sys.executable, "-m", "tools.attack", summary.attack, "--child", *arguments]
    command += ["--first", str(indices.start), "--number", str(len(indices))]
    current = indices.start
    with _process(command) as child:
        is_hanging = has_started = False
        for line in _lines(child, watchdog):
            if line is None:
                is_hanging = True
                os.killpg(child.pid, signal.SIGKILL)
                break
            kind, number, text = json.loads(line)
            current, has_started = number, True
            if kind == "start" and time.monotonic() > deadline:
                os.killpg(child.pid, signal.SIGKILL)
                return indices.stop
            if kind == "done":
                summary.labels[text] += 1
            elif kind == "failed":
                _add_failure(summary, number, text)
            if kind != "start":
                current = number + 1
    if child.returncode and not has_started:
        raise SystemExit(f"{summary.attack}: the process ended with status {child.returncode} before the first attempt")
    if current == indices.stop:
        return indices.stop
    ending = f"no end after {watchdog:g} seconds" if is_hanging else f"the process ended ({child.returncode})"
    _add_failure(summary, current, ending)
    return current + 1


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, all of whose processes end with the block."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as child:
        try:
            yield child
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise


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
    """Record a failure, and print it if it is the first of its kind."""
    is_new = kind_of(text) not in summary.kinds() if len(summary.failures) < 1000 else False
    summary.failures[index] = text
    if is_new and len(summary.kinds()) <= REPORTED:
        print(f"{summary.attack}, index {index}: {text}", file=sys.stderr, flush=True)


def kind_of(text: str) -> str:
    """Return what failures of the same cause have in common: the type of the error, and the places in its traceback."""
    places = PLACES.search(text)
    return text.split(":")[0] + (places.group() if places else "")


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
        for kind, indices in summary.kinds().items():
            lines.append(f"{summary.attack}: {len(indices)} times {kind}, repeat with")
            command = f"    python -m tools.attack {summary.attack} --seed {seed} --only"
            lines += [f"{command} {index}" for index in indices[:REPEATED]]
    return "\n".join(lines)
