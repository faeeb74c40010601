"""Text armor: bytes as a short text that survives a text message, a chat, a link.

A note is a mark (``mm1`` and what tells the alphabet), then digits: the length, the data and a
checksum. Its end follows from the length, so it is found in the text around it, and what chats and
mail programs put in between is skipped. docs/armor.md is the format, with the reasons.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import islice

from mmcodec.errors import BitstreamError, TruncatedStreamError, UsageError

MAX_CHARACTERS = 1_000_000
"""No text longer than this is written or read."""


class Alphabet(StrEnum):
    """What a note is written with; :func:`unwrap` sees by the mark which it is."""

    URL = "url"
    """Base64url (RFC 4648, 5), 6 bits a character: for links and for all that is not known."""
    SMS = "sms"
    """75 characters with the same code in ASCII and in the GSM alphabet: 6.22 bits of 7."""
    CHAT = "chat"
    """32768 ideographs and Hangul syllables, 15 bits each: where characters are counted."""
    DIGITS = "digits"
    """Decimal digits: what QR codes hold best."""


@dataclass(frozen=True)
class _Radix:
    """How an alphabet writes: groups of bytes as numbers of so many digits."""

    mark: str
    ranges: str
    """First and last character of each range, in the order of their values."""
    group_bytes: int
    group_digits: int


_RADIX = {
    Alphabet.URL: _Radix("mm1:", "AZaz09--__", 3, 4),
    Alphabet.SMS: _Radix("mm1=", "AZaz09!!##%%(-//;;==??", 7, 9),
    Alphabet.CHAT: _Radix("mm1", "\u4e00\u9dff\uac00\ud5ff\u3400\u39ff", 15, 8),
    Alphabet.DIGITS: _Radix("MM1.", "09", 7, 17),
}
_OF_MARK = {radix.mark[3:]: alphabet for alphabet, radix in _RADIX.items()}
_MOST_MARKS = 64
"""So many marks in a text are tried; more are an attack, not a chat."""
_CHECK_BYTES = 3
_CHECK_START, _CHECK_POLYNOMIAL = 0xB704CE, 0x864CFB

_SKIPPED = (
    "\t\r  \x85\x85\xa0\xa0\xad\xad\u034f\u034f\u061c\u061c\u1680\u1680\u180b\u180f\u2000\u200f"
    "\u2028\u202f\u205f\u206f\u3000\u3000\ufe00\ufe0f\ufeff\ufeff"  # spaces and what is invisible
    ">>||\\\\``"  # before quoted lines, around code, before what Markdown would take for its own
)
_HYPHENS, _DASHES = "\u2010\u2013\u2212\u2212\ufe63\ufe63\uff0d\uff0d", "\u2014\u2015"
"""What typography makes of one hyphen, and of two."""
_JAMO = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")
"""A Hangul syllable taken to pieces (NFD), as some systems store it."""


def wrap(data: bytes, alphabet: Alphabet) -> str:
    """The note of ``data``: one line without spaces.

    Raises:
        UsageError: there is no data, or its note would be longer than :data:`MAX_CHARACTERS`.
    """
    if not data:
        raise UsageError("a note of 0 bytes cannot be made: give it something to say")
    radix = _RADIX[alphabet]
    head = _head(len(data))
    size = _payload_size(radix, len(head) + len(data))
    if len(radix.mark) + _digit_count(radix, size) > MAX_CHARACTERS:
        raise UsageError(
            f"{len(data)} bytes are too many for a note of at most {MAX_CHARACTERS} characters"
        )
    payload = head + data + _checksum(radix, head + data)
    return radix.mark + _written(alphabet, payload.ljust(size, b"\0"))


def unwrap(text: str) -> bytes:
    """The data of the first whole note in ``text``, whatever stands around it.

    Raises:
        UsageError: the text is longer than :data:`MAX_CHARACTERS`.
        TruncatedStreamError: a part of the note is missing.
        BitstreamError: there is no note, it is damaged, or it is of a later version.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"a note has at most {MAX_CHARACTERS} characters, this text {len(text)}")
    clean = _JAMO.sub(_composed, text.translate(_cleaning()))
    failed: list[tuple[int, BitstreamError]] = []
    for mark in islice(_mark().finditer(clean), _MOST_MARKS):
        if sum(there for there, _ in failed) > MAX_CHARACTERS:
            break  # notes that overlap and are read again and again
        try:
            return _read(clean, mark)
        except BitstreamError as error:
            failed.append((_there(clean, mark), error))
    if failed:
        raise max(failed, key=lambda pair: pair[0])[1]
    raise BitstreamError('this is not an mmcodec note: there is no "mm1:" or the like in it')


def _read(text: str, mark: re.Match[str]) -> bytes:
    """The data of the note that ``mark`` begins."""
    if mark["later"]:
        raise BitstreamError(f"this note is of version {mark['later']}: it needs a newer mmcodec")
    alphabet = _OF_MARK[mark["separator"]]
    radix, start, there = _RADIX[alphabet], mark.end(), _there(text, mark)
    rest = text[start + there : start + there + 1]
    after = f", then comes {_shown(rest)}" if rest else ""
    if there < radix.group_digits:
        raise TruncatedStreamError(
            f"the note is damaged: only {there} of its characters are there{after}"
        )
    first = _bytes(alphabet, text[start : start + radix.group_digits], radix.group_bytes)
    end = _end_of_data(first)
    size = _payload_size(radix, end)
    count = _digit_count(radix, size)
    if there < count:
        raise TruncatedStreamError(
            f"the note is damaged: only {there} of its {count} characters are there{after}"
        )
    payload = _bytes(alphabet, text[start : start + count], size)
    if payload[end:] != _checksum(radix, payload[:end]).ljust(size - end, b"\0"):
        raise _changed(count)
    return payload[_head_size(first) : end]


def _there(text: str, mark: re.Match[str]) -> int:
    """Number of digits that follow ``mark``; 0 where it is of a later version."""
    if mark["later"]:
        return 0
    run = _digits_of(_OF_MARK[mark["separator"]]).match(text, mark.end())
    return run.end() - run.start() if run else 0


def _changed(count: int | None = None) -> BitstreamError:
    characters = f"{count} characters" if count else "characters"
    return BitstreamError(f"the note is damaged: some of its {characters} were changed or lost")


def _shown(character: str) -> str:
    return f'"{character}"' if character.isprintable() else f"U+{ord(character):04X}"


# --- bytes: length, data, checksum ---


def _head(size: int) -> bytes:
    """Varint of ``size``: groups of 7 bits, the least significant first (docs/bitstream.md, 1)."""
    groups = [size >> shift & 127 for shift in range(0, max(1, size.bit_length()), 7)]
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


def _head_size(first: bytes) -> int:
    """Bytes of the varint at the start; BitstreamError where it is none of at most 3 bytes."""
    for size in range(1, 4):
        if first[size - 1] < 128:
            return size
    raise _changed()


def _end_of_data(first: bytes) -> int:
    """Where the checksum begins, by the length at the start of ``first``, which is checked."""
    size = _head_size(first)
    length = sum((byte & 127) << 7 * place for place, byte in enumerate(first[:size]))
    if not length or _head(length) != first[:size]:
        raise _changed()
    return size + length


def _payload_size(radix: _Radix, end_of_data: int) -> int:
    """Bytes that are written: at least one group, so that the length can be read from it."""
    return max(end_of_data + _CHECK_BYTES, radix.group_bytes)


def _checksum(radix: _Radix, body: bytes) -> bytes:
    """CRC-24 of OpenPGP (RFC 4880, 6.1) of the mark in small letters, then ``body``; 3 bytes."""
    register, table = _CHECK_START, _check_table()
    for byte in radix.mark.lower().encode() + body:
        register = (register << 8 & 0xFFFFFF) ^ table[register >> 16 ^ byte]
    return register.to_bytes(_CHECK_BYTES, "big")


@cache
def _check_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        register = byte << 16
        for _ in range(8):
            register = register << 1 ^ (_CHECK_POLYNOMIAL if register >> 23 else 0)
            register &= 0xFFFFFF
        table.append(register)
    return tuple(table)


# --- groups of bytes as digits ---


def _codes(ranges: str) -> list[int]:
    """All code points of ranges that are written as first and last character of each."""
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return [code for first, last in pairs for code in range(ord(first), ord(last) + 1)]


@cache
def _characters(alphabet: Alphabet) -> str:
    """The digits of an alphabet in the order of their values."""
    return "".join(map(chr, _codes(_RADIX[alphabet].ranges)))


@cache
def _values(alphabet: Alphabet) -> Mapping[str, int]:
    return {character: value for value, character in enumerate(_characters(alphabet))}


def _digits_in(base: int, size: int) -> int:
    """Digits of a group of ``size`` bytes: the fewest that hold every value."""
    count = 0
    while base**count < 256**size:
        count += 1
    return count


def _unit(base: int, size: int, count: int) -> int:
    """What a group's number is multiplied by.

    Where a digit is a whole number of bits, these are filled from the top, as in RFC 4648.
    """
    return base**count >> 8 * size if base & base - 1 == 0 else 1


def _digit_count(radix: _Radix, size: int) -> int:
    groups, rest = divmod(size, radix.group_bytes)
    return groups * radix.group_digits + _digits_in(len(_codes(radix.ranges)), rest)


def _written(alphabet: Alphabet, payload: bytes) -> str:
    radix, characters = _RADIX[alphabet], _characters(alphabet)
    base, digits = len(characters), []
    for at in range(0, len(payload), radix.group_bytes):
        group = payload[at : at + radix.group_bytes]
        count = _digits_in(base, len(group))
        number = int.from_bytes(group, "big") * _unit(base, len(group), count)
        for place in reversed(range(count)):
            digits.append(characters[number // base**place % base])
    return "".join(digits)


def _bytes(alphabet: Alphabet, digits: str, size: int) -> bytes:
    """The ``size`` bytes of ``digits``; BitstreamError where these are not digits of bytes."""
    radix, values = _RADIX[alphabet], _values(alphabet)
    base, payload, at = len(values), bytearray(), 0
    while len(payload) < size:
        group = min(radix.group_bytes, size - len(payload))
        count = _digits_in(base, group)
        number = 0
        for digit in digits[at : at + count]:
            number = number * base + values[digit]
        number, unused = divmod(number, _unit(base, group, count))
        if unused or number >> 8 * group:
            raise _changed()
        payload += number.to_bytes(group, "big")
        at += count
    return bytes(payload)


# --- the note in its text ---


def _class(ranges: str) -> str:
    """A regular expression for a character of ``ranges``."""
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return "[" + "".join(f"{re.escape(a)}-{re.escape(b)}" for a, b in pairs) + "]"


@cache
def _digits_of(alphabet: Alphabet) -> re.Pattern[str]:
    return re.compile(_class(_RADIX[alphabet].ranges) + "*")


@cache
def _mark() -> re.Pattern[str]:
    """A mark of this version before a digit of its alphabet, or one of a later version."""
    ours = "|".join(
        f"(?:{re.escape(separator)}(?={_class(_RADIX[alphabet].ranges)}))"
        for separator, alphabet in _OF_MARK.items()
    )
    return re.compile(f"[Mm][Mm](?:1(?P<separator>{ours})|(?P<later>[2-9])[:=.](?=[0-9A-Za-z]))")


@cache
def _cleaning() -> Mapping[int, str | None]:
    """What becomes of characters that are not of the note, for ``str.translate``."""
    return {
        **dict.fromkeys(_codes(_SKIPPED), None),
        **dict.fromkeys(_codes(_HYPHENS), "-"),
        **dict.fromkeys(_codes(_DASHES), "--"),
    }


def _composed(pieces: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", pieces[0])


# --- what it costs to send ---

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""3GPP TS 23.038, 6.2.1: the default alphabet, and what takes an escape before it."""


def sms_count(text: str) -> int:
    """Text messages that ``text`` takes, at least 1.

    160 septets of the GSM default alphabet, or 70 UTF-16 units where a character is not of it
    (3GPP TS 23.038); 153 and 67 where there are several, each with a header of 6 bytes, and a
    character is not split between them (3GPP TS 23.040, 9.2.3.24.1). A phone joins at most 255.
    """
    if _GSM.issuperset(text) or _GSM.union(_GSM_EXTENSION).issuperset(text):
        return _parts([1 + (character in _GSM_EXTENSION) for character in text], 160, 153)
    return _parts([1 + (ord(character) > 0xFFFF) for character in text], 70, 67)


def sms_count_of_bytes(size: int) -> int:
    """Messages of 8-bit data that ``size`` bytes take, at least 1: 140 bytes, or 134 each."""
    return 1 if size <= 140 else -(-size // 134)


def _parts(costs: list[int], alone: int, joined: int) -> int:
    if sum(costs) <= alone:
        return 1
    parts, room = 1, joined
    for cost in costs:
        if cost > room:
            parts, room = parts + 1, joined
        room -= cost
    return parts
