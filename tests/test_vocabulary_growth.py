"""A vocabulary that grows: new columns are what they would have been had they been there all along."""

import copy
import pickle

import corpora
import numpy as np
import pandas as pd
import polars as pl
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, check_n_features_in_after_fitting

from ldavi import LatentDirichletAllocation, io
from ldavi._core.records import padded
from ldavi._estimator import vocabulary_growth
from ldavi._estimator.restore import fitted_with
from ldavi._inference import elbo
from ldavi._inference.growable_rows import GrowableRows
from ldavi._inference.m_step import LazyLambda

K, ETA = 3, 0.3
WIDTHS = (5, 5, 8, 8, 9, 40)


def model(**parameters):
    return LatentDirichletAllocation(
        **{"n_components": K, "topic_word_prior": ETA, "random_state": 0, "new_words": "add"} | parameters
    )


def batch(width, seed):
    X = np.random.default_rng([seed, 4]).poisson(0.9, (12, width))
    X[:, 0] += 1
    return X


def begun(lam, **parameters):
    return fitted_with(
        lam, doc_topic_prior=0.2, topic_word_prior=ETA, new_words="add", max_doc_update_iter=500, **parameters
    )


def start(dtype, *, with_columns=0):
    lam = corpora.random_lam(0, K, WIDTHS[0]).astype(dtype)
    return np.hstack([lam, np.full((K, with_columns), ETA, dtype)])


def wider(X, n_words):
    return np.pad(X, ((0, 0), (0, n_words - X.shape[1])))


def named(X, names):
    return pd.DataFrame(X, columns=list(names))


def same_model(a, b, X):
    np.testing.assert_array_equal(a.components_, b.components_)
    np.testing.assert_array_equal(a.transform(X), b.transform(X))
    assert a.score(X) == b.score(X)


# The mathematics


def widened(lda, n_words):
    """A model that has the columns from its start, λ = η in those that are new, and else what `lda` has."""
    lam = lda.components_
    lam = np.hstack([lam, np.full((K, n_words - lam.shape[1]), lda.topic_word_prior_, lam.dtype)])
    seen = {"n_updates": lda.n_batch_iter_ - 1, "n_samples": lda.n_samples_seen_}
    return begun(lam, learning_offset=lda.learning_offset, **seen)


@pytest.mark.parametrize("offset", [10.0, 0.0], ids=["small steps", "a first step that forgets all"])
def test_new_words_have_the_bits_of_columns_that_were_there_with_nothing_but_their_prior(dtype, offset):
    grown = begun(start(dtype), learning_offset=offset)
    for seed, width in enumerate(WIDTHS):
        whole, X = widened(grown, width), batch(width, seed)
        same_model(grown.partial_fit(X), whole.partial_fit(X), batch(width, 9))


def test_rows_that_came_late_have_the_bits_of_rows_that_were_there_all_along(dtype):
    """Whatever decay is owed to rows when they come, and however often it has been folded in."""
    priors, steps = corpora.make_priors(np.ones(K), ETA), np.random.default_rng(0)
    early = np.zeros((9, padded(K)), dtype)
    early[:, :K] = ETA
    early[:5, :K] = start(dtype).T
    there, late = LazyLambda(early, priors), LazyLambda(early[:5].copy(), priors)
    for step in range(80):  # 0.6^80 is far below where the decay is folded in
        if step == 20:
            late.grow(9, priors.eta)
        words = steps.choice(5 if step < 20 else 8, 3, replace=False)  # the last word never comes
        sstats = np.zeros((3, padded(K)), dtype)
        sstats[:, :K] = steps.gamma(1, size=(3, K))
        for rows in (there, late):
            rows.online_step(words, sstats, rho=0.4, scale=2.0)
        np.testing.assert_array_equal(late.excess, there.excess)
    np.testing.assert_array_equal(late.folded(), there.folded())
    np.testing.assert_array_equal(late.folded()[8, :K], np.dtype(dtype).type(ETA))


def test_a_new_word_that_has_not_come_up_has_its_prior_and_adds_it_to_the_totals():
    lda = begun(start("float64"))
    lda.partial_fit(batch(5, 0))
    before = lda._rows.totals
    lda.partial_fit(wider(np.zeros((1, 5)), 7) + np.eye(1, 7), sample_weight=[1e-30])  # a step, of next to no documents
    rho = (lda.learning_offset + 2) ** -lda.learning_decay
    np.testing.assert_array_equal(lda.components_[:, 5:], ETA)
    excess = (1 - rho) * (before - 5 * ETA)
    assert lda._rows.totals.sum() - 3 * 7 * ETA == pytest.approx(excess.sum() + rho * lda.n_samples_seen_)


def test_the_bound_after_growth_is_that_of_the_definition():
    lda = begun(start("float64"), mean_change_tol=0.0)
    for seed, width in enumerate(WIDTHS[:5]):
        lda.partial_fit(batch(width, seed))
    X = batch(9, 50)
    X[:, 7] = 0
    lam, alpha = lda.components_, np.full(K, 0.2)
    gamma = lda.transform(X, normalize=False)
    topic = elbo.topic_term(lda._rows.materialize()[:, :K], lda._priors)
    assert topic == pytest.approx(reference.topic_word_term(lam, ETA), rel=1e-12)
    assert lda.score(X) + topic == pytest.approx(reference.elbo_collapsed(X, gamma, lam, alpha, ETA), rel=1e-9)
    assert lda.perplexity(X) == pytest.approx(np.exp(-lda.score(X) / X.sum()))


def test_the_bound_of_grown_topics_stays_below_the_evidence():
    X = np.array([[2, 1, 0, 0], [0, 1, 1, 1]])
    lda = begun(start("float64")[:2, :2]).partial_fit(X[:1, :2]).partial_fit(X)
    alpha = np.full(2, 0.2)
    gamma = lda.transform(X, normalize=False)
    bound = reference.elbo_collapsed(X, gamma, lda.components_, alpha, ETA)
    assert bound < reference.log_evidence(X, alpha, np.full((2, 4), ETA))


def test_a_learned_prior_of_words_is_learned_for_as_many_as_there_are():
    """The fixed point has V in it: words that have not come up make the prior of each smaller."""
    few, many = (model(topic_word_prior="auto", batch_size=12).partial_fit(batch(10, 0)) for _ in range(2))
    for seed in range(1, 15):
        few.partial_fit(batch(10, seed))
        many.partial_fit(batch(10, seed))
    few.partial_fit(batch(10, 15))
    many.partial_fit(wider(batch(10, 15), 100))  # step 16, after which priors are learned
    assert 0 < many.topic_word_prior_ < few.topic_word_prior_ / 3
    np.testing.assert_array_equal(many.components_[:, 10:], np.float32(many.topic_word_prior_))
    np.testing.assert_allclose(
        many.components_[:, :10] - many.topic_word_prior_, few.components_ - few.topic_word_prior_, rtol=0.01
    )  # expected counts do not depend on it


# Columns by name


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_names_say_which_column_is_which_in_any_order(data):
    words = [f"w{i}" for i in range(9)]
    by_name, by_place = model(), model()
    known = []
    for seed in range(4):
        names = data.draw(st.lists(st.sampled_from(words), min_size=1, unique=True))
        X = batch(len(names), seed)
        known += [name for name in names if name not in known] if seed else names
        placed = np.zeros((len(X), len(known)), int)
        placed[:, [known.index(name) for name in names]] = X
        by_name.partial_fit(named(X, names))
        by_place.partial_fit(placed)
    assert by_name.feature_names_in_.tolist() == known
    assert by_name.n_features_in_ == len(known) == by_name.components_.shape[1]
    X = batch(len(known), 9)
    np.testing.assert_array_equal(by_name.components_, by_place.components_)
    np.testing.assert_array_equal(by_name.transform(named(X, known)), by_place.transform(X))


def test_a_frame_of_another_library_grows_by_its_names():
    X = batch(3, 1)
    one = (
        model()
        .partial_fit(pl.DataFrame(X, schema=["a", "b", "c"]))
        .partial_fit(pl.DataFrame(X, schema=["d", "c", "e"]))
    )
    two = model().partial_fit(named(X, "abc")).partial_fit(named(X, "dce"))
    assert one.feature_names_in_.tolist() == list("abcde")
    np.testing.assert_array_equal(one.components_, two.components_)


def test_documents_that_are_put_in_place_are_left_as_they_were():
    X = pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(batch(3, 1)), columns=list("cab"))
    before = X.copy()
    model().partial_fit(named(batch(3, 0), "abc")).partial_fit(X)
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        (named(batch(3, 0), "abc"), batch(4, 1), "4 columns without names"),
        (batch(3, 0), named(batch(4, 1), "abcd"), "X has names for its 4 columns"),
        (batch(3, 0), batch(2, 1), "X has 2 features, but LatentDirichletAllocation is expecting 3"),
        (named(batch(3, 0), "abc"), batch(2, 1), "X has 2 features"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
def test_columns_that_cannot_be_told_apart_are_refused_and_change_nothing(first, then, message):
    lda = model().partial_fit(first)
    before = pickle.dumps(lda)
    with pytest.raises(ValueError, match=message):
        lda.partial_fit(then)
    assert pickle.dumps(lda) == before


@pytest.mark.parametrize(("known", "names"), [("abc", "abb"), ("abb", "abc")])
def test_a_name_that_occurs_twice_is_refused(known, names):
    """By scikit-learn itself, in later versions."""
    with pytest.raises(ValueError, match="2 columns of the name 'b'"):
        vocabulary_growth._places(np.array(list(known), object), np.array(list(names), object))


def test_as_many_columns_of_which_only_some_have_names_are_taken_with_scikit_learns_warning():
    lda = model().partial_fit(named(batch(3, 0), "abc"))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        lda.partial_fit(batch(3, 1))


# What does not grow


@pytest.mark.parametrize("prior", [np.full(5, 0.2), np.full((K, 5), 0.2)], ids=["(V,)", "(K, V)"])
def test_a_prior_for_each_word_cannot_grow_and_says_what_to_do(prior):
    lda = model(topic_word_prior=prior).partial_fit(batch(5, 0)).partial_fit(batch(5, 1))
    before = pickle.dumps(lda)
    with pytest.raises(ValueError, match=r"2 new words, and topic_word_prior is an array .* begin with one number"):
        lda.partial_fit(batch(7, 1))
    assert pickle.dumps(lda) == before


def test_point_estimates_cannot_grow():
    lda = model(topic_word_prior=0).partial_fit(batch(5, 0))
    with pytest.raises(ValueError, match="2 new words, which topic_word_prior=0 gives no probability"):
        lda.partial_fit(batch(7, 1))


@pytest.mark.parametrize(
    "X", [batch(7, 1), named(batch(5, 1), "edcba"), named(batch(5, 1), "abcdf")], ids=["more", "order", "new"]
)
def test_unless_it_is_asked_for_other_columns_are_refused(X):
    first = batch(5, 0) if isinstance(X, np.ndarray) else named(batch(5, 0), "abcde")
    lda = model(new_words="error").partial_fit(first)
    with pytest.raises(ValueError, match=r"features, but|feature names should match"):
        lda.partial_fit(X)


@pytest.mark.parametrize("check", [check_n_features_in_after_fitting, check_dataframe_column_names_consistency])
def test_scikit_learn_asks_for_that_refusal(check):
    check("LatentDirichletAllocation", LatentDirichletAllocation(n_components=2))


def test_scoring_a_grown_model_wants_all_of_its_columns():
    lda = model().partial_fit(batch(5, 0)).partial_fit(batch(7, 1))
    for ask in (lda.transform, lda.score, lda.perplexity):
        with pytest.raises(ValueError, match="X has 5 features, but LatentDirichletAllocation is expecting 7"):
            ask(batch(5, 0))


def test_a_value_that_new_words_does_not_have_is_refused():
    with pytest.raises(ValueError, match="new_words='grow' must be one of 'error', 'add'"):
        model(new_words="grow").partial_fit(batch(5, 0))


# Seed words


def test_seeds_keep_their_prior_and_new_words_have_that_of_all_words():
    lda = model(seed_words={0: ["b"], 2: ["a"]}).partial_fit(named(batch(3, 0), "abc"))
    eta = lda._priors.eta.copy()
    for names in ("abcd", "fe"):
        lda.partial_fit(named(batch(len(names), 1), names))
    np.testing.assert_array_equal(lda._priors.eta[:3], eta)
    np.testing.assert_array_equal(lda._priors.eta[3:], np.full((3, K), ETA))
    assert lda._priors.eta[1, 0] > ETA
    np.testing.assert_allclose(lda._rows.totals, lda.components_.sum(axis=1), rtol=1e-6)


# After fit, files, copies


@pytest.mark.parametrize(
    "parameters", [{}, {"inference": "cvb0"}, {"learning_method": "memoized"}], ids=["vb", "cvb0", "memoized"]
)
def test_topics_of_any_fit_can_grow(parameters):
    lda = model(max_iter=4, tol=None, **parameters).fit(batch(5, 0)).partial_fit(batch(7, 1))
    assert lda.components_.shape == lda.topics_.shape == (K, 7)
    assert lda.n_features_in_ == 7
    assert lda.transform(batch(7, 2)).shape == (12, K)


def on_disk(lda, tmp_path):
    io.save(lda, tmp_path / "a.ldavi")
    return io.load(tmp_path / "a.ldavi")


def mapped(lda, tmp_path):
    io.save(lda, tmp_path / "a.ldavi")
    return io.load(tmp_path / "a.ldavi", mmap=True)


@pytest.mark.parametrize(
    "again",
    [on_disk, mapped, lambda lda, _: pickle.loads(pickle.dumps(lda)), lambda lda, _: copy.deepcopy(lda)],
    ids=["file", "file, mapped", "pickle", "copy"],
)
def test_a_grown_model_that_was_kept_goes_on_with_the_same_bits(again, tmp_path):
    lda = model(seed_words={1: ["a"]}).partial_fit(named(batch(3, 0), "abc")).partial_fit(named(batch(3, 1), "edc"))
    other = again(lda, tmp_path)
    for names in ("fa", "gha"):
        X = named(batch(len(names), 3), names)
        lda.partial_fit(X)
        other.partial_fit(X)
    same_model(lda, other, named(batch(8, 5), lda.feature_names_in_))
    assert other.feature_names_in_.tolist() == list("abcedfgh")


def test_a_pickle_holds_no_room():
    lda = model(n_components=64).partial_fit(batch(50, 0)).partial_fit(batch(51, 1))
    assert len(lda._rows._room._store) >= 75
    assert len(pickle.dumps(lda._rows)) < 51 * 64 * 4 + 2000


def test_a_clone_has_the_parameter_and_no_words():
    assert clone(model().partial_fit(batch(5, 0)).partial_fit(batch(7, 0))).partial_fit(batch(3, 0)).n_features_in_ == 3


# Memory


def test_rows_that_come_few_at_a_time_are_seldom_moved():
    lda = model(batch_size=12).partial_fit(batch(40, 0))
    n_moved, where = 0, None
    for step in range(300):
        lda.partial_fit(sparse.csr_array(batch(43 + 3 * step, step)))
        rows = lda._rows._rows
        if rows.ctypes.data != where:  # all rows but the new ones were copied
            n_moved, where = n_moved + len(rows), rows.ctypes.data
    assert n_moved < 3 * lda.n_features_in_


def test_a_room_fills_up_without_moving_and_without_touching_what_is_there():
    room, value = GrowableRows(), np.ones((1, 2))
    rows = room.extended(np.zeros((100, padded(2))), 1, value)
    for n in range(102, 151):
        more = room.extended(rows, 1, value * n)
        assert np.shares_memory(more, rows)
        rows = more
    assert not np.shares_memory(room.extended(rows, 1, value), rows)
    np.testing.assert_array_equal(rows[:, 0], [0] * 100 + [1] + list(range(102, 151)))
    assert not rows[:, 2:].any()


def test_rows_that_a_room_did_not_hand_out_are_copied_first():
    room = GrowableRows()
    mine = np.zeros((4, 2))
    first = room.extended(mine, 2, np.ones((1, 2)))
    again = room.extended(mine, 1, np.full((1, 2), 7.0))
    assert first[4:].tolist() == [[1, 1], [1, 1]]
    assert not np.shares_memory(again, first)
    assert not np.shares_memory(again, mine)


def test_read_only_rows_grow(dtype):
    frozen = corpora.word_major(corpora.random_lam(0, K, 5), dtype)
    frozen.flags.writeable = False
    rows = LazyLambda(frozen, corpora.make_priors(np.ones(K), ETA))
    rows.grow(7, np.full((1, 1), ETA))
    rows.online_step(np.array([6]), np.ones((1, padded(K)), dtype), rho=0.5, scale=1.0)
    np.testing.assert_allclose(rows.materialize()[5:, :K], [[ETA] * K, [ETA + 0.5] * K], rtol=1e-6)


def test_a_step_after_growth_reads_and_writes_the_rows_of_its_words_alone():
    lda = model().partial_fit(batch(40, 0))
    before = lda._rows._rows.copy()
    X = np.zeros((2, 44), int)
    X[:, [3, 42]] = 2
    lda.partial_fit(X)
    untouched = np.setdiff1d(np.arange(40), [3])
    np.testing.assert_array_equal(lda._rows._rows[untouched], before[untouched])
