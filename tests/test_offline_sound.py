from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmcodec.analysis.sound import loudness_lufs, track_pitch
from mmcodec.descriptors import mel
from mmcodec.descriptors.sound import SoundDescription, decode, encode, measure
from mmcodec.synthesis.offline_sound import Samples, render_sound

RATE = 24000


def description(
    envelope: np.ndarray, pitch_hz: float = 0.0, frame_rate: float = 40.0
) -> SoundDescription:
    frames = len(envelope)
    voicing = np.full(frames, float(pitch_hz > 0))
    pitch = np.full(frames, pitch_hz)
    none = np.zeros((frames, 0))
    return SoundDescription(
        envelope, pitch, voicing, none, np.zeros(0), frame_rate, frames / frame_rate
    )


def flat(level_db: float, seconds: float = 2.0) -> np.ndarray:
    return np.full((round(40 * seconds), mel.BANDS), level_db)


def power_db(samples: Samples) -> float:
    return float(10.0 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


@pytest.mark.parametrize("pitch_hz", [0.0, 90.0, 220.0])
@pytest.mark.parametrize("rate", [16000, 24000, 48000])
def test_level_is_that_of_the_envelope(pitch_hz: float, rate: int) -> None:
    envelope = flat(-60.0)
    envelope[:, 2:20] = -35.0
    sound = render_sound(description(envelope, pitch_hz), rate, 2 * rate, seed=1)
    inner = sound[rate // 10 : -rate // 10]
    assert power_db(inner) == pytest.approx(-35.0 + 10.0 * np.log10(18), abs=1.0)


@pytest.mark.parametrize("hz", [110.0, 220.0, 400.0])
def test_pitch_is_that_of_the_description(hz: float) -> None:
    sound = render_sound(description(flat(-40.0), hz), RATE, 2 * RATE, seed=1)
    track = track_pitch(sound, RATE)
    assert np.median(track.hz[5:-5]) == pytest.approx(hz, rel=0.01)


def test_noise_has_no_pitch() -> None:
    sound = render_sound(description(flat(-40.0)), RATE, 2 * RATE, seed=1)
    assert np.mean(track_pitch(sound, RATE).hz > 0) < 0.1


@pytest.mark.parametrize("band", [5, 12, 24])
@pytest.mark.parametrize("pitch_hz", [0.0, 150.0])
def test_energy_is_in_its_band(band: int, pitch_hz: float) -> None:
    envelope = flat(-90.0)
    envelope[:, band] = -30.0
    sound = render_sound(description(envelope, pitch_hz), RATE, 2 * RATE, seed=1)
    bands = mel.log_mel(sound, RATE, 10, 2.0).mean(axis=0)
    assert bands.argmax() == band
    far = np.abs(np.arange(mel.BANDS) - band) > 2
    assert bands[far].max() < bands[band] - 25.0


def test_silence_is_silent() -> None:
    sound = render_sound(description(flat(mel.FLOOR_DB)), RATE, RATE, seed=1)
    assert np.abs(sound).max() < 1e-3


def test_a_higher_envelope_is_the_same_sound_louder() -> None:
    quiet = render_sound(description(flat(-40.0)), RATE, RATE, seed=1)
    louder = render_sound(description(flat(-34.0)), RATE, RATE, seed=1)
    assert louder == pytest.approx(quiet * 10.0**0.3, rel=1e-3, abs=1e-6)


def test_same_seed_same_sound() -> None:
    described = description(flat(-40.0), 100.0)
    first = render_sound(described, RATE, RATE, seed=1)
    assert np.array_equal(first, render_sound(described, RATE, RATE, seed=1))
    assert not np.array_equal(first, render_sound(described, RATE, RATE, seed=2))


@pytest.mark.parametrize("count", [0, 1, 100, 23999])
def test_length_and_type_are_exact(count: int) -> None:
    sound = render_sound(description(flat(-40.0, 0.1), 100.0), RATE, count, seed=1)
    assert sound.shape == (count,)
    assert sound.dtype == np.float32


def test_no_clicks_when_voicing_switches() -> None:
    frames = flat(-40.0, 4.0)
    frames[:, 8:] = -90.0  # nothing above 1 kHz, so that a click would stand out there
    switching = np.repeat(np.arange(16) % 2, len(frames) // 16).astype(float)
    described = replace(description(frames, 120.0), voicing=switching)
    sound = render_sound(described, RATE, 4 * RATE, seed=1)
    bands = mel.log_mel(sound, RATE, 400, 4.0)
    assert (bands[:, 14:].max(axis=1) < bands[:, :8].max(axis=1) - 30.0).all()


def test_loudness_survives_the_codec() -> None:
    rng = np.random.default_rng(5)
    time = np.arange(4 * RATE) / RATE
    swell = 0.05 + 0.04 * np.sin(2.0 * np.pi * 1.5 * time)
    noise = (swell * rng.standard_normal(4 * RATE)).astype(np.float32)
    phase = 2.0 * np.pi * 150.0 * time
    hum = np.asarray(swell * sum(np.cos(n * phase) / n for n in range(1, 20)), dtype=np.float32)
    for samples in (noise, hum):
        for bit_rate in (80, 600):
            described = decode(encode(measure(samples, RATE), bit_rate), 4.0)
            sound = render_sound(described, RATE, len(samples), seed=1)
            difference = loudness_lufs(sound[:, None], RATE) - loudness_lufs(samples[:, None], RATE)
            assert abs(difference) < 1.0


def test_partials_ring_where_they_are_flagged() -> None:
    described = replace(
        description(flat(-40.0)),
        partials=np.tile([1.0, 0.0, 1.0], (80, 1)),
        partials_hz=np.array([440.0, 600.0, 880.0]),
    )
    sound = render_sound(described, RATE, 2 * RATE, seed=1)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    at = {hz: 20.0 * np.log10(spectrum[2 * hz - 4 : 2 * hz + 5].max()) for hz in (440, 600, 880)}
    assert min(at[440], at[880]) > at[600] + 15.0


@pytest.mark.parametrize("when", [[0], [2], [3], [0, 2], [1, 3]])
def test_a_partial_rings_when_it_is_flagged(when: list[int]) -> None:
    """Any of four times of half a second, of 20 frames each."""
    ringing = np.repeat([float(part in when) for part in range(4)], 20)[:, None]
    described = replace(description(flat(-40.0)), partials=ringing, partials_hz=np.array([440.0]))
    sound = render_sound(described, RATE, 2 * RATE, seed=1)
    inner = sound.reshape(4, RATE // 2)[:, RATE // 10 : -RATE // 10]
    tone = np.exp(2j * np.pi * 440 * np.arange(inner.shape[1]) / RATE) * np.hanning(inner.shape[1])
    heard = 20 * np.log10(np.abs(inner @ tone))
    silent = [part for part in range(4) if part not in when]
    assert heard[when].min() > heard[silent].max() + 10
