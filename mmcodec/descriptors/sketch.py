"""The sketch: a few frames of a shot at a small raster, coded as AV1, and how to move between.

One range-coded run: the temporal mode; the number of frames; when each is shown, evenly or as
coded; the path of the camera, where they are moved along one; then the AV1 data, with its headers
compacted where they are as usual. The raster is in the AV1 data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors import av1_compact
from mmcodec.descriptors.av1 import MIN_SIDE, decode_av1
from mmcodec.descriptors.av1_compact import MAX_FRAMES, Headers
from mmcodec.descriptors.av1_syntax import UnusualHeaderError
from mmcodec.descriptors.camera_path import CameraPath, code_path
from mmcodec.entropy.range_coder import IntegerModel
from mmcodec.entropy.two_way import Coder, Reading, Writing
from mmcodec.errors import BitstreamError

MAX_PIXELS = 1 << 18
"""The largest raster of a sketch that a reader accepts."""

DETAIL_LEVELS = (0.0, 3.0, 5.5, 10.0)
"""What the two bits of detail stand for: the standard deviation of the source's luma that half of
320 columns cannot hold.
"""

_MODE_BITS, _COUNT_BITS, _FINISH_BITS, _DETAIL_BITS, _SIZE_BITS = 2, 6, 2, 2, 20
_PLACES = 128
"""In how many parts of a shot the times of frames are told apart."""
_TIME_PRIORS = (52000, 46000, 42000, 40000, 40000, 40000, 40000, 40000)


class TemporalMode(IntEnum):
    """How the frames between those of the sketch are made; the values are those on the wire."""

    HOLD = 0
    BLEND = 1
    FLOW = 2
    CAMERA = 3


class Finish(IntEnum):
    """How frames are freed of blocks and sharpened; the values are those on the wire."""

    SMOOTH = 0
    LIGHT = 1
    SHARP = 2
    CRISP = 3


@dataclass(frozen=True, slots=True)
class Sketch:
    """``frames`` is RGB uint8 (n, height, width, 3); ``times`` (n,) are the frames of the shot
    that they show, counted from its start, rising. The mode CAMERA has a ``path``, others none.
    """

    frames: NDArray[np.uint8]
    times: NDArray[np.int64]
    mode: TemporalMode
    finish: Finish
    path: CameraPath | None = None
    detail: int = 0
    """Place in :data:`DETAIL_LEVELS`."""


@dataclass(frozen=True, slots=True)
class _Timing:
    """When frames are shown, and how to move between."""

    times: NDArray[np.int64]
    mode: TemporalMode
    path: CameraPath | None = None


def encode(
    units: bytes,
    times: NDArray[np.int64],
    duration: int,
    mode: TemporalMode,
    finish: Finish = Finish.SMOOTH,
    path: CameraPath | None = None,
    detail: int = 0,
) -> bytes:
    """Code what :func:`~mmcodec.descriptors.av1.encode_av1` made of the frames that a shot of
    ``duration`` frames shows at ``times``, which are those of :func:`even_times` or as
    :func:`rounded_times` returns them.
    """
    if not 1 <= len(times) <= MAX_FRAMES or av1_compact.shown_frames(units) != len(times):
        raise ValueError(f"a sketch has 1 to {MAX_FRAMES} frames, not {len(times)}")
    if (mode is TemporalMode.CAMERA) != (path is not None):
        raise ValueError("one mode has a path of the camera, and no other")
    timing = _Timing(times, mode, path)
    try:
        return _written(units, timing, duration, (finish, detail), plain=False)
    except UnusualHeaderError:
        return _written(units, timing, duration, (finish, detail), plain=True)


def decode(data: bytes, duration: int) -> Sketch:
    """Inverse of :func:`encode`, as far as AV1 keeps the frames.

    Raises:
        BitstreamError: the data is damaged or over the limits.
    """
    units, timing, (finish, detail) = _read(data, duration)
    frames = decode_av1(units, len(timing.times), MAX_PIXELS)
    if len(frames) != len(timing.times):
        raise BitstreamError("a sketch has too few frames")
    return Sketch(frames, timing.times, timing.mode, finish, timing.path, detail)


def detail_level(deviation: float) -> int:
    """The place in :data:`DETAIL_LEVELS` that is nearest to what was measured, by ratio."""
    logs = np.log(np.maximum(DETAIL_LEVELS, 1.0)) - np.log(max(deviation, 1.0))
    return int(np.argmin(np.abs(logs)))


def even_times(count: int, duration: int) -> NDArray[np.int64]:
    """Frame numbers (count,) within a shot of ``duration`` frames, spread evenly.

    They include the first and the last; a single one is the middle.
    """
    if count == 1:
        return np.array([duration // 2])
    return np.rint(np.linspace(0, duration - 1, count)).astype(np.int64)


def rounded_times(times: Sequence[int], duration: int) -> NDArray[np.int64]:
    """Rising ``times`` as they can be coded: in steps of 1/128 of the shot."""
    return np.unique(np.asarray(times) // _step(duration)) * _step(duration)


def sketch_size(width: int, height: int, pixels: int) -> tuple[int, int]:
    """A raster of about ``pixels`` pixels and the shape of ``width`` x ``height``, both even."""
    scale = (pixels / (width * height)) ** 0.5
    return _side(width * scale), _side(height * scale)


def _side(length: float) -> int:
    return int(min(max(MIN_SIDE, 2 * round(length / 2)), MAX_PIXELS // MIN_SIDE))


def _step(duration: int) -> int:
    return -(-duration // _PLACES)


def _read(data: bytes, duration: int) -> tuple[bytes, _Timing, tuple[Finish, int]]:
    reading = Reading(data)
    unknown = _Timing(np.zeros(MAX_FRAMES, np.int64), TemporalMode.HOLD)
    timing = _code_timing(reading, unknown, duration)
    look = Finish(reading.bits(0, _FINISH_BITS)), reading.bits(0, _DETAIL_BITS)
    if not reading.bits(0, 1):
        return av1_compact.read(len(timing.times), Headers(reading)), timing, look
    size = reading.bits(0, _SIZE_BITS)
    return bytes(reading.byte(0) for _ in range(size)), timing, look


def _written(
    units: bytes, timing: _Timing, duration: int, look: tuple[Finish, int], plain: bool
) -> bytes:
    writing = Writing()
    _code_timing(writing, timing, duration)
    writing.bits(look[0], _FINISH_BITS)
    writing.bits(look[1], _DETAIL_BITS)
    writing.bits(plain, 1)
    if plain:
        writing.bits(len(units), _SIZE_BITS)
        for byte in units:
            writing.byte(byte)
    else:
        av1_compact.write(units, Headers(writing))
    return writing.finish()


def _code_timing(coder: Coder, timing: _Timing, duration: int) -> _Timing:
    """Code it, both ways; a reader's times are zeros."""
    mode = TemporalMode(coder.bits(timing.mode, _MODE_BITS))
    count = coder.bits(len(timing.times) - 1, _COUNT_BITS) + 1
    times = _code_times(coder, timing.times[:count], count, duration)
    if mode is not TemporalMode.CAMERA:
        return _Timing(times, mode)
    return _Timing(times, mode, code_path(coder, timing.path, max(duration - 1, 1)))


def _code_times(
    coder: Coder, times: NDArray[np.int64], count: int, duration: int
) -> NDArray[np.int64]:
    even = even_times(count, duration)
    if not coder.bits(int(not np.array_equal(times, even)), 1):
        return even
    step, model = _step(duration), IntegerModel(_TIME_PRIORS)
    coded: list[int] = []
    for place, time in enumerate((times // step).tolist()):
        expected = _expected(coded, count - place, -(-duration // step))
        coded.append(expected + coder.integer(model, time - expected))
    placed = np.array(coded, np.int64) * step
    if placed[0] < 0 or placed[-1] >= duration or np.any(np.diff(placed) <= 0):
        raise BitstreamError("a sketch has frames at no time")
    return placed


def _expected(before: list[int], left: int, places: int) -> int:
    """Where the next time is if those left are spread evenly over the rest of the shot."""
    if not before:
        return places // (2 * left)
    return before[-1] + max(1, round((places - before[-1]) / (left + 0.5)))
