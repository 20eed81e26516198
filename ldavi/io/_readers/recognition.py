"""Recognition of a file's format from its first bytes, its name and its first lines."""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._readers.archives import SPREADSHEET, ZIP, kind_of_archive, office_problem
from ldavi.io._readers.encodings import escaped_encoding, guessed_wide_encoding
from ldavi.io._readers.refused import check_null_bytes, refuse_code
from ldavi.io._readers.source import SUFFIXES, Source, open_source, random_access

TEXT_FORMATS = ("text", "folder", "csv", "tsv", "jsonl", "json", "parquet", "excel", "mallet")
COUNT_FORMATS = ("uci", "mm", "svmlight", "ldac", "vw", "low", "mallet-state", "mallet-matrix", "npz")
FORMATS = (*TEXT_FORMATS, *COUNT_FORMATS)
TABLE_FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "excel")
BINARY_FORMATS = ("parquet", "excel", "npz")

BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".mm": "mm",
    ".mtx": "mm",
    ".svmlight": "svmlight",
    ".svm": "svmlight",
    ".libsvm": "svmlight",
    ".ldac": "ldac",
    ".lda-c": "ldac",
    ".low": "low",
    ".vw": "vw",
    ".uci": "uci",
    ".npz": "npz",
    ".txt": "text",
    ".text": "text",
}
BY_MAGIC = {
    b"PAR1": "parquet",
    SPREADSHEET: "excel",
    b"%%MatrixMarket": "mm",
    b"#doc source pos typeindex": "mallet-state",
}
N_SAMPLE_LINES = 50  # lines that the content is recognised from
# Possessive quantifiers (++, *+) keep the matching time linear on any input.
COUNT = rb"\d{1,18}(?:\.\d*+)?+(?:[eE][-+]?+\d{1,3})?+"
WHOLE_PAIRS = re.compile(rb"(\d{1,18})((?:[ \t]++\d{1,18}:\d{1,18})*+)[ \t]*+")  # faster than the next one
PAIRS = re.compile(rb"(\d{1,18})((?:[ \t]++\d{1,18}:" + COUNT + rb")*+)[ \t]*+")
# A label, several labels separated by commas, or none
SVMLIGHT = re.compile(rb"(?:[-+.,\deE]++(?!:))?+(?:(?:^|[ \t]++)(?:qid|\d++):[-+.\deE]++)*+[ \t]*+(?:#.*+)?")
HEADERLESS_TRIPLE = re.compile(rb"[1-9]\d{0,17}[ \t]++[1-9]\d{0,17}[ \t]++[1-9]\d{0,17}")
JSON_ARRAY = re.compile(rb"\[\s*+[\[{\"\]]")
VW = re.compile(rb"[-+.\deE]*+(?: [^ |:]*+)*+ ?\|[^|]*+(?:\|[^|]*+)*+")


class Recognition(NamedTuple):
    """The format of a file, and how it was recognised.

    Attributes
    ----------
    format : str
        The format's name, as `read_corpus` takes it.
    compression : str or None
        "gzip", "bz2", "xz", "zstd" or "zip"; None if the file is not compressed.
    reason : str
        Why the file is taken for this format, for messages.
    """

    format: str
    compression: str | None
    reason: str


def recognise(path: str | os.PathLike[str]) -> Recognition:
    """Recognise the format of a file or folder.

    The first bytes, after decompression, take precedence over the file's name. A file without the characteristics of
    any format is taken for text, one document per line.

    Parameters
    ----------
    path : str or path
        A file or a folder. Standard input cannot be recognised without being read; `read_corpus("-")` does both.

    Returns
    -------
    Recognition

    Raises
    ------
    CorpusError
        If the file is empty, is a pickle or a serialised Java object, or is binary and of no known format.
    FileNotFoundError
        If the file does not exist.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ldavi.io import recognise
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "counts")
    ...     _ = path.write_text("2 0:1 4:3\\n1 2:1\\n")
    ...     recognise(path)
    Recognition(format='ldac', compression=None, reason='lines start with the number of their word:count pairs')
    """
    if os.fspath(path) == "-":
        raise ValueError(
            "path='-' is standard input, which cannot be recognised without being read; call read_corpus('-') instead"
        )
    if os.path.isdir(path):
        return Recognition("folder", None, "it is a folder: each file in it is a document")
    with open_source(path) as source:
        return recognise_source(source)


def recognise_source(source: Source) -> Recognition:
    """Recognise the format of an open file; see `recognise`."""
    head = source.head
    if not head:
        raise CorpusError(source.name, "is empty; expected documents")
    refuse_code(source)
    if head.startswith(ZIP):
        return _archive(source)
    for magic, kind in BY_MAGIC.items():
        if head.startswith(magic):
            return Recognition(kind, source.compression, f"it starts with {magic.decode('latin-1')!r}")
    check_text(source)
    suffix = _suffix(source)
    if suffix in (".xls", ".xlsx", ".xlsb", ".ods"):
        raise CorpusError(
            source.name, f"has the name of a spreadsheet, {suffix}, but contains text, such as CSV or HTML; rename it"
        )
    by_content = _by_content(head)
    if suffix in BY_SUFFIX and BY_SUFFIX[suffix] != "text":
        kind = _kind_of_json(BY_SUFFIX[suffix], head, by_content)
        return Recognition(kind, source.compression, f"its name ends in {suffix}")
    if by_content is not None:
        return Recognition(by_content[0], source.compression, by_content[1])
    return Recognition("text", source.compression, "it matches no other format, so each line is a document")


def _kind_of_json(kind: str, head: bytes, by_content: tuple[str, str] | None) -> str:
    """Return the format of a file whose name ends in .json or .jsonl, since both names are used for both formats."""
    if kind == "json" and by_content is not None and by_content[0] == "jsonl" and b"\n" in head.strip():
        return "jsonl"
    if kind == "jsonl" and by_content is not None and by_content[0] == "json" and head.lstrip().startswith(b"["):
        return "json"
    return kind


def check_text(source: Source) -> None:
    """Raise a CorpusError if a file contains null bytes, which no text has."""
    check_wide_text(source)
    if b"\x00" in source.head:
        check_null_bytes(source)
        raise CorpusError(
            source.name, f"contains bytes that are not text, and has none of the formats {', '.join(FORMATS)}"
        )


def check_wide_text(source: Source) -> None:
    """Raise a CorpusError if a file looks like text in another encoding.

    These are UTF-16 and UTF-32 without a byte order mark, and encodings that switch by escape sequences.
    """
    if source.encoding in ("utf-8", "ascii") and (guess := escaped_encoding(source.head)):
        raise CorpusError(source.name, f"looks like text in {guess}; pass encoding={guess!r}")
    if b"\x00" in source.head and (guess := guessed_wide_encoding(source.head)):
        raise CorpusError(source.name, f"looks like text in {guess}; pass encoding={guess!r}")


def _archive(source: Source) -> Recognition:
    """Recognise an archive, whose list of members is at its end."""
    with random_access(source) as stream:
        kind = kind_of_archive(stream)
        if kind == "office":
            raise CorpusError(source.name, office_problem(stream))
    reasons = {
        "excel": "it contains a workbook",
        "npz": "it starts with 'PK\\x03\\x04'",
        "zip": "it is an archive of several files",
    }
    return Recognition(kind, source.compression, reasons[kind])


def _suffix(source: Source) -> str:
    path = Path(source.name)
    if source.compression is not None and path.suffix == SUFFIXES.get(source.compression):
        path = path.with_suffix("")
    return path.suffix.lower()


def _by_content(head: bytes) -> tuple[str, str] | None:
    """Return the format that the first complete lines match, and the reason; None if they match none."""
    lines = head.splitlines()
    complete = lines[:-1] if len(lines) > 1 and not head.endswith((b"\n", b"\r")) else lines
    sample = [line.strip() for line in complete[:N_SAMPLE_LINES]]
    if len(sample) >= 4 and all(line.isdigit() for line in sample[:3]) and len(sample[3].split()) == 3:
        return "uci", "three lines with one number each precede the triples"
    if len(sample) >= 3 and all(HEADERLESS_TRIPLE.fullmatch(line) for line in sample):
        return "uci", "each line has the numbers of a document and a word, and a count"
    nonempty = [line for line in sample if line]
    if (by_json := _json_by_content(head, nonempty)) is not None:
        return by_json
    if _is_ldac(nonempty):
        return "ldac", "lines start with the number of their word:count pairs"
    records = [line for line in nonempty if not line.startswith(b"#")]
    if records and any(b":" in line for line in records) and all(SVMLIGHT.fullmatch(line) for line in records):
        return "svmlight", "each line is a label followed by index:value pairs"
    if nonempty and all(VW.fullmatch(line) for line in nonempty) and not _is_markdown(nonempty):
        return "vw", "each line has the | of Vowpal Wabbit before its features"
    return None


def _is_markdown(lines: list[bytes]) -> bool:
    """Return whether lines are a table of Markdown, which begin and end with a vertical bar."""
    return all(line.startswith(b"|") and line.endswith(b"|") and len(line) > 1 for line in lines)


def _is_ldac(lines: list[bytes]) -> bool:
    """Return whether all lines have the form of lda-c, and most also the declared number of pairs.

    A line of SVMlight may have the same form. Its label is the number of its pairs by chance only.
    """
    pairs = [PAIRS.fullmatch(line) for line in lines]
    n_right = sum(match is not None and int(match[1]) == match[2].count(b":") for match in pairs)
    has_pairs = any(match is not None and match[2] for match in pairs)
    return all(pairs) and (n_right == len(lines) > 0 or (has_pairs and 2 * n_right > len(lines)))


def _json_by_content(head: bytes, lines: list[bytes]) -> tuple[str, str] | None:
    """Recognise JSON: an array or an object, or one of them on each line."""
    if not lines or lines[0][:1] not in (b"{", b"["):
        return None
    if all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        if len(lines) == 1 and _is_table(lines[0]):
            return "json", "it is a JSON object of columns"
        return "jsonl", "each line is a JSON object"
    if JSON_ARRAY.match(head) and len(lines) > 1 and all(_is_json(line) for line in lines):
        return "jsonl", "each line is a JSON array"
    text = head.decode("utf-8", "ignore").lstrip()
    if JSON_ARRAY.match(head.lstrip()) and _starts_json_array(text):
        return "json", "it is a JSON array"
    if _is_json(lines[0]):
        return "jsonl", "its first line is a JSON object"
    opening = re.match(r'\{(\s*+)"', text)
    if (opening and "\n" in opening[1]) or re.match(r'\{\s*"[^"\\]*+"\s*:\s*\{', text):
        return "json", "it is a JSON object"
    if re.match(r'\{\s*"[^"\\]*+"\s*:\s*["\[]', text):
        return "jsonl", "its first line begins a JSON object"
    return None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(line: bytes) -> bool:
    """Return whether a line is a table in one of the layouts of pandas' `to_json`, or contains an array of objects."""
    try:
        values = list(json.loads(line).values())
    except (ValueError, RecursionError, AttributeError):
        return re.match(rb'\{\s*+"[^"]*+"\s*+:\s*+\{', line) is not None
    if any(isinstance(value, list) and value and isinstance(value[0], (dict, list)) for value in values):
        return True
    return bool(values) and all(isinstance(value, (dict, list)) for value in values)


def _starts_json_array(text: str) -> bool:
    """Return whether a text begins with an array: its first element is complete, and a comma or a bracket follows."""
    start = re.match(r"\[\s*", text)
    assert start is not None
    if text[start.end() : start.end() + 1] == "]":
        return True
    try:
        end = json.JSONDecoder().raw_decode(text, start.end())[1]
    except (ValueError, RecursionError):
        return len(text) > 2**15  # the first element may be longer than these bytes
    return re.match(r"\s*(?:[,\]]|$)", text[end:]) is not None
