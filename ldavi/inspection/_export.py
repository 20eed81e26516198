"""Tables of this package for pandas, polars, CSV and Excel."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.atomic_write import atomic_write
from ldavi._core.csv_cells import csv_cell
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Matrix, Names
from ldavi._estimator.posterior import posterior_of
from ldavi.inspection._documents import document_names_of, fit_tokens, representative_documents, topic_sizes
from ldavi.inspection._similar import nearest_topics
from ldavi.inspection._words import top_words

EXCEL_ROWS, EXCEL_CELL, SHEET_NAME = 2**20 - 1, 32767, 31  # the limits of Excel; a row is the header
NOT_IN_NAMES = set("[]:*?/\\'\"<>|")


def to_pandas(rows: Any) -> Any:
    """Convert a table of this package to a pandas DataFrame.

    Parameters
    ----------
    rows : DataFrame or structured array
        A table.

    Returns
    -------
    frame : pandas.DataFrame
        The table itself, if it is one.

    Raises
    ------
    ImportError
        If pandas is not installed.
    TypeError
        If `rows` is not a table.

    Examples
    --------
    >>> from ldavi.inspection import to_pandas, top_words
    >>> to_pandas(top_words([[3, 1], [1, 9]], 1))["word"].tolist()
    ['x0', 'x1']
    """
    import pandas as pd

    return rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(_columns_of("rows", rows))


def to_polars(rows: Any) -> Any:
    """Convert a table of this package to a polars DataFrame.

    Parameters
    ----------
    rows : DataFrame or structured array
        A table.

    Returns
    -------
    frame : polars.DataFrame

    Raises
    ------
    ImportError
        If polars is not installed.
    TypeError
        If `rows` is not a table.

    Examples
    --------
    >>> from ldavi.inspection import to_polars, top_words
    >>> to_polars(top_words([[3, 1], [1, 9]], 1))["word"].to_list()  # doctest: +SKIP
    ['x0', 'x1']
    """
    try:
        import polars as pl
    except ImportError as error:
        raise ImportError("to_polars requires polars: python -m pip install polars") from error
    columns = _columns_of("rows", rows)
    return pl.DataFrame(
        {name: column.tolist() if column.dtype == object else column for name, column in columns.items()}
    )


def write_tables(tables: Any, path: str | os.PathLike[str]) -> None:
    """Write tables to an Excel workbook, a CSV file, or a folder of CSV files.

    A text that a spreadsheet would run as a formula, such as "=1+1", is written as text: in CSV with an apostrophe
    before it. Files are written whole or not at all.

    Parameters
    ----------
    tables : DataFrame, structured array, or dict of them
        A table, or tables by name, such as those of :func:`all_tables`.
    path : str or path-like
        With the suffix .xlsx, a workbook with a sheet for each table (extra `excel`); with .csv, a file for a single
        table; without a suffix, a folder that gets a file NAME.csv for each table, and is created if it does not exist.

    Raises
    ------
    ValueError, TypeError
        If the suffix is another one, a table is not a table, a name cannot be that of a sheet and a file, or a table is
        too large for a sheet (1,048,575 rows). Nothing is written then.
    ImportError
        If the workbook needs XlsxWriter, and it is not installed.

    Examples
    --------
    >>> from ldavi.inspection import all_tables, write_tables
    >>> write_tables(all_tables(lda, X), "topics.xlsx")  # doctest: +SKIP
    """
    named = tables if isinstance(tables, Mapping) else {"table": tables}
    if not named:
        raise ValueError("tables holds no table; pass at least one")
    parts = {_checked_name(name): _columns_of(f"tables[{name!r}]", rows) for name, rows in named.items()}
    suffix = Path(path).suffix.lower()
    if suffix == ".xlsx":
        _write_workbook(path, parts)
    elif suffix == ".csv":
        if len(parts) > 1:
            raise ValueError(
                f"path={str(path)!r} names one CSV file, but there are {len(parts)} tables. "
                "Name a folder, without suffix, or an .xlsx file."
            )
        _write_csv(path, next(iter(parts.values())))
    elif suffix == "":
        Path(path).mkdir(exist_ok=True)
        for name, columns in parts.items():
            _write_csv(Path(path, f"{name}.csv"), columns)
    else:
        raise ValueError(f"path={str(path)!r} must end in .xlsx or .csv, or have no suffix: a folder of CSV files")


def all_tables(
    model: ModelOrTopics,
    X: Matrix | None = None,
    *,
    n_words: int = 10,
    n_documents: int = 5,
    doc_topic_prior: float | ArrayLike | None = None,
    feature_names: Names | None = None,
    document_names: ArrayLike | None = None,
) -> dict[str, Any]:
    """Compute the usual tables about a model, and about documents, by name.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts of documents. None leaves their tables out.
    n_words : int, default=10
        Number of words per topic.
    n_documents : int, default=5
        Number of representative documents per topic.
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those that the model was fitted with, else "x0", "x1", ….
    document_names : array-like of shape (n_docs,), or None, default=None
        Names of the documents; None numbers them from 0.

    Returns
    -------
    tables : dict of str to DataFrame, or structured array without pandas
        top_words, nearest_topics and, of documents or of the fit, topic_sizes; with X also representative_documents and
        document_topics, with a row for each document and topic and the columns document, topic and proportion E[θ_dk].

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X is not counts of the topics' words.

    Examples
    --------
    >>> from ldavi.inspection import all_tables
    >>> sorted(all_tables([[3, 1, 0], [0, 1, 9]], [[6, 2, 0], [0, 0, 2]]))
    ['document_topics', 'nearest_topics', 'representative_documents', 'top_words', 'topic_sizes']
    """
    tables = {"top_words": top_words(model, n_words, feature_names=feature_names)}
    if X is not None or fit_tokens(model) is not None:
        tables["topic_sizes"] = topic_sizes(model, X, doc_topic_prior=doc_topic_prior)
    tables["nearest_topics"] = nearest_topics(model, min(3, max(1, len(topics_of(model)) - 1)))
    if X is None:
        return tables
    theta = posterior_of(model, X, doc_topic_prior, "all_tables").theta()
    names = document_names_of(document_names, len(theta))
    tables["representative_documents"] = representative_documents(
        model, X, n_documents, doc_topic_prior=doc_topic_prior, document_names=document_names
    )
    tables["document_topics"] = table(
        document=np.repeat(names, theta.shape[1]),
        topic=np.tile(np.arange(theta.shape[1]), len(theta)),
        proportion=theta.ravel(),
    )
    return tables


def _columns_of(name: str, rows: Any) -> dict[str, Any]:
    """Return the columns of a table as arrays."""
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        return {column: rows[column] for column in rows.dtype.names}
    if hasattr(rows, "columns") and hasattr(rows, "__getitem__"):
        return {str(column): np.asarray(rows[column]) for column in rows.columns}
    raise TypeError(f"{name} is a {type(rows).__name__}; pass a DataFrame or a structured array")


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= SHEET_NAME or NOT_IN_NAMES & set(name) or name[0] == ".":
        raise ValueError(
            f"tables has the name {name!r}; the name of a sheet or file has 1 to {SHEET_NAME} characters and none of "
            + " ".join(sorted(NOT_IN_NAMES))
        )
    return name


def _write_csv(path: str | os.PathLike[str], columns: dict[str, Any]) -> None:
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([csv_cell(name) for name in columns])
        for row in zip(*(column.tolist() for column in columns.values()), strict=True):
            writer.writerow([csv_cell(value) for value in row])
        text.flush()
        text.detach()  # `atomic_write` closes the file


def _write_workbook(path: str | os.PathLike[str], tables: dict[str, dict[str, Any]]) -> None:
    try:
        import xlsxwriter
    except ImportError as error:
        raise ImportError('an Excel workbook requires XlsxWriter: python -m pip install "ldavi[excel]"') from error
    names = [name.lower() for name in tables]
    if len(set(names)) < len(names):
        raise ValueError("tables has names that differ only in capitals, which Excel does not distinguish")
    for name, columns in tables.items():
        n_rows = len(next(iter(columns.values()), ()))
        if n_rows > EXCEL_ROWS:
            raise ValueError(f"tables[{name!r}] has {n_rows} rows, and a sheet at most {EXCEL_ROWS}. Write CSV files.")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True, "in_memory": True}
    with atomic_write(path) as file:
        workbook = xlsxwriter.Workbook(file, options)
        for name, columns in tables.items():
            sheet = workbook.add_worksheet(name)
            for j, (title, column) in enumerate(columns.items()):
                sheet.write_column(0, j, [title, *(_excel_cell(value) for value in column.tolist())])
            sheet.freeze_panes(1, 0)
        workbook.close()


def _excel_cell(value: Any) -> Any:
    """Return a value that a cell can hold; NaN is an empty cell, and a text is cut to what Excel permits."""
    if isinstance(value, float) and np.isnan(value):
        return None
    return value if isinstance(value, (int, float)) else str(value)[:EXCEL_CELL]
