"""How close a decoded picture is to its original."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape; 100 for equal ones."""
    error = float(np.mean(np.square(a.astype(np.float32) - b.astype(np.float32))))
    return 100.0 if error == 0 else min(100.0, 10 * float(np.log10(255**2 / error)))


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Structural similarity (Wang et al. 2004) of the luma of two RGB pictures, 1 for equal ones.

    Gaussian windows of 11x11 with sigma 1.5, as in the paper.
    """
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (a, b))
    mean_x, mean_y = _smooth(x), _smooth(y)
    var_x = _smooth(x * x) - mean_x * mean_x
    var_y = _smooth(y * y) - mean_y * mean_y
    covariance = _smooth(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    bottom = (mean_x * mean_x + mean_y * mean_y + _C1) * (var_x + var_y + _C2)
    return float(np.mean(top / bottom))


def _smooth(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (11, 11), 1.5))
