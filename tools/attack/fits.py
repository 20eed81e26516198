"""Attack: random fits, whose results must satisfy every invariant."""

import warnings
from collections.abc import Mapping
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from tools.attack import invariants
from tools.attack.fitting import fit
from tools.attack.problems import problem

CHECKED = 2  # invariants that fit again, of each problem


def attempt(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Fit a random problem and check invariants; return the engine, the learning method and the way of the fit."""
    drawn = problem(seed, index, largest=options.get("largest", 1e9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "X holds no counts")
        warnings.filterwarnings("ignore", "X holds fractions in rows that")
        place = "the fit"
        try:
            model = fit(drawn)
            for check in (*invariants.ALWAYS, *drawn.rng.choice(invariants.SAMPLED, CHECKED, replace=False)):
                if check.__name__ not in options.get("skip", ()):
                    place = check.__name__
                    check(drawn, model)
        except Exception as error:
            error.add_note(f"in {place}; {drawn.label}, X {drawn.X.dtype} {drawn.dense.shape}, {drawn.parameters}")
            raise
    return drawn.label
