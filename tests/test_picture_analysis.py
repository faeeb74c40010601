"""Colour, light, motion, and the sentence that the rules make of them."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from mmcodec.analysis.colour import Light, Palette, light, palette
from mmcodec.analysis.motion import CameraMotion, SubjectMotion, is_still, measure_motion
from mmcodec.analysis.picture import ShotAnalysis, analyse_shot
from mmcodec.analysis.shots import ShotFrames
from mmcodec.captioning.picture_rules import describe_shot
from mmcodec.timeline import Shot

SIZE = (160, 90)


def texture(width=700, height=500):
    noise = np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def moving(dx=0.0, dy=0.0, zoom=0.0, frames=25, rate=25):
    """Views of a texture by a camera of the given speeds, in widths (or scale) a second."""
    wide, views = texture(), []
    for i in range(frames):
        time = i / rate
        scale = 1 / (1 + zoom * time)
        left = 250 + dx * time * SIZE[0] - (scale - 1) * SIZE[0] / 2
        top = 180 + dy * time * SIZE[0] - (scale - 1) * SIZE[1] / 2
        matrix = np.array([[scale, 0, left], [0, scale, top]], np.float32)
        views.append(
            cv2.warpAffine(wide, matrix, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        )
    return views, [i / rate for i in range(frames)]


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ({}, (0, 0, 0)),
        ({"dx": 0.3}, (0.3, 0, 0)),
        ({"dx": -0.3}, (-0.3, 0, 0)),
        ({"dy": 0.2}, (0, 0.2, 0)),
        ({"zoom": 0.2}, (0, 0, 0.2)),
    ],
)
def test_the_camera_is_measured_in_widths_a_second(move, expected):
    camera, subject = measure_motion(*moving(**move))
    assert (camera.pan, camera.tilt, camera.zoom) == pytest.approx(expected, abs=0.04)
    if not move:
        assert is_still(subject.speed)


def test_a_subject_is_found_where_it_moves():
    ground = texture(*SIZE)
    disc = texture(200, 200)
    frames = []
    for i in range(25):
        frame = ground.copy()
        x = 100 + i
        frame[50:80, x : x + 30] = disc[50:80, :30]
        frames.append(frame)
    _, subject = measure_motion(frames, [i / 25 for i in range(25)])
    assert not is_still(subject.speed)
    assert subject.x > 0.55
    assert subject.y > 0.5


def test_one_frame_or_a_flat_one_does_not_move():
    flat = np.full((90, 160, 3), 90, np.uint8)
    for frames in ([flat], [flat] * 20):
        camera, subject = measure_motion(frames, [i / 25 for i in range(len(frames))])
        assert (camera.pan, camera.tilt, camera.zoom) == (0, 0, 0)
        assert subject.speed < 0.01


def test_colours_have_names_and_places():
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:50] = (40, 84, 186)
    picture[50:] = (194, 162, 112)
    picture[60:75, 60:80] = (204, 34, 38)
    found = palette(picture)
    assert (found.top, found.bottom, found.accent) == ("blue", "sand", "red")
    assert sum(colour.share for colour in found.colours) == pytest.approx(1)
    assert found.colours[0].name == "blue"
    assert np.abs(np.subtract(found.colours[0].rgb, (40, 84, 186))).max() <= 3


def test_light_is_measured_in_lab():
    assert light(np.full((9, 9, 3), 255, np.uint8)).brightness == pytest.approx(100, abs=0.1)
    assert light(np.zeros((9, 9, 3), np.uint8)).brightness == pytest.approx(0, abs=0.1)
    assert light(np.full((9, 9, 3), (255, 200, 120), np.uint8)).warmth > 20


def test_a_shot_is_analysed_whole():
    views, _ = moving(dx=0.3)
    frames = ShotFrames(Shot(0, 25), tuple(range(25)), tuple(views))
    analysis = analyse_shot(frames, Fraction(25))
    assert analysis.duration_s == 1
    assert analysis.camera.pan == pytest.approx(0.3, abs=0.04)


def test_a_photograph_has_no_camera_moves():
    picture = np.full((90, 160, 3), (200, 160, 110), np.uint8)
    analysis = analyse_shot(ShotFrames(Shot(0, 1), (0,), (picture,)), Fraction(25))
    assert describe_shot(analysis) == "Bright photograph of low contrast, mostly sand."


def described(camera=(0.0, 0.0, 0.0), speed=0.0, place=(0.5, 0.5), light=(50, 20, 0), accent=None):
    return describe_shot(
        ShotAnalysis(
            2.0,
            Light(*light),
            Palette((), "sky blue", "sand", accent),
            CameraMotion(*camera),
            SubjectMotion(speed, *place),
        )
    )


def test_the_sentence_says_what_was_measured():
    assert described() == "Evenly lit shot, sky blue over sand; the camera is still; nothing moves."
    assert described((0.05, 0, 0), 0.4, (0.1, 0.5), (80, 20, 30), "red") == (
        "Bright shot in warm light, sky blue over sand with red; the camera pans slowly right; "
        "fast movement at the left."
    )
    assert "tilts up" in described((0.0, -0.2, 0.0))
    assert "zooms out" in described((0.0, 0.0, -0.2))
    assert "Dark shot" in described(light=(5, 20, 0))
    assert "slight movement at the bottom right" in described(speed=0.03, place=(0.9, 0.9))
