"""Topics over time and by group: means of draws, their standard errors, and how groups are made."""

import numpy as np
import pandas as pd
import pytest

from ldavi.inspection import shares_by_group, theta_samples, topic_regression

TOPICS = np.array([[0.6, 0.3, 0.05, 0.05], [0.05, 0.05, 0.3, 0.6]])
RNG = np.random.default_rng(0)
N = 40
X = np.array([RNG.multinomial(30, row @ TOPICS) for row in RNG.dirichlet([0.7, 0.7], N)])
GROUP = RNG.choice(["a", "b", "c"], N)
DAYS = np.datetime64("2020-01-15") + RNG.integers(0, 1000, N)


def shares(groups, X=X, **options):
    return shares_by_group(TOPICS, X, groups, **{"random_state": 0, "n_samples": 8, **options})


def test_shares_are_the_means_of_the_draws():
    theta = theta_samples(TOPICS, X, 8, 0)
    rows = shares(GROUP)
    expected = [theta[:, group == GROUP].mean(axis=(0, 1)) for group in ("a", "b", "c")]
    np.testing.assert_allclose(rows["share"], np.ravel(expected))
    assert rows["group"].tolist() == ["a", "a", "b", "b", "c", "c"]
    assert rows["n_documents"].tolist() == np.repeat([np.sum(group == GROUP) for group in "abc"], 2).tolist()


def test_standard_errors_have_a_part_from_documents_and_one_from_draws():
    theta = theta_samples(TOPICS, X, 8, 0)[:, GROUP == "b"]
    within = theta.var(axis=1, ddof=1).mean(axis=0) / theta.shape[1]
    between = theta.mean(axis=1).var(axis=0, ddof=1)
    found = shares(GROUP)
    np.testing.assert_allclose(found["std_error"][2:4], np.sqrt(within + 9 / 8 * between))


def test_a_single_group_agrees_with_a_regression_on_a_constant():
    rows = shares(np.zeros(N))
    intercept = topic_regression(TOPICS, X, {"one": np.arange(N)}, formula="~ 1", n_samples=8, random_state=0).effects()
    for name, other in (("share", "estimate"), ("std_error", "std_error"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(rows[name], intercept[other])


def test_dates_are_cut_into_periods():
    rows = shares(DAYS, period="year")
    assert rows["group"].unique().tolist() == ["2020-01-01", "2021-01-01", "2022-01-01"]
    texts = shares([str(day) for day in DAYS], period="year")
    pd.testing.assert_frame_equal(rows, texts)
    years = shares(DAYS.astype("datetime64[Y]").astype(int))
    np.testing.assert_allclose(rows["share"], years["share"])


def test_the_period_is_chosen_if_it_is_not_given():
    assert shares(DAYS)["group"].str.endswith("-01").all()  # months


def test_documents_without_a_group_or_words_are_left_out():
    group = GROUP.astype(object)
    group[:5] = None
    empty = X.copy()
    empty[5:8] = 0
    assert shares(group, empty)["n_documents"].iloc[::2].sum() == N - 8
    np.testing.assert_allclose(shares(group, empty)["share"], shares(GROUP[8:], X[8:])["share"])


def test_a_group_of_one_document_has_no_standard_error():
    rows = shares(["a"] * (N - 1) + ["b"])
    assert rows["std_error"].isna().tolist() == [False, False, True, True]
    assert rows["share"].notna().all()


def test_intervals_of_group_means_cover():
    covered = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        alpha = np.array([[1.5, 0.5], [0.5, 1.5]])
        group = np.arange(60) % 2
        counts = np.array([rng.multinomial(100, rng.dirichlet(alpha[g]) @ TOPICS) for g in group])
        rows = shares(group, counts, doc_topic_prior=1.0)
        truth = np.array([0.75, 0.25, 0.25, 0.75])
        covered.append((rows["lower"] <= truth) & (truth <= rows["upper"]))
    assert 0.88 <= np.mean(covered) <= 1


@pytest.mark.parametrize(
    ("groups", "options", "error", "message"),
    [
        (GROUP[:3], {}, ValueError, r"groups has shape \(3,\), but X has 40 documents"),
        ([None] * N, {}, ValueError, "groups: no document with words has a value"),
        (GROUP, {"period": "year"}, ValueError, "period='year' requires dates"),
        (DAYS, {"period": "era"}, ValueError, "period='era' must be one of"),
        (GROUP, {"n_samples": 1}, ValueError, "n_samples=1"),
        (GROUP, {"level": 1.5}, ValueError, "level=1.5"),
    ],
)
def test_invalid_groups_are_refused(groups, options, error, message):
    with pytest.raises(error, match=message):
        shares(groups, **options)
