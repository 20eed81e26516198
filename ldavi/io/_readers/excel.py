"""Reader of spreadsheets (.xlsx, .xls, .xlsb, .ods), by python-calamine."""

import importlib.util
import zipfile
from collections.abc import Iterator
from typing import Any

from ldavi.io._errors import CorpusError
from ldavi.io._readers.archives import ZIP
from ldavi.io._readers.documents import Document, ReaderOptions, as_text, documents_of_rows
from ldavi.io._readers.source import MAX_BYTES, Source, read_whole

MAX_RATIO = 1032  # deflate expands a byte to no more bytes than this
SLACK = 2**16  # bytes


def read_excel(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read a sheet whose first row has the names of the columns; rows without any cell are left out.

    Raises
    ------
    CorpusError
        If the file is damaged, has several sheets with cells and none is named, or has no such column.
    ModuleNotFoundError
        If python-calamine is not installed.
    """
    if importlib.util.find_spec("python_calamine") is None:
        raise ModuleNotFoundError(
            "a spreadsheet needs the library python-calamine; install it: pip install 'ldavi[io]', or save it as CSV"
        )
    import python_calamine as calamine

    content = read_whole(source, options.max_bytes)
    if source.head.startswith(ZIP):
        _check_sizes(content, source.name, options.max_bytes)
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(content)
        rows = _rows_of_sheet(workbook, source.name, options)
    except CorpusError:
        raise
    except Exception as error:  # calamine's errors have no common class
        raise CorpusError(source.name, f"is not a spreadsheet, or is damaged ({str(error)[:200]})") from error
    if not options.table.header:
        names = [str(number) for number in range(1, len(rows[0]) + 1)]
        return documents_of_rows(source.name, names, rows, options)
    header = [as_text(cell).strip() for cell in rows[0]]
    remedy = "; if the first row is a text, header=False"
    return documents_of_rows(source.name, header, rows[1:], options, remedy=remedy)


def _rows_of_sheet(workbook: Any, name: str, options: ReaderOptions) -> list[list[Any]]:
    """Return the rows of the named sheet, or of the only one that has cells."""
    wanted = options.table.sheet
    names = [sheet.name for sheet in workbook.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]  # not charts
    if wanted is not None and wanted not in names:
        raise CorpusError(name, f"has no sheet {wanted!r}; it has {', '.join(map(repr, names))[:200]}")
    found = {}
    for each in names if wanted is None else [wanted]:
        rows = workbook.get_sheet_by_name(each).to_python()
        if rows := [row for row in rows if any(cell != "" for cell in row)]:
            found[each] = rows
    if len(found) > 1:
        sheets = ", ".join(map(repr, found))[:200]
        raise CorpusError(name, f"has the sheets {sheets}; name the one with the texts: sheet=NAME")
    if not found:
        raise CorpusError(name, "has no cells; expected a header and a row per document")
    return next(iter(found.values()))


def _check_sizes(content: Any, name: str, max_bytes: int | None) -> None:
    """Check the sizes that the members of the archive declare, for which memory would be allocated."""
    limit = MAX_BYTES if max_bytes is None else max_bytes
    try:
        with zipfile.ZipFile(content) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as error:
        raise CorpusError(name, f"is not a spreadsheet, or is damaged ({error})") from error
    if sum(info.file_size for info in infos) > limit:
        raise CorpusError(name, f"expands to more than max_bytes={limit} bytes; raise max_bytes if you trust the file")
    for info in infos:
        if info.file_size > MAX_RATIO * info.compress_size + SLACK:
            raise CorpusError(
                name, f"declares {info.file_size} bytes for {info.filename}, which {info.compress_size} cannot hold"
            )
    content.seek(0)
