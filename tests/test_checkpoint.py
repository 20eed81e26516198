"""Fits that are kept in a file, killed, and go on with the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from ldavi import LatentDirichletAllocation, io
from ldavi._core.random_bits import generator_state
from ldavi.io import Checkpoint
from ldavi.io._models import container

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROOT = Path(__file__).parents[1]
EXACT = ("iteration", "elbo", "word", "doc_topic", "topic_word", "perplexity", "sweeps", "predictive")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """What only a loss of power would show is not tested here."""
    monkeypatch.setattr(container.os, "fsync", lambda number: None)


def corpus(n_docs=100, n_words=30, seed=0):
    return sparse.csr_array(np.random.default_rng(seed).poisson(0.4, (n_docs, n_words)))


def in_batches(X, size=40):
    return [X[first : first + size] for first in range(0, X.shape[0], size)]


def model(**parameters):
    settings = {"batch_size": 20, "max_iter": 4, "random_state": 0, "learning_method": "online", "tol": None}
    return LatentDirichletAllocation(5, **settings | parameters)


def same_fit(one, other):
    assert one.components_.tobytes() == other.components_.tobytes()
    for name in EXACT:
        np.testing.assert_array_equal(one.elbo_trace_[name], other.elbo_trace_[name])
    for name in (
        "doc_topic_prior_",
        "topic_word_prior_",
        "elbo_",
        "n_iter_",
        "n_batch_iter_",
        "n_samples_seen_",
        "converged_",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert generator_state(one.random_state_)[0].tobytes() == generator_state(other.random_state_)[0].tobytes()


class Crash(BaseException):
    """Ends a fit as a crash would: nothing but the file is left."""


class Crashing(Checkpoint):
    """Keeps every state, and crashes after one of them."""

    def __init__(self, path, after):
        super().__init__(path, minutes=0)
        self.after, self.n_saved = after, 0

    def save(self, state):
        super().save(state)
        self.n_saved += 1
        if self.n_saved == self.after:
            raise Crash


def count_of_states(tmp_path, X, **parameters):
    counting = Crashing(tmp_path / "counting", after=None)
    model(**parameters).fit(X, checkpoint=counting)
    return counting.n_saved


LOOPS = {
    "online": {},
    "online, cvb0": {"inference": "cvb0"},
    "online, one pass": {"max_iter": 1},
    "online, float64": {"dtype": "float64", "topic_word_prior": 0.1},
    "online, point estimates": {"topic_word_prior": 0.0},
}
BY_PASSES = {
    "batch": {"learning_method": "batch"},
    "batch, point estimates": {"learning_method": "batch", "topic_word_prior": 0.0},
    "batch, weights": {"learning_method": "batch", "sample_weight": np.arange(100) / 8},
    "memoized": {"learning_method": "memoized"},
    "memoized, float64": {"learning_method": "memoized", "dtype": "float64"},
    "cvb0": {"learning_method": "batch", "inference": "cvb0"},
    "cvb0, weights": {"learning_method": "batch", "inference": "cvb0", "sample_weight": np.arange(100) / 8},
}


@pytest.mark.parametrize("parameters", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("cut", [in_batches, lambda X: X], ids=["in batches", "in memory"])
def test_a_fit_that_crashed_at_any_state_goes_on_with_the_same_bits(parameters, cut, tmp_path):
    X = cut(corpus())
    n_states = count_of_states(tmp_path, X, **parameters)
    for after in range(1, n_states + 1, max(1, n_states // 4)):
        path = tmp_path / str(after)
        with pytest.raises(Crash):
            model(**parameters).fit(X, checkpoint=Crashing(path, after))
        same_fit(model(**parameters).fit(X, checkpoint=Checkpoint(path)), model(**parameters).fit(X))


@pytest.mark.parametrize("parameters", BY_PASSES.values(), ids=BY_PASSES)
def test_a_fit_in_memory_that_crashed_after_any_pass_goes_on_with_the_same_bits(parameters, tmp_path):
    """In and after the warm-up, before and after priors are learned."""
    parameters = {"max_iter": 26, **parameters}
    X, weight = corpus(), parameters.pop("sample_weight", None)
    expected = model(**parameters).fit(X, sample_weight=weight)
    for after in (1, 13, 18, 25):
        path = tmp_path / str(after)
        with pytest.raises(Crash):
            model(**parameters).fit(X, sample_weight=weight, checkpoint=Crashing(path, after))
        same_fit(model(**parameters).fit(X, sample_weight=weight, checkpoint=Checkpoint(path)), expected)


@pytest.mark.parametrize(
    ("init", "after"),
    [("random", after) for after in (1, 14, 15, 25, 29, 30, 31, 49, 50, 59)]
    + [("auto", after) for after in (1, 4, 5, 6, 15)],
)
def test_a_collapsed_fit_that_crashed_in_its_variational_passes_or_later_goes_on_with_the_same_bits(
    init, after, tmp_path, monkeypatch
):
    """Also after VB has learned priors, which the collapsed passes do not begin with."""
    monkeypatch.setattr(
        "ldavi._estimator.schedule.MANY_TOKENS", 0
    )  # 30 variational passes from noise, 30 collapsed ones
    X, collapsed = corpus(), {"max_iter": 60, "learning_method": "batch", "inference": "cvb0", "init": init}
    with pytest.raises(Crash):
        model(**collapsed).fit(X, checkpoint=Crashing(tmp_path / "fit", after))
    same_fit(model(**collapsed).fit(X, checkpoint=Checkpoint(tmp_path / "fit")), model(**collapsed).fit(X))


@pytest.mark.parametrize("after", [1, 5, 6, 19, 20, 21, 22, 30])
def test_a_fit_that_crashed_in_its_collapsed_passes_or_later_goes_on_with_the_same_bits(after, tmp_path):
    X, begun = corpus(), {"max_iter": 40, "learning_method": "batch", "init": "cvb0"}
    with pytest.raises(Crash):
        model(**begun).fit(X, checkpoint=Crashing(tmp_path / "fit", after))
    same_fit(model(**begun).fit(X, checkpoint=Checkpoint(tmp_path / "fit")), model(**begun).fit(X))


def test_the_final_record_of_a_collapsed_fit_is_gone_on_with(tmp_path):
    X, collapsed = corpus(), {"learning_method": "batch", "inference": "cvb0"}
    with pytest.raises(Crash):
        model(**collapsed).fit(X, checkpoint=Crashing(tmp_path / "fit", 4))  # 3 between 4 passes
    assert Checkpoint(tmp_path / "fit").begin()["stage"] == "final"
    same_fit(model(**collapsed).fit(X, checkpoint=Checkpoint(tmp_path / "fit")), model(**collapsed).fit(X))


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_passes_over_batches_whose_state_is_on_disk_are_not_kept(method, tmp_path):
    with pytest.raises(
        ValueError, match=f"learning_method='{method}' is not offered with a checkpoint where X comes in"
    ):
        model(learning_method=method).fit(in_batches(corpus()), checkpoint=Checkpoint(tmp_path / "fit"))


def test_a_fit_that_crashes_again_and_again_ends_with_the_same_bits(tmp_path):
    X, lda = in_batches(corpus()), None
    for _ in range(30):  # 23 states in all, of which each attempt makes three
        try:
            lda = model().fit(X, checkpoint=Crashing(tmp_path / "fit", 3))
            break
        except Crash:
            continue
    assert lda is not None
    same_fit(lda, model().fit(X))


def test_a_checkpoint_changes_no_bit_of_a_fit(tmp_path):
    X = corpus()
    same_fit(model().fit(X, checkpoint=Checkpoint(tmp_path / "fit", minutes=0)), model().fit(X))


def test_an_unseeded_fit_goes_on_from_its_own_start(tmp_path):
    X = in_batches(corpus())
    np.random.seed(5)  # noqa: NPY002  random_state=None draws from there
    expected = model(random_state=None).fit(X).components_.tobytes()
    np.random.seed(5)  # noqa: NPY002
    with pytest.raises(Crash):
        model(random_state=None).fit(X, checkpoint=Crashing(tmp_path / "fit", 7))
    np.random.seed(99)  # noqa: NPY002
    found = model(random_state=None).fit(X, checkpoint=Checkpoint(tmp_path / "fit"))
    assert found.components_.tobytes() == expected


def test_a_tolerance_that_was_reached_is_remembered(tmp_path):
    X, loose = in_batches(corpus()), {"max_iter": 50, "tol": 0.5}
    expected = model(**loose).fit(X)
    assert expected.converged_
    n_states = count_of_states(tmp_path, X, **loose)
    with pytest.raises(Crash):
        model(**loose).fit(X, checkpoint=Crashing(tmp_path / "fit", n_states))  # in the final record
    same_fit(model(**loose).fit(X, checkpoint=Checkpoint(tmp_path / "fit")), expected)


@pytest.mark.parametrize("n_jobs", [2])
def test_a_fit_may_go_on_with_another_number_of_threads(n_jobs, tmp_path):
    X = in_batches(corpus())
    with pytest.raises(Crash):
        model().fit(X, checkpoint=Crashing(tmp_path / "fit", 9))
    same_fit(model(n_jobs=n_jobs).fit(X, checkpoint=Checkpoint(tmp_path / "fit")), model().fit(X))


def test_a_warm_start_is_gone_on_from(tmp_path):
    X, other = in_batches(corpus()), in_batches(corpus(seed=1))
    with pytest.raises(Crash):
        model(warm_start=True).fit(X).fit(other, checkpoint=Crashing(tmp_path / "fit", 9))
    found = model(warm_start=True).fit(X).fit(other, checkpoint=Checkpoint(tmp_path / "fit"))
    same_fit(found, model(warm_start=True).fit(X).fit(other))


def test_a_cold_start_does_not_go_on_from_a_warm_one(tmp_path):
    with pytest.raises(Crash):
        model(warm_start=True).fit(corpus()).fit(corpus(), checkpoint=Crashing(tmp_path / "fit", 9))
    with pytest.raises(ValueError, match="which differs in the topics of the warm start"):
        model(warm_start=True).fit(corpus(), checkpoint=Checkpoint(tmp_path / "fit"))


# SIGKILL

SCRIPT = """
import os, random, signal, sys, time, warnings
import numpy as np
from scipy import sparse
from ldavi import LatentDirichletAllocation, io
from ldavi._core.random_bits import generator_state

warnings.simplefilter("ignore")
output, kept = sys.argv[1:]
X = sparse.csr_array(np.random.default_rng(0).poisson(0.4, (500, 300)))
batches = [X[i : i + 100] for i in range(0, 500, 100)]

def fit(checkpoint):
    lda = LatentDirichletAllocation(20, learning_method="online", batch_size=50, max_iter=3, tol=None, random_state=0)
    return lda.fit(batches, checkpoint=checkpoint)

started = time.perf_counter()
io.save(fit(None), output + ".expected")
seconds, kills = time.perf_counter() - started, 0
ended = False
while not ended:
    child = os.fork()  # a process that has imported everything
    if child == 0:
        io.save(fit(io.Checkpoint(kept, minutes=0)), output)
        os._exit(0)
    if kills < 5:
        while not os.path.exists(kept):
            time.sleep(0.001)
        time.sleep(random.uniform(0, seconds) if kills else 0)
        os.kill(child, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    ended, kills = not killed, kills + killed
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.slow
def test_a_fit_killed_at_random_moments_goes_on_with_the_same_bits(tmp_path):
    output, kept = tmp_path / "model.ldavi", tmp_path / "kept" / "fit"
    kept.parent.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(output), str(kept)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    same_fit(io.load(output), io.load(f"{output}.expected"))
    Checkpoint(kept).remove()
    assert list(kept.parent.iterdir()) == []
    cut_short = set(tmp_path.glob(".ldavi-*.tmp"))  # models whose writing a kill ended
    assert set(tmp_path.iterdir()) - cut_short == {output, Path(f"{output}.expected"), kept.parent}
    assert len(cut_short) <= int(done.stdout)


# What is refused


def kept_fit(tmp_path, **parameters):
    path = tmp_path / "fit"
    with pytest.raises(Crash):
        model(**parameters).fit(in_batches(corpus()), checkpoint=Crashing(path, 5))
    return path


@pytest.mark.parametrize(
    ("parameters", "X", "differs"),
    [
        ({"batch_size": 10}, corpus(), "batch_size"),
        ({"random_state": 1, "learning_decay": 0.6}, corpus(), "learning_decay, random_state"),
        ({}, corpus(seed=1), "X"),
        ({}, corpus()[:99], "X"),
        ({}, corpus()[:, :29], "X"),
        ({"doc_topic_prior": np.full(5, 0.2)}, corpus(), "doc_topic_prior"),
    ],
    ids=["a parameter", "two parameters", "the data", "fewer documents", "fewer words", "an array"],
)
def test_a_checkpoint_of_another_fit_is_refused_and_says_why(parameters, X, differs, tmp_path):
    path = kept_fit(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"is of another fit, which differs in {differs}: make the same call"):
        model(**parameters).fit(in_batches(X), checkpoint=Checkpoint(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("parameters", [{"n_init": 2}, {"validation_fraction": 0.2}])
def test_what_a_checkpoint_does_not_offer_is_said(parameters, tmp_path):
    with pytest.raises(ValueError, match=f"{next(iter(parameters))}.* is not offered with a checkpoint"):
        model(**parameters).fit(corpus(), checkpoint=Checkpoint(tmp_path / "fit"))


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"checkpoint='fit' must be None or an ldavi.io.Checkpoint"):
        model().fit(corpus(), checkpoint="fit")


@pytest.mark.parametrize("at", [0, 40, 200, 2000, -1])
def test_a_damaged_file_is_refused_and_stays(at, tmp_path):
    path = kept_fit(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"checkpoint='.*fit' cannot be read: .*; remove the file, or name another"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path))
    assert path.read_bytes() == data


def test_a_model_file_is_no_checkpoint(tmp_path):
    io.save(model().fit(corpus()), tmp_path / "fit")
    with pytest.raises(ValueError, match="it is not a checkpoint of ldavi"):
        model().fit(corpus(), checkpoint=Checkpoint(tmp_path / "fit"))


def test_a_later_format_is_refused(tmp_path, monkeypatch):
    from ldavi.io._models import checkpoint as module

    monkeypatch.setattr(module, "FORMAT_VERSION", 2)
    path = kept_fit(tmp_path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="format version 2"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path))


def test_a_folder_that_does_not_exist_is_said_before_the_fit_begins(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder of checkpoint="):
        model().fit(corpus(), checkpoint=Checkpoint(tmp_path / "nowhere" / "fit"))


@pytest.mark.parametrize(("minutes", "error"), [(-1, ValueError), ("ten", TypeError), (float("nan"), ValueError)])
def test_minutes_are_checked(minutes, error):
    with pytest.raises(error, match="minutes="):
        Checkpoint("fit", minutes=minutes)


# The file


def test_it_is_written_when_it_is_time_and_not_before(tmp_path):
    never = Crashing(tmp_path / "fit", after=None)
    never.minutes = 60.0
    model().fit(corpus(), checkpoint=never)
    assert never.n_saved == 0
    assert not never.path.exists()


def test_a_write_that_fails_leaves_the_state_before(tmp_path, monkeypatch):
    path = kept_fit(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(container.os, "fsync", lambda number: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path, minutes=0))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fit"]


def test_a_fit_in_a_pipeline_takes_its_checkpoint(tmp_path):
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(model())
    pipeline.fit(corpus(), latentdirichletallocation__checkpoint=Checkpoint(tmp_path / "fit", minutes=0))
    assert (tmp_path / "fit").exists()
