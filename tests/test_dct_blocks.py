import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.descriptors.dct_blocks import (
    COARSEST,
    BlockCoder,
    Spread,
    blocks_of,
    dct,
    finest,
    likely_step,
    step_size,
)
from mmcodec.entropy.range_coder import Decoder, Encoder

SPREAD = Spread(mean=(40,) * 8, time=(20, 10, 0, 0), band=(20, 16, 12, 10, 8, 6, 4, 2))


def blocks(loud: float) -> list[np.ndarray]:
    falling = loud / np.add.outer(1 + np.arange(16), np.arange(8))
    return list(falling * np.random.default_rng(2).standard_normal((3, 16, 8)))


def coded(parts: list[np.ndarray], step: int) -> bytes:
    encoder, coder = Encoder(), BlockCoder(SPREAD, step)
    for part in parts:
        coder.encode(encoder, part)
    return encoder.finish()


@pytest.mark.parametrize("step", [0, 20, 40])
def test_what_is_sent_is_within_a_step(step):
    parts = blocks(40)
    decoder, coder = Decoder(coded(parts, step)), BlockCoder(SPREAD, step)
    for part in parts:
        found = coder.decode(decoder, len(part))
        assert np.abs(found - part)[found != 0].max() < step_size(step)


@given(
    needed=st.integers(0, COARSEST), likely=st.integers(0, COARSEST), least=st.integers(0, COARSEST)
)
def test_wherever_it_is_looked_for_first_the_finest_step_that_fits_is_found(needed, likely, least):
    tried = []

    def attempt(step: int) -> bytes:
        tried.append(step)
        return bytes([step] * (10 if step >= needed else 11))

    assert finest(attempt, 10, COARSEST, likely, least)[0] == max(needed, least)
    assert len(tried) == len(set(tried)) <= 12
    if likely == needed > least:
        assert len(tried) <= 2


@pytest.mark.parametrize("loud", [3, 30])
@pytest.mark.parametrize("limit", [60, 150, 400])
def test_the_likely_step_is_near(loud, limit):
    parts, likely = blocks(loud), likely_step(blocks(loud), 8 * limit)
    needed = next((step for step in range(COARSEST) if len(coded(parts, step)) <= limit), COARSEST)
    assert abs(likely - needed) <= 10


def test_blocks_cover_all_frames():
    assert [(part.start, part.stop) for part in blocks_of(130, 64)] == [(0, 65), (65, 130)]
    assert blocks_of(3, 64) == [slice(0, 3)]
    assert dct(8) @ dct(8).T == pytest.approx(np.eye(8))
