"""How texts become lists of words, and the counts of a chunk of texts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from ldavi._core.typing import Int64s
from ldavi.io._counting.phrases import with_phrases
from ldavi.io._counting.tokens import Tokens, mapped, select_words, tokenize, tokens_of, with_ngrams
from ldavi.io._counting.unicode_words import normalised

Tokenizer: TypeAlias = Callable[[str], Iterable[str]]
Lemmatizer: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Splitting:
    """How texts become words; the attributes are parameters of `WordCounter`.

    Attributes
    ----------
    pattern : str
    lowercase : bool
    stop_words : frozenset of str
    ngram_range : (int, int)
    language : str or None
    tokenizer, lemmatizer : callable or None
    phrases : tuple of str
    """

    pattern: str
    lowercase: bool
    stop_words: frozenset[str]
    ngram_range: tuple[int, int]
    language: str | None
    tokenizer: Tokenizer | None
    lemmatizer: Lemmatizer | None
    phrases: tuple[str, ...]

    def single_words(self, texts: Sequence[str]) -> Tokens:
        """Return the words of texts before phrases are joined and stop words are dropped."""
        if self.tokenizer is None:
            tokens = tokenize(texts, self.pattern, lowercase=self.lowercase, language=self.language)
        else:
            tokens = tokens_of(_checked(self.tokenizer, self._normalised(text)) for text in texts)
            if self.lowercase:
                tokens = mapped(tokens, str.lower)
        return tokens if self.lemmatizer is None else mapped(tokens, self.lemmatizer)

    def _normalised(self, text: str) -> str:
        return text if self.language is None else normalised(text, lowercase=False, language=self.language)

    def words(self, texts: Sequence[str]) -> Tokens:
        """Return the words that are counted."""
        tokens = with_phrases(self.single_words(texts), self.phrases)
        if self.stop_words:
            is_counted = (word not in self.stop_words for word in tokens.vocabulary)
            tokens = select_words(tokens, np.fromiter(is_counted, bool, len(tokens.vocabulary)))
        return with_ngrams(tokens, *self.ngram_range)


def _checked(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the words of a text by a user's function.

    Raises
    ------
    TypeError
        If the function does not return words.
    """
    words = tokenizer(text)
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise TypeError(f"tokenizer returned {type(words).__name__} for a text; it must return a list of str")
    listed = list(words)
    if not all(isinstance(word, str) for word in listed):
        wrong = next(word for word in listed if not isinstance(word, str))
        raise TypeError(f"tokenizer returned a list with {wrong!r}; it must return a list of str")
    return [word for word in listed if word and not word.isspace()]


def count_chunk(texts: Sequence[str], splitting: Splitting) -> tuple[list[str], sparse.csr_array]:
    """Return the words of some texts, in no order, and the counts of each text."""
    tokens = splitting.words(texts)
    shape = len(texts), len(tokens.vocabulary)
    X = sparse.csr_array((np.ones(len(tokens.ids), dtype=np.int32), tokens.ids, tokens.starts), shape=shape)
    X.sum_duplicates()
    return tokens.vocabulary, X


def text_chunks(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    """Yield lists of consecutive texts, each with about `size` characters in total."""
    chunk: list[str] = []
    length = 0
    for text in texts:
        chunk.append(text)
        length += len(text)
        if length >= size:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def move_columns(counts: sparse.csr_array, columns: Int64s, n_words: int) -> sparse.csr_array:
    """Move column j to `columns[j]`; drop it if that is -1."""
    indices = columns[counts.indices]
    kept = indices >= 0
    indptr = np.concatenate(([0], np.cumsum(kept)))[counts.indptr]
    X = sparse.csr_array((counts.data[kept], indices[kept].astype(np.int32), indptr), shape=(counts.shape[0], n_words))
    X.sort_indices()
    return X


def stacked(parts: list[sparse.csr_array], n_words: int) -> sparse.csr_array:
    """Return the rows of all parts."""
    if not parts:
        return sparse.csr_array((0, n_words), dtype=np.int32)
    return sparse.csr_array(sparse.vstack(parts, format="csr"))
