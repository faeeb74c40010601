"""The Opus layer: sound as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sound_descriptor import babble, tone

from mmcodec.descriptors.opus import LEAST_BIT_RATE, decode, encode
from mmcodec.errors import BitstreamError

RATE = 24_000


@pytest.mark.parametrize("bit_rate", [LEAST_BIT_RATE, 8000, 24_000])
@pytest.mark.parametrize("seconds", [0.5, 1.0, 7.3])
def test_the_budget_holds_and_the_wave_comes_back_in_time(bit_rate, seconds):
    source = tone(440.0, seconds)
    data = encode(source, RATE, bit_rate)
    assert 0 < len(data) <= bit_rate * seconds / 8
    made = decode(data, seconds, RATE, len(source))
    assert made.shape == source.shape
    inner = slice(2400, -2400)
    assert np.corrcoef(made[inner], source[inner])[0, 1] > (
        0.7 if bit_rate == LEAST_BIT_RATE else 0.9
    )


def test_what_opus_cannot_do_is_no_bytes():
    assert encode(babble(3.0), RATE, 500) == b""


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_any_rate_and_any_length(rate):
    source = babble(2.0, rate)
    data = encode(source, rate, 16_000)
    assert len(decode(data, 2.0, 48_000, 97_000)) == 97_000
    made = decode(data, 2.0, rate, len(source))
    assert np.std(made) == pytest.approx(np.std(source), rel=0.2)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_hostile_bytes_raise_nothing_but_bitstream_error(data):
    try:
        made = decode(data, 1.0, RATE, RATE)
    except BitstreamError:
        return
    assert np.isfinite(made).all()


def test_more_than_the_cue_lasts_is_refused():
    data = encode(tone(440.0, 3.0), RATE, 8000)
    with pytest.raises(BitstreamError, match="more than"):
        decode(data, 1.0, RATE, RATE)


@pytest.mark.parametrize("seconds", [0.0, 61.0, float("nan")])
def test_impossible_durations_are_refused(seconds):
    with pytest.raises(BitstreamError, match="cannot be coded"):
        decode(b"", seconds, RATE, 0)
