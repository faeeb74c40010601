"""Find cuts by what is left of a frame's change after motion compensation.

A difference of raw frames cannot tell a cut from fast motion: on a hand-held battle scene
PySceneDetect's adaptive detector found three of six cuts. The displaced frame difference (what
the frame before, moved along the optical flow, does not explain) can: it is large at a cut and
small around it. A frame is a cut when its difference is large and stands out among its
neighbours. It is a detector in PySceneDetect's sense and is pushed frames like any of theirs.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import FrameTimecode
from scenedetect.detector import SceneDetector

_SIZE = (128, 72)
_MIN_DIFFERENCE = 30.0
"""Least sum of the mean absolute differences in L, a and b that a cut makes."""
_MIN_PROMINENCE = 1.45
"""Least ratio to the neighbours; fast motion stays under 1.4, a cut within it over 1.5."""
_REACH = 4
"""Neighbours on each side; one of them may be as high (the end of a flash, a second cut)."""
_FLOOR = 1.5
"""Added to the neighbours' difference so that a still scene does not divide by nothing."""


class _Scored(NamedTuple):
    timecode: FrameTimecode
    frame: NDArray[np.uint8]
    score: float


class MotionCompensatedDetector(SceneDetector):
    """Reports a cut :data:`DELAY` frames after the frame that starts the new shot."""

    DELAY = _REACH

    def __init__(self) -> None:
        super().__init__()
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._recent: deque[_Scored] = deque(maxlen=2 * _REACH + 1)

    def process_frame(
        self, timecode: FrameTimecode, frame_img: NDArray[np.uint8]
    ) -> list[FrameTimecode]:
        """Take the BGR frame at ``timecode``; the cuts that are certain now."""
        frame = cv2.cvtColor(
            cv2.resize(frame_img, _SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2LAB
        )
        score = self._difference(self._recent[-1].frame, frame) if self._recent else 0.0
        self._recent.append(_Scored(timecode, frame, score))
        if len(self._recent) <= _REACH:
            return []
        return self._decide(len(self._recent) - 1 - _REACH)

    def post_process(self, timecode: FrameTimecode) -> list[FrameTimecode]:
        """The cuts among the last frames."""
        last = range(max(0, len(self._recent) - _REACH), len(self._recent))
        return [cut for place in last for cut in self._decide(place)]

    def _decide(self, place: int) -> list[FrameTimecode]:
        recent = list(self._recent)
        timecode, _, score = recent[place]
        if score < _MIN_DIFFERENCE:
            return []
        before, after = recent[max(0, place - _REACH) : place], recent[place : place + _REACH + 1]
        others = sorted(one.score for one in (*before, *after[1:]))
        second = others[-2] if len(others) > 1 else 0.0
        if score < _MIN_PROMINENCE * (second + _FLOOR):
            return []
        flash = any(self._difference(a.frame, b.frame) < score / 2 for a in before for b in after)
        return [] if flash else [timecode]

    def _difference(self, before: NDArray[np.uint8], frame: NDArray[np.uint8]) -> float:
        raw = _distance(before, frame)
        if raw < _MIN_DIFFERENCE:
            return raw
        flow = self._flow.calc(frame[..., 0], before[..., 0], None)
        rows, columns = np.mgrid[0 : _SIZE[1], 0 : _SIZE[0]].astype(np.float32)
        moved = cv2.remap(
            before,
            columns + flow[..., 0],
            rows + flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return _distance(cv2.GaussianBlur(moved, (5, 5), 0), cv2.GaussianBlur(frame, (5, 5), 0))


def _distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(sum(cv2.mean(cv2.absdiff(a, b))[:3]))
