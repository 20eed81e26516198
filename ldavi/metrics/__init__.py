"""How good a model is: held-out likelihood of its documents, and how far its bound is below it.

Functions take `model`, a fitted estimator (ours or scikit-learn's) or an array of topics, and X, documents × words.
"""

from ldavi.metrics._completion import DocumentCompletion, TokenSplit, document_completion, token_split
from ldavi.metrics._evidence import BoundGap, bound_gap, log_evidence
from ldavi.metrics._left_to_right import left_to_right
from ldavi.metrics._likelihood import HeldOutLikelihood
from ldavi.metrics._scorers import scorer

__all__ = [
    "BoundGap",
    "DocumentCompletion",
    "HeldOutLikelihood",
    "TokenSplit",
    "bound_gap",
    "document_completion",
    "left_to_right",
    "log_evidence",
    "scorer",
    "token_split",
]
