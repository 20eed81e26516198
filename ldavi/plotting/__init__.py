"""Plots of topics, as Display objects like those of scikit-learn: `from_…` computes the data, `plot` draws them.

Requires matplotlib: `pip install "ldavi[plot]"`. Colours are those of Okabe and Ito and the cividis map, which
colour-blind readers can distinguish. Figures grow with the number of topics, so that the font size of labels is
constant.
"""

from ldavi.plotting._convergence import ConvergenceDisplay
from ldavi.plotting._documents import DocumentTopicsDisplay
from ldavi.plotting._effects import TopicEffectsDisplay, TopicSharesDisplay
from ldavi.plotting._map import TopicMapDisplay
from ldavi.plotting._matching import TopicMatchingDisplay
from ldavi.plotting._periods import PeriodsDisplay
from ldavi.plotting._sizes import TopicSizesDisplay
from ldavi.plotting._sweep import SweepDisplay
from ldavi.plotting._tree import TopicTreeDisplay
from ldavi.plotting._words import TopWordsDisplay

__all__ = [
    "ConvergenceDisplay",
    "DocumentTopicsDisplay",
    "PeriodsDisplay",
    "SweepDisplay",
    "TopWordsDisplay",
    "TopicEffectsDisplay",
    "TopicMapDisplay",
    "TopicMatchingDisplay",
    "TopicSharesDisplay",
    "TopicSizesDisplay",
    "TopicTreeDisplay",
]
