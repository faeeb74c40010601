"""Range coder, adaptive models of a bit and of an integer, all on integers.

The coder is the one of LZMA (G. N. N. Martin, "Range encoding", 1979; I. Pavlov, LZMA SDK): a
32-bit interval, narrowed by each bit and shifted out byte by byte, but the carry is propagated
into the bytes already written, which saves LZMA's leading zero byte. Probabilities have 16 bits
and adapt at a rate that falls with the number of bits seen (as in CABAC's successors), so that a
model learns fast in a payload of a few dozen bytes and is steady in a long one. A symbol of a
larger alphabet is an interval of a power-of-two total, which the caller's model lays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import BitstreamError

PROBABILITY_BITS = 16
_ONE = 1 << PROBABILITY_BITS
_MIN_PROBABILITY = 1 << 6
_MASK32 = 0xFFFFFFFF
_RENORMALISE = 1 << 24
_SLOWEST_SHIFT = 7
_ESCAPE_LIMIT = 20


class BitPredictor(Protocol):
    """What a bit is coded with."""

    @property
    def probability(self) -> int:
        """Probability that the bit is 1, in 1/65536; neither 0 nor 65536."""

    def update(self, bit: int) -> None:
        """Learn what the bit was."""


class BitModel:
    """Probability that a bit is 1, in 1/65536, learned from the bits seen.

    ``shift`` is the first adaptation rate (2**-shift); it slows down to 2**-7.
    """

    __slots__ = ("_limit", "_seen", "_shift", "probability")

    def __init__(self, probability: int = _ONE // 2, shift: int = 4) -> None:
        self.probability = min(max(probability, _MIN_PROBABILITY), _ONE - _MIN_PROBABILITY)
        self._shift = shift
        self._seen = 0
        self._limit = 1 << shift

    @property
    def experience(self) -> int:
        """Number of bits seen, counted up to where the rate stops falling."""
        return self._seen

    def update(self, bit: int) -> None:
        """Move the probability towards ``bit``."""
        target = _ONE - _MIN_PROBABILITY if bit else _MIN_PROBABILITY
        self.probability += (target - self.probability) >> self._shift
        if self._shift < _SLOWEST_SHIFT:
            self._seen += 1
            if self._seen == self._limit:
                self._shift += 1
                self._limit *= 2


class Encoder:
    """Writes bits; :meth:`finish` returns the bytes, without those that the decoder implies."""

    def __init__(self) -> None:
        self._low = 0
        self._range = _MASK32
        self._bytes = bytearray()

    def encode_bit(self, model: BitPredictor, bit: int) -> None:
        """Write ``bit`` (0 or 1) with the probability of ``model``, which learns from it."""
        ones = (self._range * model.probability) >> PROBABILITY_BITS
        self._narrow(bit, ones)
        model.update(bit)

    def encode_bits(self, value: int, count: int) -> None:
        """Write the ``count`` low bits of ``value``, each as likely 0 as 1."""
        for shift in reversed(range(count)):
            self._narrow((value >> shift) & 1, self._range >> 1)

    def encode_interval(self, start: int, size: int, bits: int) -> None:
        """Write the symbol that owns ``size`` > 0 of 2**``bits`` values, from ``start`` on.

        ``bits`` is at most 20; up to 18 the rounding of the interval costs nothing noticeable.
        """
        unit = self._range >> bits
        self._low += unit * start
        # The last symbol takes what the division leaves, so that no code lies outside of all.
        last = start + size == 1 << bits
        self._range = self._range - unit * start if last else unit * size
        self._renormalise()

    @property
    def bits_used(self) -> int:
        """Bits that what was written so far takes, rounded down."""
        return 8 * len(self._bytes) + 32 - self._range.bit_length()

    def finish(self) -> bytes:
        """The bytes written, ending at the shortest number that lies in the last interval."""
        for zeros in range(32, -1, -1):
            unit = (1 << zeros) - 1
            value = (self._low + unit) & ~unit
            if value < self._low + self._range:
                break
        if value > _MASK32:
            self._carry()
        tail = (value & _MASK32).to_bytes(4, "big")
        return bytes(self._bytes + tail).rstrip(b"\0")

    def _narrow(self, bit: int, ones: int) -> None:
        if bit:
            self._range = ones
        else:
            self._low += ones
            self._range -= ones
        if self._range < _RENORMALISE or self._low > _MASK32:
            self._renormalise()

    def _renormalise(self) -> None:
        if self._low > _MASK32:
            self._carry()
            self._low &= _MASK32
        while self._range < _RENORMALISE:
            self._bytes.append(self._low >> 24)
            self._low = (self._low << 8) & _MASK32
            self._range <<= 8

    def _carry(self) -> None:
        at = len(self._bytes) - 1
        while self._bytes[at] == 255:
            self._bytes[at] = 0
            at -= 1
        self._bytes[at] += 1


class Decoder:
    """Reads what :class:`Encoder` wrote; past the end of ``data`` it reads zeros, for ever."""

    def __init__(self, data: bytes) -> None:
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._range = _MASK32
        self._rest = iter(data[4:])
        self._shifted = 0

    def decode_bit(self, model: BitPredictor) -> int:
        """The next bit; ``model`` learns from it."""
        bit = self._split((self._range * model.probability) >> PROBABILITY_BITS)
        model.update(bit)
        return bit

    def decode_bits(self, count: int) -> int:
        """The next ``count`` equally likely bits as a number."""
        value = 0
        for _ in range(count):
            value = 2 * value + self._split(self._range >> 1)
        return value

    def decode_even(self, bits: int) -> int:
        """The next of 2**``bits`` symbols that own one value each."""
        unit = self._range >> bits
        symbol = min(self._code // unit, (1 << bits) - 1)
        self._code -= unit * symbol
        self._range = self._range - unit * symbol if symbol + 1 == 1 << bits else unit
        self._renormalise()
        return symbol

    @property
    def bits_used(self) -> int:
        """Bits that what was read so far takes: the same number as the encoder's."""
        return self._shifted + 32 - self._range.bit_length()

    def decode_interval(self, bounds: NDArray[np.int64], bits: int) -> int:
        """The next symbol; ``bounds`` (symbols + 1,) are the starts of all, then 2**``bits``."""
        unit = self._range >> bits
        value = min(self._code // unit, (1 << bits) - 1)
        symbol = int(bounds.searchsorted(value, "right")) - 1
        start, end = int(bounds[symbol]), int(bounds[symbol + 1])
        self._code -= unit * start
        self._range = self._range - unit * start if end == 1 << bits else unit * (end - start)
        self._renormalise()
        return symbol

    def _split(self, ones: int) -> int:
        bit = int(self._code < ones)
        if bit:
            self._range = ones
        else:
            self._code -= ones
            self._range -= ones
        if self._range < _RENORMALISE:
            self._renormalise()
        return bit

    def _renormalise(self) -> None:
        while self._range < _RENORMALISE:
            self._code = ((self._code << 8) | next(self._rest, 0)) & _MASK32
            self._range <<= 8
            self._shifted += 8


class IntegerModel:
    """Adaptive model of a signed integer: zero?, unary magnitude, Exp-Golomb escape, sign.

    ``priors`` are the first probabilities (1/65536) of "not zero", "more than 1", "more than 2"
    and so on; a magnitude that passes all of them is escaped. A caller keeps one model for each
    context that it tells apart.
    """

    def __init__(self, priors: Sequence[int], shift: int = 5) -> None:
        self._more = [BitModel(prior, shift) for prior in priors]
        self._sign = BitModel(shift=shift)

    def encode(self, encoder: Encoder, value: int) -> None:
        """Write ``value``; ValueError where its magnitude is beyond 20 bits of escape."""
        magnitude = abs(value)
        for step, model in enumerate(self._more):
            encoder.encode_bit(model, int(magnitude > step))
            if magnitude <= step:
                break
        else:
            _encode_escape(encoder, magnitude - len(self._more))
        if magnitude:
            encoder.encode_bit(self._sign, int(value < 0))

    def decode(self, decoder: Decoder) -> int:
        """The next value; BitstreamError where its escape is too long."""
        magnitude = 0
        for model in self._more:
            if not decoder.decode_bit(model):
                break
            magnitude += 1
        else:
            magnitude += _decode_escape(decoder)
        return -magnitude if magnitude and decoder.decode_bit(self._sign) else magnitude


def _encode_escape(encoder: Encoder, value: int) -> None:
    """Exp-Golomb code of order 0 (H.264, 9.1)."""
    size = (value + 1).bit_length() - 1
    if size > _ESCAPE_LIMIT:
        raise ValueError(f"magnitude {value} is too large for the escape code")
    encoder.encode_bits((1 << size) - 1, size)
    encoder.encode_bits(0, 1)
    encoder.encode_bits(value + 1, size)


def _decode_escape(decoder: Decoder) -> int:
    size = 0
    while decoder.decode_bits(1):
        size += 1
        if size > _ESCAPE_LIMIT:
            raise BitstreamError("escape code of an integer is too long")
    return (1 << size) + decoder.decode_bits(size) - 1
