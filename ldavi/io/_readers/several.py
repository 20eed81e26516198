"""Corpora of several files: lists of paths, patterns such as posts-*.csv, folders of tables and zip archives."""

import glob
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote

from ldavi.io._errors import CorpusError
from ldavi.io._readers.archives import open_member, visible_members
from ldavi.io._readers.documents import Document, ReaderOptions
from ldavi.io._readers.recognition import (
    BY_SUFFIX,
    COUNT_FORMATS,
    TABLE_FORMATS,
    Recognition,
    recognise_source,
)
from ldavi.io._readers.source import SUFFIXES, Source, open_source, open_stream, random_access
from ldavi.io._readers.text_formats import TEXT_READERS, visible_files, whole_text

StrPath = str | os.PathLike[str]
Paths = StrPath | Sequence[StrPath]
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})")  # 01 is a text, whose zero would be lost
Opener = Callable[[], AbstractContextManager[Source]]


class Part(NamedTuple):
    """A file of a corpus: its name within the corpus, a function that opens it, and columns that its folders name."""

    name: str
    open: Opener
    partition: Mapping[str, Any] = MappingProxyType({})


class Several(os.PathLike[str]):
    """The paths of several files that are one corpus; as a path, it has a name for messages."""

    def __init__(self, paths: Sequence[StrPath]) -> None:
        self.paths = [os.fspath(path) for path in paths]

    def __fspath__(self) -> str:
        shown = ", ".join(self.paths[:3]) + (", …" if len(self.paths) > 3 else "")
        return f"{len(self.paths)} files ({shown})"

    def __str__(self) -> str:
        return os.fspath(self)


def one_or_several(path: Paths) -> StrPath:
    """Return a path as it is, and several paths, or a pattern of names that is not a path itself, as `Several`.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file, or there is no path.
    """
    if isinstance(path, (str, os.PathLike)):
        text = os.fspath(path)
        if text == "-" or isinstance(path, Several) or os.path.exists(text) or not glob.has_magic(text):
            return path
        found = sorted(glob.glob(text, recursive=True))
        if not found:
            raise FileNotFoundError(2, "no file has a name of this pattern", text)
    else:
        found = [os.fspath(each) for each in path]
        if not found:
            raise ValueError("path is an empty list; pass at least one file")
    return found[0] if len(found) == 1 else Several(found)


def parts_of_paths(several: Several, options: ReaderOptions) -> list[Part]:
    """Return the files of several paths; a folder cannot be one of them."""
    for path in several.paths:
        if path == "-" or os.path.isdir(path):
            what = "standard input" if path == "-" else "a folder"
            raise CorpusError(path, f"is {what}, which cannot be read together with other files")
    return [Part(path, _opener(path, options)) for path in several.paths]


def _opener(path: StrPath, options: ReaderOptions) -> Opener:
    return partial(open_source, path, max_bytes=options.max_bytes, encoding=options.encoding)


def tables_of_folder(path: str, options: ReaderOptions) -> list[Part]:
    """Return the files of a folder if all are tables by their names, as Spark, Dask and pandas write; else none.

    Files whose names begin with _ or . do not count.
    """
    files = [file for file in visible_files(path) if not file.name.startswith("_")]
    if not files or not all(_is_table(file.name) for file in files):
        return []
    partitions = partition_columns([file.relative_to(path) for file in files])
    if partitions[0]:
        options.notes.add(f"its folders name the columns {', '.join(partitions[0])}")
    return [
        Part(str(file), _opener(file, options), partition) for file, partition in zip(files, partitions, strict=True)
    ]


def partition_columns(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the columns in the names of folders such as year=2020 of a partitioned table, for each file.

    Values are integers if all of a column are. Names and values are URL-encoded, as Hive and Spark write them. There
    are no such columns unless all files have the same.
    """
    found = [dict(_named_value(folder) for folder in path.parent.parts if "=" in folder) for path in paths]
    names = list(found[0])
    if any(list(each) != names for each in found):
        return [{} for _ in paths]
    for name in names:
        texts = [each[name] for each in found]
        if all(text is None or WHOLE_NUMBER.fullmatch(text) for text in texts):
            for each in found:
                each[name] = None if each[name] is None else int(each[name])
    return found


def _named_value(folder: str) -> tuple[str, Any]:
    name, _, value = folder.partition("=")
    return unquote(name), None if value == HIVE_NULL else unquote(value)


def _is_table(name: str) -> bool:
    path = Path(name.lower())
    if path.suffix in (*SUFFIXES.values(), ".zip", ".snappy"):
        path = path.with_suffix("")
    return BY_SUFFIX.get(path.suffix) in TABLE_FORMATS or path.suffix in (".xlsx", ".xls", ".ods", ".xlsb")


@contextmanager
def parts_of_archive(source: Source, options: ReaderOptions) -> Iterator[list[Part]]:
    """Yield the files of a zip archive, which is open as long as the block runs."""
    with random_access(source) as stream, zipfile.ZipFile(stream) as archive:

        @contextmanager
        def opened(info: zipfile.ZipInfo) -> Iterator[Source]:
            name = f"{source.name}/{info.filename}"
            with (
                open_member(archive, info, source.name) as raw,
                open_stream(raw, name, max_bytes=options.max_bytes, encoding=options.encoding) as member,
            ):
                yield member._replace(compression=member.compression or "zip")

        yield [Part(info.filename, partial(opened, info)) for info in visible_members(archive)]


def are_tables(parts: Sequence[Part]) -> bool:
    """Return whether all files are tables by their names."""
    return all(_is_table(part.name) for part in parts)


def recognise_parts(name: str, parts: Sequence[Part], format: str) -> Recognition:
    """Return the common format of several files.

    Raises
    ------
    CorpusError
        If their formats differ, or are formats of counts.
    """
    if format != "auto":
        found = Recognition(format, None, "the caller named it")
    else:
        with parts[0].open() as first:
            found = recognise_source(first)
    if found.format in COUNT_FORMATS or found.format in ("folder", "zip"):
        raise CorpusError(
            name,
            f"are {found.format}, and several files can be read only of texts and tables; "
            "join the counts with scipy.sparse.vstack and save them with save_npz",
        )
    return found


def read_parts(parts: Sequence[Part], kind: str, format: str, options: ReaderOptions) -> Iterator[Document]:
    """Read the documents of several files of one format.

    Raises
    ------
    CorpusError
        If a file has another format.
    """
    for part in parts:
        with part.open() as source:
            if format == "auto" and (found := recognise_source(source).format) != kind:
                raise CorpusError(source.name, f"is {found}, but the first file is {kind}; read them one at a time")
            yield from TEXT_READERS[kind](source, options._replace(partition=part.partition))


def read_documents_of_archive(parts: Sequence[Part], options: ReaderOptions) -> Iterator[Document]:
    """Read each file of an archive as a document, like the files of a folder."""
    for part in parts:
        with part.open() as source:
            yield Document(whole_text(source, options), part.name, ())
