"""Segments of sound joined without clicks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmcodec.synthesis.limiter import limited

FADE_S = 0.02


def fade_samples(sample_rate: int) -> int:
    """How many samples longer than its segment a render should be."""
    return round(FADE_S * sample_rate)


class CrossFader:
    """Takes renders that are a little longer than their segments, and fades each into the next.

    The total length is the sum of the segments' lengths: the end of a render runs out over the
    start of the next one with equal power, and the last one ends where its segment does.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        length = fade_samples(sample_rate)
        angle = (np.arange(length, dtype=np.float32) + 0.5) / length * np.float32(np.pi / 2)
        self._rise, self._fall = np.sin(angle)[:, None], np.cos(angle)[:, None]
        self._tail = np.zeros((0, channels), np.float32)

    def push(self, render: NDArray[np.float32], length: int) -> NDArray[np.float32]:
        """The ``length`` samples of a segment from its ``render`` (>= length, channels)."""
        sound = render[:length].copy()
        overlap = min(len(self._tail), len(sound))
        sound[:overlap] *= self._rise[:overlap]
        sound[:overlap] += self._tail[:overlap]
        tail = render[length : length + len(self._fall)]
        self._tail = tail * self._fall[: len(tail)]
        return limited(sound, self._sample_rate)  # two loud ones together are louder than each
