"""Frames between frames where it is known how the camera moves: those of the sketch as the camera
sees them at the time, and what moves besides along optical flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.camera_path import CameraPath
from mmcodec.synthesis.frame_flow import Number, fetched, flow_both_ways, grid

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
            yield _seen(frames[nearest], shift, cv2.INTER_CUBIC)
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
        self._middle = (start + end) / 2
        shifts = [path.transform(self._middle, time, self._size) for time in self._times]
        flow = flow_both_ways(
            _seen(a, shifts[0], cv2.INTER_CUBIC), _seen(b, shifts[1], cv2.INTER_CUBIC)
        )
        places = grid(width, height)
        both = _inside(cv2.transform(places, shifts[0])) * _inside(cv2.transform(places, shifts[1]))
        self._trusts = flow.trust_forward * both, flow.trust_backward * both
        parts = cv2.split(flow.forward) + cv2.split(flow.backward)
        self._moves = cv2.merge([part * cv2.max(*self._trusts) for part in parts])

    def at(self, now: int) -> NDArray[np.uint8]:
        """Moved from both as without a camera, in the view of ``now``; where flow is not trusted,
        only the camera moves.
        """
        start, end = self._times
        t = np.float32((now - start) / (end - start))
        view = self._path.transform(now, self._middle, self._size)
        moves = cv2.split(_seen(self._moves, view, cv2.INTER_LINEAR))
        trusts = [_seen(trust, view, cv2.INTER_LINEAR) for trust in self._trusts]
        a, weight_a = self._side(0, now, moves, ((t - 1) * t, t * t))
        b, weight_b = self._side(1, now, moves, ((1 - t) * (1 - t), (t - 1) * t))
        weight_a *= (1 - t) * (trusts[0] + _DOUBTFUL)
        weight_b *= t * (trusts[1] + _DOUBTFUL)
        return np.asarray(cv2.blendLinear(a, b, weight_a, weight_b), np.uint8)

    def _side(
        self, number: int, now: int, moves: Sequence[Floats], parts: tuple[np.float32, np.float32]
    ) -> tuple[NDArray[np.uint8], Floats]:
        """One of the pictures, moved by parts of the flow there and back, with its weights."""
        move = [moves[n] * parts[0] + moves[n + 2] * parts[1] for n in range(2)]
        shift = self._path.transform(now, self._times[number], self._size)
        led = cv2.transform(grid(*self._size) + cv2.merge(move), shift)
        return fetched(self._pictures[number], led), _inside(led) + _LITTLE


def _seen(picture: NDArray[Number], shift: Affine, way: int) -> NDArray[Number]:
    """``picture`` fetched from where ``shift`` (2, 3) leads."""
    size = (picture.shape[1], picture.shape[0])
    flags = way | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(picture, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, picture.dtype)


def _inside(places: NDArray[np.generic]) -> Floats:
    """1 for places (height, width, 2) within the picture, 0 for those outside, with a soft edge."""
    height, width = places.shape[:2]
    x, y = cv2.split(places)
    edge = np.minimum(np.minimum(x + 1, width - x), np.minimum(y + 1, height - y))
    return np.asarray(np.clip(edge / 2, 0, 1), np.float32)
