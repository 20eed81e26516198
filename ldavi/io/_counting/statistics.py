"""Document frequencies of words, from which the vocabulary is chosen."""

import numpy as np
from scipy import sparse

from ldavi._core.typing import Int64s


class WordStatistics:
    """Document frequencies and token counts of the words found so far.

    Attributes
    ----------
    numbers : dict of str to int
        Number of each word, in the order of first occurrence.
    document_frequency : array of int64
        Number of documents that contain each word.
    n_tokens : array of int64
        Number of occurrences of each word.
    n_documents : int
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.document_frequency = np.zeros(0, dtype=np.int64)
        self.n_tokens = np.zeros(0, dtype=np.int64)
        self.n_documents = 0

    def add(self, names: list[str], counts: sparse.csr_array) -> Int64s:
        """Add the counts of a chunk; return the numbers of its words."""
        known = self.numbers
        numbers = np.fromiter((known.setdefault(name, len(known)) for name in names), np.int64, len(names))
        n_documents = np.bincount(counts.indices, minlength=len(names))
        n_tokens = np.bincount(counts.indices, counts.data, minlength=len(names)).astype(np.int64)
        self.document_frequency = _added(self.document_frequency, numbers, n_documents, len(known))
        self.n_tokens = _added(self.n_tokens, numbers, n_tokens, len(known))
        self.n_documents += counts.shape[0]
        return numbers


def _added(totals: Int64s, numbers: Int64s, values: Int64s, size: int) -> Int64s:
    """Return `totals`, extended with zeros to `size`, with `values` added at `numbers`."""
    result = np.zeros(size, dtype=np.int64)
    result[: len(totals)] = totals
    result[numbers] += values
    return result
