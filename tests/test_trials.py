"""A trial of a sketch: coded, decoded, moved and compared as a receiver would do it."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import scene

from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.similarity import Original
from mmcodec.descriptors import sketch
from mmcodec.descriptors.sketch import Finish, TemporalMode
from mmcodec.pipeline.settings import Effort
from mmcodec.pipeline.trials import Point, Trials
from mmcodec.synthesis.offline_video import shown_sketch
from mmcodec.timeline import Shot, VideoTrack


def shot_of(pictures):
    pixels = tuple(pictures)
    end = 100 + len(pixels)
    return ShotFrames(Shot(100, end), tuple(range(100, end)), pixels)


def moving():
    return shot_of([cv2.resize(scene(1, i), (320, 180)) for i in range(48)])


def sheared():
    """A texture that is sheared and stretched more and more."""
    noise = np.random.default_rng(5).integers(0, 255, (180, 320, 3), np.uint8)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)
    shears = np.linspace(0, 0.3, 48)
    return shot_of(
        cv2.warpAffine(
            texture,
            np.array([[1 + x / 2, x, -x * 90 - x * 80], [0, 1 - x / 2, x * 45]]),
            (320, 180),
            borderMode=cv2.BORDER_REFLECT,
        )
        for x in shears
    )


@pytest.fixture(scope="module")
def trials():
    return Trials(moving(), 2.0, Effort.SLOW)


def test_a_trial_says_how_near_what_is_shown_will_be(trials):
    """Compared at some moments, it comes to what all frames give."""
    point = Point(6, trials.raster(10_000))
    made = trials.trial(point, trials.coded(point), [TemporalMode.FLOW], [Finish.SHARP])
    decoded = sketch.decode(made.option.data, 48)
    assert (decoded.mode, decoded.finish) == (made.mode, made.finish)
    shown = shown_sketch(decoded, 48, VideoTrack(320, 180, Fraction(24)))
    originals = [Original(pixels) for pixels in moving().pixels]
    true = np.mean([o.quality(picture) for o, picture in zip(originals, shown, strict=True)])
    assert made.option.quality == pytest.approx(true, abs=0.03)


def test_of_modes_and_finishes_the_best_is_taken(trials):
    point = Point(6, trials.raster(10_000))
    units = trials.coded(point)
    modes, finishes = (TemporalMode.HOLD, TemporalMode.FLOW), tuple(Finish)
    best = trials.trial(point, units, modes, finishes)
    for mode in modes:
        for finish in finishes:
            one = trials.trial(point, units, [mode], [finish])
            assert best.option.quality > one.option.quality - 0.003


def test_more_and_finer_frames_take_more_bytes_and_are_nearer(trials):
    def tried(point):
        units = trials.coded(point)
        return trials.trial(point, units, [TemporalMode.FLOW], [Finish.SMOOTH]).option

    few = tried(Point(2, trials.raster(8_000)))
    for point in (Point(8, trials.raster(8_000)), Point(2, trials.raster(8_000), quality=3)):
        more = tried(point)
        assert len(more.data) > len(few.data)
        assert more.quality > few.quality


def test_a_still_has_one_frame_and_no_camera():
    still = Trials(shot_of([scene(2, 0)]), 4.0, Effort.DEFAULT, still=True)
    assert still.most_frames == 1
    assert not still.camera_moves


def test_a_picture_that_bends_is_nearest_along_an_affine_path():
    bending = Trials(sheared(), 2.0, Effort.SLOW)
    assert bending.picture_bends
    found = []
    for affine in (False, True):
        point = Point(1, bending.raster(40_000), quality=4, affine=affine)
        units = bending.coded(point)
        found.append(bending.trial(point, units, [TemporalMode.CAMERA], [Finish.SMOOTH]).option)
    assert found[1].quality > found[0].quality + 0.05
    assert sketch.decode(found[1].data, 48).path.poses.shape[1] == 6
    assert len(found[1].data) < len(found[0].data) + 30
