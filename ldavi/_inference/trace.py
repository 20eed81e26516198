"""The record of a fit: a line per iteration, and when the lines say stop. It only records; `ldavi._inference.elbo` computes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldavi._inference.elbo import ELBOTerms


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One iteration of a fit.

    Attributes
    ----------
    iteration : int
        Passes over the documents so far, from 1.
    phase : str
        "warmup": each visit starts a document afresh; of a collapsed fit, passes of VB that it begins with; with
        `init="cvb0"` these, and the one that VB goes on with.
        "monotone": visits go on from where they stopped and the ELBO cannot fall. "online": each document is scored with
        the topics of its visit, so the ELBO is an estimate. "collapsed": a pass of CVB0, which has no bound. "final": where
        online or collapsed passes were the last, every document with the final topics.
    word, doc_topic, topic_word : float
        The terms of the ELBO, in nats; NaN in a collapsed pass.
    perplexity : float
        exp(−(word + doc_topic) / tokens) of the training documents; in a collapsed pass exp(−predictive / tokens).
    sweeps : float
        Sweeps over a document, on average.
    seconds : float
        Wall-clock time since the fit began.
    predictive : float
        What a collapsed pass reports: Σ n_dw log p(w | what all other counts hold), in nats; NaN elsewhere.
    validation : float
        Perplexity by document completion of the documents set aside, where it was measured; else NaN.
    """

    iteration: int
    phase: str
    word: float
    doc_topic: float
    topic_word: float
    perplexity: float
    sweeps: float
    seconds: float
    predictive: float = float("nan")
    validation: float = float("nan")

    @property
    def objective(self) -> float:
        """What the phase raises, in nats: the ELBO, or the predictive log-likelihood of collapsed passes."""
        return self.predictive if self.phase == "collapsed" else self.elbo

    @property
    def elbo(self) -> float:
        """The evidence lower bound, in nats."""
        return self.word + self.doc_topic + self.topic_word


def record(iteration: int, phase: str, terms: ELBOTerms, tokens: float, sweeps: float, seconds: float) -> TraceRecord:
    """A record with the perplexity that belongs to its terms. Equation (25)."""
    perplexity = float(np.exp(-(terms.word + terms.doc_topic) / tokens)) if tokens else 1.0
    word, doc_topic, topic_word = (float(term) for term in terms)
    return TraceRecord(iteration, phase, word, doc_topic, topic_word, perplexity, sweeps, seconds)


def predictive_record(iteration: int, phase: str, log_predictive: float, tokens: float, seconds: float) -> TraceRecord:
    """A record of a pass without a bound. Equation (34)."""
    perplexity = float(np.exp(-log_predictive / tokens)) if tokens else 1.0
    nan = float("nan")
    return TraceRecord(iteration, phase, nan, nan, nan, perplexity, 1.0, seconds, predictive=float(log_predictive))


def relative_gain(before: TraceRecord, after: TraceRecord) -> float:
    """(after − before) / |after| of the objective; infinite across phases, whose values do not compare."""
    if before.phase != after.phase:
        return float("inf")
    return (after.objective - before.objective) / max(abs(after.objective), np.finfo(float).tiny)


def to_array(records: Sequence[TraceRecord]) -> NDArray[np.void]:
    """The trace as a structured array: `trace["elbo"]`, `trace["phase"]`, or a DataFrame of it."""
    fields = [("iteration", np.int64), ("phase", "U9"), ("elbo", float), ("word", float), ("doc_topic", float)]
    fields += [("topic_word", float), ("perplexity", float), ("sweeps", float), ("seconds", float)]
    fields += [("predictive", float), ("validation", float)]
    rows = [tuple(getattr(line, name) for name, _ in fields) for line in records]
    return np.array(rows, dtype=fields)
