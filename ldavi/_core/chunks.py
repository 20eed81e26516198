"""Chunk sizes: how many rows a loop handles at once, so that its temporary arrays stay small."""

from collections.abc import Iterator


def chunks(n_rows: int, size: int) -> Iterator[slice]:
    """Yield consecutive slices of at most `size` rows that cover `n_rows` rows.

    Parameters
    ----------
    n_rows : int
    size : int
        Rows per slice, at least 1.
    """
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def rows_within(max_entries: int, row_length: int) -> int:
    """Return how many rows of `row_length` entries fit into `max_entries` entries; at least one."""
    return max(1, max_entries // max(1, row_length))
