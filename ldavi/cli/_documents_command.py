"""`ldavi documents`: the documents that are most about a topic."""

from typing import Any

import numpy as np

from ldavi import inspection, io
from ldavi.cli import _model_file
from ldavi.cli._input import describe, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import print_csv, print_json, print_table, records_of, say
from ldavi.cli._topic_names import names_of, topic_of, with_name

SHOWN = 80  # characters of a text in a table


def run(options: Options) -> int:
    """Print the documents."""
    saved = _model_file.load(options.model, options)
    topics = [topic_of(saved, text, "--topic") for text in options.topic or []] or list(range(saved.n_topics))
    with rereadable(options) as path:
        corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    say(options, describe(corpus, options.input))
    records = documents_of(saved, corpus, options.documents)
    records = [record for topic in topics for record in records if record["topic"] == topic]
    if options.json:
        print_json(records)
    elif options.csv:
        print_csv(records)
    else:
        print_documents(records)
    return 0


def documents_of(saved: SavedModel, corpus: io.Corpus, n_documents: int) -> list[dict[str, Any]]:
    """Return the documents of each topic, the most representative ones first."""
    names, ids = names_of(saved), corpus.ids
    rows = np.arange(corpus.X.shape[0])
    found = inspection.representative_documents(saved.model, corpus.X, n_documents, document_names=rows)
    return [
        {
            **with_name(names, row["topic"]),
            "rank": row["rank"],
            "document": row["document"] if ids is None else str(ids[row["document"]]),
            "proportion": float(f"{row['proportion']:.6g}"),
            "tokens": int(row["tokens"]),
            **({} if corpus.texts is None else {"text": corpus.texts[row["document"]]}),
        }
        for row in records_of(found)
    ]


def print_documents(records: list[dict[str, Any]]) -> None:
    """Print a line per document, with the beginning of its text."""
    header = [
        name for name in ("topic", "name", "rank", "document", "proportion", "tokens", "text") if name in records[0]
    ]
    cells = [[_cell(name, record[name]) for name in header] for record in records]
    left = tuple(column for column, name in enumerate(header) if name in ("name", "document", "text"))
    print_table(header, cells, left=left)


def _cell(name: str, value: Any) -> str:
    if name == "proportion":
        return f"{value:.1%}"
    if name != "text":
        return f"{value:g}" if isinstance(value, float) else str(value)
    line = " ".join(value.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
