"""One self-contained page about a fitted model, for a browser without a network."""

from ldavi.report._write import write

__all__ = ["write"]
