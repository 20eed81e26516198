"""Checkpoints: an interrupted fit of any kind resumes to the bits of a fit that was never interrupted."""

import copy
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from ldavi import LatentDirichletAllocation, io
from ldavi._core.random_bits import generator_state
from ldavi._estimator import checkpointing, settings
from ldavi.io import Checkpoint
from ldavi.io._models import container

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROOT = Path(__file__).parents[1]
TRACE = (
    "iteration",
    "elbo",
    "word",
    "doc_topic",
    "topic_word",
    "perplexity",
    "n_inner_iter",
    "predictive",
    "validation",
)
ATTRIBUTES = (
    "doc_topic_prior_",
    "topic_word_prior_",
    "elbo_",
    "n_iter_",
    "n_batch_iter_",
    "n_samples_seen_",
    "converged_",
)


@pytest.fixture(autouse=True)
def skip_fsync(monkeypatch):
    """Save time: no test here simulates a loss of power."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


def corpus(n_docs=60, n_words=30, seed=0):
    return sparse.csr_array(np.random.default_rng(seed).poisson(0.4, (n_docs, n_words)))


def in_batches(X, size=40):
    return [X[first : first + size] for first in range(0, X.shape[0], size)]


def in_memory(X):
    return X


def model(**parameters):
    defaults = {"batch_size": 20, "max_iter": 4, "random_state": 0, "tol": None}
    return LatentDirichletAllocation(5, **defaults | {"learning_method": "online", "n_collapsed_iter": 0} | parameters)


def same_fit(one, other):
    """Assert that two fits have the same bits everywhere but in the seconds."""
    assert one.components_.tobytes() == other.components_.tobytes()
    assert one.elbo_trace_["phase"].tolist() == other.elbo_trace_["phase"].tolist()
    for name in TRACE:
        np.testing.assert_array_equal(one.elbo_trace_[name], other.elbo_trace_[name])
    for name in ATTRIBUTES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert generator_state(one.random_state_)[0].tobytes() == generator_state(other.random_state_)[0].tobytes()


class CheckpointInMemory:
    """A checkpoint without a file: stores a copy of each saved state, as if the fit could crash after any of them."""

    def __init__(self, state=None):
        self.state, self.saved = state, []

    def begin(self):
        return copy.deepcopy(self.state)

    def due(self):
        return True

    def save(self, state):
        self.saved.append(copy.deepcopy(state))


class Crash(BaseException):
    """Ends a fit as a crash would: nothing remains but the file."""


class Crashing(Checkpoint):
    """Saves every state, and crashes after one of them."""

    def __init__(self, path, after):
        super().__init__(path, minutes=0)
        self.after, self.n_saved = after, 0

    def save(self, state):
        super().save(state)
        self.n_saved += 1
        if self.n_saved == self.after:
            raise Crash


# The same bits for every kind of fit


WEIGHT = np.arange(60) / 8
BATCH, MEMOIZED = (
    {"learning_method": method, "max_iter": 18, "n_collapsed_iter": 0} for method in ("batch", "memoized")
)
CVB0 = {"learning_method": "batch", "inference": "cvb0", "max_iter": 16}
PART = {"n_collapsed_iter": 6, "max_iter": 2}
ON_PART = {"VB warm-up of a part", "CVB0 of a part", "online VB", "exact bound"}
IN_MEMORY = {  # parameters, and the phases in which the fit is saved
    "batch": (BATCH, {"batch VB"}),
    "batch, random": (BATCH | {"init": "random"}, {"batch VB"}),
    "batch, float64": (BATCH | {"dtype": "float64"}, {"batch VB"}),
    "batch, point estimates": (BATCH | {"topic_word_prior": 0.0}, {"batch VB"}),
    "batch, weights": (BATCH | {"sample_weight": WEIGHT}, {"batch VB"}),
    "batch, restarts": (BATCH | {"n_init": 2, "max_iter": 8}, {"batch VB"}),
    "batch, validation": (BATCH | {"validation_fraction": 0.2, "max_iter": 22}, {"batch VB"}),
    "batch, validation and restarts": (
        BATCH | {"validation_fraction": 0.2, "n_init": 2, "n_iter_no_change": 1, "init": "random"},
        {"batch VB"},
    ),
    "memoized": (MEMOIZED, {"memoized VB"}),
    "memoized, float64": (MEMOIZED | {"dtype": "float64"}, {"memoized VB"}),
    "memoized, weights": (MEMOIZED | {"sample_weight": WEIGHT}, {"memoized VB"}),
    "memoized, restarts": (MEMOIZED | {"n_init": 2, "max_iter": 6}, {"memoized VB"}),
    "online": ({}, {"online VB", "exact bound"}),
    "online, one pass": ({"max_iter": 1}, {"online VB", "exact bound"}),
    "online, float64": ({"dtype": "float64", "topic_word_prior": 0.1}, {"online VB", "exact bound"}),
    "online, point estimates": ({"topic_word_prior": 0.0}, {"online VB", "exact bound"}),
    "online, weights": ({"sample_weight": WEIGHT}, {"online VB", "exact bound"}),
    "online, restarts": ({"n_init": 2, "max_iter": 2}, {"online VB", "exact bound"}),
    "online, learned priors": ({"batch_size": 5, "max_iter": 3}, {"online VB", "exact bound"}),
    "online, validation": ({"validation_fraction": 0.2, "max_iter": 11}, {"online VB", "exact bound"}),
    "online cvb0": ({"inference": "cvb0"}, {"online VB", "exact bound"}),
    "online after a part": (PART, ON_PART),
    "online after a part, random": (PART | {"init": "random"}, ON_PART - {"VB warm-up of a part"}),
    "online after a part, restarts": (PART | {"n_init": 2}, ON_PART),
    "online after a part, weights": (PART | {"sample_weight": WEIGHT, "inference": "cvb0"}, ON_PART),
    "cvb0": (CVB0, {"VB warm-up", "CVB0", "exact bound"}),
    "cvb0, random": (CVB0 | {"init": "random"}, {"CVB0", "exact bound"}),
    "cvb0, float64": (CVB0 | {"dtype": "float64"}, {"VB warm-up", "CVB0", "exact bound"}),
    "cvb0, weights": (CVB0 | {"sample_weight": WEIGHT}, {"VB warm-up", "CVB0", "exact bound"}),
    "cvb0, restarts": (CVB0 | {"n_init": 2, "max_iter": 8}, {"VB warm-up", "CVB0", "exact bound"}),
    "cvb0, validation": (CVB0 | {"validation_fraction": 0.2}, {"VB warm-up", "CVB0", "exact bound"}),
    "collapsed, then VB": (BATCH | {"n_collapsed_iter": 15, "max_iter": 24}, {"VB warm-up", "CVB0", "batch VB"}),
    "collapsed, then VB, restarts": (
        BATCH | {"n_collapsed_iter": 15, "n_init": 2, "max_iter": 8},
        {"VB warm-up", "CVB0", "batch VB"},
    ),
}
IN_BATCHES = {
    "batch": (BATCH, {"batch VB"}),
    "batch, float64": (BATCH | {"dtype": "float64"}, {"batch VB"}),
    "batch, restarts": (BATCH | {"n_init": 2, "max_iter": 6}, {"batch VB"}),
    "memoized": (MEMOIZED, {"memoized VB"}),
    "memoized, restarts": (MEMOIZED | {"n_init": 2, "max_iter": 6}, {"memoized VB"}),
    "online": ({}, {"online VB", "exact bound"}),
    "online, point estimates": ({"topic_word_prior": 0.0}, {"online VB", "exact bound"}),
    "online, restarts": ({"n_init": 2, "max_iter": 2}, {"online VB", "exact bound"}),
    "online cvb0": ({"inference": "cvb0"}, {"online VB", "exact bound"}),
    "online after a part": (PART, ON_PART),
    "cvb0": (CVB0, {"VB warm-up", "CVB0", "exact bound"}),
    "cvb0, random": (CVB0 | {"init": "random", "max_iter": 25}, {"CVB0", "exact bound"}),
    "cvb0, restarts": (CVB0 | {"n_init": 2, "max_iter": 8}, {"VB warm-up", "CVB0", "exact bound"}),
    "collapsed, then VB": (BATCH | {"n_collapsed_iter": 15, "max_iter": 24}, {"VB warm-up", "CVB0", "batch VB"}),
}


def resumes_from_every_state(X, parameters, phases):
    """Assert that a fit resumes from each of its saved states to the bits of the fit without a checkpoint."""
    parameters = dict(parameters)
    weight, checkpoint = parameters.pop("sample_weight", None), CheckpointInMemory()
    expected = model(**parameters).fit(X, sample_weight=weight)
    same_fit(model(**parameters).fit(X, sample_weight=weight, checkpoint=checkpoint), expected)
    assert {state["phase"] for state in checkpoint.saved} == phases
    assert {state["restart"] for state in checkpoint.saved} == set(range(parameters.get("n_init", 1)))
    for state in checkpoint.saved:
        resumed = model(**parameters).fit(X, sample_weight=weight, checkpoint=CheckpointInMemory(state))
        same_fit(resumed, expected)


@pytest.mark.parametrize(("parameters", "phases"), IN_MEMORY.values(), ids=IN_MEMORY)
def test_a_fit_in_memory_resumes_from_any_state_to_the_same_bits(parameters, phases):
    resumes_from_every_state(corpus(), parameters, phases)


@pytest.mark.parametrize(("parameters", "phases"), IN_BATCHES.values(), ids=IN_BATCHES)
def test_a_fit_of_batches_resumes_from_any_state_to_the_same_bits(parameters, phases):
    resumes_from_every_state(in_batches(corpus()), parameters, phases)


def test_a_collapsed_fit_after_many_vb_passes_resumes_from_any_state_to_the_same_bits(monkeypatch):
    """With many tokens, VB passes precede collapsed ones from random topics too, and learn priors."""
    monkeypatch.setattr(settings, "MANY_TOKENS", 0)
    parameters = CVB0 | {"init": "random", "max_iter": 40}
    resumes_from_every_state(corpus(), parameters, {"VB warm-up", "CVB0", "exact bound"})


def test_the_exact_bound_is_resumed_within_the_corpus(monkeypatch):
    monkeypatch.setattr("ldavi._inference.exact_bound.MAX_DOCUMENTS", 20)
    checkpoint = CheckpointInMemory()
    model().fit(corpus(), checkpoint=checkpoint)
    evaluated = [state["state"]["sums"]["n_docs"] for state in checkpoint.saved if state["phase"] == "exact bound"]
    assert evaluated[:3] == [20, 40, 60]
    resumes_from_every_state(corpus(), {}, {"online VB", "exact bound"})


def test_the_third_restart_may_be_interrupted_repeatedly():
    parameters = BATCH | {"n_init": 3, "max_iter": 6, "init": "random"}
    expected, state = model(**parameters).fit(corpus()), None
    for index in (10, 1, 0, 0):  # of the saved state to resume from; each restart saves five
        checkpoint = CheckpointInMemory(state)
        same_fit(model(**parameters).fit(corpus(), checkpoint=checkpoint), expected)
        state = checkpoint.saved[index]
        assert state["restart"] == 2


def test_states_of_a_validated_fit_hold_the_best_topics():
    checkpoint = CheckpointInMemory()
    model(**BATCH | {"validation_fraction": 0.2}).fit(corpus(), checkpoint=checkpoint)
    assert [state["best"] is not None for state in checkpoint.saved] == [False] * 4 + [True] * 13


# Crashes, with the state in a file


@pytest.mark.parametrize("cut", [in_memory, in_batches])
@pytest.mark.parametrize("parameters", [{}, BATCH, MEMOIZED], ids=["online", "batch", "memoized"])
def test_a_fit_that_crashed_resumes_from_its_file_to_the_same_bits(parameters, cut, tmp_path):
    X = cut(corpus())
    expected = model(**parameters).fit(X)
    for after in (1, 7, 12):
        path = tmp_path / str(after)
        with pytest.raises(Crash):
            model(**parameters).fit(X, checkpoint=Crashing(path, after))
        same_fit(model(**parameters).fit(X, checkpoint=Checkpoint(path)), expected)


@pytest.mark.parametrize("after", [1, 6, 8, 9, 10, 16])
def test_a_fit_of_several_phases_that_crashed_resumes_from_its_file_to_the_same_bits(after, tmp_path):
    for number, parameters in enumerate(
        (CVB0, BATCH | {"n_collapsed_iter": 15, "n_init": 2, "validation_fraction": 0.2})
    ):
        path = tmp_path / str(number)
        with pytest.raises(Crash):
            model(**parameters).fit(corpus(), checkpoint=Crashing(path, after))
        expected = model(**parameters).fit(corpus())
        same_fit(model(**parameters).fit(corpus(), checkpoint=Checkpoint(path)), expected)


def test_a_fit_that_crashes_repeatedly_ends_with_the_same_bits(tmp_path):
    X, lda = in_batches(corpus(100)), None
    for _ in range(30):  # 23 states in all; each attempt saves three
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


def test_a_fit_without_a_seed_resumes_with_the_random_state_of_its_start(tmp_path):
    X = in_batches(corpus())
    np.random.seed(5)  # noqa: NPY002  random_state=None uses the global generator
    expected = model(random_state=None).fit(X).components_.tobytes()
    np.random.seed(5)  # noqa: NPY002
    with pytest.raises(Crash):
        model(random_state=None).fit(X, checkpoint=Crashing(tmp_path / "fit", 7))
    np.random.seed(99)  # noqa: NPY002
    found = model(random_state=None).fit(X, checkpoint=Checkpoint(tmp_path / "fit"))
    assert found.components_.tobytes() == expected


def test_a_fit_that_had_converged_has_converged_after_resuming():
    X, loose, checkpoint = in_batches(corpus()), {"max_iter": 50, "tol": 0.5}, CheckpointInMemory()
    expected = model(**loose).fit(X, checkpoint=checkpoint)
    assert expected.converged_
    last = checkpoint.saved[-1]
    assert last["phase"] == "exact bound"
    same_fit(model(**loose).fit(X, checkpoint=CheckpointInMemory(last)), expected)


def test_a_fit_that_a_callback_had_stopped_has_been_stopped_after_resuming():
    X, checkpoint = in_batches(corpus()), CheckpointInMemory()
    stopped = {"max_iter": 50, "tol": 0.0, "callbacks": lambda record: record.iteration == 2}
    expected = model(**stopped).fit(X, checkpoint=checkpoint)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fit that seems to have run out of passes warns
        same_fit(model(**stopped).fit(X, checkpoint=CheckpointInMemory(checkpoint.saved[-1])), expected)


@pytest.mark.parametrize("n_jobs", [2])
def test_a_fit_may_resume_with_another_number_of_threads(n_jobs):
    X, checkpoint = in_batches(corpus()), CheckpointInMemory()
    expected = model().fit(X, checkpoint=checkpoint)
    same_fit(model(n_jobs=n_jobs).fit(X, checkpoint=CheckpointInMemory(checkpoint.saved[8])), expected)


@pytest.mark.parametrize("method", ["online", "batch", "memoized"])
def test_a_warm_start_resumes_to_the_same_bits(method):
    X, other, checkpoint = in_batches(corpus()), in_batches(corpus(seed=1)), CheckpointInMemory()
    parameters = {"warm_start": True, "learning_method": method}
    expected = model(**parameters).fit(X).fit(other, checkpoint=checkpoint)
    for state in checkpoint.saved:
        same_fit(model(**parameters).fit(X).fit(other, checkpoint=CheckpointInMemory(state)), expected)


def test_a_cold_start_does_not_resume_a_warm_one():
    checkpoint = CheckpointInMemory()
    model(warm_start=True).fit(corpus()).fit(corpus(), checkpoint=checkpoint)
    with pytest.raises(ValueError, match="which differs in the topics of warm_start=True"):
        model(warm_start=True).fit(corpus(), checkpoint=CheckpointInMemory(checkpoint.saved[8]))


# SIGKILL

SCRIPT = """
import os, random, signal, sys, time, warnings
import numpy as np
from scipy import sparse
from ldavi import LatentDirichletAllocation, io
from ldavi._core.random_bits import generator_state

warnings.simplefilter("ignore")
output, checkpoint_path = sys.argv[1:]
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
        io.save(fit(io.Checkpoint(checkpoint_path, minutes=0)), output)
        os._exit(0)
    if kills < 5:
        while not os.path.exists(checkpoint_path):
            time.sleep(0.001)
        time.sleep(random.uniform(0, seconds) if kills else 0)
        os.kill(child, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    ended, kills = not killed, kills + killed
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.slow
def test_a_fit_killed_at_random_times_resumes_to_the_same_bits(tmp_path):
    output, path = tmp_path / "model.ldavi", tmp_path / "checkpoints" / "fit"
    path.parent.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(output), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    same_fit(io.load(output), io.load(f"{output}.expected"))
    Checkpoint(path).remove()
    assert list(path.parent.iterdir()) == []
    incomplete = set(tmp_path.glob(".ldavi-*.tmp"))  # models that were being written when the process was killed
    assert set(tmp_path.iterdir()) - incomplete == {output, Path(f"{output}.expected"), path.parent}
    assert len(incomplete) <= int(done.stdout)


# Checkpoints that are refused


def interrupted_fit(tmp_path, **parameters):
    path = tmp_path / "fit"
    with pytest.raises(Crash):
        model(**parameters).fit(in_batches(corpus()), checkpoint=Crashing(path, 5))
    return path


@pytest.mark.parametrize("method", ["online", "batch", "memoized"])
@pytest.mark.parametrize(
    ("parameters", "X", "differs"),
    [
        ({"batch_size": 10}, corpus(), "batch_size"),
        ({"random_state": 1, "learning_decay": 0.6}, corpus(), "learning_decay, random_state"),
        ({}, corpus(seed=1), "X"),
        ({}, corpus()[:59], "X"),
        ({}, corpus()[:, :29], "X"),
        ({"doc_topic_prior": np.full(5, 0.2)}, corpus(), "doc_topic_prior"),
        ({"n_init": 2}, corpus(), "n_init"),
    ],
    ids=["a parameter", "two parameters", "the data", "fewer documents", "fewer words", "an array", "restarts"],
)
def test_a_checkpoint_of_another_fit_is_refused_with_the_differences(method, parameters, X, differs, tmp_path):
    path = interrupted_fit(tmp_path, learning_method=method, max_iter=9)
    before = path.read_bytes()
    lda = model(learning_method=method, max_iter=9, **parameters)
    with pytest.raises(ValueError, match=f"belongs to another fit, which differs in {differs}: repeat the call"):
        lda.fit(in_batches(X), checkpoint=Checkpoint(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("parameters", "weight", "differs"),
    [
        ({"init": "random"}, WEIGHT, "init"),
        ({}, None, "X"),
        ({"validation_fraction": 0.3}, WEIGHT, "validation_fraction"),
    ],
    ids=["init", "weights", "validation"],
)
def test_a_checkpoint_of_another_fit_in_memory_is_refused(parameters, weight, differs):
    collapsed, checkpoint = CVB0 | {"validation_fraction": 0.2}, CheckpointInMemory()
    model(**collapsed).fit(corpus(), sample_weight=WEIGHT, checkpoint=checkpoint)
    for state in (checkpoint.saved[0], checkpoint.saved[9], checkpoint.saved[-1]):
        with pytest.raises(ValueError, match=f"belongs to another fit, which differs in {differs}: repeat the call"):
            model(**collapsed | parameters).fit(corpus(), sample_weight=weight, checkpoint=CheckpointInMemory(state))


def test_a_checkpoint_of_a_version_with_other_passes_is_refused(monkeypatch):
    checkpoint = CheckpointInMemory()
    model().fit(corpus(), checkpoint=checkpoint)
    monkeypatch.setattr(checkpointing, "PASSES_VERSION", "99")
    with pytest.raises(ValueError, match="differs in the version of ldavi that wrote it"):
        model().fit(corpus(), checkpoint=CheckpointInMemory(checkpoint.saved[3]))


def test_a_checkpoint_that_does_not_state_its_version_is_refused():
    checkpoint = CheckpointInMemory()
    model().fit(corpus(), checkpoint=checkpoint)
    state = checkpoint.saved[3]
    del state["fit"]["the version of ldavi that wrote it"]
    with pytest.raises(ValueError, match="differs in the version of ldavi that wrote it"):
        model().fit(corpus(), checkpoint=CheckpointInMemory(state))


class UnreadableLater:
    """Batches whose first one can be read, and the others only as long as `works`."""

    def __init__(self, batches):
        self.batches, self.works = batches, True

    def __iter__(self):
        yield self.batches[0]
        if not self.works:
            raise ValueError("the connection was lost")
        yield from self.batches[1:]


@pytest.mark.parametrize("parameters", [{"inference": "cvb0"}, {"n_collapsed_iter": 2, "max_iter": 8}])
def test_an_error_while_batches_are_read_is_not_blamed_on_the_checkpoint(parameters):
    X, checkpoint = UnreadableLater(in_batches(corpus())), CheckpointInMemory()
    batch = {"learning_method": "batch"} | parameters
    model(**batch).fit(X, checkpoint=checkpoint)
    X.works = False
    for state in checkpoint.saved:
        with pytest.raises(ValueError, match=r"^the connection was lost"):
            model(**batch).fit(X, checkpoint=CheckpointInMemory(state))


def test_an_object_that_is_not_a_checkpoint_is_refused():
    with pytest.raises(TypeError, match=r"checkpoint='fit' must be None or an ldavi.io.Checkpoint"):
        model().fit(corpus(), checkpoint="fit")


@pytest.mark.parametrize("at", [0, 40, 200, 2000, -1])
def test_a_damaged_file_is_refused_and_left_unchanged(at, tmp_path):
    path = interrupted_fit(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"checkpoint='.*fit' cannot be read: .*; remove the file, or name another"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path))
    assert path.read_bytes() == data


def test_a_model_file_is_refused(tmp_path):
    io.save(model().fit(corpus()), tmp_path / "fit")
    with pytest.raises(ValueError, match="it is not a checkpoint of ldavi"):
        model().fit(corpus(), checkpoint=Checkpoint(tmp_path / "fit"))


def test_a_later_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[Checkpoint.__module__], "FORMAT_VERSION", 99)
    path = interrupted_fit(tmp_path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="format version 99"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path))


def test_a_missing_folder_is_refused_before_the_fit_begins(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder of checkpoint="):
        model().fit(corpus(), checkpoint=Checkpoint(tmp_path / "missing" / "fit"))


@pytest.mark.parametrize(("minutes", "error"), [(-1, ValueError), ("ten", TypeError), (float("nan"), ValueError)])
def test_minutes_are_checked(minutes, error):
    with pytest.raises(error, match="minutes="):
        Checkpoint("fit", minutes=minutes)


# The file


def test_a_checkpoint_is_not_written_before_it_is_due(tmp_path):
    never = Crashing(tmp_path / "fit", after=None)
    never.minutes = 60.0
    model().fit(corpus(), checkpoint=never)
    assert never.n_saved == 0
    assert not never.path.exists()


def test_a_failed_write_leaves_the_previous_state(tmp_path, monkeypatch):
    path = interrupted_fit(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        model().fit(in_batches(corpus()), checkpoint=Checkpoint(path, minutes=0))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fit"]


def test_a_pipeline_passes_a_checkpoint_to_its_last_step(tmp_path):
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(model())
    pipeline.fit(corpus(), latentdirichletallocation__checkpoint=Checkpoint(tmp_path / "fit", minutes=0))
    assert (tmp_path / "fit").exists()


@pytest.mark.parametrize("state", ["true", "7", "null", '["x"]'])
def test_a_state_of_another_kind_is_an_error_that_names_the_file(state, tmp_path):
    path = tmp_path / "fit.checkpoint"
    checkpoint = io.Checkpoint(path)
    checkpoint.save({})
    with open(path, "rb") as file:
        strings = container.read_header(file).strings
    strings = {name: value for name, value in strings.items() if name != "checksum"}
    container.write(path, {}, strings | {"state": state})
    with pytest.raises(ValueError, match=r"fit.checkpoint.* cannot be read"):
        checkpoint.begin()
