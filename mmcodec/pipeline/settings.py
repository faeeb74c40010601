"""What a user can choose, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from mmcodec.bitstream.syntax import PHOTOGRAPH_BYTES
from mmcodec.descriptors.vocoder import LEAST_BIT_RATE
from mmcodec.descriptors.voice import Tier
from mmcodec.registry import OWN_CHOICE, ModelSettings
from mmcodec.timeline import NO_SYNTHESIS, Synthesis

_USUAL_BIT_RATE, _PROMPT_BIT_RATE = 2000, 300
_LEAST_RATE, _MOST_RATE = 300, 24_000
"""Of qualities 0 and 100."""
_DESCRIBING = 0.92
"""Part of a stream that is not framing and prompts, more or less."""
_LEAST_SKETCH = 60
FINEST_PIXELS = 640 * 360
"""Of the frames of which sketches are made at most, and of a sketch."""
_USUAL_PIXELS, _FINE_PIXELS = 320 * 180, 448 * 252
_FINE_FROM = 4000
"""Bits a second of sketches, from which on they are made of larger frames."""
_FOREVER = 1 << 62
"""Ticks, more than any stream has."""


class Profile(StrEnum):
    """How much of the clip is sent beside its prompts."""

    PROMPT = "prompt"
    """Prompts, ten bytes of look a shot, a breath of sound: some 0.3 kbit/s."""
    SKETCH = "sketch"
    """Prompts, a tiny AV1 picture and a spectral envelope: some 2 kbit/s."""


class Effort(StrEnum):
    """How long to search for the best sketches."""

    FAST = "fast"
    DEFAULT = "default"
    SLOW = "slow"

    @property
    def rounds(self) -> int:
        """How often sketches around the best one of a shot are tried."""
        return {Effort.FAST: 0, Effort.DEFAULT: 1, Effort.SLOW: 2}[self]

    @property
    def probes(self) -> int:
        """Moments a second of a shot, at which they are compared with it."""
        return 4 if self is Effort.SLOW else 2

    @property
    def choosing(self) -> int:
        """One in so many of them is used to choose how frames are moved and finished."""
        return 1 if self is Effort.SLOW else 2

    @property
    def fillers(self) -> int:
        """Sketches that use up what is left of the bytes, of which the best is taken."""
        return {Effort.FAST: 1, Effort.DEFAULT: 2, Effort.SLOW: 4}[self]


class Speech(StrEnum):
    """How speech is sent."""

    AUTO = "auto"
    """As words and a voice where the words are sure, else by the vocoder."""
    TEXT = "text"
    """As words and a voice wherever words are understood."""
    VOCODER = "vocoder"
    """As it sounds."""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """How to encode.

    ``captioner``, ``sound_captioner`` and ``transcriber`` are backends: NAME, NAME:MODEL or
    NAME:MODEL@REVISION, or "auto", the best that can run here; "none" is no transcriber.
    ``models`` says where their models run. ``video_synthesis`` and ``audio_synthesis`` tell
    decoders for which synthesizers the stream is made; it decodes with any.
    """

    profile: Profile = Profile.SKETCH
    bit_rate: int | None = None
    """Bits a second of everything, container included; None is the profile's."""
    most_bytes: int | None = None
    """Bytes of everything, in place of a bit rate; needs a source whose length is known."""
    quality: int | None = None
    """0 to 100: one slope of quality over bytes for the whole stream, in place of a bit rate."""
    effort: Effort = Effort.DEFAULT
    buffer_s: float | None = None
    """Write shots as they come, from a buffer of this many seconds, and not when all are known."""
    longest_s: float | None = None
    """Seconds after which shots and segments are split; None is 10."""
    video: bool = True
    audio: bool = True
    partial: bool = False
    """Encode what can be read of a file that is cut short, instead of refusing it."""
    captioner: str = "auto"
    sound_captioner: str = "auto"
    transcriber: str = "auto"
    models: ModelSettings = OWN_CHOICE
    speech: Speech = Speech.AUTO
    sound_bit_rate: int | None = None
    """Bits a second for what is sent as it sounds; None is the profile's."""
    text: str | None = None
    """What is said in the sound, from its first word to its last; None leaves it to the
    transcriber."""
    subtitles: str | None = None
    """A file with subtitles of what is said, in place of a transcriber."""
    language: str | None = None
    """The language of ``text`` or ``subtitles`` as in BCP 47; None is English."""
    prompt_bytes: int = 60
    """Bytes that the code of one prompt should not exceed."""
    video_synthesis: Synthesis = NO_SYNTHESIS
    audio_synthesis: Synthesis = NO_SYNTHESIS

    def lasting(self, seconds: float, still: bool) -> EncodeSettings:
        """With the bit rate that ``most_bytes`` are in so many seconds; of a ``still``, what its
        form leaves are bytes of its prompt.
        """
        if self.most_bytes is None:
            return self
        rate = max(int(self.most_bytes * 8 / seconds), 1)
        longest = max(self.most_bytes - PHOTOGRAPH_BYTES, 1) if still else self.prompt_bytes
        return replace(self, bit_rate=rate, prompt_bytes=min(longest, self.prompt_bytes))

    @property
    def total_bit_rate(self) -> int:
        """Bits a second of everything; 0 where nothing is held to one."""
        if self.profile is Profile.PROMPT or self.quality is not None:
            return self.bit_rate or 0
        if self.bit_rate:
            return self.bit_rate
        return _USUAL_BIT_RATE + max((self.sound_bit_rate or 0) - _USUAL_BIT_RATE // 4, 0)

    @property
    def nominal_bit_rate(self) -> float:
        """What a stream of this quality takes of most clips, or the rate that is asked for."""
        if self.quality is None:
            return self.total_bit_rate or _PROMPT_BIT_RATE
        return float(_LEAST_RATE * (_MOST_RATE / _LEAST_RATE) ** (self.quality / 100))

    def sketch_bit_rate(self, sound: bool) -> float:
        """Bits a second for the sketches, with or without sound beside; 0 sends looks instead."""
        if self.profile is Profile.PROMPT:
            return 0.0
        spoken_for = self.descriptor_bit_rate if sound else 0
        return max(self.nominal_bit_rate * _DESCRIBING - spoken_for, _LEAST_SKETCH)

    @property
    def frame_pixels(self) -> int:
        """Pixels of the frames of which sketches are made, and with which they are compared: more
        take longer, and show most from some bit rate on.
        """
        if self.effort is Effort.SLOW:
            return FINEST_PIXELS
        fine = self.sketch_bit_rate(self.audio) > _FINE_FROM
        return _FINE_PIXELS if fine else _USUAL_PIXELS

    @property
    def voice_tier(self) -> Tier:
        """How closely a voice that reads the text is moved onto the speaker."""
        return Tier.E if self.profile is Profile.SKETCH else Tier.D

    @property
    def descriptor_bit_rate(self) -> int:
        """Bits a second for the sound descriptors."""
        if self.sound_bit_rate:
            return self.sound_bit_rate
        if self.profile is Profile.PROMPT:
            return 80
        if not self.video:
            return max(int(self.nominal_bit_rate * _DESCRIBING), 80) if self.bit_rate else 500
        return min(max(int(self.nominal_bit_rate * _DESCRIBING / 4), 80), 3000)

    @property
    def bed_bit_rate(self) -> int:
        """Bits a second for what sounds beneath a voice that reads the words."""
        return max(self.descriptor_bit_rate // 16, 15)

    @property
    def vocoder_bit_rate(self) -> int:
        """Bits a second for speech that is sent as it sounds; 0 sends a sound descriptor."""
        rate = self.descriptor_bit_rate
        enough = self.speech is Speech.VOCODER or rate >= LEAST_BIT_RATE * _DESCRIBING
        return max(rate, LEAST_BIT_RATE) if enough else 0


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How to decode: the backends that synthesize picture, sound and speech, and what part, in
    seconds.

    Backends are named as in :class:`EncodeSettings`; "auto" prefers what the stream is made for.
    """

    video_synthesizer: str = "auto"
    audio_synthesizer: str = "auto"
    speech_synthesizer: str = "auto"
    models: ModelSettings = OWN_CHOICE
    resume: bool = False
    """Go on with what models had made when an earlier decode to the same file was stopped."""
    hashes: bool = False
    """Compute hashes of the decoded frames and samples."""
    start_s: float = 0.0
    end_s: float | None = None

    def ticks(self, time_base: Fraction) -> tuple[int, int]:
        """Start and end of the part in ticks of a track."""
        end = _FOREVER if self.end_s is None else round(self.end_s / time_base)
        return round(self.start_s / time_base), end
