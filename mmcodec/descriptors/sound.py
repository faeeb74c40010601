"""The sound descriptor: spectral envelope and excitation in 10 to 125 bytes a second.

Layout, one range-coded run: level (7 bits), step (6), stereo width (3), mode of excitation (2); the
excitation; the envelope, block by block. The envelope is a log-mel picture; blocks of it go
through a two-dimensional DCT and are quantised with one step, the finest whose bytes fit. What
size of coefficient to expect follows from its place (tables below), and that, in units of the
step, chooses the probabilities: one small table serves all bit rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcodec.analysis.sound import Samples
from mmcodec.descriptors import excitation, mel
from mmcodec.descriptors.dct_blocks import (
    COARSEST,
    STEP_BITS,
    BlockCoder,
    Spread,
    blocks_of,
    dct,
    finest,
    likely_step,
)
from mmcodec.descriptors.excitation import NO_EXCITATION, Excitation
from mmcodec.entropy.range_coder import Decoder, Encoder
from mmcodec.errors import BitstreamError

Floats = mel.Floats

FRAME_RATE = 50
MAX_SECONDS = 60.0
MIN_BYTES = 3
MAX_BIT_RATE = 2000
"""More is never written, and refused by the decoder before it works on it."""

_BLOCK_FRAMES = 64
_LEVEL_BITS = 7
_LEVEL_DB, _LOWEST_LEVEL_DB, _HIGHEST_LEVEL = 0.75, -80.0, 126
_DYNAMIC_RANGE_DB = 56.0
_WIDTH_BITS, _WIDTH = 3, 0.5 / 7
_SURELY = 4
"""Bytes by which an attempt is over its limit before it is given up: zeros at its end are cut."""

# Tables measured on speech, music and effects (LJ Speech, LibriSpeech, film sound, recordings).
_MEAN_DB = (
    -26, -23, -21, -22, -22, -23, -26, -28, -30, -32, -33, -33, -33, -34, -35, -36, -37, -37,
    -38, -39, -40, -42, -42, -42, -43, -44, -46, -48,
)  # fmt: skip
"""Mean level of each band relative to the level of the whole."""
_SPREAD = Spread(
    mean=(
        63, 59, 53, 48, 44, 43, 42, 40, 39, 38, 36, 35, 34, 33, 32, 32, 32, 31, 30, 29, 28, 28,
        27, 26, 24, 23, 24, 24,
    ),
    time=(
        19, 17, 14, 12, 10, 9, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1, -2, -3, -4, -4, -5, -6, -6, -7,
        -8, -8, -8, -9, -9, -10, -10, -9,
    ),
    band=(
        26, 23, 20, 16, 15, 14, 13, 12, 11, 11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 3, 2, 2, 2,
        1, 1,
    ),
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
    width: float = 0.0
    """Share of the power in the difference of two channels, 0 for mono to 0.5."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What all descriptions of a sound are made of: its level, and its envelope less that, as
    coefficients of blocks.
    """

    seconds: float
    level_db: float
    blocks: tuple[Floats, ...]


def measure(samples: Samples, sample_rate: int) -> Measured:
    """Measure ``samples`` (n,), mono.

    Raises:
        ValueError: there are no samples, more than 60 s, or a rate below 8 kHz.
    """
    seconds = len(samples) / sample_rate
    if not 0 < seconds <= MAX_SECONDS or sample_rate < 8000:
        raise ValueError(f"{seconds:.3f} s of sound at {sample_rate} Hz cannot be described")
    envelope = mel.log_mel(samples, sample_rate, _frame_count(seconds), seconds)
    level_db = mel.loudness_db(envelope)
    floor = 10.0 ** ((level_db - _DYNAMIC_RANGE_DB) / 10.0)
    shape = mel.to_db(10.0 ** (envelope / 10.0) + floor) - level_db - np.array(_MEAN_DB)
    parts = blocks_of(len(shape), _BLOCK_FRAMES)
    blocks = (dct(part.stop - part.start) @ shape[part] @ dct(mel.BANDS).T for part in parts)
    return Measured(seconds, level_db, tuple(blocks))


def excitations(samples: Samples, sample_rate: int, bit_rate: int) -> list[Excitation]:
    """What may be the excitation of ``samples`` (n,), mono."""
    frames = _frame_count(len(samples) / sample_rate)
    return excitation.candidates(samples, sample_rate, frames, FRAME_RATE, bit_rate)


def encode(
    sound: Measured,
    bit_rate: int,
    source: Excitation = NO_EXCITATION,
    *,
    louder_db: float = 0.0,
    width: float = 0.0,
    least: int = 0,
) -> bytes:
    """Describe a sound in at most ``bit_rate * seconds / 8`` bytes (but 3).

    ``source`` is one of :func:`excitations`, noise if none is given; ``width`` the stereo sound's.
    ``louder_db`` makes up for what a synthesizer loses. Steps finer than ``least`` are not tried.
    """
    level = round((sound.level_db + louder_db - _LOWEST_LEVEL_DB) / _LEVEL_DB)
    if level <= 0:
        return b""
    limit = max(int(min(bit_rate, MAX_BIT_RATE) * sound.seconds / 8), MIN_BYTES)
    head = _Head(min(level, _HIGHEST_LEVEL), min(round(width / _WIDTH), (1 << _WIDTH_BITS) - 1))
    without = len(_attempt(head, COARSEST, source, sound.blocks, limit))
    if without > limit / 2:
        source, without = NO_EXCITATION, 0  # the envelope matters more
    likely = least or likely_step(sound.blocks, 8 * (limit - without))
    return finest(
        lambda step: _attempt(head, step, source, sound.blocks, limit),
        limit,
        COARSEST,
        likely,
        least,
    )


def level_and_step(data: bytes) -> tuple[float, int]:
    """The level in dB, and the step, of a description that is not empty."""
    decoder = Decoder(data)
    level = _LOWEST_LEVEL_DB + _LEVEL_DB * decoder.decode_bits(_LEVEL_BITS)
    return level, decoder.decode_bits(STEP_BITS)


def decode(data: bytes, seconds: float) -> SoundDescription:
    """The description in ``data`` of ``seconds`` of sound; BitstreamError where it has none."""
    if not 0 < seconds <= MAX_SECONDS:
        raise BitstreamError(f"a sound of {seconds} s cannot be described")
    if len(data) > max(MAX_BIT_RATE * seconds / 8, MIN_BYTES):
        raise BitstreamError(f"{len(data)} bytes are too many to describe {seconds:.2f} s of sound")
    frames = _frame_count(seconds)
    if not data:
        return _description(_silence(frames), NO_EXCITATION, seconds, 0.0)
    decoder = Decoder(data)
    level, step = decoder.decode_bits(_LEVEL_BITS), decoder.decode_bits(STEP_BITS)
    width = _WIDTH * decoder.decode_bits(_WIDTH_BITS)
    source = excitation.decode(decoder, decoder.decode_bits(excitation.MODE_BITS), frames)
    shape = _decode_envelope(decoder, step, frames) + np.array(_MEAN_DB)
    shape = np.clip(shape, -2.0 * _DYNAMIC_RANGE_DB, 2.0 * _DYNAMIC_RANGE_DB)
    level_db = _LOWEST_LEVEL_DB + _LEVEL_DB * level
    return _description(shape - mel.loudness_db(shape) + level_db, source, seconds, width)


def _description(
    envelope_db: Floats, source: Excitation, seconds: float, width: float
) -> SoundDescription:
    frames = len(envelope_db)
    return SoundDescription(
        envelope_db,
        pitch_hz=source.pitch_hz(frames),
        voicing=source.voicing(frames),
        partials=source.partials(frames),
        partials_hz=source.partials_hz(),
        frame_rate=FRAME_RATE,
        seconds=seconds,
        width=width,
    )


def _silence(frames: int) -> Floats:
    return np.full((frames, mel.BANDS), mel.FLOOR_DB)


def _frame_count(seconds: float) -> int:
    return max(round(seconds * FRAME_RATE), 1)


@dataclass(frozen=True, slots=True)
class _Head:
    """The fields of the whole."""

    level: int
    width: int


def _attempt(
    head: _Head, step: int, source: Excitation, blocks: Sequence[Floats], limit: int
) -> bytes:
    """The bytes with a step; of those that are more than ``limit`` only the first ones."""
    encoder = Encoder()
    encoder.encode_bits(head.level, _LEVEL_BITS)
    encoder.encode_bits(step, STEP_BITS)
    encoder.encode_bits(head.width, _WIDTH_BITS)
    encoder.encode_bits(source.mode, excitation.MODE_BITS)
    excitation.encode(encoder, source)
    if step != COARSEST:
        coder = BlockCoder(_SPREAD, step)
        for block in blocks:
            coder.encode(encoder, block)
            if encoder.bits_used > 8 * (limit + _SURELY):
                break
    return encoder.finish()


def _decode_envelope(decoder: Decoder, step: int, frames: int) -> Floats:
    """Envelope (frames, bands) in dB relative to _MEAN_DB; with the coarsest step there is none."""
    if step == COARSEST:
        return np.zeros((frames, mel.BANDS))
    coder = BlockCoder(_SPREAD, step)
    lengths = [part.stop - part.start for part in blocks_of(frames, _BLOCK_FRAMES)]
    blocks = [dct(n).T @ coder.decode(decoder, n) @ dct(mel.BANDS) for n in lengths]
    return np.concatenate(blocks)
