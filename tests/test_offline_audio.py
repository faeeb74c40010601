"""The joining of segments, and the contract of an audio synthesizer."""

import numpy as np
import pytest
from conftest import tone

from mmcodec.descriptors import sound
from mmcodec.synthesis.crossfade import CrossFader, fade_samples
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, Segment, SegmentKind


def test_joined_segments_have_the_exact_length_and_no_click():
    rate = 24_000
    fader, extra = CrossFader(rate, 1), fade_samples(24_000)
    long = tone(3.0, rate)
    parts = [fader.push(long[start : start + rate + extra], rate) for start in (0, rate)]
    joined = np.concatenate(parts)
    assert len(joined) == 2 * rate
    assert np.abs(np.diff(joined[:, 0])).max() < 1.5 * np.abs(np.diff(long[:, 0])).max()


def test_segments_shorter_than_the_fade_are_joined_too():
    fader = CrossFader(24_000, 2)
    parts = [fader.push(np.ones((100 + 480, 2), np.float32), 100) for _ in range(5)]
    assert [len(part) for part in parts] == [100] * 5
    assert np.isfinite(np.concatenate(parts)).all()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", SegmentKind)
def test_contract_of_an_audio_synthesizer(channels, kind):
    data = sound.encode(sound.measure(tone(1.5, 24_000)[:, 0], 24_000), 600)
    for layers in ({Layer.SOUND: data}, {}):
        cue = Cue(Segment(30, 180, kind), Prompt("A tone."), layers)
        track = AudioTrack(24_000, channels)
        render, again = (OfflineAudio().render(cue, track, 36_480) for _ in range(2))
        assert render.shape == (36_480, channels)
        assert render.dtype == np.float32
        assert np.abs(render).max() <= 1
        assert np.array_equal(render, again)
        if layers:
            assert np.abs(render).max() > 0.05
