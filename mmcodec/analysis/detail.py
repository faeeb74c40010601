"""How much of a picture is too fine for a sketch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_LOOKED_AT = 8


def fine_detail(pixels: Sequence[NDArray[np.uint8]]) -> float:
    """Standard deviation, of levels of 8 bits, of the luma of RGB pictures (height, width, 3) that
    half as many rows and columns cannot hold; the mean of some of the pictures.
    """
    found = []
    for picture in pixels[:: -(-len(pixels) // _LOOKED_AT)]:
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        height, width = luma.shape
        half = (max(width // 2, 1), max(height // 2, 1))
        small = cv2.resize(luma, half, interpolation=cv2.INTER_AREA)
        found.append(
            np.std(luma - cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
        )
    return float(np.mean(found))
