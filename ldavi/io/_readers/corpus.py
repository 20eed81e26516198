"""`read_corpus`: read a whole corpus of any supported format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy import sparse

from ldavi.io._counting.functions import count_words
from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, build_matrix
from ldavi.io._readers.dispatch import (
    ObjectArray,
    counts_of_word_lists,
    final_vocabulary,
    first_content,
    initial_info,
    metadata_names,
    note_unused_counting,
    object_array,
    open_corpus,
    read_counts,
    read_npz_counts,
    reader_options,
    text_of,
)
from ldavi.io._readers.documents import Column, Document
from ldavi.io._readers.recognition import Recognition
from ldavi.io._readers.several import Paths, StrPath, one_or_several
from ldavi.io._readers.source import MAX_BYTES

NO_WORDS = "the texts contain no words"  # beginning of a message of `count_words`, which does not know the file


@dataclass(frozen=True)
class Corpus:
    """The counts of a corpus, with the words, names and metadata that its file contains.

    Attributes
    ----------
    X : sparse array of shape (n_documents, n_words)
        Counts in CSR format: int32 if all are whole numbers, else float64.
    vocabulary : (n_words,) array of str, or None
        The word of each column; None if the file contains word numbers only and no vocabulary was given or found.
    ids : (n_documents,) array of str, or None
        Names of the documents, if the file contains them or `id_column` was given.
    texts : list of str, or None
        The texts, if the file contains texts.
    metadata : dict of str to (n_documents,) array
        The columns in `metadata` of the call; "label" for files of MALLET.
    recognition : Recognition
        The format that was read, and how it was recognised.
    notes : tuple of str
        What was decided where the file leaves it open, such as its delimiter, for the user to check.
    """

    X: sparse.csr_array
    vocabulary: ObjectArray | None
    ids: ObjectArray | None
    texts: list[str] | None
    metadata: dict[str, ObjectArray]
    recognition: Recognition
    notes: tuple[str, ...] = ()


def read_corpus(
    path: Paths,
    *,
    format: str = "auto",
    vocabulary: StrPath | Sequence[str] | None = None,
    column: Column = None,
    id_column: str | None = None,
    metadata: Sequence[str] = (),
    encoding: str = "utf-8",
    max_bytes: int = MAX_BYTES,
    counting: Mapping[str, Any] | None = None,
    table: Mapping[str, Any] | None = None,
    first_word: int | None = None,
) -> Corpus:
    """Read a corpus of any common format as a matrix of counts; the words of texts are counted.

    Parameters
    ----------
    path : str, path or sequence of them
        A file, plain or compressed with gzip, bz2, xz, zstd or zip; several files of texts or tables, also as a pattern
        such as ``posts-*.csv``; a folder or zip archive that contains one document per file, or files that are all
        tables; or "-" for standard input.
    format : str, default="auto"
        "text" (a document per line), "folder", "csv", "tsv", "jsonl", "json", "parquet", "excel", "mallet" (name,
        label, text), "uci", "mm" (Matrix Market), "svmlight", "ldac", "vw", "low", "mallet-state", "mallet-matrix" or
        "npz". "auto" recognises the format.
    vocabulary : path, sequence of str or None, default=None
        The word of each column, or a file of them; for texts, the words to count. With None, a file of counts uses a
        vocabulary file in the same folder, if there is one: NAME.vocab, NAME.vocab.txt, NAME.dict.txt, vocab.NAME.txt
        for docword.NAME.txt, or vocab.txt.
    column : str, list of str, (str, str) or None, default=None
        Name of the column with texts or, in JSON and Parquet, with lists of words. A list names several columns, whose
        texts are joined. A pair (a tuple) names a column with lists of words and one with lists of their counts. None
        uses the only column, or the one named "text". Missing texts (null) are empty documents.
    id_column : str or None, default=None
        Name of the column with the names of the documents, which tables and reports show.
    metadata : sequence of str, default=()
        Names of further columns to return, such as dates or groups.
    encoding : str, default="utf-8"
        Encoding of the texts, for example "cp1252" for files of older Windows programs. A byte order mark takes
        precedence.
    max_bytes : int, default=4294967296
        Maximum number of bytes that a compressed file may expand to. Raise it for larger files that you trust.
    counting : mapping or None, default=None
        Keyword arguments of `count_words`, for texts. `notes` says where they are not used: for counts.
    table : mapping or None, default=None
        How a table is read: "delimiter", a character (default: recognised); "quoting", "csv", "backslash" (quotes
        within quotes follow a backslash) or "none" (quotes are part of the texts) (default: recognised); "header",
        whether the first row has the names of the columns (default: True; with False they are "1", "2", …); "sheet",
        the name of a sheet.
    first_word : 0, 1 or None, default=None
        The number of the first word in SVMlight and lda-c files. None finds it: 0 if it occurs, 1 if the number of
        words of the vocabulary occurs, else 1 for SVMlight and 0 for lda-c.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If the file does not have the expected format, is damaged, or is of a kind that could run code. The message
        names the file, the line and what was expected.
    ValueError
        If a value is not allowed.
    ModuleNotFoundError
        If the format needs a library that is not installed; the extra ``ldavi[io]`` installs it.

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
    path = one_or_several(path)
    options = reader_options(
        column=column,
        id_column=id_column,
        metadata=metadata,
        encoding=encoding,
        max_bytes=max_bytes,
        table=table,
        first_word=first_word,
    )
    with open_corpus(path, format, options) as opened:
        recognition, source, _ = opened
        kind = recognition.format
        info, words = initial_info(path, kind, vocabulary, options)
        if opened.documents is None:
            note_unused_counting(counting, options)
        if kind == "npz":
            X = read_npz_counts(source, info, options)
            return Corpus(X, words, None, None, {}, recognition, tuple(options.notes))
        if opened.documents is None:
            X = build_matrix(info, read_counts(opened, info))
            ids = None if info.ids is None else object_array(info.ids)
            labels = {} if info.labels is None else {"label": object_array(info.labels)}
            return Corpus(X, final_vocabulary(info, words), ids, None, labels, recognition, tuple(options.notes))
        documents = list(opened.documents)
    if not documents:
        raise CorpusError(info.name, "contains no document")
    names = metadata_names(kind, options)
    if not isinstance(first_content(documents), str):
        note_unused_counting(counting, options)
    corpus = _corpus_of_documents(documents, info, words, names, recognition, counting or {})
    return replace(corpus, notes=tuple(options.notes))


def _corpus_of_documents(
    documents: list[Document],
    info: CorpusInfo,
    words: ObjectArray | None,
    names: tuple[str, ...],
    recognition: Recognition,
    counting: Mapping[str, Any],
) -> Corpus:
    """Count the words of documents, which are all texts or all lists of words."""
    ids = None if documents[0].id is None else object_array([document.id for document in documents])
    columns = {name: object_array([document.metadata[i] for document in documents]) for i, name in enumerate(names)}
    if isinstance(first_content(documents), str):
        texts = [text_of(document, info.name) for document in documents]
        try:
            X, words = count_words(texts, vocabulary=words, **counting)
        except ValueError as error:
            if not str(error).startswith(NO_WORDS):
                raise
            raise CorpusError(info.name, str(error)) from error
        return Corpus(X, words, ids, texts, columns, recognition)
    X = build_matrix(info, counts_of_word_lists(documents, info))
    return Corpus(X, final_vocabulary(info, words), ids, None, columns, recognition)
