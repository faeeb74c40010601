"""What makes the sound that the envelope shapes: a voice's pitch, or the partials of music.

A voice is sent as a flag for each frame and its pitch at evenly spaced knots; music as flags for
the semitones that ring in each step of time, so that chords and melodies keep their notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.sound import Samples, thinned, track_pitch
from mmcodec.descriptors.mel import Floats
from mmcodec.entropy.range_coder import BitModel, Decoder, Encoder, IntegerModel

Flags = list[list[int]]

NOISE, COARSE_PITCH, FINE_PITCH, PARTIALS = range(4)
MODE_BITS = 2

SEMITONES = 60
_LOWEST_PARTIAL_HZ = 65.406
_PARTIAL_FRAMES = 8
_MOST_PARTIALS = 8
_TUNING_BITS = 4
_LEAST_FOR_PARTIALS = 300
"""In bit/s: less goes to the envelope."""

_KNOT_FRAMES = {COARSE_PITCH: 15, FINE_PITCH: 5}
_LOWEST_PITCH_HZ, _STEPS_PER_OCTAVE, _HIGHEST_PITCH, _FIRST_PITCH = 55.0, 24, 90, 36

# First probabilities, measured on speech and music.
_VOICING_PRIORS = (3000, 62000, 3000, 62500)
_MOVE_PRIORS = (50000, 38000, 32768, 32768, 32768, 32768)
_PARTIAL_PRIORS = (2700, 3300, 4700, 2600, 45000, 28000, 40000, 37000)


@dataclass(frozen=True, slots=True)
class Excitation:
    """What is sent; which fields are used depends on the mode."""

    mode: int = NOISE
    voiced: list[int] = field(default_factory=list)
    knots: list[int] = field(default_factory=list)
    """Half semitones above 55 Hz."""
    tuning: int = 0
    """Sixteenths of a semitone that all partials are sharp."""
    ringing: Flags = field(default_factory=list)
    """(steps, SEMITONES)"""

    def pitch_hz(self, frames: int) -> Floats:
        """Pitch of each frame (frames,), carried on where unvoiced, 0 where there is none."""
        if not self.knots:
            return np.zeros(frames)
        steps = np.interp(np.arange(frames), _knot_frames(self.voiced, self.mode), self.knots)
        return np.asarray(_LOWEST_PITCH_HZ * 2.0 ** (steps / _STEPS_PER_OCTAVE))

    def voicing(self, frames: int) -> Floats:
        """1.0 for voiced frames, else 0.0 (frames,)."""
        return np.array(self.voiced, dtype=np.float64) if self.knots else np.zeros(frames)

    def partials(self, frames: int) -> Floats:
        """How much each semitone rings in each frame, 0 to 1 (frames, SEMITONES)."""
        if not self.ringing:
            return np.zeros((frames, SEMITONES))
        flags = np.array(self.ringing, dtype=np.float64)
        place = np.clip((np.arange(frames) + 0.5) / _PARTIAL_FRAMES - 0.5, 0.0, len(flags) - 1.0)
        below = place.astype(int)
        above = np.minimum(below + 1, len(flags) - 1)
        part = (place - below)[:, None]
        return np.asarray(flags[below] * (1.0 - part) + flags[above] * part)

    def partials_hz(self) -> Floats:
        """Frequencies of the semitones (SEMITONES,)."""
        sharp = self.tuning / (1 << _TUNING_BITS)
        return np.asarray(_LOWEST_PARTIAL_HZ * 2.0 ** ((np.arange(SEMITONES) + sharp) / 12.0))


NO_EXCITATION = Excitation()
"""Noise."""


def candidates(
    samples: Samples, sample_rate: int, frames: int, frame_rate: int, bit_rate: int
) -> list[Excitation]:
    """What may be the excitation of ``samples`` (n,) at ``bit_rate``: noise, a pitch, partials."""
    found = [NO_EXCITATION, _measure_pitch(samples, sample_rate, frames, frame_rate, bit_rate)]
    if bit_rate >= _LEAST_FOR_PARTIALS:
        found.append(_measure_partials(samples, sample_rate, frames, frame_rate))
    return [one for at, one in enumerate(found) if one.mode != NOISE or at == 0]


def encode(encoder: Encoder, excitation: Excitation) -> None:
    """Write all but the mode."""
    if excitation.mode == PARTIALS:
        encoder.encode_bits(excitation.tuning, _TUNING_BITS)
        models = [BitModel(prior) for prior in _PARTIAL_PRIORS]
        before = [0] * SEMITONES
        for now in excitation.ringing:
            for tone in range(SEMITONES):
                encoder.encode_bit(models[_partial_context(before, now, tone)], now[tone])
            before = now
        return
    models = [BitModel(prior) for prior in _VOICING_PRIORS]
    context = 0
    for flag in excitation.voiced:
        encoder.encode_bit(models[context], flag)
        context = (context << 1 | flag) & 3
    move = IntegerModel(_MOVE_PRIORS)
    for last, value in pairwise([_FIRST_PITCH, *excitation.knots]):
        move.encode(encoder, value - last)


def decode(decoder: Decoder, mode: int, frames: int) -> Excitation:
    """Read what :func:`encode` wrote; BitstreamError where it cannot be."""
    if mode == NOISE:
        return NO_EXCITATION
    if mode == PARTIALS:
        tuning = decoder.decode_bits(_TUNING_BITS)
        return Excitation(mode, tuning=tuning, ringing=_decode_partials(decoder, frames))
    models = [BitModel(prior) for prior in _VOICING_PRIORS]
    voiced: list[int] = []
    context = 0
    for _ in range(frames):
        voiced.append(decoder.decode_bit(models[context]))
        context = (context << 1 | voiced[-1]) & 3
    move, value = IntegerModel(_MOVE_PRIORS), _FIRST_PITCH
    knots = []
    for _ in _knot_frames(voiced, mode):
        value = min(max(value + move.decode(decoder), 0), _HIGHEST_PITCH)
        knots.append(value)
    return Excitation(mode, voiced, knots)


# --- voice --------------------------------------------------------------------------------------


def _measure_pitch(
    samples: Samples, sample_rate: int, frames: int, frame_rate: int, bit_rate: int
) -> Excitation:
    hz = np.resize(track_pitch(samples, sample_rate, frame_rate).hz, frames)
    voiced = _without_short_runs(hz > 0, frame_rate // 20)
    if np.mean(voiced) < 0.05:
        return NO_EXCITATION
    mode = COARSE_PITCH if bit_rate < 200 else FINE_PITCH
    steps = np.log2(np.where(hz > 0, hz, _LOWEST_PITCH_HZ) / _LOWEST_PITCH_HZ) * _STEPS_PER_OCTAVE
    flags = voiced.astype(int).tolist()
    knots: list[int] = []
    for knot in _knot_frames(flags, mode):
        pitched = steps[_around(knot, mode)][hz[_around(knot, mode)] > 0]
        value = round(float(np.median(pitched))) if len(pitched) else (knots or [_FIRST_PITCH])[-1]
        knots.append(min(value, _HIGHEST_PITCH))
    return Excitation(mode, flags, knots)


def _without_short_runs(voiced: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Runs of ``length`` frames or fewer joined to what surrounds them: they cost bits."""
    result = voiced.copy()
    edges = [*np.flatnonzero(np.diff(voiced, prepend=~voiced[:1])).tolist(), len(voiced)]
    for start, end in pairwise(edges):
        if end - start <= length and start > 0:
            result[start:end] = result[start - 1]
    return result


def _around(knot: int, mode: int) -> slice:
    half = _KNOT_FRAMES[mode] // 2 + 1
    return slice(max(knot - half, 0), knot + half)


def _knot_frames(voiced: list[int], mode: int) -> list[int]:
    """Frames that a pitch is sent for: evenly spaced, where anything near is voiced."""
    spacing = _KNOT_FRAMES[mode]
    return [n for n in range(0, len(voiced), spacing) if any(voiced[_around(n, mode)])]


# --- music --------------------------------------------------------------------------------------


def _measure_partials(
    samples: Samples, sample_rate: int, frames: int, frame_rate: int
) -> Excitation:
    """The strongest peaks of the spectrum, 0.2 s at a time, on a grid of semitones."""
    thin, rate = thinned(samples, sample_rate)
    size, step = round(0.2 * rate), _PARTIAL_FRAMES / frame_rate * rate
    steps = -(-frames // _PARTIAL_FRAMES)
    starts = np.minimum(((np.arange(steps) + 0.5) * step).astype(int), len(thin))
    padded = np.pad(thin.astype(np.float64), (size // 2, size))
    window = np.hanning(size)
    transform = 1 << (2 * size - 1).bit_length()
    spectra = np.fft.rfft(padded[starts[:, None] + np.arange(size)] * window, transform)
    level = 20.0 * np.log10(np.abs(spectra) / np.sum(window) + 1e-6)
    low = int(_LOWEST_PARTIAL_HZ * transform / rate)
    high = int(_LOWEST_PARTIAL_HZ * 2.0 ** (SEMITONES / 12.0) * transform / rate)
    near = _running_mean(level, 2 * round(60.0 * transform / rate) + 1)
    here = level[:, low:high]
    peak = (here > level[:, low - 1 : high - 1]) & (here >= level[:, low + 1 : high + 1])
    peak &= (here > near[:, low:high] + 6.0) & (here > here.max(axis=1, keepdims=True) - 30.0)
    peak &= here > -75.0
    at, bins = np.nonzero(peak)
    exact = 12.0 * np.log2((bins + low) * rate / transform / _LOWEST_PARTIAL_HZ)
    strength = here[at, bins]
    turn = np.sum(10.0 ** (strength / 20.0) * np.exp(2j * np.pi * exact))
    tuning = round(float(np.angle(turn)) / (2.0 * np.pi) * 16.0) % 16
    tones = np.round(exact - tuning / 16.0).astype(int)
    ringing = np.zeros((steps, SEMITONES), dtype=int)
    for frame in range(steps):
        mine = np.flatnonzero((at == frame) & (tones >= 0) & (tones < SEMITONES))
        loudest = mine[np.argsort(-strength[mine])][:_MOST_PARTIALS]
        ringing[frame, tones[loudest]] = 1
    return Excitation(PARTIALS, tuning=tuning, ringing=ringing.tolist())


def _running_mean(rows: Floats, width: int) -> Floats:
    padded = np.pad(rows, ((0, 0), (width // 2 + 1, width // 2)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width)


def _partial_context(before: list[int], now: list[int], tone: int) -> int:
    """What is known of a semitone: it rang before, a neighbour did, the one below rings now."""
    beside = before[tone - 1] if tone else 0
    above = before[tone + 1] if tone + 1 < SEMITONES else 0
    below = now[tone - 1] if tone else 0
    return 4 * before[tone] + 2 * (beside | above) + below


def _decode_partials(decoder: Decoder, frames: int) -> Flags:
    models = [BitModel(prior) for prior in _PARTIAL_PRIORS]
    ringing: Flags = []
    before = [0] * SEMITONES
    for _ in range(-(-frames // _PARTIAL_FRAMES)):
        now = [0] * SEMITONES
        for tone in range(SEMITONES):
            now[tone] = decoder.decode_bit(models[_partial_context(before, now, tone)])
        ringing.append(now)
        before = now
    return ringing
