"""Sketches of a shot at many operating points: which frames, what raster, what quality.

Trials are real (:mod:`mmcodec.pipeline.trials`), and all that was tried is offered to rate control
(:mod:`mmcodec.pipeline.rate`). Trials run side by side, and what is tried next depends only on
whole batches of them, so that an encode is the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from mmcodec.analysis.shots import ShotFrames
from mmcodec.descriptors.av1 import STYLES
from mmcodec.descriptors.sketch import Finish, TemporalMode
from mmcodec.pipeline.filling import Filling, is_full
from mmcodec.pipeline.settings import Effort
from mmcodec.pipeline.trials import (
    GAIN,
    PIXELS_POWER,
    QUALITIES,
    QUALITY_POWER,
    Option,
    Point,
    Trial,
    Trials,
)

STILL_WORTH_S = 4.0
"""A still photograph gets the bits of this many seconds."""
_COUNT_POWER = 0.6
"""How bytes grow with frames."""
_MORE_FRAMES = 1.7
_NEAR = 1.5
"""A trial whose bytes are off by less is not repeated with another raster."""
_OF_MANY = (TemporalMode.HOLD, TemporalMode.BLEND, TemporalMode.FLOW)
_FEWER = 3
"""Where the camera is followed, so many times fewer frames may be enough."""
_FILLS, _FAR = 5, 0.7
"""To use up what is left: how often a sketch is coded for it, and from what ratio of bytes on (its
logarithm) one is no model for it."""
_LITTLE = 1e-6


def best_of(options: Sequence[Option], seconds: float, bit_rate: float) -> Option:
    """The option on the slope that is usual at a bit rate."""
    slope = GAIN * 8 / (bit_rate * seconds)
    return max(options, key=lambda option: option.quality - slope * len(option.data))


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
        self._seconds, self._bit_rate = seconds, bit_rate
        self._workers, self._effort = workers, effort
        self._trials = Trials(frames, seconds, effort, still)
        self._tried: dict[Point, Option] = {}
        self._modes: dict[int, TemporalMode] = {}
        self._finishes: tuple[Finish, ...] = tuple(Finish)

    def run(self, sizes: Sequence[float] = (0.5, 2.0)) -> None:
        """Try the usual point of the bit rate, and one with fewer frames where a camera is to be
        followed; in each round those of as many bytes around the best so far; then, in a slow
        search, the best coded in other styles, or along an affine path of the camera; then the
        best with so many times the bytes as ``sizes`` say.
        """
        wanted = self._bit_rate * self._seconds / 8
        usual = self._bit_rate / 1500
        count = self._frames_near(self._seconds * 2.5 * usual**0.6)
        best = Point(count, self._trials.raster(10_000 * usual**0.7))
        self._try([Point(1, self._trials.raster(1)), best])
        first = [self._corrected(best, wanted)]
        if self._trials.camera_moves:
            first.append(self._fit(self._with_frames(best, 1 / _FEWER), wanted))
        best = self._best(self._try_near(first, wanted), wanted)
        for _ in range(self._effort.rounds):
            before = best
            for around in self._around(before):
                fitted = [self._fit(point, wanted) for point in around]
                best = self._best([best, *self._try_near(fitted, wanted)], wanted)
                if best != before and self._effort is not Effort.SLOW:
                    break  # what is better one way is hardly ever better the other way, too
            if best == before:
                break
        if self._effort is Effort.SLOW:
            ways = self._try([replace(best, style=style) for style in range(len(STYLES))])
            if self._trials.picture_bends and self._modes[best.count] is TemporalMode.CAMERA:
                ways += self._try([replace(best, affine=True)])
            best = self._best(ways, wanted)
        self._try([self._fit(self._with_frames(best, x**0.5), wanted * x) for x in sizes])

    def fill(self, most: int) -> None:
        """Try sketches of nearly ``most`` bytes: the best ones that are about as large, with the
        quality that makes them so. If none is better than all that are smaller, the best of them is
        taken to be, so that the bytes are used.
        """

        full = self._filled(most)
        if not full:
            return
        best = max(full, key=lambda point: self._tried[point].quality)
        option = self._tried[best]
        fitting = [one for one in self._tried.values() if len(one.data) <= len(option.data)]
        enough = max(one.quality for one in fitting) + _LITTLE
        self._tried[best] = replace(option, quality=enough)

    def _filled(self, most: int) -> list[Point]:
        """Points, tried now, that use up ``most`` bytes, or the one that nearly does, if any."""

        def size(point: Point) -> int:
            return len(self._tried[point].data)

        def worth(point: Point) -> float:
            far = max(abs(float(np.log(size(point) / most))) - _FAR, 0.0)
            return self._score(point, most) - far

        near = sorted(self._tried, key=worth, reverse=True)[: self._effort.fillers]
        fillings = [Filling(point, size(point), most, self._trials.raster) for point in near]
        coded: dict[Point, tuple[bytes, int]] = {}
        for _ in range(_FILLS):
            if any(filling.full for filling in fillings):
                break
            asked = [(one, filling) for filling in fillings if (one := filling.next())]
            coded |= self._coded([point for point, _ in asked])
            for point, filling in asked:
                filling.took(point, coded[point][1])
        found = dict(filling.largest for filling in fillings if filling.largest)
        full = [point for taken, point in found.items() if is_full(taken, most)]
        if found and not full:  # other styles take somewhat more or fewer bytes
            largest = found[max(found)]
            styles = set(range(len(STYLES))) - {largest.style}
            styled = [replace(largest, style=style) for style in sorted(styles)]
            coded |= self._coded(styled)
            full = [point for point in styled if is_full(coded[point][1], most)] or [largest]
        self._compare({point: coded[point][0] for point in full if point not in self._tried})
        return full

    def _coded(self, points: Sequence[Point]) -> dict[Point, tuple[bytes, int]]:
        """Points as AV1, and what their sketches take."""

        def code(point: Point) -> tuple[bytes, int]:
            units, mode = self._trials.coded(point), self._modes_for(point.count)[0]
            return units, len(self._trials.sketch(point, units, mode, self._finishes[0]))

        return dict(zip(points, self._workers.map(code, points), strict=True))

    def _compare(self, coded: Mapping[Point, bytes]) -> None:
        """Try points that are coded."""

        def compare(point: Point) -> Option:
            modes = self._modes_for(point.count)
            return self._trials.trial(point, coded[point], modes, self._finishes).option

        self._tried |= dict(zip(coded, self._workers.map(compare, coded), strict=True))

    def options(self) -> tuple[Option, ...]:
        """What is better than all that is smaller."""
        front: list[Option] = []
        for option in sorted(self._tried.values(), key=lambda one: (len(one.data), -one.quality)):
            if not front or option.quality > front[-1].quality:
                front.append(option)
        return tuple(front)

    def _around(self, centre: Point) -> Iterator[list[Point]]:
        """Points with fewer frames and with a finer quality, then those with the opposite."""
        for way in (1, -1):
            points = [self._with_frames(centre, _MORE_FRAMES**-way)]
            if 0 <= centre.quality + way < len(QUALITIES):
                points.append(replace(centre, quality=centre.quality + way))
            yield [point for point in points if point != centre]

    def _score(self, point: Point, wanted: float) -> float:
        """Quality, had it taken the wanted bytes."""
        option = self._tried[point]
        return option.quality - GAIN * float(np.log(len(option.data) / wanted))

    def _best(self, points: Iterable[Point], wanted: float) -> Point:
        return max(points, key=lambda point: self._score(point, wanted))

    def _frames_near(self, count: float) -> int:
        return min(max(round(count), 1), self._trials.most_frames)

    def _with_frames(self, point: Point, times: float) -> Point:
        return replace(point, count=self._frames_near(point.count * times))

    def _try_near(self, points: Sequence[Point], wanted: float) -> list[Point]:
        """Try points, and in place of those whose bytes are far from what is wanted others."""
        self._try(points)
        return self._try([self._corrected(point, wanted) for point in points])

    def _corrected(self, point: Point, wanted: float) -> Point:
        """The point, or if its bytes are far from those wanted, one with another raster."""
        if 1 / _NEAR < len(self._tried[point].data) / wanted < _NEAR:
            return point
        other = self._fit(point, wanted)
        near = other.quality == point.quality and 1 / _NEAR < other.pixels / point.pixels < _NEAR
        return point if near else other

    def _fit(self, point: Point, wanted: float) -> Point:
        """The point with the raster that takes about the wanted bytes, going by the trial that is
        most like it; where that would be larger than the source, with a finer quality.
        """

        def unlike(other: Point) -> float:
            off = abs(np.log(len(self._tried[other].data) / wanted))
            apart = abs(np.log(point.count / other.count)) + abs(point.quality - other.quality) / 2
            return float(apart + off / 2)

        like = min(self._tried, key=unlike)
        expected = len(self._tried[like].data) * (point.count / like.count) ** _COUNT_POWER
        expected *= np.exp(QUALITY_POWER * (point.quality - like.quality))
        pixels = like.pixels * (wanted / expected) ** (1 / PIXELS_POWER)
        most = self._trials.most_pixels
        short = PIXELS_POWER * float(np.log(max(pixels / most, 1.0)))
        quality = min(point.quality + int(short / QUALITY_POWER), len(QUALITIES) - 1)
        return replace(point, size=self._trials.raster(pixels), quality=quality)

    def _try(self, points: Sequence[Point]) -> list[Point]:
        """Code, decode and compare what was not tried yet; the points."""
        new = [point for point in dict.fromkeys(points) if point not in self._tried]
        trials = list(self._workers.map(self._trial, new))  # none sees what others of them found
        for point, trial in zip(new, trials, strict=True):
            self._tried[point] = trial.option
            self._modes.setdefault(point.count, trial.mode)  # they hardly depend on the raster
            if point.count > 1:
                self._finishes = (trial.finish,)
        return list(points)

    def _trial(self, point: Point) -> Trial:
        still = point.count == 1 < self._trials.most_frames
        finishes = self._finishes[:1] if still else self._finishes
        modes = self._modes_for(point.count)
        return self._trials.trial(point, self._trials.coded(point), modes, finishes)

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
        if not self._trials.camera_moves or any(mode is not TemporalMode.CAMERA for mode in fewer):
            return modes  # the more frames there are, the less there is to follow between them
        return tuple(dict.fromkeys((*modes, TemporalMode.CAMERA)))
