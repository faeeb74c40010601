"""Byte layout of the header and of cues: dataclass to body and body to dataclass, no files.

A stream is the signature, then packets. A packet is a type byte, the body's length, the body and
a CRC-16 over all three. Readers skip packet types, descriptors and trailing header fields that
they do not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.entropy.text import TEXT_CODER, decode_text, encode_text
from mmcodec.errors import BitstreamError
from mmcodec.timeline import (
    AUDIO_TIME_BASE,
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    TrackKind,
    VideoTrack,
)

SIGNATURE = b"mmc"
VERSION = 1
MAX_SIDE = 1 << 14
MAX_PIXELS = 1 << 24
MAX_FRAME_RATE = 240
MAX_SAMPLE_RATE = 192_000
MAX_BODY_BYTES = 1 << 20
MAX_CUE_S = 60
"""A cue lasts, and follows the one before on its track after, at most this many seconds."""

_HAS_VIDEO, _HAS_AUDIO, _IS_STILL, _IS_STEREO = 1, 2, 4, 8


class PacketType(IntEnum):
    """What a packet is; the values never change their meaning."""

    HEADER = 1
    SHOT = 2
    SEGMENT = 3
    END = 4


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What holds for the whole stream."""

    video: VideoTrack | None
    audio: AudioTrack | None
    text_coder: int = TEXT_CODER


def header_body(header: StreamHeader) -> bytes:
    """Serialize ``header``."""
    video, audio = header.video, header.audio
    flags = (_HAS_VIDEO if video else 0) | (_HAS_AUDIO if audio else 0)
    flags |= _IS_STILL if video and video.still else 0
    flags |= _IS_STEREO if audio and audio.channels == 2 else 0
    fields = [VERSION, flags, header.text_coder]
    if video:
        rate = video.frame_rate
        fields += [video.width, video.height, rate.numerator, rate.denominator]
    if audio:
        fields.append(audio.sample_rate)
    return b"".join(map(varint, fields))


def parse_header(body: bytes, offset: int) -> StreamHeader:
    """Inverse of :func:`header_body`; fields of later versions behind the known ones are skipped.

    Raises:
        BitstreamError: a field is out of its range, or the version is a later one.
    """
    fields = FieldReader(body, offset)
    version = fields.varint("version")
    if version != VERSION:
        raise BitstreamError(f"version {version} needs a newer mmcodec", offset)
    flags = fields.varint("flags")
    text_coder = fields.varint("text coder", high=TEXT_CODER)
    video = _parse_video(fields, bool(flags & _IS_STILL)) if flags & _HAS_VIDEO else None
    audio = None
    if flags & _HAS_AUDIO:
        rate = fields.varint("sample rate", 1000, MAX_SAMPLE_RATE)
        audio = AudioTrack(rate, 2 if flags & _IS_STEREO else 1)
    if video is None and audio is None:
        raise BitstreamError("the stream has no track", offset)
    return StreamHeader(video, audio, text_coder)


def cue_body(cue: Cue, previous_end: int) -> tuple[bytes, dict[Layer, int]]:
    """Serialize ``cue``, which follows one on its track that ends at tick ``previous_end``.

    Returns the body and the bytes of each layer in it.
    """
    span = cue.span
    if span.start < previous_end:
        raise ValueError(f"cue at {span.start} overlaps the one before, to {previous_end}")
    parts = [varint(span.start - previous_end), varint(span.duration)]
    if isinstance(span, Segment):
        parts.insert(0, varint(span.kind))
    layers = {Layer.PROMPT: encode_text(cue.prompt.text), **cue.descriptors}
    sent = {layer: data for layer, data in layers.items() if data or layer != Layer.PROMPT}
    for layer, data in sent.items():
        parts += [varint(layer), varint(len(data)), data]
    return b"".join(parts), {layer: len(data) for layer, data in sent.items()}


def parse_cue(
    kind: TrackKind, body: bytes, offset: int, previous_end: int, time_base: Fraction
) -> tuple[Cue, dict[Layer, int]]:
    """Inverse of :func:`cue_body`: the cue and the bytes of each of its layers.

    Descriptors of unknown kind are skipped.

    Raises:
        BitstreamError: a field is out of its range.
    """
    fields = FieldReader(body, offset)
    segment_kind = SegmentKind.SILENCE
    if kind is TrackKind.AUDIO:
        segment_kind = SegmentKind(fields.varint("segment kind", high=max(SegmentKind)))
    most = int(MAX_CUE_S / time_base)
    start = previous_end + fields.varint("gap", high=most)
    end = start + fields.varint("duration", 1, most)
    layers = _parse_layers(fields)
    sizes = {layer: len(data) for layer, data in layers.items()}
    prompt = Prompt(decode_text(layers.pop(Layer.PROMPT, b"")))
    span = Segment(start, end, segment_kind) if kind is TrackKind.AUDIO else Shot(start, end)
    return Cue(span, prompt, layers), sizes


def _parse_layers(fields: FieldReader) -> dict[Layer, bytes]:
    layers: dict[Layer, bytes] = {}
    known = set(Layer)
    while not fields.at_end:
        layer = fields.varint("layer")
        data = fields.bytes(fields.varint("layer length", high=MAX_BODY_BYTES))
        if layer in known:
            layers[Layer(layer)] = data
    return layers


def _parse_video(fields: FieldReader, still: bool) -> VideoTrack:
    width = fields.varint("width", 1, MAX_SIDE)
    height = fields.varint("height", 1, MAX_SIDE)
    if width * height > MAX_PIXELS:
        raise BitstreamError(f"a raster of {width}x{height} is too large", fields.offset)
    numerator = fields.varint("frame rate", 1)
    denominator = fields.varint("frame rate denominator", 1)
    rate = Fraction(numerator, denominator)
    if not 1 <= rate <= MAX_FRAME_RATE:
        raise BitstreamError(f"a frame rate of {float(rate):g} is not allowed", fields.offset)
    return VideoTrack(width, height, rate, still)


def time_base_of(header: StreamHeader, kind: TrackKind) -> Fraction | None:
    """Seconds per tick of a track, or None when the stream has no such track."""
    if kind is TrackKind.AUDIO:
        return AUDIO_TIME_BASE if header.audio else None
    return header.video.time_base if header.video else None
