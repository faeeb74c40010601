"""The Opus layer: sound as it is, from some 5 kbit/s on (RFC 6716), without a container.

Layout: packets of 120 ms, mono, each after a varint of its length. The decoder leaves out what the
encoder looks ahead, 312 samples at 48 kHz.
"""

from __future__ import annotations

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.resampling import resampled
from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.errors import BitstreamError

Samples = NDArray[np.float32]

LEAST_BIT_RATE = 5000
MAX_SECONDS = 60.0
_RATE, _FRAME, _SKIPPED = 48_000, 5760, 312
_MOST_PACKET_BYTES = 4000
_LEAST_NOMINAL, _LOWER = 4500, 0.93
"""In bit/s; asked for less, Opus leaves most out."""


def encode(mono: Samples, sample_rate: int, bit_rate: int) -> bytes:
    """``mono`` (n,) in at most ``bit_rate * seconds / 8`` bytes; none if Opus needs more.

    Raises:
        ValueError: there are no samples, or more than 60 s.
    """
    seconds = len(mono) / sample_rate
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{seconds:.3f} s of sound cannot be coded")
    wide = resampled(mono, sample_rate, _RATE)
    wide = np.pad(wide, (0, -(len(wide) + _SKIPPED) % _FRAME + _SKIPPED))
    nominal = float(bit_rate)
    while nominal >= _LEAST_NOMINAL:
        data = b"".join(varint(len(packet)) + packet for packet in _packets(wide, int(nominal)))
        if len(data) <= bit_rate * seconds / 8:
            return data
        nominal *= _LOWER
    return b""


def decode(data: bytes, seconds: float, sample_rate: int, samples: int) -> Samples:
    """Exactly ``samples`` samples (samples,) of a cue of ``seconds``.

    Raises:
        BitstreamError: there is more than the cue lasts, or a packet is damaged.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise BitstreamError(f"sound of {seconds} s cannot be coded")
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = _RATE, "mono"
    fields, parts, length = FieldReader(data, 0), [np.zeros(0, np.float32)], 0
    while not fields.at_end:
        packet = fields.take(fields.varint("length of a packet", 1, _MOST_PACKET_BYTES))
        try:
            frames = decoder.decode(av.Packet(packet))
        except (av.error.FFmpegError, ValueError) as error:
            raise BitstreamError(f"a packet of Opus cannot be decoded: {error}") from error
        parts += [frame.to_ndarray()[0].astype(np.float32) / 32768 for frame in frames]
        length += len(parts[-1])
        if length > seconds * _RATE + 2 * _FRAME:
            raise BitstreamError(f"more than {seconds:.2f} s of Opus")
    wide = np.concatenate(parts)[_SKIPPED:].astype(np.float32)
    mono = resampled(wide, _RATE, sample_rate)[:samples]
    return np.pad(mono, (0, samples - len(mono)))


def _packets(wide: Samples, bit_rate: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = _RATE, "mono", "flt"
    encoder.bit_rate = bit_rate
    encoder.options = {"frame_duration": "120", "application": "audio"}
    packets = []
    for at in range(0, len(wide), _FRAME):
        frame = av.AudioFrame.from_ndarray(wide[None, at : at + _FRAME].copy(), "flt", "mono")
        frame.sample_rate, frame.pts = _RATE, at
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [bytes(packet) for packet in packets[: len(wide) // _FRAME]]
