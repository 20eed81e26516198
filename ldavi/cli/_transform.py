"""`ldavi transform`: the topics of documents."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ldavi import io
from ldavi.cli import _modelfile
from ldavi.cli._corpus import in_columns_of, read_for_model, rereadable
from ldavi.cli._errors import UsageError
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Commands, Options, add_input, add_talk, command
from ldavi.cli._output import check_writable, say, written, written_text
from ldavi.cli._progress import Progress, reading

FORMATS = ("csv", "tsv", "jsonl", "npz")
ROWS = 4096
EXAMPLES = """\
  ldavi transform model.ldavi new.txt -o theta.csv
  ldavi transform model.ldavi articles.csv --column body --id-column url -o theta.jsonl
  zcat dump.txt.gz | ldavi transform model.ldavi - --stream --to tsv | head
"""


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "transform",
        usage="MODEL INPUT [-o FILE] [options]",
        help="topic proportions of documents",
        description="Writes a row per document: its name, or its number from 0, and the share of each topic. Texts are "
        "counted as those of the fit were; words that the model does not know are left out.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    group = add_input(parser)
    group.add_argument(
        "--stream", action="store_true", help="read and write in batches: for what is larger than memory"
    )
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", default="-", help="where to write (default: standard output)")
    group.add_argument(
        "--to",
        choices=FORMATS,
        help="csv, tsv, jsonl (document, topics), or npz (arrays theta and documents) (default: as the name of FILE ends, or "
        "csv)",
    )
    group.add_argument("--jobs", type=int, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_talk(parser)
    parser.set_defaults(run=run)


def run(options: Options) -> int:
    """Write them."""
    kind = format_of(options)
    check_writable(options.output)
    kept = _modelfile.load(options.model, options)
    with rereadable(options) as path:
        parts = in_batches(options, kept, path) if options.stream else at_once(options, kept, path)
        if kind == "npz":
            names, rows = zip(*parts, strict=True)
            documents = np.concatenate([np.asarray(part, dtype=str) for part in names])
            with written(options.output) as file:
                np.savez_compressed(file, theta=np.concatenate(rows), documents=documents)
        else:
            with written_text(options.output) as file:
                write = write_jsonl if kind == "jsonl" else write_table
                write(file, parts, kept.model.n_components, "\t" if kind == "tsv" else ",")
    if options.output != "-":
        say(options, f"topic proportions: {options.output}")
    return 0


def format_of(options: Options) -> str:
    """What --to says, or the name of the file.

    Raises
    ------
    UsageError
        If there is no saying, or it cannot be written there.
    """
    suffix = Path(options.output).suffix.lower().lstrip(".")
    if options.to is None and options.output != "-" and suffix not in FORMATS:
        raise UsageError(f"the name {options.output} ends in none of {', '.join(FORMATS)}; say --to")
    kind = str(options.to or (suffix if suffix in FORMATS else "csv"))
    if kind == "npz" and (options.output == "-" or suffix != "npz"):
        raise UsageError("npz is not text: name a file with -o FILE.npz")
    return kind


def at_once(options: Options, kept: Kept, path: str) -> Iterator[tuple[Any, Any]]:
    """Names and proportions of all documents."""
    corpus = read_for_model(options, kept.words, kept.counting, kept.n_words, path)
    ids = np.arange(corpus.X.shape[0]) if corpus.ids is None else corpus.ids
    with Progress(options, "documents", "documents", len(ids)) as progress:
        for first in range(0, len(ids), ROWS):
            rows = slice(first, first + ROWS)
            yield ids[rows], kept.model.transform(corpus.X[rows])
            progress.add(len(ids[rows]))


def in_batches(options: Options, kept: Kept, path: str) -> Iterator[tuple[Any, Any]]:
    """The same with the memory of a batch."""
    with reading(options, f"looking through {options.input}", path):
        batches = io.read_batches(
            path,
            batch_size=ROWS,
            format=options.format,
            vocabulary=options.vocabulary,
            column=options.column,
            id_column=options.id_column,
            encoding=options.encoding,
            max_bytes=options.max_bytes,
        )
    counter = None
    if batches.kind == "texts":
        if kept.words is None:
            raise ValueError(f"{options.model}: has no vocabulary to count texts with")
        counter = io.WordCounter(vocabulary=kept.words, **kept.counting.parameters())
    first = 0
    with reading(options, f"reading {options.input}", path, once=False):
        for batch, ids, _ in batches.records():
            if counter is None:
                X = in_columns_of(batch, batches.vocabulary, kept.words, kept.n_words, options.input)
            else:
                X = counter.transform(batch)
            yield np.arange(first, first + X.shape[0]) if ids is None else ids, kept.model.transform(X)
            first += X.shape[0]


def write_table(file: Any, parts: Any, n_topics: int, delimiter: str) -> None:
    """Header, then a row per document."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["document", *(f"topic{topic}" for topic in range(n_topics))])
    for names, theta in parts:
        for name, row in zip(names, theta.tolist(), strict=True):
            writer.writerow([name, *(f"{share:.6g}" for share in row)])


def write_jsonl(file: Any, parts: Any, n_topics: int, delimiter: str) -> None:
    """An object per document."""
    del n_topics, delimiter
    for names, theta in parts:
        for name, row in zip(np.asarray(names).tolist(), theta.tolist(), strict=True):
            record = {"document": name, "topics": [float(f"{share:.6g}") for share in row]}
            file.write(json.dumps(record, ensure_ascii=True) + "\n")
