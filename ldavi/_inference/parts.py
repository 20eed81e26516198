"""The documents of a corpus in parts, prepared for the E-step or for collapsed passes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Generic, TypeVar

from ldavi._core.documents import Documents, DocumentSource
from ldavi._inference.e_step import Part, cut_blocks

Prepared = TypeVar("Prepared")


def part_over_all_words(documents: Documents, n_topics: int) -> Part:
    """Prepare documents whose words are numbered as the rows of λ are."""
    return Part(documents, cut_blocks(documents.counts, n_topics), slice(None))


def part_over_own_words(documents: Documents, n_topics: int) -> Part:
    """Prepare documents over the words that occur in them, so that other words cost nothing."""
    counts, rows = documents.counts.compact()
    return Part(documents._replace(counts=counts), cut_blocks(counts, n_topics), rows)


class Parts(Generic[Prepared]):
    """All parts of a corpus, iterated over once per pass.

    Parts of documents in memory are prepared once and kept; batches are read and prepared in every pass.
    """

    def __init__(self, documents: DocumentSource, size: int, prepare: Callable[[Documents], Prepared]) -> None:
        self._documents, self._size, self._prepare = documents, size, prepare
        self._kept = list(self._prepared()) if isinstance(documents, Documents) else None

    def __iter__(self) -> Iterator[Prepared]:
        return self._prepared() if self._kept is None else iter(self._kept)

    def _prepared(self) -> Iterator[Prepared]:
        with closing(self._documents.parts(self._size)) as parts:  # also ends the thread that reads ahead
            for part in parts:
                yield self._prepare(part)
