"""Dense flow between two frames, both ways, with the trust in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_TRUST = 0.35
"""Disagreement of forward and backward flow, in pixels and relative to their length, at which a
moved pixel counts for 1/e."""
_FLOW_WIDTH, _LEAST_SCALE = 256, 0.5
"""Flow is estimated at about this width, or half of the frames' if that is more: below it the
patches of the method are too coarse, above it nothing is gained.
"""
_LEAST_SIDE = 64
"""OpenCV's dense flow breaks off the process on a picture of a few lines."""

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow (height, width, 2) between two frames, both ways, with the trust (0..1) in each, at the
    frames' raster.
    """

    forward: NDArray[np.float32]
    backward: NDArray[np.float32]
    trust_forward: NDArray[np.float32]
    trust_backward: NDArray[np.float32]


def flow_both_ways(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Flow:
    """The flow between two frames, RGB (height, width, 3)."""
    height, width = a.shape[:2]
    scale = max(_FLOW_WIDTH / max(width, height), _LEAST_SCALE)
    size = tuple(max(_LEAST_SIDE, round(side * scale)) for side in (width, height))
    to, fro = (cv2.INTER_CUBIC, cv2.INTER_AREA)[:: 1 if scale > 1 else -1]
    grey_a, grey_b = (
        cv2.cvtColor(cv2.resize(x, size, interpolation=to), cv2.COLOR_RGB2GRAY) for x in (a, b)
    )
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    back = np.diag([width / size[0], height / size[1]])
    forward, backward = (
        cv2.transform(cv2.resize(flow, (width, height), interpolation=fro), back)
        for flow in (dis.calc(grey_a, grey_b, None), dis.calc(grey_b, grey_a, None))
    )
    return Flow(forward, backward, _trust(forward, backward), _trust(backward, forward))


def moved(picture: NDArray[Number], flow: NDArray[np.float32]) -> NDArray[Number]:
    """``picture`` (height, width, ...) fetched from where ``flow`` (height, width, 2) leads."""
    return fetched(picture, grid(flow.shape[1], flow.shape[0]) + flow)


def fetched(
    picture: NDArray[Number], places: NDArray[np.float32], way: int = cv2.INTER_CUBIC
) -> NDArray[Number]:
    """``picture`` (height, width, ...) at ``places`` (height, width, 2), its edges repeated."""
    made = cv2.remap(picture, places, None, way, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, picture.dtype)


@lru_cache(maxsize=8)
def grid(width: int, height: int) -> NDArray[np.float32]:
    """The place (x, y) of each pixel, (height, width, 2); not to be written to."""
    places = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    places.flags.writeable = False
    return places


def _trust(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well ``other`` leads back from where ``one`` leads."""
    led = grid(one.shape[1], one.shape[0]) + one
    error = _squared(one + fetched(other, led, cv2.INTER_LINEAR))
    allowed = 1 + 0.5 * np.sqrt(_squared(one))
    trust = cv2.exp(error / np.square(allowed) * np.float32(-1 / _TRUST**2))
    return np.asarray(cv2.GaussianBlur(trust, (0, 0), 1.5), np.float32)


def _squared(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """The squared length of vectors (height, width, 2)."""
    x, y = cv2.split(flow)
    return np.asarray(x * x + y * y, np.float32)
