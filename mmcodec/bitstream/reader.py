"""Read a stream, packet by packet, from a file or a pipe that need not seek."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from mmcodec.bitstream.fields import MAX_VARINT_BYTES, FieldReader
from mmcodec.bitstream.packets import (
    FRAMING,
    HEADER,
    LONGEST_HEAD,
    MAX_CUE_S,
    MAX_PAYLOAD_BYTES,
    Control,
    CuePacket,
    CueType,
    Head,
    checksum,
    is_control,
    read_head,
    read_length,
)
from mmcodec.bitstream.parameters import parse_parameters
from mmcodec.bitstream.resync import Search, claimed_end
from mmcodec.bitstream.syntax import (
    CONTEXT_PROMPTS,
    Form,
    StreamHeader,
    parse_header,
    parse_payload,
    time_base_of,
)
from mmcodec.entropy.text import decode_text
from mmcodec.errors import BitstreamError, TruncatedStreamError
from mmcodec.timeline import (
    NO_SYNTHESIS,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    TrackKind,
)

_MAX_HEADER_BYTES = 1 << 13
_MAX_TICKS = (1 << 35) - 1
_MOST_PASSED = 1 << 10
"""Prompts that are kept undecoded."""
_TRACKS: dict[int, TrackKind] = {
    CueType.SHOT: TrackKind.VIDEO,
    CueType.SEGMENT: TrackKind.AUDIO,
}


class ByteSource(Protocol):
    """What a stream is read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class _Input:
    """A source with the place in it; what has been read of a packet can be given back."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._ahead = bytearray()
        self._packet = bytearray()
        self.offset = 0

    def ahead(self, count: int) -> bytearray:
        """What comes next, not taken: at least ``count`` bytes if there are so many."""
        while len(self._ahead) < count:  # a pipe may hand out a large packet in tiny parts
            more = self._source.read(count - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead

    def take(self, count: int) -> bytes:
        data = bytes(self.ahead(count)[:count])
        if len(data) < count:
            raise TruncatedStreamError("the stream is cut short", self.offset + len(data))
        del self._ahead[:count]
        self._packet += data
        self.offset += count
        return data

    def varint(self, name: str, low: int, high: int) -> int:
        data = self.take(1)
        while data[-1] & 0x80 and len(data) < MAX_VARINT_BYTES:
            data += self.take(1)
        return FieldReader(data, self.offset - len(data)).varint(name, low, high)

    def begin(self) -> None:
        """A packet starts here."""
        self._packet.clear()

    def give_back(self) -> None:
        """Go back to where the packet started."""
        self._ahead[:0] = self._packet
        self.offset -= len(self._packet)
        self._packet.clear()

    def rest(self, most: int) -> bytes:
        """All that comes, but for the last byte."""
        size = len(self.ahead(most + 2))
        if size > most + 1:
            raise BitstreamError("a photograph, or a note, is too long", self.offset)
        return self.take(max(size - 1, 1))

    def finish(self) -> None:
        if self.ahead(1):
            raise BitstreamError(
                "a packet is damaged (the stream goes on after its end)", self.offset
            )

    def check(self, what: str) -> None:
        expected, start = checksum(self._packet), self.offset - len(self._packet)
        if self.take(1) != expected:
            raise BitstreamError(f"{what} is damaged (its checksum does not match)", start)


class StreamReader:
    """Reads the header at once; :meth:`cues` gives the rest as it comes.

    ``account`` counts the bytes read, by name; packets of unknown type count as framing.
    With ``conceal``, :meth:`cues` goes on after a damaged packet where it can: the packet comes
    as a lost one if its head tells its time, and ``damage`` says what was wrong. Prompts that
    were coded after a lost one stay unknown, and empty, until the next random access point.
    With ``joining``, what follows the header need not be the start of the stream: the time is that
    of a clock packet before the first cue.

    Raises:
        BitstreamError: it is no ``.mmc`` stream, or its header is damaged.
    """

    def __init__(self, source: ByteSource, *, conceal: bool = False, joining: bool = False) -> None:
        self._input = _Input(source)
        self._joining = joining
        self._conceal = conceal
        self._search = Search(self._input.ahead)
        self._context_lost = self._ended = False
        self._ends = dict.fromkeys(TrackKind, 0)
        self._gaps = dict.fromkeys(TrackKind, 0)
        self._context: deque[str] = deque(maxlen=CONTEXT_PROMPTS)
        self._passed: list[bytes] = []
        self._prompts_from_s = 0.0
        self.damage: list[str] = []
        self._form, self.header, self._duration = self._read_header()
        self.account = Counter({HEADER: self._input.offset})

    def cues(self, prompts_from_s: float = 0.0) -> Iterator[CuePacket]:
        """The cues in stream order.

        Prompts of cues that end before ``prompts_from_s`` seconds come empty. They are decoded
        only where a later one needs them, so that what comes before a place is passed over fast.

        Raises:
            TruncatedStreamError: the stream ends before its end packet.
            BitstreamError: a packet is damaged, and with ``conceal`` no other follows it.
        """
        self._prompts_from_s = prompts_from_s
        if self._form is not Form.STREAM and not self._ended:
            alone = self._alone()
            self.account += alone.account()
            yield alone
        while not self._ended:
            self._input.begin()
            try:
                received = self._packet()
            except BitstreamError as error:
                if not self._conceal:
                    raise
                received = self._lost(error)
            if received:
                self.account += received.account()
                yield received

    def _packet(self) -> CuePacket | None:
        """The next packet; None if it holds no cue that is known."""
        start = self._input.offset
        first = self._input.take(1)[0]
        received = None
        if first == Control.END:
            self._input.finish()
            self._ended = True
        elif is_control(first):
            self._control(first)
        else:
            received = self._cue(read_head(first, self._input), start)
        if received is None:
            self.account[FRAMING] += self._input.offset - start
        return received

    def _lost(self, error: BitstreamError) -> CuePacket | None:
        """Pass over a packet that is damaged; its time is that of its head, if that can be."""
        self._input.give_back()
        start = self._input.ahead(LONGEST_HEAD)
        skipped = self._search.next_packet(claimed_end(start, 0))
        if skipped is None:
            raise error
        self.damage.append(str(error))
        self._context_lost = True
        fields = FieldReader(self._input.take(skipped), self._input.offset - skipped)
        with suppress(BitstreamError):
            return CuePacket(self._lost_cue(fields), skipped, {}, lost=True)
        self.account[FRAMING] += skipped
        return None

    def _lost_cue(self, fields: FieldReader) -> Cue:
        head = read_head(fields.take(1)[0], fields)
        track = _TRACKS.get(head.kind)
        if track is None or head.duration > self._most_ticks(track, fields.offset):
            raise BitstreamError("a packet is damaged, and its time is lost", fields.offset)
        kind = SegmentKind.SILENCE if track is TrackKind.AUDIO else None
        return Cue(self._span(head.duration, kind), Prompt(""))

    def _read_header(self) -> tuple[Form, StreamHeader, int]:
        """The header is not framed: its bytes are read as its fields ask for them."""
        try:
            form, header, duration = parse_header(_StreamFields(self._input))
        except TruncatedStreamError as error:
            if self._input.offset == 0:
                raise BitstreamError("not an mmcodec stream (it is empty)") from error
            raise
        if form is Form.STREAM:
            self._input.check("the header")
        return form, header, duration

    def _alone(self) -> CuePacket:
        """The cue that is all of the stream; the checksum is that of the header, too."""
        at = self._input.offset
        payload = self._input.rest(MAX_PAYLOAD_BYTES)
        self._input.check("the photograph" if self.header.video else "the note")
        self._ended = True
        track = TrackKind.VIDEO if self.header.video else TrackKind.AUDIO
        return self._received(track, payload, at, self._duration, at)

    def _control(self, code: int) -> None:
        """A control packet: a gap moves the clock of a track, a clock packet says what it should
        be, others are skipped.
        """
        length = read_length(self._input, 0)
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
        elif code == Control.CLOCK:
            self._clock(FieldReader(body, at))

    def _clock(self, fields: FieldReader) -> None:
        for track in TrackKind:
            if time_base_of(self.header, track) is None:
                continue
            time = fields.varint("clock", 0, _MAX_TICKS)
            if not self._joining:  # a few bytes must not stand for hours of silence here, either
                gap = time - self._ends[track]
                if not 0 <= gap <= self._most_ticks(track, fields.offset) - self._gaps[track]:
                    raise BitstreamError("a clock goes back, or is far ahead", fields.offset)
                self._gaps[track] += gap
            self._ends[track] = time
        ends = [self._end_s(t) for t in TrackKind if time_base_of(self.header, t)]
        if max(ends) - min(ends) > MAX_CUE_S:
            raise BitstreamError("the tracks of a clock are far apart", fields.offset)
        self._joining = False

    def _cue(self, head: Head, start: int) -> CuePacket | None:
        at = self._input.offset
        payload = self._input.take(head.length)
        self._input.check("a packet")
        self._joining = False
        track = _TRACKS.get(head.kind)
        if track is None:
            return None
        if head.duration > self._most_ticks(track, at):
            raise BitstreamError(f"a cue lasts {head.duration} ticks, too long", at)
        if head.random_access:
            self._context.clear()
            self._passed.clear()
            self._context_lost = False
        return self._received(track, payload, at, head.duration, start)

    def _received(
        self, track: TrackKind, payload: bytes, at: int, duration: int, start: int
    ) -> CuePacket:
        """The cue of a payload that lies at ``at``, in a packet that starts at ``start``."""
        content = parse_payload(track, FieldReader(payload, at))
        parameters = FieldReader(content.layers.get(Layer.PARAMETERS, b""), at)
        synthesis = parse_parameters(parameters).get(track, NO_SYNTHESIS)
        span = self._span(duration, content.kind)
        prompt = self._prompt(content.layers.get(Layer.PROMPT, b""), self._end_s(track))
        descriptors: dict[Layer, bytes] = {**content.layers}
        descriptors.pop(Layer.PROMPT, None)
        descriptors.pop(Layer.PARAMETERS, None)
        sizes = {layer: len(data) for layer, data in content.layers.items()}
        cue = Cue(span, prompt, descriptors, synthesis)
        return CuePacket(cue, self._input.offset - start, sizes)

    def _prompt(self, data: bytes, end_s: float) -> Prompt:
        if self._context_lost and self.header.text_coder:
            return Prompt("")
        self._passed.append(data)
        if end_s < self._prompts_from_s and len(self._passed) < _MOST_PASSED:
            return Prompt("")
        text = ""
        for code in self._passed:
            text = decode_text(code, self._context, self.header.text_coder)
            if text:
                self._context.append(text)
        self._passed.clear()
        return Prompt(text)

    def _end_s(self, track: TrackKind) -> float:
        return float(self._ends[track] * (time_base_of(self.header, track) or 0))

    def _span(self, duration: int, kind: SegmentKind | None) -> Shot | Segment:
        track = TrackKind.VIDEO if kind is None else TrackKind.AUDIO
        start = self._ends[track]
        self._ends[track] = end = start + duration
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
