"""n_wk of many topics in little memory: of each word, the topics that its counts are assigned to. Equation (18.1).

A word has mass in at most as many topics as its counts have slots. There is room for so many masses, so no row moves.
The row of a word that is frequent compared with the number of topics is dense: its masses are found by their topics.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ldavi import _estep
from ldavi._core.records import aligned_zeros
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s, Masses, UInt16s
from ldavi._estep import PAD, SLOTS

DENSE = -1  # as the length of a row
DENSE_COUNTS = 0.5  # a word with as many stored counts per topic has a dense row


class RowEntries(NamedTuple):
    """The masses of some words that are not 0, by word and topic."""

    row: Int64s  # (n,) counted from the first of these words
    topic: Int64s  # (n,)
    mass: Masses  # (n,)


@dataclass(frozen=True, slots=True)
class SparseRows:
    """n_wk in units of mass, whole numbers; the arrays change in place.

    Attributes
    ----------
    ptr : array of shape (U + 1,)
        The first place of each word.
    length : array of shape (U,)
        Topics with mass, or DENSE.
    topic : array of shape (ptr[U],)
        Ascending within each row; not used by dense ones.
    mass : array of shape (1, ptr[U])
    width : int
        Kp, the length of a dense row.
    """

    ptr: Int64s
    length: Int32s
    topic: UInt16s
    mass: Masses
    width: int

    def __len__(self) -> int:
        return len(self.length)

    def entries(self, start: int, stop: int) -> RowEntries:
        """Return the masses of the words [start, stop)."""
        lengths = self.length[start:stop]
        counts = np.where(lengths < 0, self.width, lengths).astype(np.int64)
        row = np.repeat(np.arange(len(counts)), counts)
        column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        at = self.ptr[start:stop][row] + column
        mass = self.mass[0, at]
        topic = np.where(lengths[row] < 0, column, self.topic[at])
        held = mass != 0
        return RowEntries(row[held], topic[held], mass[held])

    def set_rows(self, start: int, rows: Masses) -> None:
        """Set the rows from `start` on to those of a dense array of shape (n, Kp)."""
        for w, row in enumerate(rows, start):
            at = int(self.ptr[w])
            if self.length[w] == DENSE:
                self.mass[0, at : at + self.width] = row
                continue
            topics = np.flatnonzero(row)
            self.length[w] = len(topics)
            self.topic[at : at + len(topics)] = topics
            self.mass[0, at : at + len(topics)] = row[topics]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the compiled functions."""
        return {"N": self.mass, "row_ptr": self.ptr, "row_length": self.length, "row_topic": self.topic}


@dataclass(frozen=True, slots=True)
class WordSums:
    """Per word, the part of Z of equation (18.2) that does not depend on the document; of sparse rows.

    Attributes
    ----------
    rows : SparseRows
    eta : array of shape (1 or U, 1 or Kp)
    weight : array of shape (Kp,)
        g_k = α_k / (n_k + Σ_w η_kw).
    cumulative : array of shape (K,)
        Its sums up to each topic.
    sums : array of shape (U, WORD_SUMS)
    """

    rows: SparseRows
    eta: Floats
    weight: Floats
    cumulative: Doubles
    sums: Doubles

    def update(self, words: Int32s, start: int, stop: int) -> None:
        """Compute the sums of words[start:stop]."""
        _estep.sum_words(
            word_row=words,
            **self.rows.arguments(),
            eta=self.eta,
            prior_weight=self.weight,
            word_sums=self.sums,
            prior_total=float(self.cumulative[-1]),
            prior_max=float(self.weight.max()),
            n_topics=len(self.cumulative),
            start=start,
            stop=stop,
        )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the compiled update."""
        return {
            **self.rows.arguments(),
            "word_sums": self.sums,
            "prior_weight": self.weight,
            "cumulative": self.cumulative,
        }


def empty_rows(word_counts: Int64s, width: int, dtype: DTypeLike) -> SparseRows:
    """Return rows without mass, with room for words that have so many stored counts each."""
    is_dense = word_counts >= DENSE_COUNTS * width
    room = np.where(is_dense, width, np.minimum(SLOTS * word_counts, width))
    room = -(-np.maximum(room, 1) // PAD) * PAD  # dense rows are aligned
    ptr = np.append(0, np.cumsum(room)).astype(np.int64)
    n = int(ptr[-1])
    mass: Masses = aligned_zeros((1, n), dtype)  # type: ignore[assignment]  # int32 is laid out like any other
    return SparseRows(ptr, np.where(is_dense, DENSE, 0).astype(np.int32), np.zeros(n, np.uint16), mass, width)
