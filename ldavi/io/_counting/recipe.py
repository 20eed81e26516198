"""How texts are counted, in the form in which a model file records it."""

import importlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from ldavi.io._counting.phrases import check_phrases
from ldavi.io._counting.unicode_words import ANY, check_language
from ldavi.io._counting.word_counter import WordCounter

PATTERN = r"\b\w{3,}\b"  # io.WordCounter is fast for this pattern; words with a digit or _ are removed afterwards
# The pattern leaves these parts of isn't, doesn't, …, which scikit-learn's list of stop words does not have.
CONTRACTIONS = "ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan shouldn wasn weren wouldn"
# Words of that list that carry topics. Nothman, Qin, Yurchak. "Stop word lists in free open-source software packages".
# NLP-OSS 2018.
TOPICAL = "bill computer cry detail fire interest mill system"
ENGLISH = frozenset(ENGLISH_STOP_WORDS) - frozenset(TOPICAL.split()) | frozenset(CONTRACTIONS.split())
FUNCTION = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)", re.ASCII)
DESCRIBED = {"analyzer": "word", "tokenizer": None, "preprocessor": None, "strip_accents": None, "binary": False}
MAX_NGRAM = 10  # words
MAX_PATTERN = 1000  # characters
CLASS = r"(?:\\[wS]|\[(?:[a-zA-Z0-9_]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|\\w)+\])"
# \w\w+, \b[a-z]{2,}\b, \w+(?:'\w+)*, …: a sign is in no class, so that each word can be read in one way only
JOINED_RUNS = re.compile(
    rf"(?:\(\?u\))?(?P<begin>\\b)?(?P<class>{CLASS})(?:(?P=class)?\+|\{{\d{{1,3}},\}})"
    rf"(?:\(\?:(?P<sign>['’-])(?P=class)\+\)[*?])?(?P<end>\\b)?"
)


class UntrustedPatternError(ValueError):
    """A model file counts words by a pattern whose time might not be bounded.

    Parameters
    ----------
    pattern : str
        The pattern.
    """

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.pattern = pattern

    @property
    def problem(self) -> str:
        """The message without the remedy, which the caller knows."""
        return (
            f"the model file counts words by the pattern {self.pattern!r}, which may backtrack exponentially on some "
            "texts. If you trust the file, "
        )

    def __str__(self) -> str:
        return f"{self.problem}pass token_pattern={self.pattern!r}"


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
        Whether the user has chosen the pattern and the functions, and not only a file.
    language : str or None
        None for the rules of `CountVectorizer`, as in files of former versions.
    tokenizer, lemmatizer : str or None
        Names of functions, as "module:function".
    phrases : tuple of str
    """

    pattern: str = PATTERN
    lowercase: bool = True
    ngrams: tuple[int, int] = (1, 1)
    stop_words: Any = "english"
    is_trusted: bool = True
    language: str | None = ANY
    tokenizer: str | None = None
    lemmatizer: str | None = None
    phrases: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `ldavi.io.WordCounter`.

        Raises
        ------
        UntrustedPatternError
            If the pattern comes from a file, and its time might not be bounded.
        ValueError
            If a function comes from a file, since importing it runs code, or cannot be imported.
        """
        for name in ("tokenizer", "lemmatizer"):
            if (function := getattr(self, name)) is not None and not self.is_trusted:
                raise ValueError(
                    f"the model file counts words by the function {function}, which would run code. If you trust it, "
                    f"pass {name}={function}"
                )
        if not self.is_trusted and not has_bounded_time(self.pattern):
            raise UntrustedPatternError(self.pattern)
        stop_words = ENGLISH if self.stop_words == "english" else self.stop_words
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngram_range": self.ngrams,
            "stop_words": stop_words,
            "language": self.language,
            "tokenizer": None if self.tokenizer is None else imported("tokenizer", self.tokenizer),
            "lemmatizer": None if self.lemmatizer is None else imported("lemmatizer", self.lemmatizer),
            "phrases": self.phrases or None,
        }

    def as_metadata(self) -> dict[str, Any]:
        """Return the entry of the model file's metadata."""
        return {
            "token_pattern": self.pattern,
            "lowercase": self.lowercase,
            "ngrams": list(self.ngrams),
            "stop_words": self.stop_words,
            "language": self.language,
            "tokenizer": self.tokenizer,
            "lemmatizer": self.lemmatizer,
            "phrases": list(self.phrases),
        }

    def trusted(self, **chosen: str | None) -> "Counting":
        """Return the same with the user's consent, if the user has chosen what the file names.

        Raises
        ------
        ValueError
            If the user has chosen something else.
        """
        for name, value in chosen.items():
            stored = self.pattern if name == "token_pattern" else getattr(self, name)
            if value is not None and value != stored:
                raise ValueError(f"{name}={value} is not that of the model file, {stored}; leave it out")
        needed = [name for name in ("tokenizer", "lemmatizer") if getattr(self, name) is not None]
        if not has_bounded_time(self.pattern) and self.tokenizer is None:
            needed.append("token_pattern")
        return replace(self, is_trusted=True) if all(chosen.get(name) is not None for name in needed) else self

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
        for name in ("tokenizer", "lemmatizer"):
            if not (entry.get(name) is None or FUNCTION.fullmatch(str(entry[name]))):
                raise ValueError(f"its entry {name}={entry[name]!r} must be null or 'module:function'"[:200])
        return cls(
            pattern,
            lowercase,
            (ngrams[0], ngrams[1]),
            stop_words,
            is_trusted=False,
            language=check_language(entry.get("language")),
            tokenizer=entry.get("tokenizer"),
            lemmatizer=entry.get("lemmatizer"),
            phrases=check_phrases(entry.get("phrases")),
        )


def imported(parameter: str, name: str) -> Callable[[str], Any]:
    """Import a function that is named as "module:function", also from the current folder.

    Raises
    ------
    ValueError
        If there is no such function.
    """
    match = FUNCTION.fullmatch(name)
    if match is None:
        raise ValueError(f"{parameter}={name} must be MODULE:FUNCTION, such as mywords:tokens for mywords.py")
    sys.path.insert(0, os.getcwd())
    try:
        function: Any = importlib.import_module(match[1])
        for part in match[2].split("."):
            function = getattr(function, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{parameter}={name} cannot be imported ({error})") from error
    finally:
        sys.path.remove(os.getcwd())
    if not callable(function):
        raise ValueError(f"{parameter}={name} is no function")
    return cast(Callable[[str], Any], function)


def counting_of(counter: Any) -> Counting:
    """Return how a fitted `WordCounter` or `CountVectorizer` counts texts.

    Raises
    ------
    TypeError
        If `counter` is something else.
    ValueError
        If it has a parameter that a model file cannot describe.
    """
    if isinstance(counter, WordCounter):
        how = counter._splitting
        for name in ("tokenizer", "lemmatizer"):
            if (function := getattr(how, name)) is not None:
                raise ValueError(
                    f"counter has {name}={function!r}, which a model file cannot describe: pickle the pipeline instead"
                )
        return Counting(
            how.pattern,
            how.lowercase,
            how.ngram_range,
            sorted(how.stop_words) or None,
            language=how.language,
            phrases=how.phrases,
        )
    if type(counter) is CountVectorizer:  # a subclass may count in another way, as TfidfVectorizer does
        for name, described in DESCRIBED.items():
            if getattr(counter, name) != described:
                raise ValueError(
                    f"counter has {name}={getattr(counter, name)!r}, which a model file cannot describe; only "
                    f"{name}={described!r} is supported: pickle the pipeline instead"
                )
        pattern, lowercase, ngrams = counter.token_pattern, counter.lowercase, counter.ngram_range
        stop_words = sorted(counter.get_stop_words() or ())
    else:
        raise TypeError(
            f"counter is a {type(counter).__name__}; it must be a fitted ldavi.io.WordCounter or a "
            "CountVectorizer, since a model file cannot describe others: pickle the pipeline instead"
        )
    return Counting(pattern, bool(lowercase), (int(ngrams[0]), int(ngrams[1])), stop_words or None, language=None)


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
