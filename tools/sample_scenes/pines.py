"""Pine trees for the winter forest and the lake photo."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Img, blur, rgb


def pine(height: int, seed: int, snow: float, colours: tuple[str, str, str]) -> Img:
    """Return a pine `height` pixels tall as premultiplied RGBA, standing on its lower edge.

    snow is the cover (0..1); colours are those of the deep needles, the lit needles and snow.
    """
    rng = np.random.default_rng(seed)
    width = int(height * 0.5)
    pic = np.zeros((height, width, 4), np.float32)
    deep, lit, white = (rgb(c) for c in colours)
    cx = width / 2
    trunk = (int(cx * 16), int(height * 0.10 * 16)), (int(cx * 16), int(height * 16))
    draw(pic, [np.array(trunk)], deep * 0.6, max(1, height // 50))
    tiers = max(9, int(height / 14))
    lean = rng.uniform(-0.02, 0.02)
    for i in range(tiers, -1, -1):
        part = (i + 0.5) / tiers
        reach = width * 0.47 * part**0.85
        y = height * (0.03 + 0.90 * part)
        for side in rng.permutation(np.linspace(-1, 1, 9)):
            span = reach * side * rng.uniform(0.75, 1.08)
            sag = abs(span) * rng.uniform(0.28, 0.45) + height * 0.012
            root = (cx + lean * y - span * rng.uniform(0.0, 0.45), y - height * 0.035)
            tip = (cx + lean * y + span, y - height * 0.035 + sag)
            tone = deep + (lit - deep) * np.float32(
                np.clip(0.42 + 0.28 * side + rng.uniform(-0.3, 0.3), 0, 1)
            )
            bough(pic, root, tip, tone * rng.uniform(0.8, 1.15), height, rng)
            if rng.random() < snow:
                shade = white * np.float32(0.75 + 0.12 * side + rng.uniform(-0.12, 0.12))
                bough(pic, (root[0], root[1] - 1), (tip[0], tip[1] - 2), shade, height * 0.62, rng)
    pic = blur(pic, max(0.5, height / 700))
    return np.asarray(np.clip(pic, 0, 1.2), np.float32)


def bough(
    pic: Img,
    root: tuple[float, float],
    tip: tuple[float, float],
    tone: Img,
    size: float,
    rng: np.random.Generator,
) -> None:
    """Paint one drooping bough as a ragged fan from root to tip (pixels), in place."""
    thick = size * 0.022
    top, under = [], []
    for s in np.linspace(0, 1, 6):
        x = root[0] + (tip[0] - root[0]) * s
        y = root[1] + (tip[1] - root[1]) * s**1.2
        top.append((x, y - thick * (1 - s) * 0.5))
        under.append((x, y + thick * (1.3 - s) * rng.uniform(0.4, 1.7)))
    shape = np.round(np.array(top + under[::-1]) * 16).astype(np.int32)
    value = (*(float(c) for c in tone), 1.0)
    draw(pic, [shape], value, 0)


def draw(pic: Img, shapes: list[Img], colour: Img | tuple[float, ...], width: int) -> None:
    """Fill shapes (width 0) or draw lines of a width in pixels on a float RGBA picture."""
    value = tuple(float(c) for c in (*colour[:3], 1.0))
    x0, y0 = np.maximum(shapes[0].min(0) // 16 - width - 1, 0)
    x1, y1 = shapes[0].max(0) // 16 + width + 2
    patch = np.ascontiguousarray(pic[y0:y1, x0:x1])
    if patch.size == 0:
        return
    mask = np.zeros(patch.shape[:2], np.uint8)
    moved = [s - np.array([x0, y0]) * 16 for s in shapes]
    if width:
        cv2.polylines(mask, [m.astype(np.int32) for m in moved], False, 255, width, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(mask, [m.astype(np.int32) for m in moved], 255, cv2.LINE_AA, 4)
    cover = mask.astype(np.float32)[..., None] / 255
    pic[y0:y1, x0:x1] = patch * (1 - cover) + np.array(value, np.float32) * cover
