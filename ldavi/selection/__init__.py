"""How many topics: a grid of models judged on held-out documents, and a recommendation that states its rule."""

from ldavi.selection._design import Fit
from ldavi.selection._result import Recommendation, Sweep
from ldavi.selection._sweep import sweep

__all__ = ["Fit", "Recommendation", "Sweep", "sweep"]
