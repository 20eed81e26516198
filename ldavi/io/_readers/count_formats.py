"""Readers of formats that contain counts; each yields `Triples`, a part of the file at a time.

To add a format, write a reader and enter it in `COUNT_READERS`. A reader gets the open file, the `CorpusInfo` that it
completes, and the encoding of words.
"""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_svmlight_file

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import (
    MAX_WORDS,
    CorpusInfo,
    Triples,
    check_n_docs,
    collect_triples,
    word_columns,
)
from ldavi.io._readers.line_chunks import CHUNK_SIZE, header_number, read_chunk
from ldavi.io._readers.recognition import PAIRS, WHOLE_PAIRS
from ldavi.io._readers.source import Source, decoded_lines, numbered_lines
from ldavi.io._readers.triple_formats import NUMBER, read_matrix_market, read_uci

WORDS_FROM = re.compile(rb"^# Column indices are (zero|one)-based", re.MULTILINE)  # scikit-learn's comment
SEVERAL_LABELS = re.compile(rb"^(?:[-+.\deE]*+,| *+\d++:)", re.MULTILINE)
VW_TAG = re.compile(r"(?:^|\s)'?([^\s|]*)$")

Reader = Callable[[Source, CorpusInfo, str], Iterator[Triples]]


def read_svmlight(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read SVMlight with scikit-learn's loader: labels, which are ignored, then "word:count" with ascending words."""
    n_docs, line = 0, 1
    if match := WORDS_FROM.search(source.head):
        info.stated_base = int(match[1] == b"one")
    while chunk := read_chunk(source, line):
        try:
            X = _load_svmlight(chunk)
        except (ValueError, OverflowError) as error:
            raise _svmlight_error(source.name, chunk, line, error) from error
        docs = np.repeat(np.arange(n_docs, n_docs + X.shape[0]), np.diff(X.indptr))
        words = X.indices.astype(np.int64)
        if len(words) and (words.max() > MAX_WORDS or not np.isfinite(X.data).all() or (X.data < 0).any()):
            raise _svmlight_error(source.name, chunk, line, "")
        n_docs += X.shape[0]
        line += chunk.count(b"\n")
        yield Triples(docs, words - (info.word_base or 0), X.data.astype(np.float64))
    info.n_docs = n_docs


def read_ldac(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read lda-c (Blei), also gensim's `BleiCorpus`: the number of pairs of a document, then "word:count" from 0.

    Files of some programs number words from 1; see `CorpusInfo.word_base`.
    """

    def documents() -> Iterator[tuple[list[int], list[float]]]:
        for number, line in numbered_lines(source):
            match = WHOLE_PAIRS.fullmatch(line.strip()) or PAIRS.fullmatch(line.strip())
            if match is None:
                raise CorpusError(source.name, f"expected 'N word:count word:count …', found {line[:60]!r}", number)
            pairs = match[2].replace(b":", b" ").split()
            if int(match[1]) != len(pairs) // 2:
                raise CorpusError(source.name, f"declares {int(match[1])} pairs, contains {len(pairs) // 2}", number)
            words = [int(text) for text in pairs[::2]]
            if info.word_base:
                words = [word - 1 for word in words]
            if words and max(words) >= MAX_WORDS:
                raise CorpusError(
                    source.name, f"contains word number {max(words)}, and at most {MAX_WORDS} are supported", number
                )
            values = [float(text) for text in pairs[1::2]]
            if values and max(values) == np.inf:
                raise CorpusError(source.name, "contains a count that is not finite", number)
            yield words, values

    return collect_triples(documents(), info)


def read_vw(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read Vowpal Wabbit: "label 'tag |namespace word word:count …"; such a word becomes "namespace^word"."""
    ids: list[str] = []

    def documents() -> Iterator[tuple[list[int], list[float]]]:
        for number, line in decoded_lines(source):
            prefix, *sections = line.split("|")
            if not sections:
                if not line.strip():
                    continue
                raise CorpusError(source.name, f"expected a '|' before the features, found {line[:60]!r}", number)
            tag = VW_TAG.search(prefix.rstrip() if "'" in prefix else prefix)
            ids.append(tag[1] if tag else "")
            pairs = [pair for section in sections for pair in _vw_section(source.name, section, number)]
            values = [value for _, value in pairs]
            if pairs and not np.isfinite(values).all():
                raise CorpusError(source.name, "contains a count that is not finite", number)
            yield word_columns(info, [word for word, _ in pairs], values)

    yield from collect_triples(documents(), info)
    info.ids = ids if any(ids) else None


def read_low(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read gensim's `LowCorpus` (GibbsLDA++): the number of documents, then the words of a document on each line."""
    declared = header_number(source, 1)

    def documents() -> Iterator[tuple[list[int], list[float]]]:
        n_docs = 0
        for _, line in decoded_lines(source):
            n_docs += 1
            if n_docs <= declared or line.strip():
                words = line.split()
                yield word_columns(info, words, [1.0] * len(words))
        if n_docs != declared:
            raise CorpusError(source.name, f"declares {declared} documents, contains {n_docs}", 1)

    yield from collect_triples(documents(), info)


def read_mallet_matrix(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read the output of `mallet info --print-matrix siw`: "name label", then "word count" after two spaces each."""
    ids: list[str] = []
    labels: list[str] = []

    def documents() -> Iterator[tuple[list[int], list[float]]]:
        for number, line in decoded_lines(source):
            if not line.strip():
                continue
            name, *pairs = line.split("  ")
            words: list[str] = []
            values: list[float] = []
            for pair in filter(str.strip, pairs):
                word, _, count = pair.strip().rpartition(" ")
                if not word or not re.fullmatch(r"\d{1,18}", count, re.ASCII):
                    raise CorpusError(source.name, f"expected 'word count', found {pair[:60]!r}", number)
                words.append(word)
                values.append(float(count))
            name, _, label = name.partition(" ")
            ids.append(name)
            labels.append(label.strip())
            yield word_columns(info, words, values)

    yield from collect_triples(documents(), info)
    info.ids, info.labels = ids, labels


def read_mallet_state(source: Source, info: CorpusInfo, encoding: str) -> Iterator[Triples]:
    """Read the file of MALLET's `--output-state`: "doc source pos typeindex type topic", one line per token."""
    ids: list[str] = []
    docs: list[int] = []
    words: list[int] = []
    n_tokens, last = 0, 0
    for number, line in decoded_lines(source):
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split(" ")
        if len(fields) < 6 or not all(re.fullmatch(r"\d{1,18}", fields[i], re.ASCII) for i in (0, -4, -3, -1)):
            raise CorpusError(
                source.name, f"expected 'doc source pos typeindex type topic', found {line[:60]!r}", number
            )
        doc = int(fields[0])
        if doc < last:
            raise CorpusError(
                source.name, f"document {doc} follows document {last}; expected documents in order", number
            )
        n_tokens, last = n_tokens + 1, doc
        check_n_docs(info, doc + 1, n_tokens, line=number)
        if doc >= len(ids):  # documents without words have no line
            ids.extend([""] * (doc - len(ids)) + [" ".join(fields[1:-4])])
        column = word_columns(info, [fields[-2]], [1.0])[0]
        docs.extend([doc] * len(column))
        words.extend(column)
        if len(docs) >= CHUNK_SIZE:
            yield Triples(np.array(docs, dtype=np.int64), np.array(words, dtype=np.int64), np.ones(len(docs)))
            docs, words = [], []
    yield Triples(np.array(docs, dtype=np.int64), np.array(words, dtype=np.int64), np.ones(len(docs)))
    info.n_docs = len(ids)
    info.ids = ids if set(ids) - {"", "NA"} else None


COUNT_READERS: dict[str, Reader] = {
    "uci": read_uci,
    "mm": read_matrix_market,
    "svmlight": read_svmlight,
    "ldac": read_ldac,
    "vw": read_vw,
    "low": read_low,
    "mallet-state": read_mallet_state,
    "mallet-matrix": read_mallet_matrix,
}
WITH_WORDS = {"vw", "low", "mallet-state", "mallet-matrix"}  # formats whose files contain the words themselves


def _load_svmlight(chunk: bytes) -> Any:
    try:
        return load_svmlight_file(io.BytesIO(chunk), dtype=np.float64, zero_based=True)[0]
    except ValueError:
        if SEVERAL_LABELS.search(chunk) is None:
            raise
    return load_svmlight_file(io.BytesIO(chunk), dtype=np.float64, zero_based=True, multilabel=True)[0]


def _svmlight_error(name: str, chunk: bytes, line: int, error: object) -> CorpusError:
    """Return the error for the first line of a chunk that cannot be parsed by itself."""
    for number, text in enumerate(chunk.split(b"\n"), start=line):
        try:
            X = _load_svmlight(text + b"\n")
        except (ValueError, OverflowError) as line_error:
            return CorpusError(
                name, f"expected 'label word:count …' with ascending words, found {text[:60]!r} ({line_error})", number
            )
        if X.nnz and (X.indices.max() > MAX_WORDS or not np.isfinite(X.data).all() or X.data.min() < 0):
            return CorpusError(
                name, f"expected finite counts >= 0 of at most {MAX_WORDS} words, found {text[:60]!r}", number
            )
    return CorpusError(name, f"expected lines of 'label word:count …' ({error})", line)


def _vw_section(name: str, section: str, line: int) -> list[tuple[str, float]]:
    """Return the words and counts of a section "namespace:weight word word:count …"."""
    namespace, weight = "", 1.0
    features = section.split()
    if section[:1].strip() and features:
        namespace, weight = _feature(name, features.pop(0), line)
    pairs = [_feature(name, feature, line) for feature in features]
    return [(f"{namespace}^{word}" if namespace else word, value * weight) for word, value in pairs]


def _feature(name: str, text: str, line: int) -> tuple[str, float]:
    """Parse "word" or "word:count"."""
    word, colon, count = text.partition(":")
    if not colon:
        return word, 1.0
    if not re.fullmatch(NUMBER.decode(), count, re.ASCII) or count.startswith("-") or float(count) == np.inf:
        raise CorpusError(name, f"expected 'word' or 'word:count' with a finite count >= 0, found {text[:60]!r}", line)
    return word, float(count)
