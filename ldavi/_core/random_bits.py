"""Random bits that depend only on a seed and a position, and the state of NumPy generators as plain values.

Counter-based bits are the same for any number of threads and any order of computation.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import UInt64s

GOLDEN_GAMMA = 0x9E3779B97F4A7C15  # the increment of SplitMix64 (Steele, Lea and Flood 2014)
MIX = 0xBF58476D1CE4E5B9  # and the first multiplier of its finaliser


def pass_seed(seed: int, iteration: int) -> int:
    """Return a 64-bit seed for one pass; the counters of different passes then share no bits."""
    return (seed * GOLDEN_GAMMA + iteration * 0xD1342543DE82EF95) % 2**64


def random_bits_24(seed: int, first: int, n: int) -> UInt64s:
    """Return 24 random bits for each of the counters first, first + 1, …, first + n - 1."""
    bits = np.arange(first, first + n, dtype=np.uint64) * np.uint64(GOLDEN_GAMMA) + np.uint64(seed % 2**64)
    bits ^= bits >> np.uint64(29)
    bits *= np.uint64(MIX)
    return bits >> np.uint64(40)


def random_signs(n: int) -> NDArray[np.int64]:
    """Return n signs, -1 or 1, by a multiplicative hash of the position: random enough for a sparse projection."""
    return np.where(np.arange(n) * 0x9E3779B1 & 2**31, -1, 1)


def generator_state(value: Any) -> tuple[Any, ...] | None:
    """Return the state of a RandomState that uses the Mersenne Twister, or None for anything else."""
    state = value.get_state(legacy=False) if isinstance(value, np.random.RandomState) else {}
    if state.get("bit_generator") != "MT19937":
        return None
    return state["state"]["key"], int(state["state"]["pos"]), int(state["has_gauss"]), float(state["gauss"])


def generator_from(key: NDArray[Any], pos: int, has_gauss: int, gauss: float) -> np.random.RandomState:
    """Return the RandomState with this state.

    Raises
    ------
    ValueError
        If the state is invalid. NumPy does not check it: a position beyond the end of the key would be read there.
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
