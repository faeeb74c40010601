"""QR codes: their size, and that they are read from files, terminals and photographs."""

import io
import random
import re
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.carriers import qr
from mmcodec.carriers.armor import Alphabet, unwrap, wrap
from mmcodec.errors import (
    BackendError,
    MMCodecError,
    TruncatedStreamError,
    UsageError,
)

segno = pytest.importorskip("segno", reason="the extra qr is not installed")

NOTE = random.Random(4).randbytes(120)


def pixels(png):
    """A PNG file as RGB."""
    bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[..., ::-1])


def foreign(content, scale=6):
    """The picture of somebody else's QR code."""
    file = io.BytesIO()
    segno.make(content, micro=False).save(file, kind="png", scale=scale, border=4)
    return pixels(file.getvalue())


def refused(picture):
    with pytest.raises(MMCodecError) as caught:
        qr.read(picture)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 20, 140, 500, 1000, 2000])
def test_a_png_is_read_again(size):
    data = random.Random(size).randbytes(size)
    assert qr.read(pixels(qr.png(data, scale=4))) == data


@given(st.binary(min_size=1, max_size=300), st.integers(3, 9))
@settings(max_examples=25, deadline=None)
def test_any_data_comes_back(data, scale):
    assert qr.read(pixels(qr.png(data, scale))) == data


def test_a_scanned_text_is_a_note():
    text, *_ = cv2.QRCodeDetector().detectAndDecode(pixels(qr.png(NOTE)))
    assert re.fullmatch(r"MM1\.\d+", text)
    assert unwrap(text) == NOTE


# --- size ---


def side(png):
    return len(pixels(png)) // 8 - 8


def test_the_symbol_is_as_small_as_that_of_raw_bytes():
    """Or one size larger, as digits take 1 % more bits, and a note has a mark and a checksum."""
    for size in (30, 140, 300, 700):
        data = random.Random(size).randbytes(size)
        raw = segno.make(data + bytes(5), error="L", mode="byte", micro=False)
        text = segno.make(wrap(data, Alphabet.URL), error="L", micro=False)
        found = side(qr.png(data))
        assert found <= 17 + 4 * (raw.version + 1)
        assert found < 17 + 4 * text.version or size == 30


def level(png):
    """Error correction as the format information says it (ISO/IEC 18004, 7.9.1)."""
    modules = pixels(png)[4::8, 4::8, 0][4:-4, 4:-4] < 128
    return {(0, 1): "L", (0, 0): "M", (1, 1): "Q", (1, 0): "H"}[
        int(modules[8, 0]) ^ 1, int(modules[8, 1])
    ]


def test_room_that_is_left_goes_into_error_correction():
    found = set()
    for size in range(1, 70, 2):
        png = qr.png(NOTE[:size])
        found.add(level(png))
        note = wrap(NOTE[:size], Alphabet.DIGITS)
        for better in "LMQH"["LMQH".index(level(png)) + 1 :]:
            larger = segno.make([note[:4], note[4:]], error=better, micro=False)
            assert 17 + 4 * larger.version > side(png)
    assert len(found) > 2


@pytest.mark.parametrize("make", [qr.png, qr.terminal])
def test_too_much_is_refused(make):
    with pytest.raises(UsageError, match="at most 2000 bytes, not 2001"):
        make(bytes(2001))
    with pytest.raises(UsageError, match="0 bytes"):
        make(b"")


@pytest.mark.parametrize("make", [qr.png, qr.terminal])
def test_without_segno_the_error_says_what_to_install(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(BackendError, match=r'pip install "mmcodec\[qr\]"'):
        make(NOTE)


# --- terminals ---

HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
COLOURS = {"38;5;16": ("ink", 0), "48;5;231": ("paper", 255)}


def screen(text, ink, paper):
    """What a terminal of these default colours shows, a cell being 8 wide and 16 high."""
    rows = []
    for line in text.splitlines():
        now = {"ink": ink, "paper": paper}
        cells = []
        for code, character in re.findall(r"\x1b\[([\d;]+)m|(.)", line):
            if code == "0":
                now = {"ink": ink, "paper": paper}
            elif code:
                name, value = COLOURS[code]
                now[name] = value
            else:
                cells.append([now["ink" if half else "paper"] for half in HALVES[character]])
        assert now == {"ink": ink, "paper": paper}  # the colours do not leak out of the line
        rows.append(np.array(cells).T)
    grey = np.kron(np.concatenate(rows), np.ones((8, 8))).astype(np.uint8)
    around = np.pad(grey, 60, constant_values=paper)
    return np.repeat(around[..., None], 3, 2)


@pytest.mark.parametrize(("ink", "paper"), [(230, 20), (20, 230), (255, 0), (101, 253)])
@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("size", [10, 120, 300])
def test_dark_and_light_terminals_show_it(ink, paper, colour, size):
    data = random.Random(size).randbytes(size)
    text = qr.terminal(data, colour)
    assert ("\x1b" in text) == colour
    assert qr.read(screen(text, ink, paper)) == data


# --- photographs ---


def scaled(picture, factor):
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def framed(picture, colour=190):
    margin = len(picture) // 4
    return cv2.copyMakeBorder(
        picture, *[margin] * 4, borderType=cv2.BORDER_CONSTANT, value=(colour,) * 3
    )


def turned(picture, degrees):
    picture = framed(picture)
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, turn, (width, height), borderValue=(190,) * 3)


def tilted(picture):
    picture = framed(picture)
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (width, height)
    moved = np.array([[0.06, 0.03], [0.97, 0], [0.92, 0.96], [0, 1]], np.float32) * (width, height)
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    return cv2.warpPerspective(picture, warp, (width, height), borderValue=(190,) * 3)


def blurred(picture, sigma):
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def noisy(picture, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def compressed(picture, quality):
    _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(file, cv2.IMREAD_COLOR)


def shaded(picture):
    light = np.linspace(0.3, 1, picture.shape[1])[None, :, None]
    return (picture * light * (1, 0.9, 0.7)).astype(np.uint8)


def inverted(picture):
    return 255 - picture


PHOTOGRAPHS = {
    "small": lambda picture: scaled(picture, 0.4),
    "large": lambda picture: scaled(picture, 3.7),
    "turned a little": lambda picture: turned(picture, 5),
    "turned more": lambda picture: turned(picture, -12),
    "on its side": lambda picture: np.rot90(picture).copy(),
    "in a mirror": lambda picture: picture[:, ::-1].copy(),
    "at an angle": tilted,
    "blurred": lambda picture: blurred(picture, 2),
    "noisy": lambda picture: noisy(picture, 30),
    "inverted": inverted,
    "compressed": lambda picture: compressed(picture, 15),
    "pale": lambda picture: picture // 4 + 90,
    "in shadow": shaded,
    "without a quiet zone": lambda picture: picture[32:-32, 32:-32].copy(),
    "inverted, turned, blurred": lambda picture: blurred(turned(inverted(picture), 4), 1.5),
    "all of it": lambda picture: compressed(
        noisy(blurred(shaded(tilted(turned(picture, 4))), 1.2), 6), 60
    ),
}


@pytest.mark.parametrize("way", PHOTOGRAPHS)
@pytest.mark.parametrize("size", [60, 140, 500])
def test_photographs_are_read(way, size):
    data = random.Random(size + 1).randbytes(size)
    assert qr.read(PHOTOGRAPHS[way](pixels(qr.png(data)))) == data


@pytest.mark.parametrize("at", [0, 4100, 7560])
def test_a_long_picture_of_a_chat_is_searched_all_over(at):
    chat = np.full((8000, 540, 3), 245, np.uint8)
    for top in range(0, 8000, 120):
        cv2.putText(chat, f"message {top}", (20, top + 50), 0, 1, (60, 60, 60), 2)
    code = pixels(qr.png(NOTE))
    chat[at : at + len(code), 60 : 60 + len(code)] = code
    assert qr.read(chat if at else np.rot90(chat).copy()) == NOTE


def test_a_small_code_in_a_large_picture_is_found():
    ground = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (2400, 3200, 3), np.uint8), (0, 0), 5
    )
    code = pixels(qr.png(NOTE, scale=3))
    ground[900 : 900 + len(code), 2100 : 2100 + len(code)] = code
    assert qr.read(ground) == NOTE


# --- what is not a note ---


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("https://example.org/menu", 'not an mmcodec note: it says "https://example.org/menu"'),
        ("WIFI:S:guest;\nT:WPA;;", 'it says "WIFI:S:guest; T:WPA;;"'),
        ("long " * 30, 'it says "long long long long long long long long..."'),
        (bytes(range(128, 256)), "not an mmcodec note"),
        ("mm2:AAAAAAAAAAAA", "version 2: it needs a newer mmcodec"),
    ],
)
def test_a_foreign_code_is_told(content, message):
    assert message in refused(foreign(content))


def test_a_damaged_note_in_a_code_is_told():
    note = wrap(NOTE, Alphabet.DIGITS)
    changed = note[:50] + str((int(note[50]) + 1) % 10) + note[51:]
    assert "the note is damaged" in refused(foreign(changed))
    with pytest.raises(TruncatedStreamError, match="only"):
        qr.read(foreign(note[:-9]))


def test_notes_of_other_alphabets_are_read_too():
    assert qr.read(foreign(wrap(NOTE, Alphabet.URL))) == NOTE
    assert qr.read(foreign(f"https://example.org/#{wrap(NOTE, Alphabet.URL)}")) == NOTE


@pytest.mark.parametrize(
    "shape",
    [(0, 0, 3), (1, 1, 3), (20, 300, 3), (21, 21, 3), (240, 320, 3), (30, 250, 3), (30, 90_000, 3)],
)
@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_without_a_code_is_told(shape, level):
    assert "no QR code can be read" in refused(np.full(shape, level, np.uint8))


def test_noise_is_no_code():
    picture = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    assert "no QR code can be read" in refused(picture)


def test_a_picture_that_is_too_large_is_not_searched():
    huge = np.broadcast_to(np.uint8(0), (10_000, 10_000, 3))
    assert "10000x10000 is too large" in refused(huge)


@pytest.mark.parametrize("shape", [(30, 30), (30, 30, 4)])
def test_a_picture_of_another_kind_is_a_mistake(shape):
    with pytest.raises(ValueError, match="not RGB uint8"):
        qr.read(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="not RGB uint8"):
        qr.read(np.zeros((30, 30, 3), np.float32))


def test_of_several_codes_the_note_is_taken():
    codes = [foreign("https://example.org"), pixels(qr.png(NOTE)), foreign("mm2:AAAAAAAAAAAA")]
    picture = np.full((460, 1200, 3), 235, np.uint8)
    left = 10
    for code in codes:
        picture[20 : 20 + len(code), left : left + len(code)] = code
        left += len(code) + 20
    assert qr.read(picture) == NOTE
    assert qr.read(np.ascontiguousarray(picture[:, ::-1])) == NOTE
