"""A sketch that uses up what is left of the bytes: what to code for it, one after another.

Bytes fall with AV1's rate factor, mostly: the one that is wanted is looked for between those whose
bytes are known. Where none is left to try, as at the coarsest one, another raster is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mmcodec.pipeline.trials import PIXELS_POWER, QUALITIES, QUALITY_POWER, Point

_FULL, _NEARLY = 0.971, 0.986
"""From what part of the bytes on they are used up, and what is aimed at."""
_ANOTHER = 1.04
"""Times as many pixels are another raster, if it is not very small."""
_COARSEST, _FINEST = 4 * QUALITIES[0], 4 * QUALITIES[-1]


class Filling:
    """The search for a sketch like the one of a point, which takes ``known`` bytes, that takes
    nearly ``most``; ``raster`` has the raster of about so many pixels.
    """

    def __init__(
        self, near: Point, known: int, most: int, raster: Callable[[float], tuple[int, int]]
    ) -> None:
        self._near, self._most, self._raster = near, most, raster
        self._sizes: dict[int, int] = {}
        self._rasters = {near.size}
        self._fitting: dict[int, Point] = {}
        self.took(near, known)

    @property
    def largest(self) -> tuple[int, Point] | None:
        """The bytes of the largest that fits, if any does, and its point."""
        return max(self._fitting.items(), default=None, key=lambda one: one[0])

    @property
    def full(self) -> bool:
        """Whether the bytes are used up."""
        return any(is_full(size, self._most) for size in self._fitting)

    def next(self) -> Point | None:
        """What to code next, if anything."""
        quarters = _guess(self._sizes, self._most)
        if quarters in self._sizes:
            part = self._sizes[quarters] / self._most
            larger = (_NEARLY / part) ** (1 / PIXELS_POWER)
            larger = min(larger, 1 / _ANOTHER) if part > 1 else max(larger, _ANOTHER)
            size = self._raster(self._near.pixels * larger)
            if size in self._rasters:  # there and back again: one between
                size = self._raster((size[0] * size[1] + self._near.pixels) / 2)
            if size in self._rasters:
                return None
            self._near, self._sizes = replace(self._near, size=size), {}
            self._rasters.add(size)
        return replace(self._near, coarser=quarters - 4 * QUALITIES[self._near.quality])

    def took(self, point: Point, size: int) -> None:
        """Take what a point was coded in."""
        self._sizes[point.quarters] = size
        if size <= self._most:
            self._fitting[size] = point


def is_full(size: int, most: int) -> bool:
    """Whether a sketch uses up ``most`` bytes."""
    return _FULL * most < size <= most


def _guess(sizes: dict[int, int], most: int) -> int:
    """The rate factor, in quarters, that may take nearly ``most`` bytes, by those whose bytes are
    known; one of them where there is none between.
    """
    finer = max((at for at, size in sizes.items() if size > most), default=None)
    coarser = min((at for at, size in sizes.items() if size <= most), default=None)
    if finer is None or coarser is None or finer >= coarser:
        at = min(sizes, key=lambda one: abs(sizes[one] - most))
        ladder, steps = -4.0 * np.array(QUALITIES), np.arange(len(QUALITIES))
        finer_by = float(np.log(_NEARLY * most / sizes[at])) / QUALITY_POWER
        further = -round(float(np.interp(np.interp(-at, ladder, steps) + finer_by, steps, ladder)))
        further = max(further, at + 1) if sizes[at] > most else min(further, at - 1)
        return min(max(further, _FINEST), _COARSEST)
    if coarser - finer == 1:
        return coarser
    part = np.log(sizes[finer] / (_NEARLY * most)) / np.log(sizes[finer] / sizes[coarser])
    return min(max(finer + round((coarser - finer) * float(part)), finer + 1), coarser - 1)
