"""The red car of the coast road, drawn from the side: 200 pixels are one metre."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Img, blur, curve, grid, layer, mix, over, polygon, rgb, smooth

METRE = 200
LENGTH, HEIGHT = 4.3, 1.36
WHEELS = (-1.28, 1.27)
BODY = [
    (-2.10, 0.42),
    (-2.12, 0.70),
    (-2.02, 0.86),
    (-1.70, 0.92),
    (-1.15, 0.945),
    (0.0, 0.94),
    (0.75, 0.93),
    (1.35, 0.85),
    (1.85, 0.72),
    (2.08, 0.58),
    (2.10, 0.40),
    (1.95, 0.24),
    (1.0, 0.20),
    (-1.0, 0.20),
    (-1.95, 0.26),
]
CABIN = [
    (-1.62, 0.90),
    (-1.25, 1.14),
    (-0.85, 1.28),
    (-0.35, 1.33),
    (0.10, 1.30),
    (0.45, 1.16),
    (0.92, 0.90),
    (0.3, 0.86),
    (-0.9, 0.86),
]
GLASS = [
    (-1.30, 0.93),
    (-1.08, 1.11),
    (-0.78, 1.21),
    (-0.35, 1.25),
    (0.05, 1.23),
    (0.36, 1.12),
    (0.70, 0.93),
    (0.2, 0.915),
    (-0.8, 0.915),
]


def place(points: list[tuple[float, float]]) -> np.ndarray:
    """Turn metres (forward, up) into sprite pixels."""
    p = np.asarray(points, np.float64)
    return np.stack([(p[:, 0] + LENGTH / 2) * METRE, (HEIGHT - p[:, 1]) * METRE], 1)


def car_body() -> Img:
    """Return the car without wheels as premultiplied RGBA; its lower edge is the road."""
    shape = (int(HEIGHT * METRE), int(LENGTH * METRE))
    x, y = grid(shape[1], shape[0])
    x, y = x / METRE - LENGTH / 2, HEIGHT - y / METRE
    body = polygon(shape, place([tuple(p) for p in curve(BODY)]))
    cabin = polygon(shape, place([tuple(p) for p in curve(CABIN)]))
    glass = polygon(shape, place([tuple(p) for p in curve(GLASS)]))
    paint = paintwork(x, y)
    pic = layer(mix(rgb("b5121c"), rgb("ff5a4c"), smooth(0.95, 1.34, y)), cabin)
    pic = over(pic, layer(windows(x, y), glass))
    pillar = smooth(0.045, 0.03, np.abs(x + 0.38 + 0.12 * (y - 1))) * glass
    pic = over(pic, layer(rgb("5d0a12"), pillar))
    pic = over(pic, layer(paint, body))
    for hub in WHEELS:
        arch = smooth(0.425, 0.41, np.hypot(x - hub, y - 0.335)) * (body > 0)
        pic = over(pic, layer(rgb("0e0c10"), arch))
    return details(pic, x, y, body)


def paintwork(x: Img, y: Img) -> Img:
    """Shade the flank: sky sheen on the shoulder, dark belt, warm bounce from the road."""
    tone = mix(rgb("6e0712"), rgb("cf1722"), smooth(0.20, 0.62, y))
    tone = mix(tone, rgb("ee3a34"), smooth(0.60, 0.78, y))
    crease = np.exp(-(((y - 0.665 - 0.012 * x) / 0.02) ** 2))
    tone = mix(tone, rgb("8c0b17"), np.exp(-(((y - 0.62 - 0.012 * x) / 0.035) ** 2)) * 0.7)
    shoulder = np.exp(-(((y - 0.86 + 0.035 * np.maximum(x - 0.5, 0) ** 2 * 2) / 0.045) ** 2))
    tone = tone + crease[..., None] * rgb("ff9a8a") * 0.30
    tone = tone + shoulder[..., None] * rgb("ffe9e2") * 0.62
    return tone + np.exp(-(((y - 0.30) / 0.06) ** 2))[..., None] * rgb("c8a078") * 0.16


def windows(x: Img, y: Img) -> Img:
    """Shade the glass: sky at the top, a slanted reflection, dim seats behind."""
    tone = mix(rgb("16222e"), rgb("5d8aa8"), smooth(0.95, 1.27, y))
    sheen = smooth(0.07, 0.0, np.abs((x - 0.7 * y + 0.55) % 0.9 - 0.45) - 0.10)
    tone = tone + sheen[..., None] * rgb("bfe3f5") * 0.22
    seat = smooth(0.13, 0.11, np.abs(x + 0.22)) * smooth(1.10, 1.08, y)
    head = smooth(0.085, 0.075, np.hypot(x + 0.12, y - 1.13))
    return mix(tone, rgb("0d131a"), np.maximum(seat, head) * 0.8)


def details(pic: Img, x: Img, y: Img, body: Img) -> Img:
    """Add doors, handle, lamps, bumpers and sill to the painted car."""
    seam = np.minimum(np.abs(x - 0.62 + 0.1 * (y - 0.5)), np.abs(x + 0.42 - 0.05 * y))
    seam = smooth(0.012, 0.004, seam) * smooth(0.28, 0.32, y) * smooth(0.93, 0.91, y)
    pic = over(pic, layer(rgb("5a0710"), seam * body * 0.8))
    handle = smooth(0.075, 0.065, np.abs(x + 0.20)) * smooth(0.018, 0.012, np.abs(y - 0.755))
    pic = over(pic, layer(rgb("ffd9d0"), handle))
    lamp = smooth(1.05, 0.95, ((x - 1.93) / 0.12) ** 2 + ((y - 0.60) / 0.055) ** 2) * body
    pic = over(pic, layer(rgb("fff6dc") * 1.1, lamp))
    tail = smooth(1.05, 0.95, ((x + 2.06) / 0.10) ** 2 + ((y - 0.70) / 0.07) ** 2) * body
    pic = over(pic, layer(rgb("ff3b2a") * 1.05, tail))
    sill = smooth(0.275, 0.255, y) * body
    pic = over(pic, layer(rgb("1a1518"), sill))
    chrome = np.exp(-(((y - 0.905) / 0.010) ** 2)) * smooth(1.35, 1.15, np.abs(x + 0.32))
    return over(pic, layer(rgb("f3f4f6"), chrome * 0.8))


def wheel() -> Img:
    """Return a wheel of 0.335 m radius with five spokes as premultiplied RGBA."""
    size = int(0.70 * METRE)
    x, y = grid(size, size)
    x, y = (x - size / 2) / METRE, (y - size / 2) / METRE
    r, a = np.hypot(x, y), np.arctan2(y, x)
    tyre = smooth(0.338, 0.330, r)
    tone = mix(rgb("26262a"), rgb("131316"), smooth(0.24, 0.33, r))
    spoke = smooth(0.45, 0.60, np.cos(5 * a) + 0.25) * smooth(0.235, 0.225, r)
    tone = mix(tone, rgb("3a3c42"), smooth(0.242, 0.236, r))
    tone = mix(tone, mix(rgb("8f959e"), rgb("e9edf0"), smooth(0.05, 0.23, r)), spoke)
    rim = smooth(0.018, 0.008, np.abs(r - 0.232))
    tone = mix(tone, rgb("dfe4e8"), rim)
    tone = mix(tone, rgb("b9bec6"), smooth(0.05, 0.042, r))
    soft = cv2.resize(blur(tone, 0.8), (size, size))
    return layer(soft, tyre)
