"""Covariates of documents, as `fit` and `transform` accept them, and the coefficients of a fitted model."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from ldavi._core.prior_regression import Covariates, PriorRegression, Scaling, with_ones
from ldavi._core.records import Priors
from ldavi._core.typing import Doubles, Floats
from ldavi._estimator.settings import FitSettings, is_regression
from ldavi._estimator.starting_topics import COVARIATE_NAMES, WarmStart

COEFFICIENTS = ("doc_topic_intercept_", "doc_topic_coef_")
SUITABLE = (
    "Pass numbers, one row per document; make columns of numbers of texts and categories, for example with "
    "pandas.get_dummies or formulaic.model_matrix"
)


def check_regression(
    doc_topic_prior: object, doc_covariates: object, settings: FitSettings, *, in_batches: bool
) -> None:
    """Raise ValueError unless covariates and "regression" are given together, for a fit that supports them."""
    if not is_regression(doc_topic_prior):
        if doc_covariates is not None:
            raise ValueError(
                f"doc_covariates has no effect with doc_topic_prior={doc_topic_prior!r}: set "
                'doc_topic_prior="regression", or leave out doc_covariates'
            )
        return
    if doc_covariates is None:
        raise ValueError(
            'doc_topic_prior="regression" needs the covariates of the documents: call fit(X, doc_covariates=C), in a '
            'pipeline with metadata routing, or set doc_topic_prior="auto"'
        )
    if settings.learning_method != "batch":
        raise ValueError(
            f'doc_topic_prior="regression" needs learning_method="batch", not {settings.learning_method!r}: set one '
            "of them to another value"
        )
    if in_batches:
        raise ValueError(
            'doc_topic_prior="regression" needs X in memory, as one matrix, but X comes in batches: stack them, or set '
            'doc_topic_prior="auto"'
        )


def check_covariates(doc_covariates: Any, n_docs: int) -> tuple[Doubles, NDArray[Any] | None]:
    """Return covariates as a float64 array of shape (D, P), and the names of its columns if they are strings.

    Raises
    ------
    ValueError, TypeError
        If they are not finite numbers, or there is not one row for each document.
    """
    names = getattr(doc_covariates, "columns", None)
    names = None if names is None else np.asarray(names, dtype=object)
    if any(getattr(dtype, "kind", None) in ("m", "M") for dtype in _dtypes(doc_covariates)):
        raise TypeError(f"doc_covariates holds dates. {SUITABLE}; of dates, for example the year")
    try:
        if hasattr(doc_covariates, "toarray"):
            doc_covariates = doc_covariates.toarray()
        if np.ndim(doc_covariates) == 1:
            doc_covariates = np.asarray(doc_covariates).reshape(-1, 1)
        values = check_array(doc_covariates, dtype=np.float64, input_name="doc_covariates")
    except (ValueError, TypeError) as error:
        raise type(error)(f"doc_covariates cannot be used: {error}. {SUITABLE}") from error
    if len(values) != n_docs:
        raise ValueError(f"doc_covariates has {len(values)} rows, but X has {n_docs} documents. {SUITABLE}")
    is_named = names is not None and all(isinstance(name, str) for name in names)
    return values, names if is_named else None


def _dtypes(doc_covariates: Any) -> list[Any]:
    """Return the dtypes of a table's columns, or that of an array."""
    dtypes = getattr(doc_covariates, "dtypes", None)
    return [getattr(doc_covariates, "dtype", None)] if dtypes is None else list(np.atleast_1d(dtypes))


def check_names(names: NDArray[Any] | None, fitted: NDArray[Any] | None) -> None:
    """Raise ValueError if covariates have other names than those of the model; warn if only one of them has names."""
    if names is not None and fitted is not None and list(names) != list(fitted):
        raise ValueError(
            f"doc_covariates has the columns {list(names)}, but the model was fitted with {list(fitted)}: pass the "
            "same columns in the same order"
        )
    if (names is None) != (fitted is None):
        with_names, without = ("the model", "doc_covariates") if names is None else ("doc_covariates", "the model")
        warnings.warn(
            f"the columns of {with_names} have names, and those of {without} have none: make sure that they are in the "
            "same order",
            UserWarning,
            stacklevel=4,
        )


def scaled_covariates(doc_covariates: Any, weight: Floats | None, kept: NDArray[Any] | None, n_docs: int) -> Covariates:
    """Return the covariates of the documents of a fit, scaled.

    Parameters
    ----------
    doc_covariates : array-like of shape (n_docs, P)
    weight : array or None
        Of the documents that are kept.
    kept : array or None
        The documents with a weight > 0; None means all.
    n_docs : int
        Of all documents.
    """
    values, names = check_covariates(doc_covariates, n_docs)
    values = values if kept is None else values[kept]
    scaling = Scaling.of_columns(values, None if weight is None else weight.astype(np.float64), names)
    return Covariates.of_documents(scaling.scaled(values), scaling)


def first_regression(priors: Priors, covariates: Covariates, given: WarmStart | None) -> PriorRegression:
    """Return the coefficients that a fit starts with: those of a fitted model, or an intercept alone.

    Raises
    ------
    ValueError
        If the fitted model has coefficients of other covariates.
    """
    assert covariates.scaling is not None
    n_covariates, fitted = covariates.values.shape[1], None if given is None else given.priors
    if fitted is not None and fitted.regression is not None and fitted.n_topics == priors.n_topics:
        if len(fitted.regression.coef) != n_covariates:
            raise ValueError(
                f"doc_covariates has {n_covariates - 1} columns, but the fitted model has coefficients for "
                f"{len(fitted.regression.coef) - 1}: pass the same columns, or start without the fitted model"
            )
        check_names(covariates.scaling.names, None if given is None else given.covariate_names)
        return PriorRegression(covariates.scaling.coef_of_scaled(fitted.regression.coef))
    coef = np.zeros((n_covariates, priors.n_topics))
    coef[0] = np.log(priors.alpha)
    return PriorRegression(coef)


def regression_as_given(regression: PriorRegression, covariates: Covariates) -> PriorRegression:
    """Return the coefficients of covariates as the user gave them."""
    assert covariates.scaling is not None
    return PriorRegression(covariates.scaling.coef_as_given(regression.coef))


def alpha_for(model: Any, doc_covariates: Any, n_docs: int) -> Doubles:
    """Return α under a fitted model: of shape (K,), or (D, K) for documents with covariates.

    Raises
    ------
    ValueError
        If the model has no coefficients, or others than those of the columns.
    """
    priors: Priors = model._priors
    if doc_covariates is None:
        return priors.alpha
    if priors.regression is None:
        raise ValueError(
            "doc_covariates has no effect, since the model was fitted without: leave it out, or fit with "
            'doc_topic_prior="regression"'
        )
    values, names = check_covariates(doc_covariates, n_docs)
    n_fitted = len(priors.regression.coef) - 1
    if values.shape[1] != n_fitted:
        raise ValueError(f"doc_covariates has {values.shape[1]} columns, but the model was fitted with {n_fitted}")
    check_names(names, getattr(model, COVARIATE_NAMES, None))
    return priors.alpha_of(Covariates.of_documents(with_ones(values)))


def show_regression(model: Any) -> None:
    """Set `doc_topic_coef_` and `doc_topic_intercept_` of a model with a regression, and delete them otherwise."""
    regression = model._priors.regression
    if regression is None:
        for name in (*COEFFICIENTS, COVARIATE_NAMES):
            vars(model).pop(name, None)
        return
    model.doc_topic_intercept_, model.doc_topic_coef_ = regression.coef[0].copy(), regression.coef[1:].copy()


def refuse_covariates(doc_topic_prior: object, doc_covariates: object, where: str) -> None:
    """Raise ValueError if covariates are asked for where they are not supported, such as "on a cluster"."""
    if doc_covariates is not None or is_regression(doc_topic_prior):
        asked = "doc_covariates" if doc_covariates is not None else 'doc_topic_prior="regression"'
        raise ValueError(
            f"{asked} is not supported {where}: leave it out, or fit ldavi.LatentDirichletAllocation to documents in "
            "memory"
        )
