"""Write a stream, packet by packet, to anything that takes bytes."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from mmcodec.bitstream.packets import END_PACKET, FRAMING, HEADER, RANDOM_ACCESS, CuePacket, packet
from mmcodec.bitstream.syntax import SIGNATURE, PacketType, StreamHeader, cue_body, header_body
from mmcodec.timeline import Cue, TrackKind

_TYPES = {TrackKind.VIDEO: PacketType.SHOT, TrackKind.AUDIO: PacketType.SEGMENT}


class ByteSink(Protocol):
    """What a stream is written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class StreamWriter:
    """Writes the header at once, then cues in the order given, then :meth:`close`.

    ``account`` counts the bytes written, by name.
    """

    def __init__(self, sink: ByteSink, header: StreamHeader) -> None:
        self._sink = sink
        self._ends = dict.fromkeys(TrackKind, 0)
        start = SIGNATURE + packet(PacketType.HEADER, header_body(header))
        self.account = Counter({HEADER: len(start)})
        sink.write(start)

    def write(self, cue: Cue) -> CuePacket:
        """Write one cue; those of a track must not overlap or go back in time."""
        body, layer_bytes = cue_body(cue, self._ends[cue.track])
        data = packet(_TYPES[cue.track], body, RANDOM_ACCESS)
        self._ends[cue.track] = cue.span.end
        self._sink.write(data)
        written = CuePacket(cue, len(data), layer_bytes)
        self.account += written.account()
        return written

    def close(self) -> None:
        """Write the end packet, by which a reader knows that nothing is missing."""
        self._sink.write(END_PACKET)
        self.account[FRAMING] += len(END_PACKET)
