"""Text armor: what comes back, through what; what damage says; what a message costs."""

import base64
import random
import re
import textwrap
import unicodedata
from itertools import pairwise

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.carriers.armor import (
    MAX_CHARACTERS,
    Alphabet,
    sms_count,
    sms_count_of_bytes,
    unwrap,
    wrap,
)
from mmcodec.errors import BitstreamError, MMCodecError, TruncatedStreamError, UsageError

CHAT = "".join(map(chr, [*range(0x4E00, 0x9E00), *range(0xAC00, 0xD600), *range(0x3400, 0x3A00)]))
SIXTY_FOUR = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SEVENTY_FIVE = SIXTY_FOUR[:62] + "!#%()*+,-/;=?"
FORMS = {  # mark, digits, bytes and digits of a group, bits of a digit that are a whole number
    Alphabet.URL: ("mm1:", SIXTY_FOUR, 3, 4, 6),
    Alphabet.SMS: ("mm1=", SEVENTY_FIVE, 7, 9, 0),
    Alphabet.CHAT: ("mm1", CHAT, 15, 8, 15),
    Alphabet.DIGITS: ("MM1.", "0123456789", 7, 17, 0),
}
NOTE = random.Random(5).randbytes(60)
ALL = pytest.mark.parametrize("alphabet", Alphabet)


def crc24(data):
    """Bit by bit, as RFC 4880 has it in C."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc.to_bytes(3, "big")


def digits_of(payload, alphabet):
    """A second writer, after docs/armor.md: groups as numbers, and their digits."""
    _, digits, size, _, bits = FORMS[alphabet]
    text = ""
    for at in range(0, len(payload), size):
        group = payload[at : at + size]
        number, count = int.from_bytes(group, "big"), 0
        while len(digits) ** count < 256 ** len(group):
            count += 1
        if bits:
            number <<= bits * count - 8 * len(group)
        places = [number // len(digits) ** place % len(digits) for place in range(count)]
        text += "".join(digits[value] for value in reversed(places))
    return text


def by_the_book(data, alphabet, length=None, check=None, filling=b""):
    """A note after docs/armor.md; what is given can be wrong."""
    mark, _, size, *_ = FORMS[alphabet]
    low, high = len(data) % 128, len(data) // 128
    body = (length or (bytes([low + 128, high]) if high else bytes([low]))) + data
    payload = body + (check or crc24(mark.lower().encode() + body)) + filling
    return mark + digits_of(payload.ljust(size, b"\0"), alphabet)


def examples():
    rows = re.findall(
        r"^\| `([0-9a-f]+)` \| `(\S+)` \|$", (ROOT / "docs/armor.md").read_text(), re.M
    )
    return [(bytes.fromhex(data), note) for data, note in rows]


@given(st.binary(min_size=1, max_size=400), st.sampled_from(Alphabet), st.text(), st.text())
def test_a_note_comes_back_from_the_text_around_it(data, alphabet, before, after):
    assert unwrap(before + wrap(data, alphabet) + after) == data


@ALL
@pytest.mark.parametrize("size", [1, 2, 3, 8, 127, 128, 1000, 16383])
def test_the_writer_follows_the_book(alphabet, size):
    data = random.Random(size).randbytes(size)
    assert wrap(data, alphabet) == by_the_book(data, alphabet)


def test_the_examples_of_the_document_are_right():
    found = examples()
    assert len(found) == 8
    assert [unwrap(note) for _, note in found] == [data for data, _ in found]
    written = {wrap(data, alphabet) for data, _ in found for alphabet in Alphabet}
    assert written == {note for _, note in found}


def test_the_checksum_is_that_of_openpgp():
    assert crc24(b"123456789").hex() == "21cf02"


def test_url_is_base64url():
    digits = wrap(NOTE, Alphabet.URL)[4:]
    payload = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    assert payload[1:-3] == NOTE


def test_sms_digits_are_the_same_in_every_table():
    gsm = {chr(code) for code in range(0x20, 0x7F)} - set("$@[\\]^_`{|}~")
    assert set(SEVENTY_FIVE) <= gsm
    assert gsm - set(SEVENTY_FIVE) == set(" \"&'.:<>")


def test_nothing_changes_chat_digits():
    assert len(CHAT) == len(set(CHAT)) == 32768
    assert {unicodedata.category(character) for character in CHAT} == {"Lo"}
    for form in ("NFC", "NFKC"):
        assert unicodedata.normalize(form, CHAT) == CHAT
    assert CHAT.casefold() == CHAT
    assert len(CHAT.encode("utf-16-le")) == 2 * 32768


# --- ways of a note ---


@ALL
@pytest.mark.parametrize("width", [7, 20, 70])
@pytest.mark.parametrize("prefix", ["", "> ", ">> ", "| ", "\t\xa0"])
def test_lines_may_be_wrapped_and_quoted(alphabet, width, prefix):
    lines = textwrap.wrap(wrap(NOTE, alphabet), width, break_on_hyphens=False)
    text = "\r\n".join(prefix + line for line in lines)
    assert unwrap(f"Hi, listen to this:\n{prefix}\n{text}\n{prefix}Bye!") == NOTE


@given(st.data(), st.sampled_from(Alphabet))
def test_what_chats_put_in_is_skipped(data, alphabet):
    note = wrap(NOTE, alphabet)
    blanks = " \n\u200b\u00a0\u200d\u2060\ufeff\u00ad\u200e\u202f\u3000\ufe0f`\\"
    for at in sorted(data.draw(st.lists(st.integers(0, len(note)))), reverse=True):
        note = note[:at] + data.draw(st.sampled_from(blanks)) + note[at:]
    assert unwrap(note) == NOTE


@pytest.mark.parametrize("alphabet", [Alphabet.URL, Alphabet.SMS])
def test_typographic_dashes_are_hyphens_again(alphabet):
    digits = FORMS[alphabet][1]
    double = next(
        data
        for seed in range(5000)
        if "--" in wrap(data := random.Random(seed).randbytes(60), alphabet)
    )
    assert "-" in digits
    note = wrap(double, alphabet).replace("--", "—").replace("-", "–")
    assert "—" in note
    assert unwrap(note) == double


def test_decomposed_syllables_are_put_together():
    note = wrap(NOTE, Alphabet.CHAT)
    assert len(unicodedata.normalize("NFD", note)) > len(note)
    assert unwrap(unicodedata.normalize("NFD", note)) == NOTE


def test_the_first_whole_note_counts():
    notes = [wrap(data, Alphabet.URL) for data in (b"the first", b"the second")]
    assert unwrap(" and ".join(notes)) == b"the first"
    assert unwrap(f"{notes[0][:-1]}. {notes[1]}") == b"the second"
    assert unwrap(f"mm1: is its mark, room1: is not: {notes[0]}") == b"the first"
    assert unwrap("M" + notes[0][1:]) == b"the first"  # the first letter of a sentence


# --- damage ---


def refused(text):
    with pytest.raises(MMCodecError) as caught:
        unwrap(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@ALL
def test_every_lost_character_is_noticed(alphabet):
    note, digits = wrap(NOTE, alphabet), FORMS[alphabet][1]
    for at in range(len(note)):
        refused(note[:at] + note[at + 1 :])
        refilled = note[:at] + note[at + 1 :] + digits[0]
        if refilled != note:
            refused(refilled)  # it has as many digits as there should be


@ALL
def test_every_swap_of_neighbours_is_noticed(alphabet):
    note = wrap(NOTE, alphabet)
    pairs = [(at, *pair) for at, pair in enumerate(pairwise(note)) if len({*pair}) == 2]
    assert len(pairs) > len(note) // 2
    for at, first, second in pairs:
        if {first, second} != {"m"}:
            refused(note[:at] + second + first + note[at + 2 :])


@ALL
def test_every_changed_character_is_noticed(alphabet):
    note, digits, dice = wrap(NOTE, alphabet), FORMS[alphabet][1], random.Random(1)
    for at in range(len(note)):
        for other in [*dice.sample(digits, 8), "?", "é", "=", ":", ".", "2", " "]:
            if other.lower() != note[at].lower() or at > 2:
                changed = note[:at] + other + note[at + 1 :]
                if changed != note:
                    refused(changed)


@ALL
def test_every_inserted_digit_is_noticed(alphabet):
    note, digits = wrap(NOTE, alphabet), FORMS[alphabet][1]
    for at in range(4, len(note)):
        if note[at] != digits[7]:
            refused(note[:at] + digits[7] + note[at:])


@ALL
def test_a_cut_says_how_much_is_there(alphabet):
    note = wrap(NOTE, alphabet)
    mark, count = len(FORMS[alphabet][0]), len(note) - len(FORMS[alphabet][0])
    for left in (FORMS[alphabet][3], count // 2, count - 1):
        with pytest.raises(TruncatedStreamError, match=f"only {left} of its {count} characters"):
            unwrap(note[: mark + left])
    with pytest.raises(TruncatedStreamError, match="only 2 of its characters"):
        unwrap(note[: mark + 2])


def test_a_foreign_character_is_shown():
    note = wrap(NOTE, Alphabet.URL)
    message = refused(note[:30] + "€" + note[31:])
    assert message.endswith('only 26 of its 86 characters are there, then comes "€"')
    assert refused(note[:30] + "\0" + note[31:]).endswith("then comes U+0000")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not an mmcodec note"),
        ("See you at 5 mm!", "not an mmcodec note"),
        ("https://example.org/?q=aGVsbG8", "not an mmcodec note"),
        ("mm2:AAAAAAAAAAA", "version 2: it needs a newer mmcodec"),
        ("x" * (MAX_CHARACTERS + 1), "at most 1000000 characters, this text 1000001"),
    ],
)
def test_what_is_no_note_is_told_apart(text, message):
    assert message in refused(text)


def test_a_note_of_another_alphabet_is_not_taken_for_it():
    assert "damaged" in refused(wrap(NOTE, Alphabet.URL).replace("mm1:", "mm1="))
    assert "damaged" in refused(wrap(NOTE, Alphabet.DIGITS).replace("MM1.", "mm1:"))


@ALL
def test_only_one_text_is_the_note_of_some_data(alphabet):
    mark, digits, _, count, _ = FORMS[alphabet]
    data = NOTE[:20]
    assert unwrap(by_the_book(data, alphabet)) == data
    for length in (b"\x94\x00", b"\x94\x80\x00", b"\x80\x80\x80\x00"):
        assert "damaged" in refused(by_the_book(data, alphabet, length))
    assert "damaged" in refused(by_the_book(b"", alphabet))
    assert "damaged" in refused(by_the_book(data, alphabet, check=b"\x01\x02\x03"))
    assert "damaged" in refused(mark + digits[-1] * count)


@pytest.mark.parametrize("alphabet", [Alphabet.SMS, Alphabet.CHAT, Alphabet.DIGITS])
def test_the_filling_is_zero(alphabet):
    missing = FORMS[alphabet][2] - 5
    assert unwrap(by_the_book(b"x", alphabet, filling=bytes(missing))) == b"x"
    wrong = bytes(missing - 1) + b"\1"
    assert "damaged" in refused(by_the_book(b"x", alphabet, filling=wrong))


def test_filling_bits_must_be_zero():
    note = wrap(b"hi!", Alphabet.URL)
    assert note.endswith("Q")
    assert "damaged" in refused(note[:-1] + "R")


@given(st.text(), st.sampled_from(["", "mm1:", "mm1=", "mm1", "MM1.", "mm3:"]), st.text())
def test_any_text_gives_a_note_or_our_error(before, mark, after):
    refused(before + mark + after)


@pytest.mark.parametrize("piece", ["mm1:", "mm1:_____w", "mm1:w8AA", "mm1.9", "\u1100\u1161\u11a8"])
def test_hostile_texts_end(piece):
    refused(piece * (MAX_CHARACTERS // len(piece)))


def test_notes_in_notes_do_not_multiply_the_work():
    whole = wrap(bytes(700_000), Alphabet.SMS)
    start = whole[:13] + "A" * 5  # its mark is made of its digits
    assert f"of its {len(whole) - 4} characters" in refused(start * 64 + "A" * 950_000)


def test_a_length_is_not_believed():
    for alphabet in Alphabet:
        note = by_the_book(b"abc" * 10, alphabet, b"\xff\xff\x7f")
        assert re.search(r"only \d+ of its \d{6,} characters", refused(note))


def test_what_cannot_be_a_note_is_not_written():
    with pytest.raises(UsageError, match="0 bytes"):
        wrap(b"", Alphabet.URL)
    with pytest.raises(UsageError, match="too many for a note of at most 1000000"):
        wrap(bytes(750_000), Alphabet.URL)
    assert len(wrap(bytes(700_000), Alphabet.URL)) < MAX_CHARACTERS


# --- what it costs ---


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # no escape is cut from its character
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("ç" * 134, 2),
        ("ç" * 135, 3),
        ("\U0001f600" * 35, 1),
        ("\U0001f600" * 36, 2),
        ("ç" * 66 + "\U0001f600" + "ç" * 66, 3),  # nor is a surrogate from its pair
        ("a" * 150 + "`", 3),
    ],
)
def test_messages_are_counted_as_phones_do(text, count):
    assert sms_count(text) == count


@pytest.mark.parametrize(("size", "count"), [(0, 1), (140, 1), (141, 2), (268, 2), (269, 3)])
def test_messages_of_bytes(size, count):
    assert sms_count_of_bytes(size) == count


@pytest.mark.parametrize(
    ("alphabet", "one", "two"),
    [(Alphabet.URL, 113, 221), (Alphabet.SMS, 117, 229), (Alphabet.CHAT, 121, 240)],
)
def test_a_message_holds_what_the_document_says(alphabet, one, two):
    row = next(
        line
        for line in (ROOT / "docs/armor.md").read_text().splitlines()
        if line.startswith(f"| {alphabet}, base") and f"| {one} | {two} |" in line
    )
    assert f"| {len(wrap(bytes(100), alphabet))}" in row
    counts = [sms_count(wrap(bytes(size), alphabet)) for size in (one, one + 1, two, two + 1)]
    assert counts == [1, 2, 2, 3]


def test_errors_are_of_the_stream():
    with pytest.raises(BitstreamError):
        unwrap("nothing")
