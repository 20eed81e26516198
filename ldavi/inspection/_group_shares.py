"""Topics over time and by group: mean shares of documents, with intervals from draws of θ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Int64s, Matrix
from ldavi._estimator import validation as check
from ldavi.inspection._columns import PERIODS, Bins, cut
from ldavi.inspection._intervals import check_level
from ldavi.inspection._theta_samples import ThetaSampler, sampler_of
from ldavi.inspection._topic_regression import Estimate, pooled


def shares_by_group(
    model: ModelOrTopics,
    X: Matrix,
    groups: ArrayLike,
    *,
    period: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = None,
    level: float = 0.95,
    doc_topic_prior: float | ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Any:
    """Compute the mean share of each topic in each group or period of documents, with intervals, from one fit.

    The mean of θ_dk over the documents of a group, averaged over draws of θ. Its standard error contains the
    differences between the documents and the uncertainty of their θ: equation (21.5), one coefficient for each group
    and a variance of its own. Every document counts the same, whatever its length.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    groups : array of shape (n_docs,)
        A name, a number or a date for each document. Of more than 40 names, all but the most frequent form one group;
        many different numbers are cut into 20 ranges with equally many documents. Dates (datetime64, or text that
        begins with an ISO 8601 date) are cut into periods. Documents whose value is missing are left out.
    period : {"day", "week", "month", "year", "decade"} or None, default=None
        Length of the periods of dates. None takes the shortest one that gives at most 60 periods.
    n_samples : int, default=25
        Draws of θ, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the draws.
    level : float, default=0.95
        Probability of the intervals.
    doc_topic_prior : float, array of shape (n_topics,) or (n_docs, n_topics), or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    shares : DataFrame, or structured array without pandas
        A row for each group and topic, with the columns group (a str; of a period, its first day), topic, share,
        std_error, lower, upper and n_documents. A period without documents has no rows; a group of one document has no
        standard error: NaN.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or no document with words has a group.

    See Also
    --------
    estimate_effect : Regression on several covariates, which describes what the intervals do not contain.

    Examples
    --------
    >>> from ldavi.inspection import shares_by_group
    >>> X = [[9, 1], [8, 1], [2, 9], [9, 0], [1, 8], [2, 7]]
    >>> days = ["2021-01-05", "2021-03-02", "2022-05-01", "2021-12-31", "2022-06-07", "2022-07-01"]
    >>> rows = shares_by_group([[0.95, 0.05], [0.05, 0.95]], X, days, period="year", random_state=0)
    >>> print(rows["group"].tolist(), rows["share"].round(1).tolist())
    ['2021-01-01', '2021-01-01', '2022-01-01', '2022-01-01'] [1.0, 0.0, 0.1, 0.9]
    """
    n_samples = check.check_integer("n_samples", n_samples, minimum=2)
    check_level(level)
    if period is not None:
        check.check_choice("period", period, tuple(PERIODS))
    sampler = sampler_of(model, X, random_state, doc_topic_prior=doc_topic_prior, n_jobs=n_jobs, name="shares_by_group")
    bins = cut("groups", groups, sampler.n_docs, period)
    if not (groups_with_words(sampler, bins) >= 0).any():
        raise ValueError("groups: no document with words has a value. Pass a group for at least one.")
    [shares] = shares_of_groupings(sampler, [bins], n_samples, level)
    return shares


def groups_with_words(sampler: ThetaSampler, bins: Bins) -> Int64s:
    """Return the group of each document, −1 for documents without words or without a value."""
    return np.where(np.diff(sampler.indptr) > 0, bins.of, -1)


def shares_of_groupings(sampler: ThetaSampler, groupings: Sequence[Bins], n_samples: int, level: float) -> list[Any]:
    """Return the table of `shares_by_group` for each of several groupings of the same documents, from the same draws.

    In each, a document with words must have a group.
    """
    groups = [groups_with_words(sampler, bins) for bins in groupings]
    sums = [np.zeros((n_samples, int(group.max()) + 1, sampler.n_topics)) for group in groups]
    squares = [np.zeros(total.shape[1:]) for total in sums]  # mean over draws of the sum of squares
    for at, theta in sampler.in_parts(n_samples):
        for group, of_draws, of_squares in zip(groups, sums, squares, strict=True):
            inside = np.flatnonzero(group[at] >= 0)
            shape = len(of_squares), theta.shape[1]
            member = sparse.csr_array((np.ones(len(inside)), (group[at][inside], inside)), shape=shape)
            for m in range(n_samples):
                of_draws[m] += member @ theta[m]
                of_squares += member @ theta[m] ** 2 / n_samples
    return [
        _as_table(bins, group, _pooled_means(group, of_draws, of_squares, level))
        for bins, group, of_draws, of_squares in zip(groupings, groups, sums, squares, strict=True)
    ]


def _pooled_means(group: Int64s, sums: Doubles, squares: Doubles, level: float) -> Estimate:
    """Pool the groups' means of draws, arrays of shape (n_groups, K); NaN where a group is too small."""
    size = np.bincount(group[group >= 0], minlength=len(squares))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(squares - (sums**2).mean(axis=0) / size, 0) / (size - 1)
        found = pooled(sums / size, variance / size, (size - 1).astype(float), level)
    return Estimate(found.mean, *(np.where(size > 1, part, np.nan) for part in found[1:]))


def _as_table(bins: Bins, group: Int64s, found: Estimate) -> Any:
    size = np.bincount(group[group >= 0])
    shown = np.flatnonzero(size)
    n_topics = found.mean.shape[1]
    return table(
        group=np.repeat(np.array(bins.labels, dtype=object)[shown], n_topics),
        topic=np.tile(np.arange(n_topics), len(shown)),
        share=found.mean[shown].ravel(),
        std_error=found.std_error[shown].ravel(),
        lower=found.lower[shown].ravel(),
        upper=found.upper[shown].ravel(),
        n_documents=np.repeat(size[shown], n_topics),
    )
