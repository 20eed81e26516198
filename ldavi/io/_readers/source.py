"""One way into a file: compression found by its first bytes, a limit on what it expands to, lines with their numbers."""

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._progress_hooks import tell_read

MAX_BYTES = 2**32  # that a file may expand to, unless the caller says otherwise
MAX_LINE = 2**26  # bytes: a line is held whole, so that a line without end must not be
PIECE = 256  # bytes, which zstd can expand to 8 MiB and xz to 2
HEAD = 2**16  # bytes that the format is recognised from
LZMA_MEMORY = 2**28  # a header can ask for a dictionary of 4 GiB; `xz -9` asks for 65 MiB
ZSTD_WINDOW = 2**27  # the limit of the zstd command, too
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
SUFFIXES = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst"}


class Source(NamedTuple):
    """An open file, decompressed: its name, its first bytes (still to be read from `stream`), and its size if plain."""

    name: str
    stream: io.BufferedReader
    head: bytes
    compression: str | None
    size: int | None


class _Guarded(io.RawIOBase):
    """A stream that goes on after `head`, ends with an error above `max_bytes`, and turns decoders' errors into ours."""

    def __init__(
        self,
        stream: Any,
        name: str,
        *,
        max_bytes: int | None,
        head: bytes = b"",
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self._stream, self._name, self._max_bytes, self._head, self._tell = stream, name, max_bytes, head, tell
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next(len(buffer))
        self._read += len(data)
        if self._tell is not None:
            self._tell(len(data))
        if self._max_bytes is not None and self._read > self._max_bytes:
            raise CorpusError(
                self._name,
                f"expands to more than max_bytes={self._max_bytes} bytes; raise max_bytes if the file is to be trusted",
            )
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        try:
            return bytes(self._stream.read(size))
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            raise CorpusError(self._name, f"the compressed data are damaged or cut short ({error})") from error
        except OSError as error:
            if error.errno is not None:  # of the system: a disk, a pipe
                raise
            raise CorpusError(self._name, f"the compressed data are damaged or cut short ({error})") from error
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            raise CorpusError(self._name, f"the compressed data are damaged or cut short ({error})") from error


class _Frames(io.RawIOBase):
    """Streams or frames of a decoder one after another; the last must be whole, which zstandard's own reader does not ask.

    A decoder gets `PIECE` bytes at a time: they bound what a bomb can make of them.
    """

    def __init__(self, stream: Any, make: Callable[[], Any]) -> None:
        self._stream, self._make = stream, make
        self._decoder: Any = None
        self._left = self._ready = b""

    def read(self, size: int = -1) -> bytes:
        while not self._ready:
            data, self._left = self._left or self._stream.read(PIECE), b""
            if self._decoder is None:
                if not data:
                    return b""
                data = data.lstrip(b"\x00")  # padding after a stream of xz
                if not data:
                    continue
                self._decoder = self._make()
            elif not data:
                raise EOFError("the mark of the end is missing")
            self._ready = self._decoder.decompress(data)
            if self._decoder.eof:
                self._left, self._decoder = self._decoder.unused_data, None
        part, self._ready = self._ready[:size], self._ready[size:]
        return part


@contextmanager
def open_source(path: str | os.PathLike[str], *, max_bytes: int | None = MAX_BYTES) -> Iterator[Source]:
    """Open a file, or standard input for "-", decompressed as its first bytes say.

    Raises
    ------
    CorpusError
        If the file is damaged or expands to more than `max_bytes`; when it is opened or while it is read.
    ModuleNotFoundError
        If it is compressed by zstd and the library zstandard is not installed.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        raw: Any = sys.stdin.buffer if name == "-" else stack.enter_context(open(name, "rb"))
        name = "standard input" if name == "-" else name
        start = _read_fully(raw, 8)
        compression = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
        size = (
            os.fstat(raw.fileno()).st_size
            if compression is None and raw is not getattr(sys.stdin, "buffer", None)
            else None
        )
        plain: Any = io.BufferedReader(_Guarded(raw, name, max_bytes=None, head=start, tell=tell_read))
        if compression is not None:
            plain = io.BufferedReader(_Guarded(_decoder(plain, compression), name, max_bytes=max_bytes))
        head = _read_fully(plain, HEAD)
        yield Source(
            name, io.BufferedReader(_Guarded(plain, name, max_bytes=None, head=head), 2**18), head, compression, size
        )


def _decoder(stream: BinaryIO, compression: str) -> Any:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=stream)
    if compression == "bz2":
        return bz2.BZ2File(stream)
    if compression == "xz":
        return _Frames(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY))
    if importlib.util.find_spec("zstandard") is None:
        raise ModuleNotFoundError("a file compressed by zstd needs the library zstandard: pip install 'ldavi[io]'")
    import zstandard

    return _Frames(stream, zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj)


def _read_fully(stream: Any, size: int) -> bytes:
    """`size` bytes, or all that there are: a pipe may give less at a time."""
    parts = bytearray()
    while len(parts) < size and (part := stream.read(size - len(parts))):
        parts += part
    return bytes(parts)


def read_whole(source: Source, max_bytes: int | None) -> io.BytesIO:
    """All of a source in memory, for formats that are read from their end."""
    limit = MAX_BYTES if max_bytes is None else max_bytes
    data = source.stream.read(limit + 1)
    if len(data) > limit:
        raise CorpusError(source.name, f"has more than max_bytes={limit} bytes")
    return io.BytesIO(data)


def numbered_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, without their ends; a file of any size, a line of at most `MAX_LINE` bytes."""
    for number, line in enumerate(iter(partial(source.stream.readline, MAX_LINE + 1), b""), start=1):
        if len(line) > MAX_LINE:
            raise CorpusError(
                source.name, f"has more than {MAX_LINE} bytes; a line is one document or one record", number
            )
        yield number, line.rstrip(b"\r\n")


def decoded_lines(source: Source, encoding: str) -> Iterator[tuple[int, str]]:
    """`numbered_lines` as text; a byte order mark is left out."""
    for number, line in numbered_lines(source):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            raise CorpusError(source.name, undecodable(line, error, encoding), number) from error
        yield number, text.removeprefix("\ufeff") if number == 1 else text


def undecodable(data: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    """What to say of bytes that are not text in the encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "begins as UTF-16; convert it to UTF-8 (iconv -f utf-16 -t utf-8)"
    found = data[error.start : error.start + 4]
    return f"expected text in {encoding}, found the bytes {found!r}; name its encoding, such as encoding='latin-1'"
