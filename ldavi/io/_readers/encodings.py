"""Encodings that a file may have, to be suggested where it is not in the one that was expected."""

import unicodedata

SAMPLE = 2**16  # bytes
WIDE_SAMPLE = 2000  # bytes
MIN_ASSIGNED = 0.999  # share of characters that Unicode has, in texts of the right encoding
# Escape sequences of encodings that have bytes of ASCII only
ESCAPES = {b"\x1b$B": "iso2022_jp", b"\x1b$@": "iso2022_jp", b"\x1b$)C": "iso2022_kr", b"\x1b$(D": "iso2022_jp_1"}


def suggested_encodings(data: bytes, refused: str) -> str:
    """Return parameters for an error message: the encodings that bytes seem to have, other than the refused one.

    charset-normalizer finds them if it is installed. It cannot distinguish those of Western and of Central Europe in
    short texts, so that both are suggested.
    """
    found = [name for name in _detected(data[:SAMPLE]) if name != refused]
    if not found:
        found = ["cp1252" if refused.startswith("utf") else "utf-8"]
    return " or ".join(f"encoding={name!r}" for name in found)


def _detected(data: bytes) -> list[str]:
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return []
    best = from_bytes(data).best()
    if best is None:
        return []
    name = best.encoding.replace("_", "-") if best.encoding.startswith("utf") else best.encoding
    return list(dict.fromkeys(["cp1252", name])) if _has_latin_letters(data.decode(best.encoding, "ignore")) else [name]


def _has_latin_letters(text: str) -> bool:
    """Return whether most letters beyond ASCII are Latin ones, whose encodings short texts do not distinguish."""
    letters = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    n_latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return 2 * n_latin > len(letters)


def guessed_wide_encoding(head: bytes) -> str | None:
    """Return the wide encoding that bytes with null bytes and without a byte order mark seem to have."""
    for encoding, step, letter in (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1)):
        sample = head[: len(head) // step * step][:WIDE_SAMPLE]
        nulls = [sample[place::step].count(0) for place in range(step)]
        n_units = max(1, len(sample) // step)
        if nulls[letter] == 0 and sum(nulls) > 0.7 * (step - 1) * n_units:
            return encoding
    return next((name for name in ("utf-16-le", "utf-16-be") if _reads_as_text(head[:WIDE_SAMPLE], name)), None)


def _reads_as_text(data: bytes, encoding: str) -> bool:
    """Return whether bytes of UTF-16 are assigned characters with blanks or line ends among them, as in Chinese."""
    text = data[: len(data) // 2 * 2].decode(encoding, "ignore")
    if len(text) < 8 or not any(blank in text for blank in " \n") or "\x00" in text:
        return False
    unknown = sum(
        unicodedata.category(letter) in ("Cn", "Co", "Cs", "Cc") and letter not in "\t\r\n" for letter in text
    )
    return unknown <= (1 - MIN_ASSIGNED) * len(text) and len(text) >= len(data) // 2 - 1


def escaped_encoding(head: bytes) -> str | None:
    """Return the encoding whose escape sequences are in bytes of ASCII; None without such sequences."""
    return next((name for escape, name in ESCAPES.items() if escape in head), None)


def is_utf_8_beyond_ascii(head: bytes) -> bool:
    """Return whether the first bytes of a file are letters of UTF-8 that ASCII does not have."""
    if head.isascii():
        return False
    for cut in range(4):  # the last letter may be incomplete
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
