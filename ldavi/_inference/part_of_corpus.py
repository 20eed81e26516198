"""A phase that sees a part of the corpus: topics to start from where a pass over all documents is the whole fit.

The part consists of every n-th document, so that a corpus in any order is represented, and fits in memory.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.records import Counts, Priors
from ldavi._core.threads import Workers
from ldavi._inference.anchor_words import DocumentSample, sample_corpus
from ldavi._inference.passes import PassResult, Phase, Saved, State
from ldavi._inference.trace import TraceRecord

PART = 0.5  # of the corpus: topics of more documents are much better, and take less time than steps need to reach them
MIN_TOKENS = 10_000  # of a part per topic: with fewer, its topics are not those of the corpus
MAX_TOKENS = 2**23  # of a part, which is in memory together with its assignments
MIN_DOCUMENTS = 10  # of a part per topic, whose counts may be large


def part_step(n_tokens: float, n_docs: float, n_topics: int) -> int:
    """Return n such that every n-th document forms a part of at least half of the corpus, within limits."""
    wanted = min(max(PART * n_tokens, MIN_TOKENS * n_topics), MAX_TOKENS)
    return max(1, int(min(n_tokens / wanted, n_docs / (MIN_DOCUMENTS * n_topics))))


Sampler: TypeAlias = Callable[[int], DocumentSample]


def every_nth(documents: DocumentSource, step: int, sampler: Sampler | None = None) -> Documents:
    """Return every n-th document of a corpus, which `sampler` returns if `documents` does not hold them."""
    sample, n_words = sample_corpus(documents, step) if sampler is None else sampler(step), documents.n_words
    counts = Counts(sample.indptr, sample.columns, sample.values, np.arange(n_words), n_words)
    weight = None if (sample.weight == 1).all() else sample.weight.astype(documents.dtype)
    return Documents(counts, weight)


@dataclass(frozen=True, slots=True)
class OnPart:
    """A phase on every n-th document.

    Attributes
    ----------
    phase : Phase
    step : int
        n.
    sampler : callable, optional
        See `every_nth`.
    """

    phase: Phase[Any, Any]
    step: int
    sampler: Sampler | None = None

    @property
    def name(self) -> str:
        return f"{self.phase.name} of a part"

    def prepare(self, documents: DocumentSource) -> Any:
        return self.phase.prepare(every_nth(documents, self.step, self.sampler))

    def start(self, documents: Any, priors: Priors, initial: Callable[[], PassResult]) -> State:
        state: State = self.phase.start(documents, priors, initial)
        return state

    def from_arrays(self, documents: Any, arrays: Saved) -> State:
        state: State = self.phase.from_arrays(documents, arrays)
        return state

    def passes(self, documents: Any, state: Any, workers: Workers) -> Generator[tuple[State, TraceRecord | None]]:
        yield from self.phase.passes(documents, state, workers)
