"""The command `ldavi`: information, help and invalid arguments."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ldavi
from ldavi.cli import main
from ldavi.cli._main import COMMANDS


def test_info_prints_the_version_and_the_instruction_set(capsys):
    assert main(["info"]) == 0
    output = capsys.readouterr().out
    assert re.search(rf"^ +ldavi  {re.escape(ldavi.__version__)}$", output, re.M)
    assert re.search(r"^ +instruction set  \w+$", output, re.M)


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], [], ["demo", "--topics", "many"]], ids=["unknown", "none", "not a number"]
)
def test_invalid_arguments_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ldavi")


def test_the_error_of_an_unknown_command_names_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["no-such-command"])
    error = capsys.readouterr().err
    assert "no-such-command" in error
    assert "demo" in error
    assert "info" in error


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    output = capsys.readouterr().out
    assert stopped.value.code == 0
    assert re.search(r"^ +demo +\S", output, re.M)
    assert re.search(r"^ +info +\S", output, re.M)


def test_the_command_alone_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert re.search(r"^ +fit +learn topics", capsys.readouterr().err, re.M)


def test_help_is_a_command(capsys):
    for arguments in (["help"], ["help", "help"], ["--help"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 0
        assert re.search(r"^ +fit +learn topics", capsys.readouterr().out, re.M)
    with pytest.raises(SystemExit):
        main(["help", "sweep"])
    assert capsys.readouterr().out.startswith("usage: ldavi sweep")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_and_version_import_no_library(arguments):
    place = str(Path(ldavi.__file__).resolve().parent.parent)
    block = f"import sys; sys.path[:0] = [{place!r}]\nfrom ldavi.cli import main\n"
    block += f"try: main({arguments!r})\nexcept SystemExit: pass\n"
    block += "assert not {'numpy', 'scipy', 'sklearn'} & set(sys.modules)"
    run = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
