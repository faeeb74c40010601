"""Frames between frames: held, blended, or moved along optical flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.sketch import TemporalMode

_TRUST = 0.35
"""Disagreement of forward and backward flow, in pixels and relative to their length, at which a
moved pixel counts for 1/e."""
_FLOW_WIDTH = 256
"""Flow is estimated at about this width: below it the patches of the method are too coarse."""
_LEAST_SIDE = 64
"""OpenCV's dense flow breaks off the process on a picture of a few lines."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """Flow between two frames, both ways, with the trust (0..1) in each; at the frames' raster."""

    forward: NDArray[np.float32]
    backward: NDArray[np.float32]
    trust_forward: NDArray[np.float32]
    trust_backward: NDArray[np.float32]


def interpolate(
    frames: NDArray[np.uint8], times: NDArray[np.int64], moments: Iterable[int], mode: TemporalMode
) -> Iterator[NDArray[np.uint8]]:
    """The frame (height, width, 3) at each of ``moments``, from ``frames`` at ``times``.

    ``moments`` rise; before the first and after the last time that frame is held.
    """
    index, flow = -1, None
    for now in moments:
        here = int(np.searchsorted(times, now, side="right")) - 1
        if here < 0 or here + 1 >= len(times):
            yield frames[max(here, 0)]
            continue
        if here != index:
            index = here
            flow = _flow(frames[here], frames[here + 1]) if mode is TemporalMode.FLOW else None
        part = (now - times[here]) / (times[here + 1] - times[here])
        yield _between(frames[here], frames[here + 1], part, mode, flow)


def _between(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    part: float,
    mode: TemporalMode,
    flow: _Flow | None,
) -> NDArray[np.uint8]:
    if part == 0:
        return a
    if mode is TemporalMode.HOLD:
        return a if part < 0.5 else b
    if flow is None:
        return np.asarray(cv2.addWeighted(a, 1 - part, b, part, 0))
    return _moved(a, b, part, flow)


def _moved(
    a: NDArray[np.uint8], b: NDArray[np.uint8], part: float, flow: _Flow
) -> NDArray[np.uint8]:
    """The frame at ``part`` of the way, warped from both ends (Jiang et al., "Super SloMo",
    CVPR 2018, equation 4); where the flows disagree it falls back to a blend.
    """
    f, g, t = flow.forward, flow.backward, np.float32(part)
    from_a = _warp(a, -(1 - t) * t * f + t * t * g)
    from_b = _warp(b, (1 - t) * (1 - t) * f - t * (1 - t) * g)
    weight_a = (1 - t) * (flow.trust_forward + np.float32(0.01))
    weight_b = t * (flow.trust_backward + np.float32(0.01))
    share = (weight_a / (weight_a + weight_b))[..., None]
    moved = from_a * share + from_b * (1 - share)
    trust = np.maximum(flow.trust_forward, flow.trust_backward)[..., None]
    blend = a * (1 - t) + b * t
    return np.asarray(np.clip(moved * trust + blend * (1 - trust) + 0.5, 0, 255), np.uint8)


def _warp(picture: NDArray[np.generic], shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """``picture`` (height, width, c) fetched from ``shift`` (height, width, 2) pixels away."""
    height, width = shift.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = cv2.remap(
        picture,
        columns + shift[..., 0],
        rows + shift[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.float32)


def _flow(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> _Flow:
    height, width = a.shape[:2]
    scale = max(1.0, _FLOW_WIDTH / max(width, height))
    size = tuple(max(_LEAST_SIDE, round(side * scale)) for side in (width, height))
    grey_a, grey_b = (
        cv2.cvtColor(cv2.resize(x, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
        for x in (a, b)
    )
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    back = np.array([width / size[0], height / size[1]], np.float32)
    forward, backward = (
        cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 2)
        * back
        for flow in (dis.calc(grey_a, grey_b, None), dis.calc(grey_b, grey_a, None))
    )
    return _Flow(forward, backward, _trust(forward, backward), _trust(backward, forward))


def _trust(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well ``other`` leads back from where ``one`` leads."""
    back = _warp(other, one)
    error = np.linalg.norm(one + back, axis=2)
    allowed = _TRUST * (1 + 0.5 * np.linalg.norm(one, axis=2))
    trust = np.exp(-np.square(error / allowed))
    return np.asarray(cv2.GaussianBlur(trust, (0, 0), 1.5), np.float32)
