"""Corals and fish of the reef shot, as premultiplied RGBA pictures."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Img, blur, curve, grid, layer, mix, noise, polygon, rgb, smooth, stroke


def lit(mask: Img, colours: tuple[str, str], seed: int) -> Img:
    """Colour a shape from deep to bright with light from above and a rough skin."""
    h, w = mask.shape
    soft = blur(mask, 3.0)
    slope = np.roll(soft, 4, 0) - np.roll(soft, -4, 0)
    relief = np.clip(0.5 - 0.9 * slope, 0, 1)
    _, y = grid(w, h)
    rise = 1 - y / h
    skin = noise(h, w, 0.9, seed, low=8)
    amount = np.clip(0.15 + 0.5 * rise + 0.55 * (relief - 0.4) + 0.05 * skin, 0, 1)
    return layer(mix(rgb(colours[0]), rgb(colours[1]), amount), mask)


def branch_coral(size: int, seed: int, colours: tuple[str, str]) -> Img:
    """Return a staghorn coral: forks that grow upwards and thin out."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), np.uint8)
    tips = [(size / 2 + s * size * 0.05, size * 0.95, s * 0.38, 0.058) for s in (-2, -1, 0, 1, 2)]
    for level in range(6):
        grown = []
        for x, y, angle, thick in tips:
            reach = size * (0.19 - 0.018 * level) * rng.uniform(0.7, 1.05)
            nx, ny = x + reach * np.sin(angle), y - reach * np.cos(angle)
            stroke(mask, (x, y), (nx, ny), thick * size)
            cv2.circle(
                mask, (int(nx), int(ny)), max(1, int(thick * size / 2)), 255, -1, cv2.LINE_AA
            )
            forks = (-1, 1) if rng.random() < 0.72 else (rng.choice([-1, 1]),)
            for side in forks:
                turn = angle * 0.85 + side * rng.uniform(0.18, 0.5)
                grown.append((nx, ny, turn, thick * 0.78))
        tips = grown
    return lit(mask.astype(np.float32) / 255, colours, seed)


def fan_coral(size: int, seed: int, colours: tuple[str, str]) -> Img:
    """Return a sea fan: a flat net of fine branches."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), np.uint8)
    root = (size / 2, size * 0.96)
    for angle in np.linspace(-1.15, 1.15, 17):
        x, y = root
        bend = angle * 0.55
        reach = size * rng.uniform(0.72, 0.9) * (1 - 0.18 * abs(angle))
        for k in range(14):
            step = reach / 14
            nx, ny = x + step * np.sin(bend), y - step * np.cos(bend)
            stroke(mask, (x, y), (nx, ny), size * 0.020 * (1 - k / 18))
            for side in (-1, 1):
                twig = bend + side * rng.uniform(0.5, 0.9)
                span = step * rng.uniform(0.9, 1.7)
                end = (nx + span * np.sin(twig), ny - span * np.cos(twig))
                stroke(mask, (nx, ny), end, size * 0.007, 230)
            bend += (angle * 1.12 - bend) * 0.12 + rng.uniform(-0.05, 0.05)
            x, y = nx, ny
    return lit(mask.astype(np.float32) / 255, colours, seed)


def brain_coral(size: int, seed: int, colours: tuple[str, str]) -> Img:
    """Return a round coral with winding furrows, wider than high."""
    h, w = int(size * 0.62), size
    x, y = grid(w, h)
    u, v = (x / w - 0.5) * 2.06, 1.03 - y / h
    r2 = u * u + (v * 0.98) ** 2
    mask = smooth(1.0, 0.975, r2) * smooth(0.0, 0.03, v)
    depth = np.sqrt(np.clip(1 - r2, 0, 1))
    field = noise(512, 512, 2.4, seed, low=9)
    across, along = np.arctan2(u, depth + 0.15), np.arctan2(v, depth + 0.15)
    px, py = (across / 7 + 0.5) * 511, (along / 7 + 0.5) * 511
    maze = cv2.remap(field, px.astype(np.float32), py.astype(np.float32), cv2.INTER_LINEAR)
    furrow = smooth(0.05, 0.45, np.abs(maze))
    light = np.clip(0.10 + 0.52 * v + 0.35 * depth, 0, 1) * (0.55 + 0.45 * furrow)
    return layer(mix(rgb(colours[0]) * 0.6, rgb(colours[1]), light), mask)


def fish(size: int, beat: float, kind: str) -> Img:
    """Return a fish swimming right, size pixels long, its tail at phase beat (0..1)."""
    h, w = int(size * 0.56), size
    tall = 0.125 if kind == "silver" else 0.185
    sway = np.sin(2 * np.pi * beat)
    nose, tail = 0.47, -0.27
    body = [(nose, 0.0), (0.33, tall * 0.72), (0.10, tall), (-0.12, tall * 0.66), (tail, 0.035)]
    body += [(x, -y) for x, y in body[:0:-1]]
    squeeze = 1 - 0.22 * abs(sway)
    fork = [(tail + 0.03, 0.03), (tail - 0.20 * squeeze, 0.15), (tail - 0.11 * squeeze, 0.0)]
    fork += [(tail - 0.20 * squeeze, -0.15), (tail + 0.03, -0.03)]
    dorsal = [(0.20, tall * 0.8), (0.06, tall * 1.55), (-0.14, tall * 1.15), (-0.19, tall * 0.4)]
    belly = [(0.05, -tall * 0.8), (-0.08, -tall * 1.5), (-0.16, -tall * 0.5)]

    def put(points: list[tuple[float, float]] | Img) -> Img:
        p = np.asarray(points, np.float64)
        bend = 0.05 * sway * np.clip(0.1 - p[:, 0], 0, 1) * 2
        return polygon((h, w), np.stack([(p[:, 0] + 0.5) * w, h / 2 - (p[:, 1] + bend) * w], 1))

    x, y = grid(w, h)
    u, v = x / w - 0.5, (h / 2 - y) / w
    fins = np.maximum(put(fork), np.maximum(put(dorsal), put(belly)))
    flesh = put(curve(body))
    if kind == "silver":
        fin_tone, tone = (
            rgb("c9a437"),
            mix(rgb("e8f4ee"), rgb("2f6f9a"), smooth(-0.4, 0.75, v / tall)),
        )
        stripe = np.exp(-(((v - 0.015) / 0.022) ** 2))
        tone = mix(tone, rgb("ffd34d"), stripe * 0.9)
    else:
        fin_tone, tone = (
            rgb("ff8a1f"),
            mix(rgb("ffb03a"), rgb("e2500f"), smooth(-0.6, 0.9, v / tall)),
        )
        bands = [
            smooth(0.040, 0.032, np.abs(u - c + 0.25 * v * v * 20)) for c in (0.26, 0.02, -0.2)
        ]
        edges = [
            smooth(0.052, 0.044, np.abs(u - c + 0.25 * v * v * 20)) for c in (0.26, 0.02, -0.2)
        ]
        tone = mix(tone, rgb("2a1208"), np.max(edges, axis=0))
        tone = mix(tone, rgb("fff6ea"), np.max(bands, axis=0))
    tone = tone * (0.72 + 0.38 * smooth(-1.0, 0.6, v / tall))[..., None]
    eye = np.hypot(u - 0.375, v - 0.022)
    tone = mix(
        mix(tone, rgb("fff8e0"), smooth(0.026, 0.020, eye)),
        rgb("0a0a10"),
        smooth(0.017, 0.012, eye),
    )
    streaks = 0.8 + 0.2 * np.sin(u * 160 + v * 60)
    pic = layer(fin_tone * streaks[..., None], fins * 0.9)
    top = layer(tone, flesh)
    return np.asarray(pic * (1 - top[..., 3:]) + top, np.float32)
