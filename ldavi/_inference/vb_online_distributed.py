"""Online steps whose documents are in other processes, as pure functions: equations (10.1), (10.2).

The documents of a step are slices of a few parts. λ is in one process, which sends the topics of their words, and
takes the step from the sum of their statistics.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Topics
from ldavi._core.typing import Doubles, Int64s
from ldavi._inference.topic_shards import CompactPriors, CorpusLayout, ShardSums, ShardTopics, shard_topics_from
from ldavi._inference.vb_distributed import (
    LocalStepSettings,
    PartArrays,
    SufficientStatistics,
    local_step,
    prepare_part,
)

DOCUMENTS_PER_SLICE = 128  # of a step, at least, if there are several parts: each slice takes a few tasks


class DocumentSlice(NamedTuple):
    """The documents [start, stop) of a part."""

    part: int
    start: int
    stop: int


class SliceSummary(NamedTuple):
    """What a step needs to know of a slice: the rows of its words, its documents, tokens and weights."""

    rows: Int64s
    n_docs: int
    n_tokens: float
    weight: float


class StepTopics(NamedTuple):
    """The topics of the words of a step, whose rows of the corpus layout ascend."""

    rows: Int64s
    topics: ShardTopics


def slices_of_steps(n_docs: Sequence[int], batch_size: int) -> list[list[DocumentSlice]]:
    """Return the slices of each step of a pass, for parts with so many documents each.

    The documents of a step are spread over several parts, so that workers share its E-step. Parts are divided into
    groups, one after another, in which each step takes the same share of each part.
    """
    steps = []
    for group in _groups(n_docs, batch_size):
        n_steps = -(-sum(n_docs[part] for part in group) // batch_size)
        for i in range(n_steps):
            edges = ((part, n_docs[part] * i // n_steps, n_docs[part] * (i + 1) // n_steps) for part in group)
            steps.append([DocumentSlice(part, start, stop) for part, start, stop in edges if start < stop])
    return [step for step in steps if step]


def _groups(n_docs: Sequence[int], batch_size: int) -> list[list[int]]:
    """Divide parts into groups of a step's documents or more, and of as many parts as a step has slices."""
    n_slices, groups = max(1, batch_size // DOCUMENTS_PER_SLICE), list[list[int]]()
    group: list[int] = []
    for part in range(len(n_docs)):
        group = [*group, part]
        if len(group) >= n_slices and sum(n_docs[each] for each in group) >= batch_size:
            groups.append(group)
            group = []
    if groups:
        groups[-1] += group  # what remains is too little for a step of its own
        return groups
    return [group]


def slice_of_part(part: PartArrays, layout: CorpusLayout, n_topics: int, edges: tuple[int, int]) -> PartArrays:
    """Prepare some documents of a part for the E-step."""
    documents, weight = part.documents, part.weight
    own = None if weight is None else weight[slice(*edges)]
    return prepare_part(documents.counts.documents(*edges), own, layout, n_topics, part.values.dtype)


def summary_of_slice(part: PartArrays) -> SliceSummary:
    """Return what a step needs to know of a slice."""
    documents = part.documents
    return SliceSummary(part.rows, documents.n_docs, documents.n_tokens, documents.total_weight)


def sample_of_slice(part: PartArrays, n_docs: int) -> Documents:
    """Return the first documents of a slice."""
    return next(part.documents.parts(n_docs))


def step_topics(topics: Topics, totals: Doubles, rows: Int64s) -> StepTopics:
    """Return the topics of the words of a step, in the form that is sent."""
    sums = ShardSums(np.zeros((0, 3)), totals[None, :], np.zeros_like(totals))
    return StepTopics(rows, shard_topics_from(topics, sums))


def slice_statistics(
    part: PartArrays, topics: StepTopics, priors: CompactPriors, settings: LocalStepSettings
) -> SufficientStatistics:
    """Run the E-step of a slice; its statistics are numbered as the words of the step."""
    part = part._replace(rows=np.searchsorted(topics.rows, part.rows))
    return local_step(part, [topics.topics], priors, None, settings).statistics


def join_documents(samples: Sequence[Documents]) -> Documents:
    """Return the documents of several slices over all their words."""
    words = np.unique(np.concatenate([sample.counts.words for sample in samples]))
    indices = [np.searchsorted(words, sample.counts.words)[sample.counts.indices] for sample in samples]
    lengths = [np.diff(sample.counts.indptr) for sample in samples]
    counts = Counts(
        np.append(0, np.cumsum(np.concatenate(lengths))),
        np.concatenate(indices).astype(np.int32),
        np.concatenate([sample.counts.values for sample in samples]),
        words,
        samples[0].n_words,
        np.concatenate([sample.counts.doc_tokens for sample in samples]),
    )
    weights = [sample.weight for sample in samples if sample.weight is not None]
    return Documents(counts, np.concatenate(weights) if weights else None).compacted()
