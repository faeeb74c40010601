"""What a captioner is: anything with these methods, registered under a name."""

from __future__ import annotations

from typing import Protocol

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.timeline import Prompt


class Captioner(Protocol):
    """Describes shots. Called in stream order, so it may keep names from shot to shot."""

    def caption(self, frames: ShotFrames, analysis: ShotAnalysis) -> Prompt:
        """A prompt from which the shot can be synthesized; never empty."""


class SoundCaptioner(Protocol):
    """Describes segments of sound, called in stream order."""

    def caption(self, segment: SoundSegment, analysis: SoundAnalysis) -> Prompt:
        """A prompt from which the segment can be synthesized; never empty."""
