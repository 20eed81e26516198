"""The command `ldavi`: what a terminal can ask for. Its pages are in docs/cli.md."""

from ldavi.cli._main import main

__all__ = ["main"]
