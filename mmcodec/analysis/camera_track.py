"""How the picture as a whole moves, turns and grows in the course of a shot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

_STEP_S = 0.125
"""Between the frames that are compared."""
_CORNERS, _APART, _FEWEST, _ERROR = 300, 6, 12, 1.0
_CORNER_QUALITY, _LEAST_AREA = 0.01, 0.01
"""Of a corner to the best one; of a picture after a step to before."""

Floats = NDArray[np.float64]


def track_camera(
    pixels: Sequence[NDArray[np.uint8]], times: Sequence[float]
) -> tuple[list[int], Floats]:
    """Places in ``pixels``, RGB (height, width, 3) each, shown at ``times`` seconds, and a pose
    (n, 4) at each: how far the middle of the picture has moved right and down since the first
    frame, in widths, the logarithm of how much it has grown, and its turn clockwise in radians.

    Corners are tracked (B. Lucas and T. Kanade, 1981), and the similarity transform that most of
    them follow is taken for that of the camera; where there is none, it stands still.
    """
    stamps = np.asarray(times)
    wanted = np.arange(stamps[0], stamps[-1] + _STEP_S, _STEP_S)
    found = np.searchsorted(stamps, wanted).clip(max=len(stamps) - 1)
    places = [int(place) for place in np.unique(found)]
    greys = [cv2.cvtColor(pixels[place], cv2.COLOR_RGB2GRAY) for place in places]
    height, width = greys[0].shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    so_far, poses = np.eye(3), [np.zeros(4)]
    for one, other in pairwise(greys):
        step = similarity(one, other, _CORNERS, _APART, _FEWEST, _ERROR)
        so_far = np.vstack([step, [0.0, 0.0, 1.0]]) @ so_far
        along, across = so_far[0, 0], so_far[1, 0]
        shift = (so_far @ middle - middle)[:2] / width
        poses.append(np.array([*shift, np.log(np.hypot(along, across)), np.arctan2(across, along)]))
    return places, np.stack(poses)


def similarity(
    one: NDArray[np.uint8],
    other: NDArray[np.uint8],
    corners: int,
    apart: float,
    fewest: int,
    error: float,
) -> Floats:
    """The transform (2, 3) of up to ``corners`` points of a grey picture, so many pixels ``apart``,
    to the next, within so many of ``error``; identity where it is not that of ``fewest`` of them.
    """
    still = np.eye(2, 3)
    points = cv2.goodFeaturesToTrack(one, corners, _CORNER_QUALITY, apart)
    if points is None or len(points) < fewest:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(one, other, points, None)
    good = found.ravel() == 1
    if good.sum() < fewest:
        return still
    transform, inliers = cv2.estimateAffinePartial2D(
        points[good], moved[good], ransacReprojThreshold=error
    )
    if transform is None or inliers.sum() < fewest or np.linalg.det(transform[:, :2]) < _LEAST_AREA:
        return still
    return np.asarray(transform, np.float64)
