"""The voice layer: what comes back, what it costs, what is refused."""

import random
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.descriptors import voice as layer
from mmcodec.descriptors.voice import LEVEL_RATES, PITCH_RATES, TIME_UNITS_MS, Tier, Voice
from mmcodec.descriptors.voice_times import expected, has_middle
from mmcodec.errors import BitstreamError

TEXT = "The quick brown fox jumps over the lazy dog, and then it sleeps."
STARTS = (0.16, 0.32, 0.64, 0.88, 1.12, 1.52, 1.76, 1.92, 2.24, 2.8, 3.04, 3.28, 3.36)
ENDS = (0.32, 0.64, 0.88, 1.12, 1.52, 1.76, 1.92, 2.24, 2.56, 3.04, 3.28, 3.36, 3.84)
TIMBRE = (16.0, 3.0, 1.0, -3.0, -2.0, -1.0, 1.0, 1.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0)
SECONDS = 4.0
PITCH = (4.0, 2.0, 0.0, -2.0, 0.0, -2.0, -4.0, -6.0)
CODES = {
    Tier.B: "f40d5358272340",
    Tier.C: "b40d5358272340ddcb5f72cd",
    Tier.D: "740a9ac83919968d69a5baed9631922040",
    Tier.E: "340a9ac83919968946b870e0be33889b22dfc89df9f688",
}


def voice(tier: Tier) -> Voice:
    """A voice that says TEXT in SECONDS, with what the tier sends."""
    rows = zip(TEXT.split(), STARTS, ENDS, strict=True)
    middles = tuple((s + e) / 2 if has_middle(word) else None for word, s, e in rows)
    points = {2: PITCH, 3: (*PITCH, -4.0, -2.0, -2.0, 0.0), 0: ()}
    return Voice(
        tier=tier,
        engine=1,
        number=1,
        language="en",
        pitch_hz=210.0,
        spread=4.0,
        level_db=-21.0,
        noise_db=-42.0,
        timbre=TIMBRE,
        words=tuple(zip(STARTS, ENDS, strict=True)) if tier > Tier.B else (),
        middles=middles if tier == Tier.E else (),
        pitch=points[PITCH_RATES[tier]],
        level=(4.0,) * layer.points(LEVEL_RATES[tier], SECONDS),
    )


@pytest.mark.parametrize("tier", Tier)
def test_a_voice_comes_back(tier):
    sent = voice(tier)
    found = layer.decode(layer.encode(sent, TEXT, SECONDS), TEXT, SECONDS)
    assert found is not None
    assert (found.tier, found.engine, found.number, found.language) == (tier, 1, 1, "en")
    assert found.pitch_hz == pytest.approx(sent.pitch_hz, rel=0.025)
    assert (found.level_db, found.noise_db) == (sent.level_db, sent.noise_db)
    assert np.abs(np.subtract(found.timbre, sent.timbre)).max() <= 0.625
    half = TIME_UNITS_MS[tier] / 2000 + 1e-9
    assert len(found.words) == len(sent.words)
    for ours, theirs in zip(found.words, sent.words, strict=True):
        assert np.abs(np.subtract(ours, theirs)).max() <= half
    for ours, theirs in zip(found.middles, sent.middles, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or abs(ours - theirs) <= 2 * half
    assert len(found.pitch) == len(sent.pitch) and len(found.level) == len(sent.level)
    assert np.abs(np.subtract(found.pitch, sent.pitch)).max(initial=0) <= 1.3
    assert np.abs(np.subtract(found.level, sent.level)).max(initial=0) <= 2.6
    assert found.spread == (sent.spread if tier < Tier.D else 0.0)


@pytest.mark.parametrize("tier", Tier)
def test_the_code_never_changes(tier):
    assert layer.encode(voice(tier), TEXT, SECONDS).hex() == CODES[tier]


def test_what_is_decoded_is_written_the_same_again():
    for tier in Tier:
        code = layer.encode(voice(tier), TEXT, SECONDS)
        found = layer.decode(code, TEXT, SECONDS)
        assert found is not None
        assert layer.encode(found, TEXT, SECONDS) == code


def test_each_tier_costs_more_and_no_more_than_it_should():
    sizes = [len(layer.encode(voice(tier), TEXT, SECONDS)) for tier in Tier]
    assert sizes == sorted(sizes)
    most = (9, 14, 19, 30)
    assert all(size <= limit for size, limit in zip(sizes, most, strict=True)), sizes


def test_no_layer_is_no_voice():
    assert layer.decode(b"", TEXT, SECONDS) is None


@pytest.mark.parametrize("language", ["de", "PT-br", "yue", "en"])
@pytest.mark.parametrize("engine", [0, 1, 2, 31])
def test_any_engine_and_language(engine, language):
    sent = replace(voice(Tier.B), engine=engine, language=language)
    found = layer.decode(layer.encode(sent, TEXT, SECONDS), TEXT, SECONDS)
    assert found is not None
    assert (found.engine, found.language) == (engine, language.lower().split("-")[0])


def test_extremes_are_held_within_what_can_be_sent():
    for pitch, level, noise, timbre in ((0, -200, None, -500), (5000, 40, -500, 500)):
        sent = replace(
            voice(Tier.D),
            pitch_hz=pitch,
            level_db=level,
            noise_db=noise,
            timbre=(timbre,) * 16,
            pitch=(300.0,) * 8,
        )
        found = layer.decode(layer.encode(sent, TEXT, SECONDS), TEXT, SECONDS)
        assert found is not None
        assert 0 <= found.pitch_hz <= 900
        assert -63 <= found.level_db <= 0
        assert np.abs(found.timbre).max() <= 80
        assert max(found.pitch) <= 80


@st.composite
def voices(draw):
    """A text, its length, and somebody who says it."""
    words = draw(st.lists(st.text("abcé,.!9-", min_size=1, max_size=12), max_size=12))
    tier = draw(st.sampled_from(Tier))
    count = 2 * len(words)
    steps = draw(st.lists(st.floats(0, 1.5), min_size=count, max_size=count))
    flat = np.cumsum(steps).tolist()
    seconds = max(0.05, (flat[-1] if flat else 0.0) + draw(st.floats(0, 2)))
    spans = tuple(zip(flat[::2], flat[1::2], strict=True))
    middles = tuple(draw(st.floats(s, e)) if has_middle(w) else None
                    for w, (s, e) in zip(words, spans, strict=True))  # fmt: skip
    numbers = st.floats(-30, 30)
    counts = (layer.points(rates[tier], seconds) for rates in (PITCH_RATES, LEVEL_RATES))
    pitch, level = (draw(st.lists(numbers, min_size=n, max_size=n)) for n in counts)
    sent = replace(
        voice(tier),
        words=spans if tier else (),
        middles=middles if tier == Tier.E else (),
        pitch=tuple(pitch),
        level=tuple(level),
    )
    return " ".join(words), seconds, sent


@settings(max_examples=60, deadline=None)
@given(voices())
def test_times_and_contours_come_back(case):
    text, seconds, sent = case
    found = layer.decode(layer.encode(sent, text, seconds), text, seconds)
    assert found is not None
    assert (len(found.pitch), len(found.level)) == (len(sent.pitch), len(sent.level))
    unit = TIME_UNITS_MS[sent.tier] / 1000
    for ours, theirs in zip(found.words, sent.words, strict=True):
        assert np.abs(np.subtract(ours, theirs)).max() <= unit + 1e-9
        assert 0 <= ours[0] <= ours[1] <= seconds


def is_bounded(found: Voice | None, seconds: float) -> bool:
    """Whether a synthesizer can use it without a look."""
    if found is None:
        return True
    numbers = (*found.timbre, *found.pitch, *found.level, found.pitch_hz, found.level_db)
    flat = [moment for span in found.words for moment in span]
    inner = [moment for moment in found.middles if moment is not None]
    return (
        bool(np.isfinite(numbers).all() and np.abs(numbers).max() < 1000)
        and flat == sorted(flat)
        and all(0 <= moment <= seconds for moment in (*flat, *inner))
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.floats(0.01, 60.0))
def test_hostile_bytes_raise_only_our_error(data, seconds):
    with suppress(BitstreamError):
        assert is_bounded(layer.decode(data, TEXT, seconds), seconds)


def test_damage_raises_only_our_error():
    dice = random.Random(5)
    code = layer.encode(voice(Tier.E), TEXT, SECONDS)
    refused = 0
    for _ in range(300):
        data = bytearray(code)
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        try:
            assert is_bounded(layer.decode(bytes(data), TEXT, SECONDS), SECONDS)
        except BitstreamError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("seconds", [0.0, -1.0, 60.1, float("nan"), float("inf")])
def test_impossible_lengths_are_refused(seconds):
    with pytest.raises(BitstreamError, match="cannot be described"):
        layer.decode(b"\x80\x80", TEXT, seconds)
    with pytest.raises(ValueError, match="cannot be described"):
        layer.encode(voice(Tier.B), TEXT, seconds)


def test_too_many_bytes_are_refused():
    with pytest.raises(BitstreamError, match="too many"):
        layer.decode(bytes(5000), TEXT, SECONDS)


@pytest.mark.parametrize(
    "words",
    [
        tuple(zip(STARTS, ENDS, strict=True))[:-1],
        tuple(zip(ENDS, STARTS, strict=True)),
        (*tuple(zip(STARTS, ENDS, strict=True))[:-1], (3.84, 4.5)),
        ((-0.1, 0.2), *tuple(zip(STARTS, ENDS, strict=True))[1:]),
    ],
)
def test_times_that_cannot_be_are_not_written(words):
    with pytest.raises(ValueError, match="not those of the words"):
        layer.encode(replace(voice(Tier.C), words=words), TEXT, SECONDS)


def test_what_is_expected_costs_least():
    spans = tuple(zip(STARTS, ENDS, strict=True))
    guess = expected(spans, TEXT, 80)
    ends = np.cumsum(guess.lengths)
    as_expected = guess.rough_bits(ends - guess.lengths, ends)
    later = ends + (np.arange(len(ends)) >= 3)
    starts = np.concatenate([[0], later[:-1]])
    assert guess.rough_bits(starts, later) > as_expected
    assert guess.lengths[1] > guess.lengths[0]
