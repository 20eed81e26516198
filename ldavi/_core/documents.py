"""Documents as the inference engines read them: all in memory, or in batches that are read again in every pass.

`DocumentSource` is the interface that an engine needs. `Documents` implements it for counts in memory,
`ldavi._estimator.batched_documents` for batches.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ldavi._core.prior_regression import Covariates
from ldavi._core.records import Counts
from ldavi._core.typing import Doubles, Floats

WHOLE_BATCHES = 2**62  # a size that no batch exceeds, so that batches are not cut


class Documents(NamedTuple):
    """Counts in memory, and the documents' weights and covariates if they have any."""

    counts: Counts
    weight: Floats | None  # (D,) ω_d
    covariates: Covariates | None = None

    @property
    def n_words(self) -> int:
        return self.counts.n_words

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.counts.values.dtype

    @property
    def n_docs(self) -> int:
        """D, regardless of weights."""
        return self.counts.n_docs

    @property
    def total_weight(self) -> float:
        """Σ_d ω_d; D without weights."""
        return self.weighted_sum(np.ones(self.counts.n_docs))

    @property
    def n_tokens(self) -> float:
        """Σ_d ω_d N_d."""
        return self.weighted_sum(self.counts.doc_tokens)

    @property
    def mean_length(self) -> float:
        """Tokens per document, Σ_d ω_d N_d / Σ_d ω_d; 0 without documents."""
        return self.n_tokens / (self.total_weight or 1.0)

    @property
    def vocabulary(self) -> Counts:
        return self.counts

    def compacted(self) -> "Documents":
        """Return the same documents over the words that occur, most frequent first."""
        return self._replace(counts=self.counts.compact()[0])

    def weighted_sum(self, per_document: Doubles) -> float:
        """Return Σ_d ω_d x_d."""
        return float(per_document.sum() if self.weight is None else per_document @ self.weight.astype(np.float64))

    def select(self, mask: NDArray[np.bool_]) -> "Documents":
        """Return the documents for which `mask`, of shape (D,), is true."""
        counts = self.counts
        lengths = np.diff(counts.indptr)
        selected = np.repeat(mask, lengths)
        indptr = np.append(0, np.cumsum(lengths[mask]))
        subset = Counts(indptr, counts.indices[selected], counts.values[selected], counts.words, counts.n_words)
        weight = None if self.weight is None else self.weight[mask]
        covariates = None if self.covariates is None else self.covariates.select(np.flatnonzero(mask))
        return Documents(subset, weight, covariates)

    def parts(self, size: int, first: int = 0) -> Generator["Documents"]:
        """Yield consecutive documents from number `first` on, `size` at a time."""
        for start in range(first, self.counts.n_docs, size):
            stop = min(start + size, self.counts.n_docs)
            weight = None if self.weight is None else self.weight[start:stop]
            covariates = None if self.covariates is None else self.covariates.select(slice(start, stop))
            yield Documents(self.counts.documents(start, stop), weight, covariates)


class DocumentSource(Protocol):
    """Documents that can be read any number of times."""

    @property
    def n_words(self) -> int:
        """V."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the computation."""

    @property
    def n_docs(self) -> int:
        """D, regardless of weights; 0 until the first pass if documents come in batches."""

    @property
    def total_weight(self) -> float:
        """Σ_d ω_d; D without weights."""

    @property
    def n_tokens(self) -> float:
        """Σ_d ω_d N_d."""

    @property
    def mean_length(self) -> float:
        """Tokens per document, Σ_d ω_d N_d / Σ_d ω_d; 0 without documents."""

    @property
    def vocabulary(self) -> Counts:
        """The words of the corpus; its counts may be missing."""

    def compacted(self) -> "DocumentSource":
        """Return the same documents over the words that occur, most frequent first."""

    def parts(self, size: int, first: int = 0) -> Generator[Documents]:
        """Yield consecutive documents from number `first` on, at most `size` at a time."""
