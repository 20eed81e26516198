"""The command itself: its parser, and what becomes of errors, signals and closed pipes."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ldavi import __version__
from ldavi.cli import _convert, _demo, _evaluate, _fit, _info, _report, _sweep, _topics, _transform
from ldavi.cli._errors import UsageError, in_options

DESCRIPTION = """\
Topics of texts: latent Dirichlet allocation by variational inference.

  ldavi fit posts.txt -k 20 -o model.ldavi --report report.html

reads the texts, counts their words, learns 20 topics, keeps the model and writes a page to look at. The other commands
ask the model: what its topics are, which of them a document has, how good they are.
"""
EPILOG = """\
exit codes:
  0    done (also where the reader of a pipe has left)
  1    something is wrong with a file, or with what was asked of it; the message names the file, and the line if there is one
  2    the command line cannot be understood
  130  interrupted (Ctrl-C); what was learned so far is kept where the message says

`ldavi COMMAND --help` describes a command, with examples.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    top = argparse.ArgumentParser(
        prog="ldavi", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("-V", "--version", action="version", version=f"ldavi {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command", title="commands")
    for module in (_fit, _topics, _transform, _evaluate, _sweep, _report, _convert, _demo, _info):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        What follows `ldavi` on the command line; None takes it from there.

    Returns
    -------
    code : int
        The exit code: 0 done, 1 an error in the data or in their use, 130 interrupted.

    Raises
    ------
    SystemExit
        With code 2 if the arguments cannot be understood, 0 after `--help` and `--version`.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter shows its escape in place of a traceback
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            with suppress(ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")
    top = parser()
    options = top.parse_args(arguments)
    options.arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _short_warnings(options):
            code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except KeyboardInterrupt as interrupt:
        note = f": {interrupt}" if interrupt.args else ""
        print(f"\nldavi {options.command}: interrupted{note}", file=sys.stderr)
        return 130
    except UsageError as error:
        print(f"usage: ldavi {options.command} …: see `ldavi {options.command} --help`", file=sys.stderr)
        print(f"ldavi {options.command}: error: {error}", file=sys.stderr)
        return 2
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        if getattr(options, "verbose", False):
            traceback.print_exc()
        print(f"ldavi {options.command}: error: {_described(error)}", file=sys.stderr)
        return 1
    return code


def _described(error: BaseException) -> str:
    """One line that names the file."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); fit with --stream, or keep fewer words (--max-features)"
    return (in_options(str(error)) if isinstance(error, ValueError) else str(error)) or type(error).__name__


@contextmanager
def _short_warnings(options: argparse.Namespace) -> Iterator[None]:
    """Warnings meant for users as one line each, without the place in the source."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if not getattr(options, "quiet", False):
            start = "\r\x1b[2K" if sys.stderr.isatty() else ""  # over a bar that may stand there
            print(f"{start}ldavi {options.command}: note: {in_options(str(message))}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = show
        yield


def _give_up_stdout() -> None:
    """Nobody reads what is left in the buffer; without this the interpreter would complain of it at its end."""
    with suppress(ValueError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
