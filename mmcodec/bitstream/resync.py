"""Where a damaged stream goes on: the next place at which whole packets follow each other."""

from __future__ import annotations

from collections.abc import Callable

from mmcodec.bitstream.fields import FieldReader
from mmcodec.bitstream.packets import CHECKSUM_BYTES, LONGEST_HEAD, Control, checksum, read_span
from mmcodec.errors import BitstreamError

WINDOW = 1 << 16
"""Bytes behind a damaged packet's start in which the next one is looked for."""
MOST_WORK = 1 << 21
"""Bytes that may be checked in all searches of a stream; a place costs some by itself."""
_PLACE_WORK = 32

_LAST = -1


class Search:
    """Looks ahead in a stream. ``ahead(n)`` gives its next n bytes, or all that are left."""

    def __init__(self, ahead: Callable[[int], bytearray]) -> None:
        self._ahead = ahead
        self._work = MOST_WORK

    def next_packet(self, claimed: int | None) -> int | None:
        """Bytes up to the next whole packet; None if there is none near.

        ``claimed`` is where the damaged packet says that it ends. One packet must follow there;
        elsewhere it takes two, as one checksum in 256 is right by chance.
        """
        if claimed is not None and self._whole(claimed, 1):
            return claimed
        for at in range(1, WINDOW):
            if self._work <= 0 or len(self._ahead(at + 1)) <= at:
                return None
            if self._whole(at, 2):
                return at
        return None

    def _whole(self, at: int, count: int) -> bool:
        """Whether ``count`` packets, or fewer and the end of the stream, start at ``at``."""
        for _ in range(count):
            end = self._end(at)
            if end is None or end == _LAST:
                return end == _LAST
            at = end
        return True

    def _end(self, at: int) -> int | None:
        """The end of the packet at ``at``, None if it is damaged or cut."""
        data = self._ahead(at + 2)
        if len(data) <= at:
            return None
        if data[at] == Control.END:
            return _LAST if len(data) == at + 1 else None
        end = claimed_end(self._ahead(at + LONGEST_HEAD), at)
        if end is None:
            return None
        self._work -= end - at + _PLACE_WORK
        data = self._ahead(end)
        body = end - CHECKSUM_BYTES
        return end if len(data) >= end and checksum(data[at:body]) == data[body:end] else None


def claimed_end(data: bytearray, at: int) -> int | None:
    """Where the packet that starts at ``data[at]`` says that it ends; None if that cannot be."""
    fields = FieldReader(bytes(data[at : at + LONGEST_HEAD]), at)
    try:
        length = read_span(fields)
    except BitstreamError:
        return None
    return fields.offset + length + CHECKSUM_BYTES
