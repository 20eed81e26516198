"""The tree of topics, the merges that it suggests, and its plot."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster

from ldavi import plotting
from ldavi.inspection import suggest_merges, topic_distances, topic_tree

RNG = np.random.default_rng(0)
THREE = RNG.dirichlet(np.full(60, 0.1), 3)
TOPICS = np.vstack([THREE, 0.9 * THREE[0] + 0.1 / 60, 0.8 * THREE[2] + 0.2 * THREE[1], 0.95 * THREE[0] + 0.05 / 60])


def test_the_first_two_topics_to_be_joined_are_the_closest():
    distances = topic_distances(TOPICS)
    np.fill_diagonal(distances, np.inf)
    assert {*topic_tree(TOPICS)[0, :2]} == {*np.unravel_index(distances.argmin(), distances.shape)}


@pytest.mark.parametrize("linkage", ["average", "complete", "single"])
@pytest.mark.parametrize("distance", ["jensen_shannon", "hellinger", "cosine"])
def test_the_groups_are_the_clusters_of_scipy(linkage, distance):
    labels = fcluster(topic_tree(TOPICS, linkage=linkage, distance=distance), 0.6, criterion="distance")
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    found = suggest_merges(TOPICS, max_distance=0.6, linkage=linkage, distance=distance)
    assert sorted(found) == sorted(group for group in groups if len(group) > 1)


def test_planted_copies_are_suggested_the_closest_first():
    assert suggest_merges(TOPICS) == [[0, 3, 5], [2, 4]]


def test_the_groups_do_not_depend_on_the_order_of_the_topics():
    order = np.array([4, 1, 0, 5, 3, 2])
    found = [sorted(order[group].tolist()) for group in suggest_merges(TOPICS[order])]
    assert found == suggest_merges(TOPICS)


def test_no_merge_is_suggested_among_topics_without_common_words():
    assert suggest_merges(np.eye(4), max_distance=0.99) == []


def test_topics_may_be_compared_by_their_first_words():
    topics = [[0.5, 0.3, 0.2, 0.0], [0.5, 0.3, 0.0, 0.2], [0.0, 0.0, 0.5, 0.5]]
    assert topic_tree(topics, n_words=2)[0, 2] == pytest.approx(0, abs=1e-7)
    assert topic_tree(topics)[0, 2] > 0.1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"linkage": "ward"}, "linkage='ward'"), ({"distance": "l1"}, "distance='l1'"), ({"n_words": 0}, "n_words=0")],
)
def test_invalid_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        topic_tree(TOPICS, **parameters)


def test_one_topic_has_no_tree_and_no_merges():
    with pytest.raises(ValueError, match="one topic"):
        topic_tree([[0.5, 0.5]])
    assert suggest_merges([[0.5, 0.5]]) == []


@pytest.fixture
def closed_figures():
    plt = pytest.importorskip("matplotlib.pyplot")
    with plt.rc_context({"backend": "Agg"}):
        yield
        plt.close("all")


@pytest.mark.usefixtures("closed_figures")
def test_the_plot_has_a_row_for_each_topic_with_groups_side_by_side():
    display = plotting.TopicTreeDisplay.from_estimator(TOPICS, topic_names=list("abcdef"))
    assert sorted(display.order_) == list(range(6))
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["abcdef"[k] for k in display.order_[::-1]]
    place = {int(k): at for at, k in enumerate(display.order_)}
    assert np.ptp([place[k] for k in (0, 3, 5)]) == 2


@pytest.mark.usefixtures("closed_figures")
def test_groups_have_a_colour_of_their_own():
    colors = [line.get_color() for line in plotting.TopicTreeDisplay.from_estimator(TOPICS).ax_.lines[:-1]]
    assert len(set(colors)) == 3  # two groups and the branches above
    above = {line.get_color() for line in plotting.TopicTreeDisplay.from_estimator(TOPICS, max_distance=None).ax_.lines}
    assert len(above) == 1


@pytest.mark.usefixtures("closed_figures")
def test_names_that_are_too_few_are_refused():
    with pytest.raises(ValueError, match="topic_names holds 1"):
        plotting.TopicTreeDisplay(tree=topic_tree(TOPICS), topic_names=["a"]).plot()
