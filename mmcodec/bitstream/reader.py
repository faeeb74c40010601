"""Read a stream, packet by packet, from a file or a pipe that need not seek."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mmcodec.bitstream.fields import MAX_VARINT_BYTES, FieldReader
from mmcodec.bitstream.packets import (
    DURATION_BITS,
    FRAMING,
    HEAD_BYTES,
    HEADER,
    LENGTH_BITS,
    MAX_CUE_S,
    MAX_PAYLOAD_BYTES,
    Control,
    CuePacket,
    CueType,
    checksum,
)
from mmcodec.bitstream.syntax import (
    CONTEXT_PROMPTS,
    StreamHeader,
    parse_header,
    parse_payload,
    time_base_of,
)
from mmcodec.entropy.text import decode_text
from mmcodec.errors import BitstreamError, TruncatedStreamError
from mmcodec.timeline import Cue, Layer, Prompt, Segment, SegmentKind, Shot, TrackKind

_MAX_HEADER_BYTES = 1 << 13
_TRACKS = {CueType.SHOT: TrackKind.VIDEO, CueType.SEGMENT: TrackKind.AUDIO}


class ByteSource(Protocol):
    """What a stream is read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class _Input:
    """A source with the place in it, and what has been read since the last checksum."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.offset = 0
        self.unchecked = b""

    def take(self, count: int) -> bytes:
        data = bytearray()  # a pipe may hand out a large packet in tiny parts
        while len(data) < count:
            more = self._source.read(count - len(data))
            if not more:
                raise TruncatedStreamError("the stream is cut short", self.offset + len(data))
            data += more
        self.offset += count
        self.unchecked += data
        return bytes(data)

    def varint(self, name: str, low: int, high: int) -> int:
        data = self.take(1)
        while data[-1] & 0x80 and len(data) < MAX_VARINT_BYTES:
            data += self.take(1)
        return FieldReader(data, self.offset - len(data)).varint(name, low, high)

    def finish(self) -> None:
        if self._source.read(1):
            raise BitstreamError(
                "a packet is damaged (the stream goes on after its end)", self.offset
            )

    def check(self, what: str) -> None:
        data, start = self.unchecked, self.offset - len(self.unchecked)
        if checksum(data) != self.take(1):
            raise BitstreamError(f"{what} is damaged (its checksum does not match)", start)
        self.unchecked = b""


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a cue packet."""

    track: TrackKind | None
    random_access: bool
    duration: int
    length: int


class StreamReader:
    """Reads the header at once; :meth:`cues` gives the rest as it comes.

    ``account`` counts the bytes read, by name; packets of unknown type count as framing.

    Raises:
        BitstreamError: it is no ``.mmc`` stream, or its header is damaged.
    """

    def __init__(self, source: ByteSource) -> None:
        self._input = _Input(source)
        self._ends = dict.fromkeys(TrackKind, 0)
        self._gaps = dict.fromkeys(TrackKind, 0)
        self._context: deque[str] = deque(maxlen=CONTEXT_PROMPTS)
        self.header = self._read_header()
        self.account = Counter({HEADER: self._input.offset})

    def cues(self) -> Iterator[CuePacket]:
        """The cues in stream order.

        Raises:
            TruncatedStreamError: the stream ends before its end packet.
            BitstreamError: a packet is damaged.
        """
        start = self._input.offset
        while True:
            first = self._input.take(1)[0]
            if first == Control.END:
                self.account[FRAMING] += self._input.offset - start
                self._input.finish()
                return
            if first >> 6 == 0:
                self._control(first)
                continue
            received = self._cue(first, start)
            if received is not None:
                self.account += received.account()
                start = self._input.offset
                yield received

    def _read_header(self) -> StreamHeader:
        """The header is not framed: its bytes are read as its fields ask for them."""
        try:
            header = parse_header(_StreamFields(self._input))
        except TruncatedStreamError as error:
            if self._input.offset == 0:
                raise BitstreamError("not an mmcodec stream (it is empty)") from error
            raise
        self._input.check("the header")
        return header

    def _control(self, code: int) -> None:
        """A control packet: a gap moves the clock of a track, others are skipped."""
        length = self._input.varint("the length of a packet", 0, MAX_PAYLOAD_BYTES)
        at = self._input.offset
        body = self._input.take(length)
        self._input.check("a packet")
        if code == Control.GAP:
            fields = FieldReader(body, at)
            track = TrackKind(fields.varint("track", 1, len(TrackKind)))
            # Gaps in a row add up: a few bytes must not stand for hours of silence.
            most = self._most_ticks(track, at) - self._gaps[track]
            gap = fields.varint("gap", 1, most)
            self._gaps[track] += gap
            self._ends[track] += gap

    def _cue(self, first: int, start: int) -> CuePacket | None:
        head = self._head(first)
        at = self._input.offset
        payload = self._input.take(head.length)
        self._input.check("a packet")
        if head.track is None:
            return None
        if not 1 <= head.duration <= self._most_ticks(head.track, at):
            raise BitstreamError(f"a cue lasts {head.duration} ticks, too long", at)
        if head.random_access:
            self._context.clear()
        content = parse_payload(head.track, FieldReader(payload, at))
        prompt = self._prompt(content.layers.get(Layer.PROMPT, b""))
        descriptors: dict[Layer, bytes] = {**content.layers}
        descriptors.pop(Layer.PROMPT, None)
        sizes = {layer: len(data) for layer, data in content.layers.items()}
        cue = Cue(self._span(head, content.kind), prompt, descriptors)
        return CuePacket(cue, self._input.offset - start, sizes)

    def _head(self, first: int) -> _Head:
        head = int.from_bytes(bytes([first]) + self._input.take(HEAD_BYTES - 1), "big")
        kind = head >> DURATION_BITS + LENGTH_BITS + 1
        access = bool(head >> DURATION_BITS + LENGTH_BITS & 1)
        duration = head >> LENGTH_BITS & (1 << DURATION_BITS) - 1
        length = head & (1 << LENGTH_BITS) - 1
        duration = duration or self._input.varint("duration", 1, (1 << 35) - 1)
        length = length or self._input.varint("the length of a packet", 1, MAX_PAYLOAD_BYTES)
        track = _TRACKS[CueType(kind)] if kind in set(CueType) else None
        return _Head(track, access, duration, length)

    def _prompt(self, data: bytes) -> Prompt:
        text = decode_text(data, self._context, self.header.text_coder)
        if text:
            self._context.append(text)
        return Prompt(text)

    def _span(self, head: _Head, kind: SegmentKind | None) -> Shot | Segment:
        track = TrackKind.VIDEO if kind is None else TrackKind.AUDIO
        start = self._ends[track]
        self._ends[track] = end = start + head.duration
        self._gaps[track] = 0
        return Shot(start, end) if kind is None else Segment(start, end, kind)

    def _most_ticks(self, track: TrackKind, at: int) -> int:
        time_base = time_base_of(self.header, track)
        if time_base is None:
            raise BitstreamError("a cue belongs to a track that the stream has not", at)
        return int(MAX_CUE_S / time_base)


class _StreamFields(FieldReader):
    """Fields read from a stream whose length is not known beforehand."""

    def __init__(self, source: _Input) -> None:
        super().__init__(b"", 0)
        self._source = source

    @property
    def offset(self) -> int:
        """Place of the next byte in the stream."""
        return self._source.offset

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count > _MAX_HEADER_BYTES:
            raise BitstreamError("the header is too long", self.offset)
        return self._source.take(count)
