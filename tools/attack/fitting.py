"""Fit a random problem."""

from typing import Any

from ldavi import LatentDirichletAllocation
from tools.attack.problems import Problem

GIVEN: Any = object()  # the value of the problem


class StoppedError(Exception):
    """A fit was ended by its callback."""


class StopsAfter:
    """A callback that ends a fit with an exception after a number of passes."""

    def __init__(self, passes: int) -> None:
        self.passes = passes

    def __call__(self, record: Any) -> None:
        if record.iteration >= self.passes:
            raise StoppedError

    def __repr__(self) -> str:
        return "StopsAfter"  # fits that differ in the number of passes are the same fit to a checkpoint


def fit(
    problem: Problem, X: Any = GIVEN, sample_weight: Any = GIVEN, checkpoint: Any = None, **parameters: Any
) -> LatentDirichletAllocation:
    """Fit the problem in its way; parameters replace those of the problem."""
    X = problem.X if X is GIVEN else X
    weight = problem.sample_weight if sample_weight is GIVEN else sample_weight
    model = LatentDirichletAllocation(**problem.parameters | parameters)
    if problem.way == "partial_fit":
        return model.partial_fit(X, sample_weight=weight).partial_fit(X)
    if problem.way == "batches":
        return model.fit(problem.batches())
    model.fit(X, sample_weight=weight, checkpoint=checkpoint)
    if problem.way == "warm_start":
        model.set_params(warm_start=True).fit(X, sample_weight=weight)
    return model


def is_auto(prior: Any) -> bool:
    """Return whether a prior is learned."""
    return isinstance(prior, str) and prior == "auto"


def without_restarts(problem: Problem) -> bool:
    """Return whether a problem has one start."""
    return problem.parameters.get("n_init", 1) == 1
