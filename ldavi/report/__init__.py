"""Report of a fitted model: one self-contained HTML page."""

from ldavi.report._write import Page, show, write

__all__ = ["Page", "show", "write"]
