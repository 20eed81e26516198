"""Effects of covariates and shares by group in `ldavi.report`: the numbers are those of `inspection`."""

import json
import re

import numpy as np
import pytest
from report_corpus import usual

from ldavi import inspection, report
from ldavi.report import _effects

pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def case():
    return usual()


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.S)[1])


def effects_of(case, **more):
    return data_of(report.show(case.model, case.X, **{**case.options, **more}))["effects"]


def assert_equal(found, expected, name):
    n_terms = len(found["terms"])
    np.testing.assert_allclose(found[name], np.asarray(expected[name]).reshape(-1, n_terms).T, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("name", ["estimate", "std_error", "lower", "upper"])
def test_effects_are_those_of_estimate_effect(case, name):
    found = effects_of(case)
    expected = inspection.estimate_effect(case.model, case.X, case.options["covariates"], random_state=0)
    assert found["terms"] == list(dict.fromkeys(expected["term"]))
    assert_equal(found, expected, name)


def test_a_formula_is_that_of_estimate_effect(case):
    pytest.importorskip("formulaic")
    formula = "~ section * stars"
    found = effects_of(case, formula=formula, n_samples=5, random_state=3)
    expected = inspection.estimate_effect(
        case.model, case.X, case.options["covariates"], formula=formula, n_samples=5, random_state=3
    )
    assert found["formula"] == formula
    assert_equal(found, expected, "estimate")


@pytest.mark.parametrize("name", ["share", "lower", "upper"])
def test_shares_by_group_are_those_of_inspection(case, name):
    (section, _) = effects_of(case)["groups"]
    expected = inspection.shares_by_group(case.model, case.X, case.options["covariates"]["section"], random_state=0)
    assert section["bins"] == ["food", "space", "sport"]
    np.testing.assert_allclose(section[name], np.asarray(expected[name]).reshape(3, 3).T, rtol=1e-4, atol=1e-9)


def test_documents_without_a_value_are_left_out(case):
    section = np.array(case.options["covariates"]["section"], dtype=object)
    section[[2, 7]] = [None, ""]
    found = effects_of(case, covariates={"section": section})
    known = np.delete(np.arange(36), [2, 7])
    expected = inspection.estimate_effect(
        case.model, case.X[known], {"section": section[known].astype(str)}, random_state=0
    )
    assert (found["documents"], found["left_out"]) == (34, 2)
    assert_equal(found, expected, "estimate")


def test_names_of_covariates_are_columns_of_the_metadata(case):
    assert effects_of(case, covariates=["section", "stars"]) == effects_of(case)


def test_categories_of_pandas_keep_their_order(case):
    pd = pytest.importorskip("pandas")
    section = pd.Series(pd.Categorical(case.options["covariates"]["section"], ["sport", "space", "food"]))
    section[3] = None
    found = effects_of(case, covariates=pd.DataFrame({"section": section}))
    known = np.delete(np.arange(36), [3])
    frame = pd.DataFrame({"section": section.iloc[known]})
    expected = inspection.estimate_effect(case.model, case.X[known], frame, random_state=0)
    assert found["terms"] == ["Intercept", "section[T.space]", "section[T.food]"]
    assert found["first_levels"] == {"section": "sport"}
    assert_equal(found, expected, "estimate")


def test_dates_are_years(case):
    found = effects_of(case, covariates=["date"])
    days = (case.options["metadata"]["date"] - np.datetime64("1970-01-01")).astype(float)
    expected = inspection.estimate_effect(case.model, case.X, {"date": 1970 + days / 365.2425}, random_state=0)
    assert found["dates"] == ["date"]
    assert_equal(found, expected, "estimate")


def test_text_that_is_a_number_is_a_number(case):
    stars = [str(value) for value in case.options["metadata"]["stars"]]
    assert effects_of(case, covariates={"stars": stars})["terms"] == ["Intercept", "stars"]


def test_the_section_is_left_out_without_covariates(case):
    page = report.show(case.model, case.X, **{**case.options, "covariates": None})
    assert data_of(page)["effects"] is None
    assert 'id="effects"' not in page.html


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"covariates": "section"}, TypeError, "pass a list of names of columns"),
        ({"covariates": ["place"]}, ValueError, "covariates names the column 'place', which metadata"),
        ({"covariates": {"a": [1, 2]}}, ValueError, r"covariates\['a'\] has shape \(2,\), but X has 36 documents"),
        ({"covariates": []}, ValueError, "covariates has no column"),
        ({"covariates": np.ones((36, 2))}, TypeError, "covariates is ndarray; pass a dict of columns"),
        ({"covariates": {"a": ["x"] * 36}}, ValueError, "'a' is 'x' in all documents"),
        ({"covariates": {"a": [""] * 36}}, ValueError, "no document has a value of each"),
        ({"covariates": {"a": [1.0] * 36}}, ValueError, "linear combination"),
        ({"covariates": None, "formula": "~ section"}, ValueError, "formula='~ section' needs covariates"),
        ({"n_samples": 1}, ValueError, "n_samples"),
    ],
)
def test_covariates_that_cannot_be_used_are_refused(case, options, error, message):
    with pytest.raises(error, match=message):
        effects_of(case, **options)


def test_more_terms_than_the_page_shows_are_refused(case, monkeypatch):
    monkeypatch.setattr(_effects, "MAX_TERMS", 3)
    with pytest.raises(ValueError, match="covariates give 4 terms, and the report shows at most 3"):
        effects_of(case)
