from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.entropy.range_coder import BitModel, Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

PRIORS = (30000, 20000, 15000)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=2000))
def test_bits_come_back(choices: list[tuple[int, int]]) -> None:
    def models() -> list[BitModel]:
        return [BitModel(), BitModel(100), BitModel(65500)]

    encoder, written = Encoder(), models()
    for context, bit in choices:
        encoder.encode_bit(written[context], bit)
    decoder, read = Decoder(encoder.finish()), models()
    assert [decoder.decode_bit(read[context]) for context, _ in choices] == [b for _, b in choices]


@given(st.lists(st.integers(-(2**18), 2**18) | st.integers(-3, 3), max_size=300))
def test_integers_come_back(values: list[int]) -> None:
    encoder, model = Encoder(), IntegerModel(PRIORS)
    for value in values:
        model.encode(encoder, value)
    decoder, model = Decoder(encoder.finish()), IntegerModel(PRIORS)
    assert [model.decode(decoder) for _ in values] == values


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 2**24)), max_size=50))
def test_plain_bits_come_back(fields: list[tuple[int, int]]) -> None:
    encoder = Encoder()
    for count, value in fields:
        encoder.encode_bits(value, count)
    decoder = Decoder(encoder.finish())
    assert [decoder.decode_bits(count) for count, _ in fields] == [
        value & ((1 << count) - 1) for count, value in fields
    ]


@given(st.binary(max_size=200))
def test_hostile_bytes_raise_nothing_but_bitstream_error(data: bytes) -> None:
    decoder, model = Decoder(data), IntegerModel(PRIORS)
    with suppress(BitstreamError):
        for _ in range(500):
            assert abs(model.decode(decoder)) < 2**22


def test_endless_escape_is_refused() -> None:
    # Nothing but implied zeros reads as ones for ever.
    with pytest.raises(BitstreamError):
        IntegerModel(PRIORS).decode(Decoder(b""))


def test_too_large_an_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        IntegerModel(PRIORS).encode(Encoder(), 2**22)


def test_carry_runs_through_the_bytes_written() -> None:
    # Unlikely zeros push the low end of the interval just below a power of two, then over it.
    for run in range(1, 60):
        bits = [0] * run + [1] + [0] * run
        encoder, model = Encoder(), BitModel(65000)
        for bit in bits:
            encoder.encode_bit(model, bit)
        decoder, model = Decoder(encoder.finish()), BitModel(65000)
        assert [decoder.decode_bit(model) for _ in bits] == bits


def test_cost_is_near_the_entropy() -> None:
    # 4096 bits, one in 16 set: 0.337 bit each, 173 bytes; learning may cost 5 %.
    encoder, model = Encoder(), BitModel()
    for index in range(4096):
        encoder.encode_bit(model, int(index * 7919 % 16 == 0))
    assert 165 < len(encoder.finish()) < 182


def test_implied_bytes_are_not_sent() -> None:
    assert Encoder().finish() == b""
    encoder, model = Encoder(), BitModel(65000)
    for _ in range(100):
        encoder.encode_bit(model, 1)
    assert len(encoder.finish()) <= 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 18)), max_size=300), st.data())
def test_intervals_come_back(choices: list[tuple[int, int]], data: st.DataObject) -> None:
    layouts = []
    for _, bits in choices[:20]:
        inner = data.draw(st.lists(st.integers(1, max(1, (1 << bits) - 1)), max_size=9))
        layouts.append((np.unique([0, *inner, 1 << bits]), bits))
    if not layouts:
        return
    pairs = [(layouts[at % len(layouts)], choice) for at, (choice, _) in enumerate(choices)]
    symbols = [(bounds, bits, choice % (len(bounds) - 1)) for (bounds, bits), choice in pairs]
    encoder, used = Encoder(), []
    for bounds, bits, symbol in symbols:
        start, end = bounds[symbol : symbol + 2].tolist()
        encoder.encode_interval(start, end - start, bits)
        used.append(encoder.bits_used)
    decoder = Decoder(encoder.finish())
    for (bounds, bits, symbol), bits_used in zip(symbols, used, strict=True):
        assert decoder.decode_interval(bounds, bits) == symbol
        assert decoder.bits_used == bits_used


@given(st.binary(max_size=40))
def test_hostile_bytes_always_lie_in_an_interval(data: bytes) -> None:
    decoder, bounds = Decoder(data), np.array([0, 5, 100, 1 << 16])
    assert all(0 <= decoder.decode_interval(bounds, 16) < 3 for _ in range(200))


def test_intervals_cost_their_share() -> None:
    encoder = Encoder()
    for _ in range(1000):
        encoder.encode_interval(3, 3 << 14, 18)
    assert encoder.bits_used == pytest.approx(1000 * 2.415, rel=0.01)
    assert len(encoder.finish()) == pytest.approx(1000 * 2.415 / 8, rel=0.01)
