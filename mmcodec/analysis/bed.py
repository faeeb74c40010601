"""What sounds beneath speech all the time, as music under a narrator does.

The spectrum's least power over a second, after R. Martin, "Noise power spectral density estimation
based on optimal smoothing and minimum statistics" (2001), kept by a Wiener filter: a voice leaves
each frequency for a moment in every second, and what is held stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

_FRAME_S, _HOPS = 0.064, 4
_WINDOW_S, _LEAST_PERCENT = 1.0, 10
_QUIETEST, _LEAST_DB = 0.05, -22.0
"""Part of the frames that is taken for pauses of the voice, and how loud they have to be beside
the whole: recordings of voices alone have less.
"""
_FAINTEST_DB = -55.0
_GAIN_PART, _MOST_GAIN_DB = 0.1, 9.0
"""The least of a power is less than its mean: what it is short of where the voice pauses."""


def parted(mono: Samples, sample_rate: int) -> tuple[Samples, Samples] | None:
    """The voice in ``mono`` (n,), and what sounds beneath it, each (n,); None where its pauses are
    quiet, or where there is less than a second.

    The bed is as loud as the pauses are, and misses what moves as fast as a voice: drums, runs.
    """
    if len(mono) < _WINDOW_S * sample_rate:
        return None
    powers = _powers(mono, sample_rate)
    floor_db = _db(np.sort(powers)[: max(round(_QUIETEST * len(powers)), 1)].mean())
    if floor_db < max(_db(powers.mean()) + _LEAST_DB, _FAINTEST_DB):
        return None
    bed = _held(mono, sample_rate)
    quiet = np.argsort(powers)[: max(round(_GAIN_PART * len(powers)), 1)]
    short_db = _db(powers[quiet].mean()) - _db(_powers(bed, sample_rate)[quiet].mean())
    gain = 10 ** (np.clip(short_db, 0.0, _MOST_GAIN_DB) / 20)
    return mono - bed, np.asarray(bed * gain, np.float32)


def _db(power: float) -> float:
    return float(10 * np.log10(power + 1e-12))


def _powers(mono: Samples, sample_rate: int) -> Floats:
    """Mean square of each frame."""
    size = round(_FRAME_S * sample_rate)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 2]
    return np.asarray(np.mean(np.square(frames, dtype=np.float64), axis=1))


def _held(mono: Samples, sample_rate: int) -> Samples:
    from scipy.ndimage import percentile_filter, uniform_filter1d
    from scipy.signal import istft, stft

    hop = round(_FRAME_S * sample_rate / _HOPS)
    size = hop * _HOPS
    *_, spectra = stft(mono, nperseg=size, noverlap=size - hop)
    power = uniform_filter1d(np.abs(spectra) ** 2, 3, axis=1)
    width = round(_WINDOW_S * sample_rate / hop) | 1
    least = percentile_filter(power, _LEAST_PERCENT, size=(1, width), mode="nearest")
    _, held = istft(
        spectra * np.sqrt(np.minimum(least / (power + 1e-12), 1.0)),
        nperseg=size,
        noverlap=size - hop,
    )
    return np.asarray(held[: len(mono)], np.float32)
