"""Grain in place of lost detail: as strong as the source was fine, and without flicker."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import scene

from mmcodec.analysis.detail import fine_detail
from mmcodec.descriptors import sketch
from mmcodec.descriptors.av1 import encode_av1
from mmcodec.descriptors.sketch import DETAIL_LEVELS, TemporalMode, detail_level, even_times
from mmcodec.synthesis.grainy_video import GrainyVideo
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import Cue, Layer, Prompt, Shot, VideoTrack

TRACK = VideoTrack(320, 180, Fraction(24))


def rendered(synthesizer, detail):
    frames = np.stack([scene(1, i) for i in (0, 9)])
    units = encode_av1(frames, (96, 64), 50)
    data = sketch.encode(units, even_times(2, 12), 12, TemporalMode.BLEND, detail=detail)
    cue = Cue(Shot(24, 36), Prompt(""), {Layer.SKETCH: data})
    return np.stack(list(synthesizer.render(cue, TRACK))).astype(int)


def test_detail_is_what_half_the_raster_cannot_hold():
    soft = cv2.GaussianBlur(scene(1, 0), (0, 0), 4)
    noise = np.random.default_rng(1).normal(0, 8, (*soft.shape[:2], 1))
    rough = np.clip(soft + noise, 0, 255).astype(np.uint8)
    assert fine_detail([soft] * 20) < 1
    assert 5 < fine_detail([rough] * 20) < 9
    assert [detail_level(one) for one in (0.0, 1.0, *DETAIL_LEVELS[1:], 40.0)] == [0, 0, 1, 2, 3, 3]


def test_a_picture_that_was_not_fine_is_as_it_was():
    assert np.array_equal(rendered(GrainyVideo(), 0), rendered(OfflineVideo(), 0))


@pytest.mark.parametrize("detail", [1, 3])
def test_grain_is_as_strong_in_every_frame_and_means_nothing(detail):
    added = rendered(GrainyVideo(), detail) - rendered(OfflineVideo(), detail)
    strengths = added.std(axis=(1, 2, 3))
    assert 0.25 * DETAIL_LEVELS[detail] < strengths.min()
    assert strengths.max() < 1.15 * strengths.min() < 0.6 * DETAIL_LEVELS[detail]
    assert np.abs(added.mean(axis=(1, 2, 3))).max() < 0.5
    assert abs(np.corrcoef(added[0].ravel(), added[1].ravel())[0, 1]) < 0.1


def test_the_same_stream_gets_the_same_grain():
    assert np.array_equal(rendered(GrainyVideo(), 2), rendered(GrainyVideo(), 2))
