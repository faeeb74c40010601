import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.analysis.motion import CameraMotion
from mmcodec.descriptors import look
from mmcodec.errors import BitstreamError

STILL = CameraMotion(0.0, 0.0, 0.0)


def test_ten_bytes_keep_where_the_colours_are():
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:45] = (90, 140, 220)
    picture[45:] = (190, 150, 90)
    data = look.encode(picture, STILL)
    layout = look.decode(data).layout.astype(int)
    assert len(data) == look.LOOK_BYTES
    assert np.abs(layout[1].mean(axis=0) - (90, 140, 220)).max() < 30
    assert np.abs(layout[6].mean(axis=0) - (190, 150, 90)).max() < 30


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_flat_colour_comes_back(colour):
    layout = look.decode(look.encode(np.full((40, 60, 3), colour, np.uint8), STILL)).layout
    assert np.ptp(layout, axis=(0, 1)).max() == 0
    luma = (0.299, 0.587, 0.114)
    assert abs(layout[0, 0] @ luma - np.array(colour) @ luma) < 10


@given(st.tuples(*[st.floats(-2, 2)] * 3))
def test_camera_speeds_come_back_in_steps(speeds):
    camera = look.decode(look.encode(np.zeros((8, 8, 3), np.uint8), CameraMotion(*speeds))).camera
    for sent, got in zip(speeds, (camera.pan, camera.tilt, camera.zoom), strict=True):
        assert got == 0 or np.sign(got) == np.sign(sent)
        assert abs(got - sent) <= max(0.01, 0.51 * abs(sent))


@given(st.binary(min_size=10, max_size=10))
def test_any_ten_bytes_are_a_look(data):
    assert look.decode(data).layout.shape == (8, 8, 3)


def test_another_length_is_refused():
    with pytest.raises(BitstreamError, match="9 bytes"):
        look.decode(bytes(9))
