"""Read documents as the options describe them, for a fit or in the columns of a fitted model."""

import glob
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import io
from ldavi.cli._counting import check_no_counting_options, note_topics, note_uncounted, select_words
from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options
from ldavi.cli._progress import MEGABYTE, progress_display, reading_progress
from ldavi.cli._reading import check_encoding_is_used, read_names, reading_parameters, say_notes
from ldavi.io._counting.recipe import Counting
from ldavi.io._readers.dates import typed_column
from ldavi.io._readers.recognition import TEXT_FORMATS
from ldavi.io._readers.sample import sample_of_texts
from ldavi.io._readers.several import Several, one_or_several
from ldavi.io._readers.source import MAX_BYTES

Words: TypeAlias = NDArray[np.object_]


@contextmanager
def rereadable(options: Options) -> Iterator[str]:
    """Yield a path to the input that can be read several times: for standard input, that of a temporary copy."""
    paths = getattr(options.input, "paths", [options.input])
    if paths != ["-"]:
        options.path = _existing(paths)
        yield options.path
        return
    with tempfile.TemporaryDirectory(prefix="ldavi-") as folder:
        copy = Path(folder, "standard input")
        with copy.open("wb") as file, progress_display(options, "reading standard input", "MB") as display:
            while part := sys.stdin.buffer.read(MEGABYTE):
                file.write(part)
                display.advance()
        options.path = str(copy)
        try:
            yield options.path
        except io.CorpusError as error:
            raise io.CorpusError("standard input", error.problem, error.line) from error


def _existing(paths: list[str]) -> Any:
    """Return the paths of the input as one path.

    Raises
    ------
    FileNotFoundError
        If one does not exist.
    """
    found = []
    for path in paths:
        if not os.path.exists(path) and not glob.has_magic(path):
            raise FileNotFoundError(2, "there is no such file or folder", path)
        several = one_or_several(path)
        found += several.paths if isinstance(several, Several) else [path]
    return one_or_several(found)


def read_for_fit(options: Options, counting: Counting, path: str) -> io.Corpus:
    """Read the documents; of texts, count the words that the options select."""
    with reading_progress(options, f"reading {options.input}", path):
        corpus = _read(options, path, options.vocabulary, counting)
    if corpus.texts is None:
        check_no_counting_options(options)
    if corpus.texts is not None and corpus.vocabulary is not None and options.vocabulary is not None:
        note_uncounted(options, counting, corpus.vocabulary.tolist())
    if corpus.texts is None or options.vocabulary is not None:
        _note_documents(options, corpus.X)
        return corpus
    X = corpus.X
    document_frequency = np.bincount(X.indices, minlength=X.shape[1])
    n_tokens = np.asarray(X.sum(axis=0)).ravel()
    assert corpus.vocabulary is not None
    kept = select_words(options, corpus.vocabulary.tolist(), document_frequency, n_tokens, X.shape[0])
    _note_documents(options, X[:, kept])
    return replace(corpus, X=sparse.csr_array(X[:, kept]), vocabulary=corpus.vocabulary[kept])


def read_for_model(options: Options, words: Words | None, counting: Counting, n_words: int, path: str) -> io.Corpus:
    """Read the documents in the columns of a model: count texts as the fit did, match other vocabularies by word.

    Raises
    ------
    ValueError
        If the columns are unknown.
    """
    kind, is_text = kind_of_input(options, path)
    given = getattr(options, "vocabulary", None)
    if kind in TEXT_FORMATS and words is not None:
        check_no_vocabulary(options)
    if words is None and given is None and is_text:
        raise ValueError(f"{options.input} holds texts, and the model file has no vocabulary to count them with")
    vocabulary = given if kind not in TEXT_FORMATS or words is None else words
    with reading_progress(options, f"reading {options.input}", path):
        corpus = _read(options, path, vocabulary, counting)
    _note_unknown_words(options, corpus)
    return replace(corpus, X=in_columns_of(corpus.X, corpus.vocabulary, words, n_words, options.input))


def kind_of_input(options: Options, path: str) -> tuple[str, bool]:
    """Return the format of the documents, and whether they are texts, and not counts or lists of words."""
    known: dict[str, tuple[str, bool]] = options.__dict__.setdefault("_kinds", {})
    if str(path) not in known:
        sample = sample_of_texts(path, 1, max_bytes=options.max_bytes, **reading_parameters(options))
        known[str(path)] = sample.recognition.format, sample.texts is not None
    return known[str(path)]


def check_no_vocabulary(options: Options) -> None:
    """Refuse --vocabulary for texts in the words of a model.

    Raises
    ------
    UsageError
        If it is given.
    """
    if getattr(options, "vocabulary", None) is not None:
        raise UsageError("--vocabulary has no effect on texts, whose words are those of the model; leave it out")


def open_batches(options: Options, path: str, batch_size: int) -> io.Batches:
    """Open the documents for reading in batches; texts are not counted yet."""
    is_text = kind_of_input(options, path)[1]
    with reading_progress(options, f"examining {options.input}", path, in_batches=True):
        batches = io.read_batches(
            path,
            batch_size=batch_size,
            vocabulary=None if is_text else options.vocabulary,
            max_bytes=options.max_bytes,
            **reading_parameters(options),
        )
    check_encoding_is_used(options, batches.recognition.format)
    say_notes(options, batches.notes)
    return batches


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
    corpus = io.read_corpus(
        path,
        vocabulary=vocabulary.tolist() if isinstance(vocabulary, np.ndarray) else vocabulary,
        max_bytes=options.max_bytes or MAX_BYTES,
        counting=counting.parameters() if kind_of_input(options, path)[1] else None,
        **reading_parameters(options),
    )
    check_encoding_is_used(options, corpus.recognition.format)
    say_notes(options, corpus.notes)
    return with_types(options, corpus)


def with_types(options: Options, corpus: io.Corpus) -> io.Corpus:
    """Convert the columns of --metadata and --covariates to dates and numbers where they are.

    Raises
    ------
    UsageError
        If no column has the format of --date-format.
    """
    if options.command == "transform":  # whose columns are copied as they are
        return corpus
    named = read_names(options)
    date_format = getattr(options, "date_format", None)
    columns = {name: typed_column(name, corpus.metadata[name].tolist(), date_format) for name in named}
    if date_format is not None and not any(column.values.dtype.kind == "M" for column in columns.values()):
        raise UsageError(f"--date-format {date_format} fits no value of the columns {', '.join(named)}")
    say_notes(options, tuple(column.note for column in columns.values() if column.note is not None))
    typed = {name: column.values for name, column in columns.items()}
    return replace(corpus, metadata={**corpus.metadata, **typed})


def _note_documents(options: Options, X: sparse.csr_array) -> None:
    """Write how many documents have no words, and whether there are more topics than documents."""
    n_documents, n_empty = X.shape[0], int((X.sum(axis=1) == 0).sum())
    if n_empty:
        say_notes(options, (f"{n_empty:,} of {n_documents:,} documents have no words that are counted",))
    topics = getattr(options, "topics", None)
    if topics is not None:
        note_topics(options, n_documents - n_empty)


def _note_unknown_words(options: Options, corpus: io.Corpus) -> None:
    """Write how many documents have none of the words of the model."""
    n_unknown = int((corpus.X.sum(axis=1) == 0).sum())
    if n_unknown == corpus.X.shape[0] and options.command == "evaluate":
        raise ValueError(
            f"{options.input}: no document has a word of the model, so that perplexity and coherence are undefined; "
            "pass documents in the language of the model"
        )
    if n_unknown and options.command != "transform":  # which says it of its rows
        what = "none of the words of the model"
        say_notes(options, (f"{n_unknown:,} of {corpus.X.shape[0]:,} documents have {what}",))


def describe(corpus: io.Corpus, name: str) -> str:
    """Return a line on the documents that were read."""
    kind, compression, _ = corpus.recognition
    how = f"{kind}, {compression}" if compression else kind
    documents, words = corpus.X.shape
    return f"{name} ({how}): {documents:,} documents, {words:,} words, {int(corpus.X.sum()):,} tokens"
