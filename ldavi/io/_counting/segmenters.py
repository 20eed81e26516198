"""Segmentation of texts that are written without blanks between words, by libraries of the extra [languages]."""

import importlib.util
import logging
import re
import warnings
from collections.abc import Callable, Iterable
from functools import cache

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff\u31f0-\u31ff"
RUNS = {
    "chinese": re.compile(f"[{HAN}]+"),
    "japanese": re.compile(f"[{HAN}{KANA}]+"),
    "thai": re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]+"),
}
LIBRARIES = {"chinese": "jieba", "japanese": "sudachipy", "thai": "pythainlp"}
MAX_LETTERS_IN_WORDS = 5  # a text with a blank after as many letters or fewer, on average, is segmented already
MAX_RUN = 5000  # letters that a library gets at once; some have a limit


@cache
def segmenter(language: str) -> Callable[[str], str] | None:
    """Return a function that puts blanks between the words of a text; None for languages that write them.

    Raises
    ------
    ModuleNotFoundError
        If the library for the language is not installed.
    """
    if language not in RUNS:
        return None
    library = LIBRARIES[language]
    missing = importlib.util.find_spec(library) is None
    if missing or (language == "japanese" and importlib.util.find_spec("sudachidict_small") is None):
        raise ModuleNotFoundError(
            f"language={language!r} needs the library {library}, which finds words in texts without blanks: "
            "pip install 'ldavi[languages]'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about themselves
        cut = {"chinese": _chinese, "japanese": _japanese, "thai": _thai}[language]()
    run = RUNS[language]

    def segment(text: str) -> str:
        return text if is_segmented(text, run) else run.sub(lambda match: f" {' '.join(_cut(match[0], cut))} ", text)

    return segment


def _cut(run: str, cut: Callable[[str], Iterable[str]]) -> Iterable[str]:
    for begin in range(0, len(run), MAX_RUN):
        yield from cut(run[begin : begin + MAX_RUN])


def is_segmented(text: str, run: re.Pattern[str]) -> bool:
    """Return whether a text has blanks between its words already."""
    runs = run.findall(text)
    n_gaps = len(re.findall(f"(?<={run.pattern[:-1]})[ \u3000\u200b]+(?={run.pattern[:-1]})", text))
    n_letters = sum(map(len, runs))
    return n_gaps > 0 and n_letters <= MAX_LETTERS_IN_WORDS * (n_gaps + 1)


def unsegmented_language(texts: Iterable[str]) -> str | None:
    """Return the language of texts that are mostly written without blanks: "chinese", "japanese" or "thai"."""
    letters = dict.fromkeys(RUNS, 0)
    n_kana = n_letters = 0
    for text in texts:
        if text.isascii():
            n_letters += len(text)
            continue
        n_letters += sum(map(str.isalpha, text))
        n_kana += len(re.findall(f"[{KANA}]", text))
        for language, run in RUNS.items():
            if not is_segmented(text, run):
                letters[language] += sum(map(len, run.findall(text)))
    for language in ("thai", "japanese", "chinese"):
        if letters[language] > 0.5 * n_letters and (language != "japanese" or n_kana > 0.1 * letters[language]):
            return language
    return None


def _chinese() -> Callable[[str], Iterable[str]]:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return lambda run: jieba.lcut(run)


def _japanese() -> Callable[[str], Iterable[str]]:
    import sudachipy

    analyser = sudachipy.Dictionary(dict="small").create(mode=sudachipy.SplitMode.C)
    return lambda run: [morpheme.surface() for morpheme in analyser.tokenize(run)]


def _thai() -> Callable[[str], Iterable[str]]:
    from pythainlp.tokenize import word_tokenize

    return lambda run: word_tokenize(run, engine="newmm", keep_whitespace=False)
