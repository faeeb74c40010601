"""The AV1 sketch: its coding, its limits, and the choice of its operating point."""

import contextlib

import cv2
import numpy as np
import pytest
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.analysis.shots import ShotFrames
from mmcodec.descriptors import sketch
from mmcodec.descriptors.av1 import MIN_SIDE, decode_av1, encode_av1
from mmcodec.descriptors.sketch import TemporalMode, sketch_size, sketch_times
from mmcodec.errors import BitstreamError
from mmcodec.analysis.similarity import psnr
from mmcodec.pipeline.sketching import SketchBudget, choose_sketch
from mmcodec.timeline import Shot

FRAMES = np.stack([scene(1, i) for i in range(6)])


def shot(count=48, still=False):
    pixels = tuple(cv2.resize(scene(1, i), (320, 180)) for i in range(count))
    return ShotFrames(Shot(100, 100 + count), tuple(range(100, 100 + count)), pixels)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_frames_come_back_and_more_bits_make_them_better(count):
    coarse = sketch.encode(FRAMES[:count], (128, 72), 60, TemporalMode.FLOW)
    fine = sketch.encode(FRAMES[:count], (128, 72), 20, TemporalMode.BLEND)
    assert len(coarse) < len(fine)
    decoded = [sketch.decode(data) for data in (coarse, fine)]
    assert [d.mode for d in decoded] == [TemporalMode.FLOW, TemporalMode.BLEND]
    assert all(d.frames.shape == (count, 72, 128, 3) for d in decoded)
    quality = [
        np.mean([psnr(a, b) for a, b in zip(d.frames, FRAMES, strict=False)]) for d in decoded
    ]
    assert quality[1] > quality[0] > 18


def test_the_mode_can_be_changed_without_coding_again():
    data = sketch.encode(FRAMES, (128, 72), 50, TemporalMode.FLOW)
    held = sketch.decode(sketch.with_mode(data, TemporalMode.HOLD))
    assert held.mode is TemporalMode.HOLD
    assert np.array_equal(held.frames, sketch.decode(data).frames)


def test_limits_are_enforced():
    data = encode_av1(FRAMES, (128, 72), 50)
    assert len(decode_av1(data, 6, 128 * 72)) == 6
    with pytest.raises(BitstreamError, match="too many"):
        decode_av1(data, 5, 128 * 72)
    with pytest.raises(BitstreamError):
        decode_av1(data, 6, 64 * 64)
    with pytest.raises(ValueError, match="frames"):
        sketch.encode(np.zeros((0, 8, 8, 3), np.uint8), (64, 64), 50, TemporalMode.HOLD)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_raises_only_our_error(data):
    good = sketch.encode(FRAMES[:2], (64, 64), 60, TemporalMode.FLOW)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = bytearray(good)
    damaged[place] = data.draw(st.integers(0, 255))
    for candidate in (bytes(damaged), good[:place]):
        with contextlib.suppress(BitstreamError):
            sketch.decode(candidate)


def test_times_include_both_ends():
    assert sketch_times(1, 50).tolist() == [25]
    assert sketch_times(3, 51).tolist() == [0, 25, 50]


def test_sizes_keep_the_shape_and_the_least_side():
    assert sketch_size(1280, 720, 192 * 108) == (192, 108)
    assert sketch_size(4000, 100, 9000) == (600, MIN_SIDE)
    assert min(sketch_size(1, 5000, 9000)) == MIN_SIDE


@pytest.mark.parametrize("budget", [120, 300, 700, 2000])
def test_a_sketch_keeps_to_its_budget_and_uses_it(budget):
    data = choose_sketch(shot(), 2.0, budget, still=False)
    assert len(data) <= budget
    assert len(data) > 0.4 * budget


def test_too_small_a_budget_still_gets_the_smallest_sketch():
    assert sketch.decode(choose_sketch(shot(), 2.0, 1, still=False)).frames.shape[0] == 1


def test_more_bits_make_a_still_better():
    frames = ShotFrames(Shot(0, 1), (0,), (cv2.resize(scene(2, 0), (640, 360)),))
    coarse, fine = (choose_sketch(frames, 4.0, budget, still=True) for budget in (150, 3000))
    quality = [
        psnr(cv2.resize(sketch.decode(data).frames[0], (640, 360)), frames.pixels[0])
        for data in (coarse, fine)
    ]
    assert quality[1] > quality[0] + 3


def test_saved_bits_go_to_the_next_shot_but_are_not_hoarded():
    budget = SketchBudget(800)
    assert budget.for_shot(2.0) == 200
    budget.spend(2.0, 50)
    assert budget.for_shot(2.0) == 350
    budget.spend(2.0, 400)
    assert budget.for_shot(2.0) == 150
    for _ in range(100):
        budget.spend(2.0, 0)
    assert budget.for_shot(2.0) == 200 + 800
