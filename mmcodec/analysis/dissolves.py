"""Find dissolves: stretches in which every frame is a mix of the two ends.

In a dissolve from frame A to frame B each frame between is close to ``A + alpha (B - A)`` with
alpha rising steadily; under camera or object motion it is not. The model is that of Lienhart,
"Reliable dissolve detection", SPIE 4315 (2001), tested here on small thumbnails over windows of
several lengths.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_THUMBNAIL = (24, 14)
_WINDOWS_S = (0.4, 0.7, 1.1, 1.7)
_SAMPLES = 7
"""Frames tested between the ends of a window."""
_MIN_CHANGE = 10.0
"""Least RMS difference of the ends, in grey levels without their means."""
_MAX_CORRELATION = 0.5
"""More alike than this, the ends are one scene whose light or exposure changes."""
_MAX_RESIDUAL = 0.28
"""Largest part of the change that a mix of the ends may leave unexplained."""
_MAX_BEND = 0.14
"""Largest distance of alpha from a straight ramp."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A window that fits the model, ``residual`` the lower the better."""

    first: int
    last: int
    residual: float


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """A frame's grey ``levels``, and those without their mean."""

    pts: int
    levels: NDArray[np.float32]
    contrast: NDArray[np.float32]


class DissolveDetector:
    """Pushed frames one by one, returns the middle of each dissolve once it is over.

    Dissolves of at most ``longest_s`` seconds are looked for; long ones are known late.
    """

    def __init__(self, frame_rate: float, longest_s: float = _WINDOWS_S[-1]) -> None:
        wanted = [s for s in _WINDOWS_S if s <= longest_s] or _WINDOWS_S[:1]
        self._windows = sorted({max(4, round(s * frame_rate)) for s in wanted})
        self._frames: deque[_Thumbnail] = deque(maxlen=self._windows[-1] + 1)
        self._best: _Candidate | None = None

    @property
    def delay(self) -> int:
        """Most frames between the middle of a dissolve and its report."""
        return 2 * self._windows[-1]

    def process(self, pts: int, pixels: NDArray[np.uint8]) -> list[int]:
        """Take the RGB frame (height, width, 3) at ``pts``; the pts of dissolves now over."""
        small = cv2.resize(pixels, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        levels = small.astype(np.float32).mean(axis=2)
        self._frames.append(_Thumbnail(pts, levels, levels - levels.mean()))
        found = [c for c in map(self._fit, self._windows) if c is not None]
        if found:
            best = min(found, key=lambda c: c.residual)
            if self._best is None or best.residual < self._best.residual:
                self._best = best
            return []
        if self._best is None or pts - self._best.last < self._windows[0]:
            return []
        middle = (self._best.first + self._best.last) // 2
        self._best = None
        return [middle]

    def _fit(self, window: int) -> _Candidate | None:
        """The latest ``window`` frames as a dissolve, or None when they are not one."""
        if len(self._frames) <= window:
            return None
        first, last = self._frames[-1 - window], self._frames[-1]
        contrast = (last.contrast - first.contrast).ravel()
        if np.dot(contrast, contrast) < _MIN_CHANGE**2 * len(contrast):
            return None
        if _correlation(first.contrast, last.contrast) > _MAX_CORRELATION:
            return None
        start, change = first.levels, last.levels - first.levels
        power = float((change * change).sum())
        steps = np.linspace(0, window, _SAMPLES + 2)
        between = (
            np.stack([self._frames[round(i) - 1 - window].levels for i in steps[1:-1]]) - start
        )
        alpha = (between * change).sum(axis=(1, 2)) / power
        if float(np.abs(alpha - steps[1:-1] / window).max()) > _MAX_BEND:
            return None
        rest = between - alpha[:, None, None] * change
        residual = float(np.sqrt((rest * rest).sum(axis=(1, 2)).max() / power))
        if residual > _MAX_RESIDUAL:
            return None
        return _Candidate(first.pts, last.pts, residual)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6))
