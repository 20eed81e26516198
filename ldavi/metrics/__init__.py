"""Evaluation of topics and of models: each measure with its definition and its source.

Functions take topics as a (K, V) array or a fitted estimator, ours or another library's, and documents × words counts.
"""

from ldavi.metrics._agreement import Matching, Stability, match_topics, stability, stability_over
from ldavi.metrics._coherence import coherence
from ldavi.metrics._diagnostics import topic_diagnostics
from ldavi.metrics._diversity import exclusivity, frex, inverted_rbo, topic_diversity

__all__ = [
    "Matching",
    "Stability",
    "coherence",
    "exclusivity",
    "frex",
    "inverted_rbo",
    "match_topics",
    "stability",
    "stability_over",
    "topic_diagnostics",
    "topic_diversity",
]
