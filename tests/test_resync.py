"""A reader that conceals: what is lost of a damaged stream, and that the rest is not."""

import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bitstream import CUES, HEADER, stream

from mmcodec.bitstream.packets import Control, checked
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import header_bytes
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.errors import BitstreamError, MMCodecError
from mmcodec.timeline import Cue, Layer, Prompt, Shot

LONG = tuple(
    Cue(Shot(24 * at, 24 * at + 24), Prompt(f"Shot {at}."), {Layer.SKETCH: bytes(range(at + 30))})
    for at in range(30)
)


def starts(cues=LONG):
    """The stream, and where its packets start and the end packet is."""
    sink = io.BytesIO()
    writer = StreamWriter(sink, HEADER)
    places = []
    for cue in cues:
        places.append(sink.tell())
        writer.write(cue)
    places.append(sink.tell())
    writer.close()
    return sink.getvalue(), places


def received(data):
    reader = StreamReader(io.BytesIO(data), conceal=True)
    return tuple(reader.cues()), reader


@pytest.mark.parametrize("part", [0, 1, 2, 5, -1], ids=["head", "time", "length", "body", "crc"])
def test_a_damaged_packet_loses_one_cue_and_keeps_the_time(part):
    whole, places = starts()
    damaged = bytearray(whole)
    damaged[places[4] + part if part >= 0 else places[5] - 1] ^= 0x04
    packets, reader = received(bytes(damaged))
    assert len(reader.damage) == 1
    lost = [packet for packet in packets if packet.lost]
    assert len(lost) <= 1
    kept = [packet.cue for packet in packets if not packet.lost]
    assert len(kept) == len(LONG) - 1
    assert [dict(cue.descriptors) for cue in kept] == [
        dict(c.descriptors) for c in LONG[:4] + LONG[5:]
    ]
    assert reader.account.total() == len(whole)
    if part not in (0, 1):  # else its time is a guess
        assert [cue.span for cue in kept] == [cue.span for cue in LONG[:4] + LONG[5:]]


def test_prompts_after_a_lost_one_come_back_at_the_next_random_access_point():
    whole, places = starts()
    damaged = bytearray(whole)
    damaged[places[4] + 6] ^= 1
    packets, _ = received(bytes(damaged))
    texts = [packet.cue.prompt.text for packet in packets]
    assert texts[:4] == [cue.prompt.text for cue in LONG[:4]]
    assert texts[4:20] == [""] * 16
    assert texts[20:] == [cue.prompt.text for cue in LONG[20:]]


def test_what_is_missing_altogether_is_passed_over():
    whole, places = starts()
    data = whole[: places[3] + 2] + whole[places[5] + 9 :]
    packets, reader = received(data)
    assert reader.damage
    kept = [dict(packet.cue.descriptors) for packet in packets if not packet.lost]
    assert kept == [dict(cue.descriptors) for cue in LONG[:3] + LONG[6:]]


def test_prompts_before_a_place_are_passed_over_and_known_where_needed():
    whole, _ = starts()
    packets = list(StreamReader(io.BytesIO(whole)).cues(prompts_from_s=25.5))
    texts = [packet.cue.prompt.text for packet in packets]
    assert texts == [""] * 25 + [cue.prompt.text for cue in LONG[25:]]


def test_damage_that_nothing_follows_is_an_error():
    whole = stream()
    with pytest.raises(BitstreamError, match="damaged"):
        received(whole[:-2] + bytes([whole[-2] ^ 1]))
    with pytest.raises(BitstreamError):
        received(whole + b"x")


@given(st.integers(0, 8 * len(stream()) - 1))
def test_any_flipped_bit_is_reported_and_most_cues_stay(bit):
    damaged = bytearray(stream())
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        packets, reader = received(bytes(damaged))
    except MMCodecError:
        return  # the header, or nothing whole behind the damage
    assert reader.damage
    layers = [dict(cue.descriptors) for cue in CUES]
    for packet in packets:
        assert packet.lost or dict(packet.cue.descriptors) in layers


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_noise_ends_in_an_error_or_in_the_end(noise):
    data = checked(header_bytes(HEADER)) + noise + bytes([Control.END])
    try:
        received(data)
    except MMCodecError:
        return


def test_the_search_is_bounded():
    # Heads that promise much, again and again, each of which would be checked to its end.
    data = checked(header_bytes(HEADER)) + b"\x60\x87\xff" * 300_000
    before = time.process_time()
    with pytest.raises(MMCodecError):
        received(data)
    assert time.process_time() - before < 5  # without the bound: minutes
