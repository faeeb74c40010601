"""What is said, from a subtitle file."""

import json
from pathlib import Path

import pytest

import mmcodec
from mmcodec.errors import MediaError, UsageError
from mmcodec.media.subtitles import Subtitle, read_subtitles
from mmcodec.pipeline.speaking import subtitled
from mmcodec.timeline import Segment, SegmentKind

SAMPLES = Path(__file__).parents[1] / "samples"
TEXT = json.loads((SAMPLES / "clip.json").read_text())["note_text"]
FILES = {
    "a.srt": "1\n00:00:01,000 --> 00:00:03,500\nHello <i>there</i>,\nmy friend.\n\n"
    "2\n00:00:04,000 --> 00:00:05,000\nBye.\n",
    "a.vtt": "WEBVTT\n\n00:01.000 --> 00:03.500 align:start\nHello <b>there</b>,\nmy friend.\n\n"
    "00:04.000 --> 00:05.000\nBye.\n",
    "a.ass": "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:03.50,Default,,0,0,0,,Hello {\\i1}there{\\i0},\\Nmy friend.\n"
    "Dialogue: 0,0:00:04.00,0:00:05.00,Default,,0,0,0,,Bye.\n",
}


@pytest.mark.parametrize("name", FILES)
def test_lines_are_read_without_markup(name, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    lines = read_subtitles(str(tmp_path / name))
    assert [line.text.replace(" ,", ",") for line in lines] == ["Hello there, my friend.", "Bye."]
    assert [(line.start_s, line.end_s) for line in lines] == [(1.0, 3.5), (4.0, 5.0)]


@pytest.mark.parametrize("data", [b"", b"no subtitles", b"\xff\xfe\x00bad" * 50, b"WEBVTT\n"])
def test_what_is_no_subtitle_file_is_one_line(data, tmp_path):
    (tmp_path / "a.srt").write_bytes(data)
    with pytest.raises(MediaError) as caught:
        read_subtitles(str(tmp_path / "a.srt"))
    assert "\n" not in str(caught.value)
    assert "a.srt" in str(caught.value)


def test_a_missing_file_and_a_sound_are_refused():
    for path, words in (("nothing.srt", "cannot be read"), (SAMPLES / "note.wav", "no subtitles")):
        with pytest.raises(MediaError, match=words):
            read_subtitles(str(path))


def test_a_segment_gets_the_words_within_it():
    lines = [Subtitle(0.0, 2.0, "one two"), Subtitle(2.0, 4.0, "three four")]
    segment = Segment(50, 150, SegmentKind.SPEECH)
    words = subtitled(lines, segment, after_s=0.9)
    assert [word.text for word in words] == ["two", "three"]
    assert [word.start_s for word in words] == [0.0, 1.0]
    assert words[-1].end_s <= 2.0
    assert subtitled(lines, segment, after_s=0.0)[0].text == "one"


def test_speech_is_sent_as_its_subtitles(tmp_path):
    first, _, rest = TEXT.partition(" I will")
    subtitles = tmp_path / "note.srt"
    subtitles.write_text(
        f"1\n00:00:00,100 --> 00:00:06,000\n{first}\n\n"
        f"2\n00:00:06,300 --> 00:00:09,200\nI will{rest}\n"
    )
    settings = mmcodec.EncodeSettings(subtitles=str(subtitles))
    report = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "note.mmc", settings)
    said = " ".join(p.cue.spoken for p in report.stream.packets if p.cue.spoken)
    assert said.split() == TEXT.split()
    assert not report.remarks


def test_subtitles_of_something_else_are_not_sent(tmp_path):
    subtitles = tmp_path / "note.srt"
    other = "The roses were in bloom, and nobody came to the garden. It was such a pity, I thought."
    subtitles.write_text(f"1\n00:00:00,100 --> 00:00:05,800\n{other}\n")
    settings = mmcodec.EncodeSettings(subtitles=str(subtitles))
    report = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "note.mmc", settings)
    assert not any(packet.cue.spoken for packet in report.stream.packets)
    assert "0 of 18 words" in report.remarks[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (mmcodec.EncodeSettings(text="a", subtitles="b.srt"), "one of them"),
        (mmcodec.EncodeSettings(text="a", speech=mmcodec.Speech.VOCODER), "no use for"),
    ],
)
def test_what_contradicts_itself_is_refused(settings, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        mmcodec.encode(SAMPLES / "note.wav", tmp_path / "a.mmc", settings)
