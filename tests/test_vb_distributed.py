"""Distributed VB as pure functions: parts sum to the whole corpus, arguments never change, shards carry enough."""

import itertools

import numpy as np
import pytest
from corpora import random_alpha, random_counts, random_lam, to_counts
from scipy.special import psi

from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors, aligned_zeros
from ldavi._inference import vb_distributed
from ldavi._inference.e_step import EStepSettings, Part, cut_blocks, e_step
from ldavi._inference.initialization import word_major
from ldavi._inference.passes import PassResult, PassSettings
from ldavi._inference.topic_shards import CorpusLayout, compact_priors, shard_sums_of, topics_at
from ldavi._inference.vb_batch import BatchVB
from ldavi._inference.vb_distributed import LocalStepSettings, ShardStep, SufficientStatistics, SummarySettings

K, D, V = 5, 14, 30
SETTINGS = PassSettings(1, warmup_inner_iter=5, monotone_inner_iter=2, tol=0.0, learn_alpha=True, learn_eta=True)


def layout_of(X, eta):
    present = np.flatnonzero(X.any(axis=0))
    order = np.argsort(-np.count_nonzero(X, axis=0)[present], kind="stable")
    return CorpusLayout(present[order], X.shape[1], eta)


def parts_of(X, layout, cuts, dtype=np.float64):
    edges = [0, *cuts, len(X)]
    return [
        vb_distributed.prepare_part(to_counts(X[first:last], dtype), None, layout, K, dtype)
        for first, last in itertools.pairwise(edges)
    ]


def random_problem(workers, *, eta=0.3, dtype=np.float64, digamma_offset=0.0):
    """Return counts, priors, a layout, λ and its shards."""
    X = random_counts(3, D, V)
    priors = Priors(random_alpha(3, K), np.full((1, 1), eta))
    layout = layout_of(X, priors.eta)
    lam = word_major(random_lam(3, K, V), dtype)
    shards = vb_distributed.initial_shards(lam[layout.words], priors, layout, workers, digamma_offset=digamma_offset)
    return X, priors, layout, lam, shards


def read_only(record):
    """Return the same record with arrays that cannot be written to."""
    if isinstance(record, np.ndarray):
        record = record.copy()
        record.flags.writeable = False
        return record
    if isinstance(record, tuple):
        values = [read_only(value) for value in record]
        return type(record)(*values) if hasattr(record, "_fields") else tuple(values)
    return record


def all_rows(layout):
    return np.arange(len(layout.words))


def local_step(part, shards, priors, n_inner_iter=3, gamma=None):
    settings = LocalStepSettings(EStepSettings(n_inner_iter, 0.0), True, 1)
    return vb_distributed.local_step(part, shards, compact_priors(priors), gamma, settings)


def roots_of(results, layout):
    """Return the statistics of some parts by shards."""
    return [[vb_distributed.statistics_of_shard(result, edges) for result in results] for edges in layout.edges]


def m_step(roots, shards, priors, layout):
    """Return the shards and λ after a pass, and its summary."""
    after, lam = [], []
    for number, (own, before) in enumerate(zip(roots, shards, strict=True)):
        arguments = own, before, priors, layout, ShardStep(number, 0.0, 1)
        after.append(vb_distributed.m_step_shard(*arguments))
        lam.append(vb_distributed.shard_lambda(*arguments))
    sums = [shard_sums_of(shard) for shard in shards], [shard_sums_of(shard) for shard in after]
    settings = SummarySettings(False, lam[0].dtype.name, 0.0)
    return after, np.concatenate(lam), vb_distributed.pass_summary(*sums, priors, layout, settings)


def test_statistics_of_parts_sum_to_those_of_the_whole(workers, dtype):
    X, priors, layout, _, shards = random_problem(workers, dtype=dtype)
    results = [local_step(part, shards, priors, 4) for part in parts_of(X, layout, [3, 9], dtype)]
    first, second, third = (result.statistics for result in results)
    merged = vb_distributed.merge(vb_distributed.merge(first, second), third)
    documents = Documents(to_counts(X, dtype), None).compacted()
    topics = topics_at(shards, all_rows(layout), workers)
    gamma, S = np.empty((D, K), dtype), aligned_zeros(topics.B.shape, dtype)
    part = Part(documents, cut_blocks(documents.counts, K), slice(None))
    e_step(part, topics, priors.alpha, gamma, S, EStepSettings(4, 0.0), workers)
    np.testing.assert_array_equal(np.concatenate([result.gamma for result in results]), gamma)
    np.testing.assert_allclose(merged.S, S[:, :K], rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_a_part_knows_the_rows_of_its_own_words_alone(workers):
    X, priors, layout, _, shards = random_problem(workers)
    part = parts_of(X, layout, [3])[0]
    assert set(layout.words[part.rows]) == set(np.flatnonzero(X[:3].any(axis=0)))
    assert len(local_step(part, shards, priors).statistics.S) == len(part.rows) < len(layout.words)


def test_local_and_global_steps_change_none_of_their_arguments(workers, small_pieces):
    X, priors, layout, _, shards = random_problem(workers)
    part, layout = read_only(parts_of(X, layout, [])[0]), read_only(layout)
    shards = [read_only(shard) for shard in shards]
    cold = read_only(local_step(part, shards, priors))
    warm = read_only(local_step(part, shards, priors, gamma=cold.gamma))
    roots = roots_of([warm], layout)
    of_shards = [
        vb_distributed.prior_statistics(root, compact_priors(priors), layout, SETTINGS, ShardStep(number, 0.0, 1))
        for number, root in enumerate(roots)
    ]
    learned = vb_distributed.learn_priors(read_only(tuple(of_shards)), compact_priors(priors), layout)
    m_step(roots, shards, read_only(learned), layout)
    vb_distributed.merge(cold.statistics, cold.statistics)


@pytest.mark.parametrize("eta", [0.3, 0.0])
def test_the_m_step_of_two_roots_equals_that_of_their_sum(workers, small_pieces, eta):
    X, priors, layout, _, shards = random_problem(workers, eta=eta)
    results = [local_step(part, shards, priors) for part in parts_of(X, layout, [6])]
    of_two = m_step(roots_of(results, layout), shards, compact_priors(priors), layout)
    merged = [[vb_distributed.merge(*roots)] for roots in roots_of(results, layout)]
    of_sum = m_step(merged, shards, compact_priors(priors), layout)
    np.testing.assert_array_equal(of_two[1], of_sum[1])
    assert of_two[2] == of_sum[2]


@pytest.mark.parametrize("digamma_offset", [0.0, 0.5])
def test_shards_without_lambda_give_the_same_expected_log_probabilities(workers, digamma_offset):
    _, _, layout, lam, (shard,) = random_problem(workers, digamma_offset=digamma_offset)
    assert shard.lam is None
    words = all_rows(layout)
    with_lambda = shard._replace(B=None, lam=lam[layout.words, :K])
    ours, theirs = (topics_at([each], words, workers).expected_log(words) for each in (shard, with_lambda))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_shards_that_underflow_carry_lambda_and_give_the_same_bits(workers, small_pieces):
    X, priors, layout, lam, _ = random_problem(workers, eta=1e-3)
    lam[layout.words[0], 0] = 1e-4  # exp ψ(1e-4) underflows
    shards = vb_distributed.initial_shards(lam[layout.words], priors, layout, workers, digamma_offset=0.0)
    assert [shard.B is None for shard in shards] == [True, False]
    results = [local_step(part, shards, priors) for part in parts_of(X, layout, [5])]
    whole = local_step(parts_of(X, layout, [])[0], shards, priors)
    np.testing.assert_array_equal(np.concatenate([result.gamma for result in results]), whole.gamma)
    topics = topics_at(shards, all_rows(layout), workers)
    exact = psi(lam[layout.words, :K]) - topics.log_norm
    np.testing.assert_allclose(topics.expected_log(all_rows(layout)), exact, rtol=1e-12)


def test_rows_are_merged_where_parts_share_no_word():
    left = SufficientStatistics(np.array([0, 2]), np.array([[1.0], [2.0]]), 1.0, 10.0, 3, None)
    right = SufficientStatistics(np.array([1]), np.array([[5.0]]), 2.0, 20.0, 4, None)
    merged = vb_distributed.merge(left, right)
    np.testing.assert_array_equal(merged.rows, [0, 1, 2])
    np.testing.assert_array_equal(merged.S[:, 0], [1.0, 5.0, 2.0])
    assert merged[2:] == (3.0, 30.0, 7, None)


@pytest.mark.parametrize("eta", [0.3, 0.0])
def test_one_part_has_the_bits_of_a_batch_vb_pass(workers, small_pieces, eta):
    """For one shard of the words and for two."""
    X, priors, layout, lam, shards = random_problem(workers, eta=eta)
    assert len(layout.shards) == (2 if eta else 1)
    phase = BatchVB(PassSettings(0, warmup_inner_iter=0, monotone_inner_iter=3, tol=0.0), n_passes=1)
    documents = phase.prepare(Documents(to_counts(X), None))
    start = phase.start(documents, priors, lambda: PassResult(lam, np.arange(V), priors))
    state, record = next(phase.passes(documents, start, workers))
    result = local_step(parts_of(X, layout, [])[0], shards, priors)
    _, found, summary = m_step(roots_of([result], layout), shards, compact_priors(priors), layout)
    np.testing.assert_array_equal(found, state.result.lam)
    np.testing.assert_array_equal(layout.words, state.result.words)
    assert tuple(summary.terms) == (record.word, record.doc_topic, record.topic_word)


def test_an_empty_part_adds_nothing(workers):
    X, priors, layout, _, shards = random_problem(workers)
    part = vb_distributed.prepare_part(no_documents(X.shape[1]), None, layout, K, np.float64)
    empty = local_step(part, shards, priors)
    assert empty.gamma.shape == (0, K)
    assert empty.statistics.S.shape == (0, K)
    assert (empty.statistics.word, empty.statistics.doc_topic, empty.statistics.n_inner_iter) == (0, 0, 0)


def no_documents(n_words):
    return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.arange(n_words), n_words)
