"""Document priors that depend on covariates: updates, fits, inference, files and editing."""

import numpy as np
import pytest
from scipy.special import psi
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ldavi import LatentDirichletAllocation, io
from ldavi._core.prior_regression import Covariates, PriorRegression, Scaling
from ldavi._inference import doc_regression
from ldavi._inference.doc_regression import (
    LogThetaOfGroups,
    bound_of_alpha,
    evidence_of_alpha,
    group_topic_counts,
    updated_by_bound,
)
from tests import reference

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

K = 4
COEF = np.array([[1.5, -1.5, 0.0, 0.0], [0.6, 0.0, -0.6, 0.0]])
INTERCEPT = np.log([0.3, 0.5, 0.2, 0.4])
ENGINES = {
    "default": {},
    "vb": {"n_collapsed_iter": 0},
    "random start": {"n_collapsed_iter": 0, "init": "random"},
    "cvb0": {"inference": "cvb0"},
    "float64": {"dtype": "float64"},
}


def planted(n_docs=600, n_words=60, n_tokens=40, seed=0):
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_words, 0.05), K)
    C = np.column_stack([rng.integers(0, 2, n_docs), rng.normal(size=n_docs).round(1)])
    alpha = np.exp(INTERCEPT + C @ COEF)
    theta = np.array([rng.dirichlet(row) for row in alpha])
    return np.array([rng.multinomial(n_tokens, row @ beta) for row in theta]), C, beta


@pytest.fixture(scope="module")
def corpus():
    return planted()


@pytest.fixture(scope="module")
def model(corpus):
    X, C, _ = corpus
    return LatentDirichletAllocation(K, doc_topic_prior="regression", random_state=0).fit(X, doc_covariates=C)


def regression(**parameters):
    return LatentDirichletAllocation(K, doc_topic_prior="regression", random_state=0, **parameters)


def order_of(model, beta):
    """Return the fitted topic nearest to each planted one."""
    return np.argmax(beta @ model.topics_.T, axis=1)


# The objectives


def random_statistics(seed=0):
    rng = np.random.default_rng(seed)
    values = np.column_stack([np.ones(5), rng.normal(size=(5, 2))])
    weight = rng.uniform(1, 20, 5)
    log_theta = psi(rng.gamma(1, 1, (5, 3)) + 0.1) - psi(4.0)
    return LogThetaOfGroups(values, weight[:, None] * log_theta, weight)


def random_topic_counts(seed=0):
    rng = np.random.default_rng(seed)
    values = np.column_stack([np.ones(4), rng.normal(size=(4, 1))])
    document = np.repeat(np.arange(30), 9)
    parts = rng.integers(0, 4, 30), rng.uniform(0.5, 2, 30), document, rng.integers(0, 3, len(document))
    return group_topic_counts(values, *parts, 3), parts


def numerical_gradient(function, alpha, step=1e-6):
    gradient = np.empty_like(alpha)
    for at in np.ndindex(alpha.shape):
        up, down = alpha.copy(), alpha.copy()
        up[at] += step
        down[at] -= step
        gradient[at] = (function(up)[0] - function(down)[0]) / (2 * step)
    return gradient


@pytest.mark.parametrize(
    "objective", [bound_of_alpha(random_statistics()), evidence_of_alpha(random_topic_counts()[0])]
)
def test_gradients_are_those_of_the_objectives(objective):
    alpha = np.random.default_rng(1).gamma(1, 1, (5, 3))[: 5 if objective.__qualname__.startswith("bound") else 4]
    found = objective(alpha)[1]
    np.testing.assert_allclose(found, numerical_gradient(objective, alpha), rtol=1e-5, atol=1e-6)


def test_the_evidence_is_that_of_each_document():
    counts, (group, weight, document, topic) = random_topic_counts()
    alpha = np.random.default_rng(2).gamma(1, 1, (4, 3))
    n = np.zeros((30, 3))
    np.add.at(n, (document, topic), 1)
    expected = sum(
        w * (reference.log_normaliser(a + row) - reference.log_normaliser(a))
        for w, a, row in zip(weight, alpha[group], n, strict=True)
    )
    assert evidence_of_alpha(counts)(alpha)[0] == pytest.approx(expected, rel=1e-12)


def test_an_update_ends_where_the_gradient_vanishes():
    statistics = random_statistics()
    found = PriorRegression(np.zeros((3, 3)))
    for _ in range(60):
        found, _ = updated_by_bound(found, statistics)
    alpha = found.alpha_of_groups(statistics.values)
    of_scores = alpha * bound_of_alpha(statistics)(alpha)[1]
    gradient = statistics.values.T @ of_scores
    gradient[1:] -= found.coef[1:] / doc_regression.PRIOR_SD**2
    np.testing.assert_allclose(gradient, 0, atol=0.01)


def test_the_gain_of_an_update_is_the_increase_of_the_objective():
    statistics, before = random_statistics(), PriorRegression(np.full((3, 3), -0.5))
    after, gain = updated_by_bound(before, statistics)
    objective = bound_of_alpha(statistics)
    values = [objective(each.alpha_of_groups(statistics.values))[0] for each in (before, after)]
    priors = [doc_regression.log_prior(each) for each in (before, after)]
    assert gain == pytest.approx(values[1] - values[0], rel=1e-9)
    assert gain + priors[1] - priors[0] > 0


def test_coefficients_of_scaled_covariates_are_converted_and_back():
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.normal(2000, 9, 50), rng.integers(0, 2, 50)])
    scaling, coef = Scaling.of_columns(values, None, None), rng.normal(size=(3, 4))
    given = scaling.coef_as_given(coef)
    np.testing.assert_allclose(given[0] + values @ given[1:], scaling.scaled(values) @ coef, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(scaling.coef_of_scaled(given), coef, rtol=1e-9, atol=1e-9)


def test_some_documents_of_many_groups_have_their_own_alpha():
    values = np.column_stack([np.ones(9), np.arange(9.0)])
    covariates, found = Covariates.of_documents(values), PriorRegression(np.array([[-1.0, 0.5], [0.2, -0.1]]))
    np.testing.assert_array_equal(found.alpha_of(covariates.select(slice(3, 5))), found.alpha_of(covariates)[3:5])


# Fits


@pytest.mark.parametrize("parameters", ENGINES.values(), ids=ENGINES)
def test_planted_effects_are_recovered(corpus, parameters):
    X, C, beta = corpus
    found = regression(**parameters).fit(X, doc_covariates=C)
    order = order_of(found, beta)
    assert sorted(order) == list(range(K))
    np.testing.assert_allclose(found.doc_topic_coef_[:, order], COEF, atol=0.45)


@pytest.mark.parametrize("parameters", [ENGINES["vb"], ENGINES["random start"], {"dtype": "float64"}])
def test_the_bound_never_falls(corpus, parameters):
    X, C, _ = corpus
    trace = regression(**parameters).fit(X, doc_covariates=C).elbo_trace_
    elbo = trace["elbo"][trace["phase"] == "monotone"]
    assert (np.diff(elbo) >= -1e-6 * np.abs(elbo[1:])).all()


@pytest.mark.parametrize("parameters", [{"n_collapsed_iter": 0}, {"inference": "cvb0", "max_iter": 60}])
def test_the_bound_is_that_of_its_definition(parameters):
    X, C, _ = planted(60)
    precise = {"dtype": "float64", "mean_change_tol": 1e-10, "tol": 1e-10, **parameters}
    found = regression(**precise).fit(X, doc_covariates=C)
    coef = np.vstack([found.doc_topic_intercept_, found.doc_topic_coef_])
    log_prior = -0.5 * np.square(Scaling.of_columns(C, None, None).coef_of_scaled(coef)[1:]).sum()
    topics = reference.topic_word_term(found.components_, found.topic_word_prior_)
    assert log_prior < -1
    assert found.elbo_ == pytest.approx(found.score(X, doc_covariates=C) + topics + log_prior, abs=0.5)


@pytest.mark.parametrize("parameters", [ENGINES["default"], ENGINES["cvb0"]], ids=["default", "cvb0"])
def test_the_bits_do_not_depend_on_the_number_of_threads(corpus, parameters):
    X, C, _ = corpus
    one, three = (
        regression(max_iter=24, tol=None, n_jobs=n_jobs, **parameters).fit(X, doc_covariates=C) for n_jobs in (1, 3)
    )
    np.testing.assert_array_equal(one.components_, three.components_)
    np.testing.assert_array_equal(one.doc_topic_coef_, three.doc_topic_coef_)


def test_the_term_of_the_topics_contains_the_prior_of_the_coefficients(corpus):
    X, C, _ = corpus
    found = regression(dtype="float64", max_iter=30, tol=None).fit(X, doc_covariates=C)
    coef = np.vstack([found.doc_topic_intercept_, found.doc_topic_coef_])
    log_prior = -0.5 * np.square(Scaling.of_columns(C, None, None).coef_of_scaled(coef)[1:]).sum()
    expected = reference.topic_word_term(found.components_, found.topic_word_prior_) + log_prior
    trace = found.elbo_trace_
    assert trace["topic_word"][trace["phase"] == "monotone"][-1] == pytest.approx(expected, rel=1e-9)


def test_the_unit_of_a_covariate_does_not_matter(corpus):
    X, C, _ = corpus
    here = regression(max_iter=30).fit(X, doc_covariates=C)
    there = regression(max_iter=30).fit(X, doc_covariates=np.column_stack([C[:, 0], 2000 + 10 * C[:, 1]]))
    np.testing.assert_allclose(there.doc_topic_coef_[1] * 10, here.doc_topic_coef_[1], rtol=0.02, atol=0.002)


def test_a_constant_column_has_no_coefficient(corpus):
    X, C, _ = corpus
    without = regression(max_iter=30).fit(X, doc_covariates=C)
    found = regression(max_iter=30).fit(X, doc_covariates=np.column_stack([np.ones(len(C)), C]))
    np.testing.assert_array_equal(found.doc_topic_coef_[0], 0)
    np.testing.assert_allclose(found.doc_topic_coef_[1:], without.doc_topic_coef_, rtol=1e-4)


def test_a_weight_of_2_equals_a_repeated_document(corpus):
    X, C, _ = (array[:100] if len(array) > 100 else array for array in corpus)
    vb = {"n_collapsed_iter": 0, "dtype": "float64", "max_iter": 30, "tol": None}
    weighted = regression(**vb).fit(X, doc_covariates=C, sample_weight=np.full(len(X), 2.0))
    twice = regression(**vb).fit(np.vstack([X, X]), doc_covariates=np.vstack([C, C]))
    np.testing.assert_allclose(weighted.doc_topic_coef_, twice.doc_topic_coef_, rtol=1e-3, atol=1e-4)


def test_a_weight_of_0_leaves_a_document_and_its_covariates_out(corpus):
    X, C, _ = corpus
    fit = {"n_collapsed_iter": 0, "max_iter": 20, "dtype": "float64"}
    weight = np.ones(len(X))
    weight[300:] = 0
    extreme = np.where(weight[:, None] > 0, C, 1e6)
    found = regression(**fit).fit(X, doc_covariates=extreme, sample_weight=weight)
    expected = regression(**fit).fit(X[:300], doc_covariates=C[:300])
    np.testing.assert_allclose(found.doc_topic_coef_, expected.doc_topic_coef_, rtol=1e-6)


def test_covariates_raise_the_bound_of_held_out_documents(model, corpus):
    X, C, _ = planted(300, seed=0)
    shuffled = C[np.random.default_rng(0).permutation(len(C))]
    assert model.score(X, doc_covariates=C) > model.score(X, doc_covariates=shuffled) + 10


def test_a_validation_set_has_covariates_too(corpus):
    X, C, _ = corpus
    found = regression(validation_fraction=0.2, max_iter=30).fit(X, doc_covariates=C)
    assert np.isfinite(found.elbo_trace_["validation"]).any()


def test_a_warm_start_continues_from_the_coefficients(model, corpus):
    X, C, _ = corpus
    again = regression(init=model).fit(X, doc_covariates=C)
    assert again.elbo_ >= model.elbo_ * (1 + 1e-6)
    np.testing.assert_allclose(again.doc_topic_coef_, model.doc_topic_coef_, atol=0.2)


def test_a_resumed_fit_has_the_bits_of_an_uninterrupted_one(corpus, tmp_path):
    X, C, _ = corpus
    for parameters in (ENGINES["default"], ENGINES["cvb0"]):
        path, whole = tmp_path / f"{len(parameters)}.ckpt", regression(max_iter=40, tol=None, **parameters)
        stop = regression(max_iter=40, tol=None, callbacks=_interrupt_at(30), **parameters)
        with pytest.raises(KeyboardInterrupt):
            stop.fit(X, doc_covariates=C, checkpoint=io.Checkpoint(path, minutes=0))
        resumed = clone(whole).fit(X, doc_covariates=C, checkpoint=io.Checkpoint(path, minutes=0))
        np.testing.assert_array_equal(resumed.doc_topic_coef_, whole.fit(X, doc_covariates=C).doc_topic_coef_)


def _interrupt_at(iteration):
    def interrupt(record):
        if record.iteration == iteration:
            raise KeyboardInterrupt

    return interrupt


def test_a_checkpoint_of_other_covariates_is_refused(corpus, tmp_path):
    X, C, _ = corpus
    stop = regression(max_iter=40, callbacks=_interrupt_at(12))
    with pytest.raises(KeyboardInterrupt):
        stop.fit(X, doc_covariates=C, checkpoint=io.Checkpoint(tmp_path / "c", minutes=0))
    with pytest.raises(ValueError, match="belongs to another fit"):
        regression(max_iter=40).fit(X, doc_covariates=C[::-1], checkpoint=io.Checkpoint(tmp_path / "c", minutes=0))


def test_the_two_values_of_a_binary_covariate_do_not_matter():
    X = planted(200)[0]
    rare = (np.arange(200) < 6).astype(float)
    fit = {"n_collapsed_iter": 0, "max_iter": 20, "dtype": "float64"}
    one, other = (regression(**fit).fit(X, doc_covariates=column) for column in (rare, 7 + 100 * rare))
    np.testing.assert_allclose(other.doc_topic_coef_ * 100, one.doc_topic_coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("factor", [1e-170, 1e170])
def test_extreme_units_are_scaled(factor):
    C = np.random.default_rng(0).normal(size=(20, 2))
    scaled = Scaling.of_columns(C * factor, None, None).scaled(C * factor)
    np.testing.assert_allclose(scaled, Scaling.of_columns(C, None, None).scaled(C), rtol=1e-6)


def test_a_column_that_differs_by_rounding_alone_is_constant():
    column = np.where(np.arange(10) % 2, 0.3, 0.1 + 0.2)[:, None]
    np.testing.assert_array_equal(Scaling.of_columns(column, None, None).scaled(column)[:, 1], 0)


def test_the_training_perplexity_leaves_the_prior_of_coefficients_out(model, corpus):
    X, C, _ = corpus
    assert model.bound_ == pytest.approx(model.perplexity(X, doc_covariates=C), rel=1e-4)


def test_a_warm_start_with_other_covariates_is_refused(corpus):
    pd = pytest.importorskip("pandas")
    X, C, _ = corpus
    table = pd.DataFrame(C, columns=["party", "year"])
    fitted = regression(max_iter=10).fit(X, doc_covariates=table)
    with pytest.raises(ValueError, match="same columns in the same order"):
        regression(init=fitted).fit(X, doc_covariates=table[["year", "party"]])


def test_online_steps_forget_the_coefficients(corpus):
    X, C, _ = corpus
    found = regression(max_iter=10).fit(X, doc_covariates=C).set_params(doc_topic_prior="auto")
    assert not hasattr(found.partial_fit(X[:50]), "doc_topic_coef_")


# Inference


def test_documents_without_covariates_have_the_prior_of_all(model):
    theta = model.transform(np.zeros((1, 60), int))
    np.testing.assert_allclose(theta[0], model.doc_topic_prior_ / model.doc_topic_prior_.sum(), rtol=1e-5)


def test_empty_documents_have_the_prior_mean_of_their_covariates(model):
    C = np.array([[1.0, 0.3], [0.0, -1.0]])
    alpha = np.exp(model.doc_topic_intercept_ + C @ model.doc_topic_coef_)
    theta = model.transform(np.zeros((2, 60), int), doc_covariates=C)
    np.testing.assert_allclose(theta, alpha / alpha.sum(axis=1, keepdims=True), rtol=1e-4)


def test_a_row_depends_on_its_document_and_covariates_alone(model, corpus):
    X, C, _ = corpus
    np.testing.assert_array_equal(
        model.transform(X, doc_covariates=C)[5:6], model.transform(X[5:6], doc_covariates=C[5:6])
    )


def test_gamma_is_that_of_the_reference(corpus):
    X, C, _ = corpus
    found = regression(dtype="float64", max_iter=15, mean_change_tol=1e-9).fit(X, doc_covariates=C)
    gamma = found.transform(X[:5], normalize=False, doc_covariates=C[:5])
    alpha = np.exp(found.doc_topic_intercept_ + C[:5] @ found.doc_topic_coef_)
    for d in range(5):
        fixed = LatentDirichletAllocation(K, doc_topic_prior=alpha[d], topic_word_prior=found.topic_word_prior_)
        fixed.set_params(mean_change_tol=1e-9, dtype="float64", max_iter=1, n_collapsed_iter=0).fit(X[:50])
        fixed.components_ = found.components_
        np.testing.assert_allclose(fixed.transform(X[d : d + 1], normalize=False)[0], gamma[d], rtol=1e-6)


def test_a_pipeline_routes_covariates(corpus):
    X, C, _ = corpus
    with config_context(enable_metadata_routing=True):
        step = regression(max_iter=20).set_fit_request(doc_covariates=True)
        step.set_transform_request(doc_covariates=True)
        pipeline = make_pipeline(FunctionTransformer(validate=False), step)
        theta = pipeline.fit(X, doc_covariates=C).transform(X, doc_covariates=C)
    alone = regression(max_iter=20).fit(X, doc_covariates=C)
    np.testing.assert_array_equal(theta, alone.transform(X, doc_covariates=C))


def test_fit_transform_equals_fit_and_transform(corpus):
    X, C, _ = corpus
    theta = regression(max_iter=10).fit_transform(X, doc_covariates=C)
    np.testing.assert_array_equal(
        theta, regression(max_iter=10).fit(X, doc_covariates=C).transform(X, doc_covariates=C)
    )


# Files and editing


def test_a_saved_model_has_its_coefficients(model, corpus, tmp_path):
    X, C, _ = corpus
    io.save(model, tmp_path / "m.ldavi")
    loaded = io.load(tmp_path / "m.ldavi")
    np.testing.assert_array_equal(loaded.doc_topic_coef_, model.doc_topic_coef_)
    np.testing.assert_array_equal(loaded.transform(X, doc_covariates=C), model.transform(X, doc_covariates=C))


def test_merged_topics_have_the_sum_of_the_priors_nearly(corpus):
    X, C, _ = corpus
    edited = regression(max_iter=30).fit(X, doc_covariates=C)
    alpha = np.exp(edited.doc_topic_intercept_ + C @ edited.doc_topic_coef_)
    edited.merge_topics([[0, 2]])
    after = np.exp(edited.doc_topic_intercept_ + C @ edited.doc_topic_coef_)
    assert edited.doc_topic_coef_.shape == (2, K - 1)
    expected = np.column_stack([alpha[:, 0] + alpha[:, 2], alpha[:, 1], alpha[:, 3]])
    np.testing.assert_allclose(after[:, 1:], expected[:, 1:], rtol=1e-12)
    assert np.median(np.abs(np.log(after[:, 0] / expected[:, 0]))) < 0.3


def test_a_removed_topic_takes_its_coefficients_along(corpus):
    X, C, _ = corpus
    edited = regression(max_iter=30).fit(X, doc_covariates=C)
    before = edited.doc_topic_coef_
    edited.remove_topics([1])
    np.testing.assert_array_equal(edited.doc_topic_coef_, before[:, [0, 2, 3]])


def test_a_fit_with_another_prior_forgets_the_coefficients(corpus):
    X, C, _ = corpus
    found = regression(max_iter=10).fit(X, doc_covariates=C)
    found.set_params(doc_topic_prior="auto").fit(X)
    assert not hasattr(found, "doc_topic_coef_")


# Errors


def test_the_names_of_columns_are_checked(corpus):
    pd = pytest.importorskip("pandas")
    X, C, _ = corpus
    table = pd.DataFrame(C, columns=["party", "year"])
    found = regression(max_iter=10).fit(X, doc_covariates=table)
    assert list(found.doc_covariate_names_) == ["party", "year"]
    with pytest.raises(ValueError, match="same columns in the same order"):
        found.transform(X, doc_covariates=table[["year", "party"]])


def test_dates_are_refused(corpus):
    with pytest.raises(TypeError, match="holds dates"):
        regression().fit(corpus[0], doc_covariates=np.full((600, 1), np.datetime64("2024-01-01")))


def test_covariates_without_names_give_a_warning_if_the_model_has_some(corpus):
    pd = pytest.importorskip("pandas")
    X, C, _ = corpus
    found = regression(max_iter=10).fit(X, doc_covariates=pd.DataFrame(C, columns=["party", "year"]))
    with pytest.warns(UserWarning, match="have names"):
        found.transform(X[:2], doc_covariates=C[:2])


@pytest.mark.parametrize(
    ("parameters", "arguments", "message"),
    [
        ({}, {}, "needs the covariates"),
        ({"doc_topic_prior": 0.1}, {"doc_covariates": 1}, "has no effect"),
        ({"learning_method": "online"}, {"doc_covariates": 1}, 'needs learning_method="batch"'),
        ({"learning_method": "memoized"}, {"doc_covariates": 1}, 'needs learning_method="batch"'),
    ],
)
def test_covariates_and_regression_are_given_together(corpus, parameters, arguments, message):
    X, C, _ = corpus
    given = dict.fromkeys(arguments, C)
    with pytest.raises(ValueError, match=message):
        regression().set_params(**parameters).fit(X, **given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda C: C[:-1], "has 599 rows, but X has 600 documents"),
        (lambda C: np.where(C[3, 1] == C, np.nan, C), "NaN"),
        (lambda C: np.where(C > 0, "left", "right"), "Make|make columns of numbers"),
        (lambda C: C[:, :0], "0 feature"),
        (lambda C: [[1.0], [1.0, 2.0]] * 300, "doc_covariates cannot be used"),
    ],
)
def test_unsuitable_covariates_are_refused(corpus, change, message):
    X, C, _ = corpus
    with pytest.raises(ValueError, match=message):
        regression().fit(X, doc_covariates=change(C))


def test_batches_are_refused(corpus):
    X, C, _ = corpus
    with pytest.raises(ValueError, match="needs X in memory"):
        regression().fit([X[:300], X[300:]], doc_covariates=C)


def test_partial_fit_is_refused(corpus):
    with pytest.raises(ValueError, match="not supported by partial_fit"):
        regression().partial_fit(corpus[0])


def test_covariates_of_a_model_without_coefficients_are_refused(corpus):
    X, C, _ = corpus
    plain = LatentDirichletAllocation(K, max_iter=3).fit(X)
    with pytest.raises(ValueError, match="fitted without"):
        plain.transform(X, doc_covariates=C)


def test_covariates_of_another_number_of_columns_are_refused(model, corpus):
    X, C, _ = corpus
    with pytest.raises(ValueError, match="was fitted with 2"):
        model.transform(X, doc_covariates=C[:, :1])


def test_an_error_leaves_a_fitted_model_unchanged(corpus):
    X, C, _ = corpus
    found = regression(max_iter=10).fit(X, doc_covariates=C)
    before = found.transform(X[:3])
    with pytest.raises(ValueError, match="rows"):
        found.fit(X, doc_covariates=C[:5])
    np.testing.assert_array_equal(found.transform(X[:3]), before)
