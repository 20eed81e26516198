"""Plots: their content, labels that fit, and images compared with reviewed baselines.

`LDAVI_WRITE_BASELINES=1 python -m pytest tests/test_plotting.py` writes new images to tests/baseline: review them.
"""

import importlib
import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import ldavi
from ldavi import LatentDirichletAllocation, inspection

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.legend import Legend  # noqa: E402  after the test for matplotlib
from matplotlib.testing.compare import compare_images  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from ldavi import plotting  # noqa: E402
from ldavi.plotting import _style  # noqa: E402

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 5  # root mean square of 255: edges may be smoothed otherwise, bars may not be elsewhere
TOLERANCE_OF_CELLS = 12  # versions of matplotlib differ by a pixel in where the cells of an image end
V = 40
RNG = np.random.default_rng(0)
LONG_WORDS = [f"{'verylongcompoundword' * (1 + w % 3)}{w}" for w in range(V)]


def topics(n_topics, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(V, 0.1), n_topics)


def counts(n_topics, n_docs=20, seed=0):
    rng = np.random.default_rng([seed, 1])
    theta = rng.dirichlet(np.full(n_topics, 0.2), n_docs)
    return np.array([rng.multinomial(60, p / p.sum()) for p in theta @ topics(n_topics, seed)])


@pytest.fixture(autouse=True)
def plain_style():
    """Use matplotlib's defaults without a display, and close all figures afterwards."""
    plt = importlib.import_module("matplotlib.pyplot")
    former = matplotlib.get_backend()
    plt.switch_backend("agg")
    with matplotlib.style.context("default"):
        yield
    plt.close("all")
    plt.switch_backend(former)


@pytest.fixture(scope="module")
def lda():
    return LatentDirichletAllocation(5, n_collapsed_iter=0, max_iter=300).fit(counts(5, 40))


def boxes_of(figure):
    """Return the visible texts, and their left, bottom, right and top in pixels."""
    figure.draw_without_rendering()
    axes = [ax for ax in figure.findobj(matplotlib.axes.Axes.__mro__[1]) if ax.get_visible()]
    ticks = [axis.get_major_ticks() for ax in axes for axis in (ax.xaxis, ax.yaxis)]
    shown = [tick for ax in axes for axis in (ax.xaxis, ax.yaxis) for tick in axis._update_ticks()]
    of_ticks = {id(label) for tick in itertools.chain(*ticks) for label in (tick.label1, tick.label2)}
    drawn = {id(label) for tick in shown for label in (tick.label1, tick.label2)}
    every = figure.findobj(
        lambda artist: isinstance(artist, Text) and artist.get_visible() and artist.get_text().strip()
    )
    texts = {id(text): text for text in every if id(text) in drawn or (id(text) not in of_ticks and not is_spare(text))}
    boxes = [Text.get_window_extent(text).extents for text in texts.values()]
    return [text.get_text() for text in texts.values()], np.array(boxes)


def is_spare(text):
    """Whether a text is the label of a tick that its axis keeps for reuse."""
    axes = text.axes
    spare = [] if axes is None else [*axes.xaxis.majorTicks, *axes.yaxis.majorTicks]
    return any(text is label for tick in spare for label in (tick.label1, tick.label2))


def check_labels(figure):
    """Assert that labels do not overlap, and that all are within the figure."""
    names, boxes = boxes_of(figure)
    low, high = boxes[:, :2], boxes[:, 2:]
    width, height = np.moveaxis(np.minimum(high[:, None], high) - np.maximum(low[:, None], low), 2, 0)
    covered = np.triu((width > 1) & (height > 2.5), 1)  # boxes include ascenders and descenders
    assert [(names[i], names[j]) for i, j in np.argwhere(covered)] == []
    within = (low >= -1).all(axis=1) & (high <= [figure.bbox.width + 1, figure.bbox.height + 1]).all(axis=1)
    assert [name for name, fits in zip(names, within, strict=True) if not fits] == []


SWEEP = {
    "n_components": np.array([5, 10, 20, 50, 100]),
    "perplexity": np.array([900.0, 820.0, 790.0, 810.0, 850.0]),
    "perplexity_std_error": np.array([9.0, 8.0, 8.0, 9.0, 12.0]),
    "coherence": np.array([0.05, 0.09, 0.12, 0.1, 0.07]),
    "seconds": np.array([1.0, 2.0, 4.0, 9.0, 20.0]),
}
TRACE = {
    "iteration": np.arange(1, 9),
    "phase": np.array(["warmup"] * 3 + ["monotone"] * 4 + ["final"]),
    "seconds": np.arange(8.0),
    "elbo": -np.array([90.0, 70, 62, 55, 52, 51, 50.5, 50]) * 1e4,
    "word": -np.array([80.0, 62, 55, 49, 46, 45, 44.5, 44]) * 1e4,
    "doc_topic": -np.array([6.0, 5, 4.5, 4, 4, 4, 4, 4]) * 1e4,
    "topic_word": -np.array([4.0, 3, 2.5, 2, 2, 2, 2, 2]) * 1e4,
}
PERIODS = {
    "periods": [1990, 2000, 2005, 2010],
    "share": np.array([[0.2, 0.3, 0.5], [0.3, 0.3, 0.4], [0.5, 0.1, 0.4], [0.1, 0.1, 0.8]]),
    "change": np.array([[np.nan] * 3, [0.1, 0.2, 0.1], [0.3, 0.2, 0.15], [0.2, 0.1, 0.05]]),
}


def whole_display(name, n_topics):
    """Draw a display of a model with long words in a new figure."""
    beta, X = topics(n_topics), counts(n_topics)
    if name == "words":
        return plotting.TopWordsDisplay.from_estimator(beta, feature_names=LONG_WORDS, n_words=3)
    if name == "sizes":
        return plotting.TopicSizesDisplay.from_estimator(beta, X, feature_names=LONG_WORDS)
    if name == "map":
        return plotting.TopicMapDisplay.from_estimator(beta, X, feature_names=LONG_WORDS)
    if name == "tree":
        return plotting.TopicTreeDisplay.from_estimator(beta, feature_names=LONG_WORDS)
    if name == "documents":
        return plotting.DocumentTopicsDisplay.from_estimator(beta, X, feature_names=LONG_WORDS)
    return plotting.TopicMatchingDisplay.from_estimator(beta, topics(n_topics, 1), feature_names=LONG_WORDS)


# Labels


@pytest.mark.parametrize("n_topics", [1, 5, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["words", "sizes", "map", "documents", "matching"])
def test_no_label_covers_another_or_leaves_the_figure(name, n_topics):
    check_labels(whole_display(name, n_topics).figure_)


@pytest.mark.parametrize("draw", [
    lambda: plotting.ConvergenceDisplay(trace=TRACE, tol=1e-4).plot(),
    lambda: plotting.SweepDisplay.from_table(SWEEP),
    lambda: plotting.TopicTreeDisplay.from_estimator(topics(5), feature_names=LONG_WORDS),
    lambda: plotting.PeriodsDisplay(**PERIODS, topic_names=LONG_WORDS[:3]).plot(),
])  # fmt: skip
def test_no_label_of_a_curve_covers_another_or_leaves_the_figure(draw):
    check_labels(draw().figure_)


def test_numbers_of_crowded_topics_do_not_overlap():
    """A hundred topics in three clusters: numbers leave their circles, none is missing and none overlaps."""
    points = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.4, 0.8]], [60, 30, 10], axis=0)
    points += 0.01 * RNG.standard_normal(points.shape)
    display = plotting.TopicMapDisplay(coordinates=points, shares=RNG.dirichlet(np.ones(100))).plot()
    assert sorted(int(text.get_text()) for text in display.numbers_) == list(range(100))
    check_labels(display.figure_)


@pytest.mark.parametrize("shares", [[1.0, 1.0, 1.0], [0.9, 0.05, 0.05]])
def test_circles_lie_within_the_map_and_their_areas_are_the_shares(shares):
    points = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, -3.0]])
    display = plotting.TopicMapDisplay(coordinates=points, shares=shares).plot()
    (circles,) = display.ax_.collections
    sizes = circles.get_sizes()
    radii = np.sqrt(sizes) / 2 * display.figure_.dpi / 72
    frame, centres = display.ax_.get_window_extent(), display.ax_.transData.transform(circles.get_offsets())
    np.testing.assert_allclose(sizes / sizes.sum(), np.sort(shares)[::-1] / np.sum(shares))
    assert (centres - radii[:, None] >= [frame.x0, frame.y0]).all()
    assert (centres + radii[:, None] <= [frame.x1, frame.y1]).all()


@pytest.mark.parametrize("word", ["$", "$x$", "a_b^$c$", "\\alpha$$"])
def test_words_are_not_interpreted_as_mathematics(word):
    display = plotting.TopWordsDisplay(words=[[word]], probabilities=[[0.5]], topic_names=[word]).plot()
    display.figure_.draw_without_rendering()  # unbalanced mathematics would raise
    assert not display.axes_[0].get_yticklabels()[0].get_parse_math()


def test_characters_missing_in_the_font_come_from_another_font():
    """matplotlib includes fonts with characters that DejaVu Sans does not have."""
    from matplotlib import cbook
    from matplotlib.font_manager import get_font

    own = get_font(cbook._get_data_path("fonts/ttf/STIXGeneral.ttf")).get_charmap().keys()
    lacking = sorted(_style.missing_letters("".join(map(chr, own))))
    display = plotting.TopWordsDisplay(words=[[chr(lacking[0])]], probabilities=[[1.0]], topic_names=["one"]).plot()
    display.figure_.canvas.draw()  # a character that no font contains would cause a warning
    assert display.axes_[0].get_yticklabels()[0].get_fontfamily()[0] in ("sans-serif", "DejaVu Sans")
    assert len(display.axes_[0].get_yticklabels()[0].get_fontfamily()) == 2


def test_a_long_name_is_truncated_to_one_line():
    assert _style.shorten("a\nb" + "c" * 40, 10) == "a bcccccc…"
    assert len(_style.shorten("c" * 40, 10)) == 10
    assert _style.shorten("short") == "short"


# What is drawn


def test_bars_are_the_probabilities_of_the_top_words(lda):
    display = plotting.TopWordsDisplay.from_estimator(lda, n_words=4, by="frex", topics=[3, 1])
    table = inspection.top_words(lda, 4, by="frex")
    for ax, k in zip(display.axes_, [3, 1], strict=True):
        own = np.asarray(table["topic"]) == k
        np.testing.assert_allclose([bar.get_width() for bar in ax.patches], np.asarray(table["probability"])[own])
        assert [label.get_text() for label in ax.get_yticklabels()] == np.asarray(table["word"])[own].tolist()


def test_sizes_are_drawn_in_decreasing_order(lda):
    X = counts(5, 40)
    display = plotting.TopicSizesDisplay.from_estimator(lda, X)
    shares = np.asarray(inspection.topic_sizes(lda, X)["share"])
    np.testing.assert_allclose([bar.get_width() for bar in display.ax_.patches], np.sort(shares)[::-1])
    assert display.ax_.get_yticklabels()[0].get_text() == f"Topic {shares.argmax()}"
    kept = display.plot(sort=False)
    np.testing.assert_allclose([bar.get_width() for bar in kept.ax_.patches], shares)


def test_sizes_without_documents_are_those_of_the_fit(lda):
    display = plotting.TopicSizesDisplay.from_estimator(lda)
    np.testing.assert_array_equal(display.shares, inspection.topic_sizes(lda)["share"])


def test_the_heat_map_shows_the_proportions_grouped_by_topic(lda):
    X = counts(5, 40)
    display = plotting.DocumentTopicsDisplay.from_estimator(lda, X)
    theta = lda.transform(X)
    np.testing.assert_allclose(display.ax_.images[0].get_array(), theta[display.order_], rtol=1e-6)
    assert (np.diff(theta[display.order_].argmax(axis=1)) >= 0).all()


def test_many_documents_are_drawn_without_names():
    theta = RNG.dirichlet(np.ones(3), 500)
    display = plotting.DocumentTopicsDisplay(theta=theta, topic_names=list("abc")).plot()
    assert not display.ax_.get_yticklabels()
    assert "500 documents" in display.ax_.get_ylabel()


def test_every_term_of_every_pass_is_drawn_with_a_marker_per_phase(lda):
    display = plotting.ConvergenceDisplay.from_estimator(lda)
    for ax, term in zip(display.axes_, ["elbo", "word", "doc_topic", "topic_word"], strict=False):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), lda.elbo_trace_[term])
        assert len({(line.get_color(), line.get_marker()) for line in ax.lines[1:]}) == 2
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == ["warm-up", "monotone"]


def test_the_legend_of_three_phases_leaves_the_title_free():
    lda = LatentDirichletAllocation(3, max_iter=40, tol=None, random_state=0).fit(counts(3, 40))
    axes = plotting.ConvergenceDisplay.from_estimator(lda).axes_[0]
    axes.figure.canvas.draw()
    assert len(axes.get_legend().get_texts()) == 3
    title = next(text for text in axes.get_children() if getattr(text, "get_text", str)().startswith("Evidence"))
    assert not title.get_window_extent().overlaps(axes.get_legend().get_window_extent())


def test_gains_are_relative_and_do_not_cross_phases():
    display = plotting.ConvergenceDisplay(trace=TRACE).plot(x="seconds")
    gains = display.axes_[-1].lines[0].get_ydata()
    np.testing.assert_allclose(gains[[1, 4]], [20 / 70, 3 / 52])
    assert np.isnan(gains[[0, 3, 7]]).all()


def test_the_tolerance_is_a_line(lda):
    ax = plotting.ConvergenceDisplay.from_estimator(lda).axes_[-1]
    assert any(list(line.get_ydata()) == [lda.tol, lda.tol] for line in ax.lines)


def test_a_sweep_has_error_bars_and_rings_the_best():
    display = plotting.SweepDisplay.from_table(SWEEP)
    perplexity, coherence, seconds = display.axes_
    bars = perplexity.collections[0].get_segments()
    np.testing.assert_allclose([high - low for (_, low), (_, high) in bars], 2 * SWEEP["perplexity_std_error"])
    assert [ax.lines[-1].get_xdata()[0] for ax in (perplexity, coherence)] == [20, 20]
    assert not any(line.get_markersize() == 12 for line in seconds.lines)


def test_rows_of_one_number_of_topics_are_averaged():
    table = np.array([(5, 1.0), (5, 3.0), (10, 4.0)], dtype=[("n_components", int), ("stability", float)])
    (ax,) = plotting.SweepDisplay.from_table(table).axes_
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2, 4])
    low, high = ax.collections[0].get_segments()[0][:, 1]
    np.testing.assert_allclose(high - low, 2)  # two standard errors, each √2 / √2


def test_a_sweep_of_any_measure_of_a_data_frame_is_drawn():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n_components": [2, 3], "my_measure": [1.0, 2.0]})
    (ax,) = plotting.SweepDisplay.from_table(frame, measures=["my_measure"]).axes_
    assert ax.get_title(loc="left") == "my measure"


def test_matched_topics_are_on_the_diagonal():
    beta = topics(6)
    order = [4, 2, 0, 5, 1, 3]
    display = plotting.TopicMatchingDisplay.from_estimator(beta, beta[order])
    assert [order[k] for k in display.columns_] == display.rows_.tolist()
    np.testing.assert_allclose(np.diag(display.ax_.images[0].get_array()), 1)


def test_the_matching_is_that_of_metrics():
    one, other = topics(5, seed=1), topics(7, seed=2)
    matching = ldavi.metrics.match_topics(one, other, "cosine")
    display = plotting.TopicMatchingDisplay.from_estimator(one, other, distance="cosine")
    best_first = np.argsort(-matching.similarity)
    np.testing.assert_array_equal(np.column_stack([display.rows_, display.columns_[:5]]), matching.pairs[best_first])
    np.testing.assert_allclose(np.diag(display.ax_.images[0].get_array()), matching.similarity[best_first])


@pytest.mark.parametrize("shape", [(3, 6), (6, 3)])
def test_unmatched_topics_come_last(shape):
    display = plotting.TopicMatchingDisplay.from_estimator(topics(6)[: shape[0]], topics(6)[: shape[1]])
    assert sorted(display.rows_) == list(range(shape[0]))
    assert sorted(display.columns_) == list(range(shape[1]))
    assert display.rows_[:3].tolist() == display.columns_[:3].tolist()


def test_colours_differ_in_lightness_as_well():
    """They remain distinguishable in greyscale; cividis is perceptually uniform by design."""
    colors = [matplotlib.colors.to_rgb(color) for color in (_style.ORANGE, _style.BLUE, _style.GREEN, _style.VERMILION)]
    lightness = np.sort(np.array(colors) @ [0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > 0.03).all()
    assert _style.CMAP == "cividis"


def test_figures_grow_with_the_topics():
    few, many = (
        plotting.TopicSizesDisplay(shares=np.ones(k) / k, topic_names=["a"] * k).plot().figure_ for k in (5, 50)
    )
    assert many.get_figheight() > 5 * few.get_figheight()


@pytest.mark.parametrize("name", ["words", "sizes", "map", "documents", "matching", "tree"])
def test_figures_of_a_hundred_topics_fit_a_page(name):
    width, height = sorted(whole_display(name, 100).figure_.get_size_inches())
    assert width <= _style.PAGE[0] + 0.1
    assert height <= _style.PAGE[1] + 0.1


def test_labels_of_many_topics_are_at_least_four_and_a_half_points():
    for name in ("words", "sizes", "documents", "tree"):
        figure = whole_display(name, 100).figure_
        sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        assert min(sizes) >= 4.5, name


def test_an_outlier_does_not_compress_the_map():
    points = np.vstack([RNG.standard_normal((30, 2)), [[80.0, 0.0]]])
    display = plotting.TopicMapDisplay(coordinates=points).plot()
    x = np.ma.getdata(display.ax_.collections[0].get_offsets())[:, 0]
    assert np.ptp(np.sort(x)[:-1]) > 0.3 * np.ptp(x)
    assert "1 outlier" in display.ax_.get_title(loc="left") or "outliers" in display.ax_.get_title(loc="left")


def test_labels_of_topics_differ():
    common = np.r_[np.full(4, 0.15), np.full(26, 0.4 / 26)]
    beta = 0.6 * common + 0.4 * RNG.dirichlet(np.full(30, 0.2), 6)
    display = plotting.TopicSizesDisplay.from_estimator(
        beta, RNG.poisson(1, (9, 30)), feature_names=[f"w{w}" for w in range(30)]
    )
    words = [set(name.split(" · ")[1].split(", ")) for name in display.topic_names]
    assert all(len(a & b) < 2 for a, b in itertools.combinations(words, 2))


@pytest.mark.parametrize("name", ["TopicSizesDisplay", "TopicMapDisplay", "DocumentTopicsDisplay"])
def test_a_given_axes_is_drawn_on(name):
    figure, ax = importlib.import_module("matplotlib.pyplot").subplots()
    display = getattr(plotting, name).from_estimator(topics(4), counts(4), ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure


# Invalid arguments


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plotting.TopWordsDisplay.from_estimator(topics(3), topics=[3]), ValueError, "from 0 to 2"),
        (
            lambda: plotting.TopWordsDisplay.from_estimator(topics(3), topic_names=["a"]),
            ValueError,
            "topic_names holds 1",
        ),
        (lambda: plotting.TopWordsDisplay.from_estimator(topics(3), axes=[None]), ValueError, "axes holds 1"),
        (lambda: plotting.ConvergenceDisplay.from_estimator(topics(3)), TypeError, "elbo_trace_"),
        (lambda: plotting.ConvergenceDisplay(trace=TRACE).plot(x="time"), ValueError, "x='time'"),
        (lambda: plotting.SweepDisplay.from_table({"k": [1]}), ValueError, "needs n_components"),
        (lambda: plotting.SweepDisplay.from_table(SWEEP, measures=["f1"]), ValueError, "must name columns"),
        (
            lambda: plotting.DocumentTopicsDisplay.from_estimator(topics(3), counts(3), document_names=["a"]),
            ValueError,
            "document_names holds 1",
        ),
        (
            lambda: plotting.TopicMatchingDisplay.from_estimator(topics(3), topics(3)[:, 1:]),
            ValueError,
            "other has 39 words",
        ),
    ],
)
def test_a_wrong_argument_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"ldavi\[plot\]"):
        plotting.TopicSizesDisplay(shares=[1.0], topic_names=["a"]).plot()
    assert ldavi.plotting is plotting


# Images


def axes_of(figure, n_panels):
    return np.ravel(figure.subplots(n_panels, 1)) if n_panels > 1 else figure.subplots()


def image_of_words(figure):
    panels = axes_of(figure, 2)
    lengths = [[0.4, 0.2, 0.1], [0.3, 0.25, 0.05]]
    plotting.TopWordsDisplay(words=[["a"] * 3] * 2, probabilities=lengths, topic_names=["a", "b"]).plot(axes=panels)


def image_of_convergence(figure):
    plotting.ConvergenceDisplay(trace=TRACE, tol=1e-2).plot(axes=axes_of(figure, 5))


def image_of_map(figure):
    angle = np.arange(12) * 2.4
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(np.arange(12) + 1)[:, None]
    plotting.TopicMapDisplay(coordinates=points, shares=np.arange(1, 13.0)).plot(ax=axes_of(figure, 1))


def image_of_sizes(figure):
    plotting.TopicSizesDisplay(shares=[0.1, 0.5, 0.15, 0.25], topic_names=list("abcd")).plot(ax=axes_of(figure, 1))


def image_of_documents(figure):
    theta = np.array([[0.1, 0.2, 0.7], [0.9, 0.05, 0.05], [0.3, 0.4, 0.3], [0.6, 0.1, 0.3]])
    plotting.DocumentTopicsDisplay(theta=theta, topic_names=list("abc")).plot(ax=axes_of(figure, 1))


def image_of_sweep(figure):
    plotting.SweepDisplay(table=SWEEP).plot(axes=axes_of(figure, 3))


def image_of_matching(figure):
    distances = np.array([[0.9, 0.2, 0.8, 0.7], [0.1, 0.9, 0.7, 0.9], [0.6, 0.8, 0.9, 0.4]])
    names = list("abcd")
    pairs = np.array([[0, 1], [1, 0], [2, 3]])
    display = plotting.TopicMatchingDisplay(distances=distances, pairs=pairs, names=names[:3], other_names=names)
    display.plot(ax=axes_of(figure, 1))


def image_of_tree(figure):
    tree = np.array([[0, 2, 0.2, 2], [1, 4, 0.3, 2], [5, 3, 0.45, 3], [6, 7, 0.9, 5]])
    plotting.TopicTreeDisplay(tree=tree, topic_names=list("abcde"), max_distance=0.4).plot(ax=axes_of(figure, 1))


def image_of_periods(figure):
    plotting.PeriodsDisplay(**PERIODS, topic_names=list("abc")).plot(axes=axes_of(figure, 2))


IMAGES = [
    image_of_words,
    image_of_convergence,
    image_of_map,
    image_of_sizes,
    image_of_documents,
    image_of_sweep,
    image_of_matching,
    image_of_tree,
    image_of_periods,
]


@pytest.mark.parametrize("draw", IMAGES, ids=lambda draw: draw.__name__.removeprefix("image_of_"))
def test_the_image_equals_the_reviewed_baseline(draw, tmp_path):
    """Texts are removed, since their pixels depend on the version of FreeType."""
    figure = importlib.import_module("matplotlib.pyplot").figure(figsize=(5, 5), dpi=50)
    draw(figure)
    for text in figure.findobj(lambda artist: isinstance(artist, (Text, Legend))):  # a legend is placed by its texts
        text.set_visible(False)
    name = draw.__name__.removeprefix("image_of_") + ".png"
    new = tmp_path / name
    figure.savefig(new, dpi=50, metadata={"Software": None})
    if os.environ.get("LDAVI_WRITE_BASELINES"):
        BASELINE.mkdir(exist_ok=True)
        (BASELINE / name).write_bytes(new.read_bytes())
    tolerance = TOLERANCE_OF_CELLS if draw in (image_of_documents, image_of_matching) else TOLERANCE
    assert compare_images(BASELINE / name, new, tolerance) is None
