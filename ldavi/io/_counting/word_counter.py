"""Word counts of texts: those of scikit-learn's `CountVectorizer`, in less time and batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse

from ldavi._core.typing import Int64s
from ldavi.io._counting.parameters import (
    StopWords,
    Vocabulary,
    WordArray,
    check_document_frequency,
    check_ngram_range,
    check_texts,
    is_share,
    number_of_documents,
    stop_word_set,
    vocabulary_array,
)
from ldavi.io._counting.phrases import PhraseFinder, check_phrases, with_phrases
from ldavi.io._counting.splitting import (
    Lemmatizer,
    Splitting,
    Tokenizer,
    count_chunk,
    move_columns,
    stacked,
    text_chunks,
)
from ldavi.io._counting.statistics import WordStatistics
from ldavi.io._counting.tokens import Tokens
from ldavi.io._counting.unicode_words import check_language
from ldavi.io._progress_hooks import report_texts_counted

TOKEN_PATTERN = r"(?u)\b\w\w+\b"
CHUNK_SIZE = 2**23  # characters that are tokenised at a time


class WordCounter:
    """Count the words of texts, at once or batch by batch, as `CountVectorizer` does with the same parameters.

    Parameters
    ----------
    stop_words : "english", path, collection of str or None, default=None
        Words to ignore: "english" for scikit-learn's English list, a file with one word per line (a `pathlib.Path`), or
        the words. Use a list of the language of the texts: words that are in every document form topics without a
        meaning.
    ngram_range : (int, int), default=(1, 1)
        Minimum and maximum number of words of the n-grams to count. (1, 2) counts pairs too, which needs several times
        the memory; `phrases` counts the frequent ones only.
    min_df, max_df : int or float, default=1 and 1.0
        Ignore words that occur in fewer, or in more, documents. An int is a number of documents, a float a share of
        them. 5 and 0.3 to 0.5 are usual for a thousand documents or more.
    vocabulary : path, sequence of str, mapping of str to int or None, default=None
        The words to count, in the order of their columns, or a file of them. None lets `fit` find the words.
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        Regular expression of a word. If it contains a group, the group is the word. `"[a-z]{3,}"` leaves out numbers
        and short words of English texts.
    lowercase : bool, default=True
        Whether texts are converted to lower case first. False counts *Apple* and *apple* as two words.
    max_features : int or None, default=None
        Maximum number of words, to limit memory. The most frequent words are counted; among equally frequent ones, the
        first in alphabetical order.
    n_jobs : int or None, default=None
        Number of processes; None means 1. More are useful for large texts if `token_pattern` is not the default, or if
        the texts are not ASCII.
    language : str or None, default=None
        None finds words as `CountVectorizer` does. "any" composes letters (NFC), lets combining marks belong to words,
        and lowers the minimum length of words in Han, Hangul and other scripts that write short words. "turkish" and
        "azerbaijani" also lower I to ı; "chinese", "japanese" and "thai" also find words in texts without blanks, by a
        library of the extra ``ldavi[languages]``.
    tokenizer : callable or None, default=None
        Function that returns the words of a text, in place of `token_pattern`. With `lowercase`, its words are
        converted to lower case.
    lemmatizer : callable or None, default=None
        Function that returns the word to count for each distinct word, such as its lemma; "" drops the word.
    phrases : "auto", sequence of str or None, default=None
        Two to ten adjacent words, joined by blanks, that are counted as one word; of those that begin at a word, the
        longest. "auto" finds pairs in `fit`, see `find_phrases`.

    Attributes
    ----------
    vocabulary_ : (n_words,) array of str
        The word of each column, in alphabetical order or as given.
    n_documents_ : int
        Number of documents that `fit` and `extend` have counted; 0 if the vocabulary was given.
    phrases_ : list of str
        The phrases that are counted as one word.

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
        stop_words: StopWords = None,
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        vocabulary: Vocabulary = None,
        token_pattern: str = TOKEN_PATTERN,
        lowercase: bool = True,
        max_features: int | None = None,
        n_jobs: int | None = None,
        language: str | None = None,
        tokenizer: Tokenizer | None = None,
        lemmatizer: Lemmatizer | None = None,
        phrases: Sequence[str] | str | None = None,
    ) -> None:
        check_ngram_range(ngram_range)
        check_document_frequency("min_df", min_df)
        check_document_frequency("max_df", max_df)
        if max_features is not None and max_features < 1:
            raise ValueError(f"max_features={max_features} must be at least 1, or None to count all words")
        if re.compile(token_pattern).groups > 1:
            raise ValueError(f"token_pattern={token_pattern!r} has more than one group; use (?:…) for the others")
        if vocabulary is not None and (min_df != 1 or max_df != 1.0 or max_features is not None):
            raise ValueError(
                f"min_df={min_df}, max_df={max_df} and max_features={max_features} have no effect with a vocabulary; "
                "leave them at their defaults"
            )
        for name, function in (("tokenizer", tokenizer), ("lemmatizer", lemmatizer)):
            if function is not None and not callable(function):
                raise TypeError(f"{name}={function!r} must be a function of a text, or None")
        if phrases is not None and ngram_range != (1, 1):
            raise ValueError(f"ngram_range={ngram_range} counts all n-grams; leave it at (1, 1) to count phrases")
        self._finds_phrases = isinstance(phrases, str) and phrases == "auto"
        self._splitting = Splitting(
            pattern=token_pattern,
            lowercase=lowercase,
            stop_words=stop_word_set(stop_words),
            ngram_range=ngram_range,
            language=check_language(language),
            tokenizer=tokenizer,
            lemmatizer=lemmatizer,
            phrases=check_phrases(phrases),
        )
        self._min_df, self._max_df, self._max_features, self._n_jobs = min_df, max_df, max_features, n_jobs
        self.n_documents_ = 0
        self.vocabulary_: WordArray = vocabulary_array(vocabulary)
        self._is_fixed = vocabulary is not None
        self._columns = {word: column for column, word in enumerate(self.vocabulary_.tolist())}
        self._extended = WordStatistics()  # of the texts given to `extend`

    @property
    def phrases_(self) -> list[str]:
        return list(self._splitting.phrases)

    def fit(self, batches: Iterable[Sequence[str]]) -> WordCounter:
        """Find the vocabulary of a corpus that is given in batches; memory is needed for the vocabulary and one batch.

        Parameters
        ----------
        batches : iterable of sequences of str
            Texts.

        Returns
        -------
        self : WordCounter

        Raises
        ------
        ValueError
            If no word remains.
        """
        if self._finds_phrases:
            self._find_phrases(batches)
        if not self._is_fixed:
            statistics = WordStatistics()
            for batch in batches:
                for names, counts in self._count_chunks(check_texts(batch)):
                    statistics.add(names, counts)
            self._set_vocabulary(statistics)
        return self

    def extend(self, texts: Sequence[str]) -> WordCounter:
        """Append the new words of texts to the vocabulary; existing words keep their columns.

        Use it with `partial_fit` and new_words="add". A word is added as soon as it has occurred in `min_df` of the
        texts given to `extend`; the statistics of rarer words stay in memory.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        self : WordCounter

        Raises
        ------
        ValueError
            If a parameter needs all documents: a share as `min_df`, any `max_df` but 1.0, or `max_features`.
        """
        if is_share(self._min_df) or self._max_df != 1.0 or self._max_features is not None:
            limits = f"min_df={self._min_df}, max_df={self._max_df}, max_features={self._max_features}"
            raise ValueError(
                f"{limits} are limits that need every document; extend supports only min_df, as a whole number"
            )
        if self._finds_phrases:
            raise ValueError('phrases="auto" needs every document; find them with find_phrases, and pass them')
        for names, counts in self._count_chunks(check_texts(texts)):
            numbers = self._extended.add(names, counts)
            is_frequent = self._extended.document_frequency[numbers] >= self._min_df
            new = sorted(
                name
                for name, frequent in zip(names, is_frequent, strict=True)
                if frequent and name not in self._columns
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
            raise ValueError("the counter has no vocabulary yet: call fit, or pass vocabulary=")
        parts = []
        for names, counts in self._count_chunks(check_texts(texts)):
            columns = np.fromiter((self._columns.get(name, -1) for name in names), np.int64, len(names))
            parts.append(move_columns(counts, columns, len(self._columns)))
        return stacked(parts, len(self._columns))

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Find the vocabulary of texts and count its words; the texts are tokenised only once.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        X : sparse array of shape (n_documents, n_words), CSR int32

        Raises
        ------
        ValueError
            If no word remains.
        """
        if self._finds_phrases:
            self._find_phrases([texts])
        if self._is_fixed:
            return self.transform(texts)
        statistics = WordStatistics()
        parts = [(statistics.add(names, counts), counts) for names, counts in self._count_chunks(check_texts(texts))]
        chosen = self._set_vocabulary(statistics)
        n_words = len(self._columns)
        columns = np.full(len(statistics.numbers), -1)
        columns[chosen] = np.arange(n_words)
        return stacked([move_columns(counts, columns[numbers], n_words) for numbers, counts in parts], n_words)

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """Return the words and phrases of texts in their order, before stop words are dropped.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        tokens : Tokens
            Token i is `vocabulary[ids[i]]`, and the tokens of text d begin at `starts[d]`.
        """
        return with_phrases(self._splitting.single_words(check_texts(texts)), self._splitting.phrases)

    def _find_phrases(self, batches: Iterable[Sequence[str]]) -> None:
        if iter(batches) is batches:
            raise ValueError('phrases="auto" reads the batches twice; pass a list of them, or Batches of read_batches')
        self._splitting = replace(self._splitting, phrases=())
        finder = PhraseFinder()
        for batch in batches:
            for chunk in text_chunks(check_texts(batch), CHUNK_SIZE):
                finder.add(self._splitting.single_words(chunk), self._splitting.stop_words)
        self._splitting = replace(self._splitting, phrases=tuple(finder.phrases()))

    def _count_chunks(self, texts: Sequence[str]) -> Iterator[tuple[list[str], sparse.csr_array]]:
        """Yield the words and counts of consecutive chunks of texts."""
        splitting = self._splitting
        if self._n_jobs in (None, 1):
            chunks: Iterable[tuple[list[str], sparse.csr_array]] = (
                count_chunk(chunk, splitting) for chunk in text_chunks(texts, CHUNK_SIZE)
            )
        else:
            run = Parallel(n_jobs=self._n_jobs, return_as="generator")
            chunks = run(delayed(count_chunk)(chunk, splitting) for chunk in text_chunks(texts, CHUNK_SIZE // 4))
        for names, counts in chunks:
            report_texts_counted(counts.shape[0], len(texts))
            yield names, counts

    def _set_vocabulary(self, statistics: WordStatistics) -> Int64s:
        """Choose the words to count; return their numbers in `statistics`."""
        words = sorted(statistics.numbers)
        order = np.fromiter((statistics.numbers[word] for word in words), np.int64, len(words))
        if not words:
            raise ValueError(
                "the texts contain no words: they are empty, have only stop words, or token_pattern matches nothing"
            )
        frequency, n_documents = statistics.document_frequency[order], statistics.n_documents
        low, high = (number_of_documents(limit, n_documents) for limit in (self._min_df, self._max_df))
        if high < low:
            raise ValueError(f"max_df={self._max_df} is {high:g} documents, fewer than min_df={self._min_df}, {low:g}")
        chosen = np.flatnonzero((frequency >= low) & (frequency <= high))
        if self._max_features is not None:
            most_frequent = np.argsort(-statistics.n_tokens[order[chosen]], kind="stable")[: self._max_features]
            chosen = chosen[np.sort(most_frequent)]
        if not len(chosen):
            raise ValueError(
                f"no word remains: of {len(words)} words, none occurs in {low:g} to {high:g} of {n_documents} "
                "documents; decrease min_df or increase max_df"
            )
        self.vocabulary_ = np.array(words, dtype=object)[chosen]
        self._columns = {word: column for column, word in enumerate(self.vocabulary_.tolist())}
        self.n_documents_ = n_documents
        return order[chosen]
