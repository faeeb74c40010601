"""Sketches of a shot at many operating points: which frames, what raster, what quality.

Trials are real: each point is coded, decoded and moved as a decoder does it, and compared with
the shot between the frames that are sent, too. A search along one axis after the other goes where
a byte buys most; all that was tried is offered to rate control (:mod:`mmcodec.pipeline.rate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.placement import best_frames
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.similarity import Original
from mmcodec.descriptors.av1 import decode_av1, encode_av1
from mmcodec.descriptors.av1_compact import MAX_FRAMES
from mmcodec.descriptors.sketch import (
    MAX_PIXELS,
    Finish,
    TemporalMode,
    encode,
    rounded_times,
    sketch_size,
)
from mmcodec.synthesis.interpolation import interpolate
from mmcodec.synthesis.offline_video import enlarge, finished

STILL_WORTH_S = 4.0
"""A still photograph gets the bits of this many seconds."""
_QUALITIES = (63, 61, 58, 54, 49, 43, 36, 28)
"""AV1's constant rate factor, from the coarsest on."""
_MOST_PIXELS = 640 * 360
_GAIN = 0.13
"""Quality that a sketch of e times the bytes has more."""
_PIXELS_POWER, _COUNT_POWER, _QUALITY_POWER = 0.7, 0.6, 0.35
"""How bytes grow with pixels, with frames, and with each step of quality."""
_MORE_FRAMES = 1.7
_FASTEST = 12.0
"""Frames a second, above which more of them are not worth trying."""
_NEAR = 1.3
"""A trial whose bytes are off by less is not repeated with another raster."""
_FILLS, _FULL = 4, 0.985
"""Rounds of trials to use up what is left, and when it is."""
_PROBES_A_SECOND, _LEAST_PROBES, _MOST_PROBES = 2, 8, 20
_WORKERS = 2


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
    """What a trial codes: frames, pixels of each, and a place in the qualities."""

    count: int
    pixels: int
    quality: int


class SketchSearch:
    """Trials of one shot, whose frames it holds: sketches around a bit rate."""

    def __init__(
        self, frames: ShotFrames, seconds: float, bit_rate: float, still: bool = False
    ) -> None:
        self._frames, self._seconds = frames, seconds
        self._bit_rate = bit_rate
        self._tried: dict[_Point, Option] = {}
        most = 1 if still else min(MAX_FRAMES, len(frames.pts), max(2, round(_FASTEST * seconds)))
        self._placed = best_frames(frames.pixels, most)
        self._probes = _probes(frames, seconds)
        self._modes: tuple[TemporalMode, ...] = tuple(TemporalMode)
        self._finishes: tuple[Finish, ...] = tuple(Finish)

    def run(self, rounds: int) -> None:
        """Try the usual point of the bit rate; in each round those of as many bytes around the best
        so far, with more or fewer frames and with finer or coarser ones; then the best with half
        and with twice the bytes.
        """
        wanted = self._bit_rate * self._seconds / 8
        usual = self._bit_rate / 1500
        count = self._frames_near(self._seconds * 2.5 * usual**0.6)
        with ThreadPoolExecutor(_WORKERS) as workers:
            usual_point = _Point(count, round(10_000 * usual**0.7), 0)
            _, best = workers.map(self._trial, (_Point(1, 0, 0), usual_point))
            best = self._again(best, wanted)
            for _ in range(rounds):
                before = best
                around = workers.map(self._fitted, self._around(best), repeat(wanted))
                best = max((before, *around), key=lambda point: self._score(point, wanted))
                if best == before:
                    break
            parts = (0.5, 2.0)
            beside = [replace(best, count=self._frames_near(best.count * p**0.5)) for p in parts]
            list(workers.map(self._fitted, beside, [wanted * part for part in parts]))

    def fill(self, most: int) -> None:
        """Try sketches of nearly ``most`` bytes, like the best one that is about as large; they
        are coded, and taken to be better by as much as their bytes say.
        """
        like = [p for p, option in self._tried.items() if most / 2 < len(option.data) < most * 2]
        if not like:
            return
        near = max(like, key=lambda point: self._score(point, most))
        quality = self._score(near, most)
        sizes = {near.pixels: len(self._tried[near].data)}
        with ThreadPoolExecutor(_WORKERS) as workers:
            for _ in range(_FILLS):
                points = [replace(near, pixels=pixels) for pixels in _guesses(sizes, most)]
                for point, option in workers.map(self._sized, points):
                    sizes[point.pixels] = size = len(option.data)
                    likely = quality + _GAIN * float(np.log(size / most))
                    self._tried.setdefault(point, Option(option.data, likely))
                if any(_FULL * most < size <= most for size in sizes.values()):
                    return

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

    def _fitted(self, point: _Point, wanted: float) -> _Point:
        """A trial like a point, with the raster that takes about the wanted bytes."""
        pixels = self._pixels(point.count, point.quality, wanted)
        return self._again(self._trial(replace(point, pixels=pixels)), wanted)

    def _again(self, point: _Point, wanted: float) -> _Point:
        """The point, or if its bytes are far from those wanted, one with another raster."""
        if 1 / _NEAR < len(self._tried[point].data) / wanted < _NEAR:
            return point
        pixels = self._pixels(point.count, point.quality, wanted)
        if 1 / _NEAR < pixels / point.pixels < _NEAR:
            return point
        return self._trial(replace(point, pixels=pixels))

    def _pixels(self, count: int, quality: int, wanted: float) -> int:
        """Pixels that take about the wanted bytes, going by the trial that is most like it."""

        def unlike(point: _Point) -> float:
            off = abs(np.log(len(self._tried[point].data) / wanted))
            other = abs(np.log(count / point.count)) + abs(quality - point.quality) / 2
            return float(other + off / 2)

        like = min(list(self._tried), key=unlike)  # a copy: others go on trying
        expected = len(self._tried[like].data) * (count / like.count) ** _COUNT_POWER
        expected *= np.exp(_QUALITY_POWER * (quality - like.quality))
        pixels = _area(self._size(like.pixels)) * (wanted / expected) ** (1 / _PIXELS_POWER)
        return int(min(max(pixels, 0), _MOST_PIXELS))

    def _size(self, pixels: int) -> tuple[int, int]:
        height, width = self._frames.pixels[0].shape[:2]
        return sketch_size(width, height, max(pixels, 1))

    def _sized(self, point: _Point) -> tuple[_Point, Option]:
        """A sketch whose quality is not looked at."""
        size = self._size(point.pixels)
        return replace(point, pixels=_area(size)), self._coded(point, size, look=False)

    def _trial(self, point: _Point) -> _Point:
        """Code, decode and compare; the point with the pixels that it came to have."""
        size = self._size(point.pixels)
        point = replace(point, pixels=_area(size))
        if point not in self._tried:
            self._tried[point] = self._coded(point, size)
        return point

    def _coded(self, point: _Point, size: tuple[int, int], look: bool = True) -> Option:
        shot, pixels = self._frames.shot, self._frames.pixels
        times = self._times(self._placed[point.count - 1])
        shown = np.stack([pixels[place] for place in self._on_screen(times)])
        units = encode_av1(shown, size, _QUALITIES[point.quality])
        if not look:
            mode = self._modes[0] if len(times) > 1 else TemporalMode.HOLD
            return Option(encode(units, times, shot.duration, mode, self._finishes[0]), 0.0)
        made = decode_av1(units, len(times), MAX_PIXELS)
        modes = self._modes if len(times) > 1 else (TemporalMode.HOLD,)
        tried = [(self._quality(made, times, mode, self._finishes[0]), mode) for mode in modes]
        quality, mode = max(tried)
        others = [(self._quality(made, times, mode, one), one) for one in self._finishes[1:]]
        quality, finish = max([(quality, self._finishes[0]), *others])
        if len(times) > 1:  # they hardly depend on the raster
            self._modes, self._finishes = (mode,), (finish,)
        return Option(encode(units, times, shot.duration, mode, finish), quality)

    def _times(self, places: Sequence[int]) -> NDArray[np.int64]:
        """When frames of the shot are shown, as it can be coded."""
        shot = self._frames.shot
        times = [max(self._frames.pts[place] - shot.start, 0) for place in places]
        return rounded_times(times, shot.duration)

    def _on_screen(self, times: Sequence[int] | NDArray[np.int64]) -> list[int]:
        """The places of the frames on screen at times from the start of the shot."""
        stamps = np.array(self._frames.pts) - self._frames.shot.start
        places = np.maximum(np.searchsorted(stamps, times, side="right") - 1, 0)
        return [int(place) for place in places]

    def _quality(
        self,
        decoded: NDArray[np.uint8],
        times: NDArray[np.int64],
        mode: TemporalMode,
        finish: Finish,
    ) -> float:
        """The mean of what a decoder makes at the probes."""
        height, width = self._frames.pixels[0].shape[:2]
        frames = np.stack([finished(frame, finish) for frame in decoded])
        moments = [moment for moment, _ in self._probes]
        made = interpolate(frames, times, moments, mode)
        qualities = [
            original.quality(enlarge(picture, (width, height)))
            for picture, (_, original) in zip(made, self._probes, strict=True)
        ]
        return float(np.mean(qualities))


def _probes(frames: ShotFrames, seconds: float) -> list[tuple[int, Original]]:
    """Moments of a shot, one in each of equal parts but not in its middle, with their pictures."""
    count = min(max(round(_PROBES_A_SECOND * seconds), _LEAST_PROBES), _MOST_PROBES)
    count = min(count, len(frames.pts))
    golden = np.modf(np.arange(count) * 0.618034)[0]
    places = ((np.arange(count) + golden) * len(frames.pts) / count).astype(int)
    start = frames.shot.start
    return [(max(frames.pts[at] - start, 0), Original(frames.pixels[at])) for at in places]


def _guesses(sizes: dict[int, int], most: int) -> set[int]:
    """Two numbers of pixels that may take nearly ``most`` bytes, by those whose bytes are known."""
    under = max((p for p, size in sizes.items() if size <= most), default=None)
    over = min((p for p, size in sizes.items() if size > most), default=None)
    if under is None or over is None or under >= over:
        pixels = min(sizes, key=lambda p: abs(sizes[p] - most))
        aim = pixels * (_FULL * most / sizes[pixels]) ** (1 / _PIXELS_POWER)
        return {min(round(aim * factor), _MOST_PIXELS) for factor in (0.96, 1.01)}
    return {round(under * (over / under) ** part) for part in (0.35, 0.7)}


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]
