"""Positions on a map, with outliers moved closer."""

import numpy as np

from ldavi._core.typing import Doubles

TYPICAL = 0.75  # quantile of the distances from the centre
FREE = 1.6  # multiple of the typical distance up to which positions are unchanged


def compress_outliers(points: Doubles) -> tuple[Doubles, int]:
    """Move outliers towards the centre, so that they do not compress the rest of a map.

    The centre is the median of each coordinate. Up to r₀, 1.6 times the upper quartile of the distances r from it,
    positions are unchanged; beyond it, the distance becomes r₀ (3 − r₀ / r) / 2, which is less than 1.5 r₀. Directions
    and the order of distances from the centre are unchanged.

    Parameters
    ----------
    points : array of shape (n, 2)

    Returns
    -------
    points : array of shape (n, 2)
    n_moved : int
        Number of positions that were changed.
    """
    centre = np.median(points, axis=0)
    away = points - centre
    distance = np.hypot(*away.T)
    free = FREE * float(np.quantile(distance, TYPICAL))
    outside = (distance > free) & (free > 0)
    ratio = np.where(outside, distance / (free or 1.0), 1.0)
    scale = np.where(outside, (3 - 1 / ratio) / (2 * ratio), 1.0)
    return centre + away * scale[:, None], int(outside.sum())
