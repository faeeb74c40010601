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

from mmcodec.bitstream.fields import varint
from mmcodec.timeline import Cue, Layer

HEAD_BYTES = 3
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
    END = 0x2E


@dataclass(frozen=True, slots=True)
class CuePacket:
    """A cue with what it costs on the wire, framing included."""

    cue: Cue
    wire_bytes: int
    layer_bytes: Mapping[Layer, int]

    def account(self) -> Counter[str]:
        """Bytes by name; they add up to ``wire_bytes``."""
        spent = Counter({layer.name.lower(): size for layer, size in self.layer_bytes.items()})
        spent[FRAMING] = self.wire_bytes - spent.total()
        return spent


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


def checksum(data: bytes) -> bytes:
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
