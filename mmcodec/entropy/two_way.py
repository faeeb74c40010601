"""One description of a syntax for both ways: a coder that writes what it is given, or reads it."""

from __future__ import annotations

from typing import Protocol

from mmcodec.entropy.range_coder import BitPredictor, Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

_SLACK_BITS = 64


class Coder(Protocol):
    """Codes what it is given, and returns it; a reading one takes no notice of what it is given."""

    def bit(self, model: BitPredictor, bit: int) -> int:
        """A bit with the probability of a model."""

    def bits(self, value: int, count: int) -> int:
        """The low bits of a number."""

    def byte(self, value: int) -> int:
        """A byte, all as likely."""

    def integer(self, model: IntegerModel, value: int) -> int:
        """A signed integer."""


class Writing:
    """Writes; :meth:`finish` returns the bytes."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self.finish = self._encoder.finish

    def bit(self, model: BitPredictor, bit: int) -> int:
        """A bit with the probability of a model."""
        self._encoder.encode_bit(model, bit)
        return bit

    def bits(self, value: int, count: int) -> int:
        """The low bits of a number."""
        self._encoder.encode_bits(value, count)
        return value & ((1 << count) - 1)

    def byte(self, value: int) -> int:
        """A byte, all as likely."""
        self._encoder.encode_interval(value, 1, 8)
        return value

    def integer(self, model: IntegerModel, value: int) -> int:
        """A signed integer."""
        model.encode(self._encoder, value)
        return value


class Reading:
    """Reads ``data``; BitstreamError some bytes after its end."""

    def __init__(self, data: bytes) -> None:
        self._decoder = Decoder(data)
        self._most = 8 * len(data) + _SLACK_BITS

    def bit(self, model: BitPredictor, bit: int) -> int:
        """The next bit."""
        return self._decoder.decode_bit(model)

    def bits(self, value: int, count: int) -> int:
        """The next bits as a number."""
        self._check()
        return self._decoder.decode_bits(count)

    def byte(self, value: int) -> int:
        """The next byte."""
        self._check()
        return self._decoder.decode_even(8)

    def integer(self, model: IntegerModel, value: int) -> int:
        """The next signed integer."""
        return model.decode(self._decoder)

    def _check(self) -> None:
        if self._decoder.bits_used > self._most:
            raise BitstreamError("a code is cut short")
