"""Pictures of topics, as scikit-learn's Display objects: `from_…` computes, `plot` draws, the object keeps both.

Needs matplotlib: `pip install "ldavi[plot]"`. Colours are those of Okabe and Ito and the cividis map, which the colour-blind
can tell apart; figures grow with the number of topics, so that labels stay as large as they are.
"""

from ldavi.plotting._convergence import ConvergenceDisplay
from ldavi.plotting._documents import DocumentTopicsDisplay
from ldavi.plotting._map import TopicMapDisplay
from ldavi.plotting._matching import TopicMatchingDisplay
from ldavi.plotting._sizes import TopicSizesDisplay
from ldavi.plotting._sweep import SweepDisplay
from ldavi.plotting._words import TopWordsDisplay

__all__ = [
    "ConvergenceDisplay",
    "DocumentTopicsDisplay",
    "SweepDisplay",
    "TopWordsDisplay",
    "TopicMapDisplay",
    "TopicMatchingDisplay",
    "TopicSizesDisplay",
]
