"""One still a shot: how it moves, and where it comes from."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from chat_server import ChatServer, Trouble
from conftest import evenly_sketched, scene

from mmcodec.analysis.motion import CameraMotion
from mmcodec.analysis.similarity import psnr, ssim
from mmcodec.descriptors import look
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.errors import BackendError, FailedWorkError
from mmcodec.registry import Group, ModelSettings, load
from mmcodec.synthesis.guide import guide_of
from mmcodec.synthesis.keyframes import animated
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.synthesis.still_motion import moved_as_sketch, moved_by_camera
from mmcodec.timeline import Cue, Layer, Prompt, Shot, Synthesis, VideoTrack

SIZE = (256, 144)
TRACK = VideoTrack(*SIZE, Fraction(25, 2))


def panned(at, light=0):
    """A detailed picture of which a window moves to the right."""
    rng = np.random.default_rng(3)
    coarse = cv2.resize(
        rng.integers(40, 200, (9, 24, 3), np.uint8), (480, 144), interpolation=cv2.INTER_CUBIC
    )
    fine = rng.integers(-25, 26, (144, 480, 1))
    whole = np.clip(coarse.astype(int) + fine + light, 0, 255).astype(np.uint8)
    return whole[:, at : at + SIZE[0]]


def sketch_cue(frames, duration, mode=TemporalMode.FLOW):
    data = evenly_sketched(np.stack(frames), (128, 72), 40, mode)
    return Cue(Shot(5, 5 + duration), Prompt("A dog."), {Layer.SKETCH: data})


def look_cue(camera, duration=20):
    data = look.encode(panned(0), camera)
    return Cue(Shot(0, duration), Prompt("A red dog."), {Layer.LOOK: data}, Synthesis(steps=2))


def test_a_still_moves_as_its_sketch_and_keeps_its_detail():
    cue = sketch_cue([panned(at) for at in range(0, 61, 12)], 31)
    moved = list(moved_as_sketch(panned(36), guide_of(cue), SIZE))
    plain = list(OfflineVideo().render(cue, TRACK))
    assert len(moved) == 31
    for number in range(0, 31, 3):
        # What the still does not show is as the sketch has it.
        known = slice(max(0, 36 - 2 * number) + 8, SIZE[0] - max(0, 2 * number - 36) - 8)
        source, mine, other = (
            picture[:, known] for picture in (panned(2 * number), moved[number], plain[number])
        )
        assert psnr(mine, source) > psnr(other, source) + 0.5
        assert ssim(mine, source) > ssim(other, source) + 0.15


def test_light_follows_the_sketch():
    cue = sketch_cue([panned(0, light) for light in (0, -20, -40)], 21)
    means = [frame.mean() for frame in moved_as_sketch(panned(0), guide_of(cue), SIZE)]
    wanted = [frame.mean() for frame in OfflineVideo().render(cue, TRACK)]
    assert np.abs(np.subtract(means, wanted)).max() < 4
    assert np.abs(np.diff(means)).max() < 6


def test_a_still_of_other_colours_is_brought_to_those_of_the_sketch():
    cue = sketch_cue([panned(0)] * 3, 9)
    other = np.clip(panned(0).astype(int) + np.array([40, -30, 20]), 0, 255).astype(np.uint8)
    frame = list(moved_as_sketch(other, guide_of(cue), SIZE))[4]
    assert np.abs(frame.mean((0, 1)) - panned(0).mean((0, 1))).max() < 5


def test_what_comes_into_the_picture_is_shown_and_leaves_no_ghost():
    empty = cv2.GaussianBlur(scene(4, 0, SIZE), (0, 0), 6)
    frames = [empty.copy() for _ in range(5)]
    for number in (3, 4):
        cv2.circle(frames[number], (180, 70), 30, (250, 20, 20), -1)
    still = frames[2].copy()
    cv2.circle(still, (60, 70), 30, (20, 20, 250), -1)
    frames[2] = still
    cue = sketch_cue(frames, 21)
    made = list(moved_as_sketch(still, guide_of(cue), SIZE))
    for number in (0, 20):
        assert np.abs(made[number].astype(int) - frames[number // 5]).mean() < 8
        assert np.abs(made[number][50:90, 40:80].astype(int) - empty[50:90, 40:80]).mean() < 25


@pytest.mark.parametrize("mode", TemporalMode)
@pytest.mark.parametrize("size", [(64, 64), (1, 1), (90, 50)])
def test_any_mode_and_any_raster(mode, size):
    cue = sketch_cue([panned(at) for at in (0, 9)], 7, mode)
    frames = list(moved_as_sketch(panned(9), guide_of(cue), size))
    assert [frame.shape for frame in frames] == [(size[1], size[0], 3)] * 7


@pytest.mark.parametrize(
    "camera", [CameraMotion(0.8, 0, 0), CameraMotion(0, -1.6, 0), CameraMotion(1.6, 1.6, -1.6)]
)
def test_a_camera_stays_within_the_still(camera):
    still = cv2.copyMakeBorder(scene(2, 0, (200, 100)), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    still[2:-2, 2:-2] = np.maximum(still[2:-2, 2:-2], 60)
    frames = list(moved_by_camera(still, camera, (204, 104), 40, 12.5))
    assert len(frames) == 40
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 3
    # The black edge comes into view at most, and nothing of beyond it.
    assert all((frame[6:-6, 6:-6].max(axis=2) > 20).all() for frame in frames)


def test_a_still_camera_drifts_slowly():
    frames = list(moved_by_camera(panned(0), CameraMotion(0, 0, 0), SIZE, 25, 12.5))
    assert 0 < np.abs(frames[0].astype(int) - frames[-1]).mean() < 25


@pytest.mark.parametrize(("still", "count"), [(True, 3), (False, 1)])
def test_a_photograph_is_the_picture_itself(still, count):
    cue = sketch_cue([panned(0)], count)
    track = VideoTrack(*SIZE, Fraction(25), still=still)
    frames = list(animated(panned(0), guide_of(cue), track))
    assert len(frames) == count
    assert all(np.array_equal(frame, panned(0)) for frame in frames)


def openai(monkeypatch, server, model=None):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    return load(Group.VIDEO_SYNTHESIZER, "openai", ModelSettings(model=model))


def test_a_server_redraws_the_sketch(monkeypatch):
    with ChatServer() as server:
        backend = openai(monkeypatch, server)
        cue = sketch_cue([panned(at) for at in (0, 12, 24)], 11)
        frames = list(backend.render(cue, TRACK))
    sent = server.requests[0]
    assert (sent["model"], sent["size"]) == ("gpt-image-1", "1536x1024")
    assert sent["prompt"].endswith("A dog.") and sent["image"].startswith(b"\x89PNG")
    plain = list(OfflineVideo().render(cue, TRACK))
    assert len(frames) == 11
    assert all(psnr(a, b) > 22 for a, b in zip(frames, plain, strict=True))


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1"])
def test_a_server_draws_from_words_and_the_look(monkeypatch, model):
    with ChatServer() as server:
        backend = openai(monkeypatch, server, model)
        frames = list(backend.render(look_cue(CameraMotion(0.2, 0, 0)), VideoTrack(50, 90, 25)))
    assert "Colour" in server.requests[0]["prompt"]
    assert [frame.shape for frame in frames] == [(90, 50, 3)] * 20


def test_a_server_that_sends_no_picture_is_a_failure_of_one_line(monkeypatch):
    with ChatServer() as server:
        backend = openai(monkeypatch, server)
        data = '{"created": 1, "data": [{"b64_json": "iVBORw0KGgpub3RhcGljdHVyZQ=="}]}'
        # The first request has a parameter that this model does not know, and is refused.
        server.troubles.extend([Trouble("raw", text=data)] * 2)
        with pytest.raises(FailedWorkError) as caught:
            list(backend.render(look_cue(CameraMotion(0, 0, 0)), TRACK))
    assert "\n" not in str(caught.value)


def test_without_a_server_it_says_what_to_set(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(BackendError, match="OPENAI_API_KEY"):
        list(load(Group.VIDEO_SYNTHESIZER, "openai").render(look_cue(CameraMotion(0, 0, 0)), TRACK))
