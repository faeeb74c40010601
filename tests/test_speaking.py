"""A text that is given with a sound: one cue of words and of who says them how, read aloud."""

import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from pystoi import stoi

import mmcodec
from mmcodec.analysis.segments import SoundSegment
from mmcodec.errors import MediaError, MMCodecError
from mmcodec.pipeline.speaking import joined, spoken_part
from mmcodec.timeline import AUDIO_TIME_BASE, Segment, SegmentKind

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
    parts = heard((SILENCE, 1), (SPEECH, 2), (MUSIC, 1), (SPEECH, 3), (SILENCE, 1))
    part = spoken_part(parts, AUDIO_TIME_BASE)
    assert part == range(1, 4)
    one = joined(parts[1:4])
    assert one.segment == Segment(50, 350, SPEECH)
    assert len(one.samples) == 6 * 8000


def test_without_speech_all_that_is_heard_is_taken_for_it():
    parts = heard((SILENCE, 1), (MUSIC, 2), (SILENCE, 1))
    assert spoken_part(parts, AUDIO_TIME_BASE) == range(1, 2)


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
