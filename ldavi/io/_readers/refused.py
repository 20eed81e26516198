"""Files that are refused, since reading them could run code, or that are to be converted first."""

import re
from pathlib import Path

from ldavi.io._errors import CorpusError
from ldavi.io._readers.source import Source

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
UNPACK = {
    b"%PDF-": "is a PDF; extract its text first, for example with pdftotext",
    b"{\\rtf": "is a document in the Rich Text Format; save it as plain text (.txt)",
    b"7z\xbc\xaf": "is a 7z archive; unpack it and pass the file or the folder",
    b"Rar!": "is a RAR archive; unpack it and pass the file or the folder",
    b"SQLite format 3": "is a SQLite database; export the table as CSV",
    b"ARROW1": "is an Arrow file; save it as Parquet, or open counts with ldavi.io.open_counts",
    b"FEA1": "is a Feather file; save it as Parquet",
    b"\x93NUMPY": (
        "is an array of NumPy; if it holds counts, documents × words, save it with "
        "scipy.sparse.save_npz(path, scipy.sparse.csr_array(array))"
    ),
    b"MATLAB 5.0": "is a file of MATLAB; save its matrix with scipy.io.mmwrite or scipy.sparse.save_npz",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file; save its table as Parquet or CSV, or its matrix with scipy.sparse.save_npz",
    b"<stata_dta>": "is a file of Stata; save it as CSV (export delimited)",
    b"$FL2": "is a file of SPSS; save it as CSV",
    b"$FL3": "is a file of SPSS; save it as CSV",
    b"RDX3\n": "is a file of R; save its table with write.csv, or its matrix with Matrix::writeMM",
    b"RDX2\n": "is a file of R; save its table with write.csv, or its matrix with Matrix::writeMM",
    b"X\n\x00\x00": "is a file of R (RDS); save its table with write.csv, or its matrix with Matrix::writeMM",
    b"\x1f\x8b": "is compressed twice; decompress it once",
    b"\x28\xb5\x2f\xfd": "is compressed twice; decompress it once",
    b"\xfd7zXZ\x00": "is compressed twice; decompress it once",
    b"Obj\x01": "is an Avro file; save it as Parquet or JSON lines",
    b"ORC": "is an ORC file; save it as Parquet",
    b"\x89PNG": "is an image; extract its text first",
    b"\xff\xd8\xff": "is an image; extract its text first",
}
TAR = slice(257, 262)  # the place of the bytes "ustar" in a tar archive
MAX_NULLS = 0.05  # share of the bytes of a text in which null bytes are a mistake
# Formats of texts whose lines are no documents, by the suffix of their names
STRUCTURED = {
    ".bib": "references of BibTeX",
    ".ris": "references",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".eml": "an e-mail",
    ".mbox": "e-mails",
    ".tex": "LaTeX",
    ".md": "Markdown",
    ".conllu": "annotated words",
    ".conll": "annotated words",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".rst": "reStructuredText",
}


def refuse_code(source: Source) -> None:
    """Raise an error for files whose deserialisation could run code.

    Raises
    ------
    CorpusError
        If the file is a pickle or a serialised Java object, or a document or archive of another kind.
    """
    for magic, problem in REFUSED.items():
        if source.head.startswith(magic) and (magic != b"\x80" or PICKLE.match(source.head)):
            raise CorpusError(source.name, problem)
    for magic, problem in UNPACK.items():
        if source.head.startswith(magic):
            raise CorpusError(source.name, problem)
    if source.head[TAR] == b"ustar":
        raise CorpusError(source.name, "is a tar archive; unpack it and pass the folder")


def check_null_bytes(source: Source) -> None:
    """Refuse a text with some null bytes, with the line of the first.

    Raises
    ------
    CorpusError
        If the other bytes are text.
    """
    head = source.head
    if head.count(b"\x00") > MAX_NULLS * len(head):
        return
    try:
        head.decode(source.encoding)
    except UnicodeDecodeError as error:
        if error.end < len(head) - 4:
            return
    line = head.count(b"\n", 0, head.index(b"\x00")) + 1
    raise CorpusError(source.name, "contains a null byte, which no text has; remove it: tr -d '\\000' < FILE", line)


def note_of_structure(name: str) -> str | None:
    """Return a note on a text of a format whose lines are no documents, by its name; None for others."""
    what = STRUCTURED.get(Path(name).suffix.lower())
    if what is None:
        return None
    return f"by its name, it contains {what}, but each line of it is a document; extract the texts first"
