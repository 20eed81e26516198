"""Report of a fitted model: one self-contained HTML page."""

from ldavi.report._write import write

__all__ = ["write"]
