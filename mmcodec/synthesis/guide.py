"""What a cue shows to a model that makes pictures: its sketch as frames, its look as colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.motion import CameraMotion
from mmcodec.descriptors import look, sketch
from mmcodec.descriptors.camera_path import CameraPath
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.synthesis.interpolation import interpolate
from mmcodec.synthesis.offline_video import enlarge, finished
from mmcodec.timeline import Cue, Layer

STILL_CAMERA = CameraMotion(0.0, 0.0, 0.0)
_TICK = 1 << 10
"""Parts of a frame in which moments between frames are counted."""


@dataclass(frozen=True, slots=True)
class Guide:
    """The decoded descriptors of a shot of ``duration`` frames.

    ``frames`` are those of the sketch without their coding blocks, RGB uint8 (n, height, width,
    3), shown at ``times`` (n,), and None without one; ``layout`` the colours of the look
    (8, 8, 3), if there is one.
    """

    duration: int
    frames: NDArray[np.uint8] | None
    times: NDArray[np.int64]
    mode: TemporalMode
    layout: NDArray[np.uint8] | None
    camera: CameraMotion
    path: CameraPath | None = None
    """Of the camera, if the sketch has one."""

    @property
    def colours(self) -> NDArray[np.uint8] | None:
        """A picture with the colours of the shot."""
        return self.layout if self.frames is None else self.frames[len(self.frames) // 2]

    def at(self, moments: Iterable[Fraction], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
        """The sketch at rising ``moments``, in frames from the shot's start, each a picture of
        ``size`` (width, height).
        """
        if self.frames is None:
            raise ValueError("there is no sketch")
        ticks = (round(moment * _TICK) for moment in moments)
        path = self.path and replace(self.path, end=self.path.end * _TICK)
        shown = interpolate(self.frames, self.times * _TICK, ticks, self.mode, path)
        return (enlarge(picture, size) for picture in shown)

    def field(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The colours of the look as a soft picture of ``size`` (width, height); grey without."""
        layout = np.full((8, 8, 3), 96, np.uint8) if self.layout is None else self.layout
        return np.asarray(cv2.resize(layout, size, interpolation=cv2.INTER_CUBIC))


def guide_of(cue: Cue) -> Guide:
    """What the layers of a cue show.

    Raises:
        BitstreamError: a descriptor is damaged.
    """
    frames, times, mode = None, np.zeros(0, np.int64), TemporalMode.HOLD
    layout, camera, path = None, STILL_CAMERA, None
    if Layer.SKETCH in cue.descriptors:
        decoded = sketch.decode(cue.descriptors[Layer.SKETCH], cue.span.duration)
        frames = np.stack([finished(frame, decoded.finish) for frame in decoded.frames])
        times, mode, path = decoded.times, decoded.mode, decoded.path
    if Layer.LOOK in cue.descriptors:
        described = look.decode(cue.descriptors[Layer.LOOK])
        layout, camera = described.layout, described.camera
    return Guide(cue.span.duration, frames, times, mode, layout, camera, path)
