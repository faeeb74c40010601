"""The vocoder layer: speech as pitch, voicing and cepstra."""

from contextlib import suppress
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from pystoi import stoi

from mmcodec.analysis.world import analyse, synthesize
from mmcodec.descriptors.vocoder import MAX_SECONDS, decode, encode
from mmcodec.errors import BitstreamError

SAMPLES = Path(__file__).parents[1] / "samples"
RATE = 16_000


@cache
def speech(seconds: float = 5.0, rate: int = RATE) -> np.ndarray:
    """The start of the sample note, (n,)."""
    samples, own = soundfile.read(SAMPLES / "note.wav", dtype="float32")
    made = librosa.resample(samples, orig_sr=own, target_sr=rate)
    return made[: round(seconds * rate)]


def heard(samples: np.ndarray, bit_rate: int, rate: int = RATE) -> np.ndarray:
    """What comes out of encoder and decoder, at :data:`RATE`."""
    seconds = len(samples) / rate
    world = decode(encode(samples, rate, bit_rate), seconds)
    return synthesize(world, RATE, round(seconds * RATE))


@cache
def coded() -> bytes:
    """The code of two seconds of speech."""
    return encode(speech(2.0), RATE, 600)


def stoi_like(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the levels over time, for what is too short for STOI."""
    levels = [
        np.log(x[: len(x) // 160 * 160].reshape(-1, 160).std(axis=1) + 1e-3) for x in (one, other)
    ]
    return float(np.corrcoef(*levels)[0, 1])


def power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("bit_rate", [350, 700, 1200, 3000])
@pytest.mark.parametrize("seconds", [1.0, 5.0, 9.5])
def test_the_budget_is_met_and_used(bit_rate, seconds):
    size = len(encode(speech(seconds), RATE, bit_rate))
    assert size <= bit_rate * seconds / 8
    assert size > 0.85 * bit_rate * seconds / 8 - 2


def test_more_bits_come_closer():
    source = speech()
    close = [stoi(source, heard(source, rate), RATE) for rate in (350, 700, 1400, 2800)]
    assert close == sorted(close)
    assert close[0] > 0.65
    assert close[-1] > 0.85


def test_pitch_and_voicing_come_back():
    source = analyse(speech(), RATE)
    found = decode(encode(speech(), RATE, 1000), 5.0)
    both = (source.pitch_hz > 0) & (found.pitch_hz > 0)
    assert np.mean((source.pitch_hz > 0) == (found.pitch_hz > 0)) > 0.93
    assert np.median(np.abs(12 * np.log2(found.pitch_hz[both] / source.pitch_hz[both]))) < 0.5


@pytest.mark.parametrize("bit_rate", [350, 1500])
@pytest.mark.parametrize("gain", [0.003, 0.1, 1.0, 3.0])
def test_it_is_as_loud_as_it_was(bit_rate, gain):
    source = np.float32(gain) * speech()
    assert power_db(heard(source, bit_rate)) == pytest.approx(power_db(source), abs=1.5)


@pytest.mark.parametrize("rate", [8000, 11_025, 48_000, 192_000])
def test_any_sample_rate(rate):
    source = speech(3.0, rate)
    made = heard(source, 1500, rate)
    assert stoi(speech(3.0)[: len(made)], made, RATE) > 0.75


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 44_100])
def test_whatever_a_cue_lasts_both_sides_count_the_same_frames(rate):
    for ticks in range(20, 60, 6):
        source = speech(3.0, rate)[rate:][: round(ticks / 50 * rate)]
        found = decode(encode(source, rate, 3000), ticks / 50)
        assert len(found.pitch_hz) == 4 * ticks + 1
        made = synthesize(found, RATE, round(ticks / 50 * RATE))
        assert stoi_like(speech(3.0)[RATE:][: len(made)], made) > 0.8


def test_same_input_same_bytes():
    assert encode(speech(), RATE, 700) == encode(speech(), RATE, 700)


def test_silence_costs_nothing_and_stays_silent():
    silence = np.zeros(3 * RATE, np.float32)
    assert encode(silence, RATE, 700) == b""
    assert np.abs(heard(silence, 700)).max() < 1e-4


@pytest.mark.parametrize("seconds", [1 / RATE, 0.005, 0.05, 0.3])
def test_a_moment_is_described(seconds):
    source = speech(2.0)[RATE : RATE + round(seconds * RATE)]
    data = encode(source, RATE, 700)
    assert len(data) <= max(700 * seconds / 8, 16)
    made = synthesize(decode(data, len(source) / RATE), RATE, len(source))
    assert np.isfinite(made).all()


def test_clipping_and_noise_are_described():
    clipped = np.clip(20 * speech(), -1, 1)
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * RATE).astype(np.float32)
    for source in (clipped, noise):
        assert power_db(heard(source, 700)) == pytest.approx(power_db(source), abs=2)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=150), st.floats(0.01, 12.0))
def test_hostile_bytes_raise_nothing_but_bitstream_error(data, seconds):
    try:
        found = decode(data, seconds)
    except BitstreamError:
        return
    assert np.isfinite(found.power).all()
    assert np.isfinite(synthesize(found, RATE, round(seconds * RATE))).all()
    assert ((found.pitch_hz == 0) | ((found.pitch_hz > 50) & (found.pitch_hz < 600))).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_damaged_bytes_raise_nothing_but_bitstream_error(place, change):
    data = bytearray(coded())
    data[place % len(data)] ^= change
    with suppress(BitstreamError):
        decode(bytes(data), 2.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0, MAX_SECONDS + 0.1, float("nan"), float("inf")])
def test_impossible_durations_are_refused(seconds):
    with pytest.raises(BitstreamError):
        decode(b"\x80\x80\x80", seconds)


def test_too_many_bytes_are_refused():
    with pytest.raises(BitstreamError, match="too many"):
        decode(bytes(1000), 1.0)


def test_impossible_input_is_refused():
    for samples in (speech()[:0], np.zeros(61 * RATE, np.float32)):
        with pytest.raises(ValueError, match="cannot be described"):
            encode(samples, RATE, 600)
