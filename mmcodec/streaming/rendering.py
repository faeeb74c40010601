"""Render a stream as it arrives: its sound always in time, its picture as far as there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import BitstreamError, MediaError
from mmcodec.media.feeds import Picture, Sound
from mmcodec.media.mux import MediaWriter
from mmcodec.pipeline.decoder import Decoder
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.streaming.receiver import Arrival
from mmcodec.timeline import Cue, Prompt, Timeline, TrackKind

_LATE_S = 0.25
"""A shot whose rendering would end so much after its time is not rendered."""
_JUMP_S = 15.0
"""A cue that begins so far from the end of the one before belongs to another time; one after a lost
segment does not.
"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A cue that is in the output now; ``held`` tells that there was no time to render it."""

    packet: CuePacket
    rate: str
    start_s: float
    end_s: float
    held: bool


class Renderer:
    """Writes what arrives as media to ``target``; the tracks are those of the first header.

    With ``in_time``, the output is played as it comes: a shot whose time is over is not rendered.
    """

    def __init__(
        self,
        target: Path | BinaryIO,
        suffix: str,
        settings: DecodeSettings,
        in_time: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target, self._suffix, self._settings = target, suffix, settings
        self._in_time, self._clock = in_time, clock
        self._began_at: float | None = None
        self._pace = 0.0
        """Seconds that a second of picture took to be rendered, at the last shot."""
        self._decoder: Decoder | None = None
        self.media: MediaWriter | None = None
        self.header: StreamHeader | None = None
        self._shown: Picture | None = None
        self._reached: dict[TrackKind, float] = {}
        self.origin_s = 0.0
        """When in the stream the output would have begun, had it been in one piece."""
        self.busy_s = 0.0
        """Seconds spent on rendering."""
        self.remarks: list[str] = []

    def render(self, arrival: Arrival) -> Iterator[Rendered]:
        """Render the cues of a segment as they come in."""
        try:
            reader = StreamReader(arrival.stream, conceal=True, joining=True)
        except BitstreamError as error:
            self.remarks.append(f"segment {arrival.number}: {error}")
            return
        with suppress(BitstreamError):  # cut short, or lost: the next one goes on after it
            for packet in reader.cues():
                yield self._cue(reader.header, packet, arrival.rate)
        self.remarks += [f"segment {arrival.number}: {one}" for one in reader.damage]

    def close(self) -> float:
        """Finish the output; its seconds."""
        if self.media is None:
            return 0.0
        self.media.close()
        return self.media.seconds

    @property
    def seconds(self) -> float:
        """Of media in the output."""
        return self.media.seconds if self.media else 0.0

    @property
    def played_s(self) -> float:
        """How far one who plays the output from its first bytes on is by now."""
        return self._clock() - self._began_at if self._began_at is not None else 0.0

    def _cue(self, header: StreamHeader, packet: CuePacket, rate: str) -> Rendered:
        start, end = Timeline(header.video, header.audio).seconds(packet.cue.span)
        decoder, media = self._opened(header, packet.cue.track, float(start))
        held = self._is_late(packet.cue, float(start), float(end))
        if held:
            packet = replace(packet, cue=Cue(packet.cue.span, Prompt("")), lost=True)
        began = self._clock()
        for item in decoder.decode(packet):
            if isinstance(item, Picture):
                media.picture(item.pixels)
                self._shown = item
            elif isinstance(item, Sound):
                media.sound(item.samples)
        self._reached[packet.cue.track] = float(end)
        took_s = self._clock() - began
        self.busy_s += took_s
        if packet.cue.track is TrackKind.VIDEO and not held:
            self._pace = took_s / float(end - start)
        if self._began_at is None and media.seconds:
            self._began_at = self._clock()
        origin = Fraction(self.origin_s)
        if end > origin:
            text = packet.cue.prompt.text
            media.prompt(packet.cue.track, max(start - origin, Fraction(0)), end - origin, text)
        return Rendered(packet, rate, float(start), float(end), held)

    def _opened(
        self, header: StreamHeader, track: TrackKind, start_s: float
    ) -> tuple[Decoder, MediaWriter]:
        """What decodes and writes: from the first cue on, and anew where the time jumps, as it does
        when a receiver goes on at the live edge, or a stream begins anew.
        """
        if self.media is None:
            self.media = MediaWriter(self._target, self._suffix, header.video, header.audio)
            self.header = header
        if header != self.header:
            raise MediaError("the stream has begun anew with other tracks; play it again")
        if self._decoder is None or abs(start_s - self._reached.get(track, start_s)) > _JUMP_S:
            self._reached.clear()
            self._level(self.media, header)
            self.origin_s = start_s - self.seconds
            self._decoder = Decoder(header, replace(self._settings, start_s=start_s))
        return self._decoder, self.media

    def _level(self, media: MediaWriter, header: StreamHeader) -> None:
        """Let both tracks end together: hold the picture, or be silent."""
        if header.video is None or header.audio is None or self._shown is None:
            return
        missing_s = media.picture_seconds - media.sound_seconds
        for _ in range(round(-missing_s * header.video.frame_rate)):
            media.picture(self._shown.pixels)
        silent = max(round(missing_s * header.audio.sample_rate), 0)
        media.sound(np.zeros((silent, header.audio.channels), np.float32))

    def _is_late(self, cue: Cue, start_s: float, end_s: float) -> bool:
        """Whether a shot would be over before it is rendered, at the pace of the last."""
        if not self._in_time or cue.track is not TrackKind.VIDEO or self._began_at is None:
            return False
        ready_s = self.played_s + self._pace * (end_s - start_s)
        return ready_s - (end_s - self.origin_s) > _LATE_S
