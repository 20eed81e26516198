"""`count_words` and `find_phrases`: what `WordCounter` does, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scipy import sparse

from ldavi.io._counting.parameters import StopWords, Vocabulary, WordArray, check_texts
from ldavi.io._counting.phrases import MAX_WORDS, MIN_COUNT, MIN_NPMI, PhraseFinder, with_phrases
from ldavi.io._counting.splitting import Lemmatizer, Tokenizer, text_chunks
from ldavi.io._counting.word_counter import CHUNK_SIZE, TOKEN_PATTERN, WordCounter


def count_words(
    texts: Sequence[str],
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
) -> tuple[sparse.csr_array, WordArray]:
    """Count the words of texts as `CountVectorizer` does, in less time.

    Parameters
    ----------
    texts : sequence of str
    stop_words : "english", path, collection of str or None, default=None
        Words to ignore: "english" for scikit-learn's English list, a file with one word per line (a `pathlib.Path`), or
        the words. Use a list of the language of the texts: words that are in every document form topics without a
        meaning.
    ngram_range : (int, int), default=(1, 1)
        Minimum and maximum number of words of the n-grams to count. (1, 2) counts pairs too, which needs several times
        the memory; `phrases` counts the frequent ones only.
    min_df : int or float, default=1
        Ignore words that occur in fewer documents. An int is a number of documents, a float a share of them. 5 is usual
        for a thousand documents or more.
    max_df : int or float, default=1.0
        Ignore words that occur in more documents. Lower it, for example to 0.3, if the same words lead many topics.
    vocabulary : path, sequence of str, mapping of str to int or None, default=None
        The words to count, in the order of their columns, or a file of them.
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
        and lowers the minimum length of words in Han, Hangul and other scripts that write short words. "turkish",
        "azerbaijani", "chinese", "japanese" and "thai" add rules; see `WordCounter`.
    tokenizer : callable or None, default=None
        Function that returns the words of a text; see `WordCounter`.
    lemmatizer : callable or None, default=None
        Function that returns the word to count for a word; see `WordCounter`.
    phrases : "auto", sequence of str or None, default=None
        Adjacent words that are counted as one word; see `WordCounter`.

    Returns
    -------
    X : sparse array of shape (n_documents, n_words), CSR int32
    vocabulary : (n_words,) array of str
        The word of each column, in alphabetical order or as given.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or no word remains.
    TypeError
        If `texts` is a single string, or contains anything but strings.

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
        language=language,
        tokenizer=tokenizer,
        lemmatizer=lemmatizer,
        phrases=phrases,
    )
    return counter.fit_transform(texts), counter.vocabulary_


def find_phrases(
    batches: Iterable[Sequence[str]],
    *,
    min_count: int = MIN_COUNT,
    min_npmi: float = MIN_NPMI,
    max_words: int = 2,
    **counting: Any,
) -> list[str]:
    """Find adjacent words that occur together more often than by chance, such as "new york".

    Parameters
    ----------
    batches : iterable of sequences of str
        Texts.
    min_count : int, default=5
        Minimum number of occurrences of a phrase.
    min_npmi : float, default=0.5
        Minimum normalised pointwise mutual information, from 0 (independent words) to 1 (words that occur only
        together).
    max_words : int, default=2
        Maximum number of words of a phrase. Longer ones than two are found by further passes over the texts, in which
        phrases that were found before are words: "new york" and "city".
    **counting
        Parameters of `WordCounter` that find words. Stop words are in no phrase.

    Returns
    -------
    phrases : list of str
        In alphabetical order, for the parameter `phrases` of `WordCounter`.

    References
    ----------
    Bouma. "Normalized (pointwise) mutual information in collocation extraction". GSCL, 2009.

    Examples
    --------
    >>> from ldavi.io import find_phrases
    >>> find_phrases([["i love new york", "new york was big", "a new idea", "york is old"]], min_count=2)
    ['new york']
    """
    if isinstance(batches, (str, bytes)):
        raise TypeError("batches is a single string; pass lists of texts")
    if isinstance(max_words, bool) or not isinstance(max_words, int) or not 2 <= max_words <= MAX_WORDS:
        raise ValueError(f"max_words={max_words!r} must be an integer from 2 to {MAX_WORDS}")
    if max_words > 2 and iter(batches) is batches:
        raise ValueError("max_words > 2 reads the batches several times; pass a list of them, or Batches")
    splitting = WordCounter(**counting)._splitting
    found: list[str] = []
    for n_words in range(2, max_words + 1):
        finder = PhraseFinder()
        for batch in batches:
            for chunk in text_chunks(check_texts(batch), CHUNK_SIZE):
                finder.add(with_phrases(splitting.single_words(chunk), found), splitting.stop_words)
        new = [
            phrase
            for phrase in finder.phrases(min_count=min_count, min_npmi=min_npmi)
            if min(n_words, 3) <= phrase.count(" ") + 1 <= max_words
        ]
        if not new:
            break
        found = sorted({*found, *new})
    return found
