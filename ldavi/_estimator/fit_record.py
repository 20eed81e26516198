"""Fitted attributes that describe a fit: how it ended, and how many documents it has seen."""

from typing import Any

from ldavi._core.documents import DocumentSource

FIT_RECORD = ("elbo_", "bound_", "elbo_trace_", "converged_")  # true only of the topics that `fit` ended with
SURPLUS = "_surplus_weight"  # Σ_d (ω_d − 1) of the documents seen; missing if none had a weight


def forget_fit_record(estimator: Any) -> None:
    """Delete the attributes that describe the topics at the end of `fit`, since the topics change."""
    for name in FIT_RECORD:
        vars(estimator).pop(name, None)


def count_documents(estimator: Any, documents: DocumentSource, *, is_first: bool = False) -> None:
    """Add documents to those that the estimator has seen, which are none before the first."""
    if is_first:
        estimator.n_samples_seen_ = 0
        vars(estimator).pop(SURPLUS, None)
    estimator.n_samples_seen_ += documents.n_docs
    if getattr(documents, "weight", None) is not None:
        surplus = documents.total_weight - documents.n_docs
        setattr(estimator, SURPLUS, getattr(estimator, SURPLUS, 0.0) + surplus)


def weight_seen(estimator: Any) -> float:
    """Return Σ_d ω_d of the documents seen."""
    weight: float = estimator.n_samples_seen_ + getattr(estimator, SURPLUS, 0.0)
    return weight
