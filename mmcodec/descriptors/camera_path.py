"""The path of a camera through a shot, in a few bytes: where its view lies at evenly spread times.

A pose moves, turns and scales what is seen about the middle of the picture, and, if it is affine,
stretches and shears it before; it is counted from the first one, in 1/512 of the picture's width,
1/256 of the scale and of the stretch (natural logarithms), 1/256 radian, and 1/256 of the shear.
Poses go on as they went, and what differs from that is coded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.entropy.range_coder import IntegerModel
from mmcodec.entropy.two_way import Coder
from mmcodec.errors import BitstreamError

UNITS = np.array([1 / 512, 1 / 512, 1 / 256, 1 / 256, 1 / 256, 1 / 256])
"""Of the numbers of a pose: right and down in widths, scale, turn clockwise; in affine ones stretch
(of widths over heights) and shear, too.
"""
SIMILAR, AFFINE = 4, 6
"""How many numbers poses have."""
_COUNT_BITS, _MOST_DOUBLINGS = 3, 4
_FURTHEST = 1 << 10
"""In units; a scale of 1/55 to 55, two widths, four radians: more is damage."""
_NEAR_PRIORS = (40000,) * 10
_FLAT_PRIORS = (26000, 22000, 20000, 18000, 16000, 14000)
_EXACT = 0.5 / 320
"""Error of the moves, in widths, below which no more poses are needed."""
_STEADY = 1e-3
"""How much rather a pose is the first one than a guess from nothing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CameraPath:
    """``poses`` (n, 4 or 6) in units, at n = 2, 3, 5, 9 or 17 times spread evenly from 0 to
    ``end``.
    """

    poses: NDArray[np.int64]
    end: float

    def at(self, moment: float) -> Floats:
        """The pose (4 or 6,) at a moment, in the units that :data:`UNITS` counts."""
        last = len(self.poses) - 1
        place = min(max(moment / self.end, 0.0), 1.0) * last
        before = min(int(place), last - 1)
        part = place - before
        pose = (1 - part) * self.poses[before] + part * self.poses[before + 1]
        return np.asarray(pose * UNITS[: len(pose)])

    def transform(self, start: float, end: float, size: tuple[int, int]) -> Floats:
        """Where a pixel of a picture of ``size`` (width, height) at a moment lies at another:
        (2, 3).
        """
        there = _matrix(self.at(end), size) @ np.linalg.inv(_matrix(self.at(start), size))
        return np.asarray(there[:2])


def fitted(poses: Floats, times: NDArray[np.int64], duration: int) -> CameraPath:
    """The shortest path through tracked ``poses`` (m, 4 or 6), as :meth:`CameraPath.at` gives them,
    at ``times`` (m,) of a shot of ``duration`` frames, that is as exact as needed, or the longest.
    """
    end, units = max(duration - 1, 1), UNITS[: poses.shape[1]]
    for doublings in range(_MOST_DOUBLINGS + 1):
        count = (1 << doublings) + 1
        at = np.linspace(0, end, count)
        weights = np.maximum(0, 1 - np.abs(times[:, None] - at) * (count - 1) / end)
        rows = np.vstack([weights, _STEADY * np.eye(count)])
        wanted = np.vstack([poses, np.zeros((count, len(units)))])
        found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        counted = np.rint((found - found[0]) / units)
        path = CameraPath(np.clip(counted, -_FURTHEST, _FURTHEST).astype(np.int64), float(end))
        errors = (weights @ (path.poses * units) - poses)[:, :2]
        if np.sqrt(np.mean(np.square(errors - errors.mean(axis=0)))) < _EXACT:
            break
    return path


def code_path(coder: Coder, path: CameraPath | None, end: float) -> CameraPath:
    """Code a path, both ways; a reader's is None.

    Raises:
        BitstreamError: it leads too far, or has too many poses.
    """
    doublings = 0 if path is None else (len(path.poses) - 1).bit_length() - 1
    doublings = coder.bits(doublings, _COUNT_BITS)
    if doublings > _MOST_DOUBLINGS:
        raise BitstreamError("a camera has a path of too many poses")
    affine = coder.bits(int(path is not None and path.poses.shape[1] == AFFINE), 1)
    poses = np.zeros(((1 << doublings) + 1, AFFINE if affine else SIMILAR), np.int64)
    models = [IntegerModel(priors) for priors in (_FLAT_PRIORS, _NEAR_PRIORS) for _ in range(4)]
    for step in range(1, len(poses)):
        before = poses[step - 1]
        expected = before if step == 1 else 2 * before - poses[step - 2]
        for part in range(poses.shape[1]):
            model = models[min(max(part - 1, 0), 3) + 4 * (step > 1)]
            wanted = 0 if path is None else int(path.poses[step, part])
            poses[step, part] = expected[part] + coder.integer(model, wanted - int(expected[part]))
        if np.abs(poses[step]).max() > _FURTHEST:
            raise BitstreamError("a camera has a path that leads too far")
    return CameraPath(poses, end)


def _matrix(pose: Floats, size: tuple[int, int]) -> Floats:
    """The pose as a transform (3, 3) of pixels."""
    width, height = size
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    along, across = np.exp(pose[2]) * np.array([np.cos(pose[3]), np.sin(pose[3])])
    turned = np.array([[along, -across], [across, along]])
    if len(pose) == AFFINE:
        turned = turned @ [[np.exp(pose[4]), pose[5]], [0, np.exp(-pose[4])]]
    moved = middle + pose[:2] * width - turned @ middle
    return np.vstack([np.column_stack([turned, moved]), [0.0, 0.0, 1.0]])
