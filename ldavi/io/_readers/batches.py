"""Corpora a batch at a time, for those that are larger than memory."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from ldavi.io._readers.coo_builder import Reading, batches, check_width
from ldavi.io._readers.count_formats import READERS
from ldavi.io._readers.dispatch import (
    Names,
    check_columns,
    counts_of,
    counts_of_words,
    documents_of,
    is_stdin,
    opened,
    start,
    text_of,
    words_of,
)
from ldavi.io._readers.npz import read_npz
from ldavi.io._readers.recognition import Recognition
from ldavi.io._readers.source import read_whole
from ldavi.io._readers.text_formats import Document, Options


class Batch(NamedTuple):
    """Some documents, and what the file says of them.

    Attributes
    ----------
    content : list of str, or sparse array of shape (n_documents, n_words)
        Texts, or counts.
    ids : list of str, or None
        Names of the documents: of the column `id_column`, of the files of a folder, of MALLET's lines.
    metadata : dict of str to list
        The columns that were asked for; "label" of MALLET's lines.
    """

    content: Any
    ids: list[str] | None
    metadata: dict[str, list[Any]]


class Batches:
    """A corpus a batch at a time, as often as it is iterated over: texts, or counts in columns that stay.

    Made by `read_batches`. Each `iter` opens the file anew; standard input can be read once. `records` is the same with names
    and columns.

    Attributes
    ----------
    kind : str
        "texts" (a batch is a list of str) or "counts" (a batch is a CSR array).
    vocabulary : (n_words,) array of str, or None
        The word of each column of the counts; None for texts, and where no vocabulary was given or found.
    n_words : int or None
        Columns of the counts; None for texts, and for standard input until its header has been read.
    recognition : Recognition
        Which format is read, and why.
    """

    def __init__(
        self,
        path: Any,
        *,
        batch_size: int,
        recognition: Recognition,
        options: Options,
        reading: Reading | None,
        vocabulary: Names | None,
    ) -> None:
        self._path, self._batch_size, self._options, self._reading = path, batch_size, options, reading
        self._is_used = False
        self.recognition = recognition
        self.vocabulary = vocabulary
        self.n_words = None if reading is None else reading.n_words
        self.kind = "texts" if reading is None else "counts"

    def __iter__(self) -> Iterator[Any]:
        return (batch.content for batch in self.records())

    def records(self) -> Iterator[Batch]:
        """The batches, with what the file says of each document.

        Returns
        -------
        records : iterator of Batch
            Once through the file.

        Raises
        ------
        RuntimeError
            If standard input has been read before.
        """
        kind, options = self.recognition.format, self._options
        if self._is_used and is_stdin(self._path):
            raise RuntimeError(
                "standard input can be read once, and has been; save it to a file to go through it again"
            )
        self._is_used = True
        names = ("label",) if kind == "mallet" else options.metadata
        with opened(self._path, kind, options) as (source, _):
            if self._reading is None:
                documents = documents_of(source, self._path, kind, options)
                while batch := list(islice(documents, self._batch_size)):
                    yield _described([text_of(document, str(self._path)) for document in batch], batch, names)
            elif kind in READERS:
                reading = replace(self._reading)
                for X in batches(reading, counts_of(source, self._path, kind, options, reading), self._batch_size):
                    yield Batch(X, None, {})
            elif kind == "npz":
                X = read_npz(read_whole(source, options.max_bytes), self._reading.name, max_bytes=options.max_bytes)
                for row in range(0, X.shape[0], self._batch_size):
                    yield Batch(X[row : row + self._batch_size], None, {})
            else:
                yield from self._lists_of_words(documents_of(source, self._path, kind, options), names)

    def _lists_of_words(self, documents: Iterator[Document], names: tuple[str, ...]) -> Iterator[Batch]:
        """Counts are cut into batches after some have been read ahead: what was said of their documents waits meanwhile."""
        assert self._reading is not None
        reading, waiting = replace(self._reading), deque[Document]()

        def noted() -> Iterator[Document]:
            for document in documents:
                waiting.append(document._replace(content=""))
                yield document

        for X in batches(reading, counts_of_words(noted(), reading), self._batch_size):
            yield _described(X, [waiting.popleft() for _ in range(X.shape[0])], names)


def _described(content: Any, documents: list[Document], names: tuple[str, ...]) -> Batch:
    ids = None if documents[0].id is None else [str(document.id) for document in documents]
    return Batch(content, ids, {name: [document.metadata[i] for document in documents] for i, name in enumerate(names)})


def read_batches(
    path: str | os.PathLike[str],
    *,
    batch_size: int = 4096,
    format: str = "auto",
    vocabulary: str | os.PathLike[str] | Sequence[str] | None = None,
    column: str | tuple[str, str] | None = None,
    id_column: str | None = None,
    metadata: Sequence[str] = (),
    encoding: str = "utf-8",
    max_bytes: int | None = None,
) -> Batches:
    """Read a corpus in batches of documents, with the memory of one batch: for a corpus larger than memory.

    Texts come as lists of str, which `WordCounter` counts. Counts come as CSR arrays; a format that says its words or their
    number nowhere (SVMlight, lda-c, Vowpal Wabbit, Low, lists of words) is read once to find out, unless `vocabulary` tells.
    A `.npz` file is held whole, and cut.

    Parameters
    ----------
    path : str or path
        As in `read_corpus`; "-", standard input, can be read once and needs a `format`.
    batch_size : int, default=4096
        Documents of a batch; the last may have fewer.
    format : str, default="auto"
        As in `read_corpus`.
    vocabulary : path, sequence of str or None, default=None
        As in `read_corpus`; not used for texts.
    column : str, (str, str) or None, default=None
        As in `read_corpus`.
    id_column : str or None, default=None
        The column of document names; see `Batches.records`.
    metadata : sequence of str, default=()
        Columns to keep; see `Batches.records`.
    encoding : str, default="utf-8"
        Of the texts.
    max_bytes : int or None, default=None
        The most that a compressed file may expand to; None sets no limit, since only a batch is held.

    Returns
    -------
    Batches

    Raises
    ------
    CorpusError
        As in `read_corpus`, some of it only while batches are read; or if the documents of a file of counts are out of order.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1")
    if is_stdin(path) and format == "auto":
        raise ValueError("path is '-', standard input, which is not looked at before it is read; name its format")
    options = Options(column, id_column, tuple(metadata), encoding, max_bytes)
    if is_stdin(path):
        chosen, is_words = Recognition(format, None, "it was named"), isinstance(column, tuple)
        check_columns(path, format, options)
    else:
        with opened(path, format, options) as (source, chosen):
            check_columns(path, chosen.format, options)
            known = chosen.format in READERS or chosen.format == "npz"
            first = None if known else next(documents_of(source, path, chosen.format, options), None)
        is_words = first is not None and not isinstance(first.content, str)
    is_counts = is_words or chosen.format in READERS or chosen.format == "npz"
    reading, words = start(path, chosen.format, vocabulary if is_counts else None, encoding)
    if is_counts:
        _find_columns(path, chosen.format, options, reading)
    words = words_of(reading, words) if is_counts else None
    return Batches(
        path,
        batch_size=batch_size,
        recognition=chosen,
        options=options,
        reading=reading if is_counts else None,
        vocabulary=words,
    )


def _find_columns(path: Any, kind: str, options: Options, reading: Reading) -> None:
    """Set the number of words, and what else only a first reading tells.

    Raises
    ------
    ValueError
        If standard input would have to be read twice.
    """
    declared = kind in ("uci", "mm")
    if is_stdin(path):
        known = declared or reading.n_words is not None or (reading.vocabulary is not None and not reading.growing)
        if not known:
            raise ValueError(
                f"format={kind!r} from standard input needs a vocabulary: it says nowhere which words it has"
            )
        reading.first_word = 1 if kind == "svmlight" else 0
    elif kind == "npz":
        with opened(path, kind, options) as (source, _):
            X = read_npz(read_whole(source, options.max_bytes), reading.name, max_bytes=options.max_bytes)
        check_width(reading, X.shape[1])
        reading.n_words = X.shape[1]
    elif declared or kind == "svmlight" or reading.growing or (reading.vocabulary is None and reading.n_words is None):
        trial = replace(reading)
        highest, lowest = -1, 1
        with opened(path, kind, options) as (source, _):
            for piece in counts_of(source, path, kind, options, trial):
                highest = max(highest, int(piece.words.max(initial=-1)))
                lowest = min(lowest, int(piece.words.min(initial=1)))
                if declared:
                    break
        reading.first_word = lowest if kind == "svmlight" else 0
        if trial.n_words is None:
            trial.n_words = max(0, highest + 1 - reading.first_word)
        reading.n_words = trial.n_words
    reading.growing = False
    if reading.vocabulary is not None:
        reading.n_words = len(reading.vocabulary)
