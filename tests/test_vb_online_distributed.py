"""Slices of documents for online steps on a cluster."""

import numpy as np
import pytest
from corpora import random_counts, to_counts
from hypothesis import given, settings
from hypothesis import strategies as st

from ldavi._core.documents import Documents
from ldavi._inference.vb_online_distributed import DOCUMENTS_PER_SLICE, join_documents, slices_of_steps


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any), st.sampled_from([7, 30, 128, 512]))
def test_a_pass_takes_each_document_once(n_docs, batch_size):
    seen = [np.zeros(n, int) for n in n_docs]
    for step in slices_of_steps(n_docs, batch_size):
        for part, start, stop in step:
            seen[part][start:stop] += 1
    assert all((times == 1).all() for times in seen)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any), st.sampled_from([30, 128, 512]))
def test_steps_have_about_as_many_documents_as_requested(n_docs, batch_size):
    sizes = [sum(stop - start for _, start, stop in step) for step in slices_of_steps(n_docs, batch_size)]
    # A slice is rounded to whole documents; a step has half of the documents or more, unless there are fewer.
    assert max(sizes) <= batch_size + len(n_docs)
    assert min(sizes) >= min(batch_size // 2, sum(n_docs)) - len(n_docs)


def test_a_large_step_is_spread_over_several_parts():
    steps = slices_of_steps([1000] * 8, 4 * DOCUMENTS_PER_SLICE)
    assert {len(step) for step in steps} == {4}
    assert {part for part, _, _ in steps[0]} == {0, 1, 2, 3}


@pytest.mark.parametrize("weighted", [False, True])
def test_documents_of_slices_are_joined_over_their_words(weighted):
    X = random_counts(1, 12, 20)
    weight = np.arange(1.0, 13.0) if weighted else None
    samples = [
        Documents(to_counts(X[at]).compact()[0], None if weight is None else weight[at])
        for at in (slice(0, 5), slice(5, 12))
    ]
    joined = join_documents(samples)
    found = np.zeros((12, 20))
    rows = np.repeat(np.arange(12), np.diff(joined.counts.indptr))
    found[rows, joined.counts.words[joined.counts.indices]] = joined.counts.values
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(joined.counts.doc_tokens, X.sum(axis=1))
    assert weight is None or np.array_equal(joined.weight, weight)
