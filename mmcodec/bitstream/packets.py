"""Packets: framing with a checksum, and the account of what a stream's bytes are spent on."""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from mmcodec.bitstream.fields import varint
from mmcodec.bitstream.syntax import MAX_BODY_BYTES, PacketType
from mmcodec.timeline import Cue, Layer

RANDOM_ACCESS = 0x20
"""Flag in the type byte: a receiver can start decoding here."""
TYPE_MASK = 0x1F
CHECKSUM_BYTES = 2
HEADER, FRAMING = "header", "framing"
ACCOUNTS = (HEADER, FRAMING, *(layer.name.lower() for layer in Layer))
"""Names under which bytes are counted, in the order in which tables show them."""


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


def packet(kind: PacketType, body: bytes, flags: int = 0) -> bytes:
    """Frame ``body``: type and flags, length, body, CRC-16 (CCITT) over all of it."""
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a packet body of {len(body)} bytes is over {MAX_BODY_BYTES}")
    framed = bytes([kind | flags]) + varint(len(body)) + body
    return framed + checksum(framed)


def checksum(data: bytes) -> bytes:
    """CRC-16 of ``data`` with polynomial 0x1021 and start value 0xFFFF, most significant first."""
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(CHECKSUM_BYTES, "big")


END_PACKET = packet(PacketType.END, b"")
