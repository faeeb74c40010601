"""How a sketch moves: dense flow from each of its frames to its middle one, with trust in it.

Flow over a long time is flow from frame to frame, chained, and each time set right by what is left
of the difference (as in Brox et al., "High accuracy optical flow estimation", ECCV 2004: warping).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.synthesis.frame_flow import moved

Floats = NDArray[np.float32]

_WIDTH = 256
"""Flow is estimated at about this width, as between the frames of a sketch."""
_LEAST_SIDE = 64
"""OpenCV's dense flow breaks off the process on a picture of a few lines."""
_DISAGREEMENT, _OF_LENGTH = 0.5, 0.3
"""Disagreement of the flows there and back, in pixels and relative to their length, at which a
pixel counts for 1/e."""
_EDGE = 3.0
"""Pixels over which trust fades at the edge of the picture."""
_FILL = 6.0
"""Sigma, in pixels, of the surroundings from which flow that is not trusted is taken."""
_GRID = 8
_FEWEST_POINTS = 16
_CAMERA_ERROR = 1.5
_CAMERA_SHARE = 0.4
"""Part of the trusted flow that a camera has to explain."""
_PARTING = 2.0
"""Pixels by which flow by way of the frame before and of the one after may differ."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Where each pixel of a moment comes from in the middle frame.

    ``subject`` and ``camera`` are (height, width, 2) in pixels of this raster: all that moves,
    with the ``trust`` in it, 0..1 (height, width), and what the camera does alone.
    """

    subject: Floats
    camera: Floats
    trust: Floats


class SketchFlow:
    """The motion of ``frames``, RGB uint8 (n, height, width, 3), shown at rising ``times``."""

    def __init__(self, frames: NDArray[np.uint8], times: NDArray[np.int64]) -> None:
        self._times = times
        greys = [_grey(frame) for frame in frames]
        self._steps = [(flow_between(a, b), flow_between(b, a)) for a, b in pairwise(greys)]
        middle = len(frames) // 2
        still = np.zeros((*greys[0].shape, 2), np.float32)
        self._motions = [Motion(still, still, inside(still))] * len(frames)
        for direction in (1, -1):
            there = back = still
            for at in _onward(middle, direction, len(frames)):
                there, back = self._chained(greys, at, direction, there, back, middle)
                self._motions[at] = _motion(there, back)

    def at(self, moment: float, held: bool) -> Motion:
        """The motion at a time; with ``held``, that of the nearest frame."""
        times = self._times
        here = min(max(int(np.searchsorted(times, moment, side="right")) - 1, 0), len(times) - 1)
        if here + 1 >= len(times) or moment <= times[here]:
            return self._motions[here]
        part = np.float32((moment - times[here]) / (times[here + 1] - times[here]))
        if held:
            return self._motions[here + int(part >= 0.5)]
        return self._between(here, part)

    def _between(self, here: int, part: np.float32) -> Motion:
        """By way of both neighbours; the flow to them as in Jiang et al., "Super SloMo"."""
        (forward, backward), rest = self._steps[here], 1 - part
        to_a = -rest * part * forward + part * part * backward
        to_b = rest * rest * forward - part * rest * backward
        a, b = self._motions[here], self._motions[here + 1]
        by_a, by_b = to_a + moved(a.subject, to_a), to_b + moved(b.subject, to_b)
        trust_a, trust_b = moved(a.trust, to_a), moved(b.trust, to_b)
        weight_a = rest * (trust_a + np.float32(0.01))
        weight_b = part * (trust_b + np.float32(0.01))
        share = np.clip(weight_a / np.maximum(weight_a + weight_b, 1e-6), 0, 1)
        parting = np.linalg.norm(by_a - by_b, axis=2)
        trust = (trust_a * share + trust_b * (1 - share)) * np.exp(-np.square(parting / _PARTING))
        wide = share[..., None]
        return Motion(
            np.asarray(by_a * wide + by_b * (1 - wide), np.float32),
            np.asarray(a.camera * rest + b.camera * part, np.float32),
            np.asarray(np.clip(trust, 0, 1), np.float32),
        )

    def _chained(
        self,
        greys: list[NDArray[np.uint8]],
        at: int,
        direction: int,
        there: Floats,
        back: Floats,
        middle: int,
    ) -> tuple[Floats, Floats]:
        """Flow from frame ``at`` to the middle one and back, from that of the frame before it."""
        forward, backward = self._steps[min(at, at - direction)]
        nearer, further = (backward, forward) if direction > 0 else (forward, backward)
        there = nearer + moved(there, nearer)
        back = back + moved(further, back)
        return _corrected(greys[at], greys[middle], there), _corrected(
            greys[middle], greys[at], back
        )


def flow_between(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """Flow (height, width, 2) from each pixel of the grey picture ``a`` to its place in ``b``."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(dis.calc(a, b, None), np.float32)


def inside(flow: Floats) -> Floats:
    """1 where a flow leads to within the picture, 0 where it leads out of it (height, width)."""
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = columns + flow[..., 0] + 0.5, rows + flow[..., 1] + 0.5
    margin = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    return np.asarray(np.clip(margin / _EDGE + 0.5, 0, 1), np.float32)


def _onward(middle: int, direction: int, count: int) -> range:
    return range(middle + direction, count if direction > 0 else -1, direction)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = _WIDTH / max(height, width)
    size = (max(_LEAST_SIDE, round(width * scale)), max(_LEAST_SIDE, round(height * scale)))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_RGB2GRAY))


def _corrected(a: NDArray[np.uint8], b: NDArray[np.uint8], flow: Floats) -> Floats:
    """``flow`` from ``a`` to ``b`` with what it leaves of the difference."""
    rest = flow_between(a, moved(b, flow))
    return rest + moved(flow, rest)


def _motion(there: Floats, back: Floats) -> Motion:
    error = np.linalg.norm(there + moved(back, there), axis=2)
    allowed = _DISAGREEMENT * (1 + _OF_LENGTH * np.linalg.norm(there, axis=2))
    trust = np.asarray(np.exp(-np.square(error / allowed)) * inside(there), np.float32)
    return Motion(_filled(there, trust), _camera(there, trust), trust)


def _filled(flow: Floats, trust: Floats) -> Floats:
    """``flow`` with that of its surroundings where it is not trusted, so that nothing tears."""
    weight = trust + np.float32(1e-3)
    around = cv2.GaussianBlur(flow * weight[..., None], (0, 0), _FILL)
    around = around / cv2.GaussianBlur(weight, (0, 0), _FILL)[..., None]
    return np.asarray(flow * trust[..., None] + around * (1 - trust[..., None]), np.float32)


def _camera(flow: Floats, trust: Floats) -> Floats:
    """The similarity transform that most of the trusted flow follows, as flow; none without."""
    height, width = trust.shape
    rows, columns = np.mgrid[_GRID // 2 : height : _GRID, _GRID // 2 : width : _GRID]
    here = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32)
    good = trust[rows, columns].ravel() > 0.5
    if good.sum() < _FEWEST_POINTS:
        return np.zeros_like(flow)
    there = here + flow[rows, columns].reshape(-1, 2)
    cv2.setRNGSeed(1)
    found, inliers = cv2.estimateAffinePartial2D(
        here[good], there[good], ransacReprojThreshold=_CAMERA_ERROR
    )
    if found is None or inliers.sum() < _CAMERA_SHARE * good.sum():
        return np.zeros_like(flow)
    points = np.mgrid[0:height, 0:width].astype(np.float32)[::-1]
    led = np.einsum("ij,jhw->hwi", found[:, :2], points) + found[:, 2]
    return np.asarray(led - points.transpose(1, 2, 0), np.float32)
