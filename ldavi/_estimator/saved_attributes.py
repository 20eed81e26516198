"""The fitted attributes that a model file may hold, and what each of them may be."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ldavi._estimator.fit_record import SURPLUS
from ldavi._estimator.starting_topics import COVARIATE_NAMES


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 2**62


def _is_prior(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype == np.float64 and value.ndim <= 2 and bool((np.isfinite(value) & (value >= 0)).all())
    return _is_number(value) and 0 <= value < np.inf


def _is_mean(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and bool(np.isfinite(value).all())


def _is_names(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and all(isinstance(name, str) for name in value)


def _is_trace(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.names is not None


def _is_output_config(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair)


ATTRIBUTES: Mapping[str, Callable[[Any], bool]] = {
    "n_features_in_": lambda value: isinstance(value, int),
    "feature_names_in_": _is_names,
    "topic_names_": _is_names,  # `vocabulary_` has an entry of its own in the file
    "random_state_": lambda value: isinstance(value, np.random.RandomState),
    "doc_topic_prior_": _is_prior,
    "topic_word_prior_": _is_prior,
    COVARIATE_NAMES: _is_names,
    "elbo_trace_": _is_trace,
    "elbo_": _is_number,
    "bound_": _is_number,
    "converged_": lambda value: isinstance(value, (bool, np.bool_)),
    "n_iter_": _is_count,
    "n_batch_iter_": lambda value: _is_count(value) and value >= 1,  # the number of the next step
    "n_samples_seen_": _is_count,
    "_mean_log_theta": _is_mean,
    SURPLUS: _is_number,
    "_sklearn_output_config": _is_output_config,
}


def unknown_attributes(values: Mapping[str, Any], n_topics: int | None) -> list[str]:
    """Check fitted attributes, and return the names of those that this version does not know.

    Raises
    ------
    ValueError
        If an attribute cannot have its value, or an unknown one is private, so that it would change how others work.
    """
    unknown = [name for name in values if name not in ATTRIBUTES]
    for name in unknown:
        if name.startswith("_") or not name.endswith("_") or not name.isidentifier():
            raise ValueError(f"{name!r} is not a fitted attribute")
    for name in values.keys() & ATTRIBUTES.keys():
        if not ATTRIBUTES[name](values[name]):
            raise ValueError(f"{name} cannot be {str(values[name])[:100]}")
    mean = values.get("_mean_log_theta")
    if mean is not None and mean.shape != (n_topics,):
        raise ValueError(f"_mean_log_theta has shape {mean.shape}, not ({n_topics},)")
    return unknown
