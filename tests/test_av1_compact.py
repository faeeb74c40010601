"""AV1 with its headers range coded: the same bytes come back, and they are fewer on the way."""

import numpy as np
import pytest
from conftest import scene

from mmcodec.descriptors import av1_compact
from mmcodec.descriptors.av1 import decode_av1, encode_av1
from mmcodec.descriptors.av1_compact import Headers, shown_frames, split_units, unit
from mmcodec.descriptors.av1_syntax import UnusualHeaderError
from mmcodec.descriptors.av1_tables import tables
from mmcodec.entropy.two_way import Reading, Writing
from mmcodec.errors import BitstreamError
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture

SCENE = np.stack([scene(2, i, (160, 90)) for i in range(64)])


def compacted(units):
    """The code, and what it is read as."""
    writing = Writing()
    av1_compact.write(units, Headers(writing))
    data = writing.finish()
    return data, av1_compact.read(shown_frames(units), Headers(Reading(data)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 17, 33, 64])
def test_the_same_bytes_come_back_in_fewer(count):
    units = encode_av1(SCENE[:count], (128, 72), 60)
    data, again = compacted(units)
    assert again == units
    # What remains of a header is a few bytes; it was some twenty, and twelve of the sequence.
    assert len(data) < len(units) - 10 * count - 4


@pytest.mark.parametrize("crf", [63, 50, 30, 5])
@pytest.mark.parametrize("size", [(64, 64), (192, 108), (64, 300), (512, 288)])
def test_every_raster_and_quality_is_usual(size, crf):
    units = encode_av1(SCENE[::9], size, crf)
    assert compacted(units)[1] == units


def test_every_number_of_frames_has_a_structure():
    shown = [sum(step.again or step.show for step in steps) for steps in tables().structures]
    assert shown == list(range(1, 65))


def test_headers_of_real_pictures_are_usual(real_media):
    clip = real_media / "video" / "tos_battle_c.webm"
    with open_media(clip, DemuxSettings(audio=False)) as media:
        pixels = [item.pixels for item in media.read() if isinstance(item, Picture)]
    for start in range(0, 400, 80):
        units = encode_av1(np.stack(pixels[start : start + 80 : 8]), (154, 64), 61)
        data, again = compacted(units)
        assert again == units
        assert len(data) < len(units) - 100


@pytest.mark.parametrize(
    "change",
    [
        lambda units: units[unit_end(units) :],
        lambda units: units + units,
        lambda units: unit(2, b"") + units,
        lambda units: units[: unit_end(units)],
        lambda units: units.replace(b"\x0a\x0a\x00", b"\x0a\x0a\x08", 1),
    ],
    ids=["no-sequence", "twice", "delimiter", "no-frame", "still-picture"],
)
def test_what_is_not_usual_is_said(change):
    units = change(encode_av1(SCENE[:2], (64, 64), 60))
    with pytest.raises(UnusualHeaderError):
        av1_compact.write(units, Headers(Writing()))


def unit_end(units):
    """Where the first unit ends."""
    return len(unit(*next(split_units(units))))


def test_a_cut_code_ends_in_our_error_and_makes_no_more_than_it_has():
    data, _ = compacted(encode_av1(SCENE[:4], (128, 72), 50))
    for end in range(0, len(data), 7):
        try:
            made = av1_compact.read(4, Headers(Reading(data[:end])))
        except BitstreamError:
            continue
        assert len(made) < end + 400


def test_the_frames_are_those_of_av1():
    units = encode_av1(SCENE[:5], (128, 72), 50)
    frames = [decode_av1(one, 5, 1 << 18) for one in (units, compacted(units)[1])]
    assert np.array_equal(*frames)
