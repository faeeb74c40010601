"""The sound descriptor: spectral envelope and excitation in 10 to 125 bytes a second.

Layout, one range-coded run: level (7 bits), step (6), mode of excitation (2); the excitation; the
envelope, block by block. The envelope is a log-mel picture; blocks of it go
through a two-dimensional DCT and are quantised with one step, the finest whose bytes fit. What
size of coefficient to expect follows from its place (tables below), and that, in units of the
step, chooses the probabilities: one small table serves all bit rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.sound import Samples
from mmcodec.descriptors import excitation, mel
from mmcodec.descriptors.excitation import Excitation
from mmcodec.entropy.range_coder import Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

Floats = mel.Floats
Integers = NDArray[np.int64]

FRAME_RATE = 50
MAX_SECONDS = 60.0
MIN_BYTES = 3
MAX_BIT_RATE = 2000
"""More is never written, and refused by the decoder before it works on it."""

_BLOCK_FRAMES = 64
_LEVEL_BITS, _STEP_BITS = 7, 6
_NO_ENVELOPE = (1 << _STEP_BITS) - 1
_LEVEL_DB, _LOWEST_LEVEL_DB, _HIGHEST_LEVEL = 0.75, -80.0, 126
_DYNAMIC_RANGE_DB = 56.0
_DEAD_ZONE = 0.4

# Tables measured on speech, music and effects (LJ Speech, LibriSpeech, film sound, recordings).
_MEAN_DB = (
    -26, -23, -21, -22, -22, -23, -26, -28, -30, -32, -33, -33, -33, -34, -35, -36, -37, -37,
    -38, -39, -40, -42, -42, -42, -43, -44, -46, -48,
)  # fmt: skip
"""Mean level of each band relative to the level of the whole."""
_SPREAD_MEAN = (
    63, 59, 53, 48, 44, 43, 42, 40, 39, 38, 36, 35, 34, 33, 32, 32, 32, 31, 30, 29, 28, 28,
    27, 26, 24, 23, 24, 24,
)  # fmt: skip
_SPREAD_TIME = (
    19, 17, 14, 12, 10, 9, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1, -2, -3, -4, -4, -5, -6, -6, -7, -8,
    -8, -8, -9, -9, -10, -10, -9,
)  # fmt: skip
_SPREAD_BAND = (
    26, 23, 20, 16, 15, 14, 13, 12, 11, 11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 3, 2, 2, 2,
    1, 1,
)  # fmt: skip
_CLASSES, _CLASS_OFFSET = 12, 5
_PRIORS = (
    (570, 100, 8738), (5866, 407, 5243), (32382, 2913, 26214),
    (2139, 329, 749), (10414, 1699, 1573), (32603, 5728, 12099),
    (5017, 1259, 3869), (15704, 2833, 5097), (33237, 12907, 10337),
    (8990, 3051, 8545), (22533, 6219, 9010), (39351, 18802, 15311),
    (13364, 6158, 12615), (27993, 11043, 13064), (43750, 25769, 21352),
    (19240, 11518, 22083), (33272, 16519, 20289), (47237, 32764, 29475),
    (25260, 18200, 31117), (38080, 21771, 28186), (50825, 39606, 37812),
    (32451, 24776, 34193), (43215, 29011, 34290), (54036, 44355, 43920),
    (40612, 36678, 46659), (47887, 37017, 42134), (57008, 48852, 50405),
    (46088, 46466, 53616), (52439, 43866, 45504), (58405, 53055, 53659),
    (55131, 53521, 56620), (54503, 49140, 51751), (60407, 54877, 56000),
    (63406, 62344, 62093), (59850, 55903, 56570), (62393, 59489, 59466),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SoundDescription:
    """What a decoder knows of a stretch of sound; frame i covers i to i + 1 over frame_rate."""

    envelope_db: Floats
    """(frames, mel.BANDS) mean square of each band in dB relative to a mean square of 1."""
    pitch_hz: Floats
    """(frames,) fundamental frequency, carried on through unvoiced frames; 0 where unknown."""
    voicing: Floats
    """(frames,) 0 = noise, 1 = voiced."""
    partials: Floats
    """(frames, m) how much each of m partials of music rings, 0 to 1."""
    partials_hz: Floats
    """(m,) their frequencies."""
    frame_rate: float
    seconds: float


def encode(samples: Samples, sample_rate: int, bit_rate: int) -> bytes:
    """Describe ``samples`` (n,), mono, in at most ``bit_rate * seconds / 8`` bytes (but 3).

    ValueError for no samples, more than 60 s, or a rate below 8 kHz.
    """
    seconds = len(samples) / sample_rate
    if not 0 < seconds <= MAX_SECONDS or sample_rate < 8000:
        raise ValueError(f"{seconds:.3f} s of sound at {sample_rate} Hz cannot be described")
    frames = _frame_count(seconds)
    envelope = mel.log_mel(samples, sample_rate, frames, seconds)
    level_db = mel.loudness_db(envelope)
    level = round((level_db - _LOWEST_LEVEL_DB) / _LEVEL_DB)
    if level <= 0:
        return b""
    level = min(level, _HIGHEST_LEVEL)
    floor = 10.0 ** ((level_db - _DYNAMIC_RANGE_DB) / 10.0)
    shape = mel.to_db(10.0 ** (envelope / 10.0) + floor) - level_db - np.array(_MEAN_DB)
    blocks: list[Floats] = [
        _dct(len(block)) @ block @ _dct(mel.BANDS).T for block in _blocks(shape)
    ]
    limit = max(int(min(bit_rate, MAX_BIT_RATE) * seconds / 8), MIN_BYTES)
    source = excitation.measure(samples, sample_rate, frames, FRAME_RATE, bit_rate)
    return _finest(level, source, blocks, limit)


def decode(data: bytes, seconds: float) -> SoundDescription:
    """The description in ``data`` of ``seconds`` of sound; BitstreamError where it has none."""
    if not 0 < seconds <= MAX_SECONDS:
        raise BitstreamError(f"a sound of {seconds} s cannot be described")
    if len(data) > max(MAX_BIT_RATE * seconds / 8, MIN_BYTES):
        raise BitstreamError(f"{len(data)} bytes are too many to describe {seconds:.2f} s of sound")
    frames = _frame_count(seconds)
    if not data:
        return _description(_silence(frames), Excitation(), seconds)
    decoder = Decoder(data)
    level, step = decoder.decode_bits(_LEVEL_BITS), decoder.decode_bits(_STEP_BITS)
    source = excitation.decode(decoder, decoder.decode_bits(excitation.MODE_BITS), frames)
    shape = _decode_envelope(decoder, step, frames) + np.array(_MEAN_DB)
    shape = np.clip(shape, -2.0 * _DYNAMIC_RANGE_DB, 2.0 * _DYNAMIC_RANGE_DB)
    level_db = _LOWEST_LEVEL_DB + _LEVEL_DB * level
    return _description(shape - mel.loudness_db(shape) + level_db, source, seconds)


def _description(envelope_db: Floats, source: Excitation, seconds: float) -> SoundDescription:
    frames = len(envelope_db)
    return SoundDescription(
        envelope_db,
        pitch_hz=source.pitch_hz(frames),
        voicing=source.voicing(frames),
        partials=source.partials(frames),
        partials_hz=source.partials_hz(),
        frame_rate=FRAME_RATE,
        seconds=seconds,
    )


def _silence(frames: int) -> Floats:
    return np.full((frames, mel.BANDS), mel.FLOOR_DB)


def _frame_count(seconds: float) -> int:
    return max(round(seconds * FRAME_RATE), 1)


def _blocks(picture: Floats) -> list[Floats]:
    """``picture`` (frames, bands) in blocks of nearly the same length."""
    return np.array_split(picture, max(round(len(picture) / _BLOCK_FRAMES), 1))


@lru_cache(maxsize=128)
def _dct(size: int) -> Floats:
    """Orthonormal DCT-II matrix (size, size): rows are the basis."""
    index = np.arange(size)
    matrix = np.cos(np.pi / size * (index + 0.5) * index[:, None]) * np.sqrt(2.0 / size)
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix)


def _step_db(step: int) -> float:
    return float(2.0 ** (step / 8.0))


def _finest(level: int, source: Excitation, blocks: list[Floats], limit: int) -> bytes:
    """The bytes with the finest step that makes at most ``limit`` of them."""
    best = _attempt(level, _NO_ENVELOPE, source, blocks)
    if len(best) > limit / 2 and source.mode != excitation.NOISE:
        source = Excitation()  # the envelope matters more
        best = _attempt(level, _NO_ENVELOPE, source, blocks)
    low, high = 0, _NO_ENVELOPE
    while low < high:
        middle = (low + high) // 2
        data = _attempt(level, middle, source, blocks)
        if len(data) <= limit:
            best, high = data, middle
        else:
            low = middle + 1
    return best


def _attempt(level: int, step: int, source: Excitation, blocks: list[Floats]) -> bytes:
    encoder = Encoder()
    encoder.encode_bits(level, _LEVEL_BITS)
    encoder.encode_bits(step, _STEP_BITS)
    encoder.encode_bits(source.mode, excitation.MODE_BITS)
    excitation.encode(encoder, source)
    if step != _NO_ENVELOPE:
        coder = _EnvelopeCoder(step)
        for block in blocks:
            coder.encode(encoder, block)
    return encoder.finish()


class _EnvelopeCoder:
    """Codes quantised blocks one after another; what one teaches serves the next."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._models = [IntegerModel(priors[:2] + priors[2:] * 12) for priors in _PRIORS]
        self._sum = [0] * mel.BANDS
        self._count = 1

    def encode(self, encoder: Encoder, block: Floats) -> None:
        """Quantise and write the coefficients ``block`` (frames, bands)."""
        sizes = np.floor(np.abs(block) / _step_db(self._step) + _DEAD_ZONE)
        expected = _expected_sizes(len(block), self._step)
        quantised = np.where(expected >= 0, sizes * np.sign(block), 0.0)
        values = quantised.astype(np.int64).tolist()
        for time, band, model, predicted in self._places(values):
            model.encode(encoder, values[time][band] - predicted)

    def decode(self, decoder: Decoder, frames: int) -> Floats:
        """Read the coefficients (frames, bands) of the next block."""
        values = [[0] * mel.BANDS for _ in range(frames)]
        for time, band, model, predicted in self._places(values):
            values[time][band] = predicted + model.decode(decoder)
        return np.array(values) * _step_db(self._step)

    def _places(self, values: list[list[int]]) -> Iterator[tuple[int, int, IntegerModel, int]]:
        """(time, band, model, prediction) of each coefficient that is sent, in order.

        Only values of places already passed are looked at, so that both sides agree.
        """
        nothing = [0] * mel.BANDS
        expected = _expected_sizes(len(values), self._step).tolist()
        for time, row in enumerate(values):
            above = values[time - 1] if time > 1 else nothing
            for band in range(mel.BANDS):
                size = expected[time][band]
                if size < 0:
                    continue
                left = abs(row[band - 1]) if band else 0
                near = left + abs(above[band])
                model = self._models[3 * size + (near > 0) + (near > 2)]
                predicted = 0 if time else _rounded(self._sum[band], self._count)
                yield time, band, model, predicted
        self._sum = [total + value for total, value in zip(self._sum, values[0], strict=True)]
        self._count += 1


def _rounded(total: int, count: int) -> int:
    return (2 * total + count) // (2 * count)


@lru_cache(maxsize=256)
def _expected_sizes(frames: int, step: int) -> Integers:
    """Class of size (frames, bands), 0 small to 11 large, -1 for places that are never sent."""
    times = np.array(_SPREAD_TIME)[np.arange(frames) * len(_SPREAD_TIME) // frames]
    spread = times[:, None] + np.array(_SPREAD_BAND)
    spread[0] = _SPREAD_MEAN
    return np.asarray(np.clip((spread - step) // 4 + _CLASS_OFFSET, -1, _CLASSES - 1))


def _decode_envelope(decoder: Decoder, step: int, frames: int) -> Floats:
    """Envelope (frames, bands) in dB relative to _MEAN_DB."""
    if step == _NO_ENVELOPE:
        return np.zeros((frames, mel.BANDS))
    coder = _EnvelopeCoder(step)
    lengths = [len(block) for block in _blocks(np.zeros((frames, 1)))]
    blocks = [_dct(n).T @ coder.decode(decoder, n) @ _dct(mel.BANDS) for n in lengths]
    return np.concatenate(blocks)
