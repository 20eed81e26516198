"""Hierarchical clustering of topics: a tree for dendrograms, and the merges that it suggests."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Linkage, TopicDistance
from ldavi._estimator import validation as check
from ldavi.inspection._geometry import topic_distances
from ldavi.metrics._top_words import top_words

LINKAGES = get_args(Linkage)


def topic_tree(
    model: ModelOrTopics,
    *,
    distance: TopicDistance = "jensen_shannon",
    linkage: Linkage = "average",
    n_words: int | None = None,
) -> Doubles:
    """Compute a hierarchical clustering of topics.

    Each step joins the two closest clusters, from K topics to one cluster of all.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics, at least two.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        Distance of two topics, see :func:`topic_distances`.
    linkage : {"average", "complete", "single"}, default="average"
        Distance of two clusters: the mean, the largest or the smallest distance of their topics.
    n_words : int or None, default=None
        Compare topics by this many of their most probable words, with the probabilities of the others set to 0. None
        compares all words.

    Returns
    -------
    tree : array of shape (n_topics - 1, 4)
        The linkage matrix of :mod:`scipy.cluster.hierarchy`: each row has the numbers of two clusters, their distance
        and the number of topics in the new cluster, which is number n_topics + row. Pass it to
        :func:`scipy.cluster.hierarchy.dendrogram` or `fcluster`; :class:`ldavi.plotting.TopicTreeDisplay` draws it.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or there is only one topic.

    References
    ----------
    Chuang, Manning, Heer. "Termite: visualization techniques for assessing textual topic models". AVI 2012 (comparison
    of topics). Müllner. "Modern hierarchical, agglomerative clustering algorithms". 2011.

    Examples
    --------
    >>> from ldavi.inspection import topic_tree
    >>> print(topic_tree([[8, 2, 0, 0], [7, 3, 0, 0], [0, 0, 5, 5]]).round(2))
    [[1.  0.  0.1 2. ]
     [2.  3.  1.  3. ]]
    """
    check.check_choice("linkage", linkage, LINKAGES)
    compared: Any = model if n_words is None else _truncated(model, check.check_integer("n_words", n_words, minimum=1))
    distances = topic_distances(compared, distance=distance)
    if len(distances) < 2:
        raise ValueError("the model has one topic; a tree needs two at least")
    tree: Doubles = hierarchy.linkage(squareform(distances, checks=False), linkage, optimal_ordering=True)
    return tree


def suggest_merges(
    model: ModelOrTopics,
    *,
    max_distance: float = 0.5,
    distance: TopicDistance = "jensen_shannon",
    linkage: Linkage = "average",
    n_words: int | None = None,
) -> list[list[int]]:
    """Find groups of similar topics, candidates for `merge_topics`.

    A group is a cluster of :func:`topic_tree` whose topics were joined at a distance of at most `max_distance`. Look at
    the words of the topics before you merge them: a corpus may have similar topics that differ in what matters to you.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    max_distance : float, default=0.5
        Where the tree is cut. Jensen-Shannon distances of topics without common words are 1.
    distance : {"jensen_shannon", "hellinger", "cosine"}, default="jensen_shannon"
        Distance of two topics, see :func:`topic_distances`.
    linkage : {"average", "complete", "single"}, default="average"
        Distance of two clusters, see :func:`topic_tree`.
    n_words : int or None, default=None
        Number of most probable words that are compared, see :func:`topic_tree`.

    Returns
    -------
    groups : list of lists of int
        Two or more topics each, in ascending order; the closest group first. The list is empty if no two topics are as
        close.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described.

    Examples
    --------
    >>> from ldavi.inspection import suggest_merges
    >>> suggest_merges([[8, 2, 0, 0], [0, 0, 5, 5], [7, 3, 0, 0]])
    [[0, 2]]
    """
    limit = check.check_number("max_distance", max_distance, minimum=0)
    if len(topics_of(model)) == 1:
        return []
    tree = topic_tree(model, distance=distance, linkage=linkage, n_words=n_words)
    n_topics = len(tree) + 1
    members = {k: [k] for k in range(n_topics)}
    height: dict[int, float] = {}  # of the clusters that are part of no larger one
    for number, (one, other, joined_at, _) in enumerate(tree, start=n_topics):
        if joined_at <= limit:
            members[number] = sorted(members[int(one)] + members[int(other)])
            for part in (one, other):
                height.pop(int(part), None)
            height[number] = joined_at
    return [members[number] for number in sorted(height, key=height.__getitem__)]


def _truncated(model: ModelOrTopics, n_words: int) -> Doubles:
    """Return the topics with the probabilities of all but the most probable words set to 0."""
    topics = topics_of(model)
    columns = top_words(topics, n_words)
    truncated = np.zeros_like(topics)
    np.put_along_axis(truncated, columns, np.take_along_axis(topics, columns, axis=1), axis=1)
    return truncated
