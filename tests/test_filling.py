"""What to code to use up bytes, against coders of many kinds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.pipeline.filling import Filling, is_full
from mmcodec.pipeline.trials import QUALITIES, Point

MOST_PIXELS = 320 * 180


def raster(pixels):
    """Of sixteen to nine, and no more pixels than there are."""
    width = 2 * round((min(pixels, MOST_PIXELS) * 16 / 9) ** 0.5 / 2)
    return width, 2 * round(width * 9 / 32)


def coder(steep, power, jump):
    """The bytes of a point: they fall with the rate factor, all at once before the coarsest."""

    def size(point):
        finer = (4 * QUALITIES[0] - point.quarters) * steep + jump * (point.quarters < 252)
        return round(600 * (point.pixels / 20_000) ** power * np.exp(finer))

    return size


@given(
    steep=st.floats(0.01, 0.06),
    power=st.floats(0.5, 0.9),
    jump=st.floats(0.0, 0.3),
    pixels=st.integers(20_000, MOST_PIXELS),
    quality=st.integers(0, 4),
    ratio=st.floats(0.6, 2),
)
def test_few_attempts_use_up_the_bytes(steep, power, jump, pixels, quality, ratio):
    size, near = coder(steep, power, jump), Point(8, raster(pixels), quality)
    most, coded = int(size(near) * ratio), []
    filling = Filling(near, size(near), most, raster)
    while not filling.full and len(coded) < 9 and (point := filling.next()):
        assert point not in coded
        assert point.pixels <= MOST_PIXELS
        coded.append(point)
        filling.took(point, size(point))
    taken, point = filling.largest
    assert taken == size(point) <= most
    assert is_full(taken, most) or taken > 0.85 * most


def test_what_uses_them_up_is_left_as_it_is():
    near = Point(8, (160, 90))
    filling = Filling(near, 985, 1000, raster)
    assert filling.full
    assert filling.largest == (985, near)


@pytest.mark.parametrize("ratio", [0.9, 0.98, 1.0, 1.01])
def test_none_is_over(ratio):
    assert is_full(round(1000 * ratio), 1000) == (0.971 < ratio <= 1)
