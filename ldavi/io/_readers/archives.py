"""Zip archives: matrices of numpy and office documents, which have formats of their own, and files that are zipped."""

import zipfile
from pathlib import PurePosixPath
from typing import IO, Any

from ldavi.io._errors import CorpusError

ZIP = b"PK\x03\x04"
SPREADSHEET = b"\xd0\xcf\x11\xe0"  # of Excel until 2003; .doc files begin in the same way
EXCEL_MEMBERS = ("xl/workbook.xml", "xl/workbook.bin")
SPREADSHEET_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
OFFICE = {
    "word/document.xml": "is a Word document; save it as plain text (.txt)",
    "ppt/presentation.xml": "is a PowerPoint presentation; save its text as .txt",
    "META-INF/container.xml": "is an e-book (EPUB); convert it to plain text, for example with pandoc",
    "content.xml": "is an OpenDocument file, but no spreadsheet; save it as plain text (.txt)",
}


def kind_of_archive(stream: IO[bytes]) -> str:
    """Return "excel", "office", "npz" or "zip"; "npz" for a damaged archive, whose reader describes the damage."""
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if any(name in EXCEL_MEMBERS for name in names):
                return "excel"
            if "mimetype" in names and archive.getinfo("mimetype").file_size == len(SPREADSHEET_TYPE):
                with archive.open("mimetype") as member:
                    if member.read(len(SPREADSHEET_TYPE)) == SPREADSHEET_TYPE:
                        return "excel"
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return "npz"
    if any(name in OFFICE for name in names):
        return "office"
    return "npz" if not names or any(name.endswith(".npy") for name in names) else "zip"


def office_problem(stream: IO[bytes]) -> str:
    """Return the problem, for an error message, with an archive of the kind "office"."""
    with zipfile.ZipFile(stream) as archive:
        return next(problem for name, problem in OFFICE.items() if name in archive.namelist())


def visible_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive in the order of their names, without hidden ones and those of macOS."""
    members = [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(info.filename)]
    return sorted(members, key=lambda info: info.filename)


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def open_only_member(stream: Any, name: str) -> tuple[str, IO[bytes]] | None:
    """Open the only file of a zip archive; return None for archives of several files and for other formats.

    Returns
    -------
    member : (str, binary file object) or None
        The name of the file in the archive, and its content.

    Raises
    ------
    CorpusError
        If the file is encrypted or compressed by an unknown method.
    """
    if kind_of_archive(stream) != "zip":
        return None
    archive = zipfile.ZipFile(stream)
    members = visible_members(archive)
    return (members[0].filename, open_member(archive, members[0], name)) if len(members) == 1 else None


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> IO[bytes]:
    """Open a file of a zip archive.

    Raises
    ------
    CorpusError
        If it is encrypted or compressed by an unknown method.
    """
    try:
        return archive.open(info)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise CorpusError(name, f"contains {info.filename!r}, which cannot be opened ({error}); unpack it") from error
