"""Topics of consecutive periods, and their plot."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ldavi import LatentDirichletAllocation, plotting
from ldavi.metrics import match_topics
from ldavi.selection import fit_periods

K, V, T, D = 3, 60, 3, 60
FAST = LatentDirichletAllocation(K, tol=None, max_iter=20, n_collapsed_iter=0)


def planted(drift, seed=0):
    """Return documents, their periods, and the topics of each period, (T, K, V)."""
    rng = np.random.default_rng(seed)
    topics, documents, truth = rng.dirichlet(np.full(V, 0.05), K), [], []
    for _ in range(T):
        truth.append(topics)
        documents += [rng.multinomial(50, p) for p in rng.dirichlet(np.full(K, 0.2), D) @ topics]
        topics = (1 - drift) * topics + drift * rng.dirichlet(np.full(V, 0.05), K)
    return np.array(documents), np.repeat([2001, 2003, 2004], D), np.array(truth)


X, YEAR, TRUTH = planted(0.2)


@pytest.fixture(scope="module")
def result():
    return fit_periods(X, YEAR, estimator=FAST, strengths=[0, 0.2, 5], random_state=0)


def test_each_period_has_its_planted_topics_in_the_same_order(result):
    order = match_topics(result.models[0], TRUTH[0]).pairs[:, 1]
    for model, topics in zip(result.models, TRUTH, strict=True):
        matching = match_topics(model, topics)
        assert matching.mean > 0.8
        np.testing.assert_array_equal(matching.pairs[:, 1], order)


def test_the_strength_is_chosen_by_held_out_documents(result):
    likelihood = np.asarray(result.search["log_likelihood"])
    assert result.strength == np.asarray(result.search["strength"])[likelihood.argmax()] == 0.2
    assert result.search["gap"].min() == 0


def test_topics_that_do_not_change_have_a_stronger_prior():
    documents, year, _ = planted(0.0)
    chosen = fit_periods(documents, year, estimator=FAST, strengths=[0, 0.2, 5], random_state=0).strength
    assert chosen == 5


def test_a_strong_prior_keeps_the_topics():
    strong = fit_periods(X, YEAR, estimator=FAST, strength=100, random_state=0).table
    weak = fit_periods(X, YEAR, estimator=FAST, strength=0.01, random_state=0).table
    assert np.nanmax(strong["change"]) < 0.1 < np.nanmin(weak["change"])


def test_the_prior_is_eta_and_the_former_topics_times_the_tokens_of_a_topic():
    found = fit_periods(X, YEAR, estimator=FAST, strength=0.5, random_state=0)
    first, second = found.models[:2]
    expected = first.topic_word_prior_ + 0.5 * X[YEAR == 2003].sum() / K * first.topics_
    np.testing.assert_allclose(second.topic_word_prior, expected, rtol=1e-6)


def test_the_first_period_is_a_fit_of_its_documents_alone():
    found = fit_periods(X, YEAR, estimator=FAST, strength=0.5, random_state=0)
    alone = FAST.__sklearn_clone__().set_params(random_state=found.models[0].random_state).fit(X[YEAR == 2001])
    np.testing.assert_array_equal(found.models[0].topics_, alone.topics_)


def test_a_start_from_all_documents_has_a_prior_in_the_first_period_too():
    found = fit_periods(X, YEAR, estimator=FAST, strength=0.5, start="all", random_state=0)
    assert len(found.models) == T
    assert np.shape(found.models[0].topic_word_prior) == (K, V)


def test_shares_of_a_period_sum_to_1_and_tokens_are_those_of_the_documents(result):
    rows = result.table
    np.testing.assert_allclose(rows.groupby("period")["share"].sum(), 1)
    np.testing.assert_allclose(rows.groupby("period")["tokens"].sum(), 50 * D, rtol=1e-5)
    assert rows["change"].isna().sum() == K


@pytest.mark.parametrize("absent", [np.nan, None, pd.NaT, ""])
def test_a_document_without_a_period_is_refused(absent):
    periods = np.array([2001, absent, *YEAR[2:]], dtype=object)
    with pytest.raises(ValueError, match="periods has no value in row 1"):
        fit_periods(X, periods, estimator=FAST)


def test_periods_and_documents_may_come_in_any_order(result):
    order = np.random.default_rng(0).permutation(len(X))
    other = fit_periods(X[order], YEAR[order], estimator=FAST, strength=0.2, random_state=0)
    matching = match_topics(other.models[-1], result.models[-1])
    assert matching.mean > 0.9
    assert other.periods.tolist() == [2001, 2003, 2004]


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, pd.DataFrame])
def test_every_form_of_x_gives_the_same(form):
    one = fit_periods(X, YEAR, estimator=FAST, strength=0.2, random_state=0)
    frame = form(X)
    if isinstance(frame, pd.DataFrame):
        frame.columns = [f"w{j}" for j in range(V)]
    other = fit_periods(frame, YEAR, estimator=FAST, strength=0.2, random_state=0)
    np.testing.assert_array_equal(one.topics, other.topics)


def test_labels_may_be_texts_and_words_are_those_of_each_period():
    found = fit_periods(X, YEAR.astype(str), estimator=FAST, strength=0.2, random_state=0)
    words = found.top_words(1, 3, feature_names=[f"w{j}" for j in range(V)])
    assert list(words) == ["2001", "2003", "2004"]
    assert words["2004"][0] == f"w{found.topics[2, 1].argmax()}"


def test_the_estimator_is_left_as_it_is(result):
    assert not hasattr(FAST, "topics_")
    assert FAST.inference == "vb"


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"periods": YEAR[1:]}, ValueError, "periods has shape"),
        ({"periods": np.ones(len(X))}, ValueError, "two periods at least"),
        ({"strength": -1}, ValueError, "strength=-1"),
        ({"strength": "best"}, ValueError, "strength='best'"),
        ({"strengths": []}, ValueError, "strengths=\\[\\]"),
        ({"start": "last"}, ValueError, "start='last'"),
        ({"held_out": 0.001}, ValueError, "held_out=0.001"),
        ({"estimator": 3}, TypeError, "estimator=3"),
        ({"estimator": LatentDirichletAllocation(2, topic_word_prior=0)}, ValueError, "topic_word_prior=0"),
    ],
)
def test_invalid_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        fit_periods(X, **{"periods": YEAR, "estimator": FAST} | parameters)


def test_a_topic_that_does_not_exist_is_named(result):
    with pytest.raises(ValueError, match="topic=3"):
        result.top_words(3)


# The plot


@pytest.fixture
def closed_figures():
    plt = pytest.importorskip("matplotlib.pyplot")
    with plt.rc_context({"backend": "Agg"}):
        yield
        plt.close("all")


@pytest.mark.usefixtures("closed_figures")
def test_the_plot_has_a_line_for_each_topic_in_both_panels(result):
    display = result.plot()
    assert [len(ax.lines) for ax in display.axes_] == [K, K]
    np.testing.assert_array_equal(display.axes_[0].lines[0].get_xdata(), [2001, 2003, 2004])
    share = np.asarray(result.table["share"]).reshape(T, K)
    np.testing.assert_allclose(display.axes_[0].lines[1].get_ydata(), share[:, 1])


@pytest.mark.usefixtures("closed_figures")
def test_chosen_topics_are_shown_with_labels_of_periods_that_are_texts():
    share = np.random.default_rng(0).dirichlet(np.ones(9), 2)
    data = {"periods": ["spring", "$ummer"], "share": share, "change": share, "topic_names": list("abcdefghi")}
    display = plotting.PeriodsDisplay(**data, topics=[8, 0]).plot()
    assert [text.get_text() for text in display.axes_[0].get_legend().get_texts()] == ["i", "a"]
    assert [text.get_text() for text in display.axes_[1].get_xticklabels()] == ["spring", "$ummer"]
    assert len(plotting.PeriodsDisplay(**data).plot().topics_) == 7


@pytest.mark.usefixtures("closed_figures")
def test_a_plot_of_a_topic_that_does_not_exist_is_refused(result):
    with pytest.raises(ValueError, match="topics="):
        result.plot(topics=[3])
