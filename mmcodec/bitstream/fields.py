"""Unsigned integers of variable length (LEB128) and bounded reads from a packet body."""

from __future__ import annotations

from mmcodec.errors import BitstreamError

MAX_VARINT_BYTES = 5


def varint(value: int) -> bytes:
    """``value`` in groups of seven bits, least significant first; at most 35 bits."""
    if not 0 <= value < 1 << 7 * MAX_VARINT_BYTES:
        raise ValueError(f"{value} does not fit a varint")
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


class FieldReader:
    """Reads fields of ``body`` in order; ``offset`` is where it lies in the stream, for errors."""

    def __init__(self, body: bytes, offset: int) -> None:
        self._body = body
        self._offset = offset
        self._at = 0

    @property
    def offset(self) -> int:
        """Place of the next byte in the stream."""
        return self._offset + self._at

    @property
    def at_end(self) -> bool:
        """Whether every byte has been read."""
        return self._at >= len(self._body)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count > len(self._body) - self._at:
            raise BitstreamError("a field runs over the end of its packet", self.offset)
        self._at += count
        return self._body[self._at - count : self._at]

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(len(self._body) - self._at)

    def varint(self, name: str, low: int = 0, high: int = (1 << 35) - 1) -> int:
        """The next variable-length integer, refused outside ``low``..``high``."""
        value = 0
        for group in range(MAX_VARINT_BYTES):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * group
            if byte < 0x80:
                break
        else:
            raise BitstreamError(f"{name} is too long an integer", self.offset)
        if not low <= value <= high:
            raise BitstreamError(f"{name} is {value}, outside {low}..{high}", self.offset)
        return value
