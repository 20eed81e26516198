"""Choose the number of topics: evaluate a grid of models on held-out documents and recommend one by a stated rule."""

from ldavi.selection._design import Fit
from ldavi.selection._result import Recommendation, Sweep
from ldavi.selection._sweep import sweep

__all__ = ["Fit", "Recommendation", "Sweep", "sweep"]
