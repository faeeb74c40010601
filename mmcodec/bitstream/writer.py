"""Write a stream, packet by packet, to anything that takes bytes."""

from __future__ import annotations

from collections import Counter, deque
from typing import Protocol

from mmcodec.bitstream.fields import varint
from mmcodec.bitstream.packets import (
    END_PACKET,
    FRAMING,
    HEADER,
    MAX_CUE_S,
    Control,
    CuePacket,
    CueType,
    checked,
    control_packet,
    cue_packet,
)
from mmcodec.bitstream.parameters import parameters_bytes
from mmcodec.bitstream.syntax import (
    CONTEXT_PROMPTS,
    PICTURE_SPAN,
    Payload,
    StreamHeader,
    header_bytes,
    is_note,
    is_picture,
    note_header_bytes,
    payload_bytes,
    picture_header_bytes,
    time_base_of,
)
from mmcodec.entropy.text import encode_text
from mmcodec.timeline import Cue, Layer, Prompt, Segment, TrackKind

TYPES = {TrackKind.VIDEO: CueType.SHOT, TrackKind.AUDIO: CueType.SEGMENT}
RANDOM_ACCESS_S = 20
"""Seconds of video (or of sound, without video) between random access points."""


class ByteSink(Protocol):
    """What a stream is written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class StreamWriter:
    """Writes the header at once (of a photograph: with its cue), then cues in the order given, then
    :meth:`close`.

    With ``single`` only one cue comes: of sound it is written as a note, in fewer bytes.
    ``account`` counts the bytes written, by name.
    """

    def __init__(self, sink: ByteSink, header: StreamHeader, *, single: bool = False) -> None:
        self._sink = sink
        self._header = header
        self._ends = dict.fromkeys(TrackKind, 0)
        self._context: deque[str] = deque(maxlen=CONTEXT_PROMPTS)
        self._next_access = 0.0
        self._started = self._whole = False
        self._single = single
        self.account: Counter[str] = Counter()
        if not (single or is_picture(header, Cue(PICTURE_SPAN, Prompt("")))):
            self._start()

    def write(self, cue: Cue, *, restart: bool = False) -> CuePacket:
        """Write one cue; those of a track must not overlap or go back in time.

        With ``restart`` a reader can begin before this cue, though it has read only the header:
        a clock packet tells it the time.
        """
        if not self._started and is_picture(self._header, cue):
            return self._alone(picture_header_bytes(self._header), cue)
        if not self._started and self._single and is_note(self._header, cue):
            return self._alone(note_header_bytes(self._header, cue.span.duration), cue)
        self._start()
        end = self._ends[cue.track]
        if self._whole:
            raise ValueError("a photograph, and a note, is all of its stream")
        if cue.span.start < end:
            raise ValueError(f"cue at {cue.span.start} overlaps the one before, to {end}")
        time_base = time_base_of(self._header, cue.track)
        if time_base is None:
            raise ValueError(f"the stream has no {cue.track.name.lower()} track")
        if max(cue.span.start - end, cue.span.duration) > MAX_CUE_S / time_base:
            raise ValueError(f"cue at {cue.span.start} is over {MAX_CUE_S} s long, or late")
        data = control_packet(Control.CLOCK, self._clock()) if restart else b""
        if cue.span.start > end:
            body = varint(cue.track) + varint(cue.span.start - end)
            data += control_packet(Control.GAP, body)
        access = self._is_access(cue, float(cue.span.start * time_base), restart)
        if access:
            self._context.clear()
        layers, payload = self._coded(cue)
        data += cue_packet(TYPES[cue.track], access, cue.span.duration, payload)
        if cue.prompt.text:
            self._context.append(cue.prompt.text)
        self._ends[cue.track] = cue.span.end
        self._sink.write(data)
        return self._accounted(CuePacket(cue, len(data), layers))

    def close(self) -> None:
        """Write the end packet, by which a reader knows that nothing is missing."""
        self._start()
        if not self._whole:
            self._sink.write(END_PACKET)
            self.account[FRAMING] += len(END_PACKET)

    def _start(self) -> None:
        """Write the header, once."""
        if not self._started:
            start = checked(header_bytes(self._header))
            self._sink.write(start)
            self.account[HEADER] = len(start)
            self._started = True

    def _alone(self, start: bytes, cue: Cue) -> CuePacket:
        """Write the cue that is all of the stream after its header."""
        layers, payload = self._coded(cue)
        data = checked(start + payload)
        self._sink.write(data)
        self._started = self._whole = True
        self.account[HEADER] = len(start)
        return self._accounted(CuePacket(cue, len(data) - len(start), layers))

    def _coded(self, cue: Cue) -> tuple[dict[Layer, int], bytes]:
        """The bytes of each layer, and the payload."""
        prompt = encode_text(cue.prompt.text, self._context, self._header.text_coder)
        parameters = parameters_bytes({cue.track: cue.synthesis})
        layers = {
            **({Layer.PROMPT: prompt} if prompt else {}),
            **cue.descriptors,
            **({Layer.PARAMETERS: parameters} if parameters else {}),
        }
        kind = cue.span.kind if isinstance(cue.span, Segment) else None
        sizes = {layer: len(code) for layer, code in layers.items()}
        return sizes, payload_bytes(Payload(layers, kind))

    def _clock(self) -> bytes:
        """The time on each track that the stream has."""
        ends = (end for track, end in self._ends.items() if time_base_of(self._header, track))
        return b"".join(map(varint, ends))

    def _accounted(self, packet: CuePacket) -> CuePacket:
        self.account += packet.account()
        return packet

    def _is_access(self, cue: Cue, start_s: float, wanted: bool) -> bool:
        """Whether ``cue`` starts a random access point: at the start, every 20 s, and where it is
        ``wanted``.
        """
        main = TrackKind.VIDEO if self._header.video else TrackKind.AUDIO
        first = not any(self._ends.values())
        if not (first or wanted) and (cue.track is not main or start_s < self._next_access):
            return False
        self._next_access = start_s + RANDOM_ACCESS_S
        return True
