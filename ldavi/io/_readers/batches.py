"""`read_batches`: read a corpus a batch of documents at a time, for corpora that are larger than memory."""

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from scipy import sparse

from ldavi._core.chunks import chunks
from ldavi.io._counting.word_counter import WordCounter
from ldavi.io._readers.coo_builder import CorpusInfo, build_batches, find_word_base
from ldavi.io._readers.dispatch import (
    MAX_EMPTY,
    STANDARD_INPUT,
    ObjectArray,
    check_options,
    counts_of_word_lists,
    final_vocabulary,
    first_content,
    initial_info,
    is_stdin,
    metadata_names,
    note_unused_counting,
    open_corpus,
    read_counts,
    read_npz_counts,
    reader_options,
    text_of,
)
from ldavi.io._readers.documents import Column, Document, ReaderOptions
from ldavi.io._readers.recognition import COUNT_FORMATS, Recognition
from ldavi.io._readers.several import Paths, StrPath, one_or_several
from ldavi.io._readers.vocabulary import read_vocabulary

DECLARING_FORMATS = ("uci", "mm")  # their headers declare the number of words


class Batch(NamedTuple):
    """Some documents of a corpus, with their names and metadata.

    Attributes
    ----------
    content : list of str, or sparse array of shape (n_documents, n_words)
        Texts, or counts in CSR format.
    ids : list of str, or None
        Names of the documents: values of the column `id_column`, names of the files of a folder, or the names in a file
        of MALLET.
    metadata : dict of str to list
        The columns in `metadata` of the call; "label" for files of MALLET.
    """

    content: Any  # list of str or sparse array
    ids: list[str] | None
    metadata: dict[str, list[Any]]


class Batches:
    """An iterable of the batches of a corpus, which are lists of texts or sparse matrices with the same columns.

    It is created by `read_batches`. Each iteration opens the file again, except standard input, which can be read once.
    `records` additionally returns the names and metadata of the documents.

    Attributes
    ----------
    kind : str
        "texts" if a batch is a list of str, "counts" if it is a CSR array.
    vocabulary : (n_words,) array of str, or None
        The word of each column of the counts; None for texts, and if no vocabulary was given or found.
    n_words : int or None
        Number of columns of the counts; None for texts, and for standard input until its header has been read.
    recognition : Recognition
        The format, and how it was recognised.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        format: str,
        batch_size: int,
        recognition: Recognition,
        options: ReaderOptions,
        info: CorpusInfo | None,
        vocabulary: ObjectArray | None,
        counter: WordCounter | None = None,
    ) -> None:
        self._path, self._batch_size, self._options, self._info = path, batch_size, options, info
        self._format, self._counter = format, counter
        self._is_used = False
        self.recognition = recognition
        self.vocabulary = vocabulary
        self.n_words = None if info is None else info.n_words
        self.kind = "texts" if info is None and counter is None else "counts"
        if counter is not None:
            self.vocabulary, self.n_words = counter.vocabulary_, len(counter.vocabulary_)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided where the file leaves it open, such as its delimiter; complete after an iteration."""
        return tuple(self._options.notes)

    def __iter__(self) -> Iterator[Any]:
        return (batch.content for batch in self.records())

    def records(self) -> Iterator[Batch]:
        """Iterate over the batches with the names and metadata of their documents.

        Returns
        -------
        records : iterator of Batch
            One pass over the file.

        Raises
        ------
        RuntimeError
            If standard input has been read before.
        """
        if self._is_used and is_stdin(self._path):
            raise RuntimeError(
                "path='-': standard input can be read once, and has been; save it to a file to read it again"
            )
        self._is_used = True
        kind, options, info = self.recognition.format, self._options, self._info
        names = metadata_names(kind, options)
        with open_corpus(self._path, self._format, options) as opened:
            if info is None:
                assert opened.documents is not None
                yield from self._texts(opened.documents, names)
            elif opened.documents is not None:
                yield from self._word_lists(opened.documents, replace(info), names)
            elif kind == "npz":
                X = read_npz_counts(opened.source, info, options)
                for rows in chunks(X.shape[0], self._batch_size):
                    yield Batch(X[rows], None, {})
            else:
                info = replace(info)
                for X in build_batches(info, read_counts(opened, info), self._batch_size):
                    yield Batch(X, None, {})

    def _texts(self, documents: Iterator[Document], names: tuple[str, ...]) -> Iterator[Batch]:
        while batch := list(islice(documents, self._batch_size)):
            texts = [text_of(document, str(self._path)) for document in batch]
            yield _batch(texts if self._counter is None else self._counter.transform(texts), batch, names)

    def _word_lists(self, documents: Iterator[Document], info: CorpusInfo, names: tuple[str, ...]) -> Iterator[Batch]:
        """Count lists of words; names and metadata wait in a queue, because `build_batches` reads ahead."""
        waiting = deque[Document]()

        def queued() -> Iterator[Document]:
            for document in documents:
                waiting.append(document._replace(content=""))
                yield document

        for X in build_batches(info, counts_of_word_lists(queued(), info), self._batch_size):
            yield _batch(X, [waiting.popleft() for _ in range(X.shape[0])], names)


def _batch(content: list[str] | sparse.csr_array, documents: list[Document], names: tuple[str, ...]) -> Batch:
    ids = None if documents[0].id is None else [str(document.id) for document in documents]
    return Batch(content, ids, {name: [document.metadata[i] for document in documents] for i, name in enumerate(names)})


def read_batches(
    path: Paths,
    *,
    batch_size: int = 4096,
    format: str = "auto",
    vocabulary: StrPath | Sequence[str] | None = None,
    column: Column = None,
    id_column: str | None = None,
    metadata: Sequence[str] = (),
    encoding: str = "utf-8",
    max_bytes: int | None = None,
    table: Mapping[str, Any] | None = None,
    first_word: int | None = None,
    counting: Mapping[str, Any] | None = None,
) -> Batches:
    """Read a corpus in batches of documents; memory is needed for one batch only.

    Batches of texts are lists of str, which `WordCounter` counts; with a `vocabulary`, they are counted here. Batches
    of counts are CSR arrays. Formats that do not declare their words (SVMlight, lda-c, Vowpal Wabbit, Low, lists of
    words) are read once to find them, unless `vocabulary` is given. An `.npz` file is loaded into memory as a whole.

    Parameters
    ----------
    path : str, path or sequence of them
        See `read_corpus`; "-", standard input, can be read once and needs a `format`.
    batch_size : int, default=4096
        Number of documents per batch; the last batch may have fewer. Lower it for long documents if memory is short.
    format : str, default="auto"
        See `read_corpus`.
    vocabulary : path, sequence of str or None, default=None
        See `read_corpus`. For texts, the words to count: the batches are then counts, and not texts.
    column : str, list of str, (str, str) or None, default=None
        See `read_corpus`.
    id_column : str or None, default=None
        Name of the column with the names of the documents, which `Batches.records` returns.
    metadata : sequence of str, default=()
        Names of further columns, which `Batches.records` returns.
    encoding : str, default="utf-8"
        Encoding of the texts.
    max_bytes : int or None, default=None
        Maximum number of bytes that a compressed file may expand to. None sets no limit, since only one batch is in
        memory.
    table : mapping or None, default=None
        See `read_corpus`.
    first_word : 0, 1 or None, default=None
        See `read_corpus`.
    counting : mapping or None, default=None
        Keyword arguments of `WordCounter`, for texts that are counted by a `vocabulary`.

    Returns
    -------
    Batches

    Raises
    ------
    CorpusError
        For the reasons given in `read_corpus`, partly only while batches are read; also if the documents of a file of
        counts are not in order.
    ValueError
        If `batch_size` is less than 1, standard input would have to be read twice, or `counting` has no effect.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1")
    path = one_or_several(path)
    if is_stdin(path) and format == "auto":
        raise ValueError("path='-' is standard input, whose format is not recognised here; pass its format=")
    options = reader_options(
        column=column,
        id_column=id_column,
        metadata=metadata,
        encoding=encoding,
        max_bytes=max_bytes,
        table=table,
        first_word=first_word,
    )
    recognition, is_counts = _recognise(path, format, options)
    kind = recognition.format
    if is_counts:
        note_unused_counting(counting, options)
    counter = None if is_counts else _counter_of_texts(vocabulary, counting, options.encoding)
    info, words = initial_info(path, kind, vocabulary if is_counts else None, options)
    if is_counts:
        _find_words(path, format, kind, options, info)
    return Batches(
        path,
        format=format,
        batch_size=batch_size,
        recognition=recognition,
        options=options,
        info=info if is_counts else None,
        vocabulary=final_vocabulary(info, words) if is_counts else None,
        counter=counter,
    )


def _counter_of_texts(
    vocabulary: StrPath | Sequence[str] | None, counting: Mapping[str, Any] | None, encoding: str
) -> WordCounter | None:
    """Return what counts the texts by a vocabulary; None without a vocabulary.

    Raises
    ------
    ValueError
        If there are parameters of counting without a vocabulary.
    """
    if vocabulary is None:
        if counting:
            raise ValueError("counting= needs vocabulary=, the words to count; without it, count texts by WordCounter")
        return None
    words = read_vocabulary(vocabulary, encoding=encoding) if isinstance(vocabulary, (str, os.PathLike)) else vocabulary
    return WordCounter(vocabulary=words, **(counting or {}))


def _recognise(path: StrPath, format: str, options: ReaderOptions) -> tuple[Recognition, bool]:
    """Return the format, and whether the batches are counts; a table is read up to its first document to decide it."""
    if is_stdin(path):
        check_options(STANDARD_INPUT, format, options)
        recognition = Recognition(format, None, "the caller named it")
        return recognition, format in COUNT_FORMATS or isinstance(options.column, tuple)
    with open_corpus(path, format, options) as opened:
        if opened.documents is None:
            return opened.recognition, True
        return opened.recognition, not isinstance(first_content(islice(opened.documents, MAX_EMPTY)), str)


def _find_words(path: StrPath, format: str, kind: str, options: ReaderOptions, info: CorpusInfo) -> None:
    """Set the vocabulary or the number of words, for which some formats must be read once.

    Raises
    ------
    ValueError
        If standard input would have to be read twice.
    """
    is_known = info.n_words is not None or (info.vocabulary is not None and not info.grows_vocabulary)
    if is_stdin(path):
        if kind not in DECLARING_FORMATS and not is_known:
            raise ValueError(
                f"format={kind!r} from standard input needs vocabulary=, because the format does not declare its words"
            )
        if info.word_base is None:
            info.word_base = info.usual_base
            options.notes.add(
                f"the first word of standard input is taken to have the number {info.word_base} "
                f"(first_word={1 - info.word_base} if it has the number {1 - info.word_base})"
            )
    elif kind == "npz":
        with open_corpus(path, format, options) as opened:
            info.n_words = read_npz_counts(opened.source, info, options).shape[1]
    elif kind in DECLARING_FORMATS or info.word_base is None or not is_known:
        _scan_words(path, format, kind, options, info)
    info.grows_vocabulary = False
    if info.vocabulary is not None:
        info.n_words = len(info.vocabulary)


def _scan_words(path: StrPath, format: str, kind: str, options: ReaderOptions, info: CorpusInfo) -> None:
    """Read the file, or its header if it declares the number of words, and set the number of words and of the first."""
    scanned = replace(info)  # shares the vocabulary, which grows in place
    highest, lowest = -1, 2**62
    with open_corpus(path, format, options) as opened:
        for part in read_counts(opened, scanned):
            highest = max(highest, int(part.words.max(initial=-1)))
            lowest = min(lowest, int(part.words.min(initial=2**62)))
            if kind in DECLARING_FORMATS and scanned.n_words is not None and info.n_words is None:
                break
    if info.word_base is None:
        info.word_base = find_word_base(scanned, lowest, highest)
        highest -= info.word_base
    info.n_words = max(0, highest + 1) if scanned.n_words is None else scanned.n_words
