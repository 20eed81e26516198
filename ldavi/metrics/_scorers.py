"""Scorers of held-out likelihood for scikit-learn's model selection."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Matrix
from ldavi._estimator import validation as check
from ldavi._estimator.infer import infer
from ldavi._estimator.posterior import counts_over_words
from ldavi.metrics import _tokens
from ldavi.metrics._completion import document_completion
from ldavi.metrics._evidence import log_evidence
from ldavi.metrics._left_to_right import left_to_right


def scorer(measure: str = "document_completion", **options: Any) -> Callable[..., float]:
    """Make a scorer for `GridSearchCV` or `cross_val_score`: log-likelihood per held-out token, in nats.

    Scores are per token, so that folds of long and of short documents have comparable scores. Higher is better.

    Parameters
    ----------
    measure : str, default="document_completion"
        One of "document_completion", "left_to_right", "log_evidence", the functions of that name, and "bound": the
        ELBO of the documents by `ldavi.infer` with the model's topics fixed, which is the fastest. "log_evidence" is
        far slower than the others, and meant for few documents: its time is in proportion to `n_temperatures` times
        `n_chains`, by default 1000 times 20. To search with it, pass smaller ones, such as `n_temperatures=100,
        n_chains=5`, whose standard error is larger.
    **options
        Options of that function, such as `n_particles=50` or `doc_topic_prior=None`. "bound" takes `doc_topic_prior`,
        `mean_change_tol`, `max_doc_update_iter` and `n_jobs`, as `ldavi.infer` does.

    Returns
    -------
    score : callable
        `score(estimator, X, y=None)`. The estimator is an LDA, of this package or scikit-learn, or a `Pipeline` that
        ends with one and whose earlier steps transform X. The scorer can be pickled.

    Raises
    ------
    ValueError
        If there is no such measure.
    TypeError
        If the measure does not take an option.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from ldavi import LatentDirichletAllocation, metrics
    >>> X = np.random.default_rng(0).poisson(1.0, (30, 8))
    >>> lda = LatentDirichletAllocation(2, tol=1e-2, random_state=0)
    >>> cross_val_score(lda, X, cv=3, scoring=metrics.scorer("bound")).shape
    (3,)
    """
    check.check_choice("measure", measure, tuple(MEASURES))
    known = [name for name in inspect.signature(MEASURES[measure]).parameters if name not in ("model", "X")]
    for name in options:
        if name not in known:
            raise TypeError(f"{measure} takes no option {name!r}; it takes {', '.join(known)}")
    return _Scorer(measure, options)


@dataclass(frozen=True)
class _Scorer:
    """A measure and its options; a class, so that it can be pickled."""

    measure: str
    options: Mapping[str, Any]

    def __call__(self, estimator: Any, X: Any, y: object = None) -> float:
        return MEASURES[self.measure](*_last_step(estimator, X), **self.options)


def _last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the last step of a pipeline, and X as transformed by the earlier steps."""
    while isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            X = X if step is None or step == "passthrough" else step.transform(X)
        estimator = estimator.steps[-1][1]
    return estimator, X


def _per_token(log_likelihood: float, n_tokens: float) -> float:
    return float(log_likelihood / n_tokens) if n_tokens else 0.0


def _sampled(function: Callable[..., Any]) -> Callable[..., float]:
    """Make a score from a function that returns a result record."""

    def score(model: ModelOrTopics, X: Matrix, **options: Any) -> float:
        result = function(model, X, **options)
        n_tokens = result.n_scored if hasattr(result, "n_scored") else result.n_tokens
        return _per_token(result.log_likelihood, n_tokens)

    score.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return score


def _bound(
    model: ModelOrTopics,
    X: Matrix,
    *,
    doc_topic_prior: float | ArrayLike | None = None,
    mean_change_tol: float = 1e-3,
    max_doc_update_iter: int = 100,
    n_jobs: int | None = None,
) -> float:
    """Compute Σ_d L_d / tokens, with topics fixed at E[β]."""
    topics = topics_of(model)
    alpha = _tokens.check_prior(model, len(topics), doc_topic_prior)
    counts = counts_over_words(model, X, "scorer")
    inference = infer(
        counts, topics, alpha, mean_change_tol=mean_change_tol, max_doc_update_iter=max_doc_update_iter, n_jobs=n_jobs
    )
    return _per_token(inference.bound.sum(), counts.data.sum())


MEASURES: dict[str, Callable[..., float]] = {
    "document_completion": _sampled(document_completion),
    "left_to_right": _sampled(left_to_right),
    "log_evidence": _sampled(log_evidence),
    "bound": _bound,
}
