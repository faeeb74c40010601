"""Parameters of synthesis: in the header, in a cue, and what is refused."""

import io
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.bitstream.packets import CueType, cue_packet
from mmcodec.bitstream.parameters import MAX_TEXT_BYTES, parameters_bytes, parse_parameters
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import Payload, StreamHeader, header_bytes, payload_bytes
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.errors import BitstreamError
from mmcodec.timeline import (
    NO_SYNTHESIS,
    Cue,
    Layer,
    Prompt,
    Shot,
    Synthesis,
    TrackKind,
    VideoTrack,
)

TRACK = VideoTrack(640, 360, Fraction(24))
texts = st.none() | st.text(max_size=40)


def numbers(low: int, high: int):
    return st.none() | st.integers(low, high)


syntheses = st.builds(
    Synthesis, texts, texts, texts, numbers(0, 2**32 - 1), numbers(1, 1000),
    numbers(0, 10_000), numbers(0, 100), texts, texts,
)  # fmt: skip


def test_parameters_worked_by_hand():
    video = Synthesis(synthesizer="diffusers", seed=300, guidance_percent=0)
    data = b"\x05\x09diffusers" + b"\x10\xac\x02" + b"\x18\x00"
    assert parameters_bytes({TrackKind.VIDEO: video}) == data
    assert parameters_bytes({TrackKind.AUDIO: Synthesis(seed=300)}) == b"\x12\xac\x02"
    assert parameters_bytes({TrackKind.AUDIO: NO_SYNTHESIS}) == b""


@given(syntheses, syntheses)
def test_all_parameters_come_back(video, audio):
    tracks = {TrackKind.VIDEO: video, TrackKind.AUDIO: audio}
    found = parse_parameters(FieldReader(parameters_bytes(tracks), 0))
    assert {track: found.get(track, NO_SYNTHESIS) for track in TrackKind} == tracks


@settings(max_examples=50)
@given(syntheses, syntheses)
def test_a_stream_carries_them_in_its_header_and_in_a_cue(stream, cue):
    header = StreamHeader(TRACK, None, video_synthesis=stream)
    cues = (
        Cue(Shot(0, 24), Prompt("A car."), {Layer.LOOK: bytes(10)}, cue),
        Cue(Shot(24, 48), Prompt("")),
    )
    sink = io.BytesIO()
    writer = StreamWriter(sink, header)
    for each in cues:
        writer.write(each)
    writer.close()
    reader = StreamReader(io.BytesIO(sink.getvalue()))
    assert reader.header == header
    assert tuple(packet.cue for packet in reader.cues()) == cues
    assert reader.account.total() == len(sink.getvalue())


def test_a_stream_without_them_pays_nothing():
    plain, seeded = (
        header_bytes(StreamHeader(TRACK, None, video_synthesis=synthesis))
        for synthesis in (NO_SYNTHESIS, Synthesis(seed=7))
    )
    assert len(seeded) == len(plain) + 3  # its length, the key, the seed


def test_a_cue_overrides_only_what_it_sets():
    stream = Synthesis("diffusers", "a/model", seed=1, style="film noir")
    changed = stream.overridden_by(Synthesis(seed=0, steps=4))
    assert changed == Synthesis("diffusers", "a/model", seed=0, steps=4, style="film noir")
    assert stream.overridden_by(NO_SYNTHESIS) == stream


def test_unknown_parameters_are_skipped():
    data = varint(90 << 2 | 1) + b"\x03abc" + b"\x10\x05" + varint(91 << 2) + varint(1 << 30)
    assert parse_parameters(FieldReader(data, 0)) == {TrackKind.VIDEO: Synthesis(seed=5)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x14\x00", "steps is 0"),
        (b"\x1c\x65", "strength_percent is 101"),
        (b"\x05\x02\xff\xfe", "no text"),
        (b"\x05\x05abc", "over the end"),
        (b"\x05" + varint(MAX_TEXT_BYTES + 1), "length of a parameter"),
        (b"\x10", "over the end"),
    ],
)
def test_what_is_out_of_range_is_refused(data, words):
    with pytest.raises(BitstreamError, match=words):
        parse_parameters(FieldReader(data, 0))


def test_a_writer_refuses_what_a_reader_would():
    for synthesis in (Synthesis(steps=0), Synthesis(model="m" * (MAX_TEXT_BYTES + 1))):
        with pytest.raises(ValueError, match=r"steps|model"):
            parameters_bytes({TrackKind.VIDEO: synthesis})
    most = "m" * MAX_TEXT_BYTES
    full = Synthesis(most, most, most, style=most)
    with pytest.raises(ValueError, match="parameters of synthesis are over"):
        header_bytes(StreamHeader(TRACK, None, video_synthesis=full))


def test_a_cue_with_damaged_parameters_is_lost_and_the_rest_keeps_its_time():
    sink = io.BytesIO()
    writer = StreamWriter(sink, StreamHeader(TRACK, None))
    damaged = payload_bytes(Payload({Layer.PARAMETERS: b"\x14\x00"}))
    sink.write(cue_packet(CueType.SHOT, True, 24, damaged))
    writer.write(Cue(Shot(0, 48), Prompt("A car.")))
    writer.close()
    reader = StreamReader(io.BytesIO(sink.getvalue()), conceal=True)
    lost, kept = reader.cues()
    assert (lost.lost, lost.cue.span, kept.cue.span) == (True, Shot(0, 24), Shot(24, 72))
    assert "steps is 0" in reader.damage[0]
