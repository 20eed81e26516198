"""Readers of UCI bag-of-words and Matrix Market: sizes, then lines of "document word count"."""

import io
import re
import warnings
from collections.abc import Iterator

import numpy as np

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, Triples, set_declared_shape
from ldavi.io._readers.line_chunks import header_number, read_chunk, readline
from ldavi.io._readers.source import Source

NUMBER = rb"[-+]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?+\d++)?+"
TRIPLE = re.compile(rb"\s*+(\d{1,18})\s++(\d{1,18})(?:\s++(" + NUMBER + rb"))?+\s*+")
MATRIX_MARKET = re.compile(
    rb"%%MatrixMarket\s+matrix\s+(coordinate|array)\s+(real|double|integer|unsigned-integer|pattern)\s+"
    rb"(general|symmetric)\s*",
    re.IGNORECASE,
)
EXPECTED = (
    "expected '%%MatrixMarket matrix coordinate real|integer|unsigned-integer|pattern general|symmetric', or 'array' "
    "with 'general'; convert the matrix to it"
)


def read_uci(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read UCI bag-of-words: the numbers of documents, words and triples; then "document word count" from 1.

    Without these three numbers, they are those that the triples have.
    """
    first = source.head[: source.head.find(b"\n") + 1 or None]
    if TRIPLE.fullmatch(first) and len(first.split()) == 3:
        yield from _without_header(source, info)
        return
    sizes = header_number(source, 1), header_number(source, 2), header_number(source, 3)
    set_declared_shape(info, sizes, file_size=source.size, line=3, min_line_bytes=6)
    yield from _triples(source, info, n_entries=sizes[2], line=4, with_values=True)


def _without_header(source: Source, info: CorpusInfo) -> Iterator[Triples]:
    known = info.n_words
    if info.notes is not None:
        info.notes.add("it has no header with the numbers of documents, words and counts")
    largest = 0
    limits = CorpusInfo(info.name, n_docs=2**62, n_words=2**62 if known is None else known)
    for part in _triples(source, limits, n_entries=None, line=1, with_values=True):
        largest = max(largest, int(part.docs.max()) + 1)
        yield part
    info.n_docs = largest


def read_matrix_market(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read Matrix Market of scipy or gensim's `MmCorpus`: comments, sizes, and triples from 1, or all counts."""
    match = MATRIX_MARKET.fullmatch(readline(source, 1))
    layout, kind, symmetry = (b"", b"", b"") if match is None else (group.lower() for group in match.groups())
    if match is None or (layout == b"array" and (symmetry, kind) != (b"general", kind.replace(b"pattern", b""))):
        raise CorpusError(source.name, EXPECTED, 1)
    number, line = 2, readline(source, 2)
    while line.startswith(b"%") or (line and not line.strip()):
        number, line = number + 1, readline(source, number + 1)
    sizes = line.split()
    if len(sizes) != 3 - (layout == b"array") or not all(re.fullmatch(rb"\d{1,18}", size) for size in sizes):
        raise CorpusError(source.name, f"expected the numbers of rows, columns and counts, found {line[:60]!r}", number)
    n_docs, n_words = int(sizes[0]), int(sizes[1])
    n_entries = int(sizes[2]) if layout == b"coordinate" else n_docs * n_words
    with_values = kind != b"pattern"
    min_line_bytes = 2 if layout == b"array" else 6 if with_values else 4
    declared = n_docs, n_words, n_entries
    set_declared_shape(info, declared, file_size=source.size, line=number, min_line_bytes=min_line_bytes)
    if layout == b"array":
        yield _dense(source, info, line=number + 1)
        return
    parts = _triples(source, info, n_entries=n_entries, line=number + 1, with_values=with_values)
    if symmetry == b"symmetric":
        if n_docs != n_words:
            raise CorpusError(source.name, f"is declared symmetric, but has {n_docs} rows and {n_words} columns", 1)
        yield _mirrored(list(parts))
        return
    yield from parts


def _mirrored(parts: list[Triples]) -> Triples:
    """Return all entries of a symmetric matrix, of which the file has one triangle, in the order of documents."""
    docs, words, values = (np.concatenate([np.zeros(0, np.int64), *arrays]) for arrays in zip(*parts, strict=True))
    other = docs != words
    all_docs, all_words = np.concatenate([docs, words[other]]), np.concatenate([words, docs[other]])
    order = np.argsort(all_docs, kind="stable")
    all_values = np.concatenate([values, values[other]])
    return Triples(all_docs[order].astype(np.int64), all_words[order].astype(np.int64), all_values[order])


def _dense(source: Source, info: CorpusInfo, *, line: int) -> Triples:
    """Read the counts of a full matrix, column by column."""
    parts = [np.zeros(0)]
    while chunk := read_chunk(source, line):
        try:
            parts.append(np.array(chunk.split(), dtype=np.float64))
        except ValueError as error:
            raise CorpusError(source.name, f"expected a count on each line ({error})", line) from error
        line += chunk.count(b"\n")
    values = np.concatenate(parts)
    n_docs, n_words = info.n_docs or 0, info.n_words or 0
    if len(values) != n_docs * n_words:
        raise CorpusError(source.name, f"the header declares {n_docs * n_words} counts, but {len(values)} follow")
    if not (np.isfinite(values).all() and values.min(initial=0) >= 0):
        raise CorpusError(source.name, "contains counts that are not finite and >= 0")
    X = values.reshape(n_words, n_docs).T
    docs, words = np.nonzero(X)
    return Triples(docs.astype(np.int64), words.astype(np.int64), X[docs, words])


def _triples(
    source: Source, info: CorpusInfo, *, n_entries: int | None, line: int, with_values: bool
) -> Iterator[Triples]:
    names = ("doc", "word", "value")[: 3 if with_values else 2]
    dtype = np.dtype([(name, np.float64 if name == "value" else np.int64) for name in names])
    n_read = 0
    while chunk := read_chunk(source, line):
        if not chunk.isspace():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    rows = np.loadtxt(io.BytesIO(chunk), dtype=dtype, comments=None, ndmin=1, encoding="latin-1")
            except (ValueError, OverflowError, Warning) as error:
                raise _triple_error(info, chunk, line, with_values=with_values) from error
            values = rows["value"] if with_values else np.ones(len(rows))
            docs, words = rows["doc"] - 1, rows["word"] - 1
            n_docs, n_words = info.n_docs or 0, info.n_words or 0
            if (
                min(docs.min(), words.min()) < 0
                or docs.max() >= n_docs
                or words.max() >= n_words
                or not (np.isfinite(values).all() and values.min() >= 0)
            ):
                raise _triple_error(info, chunk, line, with_values=with_values)
            n_read += len(rows)
            yield Triples(docs, words, values)
        line += chunk.count(b"\n")
    if n_entries is not None and n_read != n_entries:
        raise CorpusError(
            source.name,
            f"the header declares {n_entries} counts, but {n_read} follow; the file is cut short or damaged",
        )


def _triple_error(info: CorpusInfo, chunk: bytes, line: int, *, with_values: bool) -> CorpusError:
    """Return the error for the first line of a chunk that is not a triple within the declared shape."""
    expected = "document word count" if with_values else "document word"
    for number, text in enumerate(chunk.split(b"\n"), start=line):
        match = TRIPLE.fullmatch(text)
        if not text.strip():
            continue
        if match is None or (match[3] is None) == with_values:
            return CorpusError(info.name, f"expected '{expected}', found {text[:60]!r}", number)
        for found, limit, what in ((match[1], info.n_docs, "document"), (match[2], info.n_words, "word")):
            if not 1 <= int(found) <= (limit or 0):
                return CorpusError(
                    info.name, f"{what} {int(found)} is not one of 1 to {limit}, as the header declares", number
                )
        if with_values and not 0 <= float(match[3]) < np.inf:
            return CorpusError(info.name, f"the count {match[3][:60].decode()} is not finite and >= 0", number)
    return CorpusError(info.name, f"expected lines of '{expected}'", line)
