"""Words of texts in any script: normalisation, lower case, combining marks and the minimum length of a word."""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from ldavi.io._counting.segmenters import segmenter

# Languages with rules of their own: how they write capitals, or that they write no blanks between words
LANGUAGES = {
    "azerbaijani": "az",
    "chinese": "zh",
    "japanese": "ja",
    "thai": "th",
    "turkish": "tr",
}
ANY = "any"
DOTTED_LANGUAGES = ("turkish", "azerbaijani")
IGNORED = re.compile("[\u00ad\u0640\u2060\ufeff]")  # soft hyphens, Arabic elongation, joiners of no width
# Ligatures, Arabic presentation forms, letters of full and half width
COMPATIBLE = re.compile("[\ufb00-\ufdff\ufe70-\ufefe\uff00-\uffef]+")
JOINERS = "\u200c\u200d"  # within words of Persian and of Indic scripts
SYLLABIC = re.compile(  # Han, Hangul: a word may be a single letter
    "[\u1100-\u11ff\u3005-\u3007\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
ALPHABETIC = re.compile(  # Latin, Greek, Cyrillic, Armenian, Georgian: vowels are letters, and short words are frequent
    "[\u0000-\u058f\u10a0-\u10ff\u1c80-\u1cbf\u1d00-\u1fff\u2100-\u214f\u2c00-\u2c7f\u2d00-\u2d2f\u2de0-\u2dff"
    "\ua640-\ua69f\ua720-\ua7ff\uab30-\uab6f]*"
)
# Letters of Latin, Greek, Cyrillic and Armenian, and punctuation, that need no rule but NFC: no marks, no İ
SIMPLE = re.compile(
    "[\u0000-\u00ac\u00ae-\u012f\u0131-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*+"
)
NON_ASCII_LETTER = re.compile(r"[^\W\d_]")


def check_language(language: str | None) -> str | None:
    """Return the name of a language whose rules are known, for a name or an ISO 639-1 code.

    Raises
    ------
    ValueError
        If it has no rules of its own here.
    """
    if language in (None, ANY):
        return language
    name = {code: name for name, code in LANGUAGES.items()}.get(str(language).lower(), str(language).lower())
    if name not in LANGUAGES:
        raise ValueError(
            f"language={language!r} must be {', '.join(LANGUAGES)}, or 'any' for all others, whose words are found by "
            "the same rules; stop words are chosen with stop_words"
        )
    return name


def dotted_language(texts: Iterable[str]) -> str | None:
    """Return the language of texts with the letters ı and i, both of which are frequent: "turkish" or "azerbaijani"."""
    joined = "".join(text for text in texts if not text.isascii())
    n_dotless, n_letters = joined.count("ı"), len(joined)
    if n_dotless < max(3, 0.005 * n_letters) or not re.search("[ğşĞŞ]", joined):
        return None
    return "azerbaijani" if joined.count("ə") > 0.01 * n_letters else "turkish"


@cache
def marks() -> str:
    """Return the combining marks, as the inside of a character class."""
    codes = [code for code in range(0x300, min(sys.maxunicode, 0x20000)) if unicodedata.category(chr(code))[0] == "M"]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(chr(low) if low == high else f"{chr(low)}-{chr(high)}" for low, high in ranges)


@cache
def words_with_marks() -> Callable[[str], list[str]]:
    """Return a function that finds the longest runs of letters, digits, _ and the marks that belong to them."""
    part = rf"[\w{marks()}]"
    return re.compile(rf"\w{part}*+(?:[{JOINERS}]++{part}++)*+").findall


def is_simple(text: str) -> bool:
    """Return whether the words of a text are those of the plain pattern, which is found faster."""
    return SIMPLE.fullmatch(text) is not None and unicodedata.is_normalized("NFC", text)


def normalised(text: str, *, lowercase: bool, language: str) -> str:
    """Return a text in composed letters (NFC), in lower case if asked for, and in words if its language has no blanks.

    Parameters
    ----------
    text : str
    lowercase : bool
    language : str
        "any" or one of `LANGUAGES`.
    """
    if not text.isascii():
        text = IGNORED.sub("", unicodedata.normalize("NFC", text))
        text = COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    if lowercase:
        if language in DOTTED_LANGUAGES:
            text = text.replace("I", "ı").replace("İ", "i")
        text = text.lower()
        if "i̇" in text:  # of İ, for which Unicode has no other letter in lower case
            text = text.replace("i̇", "i")
    segment = segmenter(language)
    return text if segment is None or text.isascii() else segment(text)


def is_word(word: str, min_length: int) -> bool:
    """Return whether a word is long enough: `min_length` is for alphabets, other scripts write shorter words."""
    if len(word) >= min_length:
        return True
    if word.isascii() or not NON_ASCII_LETTER.search(word):
        return False
    if SYLLABIC.search(word):
        return True
    return len(word) >= min(2, min_length) and ALPHABETIC.fullmatch(word) is None
