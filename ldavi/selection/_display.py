"""A sweep as text for a terminal and as a table for a notebook."""

import html
from typing import Any

import numpy as np

MEASURES = {
    "perplexity": ("perplexity", "{:,.1f}"),
    "gap": ("nats below the best", "{:.4f}"),
    "coherence": ("coherence", "{:.3f}"),
    "diversity": ("diversity", "{:.3f}"),
    "stability": ("stability", "{:.3f}"),
    "seconds": ("seconds", "{:,.1f}"),
}
ROWS = 20  # of the text and of the table; more are left out in the middle
CELL = "text-align:right;padding:0.1em 0.8em 0.1em 0"


def text_of(sweep: Any) -> str:
    """Return the title, a row for each number of topics, and the recommendation."""
    rows = rows_of(sweep)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([title_of(sweep), *lines, *recommendation_of(sweep)[:1]])


def html_of(sweep: Any) -> str:
    """Return the title, a table with the row of the recommended number in bold, and the reason."""
    advice = recommendation_of(sweep)
    chosen = advice[1] if advice else ""
    body = []
    for i, row in enumerate(rows_of(sweep)):
        tag = "td" if i else "th"
        weight = ";font-weight:bold" if i and row[0] == chosen else ""
        cells = "".join(f'<{tag} style="{CELL}{weight}">{html.escape(cell)}</{tag}>' for cell in row)
        body.append(f"<tr>{cells}</tr>")
    reason = f"<p>{html.escape(advice[2])}</p>" if advice else ""
    return f"<div><b>{html.escape(title_of(sweep))}</b><table>{''.join(body)}</table>{reason}</div>"


def title_of(sweep: Any) -> str:
    """Return what was fitted and scored."""
    numbers = [str(k) for k in sweep.n_components]
    listed = ", ".join(numbers if len(numbers) <= 8 else [*numbers[:4], "…", *numbers[-2:]])
    return f"Sweep over {listed} topics: {len(sweep.fits)} fits, {len(sweep.document_tokens):,} held-out documents"


def recommendation_of(sweep: Any) -> tuple[str, ...]:
    """Return the recommendation as a line, the number and the reason; nothing if there is none."""
    try:
        found = sweep.recommend()
    except ValueError:
        return ()
    edge = "; it is at the edge of the grid" if found.at_edge else ""
    line = f"recommended: {found.n_components} topics, by the rule of one standard error{edge}"
    return line, str(found.n_components), found.reason


def rows_of(sweep: Any) -> list[list[str]]:
    """Return the head and the cells of the table; nothing if the sweep has no table."""
    if sweep.table is None:
        return []
    names = getattr(sweep.table, "columns", None)
    known = set(sweep.table.dtype.names if names is None else names)
    shown = {name: form for name, form in MEASURES.items() if name in known and not _is_unknown(sweep.table[name])}
    columns = [["topics", *(str(k) for k in sweep.n_components)]]
    for name, (head, form) in shown.items():
        columns.append([head, *(_formatted(form, value) for value in np.asarray(sweep.table[name], dtype=float))])
    rows = [list(row) for row in zip(*columns, strict=True)]
    if len(rows) > ROWS + 1:
        half = ROWS // 2
        rows = [*rows[: half + 1], ["…"] * len(rows[0]), *rows[-half:]]
    return rows


def _is_unknown(values: Any) -> bool:
    return bool(np.isnan(np.asarray(values, dtype=float)).all())


def _formatted(form: str, value: float) -> str:
    return form.format(value) if np.isfinite(value) else ("∞" if value > 0 else "–")
