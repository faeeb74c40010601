"""How different what a decoder makes is heard to be from the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.mel import log_mel

Samples = NDArray[np.float32]
Floats = NDArray[np.floating]

_BANDS_HZ = 50
_TONE_S, _TONES_HZ = 0.2, 10
_LOWEST_TONE_HZ, _TONES = 65.4, 60
_RANGE_DB = 60.0
_WRONG_HARMONY_DB = 10.0
"""What sound with none of the source's tones is worse by."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two sounds are compared by: bands in dB (50 a second), and the strengths of the twelve
    semitones (times, 12), of length 1, with how strong they are together (times,).
    """

    bands: Floats
    tones: Floats
    power: Floats


def difference(wanted: Likeness, made: Likeness) -> float:
    """How different two sounds are heard to be, in dB."""
    floor = wanted.bands.max() - _RANGE_DB
    colour = np.abs(np.maximum(wanted.bands, floor) - np.maximum(made.bands, floor)).mean()
    alike = (wanted.tones * made.tones).sum(axis=1)
    weights = wanted.power / max(float(wanted.power.sum()), 1e-12)
    return float(colour + _WRONG_HARMONY_DB * (1 - (weights * alike).sum()))


def likeness(mono: Samples, rate: int) -> Likeness:
    """What there is to compare in ``mono`` (n,)."""
    seconds = len(mono) / rate
    bands = log_mel(mono, rate, max(round(seconds * _BANDS_HZ), 1), seconds)
    size, hop = round(_TONE_S * rate), max(round(rate / _TONES_HZ), 1)
    padded = np.pad(mono.astype(np.float64), (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(mono) : hop]
    fine = 1 << (2 * size - 1).bit_length()
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size), fine))
    hz = _LOWEST_TONE_HZ * 2 ** (np.arange(_TONES) / 12)
    bins = np.minimum(np.round(hz * fine / rate).astype(int), spectra.shape[1] - 1)
    tones = spectra[:, bins].reshape(len(spectra), -1, 12).sum(axis=1)
    lengths = np.linalg.norm(tones, axis=1)
    return Likeness(bands, tones / np.maximum(lengths, 1e-9)[:, None], lengths)
