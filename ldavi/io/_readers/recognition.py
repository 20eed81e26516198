"""Which format a file has, by its first bytes, then by its name; and why."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from ldavi.io._errors import CorpusError
from ldavi.io._readers.source import SUFFIXES, Source, open_source

TEXT_FORMATS = ("text", "folder", "csv", "tsv", "jsonl", "parquet", "mallet")
COUNT_FORMATS = ("uci", "mm", "svmlight", "ldac", "vw", "low", "mallet-state", "mallet-matrix", "npz")
FORMATS = (*TEXT_FORMATS, *COUNT_FORMATS)

BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
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
    b"PK\x03\x04": "npz",
    b"PAR1": "parquet",
    b"%%MatrixMarket": "mm",
    b"#doc source pos typeindex": "mallet-state",
}
REFUSED = {
    b"\xac\xed\x00\x05": (
        "is a serialised Java object (`mallet import-file` writes such files), which is never decoded here; give the text "
        "that was imported, `mallet info --print-matrix siw`, or the file of `--output-state`"
    ),
    b"\x80": (
        "looks like a Python pickle (gensim's `save`), which could run any code and is never opened here; in gensim, save "
        "the dictionary with `Dictionary.save_as_text` and the corpus with `MmCorpus.serialize`"
    ),
}
PICKLE = re.compile(rb"\x80[\x02-\x05]")
PAIRS = re.compile(rb"(\d{1,18})((?:[ \t]++\d{1,18}:\d{1,18})*+)[ \t]*+")
SVMLIGHT = re.compile(rb"[-+.\deE]++(?:[ \t]++(?:qid|\d++):[-+.\deE]++)*+[ \t]*+(?:#.*+)?")
VW = re.compile(rb"[-+.\deE]*+(?: [^ |:]*+)*+ ?\|[^|]*+(?:\|[^|]*+)*+")


class Recognition(NamedTuple):
    """What a file is taken for, and why.

    Attributes
    ----------
    format : str
        A name that `read_corpus` takes as `format`.
    compression : str or None
        "gzip", "bz2", "xz" or "zstd".
    reason : str
        What the format was recognised by, for a message.
    """

    format: str
    compression: str | None
    reason: str


def recognise(path: str | os.PathLike[str]) -> Recognition:
    """Say which format a file or folder has, and why.

    The first bytes count before the name, compression apart. What has no marks of any format is text, one document per line.

    Parameters
    ----------
    path : str or path
        A file or a folder. Standard input cannot be looked at without being read: `read_corpus("-")` recognises it.

    Returns
    -------
    Recognition

    Raises
    ------
    CorpusError
        If the file is empty, is a pickle or a serialised Java object, or holds no text and no known format.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ldavi.io import recognise
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "counts")
    ...     _ = path.write_text("2 0:1 4:3\\n1 2:1\\n")
    ...     recognise(path)
    Recognition(format='ldac', compression=None, reason='each line begins with the number of its word:count pairs')
    """
    if os.fspath(path) == "-":
        raise ValueError(
            "path is '-', standard input, which cannot be recognised without being read; call read_corpus('-')"
        )
    if os.path.isdir(path):
        return Recognition("folder", None, "it is a folder: each file in it is a document")
    with open_source(path) as source:
        return recognise_source(source)


def recognise_source(source: Source) -> Recognition:
    """`recognise` for a file that is open."""
    head = source.head
    if not head:
        raise CorpusError(source.name, "is empty; expected documents")
    refuse_code(source)
    for magic, kind in BY_MAGIC.items():
        if head.startswith(magic):
            return Recognition(kind, source.compression, f"it begins with {magic.decode('latin-1')!r}")
    suffix = _suffix(source)
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CorpusError(
            source.name, f"holds bytes that are not text, and is none of the formats {', '.join(FORMATS)}"
        )
    if suffix in BY_SUFFIX and BY_SUFFIX[suffix] != "text":
        return Recognition(BY_SUFFIX[suffix], source.compression, f"its name ends in {suffix}")
    by_content = _by_content(head)
    if by_content is not None:
        return Recognition(by_content[0], source.compression, by_content[1])
    return Recognition("text", source.compression, "it has the marks of no other format: each line is a document")


def refuse_code(source: Source) -> None:
    """Refuse files whose reading could run code.

    Raises
    ------
    CorpusError
        If the file is a pickle or a serialised Java object.
    """
    for magic, problem in REFUSED.items():
        if source.head.startswith(magic) and (magic != b"\x80" or PICKLE.match(source.head)):
            raise CorpusError(source.name, problem)


def _suffix(source: Source) -> str:
    path = Path(source.name)
    if source.compression is not None and path.suffix == SUFFIXES[source.compression]:
        path = path.with_suffix("")
    return path.suffix.lower()


def _by_content(head: bytes) -> tuple[str, str] | None:
    """The format that the first whole lines have the marks of."""
    lines = head.splitlines()
    whole = lines[:-1] if len(lines) > 1 and not head.endswith((b"\n", b"\r")) else lines
    sample = [line.strip() for line in whole[:50]]
    if len(sample) >= 4 and all(line.isdigit() for line in sample[:3]) and len(sample[3].split()) == 3:
        return "uci", "three lines with one number each stand before triples"
    filled = [line for line in sample if line]
    if filled and all(line.startswith(b"{") and line.endswith(b"}") for line in filled):
        return "jsonl", "each line is a JSON object"
    pairs = [PAIRS.fullmatch(line) for line in filled]
    if pairs and all(match and int(match[1]) == match[2].count(b":") for match in pairs):
        return "ldac", "each line begins with the number of its word:count pairs"
    records = [line for line in filled if not line.startswith(b"#")]
    if records and any(b":" in line for line in records) and all(SVMLIGHT.fullmatch(line) for line in records):
        return "svmlight", "each line is a label before index:value pairs"
    if filled and all(VW.fullmatch(line) for line in filled):
        return "vw", "each line has the | of Vowpal Wabbit before its features"
    return None
