"""Check what the caller of a report passes, before anything is computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.library_models import fitted_model, words_of_model
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topic_names_of, topics_of
from ldavi._core.typing import Doubles, Matrix, Names
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import counts_over_words, holds_texts
from ldavi.inspection._columns import BinChoice
from ldavi.report._collect import ModelInput
from ldavi.report._documents import DocumentInput
from ldavi.report._effects import EffectsInput


def checked(
    model: ModelOrTopics,
    X: Matrix,
    *,
    feature_names: Names | None,
    vectorizer: Any,
    texts: Sequence[str] | None,
    document_names: Sequence[str] | None,
    metadata: Mapping[str, ArrayLike] | None,
    bins: Mapping[str, BinChoice] | None,
    theta: ArrayLike | None,
    document_map: ArrayLike | None,
    labels: Sequence[str] | Mapping[int, str] | None,
    diagnostics: Mapping[str, ArrayLike] | None,
    covariates: Mapping[str, ArrayLike] | Sequence[str] | None = None,
    formula: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = 0,
) -> tuple[ModelInput, DocumentInput]:
    """Check the arguments of :func:`ldavi.report.write`; return them as arrays."""
    if texts is None and holds_texts(X):
        texts = [str(text) for text in np.asarray(X, dtype=object)]
    vectorizer = _first_step(model) if vectorizer is None else vectorizer
    topics = topics_of(model)
    counts = counts_over_words(model, X, "report.write")
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns and the topics {topics.shape[1]} words; both must name the same words"
        )
    if feature_names is None and words_of_model(model) is None and vectorizer is not None:
        feature_names = vectorizer.get_feature_names_out()
    n_documents, n_topics = counts.shape[0], len(topics)
    columns = {} if metadata is None else {str(name): values for name, values in metadata.items()}
    documents = DocumentInput(
        counts=counts,
        names=feature_names_of(model, counts.shape[1], feature_names),
        texts=_strings("texts", texts, n_documents, "document"),
        document_names=_strings("document_names", document_names, n_documents, "document"),
        metadata=columns,
        bins=_check_bins(bins, columns),
        vectorizer=vectorizer,
        places=None if document_map is None else _check_places(document_map, n_documents),
    )
    fitted = ModelInput(
        model=fitted_model(model),
        topics=topics,
        theta=None if theta is None else _check_theta(theta, n_documents, n_topics),
        labels=_labels(labels, model, n_topics),
        diagnostics={} if diagnostics is None else _check_diagnostics(diagnostics, n_topics),
        effects=_effects_input(covariates, columns, formula, n_samples, random_state),
    )
    return fitted, documents


def _first_step(model: Any) -> Any:
    """Return the vectorizer that a pipeline begins with; None if there is none."""
    steps = getattr(getattr(model, "best_estimator_", model), "steps", None)
    return steps[0][1] if steps and hasattr(steps[0][1], "build_analyzer") else None


def _labels(labels: Sequence[str] | Mapping[int, str] | None, model: Any, n_topics: int) -> dict[int, str]:
    """Return the names of topics that the user or the model gives, by number."""
    names = {k: name for k, name in enumerate(topic_names_of(model) or []) if name}
    if labels is None:
        return names
    if not isinstance(labels, Mapping):
        return dict(enumerate(_strings("labels", labels, n_topics, "topic") or []))
    wrong = [k for k in labels if not isinstance(k, (int, np.integer)) or not 0 <= k < n_topics]
    if wrong:
        raise ValueError(f"labels names the topic {wrong[0]!r}; topics are numbers from 0 to {n_topics - 1}")
    return {**names, **{int(k): str(name) for k, name in labels.items()}}


def _check_bins(bins: Mapping[str, BinChoice] | None, columns: Mapping[str, Any]) -> dict[str, BinChoice]:
    given = {} if bins is None else {str(name): value for name, value in bins.items()}
    unknown = [name for name in given if name not in columns]
    if unknown:
        raise ValueError(f"bins names the column {unknown[0]!r}, which metadata, {list(columns)}, does not have")
    return given


def _effects_input(
    covariates: Mapping[str, ArrayLike] | Sequence[str] | None,
    metadata: Mapping[str, ArrayLike],
    formula: str | None,
    n_samples: int,
    random_state: int | np.random.RandomState | None,
) -> EffectsInput | None:
    """Return the covariates, of which a list names columns of the metadata; None if there are none."""
    check.check_integer("n_samples", n_samples, minimum=2)
    if covariates is None:
        if formula is not None:
            raise ValueError(f"formula={formula!r} needs covariates: pass those that it uses as covariates=")
        return None
    if isinstance(covariates, (str, bytes)):
        raise TypeError(f"covariates={covariates!r} is one string; pass a list of names of columns: [{covariates!r}]")
    if hasattr(covariates, "items"):
        columns = {str(name): values for name, values in covariates.items()}
    else:
        if not all(isinstance(name, str) for name in covariates):
            raise TypeError(
                f"covariates is {type(covariates).__name__}; pass a dict of columns, a DataFrame, or a list of names "
                "of columns of metadata"
            )
        unknown = [name for name in covariates if name not in metadata]
        if unknown:
            raise ValueError(
                f"covariates names the column {unknown[0]!r}, which metadata, {list(metadata)}, does not have"
            )
        columns = {str(name): metadata[name] for name in covariates}
    if not columns:
        raise ValueError("covariates has no column; pass at least one, or None")
    return EffectsInput(columns, formula, n_samples, random_state)


def _check_places(document_map: ArrayLike, n_documents: int) -> Doubles:
    array = np.array(document_map, dtype=np.float64)
    if array.shape != (n_documents, 2) or not np.isfinite(array).all():
        raise ValueError(
            f"document_map has shape {array.shape}; it must hold finite positions of shape (n_documents, 2), "
            f"here {(n_documents, 2)}"
        )
    return array


def _strings(name: str, values: Sequence[str] | None, n: int, of: str) -> list[str] | None:
    if values is None:
        return None
    if isinstance(values, (str, bytes)):
        raise TypeError(
            f"{name} is one {type(values).__name__}; it must be a sequence of {n} strings, one for each {of}"
        )
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} entries, but there are {n} {of}s. Give one for each.")
    return [str(value) for value in values]


def _check_theta(theta: ArrayLike, n_documents: int, n_topics: int) -> Doubles:
    array = np.array(theta, dtype=np.float64)
    if array.shape != (n_documents, n_topics):
        raise ValueError(
            f"theta has shape {array.shape}; it must be (n_documents, n_topics), here {(n_documents, n_topics)}"
        )
    totals = array.sum(axis=1, keepdims=True)
    if not np.isfinite(array).all() or (array < 0).any() or (totals <= 0).any():
        raise ValueError(
            "theta must be finite and >= 0, with a positive sum in each row. Pass the result of transform(X)."
        )
    return np.asarray(array / totals)


def _check_diagnostics(diagnostics: Mapping[str, ArrayLike], n_topics: int) -> dict[str, NDArray[Any]]:
    columns = {str(name): np.asarray(values) for name, values in diagnostics.items()}
    for name, values in columns.items():
        if values.shape != (n_topics,):
            raise ValueError(
                f"diagnostics[{name!r}] has shape {values.shape}; give one value for each of {n_topics} topics"
            )
    return columns
