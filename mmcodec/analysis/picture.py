"""Everything that is measured of a shot's picture, in one dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mmcodec.analysis.colour import Light, Palette, light, palette
from mmcodec.analysis.motion import CameraMotion, SubjectMotion, measure_motion
from mmcodec.analysis.shots import ShotFrames


@dataclass(frozen=True, slots=True)
class ShotAnalysis:
    """A shot in numbers; colours and light are those of its middle frame."""

    duration_s: float
    light: Light
    palette: Palette
    camera: CameraMotion
    subject: SubjectMotion
    still: bool = False
    """Whether it is a single frame, in which nothing can move."""


def analyse_shot(frames: ShotFrames, frame_rate: Fraction) -> ShotAnalysis:
    """Measure a shot."""
    middle = frames.pixels[len(frames.pixels) // 2]
    times = [float(pts / frame_rate) for pts in frames.pts]
    camera, subject = measure_motion(frames.pixels, times)
    duration = float(frames.shot.duration / frame_rate)
    still = len(frames.pixels) == 1
    return ShotAnalysis(duration, light(middle), palette(middle), camera, subject, still)
