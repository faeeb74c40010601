from __future__ import annotations

from dataclasses import replace

import pytest

from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.timeline import SegmentKind

PLAIN = SoundAnalysis(
    seconds=5.0,
    loudness_lufs=-24.0,
    peak=0.3,
    pitch_hz=None,
    tempo_bpm=None,
    key=None,
    brightness_hz=1000.0,
    noisiness=0.05,
    stereo_width=0.0,
)


def test_silence() -> None:
    assert describe_sound(replace(PLAIN, loudness_lufs=-70.0), SegmentKind.SILENCE) == "Silence."


def test_music_names_tempo_and_key() -> None:
    analysis = replace(
        PLAIN, tempo_bpm=78.9, key="A minor", loudness_lufs=-40.0, brightness_hz=400.0
    )
    expected = "Calm music at about 80 beats a minute in A minor, soft and dark."
    assert describe_sound(analysis, SegmentKind.MUSIC) == expected


@pytest.mark.parametrize(("hz", "start"), [(90.0, "A low voice"), (240.0, "A high voice")])
def test_voice_follows_pitch(hz: float, start: str) -> None:
    assert describe_sound(replace(PLAIN, pitch_hz=hz), SegmentKind.SPEECH).startswith(start)


def test_speech_follows_loudness() -> None:
    said = {
        describe_sound(replace(PLAIN, loudness_lufs=level), SegmentKind.SPEECH)
        for level in (-45.0, -24.0, -10.0)
    }
    assert len(said) == 3


def test_short_bright_noise() -> None:
    analysis = replace(PLAIN, seconds=0.5, brightness_hz=5000.0, noisiness=0.6)
    text = describe_sound(analysis, SegmentKind.SOUND)
    assert text == "A short, bright, noisy sound."


@pytest.mark.parametrize("kind", list(SegmentKind))
@pytest.mark.parametrize("level", [-70.0, -24.0, -5.0])
@pytest.mark.parametrize("hz", [100.0, 1000.0, 6000.0])
@pytest.mark.parametrize("noisiness", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("seconds", [0.5, 9.0])
def test_every_sentence_is_short_and_whole(
    kind: SegmentKind, level: float, hz: float, noisiness: float, seconds: float
) -> None:
    analysis = SoundAnalysis(seconds, level, 1.0, hz, 184.0, "C sharp major", hz, noisiness, 0.6)
    text = describe_sound(analysis, kind)
    assert 8 <= len(text) <= 80
    assert text[0].isupper()
    assert text.endswith(".")
    assert text.count(".") == 1
    assert text.isascii()
