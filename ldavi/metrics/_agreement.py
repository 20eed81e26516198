"""Agreement of models: optimal matching of topics, and stability over refits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.special import xlog1py
from sklearn.base import clone
from sklearn.utils import check_random_state

from ldavi._core.library_models import words_of_model
from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Int64s, Matrix, TopicSimilarity
from ldavi._estimator.validation import check_choice, check_integer
from ldavi.metrics._distances import pairwise_distances
from ldavi.metrics._top_words import top_words

DISTANCES = get_args(TopicSimilarity)


class Matching(NamedTuple):
    """One-to-one matching of the topics of two models.

    Attributes
    ----------
    pairs : array of shape (n_pairs, 2)
        A topic of the first model and its partner in the second, in the order of the first; as many as the smaller
        model has topics.
    similarity : array of shape (n_pairs,)
        Similarity of each pair, from 0 to 1.
    mean : float
        The mean of `similarity`, the maximum over all matchings.
    """

    pairs: Int64s
    similarity: Doubles
    mean: float


class Stability(NamedTuple):
    """Agreement of several models.

    Attributes
    ----------
    mean : float
        The mean similarity of matched topics, over all pairs of models, from 0 to 1.
    topics : array of shape (n_topics,)
        For each topic of the first model, the mean similarity with its partners in the others; 0 counts for a model
        with too few topics to have a partner.
    pairwise : array of shape (n_models, n_models)
        The mean similarity of matched topics for each pair of models, with a diagonal of 1.
    models : tuple
        The models or arrays that were compared.
    """

    mean: float
    topics: Doubles
    pairwise: Doubles
    models: tuple[Any, ...]


def match_topics(
    a: ModelOrTopics, b: ModelOrTopics, distance: TopicSimilarity = "hellinger", n_words: int = 10
) -> Matching:
    """Match the topics of two models one to one, with the greatest total similarity (Hungarian method).

    Similarity is exactly 1 for identical topics, and 0 for topics without a common word:

    * "hellinger": 1 − √(½ Σ_w (√p_w − √q_w)²).
    * "jensen_shannon": 1 − √JSD, with JSD = ½ Σ_w (p_w log2(p_w / m_w) + q_w log2(q_w / m_w)) and m = (p + q) / 2;
      the root is a metric [2]_.
    * "jaccard": |A ∩ B| / |A ∪ B|, with A and B the n most probable words of the two topics.
    * "cosine": Σ_w p_w q_w / (‖p‖ ‖q‖).

    Parameters
    ----------
    a, b : array-like of shape (n_topics, n_features), or fitted estimator
        Weights >= 0 over the same words; an estimator gives its `topics_` or `components_`. Columns are matched by
        name if both have names, else by position. The numbers of topics may differ.
    distance : {"hellinger", "jensen_shannon", "jaccard", "cosine"}, default="hellinger"
        One minus the similarity whose sum is maximised.
    n_words : int, default=10
        Number of most probable words that "jaccard" compares; all of them if there are fewer. Not used by the others.

    Returns
    -------
    matching : Matching
        `pairs`, `similarity` of each, and `mean`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above, or the models have different words.

    References
    ----------
    .. [1] Kuhn. "The Hungarian method for the assignment problem". Naval Research Logistics Quarterly 2, 1955.
    .. [2] Endres, Schindelin. "A new metric for probability distributions". IEEE Transactions on Information Theory
       49, 2003.

    Examples
    --------
    >>> from ldavi.metrics import match_topics
    >>> matching = match_topics([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]], [[0.0, 0.2, 0.8], [0.6, 0.4, 0.0]])
    >>> matching.pairs.tolist()
    [[0, 1], [1, 0]]
    >>> print(matching.similarity.round(3))
    [0.929 1.   ]
    """
    check_choice("distance", distance, DISTANCES)
    n_words = check_integer("n_words", n_words, minimum=1)
    one, other = topics_over_same_words([a, b])
    return _match(one, other, distance, n_words)


def topics_over_same_words(models: Sequence[ModelOrTopics]) -> list[Doubles]:
    """Return the topics of each model, with columns in the order of the first one's words where both have names.

    Raises
    ------
    ValueError
        If two models have as many words, but others.
    """
    words, topics = [words_of_model(model) for model in models], [topics_of(model) for model in models]
    for i in range(1, len(models)):
        first, own = words[0], words[i]
        if first is None or own is None or len(first) != len(own) or np.array_equal(first, own):
            continue
        column = {word: at for at, word in enumerate(own.tolist())}
        absent = [word for word in first.tolist() if word not in column]
        if absent or len(column) < len(own):
            example = repr(str(absent[0])) if absent else "names that differ"
            raise ValueError(
                f"models[{i}] lacks {example} of the words of models[0], though it has as many: compare models of the "
                "same vocabulary"
            )
        topics[i] = topics[i][:, [column[word] for word in first.tolist()]]
    return topics


def stability(models: Sequence[ModelOrTopics], distance: TopicSimilarity = "hellinger", n_words: int = 10) -> Stability:
    """Compute the agreement of several models: the similarity of matched topics, over all pairs of models.

    Parameters
    ----------
    models : sequence of (n_topics, n_features) arrays or fitted estimators
        At least two, over the same words; the numbers of topics may differ.
    distance : {"hellinger", "jensen_shannon", "jaccard", "cosine"}, default="hellinger"
        See :func:`match_topics`.
    n_words : int, default=10
        Number of most probable words that "jaccard" compares.

    Returns
    -------
    stability : Stability
        `mean`, `topics` for each topic of the first model, `pairwise` and `models`.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two models, or a parameter is not one of those above.

    References
    ----------
    Greene, O'Callaghan, Cunningham. "How many topics? Stability analysis for topic models". ECML PKDD 2014.

    Examples
    --------
    >>> from ldavi.metrics import stability
    >>> one, other = [[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]], [[0.0, 0.2, 0.8], [0.5, 0.5, 0.0]]
    >>> stability([one, other]).mean
    1.0
    """
    check_choice("distance", distance, DISTANCES)
    n_words = check_integer("n_words", n_words, minimum=1)
    if len(models) < 2:
        raise ValueError(f"models holds {len(models)}; pass at least two")
    topics = topics_over_same_words(models)
    pairwise = np.eye(len(topics))
    of_first = np.zeros((len(topics) - 1, len(topics[0])))
    for i, one in enumerate(topics):
        for j in range(i + 1, len(topics)):
            matching = _match(one, topics[j], distance, n_words)
            pairwise[i, j] = pairwise[j, i] = matching.mean
            if i == 0:
                of_first[j - 1, matching.pairs[:, 0]] = matching.similarity
    mean = float(pairwise[np.triu_indices(len(topics), 1)].mean())
    return Stability(mean, of_first.mean(axis=0), pairwise, tuple(models))


def stability_over(
    estimator: Any,
    X: Matrix,
    n_refits: int = 5,
    sample: Literal["seeds", "bootstrap"] = "seeds",
    *,
    random_state: int | np.random.RandomState | None = None,
    distance: TopicSimilarity = "hellinger",
    n_words: int = 10,
) -> Stability:
    """Compute the stability of an estimator's topics when it is refitted, with other seeds or to resampled documents.

    The estimator itself is not changed; clones are fitted. The first is fitted to X, so that `topics` of the result
    describes the topics of X; then `n_refits` others.

    Parameters
    ----------
    estimator : estimator
        `LatentDirichletAllocation` of this package or of scikit-learn, `NMF`, or any other with a parameter
        `random_state`.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Counts, documents × words.
    n_refits : int, default=5
        Models fitted after the first, at least 1.
    sample : {"seeds", "bootstrap"}, default="seeds"
        "seeds": every fit has a seed of its own, and all of X. "bootstrap": refits use documents drawn from X with
        replacement, as many as X has, and all fits have the same seed. Seeds matter only where an estimator uses random
        numbers: `LatentDirichletAllocation` of this package does with `init="random"` and in passes of "cvb0".
    random_state : int, RandomState instance or None, default=None
        Source of the seeds and of the resampled documents.
    distance : {"hellinger", "jensen_shannon", "jaccard", "cosine"}, default="hellinger"
        See :func:`match_topics`.
    n_words : int, default=10
        Number of most probable words that "jaccard" compares.

    Returns
    -------
    stability : Stability
        Its `models` are the fitted clones.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above, or the estimator has no parameter `random_state`.

    References
    ----------
    Greene, O'Callaghan, Cunningham. "How many topics? Stability analysis for topic models". ECML PKDD 2014.

    Examples
    --------
    >>> from ldavi import LatentDirichletAllocation
    >>> from ldavi.metrics import stability_over
    >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
    >>> round(stability_over(LatentDirichletAllocation(n_components=2), X, n_refits=2, random_state=0).mean, 2)
    1.0
    """
    check_choice("distance", distance, DISTANCES)
    check_choice("sample", sample, ("seeds", "bootstrap"))
    check_integer("n_words", n_words, minimum=1)
    n_refits = check_integer("n_refits", n_refits, minimum=1)
    if "random_state" not in estimator.get_params():
        raise ValueError(f"estimator={estimator!r} has no parameter random_state; pass the topic model itself")
    documents = X if hasattr(X, "shape") else np.asarray(X)
    n_docs = documents.shape[0]
    rng = check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_refits + 1)
    models = [clone(estimator).set_params(random_state=int(seeds[0])).fit(documents)]
    for seed in seeds[1:]:
        if sample == "seeds":
            models.append(clone(estimator).set_params(random_state=int(seed)).fit(documents))
        else:
            drawn = _rows(documents, rng.randint(n_docs, size=n_docs))
            models.append(clone(estimator).set_params(random_state=int(seeds[0])).fit(drawn))
    return stability(models, distance, n_words)


def _rows(documents: Any, rows: Int64s) -> Matrix:
    if hasattr(documents, "iloc"):
        return documents.iloc[rows]
    return documents.tocsr()[rows] if sparse.issparse(documents) else documents[rows]


def _match(p: Doubles, q: Doubles, distance: str, n_words: int) -> Matching:
    if p.shape[1] != q.shape[1]:
        raise ValueError(
            f"one model has {p.shape[1]} words and the other {q.shape[1]}; both must have the same vocabulary"
        )
    if distance == "jaccard":
        p, q = _indicators(p, n_words), _indicators(q, n_words)
        distances = 1 - _pairwise_jaccard(p, q)
    else:
        distances = pairwise_distances(p, q, distance)
    one, other = linear_sum_assignment(distances)
    similarity = np.clip(_SIMILARITIES[distance](p[one], q[other]), 0, 1)
    return Matching(np.column_stack([one, other]), similarity, float(similarity.mean()))


def _indicators(topics: Doubles, n_words: int) -> Doubles:
    """Return 1 where a word is among the n most probable of a topic, else 0."""
    indicator = np.zeros_like(topics)
    np.put_along_axis(indicator, top_words(topics, n_words), 1, axis=1)
    return indicator


# Similarities of matched topics, a pair per row: (n, V) and (n, V) to (n,). They use differences of the two topics, not
# inner products as the distances of all pairs do, so that identical topics have a similarity of exactly 1.


def _hellinger(p: Doubles, q: Doubles) -> Doubles:
    return np.asarray(1 - np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1) / 2))


def _jensen_shannon(p: Doubles, q: Doubles) -> Doubles:
    """Use δ = (p − q) / (p + q): m (1 + δ) log(1 + δ) + m (1 − δ) log(1 − δ) is accurate where p and q are close."""
    both = p + q
    delta = np.divide(p - q, both, out=np.zeros_like(both), where=both > 0)
    terms = xlog1py(1 + delta, delta) + xlog1py(1 - delta, -delta)
    divergence = (both * terms).sum(axis=-1) / (4 * np.log(2))
    return np.asarray(1 - np.sqrt(np.maximum(divergence, 0)))


def _pairwise_jaccard(p: Doubles, q: Doubles) -> Doubles:
    shared = p @ q.T
    return np.asarray(shared / (p.sum(axis=1)[:, None] + q.sum(axis=1) - shared))


def _jaccard(p: Doubles, q: Doubles) -> Doubles:
    shared = (p * q).sum(axis=1)
    return np.asarray(shared / (p.sum(axis=1) + q.sum(axis=1) - shared))


def _cosine(p: Doubles, q: Doubles) -> Doubles:
    return np.asarray((p * q).sum(axis=1) / np.sqrt((p * p).sum(axis=1) * (q * q).sum(axis=1)))


_SIMILARITIES: dict[str, Callable[[Doubles, Doubles], Doubles]] = {
    "hellinger": _hellinger,
    "jensen_shannon": _jensen_shannon,
    "jaccard": _jaccard,
    "cosine": _cosine,
}
