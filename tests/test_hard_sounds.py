"""Sound that is silent, clipped, narrow, wide or short, encoded and decoded as a user would."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

import mmcodec
from mmcodec.pipeline.settings import Profile
from mmcodec.synthesis.espeak import Espeak
from mmcodec.synthesis.flite import Flite

SAMPLES = Path(__file__).parents[1] / "samples"
TEXT = "Hi, it's Anna."
SPEECH, RATE = librosa.load(SAMPLES / "note.wav", sr=None)


def at(rate: int) -> np.ndarray:
    return librosa.resample(SPEECH, orig_sr=RATE, target_sr=rate)


HARD = {
    "silence": (np.zeros(2 * RATE), RATE),
    "clipped": (np.clip(20 * SPEECH, -1, 1), RATE),
    "faint": (0.03 * SPEECH, RATE),
    "telephone": (at(8000), 8000),
    "192 kHz": (at(192_000)[: 3 * 192_000], 192_000),
    "5.1": (
        np.stack([0.2 * SPEECH, 0.2 * SPEECH, SPEECH, 0 * SPEECH, 0 * SPEECH, 0 * SPEECH]).T,
        RATE,
    ),
    "antiphase": (np.stack([SPEECH, -SPEECH]).T, RATE),
    "50 ms": (SPEECH[RATE : RATE + RATE // 20], RATE),
    "noise": (np.random.default_rng(0).uniform(-0.5, 0.5, 3 * RATE), RATE),
    "offset": (SPEECH / 4 + 0.5, RATE),
}


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", HARD)
def test_it_goes_through_and_lasts_as_long(name, profile, tmp_path):
    samples, rate = HARD[name]
    source, stream, target = (tmp_path / file for file in ("a.wav", "a.mmc", "b.wav"))
    soundfile.write(source, samples, rate)
    settings = mmcodec.EncodeSettings(profile, transcriber="none")
    report = mmcodec.encode(source, stream, settings)
    mmcodec.decode(stream, target)
    made, made_rate = soundfile.read(target)
    seconds = len(samples) / rate
    assert len(made) / made_rate == pytest.approx(seconds, abs=0.03)
    assert np.abs(made).max() < 0.95
    assert report.stream.bytes <= 40 + 600 * seconds / 8
    assert made.any() == (name != "silence")


@pytest.mark.parametrize("name", ["clipped", "telephone", "192 kHz", "5.1", "antiphase", "50 ms"])
def test_a_text_goes_with_it(name, tmp_path):
    samples, rate = HARD[name]
    source, stream, target = (tmp_path / file for file in ("a.wav", "a.mmc", "b.wav"))
    soundfile.write(source, samples[: 2 * rate], rate)
    mmcodec.encode(source, stream, mmcodec.EncodeSettings(text=TEXT))
    report = mmcodec.decode(stream, target)
    assert not report.remarks
    made, _ = soundfile.read(target)
    assert made.any()


def test_a_single_sample_is_too_short(tmp_path):
    soundfile.write(tmp_path / "a.wav", SPEECH[:1], RATE)
    with pytest.raises(mmcodec.MMCodecError, match="too short"):
        mmcodec.encode(tmp_path / "a.wav", tmp_path / "a.mmc")
    assert not (tmp_path / "a.mmc").exists()


def test_without_any_voice_it_is_one_line(tmp_path, monkeypatch):
    for engine in (Espeak, Flite):
        monkeypatch.setattr(engine, "speaks", lambda *_: False)
    with pytest.raises(mmcodec.MMCodecError, match="no voice here speaks") as caught:
        mmcodec.encode(SAMPLES / "note.wav", tmp_path / "a.mmc", mmcodec.EncodeSettings(text=TEXT))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
