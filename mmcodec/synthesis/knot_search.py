"""Where the knots of a warp serve best: moved by steps until what is heard follows the speaker.

What counts is how the level of each band rises and falls over 0.4 s in both voices, as in STOI (C.
H. Taal et al., "An algorithm for intelligibility prediction of time-frequency weighted noisy
speech", 2011): the mean correlation over bands and windows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mmcodec.analysis.voice import Floats

RATE = 100
"""Frames a second of the envelopes."""
_WINDOW, _HOP = 40, 8
_REACH_S = 0.5
"""How far from its neighbours a knot is heard."""
_SHIFTS = (-2, -1, 1, 2)
_PASSES = 2
_WORTH = 1e-4
"""Less than this is no gain."""


@dataclass(frozen=True, slots=True)
class Warp:
    """Knots: moments of the cue (n,), in steps, and those of the reading (n,), in s.

    ``silent`` (n - 1,): nobody speaks between a knot and the next. ``tied`` (n,): the knot
    is at the same moment as the one before it, whatever happens.
    """

    here: NDArray[np.int64]
    there: Floats
    silent: NDArray[np.bool_]
    tied: NDArray[np.bool_]


Price = Callable[[NDArray[np.int64]], float]


def improved(warp: Warp, step_s: float, made: Floats, source: Floats, price: Price) -> Warp:
    """``warp`` with its knots where ``made`` (m, bands) follows ``source`` (n, bands) best.

    Both are envelopes of amplitude at :data:`RATE`. ``price`` of a warp's moments, in units of
    correlation times windows, is what they cost beside it.
    """
    here = warp.here.copy()
    groups = np.flatnonzero(~warp.tied)
    for _ in range(_PASSES):
        before = here.copy()
        for first in groups:
            last = first + 1
            while last < len(here) and warp.tied[last]:
                last += 1
            here = _best(warp, here, int(first), int(last), step_s, made, source, price)
        if np.array_equal(before, here):
            break
    return Warp(here, warp.there, warp.silent, warp.tied)


def _best(
    warp: Warp,
    here: NDArray[np.int64],
    first: int,
    last: int,
    step_s: float,
    made: Floats,
    source: Floats,
    price: Price,
) -> NDArray[np.int64]:
    lowest = here[first - 1] if first else 0
    highest = here[last] if last < len(here) else int((len(source) - 1) / RATE / step_s)
    start = int((lowest * step_s - _REACH_S) * RATE)
    end = int((highest * step_s + _REACH_S) * RATE)
    part = slice(max(start, 0), min(max(end, start + 2 * _WINDOW), len(source)))

    def worth(moments: NDArray[np.int64]) -> float:
        heard = warped(warp, moments, step_s, made, part)
        return likeness(heard, source[part]) - price(moments)

    best, most = here, worth(here) + _WORTH
    for shift in _SHIFTS:
        moved = here.copy()
        moved[first:last] += shift
        if lowest <= moved[first] and moved[last - 1] <= highest:
            value = worth(moved)
            if value > most:
                best, most = moved, value
    return best


def warped(
    warp: Warp, moments: NDArray[np.int64], step_s: float, made: Floats, part: slice
) -> Floats:
    """What is heard of ``made`` in the frames ``part`` of the cue, (frames, bands)."""
    times = np.arange(part.start, part.stop) / RATE
    knots = moments * step_s + 1e-9 * np.arange(len(moments))
    places = np.interp(times, knots, warp.there)
    heard = made[np.clip(np.round(places * RATE).astype(int), 0, len(made) - 1)]
    between = np.searchsorted(knots, times, side="right") - 1
    outside = (between < 0) | (between >= len(warp.silent))
    silent = outside | warp.silent[np.clip(between, 0, len(warp.silent) - 1)]
    return np.where(silent[:, None], 0.0, heard)


def likeness(heard: Floats, wanted: Floats) -> float:
    """Sum over windows of the mean correlation of bands (frames, bands); 0 where it is short."""
    if len(wanted) < _WINDOW:
        return 0.0
    one, other = (
        sliding_window_view(picture, _WINDOW, axis=0)[::_HOP] for picture in (heard, wanted)
    )
    one = one - one.mean(axis=2, keepdims=True)
    other = other - other.mean(axis=2, keepdims=True)
    product = (one * other).sum(axis=2)
    norms = np.sqrt((one**2).sum(axis=2) * (other**2).sum(axis=2))
    return float((product / (norms + 1e-9)).mean(axis=1).sum())
