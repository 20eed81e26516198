"""Encodings and line ends: text becomes a stream in an encoding that contains ASCII, whose lines end in a line feed."""

import codecs
import io
import re
from typing import Any, NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._readers.encodings import is_utf_8_beyond_ascii, suggested_encodings

BYTE_ORDER_MARKS = (  # those of UTF-32 first, since that of UTF-16 is a part of one of them
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
BINARY = (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0", b"\xac\xed\x00\x05", b"%PDF-", b"\x80")
RETURNS = re.compile(rb"\r+\n?")
BLOCK_SIZE = 2**18  # bytes


class TextStream(NamedTuple):
    """The content of a file, after its byte order mark, with the encoding of its bytes.

    Attributes
    ----------
    stream : raw binary stream
    head : bytes
        Its first bytes.
    encoding : str
        Encoding of the bytes of `stream`.
    note : str or None
        How a contradiction between the byte order mark and the named encoding was resolved.
    """

    stream: io.RawIOBase
    head: bytes
    encoding: str
    note: str | None


def check_encoding(encoding: str) -> str:
    """Return the name that Python uses for an encoding of texts.

    Raises
    ------
    TypeError
        If `encoding` is not a string.
    ValueError
        If Python has no such encoding, or it does not decode bytes to text.
    """
    if not isinstance(encoding, str):
        raise TypeError(f"encoding={encoding!r} must be the name of an encoding, such as 'utf-8'")
    try:
        name = codecs.lookup(encoding).name
        if not isinstance(b"".decode(encoding), str) or "\n".encode(encoding).decode(encoding) != "\n":
            raise LookupError
    except (LookupError, ValueError, TypeError) as error:
        raise ValueError(
            f"encoding={encoding!r} is not an encoding of texts that Python knows, such as utf-8, utf-16, latin-1, "
            "cp1252, shift_jis or gb18030"
        ) from error
    return "utf-8" if name == "utf-8-sig" else name


def as_text_stream(stream: Any, head: bytes, name: str, encoding: str) -> TextStream:
    """Remove a byte order mark, convert wide encodings to UTF-8, and the line ends of old Macintosh files.

    Parameters
    ----------
    stream : raw binary stream
        The content from its start, including `head`.
    head : bytes
        The first bytes.
    name : str
        Name of the file, for error messages.
    encoding : str
        The encoding that the caller named, for texts without a byte order mark.
    """
    mark, marked = next((pair for pair in BYTE_ORDER_MARKS if head.startswith(pair[0])), (b"", None))
    is_wide = _is_wide(marked or encoding)
    if marked is None and (head.startswith(BINARY) or (b"\x00" in head and not is_wide)):
        return TextStream(stream, head, encoding, None)
    note = None
    if marked is not None and not is_wide and encoding not in ("utf-8", "ascii"):
        note = f"its byte order mark says {marked}, so encoding={encoding!r} is not used"
    elif marked is None and not is_wide and encoding not in ("utf-8", "ascii") and is_utf_8_beyond_ascii(head):
        note = f"its first lines are valid UTF-8, and are read in encoding={encoding!r}, as asked"
    stream.read(len(mark))
    head = head[len(mark) :]
    if is_wide:
        stream = _Converted(stream, marked or encoding, name)
        head = _first_bytes(stream)
        stream = _Preceded(head, stream)
    if b"\r" in head and b"\n" not in head:
        stream, head = _LineFeeds(stream), _with_line_feeds(head)
    return TextStream(stream, head, "utf-8" if is_wide else marked or encoding, note)


def undecodable(data: bytes, error: UnicodeDecodeError, encoding: str, head: bytes = b"") -> str:
    """Return the problem, for an error message, with bytes that are not text in the encoding.

    Parameters
    ----------
    data : bytes
        The line or the block with the bytes.
    error : UnicodeDecodeError
    encoding : str
        The encoding in which it was decoded.
    head : bytes, default=b""
        The first bytes of the file, by which an encoding is suggested unless they are in ASCII.
    """
    found = data[error.start : error.start + 4]
    return (
        f"expected text in {encoding}, found the bytes {found!r}; pass its encoding, such as "
        f"{suggested_encodings(head if not head.isascii() else data, encoding)}"
    )


def _is_wide(encoding: str) -> bool:
    """Return whether letters of ASCII have other bytes in an encoding than in ASCII."""
    try:
        return "a1,\n".encode(encoding) != b"a1,\n"
    except UnicodeError:
        return False


def _first_bytes(stream: io.RawIOBase) -> bytes:
    data = bytearray()
    while len(data) < 2**16 and (part := stream.read(2**16 - len(data))):
        data += part
    return bytes(data)


def _with_line_feeds(data: bytes) -> bytes:
    """Replace line ends by line feeds; `\\r\\r\\n`, of programs that convert line ends twice, is one of them."""
    return RETURNS.sub(lambda match: b"\n" if match[0].endswith(b"\n") else b"\n" * len(match[0]), data)


class _Stream(io.RawIOBase):
    """A raw stream that yields the bytes of `_next_block` until that returns none."""

    def __init__(self) -> None:
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._next_block()
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _next_block(self) -> bytes:
        raise NotImplementedError


class _Preceded(_Stream):
    """Yields some bytes, and then a stream."""

    def __init__(self, start: bytes, stream: io.RawIOBase) -> None:
        super().__init__()
        self._rest, self._stream = start, stream

    def _next_block(self) -> bytes:
        return self._stream.read(BLOCK_SIZE) or b""


class _Converted(_Stream):
    """Yields a text in UTF-8 that a stream contains in another encoding."""

    def __init__(self, stream: io.RawIOBase, encoding: str, name: str) -> None:
        super().__init__()
        self._stream, self._encoding, self._name = stream, encoding, name
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._n_lines, self._is_ended, self._is_first = 1, False, True

    def _next_block(self) -> bytes:
        text = ""
        while not text and not self._is_ended:
            data = self._stream.read(BLOCK_SIZE) or b""
            self._is_ended = not data
            try:
                text = self._decoder.decode(data, final=self._is_ended)
            except UnicodeDecodeError as error:
                line = self._n_lines + self._lines_before(error)
                raise CorpusError(self._name, undecodable(error.object, error, self._encoding), line) from error
        if self._is_first and text:
            text, self._is_first = text.removeprefix("\ufeff"), False
        self._n_lines += text.count("\n")
        return text.encode("utf-8")

    def _lines_before(self, error: UnicodeDecodeError) -> int:
        return error.object[: error.start].decode(self._encoding, "ignore").count("\n")


class _LineFeeds(_Stream):
    """Yields a stream with a line feed for each carriage return."""

    def __init__(self, stream: io.RawIOBase) -> None:
        super().__init__()
        self._stream, self._pending = stream, b""

    def _next_block(self) -> bytes:
        while True:
            block = self._stream.read(BLOCK_SIZE) or b""
            data, self._pending = self._pending + block, b""
            if block:  # a line end may continue in the next block
                kept = data.rstrip(b"\r")
                data, self._pending = kept, data[len(kept) :]
            if data or not block:
                return _with_line_feeds(data)
