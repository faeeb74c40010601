"""Streams that are damaged on purpose, for the fuzzers: always the same ones for a seed.

A stream is cut into packets as a reader would cut it, so that packets can be exchanged and their
checksums made right after a mutation: what lies behind them would never be reached otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from mmcodec.bitstream.fields import FieldReader
from mmcodec.bitstream.packets import END_PACKET, HEAD_BYTES, LENGTH_BITS, Control, checksum
from mmcodec.bitstream.syntax import Form, parse_header
from mmcodec.errors import MMCodecError

_LONGEST = 1 << 16
"""Bytes of a mutated stream; splices would grow without end."""


def packets(data: bytes) -> list[bytes]:
    """A stream cut into header and packets, each with its checksum, as a reader would cut it.

    What cannot be cut is the last part.
    """
    fields = FieldReader(data, 0)
    parts: list[bytes] = []
    start = 0
    try:
        form, *_ = parse_header(fields)
        while form is Form.STREAM and not fields.at_end:
            fields.take(1)
            parts.append(data[start : fields.offset])
            start = fields.offset
            if parts[-1] == END_PACKET or fields.at_end:
                break
            _skip(fields)
    except MMCodecError:
        pass
    return [*parts, data[start:]] if start < len(data) else parts


def _skip(fields: FieldReader) -> None:
    """Pass over a packet, but for its checksum or the byte of an end packet."""
    first = fields.take(1)[0]
    if first == Control.END:
        return
    if first >> 6 == 0:
        fields.take(fields.varint("length"))
        return
    head = int.from_bytes(bytes([first]) + fields.take(HEAD_BYTES - 1), "big")
    if not head >> LENGTH_BITS & 0x3FF:
        fields.varint("duration")
    fields.take(head & (1 << LENGTH_BITS) - 1 or fields.varint("length"))


def repaired(data: bytes) -> bytes:
    """The stream with right checksums, and an end in place of a packet that is cut."""
    parts = packets(data)
    if len(parts) > 1 and parts[-1] != END_PACKET:
        parts[-1] = END_PACKET
    return b"".join(p[:-1] + checksum(p[:-1]) if len(p) > 1 else p for p in parts)


def _flip_bits(data: bytearray, _: bytes, rng: Random) -> None:
    for _time in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _change_bytes(data: bytearray, _: bytes, rng: Random) -> None:
    for _time in range(rng.choice((1, 1, 2, 4))):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _cut(data: bytearray, _: bytes, rng: Random) -> None:
    del data[rng.randrange(len(data)) :]


def _remove(data: bytearray, _: bytes, rng: Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randrange(1, 16)]


def _insert(data: bytearray, _: bytes, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 5, 40)))


def _duplicate(data: bytearray, _: bytes, rng: Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randrange(1, 64)] * rng.choice((1, 1, 2, 20))


def _splice(data: bytearray, other: bytes, rng: Random) -> None:
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


MUTATIONS: Sequence[Callable[[bytearray, bytes, Random], None]] = (
    _flip_bits, _flip_bits, _change_bytes, _change_bytes,
    _cut, _remove, _insert, _duplicate, _splice,
)  # fmt: skip


def shuffled(data: bytes, other: bytes, rng: Random) -> bytes:
    """The header of one stream, and packets of both in any order."""
    first, *rest = packets(data)
    pool = [part for part in rest + packets(other)[1:] if part != END_PACKET]
    chosen = rng.choices(pool, k=rng.randrange(1, 9)) if pool else []
    return b"".join([first, *chosen, END_PACKET])


def mutated(seeds: Sequence[bytes], rng: Random) -> bytes:
    """A seed with one to three mutations.

    In three of four the header stays, in two of three the checksums are made right.
    """
    seed = rng.choice(seeds)
    if not rng.randrange(4):
        seed = shuffled(seed, rng.choice(seeds), rng)
    start = packets(seed)[0] if rng.randrange(4) else b""
    body = bytearray(seed[len(start) :])
    for _ in range(rng.choice((1, 1, 2, 3))):
        if body:
            rng.choice(MUTATIONS)(body, rng.choice(seeds), rng)
    stream = start + bytes(body[:_LONGEST])
    return repaired(stream) if rng.randrange(3) else stream


def streams(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` mutated streams, always the same ones for a ``seed``."""
    rng = Random(seed)
    return (mutated(seeds, rng) for _ in range(count))
