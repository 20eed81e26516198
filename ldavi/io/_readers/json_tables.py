"""Readers of JSON: an object per line, an array of records, and the layouts of pandas' `to_json`."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from ldavi.io._errors import CorpusError
from ldavi.io._readers.documents import Document, ReaderOptions, document_of_record, word_list
from ldavi.io._readers.source import MAX_LINE, Source, decoded_lines, read_whole
from ldavi.io._readers.text_stream import undecodable

BLOCK_SIZE = 2**18  # bytes
OPTIONAL_WITHIN = 1000  # records: a column of metadata that some of the first ones have may be missing in others
BLANKS = re.compile(r"[ \t\r\n]*+")
LAYOUTS = "expected an array of objects ([{…}, …]), an object per line, or a table of pandas' to_json"


def read_jsonl(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read a JSON object per line; the column contains a text, or a list of words (and another column their counts).

    A line may also be a list of words.
    """
    yield from _documents(source.name, _lines(source), options)


def _lines(source: Source) -> Iterator[tuple[int, Any]]:
    """Yield the number of each line that is not blank, and what it contains."""
    for number, line in decoded_lines(source):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            remedy = "; a single array or object is read with format='json'" if number == 1 else ""
            if "Extra data" in str(error):
                remedy = "; write each object on a line of its own, as jq -c . FILE does"
            raise CorpusError(source.name, f"expected a JSON object ({error}){remedy}", number) from error
        yield number, record


def _documents(name: str, records: Iterable[tuple[int, Any]], options: ReaderOptions) -> Iterator[Document]:
    """Yield the documents of numbered records; their metadata are found in the first ones."""
    following = iter(records)
    first = list(islice(following, OPTIONAL_WITHIN)) if options.metadata else []
    for _, record in first:
        if isinstance(record, dict):
            options.add_columns(record)
    for number, record in chain(first, following):
        yield _document(name, record, options, number)


def _document(name: str, record: Any, options: ReaderOptions, number: int) -> Document:
    if isinstance(record, dict):
        return document_of_record(name, record, options, number)
    names = [options.column, options.id_column, *options.metadata]
    if isinstance(record, (list, str)) and any(each is not None for each in names):
        raise CorpusError(name, f"found {str(record)[:60]!r}, which has no columns; expected a JSON object", number)
    if isinstance(record, list):
        return word_list(name, record, number)
    if isinstance(record, str):
        return Document(record, None, ())
    raise CorpusError(name, f"expected a JSON object, found {json.dumps(record)[:60]!r}", number)


def read_json(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read an array of objects, texts or lists of words, or a table of pandas' `to_json`."""
    if source.head.lstrip()[:1] == b"[":
        yield from _documents(source.name, _elements(source), options)
        return
    data = read_whole(source, options.max_bytes).getvalue()
    try:
        value = json.loads(data.decode(source.encoding))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(source.name, undecodable(data, error, source.encoding), line) from error
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        if "Extra data" in str(error):
            raise CorpusError(
                source.name, f"contains more than one JSON object ({error}); {_remedy_of_several(data)}", line
            ) from error
        raise CorpusError(source.name, f"is not valid JSON ({error}); {LAYOUTS}", line) from error
    yield from _documents(source.name, enumerate(_records(source.name, value, options), start=1), options)


def _elements(source: Source) -> Iterator[tuple[int, Any]]:
    """Yield the line in which each element of an array begins, and the element, which can be a document."""
    for number, (line, record) in enumerate(_array_elements(source), start=1):
        if not isinstance(record, (dict, list, str)):
            raise CorpusError(source.name, f"element {number} is {json.dumps(record)[:60]}; {LAYOUTS}", line)
        yield line, record


def _remedy_of_several(data: bytes) -> str:
    """Return what to do about several objects in a file: JSON lines have one on each line."""
    if re.search(rb"\}[ \t\r]*\n\s*\{", data) and not re.search(rb"\}[ \t]*\{", data):
        return "read it with format='jsonl' if each line is one, else write each on a line of its own: jq -c . FILE"
    return "write each on a line of its own, as jq -c . FILE does"


def _array_elements(source: Source) -> Iterator[tuple[int, Any]]:
    """Yield the line in which each element of an array begins, and the element; hold a part of the file only."""
    decode, scan = codecs.getincrementaldecoder(source.encoding)().decode, json.JSONDecoder().raw_decode
    text, position, line = "", 0, 1
    is_ended, is_first = False, True
    while True:
        if (blank := BLANKS.match(text, position)) is not None:
            line += text.count("\n", position, blank.end())
            position = blank.end()
        problem: object = "the end of the array is missing"
        if position < len(text):
            if is_first:
                position, is_first = position + 1, False  # the bracket
                continue
            if text[position] == "]":
                if text[position + 1 :].strip():
                    raise CorpusError(source.name, "contains more than one JSON array", line)
                return
            begin = BLANKS.match(text, position + 1) if text[position] == "," else None
            start = begin.end() if begin is not None else position
            try:
                element, end = scan(text, start)
                following = text[end : end + 1]
                if following or is_ended:
                    line += text.count("\n", position, start)
                    yield line, element
                    line += text.count("\n", start, end)
                    position = end
                    continue
            except (ValueError, RecursionError) as error:
                problem = error
        if is_ended or len(text) - position > MAX_LINE:
            raise CorpusError(source.name, f"is not a valid JSON array ({problem})", line)
        data = source.stream.read(max(BLOCK_SIZE, len(text) - position))
        is_ended = not data
        try:
            new = decode(data, is_ended)
        except UnicodeDecodeError as error:
            raise CorpusError(source.name, undecodable(error.object, error, source.encoding), line) from error
        text, position = text[position:] + new, 0


def _records(name: str, value: Any, options: ReaderOptions) -> list[Any]:
    """Return the rows of an object as records.

    Raises
    ------
    CorpusError
        If the object has no known layout, or several layouts fit it.
    """
    if not isinstance(value, dict) or not value:
        raise CorpusError(name, f"contains {str(value)[:60]!r}; {LAYOUTS}", 1)
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):  # orient="split"
        return [dict(zip(map(str, value["columns"]), row, strict=True)) for row in value["data"]]
    if "schema" in value and isinstance(value.get("data"), list):  # orient="table"
        return list(value["data"])
    values = list(value.values())
    if all(isinstance(each, dict) for each in values):
        return _of_columns_or_rows(name, value, options)
    lists = [each for each in values if isinstance(each, list) and not _is_list_of_objects(each)]
    if len(lists) == len(values) and len({len(each) for each in lists}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    of_objects = [(key, each) for key, each in value.items() if _is_list_of_objects(each)]
    if len(of_objects) == 1:
        options.notes.add(f"its documents are the elements of the array {of_objects[0][0]!r}")
        return list(of_objects[0][1])
    if isinstance(value.get("text"), str) or isinstance(options.column, str):
        return [value]
    raise CorpusError(name, f"contains an object with the entries {', '.join(map(repr, value))[:200]}; {LAYOUTS}", 1)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _of_columns_or_rows(name: str, value: dict[str, dict[str, Any]], options: ReaderOptions) -> list[Any]:
    """Return the records of an object of objects: of columns, as pandas writes by default, or of rows."""
    inner = next(iter(value.values()))
    wanted = options.column if isinstance(options.column, str) else "text"
    is_column = wanted in value or (len(value) == 1 and options.column is None and wanted not in inner)
    if is_column == (wanted in inner) and len(value) > 1:
        raise CorpusError(
            name, f"contains an object of objects without {wanted!r}; name the column with the texts: column=NAME", 1
        )
    if not is_column:
        return list(value.values())
    if any(each.keys() != inner.keys() for each in value.values()):
        raise CorpusError(name, "contains columns with different rows", 1)
    return [{column: rows[key] for column, rows in value.items()} for key in inner]
