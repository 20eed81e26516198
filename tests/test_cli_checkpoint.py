"""Checkpoints of `ldavi fit`: a fit that is killed or interrupted continues and ends with the same bits."""

import io as standard_io
import os
import re
import signal
import subprocess
import sys
import types
from pathlib import Path

import cli_texts
import numpy as np
import pytest

import ldavi
from ldavi import LatentDirichletAllocation, io
from ldavi.cli import _fit_command, _model_options, _signals, main


# A program that runs `ldavi` and kills its own process after some states of the checkpoint were saved.
@pytest.fixture(autouse=True)
def heeded_hangups():
    """Restore the default of SIGHUP for a test and the processes it starts; under `nohup` they would ignore it."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


KILLED = """
import os, signal, sys
from ldavi import io
from ldavi.cli import _model_options, main

save, n_left = io.Checkpoint.save, int(sys.argv[1])
_model_options.STREAM_STEP = 40

def save_and_die(self, state):
    global n_left
    save(self, state)
    n_left -= 1
    if n_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

io.Checkpoint.save = save_and_die
sys.exit(main(sys.argv[2:]))
"""


def with_options(arguments, more):
    """Return the arguments with more options, in place of those with the same names."""
    kept, more = list(arguments), list(more)
    for option, value in zip(more, [*more[1:], "-"], strict=False):
        if option.startswith("-") and option in kept:
            at = kept.index(option)
            del kept[at : at + (1 if value.startswith("-") else 2)]
    return [*kept, *more]


@pytest.fixture
def posts(tmp_path):
    return cli_texts.write_posts(tmp_path, 100)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Three steps in a pass over 100 documents."""
    monkeypatch.setattr(_model_options, "STREAM_STEP", 40)


def run_and_kill(n_saved, arguments):
    """Run the command in a process that ends itself with SIGKILL after `n_saved` states."""
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", KILLED, str(n_saved), *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)


def same_bits(first, second):
    """Compare the models of two files: topics, priors and the trace but its seconds."""
    first, second = io.load(first), io.load(second)
    for name in ("components_", "doc_topic_prior_", "topic_word_prior_", "n_iter_", "converged_", "elbo_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    for name in first.elbo_trace_.dtype.names:
        if name != "seconds":
            np.testing.assert_array_equal(first.elbo_trace_[name], second.elbo_trace_[name], err_msg=name)


# A kill

IN_MEMORY = {
    "batch": [],
    "memoized": ["--learning-method", "memoized"],
    "online": ["--learning-method", "online", "--batch-size", "16", "--tol", "0"],
    "restarts": ["--restarts", "2"],
    "cvb0": ["--inference", "cvb0"],
    "cvb0 online": ["--inference", "cvb0", "--learning-method", "online", "--batch-size", "16", "--tol", "0"],
}
STREAMED = {
    "stream": ["--stream"],
    "stream cvb0": ["--stream", "--inference", "cvb0"],
    "stream batch": ["--stream", "--learning-method", "batch"],
    "stream memoized": ["--stream", "--learning-method", "memoized"],
    "stream collapsed": ["--stream", "--learning-method", "batch", "--inference", "cvb0"],
}
KINDS = IN_MEMORY | STREAMED


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
@pytest.mark.parametrize("n_saved", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_that_was_killed_continues_with_the_same_bits(tmp_path, posts, kind, n_saved):
    model, checkpoint = tmp_path / "model.ldavi", tmp_path / "fit.checkpoint"
    common = ["fit", str(posts), "-k", "3", "--passes", "12", "--jobs", "1", "-q"]
    common = with_options(common, KINDS[kind])
    arguments = [*common, "-o", str(model), "--checkpoint", str(checkpoint), "--checkpoint-minutes", "0"]
    run = run_and_kill(n_saved, arguments)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert not model.exists()
    assert main(arguments) == 0
    assert main([*common, "-o", str(tmp_path / "whole.ldavi")]) == 0
    same_bits(model, tmp_path / "whole.ldavi")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
def test_a_killed_fit_leaves_a_checkpoint_that_is_removed_with_the_saved_model(tmp_path, posts):
    model, checkpoint = tmp_path / "model.ldavi", tmp_path / "fit.checkpoint"
    arguments = ["fit", str(posts), "-k", "3", "--passes", "4", "-q", "-o", str(model)]
    arguments += ["--checkpoint", str(checkpoint), "--checkpoint-minutes", "0"]
    assert run_and_kill(1, arguments).returncode == -signal.SIGKILL
    assert checkpoint.exists()
    assert main(arguments) == 0
    assert model.exists()
    assert not checkpoint.exists()


# The file


def killed_in_process(monkeypatch, arguments, n_saved=2):
    """Run the command until `n_saved` states are saved, as a kill would end it: nothing is tidied up."""

    class Killed(BaseException):
        pass

    save, states = io.Checkpoint.save, []

    def save_and_end(self, state):
        save(self, state)
        states.append(state)
        if len(states) == n_saved:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(io.Checkpoint, "save", save_and_end)
        with pytest.raises(Killed):
            main(arguments)


@pytest.fixture
def killed(tmp_path, posts, monkeypatch):
    """The arguments of a fit that was killed, and its checkpoint."""
    checkpoint = tmp_path / "fit.checkpoint"
    arguments = ["fit", str(posts), "-k", "3", "--passes", "5", "--tol", "0", "-q"]
    arguments += ["--checkpoint", str(checkpoint), "--checkpoint-minutes", "0"]
    killed_in_process(monkeypatch, arguments)
    return arguments, checkpoint


def test_a_checkpoint_stays_if_the_model_is_not_saved(killed):
    arguments, checkpoint = killed
    assert main(arguments) == 0
    assert checkpoint.exists()


def test_a_checkpoint_stays_if_the_model_cannot_be_saved(killed, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    arguments, checkpoint = killed
    monkeypatch.setattr("ldavi.io.save", fail)
    assert main([*arguments, "-o", str(tmp_path / "m.ldavi")]) == 1
    assert checkpoint.exists()


def test_a_fit_without_a_checkpoint_leaves_no_file(tmp_path, posts):
    assert main(["fit", str(posts), "-k", "3", "-q", "-o", str(tmp_path / "m.ldavi")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.ldavi", "posts.txt"]


def test_a_fit_without_a_checkpoint_ignores_one_of_another_fit(tmp_path, posts, killed):
    _, checkpoint = killed
    checkpoint.rename(tmp_path / "m.ldavi.checkpoint")
    assert main(["fit", str(posts), "-k", "4", "-q", "-o", str(tmp_path / "m.ldavi")]) == 0
    assert (tmp_path / "m.ldavi.checkpoint").exists()


def test_the_fit_says_that_it_continues(killed, capsys):
    arguments, checkpoint = killed
    arguments.remove("-q")
    assert main(arguments) == 0
    assert f"continuing from {checkpoint}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--alpha", "0.3"], "--alpha"),
        (["--eta", "0.3"], "--eta"),
        (["-k", "4"], "--topics"),
        (["--seed", "7"], "--seed"),
        (["--passes", "9"], "--passes"),
        (["--tol", "0.5"], "--tol"),
        (["--learning-method", "memoized"], "--learning-method"),
        (["--max-features", "9"], "the documents (INPUT, or an option by which they are read or counted)"),
        (["--stream"], "--learning-method"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_checkpoint_of_other_options_is_refused_by_their_names(killed, capsys, more, named):
    arguments, checkpoint = killed
    assert main(with_options(arguments, more)) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"ldavi fit: error: --checkpoint {checkpoint} belongs to a fit that differs in ")
    assert named in error
    assert checkpoint.exists()


def test_options_without_effect_on_the_model_may_change(killed, tmp_path):
    arguments, _ = killed
    arguments[arguments.index("--checkpoint-minutes") + 1] = "20"
    arguments = [argument for argument in arguments if argument != "-q"]
    changes = ["--jobs", "2", "-v", "-o", str(tmp_path / "m.ldavi")]
    assert main(with_options(arguments, changes)) == 0


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, posts, capsys):
    path = tmp_path / "thesis.txt"
    path.write_text("my thesis")
    assert main(["fit", str(posts), "-k", "3", "-q", "--checkpoint", str(path)]) == 1
    assert f"error: --checkpoint {path} cannot be read" in capsys.readouterr().err
    assert path.read_text() == "my thesis"


def test_resume_continues_from_a_checkpoint(killed, tmp_path):
    arguments, checkpoint = killed
    common, resumed, whole = arguments[: arguments.index("--checkpoint")], tmp_path / "m.ldavi", tmp_path / "w.ldavi"
    assert main([*common, "--resume", str(checkpoint), "-o", str(resumed)]) == 0
    assert main([*common, "-o", str(whole)]) == 0
    same_bits(resumed, whole)
    assert not checkpoint.exists()


def test_resume_of_a_missing_file_is_an_error(tmp_path, posts, capsys):
    assert main(["fit", str(posts), "--resume", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"ldavi fit: error: {tmp_path / 'none'}: there is no such checkpoint\n"


def test_resume_and_checkpoint_name_the_same_file(killed, tmp_path, capsys):
    arguments, checkpoint = killed
    arguments[arguments.index(str(checkpoint))] = str(tmp_path / "other")
    assert main([*arguments, "--resume", str(checkpoint)]) == 2
    assert "name two files" in capsys.readouterr().err


# An interrupt


class Interrupt(_fit_command.FitProgress):
    """Sends a signal in a pass, as Ctrl-C does."""

    at, number, times = 3, signal.SIGINT, 1

    def __call__(self, record):
        super().__call__(record)
        if record.iteration == self.at:
            for _ in range(self.times):
                signal.raise_signal(self.number)


def interrupt(monkeypatch, posts, model, *more, **how):
    """Run a fit that is interrupted."""
    arguments = ["fit", str(posts), "-k", "3", "-o", str(model), "--tol", "0", "--passes", "9", "--jobs", "1"]
    arguments = with_options(arguments, more)
    with monkeypatch.context() as patch:
        patch.setattr(_fit_command, "FitProgress", type("Once", (Interrupt,), how))
        assert main(arguments) == 128 + how.get("number", Interrupt.number)
    return arguments


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_fit_continues_by_the_command_in_its_message(tmp_path, posts, monkeypatch, capsys, kind):
    model, whole = tmp_path / "m.ldavi", tmp_path / "whole.ldavi"
    arguments = interrupt(monkeypatch, posts, model, *KINDS[kind])
    assert not model.exists()
    command = re.search(r"^  ldavi (.*)$", capsys.readouterr().err, re.M)[1].split()
    assert command == [*arguments, "--checkpoint", f"{model}.checkpoint"]
    assert main(command) == 0
    assert not Path(f"{model}.checkpoint").exists()
    arguments[arguments.index(str(model))] = str(whole)
    assert main(arguments) == 0
    same_bits(model, whole)


def test_a_fit_that_is_interrupted_in_its_second_start_continues(tmp_path, posts, monkeypatch, capsys):
    class InSecondStart(Interrupt):
        def __call__(self, record):
            self.at = 3 if self._start == 2 else 0
            super().__call__(record)

    seeds = tmp_path / "seeds.txt"
    seeds.write_text("pets: cat, dog\nmoney: bond\n")
    model, whole = tmp_path / "m.ldavi", tmp_path / "whole.ldavi"
    common = [
        "fit",
        str(posts),
        "-k",
        "3",
        "--restarts",
        "3",
        "--seed-words",
        str(seeds),
        "--jobs",
        "1",
        "--passes",
        "9",
    ]
    with monkeypatch.context() as patch:
        patch.setattr(_fit_command, "FitProgress", InSecondStart)
        assert main([*common, "-o", str(model)]) == 130
    command = re.search(r"^  ldavi (.*)$", capsys.readouterr().err, re.M)[1].split()
    assert main(command) == 0
    assert main([*common, "-o", str(whole)]) == 0
    same_bits(model, whole)
    assert io.load(model).topic_names_.tolist() == ["pets", "money", ""]


def test_the_message_of_an_interrupt_says_what_standard_input_needs(tmp_path, posts, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=standard_io.BytesIO(posts.read_bytes())))
    interrupt(monkeypatch, "-", tmp_path / "m.ldavi")
    assert "with this command and the same documents on standard input:" in capsys.readouterr().err


@pytest.mark.parametrize("number", _signals.ENDING)
def test_signals_that_end_a_process_save_the_fit_too(tmp_path, posts, monkeypatch, capsys, number):
    checkpoint = tmp_path / "fit.checkpoint"
    interrupt(monkeypatch, posts, tmp_path / "m.ldavi", "--checkpoint", str(checkpoint), number=number)
    assert checkpoint.exists()
    assert f"ldavi fit: ended by {number.name}: the fit is saved in {checkpoint}" in capsys.readouterr().err


@pytest.mark.parametrize("number", _signals.ENDING)
def test_signals_that_end_a_process_keep_the_finished_fits_of_a_sweep(tmp_path, posts, monkeypatch, capsys, number):
    def sweep(*_, **__):
        signal.raise_signal(number)

    monkeypatch.setattr("ldavi.selection.sweep", sweep)
    kept = tmp_path / "fits"
    assert main(["sweep", str(posts), "-k", "2", "--keep", str(kept)]) == 128 + number
    assert f"ended by {number.name}: finished fits are in {kept}" in capsys.readouterr().err


@pytest.mark.parametrize("number", _signals.ENDING)
def test_a_signal_that_the_process_ignores_stays_ignored(tmp_path, posts, monkeypatch, number):
    former = signal.signal(number, signal.SIG_IGN)
    try:
        arguments = ["fit", str(posts), "-k", "3", "--passes", "5", "--jobs", "1", "--tol", "0"]
        with monkeypatch.context() as patch:
            patch.setattr(_fit_command, "FitProgress", type("Once", (Interrupt,), {"number": number}))
            assert main(arguments) == 0
    finally:
        signal.signal(number, former)


def test_an_interrupt_of_a_fit_with_a_checkpoint_writes_that_file(tmp_path, posts, monkeypatch, capsys):
    checkpoint = tmp_path / "fit.checkpoint"
    arguments = interrupt(monkeypatch, posts, tmp_path / "m.ldavi", "--checkpoint", str(checkpoint))
    assert checkpoint.exists()
    assert f"the fit is saved in {checkpoint}, after pass " in (error := capsys.readouterr().err)
    assert re.search(r"^  ldavi (.*)$", error, re.M)[1].split() == arguments


def test_a_second_interrupt_ends_the_fit_at_once(tmp_path, posts, monkeypatch, capsys):
    interrupt(monkeypatch, posts, tmp_path / "m.ldavi", times=2)
    assert "interrupted: nothing is saved" in capsys.readouterr().err
    assert not (tmp_path / "m.ldavi.checkpoint").exists()


def test_the_handlers_of_signals_are_restored(tmp_path, posts, monkeypatch):
    numbers = (signal.SIGINT, *_signals.ENDING)
    former = [signal.getsignal(number) for number in numbers]
    interrupt(monkeypatch, posts, tmp_path / "m.ldavi")
    assert [signal.getsignal(number) for number in numbers] == former


def test_an_interrupt_before_the_first_pass_saves_nothing(tmp_path, posts, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(LatentDirichletAllocation, "fit", stop)
    assert main(["fit", str(posts), "-o", str(tmp_path / "m.ldavi")]) == 130
    assert "nothing is saved" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, *_signals.ENDING])
def test_a_signal_ends_the_process_with_128_plus_its_number_and_a_checkpoint(tmp_path, number):
    posts = cli_texts.write_posts(tmp_path, 3000)
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    arguments = ["fit", str(posts), "-k", "50", "--tol", "0", "--passes", "100000", "-v", "--checkpoint", "fit.ckpt"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ldavi", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("pass  12"):
            process.send_signal(number)
            break
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number, error
    assert "Traceback" not in error
    assert "--checkpoint fit.ckpt" in error
    assert (tmp_path / "fit.ckpt").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_a_terminal_that_is_closed_leaves_a_checkpoint(tmp_path):
    posts = cli_texts.write_posts(tmp_path, 3000)
    import pty

    arguments = ["fit", str(posts), "-k", "50", "--tol", "0", "--passes", "100000", "-v", "--checkpoint", "fit.ckpt"]
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.environ["PYTHONPATH"] = place
        os.execv(sys.executable, [sys.executable, "-m", "ldavi", *arguments])
    output = b""
    while b"pass  12" not in output:
        output += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 128 + signal.SIGHUP
    assert (tmp_path / "fit.ckpt").exists()
