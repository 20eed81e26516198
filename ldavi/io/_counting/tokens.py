"""Texts cut into words: the same words as a regular expression finds, several times sooner where it is a common one."""

import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Int32s, Int64s

ARROW_CHARACTERS = 2**20  # texts of less are cut in less time than pyarrow takes to load

# A pattern that finds the longest runs of a class of characters, of at least so many: \w\w+, \b\w{3,}\b, [a-z]+, …
RUNS = re.compile(
    r"(?:\(\?u\))?(?:(?:\\b)?(?P<w>\\w)(?:(?P<w1>\\w)?\+|\{(?P<wn>\d{1,3}),\})(?:\\b)?"
    r"|(?P<c>\[(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Za-z0-9_])+\])(?:(?P<c1>(?P=c))?\+|\{(?P<cn>\d{1,3}),\}))"
)


class Tokens(NamedTuple):
    """The words of some texts in order: `vocabulary[ids[i]]` is the i-th; text d has those from `starts[d]` on."""

    vocabulary: list[str]
    ids: Int32s
    starts: Int64s


class Runs(NamedTuple):
    """What a common pattern comes to in ASCII: a table that blanks all else, and the fewest characters of a word."""

    table: dict[int, str]
    shortest: int


def runs_of(pattern: str, *, lowercase: bool) -> Runs | None:
    """The table of a pattern that finds the longest runs of a class of characters; None for any other."""
    match = RUNS.fullmatch(pattern)
    if match is None:
        return None
    member = re.compile(match["w"] or match["c"])
    shortest = int(match["wn"] or match["cn"] or (2 if match["w1"] or match["c1"] else 1))
    if shortest == 0:  # finds empty words, too
        return None
    lowered = [chr(code).lower() if lowercase else chr(code) for code in range(128)]
    return Runs({code: found if member.match(found) else " " for code, found in enumerate(lowered)}, shortest)


def cut(texts: Sequence[str], pattern: str, *, lowercase: bool) -> Tokens:
    """The words that `re.findall(pattern, text)` finds in each text, some shorter ones among the vocabulary left out.

    Parameters
    ----------
    texts : sequence of str
    pattern : str
        A regular expression with at most one group, which is then the word.
    lowercase : bool
        Whether texts are put into lower case first.

    Returns
    -------
    Tokens
    """
    runs = runs_of(pattern, lowercase=lowercase)
    find = re.compile(pattern).findall
    if runs is None:
        return _number(find(text.lower() if lowercase else text) for text in texts)
    table = runs.table
    # Runs hold no blank, so that words found by the expression, where a text is not ASCII, can be cut at blanks again.
    spaced = [
        text.translate(table) if text.isascii() else " ".join(find(text.lower() if lowercase else text))
        for text in texts
    ]
    tokens = None
    if sum(map(len, spaced)) >= ARROW_CHARACTERS and importlib.util.find_spec("pyarrow") is not None:
        tokens = _cut_by_arrow(spaced)
    if tokens is None:
        tokens = _number(text.split() for text in spaced)
    return keep(
        tokens, np.fromiter((len(word) >= runs.shortest for word in tokens.vocabulary), bool, len(tokens.vocabulary))
    )


def keep(tokens: Tokens, wanted: NDArray[np.bool_]) -> Tokens:
    """The tokens without the words that are not wanted."""
    if wanted.all():
        return tokens
    kept = wanted[tokens.ids]
    before = np.concatenate(([0], np.cumsum(kept)))
    renumbered = np.cumsum(wanted, dtype=np.int32) - 1
    vocabulary = [word for word, is_wanted in zip(tokens.vocabulary, wanted.tolist(), strict=True) if is_wanted]
    return Tokens(vocabulary, renumbered[tokens.ids[kept]], before[tokens.starts])


def _number(documents: Iterable[Sequence[str]]) -> Tokens:
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    number = numbers.__getitem__
    # An array per text at once: lists of words that stay are what the garbage collector goes through again and again.
    ids = [np.fromiter(map(number, words), np.int32, len(words)) for words in documents]
    starts = np.concatenate(([0], np.cumsum([len(part) for part in ids], dtype=np.int64)))
    return Tokens(list(numbers), np.concatenate([np.empty(0, np.int32), *ids]), starts)


def _cut_by_arrow(spaced: Sequence[str]) -> Tokens | None:
    """The same by pyarrow; None where it cannot hold the texts, those with half a surrogate pair."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        words = pc.ascii_split_whitespace(pa.array(spaced, type=pa.large_string()))
    except UnicodeEncodeError:
        return None
    starts = words.offsets.to_numpy().astype(np.int64)
    coded = words.flatten().dictionary_encode()
    return Tokens(coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int32), starts)


def with_ngrams(tokens: Tokens, shortest: int, longest: int) -> Tokens:
    """Words and runs of words of one text, joined by blanks: of `shortest` to `longest` words. Their order is not kept."""
    if (shortest, longest) == (1, 1):
        return tokens
    n_docs = len(tokens.starts) - 1
    docs = np.repeat(np.arange(n_docs), np.diff(tokens.starts))
    grams, names, seen = tokens.ids.astype(np.int64), tokens.vocabulary, []
    n_words = max(1, len(tokens.vocabulary))
    for length in range(1, longest + 1):
        if length > 1:
            inside = docs[: max(0, len(docs) - length + 1)] == docs[length - 1 :]
            heads = np.flatnonzero(inside)
            keys = grams[heads] * n_words + tokens.ids[heads + length - 1]
            unique, inverse = np.unique(keys, return_inverse=True)
            names = [f"{names[key // n_words]} {tokens.vocabulary[key % n_words]}" for key in unique.tolist()]
            grams = np.full(len(docs), -1, dtype=np.int64)
            grams[heads] = inverse
        if length >= shortest:
            present = np.flatnonzero(grams >= 0)
            seen.append((docs[present], grams[present], names))
    return _together(seen, n_docs)


def _together(parts: list[tuple[Int64s, Int64s, list[str]]], n_docs: int) -> Tokens:
    """Runs of several lengths as one list of tokens, text by text; equal names (of words that hold blanks) made one."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    ids = [np.fromiter(map(numbers.__getitem__, names), np.int32, len(names))[grams] for _, grams, names in parts]
    docs = np.concatenate([docs for docs, _, _ in parts])
    order = np.argsort(docs, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(docs, minlength=n_docs))))
    return Tokens(list(numbers), np.concatenate(ids)[order], starts)
