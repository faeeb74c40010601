"""Two channels from one, as different as the source's were."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_LENGTH_S = 0.03


def widened(mono: Samples, width: float, sample_rate: int, channels: int) -> Samples:
    """``mono`` (n,) in ``channels`` (n, channels); ``width`` is the share of the power in their
    difference, 0 to 0.5.

    The difference is ``mono`` with other phases (M. Schroeder, "An artificial stereophonic effect
    obtained from a single audio signal", 1958), so that both channels together are as loud.
    """
    if channels == 1 or width <= 0 or not len(mono):
        return np.repeat(mono[:, None], channels, axis=1)
    phases = _phases(sample_rate)
    size = len(mono) + len(phases)
    other = np.fft.irfft(np.fft.rfft(mono, size) * np.fft.rfft(phases, size), size)[: len(mono)]
    power = float(np.mean(np.square(other)))
    other *= np.sqrt(float(np.mean(np.square(mono))) / power) if power > 0 else 0.0
    middle, side = mono * np.sqrt(1 - width), other * np.sqrt(width)
    return np.stack([middle + side, middle - side], axis=1).astype(np.float32)


@lru_cache(maxsize=4)
def _phases(sample_rate: int) -> NDArray[np.float64]:
    """A filter that changes the phases of a sound and hardly its spectrum, (taps,)."""
    taps = round(_LENGTH_S * sample_rate)
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, taps // 2 + 1)
    angles[0] = angles[-1] = 0.0
    return np.asarray(np.fft.irfft(np.exp(1j * angles), taps))
