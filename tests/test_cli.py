"""The command `ldavi`: information, help and invalid arguments."""

import re

import pytest

import ldavi
from ldavi.cli import main


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
