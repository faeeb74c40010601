"""The recogniser that needs no model to download, and what it is sure of."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import tone

from mmcodec.captioning import sphinx, sphinx_process
from mmcodec.captioning.sphinx import PocketSphinx
from mmcodec.errors import FailedWorkError
from mmcodec.models import choice
from mmcodec.models.choice import choose
from mmcodec.pipeline import speaking
from mmcodec.registry import OWN_CHOICE, Group, load
from mmcodec.synthesis.espeak import Espeak

SAMPLES = Path(__file__).parents[1] / "samples"
SPEECH = Path(__file__).parents[2] / "shared" / "media" / "speech"
TEXT = json.loads((SAMPLES / "clip.json").read_text())["note_text"]


def test_the_sample_note_is_mostly_understood():
    samples, rate = soundfile.read(SAMPLES / "note.wav", dtype="float32")
    found = PocketSphinx().transcribe(samples, rate)
    said = {word.strip(".,").lower() for word in TEXT.split()}
    right = [word for word in found.words if word.text in said]
    assert len(right) >= 14
    assert found.language == "en"
    times = [time for word in found.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= len(samples) / rate


@pytest.mark.skipif(not SPEECH.is_dir(), reason="the shared media files are not here")
def test_what_it_hears_again_and_again_is_sure():
    samples, rate = soundfile.read(SPEECH / "goforward_16k.wav", dtype="float32")
    found = PocketSphinx().transcribe(samples, rate)
    assert found.text == "go forward ten meters"
    assert all(word.sure for word in found.words)


def test_it_is_sure_of_nothing_in_another_language():
    said = Espeak().say(
        "Wir fahren morgen früh mit dem Zug nach Berlin, zu meiner Mutter.", "de", 0, 150
    )
    found = PocketSphinx().transcribe(said.samples, said.sample_rate)
    assert not any(word.sure for word in found.words)


def test_it_is_sure_of_nothing_where_nobody_speaks():
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 32_000).astype(np.float32)
    for samples in (np.zeros(16_000, np.float32), tone(2.0, 16_000)[:, 0], noise, noise[:100]):
        assert not any(word.sure for word in PocketSphinx().transcribe(samples, 16_000).words)


def test_a_word_that_changes_makes_its_phrase_unsure(monkeypatch):
    usual = [("we", 0.0, 0.4), ("meet", 0.4, 1.0), ("today", 1.0, 1.8), ("at", 2.2, 2.9),
             ("nine", 2.9, 4.0)]  # fmt: skip
    other = [*usual[:4], ("mine", 2.9, 4.0)]
    heard = iter([usual, usual, other])
    monkeypatch.setattr(sphinx_process, "decoded", lambda *_: next(heard, usual))
    monkeypatch.setattr(sphinx_process, "_SPEEDS", ())
    sure = [is_sure for *_, is_sure in sphinx_process.heard(np.ones(64_000))]
    assert sure == [True, True, True, True, False]


def test_without_a_phrase_that_is_sure_it_stops_early(monkeypatch):
    usual = [("we", 0.0, 0.4), ("meet", 0.4, 2.0)]
    calls = []

    def decoded(*_):
        calls.append(1)
        return usual if len(calls) == 1 else []

    monkeypatch.setattr(sphinx_process, "decoded", decoded)
    assert not any(sure for *_, sure in sphinx_process.heard(np.ones(32_000)))
    assert len(calls) == 2


def test_phrases_are_those_of_the_encoder():
    assert sphinx_process._PAUSE_S == speaking._PAUSE_S
    assert sphinx_process._PHRASE_S == speaking._SHORTEST_TEXT_S


def test_a_recogniser_that_fails_is_one_line(monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no model')")
    monkeypatch.setattr(sphinx.sphinx_process, "__file__", str(broken))
    with pytest.raises(FailedWorkError, match="PocketSphinx cannot listen: no model"):
        PocketSphinx().transcribe(tone(1.0, 16_000)[:, 0], 16_000)


def test_auto_takes_it_where_no_better_one_is(monkeypatch):
    assert choose(Group.TRANSCRIBER, "auto", OWN_CHOICE).name == "pocketsphinx"
    monkeypatch.setattr(choice, "is_installed", lambda extra: extra is None)
    assert choose(Group.TRANSCRIBER, "auto", OWN_CHOICE).name == "none"
    assert isinstance(load(Group.TRANSCRIBER, "pocketsphinx"), PocketSphinx)
