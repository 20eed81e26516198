"""`ldavi transform`: the topic proportions of documents."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import numpy as np

from ldavi import io
from ldavi._core.chunks import chunks
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._input import in_columns_of, open_batches, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, open_output, open_text_output, say
from ldavi.cli._parsers.transform import FORMATS
from ldavi.cli._progress import progress_display, reading_progress
from ldavi.cli._text import csv_cell

ROWS = 4096  # documents of a batch
Part: TypeAlias = tuple[Any, Any]  # names and topic proportions of some documents


def run(options: Options) -> int:
    """Write the proportions."""
    kind = format_of(options)
    check_writable(options.output)
    saved = _model_file.load(options.model, options)
    with rereadable(options) as path:
        parts = in_batches(options, saved, path) if options.stream else at_once(options, saved, path)
        if kind == "npz":
            names, rows = zip(*parts, strict=True)
            documents = np.concatenate([np.asarray(part, dtype=str) for part in names])
            with open_output(options.output) as archive:
                np.savez_compressed(archive, theta=np.concatenate(rows), documents=documents)
        else:
            with open_text_output(options.output) as file:
                if kind == "jsonl":
                    write_jsonl(file, parts)
                else:
                    write_table(file, parts, saved.model.n_components, "\t" if kind == "tsv" else ",")
    if options.output != "-":
        say(options, f"topic proportions: {options.output}")
    return 0


def format_of(options: Options) -> str:
    """Return the format of --to, or else that of the suffix of the file.

    Raises
    ------
    UsageError
        If the format is unknown, or cannot be written to this file.
    """
    suffix = Path(options.output).suffix.lower().lstrip(".")
    if options.to is None and options.output != "-" and suffix not in FORMATS:
        raise UsageError(
            f"the name {options.output} has none of the suffixes {', '.join(FORMATS)}; name the format with --to"
        )
    kind = str(options.to or (suffix if suffix in FORMATS else "csv"))
    if kind == "npz" and (options.output == "-" or suffix != "npz"):
        raise UsageError("--to npz writes a binary file: name it with -o FILE.npz")
    return kind


def at_once(options: Options, saved: SavedModel, path: str) -> Iterator[Part]:
    """Yield names and proportions of documents that are read whole."""
    corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    ids = np.arange(corpus.X.shape[0]) if corpus.ids is None else corpus.ids
    with progress_display(options, "transforming", "document", len(ids)) as display:
        for rows in chunks(len(ids), ROWS):
            yield ids[rows], saved.model.transform(corpus.X[rows])
            display.advance(len(ids[rows]))


def in_batches(options: Options, saved: SavedModel, path: str) -> Iterator[Part]:
    """Yield names and proportions of documents that are read in batches."""
    batches = open_batches(options, path, ROWS)
    counter = None
    if batches.kind == "texts":
        if saved.words is None:
            raise ValueError(f"{options.input} holds texts, and {options.model} has no vocabulary to count them with")
        counter = io.WordCounter(vocabulary=saved.words, **saved.counting.parameters())
    first = 0
    with reading_progress(options, f"reading {options.input}", path, in_batches=True):
        for batch, ids, _ in batches.records():
            if counter is None:
                X = in_columns_of(batch, batches.vocabulary, saved.words, saved.n_words, options.input)
            else:
                X = counter.transform(batch)
            yield np.arange(first, first + X.shape[0]) if ids is None else ids, saved.model.transform(X)
            first += X.shape[0]


def write_table(file: TextIO, parts: Iterator[Part], n_topics: int, delimiter: str) -> None:
    """Write a header and a row per document."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["document", *(f"topic{topic}" for topic in range(n_topics))])
    for names, theta in parts:
        for name, row in zip(names, theta.tolist(), strict=True):
            writer.writerow([csv_cell(name), *(f"{share:.6g}" for share in row)])


def write_jsonl(file: TextIO, parts: Iterator[Part]) -> None:
    """Write a JSON object per document."""
    for names, theta in parts:
        for name, row in zip(np.asarray(names).tolist(), theta.tolist(), strict=True):
            record = {"document": name, "topics": [float(f"{share:.6g}") for share in row]}
            file.write(json.dumps(record, ensure_ascii=True) + "\n")
