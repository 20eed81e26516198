"""Columns with names: whatever takes a model and counts matches them as `transform` does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator

from ldavi import LatentDirichletAllocation, inspection, io, metrics, report

RNG = np.random.default_rng(0)
TOPICS = RNG.dirichlet(np.full(40, 0.1), 4)
COUNTS = np.array([RNG.multinomial(30, theta @ TOPICS) for theta in RNG.dirichlet(np.full(4, 0.2), 80)])
NAMES = [f"w{i}" for i in range(40)]
ORDERED = pd.DataFrame(COUNTS, columns=NAMES)
REVERSED = ORDERED[NAMES[::-1]]

FUNCTIONS = {
    "document_completion": lambda model, X: metrics.document_completion(model, X).perplexity,
    "left_to_right": lambda model, X: metrics.left_to_right(model, X).perplexity,
    "log_evidence": lambda model, X: metrics.log_evidence(model, X).perplexity,
    "bound_gap": lambda model, X: metrics.bound_gap(model, X).gap,
    "scorer": lambda model, X: metrics.scorer("bound")(model, X),
    "coherence": lambda model, X: metrics.coherence(model, X, "u_mass"),
    "theta_samples": lambda model, X: inspection.theta_samples(model, X, 3, random_state=0),
    "estimate_effect": lambda model, X: inspection.estimate_effect(
        model, X, {"first": COUNTS[:, 0]}, n_samples=5, random_state=0
    )["estimate"],
    "word_scores": lambda model, X: inspection.top_words_lists(model, 3, by="lift", X=X),
    "residual_dispersion": lambda model, X: inspection.residual_dispersion(model, X).dispersion,
    "posterior_predictive_check": lambda model, X: inspection.posterior_predictive_check(model, X, random_state=0)[
        "deviance"
    ],
    "topic_sizes": lambda model, X: inspection.topic_sizes(model, X)["tokens"],
    "document_words": lambda model, X: inspection.document_words(model, X.iloc[:1])["word"],
    "to_pyldavis": lambda model, X: io.to_pyldavis(model, X)["term_frequency"],
}


@pytest.fixture(scope="module")
def models():
    """A fitted model for each value of `new_words`."""
    return {
        new_words: LatentDirichletAllocation(4, random_state=0, max_iter=20, tol=None, new_words=new_words).fit(ORDERED)
        for new_words in ("error", "add")
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_columns_in_another_order_are_refused(models, name):
    with pytest.raises(ValueError, match="feature names should match"):
        FUNCTIONS[name](models["error"], REVERSED)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_columns_are_matched_by_name_if_words_may_be_added(models, name):
    expected, found = (np.asarray(FUNCTIONS[name](models["add"], X)) for X in (ORDERED, REVERSED))
    np.testing.assert_array_equal(found, expected)


def test_a_report_refuses_columns_in_another_order(models, tmp_path):
    pytest.importorskip("jinja2")
    with pytest.raises(ValueError, match="feature names should match"):
        report.write(tmp_path / "report.html", models["error"], REVERSED)


def test_counts_without_names_are_matched_by_position(models):
    found = metrics.document_completion(models["error"], COUNTS).perplexity
    assert found == metrics.document_completion(models["error"], ORDERED).perplexity


@pytest.mark.parametrize("source", ["warm_start", "init", "frozen"])
def test_a_fit_does_not_continue_from_topics_over_other_columns(models, source):
    model = LatentDirichletAllocation(4, random_state=0, max_iter=5, tol=None)
    if source == "warm_start":
        model.set_params(warm_start=True).fit(ORDERED)
    else:
        model.set_params(init=models["error"] if source == "init" else FrozenEstimator(models["error"]))
    before = model.__dict__.copy()
    with pytest.raises(ValueError, match="column 0 is 'w0', but that of X is 'w39'"):
        model.fit(REVERSED)
    assert model.__dict__ == before
    with pytest.raises(ValueError, match=r"column 0 is 'w0', but that of X is 'w39'|feature names should match"):
        model.partial_fit(REVERSED)
    assert model.fit(ORDERED).feature_names_in_.tolist() == NAMES


def test_a_warm_start_accepts_columns_without_names(models):
    model = LatentDirichletAllocation(4, random_state=0, max_iter=5, tol=None, init=models["error"]).fit(COUNTS)
    assert model.elbo_ > LatentDirichletAllocation(4, random_state=0, max_iter=1, tol=None).fit(COUNTS).elbo_


@pytest.mark.parametrize("compare", [metrics.match_topics, lambda a, b: metrics.stability([a, b])])
def test_topics_of_models_are_compared_word_by_word(models, compare):
    other = LatentDirichletAllocation(4, random_state=0, max_iter=20, tol=None).fit(REVERSED)
    by_position = compare(models["error"].topics_, other.topics_).mean
    by_name = compare(models["error"].topics_, other.topics_[:, ::-1]).mean
    assert compare(models["error"], other).mean == by_name > by_position


def test_omega_compares_topics_word_by_word(models):
    other = LatentDirichletAllocation(4, random_state=0, max_iter=20, tol=None).fit(REVERSED)
    expected = metrics.omega([models["error"].topics_, other.topics_[:, ::-1]]).value
    assert metrics.omega([models["error"], other]).value == expected


def test_models_of_other_words_are_not_compared(models):
    other = LatentDirichletAllocation(4, random_state=0, max_iter=2, tol=None)
    other.fit(ORDERED.rename(columns={"w3": "new"}))
    with pytest.raises(ValueError, match=r"models\[1\] lacks 'w3' of the words of models\[0\]"):
        metrics.match_topics(models["error"], other)
