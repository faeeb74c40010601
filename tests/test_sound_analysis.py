from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mmcodec.analysis.sound import Samples, analyse_sound, loudness_lufs, track_pitch
from mmcodec.timeline import SegmentKind

RATE = 24000


def tone(hz: float, seconds: float = 2.0, rate: int = RATE, level: float = 0.1) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2.0 * np.pi * hz * time)).astype(np.float32)[:, None]


def test_loudness_of_the_standard_tone() -> None:
    # BS.1770: a 0 dBFS sine of 997 Hz in one channel measures -3.01 LKFS.
    for rate in (8000, 24000, 48000, 192000):
        assert loudness_lufs(tone(997.0, 5.0, rate, 1.0), rate) == pytest.approx(-3.01, abs=0.15)


def test_loudness_adds_over_channels_and_ignores_gaps() -> None:
    mono = tone(997.0, 5.0)
    stereo = np.repeat(mono, 2, axis=1)
    base = loudness_lufs(mono, RATE)
    assert loudness_lufs(stereo, RATE) == pytest.approx(base + 3.01, abs=0.02)
    gap = np.concatenate([mono, np.zeros_like(mono)])
    assert loudness_lufs(gap, RATE) == pytest.approx(base, abs=0.4)


@pytest.mark.parametrize("hz", [80.0, 110.0, 220.0, 440.0])
def test_pitch_of_pulses(hz: float) -> None:
    phase = np.cumsum(np.full(RATE, hz / RATE))
    pulses = sum(np.cos(2.0 * np.pi * n * phase) for n in range(1, 12))
    track = track_pitch(np.asarray(0.05 * pulses, dtype=np.float32), RATE)
    assert np.median(track.hz) == pytest.approx(hz, rel=0.01)
    assert np.mean(track.hz > 0) > 0.9


def test_pitch_follows_a_glide() -> None:
    time = np.arange(2 * RATE) / RATE
    hz = 120.0 * 2.0 ** (time / 2.0)
    phase = 2.0 * np.pi * np.cumsum(hz) / RATE
    sound = sum(np.cos(n * phase) / n for n in range(1, 9))
    track = track_pitch(np.asarray(0.1 * sound, dtype=np.float32), RATE)
    centres = (np.arange(len(track.hz)) + 0.5) / track.frame_rate
    expected = 120.0 * 2.0 ** (centres / 2.0)
    assert np.median(np.abs(np.log2(track.hz[3:-3] / expected[3:-3]))) < 0.02


def test_noise_has_no_pitch() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((2 * RATE, 1)).astype(np.float32)
    found = analyse_sound(noise, RATE, SegmentKind.SOUND)
    assert found.pitch_hz is None
    assert found.noisiness > 0.8
    assert found.key is None


def test_colour_of_a_tone() -> None:
    found = analyse_sound(tone(1000.0), RATE, SegmentKind.SOUND)
    assert found.brightness_hz == pytest.approx(1000.0, rel=0.03)
    assert found.noisiness < 0.001
    assert found.peak == pytest.approx(0.1, rel=0.01)


def test_stereo_width() -> None:
    left, right = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32) * 0.1
    widths = [
        analyse_sound(np.stack(pair, axis=1), RATE, SegmentKind.SOUND).stereo_width
        for pair in ((left, left), (left, right), (left, -left))
    ]
    assert widths == pytest.approx([0.0, 0.5, 1.0], abs=0.02)


@pytest.mark.parametrize("kind", list(SegmentKind))
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("seconds", [0.0001, 0.05, 1.5])
def test_odd_inputs_are_fine(kind: SegmentKind, rate: int, seconds: float) -> None:
    count = max(round(seconds * rate), 1)
    clipped = np.sign(tone(300.0, 2.0, rate)[:count])
    for samples in (clipped, np.zeros((count, 2), dtype=np.float32)):
        found = analyse_sound(samples, rate, kind)
        assert -70.0 <= found.loudness_lufs < 5.0
        assert np.isfinite(found.brightness_hz)
        assert 0.0 <= found.noisiness <= 1.0


def test_silence_is_at_the_floor() -> None:
    found = analyse_sound(np.zeros((RATE, 1), dtype=np.float32), RATE, SegmentKind.SILENCE)
    assert found.loudness_lufs == -70.0
    assert found.pitch_hz is None


def test_sound_is_encoded_without_heavy_imports() -> None:
    code = (
        "import sys, numpy as np\n"
        "from mmcodec.analysis.segments import SoundSegment\n"
        "from mmcodec.analysis.sound import analyse_sound\n"
        "from mmcodec.pipeline.sounding import choose_sound\n"
        "from mmcodec.timeline import Segment, SegmentKind\n"
        "music = np.random.default_rng(0).standard_normal((96000, 2)).astype(np.float32) / 9\n"
        "analyse_sound(music, 24000, SegmentKind.MUSIC)\n"
        "assert choose_sound(SoundSegment(Segment(0, 200, SegmentKind.MUSIC), music, 24000), 500)\n"
        "sys.exit(bool({'librosa', 'numba', 'scipy.signal'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
