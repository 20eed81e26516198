"""Phrases: adjacent words that occur together more often than by chance, counted as one word."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ldavi._core.typing import Int64s
from ldavi.io._counting.tokens import Tokens

MIN_COUNT, MIN_NPMI = 5, 0.5
MAX_WORDS = 10  # of a phrase
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
        """Return the phrases, words joined by blanks, in alphabetical order."""
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
    """Return tokens in which adjacent words that form a phrase are one.

    Of the phrases that begin at a word, the longest counts; of overlapping ones, the first.
    """
    if not len(phrases) or not len(tokens.ids):
        return tokens
    tree = _PhraseTree.of(phrases, tokens.vocabulary)
    begins, numbers = tree.longest(tokens)
    if not len(begins):
        return tokens
    lengths = np.array([name.count(" ") + 1 for name in tree.names], dtype=np.int64)[numbers]
    kept = _without_overlaps(begins, lengths)
    return _merged(tokens, begins[kept], lengths[kept], numbers[kept], tree.names)


class _PhraseTree(NamedTuple):
    """The phrases whose words all occur, as a prefix tree.

    Attributes
    ----------
    names : list of str
        The phrases.
    keys : list of sorted int64 arrays
        Of the nodes at each depth: the number of the parent × the number of words + the number of the last word.
    ends : list of int64 arrays
        The phrase that ends at each of these nodes; -1 for none.
    """

    names: list[str]
    keys: list[Int64s]
    ends: list[Int64s]

    @classmethod
    def of(cls, phrases: Sequence[str], vocabulary: Sequence[str]) -> "_PhraseTree":
        """Return the tree of the phrases."""
        number = {word: i for i, word in enumerate(vocabulary)}
        paths = {phrase: [number.get(word, -1) for word in phrase.split(" ")] for phrase in phrases}
        paths = {phrase: path for phrase, path in paths.items() if min(path) >= 0}
        names, keys, ends = list(paths), [], []
        node = dict.fromkeys(names, 0)  # of each phrase's first words, at the depth that is reached
        for depth in range(max(map(len, paths.values()), default=0)):
            longer = [name for name in names if len(paths[name]) > depth]
            of_phrase = np.array([node[name] * len(number) + paths[name][depth] for name in longer], dtype=np.int64)
            level, place = np.unique(of_phrase, return_inverse=True)
            node.update(zip(longer, place.tolist(), strict=True))
            end = np.full(len(level), -1, dtype=np.int64)
            last = [i for i, name in enumerate(names) if len(paths[name]) == depth + 1]
            end[[node[names[i]] for i in last]] = last
            keys.append(level)
            ends.append(end)
        return cls(names, keys, ends)

    def longest(self, tokens: Tokens) -> tuple[Int64s, Int64s]:
        """Return the tokens at which phrases begin, and the number of the longest phrase at each."""
        n_words = len(tokens.vocabulary)
        text_end = np.repeat(tokens.starts[1:], np.diff(tokens.starts))
        found = np.full(len(tokens.ids), -1, dtype=np.int64)
        if not self.names:
            return found[:0], found[:0]
        first = np.full(n_words, -1, dtype=np.int64)
        first[self.keys[0]] = np.arange(len(self.keys[0]))
        at = np.flatnonzero((first >= 0)[tokens.ids])
        node = first[tokens.ids[at]]
        for depth, (level, end) in enumerate(zip(self.keys[1:], self.ends[1:], strict=True), start=1):
            inside = at + depth < text_end[at]
            at, node = at[inside], node[inside]
            key = node * n_words + tokens.ids[at + depth]
            place = np.minimum(np.searchsorted(level, key), len(level) - 1)
            is_node = level[place] == key
            at, node = at[is_node], place[is_node]
            ends_here = end[node] >= 0
            found[at[ends_here]] = end[node[ends_here]]
        begins = np.flatnonzero(found >= 0)
        return begins, found[begins]


def _without_overlaps(begins: Int64s, lengths: Int64s) -> Int64s:
    kept, free = [], 0
    for i, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist(), strict=True)):
        if begin >= free:
            kept.append(i)
            free = begin + length
    return np.array(kept, dtype=np.int64)


def _merged(tokens: Tokens, begins: Int64s, lengths: Int64s, numbers: Int64s, names: list[str]) -> Tokens:
    ids = tokens.ids.copy()
    ids[begins] = len(tokens.vocabulary) + numbers
    stays = np.ones(len(ids), dtype=bool)
    for offset in range(1, int(lengths.max())):
        stays[begins[lengths > offset] + offset] = False
    n_before = np.concatenate(([0], np.cumsum(stays)))
    return Tokens([*tokens.vocabulary, *names], ids[stays], n_before[tokens.starts])


def check_phrases(phrases: Iterable[str] | str | None) -> tuple[str, ...]:
    """Return phrases as a tuple; none for None and "auto".

    Raises
    ------
    ValueError
        If one is not several words, joined by blanks.
    """
    if phrases is None or phrases == "auto":
        return ()
    if isinstance(phrases, str):
        raise ValueError(f"phrases={phrases!r} must be 'auto', a sequence of phrases, or None")
    listed = tuple(phrases)
    for phrase in listed:
        words = phrase.split(" ") if isinstance(phrase, str) else []
        if not 2 <= len(words) <= MAX_WORDS or not all(words):
            raise ValueError(
                f"phrases contains {phrase!r}; a phrase is 2 to {MAX_WORDS} words with a blank between them: 'new york'"
            )
    return listed
