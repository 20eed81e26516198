"""A fitted model as the parameter `init`."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ldavi._core.typing import Doubles
from ldavi._inference import initialization


def is_model(init: Any) -> bool:
    """Return whether `init` is an estimator, fitted or not."""
    return hasattr(init, "get_params") and hasattr(init, "fit") and not isinstance(init, type)


def is_fitted_model(init: Any) -> bool:
    """Return whether `init` is a fitted estimator."""
    if not is_model(init):
        return False
    try:
        check_is_fitted(init)
    except (NotFittedError, TypeError):
        return False
    return True


def unfrozen(init: Any) -> Any:
    """Return the estimator within `sklearn.frozen.FrozenEstimator`, or `init` itself."""
    return init.estimator if isinstance(init, FrozenEstimator) else init


def topics_of_init(init: Any, n_topics: int, n_words: int) -> Doubles:
    """Return the topics of `init`, an array or a fitted model; rows sum to 1.

    Raises
    ------
    ValueError
        If a model is not fitted, or the topics do not have the shape (n_topics, n_words).
    """
    if is_model(init) and not is_fitted_model(init):
        msg = (
            f"init is a {type(init).__name__} that is not fitted: fit it first. If it was fitted, a search such as "
            "GridSearchCV has cloned it, as it does with every estimator among the values of a parameter: give the "
            "search FrozenEstimator(model) of sklearn.frozen, or model.components_"
        )
        raise NotFittedError(msg)
    return initialization.given_topics(init, n_topics, n_words)
