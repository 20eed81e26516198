"""How many topics, and how reliable they are.

`sweep` evaluates a grid of models on held-out documents and recommends a number of topics by a stated rule; `ensemble`
fits a model many times and finds the topics that recur; `fit_periods` follows topics over consecutive periods.
"""

from ldavi.selection._design import Fit
from ldavi.selection._ensemble import Ensemble, ensemble
from ldavi.selection._periods import Periods, fit_periods
from ldavi.selection._result import Recommendation, Sweep
from ldavi.selection._sweep import sweep

__all__ = ["Ensemble", "Fit", "Periods", "Recommendation", "Sweep", "ensemble", "fit_periods", "sweep"]
