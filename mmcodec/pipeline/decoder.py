"""Cues to pictures and samples that follow each other without gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import BitstreamError, FailedWorkError
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.backends import Remarks, audio_synthesizer, video_synthesizer
from mmcodec.pipeline.kept import Kept
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.registry import Group
from mmcodec.synthesis.contract import AudioSynthesizer, BatchingVideoSynthesizer
from mmcodec.synthesis.crossfade import CrossFader, fade_samples
from mmcodec.synthesis.fitting import voice_of
from mmcodec.synthesis.limiter import limited
from mmcodec.synthesis.offline_audio import OfflineAudio, without_bed
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.synthesis.spoken import other_voice
from mmcodec.timeline import (
    NO_SYNTHESIS,
    AudioTrack,
    Cue,
    Prompt,
    Segment,
    SegmentKind,
    Span,
    Synthesis,
    VideoTrack,
)


class Decoder:
    """Synthesizes the cues of one stream, in stream order, from the settings' start to their end.

    Damage is concealed: a lost shot holds the picture before, a lost segment is silent, and a cue
    whose descriptor is damaged is made from its prompt. ``damage`` says which were damaged so.
    A cue at which a model fails is made by the offline synthesizer, and ``remarks`` says so.
    What models have made goes to ``kept``, and what is there is not made again.
    """

    def __init__(
        self, header: StreamHeader, settings: DecodeSettings, kept: Kept | None = None
    ) -> None:
        self.remarks: Remarks = []
        self.damage: list[str] = []
        self._shots = self._segments = None
        if header.video:
            made_for = header.video_synthesis
            self._shots = _ShotDecoder(header.video, made_for, settings, self.remarks, kept)
        if header.audio:
            made_for = header.audio_synthesis
            self._segments = _SegmentDecoder(header.audio, made_for, settings, self.remarks, kept)

    def prepare(self, packets: Sequence[CuePacket]) -> None:
        """Say what is decoded next, so that a model may make several shots at once."""
        if self._shots:
            cues = (packet.cue for packet in packets if not packet.lost)
            self._shots.prepare([cue for cue in cues if not isinstance(cue.span, Segment)])

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
    def __init__(
        self,
        track: VideoTrack,
        made_for: Synthesis,
        settings: DecodeSettings,
        remarks: Remarks,
        kept: Kept | None,
    ) -> None:
        self._track, self._made_for, self._remarks = track, made_for, remarks
        self._synthesizer = video_synthesizer(
            settings.video_synthesizer, settings.models, remarks, made_for, kept
        )
        self._next, self._end = settings.ticks(track.time_base)
        self._shown: NDArray[np.uint8] | None = None

    def prepare(self, cues: Sequence[Cue]) -> None:
        if isinstance(self._synthesizer, BatchingVideoSynthesizer):
            whole = [_complete(cue, self._made_for) for cue in cues]
            self._synthesizer.prepare(whole, self._track)

    def decode(self, cue: Cue) -> Iterator[Picture]:
        for at, pixels in enumerate(self._render(cue), cue.span.start):
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

    def _render(self, cue: Cue) -> Iterator[NDArray[np.uint8]]:
        whole, made = _complete(cue, self._made_for), 0
        try:
            for pixels in self._synthesizer.render(whole, self._track):
                yield pixels
                made += 1
        except FailedWorkError as error:
            self._remarks.append(_failed(error, cue, self._track.time_base, "is made offline"))
            yield from islice(OfflineVideo().render(whole, self._track), made, None)

    def _hold(self, pixels: NDArray[np.uint8], until: int) -> Iterator[Picture]:
        while self._next < until:
            self._next += 1
            yield Picture(self._next - 1, 1, pixels)


class _SegmentDecoder:
    def __init__(
        self,
        track: AudioTrack,
        made_for: Synthesis,
        settings: DecodeSettings,
        remarks: Remarks,
        kept: Kept | None,
    ) -> None:
        self._track, self._made_for, self._remarks = track, made_for, remarks

        def synthesizer(group: Group, wanted: str, made_for: Synthesis) -> AudioSynthesizer:
            return audio_synthesizer(group, wanted, settings.models, remarks, made_for, kept)

        self._sound = synthesizer(Group.AUDIO_SYNTHESIZER, settings.audio_synthesizer, made_for)
        self._speech = synthesizer(
            Group.SPEECH_SYNTHESIZER, settings.speech_synthesizer, NO_SYNTHESIS
        )
        self._fader = CrossFader(track.sample_rate, track.channels)
        self._next, self._end = settings.ticks(track.time_base)

    def decode(self, cue: Cue) -> Iterator[Sound]:
        count = self._samples(cue.span.end) - self._samples(cue.span.start)
        longer = count + fade_samples(self._track.sample_rate)
        render = self._mixed(cue, longer)
        yield from self._silence(cue.span.start)  # no cue for this time
        yield from self._heard(self._fader.push(render, count), cue.span)

    def conceal(self, cue: Cue) -> Iterator[Sound]:
        if cue.prompt.text:
            yield from self.decode(replace(cue, descriptors={}))
        else:
            yield from self._silence(cue.span.end)

    def _mixed(self, cue: Cue, samples: int) -> NDArray[np.float32]:
        """The sound of a cue; a voice together with what sounds beneath it."""
        voice, bed = without_bed(cue)
        made = self._render(voice, samples)
        if bed is None:
            return made
        below = OfflineAudio().render(bed, self._track, samples)
        return limited(made + below, self._track.sample_rate)

    def _render(self, cue: Cue, samples: int) -> NDArray[np.float32]:
        whole = _complete(cue, self._made_for)
        speaks = getattr(cue.span, "kind", None) is SegmentKind.SPEECH
        synthesizer = self._speech if speaks else self._sound
        if not isinstance(synthesizer, OfflineAudio):
            try:
                return synthesizer.render(whole, self._track, samples)
            except FailedWorkError as error:
                self._failed(error, cue, "is made offline")
        try:
            self._say_who_reads(whole)
            return OfflineAudio().render(whole, self._track, samples)
        except FailedWorkError as error:
            self._failed(error, cue, "is heard without its words")
            return OfflineAudio().render(replace(whole, prompt=Prompt("")), self._track, samples)

    def _say_who_reads(self, cue: Cue) -> None:
        who = voice_of(cue)
        line = other_voice(who) if who else ""
        if line and line not in self._remarks:
            self._remarks.append(line)

    def _failed(self, error: FailedWorkError, cue: Cue, instead: str) -> None:
        self._remarks.append(_failed(error, cue, self._track.time_base, instead))

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


def _complete(cue: Cue, stream: Synthesis) -> Cue:
    """The cue with all parameters of synthesis that hold for it."""
    return replace(cue, synthesis=stream.overridden_by(cue.synthesis))


def _failed(error: FailedWorkError, cue: Cue, time_base: Fraction, instead: str) -> str:
    start_s = float(cue.span.start * time_base)
    return f"{error}; what is at {start_s:.1f} s {instead}"
