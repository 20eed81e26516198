"""Plots of effects and of shares over groups: what is drawn, and labels that fit."""

import numpy as np
import pandas as pd
import pytest

plt = pytest.importorskip("matplotlib.pyplot")

from ldavi import plotting  # noqa: E402  after the test for matplotlib
from ldavi.inspection import shares_by_group, topic_regression  # noqa: E402

TOPICS = np.random.default_rng(0).dirichlet(np.full(12, 0.2), 6)
RNG = np.random.default_rng(1)
X = np.array([RNG.multinomial(40, row @ TOPICS) for row in RNG.dirichlet(np.full(6, 0.3), 50)])
DATA = {"year": RNG.integers(2000, 2010, 50), "party": RNG.choice(["L", "R"], 50)}


@pytest.fixture(autouse=True)
def without_display():
    former = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(former)


@pytest.fixture(scope="module")
def regression():
    return topic_regression(TOPICS, X, DATA, n_samples=4, random_state=0)


def points(ax):
    """Return x and y of the markers, sorted by y."""
    found = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    return found[np.argsort(found[:, 1])].T


def test_effects_are_drawn_in_decreasing_order_with_their_intervals(regression):
    display = plotting.TopicEffectsDisplay.from_regression(regression, "party[T.R]")
    rows = regression.effects()
    rows = rows[rows["term"] == "party[T.R]"].sort_values("estimate", ascending=False)
    np.testing.assert_allclose(points(display.ax_)[0], rows["estimate"])
    segments = np.concatenate([part.get_segments() for part in display.ax_.collections])
    segments = segments[np.argsort(segments[:, 0, 1])]
    np.testing.assert_allclose(segments[:, :, 0], rows[["lower", "upper"]])
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == [f"Topic {k}" for k in rows["topic"]]


def test_an_effect_whose_interval_contains_zero_is_grey():
    display = plotting.TopicEffectsDisplay(
        estimate=[1.0, 0.1], lower=[0.5, -0.2], upper=[1.5, 0.4], topic_names=["a", "b"], label="x"
    ).plot(sort=False)
    colors = {line.get_color() for line in display.ax_.lines if line.get_marker() == "o"}
    assert colors == {"#0072B2", "#595959"}


def test_an_estimator_gives_the_same_effects(regression):
    display = plotting.TopicEffectsDisplay.from_estimator(TOPICS, X, DATA, "year", n_samples=4, random_state=0)
    other = plotting.TopicEffectsDisplay.from_regression(regression, "year")
    np.testing.assert_array_equal(display.estimate, other.estimate)


def test_an_unknown_term_is_refused(regression):
    with pytest.raises(ValueError, match=r"term='party' must be one of 'Intercept', 'year', 'party\[T.R\]'"):
        plotting.TopicEffectsDisplay.from_regression(regression, "party")


def test_shares_over_years_are_lines_with_bands():
    rows = shares_by_group(TOPICS, X, DATA["year"], n_samples=4, random_state=0)
    display = plotting.TopicSharesDisplay.from_table(rows, topics=[2, 0])
    assert len(display.ax_.lines) == 2
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), rows[rows["topic"] == 2]["share"])
    np.testing.assert_allclose(display.ax_.lines[0].get_xdata(), np.unique(DATA["year"]))
    assert {line.get_linestyle() for line in display.ax_.lines} == {"-"}
    assert len(display.ax_.collections) == 2
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["Topic 2", "Topic 0"]


def test_dates_are_in_proportion_on_the_axis():
    days = np.where(DATA["year"] < 2005, "2000-01-01", np.where(DATA["year"] < 2009, "2001-01-01", "2005-01-01"))
    rows = shares_by_group(TOPICS, X, days, period="year", n_samples=4, random_state=0)
    x = plotting.TopicSharesDisplay.from_table(rows).ax_.lines[0].get_xdata()
    np.testing.assert_allclose(np.diff(x), [366, 4 * 365 + 1])


def test_groups_have_points_and_no_line_between_them():
    rows = shares_by_group(TOPICS, X, DATA["party"], n_samples=4, random_state=0)
    display = plotting.TopicSharesDisplay.from_table(rows, topic_names=list("abcdef"))
    assert {line.get_linestyle() for line in display.ax_.lines} == {"None"}
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["L", "R"]
    assert len(display.topic_names) == 5


def test_predicted_shares_are_drawn_over_their_covariate(regression):
    rows = regression.predicted_shares({"year": np.arange(2000, 2010), "party": ["L"] * 10})
    display = plotting.TopicSharesDisplay.from_table(rows, by="year", topics=[1])
    np.testing.assert_allclose(display.ax_.lines[0].get_xdata(), np.arange(2000, 2010))
    assert display.ax_.get_xlabel() == "year"


def test_labels_are_inside_the_figure():
    rows = shares_by_group(TOPICS, X, [f"a group of long name {n % 9}" for n in range(50)], n_samples=2, random_state=0)
    figure = plotting.TopicSharesDisplay.from_table(rows, topic_names=["$x_1$ " * 30] * 6).figure_
    figure.draw_without_rendering()
    ax = figure.axes[0]
    for text in (*ax.get_xticklabels(), *ax.get_legend().get_texts(), ax.title):
        box = text.get_window_extent()
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.width + 1
        assert box.y0 >= -1


ROW = pd.DataFrame({"a": [1], "topic": [0], "share": 0, "lower": 0, "upper": 0})


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (pd.DataFrame({"topic": [0]}), {}, "shares has no column 'share'"),
        (
            pd.concat([ROW, ROW]),
            {},
            "one row for each value",
        ),
        (ROW, {"topics": [3]}, "topics="),
        (
            pd.DataFrame({"a": [1], "topic": [0], "share": 0, "lower": 0, "upper": 0}),
            {"topic_names": []},
            "topic_names",
        ),
    ],
)
def test_tables_that_cannot_be_drawn_are_refused(rows, options, message):
    with pytest.raises(ValueError, match=message):
        plotting.TopicSharesDisplay.from_table(rows, **options)
