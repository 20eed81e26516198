"""How a sweep is displayed in a terminal and in a notebook."""

import html
import re

import numpy as np
import pytest

from ldavi import selection


@pytest.fixture(scope="module")
def sweep():
    X = np.random.default_rng(0).poisson(0.8, (40, 12))
    return selection.sweep(X, [2, 3, 4], n_init=2, random_state=0)


def empty(n_grid=3, likelihood=-1.0):
    scores = np.full((n_grid, 2), likelihood)
    return selection.Sweep(None, (), np.arange(n_grid) + 2, scores, np.array([5, 5]), np.full(n_grid, np.nan))


def test_the_repr_is_a_small_table_with_the_recommendation(sweep):
    lines = repr(sweep).splitlines()
    assert lines[0] == "Sweep over 2, 3, 4 topics: 6 fits, 8 held-out documents"
    assert [line.split()[0] for line in lines[1:5]] == ["topics", "2", "3", "4"]
    assert lines[5].startswith(f"recommended: {sweep.recommend().n_components} topics")
    assert len(repr(sweep)) < 800


def test_the_repr_has_the_numbers_of_the_table(sweep):
    rows = [line.split() for line in repr(sweep).splitlines()[2:5]]
    assert [row[1] for row in rows] == [f"{value:,.1f}" for value in sweep.table["perplexity"]]


def test_a_notebook_shows_a_table_with_the_recommended_row_in_bold(sweep):
    shown = sweep._repr_html_()
    assert len(re.findall("<tr>", shown)) == 4
    bold = set(re.findall(r'font-weight:bold">(\d)</td>', shown))
    assert bold == {str(sweep.recommend().n_components)}
    assert html.escape(sweep.recommend().reason) in shown


def test_a_sweep_without_a_table_has_a_title():
    assert repr(empty()).startswith("Sweep over 2, 3, 4 topics: 0 fits, 2 held-out documents")


def test_a_sweep_without_a_recommendation_is_displayed():
    assert "recommended" not in repr(empty(likelihood=-np.inf))
    assert "<table>" in empty(likelihood=-np.inf)._repr_html_()


def test_a_long_grid_is_abbreviated():
    assert "2, 3, 4, 5, …, 100, 101 topics" in repr(empty(100))
