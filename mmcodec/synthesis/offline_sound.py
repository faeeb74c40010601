"""Sound from a descriptor, with no model: harmonics and noise shaped by the envelope.

A harmonic-plus-noise synthesizer (Y. Stylianou, 2001) in the short-time Fourier domain: the
spectrum of the excitation is measured in the bands of the descriptor and moved to the levels that
the envelope asks for, so that the level is right for any pitch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors import mel
from mmcodec.descriptors.sound import SoundDescription

Samples = NDArray[np.float32]
Floats = mel.Floats
Spectra = NDArray[np.complexfloating]

_WINDOW_SECONDS = 0.02
_HOPS_PER_WINDOW = 4
_HIGHEST_GAIN_DB = 20.0
_VOICED_BELOW_HZ, _NOISE_ABOVE_HZ = 1500.0, 4000.0
_MOST_TONAL = 0.97
_DISPERSION_SECONDS, _DISPERSED_BELOW_HZ = 0.006, 6000.0


def render_sound(
    description: SoundDescription, sample_rate: int, n_samples: int, seed: int
) -> Samples:
    """``n_samples`` of sound (n,) at ``sample_rate``; the same for the same seed.

    Past the end of the description its last frame is held.
    """
    size = 4 * round(_WINDOW_SECONDS * sample_rate / 4)
    hop = size // _HOPS_PER_WINDOW
    count = n_samples // hop + _HOPS_PER_WINDOW
    centres = (np.arange(count) * hop - size + hop + size / 2) / sample_rate
    target = _at(description.envelope_db, centres * description.frame_rate)
    voicing = _at(description.voicing[:, None], centres * description.frame_rate)

    seconds = (np.arange((count - 1) * hop + size) - (size - hop)) / sample_rate
    hz = np.fft.rfftfreq(size, 1.0 / sample_rate)
    rng = np.random.default_rng(seed)
    # All excitation has a power of 1 per Hz.
    noise = np.sqrt(0.5 * sample_rate) * rng.standard_normal(len(seconds))
    spectra = _spectra(noise, size, hop)
    if voicing.any():
        pulses = _harmonics(_pitch_contour(description, seconds), sample_rate)
        pulses = _dispersed(pulses, sample_rate)
        share = voicing * _voiced_share(hz)
        spectra *= np.sqrt(1.0 - share)
        spectra += np.sqrt(share) * _spectra(pulses, size, hop)
    if description.partials.any():
        ringing = _at(description.partials, centres * description.frame_rate)
        spectra *= np.sqrt(1.0 - _tonal_share(ringing, description.partials_hz, hz))
        spectra += _spectra(_partials(description, seconds, sample_rate, rng), size, hop)
    spectra *= _gains(spectra, target, sample_rate, size)
    sound = _overlap_add(spectra, size, hop)[size - hop :][:n_samples]
    return np.asarray(sound * _level_match(sound, description, sample_rate), np.float32)


def _at(frames: Floats, positions: Floats) -> Floats:
    """``frames`` (count, k) interpolated at ``positions`` (m,), counted in frames from time 0."""
    place = np.clip(positions - 0.5, 0.0, len(frames) - 1.0)
    below = place.astype(int)
    above = np.minimum(below + 1, len(frames) - 1)
    part = (place - below)[:, None]
    return np.asarray(frames[below] * (1.0 - part) + frames[above] * part)


def _pitch_contour(description: SoundDescription, seconds: Floats) -> Floats:
    """Fundamental frequency in Hz at each of ``seconds``."""
    known = np.maximum(description.pitch_hz, 20.0)
    frames = (np.arange(len(known)) + 0.5) / description.frame_rate
    return np.asarray(np.interp(seconds, frames, known))


def _harmonics(pitch: Floats, sample_rate: int) -> Floats:
    """All harmonics of ``pitch`` (n,) below half of the sample rate, flat at 1 per Hz.

    The sum of cosines in closed form (Dirichlet's kernel).
    """
    phase = 2.0 * np.pi * (np.cumsum(pitch / sample_rate) % 1.0)
    count = np.floor(0.49 * sample_rate / pitch)
    half = np.sin(phase / 2.0)
    near = np.abs(half) < 1e-4
    kernel = np.sin((count + 0.5) * phase) / np.where(near, 1.0, half)
    kernel = np.where(near, 2.0 * count + 1.0, kernel)
    return np.asarray(0.5 * (kernel - 1.0) * np.sqrt(2.0 * pitch))


def _dispersed(pulses: Floats, sample_rate: int) -> Floats:
    """``pulses`` (n,) as chirps: high frequencies later, up to 6 ms from 6 kHz.

    As a throat does, it spreads the energy of a pulse over its period: lower peaks, less buzz.
    """
    size = 1 << (len(pulses) + round(0.02 * sample_rate)).bit_length()  # others may be slow
    hz = np.minimum(np.fft.rfftfreq(size, 1.0 / sample_rate), _DISPERSED_BELOW_HZ)
    chirp = np.exp(-1j * np.pi * _DISPERSION_SECONDS * hz**2 / _DISPERSED_BELOW_HZ)
    return np.asarray(np.fft.irfft(np.fft.rfft(pulses, size) * chirp, size)[: len(pulses)])


def _voiced_share(hz: Floats) -> Floats:
    """Share of the power that is harmonic in a voiced frame (bins,): breath takes over above."""
    slope = (hz - _VOICED_BELOW_HZ) / (_NOISE_ABOVE_HZ - _VOICED_BELOW_HZ)
    return np.asarray(1.0 - 0.8 * np.clip(slope, 0.0, 1.0))


def _partials(
    description: SoundDescription, seconds: Floats, sample_rate: int, rng: np.random.Generator
) -> Floats:
    """The partials that ring at each of ``seconds`` (n,), each with the power of its band."""
    sound = np.zeros(len(seconds))
    frames = (np.arange(len(description.partials)) + 0.5) / description.frame_rate
    phases = rng.uniform(0.0, 2.0 * np.pi, len(description.partials_hz))
    bandwidths = np.interp(description.partials_hz, mel.centres_hz(), np.gradient(mel.centres_hz()))
    for tone in np.flatnonzero(description.partials.any(axis=0)):
        hz, rings = description.partials_hz[tone], description.partials[:, tone]
        if hz < sample_rate / 2:
            for heard in _where_heard(rings, frames, seconds):
                amplitude = np.interp(seconds[heard], frames, rings)
                wave = np.cos(2.0 * np.pi * hz * seconds[heard] + phases[tone])
                sound[heard] += np.sqrt(2.0 * bandwidths[tone]) * amplitude * wave
    return sound


def _where_heard(rings: Floats, frames: Floats, seconds: Floats) -> Iterator[slice]:
    """Where in ``seconds`` (n,) a partial is heard that ``rings`` (m,) at the times ``frames``."""
    edges = np.flatnonzero(np.diff(rings > 0, prepend=False, append=False))
    for first, end in edges.reshape(-1, 2):
        start = np.searchsorted(seconds, frames[first - 1]) if first else 0
        yield slice(start, np.searchsorted(seconds, frames[end]) if end < len(frames) else None)


def _tonal_share(ringing: Floats, partials_hz: Floats, hz: Floats) -> Floats:
    """How much of the noise gives way to partials (frames, bins): most where one is near."""
    at, of = mel.position(hz), mel.position(partials_hz)
    near = np.clip(1.5 - np.abs(of[:, None] - at[None, :]), 0.0, 1.0)
    return np.asarray(_MOST_TONAL * np.minimum(ringing @ near, 1.0))


def _gains(spectra: Spectra, target_db: Floats, sample_rate: int, size: int) -> Floats:
    """Gains (frames, bins) that bring the bands of ``spectra`` to ``target_db``."""
    bank = mel.filter_bank(sample_rate, size)
    power = 2.0 * np.abs(spectra) ** 2 / (size * np.sum(_window(size) ** 2))
    have_db = mel.to_db(power @ bank)
    # The bands of white noise with a power of 1 per Hz: no band is raised far above it, for where
    # the excitation has nothing there is nothing to raise.
    flat_db = mel.to_db(bank.sum(axis=0) * sample_rate / size)
    gain_db = target_db - np.maximum(have_db, flat_db - _HIGHEST_GAIN_DB)
    gain = 10.0 ** (gain_db / 20.0)
    return np.asarray(gain @ bank.T)


def _level_match(sound: Floats, description: SoundDescription, sample_rate: int) -> float:
    """Factor that brings the loudness of ``sound`` to that of the envelope.

    It is near 1: what lies between two frames or two bands is interpolated in dB, which is less
    than the mean of the powers.
    """
    seconds = min(len(sound) / sample_rate, description.seconds)
    if seconds * sample_rate < 1.0:
        return 1.0
    described = description.envelope_db[: max(round(seconds * description.frame_rate), 1)]
    audible = np.where(mel.centres_hz() < sample_rate / 2, described, mel.FLOOR_DB)
    heard = mel.log_mel(
        sound[: round(seconds * sample_rate)], sample_rate, max(round(10.0 * seconds), 1), seconds
    )
    change_db = mel.loudness_db(audible) - mel.loudness_db(heard)
    return float(10.0 ** (np.clip(change_db, -6.0, 6.0) / 20.0))


def _window(size: int) -> Floats:
    return np.asarray(np.hanning(size + 1)[:-1])


def _spectra(signal: Floats, size: int, hop: int) -> Spectra:
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    return np.asarray(np.fft.rfft(frames * _window(size)))


def _overlap_add(spectra: Spectra, size: int, hop: int) -> Floats:
    frames = np.fft.irfft(spectra, size) * _window(size) / 1.5
    parts = frames.reshape(len(frames), _HOPS_PER_WINDOW, hop)
    sound = np.zeros((len(frames) + _HOPS_PER_WINDOW - 1, hop))
    for part in range(_HOPS_PER_WINDOW):
        sound[part : part + len(frames)] += parts[:, part]
    return sound.reshape(-1)
