"""The engines that read aloud: what they say, when, and that a text is nothing but text."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mmcodec.errors import FailedWorkError
from mmcodec.synthesis import espeak, espeak_process, flite
from mmcodec.synthesis.espeak import Espeak
from mmcodec.synthesis.flite import Flite
from mmcodec.synthesis.voices import (
    MAX_CHARACTERS,
    EngineId,
    engine_for,
    plain_words,
    spans_of,
)

MARKUP = 'Wait <break time="9000ms"/> here [[_:_:_:_:]] \x01200s now.'
TEXT = "Hello – world, don't go to 2024 Mr. Smith. He said: ok."
ENGINES = [
    Espeak(),
    pytest.param(
        Flite(),
        marks=pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed"),
    ),
]


def seconds(spoken):
    return len(spoken.samples) / spoken.sample_rate


@pytest.mark.parametrize("engine", ENGINES)
def test_words_lie_in_order_where_something_is_heard(engine):
    spoken = engine.say(TEXT, None, 0, 175)
    assert len(spoken.words) == len(TEXT.split())
    flat = [moment for span in spoken.words for moment in span]
    assert flat == sorted(flat)
    assert 2.0 < flat[-1] <= seconds(spoken) < 8.0
    lengths = dict(zip(TEXT.split(), (end - start for start, end in spoken.words), strict=True))
    assert lengths["2024"] > 0.6 > lengths["to"] > 0.03
    assert lengths["–"] < 0.2
    level = np.sqrt(np.mean(spoken.samples**2))
    for start, end in spoken.words:
        if end - start > 0.1:
            word = spoken.samples[
                round(start * spoken.sample_rate) : round(end * spoken.sample_rate)
            ]
            assert np.abs(word).max() > 0.5 * level


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_every_time(engine):
    first = engine.say(TEXT, "en", 1, 200)
    time.sleep(1.1)  # a voice whose seed is the time of day is another one now
    again = engine.say(TEXT, "en", 1, 200)
    assert np.array_equal(first.samples, again.samples)
    assert first.words == again.words


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rate_is_followed(engine):
    slow, usual, fast = (seconds(engine.say(TEXT, None, 0, rate)) for rate in (110, 175, 280))
    assert slow > 1.2 * usual > 1.4 * fast


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "text",
    [
        "$(touch broken) `touch broken` ; touch broken",
        "-o broken --help",
        "a | tee broken > broken",
    ],
)
def test_no_shell_sees_the_text(engine, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine.say(text, None, 0, 300)
    assert list(tmp_path.iterdir()) == []


def test_markup_is_not_interpreted():
    spoken = Espeak().say(MARKUP, None, 0, 175)
    assert seconds(spoken) < 9.0
    assert spoken.words[-1][0] < 9.0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", ["", " \n", "— … !", "\x00\x1b", "a" * (MAX_CHARACTERS + 1)])
def test_what_cannot_be_said_is_refused(engine, text):
    with pytest.raises(FailedWorkError, match=r"nothing to be said|too long"):
        engine.say(text, None, 0, 175)


def test_a_code_without_a_meaning_is_no_reason_to_fail():
    spoken = Espeak().say("a\ud800b \u202e\x07 c\u0000d 😀", None, 0, 175)
    assert len(spoken.words) == 4
    assert spoken.words[1][0] == spoken.words[1][1]


def test_languages():
    engine = Espeak()
    assert engine.speaks("de") and engine.speaks("pt-BR") and engine.speaks("EN-gb")
    assert engine.speaks(None)
    for language in ("xx", "../de", "/etc/passwd", "mb/mb-de1", "de+f2", "", "d\0e"):
        assert not engine.speaks(language)
    text = "Die Stadt liegt an einem See."
    german, english = engine.say(text, "de", 0, 175), engine.say(text, "en", 0, 175)
    assert not np.array_equal(german.samples, english.samples)
    with pytest.raises(FailedWorkError, match="no voice"):
        engine.say(text, "xx", 0, 175)
    with pytest.raises(FailedWorkError, match="language xx"):
        engine_for("xx")


def test_the_wanted_engine_comes_first():
    assert engine_for("en", EngineId.ESPEAK_1_52).identity == EngineId.ESPEAK_1_52
    assert engine_for("de", EngineId.FLITE_2_2).identity == EngineId.ESPEAK_1_52
    if shutil.which("flite"):
        assert engine_for("en", EngineId.FLITE_2_2).identity == EngineId.FLITE_2_2


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os; os.abort()", "ended with code"),
        ("import sys; sys.exit('first line\\nit is broken')", "it is broken"),
        ("import time; time.sleep(60)", "TimeoutExpired"),
        ("pass", "ended with code 0"),
    ],
)
def test_a_process_that_fails_is_told_in_one_line(program, message, tmp_path, monkeypatch):
    file = tmp_path / "program.py"
    file.write_text(program)
    monkeypatch.setattr(espeak_process, "__file__", str(file))
    monkeypatch.setattr(espeak, "TIME_LIMIT_S", 1)
    with pytest.raises(FailedWorkError, match=message) as caught:
        Espeak().say("Hello.", None, 0, 175)
    assert "\n" not in str(caught.value)


def test_a_long_text_is_cut(monkeypatch):
    monkeypatch.setattr(espeak, "_MAX_SAMPLES", 22050)
    spoken = Espeak().say("9876543210 " * 40, None, 0, 100)
    assert len(spoken.samples) == 22050
    assert len(spoken.words) == 40


def test_the_process_imports_nothing_of_ours():
    source = Path(espeak_process.__file__).read_text(encoding="utf-8")
    assert "import mmcodec" not in source and "from mmcodec" not in source


def test_words_without_sounds_have_no_length():
    sounds = [(0, 0.1, 0.3), (2, 0.3, 0.4), (2, 0.4, 0.6)]
    assert spans_of(4, sounds) == ((0.1, 0.3), (0.3, 0.3), (0.3, 0.6), (0.6, 0.6))


def test_plain_words_are_as_many():
    assert plain_words("a\x00b \x07 c\td") == ["ab", "", "c", "d"]


def test_phones_are_matched_to_words():
    alone = [("hh", "ax", "l", "ow"), (), ("w", "er", "l", "d"), ("ey",)]
    said = ["hh", "ax", "l", "ow", "w", "er", "l", "d", "ax"]
    assert flite._matched(said, alone) == [0.0, 4.0, 4.0, 8.0, 9.0]
