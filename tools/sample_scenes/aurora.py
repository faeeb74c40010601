"""Shot 5: northern lights over a snowy pine forest; the camera slides and tilts up a little."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
    Ramp,
    Sprite,
    blur,
    grade,
    grid,
    layer,
    mix,
    noise,
    polygon,
    rgb,
    sample,
    smooth,
)
from .pines import pine

SKY = [(0.0, "1c4a5c"), (0.12, "123450"), (0.35, "0b1d3c"), (0.8, "050d22")]
GLOW = Ramp([(0.0, "46f5a0"), (0.22, "2ee6a6"), (0.45, "2aa7b8"), (0.7, "6a4fc0"), (1, "a03fae")])
# distance in metres, trees, tallest in metres, lower edge in metres under the eye
ROWS = [(90.0, 90, 12.0, 3.4), (52.0, 40, 11.0, 2.9), (30.0, 17, 10.5, 2.7), (17.0, 6, 10.0, 2.4)]


class Aurora:
    """Night sky with curtains of light, rows of snowy pines and a lit cabin."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Prepare trees and textures for frames of size (width, height); duration in seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.focal = self.w * 0.72
        self.ribbon = noise(256, 512, 1.9, 51, low=2)
        self.rays = noise(256, 512, 1.2, 52, low=6)
        self.rough = noise(512, 512, 1.3, 53, low=3)
        self.slow = noise(256, 256, 2.0, 54)
        self.gradient = Ramp(SKY)
        tones = ("0a1c26", "1d4a4c", "a9d6d8")
        self.trees = [Sprite(pine(620, 540 + i, 0.62, tones), (0.5, 0.985)) for i in range(5)]
        rng = np.random.default_rng(55)
        self.stars = rng.uniform(0, 1, (420, 4)).astype(np.float32)
        self.plan = [self.plant(rng, *row[:3]) for row in ROWS]
        self.cabin = Sprite(cabin(260), (0.5, 0.96))

    def plant(self, rng: np.random.Generator, z: float, count: int, tallest: float) -> list[Any]:
        """Scatter a row of trees: (x in metres, height in metres, sprite, mirrored)."""
        wide = z * 1.05
        gap = 4.4 if z > 25 else 5.0
        found = []
        for x in np.linspace(-wide, wide, count) + rng.uniform(-1, 1, count) * wide / count:
            if abs(x + (4.4 if z > 25 else 1.6)) < gap:
                continue
            size = tallest * rng.uniform(0.55, 1.0)
            found.append((x, size, int(rng.integers(5)), 1 if rng.random() < 0.5 else -1))
        return found

    def sky(self, pan: float, horizon: float, t: float) -> Img:
        """Paint sky, stars and the aurora at half size, then enlarge the soft part."""
        x, y = grid(self.w // 2, self.h // 2)
        across = (x * 2 - self.w / 2) / self.focal + pan
        up = np.maximum((horizon - y * 2) / self.focal, 0)
        img = self.gradient(up)
        light = np.zeros_like(img)
        for i in range(26):
            part = i / 25
            # Each sheet lies higher than the last, so a curtain seen in perspective has rays.
            far = (1.0 + 0.85 * part) / (up + 0.24)
            u, v = across * far * 0.16, far * 0.105
            fold = sample(self.ribbon, u + 0.012 * t, v - 0.008 * t)
            warp = sample(self.slow, u * 0.8 - 0.01 * t, v * 0.8)
            line = np.exp(-((fold + 0.35 * warp) ** 2) / 0.022)
            comb = 0.55 + 0.45 * smooth(-1, 1.4, sample(self.rays, u * 2.2 + 0.03 * t, v * 0.7))
            fade = (1 - part) ** 1.5 * smooth(0.0, 0.08, part + 0.02)
            tone = GLOW(np.full((1, 1), part, np.float32))[0, 0]
            light += (line * comb * fade)[..., None] * tone
        light = cv2.blur(light, (1, 13))
        light *= (smooth(0.02, 0.16, up) * 0.21)[..., None]
        img = img + light + blur(light, 20) * 0.55
        img = cv2.resize(img, (self.w, self.h), interpolation=cv2.INTER_LINEAR)
        self.twinkle(img, pan, horizon, t)
        return np.asarray(img)

    def twinkle(self, img: Img, pan: float, horizon: float, t: float) -> None:
        """Add the stars, in place."""
        for a, b, c, d in self.stars:
            x = self.w / 2 + ((a - 0.5) * 1.7 - pan) * self.focal
            y = horizon - (0.05 + 0.75 * b) * self.focal
            if not (3 < x < self.w - 4 and 3 < y < self.h - 4):
                continue
            power = 0.25 + 1.0 * c**4 + 0.08 * np.sin(3 * t + 40 * d)
            dx, dy = np.arange(-3, 4) - (x % 1), np.arange(-3, 4) - (y % 1)
            dot = np.exp(-(dx[None, :] ** 2 + dy[:, None] ** 2) / (1.0 + 1.4 * c**4))
            tone = mix(rgb("bcd4ff"), rgb("fff1dc"), float(d))
            img[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4] += dot[..., None] * tone * power

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        part = t / self.duration
        slide, pan = 0.9 * t, 0.01 * t
        horizon = self.h * (0.70 + 0.05 * part)
        img = self.sky(pan, horizon, t)
        self.hills(img, pan, horizon)
        aura = blur(img[: int(horizon)], 60).mean((0, 1))
        self.snow(img, slide, horizon, t)
        for (z, _, _, foot), row in zip(ROWS, self.plan, strict=True):
            if z < 40 and z > 25:
                self.house(img, slide, horizon, t)
            haze = (rgb("1f5560") + aura * 0.2, float(1 - np.exp(-z / 105)))
            for x, size, kind, flip in row:
                at = (self.w / 2 + (x - slide) / z * self.focal, horizon + foot / z * self.focal)
                scale = size / z * self.focal / 620
                self.trees[kind].stamp(img, at, scale, stretch=flip, haze=haze)
        return grade(img, bloom=0.35, vignette=0.5, knee=0.7)

    def hills(self, img: Img, pan: float, horizon: float) -> None:
        """Paint two far snowy ridges, in place."""
        x, y = grid(self.w, self.h)
        for k, (lift, tone) in enumerate((("0.11", "2a5a6c"), ("0.055", "1b4354"))):
            u = x[:1] / self.w * (0.35 + 0.1 * k) + pan * 0.3 + 0.37 * k
            edge = sample(self.slow, u, np.full_like(u, 0.2 + 0.4 * k))
            edge = edge * 0.035 + sample(self.rough, u * 0.7, np.full_like(u, 0.6)) * 0.006
            top = horizon - (float(lift) + edge) * self.focal
            cover = smooth(-1, 1, y - top)
            fall = np.exp(-np.maximum(y - top, 0) / (0.05 * self.focal))
            grain = sample(self.rough, x / self.w * 1.2 + pan, y / self.h * 1.5)
            shade = mix(rgb(tone), rgb("8fc4c8"), fall * (0.32 + 0.10 * grain))
            img[:] = mix(img, shade, cover)

    def snow(self, img: Img, slide: float, horizon: float, t: float) -> None:
        """Paint the snow field with drifts lit by the sky, in place."""
        top = int(horizon + 0.028 * self.focal)
        x, y = grid(self.w, self.h)
        z = 2.6 * self.focal / (y[top:] - horizon)
        wx = (x[top:] - self.w / 2) / self.focal * z + slide
        drift = sample(self.slow, wx / 38, z / 46)
        slope = drift - sample(self.slow, wx / 38 + 0.02, z / 46 - 0.012)
        fine = sample(self.rough, wx / 16, z / 20)
        base = mix(rgb("4a93a0"), rgb("2c5f76"), smooth(70, 5, z))
        tone = base * (1 + 0.5 * slope + 0.04 * fine)[..., None]
        tone = tone + (smooth(0.0, 0.5, slope + 0.1) * 0.14)[..., None] * rgb("7df0c0")
        img[top:] = mix(img[top:], tone, smooth(0, 6, y[top:] - top))

    def house(self, img: Img, slide: float, horizon: float, t: float) -> None:
        """Stamp the cabin and the warm light that its windows throw on the snow, in place."""
        z = 36.0
        at = (self.w / 2 + (-5.0 - slide) / z * self.focal, horizon + 2.75 / z * self.focal)
        scale = 5.6 / z * self.focal / 260
        x, y = grid(self.w, self.h)
        spill = np.exp(-(((x - at[0]) / (130 * 1.0)) ** 2) - ((y - at[1] - 14) / 26) ** 2)
        img += (spill * smooth(-6, 8, y - at[1]) * 0.42)[..., None] * rgb("ff9d4a")
        self.cabin.stamp(img, at, scale)
        smoke = (at[0] + 62 * scale, at[1] - 185 * scale)
        rise = smoke[1] - y
        path = smoke[0] + 0.10 * rise + 7 * np.sin(rise / 34 - 1.2 * t) * np.clip(rise / 80, 0, 1)
        puff = np.exp(-(((x - path) / (4 + 0.10 * np.maximum(rise, 0))) ** 2)) * (rise > 0)
        img[:] = mix(img, rgb("7fb0b4"), puff * np.exp(-np.maximum(rise, 0) / 95) * 0.32)


def cabin(size: int, roof_tones: tuple[str, str] = ("cdeeea", "6fa9b4")) -> Img:
    """Return a log cabin with lit windows, size pixels wide, as premultiplied RGBA.

    roof_tones are the colours of the ridge and of the eaves.
    """
    shape = (int(size * 0.85), size)
    s = float(size)
    _, y = grid(shape[1], shape[0])

    def box(x0: float, y0: float, x1: float, y1: float) -> Img:
        return polygon(
            shape, [(x0 * s, y0 * s), (x1 * s, y0 * s), (x1 * s, y1 * s), (x0 * s, y1 * s)]
        )

    logs = 0.75 + 0.25 * np.abs(np.sin(y / s * 60))
    parts = [(rgb("2b1c1a") * logs[..., None], box(0.14, 0.42, 0.86, 0.82))]
    parts.append((rgb("1c1416"), box(0.68, 0.10, 0.77, 0.34)))
    ridge, eaves = (rgb(c) for c in roof_tones)
    parts.append((ridge, box(0.67, 0.075, 0.78, 0.115)))
    roof = [(0.05 * s, 0.47 * s), (0.24 * s, 0.16 * s), (0.76 * s, 0.16 * s), (0.95 * s, 0.47 * s)]
    parts.append((mix(ridge, eaves, smooth(0.14, 0.46, y / s)), polygon(shape, roof)))
    glass = rgb("ffb04a") * (1.25 - 0.5 * smooth(0.5, 0.72, y / s))[..., None]
    for left in (0.21, 0.63):
        parts.append((glass, box(left, 0.53, left + 0.16, 0.69)))
        parts.append((rgb("2b1c1a"), box(left + 0.073, 0.53, left + 0.087, 0.69)))
        parts.append((rgb("2b1c1a"), box(left, 0.602, left + 0.16, 0.614)))
    parts.append((rgb("5a2f1c"), box(0.45, 0.53, 0.56, 0.82)))
    parts.append((rgb("7fb7bd"), box(0.10, 0.80, 0.90, 0.84)))
    pic = np.zeros((*shape, 4), np.float32)
    for colour, mask in parts:
        top = layer(colour, mask)
        pic = pic * (1 - top[..., 3:4]) + top
    return pic
