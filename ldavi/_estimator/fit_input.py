"""The documents of a fit, from X and the documents' weights, and the priors that it starts with."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.records import Priors
from ldavi._estimator import validation as check
from ldavi._estimator import vocabulary_growth
from ldavi._estimator.batched_documents import BatchedDocuments, check_source
from ldavi._estimator.doc_covariates import check_regression, first_regression, refuse_covariates, scaled_covariates
from ldavi._estimator.settings import FitSettings
from ldavi._estimator.starting_priors import check_cvb0, check_priors, kept_priors, starting_priors
from ldavi._estimator.starting_topics import WarmStart, warm_start_of


def fit_input(
    estimator: Any, X: Any, sample_weight: Any, doc_covariates: Any, settings: FitSettings, given: WarmStart | None
) -> tuple[Documents | BatchedDocuments, Priors]:
    """Return the documents and the initial priors of a `fit`; errors leave the estimator unchanged."""
    documents: Documents | BatchedDocuments
    in_batches = check.is_source(X)
    check_regression(estimator.doc_topic_prior, doc_covariates, settings, in_batches=in_batches)
    if in_batches:
        documents = check_source(X, estimator, settings, type(estimator).__name__, sample_weight)
        names = check.column_names(documents.first)
    else:
        documents = _new_documents(estimator, X, sample_weight, settings, doc_covariates)
        names = check.column_names(X)
    if given is not None:
        given.check_columns(names)
    priors = _starting_priors(estimator, settings, documents, names, given)
    covariates = documents.covariates if isinstance(documents, Documents) else None
    if covariates is not None:
        regression = first_regression(priors, covariates, given)
        priors = replace(priors, regression=regression)
    return documents, priors


def partial_fit_input(estimator: Any, X: Any, sample_weight: Any, settings: FitSettings) -> tuple[Documents, Priors]:
    """Return the documents and the priors of a `partial_fit`; errors leave the estimator unchanged."""
    refuse_covariates(estimator.doc_topic_prior, None, "by partial_fit")
    if not estimator.__sklearn_is_fitted__():
        documents = _new_documents(estimator, X, sample_weight, settings)
        names, given = check.column_names(X), warm_start_of(estimator)
        if given is not None:
            given.check_columns(names)
        return documents, _starting_priors(estimator, settings, documents, names, given)
    matrix = vocabulary_growth.check_new_documents(estimator, X, dtype=estimator._lambda.dtype)
    alpha, eta = estimator.doc_topic_prior, estimator.topic_word_prior
    requested = check_priors(alpha, eta, estimator.n_components, matrix.shape[1])
    has_seeds = estimator.seed_words is not None  # which the fitted priors include
    priors = kept_priors(estimator._priors, requested, alpha, "auto" if has_seeds else eta)
    priors = replace(priors, regression=None)  # its coefficients are those of the former topics
    check_cvb0(settings, priors)
    return _weighted_documents(estimator, matrix, sample_weight, settings, stacklevel=4), priors


def _starting_priors(
    estimator: Any,
    settings: FitSettings,
    documents: DocumentSource,
    names: NDArray[Any] | None,
    given: WarmStart | None,
) -> Priors:
    return starting_priors(
        estimator,
        settings,
        documents.n_words,
        lambda: documents.n_tokens,
        dtype=documents.dtype,
        column_names=names,
        fitted=None if given is None else given.priors,
    )


def _new_documents(
    estimator: Any, X: Any, sample_weight: Any, settings: FitSettings, doc_covariates: Any = None
) -> Documents:
    """Return the documents of X, whose columns need not be those of an earlier fit."""
    matrix = check.check_documents(estimator, X, dtype=check.check_dtype(estimator.dtype), reset=True)
    return _weighted_documents(estimator, matrix, sample_weight, settings, doc_covariates, stacklevel=5)


def _weighted_documents(
    estimator: Any,
    matrix: sparse.csr_array,
    sample_weight: Any,
    settings: FitSettings,
    doc_covariates: Any = None,
    *,
    stacklevel: int,
) -> Documents:
    """Return the documents with a weight above zero."""
    weight = check.check_sample_weight(sample_weight, matrix.shape[0], matrix.dtype)
    n_docs, kept, covariates = matrix.shape[0], None, None
    if weight is not None and not weight.all():
        kept = np.flatnonzero(weight)
        matrix, weight = matrix[kept], weight[kept]
    if doc_covariates is not None:
        covariates = scaled_covariates(doc_covariates, weight, kept, n_docs)
    if matrix.nnz == 0:
        is_online = settings.learning_method == "online"
        result = "each step moves the topics towards their prior" if is_online else "the topics will equal their prior"
        warnings.warn(f"X holds no counts (with any weight): {result}", stacklevel=stacklevel)
    check.warn_if_normalised(check.is_normalised(matrix), estimator, stacklevel=stacklevel)
    documents = Documents(check.to_counts(matrix), weight, covariates)
    if weight is not None:
        check.check_total(documents.n_tokens, matrix.dtype, "X times sample_weight")
    return documents
