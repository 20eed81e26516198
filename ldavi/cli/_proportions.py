"""The table that `ldavi transform` writes: a row per document, as CSV, TSV, JSON lines or Excel."""

import csv
import importlib.util
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple, TextIO

import numpy as np

from ldavi._core.typing import Floats
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import plain
from ldavi.cli._text import csv_cell
from ldavi.cli._topic_names import names_of

MAX_ROWS, MAX_COLUMNS = 2**20, 2**14  # of a sheet of Excel
MAX_CELL = 2**15 - 1  # characters


class Part(NamedTuple):
    """Some documents.

    Attributes
    ----------
    names : sequence
        Name or number of each document.
    theta : array of shape (n_documents, n_topics)
    is_known : array of shape (n_documents,)
        Whether the model knows a word of the document.
    columns : list of sequences
        Values of the columns that are kept.
    """

    names: Any
    theta: Floats
    is_known: Any
    columns: Sequence[Any]


class Proportions:
    """What the table has beside the names of the documents.

    Parameters
    ----------
    columns : list of str
        The columns of the input that are kept.
    topic_names : list of str
        The name of each topic.
    has_dominant : bool
        Whether there are columns for the dominant topic.
    has_topics : bool
        Whether there is a column for each topic.

    Attributes
    ----------
    n_documents, n_unknown : int
        Documents that were written, and those of them without a word that the model knows.
    """

    def __init__(self, columns: list[str], topic_names: list[str], *, has_dominant: bool, has_topics: bool) -> None:
        self.topic_names = topic_names
        self.has_dominant, self.has_topics = has_dominant, has_topics
        self.dominant_columns = ["topic", "topic_name", "proportion"] if any(topic_names) else ["topic", "proportion"]
        own = {"document", *(self.dominant_columns if has_dominant else ()), *self.topic_columns}
        self.columns = [f"{name} (input)" if name in own else name for name in columns]
        self.n_documents, self.n_unknown = 0, 0

    @classmethod
    def of(cls, options: Options, saved: SavedModel, columns: list[str]) -> "Proportions":
        """Return the table that the options describe."""
        return cls(columns, names_of(saved), has_dominant=options.dominant, has_topics=not options.no_proportions)

    @property
    def topic_columns(self) -> list[str]:
        """The columns of the topics."""
        return [f"topic{topic}" for topic in range(len(self.topic_names))] if self.has_topics else []

    def header(self) -> list[str]:
        """Return the names of the columns."""
        dominant = self.dominant_columns if self.has_dominant else []
        return ["document", *self.columns, *dominant, *self.topic_columns]

    def counted(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Yield the parts, and count their documents."""
        for part in parts:
            self.n_documents += len(part.is_known)
            self.n_unknown += int((~part.is_known).sum())
            yield part

    def rows(self, part: Part) -> Iterator[tuple[Any, list[Any], list[Any], list[float]]]:
        """Yield name, kept columns, dominant topic and proportions of each document, as JSON types."""
        columns = [plain(list(values)) for values in part.columns]
        for i, (name, theta) in enumerate(zip(np.asarray(part.names).tolist(), part.theta.tolist(), strict=True)):
            shares = [float(f"{share:.6g}") for share in theta]
            yield (
                name,
                [values[i] for values in columns],
                self._dominant(shares, bool(part.is_known[i])) if self.has_dominant else [],
                shares if self.has_topics else [],
            )

    def _dominant(self, shares: list[float], is_known: bool) -> list[Any]:
        """Return number, name and proportion of the largest topic; nothing for a document without known words."""
        if not is_known:
            return [None] * len(self.dominant_columns)
        topic = int(np.argmax(shares))
        return [topic, *([self.topic_names[topic]] if any(self.topic_names) else []), shares[topic]]


def write_table(file: TextIO, table: Proportions, parts: Iterator[Part], delimiter: str) -> None:
    """Write a header and a row per document."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in table.header()])
    for part in parts:
        for name, columns, dominant, shares in table.rows(part):
            cells = [csv_cell(cell) for cell in (name, *columns, *dominant)]  # None becomes an empty cell
            writer.writerow([*cells, *(f"{share:.6g}" for share in shares)])


def write_jsonl(file: TextIO, table: Proportions, parts: Iterator[Part]) -> None:
    """Write a JSON object per document."""
    for part in parts:
        for name, columns, dominant, shares in table.rows(part):
            record = {"document": name, **dict(zip(table.columns, columns, strict=True))}
            record |= dict(zip(table.dominant_columns, dominant, strict=False))
            if table.has_topics:
                record["topics"] = shares
            file.write(json.dumps(record, ensure_ascii=True, default=str) + "\n")


def write_xlsx(file: BinaryIO, table: Proportions, parts: Iterator[Part]) -> None:
    """Write a sheet of Excel with a header and a row per document.

    Raises
    ------
    ModuleNotFoundError
        If xlsxwriter is not installed.
    ValueError
        If a sheet has too few rows or columns.
    """
    if importlib.util.find_spec("xlsxwriter") is None:
        raise ModuleNotFoundError("--to xlsx needs xlsxwriter, which is not installed: pip install 'ldavi[io]'")
    from xlsxwriter import Workbook

    header = table.header()
    if len(header) > MAX_COLUMNS:
        raise ValueError(f"a sheet of Excel has {MAX_COLUMNS:,} columns, {len(header):,} are needed; write csv instead")
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("topics")
        sheet.freeze_panes(1, 1)
        for column, title in enumerate(header):
            sheet.write_string(0, column, title[:MAX_CELL])
        number = 0
        for part in parts:
            for name, columns, dominant, shares in table.rows(part):
                number += 1
                if number >= MAX_ROWS:
                    raise ValueError(f"a sheet of Excel has {MAX_ROWS:,} rows, and there are more documents; write csv")
                for column, value in enumerate((name, *columns, *dominant, *shares)):
                    _write_cell(sheet, number, column, value)


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """Write a number as a number, and everything else as text, which is never a formula."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value)[:MAX_CELL])
