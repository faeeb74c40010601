"""Dense flow between two frames, at rasters smaller and larger than the one it is estimated at."""

import cv2
import numpy as np
import pytest

from mmcodec.synthesis.frame_flow import flow_both_ways, moved


def texture(width, height, shift=0.0):
    """A soft pattern of the size of the picture, ``shift`` widths further to the right."""
    x, y = np.meshgrid(np.arange(width) / width - shift, np.arange(height) / width)
    waves = (np.sin(x * f + y * g + f) for f, g in ((21, 9), (-13, 31), (47, -25), (60, 44)))
    grey = 128 + 28 * sum(waves)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("size", [(64, 64), (160, 90), (320, 180), (640, 360), (90, 160)])
@pytest.mark.parametrize("shift", [0.005, 0.02])
def test_a_shift_is_found_both_ways(size, shift):
    a, b = texture(*size), texture(*size, shift)
    flow = flow_both_ways(a, b)
    inner = np.s_[size[1] // 6 : -size[1] // 6, size[0] // 6 : -size[0] // 6]
    for found, way in ((flow.forward, 1), (flow.backward, -1)):
        assert found.shape == (size[1], size[0], 2)
        error = found[inner] - [way * shift * size[0], 0]
        assert np.abs(error).mean() < max(0.2, 0.1 * shift * size[0])
    assert flow.trust_forward[inner].mean() > 0.8
    error = cv2.absdiff(moved(b, flow.forward), a)
    assert error[inner].mean() < 0.5 * cv2.absdiff(b, a)[inner].mean()


def test_what_has_nothing_to_do_with_the_other_is_not_trusted():
    noise = np.random.default_rng(0).integers(0, 255, (2, 45, 80, 3), np.uint8)
    a, b = (cv2.resize(one, (320, 180), interpolation=cv2.INTER_CUBIC) for one in noise)
    flow = flow_both_ways(a, b)
    assert flow.trust_forward.mean() < 0.4
    assert flow.trust_backward.mean() < 0.4
