"""Tempo and key of music, of samples at some 16 to 32 kHz.

librosa measures them, too, and takes two seconds to import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

_HOP_S, _ONSET_SIZE = 0.0116, 2048
_SHORTEST_S = 3.0
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 40.0, 8000.0
_RANGE_DB = 80.0
_SLOWEST_BPM, _FASTEST_BPM, _USUAL_BPM = 40.0, 240.0, 120.0
_BEAT_STRENGTH = 0.15
_CHROMA_SIZE = 4096
_LOWEST_NOTE_HZ, _HIGHEST_NOTE_HZ = 55.0, 4200.0
_KEY_FIT = 0.6
_NOTES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
_KEY_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def tempo_bpm(mono: Samples, rate: float) -> float | None:
    """Beats a minute of ``mono`` (n,); None for less than 3 s, or where onsets do not repeat.

    The lag at which onsets repeat most, where 120 a minute is the most likely (D. Ellis, "Beat
    tracking by dynamic programming", 2007).
    """
    if len(mono) < _SHORTEST_S * rate:
        return None
    hop = round(_HOP_S * rate)
    onsets = _onsets(mono, rate, hop)
    centred = onsets - onsets.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    repeats = np.fft.irfft(power)
    if repeats[0] <= 0:
        return None
    a_minute = 60 * rate / hop
    lags = np.arange(round(a_minute / _FASTEST_BPM), round(a_minute / _SLOWEST_BPM) + 1)
    lags = lags[lags < len(onsets) - 1]
    likely = np.exp(-0.5 * np.log2(a_minute / lags / _USUAL_BPM) ** 2)
    lag = int(lags[np.argmax(np.maximum(repeats[lags], 0.0) * likely)])
    return float(a_minute / lag) if repeats[lag] > _BEAT_STRENGTH * repeats[0] else None


def key_of(mono: Samples, rate: float) -> str | None:
    """Key by C. Krumhansl and E. Kessler, "Tracing the dynamic changes in perceived tonal
    organization", 1982, of ``mono`` (n,), such as "A minor"; None where no profile fits the chroma
    well, or for less than half a second. Concert pitch is assumed.
    """
    if len(mono) < rate / 2:
        return None
    chroma = _chroma(mono, rate)
    if np.ptp(chroma) == 0:
        return None
    fits = [
        (float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]), f"{_NOTES[tonic]} {mode}")
        for mode, profile in _KEY_PROFILES.items()
        for tonic in range(12)
    ]
    best = max(fits)
    return best[1] if best[0] > _KEY_FIT else None


def _onsets(mono: Samples, rate: float, hop: int) -> Floats:
    """How much louder bands get from each spectrum to the next, (frames,), in dB."""
    power = _spectra(mono, _ONSET_SIZE, hop)
    highest = min(_HIGHEST_HZ, rate / 2.1)
    edges = np.geomspace(_LOWEST_HZ, highest, _BANDS + 1) * _ONSET_SIZE / rate
    bins = np.unique(np.round(edges).astype(int))
    bands = np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1) / np.diff(bins)
    decibels = 10 * np.log10(np.maximum(bands, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - _RANGE_DB)
    return np.asarray(np.maximum(np.diff(decibels, axis=0), 0.0).mean(axis=1))


def _chroma(mono: Samples, rate: float) -> Floats:
    """How strong each of the twelve notes is from C on, (12,); loud and quiet moments alike."""
    power = _spectra(mono, _CHROMA_SIZE, _CHROMA_SIZE // 2)
    hz = np.fft.rfftfreq(_CHROMA_SIZE, 1 / rate)
    heard = (hz > _LOWEST_NOTE_HZ) & (hz < _HIGHEST_NOTE_HZ)
    notes = np.round(12 * np.log2(hz[heard] / 440.0) + 69).astype(int) % 12
    chroma = np.stack([power[:, heard][:, notes == note].sum(axis=1) for note in range(12)], axis=1)
    strongest = chroma.max(axis=1, keepdims=True)
    return np.asarray((chroma / np.maximum(strongest, 1e-10)).mean(axis=0))


def _spectra(mono: Samples, size: int, hop: int) -> Floats:
    """Power spectra (frames, size // 2 + 1), the first and the last around the ends."""
    padded = np.pad(mono, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2, np.float64)
