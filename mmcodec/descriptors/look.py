"""The look of a shot in ten bytes: where which colours are, and how the camera moves.

The colours are those of the MPEG-7 colour layout descriptor (ISO/IEC 15938-3): the picture
averaged to 8x8, a DCT of luma and both chroma planes, and the first six, three and three
coefficients in zig-zag order; here uniformly quantised, 6 bits for a mean and 5 for the others.
Then follow pan, tilt and zoom with 4 bits each.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.motion import CameraMotion
from mmcodec.errors import BitstreamError

GRID = 8
"""The layout is a picture of 8x8."""
LOOK_BYTES = 10
_ZIGZAG = ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2))
_PLACES = ((0, 6), (1, 3), (2, 3))
"""Plane, number of coefficients: Y, Cr, Cb."""
_MEAN_BITS, _AC_BITS, _MOTION_BITS = 6, 5, 4
_MEAN_STEP = GRID * 256 / (1 << _MEAN_BITS)
_AC_STEP = 24.0
_MOTION_STEPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Speeds that the 3 bits beside a sign stand for, in frame widths (or scale) a second."""


@dataclass(frozen=True, slots=True)
class Look:
    """``layout`` is RGB uint8 (8, 8, 3)."""

    layout: NDArray[np.uint8]
    camera: CameraMotion


def encode(pixels: NDArray[np.uint8], camera: CameraMotion) -> bytes:
    """Describe a picture, RGB uint8 (height, width, 3), and its camera in 10 bytes."""
    small = cv2.resize(pixels, (GRID, GRID), interpolation=cv2.INTER_AREA)
    planes = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    fields: list[tuple[int, int]] = []
    for plane, count in _PLACES:
        coefficients = cv2.dct(planes[..., plane])
        fields += [_quantise(float(coefficients[at]), at) for at in _ZIGZAG[:count]]
    fields += [(_motion_index(v), _MOTION_BITS) for v in (camera.pan, camera.tilt, camera.zoom)]
    packed = 0
    for value, bits in fields:
        packed = packed << bits | value
    return packed.to_bytes(LOOK_BYTES, "big")


def decode(data: bytes) -> Look:
    """Inverse of :func:`encode`.

    Raises:
        BitstreamError: it is not 10 bytes.
    """
    if len(data) != LOOK_BYTES:
        raise BitstreamError(f"a look has {len(data)} bytes, not {LOOK_BYTES}")
    packed = int.from_bytes(data, "big")
    fields: list[int] = []
    widths = [_bits(at) for _, count in _PLACES for at in _ZIGZAG[:count]] + [_MOTION_BITS] * 3
    for bits in reversed(widths):
        fields.insert(0, packed & ((1 << bits) - 1))
        packed >>= bits
    planes = np.zeros((GRID, GRID, 3), np.float32)
    for plane, count in _PLACES:
        coefficients = np.zeros((GRID, GRID), np.float32)
        for at in _ZIGZAG[:count]:
            coefficients[at] = _dequantise(fields.pop(0), at)
        planes[..., plane] = cv2.idct(coefficients)
    levels = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    pan, tilt, zoom = (_motion_value(index) for index in fields)
    return Look(cv2.cvtColor(levels, cv2.COLOR_YCrCb2RGB), CameraMotion(pan, tilt, zoom))


def _bits(at: tuple[int, int]) -> int:
    return _MEAN_BITS if at == (0, 0) else _AC_BITS


def _quantise(value: float, at: tuple[int, int]) -> tuple[int, int]:
    bits = _bits(at)
    scaled = value / _MEAN_STEP if at == (0, 0) else value / _AC_STEP + (1 << bits - 1) + 0.5
    return min(max(int(scaled), 0), (1 << bits) - 1), bits


def _dequantise(level: int, at: tuple[int, int]) -> float:
    if at == (0, 0):
        return (level + 0.5) * _MEAN_STEP
    return (level - (1 << _AC_BITS - 1)) * _AC_STEP


def _motion_index(speed: float) -> int:
    nearest = min(range(len(_MOTION_STEPS)), key=lambda i: abs(_MOTION_STEPS[i] - abs(speed)))
    return nearest | (len(_MOTION_STEPS) if speed < 0 else 0)


def _motion_value(index: int) -> float:
    speed = _MOTION_STEPS[index % len(_MOTION_STEPS)]
    return -speed if index >= len(_MOTION_STEPS) else speed
