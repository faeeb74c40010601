"""AV1 of a sketch with its headers range coded, and back to the very same bytes.

Headers are some 20 bytes a frame that say nearly the same each time: at 0.3 to 5 kbit/s 9 to 20 %
of the bytes on two real clips.
Which frames refer to which follows from their number: ``av1_headers.npz`` lists what SVT-AV1
writes for 1 to 64 frames. Every other field is coded bit by bit with adaptive probabilities that
start from those of many sketches (in the same file), and so is the length of the tile data, which
is copied: some 3 bytes a frame in all. What differs from the lists stays plain AV1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from mmcodec.descriptors.av1_syntax import (
    GLOBAL_MOTION_BITS,
    INTER,
    Field,
    SequenceHeader,
    Slots,
    UnusualHeaderError,
    walk_frame,
    walk_sequence,
)
from mmcodec.descriptors.av1_tables import (
    DIFFERENCES,
    FIELDS,
    FRAME,
    FRAME_HEADER,
    GLOBAL,
    HEAD_BITS,
    HEADS,
    LENGTHS,
    PLACES,
    Step,
    tables,
)
from mmcodec.entropy.range_coder import BitModel, BitPredictor
from mmcodec.entropy.two_way import Coder
from mmcodec.errors import BitstreamError

MAX_FRAMES = 64
SEQUENCE = 1
"""Type of an open bitstream unit."""

_SHOWN = 0x90
"""show_existing_frame and show_frame in the first byte of a frame header."""
_SIDES = frozenset(("width", "height"))


class Headers:
    """Codes the fields of a sketch's headers; the same steps on both sides."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        self._models: dict[int, BitPredictor] = {}
        self._last: dict[tuple[str, int], int] = {}
        self._length_bits = 0

    def model(self, place: int) -> BitPredictor:
        """A new model of the probability at a place of the file."""
        return BitModel(int(tables().priors[place]))

    def field(self, name: str, level: int, value: int) -> int:
        """Code a field of a header at a level of the hierarchy."""
        bits, context, expected = FIELDS[name], 2 * level, 0
        if name in DIFFERENCES:
            before = DIFFERENCES[name], level
            context += before not in self._last
            expected = self._last.get(before, self._last.get((name, -1), 0))
        mask = (1 << bits) - 1
        coded = self._tree(PLACES[name] + (context << bits), bits, (value - expected) & mask)
        value = (coded + expected) & mask
        self._last[name, level] = self._last[name, -1] = value
        return value

    def length(self, level: int, value: int) -> int:
        """Code a number of bytes: how many bits it has, then those below the highest."""
        place = LENGTHS + ((level * 16 + self._length_bits) << 4)
        self._length_bits = bits = self._tree(place, 4, value.bit_length())
        if not bits:
            return 0
        head = min(bits - 1, HEAD_BITS)
        tail = bits - 1 - head
        top = self._tree(HEADS + (bits << HEAD_BITS), head, value >> tail & ((1 << head) - 1))
        return 1 << bits - 1 | top << tail | self.coder.bits(value, tail)

    def _tree(self, place: int, bits: int, value: int) -> int:
        node = 1
        for shift in reversed(range(bits)):
            model = self._models.get(place + node)
            if model is None:
                model = self._models[place + node] = self.model(place + node)
            node = 2 * node + self.coder.bit(model, value >> shift & 1)
        return node - (1 << bits)


def write(units: bytes, headers: Headers) -> None:
    """Code OBUs; :class:`UnusualHeaderError` where they are not as usual.

    How many frames they show has to be known on the other side.
    """
    (first, payload), *frames = list(split_units(units)) or [(0, b"")]
    count = shown_frames(units)
    plain = b"".join(unit(*one) for one in ((first, payload), *frames))
    if first != SEQUENCE or not 1 <= count <= MAX_FRAMES or plain != units:
        raise UnusualHeaderError
    structure = tables().structures[count - 1]
    if [unit_type for unit_type, _ in frames] != [step.unit for step in structure]:
        raise UnusualHeaderError
    sequence, slots = _walk_sequence(headers, _Taken(payload)), Slots()
    for step, (_, frame) in zip(structure, frames, strict=True):
        _walk_step(headers, _Taken(frame), step, sequence, slots)


def read(count: int, headers: Headers) -> bytes:
    """The OBUs of ``count`` frames that :func:`write` coded.

    Raises:
        BitstreamError: the code is damaged.
    """
    try:
        made = _Made()
        sequence, slots = _walk_sequence(headers, made), Slots()
        out = [unit(SEQUENCE, made.payload())]
        for step in tables().structures[count - 1]:
            made = _Made()
            _walk_step(headers, made, step, sequence, slots)
            out.append(unit(step.unit, made.payload()))
    except UnusualHeaderError as error:
        raise BitstreamError("a sketch has an unknown header") from error
    return b"".join(out)


def shown_frames(units: bytes) -> int:
    """How many frames OBUs show."""
    kinds = (FRAME, FRAME_HEADER)
    return sum(bool(d) and k in kinds and d[0] & _SHOWN != 0 for k, d in split_units(units))


def _walk_sequence(headers: Headers, raw: _Raw) -> SequenceHeader:
    sequence = walk_sequence(_field(headers, raw, {}, 0))
    raw.put(1, raw.take(1), 1)
    _zeros(raw, raw.odd_bits)
    return sequence


def _walk_step(
    headers: Headers, raw: _Raw, step: Step, sequence: SequenceHeader, slots: Slots
) -> None:
    if step.again:  # show_existing_frame, its slot, trailing bits
        known = 1 << 7 | step.slot << 4 | 1 << 3
        raw.put(known, raw.take(8), 8)
        return
    raw.put(0, raw.take(1), 1)
    field = _field(headers, raw, step.known(), step.level)
    moves = 0
    if walk_frame(field, sequence, slots) == INTER:
        moves = headers.field(GLOBAL, step.level, raw.moves())
    if moves:
        _copy(headers.coder, raw, raw.odd_bits)
    else:
        _zeros(raw, GLOBAL_MOTION_BITS if step.type == INTER else 0)
        _zeros(raw, raw.odd_bits)
    for _ in range(headers.length(step.level, raw.bytes_left)):
        taken = raw.take(8)
        raw.put(headers.coder.byte(taken), taken, 8)


def _field(headers: Headers, raw: _Raw, known: Mapping[str, int], level: int) -> Field:
    """Fields of a header: those that are not known are coded."""

    def field(name: str, count: int) -> int:
        taken = raw.take(count)
        if name in known:
            value = known[name]
        elif name in _SIDES:
            value = headers.coder.bits(taken, count)
        else:
            value = headers.field(name, level, taken)
        raw.put(value, taken, count)
        return value

    return field


def _zeros(raw: _Raw, count: int) -> None:
    raw.put(0, raw.take(count), count)


def _copy(coder: Coder, raw: _Raw, count: int) -> None:
    taken = raw.take(count)
    raw.put(coder.bits(taken, count), taken, count)


def split_units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The types and payloads of OBUs that say their sizes (AV1 specification, 5.3).

    Raises:
        BitstreamError: the data ends within one.
    """
    at = 0
    while at < len(data):
        header = data[at]
        at += 2 if header & 4 else 1
        size = shift = 0
        while header & 2:
            if at >= len(data) or shift > 28:
                raise BitstreamError("a sketch is cut short")
            byte = data[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        if not header & 2 or at + size > len(data):
            raise BitstreamError("a sketch is cut short")
        yield header >> 3 & 15, data[at : at + size]
        at += size


def unit(kind: int, payload: bytes) -> bytes:
    """An OBU that says its size."""
    out, size = bytearray([kind << 3 | 2]), len(payload)
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(out) + bytes([size]) + payload


class _Raw(Protocol):
    """The bits of a payload that is read, or made."""

    @property
    def odd_bits(self) -> int:
        """How many bits are missing to the next whole byte."""

    @property
    def bytes_left(self) -> int:
        """How many whole bytes are left; 0 of what is made."""

    def take(self, count: int) -> int:
        """The next bits; 0 of what is made."""

    def put(self, value: int, taken: int, count: int) -> None:
        """What the next bits, ``taken`` before, have to be."""

    def moves(self) -> int:
        """Whether one of the next bits, those of global motion, is set."""


class _Taken:
    """A payload that is read: a walk has to give what it is."""

    def __init__(self, payload: bytes) -> None:
        self._number, self._left = int.from_bytes(payload, "big"), 8 * len(payload)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise UnusualHeaderError
        return self._number >> self._left & ((1 << count) - 1)

    def put(self, value: int, taken: int, count: int) -> None:
        if value != taken:
            raise UnusualHeaderError

    def moves(self) -> int:
        return int(self._number >> max(self._left - GLOBAL_MOTION_BITS, 0) & 0x7F != 0)

    @property
    def odd_bits(self) -> int:
        return self._left % 8

    @property
    def bytes_left(self) -> int:
        return self._left // 8


class _Made:
    """A payload that is made from what a walk gives."""

    bytes_left = 0

    def __init__(self) -> None:
        self._number, self._bits = 1, 0

    def take(self, count: int) -> int:
        return 0

    def put(self, value: int, taken: int, count: int) -> None:
        self._number = self._number << count | value
        self._bits += count

    def moves(self) -> int:
        return 0

    @property
    def odd_bits(self) -> int:
        return -self._bits % 8

    def payload(self) -> bytes:
        """The whole bytes made so far."""
        return self._number.to_bytes(self._bits // 8 + 1, "big")[1:]
