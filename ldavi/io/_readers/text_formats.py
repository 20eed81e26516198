"""Readers of formats that contain texts or lists of words; each yields one `Document` at a time.

To add a format, write a reader and enter it in `TEXT_READERS`.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ldavi.io._errors import CorpusError
from ldavi.io._readers.documents import Document, ReaderOptions
from ldavi.io._readers.excel import read_excel
from ldavi.io._readers.json_tables import read_json, read_jsonl
from ldavi.io._readers.parquet import read_parquet
from ldavi.io._readers.recognition import check_text
from ldavi.io._readers.refused import refuse_code
from ldavi.io._readers.separated import read_csv, read_tsv
from ldavi.io._readers.source import Source, decoded_lines, open_source, read_whole
from ldavi.io._readers.text_stream import undecodable

OF_WINDOWS = ("Thumbs.db", "desktop.ini")  # hidden files
MALLET_LINE = re.compile(r"(\S*)[\s,]*(\S*)[\s,]*(.*)", re.DOTALL)  # MALLET's default --line-regex


def read_lines(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read plain text: each line is a document, also an empty one."""
    for _, line in decoded_lines(source):
        yield Document(line, None, ())


def read_mallet(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read the input of `mallet import-file`: name, label and text on a line; MALLET ignores blank lines, too."""
    for _, line in decoded_lines(source):
        match = MALLET_LINE.fullmatch(line)
        if match and line.strip():
            yield Document(match[3], match[1], (match[2],))


def visible_files(path: str) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders, in the order of their names, except hidden ones.

    Raises
    ------
    CorpusError
        If there is a link to a file that does not exist.
    """
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for file in sorted(name for name in files if not name.startswith(".") and name not in OF_WINDOWS):
            full = Path(folder, file)
            if not full.exists():
                raise CorpusError(str(full), "is a link to a file that does not exist; remove it")
            if full.is_file():  # reading from a pipe would block
                yield full


def read_folder(path: str, options: ReaderOptions) -> Iterator[Document]:
    """Read each file of a folder and its subfolders as a document.

    Raises
    ------
    CorpusError
        If a file is not text or expands beyond `max_bytes`, or the folder contains no file.
    """
    is_empty = True
    for full in visible_files(path):
        with open_source(full, max_bytes=options.max_bytes, encoding=options.encoding) as source:
            text = whole_text(source, options)
        is_empty = False
        yield Document(text, full.relative_to(path).as_posix(), ())
    if is_empty:
        raise CorpusError(path, "is a folder without files; expected one document per file")


def whole_text(source: Source, options: ReaderOptions) -> str:
    """Return the content of a file that is one document.

    Raises
    ------
    CorpusError
        If it is not text.
    """
    refuse_code(source)
    if source.head.startswith((b"PAR1", b"PK\x03\x04")):
        raise CorpusError(
            source.name, "is a table or an archive beside files of texts; pass the tables alone, as in FOLDER/*.parquet"
        )
    check_text(source)
    data = read_whole(source, options.max_bytes).getvalue()
    try:
        return data.decode(source.encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(source.name, undecodable(data, error, source.encoding), line) from error


TEXT_READERS: dict[str, Callable[[Source, ReaderOptions], Iterator[Document]]] = {
    "text": read_lines,
    "mallet": read_mallet,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "json": read_json,
    "parquet": read_parquet,
    "excel": read_excel,
}
