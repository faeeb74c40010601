"""Speech as words and a voice where they are given or understood, else by the vocoder."""

import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from pystoi import stoi

import mmcodec
from mmcodec.analysis.segments import SoundSegment
from mmcodec.captioning.contract import Transcript, Word
from mmcodec.descriptors import voice
from mmcodec.errors import FailedWorkError, MediaError, MMCodecError
from mmcodec.pipeline import speaking
from mmcodec.pipeline.speaking import SpeechEncoder, joined, spans_of, spoken_part
from mmcodec.timeline import AUDIO_TIME_BASE, Layer, Prompt, Segment, SegmentKind

SAMPLES = Path(__file__).parents[1] / "samples"
TEXT = json.loads((SAMPLES / "clip.json").read_text())["note_text"]
SILENCE, SPEECH, MUSIC = SegmentKind.SILENCE, SegmentKind.SPEECH, SegmentKind.MUSIC


def heard(*parts):
    """Segments of these kinds and lengths in s, one after the other."""
    at, segments = 0, []
    for kind, seconds in parts:
        end = at + 50 * seconds
        samples = np.zeros((8000 * seconds, 1), np.float32)
        segments.append(SoundSegment(Segment(at, end, kind), samples, 8000))
        at = end
    return segments


def test_a_text_reaches_from_the_first_speech_to_the_last():
    parts = heard((SILENCE, 2), (SPEECH, 2), (MUSIC, 1), (SPEECH, 3), (SILENCE, 2))
    part = spoken_part(parts, AUDIO_TIME_BASE)
    assert part == range(1, 4)
    one = joined(parts[1:4])
    assert one.segment == Segment(100, 400, SPEECH)
    assert len(one.samples) == 6 * 8000


def test_without_speech_all_that_is_heard_is_taken_for_it():
    parts = heard((SILENCE, 2), (MUSIC, 2), (SILENCE, 2))
    assert spoken_part(parts, AUDIO_TIME_BASE) == range(1, 2)


def test_short_silence_around_is_part_of_it_within_a_minute():
    parts = heard((SILENCE, 1), (SPEECH, 2), (SILENCE, 1), (MUSIC, 1))
    assert spoken_part(parts, AUDIO_TIME_BASE) == range(3)
    parts = heard((SILENCE, 1), (SPEECH, 59), (SILENCE, 1))
    assert spoken_part(parts, AUDIO_TIME_BASE) == range(2)


@pytest.mark.parametrize(
    ("parts", "words"), [([(SILENCE, 2)], "is silent"), ([(SPEECH, 61)], "at most 60 s")]
)
def test_what_no_text_can_be_said_in_is_refused(parts, words):
    with pytest.raises(MediaError, match=words):
        spoken_part(heard(*parts), AUDIO_TIME_BASE)


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    """The sample note, encoded with its text, and what it sounds like."""
    folder = tmp_path_factory.mktemp("note")
    report = mmcodec.encode(
        str(SAMPLES / "note.wav"), folder / "note.mmc", mmcodec.EncodeSettings(text=TEXT)
    )
    mmcodec.decode(folder / "note.mmc", folder / "note.wav")
    return report, folder


def test_a_text_that_is_not_said_is_noticed(note, tmp_path):
    assert not note[0].remarks
    text = "It is a pity that nobody came, for the roses were in bloom and the night was warm."
    settings = mmcodec.EncodeSettings(text=text)
    report = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "note.mmc", settings)
    assert report.remarks == ("speech: the text does not seem to be what is said; it is sent",)


def test_a_note_of_ten_seconds_fits_into_one_sms(note):
    _, folder = note
    assert (folder / "note.mmc").stat().st_size <= 140


def test_the_note_is_heard_as_it_was_said(note):
    original, rate = soundfile.read(SAMPLES / "note.wav")
    made, made_rate = soundfile.read(note[1] / "note.wav")
    made = librosa.resample(made, orig_sr=made_rate, target_sr=rate)
    assert abs(len(made) - len(original)) <= 0.02 * rate
    count = min(len(made), len(original))
    assert stoi(original[:count], made[:count], rate) > 0.4
    assert 20 * np.log10(np.std(made) / np.std(original)) == pytest.approx(0, abs=2)


def test_a_text_without_a_word_is_one_line(tmp_path):
    with pytest.raises(MMCodecError) as caught:
        mmcodec.encode(
            str(SAMPLES / "note.wav"), tmp_path / "n.mmc", mmcodec.EncodeSettings(text=" ")
        )
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_text_for_a_picture_alone_is_refused(tmp_path):
    settings = mmcodec.EncodeSettings(text=TEXT, audio=False)
    with pytest.raises(MediaError, match="no sound to say it"):
        mmcodec.encode(str(SAMPLES / "clip.mp4"), tmp_path / "n.mmc", settings)
    assert not list(tmp_path.iterdir())


def said(*words):
    """Words of (text, start, end, sure)."""
    return [Word(*word) for word in words]


SURE = said(("We", 0.2, 0.4, True), ("met", 0.4, 0.9, True), ("at", 0.9, 1.0, True),
            ("nine", 1.0, 1.9, True))  # fmt: skip
VAGUE = said(("then", 2.5, 2.8, True), ("ghee", 2.8, 3.1, False))


def test_words_that_are_sure_are_one_span():
    assert spans_of(SURE, 150) == [(0, 150, tuple(SURE))]


def test_without_words_a_span_has_none():
    assert spans_of([], 150) == [(0, 150, ())]


def test_a_phrase_with_a_word_that_is_not_sure_is_sent_as_it_sounds():
    assert spans_of([*SURE, *VAGUE], 200) == [(0, 110, tuple(SURE)), (110, 200, ())]


def test_a_short_phrase_is_not_worth_a_voice():
    short = said(("yes", 4.0, 4.4, True))
    assert spans_of([*VAGUE, *short], 250) == [(0, 250, ())]


class Heard:
    """A transcriber that has understood the first half of the sample note."""

    def __init__(self, sure):
        words = TEXT.split()[:8]
        pace = 4.0 / len(words)
        self.words = tuple(
            Word(word, at * pace, (at + 1) * pace, sure) for at, word in enumerate(words)
        )

    def transcribe(self, samples, sample_rate):
        return Transcript(self.words, "en")


def speech_cues(monkeypatch, sure, **settings):
    monkeypatch.setattr(speaking, "transcriber", lambda *_: Heard(sure))
    remarks = []
    encoder = SpeechEncoder(mmcodec.EncodeSettings(**settings), remarks)
    samples, rate = soundfile.read(SAMPLES / "note.wav", dtype="float32", always_2d=True)
    segment = Segment(100, 100 + 50 * len(samples) // rate, SPEECH)
    cues = encoder.encode(SoundSegment(segment, samples, rate), Prompt("A low voice."))
    encoder.remark()
    return cues, remarks


def test_speech_is_its_words_where_they_are_sure(monkeypatch):
    (cue,), remarks = speech_cues(monkeypatch, sure=True)
    assert cue.spoken == " ".join(TEXT.split()[:8])
    assert cue.prompt.text.startswith("A low voice: ")
    assert set(cue.descriptors) == {Layer.VOICE}
    seconds = cue.span.duration / 50
    times = voice.decode(cue.descriptors[Layer.VOICE], cue.spoken, seconds).words
    assert len(times) == 8
    assert times[-1][1] == pytest.approx(4.0, abs=0.6)
    assert not remarks


def test_speech_that_is_not_sure_is_sent_as_it_sounds(monkeypatch):
    (cue,), remarks = speech_cues(monkeypatch, sure=False)
    assert cue.prompt.text == "A low voice."
    assert set(cue.descriptors) == {Layer.VOCODER}
    assert remarks == [
        "speech: 0 of 8 words are sure enough to be sent as text; the rest is sent as it sounds"
    ]


def test_what_a_user_wants_is_done(monkeypatch):
    (cue,), remarks = speech_cues(monkeypatch, sure=False, speech=mmcodec.Speech.TEXT)
    assert set(cue.descriptors) == {Layer.VOICE}
    assert remarks[0].startswith("speech: 8 of 8 words are sent and not sure: Hi,, it's, Anna.")
    (cue,), _ = speech_cues(monkeypatch, sure=True, speech=mmcodec.Speech.VOCODER)
    assert set(cue.descriptors) == {Layer.VOCODER}


def test_a_wish_for_text_without_a_recogniser_is_answered():
    remarks = []
    settings = mmcodec.EncodeSettings(speech=mmcodec.Speech.TEXT, transcriber="none")
    SpeechEncoder(settings, remarks)
    assert "no recogniser is here" in remarks[0]


def test_words_that_no_voice_can_say_are_not_lost(monkeypatch):
    def fails(*_):
        raise FailedWorkError("no voice here speaks it")

    monkeypatch.setattr(speaking, "describe", fails)
    (cue,), remarks = speech_cues(monkeypatch, sure=True)
    assert set(cue.descriptors) == {Layer.VOCODER}
    assert cue.spoken
    assert "sent as it sounds" in remarks[0]


def test_a_note_without_a_text_is_its_voice(tmp_path):
    report = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "note.mmc")
    assert report.stream.bytes <= 1000
    speech = [p.cue for p in report.stream.packets if p.cue.span.kind is SPEECH]
    assert speech
    assert all(set(cue.descriptors) == {Layer.VOCODER} for cue in speech)
    mmcodec.decode(tmp_path / "note.mmc", tmp_path / "note.wav")
    original, rate = soundfile.read(SAMPLES / "note.wav")
    made, made_rate = soundfile.read(tmp_path / "note.wav")
    made = librosa.resample(made, orig_sr=made_rate, target_sr=rate)
    count = min(len(made), len(original))
    assert stoi(original[:count], made[:count], rate) > 0.7
