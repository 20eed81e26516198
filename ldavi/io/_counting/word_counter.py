"""Texts to counts: the words that scikit-learn's `CountVectorizer` finds, in less time, and batch by batch."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse

from ldavi._core.typing import Int64s
from ldavi.io._counting.parameters import (
    Words,
    check_range,
    check_share,
    checked_texts,
    documents,
    is_share,
    words_to_count,
    words_to_leave_out,
)
from ldavi.io._counting.tokens import cut, keep, with_ngrams
from ldavi.io._progress_hooks import tell_counted

TOKEN_PATTERN = r"(?u)\b\w\w+\b"
CHUNK = 2**23  # characters that are cut into words at a time


class WordCounter:
    """Count words, batch by batch if need be; the words of `CountVectorizer` with the same parameters.

    Parameters
    ----------
    stop_words : "english", path, collection of str or None, default=None
        Words to leave out: scikit-learn's English list, a file with a word on each line (a `pathlib.Path`), or the words.
    ngram_range : (int, int), default=(1, 1)
        Shortest and longest runs of words to count.
    min_df, max_df : int or float, default=1 and 1.0
        Words in fewer, or in more, documents are left out: an int is a number of documents, a float a share of them.
    vocabulary : path, sequence of str, mapping of str to int or None, default=None
        The words to count, in the order of their columns, or a file of them. It takes the place of what `fit` finds.
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        Regular expression of a word; with a group, the group is the word.
    lowercase : bool, default=True
        Whether texts are put into lower case first.
    max_features : int or None, default=None
        Keep the words that occur most often; of equals, those first in the alphabet.
    n_jobs : int or None, default=None
        Processes; None is one. More are of use for large texts with a pattern of your own, or in other scripts than Latin.

    Attributes
    ----------
    vocabulary_ : (n_words,) array of str
        In alphabetical order, or as given.
    n_documents_ : int
        Documents that `fit` has seen; 0 where the vocabulary was given.

    Examples
    --------
    >>> from ldavi.io import WordCounter
    >>> batches = [["a cat and a dog", "two dogs"], ["a cat and two cats"]]
    >>> counter = WordCounter(stop_words="english").fit(batches)
    >>> counter.vocabulary_.tolist()
    ['cat', 'cats', 'dog', 'dogs']
    >>> [counter.transform(batch).toarray().tolist() for batch in batches]
    [[[1, 0, 1, 0], [0, 0, 0, 1]], [[1, 1, 0, 0]]]
    """

    def __init__(
        self,
        *,
        stop_words: Any = None,
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        vocabulary: Any = None,
        token_pattern: str = TOKEN_PATTERN,
        lowercase: bool = True,
        max_features: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        check_range(ngram_range)
        check_share("min_df", min_df)
        check_share("max_df", max_df)
        if max_features is not None and max_features < 1:
            raise ValueError(f"max_features={max_features} must be at least 1, or None for all words")
        if re.compile(token_pattern).groups > 1:
            raise ValueError(f"token_pattern={token_pattern!r} has more than one group; use (?:…) for the others")
        if vocabulary is not None and (min_df != 1 or max_df != 1.0 or max_features is not None):
            raise ValueError(
                "vocabulary says which words are counted; leave min_df, max_df and max_features as they are"
            )
        self._stop_words = words_to_leave_out(stop_words)
        self._ngram_range, self._min_df, self._max_df, self._max_features = ngram_range, min_df, max_df, max_features
        self._pattern, self._lowercase, self._n_jobs = token_pattern, lowercase, n_jobs
        self.n_documents_ = 0
        self.vocabulary_: Words = words_to_count(vocabulary)
        self._fixed = vocabulary is not None
        self._columns = {word: column for column, word in enumerate(self.vocabulary_.tolist())}
        self._met = _Seen()  # by `extend`

    def fit(self, batches: Iterable[Sequence[str]]) -> "WordCounter":
        """Find the vocabulary of a corpus that comes in batches of texts; memory goes with the vocabulary alone.

        Parameters
        ----------
        batches : iterable of sequences of str

        Returns
        -------
        WordCounter

        Raises
        ------
        ValueError
            If no word is left.
        """
        if not self._fixed:
            seen = _Seen()
            for batch in batches:
                for names, counts in self._counted(checked_texts(batch)):
                    seen.add(names, counts)
            self._choose(seen)
        return self

    def extend(self, texts: Sequence[str]) -> "WordCounter":
        """Add the words of texts to the vocabulary, as its last columns; those that it has stay where they are.

        For `partial_fit` with new_words="add". A word is added once it was in `min_df` of the texts given here; all that are
        not yet are kept in memory.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        WordCounter

        Raises
        ------
        ValueError
            If a limit on words needs all documents: a `min_df` that is a share, a `max_df` or `max_features`.
        """
        if is_share(self._min_df) or self._max_df != 1.0 or self._max_features is not None:
            limits = f"min_df={self._min_df}, max_df={self._max_df}, max_features={self._max_features}"
            raise ValueError(
                f"{limits} are limits that need every document: for extend, set min_df to a whole number alone"
            )
        for names, counts in self._counted(checked_texts(texts)):
            numbers = self._met.add(names, counts)
            often = self._met.in_documents[numbers] >= self._min_df
            new = sorted(
                name for name, enough in zip(names, often, strict=True) if enough and name not in self._columns
            )
            self._columns |= {name: len(self._columns) + i for i, name in enumerate(new)}
            self.vocabulary_ = np.append(self.vocabulary_, np.array(new, dtype=object))
            self.n_documents_ += counts.shape[0]
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Count the words of the vocabulary.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        X : sparse array of shape (n_documents, n_words), CSR int32

        Raises
        ------
        ValueError
            If there is no vocabulary yet.
        """
        if not self._columns:
            raise ValueError("there is no vocabulary yet: call fit, or pass vocabulary=")
        parts = []
        for names, counts in self._counted(checked_texts(texts)):
            columns = np.fromiter((self._columns.get(name, -1) for name in names), np.int64, len(names))
            parts.append(_in_columns(counts, columns, len(self._columns)))
        return _stacked(parts, len(self._columns))

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """`fit` and `transform` of texts that are in memory, which are cut into words once.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        X : sparse array of shape (n_documents, n_words), CSR int32

        Raises
        ------
        ValueError
            If no word is left.
        """
        if self._fixed:
            return self.transform(texts)
        seen = _Seen()
        parts = [(seen.add(names, counts), counts) for names, counts in self._counted(checked_texts(texts))]
        kept = self._choose(seen)
        n_words = len(self._columns)
        columns = np.full(len(seen.columns), -1)
        columns[kept] = np.arange(n_words)
        return _stacked([_in_columns(counts, columns[numbers], n_words) for numbers, counts in parts], n_words)

    def _counted(self, texts: Sequence[str]) -> Iterator[tuple[list[str], sparse.csr_array]]:
        """Words and counts of chunk after chunk."""
        settings = self._pattern, self._lowercase, self._stop_words, self._ngram_range
        if self._n_jobs in (None, 1):
            chunks: Iterable[Any] = (_count_chunk(chunk, *settings) for chunk in _chunks(texts, CHUNK))
        else:
            run = Parallel(n_jobs=self._n_jobs, return_as="generator")
            chunks = run(delayed(_count_chunk)(chunk, *settings) for chunk in _chunks(texts, CHUNK // 4))
        for names, counts in chunks:
            tell_counted(counts.shape[0], len(texts))
            yield names, counts

    def _choose(self, seen: "_Seen") -> Int64s:
        """Set the vocabulary; numbers in `seen` of its words."""
        words = sorted(seen.columns)
        order = np.fromiter((seen.columns[word] for word in words), np.int64, len(words))
        if not words:
            raise ValueError(
                "no document has a word: texts are empty, or hold stop words alone, or token_pattern finds none"
            )
        in_documents = seen.in_documents[order]
        low, high = (documents(limit, seen.n_documents) for limit in (self._min_df, self._max_df))
        if high < low:
            raise ValueError(f"max_df={self._max_df} is {high:g} documents, fewer than min_df={self._min_df}, {low:g}")
        kept = np.flatnonzero((in_documents >= low) & (in_documents <= high))
        if self._max_features is not None:
            often = np.argsort(-seen.tokens[order[kept]], kind="stable")[: self._max_features]
            kept = kept[np.sort(often)]
        if not len(kept):
            raise ValueError(
                f"no word is left: of {len(words)}, none is in {low:g} to {high:g} of {seen.n_documents} documents. Set "
                "min_df lower or max_df higher."
            )
        self.vocabulary_ = np.array(words, dtype=object)[kept]
        self._columns = {word: column for column, word in enumerate(self.vocabulary_.tolist())}
        self.n_documents_ = seen.n_documents
        return order[kept]


def count_words(
    texts: Sequence[str],
    *,
    stop_words: Any = None,
    ngram_range: tuple[int, int] = (1, 1),
    min_df: float = 1,
    max_df: float = 1.0,
    vocabulary: Any = None,
    token_pattern: str = TOKEN_PATTERN,
    lowercase: bool = True,
    max_features: int | None = None,
    n_jobs: int | None = None,
) -> tuple[sparse.csr_array, Words]:
    """Count the words of texts: as `CountVectorizer` does, in less time.

    Parameters
    ----------
    texts : sequence of str
    stop_words : "english", path, collection of str or None, default=None
        Words to leave out: scikit-learn's English list, a file with a word on each line (a `pathlib.Path`), or the words.
    ngram_range : (int, int), default=(1, 1)
        Shortest and longest runs of words to count.
    min_df : int or float, default=1
        Words in fewer documents are left out: an int is a number of documents, a float a share of them.
    max_df : int or float, default=1.0
        Words in more documents are left out.
    vocabulary : path, sequence of str, mapping of str to int or None, default=None
        The words to count, in the order of their columns, or a file of them.
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        Regular expression of a word; with a group, the group is the word.
    lowercase : bool, default=True
        Whether texts are put into lower case first.
    max_features : int or None, default=None
        Keep the words that occur most often; of equals, those first in the alphabet.
    n_jobs : int or None, default=None
        Processes; None is one.

    Returns
    -------
    X : sparse array of shape (n_documents, n_words), CSR int32
    vocabulary : (n_words,) array of str
        In alphabetical order, or as given.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or no word is left.
    TypeError
        If `texts` is one string, or holds something else than strings.

    Examples
    --------
    >>> from ldavi.io import count_words
    >>> X, vocabulary = count_words(["a cat and a dog", "two dogs"])
    >>> vocabulary.tolist(), X.toarray().tolist()
    (['and', 'cat', 'dog', 'dogs', 'two'], [[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    """
    counter = WordCounter(
        stop_words=stop_words,
        ngram_range=ngram_range,
        min_df=min_df,
        max_df=max_df,
        vocabulary=vocabulary,
        token_pattern=token_pattern,
        lowercase=lowercase,
        max_features=max_features,
        n_jobs=n_jobs,
    )
    return counter.fit_transform(texts), counter.vocabulary_


class _Seen:
    """Words met so far: a number for each, the documents that hold it, and its tokens."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        self.in_documents = np.zeros(0, dtype=np.int64)
        self.tokens = np.zeros(0, dtype=np.int64)
        self.n_documents = 0

    def add(self, names: list[str], counts: sparse.csr_array) -> Int64s:
        """Numbers of the words of a chunk."""
        columns = self.columns
        numbers = np.fromiter((columns.setdefault(name, len(columns)) for name in names), np.int64, len(names))
        for attribute, weights in (("in_documents", None), ("tokens", counts.data)):
            by_word = np.bincount(counts.indices, weights, minlength=len(names)).astype(np.int64)
            grown = np.zeros(len(columns), dtype=np.int64)
            former = getattr(self, attribute)
            grown[: len(former)] = former
            grown[numbers] += by_word
            setattr(self, attribute, grown)
        self.n_documents += counts.shape[0]
        return numbers


def _count_chunk(
    texts: Sequence[str], pattern: str, lowercase: bool, stop_words: frozenset[str], ngram_range: tuple[int, int]
) -> tuple[list[str], sparse.csr_array]:
    """Words of some texts in no order, and the counts of each text."""
    tokens = cut(texts, pattern, lowercase=lowercase)
    if stop_words:
        tokens = keep(
            tokens, np.fromiter((word not in stop_words for word in tokens.vocabulary), bool, len(tokens.vocabulary))
        )
    tokens = with_ngrams(tokens, *ngram_range)
    shape = len(texts), len(tokens.vocabulary)
    X = sparse.csr_array((np.ones(len(tokens.ids), dtype=np.int32), tokens.ids, tokens.starts), shape=shape)
    X.sum_duplicates()
    return tokens.vocabulary, X


def _chunks(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    """Consecutive texts of about `size` characters together."""
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


def _in_columns(counts: sparse.csr_array, columns: Int64s, n_words: int) -> sparse.csr_array:
    """The same counts with column j moved to `columns[j]`, or dropped where that is -1."""
    indices = columns[counts.indices]
    wanted = indices >= 0
    indptr = np.concatenate(([0], np.cumsum(wanted)))[counts.indptr]
    X = sparse.csr_array(
        (counts.data[wanted], indices[wanted].astype(np.int32), indptr), shape=(counts.shape[0], n_words)
    )
    X.sort_indices()
    return X


def _stacked(parts: list[sparse.csr_array], n_words: int) -> sparse.csr_array:
    return (
        sparse.csr_array(sparse.vstack(parts, format="csr"))
        if parts
        else sparse.csr_array((0, n_words), dtype=np.int32)
    )
