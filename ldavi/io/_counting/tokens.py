"""Tokenisation of texts with a regular expression; `str.translate` and pyarrow speed up common expressions."""

import importlib.util
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Int32s, Int64s
from ldavi.io._counting.unicode_words import DOTTED_LANGUAGES, is_simple, is_word, normalised, words_with_marks

ARROW_CHARACTERS = 2**20  # below this total, loading pyarrow takes longer than it saves

# Matches patterns that find the longest runs of one character class, with a minimum length:
# \w\w+, \b\w{3,}\b, [a-z]+, …
RUN_PATTERN = re.compile(
    r"(?:\(\?u\))?(?:(?:\\b)?(?P<w>\\w)(?:(?P<w1>\\w)?\+|\{(?P<wn>\d{1,3}),\})(?:\\b)?"
    r"|(?P<c>\[(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Za-z0-9_])+\])(?:(?P<c1>(?P=c))?\+|\{(?P<cn>\d{1,3}),\}))"
)


class Tokens(NamedTuple):
    """The tokens of some texts: token i is `vocabulary[ids[i]]`, and the tokens of text d start at `starts[d]`."""

    vocabulary: list[str]
    ids: Int32s
    starts: Int64s


class RunRule(NamedTuple):
    """A pattern for runs of a character class, restricted to ASCII.

    Attributes
    ----------
    table : dict
        Argument of `str.translate` that replaces characters outside the class by blanks.
    min_length : int
        Minimum number of characters of a word.
    has_letters : bool
        Whether the class is \\w, the letters of all alphabets.
    """

    table: dict[int, str]
    min_length: int
    has_letters: bool


def run_rule(pattern: str, *, lowercase: bool) -> RunRule | None:
    """Return the rule of a pattern that finds the longest runs of a character class; None for other patterns."""
    match = RUN_PATTERN.fullmatch(pattern)
    if match is None:
        return None
    member = re.compile(match["w"] or match["c"])
    min_length = int(match["wn"] or match["cn"] or (2 if match["w1"] or match["c1"] else 1))
    if min_length == 0:  # the pattern finds empty words, too
        return None
    lowered = [chr(code).lower() if lowercase else chr(code) for code in range(128)]
    table = {code: found if member.match(found) else " " for code, found in enumerate(lowered)}
    return RunRule(table, min_length, bool(match["w"]))


def tokenize(texts: Sequence[str], pattern: str, *, lowercase: bool, language: str | None = None) -> Tokens:
    """Return the words that `re.findall(pattern, text)` finds in each text.

    Parameters
    ----------
    texts : sequence of str
    pattern : str
        A regular expression with at most one group, which is the word if there is one.
    lowercase : bool
        Whether texts are converted to lower case first.
    language : str or None
        With a language, or "any", texts are normalised, combining marks belong to the letters before them, and the
        minimum length of a run of letters depends on the script; see `ldavi.io._counting.unicode_words`.

    Returns
    -------
    Tokens
    """
    rule = run_rule(pattern, lowercase=lowercase)
    plain: Callable[[str], list[str]] = re.compile(pattern).findall
    find = plain
    if language is not None and rule is not None and rule.has_letters:
        find = words_with_marks()

    is_dotted = language in DOTTED_LANGUAGES and lowercase  # I is not a capital i

    def prepared(text: str) -> str:
        if language is not None:
            return normalised(text, lowercase=lowercase, language=language)
        return text.lower() if lowercase else text

    def words_of(text: str) -> list[str]:
        if language is not None and not is_dotted and is_simple(text):
            return plain(text.lower() if lowercase else text)
        return find(prepared(text))

    if rule is None:
        return tokens_of(find(prepared(text)) for text in texts)
    # A run contains no blank. Therefore the words of texts that are not ASCII can be joined, and split at blanks again.
    spaced = [
        text.translate(rule.table) if text.isascii() and not is_dotted else " ".join(words_of(text)) for text in texts
    ]
    tokens = None
    if sum(map(len, spaced)) >= ARROW_CHARACTERS and importlib.util.find_spec("pyarrow") is not None:
        tokens = _split_with_arrow(spaced)
    if tokens is None:
        tokens = tokens_of(text.split() for text in spaced)
    length = rule.min_length
    if language is not None and rule.has_letters:
        is_long_enough = (is_word(word, length) for word in tokens.vocabulary)
    else:
        is_long_enough = (len(word) >= length for word in tokens.vocabulary)
    return select_words(tokens, np.fromiter(is_long_enough, bool, len(tokens.vocabulary)))


def mapped(tokens: Tokens, function: Callable[[str], str]) -> Tokens:
    """Return tokens whose words are replaced by the results of a function, such as a lemmatiser; drop empty ones."""
    numbers = _numbering()
    names = [function(word) for word in tokens.vocabulary]
    if wrong := next((name for name in names if not isinstance(name, str)), None):
        raise TypeError(f"lemmatizer returned {wrong!r} for a word; it must return str")
    new = np.fromiter(map(numbers.__getitem__, names), np.int32, len(names))
    result = Tokens(list(numbers), new[tokens.ids], tokens.starts)
    return select_words(result, np.fromiter((bool(name) for name in result.vocabulary), bool, len(numbers)))


def select_words(tokens: Tokens, is_selected: NDArray[np.bool_]) -> Tokens:
    """Return the tokens whose word, by its position in the vocabulary, is selected."""
    if is_selected.all():
        return tokens
    kept = is_selected[tokens.ids]
    n_kept_before = np.concatenate(([0], np.cumsum(kept)))
    new_ids = np.cumsum(is_selected, dtype=np.int32) - 1
    vocabulary = [word for word, selected in zip(tokens.vocabulary, is_selected.tolist(), strict=True) if selected]
    return Tokens(vocabulary, new_ids[tokens.ids[kept]], n_kept_before[tokens.starts])


def tokens_of(documents: Iterable[Sequence[str]]) -> Tokens:
    """Number the words of documents in the order of their first occurrence."""
    numbers = _numbering()
    number = numbers.__getitem__
    # Each document becomes an array at once, since the garbage collector would traverse lists of words repeatedly.
    ids = [np.fromiter(map(number, words), np.int32, len(words)) for words in documents]
    starts = np.concatenate(([0], np.cumsum([len(part) for part in ids], dtype=np.int64)))
    return Tokens(list(numbers), np.concatenate([np.empty(0, np.int32), *ids]), starts)


def _numbering() -> defaultdict[str, int]:
    """Return a dict that assigns the next number to each new key."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers


def _split_with_arrow(spaced: Sequence[str]) -> Tokens | None:
    """Split texts at blanks with pyarrow; return None if a text contains a lone surrogate, which pyarrow refuses."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        words = pc.ascii_split_whitespace(pa.array(spaced, type=pa.large_string()))
    except UnicodeEncodeError:
        return None
    starts = words.offsets.to_numpy().astype(np.int64)
    encoded = words.flatten().dictionary_encode()
    return Tokens(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int32), starts)


def with_ngrams(tokens: Tokens, shortest: int, longest: int) -> Tokens:
    """Return the n-ngrams of each text, words joined by blanks, for n from `shortest` to `longest`; in no order."""
    if (shortest, longest) == (1, 1):
        return tokens
    n_docs = len(tokens.starts) - 1
    docs = np.repeat(np.arange(n_docs), np.diff(tokens.starts))
    ngrams, names, parts = tokens.ids.astype(np.int64), tokens.vocabulary, []
    n_words = max(1, len(tokens.vocabulary))
    for length in range(1, longest + 1):
        if length > 1:
            starts = np.flatnonzero(docs[: max(0, len(docs) - length + 1)] == docs[length - 1 :])
            if not len(starts):  # no text is that long
                break
            keys = ngrams[starts] * n_words + tokens.ids[starts + length - 1]
            unique, inverse = np.unique(keys, return_inverse=True)
            names = [f"{names[key // n_words]} {tokens.vocabulary[key % n_words]}" for key in unique.tolist()]
            ngrams = np.full(len(docs), -1, dtype=np.int64)
            ngrams[starts] = inverse
        if length >= shortest:
            present = np.flatnonzero(ngrams >= 0)
            parts.append((docs[present], ngrams[present], names))
    return _merged(parts, n_docs)


def _merged(parts: list[tuple[Int64s, Int64s, list[str]]], n_docs: int) -> Tokens:
    """Merge n-grams of several lengths into tokens sorted by text; equal n-grams become one word."""
    numbers = _numbering()
    ids = [np.fromiter(map(numbers.__getitem__, names), np.int32, len(names))[ngrams] for _, ngrams, names in parts]
    docs = np.concatenate([docs for docs, _, _ in parts])
    order = np.argsort(docs, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(docs, minlength=n_docs))))
    return Tokens(list(numbers), np.concatenate(ids)[order], starts)
