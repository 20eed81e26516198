"""Effects of covariates on the shares of topics, and shares by group, with intervals from draws of θ."""

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_random_state

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi.inspection import _columns, topic_regression
from ldavi.inspection._covariates import as_covariate, check_levels, has_categories, missing
from ldavi.inspection._design_matrix import columns_of, design_of, rows_of
from ldavi.inspection._group_shares import groups_with_words, shares_of_groupings
from ldavi.inspection._theta_samples import ThetaSampler, sampler_of
from ldavi.report._rounding import rounded

LEVEL = 0.95
EFFECTS = ("estimate", "std_error", "lower", "upper")
SURROGATES = re.compile("[\ud800-\udfff]")
MAX_TERMS = 100


@dataclass(frozen=True)
class EffectsInput:
    """The covariates of a report and how they are used; see the parameters of :func:`ldavi.report.write`."""

    columns: Mapping[str, Any]
    formula: str | None
    n_samples: int
    random_state: int | np.random.RandomState | None


def content(model: ModelOrTopics, counts: sparse.csr_array, asked: EffectsInput) -> dict[str, Any]:
    """Return the effects of the covariates and the shares by group for the page.

    Raises
    ------
    ValueError, TypeError
        If the regression is not possible, or has more terms than the page shows.
    """
    columns = {
        name: values if has_categories(values) else _encodable(np.asarray(values))
        for name, values in asked.columns.items()
    }
    used = {name: as_covariate(column, counts.shape[0], name) for name, column in columns.items()}
    rows = np.flatnonzero(np.all([~missing(column) for column in used.values()], axis=0))
    covariates = rows_of(used, rows)
    check_levels(covariates)
    _check_terms(covariates, len(rows), asked.formula)
    how: dict[str, Any] = {"random_state": asked.random_state, "n_jobs": getattr(model, "n_jobs", None)}
    if not isinstance(asked.random_state, numbers.Integral):  # the regression and the groups use the same draws
        how["random_state"] = int(check_random_state(asked.random_state).randint(2**31 - 1))
    regression = topic_regression(
        model, counts[rows], covariates, formula=asked.formula, n_samples=asked.n_samples, **how
    )
    effects = regression.effects(level=LEVEL)
    shape = (-1, len(regression.terms))
    return {
        "terms": regression.terms,
        **{name: rounded(np.asarray(effects[name]).reshape(shape).T, 5) for name in EFFECTS},
        "first_levels": {name: str(levels[0]) for name, levels in regression.design.levels.items() if levels},
        "formula": asked.formula,
        "documents": regression.n_documents,
        "left_out": counts.shape[0] - regression.n_documents,
        "draws": asked.n_samples,
        "dates": [name for name, column in columns.items() if _columns.as_dates(column) is not None],
        "groups": _groups(
            sampler_of(model, counts, doc_topic_prior=None, name="report", **how), columns, asked.n_samples
        ),
    }


def _encodable(column: NDArray[Any]) -> NDArray[Any]:
    """Replace unpaired surrogates, which tables of pandas cannot contain."""
    if column.dtype.kind not in "OU":
        return column
    values = [SURROGATES.sub("\ufffd", value) if isinstance(value, str) else value for value in column.tolist()]
    cleaned = np.empty(column.shape, dtype=object)
    cleaned[:] = values
    return cleaned


def _check_terms(covariates: dict[str, Any], n_rows: int, formula: str | None) -> None:
    if n_rows == 0:
        raise ValueError("covariates: no document has a value of each; leave out the column without values")
    n_terms = len(design_of(columns_of(covariates, n_rows), formula).terms)
    if n_terms > MAX_TERMS:
        raise ValueError(
            f"covariates give {n_terms:,} terms, and the report shows at most {MAX_TERMS}; join rare levels of "
            "covariates, or use ldavi.inspection.estimate_effect"
        )


def _groups(sampler: ThetaSampler, columns: Mapping[str, Any], n_samples: int) -> list[dict[str, Any]]:
    """Return the mean share of each topic in each group of each covariate that has two groups of documents or more."""
    cut = {name: _columns.cut(f"covariates[{name!r}]", values, sampler.n_docs) for name, values in columns.items()}
    shown = {name: bins for name, bins in cut.items() if _n_groups(sampler, bins) > 1}
    tables = shares_of_groupings(sampler, list(shown.values()), n_samples, LEVEL) if shown else []
    return [_of_groups(name, shown[name], table) for name, table in zip(shown, tables, strict=True)]


def _n_groups(sampler: ThetaSampler, bins: _columns.Bins) -> int:
    groups = groups_with_words(sampler, bins)
    return len(np.unique(groups[groups >= 0]))


def _of_groups(name: str, bins: _columns.Bins, table: Any) -> dict[str, Any]:
    topic = np.asarray(table["topic"])
    n_topics, first = int(topic.max()) + 1, topic == 0
    return {
        "name": name,
        "kind": bins.kind,
        "unit": bins.unit,
        "bins": [str(label) for label in np.asarray(table["group"])[first]],
        "documents": np.asarray(table["n_documents"])[first].tolist(),
        **{part: rounded(np.asarray(table[part]).reshape(-1, n_topics).T, 5) for part in ("share", "lower", "upper")},
    }
