"""Cues to pictures and samples that follow each other without gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.registry import Group, load
from mmcodec.synthesis.contract import AudioSynthesizer, VideoSynthesizer
from mmcodec.synthesis.crossfade import CrossFader, fade_samples
from mmcodec.timeline import AudioTrack, Cue, Segment, VideoTrack


class Decoder:
    """Synthesizes the cues of one stream, in stream order."""

    def __init__(self, header: StreamHeader, settings: DecodeSettings) -> None:
        self._shots = _ShotDecoder(header.video, settings) if header.video else None
        self._segments = _SegmentDecoder(header.audio, settings) if header.audio else None

    def decode(self, cue: Cue) -> Iterator[Picture | Sound]:
        """Pictures of a shot, one after the other, or the sound of a segment.

        Raises:
            BitstreamError: a descriptor is damaged.
        """
        if isinstance(cue.span, Segment):
            if self._segments:
                yield from self._segments.decode(cue)
        elif self._shots:
            yield from self._shots.decode(cue)


class _ShotDecoder:
    def __init__(self, track: VideoTrack, settings: DecodeSettings) -> None:
        self._track = track
        backend = load(Group.VIDEO_SYNTHESIZER, settings.video_synthesizer)
        self._synthesizer = cast("VideoSynthesizer", backend)
        self._next = 0
        self._shown: NDArray[np.uint8] | None = None

    def decode(self, cue: Cue) -> Iterator[Picture]:
        for pixels in self._synthesizer.render(cue, self._track):
            while self._next < cue.span.start:  # no cue for this time: hold what was shown
                yield self._picture(pixels if self._shown is None else self._shown)
            self._shown = pixels
            yield self._picture(pixels)

    def _picture(self, pixels: NDArray[np.uint8]) -> Picture:
        self._next += 1
        return Picture(self._next - 1, 1, pixels)


class _SegmentDecoder:
    def __init__(self, track: AudioTrack, settings: DecodeSettings) -> None:
        self._track = track
        backend = load(Group.AUDIO_SYNTHESIZER, settings.audio_synthesizer)
        self._synthesizer = cast("AudioSynthesizer", backend)
        self._fader = CrossFader(track.sample_rate, track.channels)
        self._next = 0

    def decode(self, cue: Cue) -> Iterator[Sound]:
        if cue.span.start > self._next:  # no cue for this time
            gap = self._samples(cue.span.start) - self._samples(self._next)
            silence = np.zeros((gap, self._track.channels), np.float32)
            yield Sound(self._fader.push(silence, gap))
        count = self._samples(cue.span.end) - self._samples(cue.span.start)
        longer = count + fade_samples(self._track.sample_rate)
        yield Sound(self._fader.push(self._synthesizer.render(cue, self._track, longer), count))
        self._next = cue.span.end

    def _samples(self, tick: int) -> int:
        return round(tick * self._track.time_base * self._track.sample_rate)
