"""Generators of random numbers as plain values, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def generator_state(value: Any) -> tuple[Any, ...] | None:
    """The state of a RandomState that runs on the Mersenne Twister; None of anything else."""
    state = value.get_state(legacy=False) if isinstance(value, np.random.RandomState) else {}
    if state.get("bit_generator") != "MT19937":
        return None
    return state["state"]["key"], int(state["state"]["pos"]), int(state["has_gauss"]), float(state["gauss"])


def generator_from(key: NDArray[Any], pos: int, has_gauss: int, gauss: float) -> np.random.RandomState:
    """The RandomState of this state.

    Raises
    ------
    ValueError
        If it is not such a state. NumPy does not look: a position behind the key's end would be read there.
    """
    is_key = isinstance(key, np.ndarray) and key.dtype == np.uint32 and key.shape == (624,)
    if (
        not is_key
        or type(pos) is not int
        or not 0 <= pos <= 624
        or has_gauss not in (0, 1)
        or not isinstance(gauss, float)
    ):
        raise ValueError("a random state is not that of a Mersenne Twister")
    generator = np.random.RandomState(0)
    generator.set_state(("MT19937", key, pos, has_gauss, gauss))
    return generator
