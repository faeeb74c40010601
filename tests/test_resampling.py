"""Resampling is librosa's, without librosa's second of imports."""

import librosa
import numpy as np
import pytest

from mmcodec.analysis.resampling import resampled


@pytest.mark.parametrize("rates", [(16_000, 24_000), (24_000, 16_000), (44_100, 24_000)])
@pytest.mark.parametrize("count", [1, 5, 12_345])
def test_it_is_what_librosa_makes(rates, count):
    mono = np.random.default_rng(1).standard_normal(count).astype(np.float32)
    wanted = librosa.resample(mono, orig_sr=rates[0], target_sr=rates[1])
    assert np.array_equal(resampled(mono, *rates), wanted)


def test_the_same_rate_and_nothing_stay_as_they_are():
    mono = np.ones(3, np.float32)
    assert resampled(mono, 8000, 8000) is mono
    assert len(resampled(mono[:0], 8000, 16_000)) == 0
