"""Choose how a segment of music or sound is described: what is nearest to it when it is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.sound import loudness_lufs, stereo_width
from mmcodec.descriptors import opus, sound
from mmcodec.descriptors.excitation import Excitation
from mmcodec.descriptors.mel import log_mel
from mmcodec.synthesis.limiter import limited
from mmcodec.synthesis.offline_sound import render_sound
from mmcodec.timeline import Layer

Samples = NDArray[np.float32]
Floats = NDArray[np.floating]

_TONE_S, _TONES_HZ = 0.2, 10
_LOWEST_TONE_HZ, _TONES = 65.4, 60
_RANGE_DB = 60.0
_WRONG_HARMONY_DB = 10.0
"""What sound with none of the source's tones is worse by."""
_MOST_LOUDER_DB = 4.0
_PASSES = 2
"""Sound that is made louder may have to be limited, which makes it less loud."""


@dataclass(frozen=True, slots=True)
class _Likeness:
    """What two sounds are compared by: bands in dB (50 a second), and the strengths of the twelve
    semitones (times, 12), of length 1, with how strong they are together (times,).
    """

    bands: Floats
    tones: Floats
    power: Floats


def choose_sound(heard: SoundSegment, bit_rate: int) -> dict[Layer, bytes]:
    """The layer in at most ``bit_rate`` bit/s of which a decoder makes the nearest sound, as loud
    as the source: a descriptor, or from some 5 kbit/s on Opus.
    """
    mono, rate = heard.mono(), heard.sample_rate
    width = stereo_width(heard.samples)
    wanted = _likeness(mono, rate)

    def distance(made: Samples) -> float:
        return _distance(wanted, _likeness(made, rate))

    def trial(source: Excitation) -> float:
        return distance(_made(sound.encode(mono, rate, bit_rate, source), len(mono), rate))

    source = min(sound.excitations(mono, rate, bit_rate), key=trial)
    if bit_rate >= opus.LEAST_BIT_RATE:
        coded = opus.encode(mono, rate, bit_rate)
        made = opus.decode(coded, len(mono) / rate, rate, len(mono))
        if coded and distance(made) < trial(source):
            return {Layer.OPUS: coded}
    loudness, louder = loudness_lufs(mono[:, None], rate), 0.0
    data = sound.encode(mono, rate, bit_rate, source, width=width)
    for _ in range(_PASSES):
        louder += loudness - loudness_lufs(_made(data, len(mono), rate)[:, None], rate)
        louder = min(max(louder, -_MOST_LOUDER_DB), _MOST_LOUDER_DB)
        data = sound.encode(mono, rate, bit_rate, source, louder_db=louder, width=width)
    return {Layer.SOUND: data}


def _made(data: bytes, samples: int, rate: int) -> Samples:
    made = render_sound(sound.decode(data, samples / rate), rate, samples, seed=0)
    return limited(made[:, None], rate)[:, 0]


def _distance(wanted: _Likeness, made: _Likeness) -> float:
    """How different two sounds are heard to be, in dB."""
    floor = wanted.bands.max() - _RANGE_DB
    colour = np.abs(np.maximum(wanted.bands, floor) - np.maximum(made.bands, floor)).mean()
    alike = (wanted.tones * made.tones).sum(axis=1)
    weights = wanted.power / max(float(wanted.power.sum()), 1e-12)
    return float(colour + _WRONG_HARMONY_DB * (1 - (weights * alike).sum()))


def _likeness(mono: Samples, rate: int) -> _Likeness:
    seconds = len(mono) / rate
    bands = log_mel(mono, rate, max(round(seconds * sound.FRAME_RATE), 1), seconds)
    size, hop = round(_TONE_S * rate), max(round(rate / _TONES_HZ), 1)
    padded = np.pad(mono.astype(np.float64), (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(mono) : hop]
    fine = 1 << (2 * size - 1).bit_length()
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size), fine))
    hz = _LOWEST_TONE_HZ * 2 ** (np.arange(_TONES) / 12)
    bins = np.minimum(np.round(hz * fine / rate).astype(int), spectra.shape[1] - 1)
    tones = spectra[:, bins].reshape(len(spectra), -1, 12).sum(axis=1)
    lengths = np.linalg.norm(tones, axis=1)
    return _Likeness(bands, tones / np.maximum(lengths, 1e-9)[:, None], lengths)
