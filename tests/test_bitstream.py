"""The stream: fields, packets, whole streams, and what damage does to them."""

import io
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.bitstream.fields import FieldReader, varint
from mmcodec.bitstream.packets import END_PACKET, packet
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import (
    SIGNATURE,
    PacketType,
    StreamHeader,
    cue_body,
    header_body,
    parse_header,
)
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.errors import BitstreamError, TruncatedStreamError
from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    VideoTrack,
)

HEADER = StreamHeader(VideoTrack(640, 360, Fraction(24)), AudioTrack(24_000, 2))
CUES = (
    Cue(Shot(0, 48), Prompt("Bright shot, blue over sand."), {Layer.SKETCH: b"\x01\x02\x03"}),
    Cue(Segment(0, 200, SegmentKind.MUSIC), Prompt("Calm music."), {Layer.SOUND: b"\x09" * 40}),
    Cue(Shot(48, 72), Prompt(""), {Layer.LOOK: bytes(10)}),
    Cue(Segment(250, 300, SegmentKind.SILENCE), Prompt("")),
)


def stream(header=HEADER, cues=CUES) -> bytes:
    sink = io.BytesIO()
    writer = StreamWriter(sink, header)
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


def test_a_header_worked_by_hand():
    # version 1; flags video, audio, stereo; text coder 0; 640; 360; 24/1 frame/s; 24,000 Hz
    by_hand = bytes([1, 1 | 2 | 8, 0, 0x80, 0x05, 0xE8, 0x02, 24, 1, 0xC0, 0xBB, 0x01])
    assert header_body(HEADER) == by_hand
    assert parse_header(by_hand, 0) == HEADER


def test_a_cue_worked_by_hand():
    body, layers = cue_body(Cue(Shot(50, 60), Prompt(""), {Layer.LOOK: b"abc"}), 48)
    assert body == bytes([2, 10, 2, 3]) + b"abc"
    assert layers == {Layer.LOOK: 3}


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


@settings(max_examples=60)
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
        if length >= len(SIGNATURE):
            assert isinstance(caught.value, TruncatedStreamError)


def test_any_flipped_bit_is_noticed():
    whole = stream()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            read(bytes(damaged))


def test_a_damaged_length_is_not_taken_for_a_cut():
    whole = bytearray(stream())
    whole[4] |= 0x40  # the header's length
    with pytest.raises(BitstreamError, match="damaged") as caught:
        read(bytes(whole))
    assert not isinstance(caught.value, TruncatedStreamError)


def test_packets_layers_and_header_fields_of_the_future_are_skipped():
    header = packet(PacketType.HEADER, header_body(HEADER) + b"\x07\x07")
    cue, _ = cue_body(CUES[0], 0)
    future = varint(99) + varint(2) + b"??"
    data = (
        SIGNATURE
        + header
        + packet(31, b"a packet of a later version")
        + packet(PacketType.SHOT, cue + future)
        + END_PACKET
    )
    assert read(data)[:2] == (HEADER, (CUES[0],))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bytes([2, 1, 0, 1, 1, 24, 1]), "version 2"),
        (bytes([1, 0, 0]), "no track"),
        (bytes([1, 1, 5, 1, 1, 24, 1]), "text coder"),
        (bytes([1, 1, 0, 0, 1, 24, 1]), "width"),
        (bytes([1, 1, 0]) + varint(16_384) + varint(16_384) + bytes([24, 1]), "too large"),
        (bytes([1, 1, 0, 1, 1, 1, 2]), "frame rate"),
        (bytes([1, 2, 0, 5]), "sample rate"),
        (bytes([1, 1]), "over the end"),
    ],
)
def test_headers_out_of_range_are_refused(body, reason):
    with pytest.raises(BitstreamError, match=reason):
        parse_header(body, 0)


def test_a_cue_may_not_be_longer_than_a_minute():
    body = varint(0) + varint(24 * 61)
    data = (
        SIGNATURE + packet(PacketType.HEADER, header_body(HEADER)) + packet(PacketType.SHOT, body)
    )
    with pytest.raises(BitstreamError, match="duration"):
        read(data)


def test_a_cue_needs_its_track():
    silent = StreamHeader(HEADER.video, None)
    data = stream(silent, CUES[:1])[: -len(END_PACKET)] + packet(
        PacketType.SEGMENT, b"\x00\x00\x01"
    )
    with pytest.raises(BitstreamError, match="track"):
        read(data)


def test_cues_of_a_track_cannot_overlap():
    with pytest.raises(ValueError, match="overlaps"):
        stream(HEADER, (CUES[2], CUES[0]))


@given(st.binary(max_size=300))
def test_random_bytes_raise_only_our_error(data):
    with pytest.raises(BitstreamError):
        read(SIGNATURE + data)
