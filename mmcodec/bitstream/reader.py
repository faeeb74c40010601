"""Read a stream, packet by packet, from a file or a pipe that need not seek."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from mmcodec.bitstream.fields import MAX_VARINT_BYTES
from mmcodec.bitstream.packets import (
    CHECKSUM_BYTES,
    END_PACKET,
    FRAMING,
    HEADER,
    TYPE_MASK,
    CuePacket,
    checksum,
)
from mmcodec.bitstream.syntax import (
    MAX_BODY_BYTES,
    SIGNATURE,
    PacketType,
    StreamHeader,
    parse_cue,
    parse_header,
    time_base_of,
)
from mmcodec.errors import BitstreamError, TruncatedStreamError
from mmcodec.timeline import TrackKind

_TRACKS = {PacketType.SHOT: TrackKind.VIDEO, PacketType.SEGMENT: TrackKind.AUDIO}


class ByteSource(Protocol):
    """What a stream is read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class StreamReader:
    """Reads the header at once; :meth:`cues` gives the rest as it comes.

    ``account`` counts the bytes read, by name; packets of unknown type count as framing.

    Raises:
        BitstreamError: it is no ``.mmc`` stream, or its header is damaged.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._offset = 0
        self._ends = dict.fromkeys(TrackKind, 0)
        if self._take(len(SIGNATURE)) != SIGNATURE:
            raise BitstreamError("not an mmcodec stream (it does not start with 'mmc')")
        kind, body, at = self._packet()
        if kind != PacketType.HEADER:
            raise BitstreamError("the stream does not start with its header", len(SIGNATURE))
        self.header: StreamHeader = parse_header(body, at)
        self.account = Counter({HEADER: self._offset})

    def cues(self) -> Iterator[CuePacket]:
        """The cues in stream order.

        Raises:
            TruncatedStreamError: the stream ends before its end packet.
            BitstreamError: a packet is damaged.
        """
        while True:
            start = self._offset
            kind, body, at = self._packet()
            size = self._offset - start
            track = _TRACKS.get(PacketType(kind)) if kind in set(PacketType) else None
            if track is None:
                self.account[FRAMING] += size
                if kind == PacketType.END:
                    return
                continue
            received = self._cue(track, body, at, size)
            self.account += received.account()
            yield received

    def _cue(self, track: TrackKind, body: bytes, at: int, size: int) -> CuePacket:
        time_base = time_base_of(self.header, track)
        if time_base is None:
            raise BitstreamError("a cue belongs to a track that the stream has not", at)
        cue, layer_bytes = parse_cue(track, body, at, self._ends[track], time_base)
        self._ends[track] = cue.span.end
        return CuePacket(cue, size, layer_bytes)

    def _packet(self) -> tuple[int, bytes, int]:
        """Type, body and place of the body of the next packet, its checksum verified."""
        start = self._offset
        framed = bytearray(self._take(1))
        length = shift = 0
        for _ in range(MAX_VARINT_BYTES):
            framed += self._take(1)
            length |= (framed[-1] & 0x7F) << shift
            shift += 7
            if framed[-1] < 0x80:
                break
        if length > MAX_BODY_BYTES:
            raise BitstreamError("a packet is longer than the format allows", start)
        at = self._offset
        body = self._take(length + CHECKSUM_BYTES)
        body, expected = body[:length], body[length:]
        if checksum(bytes(framed) + body) != expected:
            raise BitstreamError("a packet is damaged (its checksum does not match)", start)
        return framed[0] & TYPE_MASK, body, at

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._source.read(count - len(data))
            if not more:
                raise self._cut(data)
            data += more
        self._offset += count
        return data

    def _cut(self, rest: bytes) -> BitstreamError:
        """Why the stream ended too early: it was cut, or a damaged length runs over its end."""
        end = self._offset + len(rest)
        if rest.endswith(END_PACKET):
            return BitstreamError("a packet is damaged (its length is wrong)", self._offset)
        if self._offset < len(SIGNATURE):
            return BitstreamError("not an mmcodec stream (it does not start with 'mmc')")
        return TruncatedStreamError("the stream is cut short", end)
