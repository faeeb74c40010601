import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.entropy.text import MAX_TEXT_BYTES, decode_text, encode_text
from mmcodec.errors import BitstreamError


@given(st.text(max_size=400))
def test_any_text_comes_back(text):
    assert decode_text(encode_text(text)) == text


@given(st.binary(max_size=200))
def test_damaged_codes_raise_only_our_error(data):
    with contextlib.suppress(BitstreamError):
        assert len(decode_text(data).encode()) <= MAX_TEXT_BYTES


def test_prompts_of_the_rules_cost_less_than_half_their_letters():
    prompt = (
        "Dim shot, grey over dark grey; the camera pans slowly right; some movement at the left."
    )
    assert len(encode_text(prompt)) < 0.45 * len(prompt)
    assert encode_text("") == b""


def test_lengths_are_limited_both_ways():
    with pytest.raises(ValueError, match="over"):
        encode_text("x" * (MAX_TEXT_BYTES + 1))
    bomb = encode_text("x" * MAX_TEXT_BYTES)
    assert len(decode_text(bomb)) == MAX_TEXT_BYTES
    import zlib

    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    with pytest.raises(BitstreamError, match="too long"):
        decode_text(coder.compress(b"x" * 10_000_000) + coder.flush())
