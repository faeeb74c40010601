"""The AV1 sketch: its coding, its frame times, its limits."""

import contextlib

import numpy as np
import pytest
from conftest import evenly_sketched, scene
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.analysis.similarity import psnr
from mmcodec.descriptors import sketch
from mmcodec.descriptors.av1 import MIN_SIDE, decode_av1, encode_av1
from mmcodec.descriptors.sketch import TemporalMode, even_times, rounded_times, sketch_size
from mmcodec.errors import BitstreamError

FRAMES = np.stack([scene(1, i) for i in range(6)])
UNITS = {count: encode_av1(FRAMES[:count], (64, 64), 60) for count in range(1, 7)}


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_frames_come_back_and_more_bits_make_them_better(count):
    coarse = evenly_sketched(FRAMES[:count], (128, 72), 60, TemporalMode.FLOW)
    fine = evenly_sketched(FRAMES[:count], (128, 72), 20, TemporalMode.BLEND)
    assert len(coarse) < len(fine)
    decoded = [sketch.decode(data, 48) for data in (coarse, fine)]
    assert [d.mode for d in decoded] == [TemporalMode.FLOW, TemporalMode.BLEND]
    assert all(d.frames.shape == (count, 72, 128, 3) for d in decoded)
    quality = [
        np.mean([psnr(a, b) for a, b in zip(d.frames, FRAMES, strict=False)]) for d in decoded
    ]
    assert quality[1] > quality[0] > 18


def test_quarters_of_a_rate_factor_are_told_apart():
    sizes = [len(encode_av1(FRAMES, (128, 72), crf)) for crf in (50, 50.25, 50.5, 51)]
    assert len(set(sizes)) == 4
    assert sizes[0] > sizes[2] > sizes[3]


@given(st.data())
def test_times_come_back(data):
    duration = data.draw(st.integers(6, 2000))
    count = data.draw(st.integers(1, 6))
    drawn = data.draw(st.lists(st.integers(0, duration - 1), min_size=count, max_size=count))
    times = rounded_times(sorted(drawn), duration)
    made = sketch.encode(UNITS[len(times)], times, duration, TemporalMode.BLEND)
    assert sketch.decode(made, duration).times.tolist() == times.tolist()
    assert np.abs(times - np.unique(drawn)[0]).min() <= duration // 128


def test_even_times_cost_nothing_and_placed_ones_little():
    even = sketch.encode(UNITS[6], even_times(6, 240), 240, TemporalMode.FLOW)
    placed = sketch.encode(UNITS[6], np.array([10, 50, 52, 130, 200, 238]), 240, TemporalMode.FLOW)
    assert len(even) < len(placed) <= len(even) + 8


def test_limits_are_enforced():
    data = encode_av1(FRAMES, (128, 72), 50)
    assert len(decode_av1(data, 6, 128 * 72)) == 6
    with pytest.raises(BitstreamError, match="too many"):
        decode_av1(data, 5, 128 * 72)
    with pytest.raises(BitstreamError):
        decode_av1(data, 6, 64 * 64)
    with pytest.raises(ValueError, match="frames"):
        sketch.encode(UNITS[2], np.zeros(0, np.int64), 48, TemporalMode.HOLD)
    with pytest.raises(ValueError, match="frames"):
        sketch.encode(UNITS[2], np.array([1, 2, 3]), 48, TemporalMode.HOLD)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_raises_only_our_error(data):
    good = sketch.encode(UNITS[2], np.array([3, 40]), 48, TemporalMode.FLOW)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = bytearray(good)
    damaged[place] = data.draw(st.integers(0, 255))
    for candidate in (bytes(damaged), good[:place], data.draw(st.binary(max_size=300))):
        with contextlib.suppress(BitstreamError):
            made = sketch.decode(candidate, 48)
            assert len(made.frames) == len(made.times)


def test_even_times_include_both_ends():
    assert even_times(1, 50).tolist() == [25]
    assert even_times(3, 51).tolist() == [0, 25, 50]


def test_sizes_keep_the_shape_and_the_least_side():
    assert sketch_size(1280, 720, 192 * 108) == (192, 108)
    assert sketch_size(4000, 100, 9000) == (600, MIN_SIDE)
    assert min(sketch_size(1, 5000, 9000)) == MIN_SIDE
