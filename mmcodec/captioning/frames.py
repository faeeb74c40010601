"""The frames of a shot that a model is shown."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.shots import ShotFrames

_LONGEST, _SHORTEST = 512, 32
"""Pixels a side; patches of some models are 28 wide."""
_SMALL = 224
_TWO_S, _THREE_S = 1.5, 4.0
"""Shots up to these lengths, in seconds, are told by two and by three frames."""


def pictures_of(
    frames: ShotFrames, analysis: ShotAnalysis, most: int = 4, *, small: bool = False
) -> list[NDArray[np.uint8]]:
    """Up to ``most`` frames, evenly spread, uint8 RGB of 32 to 512 pixels a side.

    The first and the last frame are not among them unless there are no others: what is next to a
    cut is often blurred or half faded. ``small`` is for want of memory: 224 pixels.
    """
    length = analysis.duration_s
    wanted = 2 if length < _TWO_S else 3 if length < _THREE_S else 4
    count = min(wanted, most, len(frames.pixels))
    places = ((2 * part + 1) * len(frames.pixels) // (2 * count) for part in range(count))
    longest = _SMALL if small else _LONGEST
    return [_reduced(frames.pixels[at], longest) for at in places]


def _reduced(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(round(width * scale), _SHORTEST), max(round(height * scale), _SHORTEST))
    if size == (width, height):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
