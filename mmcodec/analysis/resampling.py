"""Samples at another rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def resampled(mono: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Samples (n,) at ``from_rate`` Hz as those (m,) at ``to_rate``, m the next whole number."""
    if from_rate == to_rate or not len(mono):
        return mono
    import soxr  # librosa's, too, which takes a second more to import

    made = soxr.resample(mono, from_rate, to_rate, "HQ")
    wanted = math.ceil(len(mono) * to_rate / from_rate)
    return np.asarray(np.pad(made, (0, max(wanted - len(made), 0)))[:wanted], np.float32)
