"""The path of the camera: tracked, fitted, coded, followed."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.analysis.camera_track import Followed, track_camera
from mmcodec.analysis.similarity import psnr
from mmcodec.descriptors.camera_path import UNITS, CameraPath, code_path, fitted
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.entropy.two_way import Reading, Writing
from mmcodec.errors import BitstreamError
from mmcodec.synthesis.interpolation import interpolate

SIZE = (160, 90)
PAN = CameraPath(np.array([[0, 0, 0, 0], [-60, 10, 8, 4], [-130, 20, 16, 8]]), 24.0)
BENT = CameraPath(np.array([[0, 0, 0, 0, 0, 0], [-60, 10, 8, 4, 20, -30]]), 24.0)


def world():
    """A large texture."""
    noise = np.random.default_rng(3).integers(0, 255, (400, 700, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def seen(moment, path=PAN):
    """What the camera sees at a moment, by the meaning of a pose alone."""
    right, down, growth, turn, *form = path.at(moment)
    stretch, shear = form or (0, 0)
    width, height = SIZE
    scale = np.exp(growth)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = columns - (width - 1) / 2 - right * width, rows - (height - 1) / 2 - down * width
    back_x = (np.cos(turn) * x + np.sin(turn) * y) / scale
    back_y = (-np.sin(turn) * x + np.cos(turn) * y) / scale * np.exp(stretch)
    back_x = (back_x - shear * back_y) / np.exp(stretch)
    fetched = cv2.remap(
        world(),
        (back_x + 300).astype(np.float32),
        (back_y + 200).astype(np.float32),
        cv2.INTER_CUBIC,
    )
    return np.asarray(fetched, np.uint8)


def test_a_camera_is_tracked_to_half_a_pixel():
    times = [at / 25 for at in range(25)]
    frames = [seen(at) for at in range(25)]
    places, poses = track_camera(frames, times)
    assert places[0] == 0
    assert places[-1] == 24
    error = poses - [PAN.at(place) for place in places]
    assert np.abs(error[:, :2]).max() * SIZE[0] < 0.5
    assert np.abs(error[:, 2:]).max() < 0.01
    _, affine = track_camera(frames, times, affine=True)
    assert np.abs(affine[:, :4] - poses).max() < 0.01
    assert np.abs(affine[:, 4:]).max() < 0.01


def test_what_bends_the_picture_is_tracked():
    times = [at / 25 for at in range(25)]
    places, poses = track_camera([seen(at, BENT) for at in range(25)], times, affine=True)
    error = poses - [BENT.at(place) for place in places]
    assert np.abs(error[:, :2]).max() * SIZE[0] < 1
    assert np.abs(error[:, 2:]).max() < 0.02
    path = fitted(poses, np.array(places), 25)
    assert path.poses.shape == (2, 6)
    assert np.abs(path.poses - BENT.poses).max() <= 5


def test_corners_along_a_line_bend_nothing():
    """They say nothing of how the picture shears, so that noise would."""
    noise = np.random.default_rng(1).normal(0, 0.3, (2, 20, 2))
    line = np.column_stack([np.arange(20) * 15.0, np.full(20, 90.0)])
    similar = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]])
    before, after = line + 0.1 * noise[0], line + [3, 1] + noise[1]
    assert np.array_equal(Followed(similar, before, after).affine(), similar)
    spread = before + np.column_stack([np.zeros(20), np.arange(20) % 7 * 20])
    found = Followed(similar, spread, spread @ [[1, 0], [0.1, 1]] + [3, 1]).affine()
    assert found == pytest.approx(np.array([[1, 0.1, 3], [0, 1, 1]]), abs=1e-6)


def test_a_picture_without_corners_stands_still():
    grey = [np.full((90, 160, 3), 90, np.uint8)] * 9
    for affine in (False, True):
        _, poses = track_camera(grey, [at / 8 for at in range(9)], affine)
        assert not poses.any()


def test_a_path_is_as_short_as_it_may_be():
    times = np.arange(0, 49, 3)
    steady = np.outer(times / 48, [0.2, -0.1, 0.05, 0.0])
    assert len(fitted(steady, times, 49).poses) == 2
    swinging = steady + np.outer(np.sin(times / 3), [0.05, 0, 0, 0])
    assert len(fitted(swinging, times, 49).poses) > 5
    path = fitted(swinging, times, 49)
    error = np.array([path.at(time) for time in times]) - swinging
    assert np.sqrt(np.mean(np.square(error[:, :2] - error[:, :2].mean(axis=0)))) < 0.01


@pytest.mark.parametrize("path", [PAN, BENT], ids=["similar", "affine"])
def test_a_path_leads_to_and_back(path):
    there, back = path.transform(3, 20, SIZE), path.transform(20, 3, SIZE)
    both = np.vstack([there, [0, 0, 1]]) @ np.vstack([back, [0, 0, 1]])
    assert np.allclose(both, np.eye(3))
    assert np.allclose(path.at(24), path.poses[-1] * UNITS[: path.poses.shape[1]])


@given(st.sampled_from([2, 3, 5, 9, 17]), st.sampled_from([4, 6]), st.data())
def test_paths_come_back(count, numbers, data):
    pose = st.lists(st.integers(-1024, 1024), min_size=numbers, max_size=numbers)
    poses = data.draw(st.lists(pose, min_size=count - 1, max_size=count - 1))
    poses.insert(0, [0] * numbers)
    writing = Writing()
    code_path(writing, CameraPath(np.array(poses), 9.0), 9.0)
    read = code_path(Reading(writing.finish()), None, 9.0)
    assert read.poses.tolist() == poses


def test_a_steady_pan_costs_five_bytes():
    writing = Writing()
    code_path(writing, CameraPath(np.array([[0] * 4, [40, -3, 2, 0]]), 9.0), 9.0)
    assert len(writing.finish()) <= 5


def test_paths_out_of_range_are_refused():
    far, many = Writing(), Writing()
    code_path(far, CameraPath(np.array([[0] * 4, [0, 0, 1024, 0]]), 9.0), 9.0)
    code_path(Reading(far.finish()), None, 9.0)
    further = Writing()
    with pytest.raises(BitstreamError, match="too far"):
        code_path(further, CameraPath(np.array([[0] * 4, [0, 0, 1025, 0]]), 9.0), 9.0)
    with pytest.raises(BitstreamError, match="too far"):
        code_path(Reading(further.finish()), None, 9.0)
    many.bits(5, 3)
    with pytest.raises(BitstreamError, match="too many poses"):
        code_path(Reading(many.finish()), None, 9.0)


@pytest.mark.parametrize("path", [PAN, BENT], ids=["similar", "affine"])
def test_one_frame_and_a_path_show_what_the_camera_sees(path):
    frames, times = seen(12, path)[None], np.array([12])
    made = list(interpolate(frames, times, range(25), TemporalMode.CAMERA, path))
    inner = (slice(20, 70), slice(50, 110))
    for moment in (0, 6, 18, 24):
        assert psnr(made[moment][inner], seen(moment, path)[inner]) > 30
        assert psnr(frames[0][inner], seen(moment, path)[inner]) < 20


def test_between_two_frames_it_is_nearer_than_flow():
    frames, times = np.stack([seen(0), seen(24)]), np.array([0, 24])
    followed = list(interpolate(frames, times, range(25), TemporalMode.CAMERA, PAN))
    flowing = list(interpolate(frames, times, range(25), TemporalMode.FLOW))
    for moment in (6, 12, 18):
        assert psnr(followed[moment], seen(moment)) > psnr(flowing[moment], seen(moment)) + 3
