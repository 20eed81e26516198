"""Evaluation of topics and models: each measure with its definition and source.

Functions take topics as a (K, V) array or a fitted estimator, of this package or another library, and documents as
counts, documents × words.
"""

from ldavi.metrics._agreement import Matching, Stability, match_topics, stability, stability_over
from ldavi.metrics._coherence import coherence
from ldavi.metrics._completion import DocumentCompletion, TokenSplit, document_completion, token_split
from ldavi.metrics._diagnostics import topic_diagnostics
from ldavi.metrics._diversity import exclusivity, frex, inverted_rbo, topic_diversity
from ldavi.metrics._evidence import BoundGap, bound_gap, log_evidence
from ldavi.metrics._left_to_right import left_to_right
from ldavi.metrics._likelihood import HeldOutLikelihood
from ldavi.metrics._omega import Omega, omega
from ldavi.metrics._scorers import scorer

__all__ = [
    "BoundGap",
    "DocumentCompletion",
    "HeldOutLikelihood",
    "Matching",
    "Omega",
    "Stability",
    "TokenSplit",
    "bound_gap",
    "coherence",
    "document_completion",
    "exclusivity",
    "frex",
    "inverted_rbo",
    "left_to_right",
    "log_evidence",
    "match_topics",
    "omega",
    "scorer",
    "stability",
    "stability_over",
    "token_split",
    "topic_diagnostics",
    "topic_diversity",
]
