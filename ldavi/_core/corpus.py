"""Documents as the learning loops take them: in memory, or from where they are read again in every pass.

`Corpus` is what a loop asks for, and `Documents` has it all at once; `ldavi._estimator.batched_corpus` reads it batch by batch. Coordinate
ascent asks for `Pieces`: documents with their γ.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ldavi._core.records import Counts
from ldavi._core.typing import Doubles, Floats, Int64s

WHOLE_BATCHES = 2**62  # documents: batches are not cut


class Documents(NamedTuple):
    """What a loop learns from: counts, and the documents' weights if they have any."""

    counts: Counts
    weight: Floats | None  # (D,) ω_d

    @property
    def n_words(self) -> int:
        return self.counts.n_words

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.counts.values.dtype

    @property
    def n_read(self) -> int:
        """D, whatever the weights."""
        return self.counts.n_docs

    @property
    def n_docs(self) -> float:
        """D, or Σ_d ω_d."""
        return self.total(np.ones(self.counts.n_docs))

    @property
    def n_tokens(self) -> float:
        """Σ_d ω_d N_d."""
        return self.total(self.counts.doc_tokens)

    @property
    def vocabulary(self) -> Counts:
        return self.counts

    def compacted(self) -> tuple["Documents", Int64s]:
        """The same over the words that occur, the most frequent first; and which words those were."""
        counts, rows = self.counts.compact()
        return Documents(counts, self.weight), rows

    def total(self, per_document: Doubles) -> float:
        """Σ_d ω_d x_d."""
        return float(per_document.sum() if self.weight is None else per_document @ self.weight.astype(np.float64))

    def pick(self, mask: NDArray[np.bool_]) -> "Documents":
        """The documents for which `mask`, (D,), is true."""
        counts = self.counts
        lengths = np.diff(counts.indptr)
        kept = np.repeat(mask, lengths)
        indptr = np.append(0, np.cumsum(lengths[mask]))
        picked = Counts(indptr, counts.indices[kept], counts.values[kept], counts.words, counts.n_words)
        return Documents(picked, None if self.weight is None else self.weight[mask])

    def parts(self, size: int, first: int = 0) -> Generator["Documents"]:
        """Consecutive documents from `first` on, `size` at a time."""
        for start in range(first, self.counts.n_docs, size):
            stop = min(start + size, self.counts.n_docs)
            yield Documents(
                self.counts.documents(start, stop), None if self.weight is None else self.weight[start:stop]
            )


class Corpus(Protocol):
    """Documents that can be gone through as often as it takes: `Documents`, or what reads them from elsewhere."""

    @property
    def n_words(self) -> int:
        """V."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which precision to learn."""

    @property
    def n_docs(self) -> float:
        """D, or Σ_d ω_d."""

    @property
    def n_read(self) -> int:
        """D, whatever the weights; known after a pass."""

    @property
    def n_tokens(self) -> float:
        """Σ_d ω_d N_d."""

    @property
    def vocabulary(self) -> Counts:
        """Its words, and perhaps its counts."""

    def compacted(self) -> tuple["Corpus", Int64s]:
        """The same documents over the words that occur, the most frequent first; and which words those were."""

    def parts(self, size: int, first: int = 0) -> Generator[Documents]:
        """Consecutive documents from number `first` on, at most `size` at a time."""
