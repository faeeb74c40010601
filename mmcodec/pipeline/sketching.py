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
from mmcodec.pipeline.settings import Effort
from mmcodec.pipeline.trials import GAIN, QUALITIES, Option, Point, Trial, Trials

STILL_WORTH_S = 4.0
"""A still photograph gets the bits of this many seconds."""
_PIXELS_POWER, _COUNT_POWER, _QUALITY_POWER = 0.7, 0.6, 0.35
"""How bytes grow with pixels, with frames, and with each step of quality."""
_MORE_FRAMES = 1.7
_NEAR = 1.5
"""A trial whose bytes are off by less is not repeated with another raster."""
_OF_MANY = (TemporalMode.HOLD, TemporalMode.BLEND, TemporalMode.FLOW)
_FEWER = 3
"""Where the camera is followed, so many times fewer frames may be enough."""
_FILLS, _FULL, _NEARLY, _FAR = 5, 0.971, 0.986, 0.7
"""To use up what is left: qualities that are tried of a sketch, when it is used up, what is aimed
at, and from what ratio of bytes on (its logarithm) a sketch is no model for it."""
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
        pixels = min(10_000 * usual**0.7, self._trials.most_pixels)
        best = Point(count, self._trials.raster(pixels))
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
            ways = self._restyled(best)
            if self._trials.picture_bends and self._modes[best.count] is TemporalMode.CAMERA:
                ways += self._try([replace(best, affine=True)])
            best = self._best(ways, wanted)
        self._try([self._fit(self._with_frames(best, x**0.5), wanted * x) for x in sizes])

    def fill(self, most: int) -> None:
        """Try sketches of nearly ``most`` bytes: the best ones that are about as large, with the
        quality that makes them so. If none is better than all that are smaller, the best of them is
        taken to be, so that the bytes are used.
        """

        def quality(point: Point) -> float:
            return self._tried[point].quality

        def size(point: Point) -> int:
            return len(self._tried[point].data)

        def worth(point: Point) -> float:
            far = max(abs(float(np.log(size(point) / most))) - _FAR, 0.0)
            return self._score(point, most) - far

        near = sorted(self._tried, key=worth, reverse=True)[: self._effort.fillers]
        found = list(self._workers.map(lambda point: self._filling(point, most), near))
        filling = dict(one for one in found if one)
        if not filling:
            return
        self._tried |= filling
        largest = max(filling, key=size)
        full = self._full(filling, most) or self._full(self._restyled(largest), most) or [largest]
        best = max(full, key=quality)
        enough = max(quality(point) for point in self._tried if size(point) <= size(best)) + _LITTLE
        self._tried[best] = replace(self._tried[best], quality=enough)

    def _full(self, points: Iterable[Point], most: int) -> list[Point]:
        sizes = ((point, len(self._tried[point].data)) for point in points)
        return [point for point, size in sizes if _FULL * most < size <= most]

    def _restyled(self, point: Point) -> list[Point]:
        """The point coded in other styles, which take somewhat more or fewer bytes."""
        return self._try([replace(point, style=style) for style in range(len(STYLES))])

    def _filling(self, near: Point, most: int) -> tuple[Point, Option] | None:
        """A point like another that takes the most of ``most`` bytes, if any: of a quality that
        does, or where none is left to try, of a raster that may.
        """
        known = len(self._tried[near].data)
        if _FULL * most < known <= most:
            return near, self._tried[near]
        modes, finish = self._modes_for(near.count), self._finishes[0]
        sizes, coded, fitting = {near.quarters: known}, 0, dict[int, tuple[Point, bytes]]()
        while coded < _FILLS and not any(size > _FULL * most for size in fitting):
            quarters = _guess(sizes, most)
            if quarters in sizes:
                larger = (_NEARLY * most / sizes[quarters]) ** (1 / _PIXELS_POWER)
                size = self._trials.raster(min(near.pixels * larger, self._trials.most_pixels))
                if size == near.size:
                    break
                near, sizes = replace(near, size=size), {}
            point = replace(near, coarser=quarters - 4 * QUALITIES[near.quality])
            units = self._trials.coded(point)
            sizes[quarters] = len(self._trials.sketch(point, units, modes[0], finish))
            coded += 1
            if sizes[quarters] <= most:
                fitting[sizes[quarters]] = point, units
        if not fitting:
            return None
        point, units = fitting[max(fitting)]
        return point, self._trials.trial(point, units, modes, self._finishes).option

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
        expected *= np.exp(_QUALITY_POWER * (point.quality - like.quality))
        pixels = like.pixels * (wanted / expected) ** (1 / _PIXELS_POWER)
        most = self._trials.most_pixels
        short = _PIXELS_POWER * float(np.log(max(pixels / most, 1.0)))
        quality = min(point.quality + int(short / _QUALITY_POWER), len(QUALITIES) - 1)
        return replace(point, size=self._trials.raster(min(pixels, most)), quality=quality)

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


def _guess(sizes: Mapping[int, int], most: int) -> int:
    """The rate factor, in quarters, that may take nearly ``most`` bytes, by those whose bytes are
    known; one of them where there is none between.
    """
    finer = max((at for at, size in sizes.items() if size > most), default=None)
    coarser = min((at for at, size in sizes.items() if size <= most), default=None)
    if finer is None or coarser is None or finer >= coarser:
        at = min(sizes, key=lambda one: abs(sizes[one] - most))
        ladder, steps = -4.0 * np.array(QUALITIES), np.arange(len(QUALITIES))
        finer_by = float(np.log(_NEARLY * most / sizes[at])) / _QUALITY_POWER
        further = -round(float(np.interp(np.interp(-at, ladder, steps) + finer_by, steps, ladder)))
        further = max(further, at + 1) if sizes[at] > most else min(further, at - 1)
        return min(max(further, 4 * QUALITIES[-1]), 4 * QUALITIES[0])
    if coarser - finer == 1:
        return coarser
    part = np.log(sizes[finer] / (_NEARLY * most)) / np.log(sizes[finer] / sizes[coarser])
    return min(max(finer + round((coarser - finer) * float(part)), finer + 1), coarser - 1)
