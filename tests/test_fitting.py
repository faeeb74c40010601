"""Sound fitted to its cue: rate, length, loudness, words."""

import numpy as np
import pytest
from conftest import tone

from mmcodec.descriptors import sound, voice
from mmcodec.descriptors.mel import log_mel, loudness_db
from mmcodec.errors import FailedWorkError
from mmcodec.synthesis.fitting import fitted, levelled, placed, resampled, stretched, word_times
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, Segment, SegmentKind

RATE = 24_000
TRACK = AudioTrack(RATE, 2)


def cue(layers=None, text="Music.", kind=SegmentKind.MUSIC) -> Cue:
    return Cue(Segment(0, 100, kind), Prompt(text), layers or {})


def pitch_hz(mono: np.ndarray) -> float:
    middle = mono[len(mono) // 4 : -len(mono) // 4]
    return float(
        np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() * RATE / len(middle)
    )


def levels_db(mono: np.ndarray, parts: int) -> np.ndarray:
    return np.array([loudness_db(log_mel(part, RATE, 10, len(part) / RATE))
                     for part in np.split(mono, parts)])  # fmt: skip


def test_resampling_keeps_time_and_pitch():
    made = resampled(tone(1.0, 16_000)[:, 0], 16_000, RATE)
    assert len(made) == RATE
    assert pitch_hz(made) == pytest.approx(220, abs=3)


def test_what_is_no_number_is_a_failure():
    with pytest.raises(FailedWorkError, match="--dtype float32"):
        fitted(np.array([0, np.nan], np.float32), RATE, cue(), TRACK, 2)


@pytest.mark.parametrize("count", [RATE // 2, RATE, 2 * RATE])
def test_stretching_keeps_the_pitch(count):
    made = stretched(tone(1.0, RATE)[:, 0], count)
    assert len(made) == count
    assert pitch_hz(made) == pytest.approx(220, abs=6)


@pytest.mark.parametrize(("length", "count"), [(0, 100), (100, 0), (10, 1000), (RATE, 10), (3, 3)])
def test_any_length_can_be_asked_for(length, count):
    assert stretched(np.ones(length, np.float32), count).shape == (count,)


def test_beyond_twice_it_is_padded():
    made = stretched(tone(1.0, RATE)[:, 0], 4 * RATE)
    assert np.abs(made[: 2 * RATE]).max() > 0.1
    assert not made[2 * RATE + 4096 :].any()


def test_loudness_follows_the_descriptor_over_time():
    swell = tone(2.0, RATE)[:, 0] * np.repeat([0.05, 1.0, 0.2, 0.6], RATE // 2).astype(np.float32)
    layers = {Layer.SOUND: sound.encode(sound.measure(swell, RATE), 1500)}
    steady = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    made = levelled(steady, cue(layers), TRACK)
    wanted, heard = levels_db(swell, 4), levels_db(made, 4)
    assert loudness_db(log_mel(made, RATE, 100, 2.0)) == pytest.approx(
        loudness_db(log_mel(swell, RATE, 100, 2.0)), abs=1.5
    )
    assert np.corrcoef(wanted, heard)[0, 1] > 0.95
    assert heard.max() - heard.min() > 12


def test_without_a_descriptor_it_is_of_a_usual_loudness():
    for gain in (0.01, 5.0):
        made = levelled(gain * tone(1.0, RATE)[:, 0], cue(), TRACK)
        assert loudness_db(log_mel(made, RATE, 50, 1.0)) == pytest.approx(-23, abs=1)


def test_silence_stays_silent():
    assert not fitted(np.zeros(100, np.float32), 16_000, cue(), TRACK, 500).any()


def test_a_cue_gets_its_samples_in_every_channel():
    made = fitted(tone(3.0, 16_000)[:, 0], 16_000, cue(), TRACK, 2 * RATE)
    assert made.shape == (2 * RATE, 2)
    assert np.array_equal(made[:, 0], made[:, 1])
    assert np.abs(made).max() <= 1


TEXT, SPANS = "one fourteen", ((0.2, 0.4), (1.0, 1.8))
VOICE = voice.encode(
    voice.Voice(
        voice.Tier.C, 1, 0, "en", 120.0, 2.0, -30.0, None, (0.0,) * voice.TIMBRE, words=SPANS
    ),
    TEXT,
    2.0,
)


def test_words_lie_at_their_times():
    layers, text = {Layer.VOICE: VOICE}, TEXT
    assert np.abs(np.subtract(word_times(cue(layers, f"“{text}”")), SPANS)).max() < 0.05
    low, high = tone(0.3, RATE, 200)[:, 0], tone(0.8, RATE, 800)[:, 0]
    spoken = np.concatenate([np.zeros(RATE), low, high, np.zeros(RATE)]).astype(np.float32)
    made = placed(spoken, cue(layers, f"“{text}”", SegmentKind.SPEECH), TRACK, 2 * RATE)
    heard = np.abs(made).reshape(100, -1).max(axis=1) > 0.02
    assert heard[11:18].all()
    assert heard[52:86].all()
    assert not heard[:7].any()
    assert not heard[21:47].any()
    assert pitch_hz(made[52 * 480 : 88 * 480]) == pytest.approx(800, abs=40)


def test_words_are_as_loud_as_their_voice():
    spoken = placed(tone(1.0, RATE)[:, 0], cue({Layer.VOICE: VOICE}, f"“{TEXT}”"), TRACK, 2 * RATE)
    made = levelled(spoken, cue({Layer.VOICE: VOICE}, f"“{TEXT}”"), TRACK)
    within = np.concatenate([made[round(a * RATE) : round(b * RATE)] for a, b in SPANS])
    assert 10 * np.log10(np.mean(within**2)) == pytest.approx(-30, abs=1)


def test_without_times_the_voice_fills_its_cue():
    spoken = np.concatenate([np.zeros(RATE), tone(1.5, RATE)[:, 0], np.zeros(RATE)])
    made = placed(spoken.astype(np.float32), cue(text="“one”"), TRACK, 2 * RATE)
    assert np.abs(made[:RATE]).max() > 0.1
    assert np.abs(made[-RATE // 4 :]).max() > 0.05
