"""The batch loop taken apart: parts sum to the whole, nothing that goes in is changed, and what travels says enough."""

import itertools

import numpy as np
import pytest
from corpora import random_alpha, random_counts, random_lam, to_counts
from scipy.special import psi

from ldavi._core.records import Counts, Priors, aligned_zeros
from ldavi._inference import vb_distributed as blocks
from ldavi._inference.e_step import cut_blocks, e_step
from ldavi._inference.initialization import word_major
from ldavi._inference.topic_shards import CorpusLayout, compact_priors, shard_sums_of, topics_at
from ldavi._inference.vb_batch import Documents, PassSettings, fit_batch
from ldavi._inference.vb_distributed import Step, SufficientStatistics

K, D, V = 5, 14, 30
PLAN = PassSettings(warmup=1, warmup_inner_iter=5, monotone_inner_iter=2, tol=0.0, learn_alpha=True, learn_eta=True)


def ground_of(X, eta):
    present = np.flatnonzero(X.any(axis=0))
    order = np.argsort(-np.count_nonzero(X, axis=0)[present], kind="stable")
    return CorpusLayout(present[order], X.shape[1], eta)


def parts_of(X, ground, cuts, dtype=np.float64):
    edges = [0, *cuts, len(X)]
    return [
        blocks.prepare_part(to_counts(X[first:last], dtype), None, ground, K, dtype)
        for first, last in itertools.pairwise(edges)
    ]


def setting(workers, *, eta=0.3, dtype=np.float64, offset=0.0):
    X = random_counts(3, D, V)
    priors = Priors(random_alpha(3, K), np.full((1, 1), eta))
    ground = ground_of(X, priors.eta)
    lam = word_major(random_lam(3, K, V), dtype)
    return X, priors, ground, lam, blocks.first_fields(lam[ground.words], priors, ground, workers, offset=offset)


def read_only(record):
    """The same record, of arrays that cannot be written to."""
    if isinstance(record, np.ndarray):
        record = record.copy()
        record.flags.writeable = False
        return record
    if isinstance(record, tuple):
        values = [read_only(value) for value in record]
        return type(record)(*values) if hasattr(record, "_fields") else tuple(values)
    return record


def all_rows(ground):
    return np.arange(len(ground.words))


def visited(part, fields, priors, sweeps=3, gamma=None):
    return blocks.visit(part, fields, compact_priors(priors), gamma, Step(sweeps, 0.0, True, 1))


def roots_of(passed, ground):
    """What was gathered, by shards."""
    return [[blocks.statistics_of_shard(one, edges) for one in passed] for edges in ground.edges]


def renewed(roots, fields, hyper, ground, offset=0.0):
    """Fields and λ after a pass, and its report."""
    shards = range(len(roots))
    after = [blocks.m_step_shard(roots[i], fields[i], hyper, ground, i, offset, 1) for i in shards]
    lam = np.concatenate([blocks.lam_of(roots[i], fields[i], hyper, ground, i, 1) for i in shards])
    sums = [shard_sums_of(shard) for shard in fields], [shard_sums_of(shard) for shard in after]
    return after, lam, blocks.report(*sums, hyper, False, ground, lam.dtype.name, 0.0)


def test_statistics_of_parts_sum_to_those_of_the_whole(workers, dtype):
    X, priors, ground, _, fields = setting(workers, dtype=dtype)
    passed = [visited(part, fields, priors, 4) for part in parts_of(X, ground, [3, 9], dtype)]
    merged = blocks.merge(blocks.merge(passed[0].gathered, passed[1].gathered), passed[2].gathered)
    counts, _ = to_counts(X, dtype).compact()
    topics = topics_at(fields, all_rows(ground), workers)
    gamma, S = np.empty((D, K), dtype), aligned_zeros(topics.B.shape, dtype)
    start = {"afresh": True, "go_beyond": True}
    e_step(
        counts,
        cut_blocks(counts, K),
        topics,
        priors.alpha,
        gamma,
        S,
        max_inner_iter=4,
        tol=0.0,
        workers=workers,
        **start,
    )
    np.testing.assert_array_equal(np.concatenate([one.gamma for one in passed]), gamma)
    np.testing.assert_allclose(merged.S, S[:, :K], rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_a_part_knows_the_rows_of_its_own_words_alone(workers):
    X, priors, ground, _, fields = setting(workers)
    part = parts_of(X, ground, [3])[0]
    assert set(ground.words[part.rows]) == set(np.flatnonzero(X[:3].any(axis=0)))
    assert len(visited(part, fields, priors).gathered.S) == len(part.rows) < len(ground.words)


def test_a_visit_and_a_renewal_change_nothing_that_they_are_given(workers, small_pieces):
    X, priors, ground, _, fields = setting(workers)
    part, fields, ground = (
        read_only(parts_of(X, ground, [])[0]),
        [read_only(shard) for shard in fields],
        read_only(ground),
    )
    passed = read_only(visited(part, fields, priors))
    again = read_only(visited(part, fields, priors, gamma=passed.gamma))
    roots = roots_of([again], ground)
    renewed(roots, fields, read_only(blocks.learn(roots, compact_priors(priors), ground, PLAN, float(D))), ground)
    blocks.merge(passed.gathered, passed.gathered)


@pytest.mark.parametrize("eta", [0.3, 0.0])
def test_two_roots_are_renewed_as_their_sum_is(workers, small_pieces, eta):
    X, priors, ground, _, fields = setting(workers, eta=eta)
    passed = [visited(part, fields, priors) for part in parts_of(X, ground, [6])]
    apart = renewed(roots_of(passed, ground), fields, compact_priors(priors), ground)
    merged = [[blocks.merge(*roots)] for roots in roots_of(passed, ground)]
    whole = renewed(merged, fields, compact_priors(priors), ground)
    np.testing.assert_array_equal(apart[1], whole[1])
    assert apart[2] == whole[2]


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_fields_without_lambda_say_as_much_of_a_word(workers, offset):
    _, _, ground, lam, fields = setting(workers, offset=offset)
    (shard,) = fields
    assert shard.lam is None
    words = all_rows(ground)
    exact = shard._replace(B=None, lam=lam[ground.words, :K])
    ours, theirs = (topics_at([each], words, workers).expected_log(words) for each in (shard, exact))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_where_fields_underflow_lambda_travels_and_gives_the_same_bits(workers, small_pieces):
    X, priors, ground, lam, _ = setting(workers, eta=1e-3)
    lam[ground.words[0], 0] = 1e-4  # exp ψ(1e-4) is no number
    fields = blocks.first_fields(lam[ground.words], priors, ground, workers, offset=0.0)
    assert [shard.B is None for shard in fields] == [True, False]
    passed = [visited(part, fields, priors) for part in parts_of(X, ground, [5])]
    whole = visited(parts_of(X, ground, [])[0], fields, priors)
    np.testing.assert_array_equal(np.concatenate([one.gamma for one in passed]), whole.gamma)
    topics = topics_at(fields, all_rows(ground), workers)
    exact = psi(lam[ground.words, :K]) - topics.log_norm
    np.testing.assert_allclose(topics.expected_log(all_rows(ground)), exact, rtol=1e-12)


def test_rows_are_merged_where_parts_share_no_word():
    left = SufficientStatistics(np.array([0, 2]), np.array([[1.0], [2.0]]), 1.0, 10.0, 3, None)
    right = SufficientStatistics(np.array([1]), np.array([[5.0]]), 2.0, 20.0, 4, None)
    merged = blocks.merge(left, right)
    np.testing.assert_array_equal(merged.rows, [0, 1, 2])
    np.testing.assert_array_equal(merged.S[:, 0], [1.0, 5.0, 2.0])
    assert merged[2:] == (3.0, 30.0, 7, None)


@pytest.mark.parametrize("eta", [0.3, 0.0])
def test_one_part_makes_a_pass_of_the_batch_loop_to_the_bit(workers, small_pieces, eta):
    """Whatever the shards."""
    X, priors, ground, lam, fields = setting(workers, eta=eta)
    assert len(ground.shards) == (2 if eta else 1)
    plan = PassSettings(warmup=0, warmup_inner_iter=0, monotone_inner_iter=3, tol=0.0)
    learned = next(fit_batch(Documents(to_counts(X), None), priors, lam, plan, workers))
    passed = visited(parts_of(X, ground, [])[0], fields, priors)
    _, found, report = renewed(roots_of([passed], ground), fields, compact_priors(priors), ground)
    np.testing.assert_array_equal(found, learned.lam)
    np.testing.assert_array_equal(ground.words, learned.words)
    assert tuple(report.terms) == (learned.record.word, learned.record.doc_topic, learned.record.topic_word)


def test_an_empty_part_adds_nothing(workers):
    X, priors, ground, _, fields = setting(workers)
    empty = visited(blocks.prepare_part(none(X), None, ground, K, np.float64), fields, priors)
    assert empty.gamma.shape == (0, K)
    assert empty.gathered.S.shape == (0, K)
    assert (empty.gathered.word, empty.gathered.doc_topic, empty.gathered.sweeps) == (0, 0, 0)


def none(X):
    return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.arange(X.shape[1]), X.shape[1])
