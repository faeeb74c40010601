"""A text and a few bytes become somebody's speech: words in place, pitch, level and timbre."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import REAL_MEDIA, SAMPLES, read_media

from mmcodec.analysis.voice import aligned, cepstra, loud, mean_pitch
from mmcodec.analysis.world import FRAME_RATE, SAMPLE_RATE, analyse
from mmcodec.descriptors import voice as layer
from mmcodec.descriptors.mel import log_mel
from mmcodec.descriptors.voice import Tier
from mmcodec.errors import FailedWorkError
from mmcodec.synthesis.espeak import Espeak
from mmcodec.synthesis.fitting import resampled
from mmcodec.synthesis.knot_search import RATE, likeness
from mmcodec.synthesis.spoken import speak
from mmcodec.synthesis.voice_matching import describe

TEXT = "The birch canoe slid on the smooth planks."
PAUSE_S = 0.6


def said(text=TEXT, voice=1, rate=140, language=None):
    """Speech at 16 kHz, float32 (n,), and the times of its words."""
    spoken = Espeak().say(text, language, voice, rate)
    return resampled(spoken.samples, spoken.sample_rate, SAMPLE_RATE), spoken.words


@pytest.fixture(scope="module")
def speaker():
    """A speaker that is not the decoder's: slow, high, quiet, and silent after the third word."""
    samples, words = said()
    cut = words[2][1]
    at = round(cut * SAMPLE_RATE)
    gap = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    later = tuple((s, e) if e <= cut else (s + PAUSE_S, e + PAUSE_S) for s, e in words)
    return 0.2 * np.concatenate([samples[:at], gap, samples[at:]]), later


def through(samples, text, tier, times=None, language=None):
    """What a decoder makes of it, and the layer's bytes."""
    seconds = len(samples) / SAMPLE_RATE
    data = b"" if tier is None else describe(samples, SAMPLE_RATE, text, times, language, tier).data
    voice = layer.decode(data, text, seconds)
    return speak(text, voice, (), seconds, SAMPLE_RATE, len(samples)), data


def level_db(samples):
    return 10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12)


def closeness(one, other):
    """How alike levels of bands rise and fall in both, -1 to 1."""
    seconds = len(other) / SAMPLE_RATE
    a, b = (
        10 ** (log_mel(x, SAMPLE_RATE, round(seconds * RATE), seconds)[:, :20] / 20)
        for x in (one, other)
    )
    return likeness(a, b) / likeness(b, b)


@pytest.fixture(scope="module")
def made(speaker):
    """What a decoder makes of the speaker, and the bytes, at several tiers."""
    samples, times = speaker
    return {tier: through(samples, TEXT, tier, times) for tier in (None, Tier.B, Tier.C, Tier.E)}


def test_each_tier_comes_closer(speaker, made):
    samples, _ = speaker
    close = {tier: closeness(sound, samples) for tier, (sound, _) in made.items()}
    assert close[Tier.C] > close[Tier.B] + 0.15
    assert close[Tier.E] > close[Tier.C]
    assert close[Tier.C] > close[None] + 0.15
    assert [len(data) for _, data in made.values()] == sorted(
        len(data) for _, data in made.values()
    )
    assert len(made[Tier.E][1]) <= 30


def test_pitch_level_and_timbre_are_the_speakers(speaker, made):
    samples, _ = speaker
    sound, _ = made[Tier.E]
    before, after = analyse(samples, SAMPLE_RATE), analyse(sound, SAMPLE_RATE)
    wanted, found = mean_pitch(before.pitch_hz)[0], mean_pitch(after.pitch_hz)[0]
    assert found == pytest.approx(wanted, rel=0.08)
    other = analyse(said(voice=0)[0], SAMPLE_RATE)
    timbres = [cepstra(w.power)[loud(w.power)].mean(axis=0)[1:9] for w in (before, after, other)]
    assert np.linalg.norm(timbres[1] - timbres[0]) < 0.6 * np.linalg.norm(timbres[2] - timbres[0])
    assert abs(level_db(sound) - level_db(samples)) < 1.5


def test_the_pause_is_silent_and_the_words_are_in_place(speaker, made):
    samples, times = speaker
    for sound, data in (made[Tier.C], through(samples, TEXT, Tier.C)):
        found = layer.decode(data, TEXT, len(samples) / SAMPLE_RATE).words
        assert np.abs(np.subtract(found, times)).max() < 0.17
        start, end = (round(t * SAMPLE_RATE) for t in (times[2][1] + 0.15, times[3][0] - 0.15))
        assert level_db(sound[start:end]) < level_db(sound) - 20
        for begin, finish in times[:3]:
            word = sound[round(begin * SAMPLE_RATE) : round(finish * SAMPLE_RATE)]
            assert level_db(word) > level_db(sound) - 15


def test_times_of_the_words_layer_are_kept_without_a_voice(speaker):
    samples, times = speaker
    seconds = len(samples) / SAMPLE_RATE
    sound = speak(TEXT, None, times, seconds, SAMPLE_RATE, len(samples))
    path = aligned(analyse(sound, SAMPLE_RATE), analyse(samples, SAMPLE_RATE), None).mean(axis=1)
    places = np.array([(start + end) / 2 for start, end in times])
    there = path[np.round(places * FRAME_RATE).astype(int)] / FRAME_RATE
    assert np.median(np.abs(there - places)) < 0.06


def test_the_same_bytes_and_samples_every_time(speaker, made):
    samples, times = speaker
    first, again = made[Tier.E], through(samples, TEXT, Tier.E, times)
    assert first[1] == again[1]
    assert np.array_equal(first[0], again[0])


@pytest.mark.parametrize(("rate", "count"), [(8000, 12345), (48000, 96001), (16000, 1), (16000, 0)])
def test_exactly_as_many_samples(rate, count):
    sound = speak("Short words.", None, (), max(count, 1) / rate, rate, count)
    assert sound.shape == (count,) and sound.dtype == np.float32
    assert np.isfinite(sound).all() and np.abs(sound).max(initial=0) <= 1


@pytest.mark.parametrize("engine", [2, 31])
def test_a_decoder_without_the_encoders_engine_keeps_the_times(engine, speaker, made):
    samples, _ = speaker
    seconds = len(samples) / SAMPLE_RATE
    ours, data = made[Tier.E]
    other = replace(layer.decode(data, TEXT, seconds), engine=engine)
    theirs = speak(TEXT, other, (), seconds, SAMPLE_RATE, len(samples))
    assert closeness(theirs, ours) > 0.5


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(SAMPLE_RATE, np.float32),
        np.zeros(800, np.float32),
        np.ones(SAMPLE_RATE, np.float32),
        np.sign(np.sin(np.arange(2 * SAMPLE_RATE) / 20)).astype(np.float32),
        np.random.default_rng(1).standard_normal(SAMPLE_RATE).astype(np.float32),
    ],
    ids=["silence", "50 ms", "direct current", "clipped", "noise"],
)
def test_what_is_no_speech_still_gives_a_layer(samples):
    sound, data = through(samples, "Two words.", Tier.E)
    assert len(sound) == len(samples)
    assert np.isfinite(sound).all()
    assert len(data) < 60


def test_a_text_that_is_not_said_still_gives_a_layer(speaker):
    samples, _ = speaker
    text = "Something else entirely, and far longer than whatever it was that somebody said here."
    sound, _ = through(samples, text, Tier.D)
    assert np.isfinite(sound).all()


def test_another_language():
    text = "Die Stadt liegt an einem See."
    samples, times = said(text, voice=0, language="de")
    seconds = len(samples) / SAMPLE_RATE
    data = describe(samples, SAMPLE_RATE, text, times, "de-DE", Tier.C).data
    voice = layer.decode(data, text, seconds)
    assert voice.language == "de"
    sound = speak(text, voice, (), seconds, SAMPLE_RATE, len(samples))
    assert closeness(sound, samples) > 0.5


def test_a_telephone():
    samples, times = said(rate=200)
    narrow = resampled(samples, SAMPLE_RATE, 8000)
    seconds = len(narrow) / 8000
    voice = layer.decode(describe(narrow, 8000, TEXT, times, "en", Tier.D).data, TEXT, seconds)
    sound = speak(TEXT, voice, (), seconds, 8000, len(narrow))
    assert len(sound) == len(narrow)
    assert abs(level_db(sound) - level_db(narrow)) < 2


@pytest.mark.parametrize("text", ["", "...", "word " * 500])
def test_texts_that_cannot_be_said_are_told(text):
    with pytest.raises(FailedWorkError):
        describe(np.ones(1600, np.float32), 16000, text, None, None, Tier.B)
    with pytest.raises(FailedWorkError):
        speak(text, None, (), 1.0, 16000, 16000)


@pytest.mark.parametrize("seconds", [0, 61])
def test_lengths_that_cannot_be_are_refused(seconds):
    with pytest.raises(ValueError, match="cannot be described"):
        describe(np.zeros(16000 * seconds, np.float32), 16000, TEXT, None, None, Tier.B)


def test_the_voice_note_costs_little_and_is_followed():
    text = json.loads((SAMPLES / "clip.json").read_text())["note_text"]
    track = read_media(SAMPLES / "note.wav")[1]
    samples = np.asarray(track, np.float32).reshape(-1)
    sound, data = through(samples, text, Tier.D)
    assert len(data) <= 45
    assert closeness(sound, samples) > 0.45


@pytest.mark.skipif(not REAL_MEDIA.is_dir(), reason=f"real sound is not at {REAL_MEDIA}")
@pytest.mark.parametrize("name", ["speech/LJ001-0008.wav", "speech/goforward_16k.wav"])
def test_people_are_followed(name):
    with (REAL_MEDIA / "manifest.csv").open() as file:
        text = next(row["transcript"] for row in csv.DictReader(file) if row["file"] == name)
    _, track, rate = read_media(REAL_MEDIA / name)
    samples = resampled(track.mean(axis=1), rate, SAMPLE_RATE)
    sound, data = through(samples, text, Tier.D)
    assert len(data) <= 20
    assert closeness(sound, samples) > 0.25
