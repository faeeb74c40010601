"""What the camera does in a shot, and where something moves on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.camera_track import Corners, similarity

_WIDTH = 160
_LEAST_HEIGHT = 64
"""OpenCV's dense flow breaks off the process on a picture of a few lines."""
_CORNERS = Corners(most=120, apart=5, window=21, fewest=8, error=3.0)
_PAIRS = 16
"""Pairs of frames measured in a shot, spread over it."""
_PAIR_GAP_S = 0.17
_STILL_SPEED = 0.02
"""Widths a second below which nothing is seen to move."""


@dataclass(frozen=True, slots=True)
class CameraMotion:
    """Mean velocity of the camera: ``pan`` (right > 0) and ``tilt`` (down > 0) in frame widths a
    second, ``zoom`` (in > 0) as the growth of the scale in a second.
    """

    pan: float
    tilt: float
    zoom: float


@dataclass(frozen=True, slots=True)
class SubjectMotion:
    """Movement that the camera's does not explain: its speed in frame widths a second where it is
    strongest, and that place (0..1 from the left and from the top).
    """

    speed: float
    x: float
    y: float


def measure_motion(
    pixels: Sequence[NDArray[np.uint8]], times: Sequence[float]
) -> tuple[CameraMotion, SubjectMotion]:
    """Measure RGB frames (height, width, 3) shown at ``times`` seconds.

    The camera is a similarity transform fitted to tracked corners with RANSAC; the subject is
    what dense flow has beyond it.
    """
    pairs = _choose_pairs(times)
    if not pairs:
        return CameraMotion(0.0, 0.0, 0.0), SubjectMotion(0.0, 0.5, 0.5)
    moves, rests = [], []
    for first, second in pairs:
        a, b = _grey(pixels[first]), _grey(pixels[second])
        gap = times[second] - times[first]
        transform = similarity(a, b, _CORNERS)
        moves.append(_velocity(transform, a.shape) / gap)
        rests.append(_remaining_flow(a, b, transform) / gap)
    pan, tilt, zoom = np.median(np.array(moves), axis=0)
    return CameraMotion(float(pan), float(tilt), float(zoom)), _strongest(np.mean(rests, axis=0))


def is_still(speed: float) -> bool:
    """Whether a speed in frame widths a second is too small to see."""
    return abs(speed) < _STILL_SPEED


def _choose_pairs(times: Sequence[float]) -> list[tuple[int, int]]:
    stamps = np.asarray(times)
    firsts = np.unique(np.linspace(0, len(times) - 1, _PAIRS).astype(int))
    seconds = np.searchsorted(stamps, stamps[firsts] + _PAIR_GAP_S)
    return [(int(a), int(b)) for a, b in zip(firsts, seconds, strict=True) if b < len(times)]


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = max(_LEAST_HEIGHT, round(_WIDTH * pixels.shape[0] / pixels.shape[1]))
    small = cv2.resize(pixels, (_WIDTH, min(height, 4 * _WIDTH)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def _velocity(transform: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Pan, tilt, zoom between two frames: content moving left means that the camera pans right."""
    centre = np.array([shape[1] / 2, shape[0] / 2])
    shift = transform[:, :2] @ centre + transform[:, 2] - centre
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    return np.array([-shift[0] / shape[1], -shift[1] / shape[1], scale - 1.0])


def _remaining_flow(
    a: NDArray[np.uint8], b: NDArray[np.uint8], transform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Length of the flow beyond ``transform``, in widths, as a 9x16 map."""
    aligned = cv2.warpAffine(
        a, transform, (a.shape[1], a.shape[0]), borderMode=cv2.BORDER_REPLICATE
    )
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    length = np.linalg.norm(dis.calc(aligned, b, None), axis=2) / a.shape[1]
    return np.asarray(cv2.resize(length, (16, 9), interpolation=cv2.INTER_AREA), np.float64)


def _strongest(speeds: NDArray[np.float64]) -> SubjectMotion:
    smooth = cv2.blur(speeds, (3, 3), borderType=cv2.BORDER_REPLICATE)
    row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return SubjectMotion(
        float(smooth.max()),
        float((column + 0.5) / speeds.shape[1]),
        float((row + 0.5) / speeds.shape[0]),
    )
