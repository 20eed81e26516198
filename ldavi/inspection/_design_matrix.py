"""Design matrices of covariates: plain columns, or formulas by formulaic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Int64s

Columns: TypeAlias = dict[str, Any]  # NumPy arrays, or pandas objects whose categories have an order
INTERCEPT = "Intercept"


class Design(Protocol):
    """The terms of a regression and the design matrix at given covariates."""

    @property
    def terms(self) -> list[str]:
        """The columns of the design matrix."""

    def matrix(self, columns: Columns) -> Doubles:
        """Return the design matrix, a row for each row of the columns."""


@dataclass(frozen=True, slots=True)
class PlainDesign:
    """An intercept and every column: numbers as they are, other values as indicators of all levels but the first.

    Attributes
    ----------
    levels : dict
        The levels of each column that does not hold numbers; None for one that does.
    terms : list of str
    """

    levels: dict[str, list[Any] | None]
    terms: list[str] = field(init=False)

    def __post_init__(self) -> None:
        terms = [INTERCEPT]
        for name, levels in self.levels.items():
            terms += [name] if levels is None else [f"{name}[T.{level}]" for level in levels[1:]]
        object.__setattr__(self, "terms", terms)

    def matrix(self, columns: Columns) -> Doubles:
        """Return the design matrix, a row for each row of the columns."""
        _check_levels(columns, self.levels)
        values = [np.ones(_n_rows(columns))]
        for name, levels in self.levels.items():
            column = np.asarray(columns[name])
            values += [column.astype(float)] if levels is None else [(column == level) * 1.0 for level in levels[1:]]
        return np.column_stack(values)


@dataclass(frozen=True, slots=True)
class FormulaDesign:
    """A formula whose splines and levels are those of the documents.

    Attributes
    ----------
    formula : str
    spec : formulaic.ModelSpec
    levels : dict
        As in `PlainDesign`.
    terms : list of str
    """

    formula: str
    spec: Any
    levels: dict[str, list[Any] | None]
    terms: list[str]

    def matrix(self, columns: Columns) -> Doubles:
        """Return the design matrix, a row for each row of the columns."""
        _check_levels(columns, {name: self.levels.get(name) for name in columns})
        return _evaluated(self.spec, self.formula, columns, self.levels)[0]


def design_of(columns: Columns, formula: str | None) -> Design:
    """Return the design of documents' covariates.

    Raises
    ------
    ImportError
        If there is a formula, and formulaic is not installed.
    ValueError, TypeError
        If the formula is not valid for these columns.
    """
    levels = {name: levels_of(column) for name, column in columns.items()}
    if formula is None:
        return PlainDesign(levels)
    if not isinstance(formula, str):
        raise TypeError(f"formula={formula!r} must be None or a str, such as '~ party + bs(year, df=4)'")
    if formula.count("~") > 1 or (formula.partition("~")[0].strip() and "~" in formula):
        raise ValueError(
            f"formula={formula!r} must have no left-hand side: every topic's share is regressed on the same covariates"
        )
    _, spec = _evaluated(None, formula, columns, levels)
    return FormulaDesign(formula, spec, levels, [str(name) for name in spec.column_names])


def _evaluated(spec: Any, formula: str, columns: Columns, levels: dict[str, list[Any] | None]) -> tuple[Doubles, Any]:
    """Evaluate a formula by formulaic; `spec` repeats an earlier evaluation with the same splines and levels."""
    try:
        import formulaic
        import pandas as pd
        from formulaic.errors import FormulaicError
    except ImportError as error:
        raise ImportError('a formula requires formulaic: python -m pip install "ldavi[effects]"') from error
    frame = {
        name: column if levels.get(name) is None else pd.Categorical(np.asarray(column), categories=levels[name])
        for name, column in columns.items()
    }
    try:
        # An empty context: a formula sees the covariates, not the variables of this function.
        source = formulaic.Formula(formula.strip()) if spec is None else spec
        matrix = source.get_model_matrix(pd.DataFrame(frame), context={}, na_action="raise", output="pandas")
    except (FormulaicError, ValueError, TypeError, NameError, KeyError) as error:
        raise ValueError(
            f"formula={formula!r} cannot be evaluated with the covariates {', '.join(map(repr, columns))}: {error}"
        ) from error
    values = np.asarray(matrix, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"formula={formula!r} has a value that is not finite, such as the logarithm of 0")
    return values, matrix.model_spec


def levels_of(column: Any) -> list[Any] | None:
    """Return the levels of a column in order: those that pandas gives categories, else sorted; None for numbers."""
    categories = getattr(getattr(column, "cat", None), "categories", None)
    values = np.asarray(column)
    if categories is not None:
        present = set(values.tolist())
        return [level for level in categories.tolist() if level in present]
    if values.dtype.kind in "iuf":
        return None
    return sorted(set(values.tolist()), key=lambda value: (str(type(value)), value))


def columns_of(covariates: Any, n_rows: int | None, name: str = "covariates") -> Columns:
    """Return covariates by name, after checking that each has one value for each row and none is missing.

    Parameters
    ----------
    covariates : dict, DataFrame, structured array, or array of shape (n,) or (n, n_columns)
    n_rows : int or None
        Number of documents; None takes that of the first column.
    name : str, default="covariates"
        The parameter, for messages.

    Raises
    ------
    ValueError, TypeError
        If a column has another length, or a value that is missing or cannot be used.
    """
    columns = _named(covariates, name)
    if not columns:
        raise ValueError(f"{name} has no column; pass at least one")
    n_rows = _n_rows(columns) if n_rows is None else n_rows
    return {str(key): _checked(column, f"{name}[{str(key)!r}]", n_rows) for key, column in columns.items()}


def rows_of(columns: Columns, rows: Int64s) -> Columns:
    """Return some rows of the columns."""
    return {name: column.iloc[rows] if hasattr(column, "iloc") else column[rows] for name, column in columns.items()}


def _named(covariates: Any, name: str) -> dict[Any, Any]:
    if isinstance(covariates, Mapping):
        return {
            key: np.atleast_1d(np.asarray(value)) if np.ndim(value) == 0 else value for key, value in covariates.items()
        }
    if hasattr(covariates, "columns"):
        return {key: covariates[key] for key in covariates.columns}
    values = np.asarray(covariates)
    if values.dtype.names:
        return {key: values[key] for key in values.dtype.names}
    if values.ndim == 2:
        return {f"x{j}": values[:, j] for j in range(values.shape[1])}
    if values.ndim == 1:
        return {getattr(covariates, "name", None) or "x": covariates}
    raise TypeError(f"{name} must be a dict of columns, a DataFrame, or an array of one or two dimensions")


def _checked(column: Any, name: str, n_rows: int) -> Any:
    values = np.asarray(column)
    if values.shape != (n_rows,):
        raise ValueError(f"{name} has shape {values.shape}, but there are {n_rows} rows. Give one value for each.")
    missing = _missing(values)
    if missing.any():
        raise ValueError(
            f"{name} has no finite value in row {int(np.flatnonzero(missing)[0])}. "
            "Leave such documents out, or give them a value."
        )
    if values.dtype.kind == "M" or any(hasattr(value, "isoformat") for value in values[:1].tolist()):
        raise TypeError(f"{name} holds dates. Pass a number, such as the year, or a period as text.")
    if values.dtype.kind == "O":
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values.tolist())
        values = values.astype(float) if numbers else np.array([str(value) for value in values.tolist()], dtype=object)
    if values.dtype.kind not in "biufOUST":
        raise TypeError(f"{name} has dtype {values.dtype}; pass numbers, booleans or text")
    return column if hasattr(column, "cat") and hasattr(column.cat, "categories") else values


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind in "fcM":
        return np.asarray(~np.isfinite(values))
    if values.dtype.kind == "O":  # NaN, NaT and pandas' NA do not equal themselves, or do not say
        return np.array([value is None or (value == value) is not True for value in values.tolist()], dtype=bool)
    return np.zeros(values.shape, dtype=bool)


def _check_levels(columns: Columns, levels: Mapping[str, list[Any] | None]) -> None:
    for name, known in levels.items():
        if name not in columns:
            raise ValueError(f"the covariate {name!r} of the regression is missing; give it a value")
        if known is None:
            if np.asarray(columns[name]).dtype.kind not in "iufb":
                value = np.asarray(columns[name]).tolist()[0]
                raise ValueError(f"the covariate {name!r} holds numbers; {value!r} is not one")
            continue
        unknown = [value for value in np.asarray(columns[name]).tolist() if value not in known]
        if unknown:
            raise ValueError(
                f"the covariate {name!r} has no level {unknown[0]!r} in the documents; "
                f"the levels are {', '.join(map(repr, known))}"
            )


def _n_rows(columns: Mapping[Any, Any]) -> int:
    return len(next(iter(columns.values())))
