"""Tempo and key, of music that was made with them."""

import numpy as np
import pytest

from mmcodec.analysis.music import key_of, tempo_bpm

RATE = 24_000
A_MINOR = (57, 60, 64, 69, 64, 60, 57, 64, 62, 59, 57, 57, 64, 60, 57, 57)
C_MAJOR = (60, 64, 67, 72, 67, 64, 60, 62, 65, 69, 67, 64, 62, 59, 60, 60)


def notes(pitches: tuple[int, ...], seconds_each: float = 0.5, rate: int = RATE) -> np.ndarray:
    """Plucked notes with MIDI numbers ``pitches``, one after another."""
    time = np.arange(round(seconds_each * rate)) / rate
    sounds = []
    for pitch in pitches:
        phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time
        sounds.append(sum(np.sin(n * phase) / n for n in (1, 2, 3)) * np.exp(-6 * time))
    return (0.2 * np.concatenate(sounds)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000, 31_000])
@pytest.mark.parametrize("beats", [75, 96, 120, 150])
def test_tempo_of_a_melody(beats, rate):
    found = tempo_bpm(notes(A_MINOR, 60 / beats, rate), rate)
    assert min(abs(found / (beats * times) - 1) for times in (0.5, 1, 2)) < 0.03


def test_tempo_of_a_drum_with_a_stress():
    """Clicks eight times in 4 s are 120 a minute, though every other one is louder."""
    sound = np.random.default_rng(0).standard_normal(8 * RATE) * 0.001
    for beat in range(16):
        sound[beat * RATE // 2 :][:600] += np.hanning(600) * (0.8 if beat % 2 else 0.5)
    assert tempo_bpm(sound.astype(np.float32), RATE) == pytest.approx(120, rel=0.02)


@pytest.mark.parametrize("up", range(12))
@pytest.mark.parametrize(
    ("melody", "tonic", "mode"), [(A_MINOR, 9, "minor"), (C_MAJOR, 0, "major")]
)
def test_key_of_a_melody_wherever_it_starts(melody, tonic, mode, up):
    names = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
    raised = tuple(pitch + up for pitch in melody)
    assert key_of(notes(raised), RATE) == f"{names[(tonic + up) % 12]} {mode}"


def test_steady_noise_has_neither():
    noise = 0.1 * np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32)
    assert tempo_bpm(noise, RATE) is None
    assert key_of(noise, RATE) is None


@pytest.mark.parametrize("seconds", [0, 0.0001, 0.4, 2.9, 10])
def test_silence_and_what_is_short_have_neither(seconds):
    silence = np.zeros(round(seconds * RATE), np.float32)
    assert tempo_bpm(silence, RATE) is None
    assert key_of(silence, RATE) is None
