"""What a synthesizer is: anything with these methods, registered under a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmcodec.timeline import AudioTrack, Cue, VideoTrack


class VideoSynthesizer(Protocol):
    """Makes the picture of a shot from its cue; any cue, with any of its layers missing.

    ``cue.synthesis`` is complete: the stream's, overridden by the cue's. A model's seed is
    :func:`seed_of` the cue.
    """

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """Exactly ``cue.span.duration`` RGB frames (track.height, track.width, 3).

        Raises:
            BitstreamError: a descriptor of the cue is damaged.
            BackendError: the model failed; :class:`OutOfMemoryError` where less may succeed.
        """


@runtime_checkable
class BatchingVideoSynthesizer(VideoSynthesizer, Protocol):
    """One that can make several shots at once."""

    def prepare(self, cues: Sequence[Cue], track: VideoTrack) -> None:
        """Say which cues are rendered next, in place of those said before."""


class AudioSynthesizer(Protocol):
    """Makes the sound of a segment from its cue; any cue, with any of its layers missing."""

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> NDArray[np.float32]:
        """Exactly ``samples`` samples, float32 (samples, track.channels) in -1..1.

        Raises:
            BitstreamError: a descriptor of the cue is damaged.
            BackendError: the model failed; :class:`OutOfMemoryError` where less may succeed.
        """


def seed_of(cue: Cue) -> int:
    """The seed of a cue's random numbers: that of the stream, moved on by the cue's start.

    So it is the same for a decoder that begins in the middle, and no two shots are alike.
    """
    return ((cue.synthesis.seed or 0) + cue.span.start) % (1 << 32)
