"""The vocoder layer: speech as pitch, voicing and mel cepstra, in 300 to 3,000 bit/s.

What WORLD takes apart (:mod:`mmcodec.analysis.world`) is coded in blocks of 0.64 s, each with the
flags of its voiced frames, the pitch of its voiced runs, and the cepstra: a DCT over time of each,
quantised (:mod:`mmcodec.descriptors.dct_blocks`). The finest step whose bytes fit is taken, and
the pitch becomes finer with it. Nothing is sent of the aperiodicity: how the noise of a voiced
frame grows with frequency is nearly the same for all voices, and what WORLD measures sounds worse.

Quantised spectra have less power than the source's, so a gain makes what WORLD synthesizes as loud.

Layout, one range-coded run: step (6 bits), level (6), gain (4), then block by block flags, pitch,
cepstra.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis import voice
from mmcodec.analysis.sound import loudness_lufs
from mmcodec.analysis.world import FRAME_RATE, SAMPLE_RATE, World, analyse, synthesize
from mmcodec.descriptors.dct_blocks import (
    COARSEST,
    STEP_BITS,
    BlockCoder,
    Floats,
    Spread,
    blocks_of,
    dct,
    finest,
    likely_step,
)
from mmcodec.entropy.range_coder import BitModel, Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

Flags = NDArray[np.bool_]

MAX_SECONDS = 60.0
LEAST_BIT_RATE = 350
"""Less is worth nothing, and below some 300 it cannot be kept to."""
MAX_BIT_RATE = 4000
"""More is never written, and refused by the decoder before it works on it."""
BLOCK_S = 0.64
"""What a live encoder waits for, at most half as much again."""

_BLOCK_FRAMES = round(BLOCK_S * FRAME_RATE)
_BLOCK_ROWS = 48
"""Coefficients over time that may be sent: changes of up to 37 Hz."""
_LEVEL_BITS, _LEVEL_STEP, _LOWEST_LEVEL = 6, 4.0, -40
_GAIN_BITS, _GAIN_DB, _NO_GAIN = 4, 0.5, 4
_FLAG_FRAMES, _SHORT_RUN = 2, 8
"""Frames that share a flag, and those of a run that is joined to what is before it."""
_PITCH_FRAMES = 5
_LOWEST_PITCH_HZ, _HIGHEST_PITCH, _USUAL_PITCH = 55.0, 40.0, 15.0
"""Semitones above the lowest."""
_DEAD_ZONE = 0.4
_ALMOST = 0.01
"""Part of a frame that times may lack, for they are not exact."""

# Measured on 75 s of LJ Speech, LibriSpeech and a speech of 1961.
_VOICING_PRIORS = (3000, 62000, 3000, 62500)
_MEAN_PRIORS = (58000,) * 12
_BEND_PRIORS = tuple(
    (first, more, more, more, more)
    for first, more in (
        (52000, 38000), (46000, 35000), (40000, 29000), (36000, 25000), (31000, 21000),
        (28000, 17000), (24000, 16000), (22000, 15000), (17000, 12000), (15000, 12000),
        (14000, 11000), (6000, 8000),
    )
)  # fmt: skip
_MEAN = (
    -57.7, 14.4, 2.4, 1.5, -0.9, -1.3, -0.8, 0.0, 0.8, -0.2, 0.2, -0.1, 0.2, -0.1, -0.3, -0.1,
    0.0, 0.1, -0.1, 0.0, 0.0, 0.1, 0.1, -0.1,
)  # fmt: skip
_SPREAD = Spread(
    mean=(
        46, 43, 36, 32, 32, 30, 24, 22, 21, 20, 20, 16, 16, 15, 15, 11, 17, 11, 8, 7, 10, 6, 5, 5,
    ),
    time=(
        0, 16, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 4, 3, 2, 2, 1, 0, 0, 0, -1, -1, -2, -2, -2, -3,
        -3, -4, -4, -4, -4, -5, -5, -5, -5, -6, -6, -6, -6, -6, -7, -7, -7, -7, -8, -8, -8,
    ),
    band=(18, 15, 10, 7, 6, 4, 3, 2, 2, 0, 0, -1, -1, -2, -3, -4, -4, -5, -6, -7, -7, -8, -8, -9),
)  # fmt: skip
_NOISE_HZ = (0.0, 1000.0, 2000.0, 2500.0, 3000.0, 8000.0)
_NOISE = (0.0, 0.03, 0.07, 0.22, 0.65, 1.0)
"""Aperiodicity of voiced frames: median over speakers."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Frames of speech: a flag for each (n,), semitones (n,), cepstra (n, 24)."""

    voiced: Flags
    pitch: Floats
    cepstra: Floats


def encode(samples: NDArray[np.float32], sample_rate: int, bit_rate: int) -> bytes:
    """Describe speech ``samples`` (n,), mono, in at most ``bit_rate * seconds / 8`` bytes, if that
    is possible. Silence is no bytes.

    Raises:
        ValueError: there are no samples, or more than 60 s.
    """
    seconds = len(samples) / sample_rate
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{seconds:.3f} s of speech cannot be described")
    world = _of_length(analyse(samples, sample_rate), _frame_count(seconds))
    bit_rate = min(bit_rate, MAX_BIT_RATE)
    # What is faint is heard where the rest is good.
    cepstra = voice.cepstra(world.power, float(np.interp(bit_rate, (1000, 2000), (7.0, 9.0))))
    level = round((cepstra[:, 0].mean() - _MEAN[0]) / _LEVEL_STEP) - _LOWEST_LEVEL
    if level < 0:
        return b""
    level = min(level, (1 << _LEVEL_BITS) - 1)
    cepstra = cepstra - _mean_cepstra(level)
    parts = blocks_of(len(cepstra), _BLOCK_FRAMES)
    voiced, pitch = _voiced(world.pitch_hz > 0, parts), _semitones(world.pitch_hz)
    blocks = [_Block(voiced[part], pitch[part], cepstra[part]) for part in parts]
    limit = int(bit_rate * seconds / 8) - 1  # another gain may take a byte more
    likely = likely_step([_coefficients(block.cepstra) for block in blocks], 8 * limit)
    data = finest(lambda step: _attempt(blocks, level, step), limit, COARSEST, likely)
    made = synthesize(decode(data, seconds), sample_rate, len(samples))
    louder_db = loudness_lufs(samples[:, None], sample_rate) - loudness_lufs(
        made[:, None], sample_rate
    )
    gain = min(max(round(louder_db / _GAIN_DB) + _NO_GAIN, 0), (1 << _GAIN_BITS) - 1)
    return _attempt(blocks, level, Decoder(data).decode_bits(STEP_BITS), gain)


def decode(data: bytes, seconds: float) -> World:
    """The speech in ``data`` of a cue of ``seconds``.

    Raises:
        BitstreamError: nothing can be said in that time, or there are too many bytes.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise BitstreamError(f"speech of {seconds} s cannot be described")
    if len(data) > max(MAX_BIT_RATE * seconds / 8, 3):
        line = f"{len(data)} bytes are too many to describe {seconds:.2f} s of speech"
        raise BitstreamError(line)
    frames = _frame_count(seconds)
    if not data:
        return World(np.zeros(frames), np.full((frames, voice.BINS), 1e-16), _noise(frames))
    decoder = Decoder(data)
    step, level = decoder.decode_bits(STEP_BITS), decoder.decode_bits(_LEVEL_BITS)
    gain = 10 ** ((decoder.decode_bits(_GAIN_BITS) - _NO_GAIN) * _GAIN_DB / 10)
    coder = _Coder(step)
    parts = blocks_of(frames, _BLOCK_FRAMES)
    blocks = [coder.decode(decoder, part.stop - part.start) for part in parts]
    voiced = np.concatenate([block.voiced for block in blocks])
    pitch = np.concatenate([block.pitch for block in blocks])
    cepstra = np.concatenate([block.cepstra for block in blocks]) + _mean_cepstra(level)
    noise = _noise(frames)
    noise[~voiced] = 1.0
    hz = np.where(voiced, _LOWEST_PITCH_HZ * 2 ** (pitch / 12), 0.0)
    return World(hz, gain * voice.gains(np.clip(cepstra, -300, 300)), noise)


def _attempt(blocks: list[_Block], level: int, step: int, gain: int = _NO_GAIN) -> bytes:
    encoder = Encoder()
    encoder.encode_bits(step, STEP_BITS)
    encoder.encode_bits(level, _LEVEL_BITS)
    encoder.encode_bits(gain, _GAIN_BITS)
    coder = _Coder(step)
    for block in blocks:
        coder.encode(encoder, block)
    return encoder.finish()


class _Coder:
    """Codes blocks one after another; what one teaches serves the next."""

    def __init__(self, step: int) -> None:
        self._cepstra = BlockCoder(_SPREAD, step)
        self._flags = [BitModel(prior) for prior in _VOICING_PRIORS]
        self._context = 0
        self._pitch_step = 2.0 ** (step / 16 - 3.5)
        self._last = round(_USUAL_PITCH / self._pitch_step)
        self._means = IntegerModel(_MEAN_PRIORS)
        self._bends = [IntegerModel(priors) for priors in _BEND_PRIORS]

    def encode(self, encoder: Encoder, block: _Block) -> None:
        for flag in block.voiced[::_FLAG_FRAMES].astype(int).tolist():
            encoder.encode_bit(self._flags[self._context], flag)
            self._context = (self._context << 1 | flag) & 3
        for run in _runs(block.voiced):
            self._encode_run(encoder, block.pitch[run])
        self._cepstra.encode(encoder, _coefficients(block.cepstra))

    def decode(self, decoder: Decoder, frames: int) -> _Block:
        flags = []
        for _ in range(0, frames, _FLAG_FRAMES):
            flags.append(decoder.decode_bit(self._flags[self._context]))
            self._context = (self._context << 1 | flags[-1]) & 3
        voiced = np.repeat(np.array(flags, bool), _FLAG_FRAMES)[:frames]
        pitch = np.zeros(frames)
        for run in _runs(voiced):
            pitch[run] = self._decode_run(decoder, run.stop - run.start)
        rows = _rows(frames)
        cepstra = dct(frames)[:rows].T @ self._cepstra.decode(decoder, rows)
        return _Block(voiced, np.clip(pitch, 0, _HIGHEST_PITCH), cepstra)

    def _encode_run(self, encoder: Encoder, pitch: Floats) -> None:
        bends = _bends(len(pitch)) @ pitch / self._pitch_step
        values = (np.sign(bends) * np.floor(np.abs(bends) + _DEAD_ZONE)).astype(int).tolist()
        mean = round(float(pitch.mean()) / self._pitch_step)
        self._means.encode(encoder, mean - self._last)
        self._last = mean
        for at, value in enumerate(values):
            self._bends[min(at, len(_BEND_PRIORS) - 1)].encode(encoder, value)

    def _decode_run(self, decoder: Decoder, frames: int) -> Floats:
        self._last += self._means.decode(decoder)
        bends = _bends(frames)
        values = [
            self._bends[min(at, len(_BEND_PRIORS) - 1)].decode(decoder) for at in range(len(bends))
        ]
        made = self._last + bends.T @ np.array(values, np.float64) * frames
        return np.asarray(made * self._pitch_step)


def _coefficients(cepstra: Floats) -> Floats:
    """Of the slow changes of ``cepstra`` (frames, bins) over time: (rows, bins)."""
    return np.asarray(dct(len(cepstra))[: _rows(len(cepstra))] @ cepstra)


def _frame_count(seconds: float) -> int:
    return int(seconds * FRAME_RATE + _ALMOST) + 1


def _of_length(world: World, frames: int) -> World:
    """``world`` with as many frames as a decoder takes it to have: resampling rounds."""
    longer = max(frames - len(world.pitch_hz), 0)
    pitch_hz = np.pad(world.pitch_hz, (0, longer), "edge")[:frames]
    power = np.pad(world.power, ((0, longer), (0, 0)), "edge")[:frames]
    return World(pitch_hz, power, world.aperiodicity)


def _mean_cepstra(level: int) -> Floats:
    mean = np.array(_MEAN)
    mean[0] += (level + _LOWEST_LEVEL) * _LEVEL_STEP
    return mean


def _rows(frames: int) -> int:
    """Coefficients over time that a block of ``frames`` has."""
    return min(frames, round(_BLOCK_ROWS * frames / _BLOCK_FRAMES) or 1)


def _bends(frames: int) -> Floats:
    """What the contour of a run is made of, beside its mean: (n, frames), each of norm 1/n."""
    return np.asarray(dct(frames)[1 : -(-frames // _PITCH_FRAMES)] / np.sqrt(frames))


def _runs(voiced: Flags) -> Iterator[slice]:
    return (run for run in _stretches(voiced) if voiced[run.start])


def _stretches(flags: Flags) -> list[slice]:
    """Stretches of frames with the same flag."""
    edges = [*np.flatnonzero(np.diff(flags, prepend=~flags[:1])).tolist(), len(flags)]
    return [slice(start, end) for start, end in pairwise(edges)]


def _voiced(pitched: Flags, parts: list[slice]) -> Flags:
    """Which frames (n,) are sent as voiced: the same for those that share a flag."""
    voiced = np.concatenate([_shared(pitched[part]) for part in parts])
    for run in _stretches(voiced):
        if run.start > 0 and run.stop - run.start <= _SHORT_RUN:
            voiced[run] = voiced[run.start - 1]
    return np.concatenate([_shared(voiced[part]) for part in parts])


def _shared(flags: Flags) -> Flags:
    padded = np.pad(flags, (0, -len(flags) % _FLAG_FRAMES), "edge")
    either = padded.reshape(-1, _FLAG_FRAMES).any(axis=1)
    return np.asarray(np.repeat(either, _FLAG_FRAMES)[: len(flags)])


def _semitones(pitch_hz: Floats) -> Floats:
    """Pitch of each frame (n,) above the lowest, carried on where there is none."""
    at = np.flatnonzero(pitch_hz > 0)
    if not len(at):
        return np.zeros(len(pitch_hz))
    semitones = 12 * np.log2(pitch_hz[at] / _LOWEST_PITCH_HZ)
    return np.asarray(np.interp(np.arange(len(pitch_hz)), at, semitones))


def _noise(frames: int) -> Floats:
    """Aperiodicity of voiced frames (frames, 513)."""
    hz = np.linspace(0, SAMPLE_RATE / 2, voice.BINS)
    return np.tile(np.interp(hz, _NOISE_HZ, _NOISE), (frames, 1))
