"""How the picture as a whole moves, turns and grows in the course of a shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

_STEP_S = 0.125
"""Between the frames that are compared."""
_CORNER_QUALITY, _LEAST_AREA = 0.01, 0.01
"""Of a corner to the best one; of a picture after a step to before, and the other way round."""
_MOST_BENT = 0.2
"""How far an affine step may be from the similar one: corners along a line say nothing of it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Corners:
    """Which corners are followed: at most so many, so many pixels ``apart``, by what is in a
    ``window`` of so many; and when they tell of the camera: if the ``fewest`` go where one
    transform leads, within ``error`` pixels.
    """

    most: int
    apart: float
    window: int
    fewest: int
    error: float


# In a window of 21 pixels they take twice the time, for paths that are no better.
_CORNERS = Corners(most=300, apart=6, window=11, fewest=12, error=1.0)


def track_camera(
    pixels: Sequence[NDArray[np.uint8]], times: Sequence[float], affine: bool = False
) -> tuple[list[int], Floats]:
    """Places in ``pixels``, RGB (height, width, 3) each, shown at ``times`` seconds, and poses at
    each: (n, 4), how far the middle of the picture has moved right and down since the first frame,
    in widths, the logarithm of how much it has grown, and its turn clockwise in radians; or
    ``affine`` ones (n, 6), with the logarithm of its stretch to the right and its shear before
    that.

    Corners are tracked (B. Lucas and T. Kanade, 1981), and the similarity transform that most of
    them follow is taken for that of the camera; where there is none, it stands still. The affine
    one is the nearest to those that follow.
    """
    stamps = np.asarray(times)
    wanted = np.arange(stamps[0], stamps[-1] + _STEP_S, _STEP_S)
    found = np.searchsorted(stamps, wanted).clip(max=len(stamps) - 1)
    places = [int(place) for place in np.unique(found)]
    greys = [cv2.cvtColor(pixels[place], cv2.COLOR_RGB2GRAY) for place in places]
    so_far, poses = np.eye(3), [np.zeros(6)]
    for one, other in pairwise(greys):
        follows = _followed(one, other, _CORNERS)
        if follows is not None:
            step = follows.affine() if affine else follows.similar
            so_far = np.vstack([step, [0.0, 0.0, 1.0]]) @ so_far
        poses.append(_pose(so_far, one.shape))
    return places, np.stack(poses)[:, : 6 if affine else 4]


def similarity(one: NDArray[np.uint8], other: NDArray[np.uint8], corners: Corners) -> Floats:
    """The transform (2, 3) of corners of a grey picture to the next; identity where none is that of
    enough of them.
    """
    follows = _followed(one, other, corners)
    return np.eye(2, 3) if follows is None else follows.similar


@dataclass(frozen=True, slots=True)
class Followed:
    """The similarity transform (2, 3) that most corners follow, and where those are, (n, 2), before
    and after.
    """

    similar: Floats
    before: Floats
    after: Floats

    def affine(self) -> Floats:
        """The affine transform (2, 3) that is nearest to them, if they say enough of it."""
        places = np.column_stack([self.before, np.ones(len(self.before))])
        found = np.linalg.lstsq(places, self.after, rcond=None)[0].T
        bent = np.abs(found - self.similar)[:, :2].max()
        return np.asarray(found if bent < _MOST_BENT else self.similar, np.float64)


def _followed(
    one: NDArray[np.uint8], other: NDArray[np.uint8], corners: Corners
) -> Followed | None:
    points = cv2.goodFeaturesToTrack(one, corners.most, _CORNER_QUALITY, corners.apart)
    if points is None or len(points) < corners.fewest:
        return None
    window = (corners.window, corners.window)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(one, other, points, None, winSize=window)
    good = found.ravel() == 1
    if good.sum() < corners.fewest:
        return None
    before, after = points[good].reshape(-1, 2), moved[good].reshape(-1, 2)
    similar, inliers = cv2.estimateAffinePartial2D(
        before, after, ransacReprojThreshold=corners.error
    )
    if similar is None or inliers.sum() < corners.fewest:
        return None
    if not _LEAST_AREA < np.linalg.det(similar[:, :2]) < 1 / _LEAST_AREA:
        return None
    chosen = inliers.ravel() == 1
    return Followed(
        np.asarray(similar, np.float64),
        np.asarray(before[chosen], np.float64),
        np.asarray(after[chosen], np.float64),
    )


def _pose(so_far: Floats, shape: tuple[int, ...]) -> Floats:
    """A transform (3, 3) of a picture (height, width) as the six numbers of an affine pose."""
    height, width = shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    shift = (so_far @ middle - middle)[:2] / width
    along, across = so_far[:2, 0]
    growth, area = np.hypot(along, across), np.linalg.det(so_far[:2, :2])
    scale = np.sqrt(area)
    shear = (along * so_far[0, 1] + across * so_far[1, 1]) / (growth * scale)
    turn = np.arctan2(across, along)
    return np.array([*shift, np.log(scale), turn, np.log(growth / scale), shear])
