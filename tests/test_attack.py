"""The attacks of tools/attack run, and find planted faults."""

import gzip
import importlib
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

import ldavi
from ldavi import LatentDirichletAllocation
from ldavi._estimator.validation import check_parameters

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.skipif(not (ROOT / "tools" / "attack").exists(), reason="needs the tools of a checkout"),
    pytest.mark.skipif(sys.platform != "linux", reason="attacks limit the memory of processes as Linux does"),
]


@pytest.fixture(autouse=True)
def checkout(monkeypatch):
    """Make the package `tools` of the checkout importable."""
    monkeypatch.syspath_prepend(str(ROOT))


def run(*arguments):
    command = [sys.executable, "-m", "tools.attack", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_errors_crashes_and_hangs_are_failures_that_can_be_repeated():
    done = run("planted", "--seed", "7")
    assert done.returncode == 1
    assert "passes 1, passes again 1" in done.stdout
    for index in (1, 2, 3, 4):
        assert f"python -m tools.attack planted --seed 7 --only {index}\n" in done.stdout + "\n"
    assert "index 1: ValueError: planted" in done.stderr
    assert "index 2: the process ended (-11)" in done.stderr
    assert "index 3: no end after 3 seconds" in done.stderr
    assert "index 4: the process ended (0)" in done.stderr


def test_an_attack_without_failures_ends_with_status_0():
    done = run("planted", "--number", "1")
    assert done.returncode == 0, done.stderr
    assert "repeat with" not in done.stdout


@pytest.mark.parametrize(("attack", "number"), [("fits", 8), ("kills", 3), ("disks", 5)])
def test_a_few_attempts_of_an_attack_pass(attack, number):
    module, function, _, _ = attacks()[attack]
    attempt = getattr(importlib.import_module(f"tools.attack.{module}"), function)
    for index in range(number):
        attempt(11, index, {"largest": 1000})


def test_the_parameters_of_random_fits_are_allowed():
    from tools.attack.problems import problem

    for index in range(300):
        check_parameters(LatentDirichletAllocation(**problem(0, index, largest=1000).parameters))


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "number"), [("corpora", 100), ("models", 50), ("memory", 5)])
def test_more_attempts_pass_in_a_process_of_their_own(attack, number):
    done = run(attack, "--number", str(number), "--seed", "11")
    assert done.returncode == 0, done.stdout + done.stderr


def attacks():
    from tools.attack.__main__ import ATTACKS

    return ATTACKS


def test_an_attempt_depends_on_its_seed_and_index_alone():
    from tools.attack.problems import problem

    a, b, other = problem(3, 5), problem(3, 5), problem(3, 6)
    assert repr(a.parameters) == repr(b.parameters) != repr(other.parameters)
    np.testing.assert_array_equal(a.dense, b.dense)


def simple_problem(**parameters):
    from tools.attack.problems import Problem

    dense = np.array([[2, 0, 1], [0, 1, 0], [1, 1, 0], [0, 3, 1]])
    usual = {"n_components": 2, "inference": "vb", "learning_method": "batch", "doc_topic_prior": 0.5}
    usual |= {"topic_word_prior": 0.3, "max_iter": 6, "tol": None, "dtype": "float64", "n_jobs": 1}
    usual |= {"init": np.array([[3.0, 1.0, 1.0], [1.0, 3.0, 2.0]])}
    return Problem(dense, dense.copy(), usual | parameters, "fit", None, np.random.default_rng(0))


def checks():
    from tools.attack import invariants

    return {check.__name__: check for check in (*invariants.ALWAYS, *invariants.SAMPLED)}


def checked(name, problem, model):
    checks()[name](problem, model)


def fitted(problem):
    from tools.attack.fitting import fit

    return fit(problem)


def not_a_number(problem, model):
    model.elbo_ = np.nan


def heavier_rows(problem, model):
    transform = model.transform
    model.transform = lambda X, **more: transform(X, **more) * 1.01


def lighter_words(problem, model):
    words = model.word_topics
    model.word_topics = lambda X: words(X) * 0.99


def a_lost_token(problem, model):
    problem.dense[0, 0] += 1


def a_falling_bound(problem, model):
    model.elbo_trace_ = model.elbo_trace_.copy()
    model.elbo_trace_["elbo"] = model.elbo_trace_["elbo"][::-1]


def a_positive_bound(problem, model):
    model.elbo_ = 1.0


def too_high_a_bound(problem, model):
    model.elbo_ = -0.5


def rows_that_share(problem, model):
    transform = model.transform
    model.transform = lambda X, **more: transform(X, **more) + 1e-12 * len(X)


def a_score_per_call(problem, model):
    score = model.score
    model.score = lambda X: score(X) + 1.0


def other_bits(problem, model):
    model.components_ = model.components_ * (1 + 1e-12)


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("values_are_finite", not_a_number),
        ("rows_sum_to_1", heavier_rows),
        ("statistics_sum_to_counts", lighter_words),
        ("statistics_sum_to_counts", a_lost_token),
        ("topics_contain_every_token", a_lost_token),
        ("the_elbo_never_decreases", a_falling_bound),
        ("the_elbo_is_at_most_0", a_positive_bound),
        ("the_elbo_is_below_the_evidence", too_high_a_bound),
        ("rows_are_independent", rows_that_share),
        ("scores_are_additive", a_score_per_call),
        ("the_form_of_x_does_not_matter", other_bits),
        ("threads_do_not_change_bits", other_bits),
        ("a_resumed_fit_has_the_same_bits", other_bits),
    ],
)
def test_an_invariant_holds_until_a_fault_is_planted(name, plant):
    problem = simple_problem()
    model = fitted(problem)
    checked(name, problem, model)
    plant(problem, model)
    with pytest.raises(AssertionError):
        checked(name, problem, model)


@pytest.mark.parametrize(
    "name",
    ["documents_may_be_permuted", "words_may_be_permuted", "topics_may_be_permuted", "weights_count_documents"],
)
def test_an_equivariance_holds_until_a_fit_depends_on_order(name, monkeypatch):
    from tools.attack import invariants

    problem = simple_problem()
    problem.sample_weight = np.array([1.0, 2.0, 0.0, 1.0])
    model = fitted(problem)
    checked(name, problem, model)
    fit, calls = invariants.fit, []

    def unequal(*arguments, **more):
        """Fit, and change the topics of the second call."""
        calls.append(1)
        found = fit(*arguments, **more)
        found.components_ = found.components_ * (1 + 1e-3 * len(calls))
        return found

    monkeypatch.setattr(invariants, "fit", unequal)
    with pytest.raises(AssertionError):
        checked(name, problem, model)


@pytest.mark.parametrize("name", ["a_file_holds_the_whole_model", "a_pickle_holds_the_whole_model"])
def test_a_copy_is_the_model_until_it_loses_a_bit(name, monkeypatch):
    from tools.attack import invariants

    problem = simple_problem()
    model = fitted(problem)
    checked(name, problem, model)
    module = invariants.io if "file" in name else invariants.pickle
    function = "load" if "file" in name else "loads"
    read = getattr(module, function)

    def damaged(*arguments, **more):
        found = read(*arguments, **more)
        found.components_ = found.components_ * (1 + 1e-12)
        return found

    monkeypatch.setattr(module, function, damaged)
    with pytest.raises(AssertionError):
        checked(name, problem, model)


def test_a_fit_that_changes_x_is_found(monkeypatch):
    from tools.attack import invariants

    problem = simple_problem()
    model = fitted(problem)
    checked("x_is_not_changed", problem, model)
    monkeypatch.setattr(invariants, "fit", lambda problem: problem.X.__setitem__((0, 0), 9))
    with pytest.raises(AssertionError):
        checked("x_is_not_changed", problem, model)


def refuses(error):
    def read(path):
        raise error

    return read


@pytest.mark.parametrize(
    "read",
    [refuses(ValueError("no name")), refuses(KeyError("some.txt")), refuses(MemoryError("some.txt"))],
    ids=["without a name", "of another kind", "out of memory"],
)
def test_a_wrong_refusal_is_found(read):
    from tools.attack.files import is_read_or_refused

    with pytest.raises((AssertionError, KeyError, MemoryError)):
        is_read_or_refused(Path("some.txt"), read)


def test_a_flood_of_warnings_is_found():
    from tools.attack.files import warnings_are_few

    def flood():
        with warnings_are_few():
            for number in range(10):
                warnings.warn(f"number {number}", stacklevel=1)

    with pytest.raises(AssertionError, match="10 warnings"):
        flood()


def test_damage_reaches_behind_checksums_and_compression():
    from tools.attack.mutation import damaged

    rng, content = np.random.default_rng(0), gzip.compress(b"one two three\n" * 20, mtime=0)
    mutants = [damaged(rng, content, [content]) for _ in range(60)]
    expanded = set()
    for mutant in mutants:
        try:
            expanded.add(gzip.decompress(mutant))
        except (OSError, EOFError, zlib.error):
            continue
    assert len(expanded) > 10


def test_damage_of_a_model_gets_a_right_checksum():
    from tools.attack import files
    from tools.attack.mutation import damaged

    rng, target = np.random.default_rng(0), files.models()[0]
    path = files.folder() / target.name
    messages = []
    for _ in range(40):
        path.write_bytes(damaged(rng, target.content, [target.content]))
        try:
            messages.append(str(ldavi.io.load(path)))
        except ValueError as error:
            messages.append(str(error))
    assert sum("checksum" not in message for message in messages) > 10


def test_a_writer_that_leaves_a_damaged_file_is_found(monkeypatch):
    from tools.attack import processes

    def bad_kill(folder, rng):
        path = folder / "file"

        def write():
            while True:
                path.write_bytes(b"begin")

        def check():
            assert path.read_bytes().endswith(b"end")

        return write, check

    monkeypatch.setattr(processes, "KILLS", {"bad": bad_kill})
    with pytest.raises(AssertionError):
        processes.attempt_kill(0, 0, {})


def test_a_writer_that_destroys_the_old_file_on_a_full_disk_is_found(monkeypatch):
    from tools.attack import resources

    def bad_writer(path):
        def write():
            with open(path, "wb") as file:
                file.write(b"x" * 100_000)

        return write

    monkeypatch.setattr(resources, "WRITERS", {"bad": bad_writer})
    with pytest.raises(AssertionError, match="has changed the old file"):
        [resources.attempt_disk(0, index, {}) for index in range(20)]
