"""Errors of the command line: messages, exit codes, pipes and terminals."""

import io as streams
import os
import re
import subprocess
import sys
from pathlib import Path

import cli_texts
import pytest

import ldavi
from ldavi import LatentDirichletAllocation
from ldavi.cli import _model_options, main
from ldavi.cli._options import Options
from ldavi.cli._progress import elapsed_time, progress_display
from ldavi.progress import ProgressDisplay

COMMANDS = ["fit", "topics", "transform", "evaluate", "effects", "sweep", "report", "convert", "demo", "info"]


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"ldavi {ldavi.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main([command, "--help"])
    assert exit.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: ldavi {command}")
    assert command == "demo" or len(re.findall(rf"^  (?:\w+ .*\| )?ldavi {command}", text, re.M)) >= 2


def test_help_names_every_command_and_every_exit_code(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(re.search(rf"^ +{command} +\S", text, re.M) for command in COMMANDS)
    assert all(re.search(rf"^  {code} +\S", text, re.M) for code in (0, 1, 2, 130))


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"],
        ["fit", "x", "-k", "0"],
        ["fit", "x", "--min-df", "1.5"],
        ["fit", "x", "--ngrams", "2,1"],
        ["fit", "x", "--format", "doc"],
        ["sweep", "x", "-k", "2,x"],
        ["topics", "x", "--json", "--csv"],
    ],
    ids=" ".join,
)
def test_invalid_arguments_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ldavi")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "{}/none.txt"],
        ["topics", "{}/none.txt"],
        ["transform", "{}/none.txt", "x"],
        ["evaluate", "{}/none.txt", "x"],
        ["sweep", "{}/none.txt", "-k", "2"],
        ["convert", "{}/none.txt", "{}/x.npz"],
        ["convert", "{}/none.txt", "{}/x.csv"],
        ["info", "{}/none.txt"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_missing_file_is_one_line_that_names_it(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ldavi.selection", sys)
    assert main([argument.format(tmp_path) for argument in arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ldavi {arguments[0]}: error: {tmp_path}/none.txt: there is no such ")


def test_a_missing_output_folder_is_an_error_before_the_fit(tmp_path, capsys):
    posts = str(cli_texts.write_posts(tmp_path))
    for option in ("-o", "--report", "--checkpoint"):
        assert main(["fit", posts, option, str(tmp_path / "none" / "x")]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "the folder of this file does not exist" in line
    assert main(["fit", posts, "-o", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("option", "value"), [("--eta", "often"), ("--alpha", "-1"), ("--learning-method", "x"), ("--inference", "x")]
)
def test_a_parameter_that_the_estimator_refuses_is_named_as_the_option(option, value, tmp_path, capsys):
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), option, value]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ldavi fit: error: {option} ")


def test_an_error_in_a_file_is_reported_with_its_line(tmp_path, capsys):
    (tmp_path / "bad.uci").write_text("2\n3\n2\n1 1 4\n2 9 1\n")
    assert main(["fit", str(tmp_path / "bad.uci")]) == 1
    assert "bad.uci, line 5: word 9 is not one of 1 to 3" in capsys.readouterr().err


def test_an_error_in_standard_input_names_it(tmp_path, capsys, monkeypatch):
    (tmp_path / "bad").write_text("2\n3\n2\n1 1 4\n2 9 1\n")
    with (tmp_path / "bad").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["fit", "-"]) == 1
    assert "ldavi fit: error: standard input, line 5: word 9" in capsys.readouterr().err


def test_a_file_that_is_no_model_file_is_refused(tmp_path, capsys):
    assert main(["topics", str(cli_texts.write_posts(tmp_path))]) == 1
    assert "it is not a model file of ldavi" in capsys.readouterr().err


def test_counting_options_for_counts_exit_with_2(tmp_path, capsys):
    posts = cli_texts.write_posts(tmp_path)
    main(["convert", str(posts), str(tmp_path / "c.npz"), "-q"])
    assert main(["fit", str(tmp_path / "c.npz"), "--min-df", "3"]) == 2
    assert "--min-df applies to texts" in capsys.readouterr().err


def test_an_empty_vocabulary_names_the_options_to_change(tmp_path, capsys):
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "--min-df", "1.0", "--max-df", "1.0"]) == 1
    assert "set --min-df lower or --max-df higher" in capsys.readouterr().err


def test_verbose_shows_the_traceback_of_an_error(tmp_path, capsys):
    assert main(["fit", str(tmp_path / "none"), "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


# Pipes and terminals


def process(*arguments, **more):
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path} | more.pop("environment", {})
    command = [sys.executable, "-m", "ldavi", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(tmp_path):
    model, _ = cli_texts.fit(tmp_path)
    with process("topics", model, "--csv", "-n", "30") as run:
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 0


@pytest.mark.slow
def test_a_terminal_that_lacks_a_letter_gets_an_escape(tmp_path):
    posts = tmp_path / "p.txt"
    posts.write_text("".join(f"ωμέγα naïve {'δέλτα' if i % 2 else 'über'}\n" for i in range(10)), encoding="utf-8")
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    out, error = process("fit", posts, "-k", "2", environment=environment).communicate(timeout=60)
    assert b"Traceback" not in error
    assert b"na\\xefve" in out


class Terminal(streams.StringIO):
    def isatty(self):
        return True


def watched(monkeypatch):
    """Make standard error a terminal. This is no fixture, since pytest restores its stream between set-up and test."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("ldavi.cli._progress.INTERVAL", 0.0)
    return screen


def without_tqdm(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("option", "parameter"),
    [
        ("-k", "n_components"),
        ("--inference", "inference"),
        ("--learning-method", "learning_method"),
        ("--passes", "max_iter"),
        ("--alpha", "doc_topic_prior"),
        ("--eta", "topic_word_prior"),
        ("--batch-size", "batch_size"),
        ("--tol", "tol"),
    ],
)
def test_help_of_fit_has_the_defaults_of_the_estimator(option, parameter, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    entry = " ".join(re.split(rf"\n  {option}\b", capsys.readouterr().out)[1].split("\n  -")[0].split())
    default = (LatentDirichletAllocation().get_params() | _model_options.DEFAULTS)[parameter]
    stated = re.search(r"default: ([\w.-]+\d|\w+)", entry)[1]
    assert (float(stated) if isinstance(default, (int, float)) else stated) == default


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_progress_is_shown_on_a_terminal_after_the_delay(monkeypatch, has_tqdm):
    terminal = watched(monkeypatch)
    if has_tqdm:
        pytest.importorskip("tqdm")
    else:
        without_tqdm(monkeypatch)
    monkeypatch.setattr("ldavi.cli._progress.DELAY", 0.0)
    with progress_display(Options(), "fitting", "pass", 4) as display:
        display.advance()
        display.advance(1, "perplexity 12.0")
        shown = terminal.getvalue()
    assert "fitting" in shown
    assert ("/4" if has_tqdm else "pass 2 of 4, perplexity 12.0") in shown


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_progress_of_a_quick_step_is_not_shown(monkeypatch, has_tqdm):
    terminal = watched(monkeypatch)
    if has_tqdm:
        pytest.importorskip("tqdm")
    else:
        without_tqdm(monkeypatch)
    with progress_display(Options(), "fitting", "pass", 4) as display, elapsed_time(Options(), "reading"):
        display.advance(4)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("options", [Options(quiet=True), Options(verbose=True)])
def test_progress_is_not_shown_with_quiet_and_verbose(monkeypatch, options):
    terminal = watched(monkeypatch)
    monkeypatch.setattr("ldavi.cli._progress.DELAY", 0.0)
    with progress_display(options, "fitting", "pass", 4) as display, elapsed_time(options, "reading"):
        display.advance(4)
    assert terminal.getvalue() == ""


def test_progress_is_not_shown_without_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("ldavi.cli._progress.DELAY", 0.0)
    with progress_display(Options(), "fitting", "pass", 4) as display, elapsed_time(Options(), "reading"):
        display.advance(4)
    assert capsys.readouterr().err == ""


def test_a_line_has_the_time_that_is_left():
    display = ProgressDisplay("fit", "pass", 100, initial=10, use_tqdm=False)
    display.done = 30
    assert display._line(10.0, "perplexity 9") == "fit: pass 30 of 100, perplexity 9, 10.0 s, 0:35 left"


def test_a_line_without_a_total_only_counts():
    display = ProgressDisplay("words", "document", use_tqdm=False)
    display.done = 5000
    assert display._line(2.0, "") == "words: document 5,000, 2.0 s"
