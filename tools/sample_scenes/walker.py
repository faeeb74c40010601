"""The walker with the umbrella in the rainy street, redrawn for each phase of the stride."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from .canvas import Img, Sprite, blur, curve, layer, mix, over, polygon, rgb, stroke

STRIDE_HZ = 0.95


def limb(shape: tuple[int, int], joints: list[tuple[float, float]], width: float) -> Img:
    """Return the mask of a bent limb through joints (pixels), narrowing towards its end."""
    mask = np.zeros(shape, np.uint8)
    for i, (a, b) in enumerate(pairwise(joints)):
        stroke(mask, a, b, width * (1 - 0.18 * i))
    return mask.astype(np.float32) / 255


def leg(hip: tuple[float, float], phase: float, unit: float) -> list[tuple[float, float]]:
    """Return hip, knee, ankle and toe (pixels) of a leg at a phase of the stride (radians)."""
    thigh = 0.42 * np.sin(phase)
    bend = 0.10 + 0.55 * max(0.0, np.cos(phase)) ** 2 * (np.cos(phase) > 0)
    knee = (hip[0] + 0.225 * unit * np.sin(thigh), hip[1] + 0.225 * unit * np.cos(thigh))
    shin = thigh - bend
    ankle = (knee[0] + 0.215 * unit * np.sin(shin), knee[1] + 0.215 * unit * np.cos(shin))
    toe = (ankle[0] + 0.065 * unit, ankle[1] + 0.015 * unit)
    return [hip, knee, ankle, toe]


def walker(t: float, height: int) -> Sprite:
    """Return the walker, `height` pixels tall with the umbrella, at time t (seconds).

    The anchor is the ground under the hips.
    """
    h, w = int(height * 1.04), int(height * 0.8)
    unit, cx = float(height), w / 2
    phase = 2 * np.pi * STRIDE_HZ * t
    bob = 0.008 * unit * np.cos(2 * phase)
    hip = (cx, 0.545 * unit + bob)
    pic = np.zeros((h, w, 4), np.float32)
    coat, dark = rgb("1a1c2e"), rgb("0b0c16")
    for shift in (np.pi, 0.0):
        pic = over(pic, layer(dark, limb((h, w), leg(hip, phase + shift, unit), 0.055 * unit)))
    swing = 0.030 * unit * np.sin(phase)
    body = [
        (cx - 0.045 * unit, 0.235 * unit),
        (cx + 0.045 * unit, 0.235 * unit),
        (cx + 0.090 * unit, 0.36 * unit),
        (cx + 0.085 * unit, 0.52 * unit),
        (cx + 0.115 * unit + swing, 0.70 * unit),
        (cx - 0.110 * unit + swing, 0.70 * unit),
        (cx - 0.085 * unit, 0.52 * unit),
        (cx - 0.085 * unit, 0.36 * unit),
    ]
    pic = over(pic, layer(coat, polygon((h, w), curve(body) + np.array([0, bob]))))
    hand = (cx + 0.10 * unit, 0.37 * unit + bob)
    arm = [(cx + 0.02 * unit, 0.28 * unit + bob), (cx + 0.06 * unit, 0.42 * unit + bob), hand]
    pic = over(pic, layer(rgb("23263c"), limb((h, w), arm, 0.05 * unit)))
    head = np.zeros((h, w), np.uint8)
    centre = (int((cx + 0.012 * unit) * 16), int((0.19 * unit + bob) * 16))
    cv2.circle(head, centre, int(0.047 * unit * 16), 255, -1, cv2.LINE_AA, 4)
    pic = over(pic, layer(rgb("14121c"), head.astype(np.float32) / 255))
    pole = limb((h, w), [hand, (cx + 0.05 * unit, 0.03 * unit + bob)], 0.012 * unit)
    pic = over(pic, layer(rgb("50546e"), pole))
    pic = over(pic, umbrella((h, w), cx + 0.045 * unit, unit, bob))
    return Sprite(rim(pic), (0.5, 0.997 * unit / h))


def umbrella(shape: tuple[int, int], cx: float, unit: float, bob: float) -> Img:
    """Return the open umbrella as premultiplied RGBA, lit from the shops behind."""
    angle = np.linspace(np.pi, 0, 40)
    rx, ry, base = 0.33 * unit, 0.165 * unit, 0.185 * unit + bob
    dome = [(cx + rx * np.cos(a), base - ry * np.sin(a)) for a in angle]
    hem = []
    for k in range(5):
        for s in np.linspace(0, 1, 8, endpoint=False):
            x = cx + rx * (1 - 2 * (k + s) / 5)
            hem.append((x, base - 0.022 * unit * np.sin(np.pi * s)))
    mask = polygon(shape, dome + hem)
    x = (np.arange(shape[1], dtype=np.float32) - cx) / rx
    rows = np.arange(shape[0], dtype=np.float32)
    y = np.clip((base - rows) / ry, 0, 1)
    rib = 0.75 + 0.25 * np.abs(np.sin(2.5 * np.pi * (x[None, :] / (1.05 - 0.55 * y[:, None]))))
    tone = mix(rgb("7c1230"), rgb("e0314f"), np.clip(y[:, None] * 0.8 + 0.25 * x[None, :], 0, 1))
    return layer(tone * rib[..., None], mask)


def rim(pic: Img) -> Img:
    """Add the neon rim light: cyan from the left, warm from the right."""
    alpha = pic[..., 3]
    width = max(2, pic.shape[0] // 110)
    soft = blur(alpha, width * 0.6)
    left = np.clip(alpha - np.roll(soft, width, 1), 0, 1)
    right = np.clip(alpha - np.roll(soft, -width, 1), 0, 1)
    pic[..., :3] += left[..., None] * rgb("45b8e8") * 0.55
    pic[..., :3] += right[..., None] * rgb("ff9a4a") * 0.75
    return pic
