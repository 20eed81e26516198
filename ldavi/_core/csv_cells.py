"""Cells of CSV files, which spreadsheets may run as formulas. The command line imports this without numpy."""

from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def csv_cell(value: Any) -> Any:
    """Return a cell of CSV, with an apostrophe before a text that spreadsheets would run as a formula.

    Numbers stay numbers, also those in texts, such as the name "-1" of a document.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return f"'{value}" if "_" in value or value != value.strip() else value
