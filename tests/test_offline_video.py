"""Pictures without a model: interpolation, cards, and the contract of a video synthesizer."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import evenly_sketched, scene

from mmcodec.analysis.motion import CameraMotion
from mmcodec.analysis.similarity import psnr
from mmcodec.descriptors import look
from mmcodec.descriptors.look import Look
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.synthesis.card import render_card
from mmcodec.synthesis.interpolation import interpolate
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import Cue, Layer, Prompt, Shot, VideoTrack

LOOK = Look(np.full((8, 8, 3), (60, 90, 140), np.uint8), CameraMotion(0.0, 0.0, 0.0))


def sliding(at):
    """A wide blurred texture seen at a place that moves."""
    noise = np.random.default_rng(5).integers(0, 255, (72, 400, 3), np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)
    return wide[:, at : at + 128]


def test_ends_are_exact_and_outside_them_is_held():
    frames = np.stack([sliding(0), sliding(8)])
    for mode in TemporalMode:
        made = list(interpolate(frames, np.array([2, 6]), range(9), mode))
        assert len(made) == 9
        assert np.array_equal(made[0], frames[0])
        assert np.array_equal(made[2], frames[0])
        assert np.array_equal(made[6], frames[1])
        assert np.array_equal(made[8], frames[1])


def test_flow_follows_motion_where_a_blend_cannot():
    frames = np.stack([sliding(0), sliding(12)])
    quality = {
        mode: psnr(next(interpolate(frames, np.array([0, 12]), [6], mode)), sliding(6))
        for mode in TemporalMode
    }
    assert quality[TemporalMode.FLOW] > quality[TemporalMode.BLEND] + 6


def test_flow_falls_back_to_a_blend_where_nothing_matches():
    frames = np.stack([scene(1, 0), scene(2, 0)])
    made = next(interpolate(frames, np.array([0, 10]), [5], TemporalMode.FLOW))
    blend = next(interpolate(frames, np.array([0, 10]), [5], TemporalMode.BLEND))
    middle = (frames[0].astype(int) + frames[1]) / 2
    assert np.abs(made - middle).mean() < 25
    assert np.abs(blend - middle).mean() < 1


@pytest.mark.parametrize("size", [(1, 1), (300, 1), (2, 200)])
def test_sketches_of_a_few_lines_are_moved_too(size):
    frames = np.stack([cv2.resize(sliding(at), size) for at in (0, 8)])
    made = list(interpolate(frames, np.array([0, 4]), range(5), TemporalMode.FLOW))
    assert [m.shape for m in made] == [(size[1], size[0], 3)] * 5


def test_a_card_moves_and_shows_its_prompt_in_any_script():
    plain = list(render_card(LOOK, "", (320, 180), 12, 24.0))
    for text in ("A red car drives along the coast.", "Красная машина", "一辆红色的汽车"):
        written = list(render_card(LOOK, text, (320, 180), 12, 24.0))
        difference = np.abs(written[0].astype(int) - plain[0])
        assert difference[90:].max() > 120
        assert difference[:60].max() == 0
    colourful = look.decode(look.encode(cv2.resize(scene(3, 0), (64, 36)), CameraMotion(0.2, 0, 0)))
    frames = list(render_card(colourful, "", (320, 180), 24, 24.0))
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 2


def test_a_prompt_longer_than_the_card_is_cut_not_an_error():
    frames = list(render_card(LOOK, "word " * 2000 + "x" * 500, (320, 180), 1, 24.0))
    assert frames[0].shape == (180, 320, 3)


CUES = {
    "sketch": {
        Layer.SKETCH: evenly_sketched(
            np.stack([scene(1, i) for i in (0, 9)]), (96, 64), 50, TemporalMode.FLOW
        )
    },
    "look": {Layer.LOOK: look.encode(scene(1, 0), CameraMotion(0.1, 0.0, 0.0))},
    "prompt": {},
}


@pytest.mark.parametrize("size", [(160, 90), (33, 17), (1, 1)])
@pytest.mark.parametrize("layers", CUES)
def test_contract_of_a_video_synthesizer(size, layers):
    track = VideoTrack(*size, Fraction(24))
    cue = Cue(Shot(5, 15), Prompt("A shot."), CUES[layers])
    frames, again = (list(OfflineVideo().render(cue, track)) for _ in range(2))
    assert len(frames) == 10
    assert all(f.shape == (size[1], size[0], 3) and f.dtype == np.uint8 for f in frames)
    assert all(np.array_equal(a, b) for a, b in zip(frames, again, strict=True))
