"""Peaks held below -1 dBTP without a change of what is quieter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_CEILING = 10 ** (-1.3 / 20)
"""A little is left for what a resampler or another codec makes of it."""
_OVERSAMPLING = 4
_REACH_S = 0.005
"""How long before and after a peak it is made quieter."""


def limited(sound: Samples, sample_rate: int) -> Samples:
    """``sound`` (n, channels) with its true peaks (ITU-R BS.1770-4, annex 2) below -1 dBTP."""
    if not len(sound) or np.abs(sound).max() < _CEILING / 2:
        return sound
    from scipy.ndimage import maximum_filter1d, uniform_filter1d
    from scipy.signal import resample_poly

    fine = np.abs(resample_poly(sound, _OVERSAMPLING, 1, axis=0)).max(axis=1)
    peaks = np.maximum(fine.reshape(-1, _OVERSAMPLING).max(axis=1), np.abs(sound).max(axis=1))
    if peaks.max() <= _CEILING:
        return sound
    # The mean of what is needed nearby, each taken as far as the mean reaches, is never less than
    # what is needed here.
    reach = 2 * max(round(_REACH_S * sample_rate), 1) + 1
    needed = maximum_filter1d(np.maximum(peaks / _CEILING, 1), reach)
    return np.asarray(sound / uniform_filter1d(needed, reach)[:, None], np.float32)
