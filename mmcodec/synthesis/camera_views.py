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
        trusts = np.dstack([flow.trust_forward, flow.trust_backward])
        self._flow = np.dstack([flow.forward, flow.backward, trusts]) * both[..., None]

    def at(self, now: int) -> NDArray[np.uint8]:
        """As :func:`mmcodec.synthesis.interpolation.interpolate` moves, in the view of ``now``."""
        start, end = self._times
        t = np.float32((now - start) / (end - start))
        view = self._path.transform(now, self._middle, self._size)
        flow = np.asarray(_seen(self._flow, view, cv2.INTER_LINEAR), np.float32)
        forward, backward = flow[..., 0:2], flow[..., 2:4]
        moves = (
            -(1 - t) * t * forward + t * t * backward,
            (1 - t) * ((1 - t) * forward - t * backward),
        )
        trust = np.max(flow[..., 4:], axis=2)[..., None]
        sides = [
            self._side(number, now, np.moveaxis(move, 2, 0), share)
            for number, (move, share) in enumerate(zip(moves, (1 - t, t), strict=True))
        ]
        moved = _mixed(
            [(p, w * (flow[..., 4 + n] + _DOUBTFUL)) for n, (p, w, *_) in enumerate(sides)]
        )
        blend = _mixed([(picture, weight) for *_, picture, weight in sides])
        mixed = moved * trust + blend * (1 - trust)
        return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)

    def _side(
        self, number: int, now: int, move: Floats, share: np.float32
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """One of the pictures, moved by flow and not, each with its weights."""
        shift = self._path.transform(now, self._times[number], self._size)
        picture = self._pictures[number]
        found: list[Floats] = []
        for grid in (self._grid + move, self._grid):
            led = _led(shift, grid)
            fetched = cv2.remap(
                picture, led[0], led[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            found += [np.asarray(fetched, np.float32), share * (_inside(led) + _LITTLE)]
        return found[0], found[1], found[2], found[3]


def _mixed(parts: list[tuple[Floats, Floats]]) -> Floats:
    """The mean of pictures by weights (height, width)."""
    (a, weight_a), (b, weight_b) = parts
    share = (weight_a / (weight_a + weight_b))[..., None]
    return np.asarray(a * share + b * (1 - share), np.float32)


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
