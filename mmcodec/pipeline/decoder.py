"""Cues to pictures and samples that follow each other without gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import BitstreamError
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.registry import Group, load
from mmcodec.synthesis.contract import AudioSynthesizer, VideoSynthesizer
from mmcodec.synthesis.crossfade import CrossFader, fade_samples
from mmcodec.timeline import AudioTrack, Cue, Segment, Span, VideoTrack


class Decoder:
    """Synthesizes the cues of one stream, in stream order, from the settings' start to their end.

    Damage is concealed: a lost shot holds the picture before, a lost segment is silent, and a cue
    whose descriptor is damaged is made from its prompt. ``damage`` says which were damaged so.
    """

    def __init__(self, header: StreamHeader, settings: DecodeSettings) -> None:
        self._shots = _ShotDecoder(header.video, settings) if header.video else None
        self._segments = _SegmentDecoder(header.audio, settings) if header.audio else None
        self.damage: list[str] = []

    def decode(self, packet: CuePacket) -> Iterator[Picture | Sound]:
        """Pictures of a shot, one after the other, or the sound of a segment."""
        cue = packet.cue
        track = self._segments if isinstance(cue.span, Segment) else self._shots
        if track is None:
            return
        if not packet.lost:
            try:
                yield from track.decode(cue)
            except BitstreamError as error:
                self.damage.append(f"{error} ({cue.track.name.lower()} tick {cue.span.start})")
            else:
                return
        yield from track.conceal(cue)


class _ShotDecoder:
    def __init__(self, track: VideoTrack, settings: DecodeSettings) -> None:
        self._track = track
        backend = load(Group.VIDEO_SYNTHESIZER, settings.video_synthesizer)
        self._synthesizer = cast("VideoSynthesizer", backend)
        self._next, self._end = settings.ticks(track.time_base)
        self._shown: NDArray[np.uint8] | None = None

    def decode(self, cue: Cue) -> Iterator[Picture]:
        frames = self._synthesizer.render(cue, self._track)
        for at, pixels in enumerate(frames, cue.span.start):
            if at >= self._end:
                return
            # Where no cue is, what was shown is held.
            yield from self._hold(pixels if self._shown is None else self._shown, at)
            self._shown = pixels
            yield from self._hold(pixels, at + 1)

    def conceal(self, cue: Cue) -> Iterator[Picture]:
        if self._shown is None or (cue.prompt.text and self._next <= cue.span.start):
            yield from self.decode(replace(cue, descriptors={}))
        elif self._shown is not None:
            yield from self._hold(self._shown, min(cue.span.end, self._end))

    def _hold(self, pixels: NDArray[np.uint8], until: int) -> Iterator[Picture]:
        while self._next < until:
            self._next += 1
            yield Picture(self._next - 1, 1, pixels)


class _SegmentDecoder:
    def __init__(self, track: AudioTrack, settings: DecodeSettings) -> None:
        self._track = track
        backend = load(Group.AUDIO_SYNTHESIZER, settings.audio_synthesizer)
        self._synthesizer = cast("AudioSynthesizer", backend)
        self._fader = CrossFader(track.sample_rate, track.channels)
        self._next, self._end = settings.ticks(track.time_base)

    def decode(self, cue: Cue) -> Iterator[Sound]:
        count = self._samples(cue.span.end) - self._samples(cue.span.start)
        longer = count + fade_samples(self._track.sample_rate)
        render = self._synthesizer.render(cue, self._track, longer)
        yield from self._silence(cue.span.start)  # no cue for this time
        yield from self._heard(self._fader.push(render, count), cue.span)

    def conceal(self, cue: Cue) -> Iterator[Sound]:
        if cue.prompt.text:
            yield from self.decode(replace(cue, descriptors={}))
        else:
            yield from self._silence(cue.span.end)

    def _silence(self, until: int) -> Iterator[Sound]:
        if until > self._next:
            gap = self._samples(until) - self._samples(self._next)
            silence = np.zeros((gap, self._track.channels), np.float32)
            yield from self._heard(self._fader.push(silence, gap), Span(self._next, until))

    def _heard(self, samples: NDArray[np.float32], span: Span) -> Iterator[Sound]:
        """What of ``samples``, which fill ``span``, is asked for and not yet heard."""
        first, end = max(span.start, self._next), min(span.end, self._end)
        if first < end:
            origin = self._samples(span.start)
            yield Sound(samples[self._samples(first) - origin : self._samples(end) - origin])
            self._next = end

    def _samples(self, tick: int) -> int:
        return round(tick * self._track.time_base * self._track.sample_rate)
