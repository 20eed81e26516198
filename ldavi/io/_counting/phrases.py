"""Phrases: pairs of adjacent words that occur together more often than by chance, counted as one word."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from ldavi._core.typing import Int64s
from ldavi.io._counting.tokens import Tokens

MIN_COUNT, MIN_NPMI = 5, 0.5
MAX_PAIRS = 10_000_000  # in memory; beyond, the pairs that have occurred once are dropped


class PhraseFinder:
    """Count words and adjacent pairs of them, and choose the pairs that are phrases.

    A pair is a phrase if its normalised pointwise mutual information is large: log(p(a, b) / (p(a) p(b))) divided by
    −log p(a, b), which is 1 for words that occur only together, and 0 for independent ones.

    References
    ----------
    Bouma. "Normalized (pointwise) mutual information in collocation extraction". GSCL, 2009.
    """

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._pairs: dict[tuple[str, str], int] = {}
        self._n_tokens = 0

    def add(self, tokens: Tokens, excluded: Collection[str]) -> None:
        """Count the tokens of some texts; pairs with an excluded word do not count."""
        words, n_words = tokens.vocabulary, len(tokens.vocabulary)
        if not n_words:
            return
        for word, count in zip(words, np.bincount(tokens.ids, minlength=n_words).tolist(), strict=True):
            self._words[word] = self._words.get(word, 0) + count
        self._n_tokens += len(tokens.ids)
        is_kept = np.fromiter((word not in excluded for word in words), bool, n_words)
        first = _first_of_pairs(tokens)
        first = first[is_kept[tokens.ids[first]] & is_kept[tokens.ids[first + 1]]]
        keys, counts = np.unique(_keys(tokens, first), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            pair = words[key // n_words], words[key % n_words]
            self._pairs[pair] = self._pairs.get(pair, 0) + count
        if len(self._pairs) > MAX_PAIRS:
            self._pairs = {pair: count for pair, count in self._pairs.items() if count > 1}

    def phrases(self, *, min_count: int = MIN_COUNT, min_npmi: float = MIN_NPMI) -> list[str]:
        """Return the phrases, two words joined by a blank, in alphabetical order."""
        found = []
        log_total = np.log(max(self._n_tokens, 1))
        for (left, right), count in self._pairs.items():
            if count < min_count:
                continue
            pmi = np.log(count) + log_total - np.log(self._words[left]) - np.log(self._words[right])
            if pmi >= min_npmi * (log_total - np.log(count)) and pmi > 0:
                found.append(f"{left} {right}")
        return sorted(found)


def _first_of_pairs(tokens: Tokens) -> Int64s:
    """Return the positions of tokens that another token of the same text follows."""
    has_next = np.ones(len(tokens.ids), dtype=bool)
    ends = tokens.starts[1:][np.diff(tokens.starts) > 0]
    has_next[ends - 1] = False
    return np.flatnonzero(has_next)


def _keys(tokens: Tokens, first: Int64s) -> Int64s:
    keys: Int64s = tokens.ids[first].astype(np.int64) * len(tokens.vocabulary) + tokens.ids[first + 1]
    return keys


def with_phrases(tokens: Tokens, phrases: Sequence[str]) -> Tokens:
    """Return tokens in which two adjacent words that form a phrase are one; of overlapping ones, the first."""
    if not len(phrases) or not len(tokens.ids):
        return tokens
    number = {word: i for i, word in enumerate(tokens.vocabulary)}
    n_words = len(number)
    names = []
    keys = []
    for phrase in phrases:
        left, _, right = phrase.partition(" ")
        if left in number and right in number:
            keys.append(number[left] * n_words + number[right])
            names.append(phrase)
    first = _first_of_pairs(tokens)
    order = np.argsort(np.array(keys, dtype=np.int64))
    sorted_keys = np.array(keys, dtype=np.int64)[order]
    found = _keys(tokens, first)
    place = np.minimum(np.searchsorted(sorted_keys, found), max(len(sorted_keys) - 1, 0))
    is_phrase = sorted_keys[place] == found if len(sorted_keys) else np.zeros(len(found), dtype=bool)
    begins = first[is_phrase]
    if not len(begins):
        return tokens
    kept = _without_overlaps(begins)
    new_ids = order[place[is_phrase]][np.searchsorted(begins, kept)]
    return _merged(tokens, kept, new_ids, names)


def _without_overlaps(begins: Int64s) -> Int64s:
    kept, last = [], -2
    for begin in begins.tolist():
        if begin > last + 1:
            kept.append(begin)
            last = begin
    return np.array(kept, dtype=np.int64)


def _merged(tokens: Tokens, begins: Int64s, phrase_numbers: Any, names: list[str]) -> Tokens:
    ids = tokens.ids.copy()
    ids[begins] = len(tokens.vocabulary) + phrase_numbers
    stays = np.ones(len(ids), dtype=bool)
    stays[begins + 1] = False
    n_before = np.concatenate(([0], np.cumsum(stays)))
    return Tokens([*tokens.vocabulary, *names], ids[stays], n_before[tokens.starts])


def check_phrases(phrases: Iterable[str] | str | None) -> tuple[str, ...]:
    """Return phrases as a tuple; none for None and "auto".

    Raises
    ------
    ValueError
        If one is not two words joined by a blank.
    """
    if phrases is None or phrases == "auto":
        return ()
    if isinstance(phrases, str):
        raise ValueError(f"phrases={phrases!r} must be 'auto', a sequence of phrases, or None")
    listed = tuple(phrases)
    for phrase in listed:
        if not isinstance(phrase, str) or len(phrase.split(" ")) != 2:
            raise ValueError(f"phrases contains {phrase!r}; a phrase is two words and a blank: 'new york'")
    return listed
