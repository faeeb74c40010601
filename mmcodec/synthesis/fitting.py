"""What a model of sound gives, fitted to its cue: rate, length, loudness, words in place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.resampling import resampled
from mmcodec.descriptors import sound, voice
from mmcodec.descriptors.mel import log_mel, loudness_db
from mmcodec.descriptors.voice import Voice
from mmcodec.descriptors.voice_times import Spans
from mmcodec.errors import FailedWorkError
from mmcodec.synthesis.limiter import limited
from mmcodec.timeline import AUDIO_TIME_BASE, AudioTrack, Cue, Layer

Samples = NDArray[np.float32]

_SLOWEST, _FASTEST = 0.5, 2.0
_USUAL_DB = -23.0
_MOST_GAIN_DB = 20.0
"""What one moment may be raised or lowered beside the whole."""
_GAIN_FRAMES = 11
"""Gains are smoothed over these frames of 20 ms, so that they follow phrases and not waves."""
_VOICE = 0.02
"""Part of the loudest moment below which a synthesizer is taken to be silent."""


def fitted(made: Samples, made_rate: int, cue: Cue, track: AudioTrack, samples: int) -> Samples:
    """``made`` (n,) as the ``samples`` of a cue (samples, channels): resampled, cut or padded, and
    as loud over time as the stream says.
    """
    mono = at_rate(made, made_rate, track.sample_rate)
    mono = np.pad(mono[:samples], (0, max(0, samples - len(mono))))
    mono = levelled(mono, cue, track)
    return np.repeat(mono[:, None], track.channels, axis=1)


def at_rate(mono: Samples, from_rate: int, to_rate: int) -> Samples:
    """``mono`` (n,) at another rate.

    Raises:
        FailedWorkError: it is not all numbers, as half precision sometimes gives.
    """
    mono = np.asarray(mono, np.float32).reshape(-1)
    if not np.isfinite(mono).all():
        raise FailedWorkError("the model gave no numbers; --dtype float32 may help")
    return resampled(mono, from_rate, to_rate)


def stretched(mono: Samples, count: int) -> Samples:
    """``mono`` (n,) made slower or faster at the same pitch, up to twice; then cut or padded."""
    if not len(mono) or not count:
        return np.zeros(count, np.float32)
    rate = min(max(len(mono) / count, _SLOWEST), _FASTEST)
    if len(mono) > 256 and abs(rate - 1) > 0.01:
        import librosa

        size = min(2048, 1 << len(mono).bit_length() - 1)
        mono = librosa.effects.time_stretch(mono, rate=rate, n_fft=size)
    return np.pad(mono[:count], (0, max(0, count - len(mono)))).astype(np.float32)


def levelled(mono: Samples, cue: Cue, track: AudioTrack) -> Samples:
    """``mono`` (n,) with the loudness over time of the cue's descriptor, or a usual one."""
    seconds = len(mono) / track.sample_rate
    frames = max(1, round(seconds / AUDIO_TIME_BASE))
    if not mono.any() or seconds < AUDIO_TIME_BASE:
        return mono
    heard = log_mel(mono, track.sample_rate, frames, seconds)
    data = cue.descriptors.get(Layer.SOUND)
    if data is None:
        said = voice_of(cue)
        gain = said.level_db - _spoken_db(mono) if said else _USUAL_DB - loudness_db(heard)
        gains = np.full(frames, gain)
    else:
        wanted = sound.decode(data, float(cue.span.duration * track.time_base)).envelope_db
        wanted = wanted[np.minimum(np.arange(frames), len(wanted) - 1)]
        whole = loudness_db(wanted) - loudness_db(heard)
        gains = np.clip(_power_db(wanted) - _power_db(heard) - whole, -_MOST_GAIN_DB, _MOST_GAIN_DB)
        gains = whole + _smooth(gains)
        # Moments that were held back are made up for by the others.
        gains += loudness_db(wanted) - loudness_db(heard + gains[:, None])
    places = (np.arange(len(mono)) + 0.5) / len(mono) * frames - 0.5
    loud = mono * 10 ** (np.interp(places, np.arange(frames), gains) / 20)
    return limited(loud[:, None].astype(np.float32), track.sample_rate)[:, 0]


def placed(mono: Samples, cue: Cue, track: AudioTrack, samples: int) -> Samples:
    """Speech ``mono`` (n,) with its words at the times of the cue, (samples,).

    A synthesizer tells no times: its words are taken to follow each other over its voice, each as
    long as it has letters. Without times in the cue the voice fills it.
    """
    spoken = _trimmed(mono)
    said = cue.spoken.split()
    times = word_times(cue)
    if not times:
        return stretched(spoken, samples)
    letters = np.cumsum([0, *(max(1, len(word)) for word in said)])
    bounds = np.round(letters / letters[-1] * len(spoken)).astype(int)
    out = np.zeros(samples, np.float32)
    for phrase in _phrases(times):
        source = spoken[bounds[phrase.start] : bounds[phrase.stop]]
        start, end = (
            min(round(moment * track.sample_rate), samples)
            for moment in (times[phrase.start][0], times[phrase.stop - 1][1])
        )
        out[start:end] = _faded(stretched(source, end - start), track.sample_rate)
    return out


def word_times(cue: Cue) -> Spans:
    """Start and end of each word that is said in a cue, in s; empty if no layer tells them.

    Raises:
        BitstreamError: the layer is damaged.
    """
    said = voice_of(cue)
    return said.words if said else ()


def voice_of(cue: Cue) -> Voice | None:
    """Who says the words of a cue, if a layer tells it.

    Raises:
        BitstreamError: the layer is damaged.
    """
    if Layer.VOICE not in cue.descriptors or not cue.spoken:
        return None
    seconds = float(cue.span.duration * AUDIO_TIME_BASE)
    return voice.decode(cue.descriptors[Layer.VOICE], cue.spoken, seconds)


def _spoken_db(mono: Samples) -> float:
    """Mean square in dB of what is not silence, as a voice's level is."""
    return float(10 * np.log10(np.mean(np.square(mono[mono != 0], dtype=np.float64)) + 1e-12))


def _phrases(times: Spans) -> list[range]:
    """Runs of words without a pause between them, which are stretched as one."""
    starts = [0, *(at + 1 for at, (a, b) in enumerate(pairwise(times)) if b[0] > a[1]), len(times)]
    return [range(start, end) for start, end in pairwise(starts)]


def _faded(mono: Samples, sample_rate: int) -> Samples:
    """Without a click at the ends."""
    count = min(len(mono) // 2, round(0.005 * sample_rate))
    rise = np.linspace(0, 1, count, dtype=np.float32)
    mono[:count] *= rise
    mono[len(mono) - count :] *= rise[::-1]
    return mono


def _trimmed(mono: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(mono) > _VOICE * np.abs(mono).max(initial=0.0))
    return mono[loud[0] : loud[-1] + 1] if len(loud) else mono


def _power_db(envelope_db: NDArray[np.floating]) -> NDArray[np.float64]:
    """Level of each frame (frames,), no less than 60 dB below the loudest."""
    power = 10 * np.log10((10 ** (envelope_db / 10)).sum(axis=1))
    return np.asarray(np.maximum(power, power.max() - 60))


def _smooth(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    width = min(_GAIN_FRAMES, len(gains) | 1)
    padded = np.pad(gains, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")[: len(gains)]
