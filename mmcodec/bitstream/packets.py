"""Packets: framing with a checksum, and the account of what a stream's bytes are spent on.

A cue packet is a head of three bytes, the payload and a CRC-8. The head holds, from the most
significant bit, the type (2 bits), the random access flag (1), the duration in ticks (10) and the
payload's length (11); a duration or a length of 0 says that the number follows the head as a
varint. A control packet is a byte below 0x40, the code of what it is; all but the end packet go
on with a varint length, a body and a CRC-8. Nothing follows the end packet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Protocol

from mmcodec.bitstream.fields import MAX_VARINT_BYTES, varint
from mmcodec.timeline import Cue, Layer

HEAD_BYTES, CHECKSUM_BYTES = 3, 1
LONGEST_HEAD = HEAD_BYTES + 2 * MAX_VARINT_BYTES
DURATION_BITS, LENGTH_BITS = 10, 11
MAX_PAYLOAD_BYTES = 1 << 20
MAX_CUE_S = 60
"""A cue lasts, and follows the one before on its track after, at most this many seconds."""
HEADER, FRAMING = "header", "framing"
ACCOUNTS = (HEADER, FRAMING, *(layer.name.lower() for layer in Layer))
"""Names under which bytes are counted, in the order in which tables show them."""


class CueType(IntEnum):
    """The type of a cue packet; 3 is reserved, and skipped by readers."""

    SHOT = 1
    SEGMENT = 2


class Control(IntEnum):
    """The code of a control packet; readers skip those that they do not know."""

    GAP = 1
    CLOCK = 2
    END = 0x2E


@dataclass(frozen=True, slots=True)
class CuePacket:
    """A cue with what it costs on the wire, framing included.

    Of a packet that was ``lost`` only the time is known: its cue has no prompt and no descriptor.
    """

    cue: Cue
    wire_bytes: int
    layer_bytes: Mapping[Layer, int]
    lost: bool = False

    def account(self) -> Counter[str]:
        """Bytes by name; they add up to ``wire_bytes``."""
        spent = Counter({layer.name.lower(): size for layer, size in self.layer_bytes.items()})
        spent[FRAMING] = self.wire_bytes - spent.total()
        return spent


class Fields(Protocol):
    """Where fields are read from, in order."""

    def take(self, count: int, /) -> bytes:
        """The next ``count`` bytes."""

    def varint(self, name: str, /, low: int, high: int) -> int:
        """The next variable-length integer, refused outside ``low``..``high``."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a cue packet; ``kind`` is a :class:`CueType` or 3."""

    kind: int
    random_access: bool
    duration: int
    length: int


def read_head(first: int, fields: Fields) -> Head:
    """The head of a cue packet whose first byte has been read."""
    head = int.from_bytes(bytes([first]) + fields.take(HEAD_BYTES - 1), "big")
    kind = head >> DURATION_BITS + LENGTH_BITS + 1
    access = bool(head >> DURATION_BITS + LENGTH_BITS & 1)
    duration = head >> LENGTH_BITS & (1 << DURATION_BITS) - 1
    length = head & (1 << LENGTH_BITS) - 1
    duration = duration or fields.varint("duration", 1, (1 << 35) - 1)
    return Head(kind, access, duration, length or read_length(fields, 1))


def read_length(fields: Fields, least: int) -> int:
    """The length of a packet's payload or body, where it stands as a varint."""
    return fields.varint("the length of a packet", least, MAX_PAYLOAD_BYTES)


def is_control(first: int) -> bool:
    """Whether a packet that starts with this byte is a control packet."""
    return first >> 6 == 0


def read_span(fields: Fields) -> int:
    """Read the start of any packet but the end; the bytes between it and the checksum."""
    first = fields.take(1)[0]
    return read_length(fields, 0) if is_control(first) else read_head(first, fields).length


def cue_packet(kind: CueType, random_access: bool, duration: int, payload: bytes) -> bytes:
    """Frame the payload of a cue that lasts ``duration`` ticks."""
    if not 1 <= len(payload) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload of {len(payload)} bytes is not 1 to {MAX_PAYLOAD_BYTES}")
    head = (kind << 1 | random_access) << DURATION_BITS + LENGTH_BITS
    after = b""
    if duration < 1 << DURATION_BITS:
        head |= duration << LENGTH_BITS
    else:
        after += varint(duration)
    if len(payload) < 1 << LENGTH_BITS:
        head |= len(payload)
    else:
        after += varint(len(payload))
    return checked(head.to_bytes(HEAD_BYTES, "big") + after + payload)


def control_packet(code: int, body: bytes) -> bytes:
    """Frame the body of a control packet other than the end."""
    return checked(bytes([code]) + varint(len(body)) + body)


END_PACKET = bytes([Control.END])


def checked(data: bytes) -> bytes:
    """``data`` and its checksum."""
    return data + checksum(data)


def checksum(data: bytes | bytearray) -> bytes:
    """CRC-8 of ``data``: polynomial 0x2F, start and final xor 0xFF, as in AUTOSAR.

    It finds every error of up to three bits in 15 bytes, and any single bit in a packet.
    """
    table, register = _crc_table(), 0xFF
    for byte in data:
        register = table[register ^ byte]
    return bytes([register ^ 0xFF])


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for register in range(256):
        for _ in range(8):
            register = (register << 1 ^ (0x2F if register & 0x80 else 0)) & 0xFF
        table.append(register)
    return tuple(table)
