"""Topics, priors and feature names of estimators and arrays; results as tables."""

import importlib.util

import numpy as np
import pytest
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation
from ldavi._core.tables import table
from ldavi._core.topics_of_model import doc_topic_prior_of, feature_names_of, topics_of

X = np.array([[2, 0, 1], [0, 3, 1], [1, 1, 0]])


@pytest.mark.parametrize("estimator", [LatentDirichletAllocation, ScikitLearnLDA])
def test_topics_of_an_estimator_are_its_components_with_rows_that_sum_to_one(estimator):
    model = estimator(2, random_state=0).fit(X)
    expected = model.components_ / model.components_.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(topics_of(model), expected, rtol=1e-6)


def test_topics_of_an_array_are_a_normalised_copy():
    weights = np.array([[1.0, 3.0], [2.0, 2.0]])
    topics = topics_of(weights)
    topics[0] = 0
    np.testing.assert_array_equal(weights, [[1, 3], [2, 2]])
    np.testing.assert_array_equal(topics_of(weights), [[0.25, 0.75], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], "shape"),
        ([[1.0, -2.0]], "negative"),
        ([[1.0, np.nan]], "finite"),
        ([[1.0, 2.0], [0.0, 0.0]], "topic 1 has no mass"),
        (np.empty((0, 3)), "shape"),
    ],
)
def test_invalid_topics_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        topics_of(weights)


def test_the_prior_is_the_fitted_one_or_the_default():
    model = LatentDirichletAllocation(2, doc_topic_prior=0.3, random_state=0).fit(X)
    np.testing.assert_allclose(doc_topic_prior_of(model, 2), [0.3, 0.3])
    np.testing.assert_allclose(doc_topic_prior_of(X, 2, default=0.7), [0.7, 0.7])


def test_names_are_given_or_those_of_the_model_or_numbered():
    pandas = pytest.importorskip("pandas")
    model = LatentDirichletAllocation(2, random_state=0).fit(pandas.DataFrame(X, columns=["a", "b", "c"]))
    assert feature_names_of(model, 3, ["u", "v", "w"]).tolist() == ["u", "v", "w"]
    assert feature_names_of(model, 3).tolist() == ["a", "b", "c"]
    assert feature_names_of(X, 2).tolist() == ["x0", "x1"]


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="one name for each word"):
        feature_names_of(X, 3, ["a", "b"])


def test_a_table_is_a_data_frame():
    pandas = pytest.importorskip("pandas")
    assert isinstance(table(topic=[0, 1], share=[0.2, 0.8]), pandas.DataFrame)


def test_without_pandas_a_table_is_a_structured_array(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    rows = table(topic=np.array([0, 1]), word=np.array(["a", "b"], dtype=object))
    assert isinstance(rows, np.ndarray)
    assert rows.dtype.names == ("topic", "word")
    assert rows["word"].tolist() == ["a", "b"]
