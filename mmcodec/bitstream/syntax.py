"""Byte layout of the header and of a cue's payload: dataclass to bytes and back, no files.

The header is two bytes of signature and form, one of flags, one for the raster, one for the
rates, and a CRC-8; common rasters and rates are numbers in tables, others follow. A stream that is
one photograph, or sound in one cue, has another form: after the signature a byte for text coder and
raster or rate, of sound the duration, the payload of the cue, and a CRC-8 of it all, without any
framing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.bitstream.packets import MAX_CUE_S
from mmcodec.bitstream.parameters import parameters_bytes, parse_parameters
from mmcodec.entropy.text import TEXT_CODER
from mmcodec.errors import BitstreamError
from mmcodec.timeline import (
    AUDIO_TIME_BASE,
    NO_SYNTHESIS,
    AudioTrack,
    Cue,
    Layer,
    SegmentKind,
    Shot,
    Synthesis,
    TrackKind,
    VideoTrack,
)

SIGNATURE = 0xB56
"""The first 12 bits of a stream, followed by 4 of form; not UTF-8, so that no text is alike."""
MAX_SIDE = 1 << 14
MAX_PIXELS = 1 << 24
MAX_FRAME_RATE = 240
MAX_SAMPLE_RATE = 192_000
MAX_FIELDS_BYTES = 1 << 12
CONTEXT_PROMPTS = 8
"""Prompts that a later one is coded after, since the random access point."""

_HAS_VIDEO, _HAS_AUDIO, _IS_STILL, _IS_STEREO, _HAS_FIELDS = 1, 2, 4, 8, 16
_TEXT_CODER_SHIFT = 5

RASTERS = (
    (0, 0), (640, 360), (1280, 720), (1920, 1080), (3840, 2160), (854, 480), (426, 240), (640, 480),
    (320, 240), (720, 576), (720, 480), (1024, 576), (960, 540), (2560, 1440), (800, 600),
    (1024, 768), (360, 640), (720, 1280), (1080, 1920), (512, 512), (1024, 1024), (768, 512),
    (512, 768), (480, 270), (320, 180), (1080, 1080), (2048, 1080), (1280, 960), (1440, 1080),
)  # fmt: skip
"""Rasters by number; 0, or a number past the table, means that width and height follow."""
FRAME_RATES = tuple(
    Fraction(*rate)
    for rate in ((0,), (24,), (25,), (30,), (24000, 1001), (30000, 1001), (50,), (60,),
                 (60000, 1001), (12,), (15,), (10,), (20,), (48,))
)  # fmt: skip
"""Frame rates by number; 0 means that numerator and denominator follow."""
SAMPLE_RATES = (0, 24_000, 16_000, 8_000, 48_000, 44_100, 32_000, 22_050)
"""Sample rates by number; 0 means that the rate follows."""

PICTURE_SPAN = Shot(0, 1)
"""The cue of a photograph."""
PHOTOGRAPH_BYTES = 5
"""What a photograph of a usual raster takes beside its prompt."""
_PICTURE_RATE = Fraction(25)
_RASTER_BITS = 5
_RATE_BITS = 4
_SPLIT_BITS = 6
_LONG_PROMPT, _LIST = 62, 63
_SHOT_LAYERS = (Layer.SKETCH, Layer.LOOK)


class Form(IntEnum):
    """What follows the signature."""

    STREAM = 1
    """A header, packets, the end packet."""
    PICTURE = 2
    """A photograph."""
    NOTE = 3
    """Sound in one cue."""


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What holds for the whole stream."""

    video: VideoTrack | None
    audio: AudioTrack | None
    text_coder: int = TEXT_CODER
    video_synthesis: Synthesis = NO_SYNTHESIS
    audio_synthesis: Synthesis = NO_SYNTHESIS


@dataclass(frozen=True, slots=True)
class Payload:
    """What a cue packet holds: the coded prompt and descriptors, and the kind of a segment."""

    layers: dict[Layer, bytes]
    kind: SegmentKind | None = None


def header_bytes(header: StreamHeader) -> bytes:
    """Serialize ``header``, without its checksum.

    Raises:
        ValueError: the parameters of synthesis are too long, or one is out of its range.
    """
    video, audio = header.video, header.audio
    flags = header.text_coder << _TEXT_CODER_SHIFT
    flags |= (_HAS_VIDEO if video else 0) | (_HAS_AUDIO if audio else 0)
    flags |= _IS_STILL if video and video.still else 0
    flags |= _IS_STEREO if audio and audio.channels == 2 else 0
    numbers, explicit = [], b""
    rates = 0
    if video:
        number, explicit = _raster_fields(video)
        numbers.append(number)
        rate = video.frame_rate
        rates = FRAME_RATES.index(rate) if rate in FRAME_RATES else 0
        explicit += b"" if rates else varint(rate.numerator) + varint(rate.denominator)
    if audio:
        number, more = _rate_fields(audio)
        explicit += more
        rates |= number << _RATE_BITS
    parameters = parameters_bytes(
        {TrackKind.VIDEO: header.video_synthesis, TrackKind.AUDIO: header.audio_synthesis}
    )
    if len(parameters) > MAX_FIELDS_BYTES:
        raise ValueError(f"the parameters of synthesis are over {MAX_FIELDS_BYTES} bytes")
    if parameters:
        flags |= _HAS_FIELDS
        explicit += varint(len(parameters)) + parameters
    return _start(Form.STREAM) + bytes([flags, *numbers, rates]) + explicit


def is_picture(header: StreamHeader, cue: Cue) -> bool:
    """Whether a stream that is ``cue`` alone can have the form of a photograph."""
    track = header.video and VideoTrack(
        header.video.width, header.video.height, _PICTURE_RATE, True
    )
    plain = StreamHeader(track, None, header.text_coder)
    return header == plain and cue.span == PICTURE_SPAN and cue.synthesis == NO_SYNTHESIS


def picture_header_bytes(header: StreamHeader) -> bytes:
    """Serialize what precedes the payload of a photograph."""
    if header.video is None:
        raise ValueError("a photograph has a picture")
    number, explicit = _raster_fields(header.video)
    return _start(Form.PICTURE) + bytes([header.text_coder << _RASTER_BITS | number]) + explicit


def is_note(header: StreamHeader, cue: Cue) -> bool:
    """Whether a stream that is ``cue`` alone can have the form of a note."""
    plain = header == StreamHeader(None, header.audio, header.text_coder)
    return plain and bool(header.audio) and cue.span.start == 0 and cue.synthesis == NO_SYNTHESIS


def note_header_bytes(header: StreamHeader, duration: int) -> bytes:
    """Serialize what precedes the payload of a note of ``duration`` ticks."""
    if header.audio is None:
        raise ValueError("a note has sound")
    number, explicit = _rate_fields(header.audio)
    stereo = header.audio.channels - 1
    first = (header.text_coder << 1 | stereo) << _RATE_BITS | number
    return _start(Form.NOTE) + bytes([first]) + explicit + varint(duration)


def parse_header(fields: FieldReader) -> tuple[Form, StreamHeader, int]:
    """Inverse of :func:`header_bytes` and those of the other forms: form, header, and of a stream
    that is one cue its duration.

    Raises:
        BitstreamError: it is no stream, a field is out of its range, or the form a later one.
    """
    start = int.from_bytes(fields.take(2), "big")
    if start >> 4 != SIGNATURE:
        raise BitstreamError("not an mmcodec stream (it does not start like one)")
    if start & 15 == Form.PICTURE:
        return Form.PICTURE, _parse_picture_header(fields), PICTURE_SPAN.duration
    if start & 15 == Form.NOTE:
        header = _parse_note_header(fields)
        return Form.NOTE, header, fields.varint("duration", 1, int(MAX_CUE_S / AUDIO_TIME_BASE))
    if start & 15 != Form.STREAM:
        raise BitstreamError(f"form {start & 15} needs a newer mmcodec", 1)
    return Form.STREAM, _parse_stream_header(fields), 0


def _parse_picture_header(fields: FieldReader) -> StreamHeader:
    first = fields.take(1)[0]
    text_coder = _checked_coder(first >> _RASTER_BITS, fields)
    width, height = _parse_raster(fields, first & (1 << _RASTER_BITS) - 1)
    return StreamHeader(VideoTrack(width, height, _PICTURE_RATE, still=True), None, text_coder)


def _parse_note_header(fields: FieldReader) -> StreamHeader:
    first = fields.take(1)[0]
    high, number = first >> _RATE_BITS, first & (1 << _RATE_BITS) - 1
    text_coder = _checked_coder(high >> 1, fields)
    return StreamHeader(None, _parse_audio(fields, number, bool(high & 1)), text_coder)


def _parse_stream_header(fields: FieldReader) -> StreamHeader:
    flags = fields.take(1)[0]
    text_coder = _checked_coder(flags >> _TEXT_CODER_SHIFT, fields)
    raster = fields.take(1)[0] if flags & _HAS_VIDEO else 0
    rates = fields.take(1)[0]
    video = audio = None
    if flags & _HAS_VIDEO:
        video = _parse_video(fields, raster, rates & 15, bool(flags & _IS_STILL))
    if flags & _HAS_AUDIO:
        audio = _parse_audio(fields, rates >> _RATE_BITS, bool(flags & _IS_STEREO))
    if video is None and audio is None:
        raise BitstreamError("the stream has no track", fields.offset)
    synthesis: dict[TrackKind, Synthesis] = {}
    if flags & _HAS_FIELDS:
        length = fields.varint("length of the parameters", high=MAX_FIELDS_BYTES)
        at = fields.offset
        synthesis = parse_parameters(FieldReader(fields.take(length), at))
    of_video, of_audio = (synthesis.get(track, NO_SYNTHESIS) for track in TrackKind)
    return StreamHeader(video, audio, text_coder, of_video, of_audio)


def payload_bytes(payload: Payload) -> bytes:
    """Serialize a payload: a byte of what it holds and of the prompt's length, then the layers."""
    prompt = payload.layers.get(Layer.PROMPT, b"")
    others = {layer: data for layer, data in payload.layers.items() if layer != Layer.PROMPT}
    high = payload.kind or 0
    usual = _SHOT_LAYERS if payload.kind is None else (_usual(payload.kind),)
    if len(others) > 1 or any(layer not in usual or not data for layer, data in others.items()):
        listed = [(layer, data) for layer, data in payload.layers.items()]
        fields = (varint(layer) + varint(len(data)) + data for layer, data in listed)
        return bytes([high << _SPLIT_BITS | _LIST]) + b"".join(fields)
    descriptor = b"".join(others.values())
    if Layer.LOOK in others:
        high = _SHOT_LAYERS.index(Layer.LOOK)
    if len(prompt) < _LONG_PROMPT:
        return bytes([high << _SPLIT_BITS | len(prompt)]) + prompt + descriptor
    return bytes([high << _SPLIT_BITS | _LONG_PROMPT]) + varint(len(prompt)) + prompt + descriptor


def parse_payload(track: TrackKind, fields: FieldReader) -> Payload:
    """Inverse of :func:`payload_bytes`; layers of unknown kind are skipped.

    Raises:
        BitstreamError: a field runs over the end, or a value is reserved.
    """
    first = fields.take(1)[0]
    high, split = first >> _SPLIT_BITS, first & (1 << _SPLIT_BITS) - 1
    kind = SegmentKind(high) if track is TrackKind.AUDIO else None
    if split == _LIST:
        return Payload(_parse_list(fields), kind)
    if kind is None and high >= len(_SHOT_LAYERS):
        raise BitstreamError("a shot has a descriptor of unknown kind", fields.offset - 1)
    length = fields.varint("prompt length") if split == _LONG_PROMPT else split
    layers = {Layer.PROMPT: fields.take(length)} if length else {}
    if not fields.at_end:
        layers[_SHOT_LAYERS[high] if kind is None else _usual(kind)] = fields.rest()
    return Payload(layers, kind)


def _usual(kind: SegmentKind) -> Layer:
    """The descriptor that a segment has if nothing else is said."""
    return Layer.VOICE if kind is SegmentKind.SPEECH else Layer.SOUND


def time_base_of(header: StreamHeader, kind: TrackKind) -> Fraction | None:
    """Seconds per tick of a track, or None when the stream has no such track."""
    if kind is TrackKind.AUDIO:
        return AUDIO_TIME_BASE if header.audio else None
    return header.video.time_base if header.video else None


def _parse_list(fields: FieldReader) -> dict[Layer, bytes]:
    layers: dict[Layer, bytes] = {}
    known = set(Layer)
    while not fields.at_end:
        layer = fields.varint("layer")
        data = fields.take(fields.varint("layer length"))
        if layer in known:
            layers[Layer(layer)] = data
    return layers


def _start(form: Form) -> bytes:
    return (SIGNATURE << 4 | form).to_bytes(2, "big")


def _checked_coder(text_coder: int, fields: FieldReader) -> int:
    if text_coder > TEXT_CODER:
        raise BitstreamError(f"text coder {text_coder} needs a newer mmcodec", fields.offset - 1)
    return text_coder


def _raster_fields(video: VideoTrack) -> tuple[int, bytes]:
    """The number of a raster, and width and height where it has none."""
    raster = (video.width, video.height)
    if raster in RASTERS:
        return RASTERS.index(raster), b""
    return 0, varint(video.width) + varint(video.height)


def _rate_fields(audio: AudioTrack) -> tuple[int, bytes]:
    """The number of a sample rate, and the rate where it has none."""
    if audio.sample_rate in SAMPLE_RATES:
        return SAMPLE_RATES.index(audio.sample_rate), b""
    return 0, varint(audio.sample_rate)


def _parse_audio(fields: FieldReader, number: int, stereo: bool) -> AudioTrack:
    known = SAMPLE_RATES[number] if number < len(SAMPLE_RATES) else 0
    rate = known or fields.varint("sample rate", 1000, MAX_SAMPLE_RATE)
    return AudioTrack(rate, 2 if stereo else 1)


def _parse_raster(fields: FieldReader, number: int) -> tuple[int, int]:
    width, height = RASTERS[number] if number < len(RASTERS) else (0, 0)
    if not width:
        width = fields.varint("width", 1, MAX_SIDE)
        height = fields.varint("height", 1, MAX_SIDE)
    if width * height > MAX_PIXELS:
        raise BitstreamError(f"a raster of {width}x{height} is too large", fields.offset)
    return width, height


def _parse_video(fields: FieldReader, raster: int, rate: int, still: bool) -> VideoTrack:
    width, height = _parse_raster(fields, raster)
    frame_rate = FRAME_RATES[rate] if rate < len(FRAME_RATES) else Fraction(0)
    if not frame_rate:
        numerator = fields.varint("frame rate", 1)
        frame_rate = Fraction(numerator, fields.varint("frame rate denominator", 1))
    if not 1 <= frame_rate <= MAX_FRAME_RATE:
        raise BitstreamError(f"a frame rate of {float(frame_rate):g} is not allowed", fields.offset)
    return VideoTrack(width, height, frame_rate, still)
