"""What scikit-learn asks of an estimator that may hold another fitted model as a parameter."""

import copy
from typing import Any, Self

from sklearn.base import BaseEstimator, TransformerMixin

from ldavi._estimator import validation as check
from ldavi._estimator.given_model import is_fitted_model


class ModelProtocol(TransformerMixin, BaseEstimator):
    """Tags that follow the parameters, and clones that keep the topics of a fitted model given as `init`."""

    init: Any
    dtype: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = _preserved_dtypes(self.dtype)
        return tags

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted estimator with the same parameters; `init` stays fitted, being what `fit` starts from."""
        cloned: Self = super().__sklearn_clone__()
        if is_fitted_model(self.init):
            cloned.init = copy.deepcopy(self.init)
        return cloned


def _preserved_dtypes(dtype: Any) -> list[str]:
    """Return the dtypes of X that `transform` returns: that of the parameter if there is one, else either."""
    try:
        requested = check.check_dtype(dtype)
    except ValueError:  # reported by `fit`; tags are asked for before
        requested = None
    return ["float32", "float64"] if requested is None else [requested.name]
