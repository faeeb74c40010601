"""A mel filter bank whose bands share out all of the power, so that levels come back right."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

BANDS = 28
LOWEST_HZ = 60.0
HIGHEST_HZ = 11000.0
FLOOR_DB = -100.0


def mel(hz: Floats) -> Floats:
    """Mel scale of O'Shaughnessy, 1987."""
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))


_LOW, _HIGH = (float(mel(np.array(hz))) for hz in (LOWEST_HZ, HIGHEST_HZ))


def centres_hz() -> Floats:
    """Centre frequencies of the bands (BANDS,), evenly spaced in mel."""
    return np.asarray(700.0 * (10.0 ** (np.linspace(_LOW, _HIGH, BANDS) / 2595.0) - 1.0))


def position(hz: Floats) -> Floats:
    """Where frequencies lie among the bands: 0 at the first centre, BANDS - 1 at the last."""
    return np.asarray(np.clip((mel(hz) - _LOW) / (_HIGH - _LOW), 0.0, 1.0) * (BANDS - 1))


@lru_cache(maxsize=8)
def filter_bank(sample_rate: int, size: int) -> Floats:
    """Triangular weights (size // 2 + 1, BANDS); those of one frequency add up to 1."""
    at = position(np.fft.rfftfreq(size, 1.0 / sample_rate))
    weights: Floats = np.clip(1.0 - np.abs(at[:, None] - np.arange(BANDS)), 0.0, 1.0)
    # What lies above the highest band is dropped, not folded into it.
    weights[np.fft.rfftfreq(size, 1.0 / sample_rate) > HIGHEST_HZ * 1.06] = 0.0
    weights.setflags(write=False)
    return weights


def to_db(power: Floats) -> Floats:
    """Decibels relative to a mean square of 1, no less than FLOOR_DB."""
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))))


def loudness_db(envelope_db: Floats) -> float:
    """Mean power of ``envelope_db`` (frames, BANDS), its bands weighted roughly as by BS.1770."""
    hz = centres_hz()
    weights = np.where(hz > 1500.0, 2.5, 1.0) * hz**2 / (hz**2 + 60.0**2)
    power = float(np.mean(10.0 ** (envelope_db / 10.0) @ weights))
    return 10.0 * math.log10(max(power, 1e-20))


def log_mel(mono: NDArray[np.floating], sample_rate: int, frames: int, seconds: float) -> Floats:
    """Mean square of each band in dB (frames, BANDS), the frames sharing ``seconds`` evenly.

    Each frame is the mean of short spectra (25 ms, every 10 ms or less) under a raised cosine
    over twice its own length, so that nothing between two frames is lost.
    """
    size = round(0.025 * sample_rate)
    hops_per_frame = 4
    hop = seconds * sample_rate / (frames * hops_per_frame)
    starts = np.round(np.arange(-2, frames * hops_per_frame + 3) * hop).astype(int)
    padded = np.pad(mono.astype(np.float64), (size + 3 * round(hop), size + 4 * round(hop) + 8))
    offset = size + 3 * round(hop) - size // 2
    starts = np.clip(starts + offset, 0, len(padded) - size)
    window = np.hanning(size)
    spectra = np.fft.rfft(padded[starts[:, None] + np.arange(size)] * window)
    # rfft keeps one half of the spectrum: twice its power, over the window's.
    power = 2.0 * np.abs(spectra) ** 2 / (size * np.sum(window**2))
    bands = power @ filter_bank(sample_rate, size)
    weights = np.hanning(2 * hops_per_frame + 1)[1:-1] / hops_per_frame
    first = np.arange(frames) * hops_per_frame + 1
    return to_db(np.einsum("w,fwb->fb", weights, bands[first[:, None] + np.arange(7)]))
