"""Sketches of a shot at many operating points: which frames, what raster, what quality.

Trials are real: each point is coded, decoded and moved as a decoder does it, and compared with
the shot between the frames that are sent, too. All that was tried is offered to rate control
(:mod:`mmcodec.pipeline.rate`). Trials run side by side, and what is tried next depends only on
whole batches of them, so that an encode is the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.camera_track import track_camera
from mmcodec.analysis.detail import fine_detail
from mmcodec.analysis.placement import best_frames
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.similarity import Original
from mmcodec.descriptors.av1 import STYLES, decode_av1, encode_av1
from mmcodec.descriptors.av1_compact import MAX_FRAMES
from mmcodec.descriptors.camera_path import CameraPath, fitted
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

STILL_WORTH_S = 4.0
"""A still photograph gets the bits of this many seconds."""
_QUALITIES = (63, 61, 58, 54, 49, 43, 36, 28)
"""AV1's constant rate factor, from the coarsest on."""
_GAIN = 0.13
"""Quality that a sketch of e times the bytes has more."""
_PIXELS_POWER, _COUNT_POWER, _QUALITY_POWER = 0.7, 0.6, 0.35
"""How bytes grow with pixels, with frames, and with each step of quality."""
_MORE_FRAMES = 1.7
_FASTEST = 12.0
"""Frames a second, above which more of them are not worth trying."""
_NEAR = 1.5
"""A trial whose bytes are off by less is not repeated with another raster."""
_OF_MANY = (TemporalMode.HOLD, TemporalMode.BLEND, TemporalMode.FLOW)
_SEEN_TO_MOVE = 3
"""Units of a path, from which on following it is tried."""
_FEWER = 3
"""Where the camera is followed, so many times fewer frames may be enough."""
_KINDS, _FILLS, _FULL, _FAR = 4, 4, 0.98, 0.7
"""To use up what is left: qualities, rounds of trials of each, when it is used up, and from what
ratio of bytes on (its logarithm) a sketch is no model for it."""
_LITTLE = 1e-6
_LEAST_PROBES, _MOST_PROBES = 8, 20
"""Moments at which a shot is compared, for two a second."""


@dataclass(frozen=True, slots=True)
class Option:
    """A sketch, and how near what a decoder makes of it is to the shot."""

    data: bytes
    quality: float


def best_of(options: Sequence[Option], seconds: float, bit_rate: float) -> Option:
    """The option on the slope that is usual at a bit rate."""
    slope = _GAIN * 8 / (bit_rate * seconds)
    return max(options, key=lambda option: option.quality - slope * len(option.data))


@dataclass(frozen=True, slots=True)
class _Point:
    """What a trial codes: frames, pixels of each, and places in the qualities and the styles."""

    count: int
    pixels: int
    quality: int
    style: int = 0


@dataclass(frozen=True, slots=True)
class _Trial:
    """An option, and what was found to be nearest for it."""

    option: Option
    mode: TemporalMode
    finish: Finish


class SketchSearch:
    """Trials of one shot, whose frames it holds: sketches around a bit rate.

    ``workers`` run the trials; the same ones serve all shots, because memory that threads have
    used stays with them. ``effort`` says how long to search: with few moments to compare at, the
    best of many trials is one that happens to be good at them.
    """

    def __init__(
        self,
        frames: ShotFrames,
        seconds: float,
        bit_rate: float,
        workers: Executor,
        effort: Effort,
        still: bool = False,
    ) -> None:
        self._frames, self._seconds = frames, seconds
        self._workers = workers
        self._bit_rate, self._effort = bit_rate, effort
        height, width = frames.pixels[0].shape[:2]
        self._most_pixels = min(height * width, FINEST_PIXELS)
        self._tried: dict[_Point, Option] = {}
        most = 1 if still else min(MAX_FRAMES, len(frames.pts), max(2, round(_FASTEST * seconds)))
        self._placed = best_frames(frames.pixels, most)
        self._probes = _probes(frames, seconds, effort.probes)
        self._path = None if most == 1 else _camera_path(frames, seconds)
        self._detail = detail_level(fine_detail(frames.pixels))
        self._modes: dict[int, TemporalMode] = {}
        self._finishes: tuple[Finish, ...] = tuple(Finish)

    def run(self) -> None:
        """Try the usual point of the bit rate; in each round those of as many bytes around the best
        so far, with more or fewer frames and with finer or coarser ones; then, in a slow search,
        the best coded in other styles; then the best with half and with twice the bytes.
        """
        wanted = self._bit_rate * self._seconds / 8
        usual = self._bit_rate / 1500
        count = self._frames_near(self._seconds * 2.5 * usual**0.6)
        pixels = min(round(10_000 * usual**0.7), self._most_pixels)
        _, best = self._try([_Point(1, 0, 0), _Point(count, pixels, 0)])
        (best,) = self._try([self._corrected(best, wanted)])
        if self._path:
            fewer = replace(best, count=self._frames_near(best.count / _FEWER))
            rivals = self._fitted([(fewer, wanted)])
            best = max((best, *rivals), key=lambda point: self._score(point, wanted))
        for _ in range(self._effort.rounds):
            before = best
            around = self._fitted([(point, wanted) for point in self._around(best)])
            best = max((before, *around), key=lambda point: self._score(point, wanted))
            if best == before:
                break
        if self._effort is Effort.SLOW:
            ways = [replace(best, style=style) for style in range(len(STYLES))]
            best = max(self._try(ways), key=lambda point: self._score(point, wanted))
        apart = [
            self._fit(replace(best, count=self._frames_near(best.count * part**0.5)), wanted * part)
            for part in (0.5, 2.0)
        ]
        self._try(apart)

    def fill(self, most: int) -> None:
        """Try sketches of nearly ``most`` bytes, like the best one that is about as large and then
        finer ones, in a slow search all of them, else until one is better than all that are
        smaller; if none is, the best of them is taken to be, so that the bytes are used.
        """

        def worth(point: _Point) -> float:
            size = len(self._tried[point].data)
            far = max(abs(float(np.log(size / most))) - _FAR, 0.0)
            return self._score(point, most) - far

        best = max(self._tried, key=worth)
        smaller = (one.quality for one in self._tried.values() if len(one.data) <= most)
        least = max(smaller, default=float("-inf"))
        near = self._fit(best, _FULL * most)
        full: dict[_Point, Option] = {}
        for quality in range(near.quality, min(near.quality + _KINDS, len(_QUALITIES))):
            point = self._filling(replace(near, quality=quality), most)
            if point is None:
                continue
            self._tried[point] = option = self._trial(point).option
            if len(option.data) > _FULL * most:
                full[point] = option
                if option.quality > least and self._effort is not Effort.SLOW:
                    break
        if full:
            point = max(full, key=lambda one: full[one].quality)
            enough = max(full[point].quality, least + _LITTLE)
            self._tried[point] = replace(full[point], quality=enough)

    def _filling(self, near: _Point, most: int) -> _Point | None:
        """A point like another, with the raster that takes the most of ``most`` bytes."""
        sizes: dict[int, int] = {}
        guesses = [self._fit(near, _FULL * most).pixels]
        for _ in range(_FILLS):
            points = [self._real(replace(near, pixels=pixels)) for pixels in guesses]
            for point, units in zip(points, self._workers.map(self._coded, points), strict=True):
                data = self._finished(point, units, self._mode_of(point), self._finishes[0])
                sizes[point.pixels] = len(data)
            if any(_FULL * most < size <= most for size in sizes.values()):
                break
            guesses = _guesses(sizes, most, self._most_pixels)
        fitting = [pixels for pixels, size in sizes.items() if size <= most]
        return replace(near, pixels=max(fitting, key=sizes.__getitem__)) if fitting else None

    def options(self) -> tuple[Option, ...]:
        """What is better than all that is smaller."""
        front: list[Option] = []
        for option in sorted(self._tried.values(), key=lambda one: (len(one.data), -one.quality)):
            if not front or option.quality > front[-1].quality:
                front.append(option)
        return tuple(front)

    def _around(self, centre: _Point) -> list[_Point]:
        """Points with more and with fewer frames, and with another quality."""
        counts = [self._frames_near(centre.count * f) for f in (_MORE_FRAMES, 1 / _MORE_FRAMES)]
        points = [replace(centre, count=count) for count in counts]
        qualities = (centre.quality + 1, centre.quality - 1)
        points += [replace(centre, quality=q) for q in qualities if 0 <= q < len(_QUALITIES)]
        return [point for point in dict.fromkeys(points) if point != centre]

    def _score(self, point: _Point, wanted: float) -> float:
        """Quality, had it taken the wanted bytes."""
        option = self._tried[point]
        return option.quality - _GAIN * float(np.log(len(option.data) / wanted))

    def _frames_near(self, count: float) -> int:
        return min(max(round(count), 1), len(self._placed))

    def _fitted(self, wishes: Sequence[tuple[_Point, float]]) -> list[_Point]:
        """Trials like points, with the rasters that take about the wanted bytes of each."""
        points = [self._fit(point, wanted) for point, wanted in wishes]
        tried = zip(self._try(points), wishes, strict=True)
        return self._try([self._corrected(point, wanted) for point, (_, wanted) in tried])

    def _corrected(self, point: _Point, wanted: float) -> _Point:
        """The point, or if its bytes are far from those wanted, one with another raster."""
        if 1 / _NEAR < len(self._tried[point].data) / wanted < _NEAR:
            return point
        other = self._fit(point, wanted)
        near = other.quality == point.quality and 1 / _NEAR < other.pixels / point.pixels < _NEAR
        return point if near else other

    def _fit(self, point: _Point, wanted: float) -> _Point:
        """The point with the raster that takes about the wanted bytes, going by the trial that is
        most like it; where that would be larger than the source, with a finer quality.
        """

        def unlike(other: _Point) -> float:
            off = abs(np.log(len(self._tried[other].data) / wanted))
            apart = abs(np.log(point.count / other.count)) + abs(point.quality - other.quality) / 2
            return float(apart + off / 2)

        like = min(self._tried, key=unlike)
        expected = len(self._tried[like].data) * (point.count / like.count) ** _COUNT_POWER
        expected *= np.exp(_QUALITY_POWER * (point.quality - like.quality))
        pixels = like.pixels * (wanted / expected) ** (1 / _PIXELS_POWER)
        short = _PIXELS_POWER * float(np.log(max(pixels / self._most_pixels, 1.0)))
        quality = min(point.quality + int(short / _QUALITY_POWER), len(_QUALITIES) - 1)
        return replace(point, pixels=int(min(pixels, self._most_pixels)), quality=quality)

    def _real(self, point: _Point) -> _Point:
        """The point with the pixels that it comes to have."""
        return replace(point, pixels=_area(self._size(point.pixels)))

    def _size(self, pixels: int) -> tuple[int, int]:
        height, width = self._frames.pixels[0].shape[:2]
        return sketch_size(width, height, max(pixels, 1))

    def _try(self, points: Sequence[_Point]) -> list[_Point]:
        """Code, decode and compare what was not tried yet; the points as they are tried."""
        real = [self._real(point) for point in points]
        new = [point for point in dict.fromkeys(real) if point not in self._tried]
        trials = list(self._workers.map(self._trial, new))  # none sees what others of them found
        for point, trial in zip(new, trials, strict=True):
            self._tried[point] = trial.option
            self._modes.setdefault(point.count, trial.mode)  # they hardly depend on the raster
            if point.count > 1:
                self._finishes = (trial.finish,)
        return real

    def _modes_for(self, count: int) -> tuple[TemporalMode, ...]:
        """What may be best between so many frames: what was for about as many, or, where the camera
        moves, to follow it.
        """
        if count in self._modes:
            return (self._modes[count],)
        known = [other for other in self._modes if other > 1] if count > 1 else []
        near = min(known, key=lambda other: abs(np.log(other / count)), default=0)
        modes = (self._modes[near],) if near else _OF_MANY if count > 1 else (TemporalMode.HOLD,)
        fewer = (mode for other, mode in self._modes.items() if 1 < other <= count)
        if self._path is None or any(mode is not TemporalMode.CAMERA for mode in fewer):
            return modes  # the more frames there are, the less there is to follow between them
        return tuple(dict.fromkeys((*modes, TemporalMode.CAMERA)))

    def _trial(self, point: _Point) -> _Trial:
        units = self._coded(point)
        times = self._times(point)
        made = decode_av1(units, len(times), MAX_PIXELS)
        modes = self._modes_for(point.count)
        finish, *others = self._finishes
        shown = _all_finished(made, finish)
        mode, quality, worth, data = modes[0], 0.0, -np.inf, b""
        for one in modes:
            coded = self._finished(point, units, one, finish)
            found = self._quality(shown, times, one)
            if (net := found - _GAIN * float(np.log(len(coded)))) > worth:
                mode, quality, worth, data = one, found, net, coded
        if others:  # flow hardly depends on the finish, and takes most of the time
            plain = TemporalMode.BLEND if len(times) > 1 else mode
            all_shown = {finish: shown, **{one: _all_finished(made, one) for one in others}}
            best = max(all_shown, key=lambda one: self._quality(all_shown[one], times, plain))
            if best != finish:
                finish, quality = best, self._quality(all_shown[best], times, mode)
                data = self._finished(point, units, mode, finish)
        return _Trial(Option(data, quality), mode, finish)

    def _coded(self, point: _Point) -> bytes:
        """The frames of a point as AV1."""
        places = self._on_screen(self._times(point))
        shown = np.stack([self._frames.pixels[place] for place in places])
        size, crf = self._size(point.pixels), _QUALITIES[point.quality]
        return encode_av1(shown, size, crf, STYLES[point.style])

    def _finished(self, point: _Point, units: bytes, mode: TemporalMode, finish: Finish) -> bytes:
        times, duration = self._times(point), self._frames.shot.duration
        path = self._path_of(mode)
        return encode(units, times, duration, mode, finish, path, self._detail)

    def _path_of(self, mode: TemporalMode) -> CameraPath | None:
        return self._path if mode is TemporalMode.CAMERA else None

    def _mode_of(self, point: _Point) -> TemporalMode:
        return self._modes_for(point.count)[0]

    def _times(self, point: _Point) -> NDArray[np.int64]:
        """When the frames of a point are shown, as it can be coded."""
        shot, places = self._frames.shot, self._placed[point.count - 1]
        times = [max(self._frames.pts[place] - shot.start, 0) for place in places]
        return rounded_times(times, shot.duration)

    def _on_screen(self, times: Sequence[int] | NDArray[np.int64]) -> list[int]:
        """The places of the frames on screen at times from the start of the shot."""
        stamps = np.array(self._frames.pts) - self._frames.shot.start
        places = np.maximum(np.searchsorted(stamps, times, side="right") - 1, 0)
        return [int(place) for place in places]

    def _quality(
        self, frames: NDArray[np.uint8], times: NDArray[np.int64], mode: TemporalMode
    ) -> float:
        """The mean of what a decoder makes of finished frames at the probes."""
        height, width = self._frames.pixels[0].shape[:2]
        moments = [moment for moment, _ in self._probes]
        made = interpolate(frames, times, moments, mode, self._path_of(mode))
        qualities = [
            original.quality(enlarge(picture, (width, height)))
            for picture, (_, original) in zip(made, self._probes, strict=True)
        ]
        return float(np.mean(qualities))


def _all_finished(frames: NDArray[np.uint8], finish: Finish) -> NDArray[np.uint8]:
    return np.stack([finished(frame, finish) for frame in frames])


def _camera_path(frames: ShotFrames, seconds: float) -> CameraPath | None:
    """The path of the camera, if it moves."""
    times = np.array(frames.pts) - frames.shot.start
    duration = frames.shot.duration
    places, poses = track_camera(frames.pixels, (times * seconds / duration).tolist())
    path = fitted(poses, times[places], duration)
    return path if np.abs(path.poses).max() >= _SEEN_TO_MOVE else None


def _probes(frames: ShotFrames, seconds: float, a_second: int) -> list[tuple[int, Original]]:
    """Moments of a shot, one in each of equal parts but not in its middle, with their pictures."""
    times = a_second / 2
    count = round(min(max(2 * seconds, _LEAST_PROBES), _MOST_PROBES) * times)
    count = min(count, len(frames.pts))
    golden = np.modf(np.arange(count) * 0.618034)[0]
    places = ((np.arange(count) + golden) * len(frames.pts) / count).astype(int)
    start = frames.shot.start
    return [(max(frames.pts[at] - start, 0), Original(frames.pixels[at])) for at in places]


def _guesses(sizes: dict[int, int], most: int, most_pixels: int) -> list[int]:
    """Two numbers of pixels that may take nearly ``most`` bytes, by those whose bytes are known."""
    under = max((p for p, size in sizes.items() if size <= most), default=None)
    over = min((p for p, size in sizes.items() if size > most), default=None)
    if under is None or over is None or under >= over:
        pixels = min(sizes, key=lambda p: abs(sizes[p] - most))
        aim = pixels * (_FULL * most / sizes[pixels]) ** (1 / _PIXELS_POWER)
        return [min(round(aim * factor), most_pixels) for factor in (0.96, 1.01)]
    return [round(under * (over / under) ** part) for part in (0.35, 0.7)]


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]
