"""The captioners that need no model: the analysis put into words."""

from __future__ import annotations

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.captioning.picture_rules import describe_shot
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.timeline import Prompt


class RulesCaptioner:
    """Captions a shot by its light, colours, camera and movement."""

    def caption(self, frames: ShotFrames, analysis: ShotAnalysis, budget: int) -> Prompt:
        """The same analysis always gets the same words."""
        return Prompt(describe_shot(analysis))


class RulesSoundCaptioner:
    """Captions a segment by its kind, loudness, pitch, tempo and key."""

    def caption(self, segment: SoundSegment, analysis: SoundAnalysis, budget: int) -> Prompt:
        """The same analysis always gets the same words."""
        return Prompt(describe_sound(analysis, segment.segment.kind))
