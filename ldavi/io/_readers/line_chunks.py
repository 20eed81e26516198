"""Lines of count files, many at a time."""

import re

from ldavi.io._errors import CorpusError
from ldavi.io._readers.source import MAX_LINE, Source

CHUNK_SIZE = 2**20  # bytes that are parsed at a time, and tokens of a MALLET state


def header_number(source: Source, line: int) -> int:
    """Read a line with one number: one of three sizes, or the number of documents on line 1."""
    text = readline(source, line)
    if not re.fullmatch(rb"\s*\d{1,18}\s*", text):
        what = "the number of documents, words and counts on lines 1 to 3" if line > 1 else "the number of documents"
        raise CorpusError(source.name, f"expected {what}, found {text[:60]!r}", line)
    return int(text)


def readline(source: Source, line: int) -> bytes:
    """Read a line with its line end; b"" at the end."""
    text = source.stream.readline(MAX_LINE + 1)
    if len(text) > MAX_LINE:
        raise CorpusError(source.name, f"has more than {MAX_LINE} bytes", line)
    return text


def read_chunk(source: Source, line: int) -> bytes:
    """Read about `CHUNK_SIZE` bytes of complete lines; b"" at the end."""
    chunk = source.stream.read(CHUNK_SIZE)
    if chunk and not chunk.endswith(b"\n"):
        chunk += readline(source, line + chunk.count(b"\n"))
    return chunk
