"""Regression of topics' shares on covariates by the method of composition: equations (21.4) to (21.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.stats import t as student

from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Matrix
from ldavi._estimator import validation as check
from ldavi.inspection._design_matrix import Columns, columns_of, design_of, rows_of
from ldavi.inspection._intervals import check_level
from ldavi.inspection._theta_samples import ThetaSampler, sampler_of

RANK_TOLERANCE = 1e-9  # relative norm of what a column adds to the others


class Estimate(NamedTuple):
    """Estimates with standard errors and intervals, arrays of one shape."""

    mean: Doubles
    std_error: Doubles
    lower: Doubles
    upper: Doubles


@dataclass(frozen=True, repr=False)
class TopicRegression:
    """The result of :func:`topic_regression`: effects, predicted shares and contrasts, with intervals.

    Attributes
    ----------
    terms : list of str
        The columns of the design matrix.
    coefficients : array of shape (n_samples, n_topics, n_terms)
        Least-squares coefficients of each draw of θ.
    residual_variance : array of shape (n_samples, n_topics)
        σ² of each draw.
    unscaled_covariance : array of shape (n_terms, n_terms)
        (C'C)⁻¹ of the design matrix C.
    n_documents : int
        The documents with at least one word that the topics can produce; the others are left out.
    design : object
        Makes rows of the design matrix from covariates.
    """

    terms: list[str]
    coefficients: Doubles
    residual_variance: Doubles
    unscaled_covariance: Doubles
    n_documents: int
    design: Any

    def __repr__(self) -> str:
        n_samples, n_topics, _ = self.coefficients.shape
        return (
            f"TopicRegression({n_topics} topics on {', '.join(self.terms)}: {self.n_documents} documents, "
            f"{n_samples} draws)"
        )

    def effects(self, *, level: float = 0.95) -> Any:
        """Return the coefficient of each topic and term.

        Parameters
        ----------
        level : float, default=0.95
            Probability of the intervals.

        Returns
        -------
        effects : DataFrame, or structured array without pandas
            A row for each topic and term, with the columns topic, term, estimate, std_error, lower and upper.

        Raises
        ------
        ValueError, TypeError
            If the level is not between 0 and 1.
        """
        found = self._at(np.eye(len(self.terms)), level)
        n_topics = self.coefficients.shape[1]
        return table(
            topic=np.repeat(np.arange(n_topics), len(self.terms)),
            term=np.tile(np.array(self.terms, dtype=object), n_topics),
            estimate=found.mean.T.ravel(),
            std_error=found.std_error.T.ravel(),
            lower=found.lower.T.ravel(),
            upper=found.upper.T.ravel(),
        )

    def predicted_shares(self, at: Any, *, level: float = 0.95) -> Any:
        """Return the expected share of each topic at given covariates.

        The regression is linear: shares of rare topics and their intervals may be below 0.

        Parameters
        ----------
        at : dict of columns, DataFrame or array
            Covariates as those of the regression, a row for each prediction; numbers and texts stand for one row.
        level : float, default=0.95
            Probability of the intervals, which are those of the mean of such documents, not of one document.

        Returns
        -------
        shares : DataFrame, or structured array without pandas
            A row for each row of `at` and topic, with the columns of `at`, topic, share, std_error, lower and upper.

        Raises
        ------
        ValueError, TypeError
            If a covariate is missing, or has a level that no document has.
        """
        columns = columns_of(at, None, "at")
        found = self._at(self.design.matrix(columns), level)
        return self._table(columns, "share", found)

    def contrast(self, at: Any, reference: Any, *, level: float = 0.95) -> Any:
        """Return the differences between expected shares at two settings of the covariates.

        Parameters
        ----------
        at, reference : dict of columns, DataFrame or array
            Covariates as those of the regression. A reference of one row is compared with each row of `at`.
        level : float, default=0.95
            Probability of the intervals.

        Returns
        -------
        differences : DataFrame, or structured array without pandas
            A row for each row of `at` and topic, with the columns of `at`, topic, difference (share at `at` minus share
            at `reference`), std_error, lower and upper.

        Raises
        ------
        ValueError, TypeError
            If a covariate is missing, has a level that no document has, or the numbers of rows do not match.
        """
        columns = columns_of(at, None, "at")
        rows, others = self.design.matrix(columns), self.design.matrix(columns_of(reference, None, "reference"))
        if len(others) not in (1, len(rows)):
            raise ValueError(f"reference has {len(others)} rows; it must have one, or as many as `at`: {len(rows)}")
        return self._table(columns, "difference", self._at(rows - others, level))

    def _at(self, rows: Doubles, level: float) -> Estimate:
        check_level(level)
        within = np.einsum("jp,pq,jq->j", rows, self.unscaled_covariance, rows)[:, None] * self.residual_variance.mean(
            0
        )
        draws = np.einsum("jp,mkp->mjk", rows, self.coefficients)
        return pooled(draws, within, self.n_documents - len(self.terms), level)

    def _table(self, columns: Columns, name: str, found: Estimate) -> Any:
        n_rows, n_topics = found.mean.shape
        return table(
            **{key: np.repeat(np.asarray(column), n_topics) for key, column in columns.items()},
            topic=np.tile(np.arange(n_topics), n_rows),
            **{name: found.mean.ravel()},
            std_error=found.std_error.ravel(),
            lower=found.lower.ravel(),
            upper=found.upper.ravel(),
        )


def estimate_effect(
    model: ModelOrTopics,
    X: Matrix,
    covariates: Any,
    *,
    formula: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = None,
    level: float = 0.95,
    doc_topic_prior: float | ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Any:
    """Estimate how the shares of topics depend on covariates of the documents, by the method of composition.

    For each of `n_samples` draws of θ from the documents' posteriors, each topic's share θ_dk is regressed on the
    covariates by least squares. The coefficients are averaged over the draws; their standard errors contain the
    differences between documents and the uncertainty of θ. Equations (21.4) to (21.6) of docs/math.md. Every document
    counts the same, whatever its length. :func:`topic_regression` also gives contrasts and predicted shares.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    covariates : dict of columns, DataFrame, or array of shape (n_docs,) or (n_docs, n_columns)
        A value for each document and covariate. Columns of an array are named x0, x1, …, a single one x.
    formula : str or None, default=None
        Right-hand side of a regression for formulaic (extra `effects`), such as "~ party * bs(year, df=4)". It is
        evaluated as Python code: use no formula from others unread. None takes an intercept and every covariate:
        numbers as they are, other values as indicators of all levels but the first.
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
    effects : DataFrame, or structured array without pandas
        A row for each topic and term, with the columns topic, term, estimate, std_error, lower and upper.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the terms are linearly dependent.
    ImportError
        If there is a formula, and formulaic is not installed.

    Warnings
    --------
    The prior of θ does not know the covariates, so that effects in short documents are estimated too small: by about
    the factor N / (N + Σ_k α_k) for N tokens, and more where topics share many words. The intervals are conditional on
    the topics, and an effect is an association: it need not be a cause.

    References
    ----------
    Treier, Jackman. "Democracy as a latent variable". American Journal of Political Science 52, 2008.
    Roberts et al. "Structural topic models for open-ended survey responses". American Journal of Political Science 58,
    2014.

    Examples
    --------
    >>> from ldavi.inspection import estimate_effect
    >>> X = [[9, 1], [8, 1], [2, 9], [9, 0], [1, 8], [2, 7], [7, 2], [1, 9]]
    >>> party = ["A", "A", "B", "A", "B", "B", "A", "B"]
    >>> rows = estimate_effect([[0.95, 0.05], [0.05, 0.95]], X, {"party": party}, random_state=0)
    >>> print(rows["term"].tolist(), rows["estimate"].round(1).tolist())
    ['Intercept', 'party[T.B]', 'Intercept', 'party[T.B]'] [0.9, -0.9, 0.1, 0.9]
    """
    check_level(level)
    sampler = sampler_of(model, X, random_state, doc_topic_prior=doc_topic_prior, n_jobs=n_jobs, name="estimate_effect")
    return _regress(sampler, covariates, formula, n_samples).effects(level=level)


def topic_regression(
    model: ModelOrTopics,
    X: Matrix,
    covariates: Any,
    *,
    formula: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = None,
    doc_topic_prior: float | ArrayLike | None = None,
    n_jobs: int | None = None,
) -> TopicRegression:
    """Regress the shares of topics on covariates of the documents, for effects, contrasts and predicted shares.

    The regression of :func:`estimate_effect`, which describes the method and its limits. Draws are made once: every
    question to the result is answered at once and from the same draws.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    covariates : dict of columns, DataFrame, or array of shape (n_docs,) or (n_docs, n_columns)
        A value for each document and covariate. Columns of an array are named x0, x1, …, a single one x.
    formula : str or None, default=None
        Right-hand side of a regression for formulaic (extra `effects`), evaluated as Python code. None takes an
        intercept and every covariate.
    n_samples : int, default=25
        Draws of θ, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the draws.
    doc_topic_prior : float, array of shape (n_topics,) or (n_docs, n_topics), or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    n_jobs : int or None, default=None
        Threads; None means one. The result is the same for any number.

    Returns
    -------
    regression : TopicRegression
        Its methods `effects`, `predicted_shares` and `contrast` return tables with intervals.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or the terms are linearly dependent.
    ImportError
        If there is a formula, and formulaic is not installed.

    Examples
    --------
    >>> from ldavi.inspection import topic_regression
    >>> X = [[9, 1], [8, 1], [2, 9], [9, 0], [1, 8], [2, 7], [7, 2], [1, 9]]
    >>> party = ["A", "A", "B", "A", "B", "B", "A", "B"]
    >>> regression = topic_regression([[0.95, 0.05], [0.05, 0.95]], X, {"party": party}, random_state=0)
    >>> print(regression.predicted_shares({"party": ["A", "B"]})["share"].round(1).tolist())
    [0.9, 0.1, 0.1, 0.9]
    """
    sampler = sampler_of(
        model, X, random_state, doc_topic_prior=doc_topic_prior, n_jobs=n_jobs, name="topic_regression"
    )
    return _regress(sampler, covariates, formula, n_samples)


def _regress(sampler: ThetaSampler, covariates: Any, formula: str | None, n_samples: int) -> TopicRegression:
    """Regress the shares of each draw on the covariates, for the documents that have words. Equation (21.4)."""
    n_samples = check.check_integer("n_samples", n_samples, minimum=2)
    rows = np.flatnonzero(np.diff(sampler.indptr) > 0)
    columns = rows_of(columns_of(covariates, sampler.n_docs), rows)
    design = design_of(columns, formula)
    matrix = design.matrix(columns)
    Q, R = _orthogonal(matrix, design.terms)
    projected = np.zeros((n_samples, matrix.shape[1], sampler.n_topics))
    squares = np.zeros((n_samples, sampler.n_topics))
    for at, theta in sampler.in_parts(n_samples):
        inside = np.flatnonzero((at.start <= rows) & (rows < at.stop))
        theta = theta[:, rows[inside] - at.start]
        projected += Q[inside].T @ theta
        squares += np.einsum("mdk,mdk->mk", theta, theta)
    residual = np.maximum(squares - np.einsum("mpk,mpk->mk", projected, projected), 0)
    inverse = linalg.solve_triangular(R, np.eye(len(R)))
    return TopicRegression(
        terms=design.terms,
        coefficients=np.swapaxes(inverse @ projected, 1, 2),
        residual_variance=residual / (len(rows) - len(R)),
        unscaled_covariance=inverse @ inverse.T,
        n_documents=len(rows),
        design=design,
    )


def pooled(draws: Doubles, within: Doubles, dof: float | Doubles, level: float) -> Estimate:
    """Pool estimates from draws of θ by Rubin's rules, with intervals of Student's t. Equations (21.5), (21.6).

    Parameters
    ----------
    draws : array of shape (n_samples, …)
        The estimate from each draw.
    within : array of shape (…)
        The mean over draws of the squared standard error of the estimate.
    dof : float, or array that broadcasts with `within`
        The degrees of freedom of that standard error, ν₀.
    level : float
    """
    n_samples = len(draws)
    between = (1 + 1 / n_samples) * draws.var(axis=0, ddof=1)
    total = within + between
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    inverse_dof = share**2 / (n_samples - 1) + (1 - share) ** 2 / dof
    half = student.ppf((1 + level) / 2, 1 / inverse_dof) * np.sqrt(total)
    mean = draws.mean(axis=0)
    return Estimate(mean, np.sqrt(total), mean - half, mean + half)


def _orthogonal(matrix: Doubles, terms: list[str]) -> tuple[Doubles, Doubles]:
    """Return the QR decomposition of the design matrix.

    Raises
    ------
    ValueError
        If there are not more documents than terms, or a term is a linear combination of others.
    """
    n_docs, n_terms = matrix.shape
    if n_docs <= n_terms:
        raise ValueError(
            f"covariates give {n_terms} terms, but only {n_docs} documents have words; there must be more documents"
        )
    norm = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(norm > 0, norm, 1)
    R, pivots = linalg.qr(scaled, mode="r", pivoting=True)
    dependent = pivots[np.abs(np.diag(R)) < RANK_TOLERANCE]
    if len(dependent):
        names = ", ".join(repr(terms[p]) for p in sorted(dependent))
        raise ValueError(f"covariates: {names} is a linear combination of other terms. Leave one of them out.")
    Q, R = linalg.qr(matrix, mode="economic")
    return np.asarray(Q), np.asarray(R)
