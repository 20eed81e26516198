"""A growing vocabulary: new words get the values that they would have if they had been present from the start."""

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
from ldavi._inference.lazy_lambda import LazyLambda

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


def model_from(lam, **parameters):
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


def check_same_bits(a, b, X):
    np.testing.assert_array_equal(a.components_, b.components_)
    np.testing.assert_array_equal(a.transform(X), b.transform(X))
    assert a.score(X) == b.score(X)


# Values


def widened(lda, n_words):
    """Apply the decay of `lda`, and return a model with its state, to which columns with λ = η were added."""
    lda.components_ = lam = lda.components_
    lam = np.hstack([lam, np.full((K, n_words - lam.shape[1]), lda.topic_word_prior_, lam.dtype)])
    seen = {"n_updates": lda.n_batch_iter_ - 1, "n_samples": lda.n_samples_seen_}
    return model_from(lam, learning_offset=lda.learning_offset, **seen)


@pytest.mark.parametrize("offset", [10.0, 0.0], ids=["small steps", "a first step that discards everything"])
def test_new_words_have_the_bits_of_columns_that_had_lambda_equal_to_eta(dtype, offset):
    grown = model_from(start(dtype), learning_offset=offset)
    for seed, width in enumerate(WIDTHS):
        whole, X = widened(grown, width), batch(width, seed)
        check_same_bits(grown.partial_fit(X), whole.partial_fit(X), batch(width, 9))


def test_added_rows_have_the_bits_of_rows_that_were_present_from_the_start(dtype):
    """Regardless of the decay when rows are added, and of how often it has been applied."""
    priors, steps = corpora.make_priors(np.ones(K), ETA), np.random.default_rng(0)
    early = np.zeros((9, padded(K)), dtype)
    early[:, :K] = ETA
    early[:5, :K] = start(dtype).T
    present, added = LazyLambda(early, priors), LazyLambda(early[:5].copy(), priors)
    for step in range(80):  # 0.6^80 is far below the decay at which it is applied to the rows
        if step == 20:
            added.grow(9, priors.eta)
        words = steps.choice(5 if step < 20 else 8, 3, replace=False)  # the last word never occurs
        sstats = np.zeros((3, padded(K)), dtype)
        sstats[:, :K] = steps.gamma(1, size=(3, K))
        for lam in (present, added):
            lam.online_step(words, sstats, rho=0.4, scale=2.0)
        np.testing.assert_array_equal(added.excess, present.excess)
    np.testing.assert_array_equal(added.materialize(), present.materialize())
    np.testing.assert_array_equal(added.materialize()[8, :K], np.dtype(dtype).type(ETA))


def test_a_new_word_without_tokens_has_lambda_equal_to_eta_and_adds_it_to_the_totals():
    lda = model_from(start("float64"))
    lda.partial_fit(batch(5, 0))
    before = lda._lambda.totals
    lda.partial_fit(wider(np.zeros((1, 5)), 7) + np.eye(1, 7), sample_weight=[1e-30])  # a step with almost no documents
    rho = (lda.learning_offset + 2) ** -lda.learning_decay
    np.testing.assert_array_equal(lda.components_[:, 5:], ETA)
    excess = (1 - rho) * (before - 5 * ETA)
    assert lda._lambda.totals.sum() - 3 * 7 * ETA == pytest.approx(excess.sum() + rho * (lda.n_samples_seen_ - 1))


def test_the_bound_after_growth_equals_its_definition():
    lda = model_from(start("float64"), mean_change_tol=0.0)
    for seed, width in enumerate(WIDTHS[:5]):
        lda.partial_fit(batch(width, seed))
    X = batch(9, 50)
    X[:, 7] = 0
    lam, alpha = lda.components_, np.full(K, 0.2)
    gamma = lda.transform(X, normalize=False)
    topic = elbo.topic_term(lda._lambda.materialize()[:, :K], lda._priors)
    assert topic == pytest.approx(reference.topic_word_term(lam, ETA), rel=1e-12)
    assert lda.score(X) + topic == pytest.approx(reference.elbo_collapsed(X, gamma, lam, alpha, ETA), rel=1e-9)
    assert lda.perplexity(X) == pytest.approx(np.exp(-lda.score(X) / X.sum()))


def test_the_bound_after_growth_never_exceeds_the_evidence():
    X = np.array([[2, 1, 0, 0], [0, 1, 1, 1]])
    lda = model_from(start("float64")[:2, :2]).partial_fit(X[:1, :2]).partial_fit(X)
    alpha = np.full(2, 0.2)
    gamma = lda.transform(X, normalize=False)
    bound = reference.elbo_collapsed(X, gamma, lda.components_, alpha, ETA)
    assert bound < reference.log_evidence(X, alpha, np.full((2, 4), ETA))


def test_eta_is_learned_for_the_current_number_of_words():
    """The fixed point depends on V: words that have not occurred make η smaller."""
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
def test_columns_are_matched_by_name_in_any_order(data):
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


def test_columns_of_a_polars_frame_are_matched_by_name():
    X = batch(3, 1)
    one = (
        model()
        .partial_fit(pl.DataFrame(X, schema=["a", "b", "c"]))
        .partial_fit(pl.DataFrame(X, schema=["d", "c", "e"]))
    )
    two = model().partial_fit(named(X, "abc")).partial_fit(named(X, "dce"))
    assert one.feature_names_in_.tolist() == list("abcde")
    np.testing.assert_array_equal(one.components_, two.components_)


def test_matching_columns_does_not_change_the_documents():
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
def test_columns_that_cannot_be_matched_raise_and_leave_the_model_unchanged(first, then, message):
    lda = model().partial_fit(first)
    before = pickle.dumps(lda)
    with pytest.raises(ValueError, match=message):
        lda.partial_fit(then)
    assert pickle.dumps(lda) == before


@pytest.mark.parametrize(("known", "names"), [("abc", "abb"), ("abb", "abc")])
def test_a_repeated_name_raises(known, names):
    """Later versions of scikit-learn check this themselves."""
    with pytest.raises(ValueError, match="2 columns named 'b'"):
        vocabulary_growth._places(np.array(list(known), object), np.array(list(names), object))


def test_the_same_number_of_columns_without_names_is_accepted_with_a_warning_of_scikit_learn():
    lda = model().partial_fit(named(batch(3, 0), "abc"))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        lda.partial_fit(batch(3, 1))


# Vocabularies that cannot grow


@pytest.mark.parametrize("prior", [np.full(5, 0.2), np.full((K, 5), 0.2)], ids=["(V,)", "(K, V)"])
def test_a_prior_of_each_word_cannot_grow_and_the_error_says_what_to_do(prior):
    lda = model(topic_word_prior=prior).partial_fit(batch(5, 0)).partial_fit(batch(5, 1))
    before = pickle.dumps(lda)
    with pytest.raises(ValueError, match=r"2 new words, and topic_word_prior is an array .* start with one number"):
        lda.partial_fit(batch(7, 1))
    assert pickle.dumps(lda) == before


def test_point_estimates_cannot_grow():
    lda = model(topic_word_prior=0).partial_fit(batch(5, 0))
    with pytest.raises(ValueError, match="2 new words, which topic_word_prior=0 gives probability 0"):
        lda.partial_fit(batch(7, 1))


@pytest.mark.parametrize(
    "X", [batch(7, 1), named(batch(5, 1), "edcba"), named(batch(5, 1), "abcdf")], ids=["more", "order", "new"]
)
def test_other_columns_raise_by_default(X):
    first = batch(5, 0) if isinstance(X, np.ndarray) else named(batch(5, 0), "abcde")
    lda = model(new_words="error").partial_fit(first)
    with pytest.raises(ValueError, match=r"features, but|feature names should match"):
        lda.partial_fit(X)


@pytest.mark.parametrize("check", [check_n_features_in_after_fitting, check_dataframe_column_names_consistency])
def test_scikit_learn_requires_these_errors(check):
    check("LatentDirichletAllocation", LatentDirichletAllocation(n_components=2))


def test_scoring_a_grown_model_requires_all_columns():
    lda = model().partial_fit(batch(5, 0)).partial_fit(batch(7, 1))
    for method in (lda.transform, lda.score, lda.perplexity):
        with pytest.raises(ValueError, match="X has 5 features, but LatentDirichletAllocation is expecting 7"):
            method(batch(5, 0))


def test_an_invalid_value_of_new_words_raises():
    with pytest.raises(ValueError, match="new_words='grow' must be one of 'error', 'add'"):
        model(new_words="grow").partial_fit(batch(5, 0))


# Seed words


def test_seed_words_keep_their_prior_and_new_words_have_the_common_one():
    lda = model(seed_words={0: ["b"], 2: ["a"]}).partial_fit(named(batch(3, 0), "abc"))
    eta = lda._priors.eta.copy()
    for names in ("abcd", "fe"):
        lda.partial_fit(named(batch(len(names), 1), names))
    np.testing.assert_array_equal(lda._priors.eta[:3], eta)
    np.testing.assert_array_equal(lda._priors.eta[3:], np.full((3, K), ETA))
    assert lda._priors.eta[1, 0] > ETA
    np.testing.assert_allclose(lda._lambda.totals, lda.components_.sum(axis=1), rtol=1e-6)


# Models that were fitted, saved or copied


@pytest.mark.parametrize(
    "parameters", [{}, {"inference": "cvb0"}, {"learning_method": "memoized"}], ids=["vb", "cvb0", "memoized"]
)
def test_a_model_of_any_engine_can_grow(parameters):
    lda = model(max_iter=4, tol=None, **parameters).fit(batch(5, 0)).partial_fit(batch(7, 1))
    assert lda.components_.shape == lda.topics_.shape == (K, 7)
    assert lda.n_features_in_ == 7
    assert lda.transform(batch(7, 2)).shape == (12, K)


def saved(lda, tmp_path):
    io.save(lda, tmp_path / "a.ldavi")
    return io.load(tmp_path / "a.ldavi")


def saved_and_mapped(lda, tmp_path):
    io.save(lda, tmp_path / "a.ldavi")
    return io.load(tmp_path / "a.ldavi", mmap=True)


@pytest.mark.parametrize(
    "copied",
    [saved, saved_and_mapped, lambda lda, _: pickle.loads(pickle.dumps(lda)), lambda lda, _: copy.deepcopy(lda)],
    ids=["file", "file, mapped", "pickle", "copy"],
)
def test_a_saved_or_copied_grown_model_continues_with_the_same_bits(copied, tmp_path):
    lda = model(seed_words={1: ["a"]}).partial_fit(named(batch(3, 0), "abc")).partial_fit(named(batch(3, 1), "edc"))
    other = copied(lda, tmp_path)
    for names in ("fa", "gha"):
        X = named(batch(len(names), 3), names)
        lda.partial_fit(X)
        other.partial_fit(X)
    check_same_bits(lda, other, named(batch(8, 5), lda.feature_names_in_))
    assert other.feature_names_in_.tolist() == list("abcedfgh")


def test_a_pickle_does_not_contain_spare_memory():
    lda = model(n_components=64).partial_fit(batch(50, 0)).partial_fit(batch(51, 1))
    assert len(lda._lambda._room._store) >= 75
    assert len(pickle.dumps(lda._lambda)) < 51 * 64 * 4 + 2000


def test_a_clone_has_the_parameters_and_no_words():
    assert clone(model().partial_fit(batch(5, 0)).partial_fit(batch(7, 0))).partial_fit(batch(3, 0)).n_features_in_ == 3


# Memory


def test_adding_rows_few_at_a_time_seldom_copies_the_others():
    lda = model(batch_size=12).partial_fit(batch(40, 0))
    n_moved, where = 0, None
    for step in range(300):
        lda.partial_fit(sparse.csr_array(batch(43 + 3 * step, step)))
        rows = lda._lambda._rows
        if rows.ctypes.data != where:  # all previous rows were copied
            n_moved, where = n_moved + len(rows), rows.ctypes.data
    assert n_moved < 3 * lda.n_features_in_


def test_growable_rows_stay_in_place_until_their_memory_is_exhausted():
    growable, value = GrowableRows(), np.ones((1, 2))
    rows = growable.extended(np.zeros((100, padded(2))), 1, value)
    for n in range(102, 151):
        more = growable.extended(rows, 1, value * n)
        assert np.shares_memory(more, rows)
        rows = more
    assert not np.shares_memory(growable.extended(rows, 1, value), rows)
    np.testing.assert_array_equal(rows[:, 0], [0] * 100 + [1] + list(range(102, 151)))
    assert not rows[:, 2:].any()


def test_rows_from_elsewhere_are_copied():
    growable = GrowableRows()
    mine = np.zeros((4, 2))
    first = growable.extended(mine, 2, np.ones((1, 2)))
    again = growable.extended(mine, 1, np.full((1, 2), 7.0))
    assert first[4:].tolist() == [[1, 1], [1, 1]]
    assert not np.shares_memory(again, first)
    assert not np.shares_memory(again, mine)


def test_read_only_rows_grow(dtype):
    frozen = corpora.word_major(corpora.random_lam(0, K, 5), dtype)
    frozen.flags.writeable = False
    lam = LazyLambda(frozen, corpora.make_priors(np.ones(K), ETA))
    lam.grow(7, np.full((1, 1), ETA))
    lam.online_step(np.array([6]), np.ones((1, padded(K)), dtype), rho=0.5, scale=1.0)
    np.testing.assert_allclose(lam.materialize()[5:, :K], [[ETA] * K, [ETA + 0.5] * K], rtol=1e-6)


def test_a_step_after_growth_writes_only_the_rows_of_its_words():
    lda = model().partial_fit(batch(40, 0))
    before = lda._lambda._rows.copy()
    X = np.zeros((2, 44), int)
    X[:, [3, 42]] = 2
    lda.partial_fit(X)
    untouched = np.setdiff1d(np.arange(40), [3])
    np.testing.assert_array_equal(lda._lambda._rows[untouched], before[untouched])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"topic_word_prior": 0.7}, "topic_word_prior=0.7 differs from that of the fitted topics, 0.3"),
        ({"doc_topic_prior": 0.7}, r"doc_topic_prior=0.7 differs from that of the fitted topics, \["),
        ({"n_components": 4}, "n_components=4 differs from that of the fitted topics, 3"),
    ],
)
def test_the_error_of_partial_fit_names_the_parameter_that_has_changed(changed, message):
    lda = model(doc_topic_prior=0.2).partial_fit(batch(5, 0))
    with pytest.raises(ValueError, match=message):
        lda.set_params(**changed).partial_fit(batch(5, 0))
