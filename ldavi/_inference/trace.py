"""The record of a fit: one per pass. This module only records; `ldavi._inference.elbo` computes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldavi._core.limits import finite
from ldavi._core.records import Priors
from ldavi._inference.document_completion import perplexity_of
from ldavi._inference.elbo import ELBOTerms


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One pass of a fit.

    Attributes
    ----------
    iteration : int
        Number of the pass, from 1.
    phase : str
        A label of the pass. "warmup": documents start cold, or passes of VB that precede another algorithm.
        "monotone": documents start from their last γ, and the ELBO cannot decrease. "online": each document is scored
        with the topics of its step, so the ELBO is an estimate. "collapsed": a pass of CVB0, which has no bound.
        "final": the exact bound of the topics that online or collapsed passes led to.
    word, doc_topic, topic_word : float
        The terms of the ELBO, in nats; NaN in a collapsed pass.
    perplexity : float
        exp(−(word + doc_topic) / tokens) of the training documents; in a collapsed pass exp(−predictive / tokens).
    n_inner_iter : float
        Mean number of inner iterations per document.
    seconds : float
        Wall-clock time since the fit began.
    predictive : float
        For a collapsed pass, Σ n_dw log p(w | assignments of all other counts), in nats; NaN otherwise.
    validation : float
        Document-completion perplexity of the validation set, if it was computed after this pass; NaN otherwise.
    alpha_sum : float
        Σ_k α_k after this pass.
    eta : float
        η after this pass; its mean if it differs between words or topics.
    """

    iteration: int
    phase: str
    word: float
    doc_topic: float
    topic_word: float
    perplexity: float
    n_inner_iter: float
    seconds: float
    predictive: float = float("nan")
    validation: float = float("nan")
    alpha_sum: float = float("nan")
    eta: float = float("nan")

    @property
    def objective(self) -> float:
        """What convergence compares, in nats: the ELBO, or the predictive log-likelihood of collapsed passes."""
        return self.predictive if self.phase == "collapsed" else self.elbo

    @property
    def objective_name(self) -> str:
        """The name of `objective`: "ELBO" or "log predictive"."""
        return "log predictive" if self.phase == "collapsed" else "ELBO"

    @property
    def elbo(self) -> float:
        """The evidence lower bound, in nats."""
        return self.word + self.doc_topic + self.topic_word


def record(
    iteration: int,
    phase: str,
    terms: ELBOTerms,
    priors: Priors,
    *,
    tokens: float,
    n_inner_iter: float,
    seconds: float,
) -> TraceRecord:
    """Return a record with the perplexity that follows from its terms. Equation (14.3).

    Raises
    ------
    ValueError
        If the ELBO is not finite.
    """
    finite(terms.word + terms.doc_topic + terms.topic_word, f"the ELBO of pass {iteration}")
    perplexity = perplexity_of(terms.word + terms.doc_topic, tokens)
    word, doc_topic, topic_word = (float(term) for term in terms)
    return TraceRecord(
        iteration, phase, word, doc_topic, topic_word, perplexity, n_inner_iter, seconds, **_summary(priors)
    )


def predictive_record(
    iteration: int, phase: str, log_predictive: float, priors: Priors, *, tokens: float, seconds: float
) -> TraceRecord:
    """Return the record of a pass without a bound. Equation (18.7).

    Raises
    ------
    ValueError
        If the objective is not finite.
    """
    finite(log_predictive, f"the predictive log-likelihood of pass {iteration}")
    perplexity = perplexity_of(log_predictive, tokens)
    nan = float("nan")
    predictive = float(log_predictive)
    return TraceRecord(
        iteration, phase, nan, nan, nan, perplexity, 1.0, seconds, predictive=predictive, **_summary(priors)
    )


def _summary(priors: Priors) -> dict[str, float]:
    return {"alpha_sum": float(priors.alpha.sum()), "eta": float(priors.eta.mean())}


def relative_gain(before: TraceRecord, after: TraceRecord) -> float:
    """Return (after − before) / |after| of the objective; infinite between phases, whose values are not comparable."""
    if before.phase != after.phase:
        return float("inf")
    return (after.objective - before.objective) / max(abs(after.objective), sys.float_info.min)


def to_array(records: Sequence[TraceRecord]) -> NDArray[np.void]:
    """Return the trace as a structured array: `trace["elbo"]`, `trace["phase"]`, or a DataFrame of it."""
    fields = [("iteration", np.int64), ("phase", "U9"), ("elbo", float), ("word", float), ("doc_topic", float)]
    fields += [("topic_word", float), ("perplexity", float), ("n_inner_iter", float), ("seconds", float)]
    fields += [("predictive", float), ("validation", float), ("alpha_sum", float), ("eta", float)]
    rows = [tuple(getattr(line, name) for name, _ in fields) for line in records]
    return np.array(rows, dtype=fields)
