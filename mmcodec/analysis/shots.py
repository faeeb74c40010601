"""Cut a run of frames into shots, as the frames come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.dissolves import DissolveDetector
from mmcodec.timeline import Shot

if TYPE_CHECKING:
    from scenedetect.detector import SceneDetector

MAX_SHOT_S = 10
"""A longer take is split, so that delay and memory stay bounded."""
MIN_SHOT_S = 0.5
_DISSOLVES = 5
"""How many of the longest dissolve the longest shot has room for: who wants to know of shots soon
cannot wait for long dissolves to be over.
"""
_DETECTOR_SIZE = (160, 90)
_FADE_LEVEL = 4
"""Mean of a frame faded out, in 8 bits; night scenes stay above it."""


@dataclass(frozen=True, slots=True)
class ShotFrames:
    """A shot with its frames: RGB uint8 (height, width, 3), each with its pts."""

    shot: Shot
    pts: tuple[int, ...]
    pixels: tuple[NDArray[np.uint8], ...]


class ShotDetector:
    """Pushed frames in pts order; returns each shot as soon as its end is certain.

    Boundaries are cuts, fades through black, dissolves (their middle), and splits of takes over
    ``longest_s``. Shots tile the time from 0 to the end of the last frame without gaps.
    """

    def __init__(self, frame_rate: Fraction, longest_s: float = MAX_SHOT_S) -> None:
        from scenedetect import ThresholdDetector  # a third of a second to import

        from mmcodec.analysis.cuts import MotionCompensatedDetector

        self._rate = frame_rate
        self._min = max(1, round(MIN_SHOT_S * frame_rate))
        self._max = max(2, int(longest_s * frame_rate))
        self._detectors: tuple[SceneDetector, ...] = (
            MotionCompensatedDetector(),
            ThresholdDetector(_FADE_LEVEL, min_scene_len=self._min),
        )
        self._dissolves = DissolveDetector(float(frame_rate), longest_s / _DISSOLVES)
        self._delay = max(self._dissolves.delay, MotionCompensatedDetector.DELAY)
        self._frames: deque[tuple[int, NDArray[np.uint8]]] = deque()
        self._boundaries: list[int] = []
        self._start = 0
        self._held: tuple[int, NDArray[np.uint8]] | None = None

    def process(self, pts: int, pixels: NDArray[np.uint8]) -> list[ShotFrames]:
        """Take the frame shown from ``pts`` on; the shots that are complete now."""
        self._frames.append((pts, pixels))
        for boundary in self._detect(pts, pixels):
            self._add(boundary)
        return list(self._ready(pts - self._delay))

    def finish(self, end: int) -> list[ShotFrames]:
        """All that is left, when the last frame is shown until ``end``."""
        if not self._frames:
            return []
        from scenedetect import FrameTimecode

        for detector in self._detectors:
            for cut in detector.post_process(FrameTimecode(end - 1, self._rate)):
                self._add(cut.frame_num)
        done = list(self._ready(end - self._min))
        return [*done, *self._split_to(end)]

    def _detect(self, pts: int, pixels: NDArray[np.uint8]) -> Iterator[int]:
        from scenedetect import FrameTimecode

        small = cv2.cvtColor(
            cv2.resize(pixels, _DETECTOR_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR
        )
        time = FrameTimecode(pts, self._rate)
        for detector in self._detectors:
            yield from (cut.frame_num for cut in detector.process_frame(time, small))
        yield from self._dissolves.process(pts, pixels)

    def _add(self, boundary: int) -> None:
        nearest = min((abs(boundary - other) for other in self._boundaries), default=self._min)
        if boundary - self._start >= self._min and nearest >= self._min:
            self._boundaries.append(boundary)
            self._boundaries.sort()

    def _ready(self, certain: int) -> Iterator[ShotFrames]:
        """Shots that end at or before ``certain``, up to which all boundaries are known."""
        while self._boundaries and self._boundaries[0] <= certain:
            yield from self._split_to(self._boundaries.pop(0))
        while certain - self._start > self._max * 6 // 5:
            yield self._take(self._start + self._max)

    def _split_to(self, end: int) -> Iterator[ShotFrames]:
        """The take from the start to ``end``, in equal parts of at most the longest shot."""
        parts = -(-(end - self._start) // self._max)
        first = self._start
        for part in range(1, parts + 1):
            yield self._take(first + (end - first) * part // parts)

    def _take(self, end: int) -> ShotFrames:
        shot = Shot(self._start, end)
        taken = []
        while self._frames and self._frames[0][0] < end:
            taken.append(self._frames.popleft())
        if not taken:  # a gap in the source: the frame before, or the first one, is on screen
            taken = [self._held or self._frames[0]]
        self._held = taken[-1]
        self._start = end
        return ShotFrames(shot, tuple(p for p, _ in taken), tuple(x for _, x in taken))
