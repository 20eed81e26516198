"""All documents in compressed form, for the search and the document map: counts, topics, names and texts.

The content is a sequence of sections, compressed by zlib and encoded in base64. A table in JSON after them lists their
names and sizes, and the last four bytes are its length. Integers are variable-length: 7 bits per byte, the lowest
first, and the highest bit set in all bytes but the last.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi._core.typing import Doubles, Int64s
from ldavi.metrics._top_words import largest

MAX_COUNTS = 1_500_000  # stored counts
MAX_DOCUMENTS = 60_000
MAX_TOPICS = 5  # of a document
MIN_SHARE = 0.02  # of a document, or of the occurrences of a word
MAX_WORD_TOPICS = 6
LENGTHS = (6000, 3000, 1500, 1000, 700, 500, 350, 250, 150, 80)  # characters kept of each text
SAMPLE = 300_000  # characters, from which the compression of texts is estimated
SEPARATOR = "\0"
LEVEL = 6


@dataclass(frozen=True)
class Documents:
    """What the archive contains of each document.

    Attributes
    ----------
    counts : (D, V) CSR array
    theta : (D, K) array
    tokens : (D,) array
    places : (D, 2) array
        Positions on the document map, between 0 and 1.
    texts, names : list of str, or None
    metadata : list of lists of str
    """

    counts: sparse.csr_array
    theta: Doubles
    tokens: Doubles
    places: Doubles
    texts: list[str] | None
    names: list[str] | None
    metadata: list[list[str]]


@dataclass(frozen=True)
class Archive:
    """The archive and what it contains.

    Attributes
    ----------
    packed : str
        Compressed content in base64.
    facts : dict
        "documents" and "words", numbers that can be searched; "characters", how many of each text, None for all, 0 for
        none.
    """

    packed: str
    facts: dict[str, Any]


def archive(documents: Documents, words: Sequence[str], word_topics: Doubles, max_bytes: int) -> Archive:
    """Compress the documents, as many and as much of their texts as `max_bytes` allow.

    Parameters
    ----------
    documents : Documents
    words : sequence of V str
    word_topics : array of shape (K, V)
        Share of the occurrences of each word that belong to each topic.
    max_bytes : int
        Maximum length of the result.
    """
    rows = searched_rows(documents.counts, max_bytes)
    counts = documents.counts[rows]
    occurs = np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]))
    sections = {
        "rows": varints(np.diff(rows, prepend=0)),
        **_counts(counts, occurs),
        **_topics(documents.theta[rows]),
        "tokens": varints(documents.tokens[rows].astype(np.int64)),
        "places": np.round(documents.places[rows] * 65535).astype("<u2").tobytes(),
        "vocabulary": _joined([words[w] for w in occurs.tolist()]),
        **_word_topics(word_topics[:, occurs]),
    }
    if documents.names is not None:
        sections["names"] = _joined([documents.names[d] for d in rows.tolist()])
    for i, values in enumerate(documents.metadata):
        sections[f"metadata {i}"] = _joined([values[d] for d in rows.tolist()])
    compressed = Compressor(sections)
    characters: int | None = 0
    if documents.texts is not None:
        texts = [documents.texts[d] for d in rows.tolist()]
        characters = _kept_characters(texts, max_bytes * 3 // 4 - compressed.size - 2_000)
        compressed.add("texts", _joined([text[:characters] for text in texts]))
    facts = {"documents": len(rows), "words": len(occurs), "characters": characters}
    return Archive(compressed.finish(), facts)


class Compressor:
    """Compress sections one after the other, so that the size is known before the last one is added.

    Parameters
    ----------
    sections : dict of str to bytes
        The first sections.

    Attributes
    ----------
    size : int
        Compressed bytes so far.
    """

    def __init__(self, sections: dict[str, bytes]) -> None:
        self._compressor = zlib.compressobj(LEVEL)
        self._parts: list[bytes] = []
        self._table: list[tuple[str, int]] = []
        for name, content in sections.items():
            self.add(name, content)
        self._parts.append(self._compressor.flush(zlib.Z_SYNC_FLUSH))
        self.size = sum(map(len, self._parts))

    def add(self, name: str, content: bytes) -> None:
        """Add a section."""
        self._parts.append(self._compressor.compress(content))
        self._table.append((name, len(content)))

    def finish(self) -> str:
        """Add the table of sections; return all in base64."""
        table = json.dumps(self._table).encode()
        self._parts.append(self._compressor.compress(table + len(table).to_bytes(4, "little")))
        self._parts.append(self._compressor.flush())
        return base64.b64encode(b"".join(self._parts)).decode()


def searched_rows(counts: sparse.csr_array, max_bytes: int) -> Int64s:
    """Return the rows of the documents that can be searched: all of them, or evenly spaced ones."""
    n_documents = counts.shape[0]
    allowed = min(MAX_COUNTS, max_bytes * 3 // 10)  # two bytes for each count, before base64
    share = min(1.0, allowed / max(counts.nnz, 1), MAX_DOCUMENTS / max(n_documents, 1))
    n_kept = n_documents if share == 1 else int(n_documents * share)
    return np.asarray(np.arange(n_kept) * n_documents // max(n_kept, 1), dtype=np.int64)


def varints(values: NDArray[Any]) -> bytes:
    """Encode non-negative integers below 2^35 with a variable number of bytes."""
    numbers = np.asarray(values, dtype=np.int64)
    digits = np.array([(numbers >> shift) & 127 for shift in range(0, 35, 7)], dtype=np.uint8).T
    used = np.array([numbers >> shift > 0 for shift in range(0, 35, 7)]).T
    used[:, 0] = True
    more = np.zeros_like(used)
    more[:, :-1] = used[:, 1:]
    encoded: bytes = (digits | (more.astype(np.uint8) << 7))[used].tobytes()
    return encoded


def _counts(counts: sparse.csr_array, occurs: Int64s) -> dict[str, bytes]:
    """Encode the words of each document as differences of ascending positions, and their counts up to 255."""
    matrix = counts[:, occurs].tocsr()
    matrix.sort_indices()
    lengths = np.diff(matrix.indptr)
    gaps = np.diff(matrix.indices.astype(np.int64), prepend=0)
    first = matrix.indptr[:-1][lengths > 0]
    gaps[first] = matrix.indices[first]
    return {
        "lengths": varints(lengths),
        "words": varints(gaps),
        "counts": np.clip(matrix.data, 1, 255).astype(np.uint8).tobytes(),
    }


def _topics(theta: Doubles) -> dict[str, bytes]:
    n_shown = min(MAX_TOPICS, theta.shape[1])
    order = largest(theta, n_shown) if len(theta) else np.zeros((0, n_shown), dtype=np.int64)
    share = np.take_along_axis(theta, order, axis=1)
    shown = share >= MIN_SHARE
    return {
        "topic numbers": shown.sum(axis=1).astype(np.uint8).tobytes(),
        "topics": varints(order[shown]),
        "shares": np.round(share[shown] * 200).astype(np.uint8).tobytes(),
    }


def _word_topics(shares: Doubles) -> dict[str, bytes]:
    """Encode, for each word, the topics with the largest shares of its occurrences."""
    n_shown = min(MAX_WORD_TOPICS, len(shares))
    order = largest(np.ascontiguousarray(shares.T), n_shown) if shares.size else np.zeros((0, n_shown), dtype=np.int64)
    own = np.take_along_axis(shares.T, order, axis=1)
    shown = own >= MIN_SHARE
    return {
        "word topic numbers": shown.sum(axis=1).astype(np.uint8).tobytes(),
        "word topics": varints(order[shown]),
        "word shares": np.round(np.minimum(own[shown], 1) * 200).astype(np.uint8).tobytes(),
    }


def _joined(texts: list[str]) -> bytes:
    return SEPARATOR.join(text.replace(SEPARATOR, "\ufffd") for text in texts).encode("utf-8", "replace")


def _kept_characters(texts: list[str], max_bytes: int) -> int | None:
    """Return how many characters of each text fit into `max_bytes` when compressed; None for all of them."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    total = int(lengths.sum())
    every = max(1, -(-total // SAMPLE))
    sample = _joined(texts[::every])
    size = len(zlib.compress(sample, LEVEL)) / max(sum(len(text) for text in texts[::every]), 1)
    if total * size * 1.05 <= max_bytes:
        return None
    fits = [length for length in LENGTHS if np.minimum(lengths, length).sum() * size * 1.1 <= max_bytes]
    return fits[0] if fits else 0
