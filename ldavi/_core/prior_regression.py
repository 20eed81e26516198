"""The document prior as a function of covariates: Dirichlet-multinomial regression. Equation (24.1) of docs/math.md."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.limits import MAX_LEARNED_PRIOR, MIN_LEARNED_PRIOR
from ldavi._core.typing import Doubles, Int64s

ROUNDING = 1e-10  # relative differences up to this one are those of rounding: such a column is constant
LOG_LIMITS = np.log(MIN_LEARNED_PRIOR), np.log(MAX_LEARNED_PRIOR)


class Scaling(NamedTuple):
    """How covariates as given become those that coefficients are learned for.

    Attributes
    ----------
    center, scale : array of shape (P,)
        (c − center) / scale is what a coefficient is learned for.
    is_constant : array of shape (P,)
        Which columns are constant, but for rounding; they become 0.
    names : array of shape (P,) or None
        The names of the columns.
    """

    center: Doubles
    scale: Doubles
    is_constant: NDArray[np.bool_]
    names: NDArray[Any] | None

    @classmethod
    def of_columns(cls, values: Doubles, weight: Doubles | None, names: NDArray[Any] | None) -> "Scaling":
        """Return the scaling of some covariates: centred, binary ones of width 1, others of standard deviation ½."""
        center = np.average(values, axis=0, weights=weight)
        smallest, largest = values.min(axis=0), values.max(axis=0)
        width = largest - smallest
        is_constant = width <= ROUNDING * np.maximum(np.abs(smallest), np.abs(largest))
        width = np.where(is_constant, 1.0, width)
        deviation = np.sqrt(np.average(np.square((values - center) / width), axis=0, weights=weight))
        is_binary = ((values == smallest) | (values == largest)).all(axis=0)
        scale = width * np.where(is_constant | is_binary, 1.0, 2 * deviation)
        return cls(center, scale, is_constant, names)

    def scaled(self, values: Doubles) -> Doubles:
        """Return the covariates of documents with a first column of ones, of shape (D, 1 + P)."""
        return with_ones(np.where(self.is_constant, 0.0, (values - self.center) / self.scale))

    def coef_as_given(self, coef: Doubles) -> Doubles:
        """Return the coefficients of covariates as given, of shape (1 + P, K); constants have none. Equation (24.5)."""
        slopes = np.where(self.is_constant[:, None], 0.0, coef[1:] / self.scale[:, None])
        return np.vstack([coef[0] - self.center @ slopes, slopes])

    def coef_of_scaled(self, coef: Doubles) -> Doubles:
        """Return the coefficients of scaled covariates from those of covariates as given. Equation (24.5)."""
        slopes = coef[1:] * np.where(self.is_constant, 0.0, self.scale)[:, None]
        return np.vstack([coef[0] + self.center @ coef[1:], slopes])


def with_ones(values: Doubles) -> Doubles:
    """Return covariates with a first column of ones, for the intercept."""
    return np.hstack([np.ones((len(values), 1)), values])


class Covariates(NamedTuple):
    """Covariates of documents; documents with the same covariates form a group.

    Attributes
    ----------
    values : array of shape (G, P)
        The covariates of each group. The first is 1, for the intercept.
    group : array of shape (D,)
        The group of each document.
    scaling : Scaling or None
        How the values were made of those that a user gave.
    """

    values: Doubles
    group: Int64s
    scaling: Scaling | None = None

    @classmethod
    def of_documents(cls, values: Doubles, scaling: Scaling | None = None) -> "Covariates":
        """Group documents by their covariates, of shape (D, P)."""
        distinct, group = np.unique(values, axis=0, return_inverse=True)
        return cls(distinct, group.reshape(-1).astype(np.int64), scaling)

    def select(self, documents: Int64s | slice) -> "Covariates":
        """Return the covariates of some documents."""
        return self._replace(group=self.group[documents])


@dataclass(frozen=True, slots=True)
class PriorRegression:
    """α_d = exp(c_d W), within the limits of learned priors. Equation (24.1).

    Attributes
    ----------
    coef : array of shape (P, K)
        W. Its first row is the intercept.
    """

    coef: Doubles

    def alpha_of_groups(self, values: Doubles) -> Doubles:
        """Return α for each row of covariates, of shape (G, K). A row does not depend on the others."""
        alpha: Doubles = np.exp(np.clip(np.einsum("gp,pk->gk", values, self.coef), *LOG_LIMITS))
        return alpha

    def alpha_of(self, covariates: Covariates) -> Doubles:
        """Return α_d of each document, of shape (D, K); the groups of all documents may be many more."""
        if len(covariates.group) < len(covariates.values):
            return self.alpha_of_groups(covariates.values[covariates.group])
        return self.alpha_of_groups(covariates.values)[covariates.group]
