"""One still that moves: as its sketch does, or as its camera does.

The still has the detail, the sketch has the motion and the light. Where the sketch cannot say what
moves where (something comes into the picture, or changes its shape), the sketch itself is shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.motion import CameraMotion
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.synthesis.frame_flow import moved
from mmcodec.synthesis.guide import Guide
from mmcodec.synthesis.interpolation import interpolate
from mmcodec.synthesis.offline_video import enlarge
from mmcodec.synthesis.sketch_flow import Floats, SketchFlow, inside

_CAST = 1 / 5
"""Sigma, in longer sides, of the colours that a still takes from its sketch: with more detail it
would take the errors of coarse quantisation too."""
_CHANGE = 1 / 60
"""Sigma, in longer sides, of the change of light over time; a blur keeps block edges out."""
_SUBJECT_CHANGE, _CAMERA_CHANGE = 12.0, 10.0
"""Levels of change that motion does not explain, at which a pixel counts for 1/e."""
_NEIGHBOURS = 1 / 12
"""Longer sides around such a change that are not trusted either: something moved there."""
_SOFT = 1 / 128
"""Sigma, in longer sides, of the seams."""
_MARGIN = 0.08
"""Part of a still on each side into which its camera moves."""
_DRIFT = CameraMotion(0.0, 0.0, 0.015)
"""Motion of a still whose camera is still: enough to see that it plays."""


def moved_as_sketch(
    still: NDArray[np.uint8], guide: Guide, size: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """The frames of a shot, RGB uint8 of ``size`` (width, height), from a still of its middle.

    ``still`` is RGB uint8 (height, width, 3) of any raster; ``guide`` has a sketch. With the
    source's own frame as the still, it is 2.0 dB and 0.08 SSIM nearer to the source than the
    sketch alone, on 28 shots of ten real clips; the thresholds were set on 13 of them.
    """
    if guide.frames is None:
        raise ValueError("there is no sketch")
    flow, held = SketchFlow(guide.frames, guide.times), guide.mode is TemporalMode.HOLD
    middle = enlarge(guide.frames[len(guide.frames) // 2], size).astype(np.float32)
    detailed = resized(still, size).astype(np.float32)
    detailed += _blurred(middle - detailed, _CAST)
    moments = range(guide.duration)
    shown = interpolate(guide.frames, guide.times, moments, guide.mode, guide.path)
    for moment, small in zip(moments, shown, strict=True):
        sketch = enlarge(small, size).astype(np.float32)
        motion = flow.at(moment, held)
        behind = _laid_on(
            sketch, middle, detailed, motion.camera, inside(motion.camera), _CAMERA_CHANGE, True
        )
        frame = _laid_on(
            sketch, middle, detailed, motion.subject, motion.trust, _SUBJECT_CHANGE, False, behind
        )
        yield np.asarray(np.clip(frame + 0.5, 0, 255), np.uint8)


def _laid_on(
    sketch: Floats,
    middle: Floats,
    detailed: Floats,
    motion: Floats,
    trust: Floats,
    allowed: float,
    widely: bool,
    ground: Floats | None = None,
) -> Floats:
    """The still moved by ``motion``, with the change of light that the sketch shows beside it,
    over ``ground`` where the motion is not trusted or does not explain the sketch.
    """
    size = (sketch.shape[1], sketch.shape[0])
    scale = np.array([size[0] / motion.shape[1], size[1] / motion.shape[0]], np.float32)
    shift = cv2.resize(motion, size, interpolation=cv2.INTER_CUBIC).reshape(*size[::-1], 2) * scale
    change = _blurred(sketch - moved(middle, shift), _CHANGE)
    unexplained = np.abs(change).max(axis=2)
    if widely:
        reach = int(max(size) * _NEIGHBOURS) | 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        unexplained = cv2.dilate(unexplained, disc)
    share = cv2.resize(trust, size, interpolation=cv2.INTER_LINEAR)
    share = share * np.exp(-np.square(unexplained / allowed))
    share = _blurred(np.asarray(share, np.float32), _SOFT)[..., None]
    under = sketch if ground is None else ground
    return np.asarray((moved(detailed, shift) + change) * share + under * (1 - share), np.float32)


def _blurred(picture: Floats, sigma: float) -> Floats:
    """``sigma`` in longer sides of the picture."""
    width = max(picture.shape[:2]) * sigma
    if width < 0.3:
        return picture
    # A wide blur at a low raster is the same and takes a hundredth of the time.
    step = max(1, int(width / 4))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), width), np.float32)
    height, breadth = picture.shape[:2]
    low = (-(-breadth // step), -(-height // step))
    small = cv2.resize(picture, low, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), width / step)
    return np.asarray(cv2.resize(small, (breadth, height), interpolation=cv2.INTER_CUBIC))


def moved_by_camera(
    still: NDArray[np.uint8], camera: CameraMotion, size: tuple[int, int], count: int, rate: float
) -> Iterator[NDArray[np.uint8]]:
    """``count`` frames of ``size`` (width, height) at ``rate``: a camera pans, tilts and zooms over
    a still, RGB uint8 (height, width, 3). It slows down towards the edge.
    """
    moves = camera if any((camera.pan, camera.tilt, camera.zoom)) else _DRIFT
    width, height = (max(1, round(side / (1 - 2 * _MARGIN))) for side in size)
    picture = resized(still, (width, height))
    for number in range(count):
        yield _view(picture, moves, size, (number - (count - 1) / 2) / rate)


def resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``picture`` (height, width, 3) at ``size`` (width, height), without aliasing."""
    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way))


def _view(
    picture: NDArray[np.uint8], camera: CameraMotion, size: tuple[int, int], seconds: float
) -> NDArray[np.uint8]:
    """What the camera sees at a time, in seconds from the middle; it stays within the picture."""
    height, width = picture.shape[:2]
    # Tilt is in widths too, so that its part of a low picture's height is greater.
    speeds = (camera.pan, camera.tilt * width / height, camera.zoom)
    shift_x, shift_y, zoom = (
        float(np.tanh(speed * seconds / _MARGIN)) * _MARGIN for speed in speeds
    )
    part = (1 - 2 * _MARGIN) * (1 - zoom)
    left, top = (min(max(0.5 + shift - part / 2, 0), 1 - part) for shift in (shift_x, shift_y))
    step_x, step_y = part * width / size[0], part * height / size[1]
    # Pixels are counted from their middles.
    across = [step_x, 0, left * width + step_x / 2 - 0.5]
    down = [0, step_y, top * height + step_y / 2 - 0.5]
    return np.asarray(
        cv2.warpAffine(
            picture,
            np.array([across, down], np.float64),
            size,
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )
