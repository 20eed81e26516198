"""Documents as the options describe them: counted anew for a fit, or alike for a model that knows its words."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ldavi import io
from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options
from ldavi.cli._progress import MEGABYTE, Progress, reading
from ldavi.io._opener import MAX_BYTES
from ldavi.io._recognise import TEXT_FORMATS

PATTERN = r"\b\w{3,}\b"  # of those that are found quickest; words with a digit or _ are taken away afterwards
NOT_LETTERS = re.compile(r"[\d_]")
# What the pattern leaves of isn't, doesn't, …: stop words by sense, which scikit-learn's list does not have.
CONTRACTED = "ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan shouldn wasn weren wouldn"
# Words of that list that topics are made of. Nothman, Qin, Yurchak. "Stop word lists in free open-source software packages".
# NLP-OSS 2018.
TOPICAL = "bill computer cry detail fire interest mill system"
ENGLISH = frozenset(ENGLISH_STOP_WORDS) - frozenset(TOPICAL.split()) | frozenset(CONTRACTED.split())
COUNTING_OPTIONS = ("stop_words", "ngrams", "min_df", "max_df", "max_features", "token_pattern", "keep_case")


@dataclass(frozen=True)
class Counting:
    """How texts were counted, but for the choice of words: that is the vocabulary.

    Attributes
    ----------
    pattern : str
    lowercase : bool
    ngrams : (int, int)
    stop_words : "english", list of str or None
    """

    pattern: str = PATTERN
    lowercase: bool = True
    ngrams: tuple[int, int] = (1, 1)
    stop_words: Any = "english"

    def parameters(self) -> dict[str, Any]:
        """For `ldavi.io.count_words`."""
        stop_words = ENGLISH if self.stop_words == "english" else self.stop_words
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngram_range": self.ngrams,
            "stop_words": stop_words,
        }

    def as_metadata(self) -> dict[str, Any]:
        """For the model file."""
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngrams": list(self.ngrams),
            "stop_words": self.stop_words,
        }

    @classmethod
    def from_metadata(cls, kept: Any) -> "Counting":
        """Of a model file, which others may have written."""
        if not isinstance(kept, dict):
            return cls()
        ngrams = kept.get("ngrams", [1, 1])
        return cls(
            str(kept.get("token_pattern", PATTERN)),
            bool(kept.get("lowercase", True)),
            (int(ngrams[0]), int(ngrams[1])),
            kept.get("stop_words", "english"),
        )

    @classmethod
    def from_options(cls, options: Options) -> "Counting":
        """Of the command line."""
        named = options.stop_words or "english"
        if named not in ("english", "none"):
            named = io.read_vocabulary(named, encoding=options.encoding).tolist()
        pattern = PATTERN if options.token_pattern is None else options.token_pattern
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"--token-pattern {pattern!r} is no regular expression: {error}") from error
        return cls(pattern, not options.keep_case, options.ngrams or (1, 1), None if named == "none" else named)


def limits(options: Options, n_documents: int) -> tuple[float, float]:
    """Fewest and most documents of a word."""
    few = 1 if n_documents < 20 else 2 if n_documents < 1000 else 5
    low = few if options.min_df is None else options.min_df
    high = (1.0 if n_documents < 20 else 0.5) if options.max_df is None else options.max_df
    return tuple(limit * n_documents if isinstance(limit, float) else limit for limit in (low, high))  # type: ignore[return-value]


def chosen_words(options: Options, words: Any, in_documents: Any, tokens: Any, n_documents: int) -> Any:
    """Columns of the words to keep: neither rare nor everywhere, of letters alone unless a pattern is given.

    Raises
    ------
    ValueError
        If none is left.
    """
    low, high = limits(options, n_documents)
    kept = np.flatnonzero((in_documents >= low) & (in_documents <= high))
    if options.token_pattern is None:
        kept = kept[[NOT_LETTERS.search(words[column]) is None for column in kept]] if len(kept) else kept
    if options.max_features is not None:
        often = np.argsort(-tokens[kept], kind="stable")[: options.max_features]
        kept = kept[np.sort(often)]
    if not len(kept):
        raise ValueError(
            f"{options.input}: no word is left: of {len(words)}, none is in {low:g} to {high:g} of the {n_documents} "
            "documents; set --min-df lower or --max-df higher"
        )
    return kept


@contextmanager
def rereadable(options: Options) -> Iterator[str]:
    """A path to the input that can be looked at and read more than once: of standard input, a copy on the disk."""
    if options.input != "-":
        if not os.path.exists(options.input):
            raise FileNotFoundError(2, "there is no such file or folder", options.input)
        yield options.input
        return
    with tempfile.TemporaryDirectory(prefix="ldavi-") as folder:
        copy = Path(folder, "standard input")
        with copy.open("wb") as file, Progress(options, "reading standard input", "MB") as progress:
            while part := sys.stdin.buffer.read(MEGABYTE):
                file.write(part)
                progress.add(1)
        try:
            yield str(copy)
        except io.CorpusError as error:
            raise io.CorpusError("standard input", error.problem, error.line) from error


def read_for_fit(options: Options, counting: Counting, path: str) -> io.Corpus:
    """The documents, texts counted with words chosen as the options say; names of columns where there are any."""
    words = options.vocabulary
    with reading(options, f"reading {options.input}", path):
        corpus = _read(options, path, words, counting.parameters())
    if corpus.texts is None or words is not None:
        return corpus
    X = corpus.X
    in_documents = np.bincount(X.indices, minlength=X.shape[1])
    tokens = np.asarray(X.sum(axis=0)).ravel()
    assert corpus.vocabulary is not None
    kept = chosen_words(options, corpus.vocabulary, in_documents, tokens, X.shape[0])
    return replace(corpus, X=sparse.csr_array(X[:, kept]), vocabulary=corpus.vocabulary[kept])


def read_for_model(options: Options, words: Any, counting: Counting, n_words: int, path: str) -> io.Corpus:
    """The documents in the columns of a model: texts counted as its own were, other vocabularies matched by word.

    Raises
    ------
    ValueError
        If the columns cannot be told.
    """
    kind = io.recognise(path).format if options.format == "auto" else options.format
    if kind in TEXT_FORMATS and words is None:
        words = getattr(options, "vocabulary", None)
        if words is None and kind != "jsonl" and kind != "parquet":
            raise ValueError(f"{options.input} holds texts, and the model file has no vocabulary to count them with")
    vocabulary = words if kind in TEXT_FORMATS else getattr(options, "vocabulary", None)
    with reading(options, f"reading {options.input}", path):
        corpus = _read(options, path, vocabulary, counting.parameters())
    return replace(corpus, X=in_columns_of(corpus.X, corpus.vocabulary, words, n_words, options.input))


def in_columns_of(X: Any, vocabulary: Any, words: Any, n_words: int, name: str) -> Any:
    """Counts in the columns of a model, which knows `words`; others are left out.

    Raises
    ------
    ValueError
        If the widths differ and the words are not known on both sides, or none is in common.
    """
    if vocabulary is None or words is None or list(vocabulary) == list(words):
        if X.shape[1] != n_words:
            raise ValueError(
                f"{name}: has {X.shape[1]} words and the model {n_words}; give the --vocabulary of a file that has another"
            )
        return X
    column = {word: index for index, word in enumerate(words)}
    found = np.array([column.get(word, -1) for word in vocabulary])
    known = np.flatnonzero(found >= 0)
    if not len(known):
        raise ValueError(f"{name}: none of its {len(vocabulary)} words is known to the model")
    move = sparse.csr_array((np.ones(len(known), X.dtype), (known, found[known])), shape=(X.shape[1], n_words))
    return sparse.csr_array(X @ move)


def _read(options: Options, path: str, vocabulary: Any, counting: dict[str, Any]) -> io.Corpus:
    return io.read_corpus(
        path,
        format=options.format,
        vocabulary=vocabulary,
        column=options.column,
        id_column=options.id_column,
        metadata=metadata_names(options),
        encoding=options.encoding,
        max_bytes=options.max_bytes or MAX_BYTES,
        counting=counting,
    )


def metadata_names(options: Options) -> list[str]:
    """The columns of --metadata."""
    named = getattr(options, "metadata", None) or ""
    return [name.strip() for name in named.split(",") if name.strip()]


def described(corpus: io.Corpus, name: str) -> str:
    """One line on what was read."""
    kind, compression, _ = corpus.recognition
    how = f"{kind}, {compression}" if compression else kind
    documents, words = corpus.X.shape
    return f"{name} ({how}): {documents:,} documents, {words:,} words, {int(corpus.X.sum()):,} tokens"
