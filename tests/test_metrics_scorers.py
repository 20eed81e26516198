"""Scores for scikit-learn's model selection."""

import pickle

import numpy as np
import pytest
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

import ldavi
from ldavi import LatentDirichletAllocation, metrics

X = np.random.default_rng(0).poisson(1.5, (24, 9))
LDA = LatentDirichletAllocation(2, tol=1e-1, random_state=0).fit(X)
QUICK = {
    "document_completion": {},
    "left_to_right": {},
    "log_evidence": {"n_temperatures": 10, "n_chains": 4},
    "bound": {},
}
TEXTS = [
    "cat dog cat mouse",
    "dog cat dog",
    "sun moon sun star",
    "moon star moon sun",
    "cat sun dog moon",
    "star mouse",
] * 3


@pytest.mark.parametrize("measure", QUICK)
def test_cross_validation_accepts_the_scorer(measure):
    scores = cross_val_score(LDA, X, cv=3, scoring=metrics.scorer(measure, **QUICK[measure]), error_score="raise")
    assert scores.shape == (3,)
    assert (scores < 0).all()


@pytest.mark.parametrize("measure", QUICK)
def test_grid_search_over_a_pipeline_accepts_the_scorer(measure):
    pipeline = make_pipeline(CountVectorizer(), LatentDirichletAllocation(tol=1e-1, random_state=0))
    grid = {"latentdirichletallocation__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring=metrics.scorer(measure, **QUICK[measure]), error_score="raise")
    search.fit(TEXTS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    score = metrics.scorer(measure, **QUICK[measure])(search.best_estimator_, TEXTS)
    counts = search.best_estimator_[:-1].transform(TEXTS)
    assert score == metrics.scorer(measure, **QUICK[measure])(search.best_estimator_[-1], counts)


@pytest.mark.parametrize("measure", QUICK)
def test_scikit_learns_own_class_is_scored(measure):
    model = ScikitLearnLDA(2, max_iter=3, random_state=0).fit(X)
    assert -9 < metrics.scorer(measure, **QUICK[measure])(model, X) < 0


@pytest.mark.parametrize("measure", ["document_completion", "left_to_right", "log_evidence"])
def test_the_score_is_the_logarithm_of_the_perplexity_of_its_function(measure):
    perplexity = getattr(metrics, measure)(LDA, X, **QUICK[measure]).perplexity
    assert metrics.scorer(measure, **QUICK[measure])(LDA, X) == pytest.approx(-np.log(perplexity))


def test_the_bound_is_that_of_infer_per_token():
    bound = ldavi.infer(X, LDA.topics_, LDA.doc_topic_prior_, dtype="float64").bound.sum()
    assert metrics.scorer("bound")(LDA, X) == pytest.approx(bound / X.sum(), rel=1e-5)


@pytest.mark.parametrize("measure", QUICK)
def test_a_fold_with_each_document_twice_scores_the_same(measure):
    score = metrics.scorer(measure, **QUICK[measure])
    assert score(LDA, np.vstack([X, X])) == pytest.approx(score(LDA, X), rel=1e-9)


@pytest.mark.parametrize("measure", QUICK)
def test_the_scorer_can_be_pickled(measure):
    score = metrics.scorer(measure, **QUICK[measure])
    assert pickle.loads(pickle.dumps(score))(LDA, X) == score(LDA, X)


@pytest.mark.parametrize("measure", QUICK)
def test_scoring_does_not_change_the_model(measure):
    before = pickle.dumps(LDA.components_)
    metrics.scorer(measure, **QUICK[measure])(LDA, X)
    assert pickle.dumps(LDA.components_) == before


@pytest.mark.parametrize("measure", QUICK)
def test_a_fold_without_words_scores_nothing(measure):
    assert metrics.scorer(measure, **QUICK[measure])(LDA, np.zeros((2, 9))) == 0


def test_passthrough_steps_do_nothing():
    pipeline = Pipeline([("nothing", "passthrough"), ("none", None), ("lda", LDA)])
    assert metrics.scorer("bound")(pipeline, X) == metrics.scorer("bound")(LDA, X)


def test_an_unknown_measure_is_refused_immediately():
    with pytest.raises(ValueError, match="measure='accuracy'"):
        metrics.scorer("accuracy")


def test_an_unknown_option_is_refused_immediately():
    with pytest.raises(TypeError, match="left_to_right takes no option 'particles'; it takes n_particles"):
        metrics.scorer("left_to_right", particles=3)
