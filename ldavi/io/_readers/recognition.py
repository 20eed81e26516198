"""Recognition of a file's format from its first bytes, its name and its first lines."""

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
        "is a serialised Java object, as `mallet import-file` writes, and is never decoded; pass the text that was "
        "imported, the output of `mallet info --print-matrix siw`, or the file of `--output-state`"
    ),
    b"\x80": (
        "looks like a Python pickle, as gensim's `save` writes. A pickle can run any code and is never opened; in "
        "gensim, save the dictionary with `Dictionary.save_as_text` and the corpus with `MmCorpus.serialize`"
    ),
}
PICKLE = re.compile(rb"\x80[\x02-\x05]")
N_SAMPLE_LINES = 50  # lines that the content is recognised from
# Possessive quantifiers (++, *+) keep the matching time linear on any input.
PAIRS = re.compile(rb"(\d{1,18})((?:[ \t]++\d{1,18}:\d{1,18})*+)[ \t]*+")
SVMLIGHT = re.compile(rb"[-+.\deE]++(?:[ \t]++(?:qid|\d++):[-+.\deE]++)*+[ \t]*+(?:#.*+)?")
VW = re.compile(rb"[-+.\deE]*+(?: [^ |:]*+)*+ ?\|[^|]*+(?:\|[^|]*+)*+")


class Recognition(NamedTuple):
    """The format of a file, and how it was recognised.

    Attributes
    ----------
    format : str
        The format's name, as `read_corpus` takes it.
    compression : str or None
        "gzip", "bz2", "xz" or "zstd"; None if the file is not compressed.
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
    Recognition(format='ldac', compression=None, reason='each line starts with the number of its word:count pairs')
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
    for magic, kind in BY_MAGIC.items():
        if head.startswith(magic):
            return Recognition(kind, source.compression, f"it starts with {magic.decode('latin-1')!r}")
    suffix = _suffix(source)
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CorpusError(
            source.name, f"contains bytes that are not text, and has none of the formats {', '.join(FORMATS)}"
        )
    if suffix in BY_SUFFIX and BY_SUFFIX[suffix] != "text":
        return Recognition(BY_SUFFIX[suffix], source.compression, f"its name ends in {suffix}")
    by_content = _by_content(head)
    if by_content is not None:
        return Recognition(by_content[0], source.compression, by_content[1])
    return Recognition("text", source.compression, "it matches no other format, so each line is a document")


def refuse_code(source: Source) -> None:
    """Raise an error for files whose deserialisation could run code.

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
    """Return the format that the first complete lines match, and the reason; None if they match none."""
    lines = head.splitlines()
    complete = lines[:-1] if len(lines) > 1 and not head.endswith((b"\n", b"\r")) else lines
    sample = [line.strip() for line in complete[:N_SAMPLE_LINES]]
    if len(sample) >= 4 and all(line.isdigit() for line in sample[:3]) and len(sample[3].split()) == 3:
        return "uci", "three lines with one number each precede the triples"
    nonempty = [line for line in sample if line]
    if nonempty and all(line.startswith(b"{") and line.endswith(b"}") for line in nonempty):
        return "jsonl", "each line is a JSON object"
    pairs = [PAIRS.fullmatch(line) for line in nonempty]
    if pairs and all(match and int(match[1]) == match[2].count(b":") for match in pairs):
        return "ldac", "each line starts with the number of its word:count pairs"
    records = [line for line in nonempty if not line.startswith(b"#")]
    if records and any(b":" in line for line in records) and all(SVMLIGHT.fullmatch(line) for line in records):
        return "svmlight", "each line is a label followed by index:value pairs"
    if nonempty and all(VW.fullmatch(line) for line in nonempty):
        return "vw", "each line has the | of Vowpal Wabbit before its features"
    return None
