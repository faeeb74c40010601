"""Parameters of synthesis on the wire: a list of keys and values, for the header and for a cue.

A key is a varint: the parameter's number, one bit for the track (1: sound), one for the kind of
value. A value is a varint, or (kind 1) a varint length and that many bytes of UTF-8; so a reader
can skip what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.errors import BitstreamError
from mmcodec.timeline import Synthesis, TrackKind

MAX_TEXT_BYTES = 1024
"""Of one parameter."""


@dataclass(frozen=True, slots=True)
class _Number:
    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Text:
    name: str


_PARAMETERS: Mapping[int, _Number | _Text] = {
    1: _Text("synthesizer"),
    2: _Text("model"),
    3: _Text("revision"),
    4: _Number("seed", 0, (1 << 32) - 1),
    5: _Number("steps", 1, 1000),
    6: _Number("guidance_percent", 0, 10_000),
    7: _Number("strength_percent", 0, 100),
    8: _Text("style"),
    9: _Text("negative"),
}
"""By number, which never changes its meaning."""


def parameters_bytes(tracks: Mapping[TrackKind, Synthesis]) -> bytes:
    """Serialize what is set for each track; ValueError where a value is out of its range."""
    data = b""
    for track, synthesis in tracks.items():
        for number, parameter in _PARAMETERS.items():
            value = getattr(synthesis, parameter.name)
            if value is None:
                continue
            key = number << 2 | (track is TrackKind.AUDIO) << 1
            if isinstance(parameter, _Text):
                text = value.encode()
                if len(text) > MAX_TEXT_BYTES:
                    raise ValueError(f"{parameter.name} is over {MAX_TEXT_BYTES} bytes")
                data += varint(key | 1) + varint(len(text)) + text
            elif parameter.low <= value <= parameter.high:
                data += varint(key) + varint(value)
            else:
                span = f"{parameter.low} to {parameter.high}"
                raise ValueError(f"{parameter.name} is {value}, not {span}")
    return data


def parse_parameters(fields: FieldReader) -> dict[TrackKind, Synthesis]:
    """Inverse of :func:`parameters_bytes`; parameters of unknown number are skipped.

    Raises:
        BitstreamError: a field runs over the end, or a value is out of its range or no UTF-8.
    """
    found: dict[TrackKind, dict[str, Any]] = {track: {} for track in TrackKind}
    while not fields.at_end:
        key = fields.varint("key of a parameter")
        parameter = _PARAMETERS.get(key >> 2)
        track = TrackKind.AUDIO if key & 2 else TrackKind.VIDEO
        if key & 1:
            limit = MAX_TEXT_BYTES if isinstance(parameter, _Text) else (1 << 35) - 1
            data = fields.take(fields.varint("length of a parameter", high=limit))
            if isinstance(parameter, _Text):
                found[track][parameter.name] = _decoded(data, fields.offset)
        elif isinstance(parameter, _Number):
            name = parameter.name
            found[track][name] = fields.varint(name, parameter.low, parameter.high)
        else:
            fields.varint("a parameter")
    return {track: Synthesis(**values) for track, values in found.items() if values}


def _decoded(data: bytes, at: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BitstreamError("a parameter is no text", at) from error
