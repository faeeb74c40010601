"""Peaks held below -1 dBTP."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from mmcodec.synthesis.limiter import limited

RATE = 24_000
NOISE = np.random.default_rng(0).standard_normal((RATE, 2)).astype(np.float32)


@pytest.mark.parametrize("level", [0.3, 1.0, 30.0])
def test_true_peaks_stay_below_minus_one(level):
    made = limited(level * NOISE, RATE)
    assert 20 * np.log10(np.abs(resample_poly(made, 16, 1, axis=0)).max()) < -1
    assert made.dtype == np.float32
    assert made.shape == NOISE.shape


def test_what_is_quieter_is_left_as_it_is():
    quiet = 0.1 * NOISE
    assert np.array_equal(limited(quiet, RATE), quiet)
    burst = quiet.copy()
    burst[12_000:12_010] = 5.0
    made = limited(burst, RATE)
    assert np.allclose(made[:11_000], quiet[:11_000], rtol=1e-5)
    assert np.allclose(made[13_000:], quiet[13_000:], rtol=1e-5)
    assert np.abs(made).max() < 0.9


def test_the_picture_between_channels_is_kept():
    loud = np.stack([2 * NOISE[:, 0], 1 * NOISE[:, 0]], axis=1)
    made = limited(loud, RATE)
    assert made[:, 0] == pytest.approx(2 * made[:, 1], rel=1e-4)


def test_nothing_is_nothing():
    assert limited(np.zeros((0, 1), np.float32), RATE).shape == (0, 1)


@pytest.mark.parametrize("samples", [1, 2, 50, 240])
def test_sound_that_is_shorter_than_its_reach_is_limited(samples):
    made = limited(3 * np.ones((samples, 1), np.float32), RATE)
    assert made.shape == (samples, 1)
    assert np.abs(made).max() < 0.9
