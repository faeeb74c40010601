"""The frames that tell most of a shot."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.analysis.placement import best_frames, best_knots


def error(points, knots):
    """What blending from ``knots`` is off by, point by point."""
    at = np.clip(np.arange(len(points)), knots[0], knots[-1])
    blended = np.stack([np.interp(at, knots, points[knots, d]) for d in range(points.shape[1])], 1)
    return float(np.square(points - blended).sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(1, 4))
def test_no_other_knots_are_better(seed, count, knots):
    points = np.random.default_rng(seed).normal(size=(count, 3)).cumsum(axis=0).astype(np.float32)
    found = best_knots(points, knots)
    assert [len(one) for one in found] == list(range(1, min(knots, count) + 1))
    for one in found:
        best = min(error(points, list(other)) for other in combinations(range(count), len(one)))
        assert error(points, one) == pytest.approx(best, rel=1e-4, abs=1e-3)


def test_frames_go_where_the_picture_changes():
    still, other = np.zeros((36, 64, 3), np.uint8), np.full((36, 64, 3), 200, np.uint8)
    shot = [still] * 30 + [other] * 10
    one, two = best_frames(shot, 2)
    assert one[0] < 30
    assert two == [29, 30]


def test_where_nothing_is_seen_to_change_frames_are_spread_evenly():
    shot = [np.full((36, 64, 3), 90, np.uint8)] * 60
    assert best_frames(shot, 1)[0][0] in (29, 30)
    gaps = np.diff(best_frames(shot, 5)[4])
    assert gaps.max() - gaps.min() <= 1


def test_a_long_shot_is_looked_at_in_steps():
    shot = [np.full((18, 32, 3), value % 256, np.uint8) for value in range(250)]
    found = best_frames(shot, 64)
    assert len(found) == 64
    assert all(0 <= place < 250 for place in found[-1])
    assert found[-1] == sorted(set(found[-1]))
