"""`python -m ldavi demo` in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ldavi

pytestmark = pytest.mark.slow
TOPICS = 5


def run(*arguments, cwd):
    """Run `python -m ldavi` with the package that these tests import, outside the repository."""
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "ldavi", *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return run("demo", "-k", str(TOPICS), "--seed", "1", cwd=tmp_path_factory.mktemp("demo"))


def test_demo_succeeds(demo):
    assert demo.returncode == 0, demo.stderr


def test_demo_prints_the_size_of_the_corpus(demo):
    documents, words, tokens = map(int, re.search(r"(\d+) docstrings, (\d+) words, (\d+) tokens", demo.stdout).groups())
    assert documents > 1000
    assert tokens > documents
    assert tokens > words > 100


def test_demo_prints_each_topic_with_its_share_and_words(demo):
    lines = re.findall(r"^ *([\d.]+)%  (\S+(?: \S+){9})$", demo.stdout, re.M)
    assert len(lines) == TOPICS
    assert sum(float(share) for share, _ in lines) == pytest.approx(100, abs=0.1 * TOPICS)


def test_demo_prints_the_largest_topic_first(demo):
    shares = [float(share) for share in re.findall(r"^ *([\d.]+)%  ", demo.stdout, re.M)]
    assert shares == sorted(shares, reverse=True)


def test_demo_prints_the_elbo_and_how_the_fit_ended(demo):
    line = re.search(r"ELBO (\S+) \((\S+) per token\), (converged|stopped by max_iter) after (\d+) passes", demo.stdout)
    assert float(line[1]) < float(line[2]) < 0
    assert int(line[4]) > 1


def test_demo_prints_held_out_perplexity(demo):
    assert float(re.search(r"held-out perplexity ([\d.]+) on \d+ held-out documents", demo.stdout)[1]) > 1


def test_demo_prints_the_duration_of_each_step(demo):
    steps = re.search(r"^seconds: (.*)$", demo.stdout, re.M)[1]
    assert re.sub(r" \d+\.\d+", "", steps) == "read, count, fit, transform"


def test_demo_writes_nothing_to_standard_error_without_a_terminal(demo):
    assert demo.stderr == ""
