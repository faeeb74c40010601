import numpy as np
import pytest
from conftest import scene

from mmcodec.analysis.similarity import psnr, ssim

PICTURE = scene(1, 0)


def test_equal_pictures_are_perfect():
    assert psnr(PICTURE, PICTURE) == 100
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)


def test_psnr_of_a_known_error():
    grey = np.full((20, 20, 3), 100, np.uint8)
    assert psnr(grey, grey + 16) == pytest.approx(20 * np.log10(255 / 16))


def test_ssim_falls_with_noise_and_ignores_little_of_a_shift_in_light():
    noise = np.random.default_rng(0).normal(0, 25, PICTURE.shape)
    noisy = np.clip(PICTURE + noise, 0, 255).astype(np.uint8)
    lighter = np.clip(PICTURE.astype(int) + 5, 0, 255).astype(np.uint8)
    assert ssim(PICTURE, noisy) < 0.6 < 0.95 < ssim(PICTURE, lighter)
