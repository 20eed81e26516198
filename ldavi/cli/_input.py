"""Read documents as the options describe them, for a fit or in the columns of a fitted model."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import io
from ldavi.cli._counting import select_words
from ldavi.cli._options import Options
from ldavi.cli._progress import MEGABYTE, progress_display, reading_progress
from ldavi.io._counting.recipe import Counting
from ldavi.io._readers.recognition import TEXT_FORMATS
from ldavi.io._readers.source import MAX_BYTES

Words: TypeAlias = NDArray[np.object_]


@contextmanager
def rereadable(options: Options) -> Iterator[str]:
    """Yield a path to the input that can be read several times: for standard input, that of a temporary copy."""
    if options.input != "-":
        if not os.path.exists(options.input):
            raise FileNotFoundError(2, "there is no such file or folder", options.input)
        yield options.input
        return
    with tempfile.TemporaryDirectory(prefix="ldavi-") as folder:
        copy = Path(folder, "standard input")
        with copy.open("wb") as file, progress_display(options, "reading standard input", "MB") as display:
            while part := sys.stdin.buffer.read(MEGABYTE):
                file.write(part)
                display.advance()
        try:
            yield str(copy)
        except io.CorpusError as error:
            raise io.CorpusError("standard input", error.problem, error.line) from error


def read_for_fit(options: Options, counting: Counting, path: str) -> io.Corpus:
    """Read the documents; of texts, count the words that the options select."""
    with reading_progress(options, f"reading {options.input}", path):
        corpus = _read(options, path, options.vocabulary, counting)
    if corpus.texts is None or options.vocabulary is not None:
        return corpus
    X = corpus.X
    document_frequency = np.bincount(X.indices, minlength=X.shape[1])
    n_tokens = np.asarray(X.sum(axis=0)).ravel()
    assert corpus.vocabulary is not None
    kept = select_words(options, corpus.vocabulary.tolist(), document_frequency, n_tokens, X.shape[0])
    return replace(corpus, X=sparse.csr_array(X[:, kept]), vocabulary=corpus.vocabulary[kept])


def read_for_model(options: Options, words: Words | None, counting: Counting, n_words: int, path: str) -> io.Corpus:
    """Read the documents in the columns of a model: count texts as the fit did, match other vocabularies by word.

    Raises
    ------
    ValueError
        If the columns are unknown.
    """
    kind = io.recognise(path).format if options.format == "auto" else options.format
    if kind in TEXT_FORMATS and words is None:
        words = getattr(options, "vocabulary", None)
        if words is None and kind != "jsonl" and kind != "parquet":
            raise ValueError(f"{options.input} holds texts, and the model file has no vocabulary to count them with")
    vocabulary = words if kind in TEXT_FORMATS else getattr(options, "vocabulary", None)
    with reading_progress(options, f"reading {options.input}", path):
        corpus = _read(options, path, vocabulary, counting)
    return replace(corpus, X=in_columns_of(corpus.X, corpus.vocabulary, words, n_words, options.input))


def open_batches(options: Options, path: str, batch_size: int) -> io.Batches:
    """Open the documents for reading in batches."""
    with reading_progress(options, f"examining {options.input}", path, in_batches=True):
        return io.read_batches(
            path,
            batch_size=batch_size,
            format=options.format,
            vocabulary=options.vocabulary,
            column=options.column,
            id_column=options.id_column,
            metadata=metadata_names(options),
            encoding=options.encoding,
            max_bytes=options.max_bytes,
        )


def in_columns_of(
    X: sparse.csr_array, vocabulary: Words | None, words: Words | None, n_words: int, name: str
) -> sparse.csr_array:
    """Move counts to the columns of a model with these `words`; words that the model does not have are dropped.

    Raises
    ------
    ValueError
        If the numbers of words differ and one of the vocabularies is unknown, or no word is common to both.
    """
    if vocabulary is None or words is None or list(vocabulary) == list(words):
        if X.shape[1] != n_words:
            raise ValueError(
                f"{name}: has {X.shape[1]} words and the model {n_words}; name the file of its words with --vocabulary"
            )
        return X
    column = {word: index for index, word in enumerate(words)}
    found = np.array([column.get(word, -1) for word in vocabulary])
    known = np.flatnonzero(found >= 0)
    if not len(known):
        raise ValueError(f"{name}: the model has none of its {len(vocabulary)} words")
    move = sparse.csr_array((np.ones(len(known), X.dtype), (known, found[known])), shape=(X.shape[1], n_words))
    return sparse.csr_array(X @ move)


def _read(options: Options, path: str, vocabulary: str | Words | None, counting: Counting) -> io.Corpus:
    return io.read_corpus(
        path,
        format=options.format,
        vocabulary=vocabulary.tolist() if isinstance(vocabulary, np.ndarray) else vocabulary,
        column=options.column,
        id_column=options.id_column,
        metadata=metadata_names(options),
        encoding=options.encoding,
        max_bytes=options.max_bytes or MAX_BYTES,
        counting=counting.parameters(),
    )


def metadata_names(options: Options) -> list[str]:
    """Return the columns that `--metadata` names."""
    named = getattr(options, "metadata", None) or ""
    return [name.strip() for name in named.split(",") if name.strip()]


def describe(corpus: io.Corpus, name: str) -> str:
    """Return a line on the documents that were read."""
    kind, compression, _ = corpus.recognition
    how = f"{kind}, {compression}" if compression else kind
    documents, words = corpus.X.shape
    return f"{name} ({how}): {documents:,} documents, {words:,} words, {int(corpus.X.sum()):,} tokens"
