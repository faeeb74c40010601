"""Speech as pitch, spectral envelope and aperiodicity, and back: the WORLD vocoder.

M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.resampling import resampled

FRAME_RATE = 200
"""Frames a second: 5 ms, what WORLD's authors use."""
SAMPLE_RATE = 16000
"""What speech is resampled to before it is taken apart."""
_FFT_SIZE = 1024
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 500.0


@dataclass(frozen=True, slots=True)
class World:
    """Speech at :data:`SAMPLE_RATE`, in frames of 1/:data:`FRAME_RATE` s.

    ``pitch_hz`` (frames,) is 0 where unvoiced; ``power`` (frames, 513) the power spectrum without
    its harmonics; ``aperiodicity`` (frames, 513) 0 for a pure voice to 1 for noise.
    """

    pitch_hz: NDArray[np.float64]
    power: NDArray[np.float64]
    aperiodicity: NDArray[np.float64]


def analyse(samples: NDArray[np.float32], sample_rate: int) -> World:
    """Take speech (n,), mono, apart."""
    import pyworld

    mono = resampled(samples, sample_rate, SAMPLE_RATE).astype(np.float64)
    period = 1000 / FRAME_RATE
    pitch, times = pyworld.harvest(
        mono, SAMPLE_RATE, f0_floor=_LOWEST_HZ, f0_ceil=_HIGHEST_HZ, frame_period=period
    )
    power = pyworld.cheaptrick(mono, pitch, times, SAMPLE_RATE, fft_size=_FFT_SIZE)
    noise = pyworld.d4c(mono, pitch, times, SAMPLE_RATE, fft_size=_FFT_SIZE)
    return World(pitch, power, noise)


def synthesize(world: World, sample_rate: int, samples: int) -> NDArray[np.float32]:
    """Exactly ``samples`` samples (samples,) of speech; the same for the same input."""
    import pyworld

    # What lasts longer goes on as it ends.
    longer = max(samples * FRAME_RATE // sample_rate + 2 - len(world.pitch_hz), 0)
    made = pyworld.synthesize(
        np.pad(world.pitch_hz.astype(np.float64), (0, longer), "edge"),
        np.pad(world.power.astype(np.float64), ((0, longer), (0, 0)), "edge"),
        np.pad(world.aperiodicity.astype(np.float64), ((0, longer), (0, 0)), "edge"),
        SAMPLE_RATE,
        1000 / FRAME_RATE,
    )
    mono = resampled(made.astype(np.float32), SAMPLE_RATE, sample_rate)[:samples]
    return np.pad(mono, (0, samples - len(mono)))
