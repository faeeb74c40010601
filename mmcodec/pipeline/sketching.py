"""Choose a shot's sketch: raster, frame rate and quality for a bit rate, and how it moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.shots import ShotFrames
from mmcodec.descriptors.sketch import (
    MAX_FRAMES,
    TemporalMode,
    decode,
    encode,
    sketch_size,
    sketch_times,
    with_mode,
)
from mmcodec.synthesis.interpolation import interpolate

STILL_WORTH_S = 4.0
"""A still photograph gets the bits of this many seconds."""
_SAVED_S = 8
"""Saved bits are kept up to those of this many seconds, so that the rate stays even."""
_PROBES = 9
"""Frames at which the temporal modes are compared."""


@dataclass(frozen=True, slots=True)
class _Rung:
    """One operating point: pixels a frame, frames a second, AV1 quality."""

    pixels: int
    frame_rate: float
    crf: int


_LADDER = (
    _Rung(96 * 64, 0.3, 63),
    _Rung(96 * 64, 0.6, 63),
    _Rung(96 * 64, 1.2, 63),
    _Rung(96 * 64, 2, 63),
    _Rung(96 * 64, 3, 63),
    _Rung(128 * 72, 3, 63),
    _Rung(128 * 72, 3, 61),
    _Rung(128 * 72, 3, 59),
    _Rung(160 * 90, 3, 59),
    _Rung(160 * 90, 3, 57),
    _Rung(192 * 108, 3, 56),
    _Rung(192 * 108, 3, 53),
    _Rung(208 * 117, 4, 51),
    _Rung(256 * 144, 4, 50),
    _Rung(320 * 180, 5, 47),
    _Rung(320 * 180, 6, 42),
)
"""From few bits to many: where trials of rasters, frame rates and qualities on some twenty real
shots led, not an optimum. The sizes of neighbours mostly differ by a tenth to a half, so a search
by halves finds one that fits."""
_STILL_LADDER = tuple(
    _Rung(width * width * 9 // 16, 0, crf)
    for width, crf in ((96, 63), (128, 63), (160, 63), (192, 61), (256, 61), (256, 58),
                       (320, 58), (320, 55), (384, 53), (448, 51), (512, 48), (640, 45))
)  # fmt: skip


class SketchBudget:
    """Bits for sketches: what one shot leaves over, a later one may use."""

    def __init__(self, bit_rate: int) -> None:
        self._rate = bit_rate
        self._saved = 0

    def for_shot(self, seconds: float) -> int:
        """Bytes that a shot of this length may take."""
        return int(self._rate * seconds / 8) + self._saved

    def spend(self, seconds: float, spent: int) -> None:
        """Note that such a shot took ``spent`` bytes."""
        most = int(self._rate * _SAVED_S / 8)
        self._saved = min(self.for_shot(seconds) - spent, most)


def choose_sketch(frames: ShotFrames, seconds: float, budget: int, still: bool) -> bytes:
    """The best sketch of a shot in ``budget`` bytes; the smallest one may be over it."""
    ladder = _STILL_LADDER if still else _LADDER
    low, high, best = 0, len(ladder) - 1, None
    while low <= high:
        middle = (low + high) // 2
        data = _encode(frames, ladder[middle], seconds)
        if len(data) <= budget:
            low, best = middle + 1, data
        else:
            high = middle - 1
    if best is None:
        best = _encode(frames, ladder[0], seconds)
    return with_mode(best, _best_mode(frames, best))


def _encode(frames: ShotFrames, rung: _Rung, seconds: float) -> bytes:
    count = min(max(1, round(seconds * rung.frame_rate)), MAX_FRAMES, len(frames.pts))
    shown = _frames_at(frames, sketch_times(count, frames.shot.duration))
    height, width = shown.shape[1:3]
    return encode(shown, sketch_size(width, height, rung.pixels), rung.crf, TemporalMode.FLOW)


def _frames_at(frames: ShotFrames, times: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The frames on screen at ``times``, counted from the start of the shot."""
    stamps = np.array(frames.pts) - frames.shot.start
    places = np.maximum(np.searchsorted(stamps, times, side="right") - 1, 0)
    return np.stack([frames.pixels[place] for place in places])


def _best_mode(frames: ShotFrames, data: bytes) -> TemporalMode:
    """The mode whose frames, made as the decoder makes them, are nearest to the source's."""
    sketch, duration = decode(data), frames.shot.duration
    times = sketch_times(len(sketch.frames), duration)
    probes = np.setdiff1d(np.linspace(0, duration - 1, _PROBES + 2).astype(np.int64), times)
    if len(times) == 1 or not len(probes):
        return TemporalMode.HOLD
    size = sketch.frames.shape[2], sketch.frames.shape[1]
    wanted = [
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        for picture in _frames_at(frames, probes)
    ]

    def error(mode: TemporalMode) -> float:
        made = interpolate(sketch.frames, times, probes.tolist(), mode)
        return sum(float(np.square(m - w).mean()) for m, w in zip(made, wanted, strict=True))

    return min(TemporalMode, key=error)
