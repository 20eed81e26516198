"""How the command line counts texts: its options, and the limits on document frequency."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from ldavi import io
from ldavi._core.typing import Int64s
from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._options import Options
from ldavi.io._counting.recipe import PATTERN, Counting

NOT_LETTERS = re.compile(r"[\d_]")
COUNTING_OPTIONS = ("stop_words", "ngrams", "min_df", "max_df", "max_features", "token_pattern", "keep_case")
SMALL, MEDIUM = 20, 1000  # documents; below these the default limits are laxer


def counting_from(options: Options) -> Counting:
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
    return Counting(pattern, not options.keep_case, ngrams, None if stop_words == "none" else stop_words)


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
