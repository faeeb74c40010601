"""The still: a mountain lake at dusk with pines, a lit cabin and its reflections."""

from __future__ import annotations

import cv2
import numpy as np

from .aurora import cabin
from .balloon import CELL, CELLS, mountain_colour, mountain_map
from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
    Ramp,
    Sprite,
    blur,
    grade,
    grid,
    mix,
    noise,
    rgb,
    sample,
    smooth,
)
from .pines import pine
from .terrain import View

SUN = (-0.80, 0.34, 0.42)
SKY = [
    (0.0, "ffc987"),
    (0.06, "fbb07c"),
    (0.15, "e48f8c"),
    (0.28, "a578a4"),
    (0.45, "5f64a0"),
    (0.7, "2f3f78"),
]


class Photo:
    """One picture of size (width, height) pixels."""

    def __init__(self, size: tuple[int, int]):
        """Prepare the land, the trees and the camera."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.focal, self.horizon = self.w * 0.95, self.h * 0.60
        self.x, self.y = grid(self.w, self.h)
        self.across = (self.x - self.w / 2) / self.focal
        self.up = (self.horizon - self.y) / self.focal
        self.cloud = noise(512, 512, 1.5, 71, low=2)
        self.rough = noise(512, 512, 1.1, 72, low=4)
        self.slow = noise(256, 256, 1.9, 73)
        tones = ("122321", "4a5638", "d0d0d0")
        self.trees = [Sprite(pine(700, 740 + i, 0.0, tones), (0.5, 0.985)) for i in range(6)]

    def sky(self) -> Img:
        """Paint the dusk sky with long lit clouds."""
        up = np.maximum(self.up, 0)
        img = Ramp(SKY)(up)
        far2 = (self.across + 0.30) ** 2 * 0.8 + (up - 0.02) ** 2 * 3
        glow = np.exp(-far2 / 0.10)
        img = img + glow[..., None] * rgb("ff9a4a") * 0.45
        u, v = self.across / (up + 0.16) * 0.20 + 0.13, 0.22 / (up + 0.12)
        body = sample(self.cloud, u, v * 0.8) + 0.35 * sample(self.cloud, u * 3, v * 2.4)
        below = sample(self.cloud, u - 0.01, v * 0.8 + 0.03)
        cover = smooth(0.1, 1.6, body) * smooth(0.03, 0.16, up)
        lit = np.clip(0.45 + 0.8 * (body - below), 0, 1)
        fire = mix(rgb("e77f86"), rgb("ffc184"), np.clip(glow * 1.6, 0, 1))
        return mix(img, mix(rgb("6a5b90"), fire, lit), cover * 0.85)

    def mountains(self, img: Img) -> Img:
        """Put the snowy range behind the lake."""
        land = mountain_map(44) * 1.5
        colour = mountain_colour(land, SUN, 75)
        tile = CELLS * CELL
        view = View(self.w, self.h, self.focal, self.horizon, 1500, 9000, 620)
        x0, z0 = 2600.0, 1200.0
        height = sample(land, (view.x + x0) / tile, (view.z + z0) / tile)
        height = height * smooth(1500, 3600, view.z)
        index = view.trace(height, 20.0)
        z = view.distance(np.maximum(index, 0))
        u, v = (self.across * z + x0) / tile, (z + z0) / tile
        shade = sample(colour, u, v) * 0.82
        warm = np.exp(-((self.across + 0.35) ** 2) / 0.14)
        air = mix(rgb("8f86b4"), rgb("eda27e"), warm)
        shade = mix(shade, air, np.clip(1 - np.exp(-z / 11000), 0, 1))
        fog = np.exp(-np.maximum(self.up, 0) / 0.030) * 0.75
        shade = mix(shade, mix(rgb("b7a3bd"), rgb("f7bd92"), warm), fog)
        return mix(img, shade, blur((index >= 0).astype(np.float32), 0.7))

    def shore(self, img: Img) -> None:
        """Stamp rows of pines along the far shore and the cabin, in place."""
        rng = np.random.default_rng(76)
        rows = [
            (900, 260, 30, 0.56),
            (620, 190, 28, 0.40),
            (400, 110, 23, 0.25),
            (270, 46, 20, 0.14),
        ]
        for z, count, tall, fog in rows:
            haze = (mix(rgb("6f6a94"), rgb("c98d80"), 0.35), fog)
            self.bank(img, z, haze)
            for x in np.sort(rng.uniform(-0.62, 0.62, count)) * z:
                ridge = 0.45 + 0.55 * abs(float(np.sin(x / z * 4.4 + z)))
                if z < 500 and not (x / z < -0.22 or x / z > 0.20):
                    continue
                if z < 300 and 0.21 < x / z < 0.36:
                    continue
                size = tall * rng.uniform(0.5, 1.0) * (0.55 + 0.45 * ridge)
                at = (self.w / 2 + x / z * self.focal, self.horizon + 0.5)
                scale = size / z * self.focal / 700
                tree = self.trees[int(rng.integers(6))]
                tree.stamp(img, at, scale, stretch=float(rng.choice([-1, 1])), haze=haze)
        house = Sprite(cabin(320, ("6b4a4a", "3a2a30"))[: int(320 * 0.82)], (0.5, 1.0))
        at = (self.w / 2 + 0.285 * self.focal, self.horizon + 1)
        glow = np.exp(-((self.x - at[0]) ** 2 + (self.y - at[1] + 22) ** 2) / 60**2)
        img += glow[..., None] * rgb("ff9a4a") * 0.22
        house.stamp(img, at, 0.33, light=np.array([0.85, 0.72, 0.72], np.float32))

    def bank(self, img: Img, z: float, haze: tuple[Img, float]) -> None:
        """Paint the dark strip of land under a row of trees, in place."""
        edge = 3.0 + 3.0 * sample(
            self.slow, self.x[:1] / self.w * 0.8 + z, np.full_like(self.x[:1], 0.3)
        )
        if z < 500:
            edge = edge * smooth(0.16, 0.26, np.abs(self.across[:1])) * 1.5
        cover = smooth(-1, 1, self.y - (self.horizon - edge * 400 / z))
        tone = mix(rgb("1c2420"), haze[0], haze[1])
        img[:] = mix(img, np.broadcast_to(tone, img.shape), cover * (self.y < self.horizon + 1))

    def lake(self, img: Img) -> Img:
        """Mirror the scene in the water with ripples, a calm band and the stony near shore."""
        top = int(self.horizon)
        depth = 2.2 / np.maximum(-self.up[top:], 1.2e-3)
        x = self.across[top:] * depth
        ripple = sample(self.rough, x / 9, depth / 16) * 0.6 + sample(self.slow, x / 40, depth / 60)
        fine = sample(self.rough, x / 2.6, depth / 3.4)
        calm = smooth(-0.5, 1.2, sample(self.slow, x / 150, depth / 190))
        push = (
            (ripple * 7 + fine * 6 / (1 + depth / 20))
            * (1 - 0.6 * calm)
            * smooth(0, 50, self.y[top:] - top)
        )
        my = np.clip(2 * self.horizon - self.y[top:] - 1 + push, 0, top - 1).astype(np.float32)
        mx = np.clip(self.x[top:] - 0.5 + push * 0.25, 0, self.w - 1).astype(np.float32)
        mirror = cv2.remap(cv2.blur(img[:top], (1, 7)), mx, my, cv2.INTER_LINEAR)
        fresnel = 0.50 + 0.42 * np.exp(-np.maximum(-self.up[top:], 0) / 0.22)
        water = mix(rgb("14233a"), mirror, fresnel)
        sheen = np.exp(-(((self.y[top:] - top) / 16) ** 2)) * 0.30
        water = mix(water, rgb("e9b9a4"), sheen)
        out = img.copy()
        out[top:] = water
        self.stones(out)
        return out

    def stones(self, img: Img) -> None:
        """Set wet boulders in the near water, each with its dark mirror image, in place."""
        rng = np.random.default_rng(78)
        places = [(rng.uniform(0.0, 0.50), rng.uniform(0.86, 1.03)) for _ in range(26)]
        places += [(rng.uniform(0.72, 1.0), rng.uniform(0.92, 1.03)) for _ in range(9)]
        for a, b in sorted(places, key=lambda p: p[1]):
            if b < 0.90 + 0.16 * a:
                b += 0.06
            size = self.h * (0.022 + 0.30 * max(0.0, b - 0.86)) * rng.uniform(0.45, 1.05)
            self.stone(img, a * self.w, b * self.h, size, int(rng.integers(1 << 20)))

    def stone(self, img: Img, cx: float, cy: float, size: float, seed: int) -> None:
        """Paint one boulder of a radius in pixels sitting on the water at (cx, cy), in place."""
        x0, x1 = int(max(cx - 2.2 * size, 0)), int(min(cx + 2.2 * size, self.w))
        y0, y1 = int(max(cy - 1.5 * size, 0)), int(min(cy + 1.6 * size, self.h))
        if x1 <= x0 or y1 <= y0:
            return
        u, v = (self.x[y0:y1, x0:x1] - cx) / size, (cy - self.y[y0:y1, x0:x1]) / size
        angle = np.arctan2(np.abs(v) * 1.5, u)
        wave = sum(np.sin(k * angle + seed * k) * 0.11 / k**0.5 for k in (2, 3, 5))
        radius = np.hypot(u / 1.45, v / 0.72) / (1 + wave)
        grain = sample(self.rough, u / 5 + seed * 0.013, v / 5)
        slope = np.clip(0.42 + 0.55 * v - 0.30 * u + 0.13 * grain, 0, 1)
        tone = mix(rgb("17181f"), rgb("8d7370"), slope) + (smooth(0.75, 1.05, slope) * 0.25)[
            ..., None
        ] * rgb("ffb080")
        tone = mix(rgb("0c1018"), tone, smooth(0.0, 0.12, v))
        soft = 1.3 / size
        patch = img[y0:y1, x0:x1]
        shadow = smooth(1.15, 0.75, radius) * (v <= 0) * 0.72
        patch = mix(patch, rgb("151a26"), shadow)
        img[y0:y1, x0:x1] = mix(patch, tone, smooth(1 + soft, 1 - soft, radius) * (v > 0))

    def render(self) -> Bytes:
        """Return the picture as RGB bytes."""
        img = self.mountains(self.sky())
        self.shore(img)
        img = self.lake(img)
        mist = np.exp(-(((self.y - self.horizon + 6) / 15) ** 2))
        swirl = 0.5 + 0.5 * smooth(
            -1.2, 1.5, sample(self.slow, self.x / self.w * 1.5, self.y / self.h)
        )
        img = mix(img, rgb("e8b6a4"), mist * swirl * 0.34)
        for x, foot, tall, kind, flip in ((0.035, 1.05, 0.94, 1, 1), (0.125, 1.07, 0.60, 3, -1)):
            at = (self.w * x, self.h * foot)
            self.trees[kind].stamp(img, at, tall * self.h / 700, stretch=flip, light=0.42)
        return grade(img, bloom=0.25, vignette=0.4)
