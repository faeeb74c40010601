"""Frames between frames where it is known how the camera moves: those of the sketch as the camera
sees them at the time, and what moves besides along optical flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.camera_path import CameraPath
from mmcodec.synthesis.frame_flow import flow_both_ways

_LITTLE = np.float32(1e-3)
"""Weight of what lies outside of a picture, where its edge is repeated."""
_DOUBTFUL = np.float32(0.01)
"""Weight of what flow is not trusted to lead to."""

Floats = NDArray[np.float32]
Affine = NDArray[np.float64]


def camera_views(
    frames: NDArray[np.uint8], times: NDArray[np.int64], moments: Iterable[int], path: CameraPath
) -> Iterator[NDArray[np.uint8]]:
    """The picture (height, width, 3) at each of the rising ``moments``, from ``frames`` at
    ``times``, along the path of the camera.
    """
    size = (frames.shape[2], frames.shape[1])
    before, between = -1, None
    for now in moments:
        here = int(np.searchsorted(times, now, side="right")) - 1
        if here < 0 or here + 1 >= len(times):
            nearest = max(here, 0)
            shift = path.transform(now, times[nearest], size)
            yield np.asarray(_seen(frames[nearest], shift, cv2.INTER_CUBIC), np.uint8)
            continue
        if here != before or between is None:
            before = here
            pair = frames[here], frames[here + 1]
            between = _Between(*pair, int(times[here]), int(times[here + 1]), path)
        yield between.at(now)


class _Between:
    """Pictures between two of a sketch."""

    def __init__(
        self, a: NDArray[np.uint8], b: NDArray[np.uint8], start: int, end: int, path: CameraPath
    ) -> None:
        self._pictures, self._times, self._path = (a, b), (start, end), path
        height, width = a.shape[:2]
        self._size = (width, height)
        self._grid = np.mgrid[0:height, 0:width].astype(np.float32)[::-1]
        self._middle = (start + end) / 2
        shifts = [path.transform(self._middle, time, self._size) for time in self._times]
        seen = [
            np.asarray(_seen(picture, shift, cv2.INTER_CUBIC), np.uint8)
            for picture, shift in zip(self._pictures, shifts, strict=True)
        ]
        both = np.prod([_inside(_led(shift, self._grid)) for shift in shifts], axis=0)
        flow = flow_both_ways(*seen)
        trust = np.maximum(flow.trust_forward, flow.trust_backward)[..., None]
        moves = [flow.forward * trust, flow.backward * trust]
        self._flow = np.dstack([*moves, flow.trust_forward, flow.trust_backward]) * both[..., None]

    def at(self, now: int) -> NDArray[np.uint8]:
        """Moved from both as without a camera, in the view of ``now``; where flow is not trusted,
        only the camera moves.
        """
        start, end = self._times
        t = np.float32((now - start) / (end - start))
        view = self._path.transform(now, self._middle, self._size)
        flow = np.moveaxis(np.asarray(_seen(self._flow, view, cv2.INTER_LINEAR), np.float32), 2, 0)
        forward, backward = flow[0:2], flow[2:4]
        there = t * t * backward - (1 - t) * t * forward
        back = (1 - t) * ((1 - t) * forward - t * backward)
        a, weight_a = self._side(0, now, there, (1 - t) * (flow[4] + _DOUBTFUL))
        b, weight_b = self._side(1, now, back, t * (flow[5] + _DOUBTFUL))
        return np.asarray(cv2.blendLinear(a, b, weight_a, weight_b), np.uint8)

    def _side(
        self, number: int, now: int, move: Floats, weight: Floats
    ) -> tuple[NDArray[np.uint8], Floats]:
        """One of the pictures, moved, with its weights."""
        led = _led(self._path.transform(now, self._times[number], self._size), self._grid + move)
        picture = cv2.remap(
            self._pictures[number], *led, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(picture, np.uint8), weight * (_inside(led) + _LITTLE)


def _seen(picture: NDArray[np.generic], shift: Affine, way: int) -> NDArray[np.generic]:
    """``picture`` fetched from where ``shift`` (2, 3) leads."""
    size = (picture.shape[1], picture.shape[0])
    flags = way | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(picture, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


def _led(shift: Affine, grid: Floats) -> Floats:
    """Where places (2, height, width) lead: (2, height, width)."""
    led = np.tensordot(shift[:, :2].astype(np.float32), grid, 1)
    return np.asarray(led + shift[:, 2, None, None].astype(np.float32))


def _inside(places: Floats) -> Floats:
    """1 for places within the picture, 0 for those outside, with a soft edge."""
    height, width = places.shape[1:]
    x, y = places
    edge = np.minimum(np.minimum(x + 1, width - x), np.minimum(y + 1, height - y))
    return np.asarray(np.clip(edge / 2, 0, 1), np.float32)
