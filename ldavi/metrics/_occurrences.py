"""Occurrences and co-occurrences of words in windows.

A window is a whole document or a fixed number of successive tokens. Documents given as counts remain a sparse matrix.
Sliding windows are numbered consecutively, and the windows that contain a word are a union of intervals of these
numbers. This representation is small (at most one interval per occurrence, whatever the window size), is computed for
all words in one pass, and gives each joint count as the length of an intersection.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ldavi._core.typing import Int64s


class InDocuments(NamedTuple):
    """The documents in which each word occurs.

    Attributes
    ----------
    presence : CSC array of shape (n_windows, n_words), of ones
    """

    presence: sparse.csc_array

    @property
    def n_windows(self) -> int:
        """Number of documents."""
        return int(self.presence.shape[0])

    def joint_counts(self, words: Int64s) -> Int64s:
        """Count the windows that contain both of two words, (n, n); the diagonal counts those that contain the word."""
        chosen = self.presence[:, words]
        return np.asarray((chosen.T @ chosen).toarray())


class InWindows(NamedTuple):
    """The windows in which each word occurs: intervals [start, stop), disjoint and ascending within a word.

    Attributes
    ----------
    starts, stops : array of shape (n_intervals,)
        Those of word w are at `indptr[w]` to `indptr[w + 1]`.
    indptr : array of shape (n_words + 1,)
    n_windows : int
    """

    starts: Int64s
    stops: Int64s
    indptr: Int64s
    n_windows: int

    def joint_counts(self, words: Int64s) -> Int64s:
        """Count the windows that contain both of two words, (n, n); the diagonal counts those that contain the word."""
        spans = [slice(self.indptr[w], self.indptr[w + 1]) for w in words]
        starts = np.concatenate([self.starts[span] for span in spans])
        stops = np.concatenate([self.stops[span] for span in spans])
        ends = np.cumsum([0] + [span.stop - span.start for span in spans])
        joint = np.zeros((len(words), len(words)), np.int64)
        for i, span in enumerate(spans):
            later = slice(ends[i], None)
            shared = self._windows_before(stops[later], span) - self._windows_before(starts[later], span)
            running = np.concatenate([[0], np.cumsum(shared)])[ends[i:] - ends[i]]
            joint[i, i:] = joint[i:, i] = np.diff(running)
        return joint

    def _windows_before(self, at: Int64s, span: slice) -> Int64s:
        """Count the windows in the intervals of `span` that come before each of `at`."""
        starts, stops = self.starts[span], self.stops[span]
        if not len(starts):
            return np.zeros(len(at), np.int64)
        whole = np.concatenate([[0], np.cumsum(stops - starts)])
        i = np.searchsorted(starts, at, side="right") - 1
        return np.where(i < 0, 0, whole[i] + np.minimum(at, stops[i]) - starts[i])


def in_documents(X: sparse.csr_array, words: Int64s) -> InDocuments:
    """Return the occurrences of some columns of X, with every document a window."""
    columns = sparse.csc_array(X[:, words])
    return InDocuments(
        sparse.csc_array((np.ones(columns.nnz, np.int64), columns.indices, columns.indptr), columns.shape)
    )


def in_windows(
    texts: Sequence[Sequence[str]], names: Sequence[Any], *, window_size: int | None, counting: str
) -> InWindows:
    """Return the occurrences of the named words in the windows of token lists; without a size, documents are windows.

    A window starts at each token that is followed by enough tokens; a document that is not longer than a window is one
    window, even if it is empty.

    With counting="boolean" an occurrence at token t is in the windows that start from t − size + 1 to t. With
    "gensim" it is only in those up to the first occurrence in the first of these windows: gensim's
    `WordOccurrenceAccumulator` removes a word as soon as one occurrence leaves the window, even if another is still
    in it.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    size = max(1, int(lengths.max(initial=0))) if window_size is None else window_size
    first_token = np.concatenate([[0], np.cumsum(lengths)])
    first_window = np.concatenate([[0], np.cumsum(np.maximum(lengths - size + 1, 1))])

    number = {name: i for i, name in enumerate(names)}.get
    ids = np.fromiter((number(token, -1) for text in texts for token in text), np.int64, first_token[-1])
    tokens = np.flatnonzero(ids >= 0)
    tokens = tokens[np.argsort(ids[tokens], kind="stable")]  # by word, and in corpus order for each word
    word = ids[tokens]
    document = np.searchsorted(first_token, tokens, side="right") - 1

    enters = np.maximum(tokens - size + 1, first_token[document])
    leaves = tokens
    if counting == "gensim":
        key = word * (first_token[-1] + 1)
        leaves = tokens[np.searchsorted(key + tokens, key + enters)]
    shift = first_window[document] - first_token[document]
    starts, stops = enters + shift, np.minimum(leaves + 1 + shift, first_window[document + 1])

    # Starts and stops both ascend within a word, so that only successive intervals can overlap.
    separate = np.concatenate([[True], (np.diff(word) != 0) | (starts[1:] > stops[:-1]), [True]])
    opens, closes = separate[:-1], separate[1:]
    if not len(word):
        opens = closes = np.zeros(0, bool)
    indptr = np.searchsorted(word[opens], np.arange(len(names) + 1))
    return InWindows(starts[opens], stops[closes], indptr.astype(np.int64), int(first_window[-1]))
