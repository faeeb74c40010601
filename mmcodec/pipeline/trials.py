"""One sketch of a shot, as it would be sent and shown: coded, decoded, moved, and compared with the
shot at moments between the frames that are sent, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.camera_track import track_camera
from mmcodec.analysis.detail import fine_detail
from mmcodec.analysis.placement import best_frames
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.similarity import Original
from mmcodec.descriptors.av1 import QUICK, STYLES, THOROUGH, decode_av1, encode_av1
from mmcodec.descriptors.av1_compact import MAX_FRAMES
from mmcodec.descriptors.camera_path import SIMILAR, CameraPath, fitted
from mmcodec.descriptors.sketch import (
    MAX_PIXELS,
    Finish,
    TemporalMode,
    detail_level,
    encode,
    rounded_times,
    sketch_size,
)
from mmcodec.pipeline.settings import FINEST_PIXELS, Effort
from mmcodec.synthesis.interpolation import interpolate
from mmcodec.synthesis.offline_video import enlarge, finished

QUALITIES = (63, 61, 58, 54, 49, 43, 36, 28)
"""AV1's constant rate factor, from the coarsest on."""
GAIN = 0.13
"""Quality that a sketch of e times the bytes has more."""
PIXELS_POWER, QUALITY_POWER = 0.7, 0.35
"""How bytes grow with pixels, and with each step of quality."""
_FASTEST = 12.0
"""Frames a second, above which more of them are not worth trying."""
_SEEN_TO_MOVE = 3
"""Units of a path, from which on following it is tried."""
_LEAST_PROBES, _MOST_PROBES = 8, 20
"""Moments at which a shot is compared, for two a second."""


@dataclass(frozen=True, slots=True)
class Option:
    """A sketch, and how near what a decoder makes of it is to the shot."""

    data: bytes
    quality: float


@dataclass(frozen=True, slots=True)
class Point:
    """What is coded: so many frames of a raster (width, height), places in the qualities and the
    styles, whether the path of a camera may stretch and shear the picture, and quarters of a rate
    factor that it is coarser than its quality.
    """

    count: int
    size: tuple[int, int]
    quality: int = 0
    style: int = 0
    affine: bool = False
    coarser: int = 0

    @property
    def pixels(self) -> int:
        """Of each frame."""
        return self.size[0] * self.size[1]

    @property
    def quarters(self) -> int:
        """Its constant rate factor, in quarters."""
        return 4 * QUALITIES[self.quality] + self.coarser


@dataclass(frozen=True, slots=True)
class Trial:
    """An option, and what was found to be nearest for it."""

    option: Option
    mode: TemporalMode
    finish: Finish


class Trials:
    """What sketches of one shot, whose frames it holds, can be."""

    def __init__(
        self, frames: ShotFrames, seconds: float, effort: Effort, still: bool = False
    ) -> None:
        self._frames, self._effort = frames, effort
        height, width = frames.pixels[0].shape[:2]
        self._source = width, height
        self.most_pixels = min(height * width, FINEST_PIXELS)
        most = 1 if still else min(MAX_FRAMES, len(frames.pts), max(2, round(_FASTEST * seconds)))
        self._placed = best_frames(frames.pixels, most)
        self.most_frames = len(self._placed)
        self._probes = _probes(frames, seconds, effort.probes)
        slow = effort is Effort.SLOW
        self._paths = _camera_paths(frames, seconds, bends=slow) if most > 1 else {}
        self._detail = detail_level(fine_detail(frames.pixels))

    @property
    def camera_moves(self) -> bool:
        """Whether there is a path to follow."""
        return bool(self._paths)

    @property
    def picture_bends(self) -> bool:
        """Whether there is an affine one."""
        return True in self._paths

    def raster(self, pixels: float) -> tuple[int, int]:
        """The raster (width, height) of about so many pixels, or of as many as there are."""
        return sketch_size(*self._source, max(round(min(pixels, self.most_pixels)), 1))

    def coded(self, point: Point) -> bytes:
        """The frames of a point as AV1."""
        places = self._on_screen(self._times(point))
        shown = [self._frames.pixels[place] for place in places]
        thorough = point.count == 1 or self._effort is Effort.SLOW
        preset = THOROUGH if thorough else QUICK
        return encode_av1(shown, point.size, point.quarters / 4, STYLES[point.style], preset)

    def sketch(self, point: Point, units: bytes, mode: TemporalMode, finish: Finish) -> bytes:
        """What is sent."""
        times, duration = self._times(point), self._frames.shot.duration
        return encode(units, times, duration, mode, finish, self._path(point, mode), self._detail)

    def trial(
        self,
        point: Point,
        units: bytes,
        modes: Sequence[TemporalMode],
        finishes: Sequence[Finish],
    ) -> Trial:
        """The best of a point, coded as ``units``, in one of the modes and of the finishes."""
        made = decode_av1(units, point.count, MAX_PIXELS)
        shown = {one: _all_finished(made, one) for one in finishes}
        every, known = self._effort.choosing, dict[tuple[TemporalMode, Finish], list[float]]()

        def quality(mode: TemporalMode, finish: Finish) -> float:
            """At some of the probes."""
            if (mode, finish) not in known:
                probes = self._probes[::every]
                known[mode, finish] = self._qualities(shown[finish], point, mode, probes)
            return float(np.mean(known[mode, finish]))

        def worth(mode: TemporalMode) -> float:
            sent = len(self.sketch(point, units, mode, finish))
            return quality(mode, finish) - GAIN * float(np.log(sent))

        finish, mode = finishes[0], modes[0]
        if len(finishes) > 1:  # flow takes most of the time, and hardly depends on the finish
            plain = TemporalMode.BLEND if point.count > 1 else mode
            finish = max(finishes, key=lambda one: quality(plain, one))
        if len(modes) > 1:
            mode = max(modes, key=worth)
        found = known.get((mode, finish), [])
        rest = [probe for at, probe in enumerate(self._probes) if not found or at % every]
        found = found + self._qualities(shown[finish], point, mode, rest)
        data = self.sketch(point, units, mode, finish)
        return Trial(Option(data, float(np.mean(found))), mode, finish)

    def _path(self, point: Point, mode: TemporalMode) -> CameraPath | None:
        return self._paths[point.affine] if mode is TemporalMode.CAMERA else None

    def _times(self, point: Point) -> NDArray[np.int64]:
        """When the frames of a point are shown, as it can be coded."""
        shot, places = self._frames.shot, self._placed[point.count - 1]
        times = [max(self._frames.pts[place] - shot.start, 0) for place in places]
        return rounded_times(times, shot.duration)

    def _on_screen(self, times: NDArray[np.int64]) -> list[int]:
        """The places of the frames on screen at times from the start of the shot."""
        stamps = np.array(self._frames.pts) - self._frames.shot.start
        places = np.maximum(np.searchsorted(stamps, times, side="right") - 1, 0)
        return [int(place) for place in places]

    def _qualities(
        self,
        frames: NDArray[np.uint8],
        point: Point,
        mode: TemporalMode,
        probes: Sequence[tuple[int, Original]],
    ) -> list[float]:
        """Of what a decoder makes of finished frames at each of some probes."""
        moments = [moment for moment, _ in probes]
        made = interpolate(frames, self._times(point), moments, mode, self._path(point, mode))
        return [
            original.quality(enlarge(picture, self._source))
            for picture, (_, original) in zip(made, probes, strict=True)
        ]


def _all_finished(frames: NDArray[np.uint8], finish: Finish) -> NDArray[np.uint8]:
    return np.stack([finished(frame, finish) for frame in frames])


def _camera_paths(frames: ShotFrames, seconds: float, bends: bool) -> dict[bool, CameraPath]:
    """The path of the camera, if it moves, and, if the picture ``bends``, an affine one."""
    times = np.array(frames.pts) - frames.shot.start
    duration = frames.shot.duration
    moments = (times * seconds / duration).tolist()
    paths: dict[bool, CameraPath] = {}
    for affine, first in ((False, 0), (True, SIMILAR))[: 1 + bends]:
        places, poses = track_camera(frames.pixels, moments, affine)
        path = fitted(poses, times[places], duration)
        if np.abs(path.poses[:, first:]).max() < _SEEN_TO_MOVE:
            break
        paths[affine] = path
    return paths


def _probes(frames: ShotFrames, seconds: float, a_second: int) -> list[tuple[int, Original]]:
    """Moments of a shot, one in each of equal parts but not in its middle, with their pictures."""
    times = a_second / 2
    count = round(min(max(2 * seconds, _LEAST_PROBES), _MOST_PROBES) * times)
    count = min(count, len(frames.pts))
    golden = np.modf(np.arange(count) * 0.618034)[0]
    places = ((np.arange(count) + golden) * len(frames.pts) / count).astype(int)
    start = frames.shot.start
    return [(max(frames.pts[at] - start, 0), Original(frames.pixels[at])) for at in places]
