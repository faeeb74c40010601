from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import scene, scenes

from mmcodec.analysis.dissolves import DissolveDetector
from mmcodec.analysis.shots import MAX_SHOT_S, ShotDetector
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture

RATE = Fraction(24)


def detect(frames, rate=RATE):
    detector = ShotDetector(rate)
    found, end = [], 0
    for pts, pixels in enumerate(frames):
        found += detector.process(pts, pixels)
        end = pts + 1
    found += detector.finish(end)
    assert [s.shot.start for s in found] == [0, *(s.shot.end for s in found[:-1])]
    assert found[-1].shot.end == end
    return found


def starts(frames, rate=RATE):
    return [found.shot.start for found in detect(frames, rate)]


def pan(number, frames, pixels_per_frame=6):
    """A camera that moves fast over one wide scene."""
    wide = cv2.GaussianBlur(
        np.random.default_rng(number).integers(0, 255, (90, 2000, 3), np.uint8), (0, 0), 4
    )
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    return [wide[:, i * pixels_per_frame : i * pixels_per_frame + 160] for i in range(frames)]


def test_cuts_are_found_at_their_frame():
    assert starts(scenes(4, 30)) == [0, 30, 60, 90]


def test_a_cut_within_fast_motion_is_found_and_motion_alone_is_not_cut():
    assert starts(pan(1, 60)) == [0]
    assert starts(pan(1, 40) + pan(2, 40)) == [0, 40]


def test_a_dissolve_is_a_boundary_in_its_middle():
    a, b = (cv2.GaussianBlur(scene(n, 0), (0, 0), 2) for n in (1, 2))
    mixed = [cv2.addWeighted(a, 1 - i / 24, b, i / 24, 0) for i in range(25)]
    boundaries = starts([a] * 40 + mixed + [b] * 60)
    assert len(boundaries) == 2
    assert abs(boundaries[1] - 52) <= 4


def test_a_change_of_light_is_no_dissolve():
    frame = cv2.GaussianBlur(scene(1, 0), (0, 0), 2)
    detector = DissolveDetector(24)
    levels = np.concatenate([np.full(40, 0.4), np.linspace(0.4, 1, 24), np.full(60, 1.0)])
    found = [
        detector.process(i, (frame * level).astype(np.uint8)) for i, level in enumerate(levels)
    ]
    assert not any(found)


def test_a_fade_through_black_is_a_boundary():
    a, b = scene(1, 0), scene(2, 0)
    out = [(a * (1 - i / 15)).astype(np.uint8) for i in range(16)]
    back = [(b * (i / 15)).astype(np.uint8) for i in range(16)]
    boundaries = starts([a] * 40 + out + back + [b] * 80)
    assert any(50 <= boundary <= 62 for boundary in boundaries)


def test_a_flash_is_no_cut():
    frames = list(scenes(1, 60))
    frames[30] = np.full_like(frames[30], 255)
    assert starts(frames) == [0]


def test_long_takes_are_split_so_that_memory_is_bounded():
    found = detect([scene(1, 0)] * round(25 * RATE))
    assert all(s.shot.duration <= MAX_SHOT_S * RATE for s in found)
    assert len(found) == 3


def test_shots_come_while_the_clip_goes_on():
    detector = ShotDetector(RATE)
    delays = [pts for pts, pixels in enumerate(scenes(6, 48)) if detector.process(pts, pixels)]
    assert delays
    assert delays[0] - 48 <= 4 * RATE


def test_gaps_in_the_pts_hold_the_frame_before():
    detector = ShotDetector(RATE)
    for pts in (0, 1, 2, 20, 21):
        detector.process(pts, scene(1, pts))
    (found,) = detector.finish(30)
    assert found.pts == (0, 1, 2, 20, 21)
    assert found.shot.end == 30


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_shortest_clips_are_one_shot(count):
    assert starts(scenes(1, count)) == [0]
    assert ShotDetector(RATE).finish(0) == []


SEEN_BY_EYE = {
    "tos_battle_a.webm": [2.17, 5.08, 6.54, 9.21, 12.88, 29.79],
    "tos_battle_b.webm": [3.5, 4.71, 8.29, 14.12, 15.38, 17.29],
    "tos_battle_c.webm": [0.5, 2.08, 4.62, 6.0, 8.17, 9.92, 12.12, 14.04, 16.0, 17.33],
    "bbb_opening_30s.webm": [11.79, 15.67, 22.96],
    "bikes_city_5cuts_silent.mp4": [1.2, 3.04, 5.48, 7.48],
    "nasa_jwst_ote.mp4": [5.44, 8.01],
    "city_towers_cc0.mpg": [4.64],
    "dog_frisbee_720p.mp4": [],
    "flower_cc0.mp4": [],
}


@pytest.mark.parametrize("name", SEEN_BY_EYE)
def test_real_cuts_and_dissolves_are_found(real_media, name):
    with open_media(real_media / "video" / name, DemuxSettings(audio=False)) as media:
        rate = media.info.video.frame_rate
        frames = [item.pixels for item in media.read() if isinstance(item, Picture)]
    found = [start / float(rate) for start in starts(frames, rate)[1:]]
    missed = [t for t in SEEN_BY_EYE[name] if not any(abs(t - f) < 0.25 for f in found)]
    assert not missed
    extra = [f for f in found if not any(abs(f - t) < 0.25 for t in SEEN_BY_EYE[name])]
    long_takes = sum(
        int((b - a) // MAX_SHOT_S)
        for a, b in zip(
            [0, *SEEN_BY_EYE[name]], [*SEEN_BY_EYE[name], len(frames) / rate], strict=True
        )
    )
    assert len(extra) <= long_takes + 1  # an explosion may look like a cut


def test_takes_are_split_where_the_longest_is_said():
    detector, found = ShotDetector(RATE, longest_s=4), []
    for pts, pixels in enumerate(pan(3, 24 * 11, 2)):
        found += detector.process(pts, pixels)
    assert found[0].shot.end == 96
    found += detector.finish(264)
    assert max(one.shot.duration for one in found) <= 96


def test_short_takes_are_known_soon():
    """With shots of 4 s at most, a cut is certain within 1.5 s."""
    detector = ShotDetector(RATE, longest_s=4)
    frames = [*pan(3, 60, 2), *pan(4, 60, 2)]
    known = [pts for pts, pixels in enumerate(frames) for _ in detector.process(pts, pixels)]
    assert 60 < known[0] <= 60 + 36
