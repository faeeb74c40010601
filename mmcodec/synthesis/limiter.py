"""Peaks held below -1 dBTP without a change of what is quieter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats = NDArray[np.floating]

_CEILING = 10 ** (-1.3 / 20)
"""A little is left for what a resampler or another codec makes of it."""
_PARTS = (0.25, 0.5, 0.75)
"""Where between two samples a peak is looked for."""
_TAPS, _SHAPE = 10, 5.0
"""Of an interpolating filter: samples on each side, and of its Kaiser window."""
_REACH_S = 0.005
"""How long before and after a peak it is made quieter."""


def limited(sound: Samples, sample_rate: int) -> Samples:
    """``sound`` (n, channels) with its true peaks (ITU-R BS.1770-4, annex 2) below -1 dBTP."""
    if not len(sound) or np.abs(sound).max() < _CEILING / 2:
        return sound
    peaks = np.maximum.reduce([np.abs(sound), *(_between(sound, part) for part in _PARTS)])
    peaks = peaks.max(axis=1)
    if peaks.max() <= _CEILING:
        return sound
    # The mean of what is needed nearby, each taken as far as the mean reaches, is never less than
    # what is needed here.
    reach = max(round(_REACH_S * sample_rate), 1)
    gain = _mean_nearby(_most_nearby(np.maximum(peaks / _CEILING, 1), reach), reach)
    return np.asarray(sound / gain[:, None], np.float32)


def _most_nearby(values: Floats, reach: int) -> Floats:
    """The greatest of ``values`` (n,), none below 1, at most ``reach`` places from each."""
    most, span, whole = np.pad(values, reach, constant_values=1), 1, 2 * reach + 1
    while 2 * span <= whole:
        most, span = np.maximum(most[:-span], most[span:]), 2 * span
    rest = whole - span
    return np.maximum(most[: len(values)], most[rest : rest + len(values)])


def _mean_nearby(values: Floats, reach: int) -> Floats:
    """The mean of ``values`` (n,) at most ``reach`` places from each; at the ends mirrored."""
    sums = np.cumsum(np.pad(values, (reach + 1, reach), "symmetric"), dtype=np.float64)
    return (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)


def _between(sound: Samples, part: float) -> Samples:
    """Magnitudes ``part`` of the way from each sample (n, channels) to the next."""
    places = np.arange(-_TAPS, _TAPS + 1) + part
    taps = np.sinc(places) * np.i0(_SHAPE * np.sqrt(np.maximum(1 - (places / _TAPS) ** 2, 0)))
    taps = (taps / taps.sum()).astype(np.float32)
    channels = [np.convolve(channel, taps)[_TAPS:-_TAPS] for channel in sound.T]
    return np.asarray(np.abs(np.stack(channels, axis=1)), np.float32)
