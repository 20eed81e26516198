"""The batch loop taken apart: parts sum to the whole, nothing that goes in is changed, and what travels says enough."""

import itertools

import numpy as np
import pytest
from corpora import random_alpha, random_counts, random_lam, to_counts

from ldavi import _fit_blocks as blocks
from ldavi._documents import cut_blocks, estep
from ldavi._fit import Documents, Plan, fit_batch
from ldavi._fit_blocks import Gathered, Ground, Renewal, Step
from ldavi._init import word_major
from ldavi._state import Counts, Priors, aligned_zeros

K, D, V = 5, 14, 30
ALL = slice(None)


def ground_of(X, eta):
    present = np.flatnonzero(X.any(axis=0))
    order = np.argsort(-np.count_nonzero(X, axis=0)[present], kind="stable")
    return Ground(present[order], X.shape[1], eta)


def parts_of(X, ground, cuts, dtype=np.float64):
    edges = [0, *cuts, len(X)]
    return [blocks.hold(to_counts(X[first:last], dtype), None, ground, K, dtype) for first, last in itertools.pairwise(edges)]


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


def renewal_of(**settings):
    plan = Plan(warmup=1, warmup_sweeps=3, monotone_sweeps=2, tol=0.0, learn_alpha=True, learn_eta=True)
    return Renewal(**({"plan": plan, "learns": False, "offset": 0.0, "n_docs": float(D), "n_threads": 1} | settings))


def test_statistics_of_parts_sum_to_those_of_the_whole(workers, dtype):
    X, priors, ground, _, fields = setting(workers, dtype=dtype)
    passed = [blocks.visit(part, fields, None, Step(4, 0.0, True, 1)) for part in parts_of(X, ground, [3, 9], dtype)]
    merged = blocks.merge(blocks.merge(passed[0].gathered, passed[1].gathered), passed[2].gathered)
    counts, _ = to_counts(X, dtype).compact()
    topics = fields.topics(ALL, workers)
    gamma, S = np.empty((D, K), dtype), aligned_zeros(topics.B.shape, dtype)
    estep(counts, cut_blocks(counts, K), topics, priors.alpha, gamma, S, max_sweeps=4, tol=0.0, workers=workers, afresh=True)
    np.testing.assert_array_equal(np.concatenate([one.gamma for one in passed]), gamma)
    np.testing.assert_allclose(merged.S, S[:, :K], rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_a_part_knows_the_rows_of_its_own_words_alone(workers):
    X, _, ground, _, fields = setting(workers)
    part = parts_of(X, ground, [3])[0]
    assert set(ground.words[part.rows]) == set(np.flatnonzero(X[:3].any(axis=0)))
    assert len(blocks.visit(part, fields, None, Step(1, 0.0, False, 1)).gathered.S) == len(part.rows) < len(ground.words)


def test_a_visit_and_a_renewal_change_nothing_that_they_are_given(workers):
    X, _, ground, _, fields = setting(workers)
    part, fields, ground = read_only(parts_of(X, ground, [])[0]), read_only(fields), read_only(ground)
    passed = read_only(blocks.visit(part, fields, None, Step(3, 0.0, True, 1)))
    again = blocks.visit(part, fields, passed.gamma, Step(3, 0.0, True, 1))
    blocks.renew([read_only(again.gathered)], fields, ground, renewal_of(learns=True))
    blocks.merge(passed.gathered, passed.gathered)


def test_two_roots_are_renewed_as_their_sum_is(workers):
    X, _, ground, _, fields = setting(workers)
    one, two = (blocks.visit(part, fields, None, Step(3, 0.0, True, 1)).gathered for part in parts_of(X, ground, [6]))
    apart = blocks.renew([one, two], fields, ground, renewal_of(learns=True))
    merged = blocks.renew([blocks.merge(one, two)], fields, ground, renewal_of(learns=True))
    np.testing.assert_array_equal(apart.lam, merged.lam)
    assert apart.report == merged.report
    assert apart.priors.equal(merged.priors)


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_fields_without_lambda_say_as_much_of_a_word(workers, offset):
    _, _, ground, lam, fields = setting(workers, offset=offset)
    assert fields.lam is None
    words = np.arange(len(ground.words))
    exact = fields._replace(B=None, lam=lam[ground.words, :K])
    np.testing.assert_allclose(
        fields.topics(ALL, workers).expected_log(words), exact.topics(ALL, workers).expected_log(words), rtol=1e-12
    )


def test_where_fields_underflow_lambda_travels_and_gives_the_same_bits(workers):
    X, priors, ground, lam, _ = setting(workers, eta=1e-3)
    lam[:, 0] = 1e-4  # exp ψ(1e-4) is no number
    fields = blocks.first_fields(lam[ground.words], priors, ground, workers, offset=0.0)
    assert fields.B is None
    passed = [blocks.visit(part, fields, None, Step(3, 0.0, False, 1)) for part in parts_of(X, ground, [5])]
    whole = blocks.visit(parts_of(X, ground, [])[0], fields, None, Step(3, 0.0, False, 1))
    np.testing.assert_array_equal(np.concatenate([one.gamma for one in passed]), whole.gamma)


def test_rows_are_merged_where_parts_share_no_word():
    left = Gathered(np.array([0, 2]), np.array([[1.0], [2.0]]), 1.0, 10.0, 3, None)
    right = Gathered(np.array([1]), np.array([[5.0]]), 2.0, 20.0, 4, None)
    merged = blocks.merge(left, right)
    np.testing.assert_array_equal(merged.rows, [0, 1, 2])
    np.testing.assert_array_equal(merged.S[:, 0], [1.0, 5.0, 2.0])
    assert merged[2:] == (3.0, 30.0, 7, None)


def test_one_part_makes_a_pass_of_the_batch_loop_to_the_bit(workers):
    X, priors, ground, lam, fields = setting(workers)
    plan = Plan(warmup=0, warmup_sweeps=0, monotone_sweeps=3, tol=0.0)
    learned = next(fit_batch(Documents(to_counts(X), None), priors, lam, plan, workers))
    passed = blocks.visit(parts_of(X, ground, [])[0], fields, None, Step(3, 0.0, False, 1))
    renewed = blocks.renew([passed.gathered], fields, ground, renewal_of())
    np.testing.assert_array_equal(renewed.lam, learned.lam)
    np.testing.assert_array_equal(ground.words, learned.words)
    terms = learned.record.word, learned.record.doc_topic, learned.record.topic_word
    assert tuple(renewed.report.terms) == terms


def test_an_empty_part_adds_nothing(workers):
    X, _, ground, _, fields = setting(workers)
    empty = blocks.visit(blocks.hold(none(X), None, ground, K, np.float64), fields, None, Step(3, 0.0, True, 1))
    assert empty.gamma.shape == (0, K)
    assert empty.gathered.S.shape == (0, K)
    assert (empty.gathered.word, empty.gathered.doc_topic, empty.gathered.sweeps) == (0, 0, 0)


def none(X):
    return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.arange(X.shape[1]), X.shape[1])
