"""Recognisers of speech: the contract, the times, and what is no speech."""

import numpy as np
import pytest
import torch
from checkpoints import speech
from conftest import tone

from mmcodec.captioning.contract import Word
from mmcodec.captioning.transcribers import in_order, pieces, sensible, spread, voiced_span
from mmcodec.errors import BackendError
from mmcodec.registry import Group, ModelSettings, load

CASES = {"whisper": speech.whisper, "moonshine": speech.moonshine}
RATE = 24_000


@pytest.fixture(scope="module", params=CASES)
def recogniser(request, tmp_path_factory):
    """Each transcriber on a tiny checkpoint, loaded from a folder."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = CASES[request.param](tmp_path_factory.mktemp(request.param))
    yield load(Group.TRANSCRIBER, f"{request.param}:{folder}", ModelSettings(device="cpu"))
    torch.set_num_threads(threads)


def voice(seconds: float) -> np.ndarray:
    """A tone that comes and goes as syllables do."""
    samples = tone(seconds, RATE)[:, 0]
    return samples * (1 + np.sin(np.arange(len(samples)) / RATE * 25)).astype(np.float32) / 2


def words(text: str) -> list[Word]:
    return [Word(word, at, at + 1.0) for at, word in enumerate(text.split(" "))]


def texts(found) -> str:
    return " ".join(word.text for word in found)


@pytest.mark.parametrize("seconds", [0.05, 2.0, 33.0])
def test_times_do_not_go_back_and_lie_within_the_samples(recogniser, seconds):
    found = recogniser.transcribe(voice(seconds), RATE)
    times = [time for word in found.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= seconds for time in times)
    assert all(word.text == "".join(word.text.split()) != "" for word in found.words)
    assert found.text == texts(found.words)
    assert found.words or seconds < 1


def test_the_same_sound_is_understood_the_same(recogniser):
    assert recogniser.transcribe(voice(2), RATE) == recogniser.transcribe(voice(2), RATE)


def test_silence_has_no_words(recogniser):
    assert recogniser.transcribe(np.zeros(RATE, np.float32), RATE).words == ()


def test_a_missing_model_is_one_line():
    for name in CASES:
        wrong = load(Group.TRANSCRIBER, f"{name}:nobody/nothing", ModelSettings(device="cpu"))
        with pytest.raises(BackendError, match="mmcodec models pull nobody/nothing") as caught:
            wrong.transcribe(voice(1), RATE)
        assert "\n" not in str(caught.value)


def test_what_is_no_speech_is_left_out():
    assert texts(sensible(words("[Music] Hello, (door slams) world. ♪ la ♪ ... *sighs*"))) == (
        "Hello, world. la"
    )
    assert sensible(words("[BLANK AUDIO] <noise> - …")) == []


def test_loops_are_cut():
    assert texts(sensible(words("no no no no no no no yes"))) == "no no no yes"
    looped = "I think " + "that it is. " * 9 + "so"
    assert texts(sensible(words(looped))) == "I think that it is. that it is. that it is. so"
    plain = "the cat and the dog and the bird and the cow"
    assert texts(sensible(words(plain))) == plain


def test_words_are_put_in_order():
    found = in_order([Word("a", 1, 3), Word("b", 2, 2.5), Word("c", 9, 12)], 10)
    assert [(word.start_s, word.end_s) for word in found] == [(1, 3), (3, 3), (9, 10)]


def test_words_are_spread_by_their_letters():
    found = spread(["a", "long", "way"], 1.0, 9.0)
    assert [(word.start_s, word.end_s) for word in found] == [(1, 2), (2, 6), (6, 9)]
    assert spread([], 0.0, 1.0) == ()


def test_voice_is_found_between_silences():
    wave = np.concatenate([np.zeros(RATE), voice(1.0), np.zeros(RATE // 2)]).astype(np.float32)
    start, end = voiced_span(wave, RATE)
    assert (start, end) == pytest.approx((1.0, 2.0), abs=0.1)


def test_long_speech_is_cut_where_it_is_quiet():
    wave = voice(70.0)
    quiet = [int(25.0 * RATE), int(49.5 * RATE)]
    for at in quiet:
        wave[at : at + RATE // 2] = 0
    found = list(pieces(wave, RATE))
    assert [start for start, _ in found] == [0, *(end for _, end in found[:-1])]
    assert found[-1][1] == len(wave)
    for at, (_, end) in zip(quiet, found, strict=False):
        assert at <= end <= at + RATE // 2
    assert max(end - start for start, end in found) <= 28 * RATE
