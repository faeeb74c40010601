"""The stream: fields, packets, whole streams, and what damage does to them."""

import io
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.bitstream.packets import (
    END_PACKET,
    Control,
    CueType,
    checked,
    checksum,
    control_packet,
    cue_packet,
)
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import (
    FRAME_RATES,
    PICTURE_SPAN,
    RASTERS,
    SAMPLE_RATES,
    Form,
    Payload,
    StreamHeader,
    header_bytes,
    parse_payload,
    payload_bytes,
)
from mmcodec.bitstream.writer import RANDOM_ACCESS_S, StreamWriter
from mmcodec.errors import BitstreamError, TruncatedStreamError
from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    Synthesis,
    TrackKind,
    VideoTrack,
)

HEADER = StreamHeader(VideoTrack(640, 360, Fraction(24)), AudioTrack(24_000, 2))
CUES = (
    Cue(Shot(0, 48), Prompt("Bright shot, blue over sand."), {Layer.SKETCH: b"\x01\x02\x03"}),
    Cue(Segment(0, 200, SegmentKind.MUSIC), Prompt("Calm music."), {Layer.SOUND: b"\x09" * 40}),
    Cue(Shot(48, 72), Prompt(""), {Layer.LOOK: bytes(10)}),
    Cue(Segment(250, 300, SegmentKind.SILENCE), Prompt("")),
)


def stream(header=HEADER, cues=CUES, single=False) -> bytes:
    sink = io.BytesIO()
    writer = StreamWriter(sink, header, single=single)
    for cue in cues:
        writer.write(cue)
    writer.close()
    assert writer.account.total() == len(sink.getvalue())
    return sink.getvalue()


def read(data: bytes):
    reader = StreamReader(io.BytesIO(data))
    return reader.header, tuple(packet.cue for packet in reader.cues()), reader.account


class Dripping(io.BytesIO):
    """A pipe that hands out one byte at a time."""

    def read(self, size=-1):
        return super().read(min(size, 1))


def test_a_varint_worked_by_hand():
    assert varint(0) == b"\x00"
    assert varint(300) == b"\xac\x02"
    assert FieldReader(b"\xac\x02", 0).varint("it") == 300
    with pytest.raises(ValueError, match="fit"):
        varint(1 << 35)


def test_a_checksum_worked_by_hand():
    assert checksum(b"") == b"\x00"
    assert checksum(b"123456789") == b"\xdf"  # the check value of CRC-8/AUTOSAR


def test_a_header_worked_by_hand():
    # signature and form 1, flags (text coder 1; stereo, audio, video), 640x360, 24 Hz and 24 kHz
    assert header_bytes(HEADER) == bytes([0xB5, 0x61, 1 << 5 | 8 | 2 | 1, 1, 1 << 4 | 1])
    odd = StreamHeader(VideoTrack(317, 9, Fraction(7, 2), still=True), AudioTrack(11_025, 1))
    numbers = varint(317) + varint(9) + varint(7) + varint(2) + varint(11_025)
    assert header_bytes(odd) == bytes([0xB5, 0x61, 1 << 5 | 4 | 2 | 1, 0, 0]) + numbers


def test_a_photograph_worked_by_hand():
    header = StreamHeader(VideoTrack(1024, 1024, Fraction(25), still=True), None)
    cue = Cue(PICTURE_SPAN, Prompt(""), {Layer.LOOK: b"l"})
    # signature and form 2, text coder 1 and raster 20, a look and 0 bytes of prompt
    body = bytes([0xB5, 0x62, 1 << 5 | 20, 1 << 6]) + b"l"
    assert stream(header, (cue,)) == body + checksum(body)
    assert read(stream(header, (cue,))) == (header, (cue,), {"header": 3, "look": 1, "framing": 2})


def test_a_caption_of_forty_letters_is_a_photograph_of_thirteen_bytes():
    header = StreamHeader(VideoTrack(1024, 1024, Fraction(25), still=True), None)
    cue = Cue(PICTURE_SPAN, Prompt("A red car is parked on a wet street at night."))
    assert len(stream(header, (cue,))) <= 13


NOTE = Cue(Segment(0, 200, SegmentKind.SPEECH), Prompt(""), {Layer.VOICE: b"v"})


def test_a_note_worked_by_hand():
    header = StreamHeader(None, AudioTrack(16_000, 2))
    # signature and form 3, text coder 1, stereo and rate 2, 200 ticks, speech and 0 bytes of prompt
    body = bytes([0xB5, 0x63, 1 << 5 | 1 << 4 | 2, 0xC8, 0x01, 1 << 6]) + b"v"
    assert stream(header, (NOTE,), single=True) == body + checksum(body)
    assert read(body + checksum(body)) == (
        header,
        (NOTE,),
        {"header": 5, "voice": 1, "framing": 2},
    )


@pytest.mark.parametrize(
    ("header", "cue", "single"),
    [
        (StreamHeader(None, AudioTrack(16_000, 1)), NOTE, False),
        (HEADER, NOTE, True),
        (StreamHeader(None, AudioTrack(16_000, 1)), replace(NOTE, span=Segment(1, 9, 1)), True),
        (
            StreamHeader(None, AudioTrack(16_000, 1), audio_synthesis=Synthesis(seed=1)),
            NOTE,
            True,
        ),
        (
            StreamHeader(None, AudioTrack(16_000, 1)),
            replace(NOTE, synthesis=Synthesis(seed=1)),
            True,
        ),
    ],
)
def test_what_is_no_note_has_a_header_and_an_end(header, cue, single):
    data = stream(header, (cue,), single)
    assert data[1] & 15 == Form.STREAM
    assert data[-1:] == END_PACKET
    assert read(data)[1] == (cue,)


def test_nothing_follows_a_note():
    header = StreamHeader(None, AudioTrack(16_000, 1))
    with pytest.raises(ValueError, match="all of its stream"):
        stream(header, (NOTE, replace(NOTE, span=Segment(200, 300, 1))), single=True)
    whole = stream(header, (NOTE,), single=True)
    for damaged in (whole[:-1], whole + b"\0", whole[:3]):
        with pytest.raises(BitstreamError):
            read(damaged)


@pytest.mark.parametrize(
    ("track", "cues"),
    [
        (VideoTrack(64, 64, Fraction(25), still=True), 0),
        (VideoTrack(64, 64, Fraction(24), still=True), 1),
        (VideoTrack(64, 64, Fraction(25)), 1),
    ],
)
def test_what_is_no_photograph_has_a_header_and_an_end(track, cues):
    data = stream(StreamHeader(track, None), (Cue(PICTURE_SPAN, Prompt("")),) * cues)
    assert data[1] & 15 == Form.STREAM
    assert data[-1:] == END_PACKET


def test_nothing_follows_a_photograph():
    header = StreamHeader(VideoTrack(64, 64, Fraction(25), still=True), None)
    with pytest.raises(ValueError, match="all of its stream"):
        stream(header, (Cue(PICTURE_SPAN, Prompt("")), Cue(Shot(1, 2), Prompt(""))))
    whole = stream(header, (Cue(PICTURE_SPAN, Prompt("A boat.")),))
    for damaged in (whole[:-1], whole + b"\0", whole[:3]):
        with pytest.raises(BitstreamError):
            read(damaged)


def test_a_packet_worked_by_hand():
    # a shot, random access, 24 frames, 3 bytes: the first says sketch and 0 bytes of prompt
    body = (1 << 22 | 1 << 21 | 24 << 11 | 3).to_bytes(3, "big") + b"\x00ab"
    payload = payload_bytes(Payload({Layer.SKETCH: b"ab"}))
    assert cue_packet(CueType.SHOT, True, 24, payload) == body + checksum(body)
    longer = cue_packet(CueType.SHOT, False, 5000, b"x" * 3000)
    assert longer[:3] == (1 << 22).to_bytes(3, "big")
    assert longer[3:7] == varint(5000) + varint(3000)


@pytest.mark.parametrize(
    ("payload", "first"),
    [
        (Payload({Layer.PROMPT: b"abc", Layer.SKETCH: b"def"}), 3),
        (Payload({Layer.PROMPT: b"abc", Layer.LOOK: b"def"}), 1 << 6 | 3),
        (Payload({Layer.PROMPT: b"x" * 100}), 62),
        (Payload({}), 0),
        (Payload({Layer.SOUND: b"s"}, SegmentKind.MUSIC), 2 << 6),
        (Payload({Layer.LOOK: b"l", Layer.SKETCH: b"s"}), 63),
        (Payload({Layer.LOOK: b"l", Layer.SOUND: b"s"}, SegmentKind.SOUND), 3 << 6 | 63),
    ],
)
def test_payloads_come_back(payload, first):
    data = payload_bytes(payload)
    track = TrackKind.VIDEO if payload.kind is None else TrackKind.AUDIO
    assert data[0] == first
    assert parse_payload(track, FieldReader(data, 0)) == payload


@pytest.mark.parametrize("size", RASTERS[1:])
@pytest.mark.parametrize("rate", [FRAME_RATES[1], FRAME_RATES[-1], Fraction(25, 2)])
@pytest.mark.parametrize("hertz", [*SAMPLE_RATES[1:4], 11_025])
def test_headers_come_back(size, rate, hertz):
    header = StreamHeader(VideoTrack(*size, rate), AudioTrack(hertz, 2))
    assert read(stream(header, ()))[0] == header


def test_the_goals_for_overhead_hold():
    one = stream(StreamHeader(HEADER.video, HEADER.audio), CUES[:1])
    payload = sum(len(data) for data in CUES[0].descriptors.values())
    prompt = read(one)[2]["prompt"]
    assert len(one) - payload - prompt <= 12
    two = stream(HEADER, (CUES[0], CUES[2]))
    assert len(two) - len(one) - 10 - 1 <= 4  # beside ten bytes of look, and the byte that says so


def test_random_access_points_come_at_the_start_and_every_twenty_seconds():
    shots = [Cue(Shot(96 * i, 96 * i + 96), Prompt("The same prompt again.")) for i in range(12)]
    sink = io.BytesIO()
    writer = StreamWriter(sink, HEADER)
    sizes = [writer.write(cue).layer_bytes[Layer.PROMPT] for cue in shots]
    access = [i for i in range(12) if i == 0 or i * 4 % RANDOM_ACCESS_S == 0]
    assert [i for i, size in enumerate(sizes) if size == max(sizes)] == access


def test_a_stream_comes_back_with_every_byte_accounted_for():
    header, cues, account = read(stream())
    assert (header, cues) == (HEADER, CUES)
    assert account.total() == len(stream())
    assert account["sketch"] == 3
    assert account["sound"] == 40


def test_a_pipe_may_hand_out_one_byte_at_a_time():
    reader = StreamReader(Dripping(stream()))
    assert tuple(packet.cue for packet in reader.cues()) == CUES


spans = st.tuples(st.integers(0, 700), st.integers(1, 700))
layers = st.dictionaries(
    st.sampled_from([Layer.LOOK, Layer.SKETCH, Layer.SOUND]), st.binary(max_size=300)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), spans, st.text(max_size=80), layers), max_size=8),
    st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(25, 2)]),
    st.booleans(),
)
def test_random_timelines_come_back(entries, rate, still):
    header = StreamHeader(VideoTrack(317, 211, rate, still), AudioTrack(16_000, 1))
    ends = {True: 0, False: 0}
    cues = []
    for is_shot, (gap, length), text, descriptors in entries:
        start = ends[is_shot] + gap % 50
        ends[is_shot] = start + length
        span = (
            Shot(start, start + length)
            if is_shot
            else Segment(start, start + length, SegmentKind.SOUND)
        )
        cues.append(Cue(span, Prompt(text), descriptors))
    assert read(stream(header, cues))[:2] == (header, tuple(cues))


def test_a_stream_cut_anywhere_gives_the_cues_before_the_cut():
    whole = stream()
    for length in range(len(whole)):
        seen = []
        with pytest.raises(BitstreamError) as caught:
            for received in StreamReader(io.BytesIO(whole[:length])).cues():
                seen.append(received.cue)
        assert tuple(seen) == CUES[: len(seen)]
        if length >= 2:
            assert isinstance(caught.value, TruncatedStreamError)


def test_any_flipped_bit_is_noticed():
    whole = stream()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            read(bytes(damaged))


def test_nothing_may_follow_the_end():
    with pytest.raises(BitstreamError, match="after its end"):
        read(stream() + b"x")


def test_what_the_future_adds_is_skipped():
    flags = header_bytes(HEADER)
    header = checked(
        flags[:2] + bytes([flags[2] | 16]) + flags[3:] + b"\x09\xf8\x01\x07\xfd\x01\x03new"
    )
    listed = bytes([63]) + varint(99) + varint(2) + b"??" + varint(Layer.LOOK) + b"\x01l"
    data = (
        header
        + control_packet(42, b"a control packet of a later version")
        + cue_packet(3, True, 7, b"a cue packet of a later version")  # type: ignore[arg-type]
        + cue_packet(CueType.SHOT, True, 48, listed)
        + END_PACKET
    )
    got, cues, account = read(data)
    assert got == HEADER
    assert cues == (Cue(Shot(0, 48), Prompt(""), {Layer.LOOK: b"l"}),)
    assert account.total() == len(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"mp4", "not an mmcodec stream"),
        (b"\xb5\x64\x00\x00", "form 4"),
        (b"\xb5\x61" + bytes([0, 0]), "no track"),
        (b"\xb5\x61" + bytes([7 << 5 | 1, 1, 1]), "text coder 7"),
        (b"\xb5\x61" + bytes([1, 0, 1, 0, 1]), "width"),
        (b"\xb5\x61" + bytes([1, 0, 1]) + varint(16_384) + varint(16_384), "too large"),
        (b"\xb5\x61" + bytes([1, 1, 0, 1, 2]), "frame rate"),
        (b"\xb5\x61" + bytes([2, 0, 5]), "sample rate"),
    ],
)
def test_headers_out_of_range_are_refused(data, reason):
    with pytest.raises(BitstreamError, match=reason):
        read(checked(data))


def test_a_cue_may_not_be_longer_than_a_minute():
    data = stream(HEADER, ())[:-1] + cue_packet(CueType.SHOT, True, 24 * 61, b"\x00")
    with pytest.raises(BitstreamError, match="too long"):
        read(data)


def test_a_cue_needs_its_track():
    data = stream(StreamHeader(HEADER.video, None), ())[:-1]
    with pytest.raises(BitstreamError, match="track"):
        read(data + cue_packet(CueType.SEGMENT, True, 5, b"\x00"))
    with pytest.raises(ValueError, match="no audio track"):
        stream(StreamHeader(HEADER.video, None), CUES[1:2])


def test_a_writer_refuses_what_a_reader_would():
    for span in (Shot(0, 24 * 61), Shot(24 * 61, 24 * 62)):
        with pytest.raises(ValueError, match="over 60 s"):
            stream(HEADER, (Cue(span, Prompt("")),))


def test_cues_of_a_track_cannot_overlap():
    with pytest.raises(ValueError, match="overlaps"):
        stream(HEADER, (CUES[2], CUES[0]))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_raise_only_our_error(data):
    with pytest.raises(BitstreamError):
        read(header_bytes(HEADER)[:2] + data)


def test_tracks_of_a_clock_are_near_each_other():
    """A few bytes must not stand for hours of silence when a reader joins, either."""
    header = StreamHeader(VideoTrack(640, 360, Fraction(24)), AudioTrack(24_000, 1))
    for seconds, fine in ((50, True), (70, False), (10**6, False)):
        clock = control_packet(Control.CLOCK, varint(0) + varint(50 * seconds))
        source = io.BytesIO(checked(header_bytes(header)) + clock + END_PACKET)
        cues = StreamReader(source, joining=True).cues()
        if fine:
            assert list(cues) == []
        else:
            with pytest.raises(BitstreamError, match="far apart"):
                list(cues)
