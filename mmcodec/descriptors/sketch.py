"""The sketch: a shot at a small raster and a low frame rate, coded as bare AV1.

Layout: one byte (the temporal mode in its low two bits, the rest zero), then the AV1 data. The
raster is in the AV1 data; the frame times follow from the number of frames and the length of the
shot, see :func:`sketch_times`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.av1 import MIN_SIDE, decode_av1, encode_av1
from mmcodec.errors import BitstreamError

MAX_FRAMES = 64
MAX_PIXELS = 1 << 18
"""The largest raster of a sketch that a reader accepts."""


class TemporalMode(IntEnum):
    """How the frames between those of the sketch are made; the values are those on the wire."""

    HOLD = 0
    BLEND = 1
    FLOW = 2


@dataclass(frozen=True, slots=True)
class Sketch:
    """``frames`` is RGB uint8 (n, height, width, 3)."""

    frames: NDArray[np.uint8]
    mode: TemporalMode


def encode(frames: NDArray[np.uint8], size: tuple[int, int], crf: int, mode: TemporalMode) -> bytes:
    """Code RGB frames (n, height, width, 3), n <= 64, at the raster ``size`` (width, height)."""
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise ValueError(f"a sketch has 1 to {MAX_FRAMES} frames, not {len(frames)}")
    return bytes([mode]) + encode_av1(frames, size, crf)


def decode(data: bytes) -> Sketch:
    """Inverse of :func:`encode`, as far as AV1 keeps it.

    Raises:
        BitstreamError: the data is damaged or over the limits.
    """
    if not data or data[0] >= len(TemporalMode):
        raise BitstreamError("a sketch has no known temporal mode")
    return Sketch(decode_av1(data[1:], MAX_FRAMES, MAX_PIXELS), TemporalMode(data[0]))


def with_mode(data: bytes, mode: TemporalMode) -> bytes:
    """The same sketch with another temporal mode."""
    return bytes([mode]) + data[1:]


def sketch_times(count: int, duration: int) -> NDArray[np.int64]:
    """Frame numbers (count,) within a shot of ``duration`` frames that a sketch shows.

    They are spread evenly and include the first and the last; a single one is the middle.
    """
    if count == 1:
        return np.array([duration // 2])
    return np.rint(np.linspace(0, duration - 1, count)).astype(np.int64)


def sketch_size(width: int, height: int, pixels: int) -> tuple[int, int]:
    """A raster of about ``pixels`` pixels and the shape of ``width`` x ``height``, both even."""
    scale = (pixels / (width * height)) ** 0.5
    return _side(width * scale), _side(height * scale)


def _side(length: float) -> int:
    return int(min(max(MIN_SIDE, 2 * round(length / 2)), MAX_PIXELS // MIN_SIDE))
