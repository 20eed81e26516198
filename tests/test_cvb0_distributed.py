"""Distributed collapsed passes as pure functions: exact sums, arguments that never change, bits of a pass in memory."""

import itertools

import numpy as np
import pytest
from corpora import random_alpha, random_counts, to_counts

from ldavi._core.documents import Documents
from ldavi._core.records import Priors
from ldavi._inference import cvb0_distributed
from ldavi._inference.assignments import added_sums, mass_scale, uninitialised_assignments
from ldavi._inference.cvb0 import Cvb0Settings
from ldavi._inference.cvb0_distributed import CollapsedStep
from ldavi._inference.cvb0_pass import update_assignments
from ldavi._inference.packed_rows import add_rows, pack, slice_rows
from ldavi._inference.topic_shards import CorpusLayout, compact_priors
from ldavi._inference.vb_distributed import prepare_part

K, D, V = 5, 40, 30
SETTINGS = Cvb0Settings(seed=3, learn_alpha=True, learn_eta=True, learn_from=1, learn_every=1)


class Problem:
    """Parts of a small corpus, and the arguments of a pass over them."""

    def __init__(self, cuts, dtype=np.float64, n_exchanges=1):
        self.X = random_counts(3, D, V)
        present = np.flatnonzero(self.X.any(axis=0))
        order = np.argsort(-np.count_nonzero(self.X, axis=0)[present], kind="stable")
        self.priors = Priors(random_alpha(3, K), np.full((1, 1), 0.1))
        self.layout, self.dtype = CorpusLayout(present[order], V, self.priors.eta), np.dtype(dtype)
        ranges = list(itertools.pairwise([0, *cuts, D]))
        self.parts = [prepare_part(to_counts(self.X[slice(*at)], dtype), None, self.layout, K, dtype) for at in ranges]
        sums = [cvb0_distributed.part_sums(part, self.layout) for part in self.parts]
        total = sums[0]
        for each in sums[1:]:
            total = added_sums(total, each)
        self.scale = mass_scale(total, self.dtype)
        n_counts = np.append(0, np.cumsum([len(part.indices) for part in self.parts])).tolist()
        self.blocks = [
            cvb0_distributed.blocks_of_part(part, self.scale, at[0], n)
            for part, at, n in zip(self.parts, ranges, n_counts[:-1], strict=True)
        ]
        self.shards = cvb0_distributed.initial_count_shards(None, self.priors, self.layout, self.scale, dtype)
        self.step = CollapsedStep(SETTINGS, self.scale, 1, 0, n_exchanges, 1)

    def update(self, number, assignment=None, shards=None):
        return cvb0_distributed.update_part(
            self.parts[number],
            self.blocks[number],
            assignment,
            shards or self.shards,
            compact_priors(self.priors),
            self.layout,
            self.step,
        )

    def after(self, updates):
        """Return the shards after updates of some parts."""
        return [
            cvb0_distributed.updated_shard(
                [cvb0_distributed.change_of_shard(update, edges) for update in updates],
                shard,
                edges,
                self.dtype.name,
                self.step,
            )
            for shard, edges in zip(self.shards, self.layout.edges, strict=True)
        ]


def dense(shards, dtype):
    return np.concatenate([cvb0_distributed._rows_of_shard(shard, dtype) for shard in shards])


# Packed rows


@pytest.mark.parametrize("largest", [100, 30_000, 2**30, 2**50])
@pytest.mark.parametrize("share", [0.01, 0.9])
def test_packing_whole_numbers_loses_nothing(largest, share):
    rng = np.random.default_rng(0)
    rows = np.rint(rng.uniform(-largest, largest, (50, 16))) * (rng.random((50, 16)) < share)
    rows[:, 13:] = 0
    rows[7] = 0
    packed, found = pack(rows, 13), np.zeros_like(rows)
    add_rows(found, packed)
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_some_packed_rows_are_added_in_any_place(share):
    rng = np.random.default_rng(0)
    rows = (rng.integers(-9, 9, (50, 16)) * (rng.random((50, 16)) < share)).astype(np.int32)
    packed, taken, place = pack(rows, 16), np.array([3, 4, 9, 40]), np.array([5, 1, 0, 2])
    found = np.ones((6, 16), np.int32)
    add_rows(found, packed, taken, place)
    expected = np.ones((6, 16), np.int32)
    expected[place] += rows[taken]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_a_slice_of_packed_rows_has_these_rows(share):
    rng = np.random.default_rng(0)
    rows = (rng.integers(-9, 9, (50, 16)) * (rng.random((50, 16)) < share)).astype(np.int32)
    found = np.zeros((20, 16), np.int32)
    add_rows(found, slice_rows(pack(rows, 16), slice(12, 32)))
    np.testing.assert_array_equal(found, rows[12:32])


def test_rows_with_few_entries_take_few_bytes():
    rows = np.zeros((1000, 64), np.int32)
    rows[::2, 5] = 3
    packed = pack(rows, 64)
    assert sum(array.nbytes for array in (packed.value, packed.column, packed.indptr)) < rows.nbytes / 20


# Passes


def test_one_part_is_updated_as_a_corpus_in_memory(dtype, workers, small_pieces):
    problem = Problem([], dtype)
    update = problem.update(0)
    counts, _ = to_counts(problem.X, dtype).compact()
    expected = uninitialised_assignments(Documents(counts, None), K)
    log_predictive = update_assignments(
        expected, problem.priors, workers, seed=SETTINGS.seed_of(1), min_share=SETTINGS.min_share_of(1)
    )
    shards = problem.after([update])
    np.testing.assert_array_equal(dense(shards, dtype), expected.N)
    np.testing.assert_array_equal(sum(shard.totals for shard in shards), expected.totals[:K])
    assert shards[0].log_predictive == log_predictive


def test_n_wk_is_the_sum_of_the_assignments_of_all_parts(dtype, small_pieces):
    problem = Problem([7, 25], dtype)
    updates = [problem.update(number) for number in range(3)]
    first, last = problem.layout.edges[0][0], problem.layout.edges[-1][1]
    changes = [cvb0_distributed.change_of_shard(update, (first, last)) for update in updates]
    total = np.zeros((last, K))
    for change in changes:
        add_rows(total, change.change, place=change.rows)
    expected = np.array([[problem.X[:, problem.layout.words].sum(axis=0)]]).reshape(-1) * problem.scale.unit
    np.testing.assert_array_equal(total.sum(axis=1), expected)


def test_changes_are_merged_to_the_same_bits_in_any_order(dtype, small_pieces):
    problem = Problem([7, 25], dtype)
    changes = [cvb0_distributed.change_of_shard(problem.update(number), problem.layout.edges[0]) for number in range(3)]
    merged = [
        cvb0_distributed.merge_changes(cvb0_distributed.merge_changes(changes[i], changes[j]), changes[k])
        for i, j, k in itertools.permutations(range(3))
    ]
    n_rows, found = problem.layout.edges[0][1], []
    for each in merged:
        rows = np.zeros((n_rows, K))
        add_rows(rows, each.change, place=each.rows)
        found.append(rows)
    for rows in found[1:]:
        np.testing.assert_array_equal(rows, found[0])


def test_an_update_changes_none_of_its_arguments(dtype):
    problem = Problem([7, 25], dtype)
    update = problem.update(1)
    topic, share = update.assignment.topic.copy(), update.assignment.share.copy()
    shards = problem.after([update])
    before = dense(shards, dtype)
    again = problem.update(1, update.assignment, shards)
    np.testing.assert_array_equal(update.assignment.topic, topic)
    np.testing.assert_array_equal(update.assignment.share, share)
    np.testing.assert_array_equal(dense(shards, dtype), before)
    assert not np.array_equal(again.assignment.topic, topic)


def test_each_exchange_of_a_pass_updates_other_blocks(small_pieces):
    problem = Problem([], n_exchanges=3)
    changed = []
    for number in range(3):
        problem.step = problem.step._replace(exchange=number)
        changed.append(problem.update(0).assignment.share.any(axis=1))
    np.testing.assert_array_equal(np.sum(changed, axis=0), 1)


def test_parts_sample_different_topics_for_the_same_documents():
    """The random bits of a part depend on the documents before it."""
    problem = Problem([20])
    update = problem.update(0)
    shards = problem.after([update])
    arguments = update.assignment, shards, compact_priors(problem.priors), problem.layout, problem.step
    found = [
        cvb0_distributed.sampled_counts(problem.parts[0], problem.blocks[0]._replace(first_count=n), *arguments)
        for n in (0, 0, 1000)
    ]
    np.testing.assert_array_equal(found[0].times, found[1].times)
    assert len(found[0].times) != len(found[2].times) or not np.array_equal(found[0].times, found[2].times)
