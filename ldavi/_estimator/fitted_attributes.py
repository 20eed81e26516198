"""The fitted attributes of an estimator, from what a fit has reached."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.prior_regression import Covariates
from ldavi._core.records import Priors
from ldavi._estimator.convergence import Restart
from ldavi._estimator.doc_covariates import regression_as_given
from ldavi._estimator.fit_record import count_documents
from ldavi._estimator.starting_topics import COVARIATE_NAMES
from ldavi._estimator.vocabulary import forget_names
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.trace import to_array


def store_fit(estimator: Any, restart: Restart, documents: DocumentSource) -> None:
    """Set the fitted attributes from what a restart has reached."""
    assert restart.result is not None
    result, records = restart.result.fetch(), restart.monitor.records
    covariates = documents.covariates if isinstance(documents, Documents) else None
    estimator._priors, estimator._mean_log_theta = _priors_as_given(result.priors, covariates), None
    vars(estimator).pop(COVARIATE_NAMES, None)
    if covariates is not None and covariates.scaling is not None and covariates.scaling.names is not None:
        setattr(estimator, COVARIATE_NAMES, covariates.scaling.names)
    estimator._lambda = LazyLambda(result.all_words(documents.n_words), result.priors)
    estimator._show_priors()
    estimator.elbo_trace_ = to_array(records)
    estimator.elbo_, estimator.bound_ = records[-1].elbo, records[-1].perplexity
    estimator.converged_ = restart.monitor.converged
    estimator.n_iter_ = records[-1].iteration
    estimator.n_batch_iter_ = result.n_updates + 1
    count_documents(estimator, documents, is_first=True)


def store_columns(estimator: Any, X: Any, random_state: np.random.RandomState) -> None:
    """Set the number and the names of the columns of X, and the generator of the fit."""
    if not estimator.warm_start:
        forget_names(estimator)
    validate_data(estimator, X, skip_check_array=True, reset=True)
    estimator.random_state_ = random_state


def _priors_as_given(priors: Priors, covariates: Covariates | None) -> Priors:
    """Return the priors with coefficients for covariates as the user gave them."""
    if priors.regression is None or covariates is None:
        return priors
    return replace(priors, regression=regression_as_given(priors.regression, covariates))
