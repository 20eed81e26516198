"""`ldavi transform`: the topic proportions of documents."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ldavi import io
from ldavi._core.chunks import chunks
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._input import check_no_vocabulary, in_columns_of, open_batches, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, open_output, open_text_output, say
from ldavi.cli._parsers.transform import FORMATS
from ldavi.cli._progress import progress_display, reading_progress
from ldavi.cli._proportions import Part, Proportions, write_jsonl, write_table, write_xlsx
from ldavi.cli._reading import metadata_names, reading_parameters
from ldavi.io._readers.json_tables import OPTIONAL_WITHIN
from ldavi.io._readers.sample import sample_of_texts

ROWS = 4096  # documents of a batch
BINARY = ("npz", "xlsx")
ALL = "all"  # of --keep-columns


def run(options: Options) -> int:
    """Write the proportions."""
    kind = format_of(options)
    check_writable(options.output)
    saved = _model_file.load(options.model, options)
    with rereadable(options) as path:
        keep_columns(options, path)
        table = Proportions.of(options, saved, metadata_names(options))
        parts = in_batches(options, saved, path) if options.stream else at_once(options, saved, path)
        write(options, kind, table, table.counted(begun(parts)))
    if table.n_unknown:
        say(
            options,
            f"{table.n_unknown:,} of {table.n_documents:,} documents have no word that the model knows: their "
            "proportions are those of the prior" + (", and they have no dominant topic" if options.dominant else ""),
        )
    if options.output != "-":
        say(options, f"topic proportions: {options.output}")
    return 0


def keep_columns(options: Options, path: str) -> None:
    """Have the columns of --keep-columns read; for `all`, those of the first documents.

    Raises
    ------
    UsageError
        If --keep-columns is all, and the input is no table.
    """
    options.metadata = None if options.keep_columns == ALL else options.keep_columns
    if options.keep_columns != ALL:
        return
    sample = sample_of_texts(path, OPTIONAL_WITHIN, max_bytes=options.max_bytes, **reading_parameters(options))
    if not sample.columns:
        raise UsageError(f"--keep-columns all is for tables, and {options.input} is {sample.recognition.format}")
    if ALL in sample.columns:
        raise UsageError("--keep-columns all means every column, and one is named all; for the one, add a comma: all,")
    options.kept_columns = sample.columns


def begun(parts: Iterator[Part]) -> Iterator[Part]:
    """Compute the first part now: if the input is invalid, nothing has been written."""
    first = next(parts, None)
    return chain([] if first is None else [first], parts)


def write(options: Options, kind: str, table: Proportions, parts: Iterator[Part]) -> None:
    """Write the parts in a format."""
    if kind == "npz":
        names, rows = zip(*((part.names, part.theta) for part in parts), strict=True)
        documents = np.concatenate([np.asarray(part, dtype=str) for part in names])
        with open_output(options.output) as archive:
            np.savez_compressed(archive, theta=np.concatenate(rows), documents=documents)
    elif kind == "xlsx":
        with open_output(options.output) as book:
            write_xlsx(book, table, parts)
    else:
        with open_text_output(options.output) as file:
            if kind == "jsonl":
                write_jsonl(file, table, parts)
            else:
                write_table(file, table, parts, "\t" if kind == "tsv" else ",")


def format_of(options: Options) -> str:
    """Return the format of --to, or else that of the suffix of the file.

    Raises
    ------
    UsageError
        If the format is unknown, cannot be written to this file, or has no place for a column that is asked for.
    """
    suffix = Path(options.output).suffix.lower().lstrip(".")
    if options.to is None and options.output != "-" and suffix not in FORMATS:
        raise UsageError(
            f"the name {options.output} has none of the suffixes {', '.join(FORMATS)}; name the format with --to"
        )
    kind = str(options.to or (suffix if suffix in FORMATS else "csv"))
    if kind in BINARY and (options.output == "-" or suffix != kind):
        raise UsageError(f"--to {kind} writes a binary file: name it with -o FILE.{kind}")
    if kind == "npz":
        for option in ("dominant", "keep_columns", "no_proportions"):
            if getattr(options, option):
                raise UsageError(f"--{option.replace('_', '-')} has no effect on npz; write csv, tsv, jsonl or xlsx")
    if options.no_proportions and not (options.dominant or options.keep_columns):
        raise UsageError("--no-proportions leaves the names of the documents only; add --dominant")
    return kind


def at_once(options: Options, saved: SavedModel, path: str) -> Iterator[Part]:
    """Yield the proportions of documents that are read whole."""
    corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    ids = np.arange(corpus.X.shape[0]) if corpus.ids is None else corpus.ids
    with progress_display(options, "transforming", "document", len(ids)) as display:
        for rows in chunks(len(ids), ROWS):
            X = corpus.X[rows]
            columns = [values[rows] for values in corpus.metadata.values()]
            yield Part(ids[rows], saved.model.transform(X), np.asarray(X.sum(axis=1)).ravel() > 0, columns)
            display.advance(len(ids[rows]))


def in_batches(options: Options, saved: SavedModel, path: str) -> Iterator[Part]:
    """Yield the proportions of documents that are read in batches."""
    batches = open_batches(options, path, ROWS)
    counter = None
    if batches.kind == "texts":
        if saved.words is None:
            raise ValueError(f"{options.input} holds texts, and {options.model} has no vocabulary to count them with")
        check_no_vocabulary(options)
        counter = io.WordCounter(vocabulary=saved.words, **saved.counting.parameters())
    first = 0
    with reading_progress(options, f"reading {options.input}", path, in_batches=True):
        for batch, ids, metadata in batches.records():
            if counter is None:
                X = in_columns_of(batch, batches.vocabulary, saved.words, saved.n_words, options.input)
            else:
                X = counter.transform(batch)
            names: Any = np.arange(first, first + X.shape[0]) if ids is None else ids
            columns: list[Any] = list(metadata.values())
            yield Part(names, saved.model.transform(X), np.asarray(X.sum(axis=1)).ravel() > 0, columns)
            first += X.shape[0]
