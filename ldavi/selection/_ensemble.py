"""`ensemble`: fit a model many times, and find the topics that recur. Equation (23.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from sklearn.base import clone
from sklearn.utils import check_random_state

from ldavi import metrics
from ldavi._core.tables import table
from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._estimator.restore import fitted_with
from ldavi.metrics._distances import pairwise_distances

SAMPLES = ("bootstrap", "half", "seeds")
SEEDS = 2**31 - 1
PRIORS = ("doc_topic_prior", "topic_word_prior")
REPLACED = (*PRIORS, "n_components", "init", "seed_words")  # parameters of the fits that a consensus does not share
APART = 1e9  # distance of two topics of the same fit, which are never in the same cluster


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several fits, and their topics clustered into recurring ones. Made by :func:`ensemble`.

    Attributes
    ----------
    models : tuple of estimators
        The fits.
    labels : array of shape (n_fits, n_components)
        The recurring topic that each topic of each fit belongs to; two topics of a fit never belong to the same.
    topics : array of shape (n_recurring, n_words)
        The mean of the topics of each cluster, as distributions over words. Clusters are ordered by their share of the
        fits, then by how close their topics are.
    share : array of shape (n_recurring,)
        Share of the fits that contain the topic.
    distance : array of shape (n_recurring,)
        Mean Hellinger distance of the topics of a cluster from their mean.
    omega : Omega
        McDonald's ω over the fits, see :func:`ldavi.metrics.omega`.
    max_distance : float
        Where the clustering was cut.
    """

    models: tuple[Any, ...]
    labels: Int64s
    topics: Doubles
    share: Doubles
    distance: Doubles
    omega: metrics.Omega
    max_distance: float

    @property
    def table(self) -> Any:
        """A row for each recurring topic: topic, n_fits, share, distance, and fit and model_topic of its most typical
        member; a DataFrame, or a structured array without pandas."""
        members = [np.argwhere(self.labels == k) for k in range(len(self.topics))]
        typical = np.array([self._typical(own, mean) for own, mean in zip(members, self.topics, strict=True)])
        return table(
            topic=np.arange(len(self.topics)),
            n_fits=np.array([len(own) for own in members]),
            share=self.share,
            distance=self.distance,
            fit=typical[:, 0],
            model_topic=typical[:, 1],
        )

    def _typical(self, members: Int64s, mean: Doubles) -> Int64s:
        """Return the fit and the number of the topic that is closest to the mean of its cluster."""
        own = np.array([topics_of(self.models[fit])[k] for fit, k in members])
        closest: Int64s = members[pairwise_distances(own, mean[None], "hellinger")[:, 0].argmin()]
        return closest

    def consensus(self, min_share: float = 0.5) -> LatentDirichletAllocation:
        """Return a model of the topics that recur.

        Its λ − η are the means of the expected counts of the topics of each cluster, and its α the means of their α.
        It is a fitted model: transform documents with it, or set `warm_start=True` and fit it to let its topics adapt
        to each other.

        Parameters
        ----------
        min_share : float, default=0.5
            Share of the fits that contain a topic of the model, > 0.

        Returns
        -------
        model : LatentDirichletAllocation
            Its topics are in the order of `topics`.

        Raises
        ------
        TypeError, ValueError
            If `min_share` is not as described, no topic recurs as often, or the fits are not of
            :class:`ldavi.LatentDirichletAllocation` with a prior that is the same for all topics.
        """
        check.check_number("min_share", min_share, minimum=0, maximum=1, exclusive=True)
        chosen = np.flatnonzero(self.share >= min_share)
        if not len(chosen):
            raise ValueError(f"min_share={min_share!r} exceeds {self.share.max():.2g}, the largest share of a topic")
        strangers = [model for model in self.models if not isinstance(model, LatentDirichletAllocation)]
        if strangers:
            kind = type(strangers[0]).__name__
            raise TypeError(
                f"the fits are {kind}; a consensus is made of ldavi.LatentDirichletAllocation: use `topics`"
            )
        eta = _mean_eta(self.models)
        alpha, counts = np.empty(len(chosen)), np.empty((len(chosen), self.topics.shape[1]))
        for row, k in enumerate(chosen):
            members = np.argwhere(self.labels == k)
            alpha[row] = np.mean([self.models[fit]._priors.alpha[topic] for fit, topic in members])
            counts[row] = np.mean([_expected_counts(self.models[fit], topic) for fit, topic in members], axis=0)
        first = self.models[0]
        model = fitted_with(
            (counts + eta).astype(first.components_.dtype),
            doc_topic_prior=alpha,
            topic_word_prior=eta,
            feature_names=getattr(first, "feature_names_in_", None),
            n_samples=first.n_samples_seen_,
            **{name: value for name, value in first.get_params(deep=False).items() if name not in REPLACED},
        )
        learned = {name: "auto" for name in PRIORS if isinstance(getattr(first, name), str)}
        model.set_params(**learned)
        return model


def ensemble(
    X: Any,
    *,
    estimator: Any = None,
    n_fits: int = 20,
    sample: Literal["bootstrap", "half", "seeds"] = "bootstrap",
    max_distance: float = 0.5,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Ensemble:
    """Fit a model many times, and cluster the topics of all fits into topics that recur.

    Topics of different fits are clustered by average linkage of their Hellinger distances, with at most one topic of
    each fit in a cluster. A topic that another run, or another sample of documents, would find is in most of the fits.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words.
    estimator : estimator or None, default=None
        The estimator to fit; clones of it are given a `random_state`. None means `ldavi.LatentDirichletAllocation()`.
    n_fits : int, default=20
        Number of fits, at least 2. More fits give more exact shares of recurrence.
    sample : {"bootstrap", "half", "seeds"}, default="bootstrap"
        What fits differ in, besides their seeds. "bootstrap": each has as many documents as X, drawn with replacement.
        "half": each has half of the documents, drawn without replacement. "seeds": each has all documents; these
        differ only where the estimator uses random numbers, so set `init="random"` to vary the initial topics too.
    max_distance : float, default=0.5
        Where the clustering is cut: the largest mean Hellinger distance of two clusters that are joined, from 0 to 1.
        Lower it if topics are joined that you would tell apart.
    n_jobs : int or None, default=None
        Fits that run at the same time, in threads unless `joblib.parallel_config` says otherwise. With None the fits
        run one after the other, each with the estimator's own `n_jobs`. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Source of the seeds and of the resampled documents.

    Returns
    -------
    ensemble : Ensemble
        With a `table` of the recurring topics, and a `consensus` model.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described.

    References
    ----------
    Greene, O'Callaghan, Cunningham. "How many topics? Stability analysis for topic models". ECML PKDD 2014. Rieger,
    Rahnenführer, Jentsch. "Improving latent Dirichlet allocation: on reliability of the novel method LDAPrototype".
    NLDB 2020.

    Examples
    --------
    >>> from ldavi import LatentDirichletAllocation, selection
    >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
    >>> lda = LatentDirichletAllocation(n_components=2)
    >>> result = selection.ensemble(X, estimator=lda, n_fits=5, sample="seeds", random_state=0)
    >>> result.share.tolist()
    [1.0, 1.0]
    """
    n_fits = check.check_integer("n_fits", n_fits, minimum=2)
    check.check_choice("sample", sample, SAMPLES)
    max_distance = check.check_number("max_distance", max_distance, minimum=0, maximum=1)
    check.count_threads(n_jobs)
    estimator = LatentDirichletAllocation() if estimator is None else estimator
    if not hasattr(estimator, "get_params") or "random_state" not in estimator.get_params():
        raise TypeError(f"estimator={estimator!r} must be an estimator with a parameter random_state")
    documents = X if hasattr(X, "shape") else np.asarray(X)
    rng = check_random_state(random_state)
    draws = [(int(rng.randint(SEEDS)), _rows(rng, documents.shape[0], sample)) for _ in range(n_fits)]
    if n_jobs is None:
        models = [_fit(estimator, documents, seed, rows) for seed, rows in draws]
    else:
        parallel = Parallel(n_jobs=n_jobs, prefer="threads")
        models = parallel(delayed(_fit)(estimator, documents, seed, rows) for seed, rows in draws)
    return cluster_fits(models, max_distance)


def cluster_fits(models: Sequence[Any], max_distance: float) -> Ensemble:
    """Cluster the topics of fits into recurring ones."""
    topics = [topics_of(model) for model in models]
    labels = _labels(topics, max_distance)
    n_members = np.bincount(labels.ravel())
    means, spread = np.zeros((len(n_members), topics[0].shape[1])), np.zeros(len(n_members))
    for own, numbers in zip(topics, labels, strict=True):
        means[numbers] += own / n_members[numbers, None]  # a fit has one topic of a cluster at most
    for own, numbers in zip(topics, labels, strict=True):
        spread[numbers] += _paired_distances(own, means[numbers]) / n_members[numbers]
    share = n_members / len(models)
    order = np.lexsort((spread, -share))
    rank = np.argsort(order)
    return Ensemble(
        tuple(models), rank[labels], means[order], share[order], spread[order], metrics.omega(topics), max_distance
    )


def _labels(topics: Sequence[Doubles], max_distance: float) -> Int64s:
    """Return the cluster of each topic of each fit, (R, K), by average linkage with one topic per fit at most."""
    n_topics, n_fits = len(topics[0]), len(topics)
    distances = np.full((n_fits * n_topics, n_fits * n_topics), APART)  # of topics of one fit, which are never joined
    for i, one in enumerate(topics):
        for j in range(i + 1, n_fits):
            rows, columns = (slice(fit * n_topics, (fit + 1) * n_topics) for fit in (i, j))
            distances[rows, columns] = pairwise_distances(one, topics[j], "hellinger")
            distances[columns, rows] = distances[rows, columns].T
    np.fill_diagonal(distances, 0)
    tree = hierarchy.linkage(squareform(distances, checks=False), "average")
    labels = hierarchy.fcluster(tree, max_distance, criterion="distance") - 1
    return np.asarray(labels, dtype=np.int64).reshape(n_fits, n_topics)


def _paired_distances(topics: Doubles, others: Doubles) -> Doubles:
    """Return the Hellinger distance of each topic from the one in the same row."""
    distances: Doubles = np.sqrt(((np.sqrt(topics) - np.sqrt(others)) ** 2).sum(axis=1) / 2)
    return distances


def _rows(rng: np.random.RandomState, n_docs: int, sample: str) -> Int64s | None:
    if sample == "bootstrap":
        return np.sort(rng.randint(n_docs, size=n_docs)).astype(np.int64)
    if sample == "half":
        return np.sort(rng.permutation(n_docs)[: max(1, n_docs // 2)]).astype(np.int64)
    return None


def _fit(estimator: Any, documents: Any, seed: int, rows: Int64s | None) -> Any:
    """Fit a clone to some of the documents, or to all."""
    if rows is not None:
        if hasattr(documents, "iloc"):
            documents = documents.iloc[rows]
        else:
            documents = (documents.tocsr() if hasattr(documents, "tocsr") else documents)[rows]
    return clone(estimator).set_params(random_state=seed).fit(documents)


def _mean_eta(models: Sequence[LatentDirichletAllocation]) -> Doubles:
    """Return the mean η of the fits, one number or one per word.

    Raises
    ------
    ValueError
        If η differs between topics, whose numbers differ between fits.
    """
    etas = [model._priors.eta for model in models]
    if etas[0].shape[1] > 1:
        msg = "topic_word_prior or seed_words differ between topics; a consensus needs one prior for all: use `topics`"
        raise ValueError(msg)
    mean: Doubles = np.mean([eta[:, 0] for eta in etas], axis=0)
    return mean if len(mean) > 1 else mean[0]


def _expected_counts(model: LatentDirichletAllocation, topic: int) -> Doubles:
    """Return λ_k − η_k."""
    lam = model.components_[topic].astype(np.float64)
    counts: Doubles = np.maximum(lam - model._priors.eta[:, 0], 0)
    return counts
