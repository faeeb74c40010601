from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.analysis.segments import SegmentDetector, SoundSegment
from mmcodec.analysis.sound import Samples
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Sound
from mmcodec.timeline import SegmentKind

RATE = 16000
MEDIA = Path(__file__).parents[2] / "shared" / "media"
SPEECH, MUSIC, SOUND, SILENCE = (
    SegmentKind.SPEECH,
    SegmentKind.MUSIC,
    SegmentKind.SOUND,
    SegmentKind.SILENCE,
)


def detect(samples: Samples, rate: int = RATE, chunk: int = 1000) -> list[SoundSegment]:
    detector = SegmentDetector(rate)
    found = []
    for start in range(0, len(samples), chunk):
        found += detector.process(samples[start : start + chunk])
    return found + detector.finish()


def noise(seconds: float, level: float = 0.1) -> Samples:
    rng = np.random.default_rng(1)
    return (level * rng.standard_normal((round(seconds * RATE), 1))).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros((round(seconds * RATE), 1), dtype=np.float32)


def chords(seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    root = 220.0 * 2.0 ** (np.array([0, 5, 7, 0])[(time // 1.0).astype(int) % 4] / 12.0)
    phase = 2.0 * np.pi * np.cumsum(root) / RATE
    tones = sum(np.sin(part * phase) / part for part in (1.0, 1.25, 1.5, 2.0, 3.0, 4.0))
    return np.asarray(0.1 * tones, dtype=np.float32)[:, None]


def babble(seconds: float) -> Samples:
    """Syllables: pulses with a gliding pitch and moving resonances, 4 a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 120.0 * 2.0 ** (0.3 * np.sin(2.0 * np.pi * 0.7 * time))
    phase = np.cumsum(pitch) / RATE
    formant = 800.0 + 500.0 * np.sin(2.0 * np.pi * 2.3 * time)
    harmonics = range(1, 30)
    sound = sum(
        np.cos(2.0 * np.pi * n * phase) / (1.0 + ((n * pitch - formant) / 200.0) ** 2)
        for n in harmonics
    )
    syllables = np.clip(np.sin(2.0 * np.pi * 4.0 * time) + 0.4, 0.0, 1.0)
    return np.asarray(0.1 * sound * syllables, dtype=np.float32)[:, None]


def kinds(segments: list[SoundSegment]) -> list[SegmentKind]:
    return [found.segment.kind for found in segments]


def test_kinds_of_synthetic_sound() -> None:
    assert set(kinds(detect(noise(5)))) == {SOUND}
    assert set(kinds(detect(chords(5)))) == {MUSIC}
    assert set(kinds(detect(babble(5)))) == {SPEECH}
    assert set(kinds(detect(silence(5)))) == {SILENCE}


def test_boundaries_are_where_the_kind_changes() -> None:
    found = detect(np.concatenate([chords(4), silence(2), babble(4)]))
    assert kinds(found) == [MUSIC, SILENCE, SPEECH]
    assert abs(found[0].segment.end - 200) <= 10
    assert abs(found[1].segment.end - 300) <= 10


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.4, 0.95, 3.33, 25.0])
@pytest.mark.parametrize("make", [noise, babble, silence])
def test_segments_tile_the_time(make: object, seconds: float) -> None:
    assert callable(make)
    samples = make(seconds)
    found = detect(samples)
    assert found[0].segment.start == 0
    assert all(a.segment.end == b.segment.start for a, b in pairwise(found))
    assert abs(found[-1].segment.end - 50 * seconds) <= 1
    assert np.array_equal(np.concatenate([part.samples for part in found]), samples)
    for part in found:
        assert abs(part.segment.duration / 50 * RATE - len(part.samples)) <= RATE / 50
        assert part.segment.duration <= 550


def test_short_pauses_are_no_segments() -> None:
    found = detect(np.concatenate([babble(2), silence(0.4), babble(2)]))
    assert kinds(found) == [SPEECH]


def test_a_short_event_in_silence_is_kept() -> None:
    found = detect(np.concatenate([silence(2), noise(0.3), silence(2)]))
    assert kinds(found) == [SILENCE, SOUND, SILENCE]
    assert found[1].segment.duration >= 40


def test_a_long_segment_is_split_where_it_is_quiet() -> None:
    samples = noise(15)
    samples[round(8.4 * RATE) : round(8.6 * RATE)] *= 0.05
    found = detect(samples)
    assert kinds(found) == [SOUND, SOUND]
    assert 417 <= found[0].segment.end <= 433


def test_a_long_steady_segment_is_split_at_ten_seconds() -> None:
    assert [found.segment.end for found in detect(noise(25))] == [500, 1000, 1250]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 40000), max_size=20))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    samples = np.concatenate([babble(1.5), silence(0.7), noise(1.3)])
    detector = SegmentDetector(RATE)
    found = []
    for part in np.split(samples, sorted(cut for cut in cuts)):
        found += detector.process(part)
    found += detector.finish()
    expected = detect(samples, chunk=len(samples))
    assert [part.segment for part in found] == [part.segment for part in expected]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(found, expected, strict=True))


def test_memory_does_not_grow() -> None:
    detector = SegmentDetector(8000)
    second = np.full((8000, 2), 0.1, dtype=np.float32)
    held = 0
    for _ in range(60):
        detector.process(second)
        held = max(held, sum(v.nbytes for v in vars(detector).values() if hasattr(v, "nbytes")))
    assert held < 25 * second.nbytes


def test_nothing_in_nothing_out() -> None:
    assert detect(noise(0)) == []


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192000])
def test_any_sample_rate(rate: int) -> None:
    time = np.arange(3 * rate) / rate
    tone = np.stack([0.1 * np.sin(2.0 * np.pi * 330.0 * time)] * 2, axis=1).astype(np.float32)
    found = detect(tone, rate)
    assert kinds(found) == [MUSIC]
    assert found[0].samples.shape == (3 * rate, 2)


def read(path: Path) -> tuple[Samples, int]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("flt", "stereo", stream.rate)
        packed = [out for frame in container.decode(stream) for out in resampler.resample(frame)]
        samples = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in packed])
        return samples, stream.rate


@pytest.mark.skipif(not MEDIA.is_dir(), reason="the shared media files are not here")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("speech/jfk_1961.flac", SPEECH),
        ("speech/LJ001-0001.wav", SPEECH),
        ("speech/LJ050-0131.wav", SPEECH),
        ("speech/goforward_16k.wav", SPEECH),
        ("speech/libri_5703-47212-0000.ogg", SPEECH),
        ("music_sound/vibe_ace_30s.ogg", MUSIC),
        ("music_sound/brahms_hungarian5_strings.ogg", MUSIC),
        ("music_sound/trumpet_loop.ogg", MUSIC),
        ("music_sound/sonicpi_guit_em9.flac", MUSIC),
        ("music_sound/robin_call.ogg", SOUND),
        ("music_sound/dog_bark_esc10.wav", SOUND),
        ("music_sound/t-rex-roar.mp3", SOUND),
        ("music_sound/sonicpi_ambi_lunar_land.flac", SOUND),
    ],
)
def test_recordings_are_mostly_of_their_kind(name: str, kind: SegmentKind) -> None:
    seconds: Counter[SegmentKind] = Counter()
    for found in detect(*read(MEDIA / name), chunk=50000):
        seconds[found.segment.kind] += found.segment.duration
    del seconds[SILENCE]
    assert seconds[kind] >= 0.8 * seconds.total()


def test_narration_over_music_is_found_within_a_fifth_of_a_second() -> None:
    samples = Path(__file__).parents[1] / "samples"
    detector, segments = SegmentDetector(24_000), []
    with open_media(samples / "clip.mp4", DemuxSettings(video=False)) as media:
        for item in media.read():
            if isinstance(item, Sound):
                segments += detector.process(item.samples)
    segments = [part.segment for part in segments + detector.finish()]
    narration = json.loads((samples / "clip.json").read_text())["narration"]
    bounds = np.array([time for start, end, _ in narration for time in (start, end)])
    changes = [
        now.start / 50
        for before, now in pairwise(segments)
        if (before.kind is SegmentKind.SPEECH) != (now.kind is SegmentKind.SPEECH)
    ]
    assert len(changes) >= 4
    assert all(np.abs(bounds - change).min() <= 0.2 for change in changes)
    spoken = [(s.start / 50, s.end / 50) for s in segments if s.kind is SegmentKind.SPEECH]
    for start, end, _ in narration:
        heard = sum(max(0.0, min(end, b) - max(start, a)) for a, b in spoken)
        assert heard > 0.9 * (end - start)
