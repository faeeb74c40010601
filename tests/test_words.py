"""The times of words: what comes back, what it costs, what is refused."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.descriptors.words import UNIT, decode, encode
from mmcodec.errors import BitstreamError

TEXT = "The quick brown fox jumps over the lazy dog, and then it sleeps."
TIMES = ((4, 10), (10, 22), (22, 36), (36, 50), (54, 70), (70, 82), (82, 88), (88, 104),
         (104, 120), (140, 148), (148, 160), (160, 164), (164, 188))  # fmt: skip
CODE = "cc26e7f6e86e70a70a"  # of the format: another code is another layer


@st.composite
def spoken(draw):
    """Words, their times, and the duration of the cue."""
    words = draw(st.lists(st.text(st.characters(blacklist_categories=["Z", "C"]), min_size=1)))
    words = [word for word in words if len(word.split()) == 1]
    steps = draw(st.lists(st.integers(0, 90), min_size=2 * len(words), max_size=2 * len(words)))
    ticks, at = [], 0
    for step in steps:
        at += step
        ticks.append(at)
    pairs = list(zip(ticks[::2], ticks[1::2], strict=True))
    return " ".join(words), pairs, at + draw(st.integers(0, 50))


@given(spoken())
def test_times_come_back_to_the_unit(case):
    text, times, duration = case
    found = decode(encode(times, text, duration), text, duration)
    assert len(found) == len(times)
    for pair, back in zip(times, found, strict=True):
        assert all(abs(a - b) <= UNIT // 2 for a, b in zip(pair, back, strict=True))
        assert 0 <= back[0] <= back[1] <= duration


def test_the_code_never_changes():
    assert encode(TIMES, TEXT, 200).hex() == CODE
    assert decode(bytes.fromhex(CODE), TEXT, 200) == TIMES


def test_a_word_costs_less_than_a_byte():
    assert len(encode(TIMES, TEXT, 200)) < 0.75 * len(TIMES)


def test_no_words_are_next_to_nothing():
    assert decode(encode((), "", 50), "", 50) == ()


@pytest.mark.parametrize(
    "times",
    [
        TIMES[:-1],
        ((10, 4), *TIMES[1:]),
        ((-2, 10), *TIMES[1:]),
        (*TIMES[:2], (20, 36), *TIMES[3:]),
        (*TIMES[:-1], (164, 201)),
    ],
)
def test_what_cannot_be_is_not_written(times):
    with pytest.raises(ValueError, match="times are not those"):
        encode(times, TEXT, 200)


def test_damage_raises_only_our_error():
    dice = random.Random(3)
    refused = 0
    for _ in range(300):
        with contextlib.suppress(BitstreamError):
            times = decode(dice.randbytes(9), TEXT, 200)
            assert all(0 <= start <= end <= 200 for start, end in times)
            refused -= 1
        refused += 1
    assert refused > 200


def test_times_over_the_end_are_refused():
    with pytest.raises(BitstreamError, match="damaged"):
        decode(encode(TIMES, TEXT, 200), TEXT, 150)
