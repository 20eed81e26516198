"""Effects of covariates on topics: least squares on each draw, pooling, designs, contrasts and predicted shares."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from ldavi.inspection import estimate_effect, theta_samples, topic_regression
from ldavi.inspection._topic_regression import pooled

TOPICS = np.array([[0.5, 0.3, 0.1, 0.05, 0.05], [0.05, 0.05, 0.1, 0.3, 0.5], [0.1, 0.1, 0.6, 0.1, 0.1]])
RNG = np.random.default_rng(0)
N = 60
DATA = {"year": RNG.integers(2000, 2020, N), "party": RNG.choice(["L", "C", "R"], N), "size": RNG.uniform(0, 1, N)}


def corpus(theta, n_tokens, topics, rng):
    return np.array([rng.multinomial(n_tokens, row @ topics) for row in theta])


X = corpus(RNG.dirichlet([0.5, 0.5, 0.5], N), 40, TOPICS, RNG)


def regression(covariates=DATA, X=X, **options):
    return topic_regression(TOPICS, X, covariates, **{"random_state": 0, **options})


def column(rows, name):
    return np.asarray(rows[name])


# Known answers


def test_coefficients_of_each_draw_are_those_of_least_squares():
    found = regression(n_samples=5)
    theta = theta_samples(TOPICS, X, 5, 0)
    design = np.column_stack([np.ones(N), DATA["year"], DATA["party"] == "L", DATA["party"] == "R", DATA["size"]])
    for m in range(5):
        expected, rss, _, _ = np.linalg.lstsq(design.astype(float), theta[m], rcond=None)
        np.testing.assert_allclose(found.coefficients[m], expected.T, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(found.residual_variance[m], rss / (N - 5), rtol=1e-9)
    np.testing.assert_allclose(found.unscaled_covariance, np.linalg.inv(design.T @ design * 1.0), rtol=1e-6)
    assert found.terms == ["Intercept", "year", "party[T.L]", "party[T.R]", "size"]


def test_effects_agree_with_statsmodels_on_the_same_draws():
    sm = pytest.importorskip("statsmodels.api")
    rows = estimate_effect(TOPICS, X, DATA, formula="~ party * year", n_samples=6, random_state=0)
    theta = theta_samples(TOPICS, X, 6, 0)
    party = pd.get_dummies(pd.Series(DATA["party"]))[["L", "R"]].to_numpy(float)
    year = DATA["year"].astype(float)[:, None]
    design = np.hstack([np.ones((N, 1)), party, year, party * year])
    fits = [[sm.OLS(draw[:, k], design).fit() for draw in theta] for k in range(3)]
    mean = np.array([np.mean([fit.params for fit in topic], axis=0) for topic in fits])
    within = np.array([np.mean([fit.bse**2 for fit in topic], axis=0) for topic in fits])
    between = np.array([np.var([fit.params for fit in topic], axis=0, ddof=1) for topic in fits])
    np.testing.assert_allclose(column(rows, "estimate"), mean.ravel(), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(column(rows, "std_error"), np.sqrt(within + 7 / 6 * between).ravel(), rtol=1e-6)


def test_effects_are_pooled_by_rubins_rules():
    """Against the formulas written for one number, with the degrees of freedom of Welch and Satterthwaite."""
    draws, within, n, level = np.array([1.0, 1.4, 0.7, 1.1]), 0.09, 17, 0.9
    between = draws.var(ddof=1)
    total = within + between * 5 / 4
    nu = total**2 / (within**2 / n + (between * 5 / 4) ** 2 / 3)
    half = stats.t.ppf(0.95, nu) * np.sqrt(total)
    found = pooled(draws[:, None], np.array([within]), n, level)
    np.testing.assert_allclose([*found.mean, *found.std_error], [draws.mean(), np.sqrt(total)])
    np.testing.assert_allclose([*found.lower, *found.upper], [draws.mean() - half, draws.mean() + half], rtol=1e-8)


def test_pooling_samples_the_distribution_of_composition():
    """Coefficients that are drawn from their sampling distribution for each draw of θ have the same moments."""
    found = regression(n_samples=400)
    rng = np.random.default_rng(0)
    mixture = np.concatenate(
        [
            rng.multivariate_normal(b, v * found.unscaled_covariance, 50, method="cholesky")
            for b, v in zip(found.coefficients[:, 0], found.residual_variance[:, 0], strict=True)
        ]
    )
    rows = found.effects()
    np.testing.assert_allclose(column(rows, "std_error")[:5], mixture.std(axis=0), rtol=0.03)
    np.testing.assert_array_less(np.abs(column(rows, "estimate")[:5] - mixture.mean(axis=0)), mixture.std(axis=0) / 20)


def test_effects_of_a_topic_sum_to_zero_over_topics():
    rows = regression().effects()
    sums = np.asarray(rows["estimate"]).reshape(3, 5).sum(axis=0)
    np.testing.assert_allclose(sums, [1, 0, 0, 0, 0], atol=1e-8)


def test_the_table_has_a_row_for_each_topic_and_term():
    rows = estimate_effect(TOPICS, X, DATA, random_state=0)
    assert list(rows.columns) == ["topic", "term", "estimate", "std_error", "lower", "upper"]
    assert rows["topic"].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert ((rows["lower"] < rows["estimate"]) & (rows["estimate"] < rows["upper"])).all()


def test_effects_in_short_documents_shrink_as_derived():
    """Topics without a common word: the effect is N / (A + N) times the true one. Equation (21.7)."""
    rng, n_docs, n_tokens = np.random.default_rng(1), 4000, 6
    group = np.arange(n_docs) % 2
    theta = np.where(group[:, None] == 1, rng.dirichlet([1.6, 0.4], n_docs), rng.dirichlet([0.4, 1.6], n_docs))
    counts = corpus(theta, n_tokens, np.eye(2), rng)
    rows = estimate_effect(np.eye(2), counts, group, n_samples=5, random_state=0, doc_topic_prior=1.0)
    true = theta[group == 1, 0].mean() - theta[group == 0, 0].mean()
    estimate = column(rows, "estimate")[1]
    assert abs(estimate - true * n_tokens / (2 + n_tokens)) < 0.015
    assert abs(estimate - true) > 0.1


# Coverage on planted corpora


def planted_effect(seed, effect, n_docs=100, n_tokens=60):
    """Draw a corpus with two groups, in which the expected share of topic 0 differs by `effect`."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(60, 0.1), 4)
    group = rng.permutation(np.arange(n_docs) % 2)
    means = np.array(
        [[0.25 - effect / 2, 0.25 + effect / 2, 0.25, 0.25], [0.25 + effect / 2, 0.25 - effect / 2, 0.25, 0.25]]
    )
    theta = np.array([rng.dirichlet(2 * means[g]) for g in group])
    return topics, group, corpus(theta, n_tokens, topics, rng)


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_intervals_of_planted_effects_cover_and_bias_is_small(effect):
    covered, estimates = [], []
    for seed in range(40):
        topics, group, counts = planted_effect(seed, effect)
        rows = estimate_effect(topics, counts, {"g": group}, n_samples=6, random_state=0, doc_topic_prior=0.5)
        lower, upper, estimate = (column(rows, name)[1] for name in ("lower", "upper", "estimate"))
        covered.append(lower <= effect <= upper)
        estimates.append(estimate)
    assert np.mean(covered) >= 0.9
    assert abs(np.mean(estimates) - effect) < 0.02


# Invariances


def test_any_number_of_threads_gives_the_same_bits():
    assert (regression().coefficients == regression(n_jobs=2).coefficients).all()


def test_permuting_documents_changes_only_rounding():
    order = np.random.default_rng(0).permutation(N)
    permuted = regression({name: values[order] for name, values in DATA.items()}, X[order])
    np.testing.assert_allclose(permuted.coefficients, regression().coefficients, rtol=1e-6, atol=1e-9)


def test_permuting_topics_permutes_the_effects():
    order = [2, 0, 1]
    found = topic_regression(TOPICS[order], X, DATA, random_state=0)
    np.testing.assert_allclose(found.coefficients, regression().coefficients[:, order], rtol=1e-9, atol=1e-12)


def test_documents_without_words_are_left_out():
    more = np.vstack([X, np.zeros((5, 5), int)])
    covariates = {name: np.concatenate([values, values[:5]]) for name, values in DATA.items()}
    found = regression(covariates, more)
    assert found.n_documents == N
    np.testing.assert_allclose(found.coefficients, regression().coefficients, rtol=1e-9)


# Designs


@pytest.mark.parametrize(
    "covariates",
    [
        pd.DataFrame(DATA),
        pl.DataFrame(DATA),
        np.array(list(zip(*DATA.values(), strict=True)), dtype=[("year", int), ("party", "U1"), ("size", float)]),
        {name: values.tolist() for name, values in DATA.items()},
        pd.DataFrame(DATA, dtype=object),
        pd.DataFrame(DATA).convert_dtypes(),
        {**DATA, "party": pd.Series(DATA["party"]).astype("category")},
    ],
    ids=["pandas", "polars", "structured", "lists", "objects", "nullable", "category"],
)
def test_covariates_of_any_kind_give_the_same_terms(covariates):
    assert (regression(covariates).coefficients == regression().coefficients).all()
    assert regression(covariates).terms == regression().terms


def test_an_array_has_numbered_columns():
    assert regression(DATA["size"]).terms == ["Intercept", "x"]
    assert regression(pd.Series(DATA["size"], name="length")).terms == ["Intercept", "length"]
    assert regression(np.column_stack([DATA["size"], DATA["year"]])).terms == ["Intercept", "x0", "x1"]


def test_the_first_of_the_ordered_categories_is_the_reference():
    party = pd.Series(pd.Categorical(DATA["party"], categories=["R", "C", "L", "unused"]))
    assert regression({"party": party}).terms == ["Intercept", "party[T.C]", "party[T.L]"]
    assert regression({"party": party}, formula="~ party").terms == ["Intercept", "party[T.C]", "party[T.L]"]


def test_booleans_are_levels():
    assert regression({"new": DATA["year"] > 2010}).terms == ["Intercept", "new[T.True]"]


def test_a_formula_of_all_covariates_equals_none():
    found = regression(formula="~ year + party + size")
    order = [found.terms.index(term) for term in regression().terms]
    np.testing.assert_allclose(found.coefficients[..., order], regression().coefficients, rtol=1e-7, atol=1e-10)


def test_a_formula_may_have_splines_and_interactions():
    found = regression(formula="~ party * bs(size, df=4)")
    assert len(found.terms) == 3 * 5
    assert "party[T.L]:bs(size, df=4)[1]" in found.terms


def test_a_formula_sees_no_variables_but_the_covariates():
    secret = DATA["size"]
    assert secret is not None
    with pytest.raises(ValueError, match="cannot be evaluated with the covariates 'year', 'party', 'size'"):
        regression(formula="~ secret")


def test_a_formula_without_formulaic_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "formulaic", None)
    with pytest.raises(ImportError, match=r"ldavi\[effects\]"):
        regression(formula="~ year")
    assert regression().terms[0] == "Intercept"


# Predicted shares and contrasts


def test_predicted_shares_are_linear_in_the_effects():
    found = regression()
    rows = found.predicted_shares({"year": [2001, 2015], "party": ["C", "R"], "size": [0.5, 0.25]})
    effects = column(found.effects(), "estimate").reshape(3, 5)
    expected = np.array([[1, 2001, 0, 0, 0.5], [1, 2015, 0, 1, 0.25]]) @ effects.T
    np.testing.assert_allclose(column(rows, "share"), expected.ravel(), rtol=1e-7)
    assert list(rows.columns) == ["year", "party", "size", "topic", "share", "std_error", "lower", "upper"]
    np.testing.assert_allclose(column(rows, "share").reshape(2, 3).sum(axis=1), 1)


def test_a_contrast_of_levels_is_the_effect_of_the_indicator():
    found = regression()
    base = {"year": 2010, "party": "C", "size": 0.5}
    rows, effects = found.contrast({**base, "party": "R"}, base), found.effects()
    chosen = np.asarray(effects["term"]) == "party[T.R]"
    for name, other in (("difference", "estimate"), ("std_error", "std_error"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(column(rows, name), column(effects, other)[chosen], rtol=1e-9, atol=1e-12)


def test_predictions_of_a_formula_repeat_its_splines():
    found = regression(formula="~ bs(size, df=4) + party")
    at = {"size": DATA["size"], "party": DATA["party"]}
    whole = column(found.predicted_shares(at), "share").reshape(N, 3)
    part = column(found.predicted_shares({name: values[:3] for name, values in at.items()}), "share").reshape(3, 3)
    np.testing.assert_allclose(part, whole[:3], rtol=1e-9)


def test_a_difference_of_two_groups_is_that_of_their_mean_shares():
    group = DATA["party"] == "R"
    found = regression({"r": group})
    theta = theta_samples(TOPICS, X, 25, 0).mean(axis=0)
    rows = found.contrast({"r": True}, {"r": False})
    np.testing.assert_allclose(column(rows, "difference"), theta[group].mean(axis=0) - theta[~group].mean(axis=0))


# Invalid input


@pytest.mark.parametrize(
    ("covariates", "options", "error", "message"),
    [
        ({"a": DATA["year"][:5]}, {}, ValueError, r"covariates\['a'\] has shape \(5,\), but there are 60 rows"),
        (
            {"a": np.where(DATA["size"] > 0.5, np.nan, 1)},
            {},
            ValueError,
            r"covariates\['a'\] has no finite value in row",
        ),
        ({"a": [None] + ["x"] * (N - 1)}, {}, ValueError, r"covariates\['a'\] has no finite value in row 0"),
        ({"a": pd.array([pd.NA] + ["x"] * (N - 1))}, {}, ValueError, r"covariates\['a'\] has no finite value in row 0"),
        ({"a": np.full(N, np.datetime64("2020-01-01"))}, {}, TypeError, r"covariates\['a'\] holds dates"),
        ({}, {}, ValueError, "covariates has no column"),
        (5, {}, TypeError, "covariates must be a dict of columns"),
        ({"a": np.ones(N)}, {}, ValueError, "'a' is a linear combination of other terms|'Intercept' is a linear"),
        ({"a": np.arange(N).astype(str)}, {}, ValueError, "60 terms, but only 60 documents have words"),
        (DATA, {"n_samples": 1}, ValueError, "n_samples=1"),
        (DATA, {"formula": 3}, TypeError, "formula=3"),
        (DATA, {"formula": "year ~ party"}, ValueError, "must have no left-hand side"),
        (DATA, {"formula": "~ year +"}, ValueError, "formula='~ year \\+' cannot be evaluated"),
        (DATA, {"formula": "~ unknown"}, ValueError, "formula='~ unknown' cannot be evaluated"),
    ],
)
def test_invalid_covariates_are_refused(covariates, options, error, message):
    with pytest.raises(error, match=message):
        regression(covariates, **options)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({"year": 2001, "party": "X", "size": 1.0}, "the covariate 'party' has no level 'X'"),
        ({"year": 2001, "size": 1.0}, "the covariate 'party' of the regression is missing"),
        ({"year": "old", "party": "C", "size": 1.0}, "the covariate 'year' holds numbers; 'old' is not one"),
    ],
)
def test_predictions_at_invalid_covariates_are_refused(at, message):
    with pytest.raises(ValueError, match=message):
        regression().predicted_shares(at)


def test_a_formula_refuses_levels_that_no_document_has():
    with pytest.raises(ValueError, match="the covariate 'party' has no level 'X'"):
        regression(formula="~ party").predicted_shares({"party": "X"})


def test_a_level_must_be_a_probability():
    with pytest.raises(ValueError, match="level"):
        estimate_effect(TOPICS, X, DATA, level=95)
