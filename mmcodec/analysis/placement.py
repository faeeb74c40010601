"""Which frames of a shot tell most of it, when those between them are blended from them.

The problem is that of the best knots of a linear spline through the frames as points of a space;
it is solved exactly by dynamic programming (R. Bellman, "On the approximation of curves by line
segments using dynamic programming", 1961), for all numbers of knots at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SIZE = (32, 18)
_MOST = 96
"""Frames of a shot that are looked at."""
_UNSEEN = 0.3
"""Squared error of a pixel by movement too fine for this raster, one frame from a knot."""

Floats = NDArray[np.float64]


def best_frames(pixels: Sequence[NDArray[np.uint8]], most: int) -> list[list[int]]:
    """The best 1, 2, ... up to ``most`` places in ``pixels``, RGB (height, width, 3) each."""
    looked_at = range(0, len(pixels), -(-len(pixels) // _MOST))
    small = np.stack([_small(pixels[place]) for place in looked_at])
    found = best_knots(small, most, _UNSEEN * small.shape[1])
    return [[looked_at[knot] for knot in knots] for knots in found]


def best_knots(points: NDArray[np.float32], most: int, unseen: float = 0.0) -> list[list[int]]:
    """The best 1, 2, ... knots among ``points`` (n, dimensions), no more than n.

    Before the first and after the last knot that one is held; between, points are blended. The
    squared distance to what they are is least, where each point is ``unseen`` further away for
    the square of its distance in points to a knot.
    """
    products = np.einsum("ad,bd->ab", points, points, dtype=np.float64)
    powers = np.diag(products)
    at = np.arange(len(points), dtype=np.float64)
    steps = np.square(at[:, None] - at)
    apart = powers[:, None] + powers - 2 * products + unseen * steps
    before, after = np.tril(apart).sum(axis=1), np.triu(apart).sum(axis=1)
    # Half of the points between two knots are nearer to either: a sum of squares up to length / 2.
    between = _blending_errors(products) + unseen * np.sqrt(steps) ** 3 / 12
    chosen = [[int(np.argmin(before + after))]]
    reached, origins = before, []
    for _ in range(1, min(most, len(points))):
        through = reached[:, None] + between
        origin = np.argmin(through, axis=0)
        reached = np.take_along_axis(through, origin[None], axis=0)[0]
        origins.append(origin)
        knots = [int(np.argmin(reached + after))]
        for step in reversed(origins):
            knots.append(int(step[knots[-1]]))
        chosen.append(knots[::-1])
    return chosen


def _blending_errors(products: Floats) -> Floats:
    """Error of blending all points between i and j from those two (n, n); infinite for j <= i.

    With weights b and 1 - b that is the sum of ``|x - b i - (1 - b) j|**2`` over the points x,
    which comes down to sums of inner products along rows and columns.
    """
    count = len(products)
    powers, at = np.diag(products), np.arange(count, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(powers)])
    rows = np.concatenate([np.zeros((1, count)), np.cumsum(products, axis=0)])
    moments = np.concatenate([np.zeros((1, count)), np.cumsum(products * at[:, None], axis=0)])
    errors = np.full((count, count), np.inf)
    for i in range(count - 1):
        j = np.arange(i + 1, count)
        length = (j - i).astype(np.float64)
        inner = length - 1
        squares = inner * (2 * length - 1) / (6 * length)  # of b, and of 1 - b
        mixed = inner / 2 - squares
        with_i, late_i = rows[j, i] - rows[i + 1, i], moments[j, i] - moments[i + 1, i]
        with_j, late_j = rows[j, j] - rows[i + 1, j], moments[j, j] - moments[i + 1, j]
        errors[i, j] = (
            (sums[j] - sums[i + 1])
            + squares * (powers[i] + powers[j])
            + 2 * mixed * products[i, j]
            - 2 * (j * with_i - late_i) / length
            - 2 * (late_j - i * with_j) / length
        )
    return errors


def _small(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = cv2.resize(picture, _SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32).ravel()
