"""QR codes (ISO/IEC 18004): a note as a picture or in a terminal, and back from a photograph.

The symbol holds a note in decimal digits, its mark as an alphanumeric segment and the digits as a
numeric one. So it is text to any scanner and can be pasted as such; raw bytes are not (OpenCV read
none of them), and base45 (RFC 9285) needs 3 % more bits. docs/armor.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.carriers.armor import Alphabet, unwrap, wrap
from mmcodec.errors import BackendError, BitstreamError, UsageError

if TYPE_CHECKING:
    from segno import QRCode

MAX_BYTES = 2000
"""More is not written: a larger symbol can hardly be photographed."""
MAX_PIXELS = 64_000_000
"""A picture of more is not read."""
_QUIET = 4
"""Light modules around a symbol, by the standard."""
_FEWEST_MODULES = 21
"""Side of the smallest symbol."""
_MOST_WINDOWS = 10
"""A picture that is longer than these is no picture of a code."""
_MARK_SIZE = 4
_SHOWN = 40
"""Characters of another's QR code that an error quotes."""
_LONG_SIDE, _SHORT_SIDE = 2000, 1200
"""A larger picture is reduced first; one that is smaller than the second is tried enlarged."""
_LARGEST_WHOLE = 16_000_000
"""Pixels of the largest picture that is also tried as it is."""
_INK, _PAPER, _RESET = "\x1b[38;5;16m", "\x1b[48;5;231m", "\x1b[0m"
"""Black and white of the fixed colours, which no theme of a terminal changes."""

Grey = NDArray[np.uint8]


def png(data: bytes, scale: int = 8) -> bytes:
    """A PNG file of the QR code of ``data``, ``scale`` pixels a module, with its quiet zone.

    Raises:
        UsageError: ``data`` is empty or has more than :data:`MAX_BYTES`.
        BackendError: segno is not installed.
    """
    file = BytesIO()
    _symbol(data).save(file, kind="png", scale=scale, border=_QUIET)
    return file.getvalue()


def terminal(data: bytes, colour: bool = True) -> str:
    """The QR code of ``data`` as lines of half blocks, two modules a character.

    With ``colour`` it is black on white whatever the theme. Without, light modules are what is
    drawn: right on a dark terminal and inverted on a light one, which readers of today take too.

    Raises:
        UsageError: ``data`` is empty or has more than :data:`MAX_BYTES`.
        BackendError: segno is not installed.
    """
    dark = np.array([list(row) for row in _symbol(data).matrix], bool)
    dark = np.pad(dark, ((_QUIET, _QUIET + dark.shape[0] % 2), (_QUIET, _QUIET)))
    drawn = dark if colour else ~dark
    before, after = (_INK + _PAPER, _RESET) if colour else ("", "")
    lines = (
        before + "".join(" ▀▄█"[up + 2 * down] for up, down in zip(*pair, strict=True)) + after
        for pair in drawn.astype(int).reshape(-1, 2, drawn.shape[1])
    )
    return "\n".join(lines) + "\n"


def read(picture: NDArray[np.uint8]) -> bytes:
    """The data of the note in the QR code of ``picture``, RGB uint8 (h, w, 3).

    A code may be scaled, turned, seen at an angle, blurred a little or inverted; where there are
    several, the first that is a whole note counts.

    Raises:
        UsageError: the picture has more than :data:`MAX_PIXELS`.
        BitstreamError: there is no QR code that can be read, or none of them is a note.
        TruncatedStreamError: its note is cut.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"not RGB uint8 (h, w, 3): {picture.dtype} {picture.shape}")
    height, width = picture.shape[:2]
    if height * width > MAX_PIXELS:
        raise UsageError(
            f"a picture of {width}x{height} is too large to look for a QR code: reduce it"
        )
    foreign, damaged = None, None
    for text in _texts(picture):
        try:
            return unwrap(text)
        except BitstreamError as error:
            if text[:2].upper() == "MM":
                damaged = damaged or error
        except UsageError:
            pass  # longer than any note
        foreign = foreign or text
    if damaged:
        raise damaged
    if foreign:
        raise BitstreamError(f"the QR code is not an mmcodec note: it says {_quoted(foreign)}")
    raise BitstreamError("no QR code can be read in the picture: take it nearer, sharper and whole")


def _symbol(data: bytes) -> QRCode:
    """The smallest symbol, with the highest error correction that it has room for."""
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"a QR code holds at most {MAX_BYTES} bytes, not {len(data)}: send text or a file"
        )
    try:
        import segno
    except ImportError as error:
        raise BackendError('QR codes need segno: pip install "mmcodec[qr]"') from error
    note = wrap(data, Alphabet.DIGITS)
    segments: Any = [note[:_MARK_SIZE], note[_MARK_SIZE:]]  # each in its own mode
    symbol = segno.make(segments, error="L", micro=False)
    for level in "MQH":  # segno raises the level of a single segment only
        better = segno.make(segments, error=level, micro=False)
        if better.version != symbol.version:
            break
        symbol = better
    return symbol


def _quoted(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[:_SHOWN]).split())
    return f'"{shown}{"..." if len(text) > _SHOWN else ""}"'


def _texts(picture: NDArray[np.uint8]) -> Iterator[str]:
    """What the QR codes say, each once, in the order in which they are found."""
    import cv2

    short_side, long_side = sorted(picture.shape[:2])
    if short_side < _FEWEST_MODULES or long_side > _MOST_WINDOWS * 3 * short_side:
        return
    detectors = cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()
    seen = set()
    whole = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    for grey in (made for window in _windows(whole) for made in _variants(window)):
        for detector in detectors:
            try:
                _, found, _, _ = detector.detectAndDecodeBytesMulti(grey)
            except cv2.error:  # of geometry that cannot be; another variant may do
                continue
            for code in found or ():
                if code and code not in seen:
                    seen.add(code)
                    yield code.decode("utf-8", "replace")


def _windows(grey: Grey) -> Iterator[Grey]:
    """The picture; of a long one, such as of a whole chat, windows of 4 times its short side.

    They overlap by that side, so that a code lies whole in one of them.
    """
    if grey.shape[0] < grey.shape[1]:
        yield from (np.ascontiguousarray(window.T) for window in _windows(grey.T))
        return
    length, side = grey.shape
    for start in range(0, max(1, length - side), 3 * side):
        yield grey[start : start + 4 * side]


def _variants(grey: Grey) -> Iterator[Grey]:
    """The picture in ways that make a code readable, the most likely first.

    All get a light margin: a code that fills the picture has lost its quiet zone.
    """
    import cv2

    small, factor = grey, _LONG_SIDE / max(grey.shape)
    if factor < 1 and min(grey.shape) * factor >= _FEWEST_MODULES:
        small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    for make in (_same, _enlarged, _sharpened, _levelled, _halved):
        made = make(small)
        if made is not None:
            yield _framed(made)
            yield _framed(255 - made)
    if small is not grey and grey.size <= _LARGEST_WHOLE:  # a small code in a large picture
        yield _framed(grey)
        yield _framed(255 - grey)


def _framed(grey: Grey) -> Grey:
    return np.pad(grey, 40, constant_values=255)


def _same(grey: Grey) -> Grey | None:
    return grey


def _enlarged(grey: Grey) -> Grey | None:
    """Twice as large, where modules may have few pixels."""
    import cv2

    if max(grey.shape) > _SHORT_SIDE:
        return None
    return _image(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))


def _sharpened(grey: Grey) -> Grey | None:
    """Unsharp mask, against blur."""
    import cv2

    return _image(cv2.addWeighted(grey, 2.5, cv2.GaussianBlur(grey, (0, 0), 3), -1.5, 0))


def _levelled(grey: Grey) -> Grey | None:
    """Black and white by the mean around, against shadows."""
    import cv2

    method, kind = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY
    return _image(cv2.adaptiveThreshold(grey, 255, method, kind, 51, 5))


def _halved(grey: Grey) -> Grey | None:
    """Half as large, against noise."""
    import cv2

    if min(grey.shape) < 2 * _FEWEST_MODULES:
        return None
    return _image(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _image(made: Any) -> Grey:
    return np.asarray(made, np.uint8)
