"""Construct fitted models from the state of a saved model, or from topics of another library."""

import warnings
from typing import Any

import numpy as np

from ldavi._core.records import Priors, aligned_zeros, padded
from ldavi._core.saved_arrays import checked_priors
from ldavi._estimator.doc_covariates import COEFFICIENTS, show_regression
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._estimator.saved_attributes import ATTRIBUTES, unknown_attributes
from ldavi._estimator.starting_priors import check_priors
from ldavi._estimator.validation import check_parameters
from ldavi._estimator.vocabulary import TOPIC_NAMES, WORDS
from ldavi._inference.lazy_lambda import LazyLambda

PARTS = ("rows", "decay", "excess")  # of `LazyLambda.to_arrays`
RENAMED = {"sweeps": "n_inner_iter"}  # fields of the trace in files of format version 1


def state_of(model: LatentDirichletAllocation) -> dict[str, Any]:
    """Return the fitted state of a model, without its parameters, as arrays and plain values; nothing is copied.

    Assigned words (`vocabulary_`) are not part of it: a model file has them beside the model.

    "lam" has the parts of `LazyLambda`: λ = η + decay · (rows − η), word-major, padded. Storing the parts preserves the
    bits of the next online step and leaves the model unchanged.
    """
    parameters = model.get_params(deep=False)
    state = {name: value for name, value in vars(model).items() if name not in parameters}
    state.pop(WORDS, None)
    if TOPIC_NAMES in state:
        state["topic_names_"] = state.pop(TOPIC_NAMES)
    if "_lambda" in state:
        lam, priors = state.pop("_lambda"), state.pop("_priors")
        state["lam"] = lam.to_arrays()
        state["priors"] = priors.to_arrays()
        for name in COEFFICIENTS:  # which are those of the priors
            state.pop(name, None)
    return state


def restored(parameters: dict[str, Any], state: dict[str, Any]) -> LatentDirichletAllocation:
    """Return the model with these parameters and this state.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not valid, or the state is not that of a model.

    Warns
    -----
    UserWarning
        If the state has attributes that this version does not know; they are left out.
    """
    model = LatentDirichletAllocation(**parameters)
    check_parameters(model)
    attributes = dict(state)
    lam, priors = attributes.pop("lam", None), attributes.pop("priors", None)
    for name in attributes:
        if name in parameters or (hasattr(LatentDirichletAllocation, name) and name not in ATTRIBUTES):
            raise ValueError(f"{name!r} cannot be a fitted attribute: it is used otherwise")
    if (lam is None) != (priors is None):
        raise ValueError("either 'lam' or 'priors' is missing")
    if lam is not None:
        model._priors = _priors(priors)
        model._lambda = _lambda_from(lam, model._priors)
        _check_words(attributes, len(lam["rows"]))
        if model._priors.n_topics != model.n_components:
            raise ValueError(f"n_components={model.n_components}, but it has {model._priors.n_topics} topics")
    unknown = unknown_attributes(attributes, None if lam is None else model._priors.n_topics)
    if unknown:
        names = ", ".join(unknown)
        warnings.warn(f"the model has attributes that this version of ldavi does not know: {names}", stacklevel=3)
    for name in unknown:
        del attributes[name]
    for name, value in attributes.items():
        setattr(model, name, _with_new_fields(value) if name == "elbo_trace_" else value)
    if lam is not None:
        show_regression(model)
    return model


def _with_new_fields(trace: Any) -> Any:
    """Return the trace with the present names of its fields."""
    names = getattr(getattr(trace, "dtype", None), "names", None)
    if names:
        trace.dtype.names = tuple(RENAMED.get(name, name) for name in names)
    return trace


def _priors(parts: Any) -> Priors:
    if not isinstance(parts, dict) or parts.keys() - {"coef"} != {"alpha", "eta"}:
        raise ValueError("'priors' does not have alpha and eta")
    return checked_priors(parts["alpha"], parts["eta"], parts.get("coef"))


def _lambda_from(parts: Any, priors: Priors) -> LazyLambda:
    rows = parts.get("rows") if isinstance(parts, dict) else None
    if not isinstance(rows, np.ndarray) or rows.dtype.name not in ("float32", "float64") or rows.ndim != 2:
        raise ValueError("the rows of λ are not a float32 or float64 array of 2 dimensions")
    (n_words, width), K = rows.shape, priors.n_topics
    if n_words == 0 or width < K:
        raise ValueError(f"the rows of λ have shape {rows.shape}, which does not hold {K} topics")
    if priors.eta.shape not in {(1, 1), (n_words, 1), (n_words, K)}:
        raise ValueError(f"eta has shape {priors.eta.shape}, which does not fit {n_words} words and {K} topics")
    if width != padded(K):  # written on a machine that pads rows differently
        wider = aligned_zeros((n_words, padded(K)), rows.dtype)
        wider[:, :K] = rows[:, :K]
        rows = wider
    if parts.keys() not in ({*PARTS}, {"rows", "decay", "totals"}):  # early files store Λ itself
        raise ValueError(f"λ is not stored as {sorted(PARTS)}")
    decay, sums = parts["decay"], parts.get("totals", parts.get("excess"))
    if not isinstance(decay, float) or not 0 < decay <= 1:
        raise ValueError(f"decay={decay!r} is not between 0 and 1")
    is_sums = isinstance(sums, np.ndarray) and sums.dtype == np.float64 and sums.shape == (K,)
    if sums is not None and not is_sums:
        raise ValueError(f"the sums of λ are not {K} float64 numbers")
    excess = sums if sums is None or "excess" in parts else sums - priors.eta_totals(n_words)
    return LazyLambda.from_arrays({"rows": rows, "decay": decay, "excess": excess}, priors, copy=False)


def _check_words(attributes: dict[str, Any], n_words: int) -> None:
    n_features = attributes.get("n_features_in_")
    if not isinstance(n_features, int) or n_features != n_words:
        raise ValueError(f"n_features_in_={n_features!r}, but λ has {n_words} words")
    names = attributes.get("feature_names_in_")
    if names is not None and np.shape(names) != (n_words,):
        raise ValueError(f"feature_names_in_ has shape {np.shape(names)}, but λ has {n_words} words")


def fitted_with(
    lam: Any,
    *,
    doc_topic_prior: Any,
    topic_word_prior: Any,
    feature_names: Any = None,
    n_updates: int = 0,
    n_samples: int = 0,
    **parameters: Any,
) -> LatentDirichletAllocation:
    """Return a model with topics from another source.

    Parameters
    ----------
    lam : array of shape (K, V)
        λ; if `topic_word_prior` is 0, weights proportional to β. float32 is kept; other types become float64.
    doc_topic_prior, topic_word_prior
        α and η, as the estimator accepts them.
    feature_names : sequence of V str, optional
    n_updates, n_samples : int
        Online steps and documents so far.
    **parameters
        Parameters of the constructor.

    Raises
    ------
    ValueError
        If λ, a prior or the names are not of the right kind and shape.
    """
    lam = np.asarray(lam)
    lam = lam if lam.dtype == np.float32 else lam.astype(np.float64)
    if lam.ndim != 2 or 0 in lam.shape:
        raise ValueError(f"the topics have shape {lam.shape}; they must be (n_topics, n_words), neither of them 0")
    K, n_words = lam.shape
    alpha, eta = _simplest(doc_topic_prior), _simplest(topic_word_prior)
    priors = check_priors(alpha, eta, K, n_words)
    if not np.isfinite(lam).all() or lam.min() < 0 or (not priors.point_estimate and lam.min() == 0):
        bound = ">= 0" if priors.point_estimate else "> 0: add topic_word_prior to counts"
        raise ValueError(f"the topics hold {lam.min()}; their parameters λ must be finite and {bound}")
    model = LatentDirichletAllocation(K, doc_topic_prior=alpha, topic_word_prior=eta, **parameters)
    if feature_names is not None:
        names = np.array(list(feature_names), dtype=object)
        if names.shape != (n_words,) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"feature_names must be {n_words} strings, one for each word; got {names.shape}")
        model.feature_names_in_ = names
    rows = aligned_zeros((n_words, padded(K)), lam.dtype)
    rows[:, :K] = lam.T
    model._lambda, model._priors, model._mean_log_theta = LazyLambda(rows, priors), priors, None
    model._show_priors()
    model.n_features_in_, model.n_samples_seen_ = n_words, n_samples
    model.n_iter_, model.n_batch_iter_ = 0, n_updates + 1
    return model


def _simplest(prior: Any) -> Any:
    """Return a prior whose values are all equal as a number."""
    values = None if prior is None else np.asarray(prior, dtype=np.float64)
    if values is None or values.size == 0 or (values != values.flat[0]).any():
        return values
    return float(values.flat[0])
