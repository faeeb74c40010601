"""The search for sketches: real trials around a bit rate, and bytes that fill what is left."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import scene

from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.similarity import Original, psnr
from mmcodec.descriptors import sketch
from mmcodec.pipeline import sketching
from mmcodec.pipeline.settings import Effort
from mmcodec.pipeline.sketching import SketchSearch, best_of
from mmcodec.synthesis.offline_video import shown_sketch
from mmcodec.timeline import Shot, VideoTrack

WORKERS = ThreadPoolExecutor(2)


def shot(count=48):
    pixels = tuple(cv2.resize(scene(1, i), (320, 180)) for i in range(count))
    return ShotFrames(Shot(100, 100 + count), tuple(range(100, 100 + count)), pixels)


@pytest.fixture(scope="module")
def searched():
    search = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.DEFAULT)
    search.run()
    return search


def test_options_rise_in_bytes_and_quality(searched):
    options = searched.options()
    assert len(options) >= 3
    assert sorted(options, key=lambda one: len(one.data)) == list(options)
    assert sorted(options, key=lambda one: one.quality) == list(options)


def test_the_smallest_is_one_frame_and_others_are_around_the_rate(searched):
    options = searched.options()
    assert len(sketch.decode(options[0].data, 48).frames) == 1
    assert len(options[0].data) < 60
    wanted = 1500 * 2.0 / 8
    assert min(abs(len(one.data) - wanted) for one in options) < 0.35 * wanted
    best = best_of(options, 2.0, 1500)
    assert wanted / 4 < len(best.data) < wanted * 3


def test_quality_is_what_a_decoder_makes_of_it(searched):
    """The picture in the middle is nearer to the shot's with the last option than the first."""
    options = searched.options()
    errors = []
    for option in (options[0], options[-1]):
        made = sketch.decode(option.data, 48)
        at = int(np.argmin(np.abs(made.times - 24)))
        shown = cv2.resize(made.frames[at], (320, 180))
        errors.append(psnr(shown, shot().pixels[24]))
    assert errors[1] > errors[0] + 1


def test_other_styles_are_never_worse(monkeypatch):
    """What a slow search takes has the bytes and the picture of a usual sketch, or is better."""
    styled = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.SLOW)
    styled.run()
    monkeypatch.setattr(sketching, "STYLES", sketching.STYLES[:1])
    plain = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.SLOW)
    plain.run()
    known = {option.data for option in plain.options()}
    assert {option.data for option in styled.options()} - known
    worth = [best_of(one.options(), 2.0, 1500) for one in (plain, styled)]
    net = [one.quality - 0.13 * 8 / 3000 * len(one.data) for one in worth]
    assert net[1] >= net[0]


def test_half_the_bytes_are_tried_where_they_are_of_interest():
    """A buffer has now and then no more; a whole stream has other shots to take them from."""
    found = {}
    for sizes in ((2.0,), (0.5, 2.0)):
        search = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.DEFAULT)
        search.run(sizes)
        found[sizes] = {one.data for one in search.options()}
    assert found[2.0,] < found[0.5, 2.0]


@pytest.mark.parametrize("most", [380, 450, 520, 640, 700, 900])
def test_what_is_left_is_filled(searched, most):
    searched.fill(most)
    nearest = max(len(one.data) for one in searched.options() if len(one.data) <= most)
    assert nearest > 0.97 * most


def test_more_bits_make_a_still_better():
    frames = ShotFrames(Shot(0, 1), (0,), (cv2.resize(scene(2, 0), (640, 360)),))
    quality = []
    for rate in (300, 6000):
        search = SketchSearch(frames, 4.0, rate, WORKERS, Effort.DEFAULT, still=True)
        search.run()
        data = best_of(search.options(), 4.0, rate).data
        made = cv2.resize(sketch.decode(data, 1).frames[0], (640, 360))
        quality.append(psnr(made, frames.pixels[0]))
    assert quality[1] > quality[0] + 2


def test_what_fills_is_as_good_as_it_says():
    """Its quality is that of what a decoder shows, here at every frame, and not a guess."""
    search = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.SLOW)
    search.run()
    before = search.options()
    search.fill(600)
    filled = [one for one in search.options() if one not in before]
    assert filled
    originals = [Original(pixels) for pixels in shot().pixels]
    track = VideoTrack(320, 180, Fraction(24))
    for option in filled:
        decoded = sketch.decode(option.data, shot().shot.duration)
        pictures = shown_sketch(decoded, shot().shot.duration, track)
        true = np.mean([o.quality(p) for o, p in zip(originals, pictures, strict=True)])
        assert option.quality == pytest.approx(true, abs=0.03)


def test_nothing_fills_less_than_the_smallest_sketch():
    search = SketchSearch(shot(), 2.0, 1500, WORKERS, Effort.FAST)
    search.run()
    before = search.options()
    search.fill(20)
    assert search.options() == before


def test_the_search_is_the_same_each_time():
    searches = [SketchSearch(shot(30), 1.25, 1500, WORKERS, Effort.DEFAULT) for _ in range(2)]
    for search in searches:
        search.run()
        search.fill(400)
    assert searches[0].options() == searches[1].options()


def test_a_shot_that_its_own_raster_is_too_small_for_gets_a_finer_quality():
    small = tuple(cv2.resize(scene(1, i), (128, 72)) for i in range(24))
    search = SketchSearch(
        ShotFrames(Shot(0, 24), tuple(range(24)), small), 1.0, 8_000, WORKERS, Effort.DEFAULT
    )
    search.run()
    search.fill(1100)
    largest = [one for one in search.options() if len(one.data) <= 1100][-1]
    assert len(largest.data) > 0.75 * 1100  # 12 frames at the coarsest: 504
    height, width = sketch.decode(largest.data, 24).frames.shape[1:3]
    assert height * width <= 128 * 72
