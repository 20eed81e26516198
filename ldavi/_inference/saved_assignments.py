"""The assignments of CVB0 from a saved state, checked: the compiled code uses their topics as indices."""

import numpy as np

from ldavi._core.documents import Documents
from ldavi._core.saved_arrays import SavedArrays, check_padding, check_sums, checked_array
from ldavi._estep import SHARES
from ldavi._inference.cvb0_pass import Assignments, uninitialised_assignments


def saved_assignments(documents: Documents, saved: SavedArrays) -> Assignments:
    """Return the assignments that a state has stored.

    Raises
    ------
    ValueError
        If a topic does not exist, the shares of a count are not complete, or n_wk or n_k is not their sum.
    """
    K = saved.priors.n_topics
    assignments = uninitialised_assignments(documents.counts, documents.weight, K)
    N, totals = assignments.N, assignments.totals
    N[:] = saved.rows("N", len(N), N.dtype)
    check_padding("N", N, K)
    totals[:] = saved.array("totals", totals.shape, totals.dtype, minimum=0)
    of_topics, of_words = np.zeros(len(totals)), np.zeros(len(N))
    for block, topic, share in zip(assignments.blocks, saved.list("topic"), saved.list("share"), strict=True):
        block.share[:] = checked_array("share", share, block.share.shape, block.share.dtype)
        is_used = block.share > 0
        block.topic[:] = checked_array("topic", topic, block.topic.shape, block.topic.dtype)
        block.topic[~is_used] = 0  # whatever the last pass has left there
        is_complete = (block.share.sum(axis=1) == SHARES).all() and (is_used[:, :-1] >= is_used[:, 1:]).all()
        if not is_complete or block.topic.max(initial=0) >= K:
            raise ValueError(f"a count is not assigned to the {K} topics in {SHARES} shares")
        masses = block.mass[:, None] * block.share.astype(np.float64)
        of_topics += np.bincount(block.topic.reshape(-1), masses.reshape(-1), minlength=len(totals))
        of_words += np.bincount(np.repeat(block.word_row, np.diff(block.word_ptr)), masses.sum(axis=1), len(N))
    check_sums("totals", totals, of_topics)
    check_sums("N", N.sum(axis=0, dtype=np.float64), totals)
    check_sums("N", N.sum(axis=1, dtype=np.float64), of_words)
    return assignments
