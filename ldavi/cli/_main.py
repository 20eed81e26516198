"""The command `ldavi`: its parser, and the handling of errors, interrupts and closed pipes."""

import argparse
import importlib
import os
import shlex
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ldavi._version import __version__
from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._signals import signals_as_exceptions
from ldavi.cli._text import visible

DESCRIPTION = """\
Topics of texts: latent Dirichlet allocation by variational inference.

  ldavi fit posts.txt -k 20 -o model.ldavi --report report.html

reads the texts, counts their words, learns 20 topics, saves the model and writes a report. The other commands use the
model: they print its topics, compute the topics of documents and evaluate it.
"""
EPILOG = """\
exit codes:
  0    success (also if the reader of a pipe closed it)
  1    an error in a file or in a value; the message names the file, and the line if there is one
  2    the command line is not valid
  130  interrupted (Ctrl-C); the message says where the fit is saved
  143  the same, by the signal SIGTERM; 129 by SIGHUP (128 plus the number of the signal)

`ldavi COMMAND --help` describes a command, with examples.
"""

COMMANDS = {
    "fit": "learn topics, save the model, write a report",
    "topics": "the words and the size of each topic",
    "documents": "the documents that are most about a topic",
    "names": "show or change the names of topics",
    "merge": "merge topics, or find similar ones",
    "compare": "match the topics of two models",
    "transform": "topic proportions of documents",
    "evaluate": "held-out perplexity, coherence, diversity",
    "effects": "effects of columns of a table on topics",
    "sweep": "fit several numbers of topics and recommend one",
    "report": "an HTML page about a model and documents",
    "convert": "convert models and corpora between formats",
    "demo": "fit topics to the docstrings of numpy, scipy and scikit-learn",
    "info": "versions and the instruction set in use, or the content of a model file",
    "help": "this list, or the options of a command: ldavi help fit",
}


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all commands, and the options of the command that the arguments name."""
    top = argparse.ArgumentParser(
        prog="ldavi", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("-V", "--version", action="version", version=f"ldavi {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command", title="commands")
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == named:
            importlib.import_module(f"ldavi.cli._parsers.{name}").add(commands)
        else:  # its options are not needed
            commands.add_parser(name, help=summary, add_help=False)
    return top


def with_help(arguments: list[str]) -> list[str]:
    """Return "help fit" as "fit --help", and "help" as "--help"."""
    if arguments[:1] != ["help"]:
        return arguments
    if len(arguments) > 2:
        print(f"ldavi help: error: {arguments[2]}: help describes one command: ldavi help fit", file=sys.stderr)
        raise SystemExit(2)
    return [*(argument for argument in arguments[1:2] if argument != "help"), "--help"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The arguments after `ldavi`; None takes those of the command line.

    Returns
    -------
    code : int
        The exit code: 0 success, 1 an error in a file or a value, 2 options that contradict each other, 130
        interrupted, 128 + n ended by signal n.

    Raises
    ------
    SystemExit
        With code 2 if the arguments are not valid, 0 after `--help` and `--version`.
    """
    _escape_missing_letters()
    arguments = with_help(list(sys.argv[1:] if arguments is None else arguments))
    if not arguments:
        parser([]).print_help(sys.stderr)
        raise SystemExit(2)
    options = parser(arguments).parse_args(arguments)
    options.arguments = arguments
    try:
        with _short_warnings(options), signals_as_exceptions():
            importlib.import_module("ldavi.cli._without_effect").check_options(options)
            code: int = importlib.import_module(f"ldavi.cli._{options.command}_command").run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        return 0
    except (KeyboardInterrupt, UsageError, ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        return _report_error(options, error)
    return code


def _report_error(options: argparse.Namespace, error: BaseException) -> int:
    """Write the message of an error and return the exit code."""
    command = f"ldavi {options.command}"
    if isinstance(error, KeyboardInterrupt):
        number = signal.Signals(getattr(error, "number", signal.SIGINT))
        what = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
        note = f": {error}" if error.args else ""
        print(visible(f"\n{command}: {what}{note}", keep="\n"), file=sys.stderr)
        return 128 + number
    if isinstance(error, UsageError):
        print(f"usage: {command} …: see `{command} --help`", file=sys.stderr)
        print(visible(f"{command}: error: {error}", keep="\n"), file=sys.stderr)
        return 2
    if getattr(options, "verbose", False):
        traceback.print_exception(error)
    print(visible(f"{command}: error: {_describe(error)}", keep="\n"), file=sys.stderr)
    return 1


def _escape_missing_letters() -> None:
    """Have streams write an escape for a letter that their encoding lacks, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            with suppress(ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")


def _describe(error: BaseException) -> str:
    """Return one line that names the file."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror or error}"
    if isinstance(error, ValueError):
        from ldavi.io._counting.recipe import UntrustedPatternError  # not at the top: help needs no libraries

        if isinstance(error, UntrustedPatternError):
            return f"{error.problem}add --token-pattern {shlex.quote(error.pattern)}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); fit with --stream, or with fewer words (--max-features)"
    is_of_library = isinstance(error, (ValueError, TypeError))
    return (in_options(str(error)) if is_of_library else str(error)) or type(error).__name__


@contextmanager
def _short_warnings(options: argparse.Namespace) -> Iterator[None]:
    """Show each warning for users as one line, without its place in the source."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if not getattr(options, "quiet", False):
            start = "\r\x1b[2K" if sys.stderr.isatty() else ""  # over a progress bar
            note = visible(in_options(str(message)), keep="\n")
            print(f"{start}ldavi {options.command}: note: {note}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = show
        yield


def _discard_stdout() -> None:
    """Discard buffered output that has no reader, so that the interpreter reports no error when it exits."""
    with suppress(ValueError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
