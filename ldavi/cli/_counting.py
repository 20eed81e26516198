"""How the command line counts texts: its options, and the limits on document frequency."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ldavi import io
from ldavi._core.typing import Int64s
from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._options import Options
from ldavi.cli._output import say
from ldavi.cli._progress import reading_progress
from ldavi.cli._reading import reading_parameters, say_notes
from ldavi.io._counting.recipe import ENGLISH, PATTERN, Counting
from ldavi.io._counting.segmenters import segmenter, unsegmented_language
from ldavi.io._counting.stop_words import CODES, is_language, stop_words_of
from ldavi.io._counting.unicode_words import ANY, check_language, dotted_language
from ldavi.io._readers.sample import sample_of_texts

NOT_LETTERS = re.compile(r"[\d_]")
COUNTING_OPTIONS = (
    *("stop_words", "ngrams", "min_df", "max_df", "max_features", "token_pattern", "keep_case"),
    *("language", "phrases", "tokenizer", "lemmatizer"),
)
SAMPLE = 1000  # texts from which the language is recognised
MIN_LETTERS = 200  # in these texts, for a statement about them
MIN_SHARE = 0.5  # of the letters in words, below which the rules of words do not fit the texts
SMALL, MEDIUM = 20, 1000  # documents; below these the default limits are laxer


def counting_from(options: Options) -> Counting:
    """Return what the options of the command line ask for, with the language and the phrases of the input.

    Raises
    ------
    UsageError
        If options contradict each other, or a pattern or a name is not valid.
    """
    check_conflicts(options)
    pattern = PATTERN if options.token_pattern is None else options.token_pattern
    try:
        re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--token-pattern {pattern!r} is not a regular expression: {error}") from error
    counting = Counting(
        pattern,
        not options.keep_case,
        options.ngrams or (1, 1),
        stop_words_from(options),
        language=check_language(options.language) or ANY,
        tokenizer=options.tokenizer,
        lemmatizer=options.lemmatizer,
    )
    if getattr(options, "path", None) is None:
        return counting
    sample = sample_of_texts(options.path, SAMPLE, max_bytes=options.max_bytes, **reading_parameters(options))
    if sample.texts is None:
        return counting
    counting = _with_language(options, counting, sample.texts)
    note_letters_and_stop_words(options, counting, sample.texts)
    return _with_phrases(options, counting)


def check_conflicts(options: Options) -> None:
    """Refuse options of counting that have no effect together.

    Raises
    ------
    UsageError
        If two are given of which one has no effect.
    """
    given = {name: getattr(options, name) is not None for name in COUNTING_OPTIONS}
    if options.vocabulary is not None:
        for name in ("min_df", "max_df", "max_features"):
            if given[name]:
                raise UsageError(f"--{name.replace('_', '-')} has no effect with --vocabulary, which names the words")
    if given["tokenizer"] and given["token_pattern"]:
        raise UsageError("--token-pattern has no effect with --tokenizer, which finds the words")
    if options.phrase_words is not None and not given["phrases"]:
        raise UsageError("--phrase-words is for --phrases; add it, or leave both out")
    if given["phrases"] and (options.ngrams or (1, 1)) != (1, 1):
        raise UsageError("--phrases counts some pairs of words, --ngrams all; choose one of them")


def stop_words_from(options: Options) -> Any:
    """Return "english", a list of words, or None, from the names of languages and files.

    Raises
    ------
    UsageError
        If a name is neither, or both.
    """
    text = options.stop_words or "english"
    names = [text] if os.path.exists(text) else [name.strip() for name in text.split(",") if name.strip()]
    if names in (["none"], ["english"], ["en"]):
        return None if names == ["none"] else "english"
    words: dict[str, None] = {}
    for name in names:
        if name == "none":
            raise UsageError(f"--stop-words {text}: none cannot be combined with others")
        words.update(dict.fromkeys(_stop_words_of(options, name)))
    return list(words)


def _stop_words_of(options: Options, name: str) -> Iterable[str]:
    if is_language(name):
        if os.path.exists(name):
            raise UsageError(f"--stop-words {name} is a language and a file; write ./{name} for the file")
        return sorted(ENGLISH if name.lower() in ("english", "en") else stop_words_of(name))
    if not os.path.exists(name):
        raise UsageError(f"--stop-words {name} is neither a file nor a language with stop words: {', '.join(CODES)}")
    words = io.read_stop_words(name, encoding=str(options.encoding), lowercase=not options.keep_case)
    options.stop_words_of_files = [*getattr(options, "stop_words_of_files", []), *words]
    return words


def _with_language(options: Options, counting: Counting, texts: list[str]) -> Counting:
    """Choose the rules of a language by the first texts, unless --language names it."""
    if options.language is not None or options.tokenizer is not None:
        return counting
    language = unsegmented_language(texts) or dotted_language(texts)
    if language is None:
        return counting
    try:
        segmenter(language)
    except ModuleNotFoundError as error:
        say_notes(options, (f"its texts seem to be {language}, in which words have no blanks between them. {error}",))
        return counting
    say_notes(options, (f"its texts seem to be {language}: words are found by the rules of --language {language}",))
    return replace(counting, language=language)


def _with_phrases(options: Options, counting: Counting) -> Counting:
    """Find the phrases of all texts, if the options ask for them."""
    if options.phrases is None:
        return counting
    with reading_progress(options, "finding phrases", options.path, in_batches=True):
        batches = io.read_batches(options.path, max_bytes=options.max_bytes, **reading_parameters(options))
        n_words = options.phrase_words or 2
        phrases = io.find_phrases(batches, min_npmi=options.phrases, max_words=n_words, **counting.parameters())
    say(options, f"{options.input}: {len(phrases):,} phrases")
    return replace(counting, phrases=tuple(phrases))


def note_letters_and_stop_words(options: Options, counting: Counting, texts: list[str]) -> None:
    """Write a note if few letters of the first texts are in words, or a stop word can never match."""
    counter = io.WordCounter(**{**counting.parameters(), "stop_words": None, "ngram_range": (1, 1)})
    n_letters = sum(sum(map(str.isalpha, text)) for text in texts)
    n_counted = sum(
        sum(map(str.isalpha, word)) * int(count) for word, count in zip(*_totals(counter, texts), strict=True)
    )
    if n_letters >= MIN_LETTERS and n_counted < MIN_SHARE * n_letters:
        say_notes(
            options,
            (
                f"only {n_counted / n_letters:.0%} of the letters of its texts are in words; see --token-pattern, "
                "--language and --encoding",
            ),
        )
    never = _never_matching(counter, getattr(options, "stop_words_of_files", []))
    if never:
        shown = ", ".join(map(repr, never[:5])) + (", …" if len(never) > 5 else "")
        say_notes(options, (f"these stop words match no word: {shown}",))


def _totals(counter: io.WordCounter, texts: list[str]) -> tuple[list[str], list[int]]:
    tokens = counter.tokens(texts)
    return tokens.vocabulary, np.bincount(tokens.ids, minlength=len(tokens.vocabulary)).tolist()


def _never_matching(counter: io.WordCounter, stop_words: list[str]) -> list[str]:
    """Return the stop words that are cut into other words; short ones, which are no words, do not matter."""
    tokens = counter.tokens(stop_words)
    words = [tokens.vocabulary[number] for number in tokens.ids.tolist()]
    found = [words[begin:end] for begin, end in pairwise(tokens.starts.tolist())]
    parts = set(stop_words)
    cut = [(word, own) for word, own in zip(stop_words, found, strict=True) if own and own != [word]]
    return [word for word, own in cut if not parts.issuperset(own)]


def note_topics(options: Options, n_documents: int) -> None:
    """Write a note if there are more topics than documents with words."""
    topics = getattr(options, "topics", None)
    largest = max(topics, default=0) if isinstance(topics, list) else topics
    if isinstance(largest, int) and largest > n_documents:
        say_notes(options, (f"{largest} topics are more than its {n_documents:,} documents with words; lower -k",))


def note_uncounted(options: Options, counting: Counting, words: list[str]) -> None:
    """Write a note on words of --vocabulary that are never counted, since they are no words of any text."""
    found = io.WordCounter(vocabulary=words, **counting.parameters()).transform(words).diagonal()
    never = [word for word, count in zip(words, found.tolist(), strict=True) if not count]
    if never:
        shown = ", ".join(map(repr, never[:5])) + (", …" if len(never) > 5 else "")
        say_notes(
            options,
            (
                f"{len(never):,} of the {len(words):,} words of --vocabulary are never counted, since they are stop "
                f"words, or no words by the other options: {shown}",
            ),
        )


def check_no_counting_options(options: Options) -> None:
    """Refuse options about texts where the input holds counts.

    Raises
    ------
    UsageError
        If one is given.
    """
    for name in COUNTING_OPTIONS:
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} applies to texts, and {options.input} holds counts")


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
    """Return the positions of the words without digits and _; of all words if the user gave a pattern or a function."""
    if options.token_pattern is not None or options.tokenizer is not None:
        return np.arange(len(words))
    return np.flatnonzero([NOT_LETTERS.search(word) is None for word in words])


def _most_frequent(options: Options, n_tokens: Int64s) -> Int64s:
    """Return the positions of the `--max-features` words with the most tokens, in ascending order."""
    return np.sort(np.argsort(-n_tokens, kind="stable")[: options.max_features])
