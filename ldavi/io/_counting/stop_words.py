"""Stop words: files that people write, and lists of many languages by the library stopwordsiso."""

import importlib.util
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from ldavi.io._errors import CorpusError
from ldavi.io._readers.source import MAX_BYTES, decoded_lines, open_source

COMMENT = re.compile(r"(?:^|\s)[#|].*$")  # those of Snowball's lists begin with |
SEPARATORS = re.compile(r"[\s,;]+")
QUOTES = '"“”„«»'
NEGATION = re.compile(r"(\w+n)['’]t")  # don't: the patterns of words end at the apostrophe
# Names of the languages of stopwordsiso; their codes are allowed as well.
CODES = {
    "afrikaans": "af",
    "arabic": "ar",
    "armenian": "hy",
    "basque": "eu",
    "bengali": "bn",
    "breton": "br",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "esperanto": "eo",
    "estonian": "et",
    "finnish": "fi",
    "french": "fr",
    "galician": "gl",
    "german": "de",
    "greek": "el",
    "gujarati": "gu",
    "hausa": "ha",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "indonesian": "id",
    "irish": "ga",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "kurdish": "ku",
    "latin": "la",
    "latvian": "lv",
    "lithuanian": "lt",
    "malay": "ms",
    "marathi": "mr",
    "norwegian": "no",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "slovak": "sk",
    "slovenian": "sl",
    "somali": "so",
    "southern sotho": "st",
    "spanish": "es",
    "swahili": "sw",
    "swedish": "sv",
    "tagalog": "tl",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
    "yoruba": "yo",
    "zulu": "zu",
}


def is_language(name: str) -> bool:
    """Return whether there is a list of stop words for a language, by its name or its ISO 639-1 code."""
    return name.lower() in CODES or name.lower() in CODES.values()


def stop_words_of(language: str) -> frozenset[str]:
    """Return the stop words of a language, in lower case.

    Raises
    ------
    ValueError
        If there is no list for it.
    ModuleNotFoundError
        If stopwordsiso is not installed.
    """
    if not is_language(language):
        raise ValueError(
            f"stop_words={language!r} must be 'english', one of the languages {', '.join(CODES)} or its code, a "
            "pathlib.Path, a collection of words or None"
        )
    if importlib.util.find_spec("stopwordsiso") is None:
        raise ModuleNotFoundError(
            f"stop_words={language!r} needs the library stopwordsiso: pip install 'ldavi[languages]', or pass "
            "a file of words"
        )
    return _listed(CODES.get(language.lower(), language.lower()))


@cache
def _listed(code: str) -> frozenset[str]:
    import stopwordsiso

    return frozenset(_folded(stopwordsiso.stopwords(code), lowercase=True))


def read_stop_words(path: str | os.PathLike[str], *, encoding: str = "utf-8", lowercase: bool = True) -> list[str]:
    """Read stop words from a file: words on lines or separated by blanks, commas or semicolons.

    What follows `#` or `|` is a comment. Words are stripped of quotes and folded as texts are. With the negations of
    English, such as "don't", the part before the apostrophe is a stop word as well.

    Parameters
    ----------
    path : str or path
        The file, plain or compressed.
    encoding : str, default="utf-8"
        Encoding of the words.
    lowercase : bool, default=True
        Whether the words are converted to lower case, as the texts are.

    Returns
    -------
    words : list of str
        In the order of the file, each once.

    Raises
    ------
    CorpusError
        If the file contains no word.
    """
    with open_source(path, max_bytes=MAX_BYTES, encoding=encoding) as source:
        lines = [COMMENT.sub("", line) for _, line in decoded_lines(source)]
    found = [word.strip(QUOTES) for line in lines for word in SEPARATORS.split(line)]
    words = _folded(filter(None, found), lowercase=lowercase)
    if not words:
        raise CorpusError(os.fspath(path), "contains no stop word; expected words, one on each line")
    return words


def _folded(words: Iterable[str], *, lowercase: bool) -> list[str]:
    """Return words in composed letters and lower case, each once, with the parts of negations."""
    result: dict[str, None] = {}
    for word in words:
        text = unicodedata.normalize("NFC", word)
        text = text.lower().replace("i̇", "i") if lowercase else text
        result.setdefault(text)
        if match := NEGATION.fullmatch(text):
            result.setdefault(match[1])
    return list(result)
