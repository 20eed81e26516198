"""The priors that a fit starts with: as given, learned before, or with the pseudo-counts of seed words."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ldavi._core.limits import FLOAT32, prior_range
from ldavi._core.records import Priors
from ldavi._core.typing import Doubles
from ldavi._estimator.settings import FitSettings, Parameters, is_auto, is_regression, is_zero
from ldavi._inference.cvb0_pass import MAX_TOPICS
from ldavi._inference.initialization import seeded_columns, with_seeds

FIRST_ALPHA, FIRST_ETA = 0.1, 0.05  # initial values of "auto"
FIRST_ALPHA_OF_VB = 0.01  # of passes of VB over all documents, whose bound has several optima: this one is better


def check_priors(
    doc_topic_prior: Any, topic_word_prior: Any, n_topics: int, n_words: int, dtype: DTypeLike = np.float64
) -> Priors:
    """Return α of shape (K,) and η word-major; None means 1 / n_components, and "auto" the initial value.

    Raises
    ------
    ValueError
        If a prior has another shape, or is outside the range that a fit in `dtype` can compute with.
    TypeError
        If it is not a number.
    """
    if is_auto(doc_topic_prior) or is_regression(doc_topic_prior):
        doc_topic_prior = FIRST_ALPHA
    if is_auto(topic_word_prior):
        topic_word_prior = FIRST_ETA
    dtype = np.dtype(dtype)
    alpha = _prior("doc_topic_prior", doc_topic_prior, n_topics, {(n_topics,): "(n_components,)"}, dtype)
    shapes = {(n_words,): "(n_features,)", (n_topics, n_words): "(n_components, n_features)"}
    if is_zero(topic_word_prior):
        eta = np.zeros((1, 1))
    else:
        eta = _prior("topic_word_prior", topic_word_prior, n_topics, shapes, dtype)
        eta = np.ascontiguousarray(eta.T) if eta.ndim == 2 else eta.reshape(-1, 1)
    return Priors(np.broadcast_to(alpha, (n_topics,)).copy(), eta)


def refuse_names(doc_topic_prior: Any) -> None:
    """Raise ValueError if a prior is to be learned, which only a fit can do."""
    if is_auto(doc_topic_prior) or is_regression(doc_topic_prior):
        raise ValueError(
            f"doc_topic_prior={doc_topic_prior!r} must be a number > 0, an array of them or None: only a fit learns it"
        )


def kept_priors(kept: Priors, requested: Priors, doc_topic_prior: object, topic_word_prior: object) -> Priors:
    """Return the priors of a model for `partial_fit`, after checking that those requested are the same or learned."""
    if kept.n_topics != requested.n_topics:
        differs, fitted = f"n_components={requested.n_topics}", str(kept.n_topics)
    elif not isinstance(doc_topic_prior, str) and not np.array_equal(kept.alpha, requested.alpha):
        differs, fitted = f"doc_topic_prior={doc_topic_prior!r}", f"{kept.alpha}"
    elif not isinstance(topic_word_prior, str) and not np.array_equal(kept.eta, requested.eta):
        differs, fitted = f"topic_word_prior={topic_word_prior!r}", f"{kept.eta.squeeze()}"
    else:
        return kept
    raise ValueError(
        f"{differs} differs from that of the fitted topics, {fitted}: set it back for partial_fit, or call fit to "
        "start from scratch"
    )


def warm_priors(fitted: Priors, requested: Priors, doc_topic_prior: object, topic_word_prior: object) -> Priors:
    """Return the priors of a warm start: learned ones continue from their fitted values, if the shape is the same."""
    continues_alpha = isinstance(doc_topic_prior, str) and fitted.n_topics == requested.n_topics
    continues_eta = isinstance(topic_word_prior, str) and fitted.eta.size == 1
    alpha = fitted.alpha if continues_alpha else requested.alpha
    return Priors(alpha, fitted.eta if continues_eta else requested.eta)


def starting_priors(
    parameters: Parameters,
    settings: FitSettings,
    n_words: int,
    n_tokens: Callable[[], float],
    *,
    dtype: DTypeLike,
    column_names: NDArray[Any] | None,
    fitted: Priors | None,
) -> Priors:
    """Return the priors that a fit starts with.

    Parameters
    ----------
    n_tokens : callable
        Returns the tokens of the corpus; it is called only if there are seed words, whose prior depends on it.
    dtype : float32 or float64
        The precision of the fit.
    column_names : array of shape (n_words,) or None
        The words that `seed_words` may name.
    fitted : Priors or None
        Those of the fitted model in a warm start.
    """
    alpha, eta = parameters.doc_topic_prior, parameters.topic_word_prior
    priors = check_priors(alpha, eta, settings.n_components, n_words, dtype)
    if settings.learn_alpha and settings.learning_method != "online" and not settings.runs_cvb0:
        priors = Priors(np.full_like(priors.alpha, FIRST_ALPHA_OF_VB), priors.eta)
    if fitted is not None:
        priors = warm_priors(fitted, priors, alpha, eta)
    check_cvb0(settings, priors)
    if parameters.seed_words is None:
        return priors
    if priors.point_estimate:
        raise ValueError("topic_word_prior=0 requests point estimates, which seed_words cannot guide: use a number > 0")
    columns = seeded_columns(parameters.seed_words, settings.n_components, n_words, column_names)
    return with_seeds(priors, columns, n_tokens(), n_words)


def check_cvb0(settings: FitSettings, priors: Priors) -> None:
    """Raise ValueError if a fit with collapsed passes has priors or a number of topics that these do not support."""
    if not settings.runs_cvb0:
        return
    is_cvb0 = settings.inference == "cvb0"
    name = 'inference="cvb0"' if is_cvb0 else f"n_collapsed_iter={settings.n_collapsed_iter}"  # "auto" never gets here
    instead = 'inference="vb"' if is_cvb0 else "n_collapsed_iter=0"
    if priors.point_estimate:
        msg = f"topic_word_prior=0 requests point estimates, which {name} does not support: use a number > 0"
        raise ValueError(f"{msg}, or {instead}")
    if priors.n_topics > MAX_TOPICS:
        raise ValueError(f"n_components={priors.n_topics} must be at most {MAX_TOPICS} with {name}; use {instead}")


def _prior(name: str, value: Any, n_topics: int, shapes: dict[tuple[int, ...], str], dtype: np.dtype[Any]) -> Doubles:
    words = 'None, "auto", "regression"' if name == "doc_topic_prior" else 'None, "auto"'
    allowed = f"{words}, a number > 0 or an array of them"
    if value is None:
        return np.array(1 / n_topics)
    if isinstance(value, (str, bytes, bool)):
        raise TypeError(f"{name}={value!r} must be {allowed}")
    try:
        prior = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}={value!r} must be {allowed}") from error
    if prior.ndim and prior.shape not in shapes:
        possible = " or ".join(f"{label} = {shape}" for shape, label in shapes.items())
        raise ValueError(f"{name} has shape {prior.shape}; an array must have shape {possible}")
    if not (np.isfinite(prior).all() and (prior > 0).all()):
        worst = value if prior.ndim == 0 else prior[~(np.isfinite(prior) & (prior > 0))][0]
        also = ", or the number 0 for point estimates of the topics" if name == "topic_word_prior" else ""
        raise ValueError(f"{name}={worst!r} must be finite and > 0{also}")
    smallest, largest = prior_range(dtype)
    if prior.min() < smallest or prior.max() > largest:
        worst = prior.min() if prior.min() < smallest else prior.max()
        wider = " or use dtype='float64'" if dtype == FLOAT32 else ""
        raise ValueError(
            f"{name}={worst:g} must be between {smallest:g} and {largest:g} with dtype={dtype.name!r}: choose a number "
            f"in this range{wider}"
        )
    return prior
