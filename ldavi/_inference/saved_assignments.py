"""The assignments of CVB0 from a saved state, checked: the compiled code uses their topics as indices."""

import numpy as np

from ldavi._core.documents import DocumentSource
from ldavi._core.saved_arrays import SavedArrays, check_padding, check_sums, checked_array
from ldavi._core.typing import UInt8s, UInt16s
from ldavi._estep import SHARES
from ldavi._inference.assignments import Assignments, uninitialised_assignments
from ldavi._inference.cvb0_pass import NewAssignments, move_masses


def saved_assignments(documents: DocumentSource, saved: SavedArrays) -> Assignments:
    """Return the assignments that a state has stored.

    Raises
    ------
    ValueError
        If a topic does not exist, the shares of a count are not complete, or n_wk or n_k is not their sum.
    """
    K = saved.priors.n_topics
    assignments = uninitialised_assignments(documents, K, is_always_dense=saved.priors.regression is not None)
    N, totals = assignments.N, assignments.totals
    if assignments.sparse is None:
        N[:] = saved.rows("N", len(N), N.dtype)
        check_padding("N", N, K)
    saved_totals = saved.array("totals", totals.shape, totals.dtype, minimum=0)
    of_words = np.zeros(len(assignments.vocabulary.words))
    of_topics = np.zeros(len(totals))
    for part, topic, share in zip(assignments.parts(), saved.list("topic"), saved.list("share"), strict=True):
        saved_share = checked_array("share", share, part.share.shape, part.share.dtype)
        saved_topic = checked_array("topic", topic, part.topic.shape, part.topic.dtype)
        saved_topic = np.where(saved_share == 0, np.uint16(0), saved_topic)  # whatever the last pass has left there
        for block in part.blocks:
            topics, shares = saved_topic[block.counts], saved_share[block.counts]
            _check_complete(topics, shares, K)
            masses = block.mass[:, None] * shares.astype(np.float64)
            of_topics += np.bincount(topics.reshape(-1), masses.reshape(-1), minlength=len(totals))
            of_words += np.bincount(
                np.repeat(block.word_row, np.diff(block.word_ptr)), masses.sum(axis=1), len(of_words)
            )
            if assignments.sparse is not None:  # n_wk is not saved
                move_masses(assignments, part, block, NewAssignments(topics, shares), (0, len(block.word_row)))
        part.share[:], part.topic[:] = saved_share, saved_topic
        assignments.store(part)
    totals[:] = saved_totals
    check_sums("totals", totals, of_topics)
    if assignments.sparse is None:
        check_sums("N", N.sum(axis=0, dtype=np.float64), totals)
        check_sums("N", N.sum(axis=1, dtype=np.float64), of_words)
    return assignments


def _check_complete(topic: UInt16s, share: UInt8s, n_topics: int) -> None:
    """Check that every count is assigned, and to topics that exist."""
    is_used = share > 0
    is_complete = (share.sum(axis=1) == SHARES).all() and (is_used[:, :-1] >= is_used[:, 1:]).all()
    if not is_complete or topic.max(initial=0) >= n_topics:
        raise ValueError(f"a count is not assigned to the {n_topics} topics in {SHARES} shares")
