"""Corpora of any common format, read whole."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import sparse

from ldavi.io._counting.word_counter import count_words
from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import check_width, whole
from ldavi.io._readers.count_formats import READERS
from ldavi.io._readers.dispatch import (
    Names,
    check_columns,
    counts_of_words,
    documents_of,
    names,
    opened,
    start,
    text_of,
    words_of,
)
from ldavi.io._readers.npz import read_npz
from ldavi.io._readers.recognition import Recognition
from ldavi.io._readers.source import MAX_BYTES, read_whole
from ldavi.io._readers.text_formats import Options


@dataclass(frozen=True)
class Corpus:
    """Documents as counts, and what else the file said of them.

    Attributes
    ----------
    X : sparse array of shape (n_documents, n_words)
        Counts, CSR; int32 where they are whole numbers, float64 elsewhere.
    vocabulary : (n_words,) array of str, or None
        The word of each column; None where the file has numbers only and no vocabulary was found.
    ids : (n_documents,) array of str, or None
        Names of the documents.
    texts : list of str, or None
        The texts that were counted.
    metadata : dict of str to (n_documents,) array
        The columns that were asked for; "label" of MALLET's files.
    recognition : Recognition
        Which format was read, and why.
    """

    X: sparse.csr_array
    vocabulary: Names | None
    ids: Names | None
    texts: list[str] | None
    metadata: dict[str, Names]
    recognition: Recognition


def read_corpus(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    vocabulary: str | os.PathLike[str] | Sequence[str] | None = None,
    column: str | tuple[str, str] | None = None,
    id_column: str | None = None,
    metadata: Sequence[str] = (),
    encoding: str = "utf-8",
    max_bytes: int = MAX_BYTES,
    counting: Mapping[str, Any] | None = None,
) -> Corpus:
    """Read a corpus of any common format; texts are counted.

    Parameters
    ----------
    path : str or path
        A file, plain or compressed by gzip, bz2, xz or zstd; a folder, each file of which is a document; or "-", standard
        input.
    format : str, default="auto"
        "text" (a document per line), "folder", "csv", "tsv", "jsonl", "parquet", "mallet" (name, label, text), "uci", "mm"
        (Matrix Market), "svmlight", "ldac", "vw", "low", "mallet-state", "mallet-matrix" or "npz"; "auto" recognises it.
    vocabulary : path, sequence of str or None, default=None
        The word of each column, or a file of them. For texts, the words to count. None looks for a file beside: NAME.vocab,
        NAME.vocab.txt, vocab.NAME.txt of docword.NAME.txt, vocab.txt.
    column : str, (str, str) or None, default=None
        The column of texts, or of lists of words (JSONL, Parquet); or those of lists of words and lists of counts. None takes
        the only column, or "text".
    id_column : str or None, default=None
        The column of document names.
    metadata : sequence of str, default=()
        Columns to keep.
    encoding : str, default="utf-8"
        Of the texts.
    max_bytes : int, default=4294967296
        The most that a compressed file may expand to.
    counting : dict or None, default=None
        Parameters of `count_words`, for texts.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If the file is not what it was taken for, is damaged or could run code; says the line and what was expected.
    ModuleNotFoundError
        If the format needs a library of the extra [io] that is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ldavi.io import read_corpus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "posts.txt")
    ...     _ = path.write_text("a song of ice\\nsong and dance and song\\n")
    ...     corpus = read_corpus(path, counting={"stop_words": "english"})
    >>> corpus.vocabulary.tolist(), corpus.X.toarray().tolist()
    (['dance', 'ice', 'song'], [[0, 1, 1], [1, 0, 2]])
    """
    options = Options(column, id_column, tuple(metadata), encoding, max_bytes)
    with opened(path, format, options) as (source, chosen):
        kind = chosen.format
        check_columns(path, kind, options)
        reading, words = start(path, kind, vocabulary, encoding)
        if kind == "npz":
            X = read_npz(read_whole(source, max_bytes), reading.name, max_bytes=max_bytes)
            check_width(reading, X.shape[1])
            return Corpus(X, words, None, None, {}, chosen)
        if kind in READERS:
            X = whole(reading, READERS[kind](source, reading, encoding))
            ids = None if reading.ids is None else names(reading.ids)
            labels = {} if reading.labels is None else {"label": names(reading.labels)}
            return Corpus(X, words_of(reading, words), ids, None, labels, chosen)
        documents = list(documents_of(source, path, kind, options))
    if not documents:
        raise CorpusError(reading.name, "holds no document")
    ids = None if documents[0].id is None else names([document.id for document in documents])
    kept = ("label",) if kind == "mallet" else options.metadata
    columns = {name: names([document.metadata[i] for document in documents]) for i, name in enumerate(kept)}
    if isinstance(documents[0].content, str):
        texts = [text_of(document, reading.name) for document in documents]
        X, words = count_words(texts, vocabulary=words, **(counting or {}))
        return Corpus(X, words, ids, texts, columns, chosen)
    X = whole(reading, counts_of_words(documents, reading))
    return Corpus(X, words_of(reading, words), ids, None, columns, chosen)
