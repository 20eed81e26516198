"""The record of a fit: a line per iteration, and when the lines say stop. It only records; `ldavi._elbo` computes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldavi._elbo import ELBOTerms


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One iteration of a fit.

    Attributes
    ----------
    iteration : int
        Passes over the documents so far, from 1.
    phase : str
        "warmup": each visit starts a document afresh. "monotone": visits go on from where they stopped and the ELBO
        cannot fall. "online": each document is scored with the topics of its visit, so the ELBO is an estimate.
        "final": after online passes, every document with the final topics.
    word, doc_topic, topic_word : float
        The terms of the ELBO, in nats.
    perplexity : float
        exp(−(word + doc_topic) / tokens) of the training documents.
    sweeps : float
        Sweeps over a document, on average.
    seconds : float
        Wall-clock time since the fit began.
    """

    iteration: int
    phase: str
    word: float
    doc_topic: float
    topic_word: float
    perplexity: float
    sweeps: float
    seconds: float

    @property
    def elbo(self) -> float:
        """The evidence lower bound, in nats."""
        return self.word + self.doc_topic + self.topic_word


def record(iteration: int, phase: str, terms: ELBOTerms, tokens: float, sweeps: float, seconds: float) -> TraceRecord:
    """A record with the perplexity that belongs to its terms. Equation (25)."""
    perplexity = float(np.exp(-(terms.word + terms.doc_topic) / tokens)) if tokens else 1.0
    word, doc_topic, topic_word = (float(term) for term in terms)
    return TraceRecord(iteration, phase, word, doc_topic, topic_word, perplexity, sweeps, seconds)


def relative_gain(before: TraceRecord, after: TraceRecord) -> float:
    """(after − before) / |after| of the ELBO; infinite across phases, whose values do not compare."""
    if before.phase != after.phase:
        return float("inf")
    return (after.elbo - before.elbo) / max(abs(after.elbo), np.finfo(float).tiny)


def to_array(records: Sequence[TraceRecord]) -> NDArray[np.void]:
    """The trace as a structured array: `trace["elbo"]`, `trace["phase"]`, or a DataFrame of it."""
    fields = [("iteration", np.int64), ("phase", "U8"), ("elbo", float), ("word", float), ("doc_topic", float)]
    fields += [("topic_word", float), ("perplexity", float), ("sweeps", float), ("seconds", float)]
    rows = [tuple(getattr(line, name) for name, _ in fields) for line in records]
    return np.array(rows, dtype=fields)
