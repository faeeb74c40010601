"""What sounds beneath speech is parted from it, and nothing from speech alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import mmcodec
from mmcodec.analysis.bed import parted
from mmcodec.synthesis.likeness import difference, likeness
from mmcodec.timeline import Layer

SAMPLES = Path(__file__).parents[1] / "samples"
TEXT = json.loads((SAMPLES / "clip.json").read_text())["note_text"]
RATE = 16_000


@pytest.fixture(scope="module")
def voice():
    """What is said in the sample note, without its last silence."""
    samples, rate = soundfile.read(SAMPLES / "note.wav", dtype="float32")
    assert rate == RATE
    return samples[: 9 * RATE]


def chord(seconds, level):
    """Three held tones."""
    times = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * hz * times) for hz in (220.0, 277.2, 329.6))
    return (level * tones / np.sqrt(1.5)).astype(np.float32)


def level_of(samples):
    return np.sqrt(np.mean(np.square(samples, dtype=np.float64)))


def test_speech_alone_has_nothing_beneath_it(voice):
    assert parted(voice, RATE) is None


def pauses_db(samples):
    """Level of the quietest tenth beside the whole."""
    frames = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    powers = np.sort(np.square(frames, dtype=np.float64).mean(axis=1))
    return 10 * np.log10(powers[: len(powers) // 10].mean() / powers.mean())


@pytest.mark.parametrize("below_db", [10, 16])
def test_held_tones_are_parted_from_the_voice(voice, below_db):
    music = chord(9, level_of(voice) * 10 ** (-below_db / 20))
    spoken, bed = parted(voice + music, RATE)
    wanted = likeness(music, RATE)
    assert difference(wanted, likeness(bed, RATE)) < 0.7 * difference(
        wanted, likeness(voice + music, RATE)
    )
    assert level_of(bed) == pytest.approx(level_of(music), rel=0.5)
    assert pauses_db(spoken) < pauses_db(voice + music) - 6


@pytest.mark.parametrize("count", [1, 100, 1023, 5000])
def test_any_length_will_do(count):
    for samples in (np.zeros(count, np.float32), chord(count / RATE, 0.1)):
        parts = parted(samples, RATE)
        assert parts is None or [len(part) for part in parts] == [count, count]


def test_a_bed_is_sent_beside_the_voice_and_heard_in_its_pauses(voice, tmp_path):
    soundfile.write(tmp_path / "a.wav", voice + chord(9, level_of(voice) / 5), RATE)
    settings = mmcodec.EncodeSettings(text=TEXT)
    mmcodec.encode(tmp_path / "a.wav", tmp_path / "a.mmc", settings)
    (packet,) = mmcodec.probe(tmp_path / "a.mmc").packets
    assert {*packet.cue.descriptors} == {Layer.VOICE, Layer.SOUND}
    mmcodec.decode(tmp_path / "a.mmc", tmp_path / "b.wav")
    made, _ = soundfile.read(tmp_path / "b.wav")
    made = made if made.ndim == 1 else made.mean(axis=1)
    assert pauses_db(made) > -25
