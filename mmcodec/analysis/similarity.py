"""How near a picture is to its original: PSNR and SSIM."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_DB_WORTH = 0.021
"""What a decibel of PSNR is worth in SSIM: some of what twice the bits add to each."""

Floats = NDArray[np.float32]


class Original:
    """A picture that others are compared with; its part of the work is done once."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._luma = luma(pixels)
        self._mean = _smooth(self._luma)
        self._variance = _smooth(self._luma * self._luma) - self._mean * self._mean

    def ssim(self, other: Floats) -> float:
        """Structural similarity (Wang et al. 2004) to a luma (height, width), 1 if it is equal.

        Gaussian windows of 11x11 with sigma 1.5, as in the paper.
        """
        mean = _smooth(other)
        variance = _smooth(other * other) - mean * mean
        covariance = _smooth(self._luma * other) - self._mean * mean
        top = (2 * self._mean * mean + _C1) * (2 * covariance + _C2)
        bottom = (self._mean * self._mean + mean * mean + _C1) * (self._variance + variance + _C2)
        return float(np.mean(top / bottom))

    def quality(self, other: NDArray[np.uint8]) -> float:
        """SSIM and PSNR of luma in one number, for an RGB picture of the same shape."""
        shown = luma(other)
        error = max(float(np.mean(np.square(shown - self._luma))), 1e-2)
        return self.ssim(shown) + _DB_WORTH * 10 * float(np.log10(255**2 / error))


def luma(pixels: NDArray[np.uint8]) -> Floats:
    """The luma (height, width) of an RGB picture, 0..255."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape; 100 for equal ones."""
    return min(100.0, float(cv2.PSNR(a, b)))


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Structural similarity of the luma of two RGB pictures, see :meth:`Original.ssim`."""
    return Original(a).ssim(luma(b))


def _smooth(plane: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (11, 11), 1.5))
