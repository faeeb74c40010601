"""Frames between frames: held, blended, moved along optical flow, or as the camera moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.camera_path import CameraPath
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.synthesis.camera_views import camera_views
from mmcodec.synthesis.frame_flow import Flow, flow_both_ways, moved


def interpolate(
    frames: NDArray[np.uint8],
    times: NDArray[np.int64],
    moments: Iterable[int],
    mode: TemporalMode,
    path: CameraPath | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """The frame (height, width, 3) at each of ``moments``, from ``frames`` at ``times``.

    ``moments`` rise; before the first and after the last time that frame is held. With the mode
    that follows the camera there is the ``path`` that it follows.
    """
    if path is not None:
        return camera_views(frames, times, moments, path)
    return _interpolated(frames, times, moments, mode)


def _interpolated(
    frames: NDArray[np.uint8], times: NDArray[np.int64], moments: Iterable[int], mode: TemporalMode
) -> Iterator[NDArray[np.uint8]]:
    index, flow = -1, None
    for now in moments:
        here = int(np.searchsorted(times, now, side="right")) - 1
        if here < 0 or here + 1 >= len(times):
            yield frames[max(here, 0)]
            continue
        if here != index:
            index = here
            flow = (
                flow_both_ways(frames[here], frames[here + 1])
                if mode is TemporalMode.FLOW
                else None
            )
        part = (now - times[here]) / (times[here + 1] - times[here])
        yield _between(frames[here], frames[here + 1], part, mode, flow)


def _between(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    part: float,
    mode: TemporalMode,
    flow: Flow | None,
) -> NDArray[np.uint8]:
    if part == 0:
        return a
    if mode is TemporalMode.HOLD:
        return a if part < 0.5 else b
    if flow is None:
        return np.asarray(cv2.addWeighted(a, 1 - part, b, part, 0))
    return _moved(a, b, part, flow)


def _moved(
    a: NDArray[np.uint8], b: NDArray[np.uint8], part: float, flow: Flow
) -> NDArray[np.uint8]:
    """The frame at ``part`` of the way, warped from both ends (Jiang et al., "Super SloMo",
    CVPR 2018, equation 4); where the flows disagree it falls back to a blend.
    """
    f, g, t = flow.forward, flow.backward, np.float32(part)
    from_a = moved(a, t * t * g - (1 - t) * t * f)
    from_b = moved(b, (1 - t) * (1 - t) * f - t * (1 - t) * g)
    weight_a = (1 - t) * (flow.trust_forward + np.float32(0.01))
    weight_b = t * (flow.trust_backward + np.float32(0.01))
    mixed = cv2.blendLinear(from_a, from_b, weight_a, weight_b)
    trust = cv2.max(flow.trust_forward, flow.trust_backward)
    blend = cv2.addWeighted(a, 1 - part, b, part, 0)
    return np.asarray(cv2.blendLinear(mixed, blend, trust, 1 - trust), np.uint8)
