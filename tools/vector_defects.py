"""The invalid conformance vectors, named after their defect, with words of the error they cause."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from itertools import count

from vector_streams import AUDIO, BOTH, DEFLATED, LOOK, PLAIN, VECTORS, VIDEO

from mmcodec.bitstream.fields import varint
from mmcodec.bitstream.packets import (
    END_PACKET,
    Control,
    CueType,
    checked,
    control_packet,
    cue_packet,
)
from mmcodec.bitstream.syntax import StreamHeader, header_bytes
from mmcodec.entropy.text import decode_text
from mmcodec.errors import BitstreamError

WHOLE = VECTORS["look"].data
"""Header of 6 bytes, head of 3, payload of 11, checksum, end."""
_CUT = "cut short"
_CHECKSUM = "checksum does not match"
_LONG_VARINT = b"\xff" * 5


@dataclass(frozen=True)
class Defect:
    """An invalid stream and what the message about it says."""

    data: bytes
    words: str


def header(data: str, words: str, *numbers: int) -> Defect:
    """A stream with nothing but a header, after its signature: bytes in hex, then varints."""
    start = b"\xb5\x61" + bytes.fromhex(data) + b"".join(map(varint, numbers))
    return Defect(checked(start) + END_PACKET, words)


def packets(data: bytes, words: str, start: StreamHeader = BOTH) -> Defect:
    """Packets behind a good header."""
    return Defect(checked(header_bytes(start)) + data + END_PACKET, words)


def prompt(code: bytes, words: str, start: StreamHeader = VIDEO) -> Defect:
    """A shot whose prompt has this code."""
    return packets(cue_packet(CueType.SHOT, True, 48, bytes([len(code)]) + code), words, start)


def deflated(data: bytes) -> bytes:
    """DEFLATE without a dictionary."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


def refused() -> bytes:
    """The first of some noise that the text model refuses."""
    for number in count():
        code = hashlib.sha256(bytes([number])).digest()
        try:
            decode_text(code)
        except BitstreamError:
            break
    return code


def flipped(data: bytes, at: int) -> bytes:
    """``data`` with one bit changed."""
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def gap(track: int, ticks: int) -> bytes:
    """A gap packet."""
    return control_packet(Control.GAP, varint(track) + varint(ticks))


def clock(video: int, audio: int) -> bytes:
    """A packet that says the time on both tracks."""
    return control_packet(Control.CLOCK, varint(video) + varint(audio))


def head(access_and_type: int, duration: bytes, length: bytes) -> bytes:
    """A head whose duration and length follow."""
    return bytes([access_and_type, 0, 0]) + duration + length


DEFECTS = {
    "no-bytes": Defect(b"", "it is empty"),
    "signature": Defect(b"\x00\x00\x00\x18ftypisom", "not an mmcodec stream"),
    "version": Defect(flipped(WHOLE, 1), "needs a newer mmcodec"),
    "photograph-empty": Defect(bytes.fromhex("b56234"), _CUT),
    "photograph-damaged": Defect(bytes.fromhex("b562344001020304"), "the photograph is damaged"),
    "photograph-text-coder-unknown": Defect(bytes.fromhex("b562544000"), "text coder 2 needs"),
    "photograph-raster-too-large": Defect(bytes.fromhex("b56220818001800100"), "width is 16385"),
    "note-empty": Defect(bytes.fromhex("b563220a"), _CUT),
    "note-damaged": Defect(bytes.fromhex("b563220a400102"), "the note is damaged"),
    "note-without-duration": Defect(bytes.fromhex("b56322004000"), "duration is 0"),
    "note-too-long": Defect(bytes.fromhex("b56322b9174000"), "duration is 3001"),
    "note-sample-rate-too-low": Defect(bytes.fromhex("b56320e7070a4000"), "sample rate is 999"),
    "text-coder-unknown": header("410100", "text coder 2 needs a newer mmcodec"),
    "header-checksum": Defect(flipped(WHOLE, 5), "the header is damaged"),
    "cut-in-header": Defect(WHOLE[:4], _CUT),
    "cut-in-head": Defect(WHOLE[:8], _CUT),
    "cut-in-payload": Defect(WHOLE[:14], _CUT),
    "cut-before-checksum": Defect(WHOLE[:-2], _CUT),
    "no-end": Defect(WHOLE[:-1], _CUT),
    "bytes-after-end": Defect(WHOLE + b"\x00", "goes on after its end"),
    "no-track": header("2000", "no track"),
    "width-zero": header("210001", "width is 0", 0, 1),
    "width-too-large": header("210001", "width is 16385", 16_385, 1),
    "raster-too-large": header("210001", "too large", 16_384, 1025),
    "frame-rate-zero": header("210100", "frame rate is 0", 0, 1),
    "frame-rate-by-zero": header("210100", "denominator is 0", 24, 0),
    "frame-rate-too-high": header("210100", "frame rate of 241", 241, 1),
    "frame-rate-too-low": header("210100", "frame rate of 0.5", 1, 2),
    "sample-rate-too-low": header("2200", "sample rate is 999", 999),
    "sample-rate-too-high": header("2200", "sample rate is 192001", 192_001),
    "header-fields-too-long": header("310101", "length of the parameters is 4097", 4097),
    "parameter-steps-zero": Defect(
        checked(bytes.fromhex("b5613101010214") + b"\x00") + END_PACKET, "steps is 0"
    ),
    "parameter-over-end": Defect(
        checked(bytes.fromhex("b561310101030509") + b"d") + END_PACKET, "over the end"
    ),
    "parameter-not-utf-8": Defect(
        checked(bytes.fromhex("b561310101040502") + b"\xff\xfe") + END_PACKET, "no text"
    ),
    "number-too-long": Defect(b"\xb5\x61\x21\x00\x01" + _LONG_VARINT, "too long an integer"),
    "cue-checksum": Defect(flipped(WHOLE, 12), _CHECKSUM),
    "second-cue-checksum": packets(PLAIN + flipped(PLAIN, 3), _CHECKSUM),
    "gap-checksum": packets(flipped(gap(1, 24), 3), _CHECKSUM),
    "gap-of-nothing": packets(gap(1, 0), "gap is 0"),
    "gap-too-long": packets(gap(1, 1441), "gap is 1441"),
    "gaps-in-a-row-too-long": packets(gap(1, 1000) + gap(1, 441), "gap is 441"),
    "gap-on-unknown-track": packets(gap(3, 1), "track is 3"),
    "gap-on-missing-track": packets(gap(2, 1), "track that the stream has not", VIDEO),
    "gap-without-ticks": packets(control_packet(Control.GAP, b"\x01"), "over the end"),
    "clock-goes-back": packets(PLAIN + clock(0, 0), "clock goes back"),
    "clock-far-ahead": packets(clock(1441, 0), "far ahead"),
    "clock-after-gap-far-ahead": packets(gap(1, 1000) + clock(1441, 0), "far ahead"),
    "clock-without-time": packets(control_packet(Control.CLOCK, b"\x00"), "over the end"),
    "control-packet-too-long": packets(b"\x2a" + varint((1 << 20) + 1), "length of a packet"),
    "shot-without-pictures": packets(PLAIN, "track that the stream has not", AUDIO),
    "segment-without-sound": packets(
        cue_packet(CueType.SEGMENT, True, 50, b"\x00"), "track that the stream has not", VIDEO
    ),
    "duration-zero": packets(head(0x60, varint(0), varint(1)), "duration is 0"),
    "duration-too-long": packets(cue_packet(CueType.SHOT, True, 1441, b"\x00"), "too long"),
    "payload-empty": packets(head(0x60, varint(24), varint(0)), "length of a packet is 0"),
    "payload-too-long": packets(
        head(0x60, varint(24), varint((1 << 20) + 1)), "length of a packet is 1048577"
    ),
    "shot-layer-unknown": packets(
        cue_packet(CueType.SHOT, True, 48, b"\x80" + LOOK), "descriptor of unknown kind"
    ),
    "prompt-over-end": packets(cue_packet(CueType.SHOT, True, 48, b"\x05abcd"), "over the end"),
    "layer-over-end": packets(cue_packet(CueType.SHOT, True, 48, b"\x3f\x02\x0bl"), "over the end"),
    "layer-without-length": packets(
        cue_packet(CueType.SHOT, True, 48, b"\x3f\x02"), "over the end"
    ),
    "prompt-damaged": prompt(refused(), "does not end where it should"),
    "prompt-not-deflate": prompt(b"\x06\xff", "a prompt is damaged", DEFLATED),
    "prompt-cut": prompt(deflated(b"A red car.")[:-2], "cut short or too long", DEFLATED),
    "prompt-with-bytes-after": prompt(
        deflated(b"A red car.") + b"!", "cut short or too long", DEFLATED
    ),
    "prompt-not-utf-8": prompt(deflated(b"\xff\xfe"), "a prompt is damaged", DEFLATED),
    "prompt-too-long": prompt(deflated(bytes(16_385)), "cut short or too long", DEFLATED),
}
