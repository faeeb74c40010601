from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.analysis.sound import Samples
from mmcodec.descriptors import mel, sound
from mmcodec.descriptors.dct_blocks import likely_step
from mmcodec.descriptors.excitation import COARSE_PITCH, FINE_PITCH, NOISE, PARTIALS
from mmcodec.descriptors.sound import MAX_SECONDS, decode, excitations
from mmcodec.errors import BitstreamError

RATE = 24000
MEDIA = Path(__file__).parents[2] / "shared" / "media"


def encode(
    samples: Samples, rate: int, bit_rate: int, modes: tuple[int, ...] = (COARSE_PITCH, FINE_PITCH)
) -> bytes:
    """The descriptor with a pitch if there is one, or with another excitation, else with noise."""
    found = excitations(samples, rate, bit_rate) if len(samples) else []
    sources = [one for one in found if one.mode in (NOISE, *modes)]
    return sound.encode(sound.measure(samples, rate), bit_rate, *sources[-1:])


def tone(hz: float, seconds: float = 3.0, rate: int = RATE) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (0.2 * np.sin(2.0 * np.pi * hz * time)).astype(np.float32)


def noise(seconds: float = 3.0, rate: int = RATE) -> Samples:
    rng = np.random.default_rng(3)
    return (0.1 * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def babble(seconds: float = 3.0, rate: int = RATE) -> Samples:
    """Syllables: pulses with a gliding pitch and moving resonances, 4 a second."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 120.0 * 2.0 ** (0.3 * np.sin(2.0 * np.pi * 0.7 * time))
    phase = 2.0 * np.pi * np.cumsum(pitch) / rate
    formant = 800.0 + 500.0 * np.sin(2.0 * np.pi * 2.3 * time)
    sound = sum(
        np.cos(n * phase) / (1.0 + ((n * pitch - formant) / 200.0) ** 2) for n in range(1, 25)
    )
    syllables = np.clip(np.sin(2.0 * np.pi * 4.0 * time) + 0.4, 0.0, 1.0)
    return np.asarray(0.1 * sound * syllables + 1e-4 * noise(seconds, rate), dtype=np.float32)


def silence(seconds: float = 3.0, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.float32)


def power_db(samples: Samples) -> float:
    return float(10.0 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def envelope_power_db(envelope: np.ndarray) -> float:
    return float(10.0 * np.log10(np.mean(np.sum(10.0 ** (envelope / 10.0), axis=1))))


@pytest.mark.parametrize("bit_rate", [80, 200, 600, 1000])
@pytest.mark.parametrize("make", [noise, lambda *a: tone(220.0, *a), babble, silence])
@pytest.mark.parametrize("seconds", [0.05, 0.8, 3.0, 10.0])
def test_the_budget_holds(make: object, bit_rate: int, seconds: float) -> None:
    assert callable(make)
    data = encode(make(seconds), RATE, bit_rate)
    assert len(data) <= max(bit_rate * seconds / 8, 3)
    found = decode(data, seconds)
    assert found.envelope_db.shape == (len(found.pitch_hz), mel.BANDS)
    assert len(found.voicing) == len(found.pitch_hz) == max(round(seconds * found.frame_rate), 1)


def test_silence_costs_nothing_and_stays_silent() -> None:
    data = encode(silence(), RATE, 600)
    assert len(data) <= 1
    assert decode(data, 3.0).envelope_db.max() < -95.0


@pytest.mark.parametrize("hz", [110.0, 220.0, 440.0])
def test_a_tone_keeps_its_pitch_and_band(hz: float) -> None:
    found = decode(encode(tone(hz), RATE, 600), 3.0)
    assert np.median(found.pitch_hz) == pytest.approx(hz, rel=0.03)
    assert np.mean(found.voicing) > 0.9
    loudest = found.envelope_db[10:-10].mean(axis=0).argmax()
    assert abs(loudest - mel.position(np.array([hz]))[0]) <= 1.0


def test_a_scale_is_followed() -> None:
    scale = [220.0, 246.9, 277.2, 293.7, 329.6]
    found = decode(encode(np.concatenate([tone(hz, 0.6) for hz in scale]), RATE, 600), 3.0)
    centres = (0.3 + 0.6 * np.arange(5)) * found.frame_rate
    assert found.pitch_hz[centres.astype(int)] == pytest.approx(scale, rel=0.03)


def test_noise_is_not_voiced() -> None:
    found = decode(encode(noise(), RATE, 600), 3.0)
    assert np.mean(found.voicing) < 0.05


@pytest.mark.parametrize("bit_rate", [80, 600])
@pytest.mark.parametrize("gain_db", [-50.0, -20.0, 0.0, 10.0])
def test_level_comes_back_within_one_db(bit_rate: int, gain_db: float) -> None:
    samples = noise() * np.float32(10.0 ** (gain_db / 20.0))
    found = decode(encode(samples, RATE, bit_rate), 3.0)
    # Noise up to 12 kHz has 0.3 dB more than its bands, which end at 11.7 kHz.
    assert envelope_power_db(found.envelope_db) == pytest.approx(power_db(samples) - 0.3, abs=1.0)


def test_more_bits_come_closer() -> None:
    samples = babble(5.0)
    frames = len(decode(encode(samples, RATE, 80), 5.0).pitch_hz)
    original = np.maximum(mel.log_mel(samples, RATE, frames, 5.0), -60.0)
    errors = []
    for bit_rate in (80, 200, 600, 1000):
        found = decode(encode(samples, RATE, bit_rate), 5.0)
        errors.append(np.sqrt(np.mean((np.maximum(found.envelope_db, -60.0) - original) ** 2)))
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.7 * errors[0]


def test_an_onset_stays_in_its_place() -> None:
    samples = np.concatenate([noise(1.0) * np.float32(0.01), noise(1.0)])
    found = decode(encode(samples, RATE, 600), 2.0)
    level = found.envelope_db.mean(axis=1)
    middle = (level.max() + level.min()) / 2.0
    first = int(np.argmax(level > middle)) / found.frame_rate
    assert first == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192000])
def test_any_sample_rate(rate: int) -> None:
    found = decode(encode(tone(330.0, 2.0, rate), rate, 600), 2.0)
    assert np.median(found.pitch_hz) == pytest.approx(330.0, rel=0.03)
    assert envelope_power_db(found.envelope_db) == pytest.approx(
        power_db(tone(330.0, 2.0, rate)), abs=1.5
    )


def test_same_input_same_bytes() -> None:
    assert encode(babble(), RATE, 600) == encode(babble(), RATE, 600)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=150), st.floats(0.01, 12.0))
def test_hostile_bytes_raise_nothing_but_bitstream_error(data: bytes, seconds: float) -> None:
    try:
        found = decode(data, seconds)
    except BitstreamError:
        return
    assert np.isfinite(found.envelope_db).all()
    assert found.envelope_db.max() < 100.0
    assert ((found.pitch_hz >= 0) & (found.pitch_hz < 1000)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_damaged_bytes_raise_nothing_but_bitstream_error(place: int, change: int) -> None:
    data = bytearray(encode(babble(1.5), RATE, 600))
    data[place % len(data)] ^= change
    with suppress(BitstreamError):
        decode(bytes(data), 1.5)


@pytest.mark.parametrize("seconds", [0.0, -1.0, MAX_SECONDS + 0.1, float("nan"), float("inf")])
def test_impossible_durations_are_refused(seconds: float) -> None:
    with pytest.raises(BitstreamError):
        decode(b"\x80\x80\x80", seconds)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(BitstreamError, match="too many"):
        decode(bytes(1000), 1.0)


def test_impossible_input_is_refused() -> None:
    for samples, rate in ((noise(0.0), RATE), (noise(1.0), 4000), (noise(61.0, 8000), 8000)):
        with pytest.raises(ValueError, match="cannot be described"):
            sound.measure(samples, rate)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="the shared media files are not here")
def test_recorded_speech_is_described_closely() -> None:
    with av.open(str(MEDIA / "speech" / "LJ001-0001.wav")) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        parts = [p for f in container.decode(audio=0) for p in resampler.resample(f)]
        samples = np.concatenate([part.to_ndarray().reshape(-1) for part in parts])
    seconds = len(samples) / RATE
    found = decode(encode(samples, RATE, 600), seconds)
    original = mel.log_mel(samples, RATE, len(found.pitch_hz), seconds)
    floor = original.max() - 45.0
    error = np.maximum(found.envelope_db, floor) - np.maximum(original, floor)
    assert np.sqrt(np.mean(error**2)) < 3.5
    assert 150.0 < np.median(found.pitch_hz[found.voicing > 0]) < 280.0


def test_a_chord_keeps_its_notes() -> None:
    chord = [220.0, 277.2, 329.6, 554.4]
    samples = sum(tone(hz, 4.0) for hz in chord) / np.float32(4.0)
    found = decode(encode(np.asarray(samples, dtype=np.float32), RATE, 600, (PARTIALS,)), 4.0)
    ringing = found.partials_hz[found.partials[20:-20].mean(axis=0) > 0.8]
    assert ringing == pytest.approx(chord, rel=0.01)
    assert not found.voicing.any()


@pytest.mark.parametrize("width", [0.0, 0.2, 0.5, 0.9])
def test_stereo_width_is_one_number(width: float) -> None:
    found = decode(sound.encode(sound.measure(noise(), RATE), 200, width=width), 3.0)
    assert found.width == pytest.approx(min(width, 0.5), abs=0.04)


@pytest.mark.parametrize("bit_rate", [100, 600, 1500])
def test_another_level_needs_no_search_for_the_step(bit_rate):
    measured = sound.measure(noise(), RATE)
    plain = sound.encode(measured, bit_rate)
    level_db, step = sound.level_and_step(plain)
    louder = sound.encode(measured, bit_rate, louder_db=3.0, least=step)
    assert louder == sound.encode(measured, bit_rate, louder_db=3.0)
    assert sound.level_and_step(louder) == (pytest.approx(level_db + 3, abs=0.4), step)
    coarser = sound.encode(measured, bit_rate, least=step + 4)
    assert sound.level_and_step(coarser) == (level_db, step + 4)


@pytest.mark.parametrize("bit_rate", [120, 500, 1000])
def test_the_likely_step_of_a_sound_is_near_the_one_that_fits(bit_rate):
    for samples in (babble(), noise()):
        measured = sound.measure(samples, RATE)
        _, step = sound.level_and_step(sound.encode(measured, bit_rate))
        likely = likely_step(measured.blocks, bit_rate * measured.seconds)
        assert abs(likely - step) <= 3
