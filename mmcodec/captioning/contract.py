"""What a captioner is: anything with these methods, registered under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.timeline import Prompt


class Captioner(Protocol):
    """Describes shots. Called in stream order, so it may keep names from shot to shot."""

    def caption(self, frames: ShotFrames, analysis: ShotAnalysis, budget: int) -> Prompt:
        """A prompt from which the shot can be synthesized; never empty.

        ``budget`` is the bytes that its code should not exceed (``instructions.fitted``); rules,
        whose sentences are short, need not look at it.

        Raises:
            BackendError: the model failed; :class:`OutOfMemoryError` where less work may succeed.
        """


class SoundCaptioner(Protocol):
    """Describes segments of sound, called in stream order."""

    def caption(self, segment: SoundSegment, analysis: SoundAnalysis, budget: int) -> Prompt:
        """A prompt from which the segment can be synthesized, as in :class:`Captioner`."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its punctuation, and when it is said, in seconds from the segment's start.

    One that is not ``sure`` may be another.
    """

    text: str
    start_s: float
    end_s: float
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a segment, in order; ``language`` as in BCP 47 ("en"), if it is known."""

    words: tuple[Word, ...]
    language: str | None = None

    @property
    def text(self) -> str:
        """The words as a line."""
        return " ".join(word.text for word in self.words)


class Transcriber(Protocol):
    """Writes down what is said."""

    def transcribe(self, samples: NDArray[np.float32], sample_rate: int) -> Transcript:
        """The words in ``samples`` (n,); none where nothing is understood.

        Times do not go back, and lie within the samples.

        Raises:
            BackendError: the model failed.
        """
