"""Dense flow between two frames, both ways, with the trust in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_TRUST = 0.35
"""Disagreement of forward and backward flow, in pixels and relative to their length, at which a
moved pixel counts for 1/e."""
_FLOW_WIDTH = 256
"""Flow is estimated at about this width: below it the patches of the method are too coarse."""
_LEAST_SIDE = 64
"""OpenCV's dense flow breaks off the process on a picture of a few lines."""


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
    scale = max(1.0, _FLOW_WIDTH / max(width, height))
    size = tuple(max(_LEAST_SIDE, round(side * scale)) for side in (width, height))
    grey_a, grey_b = (
        cv2.cvtColor(cv2.resize(x, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
        for x in (a, b)
    )
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    back = np.array([width / size[0], height / size[1]], np.float32)
    forward, backward = (
        cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 2)
        * back
        for flow in (dis.calc(grey_a, grey_b, None), dis.calc(grey_b, grey_a, None))
    )
    return Flow(forward, backward, _trust(forward, backward), _trust(backward, forward))


def _trust(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well ``other`` leads back from where ``one`` leads."""
    back = moved(other, one)
    error = np.linalg.norm(one + back, axis=2)
    allowed = _TRUST * (1 + 0.5 * np.linalg.norm(one, axis=2))
    trust = np.exp(-np.square(error / allowed))
    return np.asarray(cv2.GaussianBlur(trust, (0, 0), 1.5), np.float32)


def moved(picture: NDArray[np.generic], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """``picture`` (height, width, ...) fetched from where ``flow`` (height, width, 2) leads."""
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    fetched = cv2.remap(
        picture,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(fetched, np.float32)
