"""What a clip consists of: tracks, and timed cues on them.

Time is an integer ``pts`` (presentation time stamp) counted in a track's ``time_base`` (seconds
per tick, as a fraction), so that nothing drifts and every machine agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from fractions import Fraction

AUDIO_TIME_BASE = Fraction(1, 50)
"""Segments are timed in steps of 20 ms."""


class TrackKind(IntEnum):
    """The two tracks that a stream can have; the values are those on the wire."""

    VIDEO = 1
    AUDIO = 2


class SegmentKind(IntEnum):
    """What a stretch of sound mostly is; the values are those on the wire."""

    SILENCE = 0
    SPEECH = 1
    MUSIC = 2
    SOUND = 3


class Layer(IntEnum):
    """What a cue's payload describes; the values are those on the wire and never change."""

    PROMPT = 1
    LOOK = 2
    SKETCH = 3
    SOUND = 4
    PARAMETERS = 5
    VOICE = 7
    VOCODER = 8
    OPUS = 9


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The picture as it is to be shown: raster in square pixels, frames a second."""

    width: int
    height: int
    frame_rate: Fraction
    still: bool = False

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick: one tick is one frame."""
        return 1 / self.frame_rate


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The sound as it is to be played; ``channels`` is 1 or 2."""

    sample_rate: int
    channels: int

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return AUDIO_TIME_BASE


@dataclass(frozen=True, slots=True)
class Span:
    """The ticks ``start`` to ``end`` (exclusive) of a track."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"span {self.start}..{self.end} is empty or negative")

    @property
    def duration(self) -> int:
        """Length in ticks."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Shot(Span):
    """One camera take, in frames."""


@dataclass(frozen=True, slots=True)
class Segment(Span):
    """A stretch of sound of one kind, in ticks of :data:`AUDIO_TIME_BASE`."""

    kind: SegmentKind


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text that a synthesizer gets; what a voice says stands between “ and ”."""

    text: str

    @property
    def spoken(self) -> str:
        """What a voice says; empty if that is not known."""
        start, end = self.text.find("“"), self.text.rfind("”")
        return self.text[start + 1 : end].strip() if 0 <= start < end else ""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """For which synthesizer a track or a cue was made, and with what settings.

    A receiver that has the same gets the same; one that has not still gets something. What is
    None is left to the synthesizer. ``style`` and ``negative`` are prompts that hold beside those
    of the cues: how it should look or sound, and what should not be in it.
    """

    synthesizer: str | None = None
    model: str | None = None
    revision: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance_percent: int | None = None
    """How strictly a diffusion model follows the prompt: 750 is a guidance scale of 7.5."""
    strength_percent: int | None = None
    """How far a model may go from the sketch: 0 keeps it, 100 ignores it."""
    style: str | None = None
    negative: str | None = None

    def overridden_by(self, other: Synthesis) -> Synthesis:
        """What is set in ``other``, and where nothing is, what is set here."""
        names = (part.name for part in fields(self))
        mine_and_other = ((n, getattr(self, n), getattr(other, n)) for n in names)
        return Synthesis(**{n: mine if its is None else its for n, mine, its in mine_and_other})


NO_SYNTHESIS = Synthesis()


@dataclass(frozen=True, slots=True)
class Cue:
    """One timed entry of a track: what a shot or a segment is sent as.

    ``synthesis`` is what differs in it from the stream's.
    """

    span: Shot | Segment
    prompt: Prompt
    descriptors: Mapping[Layer, bytes] = field(default_factory=dict)
    synthesis: Synthesis = NO_SYNTHESIS

    @property
    def spoken(self) -> str:
        """What a voice says; of a cue with a voice that is all of the prompt, if it quotes nothing.

        Empty if that is not known.
        """
        quoted = self.prompt.spoken
        return quoted or (self.prompt.text.strip() if Layer.VOICE in self.descriptors else "")

    @property
    def track(self) -> TrackKind:
        """The track that the cue belongs to."""
        return TrackKind.AUDIO if isinstance(self.span, Segment) else TrackKind.VIDEO


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole stream: its tracks and their cues in stream order."""

    video: VideoTrack | None
    audio: AudioTrack | None
    cues: tuple[Cue, ...] = ()

    def on(self, kind: TrackKind) -> tuple[Cue, ...]:
        """The cues of one track, in order."""
        return tuple(cue for cue in self.cues if cue.track is kind)

    def seconds(self, span: Span) -> tuple[Fraction, Fraction]:
        """Start and end of ``span`` in seconds."""
        track = self.audio if isinstance(span, Segment) else self.video
        if track is None:
            raise ValueError("the timeline has no such track")
        return span.start * track.time_base, span.end * track.time_base

    @property
    def duration(self) -> Fraction:
        """Seconds from the start to the end of the last cue on any track."""
        return max((self.seconds(cue.span)[1] for cue in self.cues), default=Fraction(0))
