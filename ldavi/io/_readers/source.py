"""Open, decompress and decode files, with limits on their expanded size, and read numbered lines."""

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO, Any, BinaryIO, NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._progress_hooks import report_bytes_read
from ldavi.io._readers.archives import ZIP, open_only_member
from ldavi.io._readers.text_stream import as_text_stream, check_encoding, undecodable

MAX_BYTES = 2**32  # default limit on the expanded size of a file
MAX_LINE = 2**26  # bytes; a line is kept in memory as a whole, so its length must be bounded
DECODER_INPUT = 256  # bytes passed to a decoder at once: zstd can expand them to 8 MiB, xz to 2 MiB
HEAD_SIZE = 2**16  # bytes that the format is recognised from
LZMA_MEMORY = 2**28  # bytes; a header can request a dictionary of 4 GiB, and `xz -9` requests 65 MiB
ZSTD_WINDOW = 2**27  # bytes, the limit of the zstd command
BUFFER_SIZE = 2**18  # bytes
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
SUFFIXES = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst"}


class Source(NamedTuple):
    """An open file and its decompressed content.

    Attributes
    ----------
    name : str
        Name of the file, for error messages.
    stream : binary file object
        The decompressed content, from its start.
    head : bytes
        The first bytes of `stream`.
    compression : str or None
        "gzip", "bz2", "xz", "zstd" or "zip".
    size : int or None
        Size in bytes of an uncompressed regular file.
    encoding : str
        Encoding of the texts in `stream`: the one that the caller named, or that of a byte order mark.
    note : str or None
        What the user should know about how the file was decoded.
    """

    name: str
    stream: BinaryIO
    head: bytes
    compression: str | None
    size: int | None
    encoding: str = "utf-8"
    note: str | None = None


class _LimitedStream(io.RawIOBase):
    """A raw stream that yields `head`, then the wrapped stream, and raises a CorpusError beyond `max_bytes`.

    Errors of decoders become a CorpusError, too.
    """

    def __init__(
        self,
        stream: Any,
        name: str,
        *,
        max_bytes: int | None,
        head: bytes = b"",
        on_read: Callable[[int], None] | None = None,
    ) -> None:
        self._stream, self._name, self._max_bytes, self._head, self._on_read = stream, name, max_bytes, head, on_read
        self._n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next(len(buffer))
        self._n_read += len(data)
        if self._on_read is not None:
            self._on_read(len(data))
        if self._max_bytes is not None and self._n_read > self._max_bytes:
            raise CorpusError(
                self._name,
                f"expands to more than max_bytes={self._max_bytes} bytes; raise max_bytes if you trust the file",
            )
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        try:
            return bytes(self._stream.read(size))
        except Exception as error:
            if not _is_decoder_error(error):
                raise
            raise CorpusError(self._name, f"the compressed data are damaged or cut short ({error})") from error


def _is_decoder_error(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno is None  # the operating system's errors have a number, those of gzip and bz2 have none
    # The name is compared because zstandard is optional.
    return (
        isinstance(error, (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile))
        or type(error).__name__ == "ZstdError"
    )


class _FrameReader(io.RawIOBase):
    """A reader of consecutive streams or frames that raises an error if the last one is incomplete.

    zstandard's own reader does not notice an incomplete frame. A decoder gets `DECODER_INPUT` bytes at a time, which
    bounds the memory that a decompression bomb can take.
    """

    def __init__(self, stream: BinaryIO, make_decoder: Callable[[], Any]) -> None:
        self._stream, self._make_decoder = stream, make_decoder
        self._decoder: Any = None
        self._unused = self._decoded = b""

    def read(self, size: int = -1) -> bytes:
        while not self._decoded:
            data, self._unused = self._unused or self._stream.read(DECODER_INPUT), b""
            if self._decoder is None:
                if not data:
                    return b""
                data = data.lstrip(b"\x00")  # xz streams may be padded with null bytes
                if not data:
                    continue
                self._decoder = self._make_decoder()
            elif not data:
                raise EOFError("the end marker is missing")
            self._decoded = self._decoder.decompress(data)
            if self._decoder.eof:
                self._unused, self._decoder = self._decoder.unused_data, None
        part, self._decoded = self._decoded[:size], self._decoded[size:]
        return part


@contextmanager
def open_source(
    path: str | os.PathLike[str], *, max_bytes: int | None = MAX_BYTES, encoding: str = "utf-8"
) -> Iterator[Source]:
    """Open a file, or standard input if `path` is "-", and decompress it according to its first bytes.

    A zip archive of one file is opened as that file. A byte order mark is removed, texts in UTF-16 and UTF-32 are
    converted to UTF-8, and line ends of carriage returns alone to line feeds.

    Raises
    ------
    CorpusError
        If the file is damaged or expands to more than `max_bytes`, when it is opened or while it is read.
    ModuleNotFoundError
        If it is compressed with zstd and the library zstandard is not installed.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        raw: Any = sys.stdin.buffer if name == "-" else stack.enter_context(open(name, "rb"))
        is_file = raw is not getattr(sys.stdin, "buffer", None)
        name = "standard input" if name == "-" else name
        yield stack.enter_context(open_stream(raw, name, max_bytes=max_bytes, encoding=encoding, is_file=is_file))


@contextmanager
def open_stream(
    raw: Any, name: str, *, max_bytes: int | None, encoding: str, is_file: bool = False
) -> Iterator[Source]:
    """Decompress and decode an open binary stream; see `open_source`."""
    encoding = check_encoding(encoding)
    start = _read_fully(raw, 8)
    compression = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
    size = os.fstat(raw.fileno()).st_size if is_file and compression is None else None
    plain: Any = io.BufferedReader(_LimitedStream(raw, name, max_bytes=None, head=start, on_read=report_bytes_read))
    with ExitStack() as stack:
        if start.startswith(ZIP):
            if not is_file:
                raw = _spooled(plain, name, max_bytes)
            if (found := open_only_member(raw, name)) is None:
                raw.seek(0)
                on_read = report_bytes_read if is_file else None
                plain = io.BufferedReader(_LimitedStream(raw, name, max_bytes=None, on_read=on_read))
            else:
                report_bytes_read(size or 0)
                name, compression, size = f"{name}/{found[0]}", "zip", None
                plain = io.BufferedReader(_LimitedStream(stack.enter_context(found[1]), name, max_bytes=max_bytes))
        elif compression is not None:
            plain = io.BufferedReader(_LimitedStream(_decoder(plain, compression), name, max_bytes=max_bytes))
        head = _read_fully(plain, HEAD_SIZE)
        content = _LimitedStream(plain, name, max_bytes=None, head=head)
        text = as_text_stream(content, head, name, encoding)
        buffered: Any = io.BufferedReader(text.stream, BUFFER_SIZE)
        if text.head.startswith(ZIP) and size is None:
            buffered = _spooled(buffered, name, max_bytes)
        yield Source(name, buffered, text.head, compression, size, text.encoding, text.note)


def _spooled(stream: Any, name: str, max_bytes: int | None) -> io.BytesIO:
    """Read a stream into memory; zip archives begin with their contents and end with the list of them."""
    return read_whole(Source(name, stream, b"", None, None), max_bytes)


def _decoder(stream: BinaryIO, compression: str) -> Any:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=stream)
    if compression == "bz2":
        return bz2.BZ2File(stream)
    if compression == "xz":
        return _FrameReader(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY))
    if importlib.util.find_spec("zstandard") is None:
        raise ModuleNotFoundError(
            "a file compressed with zstd needs the library zstandard; install it: pip install 'ldavi[io]'"
        )
    import zstandard

    return _FrameReader(stream, zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj)


def _read_fully(stream: Any, size: int) -> bytes:
    """Read `size` bytes, or all until the end; a single read of a pipe may return fewer."""
    parts = bytearray()
    while len(parts) < size and (part := stream.read(size - len(parts))):
        parts += part
    return bytes(parts)


def read_whole(source: Source, max_bytes: int | None) -> io.BytesIO:
    """Read a source into memory, for formats that need random access."""
    limit = MAX_BYTES if max_bytes is None else max_bytes
    data = io.BytesIO()
    while part := source.stream.read(BUFFER_SIZE):  # `read(limit)` would reserve all of the limit
        if data.write(part) and data.tell() > limit:
            raise CorpusError(
                source.name, f"has more than max_bytes={limit} bytes; raise max_bytes if you trust the file"
            )
    data.seek(0)
    return data


@contextmanager
def random_access(source: Source) -> Iterator[IO[bytes]]:
    """Open an archive for random access, from its start; the position of `source.stream` does not change."""
    if source.size is None:
        yield source.stream  # in memory, see `open_stream`
        source.stream.seek(0)
        return
    with open(source.name, "rb") as file:
        yield file


def numbered_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield line numbers, from 1, and lines without line ends, each of at most `MAX_LINE` bytes.

    A line ends in a line feed, in a carriage return and a line feed, or in a carriage return.
    """
    number = 0
    for line in iter(partial(source.stream.readline, MAX_LINE + 1), b""):
        number += 1
        if len(line) > MAX_LINE:
            raise CorpusError(
                source.name, f"has more than {MAX_LINE} bytes; a line is one document or one record", number
            )
        line = line.rstrip(b"\r\n")
        if b"\r" not in line:
            yield number, line
            continue
        *parts, line = line.split(b"\r")
        for part in parts:
            yield number, part
            number += 1
        yield number, line


def decoded_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line numbers and decoded lines."""
    encoding = source.encoding
    for number, line in numbered_lines(source):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            raise CorpusError(source.name, undecodable(line, error, encoding, source.head), number) from error
        yield number, text
