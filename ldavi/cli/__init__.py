"""The command `ldavi`; docs/cli.md describes it.

The modules `_*_command` are the commands, each with its parser and a function `run`. The others are shared by them.
"""

from ldavi.cli._main import main

__all__ = ["main"]
