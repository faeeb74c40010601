"""A shot without a sketch as a moving card: its colours, its camera, its prompt to read."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.motion import CameraMotion
from mmcodec.descriptors.look import Look

_MARGIN = 0.18
"""Part of the colour field outside the card on each side, for the camera to move into."""
_FIELD = 128
_DRIFT = CameraMotion(0.03, 0.01, 0.015)
"""Motion of a card whose camera is still: enough to see that it plays."""
_INK = (250, 250, 250)
_LINE_CHARS = 44
_MIN_TEXT_HEIGHT = 72


def render_card(
    look: Look, text: str, size: tuple[int, int], duration: int, frame_rate: float
) -> Iterator[NDArray[np.uint8]]:
    """``duration`` RGB frames of ``size`` (width, height) with ``text`` in the lower part."""
    field = cv2.resize(look.layout, (_FIELD, _FIELD), interpolation=cv2.INTER_CUBIC)
    field = cv2.GaussianBlur(field, (0, 0), 3)
    ink, shade = _text_layers(text, size)
    camera = look.camera if _moves(look.camera) else _DRIFT
    for number in range(duration):
        picture = _view(field, size, camera, (number - duration / 2) / frame_rate)
        yield _compose(picture, ink, shade)


def _moves(camera: CameraMotion) -> bool:
    return any((camera.pan, camera.tilt, camera.zoom))


def _view(
    field: NDArray[np.uint8], size: tuple[int, int], camera: CameraMotion, seconds: float
) -> NDArray[np.uint8]:
    """The part of the field that the camera sees; it slows down towards the field's edge."""
    width, height = size
    shift_x, shift_y, zoom = (
        float(np.tanh(speed * seconds / _MARGIN)) * _MARGIN
        for speed in (camera.pan, camera.tilt, camera.zoom)
    )
    scale = (1 - 2 * _MARGIN) * (1 - zoom) * _FIELD
    left = (0.5 + shift_x * (1 - abs(zoom))) * _FIELD - scale / 2
    top = (0.5 + shift_y * (1 - abs(zoom))) * _FIELD - scale / 2
    transform = np.array([[scale / width, 0, left], [0, scale / height, top]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(field, transform, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


def _text_layers(
    text: str, size: tuple[int, int]
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Coverage of the letters, and of a soft shade behind them, 0..1 (height, width, 1)."""
    width, height = size
    if not text or height < _MIN_TEXT_HEIGHT:
        return None, None
    font = cv2.FontFace("sans")
    letter = max(10, round(min(height / 17, width / (0.56 * _LINE_CHARS))))
    lines = _wrap(text, int(width * 0.9 / (letter * 0.52)))[: max(1, int(height / letter / 2.2))]
    canvas = np.zeros((height, width, 3), np.uint8)
    top = height - round(letter * (1.35 * len(lines) + 0.4))
    for row, line in enumerate(lines):
        place = (round(width * 0.05), top + round(letter * 1.35 * row) + letter)
        cv2.putText(canvas, line, place, (255, 255, 255), font, letter, 500)
    ink = canvas[..., :1].astype(np.float32) / np.float32(255)
    shade = cv2.GaussianBlur(cv2.dilate(ink, np.ones((5, 5))), (0, 0), letter / 2.5)
    return ink, np.asarray(np.clip(shade * 1.1, 0, 0.6)[..., None], np.float32)


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, broken at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        while len(word) > width:
            lines, line, word = [*lines, *filter(None, [line]), word[:width]], "", word[width:]
        if line and len(line) + 1 + len(word) > width:
            lines, line = [*lines, line], word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _compose(
    picture: NDArray[np.uint8], ink: NDArray[np.float32] | None, shade: NDArray[np.float32] | None
) -> NDArray[np.uint8]:
    if ink is None or shade is None:
        return picture
    rows = np.flatnonzero(shade.any(axis=(1, 2)))
    part = slice(rows[0], rows[-1] + 1) if len(rows) else slice(0)
    shaded = picture[part] * (1 - shade[part])
    picture[part] = shaded + (np.array(_INK, np.float32) - shaded) * ink[part]
    return picture
