"""How the command line counts texts: words, stop words, and the limits on document frequency."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ldavi import io
from ldavi._core.typing import Int64s
from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._options import Options

PATTERN = r"\b\w{3,}\b"  # io.WordCounter is fast for this pattern; words with a digit or _ are removed afterwards
NOT_LETTERS = re.compile(r"[\d_]")
# The pattern leaves these parts of isn't, doesn't, …, which scikit-learn's list of stop words does not have.
CONTRACTIONS = "ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan shouldn wasn weren wouldn"
# Words of that list that carry topics. Nothman, Qin, Yurchak. "Stop word lists in free open-source software packages".
# NLP-OSS 2018.
TOPICAL = "bill computer cry detail fire interest mill system"
ENGLISH = frozenset(ENGLISH_STOP_WORDS) - frozenset(TOPICAL.split()) | frozenset(CONTRACTIONS.split())
COUNTING_OPTIONS = ("stop_words", "ngrams", "min_df", "max_df", "max_features", "token_pattern", "keep_case")
MAX_NGRAM = 10  # words
MAX_PATTERN = 1000  # characters
CLASS = r"(?:\\[wS]|\[(?:[a-zA-Z0-9_]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|\\w)+\])"
# \w\w+, \b[a-z]{2,}\b, \w+(?:'\w+)*, …: a sign is in no class, so that each word can be read in one way only
JOINED_RUNS = re.compile(
    rf"(?:\(\?u\))?(?P<begin>\\b)?(?P<class>{CLASS})(?:(?P=class)?\+|\{{\d{{1,3}},\}})"
    rf"(?:\(\?:(?P<sign>['’-])(?P=class)\+\)[*?])?(?P<end>\\b)?"
)
SMALL, MEDIUM = 20, 1000  # documents; below these the default limits are laxer


@dataclass(frozen=True)
class Counting:
    """How texts are cut into words. The model file keeps it, so that new texts are counted as those of the fit were.

    Attributes
    ----------
    pattern : str
    lowercase : bool
    ngrams : (int, int)
    stop_words : "english", list of str or None
    is_trusted : bool
        Whether the user has chosen the pattern, and not only a file.
    """

    pattern: str = PATTERN
    lowercase: bool = True
    ngrams: tuple[int, int] = (1, 1)
    stop_words: Any = "english"
    is_trusted: bool = True

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `ldavi.io.WordCounter`.

        Raises
        ------
        ValueError
            If the pattern comes from a file, and its time might not be bounded.
        """
        if not self.is_trusted and not has_bounded_time(self.pattern):
            raise ValueError(
                f"the model file counts words by the pattern {self.pattern!r}, which may backtrack exponentially on "
                f"some texts. If you trust the file, add --token-pattern {shlex.quote(self.pattern)}"
            )
        stop_words = ENGLISH if self.stop_words == "english" else self.stop_words
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngram_range": self.ngrams,
            "stop_words": stop_words,
        }

    def as_metadata(self) -> dict[str, Any]:
        """Return the entry of the model file's metadata."""
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngrams": list(self.ngrams),
            "stop_words": self.stop_words,
        }

    @classmethod
    def from_metadata(cls, entry: Any) -> "Counting":
        """Read the entry of a model file's metadata, which another program may have written.

        Raises
        ------
        ValueError
            If it is not what `as_metadata` returns.
        """
        if not isinstance(entry, dict):
            return cls()
        pattern, lowercase = entry.get("token_pattern", PATTERN), entry.get("lowercase", True)
        ngrams, stop_words = entry.get("ngrams", [1, 1]), entry.get("stop_words", "english")
        _check_pattern(pattern)
        if not isinstance(lowercase, bool):
            raise ValueError(f"its entry lowercase={lowercase!r} must be true or false"[:200])
        is_range = isinstance(ngrams, list) and len(ngrams) == 2 and all(type(number) is int for number in ngrams)
        if not is_range or not 1 <= ngrams[0] <= ngrams[1] <= MAX_NGRAM:
            raise ValueError(
                f"its entry ngrams={str(ngrams)[:100]} must be two integers: 1 <= shortest <= longest <= {MAX_NGRAM}"
            )
        is_list = isinstance(stop_words, list) and all(isinstance(word, str) for word in stop_words)
        if stop_words not in (None, "english") and not is_list:
            raise ValueError('its entry stop_words must be null, "english" or a list of words')
        return cls(pattern, lowercase, (ngrams[0], ngrams[1]), stop_words, is_trusted=False)

    @classmethod
    def from_options(cls, options: Options) -> "Counting":
        """Return what the options of the command line ask for."""
        stop_words = options.stop_words or "english"
        if stop_words not in ("english", "none"):
            stop_words = io.read_vocabulary(stop_words, encoding=options.encoding).tolist()
        pattern = PATTERN if options.token_pattern is None else options.token_pattern
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"--token-pattern {pattern!r} is not a regular expression: {error}") from error
        ngrams = options.ngrams or (1, 1)
        return cls(pattern, not options.keep_case, ngrams, None if stop_words == "none" else stop_words)


def has_bounded_time(pattern: str) -> bool:
    """Return whether a pattern finds words in time proportional to the text: runs of a class, joined by one sign.

    Python's regular expressions have no limit of time, and other patterns may backtrack exponentially.
    """
    match = JOINED_RUNS.fullmatch(pattern)
    if match is None:
        return False
    if match["class"] == r"\S":  # has signs and ends of words in it
        return not (match["sign"] or match["begin"] or match["end"])
    return not match["end"] or bool(match["begin"]) or match["class"] == r"\w"


def _check_pattern(pattern: Any) -> None:
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise ValueError(f"its entry token_pattern must be a string of at most {MAX_PATTERN} characters")
    try:
        n_groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"its entry token_pattern={pattern!r} is not a regular expression: {error}") from error
    if n_groups > 1:
        raise ValueError(f"its entry token_pattern={pattern!r} has {n_groups} groups; at most 1 is allowed")


def frequency_limits(options: Options, n_documents: int) -> tuple[int | float, int | float]:
    """Return the limits on the documents of a word, as numbers (int) or shares (float).

    The defaults depend on whether the corpus has fewer than 20, or fewer than 1,000 documents.
    """
    minimum = 1 if n_documents < SMALL else 2 if n_documents < MEDIUM else 5
    maximum = 1.0 if n_documents < SMALL else 0.5
    return (
        minimum if options.min_df is None else options.min_df,
        maximum if options.max_df is None else options.max_df,
    )


def select_words(
    options: Options, words: Sequence[str], document_frequency: Int64s, n_tokens: Int64s, n_documents: int
) -> Int64s:
    """Return the columns of the words to keep: within the limits, and of letters only unless a pattern is given.

    Raises
    ------
    ValueError
        If no word is left.
    """
    limits = frequency_limits(options, n_documents)
    low, high = (limit * n_documents if isinstance(limit, float) else limit for limit in limits)
    kept = np.flatnonzero((document_frequency >= low) & (document_frequency <= high))
    kept = kept[_has_letters_only(options, [words[column] for column in kept.tolist()])]
    kept = kept[_most_frequent(options, n_tokens[kept])]
    if not len(kept):
        raise ValueError(
            f"{options.input}: no word is left: of {len(words)}, none is in {low:g} to {high:g} of the {n_documents} "
            "documents; set --min-df lower or --max-df higher"
        )
    return kept


def find_words(options: Options, counting: Counting, batches: Iterable[Sequence[str]]) -> tuple[list[str], int]:
    """Read texts in batches and return the words to keep, with the limits of `select_words`, and the number of texts.

    Raises
    ------
    ValueError
        If no word is left.
    """
    n_first = 0
    for batch in batches:  # only as many as the default limits depend on
        n_first += len(batch)
        if n_first >= MEDIUM:
            break
    min_df, max_df = frequency_limits(options, n_first)
    counter = io.WordCounter(min_df=min_df, max_df=max_df, **counting.parameters())
    try:
        words = counter.fit(batches).vocabulary_
    except ValueError as error:
        raise ValueError(f"{options.input}: {in_options(str(error))}") from error
    words = words[_has_letters_only(options, words.tolist())]
    if options.max_features is not None and len(words) > options.max_features:
        kept = io.WordCounter(vocabulary=words, **counting.parameters())
        n_tokens = sum(np.asarray(kept.transform(batch).sum(axis=0), dtype=np.int64).ravel() for batch in batches)
        words = words[_most_frequent(options, np.asarray(n_tokens))]
    if not len(words):
        raise ValueError(f"{options.input}: no word is left: all have a digit or _; set --token-pattern")
    return words.tolist(), counter.n_documents_


def _has_letters_only(options: Options, words: Sequence[str]) -> Int64s:
    """Return the positions of the words without digits and _; of all words if the user gave a pattern."""
    if options.token_pattern is not None:
        return np.arange(len(words))
    return np.flatnonzero([NOT_LETTERS.search(word) is None for word in words])


def _most_frequent(options: Options, n_tokens: Int64s) -> Int64s:
    """Return the positions of the `--max-features` words with the most tokens, in ascending order."""
    return np.sort(np.argsort(-n_tokens, kind="stable")[: options.max_features])
